//! Checking a data folder whose logs are rows of a PostgreSQL server: they are taken away as segment
//! files into a temporary folder, with the keys' certificates and the directory, and checked there.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use seal::certificate::Trust;
use seal::verdict::{Indication, Verdict};
use store::Database;

use crate::up::nation::{PLACES, Place};
use crate::up::prepare::Layout;

/// Checks a nation's folder or one node's.
pub(super) async fn verify(path: &Path, url: &str, trust: &Trust, world: &World) -> anyhow::Result<Verdict> {
    let node = path.file_name().and_then(|n| n.to_str()).and_then(Place::parse);
    let data = match node {
        Some(_) => path.parent().context("a node's folder has a parent")?,
        None => path,
    };
    let copy = std::env::temp_dir().join(format!("sen-verify-{}", world.id()));
    let checked = check(data, node, url, &copy, trust, world).await;
    fs::remove_dir_all(&copy).ok();
    checked
}

async fn check(
    data: &Path,
    node: Option<Place>,
    url: &str,
    copy: &Path,
    trust: &Trust,
    world: &World,
) -> anyhow::Result<Verdict> {
    let (layout, copied) = (Layout::of(data), Layout::of(copy));
    let mut exported = Vec::new();
    for place in PLACES.into_iter().filter(|p| node.is_none_or(|n| n == *p)) {
        let (from, to) = (layout.node(place), copied.node(place));
        fs::create_dir_all(to.join("keys"))?;
        fs::copy(layout.hub(), copied.hub())?;
        for file in ["directory.jws", "keys/node.pem"] {
            fs::copy(from.join(file), to.join(file))
                .with_context(|| format!("cannot read {file} of {}", place.id()))?;
        }
        let database = Database::Postgres {
            url: url.to_owned(),
            schema: layout.schema(place)?,
        };
        store::log::export::export(&database, &from.join("logs"), &to.join("logs")).await?;
        exported.push((database, from, to.join("logs").join("facts")));
    }
    let checked = node.map_or_else(|| copy.to_owned(), |place| copied.node(place));
    let logs = super::folder::verify(&checked, trust, world.now())?;
    if logs.indication == Indication::TotalFailed {
        return Ok(logs);
    }
    for (database, named, log) in exported {
        if let Err(parted) = super::compare::rows(&database, &named, &log).await {
            return Ok(parted);
        }
    }
    Ok(logs)
}
