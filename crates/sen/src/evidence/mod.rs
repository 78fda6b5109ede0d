//! `sen evidence`: the exchanges of a node found and taken away as signed containers, from its own data,
//! whether it runs or not. Kept bodies alone are asked of the running node, which writes down who reads them.

pub mod archive;
pub mod archived;
pub mod bodies;
pub mod export;
pub mod leaving;
pub mod manifest;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use exchange::evidence::{Beside, EvidenceFound, Search, Wanted};
use kernel::{OrgCode, Problem};
use serde_json::{Value, json};

use crate::backup::site::{NodeAt, Site};

/// The evidence of one node of a data folder.
pub struct Shelf {
    /// The node's name; empty when the data folder is the node's own.
    pub node: String,
    /// Its evidence.
    pub evidence: Beside,
    /// The file of the hub's certificate.
    pub hub: PathBuf,
}

/// Opens the evidence of a data folder's nodes, or of the one that is named.
///
/// # Errors
/// When there is no such node, or its rows cannot be read.
pub async fn open(site: &Site, node: Option<&str>) -> anyhow::Result<Vec<Shelf>> {
    let mut shelves = Vec::new();
    for at in &site.nodes {
        if node.is_some_and(|name| name != at.name) {
            continue;
        }
        let tenants = tenants(at)?;
        let evidence = Beside::open(&at.database, &at.folder, &tenants).await;
        let evidence = evidence.map_err(|problem| {
            anyhow::anyhow!(
                "{}: the rows cannot be read; a node of this release must have run on them once: {problem}",
                at.folder.display()
            )
        })?;
        let node = at.name.clone();
        let hub = at.hub();
        shelves.push(Shelf { node, evidence, hub });
    }
    let names: Vec<&str> = site.nodes.iter().map(|at| at.name.as_str()).collect();
    ensure!(
        !shelves.is_empty(),
        "--node {}: one of {}",
        node.unwrap_or_default(),
        names.join(", ")
    );
    Ok(shelves)
}

/// The organisations that a node hosts: it has their seals.
fn tenants(node: &NodeAt) -> anyhow::Result<Vec<OrgCode>> {
    let folder = node.keys.join("seals");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut tenants: Vec<OrgCode> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.strip_suffix(".pem")?.parse().ok()
        })
        .collect();
    tenants.sort();
    Ok(tenants)
}

/// The search that some flags mean.
///
/// # Errors
/// The first flag that cannot be read, with its rule and the remedy.
pub fn search_of(wanted: &Wanted) -> anyhow::Result<Search> {
    wanted.read().map_err(|problems| match problems.first() {
        Some(problem) => anyhow::anyhow!("--{}: {}", problem.field.as_deref().unwrap_or("?"), said(problem)),
        None => anyhow::anyhow!("a flag cannot be read"),
    })
}

/// A problem's rule and remedy in English.
pub(crate) fn said(problem: &Problem) -> String {
    let Ok(texts) = web::Texts::new(&[web::TEXTS, exchange::TEXTS]) else {
        return problem.to_string();
    };
    let part = |part: &str| {
        let key = format!("problem-{}{part}", problem.code);
        texts.get_with(web::Lang::En, &key, &problem.args)
    };
    format!("{} {}", part(".rule"), part(".remedy"))
}

/// What was found at one node.
pub struct FoundAt {
    /// The node's name.
    pub node: String,
    /// What, and where the next page begins.
    pub found: EvidenceFound,
}

/// Finds exchanges at each node, at most `rows_max` of each.
///
/// # Errors
/// When rows cannot be read.
pub async fn find(shelves: &[Shelf], search: &Search, rows_max: usize) -> anyhow::Result<Vec<FoundAt>> {
    let mut all = Vec::new();
    for shelf in shelves {
        let mut search = search.clone();
        let mut found = shelf.evidence.search(&search, rows_max).await?;
        // A page that looked long enough ends early; here nobody waits for a page.
        while let (Some(next), true) = (&found.next, found.exchanges.len() < rows_max) {
            search.after = next.parse().ok();
            let more = shelf
                .evidence
                .search(&search, rows_max - found.exchanges.len())
                .await?;
            found.exchanges.extend(more.exchanges);
            found.archives.extend(more.archives);
            found.archives.dedup();
            (found.next, found.looked_to) = (more.next, more.looked_to);
        }
        let node = shelf.node.clone();
        all.push(FoundAt { node, found });
    }
    Ok(all)
}

/// What was found as a table; what is left is told at the end.
#[must_use]
pub fn as_text(all: &[FoundAt]) -> String {
    let mut text = format!(
        "{:<24} {:<9} {:<9} {:<20} {:<36} {:<8} {:<20} REQUEST\n",
        "BEGAN", "NODE", "SIDE", "CONSUMER", "SERVICE", "RESULT", "CASE"
    );
    for FoundAt { node, found } in all {
        for e in &found.exchanges {
            text.push_str(&format!(
                "{:<24} {node:<9} {:<9} {:<20} {:<36} {:<8} {:<20} {}\n",
                kernel::Time(e.began).rfc3339(),
                e.side,
                e.consumer,
                e.service,
                e.result,
                e.issue.as_deref().unwrap_or("-"),
                e.request
            ));
        }
    }
    for FoundAt { found, .. } in all {
        for archive in &found.archives {
            text.push_str(&format!(
                "Records {} to {} have left the live log ({}): {}\n",
                archive.first,
                archive.next - 1,
                kernel::Time(archive.since).rfc3339(),
                archive.file
            ));
        }
    }
    for FoundAt { node, found } in all {
        if let Some(next) = &found.next {
            let node = if node.is_empty() {
                String::new()
            } else {
                format!(" --node {node}")
            };
            text.push_str(&format!("There is more: the same with{node} --after {next}\n"));
        }
    }
    text
}

/// What was found as JSON: a list with the node beside each.
#[must_use]
pub fn as_json(all: &[FoundAt]) -> Value {
    let nodes = all.iter().map(|at| {
        let EvidenceFound {
            exchanges,
            next,
            archives,
            ..
        } = &at.found;
        json!({"node": at.node, "exchanges": exchanges, "next": next, "archives": archives})
    });
    Value::from(nodes.collect::<Vec<_>>())
}
