//! The archives of one node written, each behind the one before. Never over a file that is there, and none is
//! left that does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use exchange::STREAM;
use exchange::envelope::{self, Evidence};
use exchange::evidence::Stamped;
use exchange::message::RequestHead;
use kernel::{Digest, Time, World};
use seal::certificate::{Certificate, Trust};
use seal::jws;
use seal::merkle::{Frontier, leaf_hash};
use seal::verdict::Indication;
use store::log::checkpoint::{self, Checkpoint};
use store::log::files;

use super::{
    AGREEMENTS, Archive, CERTIFICATES, CHECKPOINTS, DIRECTORY, FORM, HUB, MIME_TYPE, Manifest, NODE,
    Previous, RECORDS, STAMPS, Stamp, directory_file, listed,
};
use crate::backup::site::NodeAt;
use crate::evidence::Shelf;
use crate::up::prepare::{private_folder, write};

/// Records of one archive, count; more only when no root was signed between.
const RECORDS_MAX: u64 = 20_000;

/// Writes what is older than an instant of one node's evidence into a folder, behind the archives that are
/// there already.
///
/// # Errors
/// When the log is damaged, an archive that is there does not check, or the folder cannot be written.
pub async fn write_all(
    shelf: &Shelf,
    node: &NodeAt,
    out: &Path,
    until: Time,
    world: &World,
) -> anyhow::Result<Vec<PathBuf>> {
    private_folder(out)?;
    let (mut tree, mut previous) = (Frontier::new(), None);
    if let Some(last) = listed(out)?.pop() {
        let bytes = std::fs::read(&last)?;
        let read = Archive::read(&bytes)
            .map_err(|(file, why)| anyhow::anyhow!("{}: {file}: {why}", last.display()))?;
        tree = read.after()?;
        previous = Some(Previous {
            file: last
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            sha256: Digest::of(&bytes),
        });
    }
    let live_from = shelf.evidence.live_from().await?;
    ensure!(
        tree.len() >= live_from,
        "the live log begins at {live_from}, and {} has no archive that ends there: name the folder that has all archives of this node",
        out.display()
    );
    let roots = roots(&node.folder.join("logs").join(STREAM))?;
    let mut written = Vec::new();
    while let Some(end) = end_of_next(&roots, tree.len(), until) {
        let stamps = shelf.evidence.stamps(tree.len(), end).await?;
        if stamps.last().is_none_or(|stamp| stamp.next < end) {
            break;
        }
        let part = Part {
            shelf,
            node,
            roots: &roots,
            end,
        };
        let (bytes, after) = part.pack(&tree, previous.take(), stamps, world).await?;
        let verdict = crate::verify::archive::verify(&bytes, &Trust::default(), world.now());
        ensure!(
            verdict.indication != Indication::TotalFailed,
            "what would be archived does not check: {}",
            crate::verify::as_text(&verdict)
        );
        let name = format!("{STREAM}-{:020}-{end:020}.archive", tree.len());
        let file = out.join(&name);
        ensure!(!file.exists(), "{} is there already", file.display());
        let unfinished = out.join(format!("{name}.part"));
        write(&unfinished, &bytes, 0o600)?;
        std::fs::rename(&unfinished, &file)?;
        previous = Some(Previous {
            file: name,
            sha256: Digest::of(&bytes),
        });
        tree = after;
        written.push(file);
    }
    Ok(written)
}

/// The signed roots of a log, each with its line.
pub(crate) fn roots(log: &Path) -> anyhow::Result<Vec<(Checkpoint, String)>> {
    let path = log.join(checkpoint::FILE);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let read = |line: &str| {
        let said = jws::peek(line)
            .ok()
            .and_then(|said| serde_json::from_slice(&said).ok());
        Ok((
            said.with_context(|| format!("{} has a line that is none", path.display()))?,
            line.to_owned(),
        ))
    };
    whole.lines().map(read).collect()
}

/// Where the next archive ends: at the last root that is old enough and not too far.
fn end_of_next(roots: &[(Checkpoint, String)], first: u64, until: Time) -> Option<u64> {
    let sizes = || {
        let old = roots
            .iter()
            .filter(|(root, _)| root.size > first && root.at <= until);
        old.map(|(root, _)| root.size)
    };
    let near = sizes().filter(|size| *size <= first + RECORDS_MAX).max();
    near.or_else(|| sizes().min())
}

