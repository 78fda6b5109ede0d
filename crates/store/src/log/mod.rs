//! Append-only record logs with Merkle roots (RFC 6962), in files or in rows behind one trait with
//! the same record bytes. Never takes a record back, and never answers before the flush.

pub mod beside;
pub mod checkpoint;
pub mod export;
pub mod files;
pub(crate) mod frame;
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
    /// Internal `log-damaged`, with the position in the cause.
    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem>;

    /// How many records there are.
    async fn len(&self) -> u64;

    /// True when there is no record.
    async fn is_empty(&self) -> bool {
        self.len().await == 0
    }

    /// The Merkle root over the first `size` records.
    ///
    /// # Errors
    /// Not found, when there are not so many; as [`RecordLog::read`].
    async fn root(&self, size: u64) -> Result<Digest, Problem>;

    /// The audit path of the record at `index` in the tree of `size`.
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
