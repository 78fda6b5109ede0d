//! Append-only record logs with Merkle roots (RFC 6962), in files or in rows behind one trait with
//! the same record bytes. Never takes a record back, and never answers before the flush; what is archived
//! may leave from the front, and the tree over it stays.

pub(crate) mod before;
pub mod beside;
pub mod checkpoint;
pub mod export;
pub mod files;
pub(crate) mod frame;
pub(crate) mod lock;
mod queue;
mod report;
mod rows;
pub(crate) mod scan;
mod tree;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Digest, Kind, Problem};
use tokio::sync::Mutex;

use crate::{Engine, Store, StoreError};

/// An append-only log of records with Merkle roots. Records are never empty.
#[async_trait]
pub trait RecordLog: Send + Sync {
    /// Appends records in order and gives the first one's position, after the flush; many callers
    /// share one flush. All of a call's records stand together, or none does.
    ///
    /// # Errors
    /// Full `no-room`, Unavailable `store-unavailable`, TooLarge `record-too-large`.
    async fn append(&self, records: Vec<Vec<u8>>) -> Result<u64, Problem>;

    /// As [`RecordLog::append`], but only when the first record would stand at position `at`: for
    /// a writer that derives the log from something else and must append nothing twice.
    ///
    /// # Errors
    /// Conflict `stale` when the log ends elsewhere; as [`RecordLog::append`].
    async fn append_at(&self, at: u64, records: Vec<Vec<u8>>) -> Result<(), Problem>;

    /// Records with their positions from a position, at most `limit` of them, checked.
    ///
    /// # Errors
    /// Internal `log-damaged`, with the position in the cause; not found `log-archived` in front of
    /// [`RecordLog::first`].
    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem>;

    /// How many records there are, those that have left counted: the position of the next one.
    async fn len(&self) -> u64;

    /// The position of the first record that is there: 0 until some have left.
    async fn first(&self) -> u64;

    /// Takes everything in front of a position off the log for good; the tree over it stays. The position
    /// is one that [`Store::forget`] has found under a signed root. A crash leaves one state or the other.
    ///
    /// # Errors
    /// Not found, when the log has not so many; Full, Unavailable.
    async fn forget(&self, to: u64) -> Result<(), Problem>;

    /// True when there is no record.
    async fn is_empty(&self) -> bool {
        self.len().await == 0
    }

    /// The Merkle root over the first `size` records.
    ///
    /// # Errors
    /// Not found, when there are not so many; as [`RecordLog::read`].
    async fn root(&self, size: u64) -> Result<Digest, Problem>;

    /// The audit path of the record at `index` in the tree of `size`; of one that has left the archive has
    /// it.
    ///
    /// # Errors
    /// As [`RecordLog::root`].
    async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, Problem>;

    /// The proof that the tree of `old` records is the beginning of that of `new`.
    ///
    /// # Errors
    /// As [`RecordLog::root`].
    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Problem>;
}

/// The logs that are open.
pub(crate) struct Logs {
    folder: PathBuf,
    open: Mutex<HashMap<String, Arc<dyn RecordLog>>>,
}

impl Logs {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// A log's folder: its segments when they are files, its checkpoints always.
    pub(crate) fn folder(&self, stream: &str) -> PathBuf {
        self.folder.join(stream)
    }
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logs({})", self.folder.display())
    }
}

impl Store {
    /// A log by name (`facts`, `evidence-0`), made when it is not there: segment files when the
    /// rows are embedded, rows when they are a server's.
    ///
    /// # Errors
    /// Internal `log-damaged`; Unavailable.
    pub async fn log(&self, stream: &str) -> Result<Arc<dyn RecordLog>, Problem> {
        Ok(self.open_log(stream).await?)
    }

    /// Takes everything in front of a position off a log: only where the node has signed the root over just
    /// that, so that what stays is tied to what left. Whether it may leave is the caller's to know.
    ///
    /// # Errors
    /// Conflict `log-unsigned` when no such root was signed; as [`RecordLog::forget`].
    pub async fn forget(&self, stream: &str, to: u64) -> Result<(), Problem> {
        let log = self.log(stream).await?;
        if to <= log.first().await {
            // What a crash cut short is brought to its end.
            return log.forget(to).await;
        }
        self.signed_at(stream, to).await?;
        log.forget(to).await
    }

    /// Whether the node has signed the root over just so many records of a log.
    ///
    /// # Errors
    /// Conflict `log-unsigned` when it has not; as [`RecordLog::root`].
    pub async fn signed_at(&self, stream: &str, to: u64) -> Result<(), Problem> {
        let root = self.log(stream).await?.root(to).await?;
        let dir = self.inner.logs.folder(stream);
        let signed = tokio::task::spawn_blocking(move || checkpoint::read(&dir)).await;
        let signed = signed.map_err(Problem::internal)?;
        if !signed.iter().any(|said| said.size == to && said.root == root) {
            return Err(Problem::new(Kind::Conflict, "log-unsigned").with("position", to));
        }
        Ok(())
    }

    pub(crate) async fn open_log(&self, stream: &str) -> Result<Arc<dyn RecordLog>, StoreError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if stream.is_empty() || stream.len() > 60 || !stream.chars().all(plain) {
            return Err(StoreError::Config(format!(
                "{stream:?} is not a log's name: a-z, 0-9 and - only"
            )));
        }
        let logs = &self.inner.logs;
        let mut open = logs.open.lock().await;
        if let Some(log) = open.get(stream) {
            return Ok(Arc::clone(log));
        }
        let (name, dir, limits) = (stream.to_owned(), logs.folder(stream), self.limits().clone());
        let log: Arc<dyn RecordLog> = match self.engine() {
            Engine::Sqlite => {
                let opened =
                    tokio::task::spawn_blocking(move || files::Files::open(&name, &dir, &limits)).await;
                Arc::new(opened.map_err(|e| StoreError::Database(e.to_string()))??)
            }
            Engine::Postgres => {
                let (db, world) = (Arc::clone(&self.inner.db), self.world().clone());
                Arc::new(rows::Rows::open(stream, db, world, &limits).await?)
            }
        };
        open.insert(stream.to_owned(), Arc::clone(&log));
        Ok(log)
    }
}

/// A record was asked for that has left the log.
pub(crate) fn archived(stream: &str, first: u64) -> Problem {
    Problem::new(Kind::NotFound, "log-archived")
        .with("first", first)
        .because(format_args!(
            "log {stream} begins at {first}: what was in front of it is archived"
        ))
}

/// Refuses records no log can hold.
fn check_sizes(records: &[Vec<u8>]) -> Result<(), Problem> {
    if records.iter().any(Vec::is_empty) {
        return Err(Problem::internal("an empty record"));
    }
    if records
        .iter()
        .any(|record| record.len() > frame::RECORD_BYTES_MAX)
    {
        return Err(
            Problem::new(Kind::TooLarge, "record-too-large").with("bytes_max", frame::RECORD_BYTES_MAX)
        );
    }
    Ok(())
}
