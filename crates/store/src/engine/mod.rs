//! The two engines behind one face. Never decides what is written: only how it gets to the disk.

mod postgres;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::limits::Limits;
use kernel::{Kind, Problem};
use sea_orm::{ConnectOptions, DatabaseConnection};
use tokio::sync::watch;

use crate::tx::{Ended, Scope, Tx};
use crate::{Database, Engine, StoreError};

pub(crate) use postgres::Postgres;
pub(crate) use sqlite::Sqlite;

/// How long a statement may wait for a connection or a lock.
const WAIT: Duration = Duration::from_secs(10);

/// An open database.
#[derive(Debug)]
pub(crate) enum Db {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// How many commits there have been, and a wake-up for those who follow them.
#[derive(Clone, Debug)]
pub(crate) struct Commits {
    count: Arc<AtomicU64>,
    seen: Arc<watch::Sender<u64>>,
}

impl Commits {
    fn new() -> Self {
        Self {
            count: Arc::default(),
            seen: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Counts a commit that carried some writes.
    fn note(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::counter!("sen_store_commits_total").increment(1);
        self.seen.send_replace(count);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }
}

tokio::task_local! {
    /// Set while work of a write runs: a write inside a write would wait for itself.
    static WRITING: ();
}

impl Db {
    pub(crate) async fn open(database: &Database, limits: &Limits) -> Result<Self, StoreError> {
        match database {
            Database::Sqlite(path) => Ok(Self::Sqlite(Sqlite::open(path, limits).await?)),
            Database::Postgres { url, schema } => {
                Ok(Self::Postgres(Postgres::open(url, schema, limits).await?))
            }
        }
    }

    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// A pool for reads.
    pub(crate) const fn readers(&self) -> &DatabaseConnection {
        match self {
            Self::Sqlite(db) => db.readers(),
            Self::Postgres(db) => db.readers(),
        }
    }

    /// A connection that may change the schema; used before anything else is.
    pub(crate) async fn schema(&self) -> Result<DatabaseConnection, Problem> {
        match self {
            Self::Sqlite(db) => db.schema().await,
            Self::Postgres(db) => Ok(db.pool().clone()),
        }
    }

    pub(crate) const fn commits(&self) -> &Commits {
        match self {
            Self::Sqlite(db) => db.commits(),
            Self::Postgres(db) => db.commits(),
        }
    }

    pub(crate) async fn write<T, F, Fut>(&self, scope: Scope<'_>, work: &F) -> Result<T, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        if WRITING.try_with(|()| ()).is_ok() {
            return Err(Problem::internal("a write was begun inside the work of another"));
        }
        match self {
            Self::Sqlite(db) => db.write(scope, work).await,
            Self::Postgres(db) => db.write(scope, work).await,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        }
    }
}

/// Runs the work of a write, for at most a request's time, and ends its handle.
async fn run<T, F, Fut>(work: &F, tx: &Tx, wait_ms_max: u64) -> (Result<T, Problem>, Ended)
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, Problem>> + Send,
    T: Send,
{
    let working = WRITING.scope((), work(tx.clone()));
    let result =
        match tokio::time::timeout(Duration::from_millis(wait_ms_max), working).await {
            Ok(result) => result,
            Err(_) => Err(Problem::new(Kind::Unavailable, "store-unavailable")
                .because("the work of a write took too long")),
        };
    let ended = tx.end().await;
    // Work that swallows a failed statement's problem has not done what it thinks it has.
    let result = match (&ended.failed, result) {
        (Some((_, problem)), Ok(_)) => Err(problem.clone()),
        (_, result) => result,
    };
    (result, ended)
}

/// What both engines' pools have in common.
fn options(url: String, connections_max: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections_max)
        .min_connections(0)
        .acquire_timeout(WAIT)
        .connect_timeout(WAIT)
        .test_before_acquire(false)
        // A statement's parameters may be personal: they never go to a log.
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}
