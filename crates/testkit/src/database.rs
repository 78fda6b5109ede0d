//! Temporary folders and stores, gone when dropped. Uses the PostgreSQL server of the environment's
//! `SEN_TEST_POSTGRES` when that is set, a SQLite file otherwise, so that every suite runs on both.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::World;
use kernel::limits::Limits;
use store::{Database, Migrations, Store, StoreConfig, StoreError};

use crate::ManualClock;

/// A folder that is removed when dropped.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// A new empty folder below the machine's folder for such things.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let name = format!("sen-test-{}", World::of_this_machine().id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self { path }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A leftover in the temporary folder is no reason to fail a test.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

/// A store for one test; its database and folder are gone when it is dropped.
#[derive(Debug)]
pub struct TempStore {
    /// The store.
    pub store: Store,
    /// Its world's clock, to be moved by hand.
    pub clock: Arc<ManualClock>,
    /// How it was opened.
    pub config: StoreConfig,
    /// Its folder.
    pub dir: TempDir,
    migrations: Vec<Migrations>,
    world: World,
}

/// A new store with some migrations, in a world of seed 1.
///
/// # Panics
/// When it cannot be opened.
pub async fn store(migrations: &[Migrations]) -> TempStore {
    store_with(migrations, Limits::default()).await
}

/// As [`fn@store`], with other limits than the usual.
///
/// # Panics
/// When it cannot be opened.
pub async fn store_with(migrations: &[Migrations], limits: Limits) -> TempStore {
    let dir = TempDir::new();
    let (world, clock) = crate::world(1);
    let database = match std::env::var("SEN_TEST_POSTGRES") {
        Ok(url) => Database::Postgres {
            url,
            schema: format!("t_{}", World::of_this_machine().id()),
        },
        Err(_) => Database::Sqlite(dir.path().join("sen.db")),
    };
    let config = StoreConfig {
        database,
        folder: dir.path().to_owned(),
        limits,
        node: "test".to_owned(),
    };
    let store = Store::open(&config, world.clone(), migrations)
        .await
        .expect("a new store opens");
    TempStore {
        store,
        clock,
        config,
        dir,
        migrations: migrations.to_vec(),
        world,
    }
}

impl TempStore {
    /// Opens the same database and folder again, as after a restart; the old store should be
    /// closed or of no more use.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn reopen(&mut self) -> Result<(), StoreError> {
        self.store = Store::open(&self.config, self.world.clone(), &self.migrations).await?;
        Ok(())
    }
}

impl Drop for TempStore {
    fn drop(&mut self) {
        let database = self.config.database.clone();
        if !matches!(database, Database::Postgres { .. }) {
            return;
        }
        // A runtime of its own: the test's may be the thread this runs on.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime
                .block_on(database.destroy())
                .map_err(std::io::Error::other)
        });
        if !matches!(cleaner.join(), Ok(Ok(()))) {
            eprintln!("a test's schema was left on the server");
        }
    }
}
