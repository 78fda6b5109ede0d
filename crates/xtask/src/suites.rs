//! The workspace's tests, once on each storage engine; the browser's stories on SQLite alone and beside the others,
//! as they take longest and the sweep opens every page on both. Every crate is named at once (`--workspace`), so that
//! nothing is built twice with other features.

use std::sync::mpsc::{self, Sender};

use anyhow::Result;

use crate::postgres::Server;
use crate::said::{BEGUN, Said};
use crate::tally::Tally;
use crate::{programs, shell};

/// The variable that tells the tests which server to use; without it they use SQLite.
const POSTGRES: &str = "SEN_TEST_POSTGRES";

/// The variable that tells the tests which program they run; without it they build it themselves when it
/// is older than its sources.
const PROGRAM: &str = "SEN_TEST_PROGRAM";

/// The program of the stories that a browser lives.
const BROWSER: &str = "browser";

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
pub(crate) fn on_sqlite(begun: &Sender<()>, say: impl FnMut(&str)) -> Result<Said> {
    tests(None, &all_but_the_browser()?, begun, say)
}

/// On a PostgreSQL server of its own, every line as it comes; `begun` is told when the first test runs.
pub(crate) fn on_postgres(begun: &Sender<()>, say: impl FnMut(&str)) -> Result<Said> {
    let server = Server::start_for_tests()?;
    tests(Some(&server.url()), &all_but_the_browser()?, begun, say)
}

/// What a browser lives, on SQLite.
pub(crate) fn in_a_browser(say: impl FnMut(&str)) -> Result<Said> {
    let which = ["--test", BROWSER].map(str::to_owned);
    tests(None, &which, &mpsc::channel().0, say)
}

fn all_but_the_browser() -> Result<Vec<String>> {
    let mut which = ["--lib", "--bins", "--examples"].map(str::to_owned).to_vec();
    for name in programs::test_targets()? {
        if name != BROWSER {
            which.extend(["--test".to_owned(), name]);
        }
    }
    Ok(which)
}

fn tests(
    postgres: Option<&str>,
    which: &[String],
    begun: &Sender<()>,
    mut say: impl FnMut(&str),
) -> Result<Said> {
    let mut command = shell::cargo(&["test", "--workspace", "--no-fail-fast", "--locked"]);
    command.args(which);
    command.env(PROGRAM, programs::target()?.join("debug").join("sen"));
    match postgres {
        Some(url) => command.env(POSTGRES, url),
        None => command.env_remove(POSTGRES),
    };
    let mut said = Said::default();
    let mut waits = true;
    let ended_well = shell::stream(&mut command, |line| {
        if waits && line.trim_start().starts_with(BEGUN) {
            waits = false;
            begun.send(()).ok();
        }
        say(line);
        said.hear(line);
    })?;
    if said.tally == Tally::default() || (!ended_well && said.tally.is_whole()) {
        // Something did not build or broke off: no test said so, so we do.
        said.tally.add(Tally::FAILED);
    }
    Ok(said)
}
