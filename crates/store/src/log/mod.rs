//! Append-only record logs with Merkle roots, in files or in rows.

pub mod files;

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Digest, Problem};

use crate::Store;

/// An append-only log of records with Merkle roots.
#[async_trait]
pub trait RecordLog: Send + Sync {
    /// Appends; returns after the flush.
    async fn append(&self, records: Vec<Vec<u8>>) -> Result<u64, Problem>;
    /// Records from a position.
    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem>;
    /// How many records there are.
    async fn len(&self) -> u64;
    /// The root over the first `size` records.
    async fn root(&self, size: u64) -> Result<Digest, Problem>;
    /// The audit path of a record.
    async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, Problem>;
    /// The proof that the log of `old` records is a prefix of that of `new`.
    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Problem>;
}

impl Store {
    /// A log by name.
    ///
    /// # Errors
    /// Damaged.
    pub async fn log(&self, stream: &str) -> Result<Arc<dyn RecordLog>, Problem> {
        let _ = stream;
        unimplemented!()
    }
}
