//! Archive files of evidence: a part of a node's log as it stands there, up to a signed root, with all that a
//! check needs years later: checkpoints, timestamps, certificates, the signed directory. Each names the
//! digest of the one before it. Never a judgement: that is the check's.

mod write;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::STREAM;
use exchange::evidence::Stamped;
use kernel::Digest;
use seal::certificate::Certificate;
use seal::merkle::{Frontier, leaf_hash};
use serde::{Deserialize, Serialize};
use store::log::files;

pub(crate) use write::roots;
pub use write::write_all;

/// The form of this release.
pub const FORM: &str = "sen-evidence-archive/1";
/// The content of an archive's first file.
pub const MIME_TYPE: &str = "application/vnd.sen.evidence-archive+zip";
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

/// Records, each with its position in the log.
pub type Positioned<'a> = Vec<(u64, &'a [u8])>;

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
    pub fn records(&self) -> Result<Positioned<'_>, (u64, String)> {
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
    pub(crate) fn after(&self) -> anyhow::Result<Frontier> {
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
/// The agreements that the records name, each with both signatures, as the node holds them.
pub const AGREEMENTS: &str = "agreements.json";
/// The node's certificate when the archive was made.
pub const NODE: &str = "node.pem";
/// The directory as the hub signed it.
pub const DIRECTORY: &str = "directory.jws";
/// The file of a signed directory that was in force when something was stamped, by its digest.
#[must_use]
pub fn directory_file(hash: &Digest) -> String {
    format!("directories/{}.jws", hash.hex())
}

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
