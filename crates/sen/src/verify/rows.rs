//! Checking nodes whose logs are rows of a PostgreSQL server: they are taken away as segment files into
//! a temporary folder, with the keys' certificates and the directory, and checked there.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use seal::certificate::Trust;
use seal::verdict::{Indication, Verdict};

use crate::backup::site::{HUB, Site};
use crate::up::nation::Place;
use crate::verify::old::{Old, worst};

/// The nodes that a path names: a nation's folder, or that of one of its nodes.
///
/// # Errors
/// When there is none.
pub(super) fn named(path: &Path, url: &str) -> anyhow::Result<Site> {
    let node = path.file_name().and_then(|n| n.to_str()).and_then(Place::parse);
    let Some(node) = node else {
        return Site::of(path, url);
    };
    let nation = path.parent().context("a node's folder has a parent")?;
    let mut site = Site::of(nation, url)?;
    site.nodes.retain(|at| at.name == node.id());
    Ok(site)
}

/// Checks the nodes of a site.
pub(super) async fn verify(
    site: &Site,
    trust: &Trust,
    old: Option<&Old>,
    world: &World,
) -> anyhow::Result<Verdict> {
    let copy = std::env::temp_dir().join(format!("sen-verify-{}", world.id()));
    let checked = match (check(site, &copy, trust, world).await, old) {
        (Ok(logs), Some(old)) => old.folder(&copy, trust).map(|old| worst(logs, old)),
        (checked, _) => checked,
    };
    fs::remove_dir_all(&copy).ok();
    checked
}

async fn check(site: &Site, copy: &Path, trust: &Trust, world: &World) -> anyhow::Result<Verdict> {
    let mut exported = Vec::new();
    for node in &site.nodes {
        let name = if node.name.is_empty() { "node" } else { &node.name };
        let (to, logs) = (copy.join(name), copy.join(name).join("logs"));
        fs::create_dir_all(to.join("keys"))?;
        for (from, to) in [
            (node.hub(), to.join(HUB)),
            (node.folder.join("directory.jws"), to.join("directory.jws")),
            (node.keys.join("node.pem"), to.join("keys").join("node.pem")),
        ] {
            fs::copy(&from, to).with_context(|| format!("cannot read {}", from.display()))?;
        }
        // Certificates from before a renewal are blobs; they are many files, and looked at where they are.
        std::os::unix::fs::symlink(node.folder.join("blobs"), to.join("blobs"))?;
        // So are kept bodies, encrypted as they are; what opens them stays where it is.
        std::os::unix::fs::symlink(node.folder.join("secret"), to.join("secret"))?;
        store::bodies::export(&node.database, &to).await?;
        store::log::export::export(&node.database, &node.folder.join("logs"), &logs).await?;
        exported.push((node, logs.join("facts")));
    }
    let logs = super::folder::verify(copy, trust, world.now())?;
    if logs.indication == Indication::TotalFailed {
        return Ok(logs);
    }
    for (node, log) in exported {
        if let Err(parted) = super::compare::rows(&node.database, &node.folder, &log).await {
            return Ok(parted);
        }
    }
    Ok(logs)
}
