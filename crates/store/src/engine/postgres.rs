//! PostgreSQL: a transaction for each write at repeatable read, run again when it raced with
//! another. Never shares a transaction between writes: the server groups flushes itself.

use std::sync::Arc;
use std::time::Duration;

use kernel::limits::Limits;
use kernel::{Kind, Problem};
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};
use tokio::sync::{Mutex, RwLock};

use super::{Commits, run};
use crate::error::{Fault, fault, problem};
use crate::tx::{Scope, Tx, statement};
use crate::{Engine, StoreError};

/// Connections one node holds for writes, and as many for reads.
const CONNECTIONS: u32 = 12;
/// Statements each connection keeps ready.
const STATEMENTS: usize = 400;
/// How often a write is tried that races with others.
const TRIES: u32 = 8;
/// From which try on a write waits until no other of this node is under way and none begins: however many
/// race for one row, each is written.
const ALONE: u32 = 4;

/// An open schema of a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// For writes alone: a read never waits for a write that waits for a read.
    pool: DatabaseConnection,
    readers: DatabaseConnection,
    commits: Commits,
    /// Writes that raced wait here for one another instead of racing again.
    second_tries: Mutex<()>,
    /// Shared by the writes that are under way; held whole by one that runs alone.
    turns: RwLock<()>,
    work_ms_max: u64,
}

impl Postgres {
    pub(crate) async fn open(url: &str, schema: &str, limits: &Limits) -> Result<Self, StoreError> {
        let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
        let options = connect_options(url, schema)?;
        let pool = sea_orm::Database::connect(options).await.map_err(bad)?;
        // The one statement with a name in it, which was checked above: names cannot be parameters.
        let create = format!("create schema if not exists {schema}");
        pool.execute_unprepared(&create).await.map_err(bad)?;
        let readers = sea_orm::Database::connect(connect_options(url, schema)?)
            .await
            .map_err(bad)?;
        Ok(Self {
            pool,
            readers,
            commits: Commits::new(),
            second_tries: Mutex::new(()),
            turns: RwLock::new(()),
            work_ms_max: limits.request_ms_max,
        })
    }

    /// Ends every connection to a schema and deletes it.
    pub(crate) async fn destroy(url: &str, schema: &str) -> Result<(), StoreError> {
        let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
        let mut options = connect_options(url, schema)?;
        options.max_connections(1).set_application_name("sen");
        let connection = sea_orm::Database::connect(options).await.map_err(bad)?;
        let others = "select count(pg_terminate_backend(pid)) as ended from pg_stat_activity where application_name = $1";
        let others = statement(Engine::Postgres, others, crate::params![schema]);
        connection.query_one_raw(others).await.map_err(bad)?;
        // The name was checked by `connect_options`.
        connection
            .execute_unprepared(&format!("drop schema if exists {schema} cascade"))
            .await
            .map_err(bad)?;
        connection.close().await.map_err(bad)
    }

    /// One connection beside those of a node that may run: for reading; nothing is made.
    pub(crate) async fn plain(url: &str, schema: &str) -> Result<DatabaseConnection, StoreError> {
        let mut options = connect_options(url, schema)?;
        options.max_connections(1);
        sea_orm::Database::connect(options)
            .await
            .map_err(|e| StoreError::Database(e.to_string()))
    }

    pub(crate) const fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    pub(crate) const fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    pub(crate) const fn commits(&self) -> &Commits {
        &self.commits
    }

    pub(crate) async fn write<T, F, Fut>(&self, scope: Scope<'_>, work: &F) -> Result<T, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        let mut lane = None;
        let mut duplicates = 0;
        for tried in 1.. {
            let tried_now = if tried < ALONE {
                let _turn = self.turns.read().await;
                self.attempt(scope, work).await
            } else {
                let _all_turns = self.turns.write().await;
                self.attempt(scope, work).await
            };
            let (fault, told) = match tried_now {
                Ok(value) => return Ok(value),
                Err(refused) => refused,
            };
            duplicates += u32::from(fault == Some(Fault::Duplicate));
            // A key that was not there in this write's view may be there in a fresh one: then the
            // work sees it and takes its own way, as it would have on the embedded engine.
            let again = match fault {
                Some(Fault::Raced) => tried < TRIES,
                Some(Fault::Duplicate) => duplicates < 2,
                _ => false,
            };
            if !again {
                return Err(told);
            }
            metrics::counter!("sen_store_retries_total").increment(1);
            if lane.is_none() {
                lane = Some(self.second_tries.lock().await);
            } else {
                let [chance] = scope.world.random::<1>();
                tokio::time::sleep(Duration::from_millis(1 + u64::from(chance) % (2 << tried))).await;
            }
        }
        Err(Problem::new(Kind::Unavailable, "store-unavailable"))
    }

    async fn attempt<T, F, Fut>(&self, scope: Scope<'_>, work: &F) -> Result<T, (Option<Fault>, Problem)>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        let failed = |e: sea_orm::DbErr, what| (Some(fault(&e)), problem(&e, what));
        let transaction = Arc::new(self.pool.begin().await.map_err(|e| failed(e, "begin"))?);
        let tx = Tx::new(scope, Engine::Postgres, transaction);
        let (result, ended) = run(work, &tx, self.work_ms_max).await;
        let transaction = ended.transaction.and_then(Arc::into_inner);
        let Some(transaction) = transaction else {
            return Err((None, Problem::internal("a transaction was kept past its write")));
        };
        match result {
            Ok(value) => {
                crate::fault::at("commit-before");
                transaction.commit().await.map_err(|e| failed(e, "commit"))?;
                crate::fault::at("commit-after");
                metrics::counter!("sen_store_writes_total").increment(1);
                self.commits.note();
                Ok(value)
            }
            Err(refused) => {
                // A rollback that fails leaves a broken connection, which the pool throws away.
                drop(transaction.rollback().await);
                Err((ended.failed.map(|(fault, _)| fault), refused))
            }
        }
    }

    pub(crate) async fn close(&self) {
        drop(self.pool.close_by_ref().await);
        drop(self.readers.close_by_ref().await);
    }
}

/// Connections to a schema; its name goes into statements as it is, so it is checked here.
fn connect_options(url: &str, schema: &str) -> Result<ConnectOptions, StoreError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if schema.is_empty() || schema.len() > 60 || !schema.chars().all(plain) {
        return Err(StoreError::Config(format!(
            "{schema:?} is not a schema's name: a-z, 0-9 and _ only"
        )));
    }
    let mut options = super::options(url.to_owned(), CONNECTIONS);
    options
        .set_schema_search_path(schema)
        .set_application_name(schema)
        .map_sqlx_postgres_opts(|options| {
            options
                .options([("default_transaction_isolation", "repeatable read")])
                .statement_cache_capacity(STATEMENTS)
        });
    Ok(options)
}
