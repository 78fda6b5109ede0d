//! The checks behind "prove this exchange", one by one: what each looked at and what it found. Pure: rows
//! and log are read by `proof`. Never a body, never a path or a header of a message.

use directory::Snapshot;
use kernel::{Digest, Time};
use seal::asice::TimestampProof;
use seal::batch::{self, RootCache};
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use seal::error::{SealError, SealFault};
use seal::hashchain;
use seal::jws::{self, PublicKey};
use seal::timestamp;
use serde::Serialize;
use store::log::checkpoint::{self, Checkpoint};
use utoipa::ToSchema;

use super::shelf::Sealed;
use crate::agreement::{SignedAgreement, signed_at};
use crate::envelope::Kept;
use crate::export::Which;
use crate::message::{AnswerHead, NO_AGREEMENT, RequestHead, request_hash};
use crate::signed::KeysOf;
use crate::timestamping::signature_file;

/// One check.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceCheck {
    /// `hashes`, `chain`, `signature`, `certificate`, `timestamp`, `tie`, `agreement` or `log`.
    pub(crate) check: &'static str,
    /// Of what: `request`, `answer` or `record`.
    pub(crate) of: &'static str,
    /// `passed`, `failed`, or `open` when what is here does not decide it (yet).
    pub(crate) verdict: &'static str,
    /// What was looked at.
    pub(crate) details: Vec<EvidenceDetail>,
}

/// One thing that a check looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceDetail {
    /// What it is: `head`, `body`, `root`, `signed_at`, `reason` …
    pub(crate) name: &'static str,
    /// Its value; digests in hex, instants in RFC 3339.
    pub(crate) value: String,
}

/// The check of a message's certificate.
const CERTIFICATE: &str = "certificate";
/// Of what a check of the whole record is.
pub(super) const RECORD: &str = "record";

impl EvidenceCheck {
    pub(super) const fn new(check: &'static str, of: &'static str, verdict: &'static str) -> Self {
        Self {
            check,
            of,
            verdict,
            details: Vec::new(),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and texts read better without a reference"
    )]
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        let value = value.to_string();
        self.details.push(EvidenceDetail { name, value });
        self
    }

    pub(super) fn at(self, name: &'static str, at: Time) -> Self {
        self.with(name, at.rfc3339())
    }
}

const fn verdict(holds: bool) -> &'static str {
    if holds { "passed" } else { "failed" }
}

/// The digests, the place in the batch, the signature and the certificate of one message; `then` is the
/// directory that was in force when it was stamped, `trust` has what was revoked when it was signed.
pub(super) fn of_message(
    which: Which,
    sealed: &Sealed,
    trust: &Trust,
    issuers: &[Certificate],
    then: Option<&Snapshot>,
) -> Vec<EvidenceCheck> {
    let (of, kept) = (which.as_str(), &sealed.kept);
    let (parts, seal) = (kept.parts(), &kept.sealed);
    let fault = batch::verify(&parts, seal, &sealed.certificate, &RootCache::new(1)).err();
    let form = matches!(
        fault,
        Some(SealFault::TemplateUnknown | SealFault::PathTooLong | SealFault::TimeInvalid)
    );
    let root = hashchain::climb(hashchain::message_leaf(&parts), &seal.path);
    let signed = Time(seal.signing_time);
    let hashes = EvidenceCheck::new("hashes", of, "passed")
        .with("head", parts.head.hex())
        .with("head_bytes", kept.head.len())
        .with("body", parts.body.hex())
        .with("body_bytes", kept.size);
    let chain = EvidenceCheck::new("chain", of, verdict(!form))
        .with("steps", seal.path.len())
        .with("root", root.hex());
    let mut signature = EvidenceCheck::new("signature", of, verdict(fault.is_none()))
        .with("signer", sealed.certificate.common_name())
        .at("signed_at", signed);
    if let Some(fault) = fault {
        signature = signature.with("reason", fault);
    }
    let mut certificate = certificate(of, &sealed.certificate, issuers, trust, signed);
    if let Some(then) = then {
        certificate = certificate
            .with("directory", then.serial)
            .at("directory_at", then.issued);
        certificate = revocation(certificate, &sealed.certificate, then);
    }
    vec![hashes, chain, signature, certificate]
}