/// What goes into one archive.
struct Part<'a> {
    shelf: &'a Shelf,
    node: &'a NodeAt,
    roots: &'a [(Checkpoint, String)],
    end: u64,
}

impl Part<'_> {
    async fn pack(
        &self,
        before: &Frontier,
        previous: Option<Previous>,
        stamps: Vec<Stamped>,
        world: &World,
    ) -> anyhow::Result<(Vec<u8>, Frontier)> {
        let first = before.len();
        let count = usize::try_from(self.end - first)?;
        let records = self.shelf.evidence.records(first, count).await?;
        ensure!(records.len() == count, "the log ends before its signed root");
        let mut tree = before.clone();
        let (mut named, mut agreed) = (BTreeSet::new(), BTreeSet::new());
        for (_, bytes) in &records {
            tree.push(leaf_hash(bytes));
            let record: Evidence = envelope::read(bytes)?;
            agreed.insert(RequestHead::parse(&record.request.head)?.agreement);
            named.insert(Digest(record.request.sealed.certificate));
            named.extend(record.answer.map(|answer| Digest(answer.sealed.certificate)));
        }
        let within = self
            .roots
            .iter()
            .filter(|(root, _)| (first + 1..=self.end).contains(&root.size));
        let within: Vec<&(Checkpoint, String)> = within.collect();
        let node = std::fs::read_to_string(self.node.keys.join("node.pem"))?;
        let mut certificates = Certificate::list_from_pem(&node)?;
        let signers = within.iter().filter_map(|(_, line)| jws::certificate_named(line));
        named.extend(signers.filter(|named| certificates.iter().all(|own| own.thumbprint() != *named)));
        for thumbprint in &named {
            certificates.push(self.shelf.evidence.certificate(thumbprint).await?);
        }
        let mut agreements = Vec::new();
        for hash in &agreed {
            // Of a metadata service there is none, and of one that was never taken over only its hash.
            agreements.extend(self.shelf.evidence.agreement(hash).await?);
        }
        let origin = within
            .last()
            .map(|(root, _)| root.origin.clone())
            .unwrap_or_default();
        let mut known = BTreeMap::new();
        for hash in stamps.iter().filter_map(|stamp| stamp.directory) {
            if let Some(directory) = self.shelf.evidence.signed_directory(&hash).await {
                known.insert(directory_file(&hash), directory);
            }
        }
        let stamps: Vec<Stamp> = stamps.into_iter().map(Stamp::of).collect();
        let lines: String = within.iter().map(|(_, line)| format!("{line}\n")).collect();
        let files = [
            (
                RECORDS,
                files::segment(records.iter().map(|(_, bytes)| bytes.as_slice())),
            ),
            (CHECKPOINTS, lines.into_bytes()),
            (STAMPS, serde_json::to_vec(&stamps)?),
            (AGREEMENTS, serde_json::to_vec(&agreements)?),
            (
                CERTIFICATES,
                certificates
                    .iter()
                    .map(Certificate::pem)
                    .collect::<String>()
                    .into_bytes(),
            ),
            (NODE, node.into_bytes()),
            (DIRECTORY, std::fs::read(self.node.folder.join("directory.jws"))?),
            (HUB, std::fs::read(self.node.hub())?),
        ];
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes));
        let files: Vec<(String, Vec<u8>)> = files.into_iter().chain(known).collect();
        let manifest = Manifest {
            form: FORM.to_owned(),
            made: world.now().rfc3339(),
            node: origin,
            stream: STREAM.to_owned(),
            next: self.end,
            before: before.clone(),
            previous,
            files: files
                .iter()
                .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
                .collect(),
            first,
        };
        let manifest = serde_json::to_vec_pretty(&manifest)?;
        let own = [
            ("mimetype".to_owned(), MIME_TYPE.as_bytes().to_vec()),
            ("manifest.json".to_owned(), manifest),
        ];
        Ok((zipped(own.into_iter().chain(files))?, tree))
    }
}

fn zipped(files: impl Iterator<Item = (String, Vec<u8>)>) -> anyhow::Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let method = match name.as_str() {
            "mimetype" => zip::CompressionMethod::Stored,
            _ => zip::CompressionMethod::Deflated,
        };
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default());
        writer.start_file(name, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}
