//! Checking a log, a node's folder or a nation's: every record's checksum, every checkpoint's root
//! and signature, every fact's link to the one before it, every seal in the evidence. Reads files
//! only: a running node may go on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use exchange::envelope::{self, Evidence, Kept};
use exchange::message::{AnswerHead, RequestHead, request_hash};
use kernel::{Digest, FactRecord, OrgCode, Time};
use seal::batch::RootCache;
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use seal::error::SealError;
use seal::jws::{self, PublicKey};
use seal::verdict::Verdict;
use store::log::checkpoint::{self, Checkpoint};
use store::log::files;

use super::certificates::{Kept as KeptCertificates, Sealers};

/// Checks a folder.
///
/// # Errors
/// When it is none of the three kinds.
pub fn verify(path: &Path, trust: &Trust, now: Time) -> anyhow::Result<Verdict> {
    if has_segments(path) {
        return Ok(log(path, None, trust, now).unwrap_or_else(|bad| bad));
    }
    let with_keys = nodes_of(path)?
        .into_iter()
        .map(|folder| (folder.join("keys"), folder));
    nodes(with_keys, trust, now)
}

/// The folders of nodes that a path names: itself, or those in it.
///
/// # Errors
/// When there is none.
pub(super) fn nodes_of(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
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
    Ok(folders)
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

/// The node whose folder it is, as its checkpoints are signed.
pub(super) struct Signer<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) chain: &'a [Certificate],
    pub(super) kept: KeptCertificates,
}

impl<'a> Signer<'a> {
    pub(super) fn of(certificate: &'a Certificate, chain: &'a [Certificate], folder: &Path) -> Self {
        Self {
            certificate,
            chain,
            kept: KeptCertificates::of(folder),
        }
    }

    /// Why a certificate that the node kept is not known to have been its own at an instant.
    fn fault_of_former(&self, former: &Certificate, at: Time, trust: &Trust) -> Option<PathFault> {
        if former.common_name() != self.certificate.common_name() {
            return Some(PathFault::Constraints);
        }
        trust.path(former, self.chain, at, Usage::NodeTls).err()
    }
}

/// A node's certificate and its issuers.
pub(super) fn own(folder: &Path, keys: &Path) -> Result<(Certificate, Vec<Certificate>), Verdict> {
    let named = |why: String| Verdict::failed(why, folder.display().to_string());
    let own = keys.join("node.pem");
    let pem = std::fs::read_to_string(&own).map_err(|e| named(format!("{}: {e}", own.display())))?;
    let mut chain = Certificate::list_from_pem(&pem).map_err(|e| named(e.to_string()))?;
    if chain.is_empty() {
        return Err(named(format!("{} holds no certificate", own.display())));
    }
    let certificate = chain.remove(0);
    Ok((certificate, chain))
}

/// Checks a node's folder: its streams one after the other.
fn node(folder: &Path, keys: &Path, trust: &Trust, now: Time) -> Result<Verdict, Verdict> {
    let (certificate, chain) = own(folder, keys)?;
    let signer = Signer::of(&certificate, &chain, folder);
    let mut verdict = None;
    for stream in children(&folder.join("logs"))
        .into_iter()
        .filter(|p| has_segments(p))
    {
        let whole = log(&stream, Some(&signer), trust, now)?;
        let what = stream
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let undecided = match what.as_str() {
            "facts" => facts(&stream).map(|()| None)?,
            _ => evidence(&stream, folder, trust, now)?,
        };
        verdict = Some(worse(verdict, whole));
        if let Some(undecided) = undecided {
            verdict = Some(worse(verdict, undecided));
        }
    }
    verdict.ok_or_else(|| Verdict::failed("the node has no log yet", folder.display().to_string()))
}

/// Checks one stream's bytes, roots and checkpoints.
fn log(dir: &Path, signer: Option<&Signer<'_>>, trust: &Trust, now: Time) -> Result<Verdict, Verdict> {
    let report = files::verify(dir);
    if let Some(position) = report.first_bad {
        return Err(Verdict::failed(
            report.why,
            format!("{} record {position}", dir.display()),
        ));
    }
    let checkpoints = checkpoint::read(dir);
    let latest = checkpoints.last().map(|c| c.at);
    let Some(signer) = signer else {
        return Ok(Verdict::indeterminate("NO_CERTIFICATE_CHAIN_FOUND").by("", latest));
    };
    let name = signer.certificate.common_name();
    let undecided = signatures(dir, signer, trust)?;
    match trust.path(signer.certificate, signer.chain, now, Usage::NodeTls) {
        Ok(()) => Ok(undecided.unwrap_or_else(|| Verdict::passed(name, latest.unwrap_or(now)))),
        Err(fault) => Ok(Verdict::of_path(&fault).by(name, latest)),
    }
}

