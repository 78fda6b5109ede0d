//! What a node does by itself each day when its configuration says so: old evidence is archived, and what is
//! archived, checked and older than its class leaves the live log. Never before a configuration asks for it.

use std::path::PathBuf;
use std::time::Duration;

use exchange::Exchange;
use exchange::retention::{Chosen, Retention};
use kernel::World;
use seal::certificate::{Certificate, Trust};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::{look, order};
use crate::backup::site::{NodeAt, Site};
use crate::config::Archive;
use crate::evidence::{archive, open};

/// Between the start of a node and its first round: a start has enough to do.
const FIRST: Duration = Duration::from_secs(600);
/// Between two rounds.
const DAY: Duration = Duration::from_secs(86_400);
const DAY_MS: i64 = 86_400_000;

/// What a round needs.
#[derive(Clone, Debug)]
pub struct Round {
    /// The node.
    pub node: NodeAt,
    /// The pack of the country.
    pub pack: PathBuf,
    /// What the configuration says.
    pub archive: Archive,
    /// Roots that are trusted.
    pub anchors: Vec<Certificate>,
}

/// Goes round each day for as long as the node runs.
pub async fn follow(exchange: Exchange, round: Round, world: World, mut stop: watch::Receiver<bool>) {
    let mut rest = FIRST;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = stop.changed() => return,
        }
        rest = DAY;
        // Thousands of signatures are checked: not on a thread that others wait for.
        let (handle, own) = (
            Handle::current(),
            (exchange.clone(), round.clone(), world.clone()),
        );
        let gone = tokio::task::spawn_blocking(move || handle.block_on(once(&own.0, &own.1, &own.2)));
        match gone.await.map_err(anyhow::Error::from).flatten() {
            Ok(0) => {}
            Ok(spans) => tracing::info!(spans, "archived evidence has left the live log"),
            Err(cause) => {
                tracing::error!(cause = %format!("{cause:#}"), "evidence could not be archived; trying again tomorrow");
            }
        }
    }
}

/// One round; gives how many archives' records have left the live log.
///
/// # Errors
/// When something cannot be read or written, or an archive cannot be relied on.
pub async fn once(exchange: &Exchange, round: &Round, world: &World) -> anyhow::Result<usize> {
    let Archive {
        folder,
        live_days,
        file_days,
        ..
    } = &round.archive;
    let chosen = Chosen {
        live_days: *live_days,
        archive_days: *file_days,
    };
    let retention = Retention::load(&round.pack, chosen)?;
    let site = Site {
        data: round.node.folder.clone(),
        nodes: vec![round.node.clone()],
        trust: PathBuf::new(),
        config: None,
    };
    let until = world.now().plus_ms(-i64::from(*live_days) * DAY_MS);
    let trust = Trust::of(round.anchors.clone());
    let mut left = 0;
    for shelf in open(&site, None).await? {
        archive::write_all(&shelf, &round.node, folder, until, world).await?;
        let found = look(&shelf, &round.node, folder, (&retention, &trust), world).await?;
        let spans = found.leaving();
        if !spans.is_empty() {
            left += spans.len();
            order::take_off(exchange, folder, spans).await?;
        }
        if let Some((file, why)) = found.refused {
            anyhow::bail!("{file} cannot be relied on: {why}");
        }
    }
    Ok(left)
}