/// What the directory of the time rests on: the list of the seal's authority; and where the seal stands on one.
fn revocation(check: EvidenceCheck, seal: &Certificate, then: &Snapshot) -> EvidenceCheck {
    let issued = |authority: &directory::authorities::AuthorityEntry| {
        let known = then.authority_certificate(&authority.certificate);
        known.is_some_and(|known| known.subject_digest() == seal.issuer_digest())
    };
    let list = then.authorities.iter().filter(|a| issued(a));
    let list = list.filter_map(|a| a.crl.as_ref().zip(a.list.as_ref())).next();
    let check = match list {
        Some((source, list)) => check
            .with("list", source)
            .at("list_at", list.this_update)
            .at("list_next", list.next_update),
        None => check,
    };
    let thumbprint = seal.thumbprint();
    match then.revoked.iter().find(|r| r.thumbprint == thumbprint) {
        Some(revoked) => {
            let check = check
                .at("revoked_at", revoked.at)
                .with("revoked_why", &revoked.reason);
            match &revoked.source {
                Some(source) => check.with("revoked_by", source),
                None => check,
            }
        }
        None => check,
    }
}

fn certificate(
    of: &'static str,
    certificate: &Certificate,
    issuers: &[Certificate],
    trust: &Trust,
    signed: Time,
) -> EvidenceCheck {
    let path = trust.path(certificate, issuers, signed, Usage::Seal);
    let found = match &path {
        // Revoked before it signed, or never meant for seals: no later proof can make it good.
        Err(PathFault::Revoked | PathFault::Constraints) => "failed",
        other => of_path(other.as_ref().err()),
    };
    let check = EvidenceCheck::new(CERTIFICATE, of, found)
        .with("subject", certificate.common_name())
        .with("issuer", certificate.issuer_rfc2253())
        .with("serial", certificate.serial_decimal())
        .with("thumbprint", certificate.thumbprint().hex())
        .at("valid_from", certificate.not_before())
        .at("valid_to", certificate.not_after());
    match path {
        Ok(()) => check,
        Err(fault) => check.with("reason", fault.sub_indication()),
    }
}

/// Leaves the certificate of a message open that passed by what was known when it says that it was signed.
pub(super) fn doubt(found: &mut [EvidenceCheck], fault: PathFault) {
    let passed = |check: &&mut EvidenceCheck| check.check == CERTIFICATE && check.verdict == "passed";
    if let Some(check) = found.iter_mut().find(passed) {
        check.verdict = of_path(Some(&fault));
        let (name, value) = ("reason", fault.sub_indication().to_owned());
        check.details.push(EvidenceDetail { name, value });
    }
}

/// A path that is not there decides nothing: the signature may be good all the same.
const fn of_path(fault: Option<&PathFault>) -> &'static str {
    match fault {
        None => "passed",
        Some(_) => "open",
    }
}

/// The timestamp over a message's signature file; the stamped time when it holds.
pub(super) fn stamped(
    which: Which,
    sealed: &Sealed,
    proof: &TimestampProof,
    trust: &Trust,
) -> (EvidenceCheck, Option<Time>) {
    let leaf = Digest::of(signature_file(&sealed.kept, &sealed.certificate).as_bytes());
    let root = hashchain::climb(hashchain::signatures_leaf(&leaf), &proof.path);
    let imprint = Digest::of(hashchain::ts_hashchainresult_xml(&root).as_bytes());
    let check = |verdict| {
        EvidenceCheck::new("timestamp", which.as_str(), verdict)
            .with("signatures", leaf.hex())
            .with("steps", proof.path.len())
            .with("root", root.hex())
    };
    match timestamp::verify_token(&proof.token, &imprint, trust) {
        Ok(info) => {
            let check = check("passed")
                .with("authority", info.authority)
                .with("serial", info.serial)
                .at("stamped_at", info.time);
            (check, Some(info.time))
        }
        Err(SealError::Path(fault)) => {
            let check = check(of_path(Some(&fault))).with("reason", fault.sub_indication());
            (check, None)
        }
        Err(fault) => (check("failed").with("reason", fault), None),
    }
}

