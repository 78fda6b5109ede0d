//! Checking archives of evidence: every record's seal, the signed roots over them, the timestamps, and that
//! each archive goes on where the one before it ended. From their bytes alone.

use std::collections::HashSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::envelope::{self, Evidence, Kept};
use kernel::{Digest, Time};
use seal::batch::{RootCache, signatures_xml};
use seal::certificate::{Certificate, Trust, Usage};
use seal::error::SealError;
use seal::hashchain::{Chain, ts_hashchainresult_xml};
use seal::jws;
use seal::merkle::leaf_hash;
use seal::timestamp;
use seal::verdict::{Indication, Verdict};
use store::log::checkpoint::Checkpoint;

use super::certificates::{Kept as KeptCertificates, Sealers};
use super::folder::{self, Signer};
use crate::evidence::archive::{Archive, CHECKPOINTS, DIRECTORY, HUB, NODE, Stamp, listed};

/// Checks one archive by itself.
#[must_use]
pub fn verify(bytes: &[u8], trust: &Trust, now: Time) -> Verdict {
    match Archive::read(bytes) {
        Ok(archive) => check(&archive, trust, now).unwrap_or_else(|bad| bad),
        Err((file, why)) => Verdict::failed(why, file),
    }
}

/// True for a folder of archives.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    listed(path).is_ok_and(|all| !all.is_empty())
}

/// Checks the archives of a folder, each by itself and each behind the one before. The first that is wrong
/// decides, then the first that is undecided; `first_bad` names the file.
///
/// # Errors
/// When a file cannot be read.
pub fn folder(path: &Path, trust: &Trust, now: Time) -> anyhow::Result<Verdict> {
    let (mut before, mut worst): (Option<(String, Digest, u64)>, Option<Verdict>) = (None, None);
    for file in listed(path)? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&file)?;
        let mut verdict = verify(&bytes, trust, now);
        let inside = verdict.first_bad.take().unwrap_or_default();
        verdict.first_bad = (!verdict.is_passed()).then(|| format!("{name} {inside}").trim_end().to_owned());
        if verdict.indication == Indication::TotalFailed {
            return Ok(verdict);
        }
        let Ok(archive) = Archive::read(&bytes) else {
            return Ok(Verdict::failed("FORMAT_FAILURE", name));
        };
        let previous = archive.manifest.previous.as_ref();
        let goes_on = match &before {
            Some((file, digest, next)) => {
                archive.manifest.first == *next
                    && previous.is_some_and(|previous| previous.file == *file && previous.sha256 == *digest)
            }
            None => archive.manifest.first == 0 && previous.is_none(),
        };
        if !goes_on {
            return Ok(Verdict::failed(
                "the archive does not go on where the one before it ended",
                name,
            ));
        }
        before = Some((name, Digest::of(&bytes), archive.manifest.next));
        if worst.as_ref().is_none_or(Verdict::is_passed) {
            worst = Some(verdict);
        }
    }
    Ok(worst.unwrap_or_else(|| Verdict::indeterminate("FORMAT_FAILURE")))
}

fn check(archive: &Archive, trust: &Trust, now: Time) -> Result<Verdict, Verdict> {
    let of_file = |name: &'static str| move |why: String| Verdict::failed(why, name);
    let certificates = archive.certificates();
    let kept = || KeptCertificates::these(&certificates);
    let sealers = Sealers::by(archive.text(HUB), archive.text(DIRECTORY), kept(), trust);
    let sealers = sealers.map_err(|e| of_file(DIRECTORY)(e.to_string()))?;
    let node = Certificate::list_from_pem(archive.text(NODE)).map_err(|e| of_file(NODE)(e.to_string()))?;
    let Some((own, chain)) = node.split_first() else {
        return Err(of_file(NODE)("no certificate".to_owned()));
    };
    let signer = Signer {
        certificate: own,
        chain,
        kept: kept(),
    };
    let mut undecided = folder::signed(archive.text(CHECKPOINTS), CHECKPOINTS, &signer, trust)?;
    let at = last_root(archive)?;
    let stamps = archive.stamps();
    for stamp in &stamps {
        let doubt =
            stamped(stamp, trust).map_err(|why| Verdict::failed(why, format!("stamp {}", stamp.first)))?;
        undecided = undecided.or(doubt);
    }
    undecided = undecided.or(records(archive, &sealers, &stamps, &certificates)?);
    if let Some(undecided) = undecided {
        return Ok(undecided);
    }
    match trust.path(own, chain, at.min(now), Usage::NodeTls) {
        Ok(()) => Ok(Verdict::passed(own.common_name(), at)),
        Err(fault) => Ok(Verdict::of_path(&fault).by(own.common_name(), Some(at))),
    }
}

