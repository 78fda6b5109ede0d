//! `cargo xtask test`: everything that must pass, in the order of what it costs. Every part runs, also
//! after one has failed, and the last line counts them all.

use std::sync::mpsc;

use anyhow::{Result, anyhow};

use crate::clock::Watch;
use crate::tally::Tally;
use crate::{axe, deb, debian, openapi, shell, suites, tidy};

/// Runs everything; true when all of it passed.
pub(crate) fn run() -> Result<bool> {
    let watch = Watch::start();
    let mut run = Run::default();
    run.part("tools of the machine", || debian::install(debian::FOR_TESTS));
    run.part("checker of pages", axe::fetch);
    run.part("format", || {
        shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))
    });
    run.tidy();
    run.part("lints", lints);
    run.part("documents of the code", documents);
    run.part("openapi.json", openapi::check);
    run.part("units", deb::units);
    run.part("package", || deb::run(false, true));
    run.both_suites();
    println!("\ntook {:.0} s", watch.seconds());
    Ok(run.close())
}

/// Only the checks that read.
pub(crate) fn tidy_only() -> Result<bool> {
    let mut run = Run::default();
    run.tidy();
    Ok(run.close())
}

fn lints() -> Result<()> {
    shell::run(&mut shell::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documents() -> Result<()> {
    let mut command = shell::cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ]);
    shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// What has run so far.
#[derive(Default)]
struct Run {
    tally: Tally,
    failures: Vec<String>,
}

impl Run {
    /// A part that passes or fails as a whole.
    fn part(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        self.suite(name, || work().map(|()| Tally::PASSED));
    }

    /// A part that counts by itself.
    fn suite(&mut self, name: &str, work: impl FnOnce() -> Result<Tally>) {
        println!("\n== {name}");
        let watch = Watch::start();
        let tally = work().unwrap_or_else(|cause| {
            eprintln!("{cause:#}");
            Tally::FAILED
        });
        println!("== {name}: {tally} ({:.1} s)", watch.seconds());
        if !tally.is_whole() {
            self.failures.push(format!("{name}: {tally}"));
        }
        self.tally.add(tally);
    }

    /// The suite on either engine, side by side: each waits more than it works. What the second says is
    /// shown behind the first.
    fn both_suites(&mut self) {
        let (say, said) = mpsc::channel::<String>();
        std::thread::scope(|scope| {
            // A line that nobody shows any more is of a run that has broken off.
            let second = scope.spawn(move || suites::on_postgres(|line| drop(say.send(line.to_owned()))));
            self.suite("suite on SQLite", || suites::on_sqlite(|line| println!("{line}")));
            self.suite("suite on PostgreSQL, begun with the one on SQLite", || {
                for line in said {
                    println!("{line}");
                }
                second
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("the suite's thread broke off")))
            });
        });
    }

    /// Every rule of the tree, one by one.
    fn tidy(&mut self) {
        for (name, check) in tidy::CHECKS {
            self.part(name, || tidy::run(*check));
        }
    }

    /// The closing lines; true when nothing failed.
    fn close(self) -> bool {
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        println!("{}", self.tally);
        self.tally.is_whole()
    }
}
