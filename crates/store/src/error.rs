//! Why a store did not open, and how a driver's error becomes a problem. Never shows a driver's
//! text to the outside: it goes into the problem's cause, which is for the log.

use kernel::{Kind, Problem};
use sea_orm::{DbErr, RuntimeErr};

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or opened.
    #[error("the database does not open: {0}")]
    Database(String),
    /// A folder or file cannot be read or written.
    #[error("{0}: {1}")]
    Folder(std::path::PathBuf, #[source] std::io::Error),
    /// A migration that was applied before has another text now.
    #[error("migration {crate_name}/{file} was changed after it was applied")]
    MigrationChanged {
        /// The crate whose migration it is.
        crate_name: String,
        /// The migration's name.
        file: String,
    },
    /// A migration failed.
    #[error("migration {crate_name}/{file} failed: {why}")]
    MigrationFailed {
        /// The crate whose migration it is.
        crate_name: String,
        /// The migration's name.
        file: String,
        /// The database's words.
        why: String,
    },
    /// A log is damaged at a position; it must be looked at before anything is written.
    #[error("log {stream} is damaged at position {position}: {why}")]
    DamagedLog {
        /// The log's name.
        stream: String,
        /// The first bad record.
        position: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The configuration names something that cannot be, e.g. a schema with a quote in its name.
    #[error("{0}")]
    Config(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DamagedLog { .. } => Self::new(Kind::Internal, "log-damaged").because(error),
            other => unavailable(other),
        }
    }
}

/// What a failed statement means for the write it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A racing write came first: the same work may succeed when run again.
    Raced,
    /// The key is already there.
    Duplicate,
    /// No room left.
    Full,
    /// The database cannot be reached, is locked or is shutting down.
    Away,
    /// The statement or the schema is wrong.
    Ours,
}

/// What a driver's error means.
pub(crate) fn fault(error: &DbErr) -> Fault {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Fault::Away,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => {
            use sea_orm::sqlx::Error;
            match e.as_ref() {
                Error::Database(e) => {
                    let code = e.code().unwrap_or_default();
                    // Two writes took the same next number of a chain, a counter or a log's place.
                    let numbered = e.constraint().is_some_and(|name| name.starts_with("store_"));
                    if numbered && e.constraint() != Some("store_log_pkey") {
                        return Fault::Raced;
                    }
                    // PostgreSQL's codes have five characters, SQLite's are numbers.
                    if code.len() == 5 {
                        postgres_fault(&code)
                    } else {
                        sqlite_fault(&code)
                    }
                }
                Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => Fault::Away,
                _ => Fault::Ours,
            }
        }
        _ => Fault::Ours,
    }
}

/// SQLSTATE, PostgreSQL 15 appendix A.
fn postgres_fault(code: &str) -> Fault {
    match code {
        "40001" | "40P01" | "55P03" => Fault::Raced,
        "23505" => Fault::Duplicate,
        "53100" | "53200" => Fault::Full,
        _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => Fault::Away,
        _ => Fault::Ours,
    }
}

/// SQLite's extended result codes; the low byte is the primary code.
fn sqlite_fault(code: &str) -> Fault {
    let code: i64 = code.parse().unwrap_or_default();
    match (code, code & 0xff) {
        (1555 | 2067 | 2579, _) => Fault::Duplicate,
        (_, 5 | 6) => Fault::Away,
        // SQLITE_IOERR_SHMSIZE: the index of the write-ahead log cannot grow, which is a full disk too.
        (4874, _) | (_, 13) => Fault::Full,
        // I/O errors and a file that cannot be opened: the disk's matter, not the statement's.
        (_, 10 | 14) => Fault::Away,
        _ => Fault::Ours,
    }
}

/// The problem a driver's error is told as; `what` is the statement or step, for the log.
pub(crate) fn problem(error: &DbErr, what: &str) -> Problem {
    let cause = format!("{error} in: {what}");
    match fault(error) {
        Fault::Raced => Problem::new(Kind::Unavailable, "store-unavailable").because(cause),
        Fault::Duplicate => Problem::new(Kind::Conflict, "already-there").because(cause),
        Fault::Full => Problem::new(Kind::Full, "no-room").because(cause),
        Fault::Away => unavailable(cause),
        Fault::Ours => Problem::internal(cause),
    }
}

/// The store cannot be used now.
pub(crate) fn unavailable(cause: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Unavailable, "store-unavailable").because(cause)
}

/// The problem a file error is told as.
pub(crate) fn disk(error: &std::io::Error, what: &std::path::Path) -> Problem {
    use std::io::ErrorKind;
    let cause = format!("{error}: {}", what.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Problem::new(Kind::Full, "no-room").because(cause)
        }
        _ => unavailable(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_codes_mean_the_same_faults() {
        assert_eq!(
            (postgres_fault("23505"), sqlite_fault("1555")),
            (Fault::Duplicate, Fault::Duplicate)
        );
        assert_eq!(
            (postgres_fault("53100"), sqlite_fault("13")),
            (Fault::Full, Fault::Full)
        );
        assert_eq!(
            (postgres_fault("57P01"), sqlite_fault("5")),
            (Fault::Away, Fault::Away)
        );
        assert_eq!(
            (postgres_fault("40001"), postgres_fault("40P01")),
            (Fault::Raced, Fault::Raced)
        );
        assert_eq!(
            (postgres_fault("42601"), sqlite_fault("1")),
            (Fault::Ours, Fault::Ours)
        );
    }
}
