//! SQLite: one writer connection, a pool of readers, and commits shared by all writes that wait.
//! Never lets one refused, failed or abandoned write touch its neighbours in the transaction.
//!
//! A write takes the writer's lock (first come, first served). When no transaction is open it
//! begins one and starts a committer, which queues for the same lock behind the writes already
//! waiting; those join the transaction, a savepoint each, and all return after the one flush.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::Problem;
use kernel::limits::Limits;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use tokio::sync::{Mutex, watch};

use super::{Commits, WAIT, run};
use crate::error::{problem, unavailable};
use crate::tx::{Scope, Tx};
use crate::{Engine, StoreError};

/// Connections for reads.
const READERS: u32 = 6;
/// Pages that the writer keeps in memory at most, as the pragma says it: 64 MiB.
const WRITER_CACHE: &str = "-65536";
/// Pages that a reader keeps at most: 2 MiB, what SQLite itself would take.
const READER_CACHE: &str = "-2048";
/// Statements each connection keeps ready.
const STATEMENTS: usize = 400;

/// An open SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    readers: DatabaseConnection,
    writer: Arc<Mutex<Writer>>,
    commits: Commits,
    writes_max: usize,
    work_ms_max: u64,
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    /// `None` after a failed commit (connect again) or after closing.
    connection: Option<DatabaseConnection>,
    closed: bool,
    batch: Option<Batch>,
    batches: u64,
    /// The write whose savepoint is open; still here at the next lock when it was abandoned.
    unfinished: Option<Tx>,
    commits: Commits,
}

/// The writes that share one commit.
#[derive(Debug)]
struct Batch {
    number: u64,
    transaction: Arc<DatabaseTransaction>,
    writes: usize,
    done: watch::Sender<Option<Result<(), Problem>>>,
}

impl Sqlite {
    pub(crate) async fn open(path: &Path, limits: &Limits) -> Result<Self, StoreError> {
        let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
        // The writer comes first: it creates the file and sets the journal's mode.
        let connection = connect(path, true).await.map_err(bad)?;
        let readers = connect(path, false).await.map_err(bad)?;
        let commits = Commits::new();
        let writer = Writer {
            path: path.to_owned(),
            connection: Some(connection),
            closed: false,
            batch: None,
            batches: 0,
            unfinished: None,
            commits: commits.clone(),
        };
        Ok(Self {
            readers,
            writer: Arc::new(Mutex::new(writer)),
            commits,
            writes_max: limits.batch_records_max.max(1),
            work_ms_max: limits.request_ms_max,
        })
    }

    /// Deletes the file and what stands beside it.
    pub(crate) fn destroy(path: &Path) -> Result<(), StoreError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            let file = PathBuf::from(file);
            match std::fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::Folder(file, e));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One connection beside those of a node that may run: for reading a file as it is. The file's
    /// journal is left as it is found.
    pub(crate) async fn plain(path: &Path) -> Result<DatabaseConnection, sea_orm::DbErr> {
        let mut options = super::options(format!("sqlite://{}?mode=rw", path.display()), 1);
        let file = path.to_owned();
        options.map_sqlx_sqlite_opts(move |options| options.filename(&file).busy_timeout(WAIT));
        sea_orm::Database::connect(options).await
    }

    pub(crate) const fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// The writer's connection, for migrations.
    pub(crate) async fn schema(&self) -> Result<DatabaseConnection, Problem> {
        self.writer
            .lock()
            .await
            .connection
            .clone()
            .ok_or_else(|| unavailable("the store is closed"))
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
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        writer.drop_unfinished().await;
        let (transaction, mut done) = writer.join(&self.writer).await?;
        let tx = Tx::new(scope, Engine::Sqlite, Arc::clone(&transaction));
        writer.unfinished = Some(tx.clone());
        transaction
            .execute_unprepared("savepoint one_write")
            .await
            .map_err(|e| problem(&e, "savepoint"))?;
        drop(transaction);

        let (result, ended) = run(work, &tx, self.work_ms_max).await;
        let Some(transaction) = ended.transaction else {
            return Err(Problem::internal("a write ended twice"));
        };
        let value = match result {
            Ok(value) => value,
            Err(refused) => {
                writer.roll_back(&transaction).await;
                return Err(refused);
            }
        };
        if let Err(e) = transaction.execute_unprepared("release one_write").await {
            let told = problem(&e, "release");
            writer.roll_back(&transaction).await;
            return Err(told);
        }
        drop(transaction);
        writer.unfinished = None;
        metrics::counter!("sen_store_writes_total").increment(1);
        if writer.counted() >= self.writes_max {
            let number = writer.batches;
            tokio::spawn(async move { writer.commit(number).await });
        } else {
            drop(writer);
        }
        let told = done.wait_for(Option::is_some).await.map(|told| told.clone());
        match told {
            Ok(Some(Ok(()))) => Ok(value),
            Ok(Some(Err(problem))) => Err(problem),
            Ok(None) | Err(_) => Err(unavailable("the commit was abandoned")),
        }
    }

    pub(crate) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        writer.drop_unfinished().await;
        let number = writer.batches;
        writer.commit(number).await;
        writer.closed = true;
        if let Some(connection) = writer.connection.take() {
            // A checkpoint that cannot be made now is made at the next opening.
            if let Err(error) = connection
                .execute_unprepared("pragma wal_checkpoint(truncate)")
                .await
            {
                tracing::warn!(%error, "the write-ahead log was not checkpointed");
            }
            drop(connection.close().await);
        }
        drop(self.readers.close_by_ref().await);
    }
}

