//! The database, the outbox and the timestamps. Never changes a row.

use std::path::Path;

use exchange::envelope::{self, Evidence};
use kernel::OrgCode;
use store::Database;
use store::check::{Standing, Waiting};
use store::log::files;

use super::{Finding, Round};
use crate::backup::site::NodeAt;

/// Tries after which a line is stuck, count: with doubling waits that is about half a minute.
const TRIES: u64 = 8;
/// A line that should have been tried this long ago is stuck, in milliseconds.
const WAITS_MS: i64 = 3_600_000;
/// Evidence may wait this long for its timestamp, in milliseconds.
const UNSTAMPED_MS: i64 = 600_000;

/// A node's rows.
pub(super) async fn of_node(node: &NodeAt, round: &Round) -> Vec<Finding> {
    let standing = match store::check::standing(&node.database, &crate::wiring::migrations()).await {
        Ok(standing) => standing,
        Err(cause) => {
            return vec![Finding {
                check: "database",
                node: node.name.clone(),
                what: format!("the database cannot be read: {cause}"),
                why: "without it the node does not start",
                remedy: "see that the server runs and SEN_DATABASE is right, or bring the file back from the backup".to_owned(),
            }];
        }
    };
    let mut found = Vec::new();
    found.extend(pending(node, &standing));
    found.extend(ahead(node, &standing, round));
    found.extend(
        standing
            .waiting
            .iter()
            .filter_map(|waiting| stuck(node, waiting, round)),
    );
    found.extend(unstamped(node, round).await);
    found
}

fn pending(node: &NodeAt, standing: &Standing) -> Option<Finding> {
    (standing.pending > 0).then(|| Finding {
        check: "migrations",
        node: node.name.clone(),
        what: format!("{} steps of the schema are not applied", standing.pending),
        why: "this release needs them; its first start applies them and an older release may then not start",
        remedy: "take a backup (sen backup), then start the node".to_owned(),
    })
}

fn ahead(node: &NodeAt, standing: &Standing, round: &Round) -> Option<Finding> {
    let ahead = standing.newest.ms() - round.now.ms();
    (ahead > round.limits.clock_skew_ms_max).then(|| Finding {
        check: "clock",
        node: node.name.clone(),
        what: format!("the newest fact is {} s in this machine's future", ahead / 1_000),
        why: "the clock was ahead once or is behind now; facts of one subject keep the later time",
        remedy: "set the clock by a time service (timedatectl set-ntp true)".to_owned(),
    })
}

fn stuck(node: &NodeAt, waiting: &Waiting, round: &Round) -> Option<Finding> {
    let waited = round.now.ms() - waiting.due.ms();
    (waiting.attempts >= TRIES || waited > WAITS_MS).then(|| Finding {
        check: "outbox",
        node: node.name.clone(),
        what: format!(
            "{} lines of {} wait, tried up to {} times",
            waiting.lines, waiting.topic, waiting.attempts
        ),
        why: "the other side has not heard of what was decided here; lines are never dropped, but they are late",
        remedy: "see that the other side is reached; the log of the node names the problem (\"a delivery failed\")".to_owned(),
    })
}

async fn unstamped(node: &NodeAt, round: &Round) -> Option<Finding> {
    let next = stamped(node).await?;
    let (waiting, oldest) = match &node.database {
        Database::Sqlite(_) => behind(&node.folder.join("logs").join(exchange::STREAM), next)?,
        server @ Database::Postgres { .. } => {
            let found = store::check::log_from(server, exchange::STREAM, next).await;
            let (waiting, first) = found.ok()??;
            (waiting, envelope::read::<Evidence>(&first).ok()?.ended)
        }
    };
    let waited = round.now.ms() - oldest;
    (waited > UNSTAMPED_MS).then(|| Finding {
        check: "timestamps",
        node: node.name.clone(),
        what: format!(
            "{waiting} records of evidence have no timestamp, the oldest for {} minutes",
            waited / 60_000
        ),
        why: "until then only this node's own word says when they were; they are stamped later, nothing is lost",
        remedy: "see that the timestamp authority of the directory is reached from this machine".to_owned(),
    })
}

/// The first position without a timestamp: the node's own rows say so, under one of its organisations.
async fn stamped(node: &NodeAt) -> Option<u64> {
    let seals = std::fs::read_dir(node.keys.join("seals")).ok()?;
    let mut furthest = None;
    for entry in seals.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(org) = name.strip_suffix(".pem").and_then(|o| o.parse::<OrgCode>().ok()) else {
            continue;
        };
        let reader = store::check::reader(&node.database, &org).await.ok()?;
        furthest = furthest.max(exchange::timestamping::stamped(&reader).await.ok());
    }
    furthest
}

/// How many records stand from a position on, and when the first of them ended.
fn behind(dir: &Path, from: u64) -> Option<(u64, i64)> {
    let (mut waiting, mut oldest) = (0, None);
    files::each(dir, |position, bytes| {
        if position >= from {
            waiting += 1;
            if oldest.is_none() {
                oldest = envelope::read::<Evidence>(bytes).ok().map(|e| e.ended);
            }
        }
        Ok::<(), (u64, String)>(())
    })
    .ok()?;
    Some((waiting, oldest?))
}
