//! What a run of tests said, kept for its end: whoever reads only the last lines of a run learns what failed,
//! with the words it failed with, and what took longest.

use crate::clock::Watch;
use crate::tally::Tally;

/// What cargo prints before each program of tests, when all are built.
pub(crate) const BEGUN: &str = "Running ";
/// What it prints before the examples in the documents of a crate.
const EXAMPLES: &str = "Doc-tests ";
/// Failures are told from this line of a program on, until its closing line.
const FAILURES: &str = "failures:";
/// The most lines that are kept of one program's failures.
const LINES_MAX: usize = 60;
/// The most characters that are kept of one line.
const CHARS_MAX: usize = 400;
/// How many of the slowest programs are told.
const SLOWEST: usize = 12;

/// Read line by line.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) tally: Tally,
    failures: Vec<String>,
    programs: Vec<(String, f64)>,
    runs: Option<(String, Watch)>,
    room: usize,
}

impl Said {
    /// A part that passes as a whole.
    pub(crate) fn passed() -> Self {
        Self {
            tally: Tally::PASSED,
            ..Self::default()
        }
    }

    /// A part that could not run to its end.
    pub(crate) fn broken_off(cause: &anyhow::Error) -> Self {
        Self {
            tally: Tally::FAILED,
            failures: vec![format!("{cause:#}")],
            ..Self::default()
        }
    }

    /// Takes the next line.
    pub(crate) fn hear(&mut self, line: &str) {
        let words = line.trim();
        if let Some(program) = words.strip_prefix(BEGUN).or(words.strip_prefix(EXAMPLES)) {
            self.next(Some(program.to_owned()));
        } else if words == FAILURES && self.room == 0 {
            self.room = LINES_MAX;
            let program = self.runs.as_ref().map_or("a program", |(name, _)| name);
            self.failures.push(format!("in {program}:"));
        } else if let Some(tally) = Tally::of_line(line) {
            self.tally.add(tally);
            self.room = 0;
        } else if self.room > 1 && !words.is_empty() {
            self.room -= 1;
            self.failures.push(line.chars().take(CHARS_MAX).collect());
        }
    }

    /// What failed, in the words it failed with; nothing when all passed.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The programs that took longest, longest first.
    pub(crate) fn slowest(&mut self) -> Vec<String> {
        self.next(None);
        self.programs.sort_by(|a, b| b.1.total_cmp(&a.1));
        let told = self.programs.iter().take(SLOWEST);
        told.map(|(program, seconds)| format!("{seconds:7.1} s  {program}"))
            .collect()
    }

    fn next(&mut self, program: Option<String>) {
        let ended = std::mem::replace(&mut self.runs, program.map(|name| (name, Watch::start())));
        if let Some((name, watch)) = ended {
            self.programs.push((name, watch.seconds()));
        }
        self.room = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        let mut said = Said::default();
        text.lines().for_each(|line| said.hear(line));
        said
    }

    #[test]
    fn what_failed_is_told_again_at_the_end_with_its_words_and_its_program() {
        let mut said = said(
            "     Running unittests src/lib.rs (target/debug/deps/store-1)\n\
             test a ... ok\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
             \x20    Running tests/breaks/main.rs (target/debug/deps/breaks-2)\n\
             test b ... FAILED\n\
             \n\
             failures:\n\
             \n\
             ---- b stdout ----\n\
             thread 'b' panicked at tests/b.rs:1:1:\n\
             left is not right\n\
             \n\
             failures:\n\
             \x20   b\n\
             \n\
             test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
             error: 1 target failed",
        );
        assert_eq!((said.tally.passed, said.tally.failed), (4, 1));
        let told = said.failures().join("\n");
        assert!(
            told.starts_with("in tests/breaks/main.rs (target/debug/deps/breaks-2):\n---- b stdout"),
            "{told}"
        );
        assert!(told.contains("left is not right"), "{told}");
        assert!(!told.contains("error: 1 target"), "{told}");
        assert_eq!(said.slowest().len(), 2);
    }

    #[test]
    fn a_program_that_says_without_end_why_it_failed_is_cut_off() {
        let words = "x".repeat(10_000);
        let long = format!("failures:\n{}", format!("{words}\n").repeat(500));
        let told = said(&long);
        assert!(told.failures().len() <= LINES_MAX + 1);
        assert!(told.failures().iter().all(|line| line.len() <= CHARS_MAX));
    }
}
