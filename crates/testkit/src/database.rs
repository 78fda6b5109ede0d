//! Temporary folders and stores, gone when dropped. Uses the PostgreSQL server of the environment's
//! `SEN_TEST_POSTGRES` when that is set, a SQLite file otherwise, so that every suite runs on both.

use std::path::{Path, PathBuf};

use store::{Database, Migrations, Store, StoreConfig};

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
        let name = format!("sen-test-{}", kernel::World::of_this_machine().id());
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

/// A store for one test.
#[derive(Debug)]
pub struct TempStore {
    /// The store.
    pub store: Store,
    /// The hand on its clock.
    pub clock: std::sync::Arc<ManualClock>,
    /// How it was opened, to open it again.
    pub config: StoreConfig,
    /// Its folder.
    pub dir: TempDir,
}

/// A new store with some migrations, in a world of seed 1.
///
/// # Panics
/// When it cannot be opened.
pub async fn store(migrations: &[Migrations]) -> TempStore {
    let dir = TempDir::new();
    let (world, clock) = crate::world(1);
    let config = StoreConfig {
        database: Database::Sqlite(dir.path().join("sen.db")),
        folder: dir.path().to_owned(),
        limits: kernel::limits::Limits::default(),
        node: "test".to_owned(),
    };
    let store = Store::open(&config, world, migrations).await.expect("a new store opens");
    TempStore { store, clock, config, dir }
}
