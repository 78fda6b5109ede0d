//! Containers of exchanges written as files: of one exchange by its id, or of all that a search finds, into
//! a new folder with a list of what is in it. Never over a file that is there.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use exchange::evidence::{Containers, Search, file_safe};
use exchange::export::{Indexed, Which};
use kernel::{Digest, Time, World};

use super::Shelf;
use super::bodies::Bodies;
use super::manifest::{self, Entry, Manifest};
use crate::up::prepare::{private_folder, write};

/// Exchanges read from the index at a time, count.
const PAGE: usize = 500;

/// Writes the messages of one exchange: the one that is named to `out`, or both beside each other here.
///
/// # Errors
/// When no node has such an exchange or message, or a file is there already.
pub async fn one(
    shelves: &[Shelf],
    request: &str,
    part: Option<Which>,
    out: Option<&Path>,
    bodies: Option<&Bodies>,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let wanted = match (part, out) {
        (Some(part), _) => vec![part],
        // One file holds one message.
        (None, Some(_)) => vec![Which::Request],
        (None, None) => Which::BOTH.to_vec(),
    };
    for shelf in shelves {
        let Some(side) = shelf.evidence.find(request).await?.into_iter().next() else {
            continue;
        };
        if let Some(archived) = shelf.evidence.archived(&side).await? {
            anyhow::bail!(super::said(&archived));
        }
        let containers = shelf.evidence.containers();
        for which in &wanted {
            let Some(zip) = with_body(bodies, &containers, &side, *which).await? else {
                continue;
            };
            let name = || PathBuf::from(name(request, *which));
            let file = out.map_or_else(name, Path::to_path_buf);
            fresh(&file)?;
            write(&file, &zip, 0o600)?;
            written.push(file);
        }
        ensure!(
            !written.is_empty(),
            "{request}: the exchange has no such message: it was refused, so there is no answer"
        );
        return Ok(written);
    }
    anyhow::bail!("{request}: no such exchange in this data: `sen evidence search` finds those there are")
}

/// Writes all that a search finds, each exchange once a node, into a new folder.
///
/// # Errors
/// When the folder has something in it already, or what is on record does not make a container.
pub async fn many(
    shelves: &[Shelf],
    search: &Search,
    out: &Path,
    bodies: Option<&Bodies>,
    world: &World,
) -> anyhow::Result<Manifest> {
    let used = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(!used, "--out {}: the folder is not empty", out.display());
    private_folder(out)?;
    let mut files = Vec::new();
    for shelf in shelves {
        let below = if shelves.len() > 1 {
            format!("{}/", shelf.node)
        } else {
            String::new()
        };
        private_folder(&out.join(&below))?;
        of_node(shelf, search, (out, &below), bodies, &mut files).await?;
    }
    let manifest = Manifest {
        form: manifest::FORM.to_owned(),
        made: world.now().rfc3339(),
        files,
    };
    if let Some(shelf) = shelves.first() {
        write(&out.join(manifest::HUB), &std::fs::read(&shelf.hub)?, 0o600)?;
    }
    // Last of all: a folder without it was not finished.
    let list = serde_json::to_vec_pretty(&manifest)?;
    write(&out.join(manifest::FILE), &list, 0o600)?;
    Ok(manifest)
}

async fn of_node(
    shelf: &Shelf,
    search: &Search,
    (out, below): (&Path, &str),
    bodies: Option<&Bodies>,
    files: &mut Vec<Entry>,
) -> anyhow::Result<()> {
    let containers = shelf.evidence.containers();
    let mut search = search.clone();
    loop {
        let found = shelf.evidence.search(&search, PAGE).await?;
        for e in &found.exchanges {
            if let Some(archived) = shelf.evidence.archived(e).await? {
                anyhow::bail!("{} Or begin later: --from.", super::said(&archived));
            }
            for which in Which::BOTH {
                let file = format!("{below}{}", name(&e.request, which));
                // Both sides of an exchange within one node have the same messages.
                if out.join(&file).exists() {
                    continue;
                }
                let zip = with_body(bodies, &containers, e, which).await;
                let Some(zip) = zip.with_context(|| format!("{}: cannot be exported", e.request))? else {
                    continue;
                };
                write(&out.join(&file), &zip, 0o600)?;
                files.push(Entry {
                    sha256: Digest::of(&zip),
                    file,
                    part: which.as_str().to_owned(),
                    node: shelf.node.clone(),
                    request: e.request.clone(),
                    side: e.side.to_owned(),
                    position: e.position,
                    consumer: e.consumer.clone(),
                    service: e.service.clone(),
                    agreement: e.agreement.clone(),
                    case: e.issue.clone(),
                    began: Time(e.began).rfc3339(),
                    result: e.result.to_owned(),
                    directory: directory(shelf, e, out).await?,
                });
            }
        }
        match found.next.and_then(|next| next.parse().ok()) {
            Some(next) => search.after = Some(next),
            None => return Ok(()),
        }
    }
}

/// The container of a message: with its body when bodies are asked for and this one is kept.
async fn with_body(
    bodies: Option<&Bodies>,
    containers: &Containers<'_>,
    side: &Indexed,
    which: Which,
) -> anyhow::Result<Option<Vec<u8>>> {
    // What does not exist is asked of nobody.
    let Some(zip) = containers.of(side, which).await? else {
        return Ok(None);
    };
    let whole = match bodies {
        Some(bodies) => bodies.container(&side.request, which).await?,
        None => None,
    };
    Ok(Some(whole.unwrap_or(zip)))
}

/// Puts the signed directory of an exchange's time beside the containers, once, and gives its digest.
async fn directory(shelf: &Shelf, e: &Indexed, out: &Path) -> anyhow::Result<Option<Digest>> {
    let Some((digest, token)) = shelf.evidence.directory_of(e).await? else {
        return Ok(None);
    };
    let folder = out.join(manifest::DIRECTORIES);
    private_folder(&folder)?;
    let file = folder.join(format!("{}.jws", digest.hex()));
    if !file.exists() {
        write(&file, &token, 0o600)?;
    }
    Ok(Some(digest))
}

pub(super) fn name(request: &str, which: Which) -> String {
    format!("{}-{}.asice", file_safe(request), which.as_str())
}

pub(super) fn fresh(file: &Path) -> anyhow::Result<()> {
    ensure!(!file.exists(), "{} is there already", file.display());
    Ok(())
}
