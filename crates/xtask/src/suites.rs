//! The workspace's tests, once on each storage engine. Every crate is named at once (`--workspace`), so
//! that nothing is built twice with other features.

use anyhow::Result;

use crate::postgres::Server;
use crate::shell;
use crate::tally::Tally;

/// The variable that tells the tests which server to use; without it they use SQLite.
const POSTGRES: &str = "SEN_TEST_POSTGRES";

/// On SQLite, every line as it comes.
pub(crate) fn on_sqlite(say: impl FnMut(&str)) -> Result<Tally> {
    tests(None, say)
}

/// On a PostgreSQL server of its own, every line as it comes.
pub(crate) fn on_postgres(say: impl FnMut(&str)) -> Result<Tally> {
    let server = Server::start()?;
    tests(Some(&server.url()), say)
}

fn tests(postgres: Option<&str>, mut say: impl FnMut(&str)) -> Result<Tally> {
    let mut command = shell::cargo(&["test", "--workspace", "--no-fail-fast", "--locked"]);
    match postgres {
        Some(url) => command.env(POSTGRES, url),
        None => command.env_remove(POSTGRES),
    };
    let mut tally = Tally::default();
    let ended_well = shell::stream(&mut command, |line| {
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
