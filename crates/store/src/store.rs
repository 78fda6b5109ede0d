//! The store: opening, writing, reading, closing.

use std::path::PathBuf;

use kernel::limits::Limits;
use kernel::{Actor, Digest, Problem, Tenant, World};

use crate::{Blobs, Migrations, Reader, StoreError, Tx};

/// Where the rows are.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A schema of a server.
    Postgres {
        /// `postgres://user@host/database`.
        url: String,
        /// The schema, created when it is not there: lower case letters, digits and `_`.
        schema: String,
    },
}

/// Which engine holds the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the rows are.
    pub database: Database,
    /// The folder for blobs, logs and the node's secret.
    pub folder: PathBuf,
    /// Bounds.
    pub limits: Limits,
    /// The node's name: the origin in checkpoints.
    pub node: String,
}

/// Rows, facts, outbox, logs and blobs of one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    _p: (),
}

impl Store {
    /// Opens a store: creates what is missing, migrates, opens the logs and repairs torn tails.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open(config: &StoreConfig, world: World, migrations: &[Migrations]) -> Result<Self, StoreError> {
        let _ = (config, world, migrations);
        unimplemented!()
    }
    /// Time and chance.
    #[must_use]
    pub fn world(&self) -> &World {
        unimplemented!()
    }
    /// Bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        unimplemented!()
    }
    /// Which engine holds the rows.
    #[must_use]
    pub fn engine(&self) -> Engine {
        unimplemented!()
    }
    /// One unit of change.
    ///
    /// # Errors
    /// The work's own refusal, or the store's.
    pub async fn write<T, F, Fut>(&self, tenant: &Tenant, actor: &Actor, work: F) -> Result<T, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        let _ = (tenant, actor, work);
        unimplemented!()
    }
    /// A read outside any write.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn read(&self, tenant: &Tenant) -> Result<Reader, Problem> {
        let _ = tenant;
        unimplemented!()
    }
    /// Files by hash.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        unimplemented!()
    }
    /// A salted digest of a personal key.
    #[must_use]
    pub fn digest(&self, tenant: &Tenant, text: &str) -> Digest {
        let _ = (tenant, text);
        unimplemented!()
    }
    /// Drains and closes.
    pub async fn close(&self) {
        unimplemented!()
    }
}
