//! Archive files of evidence: a part of a node's log as it stands there, up to a signed root, with all that a
//! check needs years later: checkpoints, timestamps, certificates, the signed directory. Each names the
//! digest of the one before it. Never over a file that is there, and none is left that was not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::STREAM;
use exchange::envelope::{self, Evidence};
use exchange::evidence::Stamped;
use kernel::{Digest, Time, World};
use seal::certificate::{Certificate, Trust};
use seal::jws;
use seal::merkle::{Frontier, leaf_hash};
use seal::verdict::Indication;
use serde::{Deserialize, Serialize};
use store::log::checkpoint::{self, Checkpoint};
use store::log::files;

use super::Shelf;
use crate::backup::site::NodeAt;
use crate::up::prepare::{private_folder, write};

/// The form of this release.
pub const FORM: &str = "sen-evidence-archive/1";
/// The content of an archive's first file.
pub const MIME_TYPE: &str = "application/vnd.sen.evidence-archive+zip";
/// Records of one archive, count; more only when no root was signed between.
const RECORDS_MAX: u64 = 20_000;
/// Size of a file in an archive, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What an archive says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORM`].
    pub form: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// The node, as its checkpoints name it.
    pub node: String,
    /// The stream.
    pub stream: String,
    /// The position of its first record.
    pub first: u64,
    /// The position behind its last.
    pub next: u64,
    /// The tree over all that stands in front of it.
    pub before: Frontier,
    /// The archive before it.
    pub previous: Option<Previous>,
    /// SHA-256 of its other files, by name.
    pub files: BTreeMap<String, Digest>,
}

/// The archive before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its file's name.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// A timestamp over some of the records, and of some beside them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// The span's first position.
    pub first: u64,
    /// The position behind its last.
    pub next: u64,
    /// The token, base64.
    pub token: String,
    /// The checkpoint that it covers too.
    pub checkpoint: String,
    /// The leaves of its hash chain.
    pub leaves: Vec<Digest>,
}

impl Stamp {
    fn of(stamped: Stamped) -> Self {
        Self {
            first: stamped.first,
            next: stamped.next,
            token: STANDARD.encode(stamped.token),
            checkpoint: stamped.checkpoint,
            leaves: stamped.leaves,
        }
    }
}

