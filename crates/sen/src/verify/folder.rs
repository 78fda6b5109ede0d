//! Checking a log, a node's folder or a nation's: every record's checksum, every checkpoint's root
//! and signature, every fact's link to the one before it, every seal in the evidence. Reads files
//! only: a running node may go on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use exchange::envelope::{self, Evidence, Kept};
use exchange::message::{AnswerHead, RequestHead};
use kernel::{Digest, FactRecord, Time};
use seal::batch::RootCache;
use seal::certificate::{Certificate, Trust, Usage};
use seal::jws::{self, PublicKey};
use seal::verdict::Verdict;
use store::log::{checkpoint, files};

use crate::backup::site::hub_of;

/// Checks a folder.
///
/// # Errors
/// When it is none of the three kinds.
pub fn verify(path: &Path, trust: &Trust, now: Time) -> anyhow::Result<Verdict> {
    if has_segments(path) {
        return Ok(log(path, None, trust, now).unwrap_or_else(|bad| bad));
    }
    let folders = if path.join("logs").is_dir() {
        vec![path.to_owned()]
    } else {
        let inside = children(path).into_iter();
        inside.filter(|p| p.join("logs").is_dir()).collect()
    };
    anyhow::ensure!(
        !folders.is_empty(),
        "{} is neither an evidence log nor a data folder",
        path.display()
    );
    let with_keys = folders.into_iter().map(|folder| (folder.join("keys"), folder));
    nodes(with_keys, trust, now)
}

/// Checks nodes, each given by the folder of its keys and its own.
///
/// # Errors
/// When there is none.
pub(super) fn nodes(
    nodes: impl Iterator<Item = (PathBuf, PathBuf)>,
    trust: &Trust,
    now: Time,
) -> anyhow::Result<Verdict> {
    let mut verdict = None;
    for (keys, folder) in nodes {
        match node(&folder, &keys, trust, now) {
            Ok(whole) => verdict = Some(worse(verdict, whole)),
            Err(bad) => return Ok(bad),
        }
    }
    verdict.context("no node was checked")
}

/// Undecided beats passed.
fn worse(before: Option<Verdict>, now: Verdict) -> Verdict {
    match before {
        Some(before) if !before.is_passed() => before,
        _ => now,
    }
}

/// Checks a node's folder: its streams one after the other.
fn node(folder: &Path, keys: &Path, trust: &Trust, now: Time) -> Result<Verdict, Verdict> {
    let named = |why: String| Verdict::failed(why, folder.display().to_string());
    let own = keys.join("node.pem");
    let pem = std::fs::read_to_string(&own).map_err(|e| named(format!("{}: {e}", own.display())))?;
    let mut chain = Certificate::list_from_pem(&pem).map_err(|e| named(e.to_string()))?;
    if chain.is_empty() {
        return Err(named(format!("{} holds no certificate", own.display())));
    }
    let signer = chain.remove(0);
    let mut verdict = None;
    for stream in children(&folder.join("logs"))
        .into_iter()
        .filter(|p| has_segments(p))
    {
        let whole = log(&stream, Some((&signer, &chain)), trust, now)?;
        let what = stream
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match what.as_str() {
            "facts" => facts(&stream)?,
            _ => evidence(&stream, folder)?,
        }
        verdict = Some(worse(verdict, whole));
    }
    verdict.ok_or_else(|| named("the node has no log yet".to_owned()))
}

/// Checks one stream's bytes, roots and checkpoints.
fn log(
    dir: &Path,
    signer: Option<(&Certificate, &[Certificate])>,
    trust: &Trust,
    now: Time,
) -> Result<Verdict, Verdict> {
    let report = files::verify(dir);
    if let Some(position) = report.first_bad {
        return Err(Verdict::failed(
            report.why,
            format!("{} record {position}", dir.display()),
        ));
    }
    let checkpoints = checkpoint::read(dir);
    let latest = checkpoints.last().map(|c| c.at);
    let Some((certificate, chain)) = signer else {
        return Ok(Verdict::indeterminate("NO_CERTIFICATE_CHAIN_FOUND").by("", latest));
    };
    let name = certificate.common_name();
    signatures(dir, certificate)?;
    match trust.path(certificate, chain, now, Usage::NodeTls) {
        Ok(()) => Ok(Verdict::passed(name, latest.unwrap_or(now))),
        Err(fault) => Ok(Verdict::of_path(&fault).by(name, latest)),
    }
}