impl Writer {
    /// The open transaction, or a new one with its committer.
    async fn join(
        &mut self,
        lock: &Arc<Mutex<Self>>,
    ) -> Result<
        (
            Arc<DatabaseTransaction>,
            watch::Receiver<Option<Result<(), Problem>>>,
        ),
        Problem,
    > {
        if let Some(batch) = &self.batch {
            return Ok((Arc::clone(&batch.transaction), batch.done.subscribe()));
        }
        if self.closed {
            return Err(unavailable("the store is closed"));
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path, true)
                .await
                .map_err(|e| problem(&e, "connect"))?,
        };
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        // On an error the connection is dropped with whatever state it is in.
        let transaction = connection
            .begin_with_options(immediate)
            .await
            .map_err(|e| problem(&e, "begin"))?;
        self.connection = Some(connection);
        self.batches += 1;
        let (number, transaction) = (self.batches, Arc::new(transaction));
        let (sender, receiver) = watch::channel(None);
        self.batch = Some(Batch {
            number,
            transaction: Arc::clone(&transaction),
            writes: 0,
            done: sender,
        });
        let lock = Arc::clone(lock);
        tokio::spawn(async move {
            let mut writer = lock.lock_owned().await;
            writer.drop_unfinished().await;
            writer.commit(number).await;
        });
        Ok((transaction, receiver))
    }

    /// Counts a write of the open transaction.
    fn counted(&mut self) -> usize {
        self.batch.as_mut().map_or(0, |batch| {
            batch.writes += 1;
            batch.writes
        })
    }

    /// Undoes what a write left whose caller went away half-way.
    async fn drop_unfinished(&mut self) {
        if let Some(tx) = self.unfinished.clone() {
            drop(tx.end().await.transaction);
            if let Some(transaction) = self.batch.as_ref().map(|batch| Arc::clone(&batch.transaction)) {
                self.roll_back(&transaction).await;
            }
            self.unfinished = None;
        }
    }

    /// Undoes the write whose savepoint is open. When even that fails the engine has dropped the
    /// whole transaction (a full disk may do that), and every write in it is told so.
    async fn roll_back(&mut self, transaction: &DatabaseTransaction) {
        self.unfinished = None;
        let undone = transaction
            .execute_unprepared("rollback to one_write; release one_write")
            .await;
        if let Err(error) = undone {
            let told = problem(&error, "rollback");
            if let Some(batch) = self.batch.take() {
                batch.done.send_replace(Some(Err(told)));
            }
            self.disconnect();
        }
    }

    /// Commits a batch, unless it has been committed before.
    async fn commit(&mut self, number: u64) {
        let Some(batch) = self.batch.take_if(|batch| batch.number == number) else {
            return;
        };
        let told = match Arc::into_inner(batch.transaction) {
            Some(transaction) => {
                crate::fault::at("commit-before");
                transaction.commit().await.map_err(|e| problem(&e, "commit"))
            }
            None => Err(Problem::internal("a transaction was kept past its write")),
        };
        match &told {
            Ok(()) if batch.writes > 0 => {
                crate::fault::at("commit-after");
                self.commits.note();
            }
            Ok(()) => {}
            Err(problem) => {
                tracing::error!(%problem, writes = batch.writes, "a commit failed");
                self.disconnect();
            }
        }
        batch.done.send_replace(Some(told));
    }

    /// Gives the connection up: its transaction's state is not known any more.
    fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::spawn(async move { drop(connection.close().await) });
        }
    }
}

async fn connect(path: &Path, writer: bool) -> Result<DatabaseConnection, sea_orm::DbErr> {
    let url = format!(
        "sqlite://{}?mode={}",
        path.display(),
        if writer { "rwc" } else { "rw" }
    );
    let mut options = super::options(url, if writer { 1 } else { READERS });
    let file = path.to_owned();
    options.map_sqlx_sqlite_opts(move |options| {
        options
            .filename(&file)
            .busy_timeout(WAIT)
            .foreign_keys(true)
            .statement_cache_capacity(STATEMENTS)
            .pragma("journal_mode", "wal")
            // NORMAL would lose acknowledged rows in a power cut.
            .pragma("synchronous", "full")
            // A bulk load touches many leaves of every index in one transaction: with SQLite's own 2 MB
            // the same ones are written out again and again before the commit.
            .pragma("cache_size", if writer { WRITER_CACHE } else { READER_CACHE })
            .pragma("query_only", if writer { "off" } else { "on" })
    });
    // The writer's one connection holds an open transaction: the pool must never replace it.
    options.idle_timeout(None).max_lifetime(None);
    sea_orm::Database::connect(options).await
}
