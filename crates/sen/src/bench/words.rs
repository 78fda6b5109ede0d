//! Words about cases that a portal takes by the national messages: how many a second, on a store of its own, flushed as
//! always. The exchange around it is measured by itself.

use std::path::Path;

use cases::national::measure;
use kernel::World;
use kernel::limits::Limits;
use store::{Database, Store, StoreConfig};

/// Tells a portal of so many cases, moves them for some seconds, and prints both rates as JSON.
///
/// # Errors
/// When the pack or the folder cannot be used, or a word is not taken.
pub async fn take(pack: &Path, folder: &Path, count: u32, seconds: u32, world: &World) -> anyhow::Result<()> {
    let config = StoreConfig {
        database: Database::Sqlite(folder.join("sen.db")),
        folder: folder.to_owned(),
        limits: Limits::default(),
        node: "bench".to_owned(),
    };
    let store = Store::open(&config, world.clone(), &[cases::MIGRATIONS]).await?;
    let portal = measure::portal(store, pack)?;
    let rates = measure::rates(&portal, count, seconds).await;
    let rates = rates.map_err(|e| anyhow::anyhow!("{e}"))?;
    println!("{}", serde_json::to_string(&rates)?);
    Ok(())
}
