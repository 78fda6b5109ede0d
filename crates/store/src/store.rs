//! The store: opening, writing, reading, closing. Never knows what is written.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::limits::Limits;
use kernel::{Actor, Digest, Problem, Tenant, World};
use sea_orm::DbBackend;

use crate::engine::Db;
use crate::facts::Sealer;
use crate::log::Logs;
use crate::secret::Secret;
use crate::tx::Scope;
use crate::{Blobs, Bodies, Migrations, Reader, StoreError, Tx};

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

impl Database {
    /// Deletes the database with everything in it: the file, or the schema after ending every
    /// connection to it. For tests and fresh starts.
    ///
    /// # Errors
    /// When the server cannot be reached or a file cannot be deleted.
    pub async fn destroy(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(path) => crate::engine::Sqlite::destroy(path),
            Self::Postgres { url, schema } => crate::engine::Postgres::destroy(url, schema).await,
        }
    }
}

/// Which engine holds the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    pub(crate) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }
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
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: StoreConfig,
    pub(crate) world: World,
    pub(crate) db: Arc<Db>,
    pub(crate) blobs: Blobs,
    pub(crate) bodies: Bodies,
    pub(crate) logs: Logs,
    pub(crate) sealer: Sealer,
    secret: Secret,
}

/// The tenant of the node's own rows (followers' positions, the platform's jobs): no
/// organisation has this code.
#[must_use]
pub fn node_tenant() -> Tenant {
    "A00".parse().expect("A00 has the form of an organisation's code")
}

impl Store {
    /// Opens a store: creates what is missing, migrates (this crate's tables first, then the given
    /// crates in their order), opens the logs, repairs torn tails and starts the sealer.
    ///
    /// # Errors
    /// See [`StoreError`]; a damaged log is named with its position.
    pub async fn open(
        config: &StoreConfig,
        world: World,
        migrations: &[Migrations],
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&config.folder).map_err(|e| StoreError::Folder(config.folder.clone(), e))?;
        let secret = Secret::open(&config.folder, &world)?;
        let blobs = Blobs::open(&config.folder.join("blobs"))?;
        let db = Arc::new(Db::open(&config.database, &config.limits).await?);
        crate::migrate::run(&db, migrations, world.now()).await?;
        let logs = Logs::new(config.folder.join("logs"));
        let bodies = Bodies::open(&config.folder, &secret, Arc::clone(&db), &world, &config.limits);
        let inner = Inner {
            config: config.clone(),
            world,
            db,
            blobs,
            bodies,
            logs,
            sealer: Sealer::new(),
            secret,
        };
        let store = Self {
            inner: Arc::new(inner),
        };
        store.open_facts().await?;
        Ok(store)
    }

    /// Time and chance.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.inner.world
    }

    /// Bounds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.config.limits
    }

    /// Which engine holds the rows.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.inner.db.engine()
    }

    /// One unit of change: rows, facts and outbox lines, all or nothing; returns after the durable
    /// commit, or at once when the work refuses. `work` may be run again (it raced with another
    /// write), so it must be re-runnable, do no I/O of its own and begin no other write.
    ///
    /// # Errors
    /// The work's own refusal; Conflict `already-there`, Full `no-room`, Unavailable
    /// `store-unavailable` from its statements or the commit.
    pub async fn write<T, F, Fut>(&self, tenant: &Tenant, actor: &Actor, work: F) -> Result<T, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        let scope = Scope {
            tenant,
            actor,
            world: &self.inner.world,
        };
        self.inner.db.write(scope, &work).await
    }

    /// A read outside any write; sees committed rows only.
    ///
    /// # Errors
    /// None today; Unavailable is kept for engines that must ask a server first.
    pub async fn read(&self, tenant: &Tenant) -> Result<Reader, Problem> {
        Ok(self.reader(tenant))
    }

    pub(crate) fn reader(&self, tenant: &Tenant) -> Reader {
        let db = &self.inner.db;
        Reader {
            tenant: tenant.clone(),
            engine: db.engine(),
            connection: db.readers().clone(),
        }
    }

    /// Where the files are: blobs, logs, the secret.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.inner.config.folder
    }

    /// Files by hash.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Bodies kept encrypted for a term.
    #[must_use]
    pub fn bodies(&self) -> &Bodies {
        &self.inner.bodies
    }

    /// A salted digest of a personal key, for facts and indexes: HMAC-SHA-256 with the node's
    /// secret, another value for each tenant.
    #[must_use]
    pub fn digest(&self, tenant: &Tenant, text: &str) -> Digest {
        self.inner.secret.digest(tenant, text)
    }

    /// How many commits there have been since the opening; many writes share one.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.db.commits().count()
    }

    /// Waits for the open commit, seals what is committed and closes the database. Writes and
    /// reads afterwards are Unavailable.
    pub async fn close(&self) {
        self.inner.sealer.stop();
        if let Err(problem) = self.seal_facts_now().await {
            tracing::warn!(%problem, "facts are left to be sealed at the next opening");
        }
        self.inner.db.close().await;
    }
}
