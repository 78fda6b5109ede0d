//! The workspace's tests, once on each storage engine. Every crate is named at once (`--workspace`), so
//! that nothing is built twice with other features.

use std::sync::mpsc::Sender;

use anyhow::Result;

use crate::postgres::Server;
use crate::tally::Tally;
use crate::{programs, shell};

/// The variable that tells the tests which server to use; without it they use SQLite.
const POSTGRES: &str = "SEN_TEST_POSTGRES";

/// The variable that tells the tests which program they run; without it they build it themselves when it
/// is older than its sources.
const PROGRAM: &str = "SEN_TEST_PROGRAM";
/// What cargo prints before each program of tests, when all are built.
const BEGUN: &str = "Running ";

/// Builds the tests.
pub(crate) fn build() -> Result<()> {
    shell::run(&mut shell::cargo(&[
        "test",
        "--workspace",
        "--no-run",
        "--locked",
    ]))
}

/// On SQLite, every line as it comes; `begun` is told when the first test runs.
pub(crate) fn on_sqlite(begun: &Sender<()>, say: impl FnMut(&str)) -> Result<Tally> {
    tests(None, begun, say)
}

/// On a PostgreSQL server of its own, every line as it comes; `begun` is told when the first test runs.
pub(crate) fn on_postgres(begun: &Sender<()>, say: impl FnMut(&str)) -> Result<Tally> {
    let server = Server::start()?;
    tests(Some(&server.url()), begun, say)
}

fn tests(postgres: Option<&str>, begun: &Sender<()>, mut say: impl FnMut(&str)) -> Result<Tally> {
    let mut command = shell::cargo(&["test", "--workspace", "--no-fail-fast", "--locked"]);
    command.env(PROGRAM, programs::target()?.join("debug").join("sen"));
    match postgres {
        Some(url) => command.env(POSTGRES, url),
        None => command.env_remove(POSTGRES),
    };
    let mut tally = Tally::default();
    let mut waits = true;
    let ended_well = shell::stream(&mut command, |line| {
        if waits && line.trim_start().starts_with(BEGUN) {
            waits = false;
            begun.send(()).ok();
        }
        say(line);
        if let Some(more) = Tally::of_line(line) {
            tally.add(more);
        }
    })?;
    if tally == Tally::default() || (!ended_well && tally.is_whole()) {
        // Something did not build or broke off: no test said so, so we do.
        tally.add(Tally::FAILED);
    }
    Ok(tally)
}