/// The checkpoints beside a log.
fn signatures(dir: &Path, signer: &Signer<'_>, trust: &Trust) -> Result<Option<Verdict>, Verdict> {
    let path = dir.join(checkpoint::FILE);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    // A line cut short by a crash is no line.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    signed(whole, &path.display().to_string(), signer, trust)
}

/// Every checkpoint must be the node's own, by the certificate it has or by one that it had and kept. Gives
/// why one is not decided; `name` is what the verdict names.
pub(super) fn signed(
    lines: &str,
    name: &str,
    signer: &Signer<'_>,
    trust: &Trust,
) -> Result<Option<Verdict>, Verdict> {
    let place = |line: usize| format!("{name} line {}", line + 1);
    let bad = |line: usize, why: String| Verdict::failed(why, place(line));
    let own = PublicKey::from_certificate(signer.certificate).map_err(|e| bad(0, e.to_string()))?;
    let mut undecided = None;
    for (number, line) in lines.lines().enumerate() {
        let wrong = |e: SealError| bad(number, e.to_string());
        let former = jws::certificate_named(line).filter(|named| *named != signer.certificate.thumbprint());
        let former = former.and_then(|named| signer.kept.get(&named));
        let key = match &former {
            Some(former) => PublicKey::from_certificate(former).map_err(wrong)?,
            None => own.clone(),
        };
        let payload = jws::verify(line, checkpoint::TYP, |_| Some(key.clone())).map_err(wrong)?;
        let Some(former) = former else { continue };
        let said: Checkpoint = serde_json::from_slice(&payload).map_err(|e| bad(number, e.to_string()))?;
        if let Some(fault) = signer.fault_of_former(&former, said.at, trust) {
            let verdict = Verdict::of_path(&fault).by(former.common_name(), Some(said.at));
            undecided = undecided.or(Some(Verdict {
                first_bad: Some(place(number)),
                ..verdict
            }));
        }
    }
    Ok(undecided)
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

/// Every message kept must carry a seal that holds, by the certificate of its time, every answer be to its
/// request, and every body that is still kept be the one that was signed. Gives why a certificate is not known to have been good.
fn evidence(dir: &Path, node: &Path, trust: &Trust, now: Time) -> Result<Option<Verdict>, Verdict> {
    let sealers =
        Sealers::of(node, trust).map_err(|e| Verdict::failed(e.to_string(), node.display().to_string()))?;
    let roots = RootCache::default();
    let mut undecided = None;
    each(dir, |position, bytes| {
        if let (Some(doubt), true) = (exchange(bytes, &sealers, &roots)?, undecided.is_none()) {
            let first_bad = Some(format!("{} record {position}", dir.display()));
            undecided = Some(Verdict { first_bad, ..doubt });
        }
        super::bodies::kept(bytes, node, now)
    })?;
    Ok(undecided)
}

/// One record of evidence; gives why a certificate is not known to have been good.
pub(super) fn exchange(
    bytes: &[u8],
    sealers: &Sealers,
    roots: &RootCache,
) -> Result<Option<Verdict>, String> {
    let record: Evidence = envelope::read(bytes).map_err(|p| p.to_string())?;
    let head = RequestHead::parse(&record.request.head).map_err(|p| p.to_string())?;
    let doubt = sealed(&head.consumer.org, &record.request, sealers, roots)?;
    let Some(answer) = &record.answer else {
        return Ok(doubt);
    };
    answers(&record.request, &head, answer)?;
    let of_answer = sealed(&head.service.org, answer, sealers, roots)?;
    Ok(doubt.or(of_answer))
}

/// The seal must hold; gives why its certificate is not known to have been good then.
fn sealed(
    org: &OrgCode,
    kept: &Kept,
    sealers: &Sealers,
    roots: &RootCache,
) -> Result<Option<Verdict>, String> {
    let at = Time(kept.sealed.signing_time);
    let (certificate, fault) = sealers.of_message(org, &Digest(kept.sealed.certificate), at)?;
    seal::batch::verify(&kept.parts(), &kept.sealed, &certificate, roots).map_err(|e| e.to_string())?;
    Ok(fault.map(|fault| Verdict::of_path(&fault).by(certificate.common_name(), Some(at))))
}

/// The answer must be to this very request.
fn answers(request: &Kept, head: &RequestHead, answer: &Kept) -> Result<(), String> {
    let said = AnswerHead::parse(&answer.head).map_err(|p| p.to_string())?;
    let parts = request.parts();
    if said.request == head.request && said.request_hash == request_hash(&parts.head, &parts.body) {
        Ok(())
    } else {
        Err("the answer is to another request".to_owned())
    }
}

/// Walks a stream's records; the first fault names its record.
fn each(dir: &Path, mut check: impl FnMut(u64, &[u8]) -> Result<(), String>) -> Result<(), Verdict> {
    files::each(dir, |position, bytes| {
        check(position, bytes).map_err(|why| (position, why))
    })
    .map_err(|(position, why)| Verdict::failed(why, format!("{} record {position}", dir.display())))
}

pub(super) fn has_segments(path: &Path) -> bool {
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