/// Every checkpoint must be the node's own.
fn signatures(dir: &Path, certificate: &Certificate) -> Result<(), Verdict> {
    let path = dir.join(checkpoint::FILE);
    let bad =
        |line: usize, why: String| Verdict::failed(why, format!("{} line {}", path.display(), line + 1));
    let key = PublicKey::from_certificate(certificate).map_err(|e| bad(0, e.to_string()))?;
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for (number, line) in whole.lines().enumerate() {
        jws::verify(line, checkpoint::TYP, |_| Some(key.clone())).map_err(|e| bad(number, e.to_string()))?;
    }
    Ok(())
}

/// Every fact must link to the one before it of the same subject, by number and digest.
fn facts(dir: &Path) -> Result<(), Verdict> {
    let mut last: HashMap<(String, String), (u64, Digest)> = HashMap::new();
    each(dir, |position, bytes| {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let record: FactRecord = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let key = (record.tenant.to_string(), record.subject.clone());
        let (seq, prev) = last.get(&key).copied().unwrap_or_default();
        if record.seq != seq + 1 || record.prev != prev {
            return Err(format!(
                "the chain of {} breaks at its fact {} (record {position})",
                record.subject, record.seq
            ));
        }
        last.insert(key, (record.seq, FactRecord::digest(text)));
        Ok(())
    })
}

/// Every message kept must carry a seal that holds, by the certificate of the directory on disk.
fn evidence(dir: &Path, node: &Path) -> Result<(), Verdict> {
    let certificates =
        certificates(node).map_err(|e| Verdict::failed(e.to_string(), node.display().to_string()))?;
    let roots = RootCache::default();
    each(dir, |_, bytes| {
        let record: Evidence = envelope::read(bytes).map_err(|p| p.to_string())?;
        RequestHead::parse(&record.request.head).map_err(|p| p.to_string())?;
        sealed(&record.request, &certificates, &roots)?;
        if let Some(answer) = &record.answer {
            AnswerHead::parse(&answer.head).map_err(|p| p.to_string())?;
            sealed(answer, &certificates, &roots)?;
        }
        Ok(())
    })
}

fn sealed(kept: &Kept, certificates: &HashMap<Digest, Certificate>, roots: &RootCache) -> Result<(), String> {
    let certificate = certificates
        .get(&Digest(kept.sealed.certificate))
        .ok_or("a message is sealed by a certificate that the directory does not know")?;
    seal::batch::verify(&kept.parts(), &kept.sealed, certificate, roots).map_err(|e| e.to_string())
}

/// The members' certificates of the directory on disk, checked against the hub's.
fn certificates(node: &Path) -> anyhow::Result<HashMap<Digest, Certificate>> {
    let hub = hub_of(node);
    let hub = Certificate::from_pem(
        &std::fs::read_to_string(&hub).with_context(|| format!("cannot read {}", hub.display()))?,
    )?;
    let token = std::fs::read_to_string(node.join("directory.jws"))?;
    let snapshot =
        directory::snapshot::read(&token, &hub).map_err(|p| anyhow::anyhow!("directory.jws: {p}"))?;
    let mut all = HashMap::new();
    for member in snapshot.members {
        for certificate in Certificate::list_from_pem(&member.certificate_pem)? {
            all.insert(certificate.thumbprint(), certificate);
        }
    }
    Ok(all)
}

/// Walks a stream's records; the first fault names its record.
fn each(dir: &Path, mut check: impl FnMut(u64, &[u8]) -> Result<(), String>) -> Result<(), Verdict> {
    files::each(dir, |position, bytes| {
        check(position, bytes).map_err(|why| (position, why))
    })
    .map_err(|(position, why)| Verdict::failed(why, format!("{} record {position}", dir.display())))
}

fn has_segments(path: &Path) -> bool {
    children(path)
        .iter()
        .any(|p| p.extension().is_some_and(|e| e == "seg"))
}

fn children(path: &Path) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(path)
        .map(|d| d.filter_map(Result::ok).map(|f| f.path()).collect())
        .unwrap_or_default();
    list.sort();
    list
}
