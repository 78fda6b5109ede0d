//! The list in a folder of exported containers: which exchange each file is of, and its digest; and the
//! check of such a folder. The list is no proof: each container is one by itself.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Digest, Time};
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use seal::verdict::{Indication, Verdict};
use serde::{Deserialize, Serialize};

/// The list's name in the folder.
pub const FILE: &str = "manifest.json";
/// The folder in it of the signed directories, each by its digest: they say what was revoked when.
pub const DIRECTORIES: &str = "directories";
/// The hub's certificate, by which they are believed.
pub const HUB: &str = "hub.pem";
/// The form of this release.
pub const FORM: &str = "sen-evidence-export/1";

/// What is in a folder of exported containers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORM`].
    pub form: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// The files.
    pub files: Vec<Entry>,
}

/// One container.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place in the folder.
    pub file: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: Digest,
    /// `request` or `answer`.
    pub part: String,
    /// The node whose record it is; empty when there is only one.
    pub node: String,
    /// The exchange's id.
    pub request: String,
    /// `consumer` or `provider`.
    pub side: String,
    /// The record's position in that node's log.
    pub position: u64,
    /// Who asked.
    pub consumer: String,
    /// What was asked.
    pub service: String,
    /// The hash of the agreement.
    pub agreement: String,
    /// The case that caused it.
    pub case: Option<String>,
    /// When it began, RFC 3339.
    pub began: String,
    /// `ok`, `refused` or `fault`.
    pub result: String,
    /// SHA-256 of the signed directory in force when it was stamped, in [`DIRECTORIES`]; none without a timestamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<Digest>,
}

/// True for a folder of exported containers.
#[must_use]
pub fn is_export(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

/// Checks every container of a folder: its bytes against the list, then the container by itself. The first
/// that is wrong decides, then the first that is undecided; `first_bad` names the file.
///
/// # Errors
/// When the list cannot be read.
pub fn verify(folder: &Path, trust: &Trust, now: Time) -> anyhow::Result<Verdict> {
    let path = folder.join(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .with_context(|| format!("{} is no list of exported evidence", path.display()))?;
    ensure!(
        manifest.form == FORM,
        "{}: the form {} is not known here: use a later release",
        path.display(),
        manifest.form
    );
    let mut worst: Option<Verdict> = None;
    for entry in &manifest.files {
        let verdict = one(folder, entry, trust, now);
        if verdict.indication == Indication::TotalFailed {
            return Ok(verdict);
        }
        if worst.as_ref().is_none_or(Verdict::is_passed) {
            worst = Some(verdict);
        }
    }
    if let Some(stranger) = stranger(folder, &manifest)? {
        return Ok(Verdict::failed("FORMAT_FAILURE", stranger));
    }
    worst.with_context(|| format!("{} lists no container", path.display()))
}

fn one(folder: &Path, entry: &Entry, trust: &Trust, now: Time) -> Verdict {
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
    if !entry.file.split('/').all(plain) {
        return Verdict::failed("FORMAT_FAILURE", format!("{FILE} {}", entry.file));
    }
    let Ok(bytes) = std::fs::read(folder.join(&entry.file)) else {
        return Verdict::failed("FORMAT_FAILURE", entry.file.clone());
    };
    let verdict = crate::verify::known::judged(seal::asice::verify(&bytes, trust, now), &bytes, trust);
    // What the container says of itself tells more than its digest.
    if verdict.indication != Indication::TotalFailed && Digest::of(&bytes) != entry.sha256 {
        return Verdict::failed("HASH_FAILURE", entry.file.clone());
    }
    let verdict = match (&entry.directory, verdict.is_passed()) {
        (Some(directory), true) => not_revoked(folder, directory, &bytes, trust, verdict),
        _ => verdict,
    };
    if verdict.is_passed() {
        return verdict;
    }
    let first_bad = match &verdict.first_bad {
        Some(inside) => format!("{} {inside}", entry.file),
        None => entry.file.clone(),
    };
    Verdict {
        first_bad: Some(first_bad),
        ..verdict
    }
}

/// The verdict on a container that passes by itself, with what the signed directory of its time says of its
/// seal.
fn not_revoked(folder: &Path, directory: &Digest, zip: &[u8], trust: &Trust, passed: Verdict) -> Verdict {
    let name = format!("{DIRECTORIES}/{}.jws", directory.hex());
    let bad = |why: String| Verdict::failed(why, name.clone());
    let token = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
    if Digest::of(token.as_bytes()) != *directory {
        return bad("HASH_FAILURE".to_owned());
    }
    let hub = std::fs::read_to_string(folder.join(HUB)).unwrap_or_default();
    let hub = Certificate::list_from_pem(&hub).unwrap_or_default();
    let Some((hub, issuers)) = hub.split_first() else {
        return Verdict::failed("FORMAT_FAILURE", HUB);
    };
    let said = match directory::snapshot::read(&token, hub) {
        Ok(said) => said,
        Err(problem) => return bad(problem.to_string()),
    };
    if let Err(fault) = trust.path(hub, issuers, said.issued, Usage::Seal) {
        return Verdict::of_path(&fault).by(hub.common_name(), Some(said.issued));
    }
    let Some(seal) = seal_of(zip) else {
        return Verdict::failed("FORMAT_FAILURE", "META-INF/signatures.xml");
    };
    let at = passed.signed_at.unwrap_or(said.issued);
    let is_revoked = |one: &directory::snapshot::Revoked| one.thumbprint == seal.thumbprint() && one.at <= at;
    if said.revoked.iter().any(is_revoked) {
        return Verdict::of_path(&PathFault::Revoked).by(seal.common_name(), passed.signed_at);
    }
    passed
}

/// The certificate of a container that passed: the first one in its signature file.
fn seal_of(zip: &[u8]) -> Option<Certificate> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).ok()?;
    let mut text = String::new();
    let mut file = archive.by_name("META-INF/signatures.xml").ok()?;
    file.read_to_string(&mut text).ok()?;
    let (_, behind) = text.split_once("X509Certificate>")?;
    let (base64, _) = behind.split_once('<')?;
    let plain: String = base64.split_whitespace().collect();
    Certificate::from_der(&STANDARD.decode(plain).ok()?).ok()
}

/// A container that the list does not name.
fn stranger(folder: &Path, manifest: &Manifest) -> anyhow::Result<Option<String>> {
    let listed: BTreeSet<&str> = manifest.files.iter().map(|entry| entry.file.as_str()).collect();
    let mut found = Vec::new();
    gather(folder, "", &mut found)?;
    Ok(found
        .into_iter()
        .find(|file| file.ends_with(".asice") && !listed.contains(file.as_str())))
}

/// The files of a folder and of those directly in it.
fn gather(folder: &Path, below: &str, found: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && below.is_empty() {
            gather(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push(format!("{below}{name}"));
        }
    }
    Ok(())
}