/// The answer is to this very request.
pub(super) fn tie(request: &Kept, head: &RequestHead, answer: &AnswerHead) -> EvidenceCheck {
    let parts = request.parts();
    let wanted = request_hash(&parts.head, &parts.body);
    let holds = answer.request_hash == wanted
        && answer.request == head.request
        && answer.consumer == head.consumer
        && answer.service == head.service
        && answer.id == head.rest.id;
    EvidenceCheck::new("tie", Which::Answer.as_str(), verdict(holds)).with("request_hash", wanted)
}

/// The agreement that the request names: whether both parties signed that very text, and it was in its
/// term when the request was sent.
pub(super) fn agreement(
    head: &RequestHead,
    answered: bool,
    held: Option<&SignedAgreement>,
    keys_of: &KeysOf<'_>,
) -> EvidenceCheck {
    if head.agreement == NO_AGREEMENT {
        let free = head.service.is_reserved();
        return EvidenceCheck::new("agreement", RECORD, verdict(free)).with("reason", "metadata-service");
    }
    let check = |verdict| EvidenceCheck::new("agreement", RECORD, verdict).with("hash", head.agreement.hex());
    let Some(both) = held else {
        return check("open").with("reason", "not-held");
    };
    let text = &both.agreement;
    let is_it =
        text.hash() == head.agreement && text.service == head.service && text.consumer == head.consumer;
    let in_term = !answered || text.in_term(head.sent).is_ok();
    // By what the directory says today of that time: a seal that it has forgotten since leaves it open
    // here; the signatures were checked when the agreement was adopted.
    let found = match (is_it && in_term, both.check(keys_of)) {
        (false, _) => "failed",
        (true, Ok(_)) => "passed",
        (true, Err(_)) => "open",
    };
    let mut check = check(found)
        .with("number", &text.id)
        .at("valid_from", text.valid_from)
        .at("valid_to", text.valid_to);
    for (name, word) in [
        ("provider_signed_at", &both.provider_acceptance),
        ("consumer_signed_at", &both.consumer_acceptance),
    ] {
        if let Some(at) = signed_at(word) {
            check = check.at(name, at);
        }
    }
    match found {
        "failed" if !is_it => check.with("reason", "another-agreement"),
        "failed" => check.with("reason", "out-of-term"),
        "open" => check.with("reason", "certificate-renewed"),
        _ => check,
    }
}

/// A checkpoint that this node signed.
pub(super) fn checkpoint_of(token: &str, key: &PublicKey) -> Option<Checkpoint> {
    let payload = jws::verify(token, checkpoint::TYP, |_| Some(key.clone())).ok()?;
    serde_json::from_slice(&payload.into_inner()).ok()
}

/// A record's place in the log.
pub(crate) struct Place {
    pub(super) position: u64,
    pub(crate) leaf: Digest,
    pub(crate) size: u64,
    pub(crate) root: Digest,
    pub(crate) path: Vec<Digest>,
    /// The checkpoint whose root it is; none while there is none that holds the record.
    pub(super) checkpoint: Option<Checkpoint>,
    /// The same as it was signed.
    pub(crate) token: Option<String>,
}

/// The record is in the log, and the node has signed the root that says so.
pub(super) fn in_log(place: &Place) -> EvidenceCheck {
    let holds =
        seal::merkle::verify_inclusion(&place.leaf, place.position, place.size, &place.path, &place.root);
    let found = match &place.checkpoint {
        _ if !holds => "failed",
        Some(_) => "passed",
        None => "open",
    };
    let mut check = EvidenceCheck::new("log", RECORD, found)
        .with("position", place.position)
        .with("leaf", place.leaf.hex())
        .with("size", place.size)
        .with("root", place.root.hex());
    for step in &place.path {
        check = check.with("step", step.hex());
    }
    if let Some(token) = &place.token {
        check = check.with("checkpoint", token);
    }
    match &place.checkpoint {
        Some(signed) => check.at("checkpoint_at", signed.at),
        None => check.with("reason", "no-checkpoint-yet"),
    }
}