/// The roots over the records must be those that were signed, the last one over all of them; gives when that
/// was.
fn last_root(archive: &Archive) -> Result<Time, Verdict> {
    let bad = |position: u64, why: String| Verdict::failed(why, format!("record {position}"));
    let roots = archive.text(CHECKPOINTS).lines().map(|line| {
        let said = jws::peek(line).ok()?;
        serde_json::from_slice::<Checkpoint>(&said).ok()
    });
    let roots: Option<Vec<Checkpoint>> = roots.collect();
    let roots = roots.ok_or_else(|| Verdict::failed("FORMAT_FAILURE", CHECKPOINTS))?;
    let manifest = &archive.manifest;
    let mut tree = manifest.before.clone();
    let mut last = None;
    for (position, record) in archive.records().map_err(|(at, why)| bad(at, why))? {
        tree.push(leaf_hash(record));
        for root in roots.iter().filter(|root| root.size == tree.len()) {
            if root.root != tree.root() || root.stream != manifest.stream || root.origin != manifest.node {
                let why = format!("the records are not those of the checkpoint of {}", root.size);
                return Err(bad(position, why));
            }
            last = Some(root.at);
        }
    }
    match last {
        Some(at) if tree.len() == manifest.next && roots.iter().any(|root| root.size == manifest.next) => {
            Ok(at)
        }
        _ => Err(bad(tree.len(), "no signed root over the last record".to_owned())),
    }
}

/// The token must be over the stamp's leaves; gives why its authority is not decided.
fn stamped(stamp: &Stamp, trust: &Trust) -> Result<Option<Verdict>, String> {
    // Behind the checkpoint stands the signed directory of then, if anything.
    let checkpoint = Digest::of(stamp.checkpoint.as_bytes());
    if !stamp.leaves.iter().rev().take(2).any(|leaf| *leaf == checkpoint) {
        return Err("HASH_FAILURE".to_owned());
    }
    let root = Chain::of_stamp(&stamp.leaves).root();
    let imprint = Digest::of(ts_hashchainresult_xml(&root).as_bytes());
    let token = STANDARD
        .decode(&stamp.token)
        .map_err(|_| "FORMAT_FAILURE".to_owned())?;
    match timestamp::verify_token(&token, &imprint, trust) {
        Ok(_) => Ok(None),
        Err(SealError::Path(fault)) => Ok(Some(Verdict {
            first_bad: Some(format!("stamp {}", stamp.first)),
            ..Verdict::of_path(&fault)
        })),
        Err(why) => Err(why.to_string()),
    }
}

/// Every record's seals must hold, and their signature files be under a stamp.
fn records(
    archive: &Archive,
    sealers: &Sealers,
    stamps: &[Stamp],
    certificates: &[Certificate],
) -> Result<Option<Verdict>, Verdict> {
    let (roots, mut undecided, mut seen) = (RootCache::default(), None, HashSet::new());
    let kept = KeptCertificates::these(certificates);
    let mut spans = stamps.iter().peekable();
    let mut leaves: HashSet<Digest> = HashSet::new();
    let mut span_end = 0;
    for (position, bytes) in archive.records().unwrap_or_default() {
        let bad = |why: String| Verdict::failed(why, format!("record {position}"));
        if let Some(doubt) = folder::exchange(bytes, sealers, &roots).map_err(bad)? {
            let first_bad = Some(format!("record {position}"));
            undecided = undecided.or(Some(Verdict { first_bad, ..doubt }));
        }
        while position >= span_end
            && let Some(span) = spans.next_if(|span| span.first <= position)
        {
            span_end = span.next;
            leaves = span.leaves.iter().copied().collect();
            seen.clear();
        }
        if position >= span_end {
            return Err(bad("no timestamp over it".to_owned()));
        }
        let record: Evidence = envelope::read(bytes).map_err(|p| bad(p.to_string()))?;
        for message in std::iter::once(&record.request).chain(&record.answer) {
            if seen.insert(message.sealed.signature)
                && !leaves.contains(&file_of(message, &kept).unwrap_or_default())
            {
                return Err(bad("its signature is not under the timestamp".to_owned()));
            }
        }
    }
    Ok(undecided)
}

/// The digest of a message's signature file.
fn file_of(message: &Kept, kept: &KeptCertificates) -> Option<Digest> {
    let certificate = kept.get(&Digest(message.sealed.certificate))?;
    let file = signatures_xml(&message.sealed, &message.parts(), &certificate, &[]);
    Some(Digest::of(file.as_bytes()))
}
