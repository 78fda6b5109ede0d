//! The evidence log alone: as many hands as a busy gateway has give it records of the size of an
//! exchange's, and wait until each is flushed. On a folder in memory the flush costs nothing, and what is
//! left is the hand-off.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kernel::World;
use kernel::limits::Limits;
use store::{Database, Store, StoreConfig};
use tokio::task::JoinSet;

/// Hands that give a record each and wait.
const HANDS: usize = 64;
/// Size of a record, in bytes: as one of an exchange with small heads.
const RECORD: usize = 2_048;

/// Fills a log for some seconds and prints how many records a second it took.
///
/// # Errors
/// When the log cannot be written.
pub async fn fill(folder: &Path, seconds: u32, world: &World) -> anyhow::Result<()> {
    let config = StoreConfig {
        database: Database::Sqlite(folder.join("sen.db")),
        folder: folder.to_owned(),
        limits: Limits::default(),
        node: "bench".to_owned(),
    };
    let store = Store::open(&config, world.clone(), &[]).await?;
    let log = store
        .log(exchange::STREAM)
        .await
        .map_err(|e| anyhow::anyhow!("{e}"))?;
    let (taken, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut hands = JoinSet::new();
    for _ in 0..HANDS {
        let (log, taken, over) = (Arc::clone(&log), Arc::clone(&taken), Arc::clone(&over));
        hands.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                log.append(vec![vec![b'a'; RECORD]]).await?;
                taken.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, kernel::Problem>(())
        });
    }
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let count = taken.load(Ordering::Relaxed);
    over.store(true, Ordering::Relaxed);
    while let Some(hand) = hands.join_next().await {
        hand?.map_err(|e| anyhow::anyhow!("{e}"))?;
    }
    println!("{}", count / u64::from(seconds.max(1)));
    Ok(())
}
