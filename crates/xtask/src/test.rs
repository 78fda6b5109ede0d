//! `cargo xtask test`: everything that must pass, in the order of what it costs. Every part runs, also
//! after one has failed, and the last line counts them all.

use std::process::Command;
use std::sync::mpsc;

use anyhow::{Result, anyhow, ensure};

use crate::clock::Watch;
use crate::said::Said;
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
    run.part("openapi.json", openapi::check);
    run.part("units", deb::units);
    run.part("package", || deb::run(false, true));
    run.part("tests are built", suites::build);
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

/// What reads the code as the compiler does, in the time that the suites leave.
fn lints(say: &mut dyn FnMut(&str)) -> Result<Said> {
    let lints = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    passes(&mut shell::cargo_behind(&lints), say)
}

fn documents(say: &mut dyn FnMut(&str)) -> Result<Said> {
    let documents = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ];
    passes(
        shell::cargo_behind(&documents).env("RUSTDOCFLAGS", "-D warnings"),
        say,
    )
}

/// There may be none: then nothing fails either.
fn examples(say: &mut dyn FnMut(&str)) -> Result<Said> {
    passes(
        &mut shell::cargo_behind(&["test", "--workspace", "--doc", "--locked"]),
        say,
    )
}

fn passes(command: &mut Command, say: &mut dyn FnMut(&str)) -> Result<Said> {
    ensure!(shell::stream(command, say)?, "it found something");
    Ok(Said::passed())
}

/// A part that ran beside others, and is told of behind them.
struct Beside {
    name: &'static str,
    said: Vec<String>,
    seconds: f64,
    ended: Result<Said>,
}

impl Beside {
    fn of(name: &'static str, work: impl FnOnce(&mut dyn FnMut(&str)) -> Result<Said>) -> Self {
        let (watch, mut said) = (Watch::start(), Vec::new());
        let ended = work(&mut |line| said.push(line.to_owned()));
        Self {
            name,
            said,
            seconds: watch.seconds(),
            ended,
        }
    }

    fn told(self) -> Result<Said> {
        for line in &self.said {
            println!("{line}");
        }
        println!("took {:.1} s beside the suites", self.seconds);
        self.ended
    }
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
        self.suite(name, || work().map(|()| Said::passed()));
    }

    /// A part that counts by itself.
    fn suite(&mut self, name: &str, work: impl FnOnce() -> Result<Said>) {
        println!("\n== {name}");
        let watch = Watch::start();
        let mut said = work().unwrap_or_else(|cause| {
            eprintln!("{cause:#}");
            Said::broken_off(&cause)
        });
        for program in said.slowest() {
            println!("{program}");
        }
        let tally = said.tally;
        println!("== {name}: {tally} ({:.1} s)", watch.seconds());
        if !tally.is_whole() {
            self.failures.extend_from_slice(said.failures());
            self.failures.push(format!("FAILED {name}: {tally}"));
        }
        self.tally.add(tally);
    }

    /// The suite on either engine, side by side, and beside them what reads the code and then what a browser lives:
    /// suites wait more than they work. What the others say is shown behind the first.
    fn both_suites(&mut self) {
        let (say, said) = mpsc::channel::<String>();
        let (begun, goes) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            // A line that nobody shows any more is of a run that has broken off.
            let also = begun.clone();
            let second =
                scope.spawn(move || suites::on_postgres(&also, |line| drop(say.send(line.to_owned()))));
            let others = scope.spawn(move || {
                // Cargo builds for one command at a time: both suites have to be past it.
                (0..2).for_each(|_| {
                    goes.recv().ok();
                });
                [
                    Beside::of("lints", lints),
                    Beside::of("documents of the code", documents),
                    Beside::of("examples in the documents", examples),
                    Beside::of("suite in a browser", |say| suites::in_a_browser(say)),
                ]
            });
            self.suite("suite on SQLite", || {
                suites::on_sqlite(&begun, |line| println!("{line}"))
            });
            drop(begun);
            self.suite("suite on PostgreSQL, begun with the one on SQLite", || {
                for line in said {
                    println!("{line}");
                }
                second
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("the suite's thread broke off")))
            });
            match others.join() {
                Ok(parts) => parts.into_iter().for_each(|part| {
                    self.suite(part.name, || part.told());
                }),
                Err(_) => self.part("lints, documents and browser", || {
                    Err(anyhow!("their thread broke off"))
                }),
            }
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
            println!("{failure}");
        }
        println!("{}", self.tally);
        self.tally.is_whole()
    }
}