/// The files of an archive.
pub struct Archive {
    /// What it says of itself.
    pub manifest: Manifest,
    files: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    /// Reads an archive: every file is one that the manifest names, with its digest.
    ///
    /// # Errors
    /// The file at fault and what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, (String, &'static str)> {
        let whole = |why| ("archive".to_owned(), why);
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| whole("FORMAT_FAILURE"))?;
        let mut files = BTreeMap::new();
        for place in 0..zip.len() {
            let file = zip.by_index(place).map_err(|_| whole("FORMAT_FAILURE"))?;
            let name = file.name().map_err(|_| whole("FORMAT_FAILURE"))?.to_string();
            let mut content = Vec::new();
            let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content);
            if read.is_err() || content.len() as u64 > FILE_BYTES_MAX || files.contains_key(&name) {
                return Err((name, "FORMAT_FAILURE"));
            }
            files.insert(name, content);
        }
        let own = |name: &str| (name.to_owned(), "FORMAT_FAILURE");
        let mime = files
            .remove("mimetype")
            .filter(|said| said == MIME_TYPE.as_bytes());
        mime.ok_or_else(|| own("mimetype"))?;
        let manifest = files
            .remove("manifest.json")
            .ok_or_else(|| own("manifest.json"))?;
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| own("manifest.json"))?;
        let sound =
            manifest.form == FORM && manifest.before.is_sound() && manifest.before.len() == manifest.first;
        if !sound || manifest.next <= manifest.first {
            return Err(own("manifest.json"));
        }
        for (name, content) in &files {
            match manifest.files.get(name) {
                None => return Err(own(name)),
                Some(digest) if *digest != Digest::of(content) => return Err((name.clone(), "HASH_FAILURE")),
                Some(_) => {}
            }
        }
        match manifest.files.keys().find(|name| !files.contains_key(*name)) {
            Some(missing) => Err(own(missing)),
            None => Ok(Self { manifest, files }),
        }
    }

    /// True for the bytes of an archive.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        // Of a zip file's first entry: 30 bytes, then its name, then its content as it is.
        bytes.get(30..38) == Some(b"mimetype")
            && bytes.get(38..38 + MIME_TYPE.len()) == Some(MIME_TYPE.as_bytes())
    }

    /// A file as text; empty when there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let file = self.files.get(name).map(Vec::as_slice).unwrap_or_default();
        std::str::from_utf8(file).unwrap_or_default()
    }

    /// The records with their positions.
    ///
    /// # Errors
    /// The first bad record's position, and what is wrong with it.
    pub fn records(&self) -> Result<Vec<(u64, &[u8])>, (u64, String)> {
        let segment = self.files.get(RECORDS).map(Vec::as_slice).unwrap_or_default();
        let first = self.manifest.first;
        let records = files::records(segment).map_err(|(at, why)| (first + at, why))?;
        Ok((first..).zip(records).collect())
    }

    /// The timestamps.
    #[must_use]
    pub fn stamps(&self) -> Vec<Stamp> {
        serde_json::from_str(self.text(STAMPS)).unwrap_or_default()
    }

    /// The certificates that records and checkpoints were signed with.
    #[must_use]
    pub fn certificates(&self) -> Vec<Certificate> {
        Certificate::list_from_pem(self.text(CERTIFICATES)).unwrap_or_default()
    }

    /// The tree over all up to its end.
    fn after(&self) -> anyhow::Result<Frontier> {
        let mut tree = self.manifest.before.clone();
        let records = self
            .records()
            .map_err(|(at, why)| anyhow::anyhow!("record {at}: {why}"))?;
        records
            .iter()
            .for_each(|(_, record)| tree.push(leaf_hash(record)));
        Ok(tree)
    }
}

const RECORDS: &str = "records.seg";
/// The checkpoints within the records, one a line.
pub const CHECKPOINTS: &str = "checkpoints.jws";
const STAMPS: &str = "stamps.json";
const CERTIFICATES: &str = "certificates.pem";
/// The node's certificate when the archive was made.
pub const NODE: &str = "node.pem";
/// The directory as the hub signed it.
pub const DIRECTORY: &str = "directory.jws";
/// The hub's certificate.
pub const HUB: &str = "hub.pem";

/// The archives of a folder, the first one first.
///
/// # Errors
/// When the folder cannot be read.
pub fn listed(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_one = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with(STREAM) && name.ends_with(".archive")
    };
    let mut all: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_one)
        .collect();
    all.sort();
    Ok(all)
}

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
fn roots(log: &Path) -> anyhow::Result<Vec<(Checkpoint, String)>> {
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
        let mut named = BTreeSet::new();
        for (_, bytes) in &records {
            tree.push(leaf_hash(bytes));
            let record: Evidence = envelope::read(bytes)?;
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
        let origin = within
            .last()
            .map(|(root, _)| root.origin.clone())
            .unwrap_or_default();
        let stamps: Vec<Stamp> = stamps.into_iter().map(Stamp::of).collect();
        let lines: String = within.iter().map(|(_, line)| format!("{line}\n")).collect();
        let files = [
            (
                RECORDS,
                files::segment(records.iter().map(|(_, bytes)| bytes.as_slice())),
            ),
            (CHECKPOINTS, lines.into_bytes()),
            (STAMPS, serde_json::to_vec(&stamps)?),
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
                .map(|(name, bytes)| ((*name).to_owned(), Digest::of(bytes)))
                .collect(),
            first,
        };
        let manifest = serde_json::to_vec_pretty(&manifest)?;
        let own = [
            ("mimetype", MIME_TYPE.as_bytes().to_vec()),
            ("manifest.json", manifest),
        ];
        Ok((zipped(own.into_iter().chain(files))?, tree))
    }
}

fn zipped(files: impl Iterator<Item = (&'static str, Vec<u8>)>) -> anyhow::Result<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let method = match name {
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
