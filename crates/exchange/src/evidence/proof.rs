//! What an auditor can follow of one exchange at this node: its messages by their digests, every check
//! with its verdict, the times on record, and the other node's word. Reads only.

use std::sync::Arc;

use directory::Snapshot;
use kernel::{Digest, OrgCode, Problem, Time};
use seal::certificate::{Certificate, PathFault, Trust};
use seal::jws::{self, PublicKey};
use seal::merkle::leaf_hash;
use serde::Serialize;
use store::log::checkpoint::Checkpoint;
use utoipa::ToSchema;
use web::Principal;

use super::body::EvidenceBody;
use super::checks::{self, EvidenceCheck, Place};
use super::over_there::OtherSide;
use super::shelf::{Sealed, Shelf, message};
use crate::endpoint;
use crate::envelope::{self, CONSUMER, Evidence};
use crate::export::Which;
use crate::gateway::{Exchange, Gateway};
use crate::index::Indexed;
use crate::left::EvidenceArchive;
use crate::life::store as agreements;
use crate::message::{AnswerHead, RequestHead};
use crate::store::Stamp;

/// All there is to follow of one exchange.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceProof {
    /// The exchange's id.
    pub(crate) request: String,
    /// What this node has of it: a side, or both when both parties are hosted here.
    pub(crate) sides: Vec<EvidenceSide>,
    /// The other node's word, when the other party is hosted elsewhere.
    pub(crate) other: Option<OtherSide>,
}

/// One side's record.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceSide {
    /// The record as the node's index names it.
    pub(crate) exchange: Indexed,
    /// Method and path behind the service, as the agreement's template; never the path that was sent.
    pub(crate) endpoint: String,
    /// True when the record has an answer.
    pub(crate) answered: bool,
    /// The archive file in which the record lives when it has left the live log: then nothing of it is checked
    /// here.
    pub(crate) archive: Option<EvidenceArchive>,
    /// SHA-256 of the request's head, hex: the same at both nodes; none of a record that has left.
    pub(crate) request_head: Option<String>,
    /// SHA-256 of the answer's head, hex; none when there is no answer.
    pub(crate) answer_head: Option<String>,
    /// Records under the signed checkpoint that holds the record; none before there is one.
    pub(crate) checkpoint: Option<u64>,
    /// What became of the bodies: kept until when, destroyed, or never kept.
    pub(crate) bodies: Vec<EvidenceBody>,
    /// The checks, in the order an auditor takes.
    pub(crate) checks: Vec<EvidenceCheck>,
    /// The times on record, the earliest first.
    pub(crate) timeline: Vec<EvidenceMoment>,
}

/// One time on record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceMoment {
    /// `sent`, `request-sealed`, `left`, `began`, `asked`, `answered`, `served`, `answer-sealed`, `came-back`,
    /// `ended`, `checkpoint` or `stamped`.
    pub(crate) what: &'static str,
    /// Whose clock: an organisation's code, or the timestamp authority's name.
    pub(crate) clock: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

impl EvidenceSide {
    /// What the index still tells of a record that has left the live log.
    fn archived(exchange: Indexed, archive: EvidenceArchive) -> Self {
        let own = exchange.own.clone();
        let moment = |what, at| EvidenceMoment {
            what,
            clock: own.clone(),
            at,
        };
        Self {
            endpoint: String::new(),
            answered: exchange.status != 0,
            archive: Some(archive),
            bodies: Vec::new(),
            request_head: None,
            answer_head: None,
            checkpoint: None,
            checks: Vec::new(),
            timeline: vec![moment("began", exchange.began), moment("ended", exchange.ended)],
            exchange,
        }
    }
}

impl Exchange {
    /// What there is to follow of an exchange; who asks sees their own records only.
    ///
    /// # Errors
    /// 404 when there is none for them.
    pub(crate) async fn proof(&self, who: &Principal, request: &str) -> Result<EvidenceProof, Problem> {
        let shelf = Shelf::of(&*self.0);
        let mut sides = Vec::new();
        for side in self.sides(who, request).await? {
            sides.push(self.0.side(&shelf, side).await?);
        }
        let other = match sides.as_slice() {
            [only] if only.archive.is_none() => self.other_side(only).await,
            _ => None,
        };
        Ok(EvidenceProof {
            request: request.to_owned(),
            sides,
            other,
        })
    }
}

/// What a message is judged by.
struct Known {
    /// Roots of today and of then; what is revoked today.
    trust: Trust,
    /// The same roots; what was revoked when the message was signed.
    of_seal: Trust,
    /// What may stand between the seal and a root.
    issuers: Vec<Certificate>,
}

impl Gateway {
    async fn side(&self, shelf: &Shelf<'_>, exchange: Indexed) -> Result<EvidenceSide, Problem> {
        if let Some(archive) = self.archive_of(exchange.position).await? {
            return Ok(EvidenceSide::archived(exchange, archive));
        }
        let bytes = self.record_bytes(exchange.position).await?;
        let record: Evidence = envelope::read(&bytes)?;
        let head = RequestHead::parse(&record.request.head)?;
        let answer = record.answer.as_ref();
        let answer_head = answer.map(|kept| AnswerHead::parse(&kept.head)).transpose()?;
        let stamp = shelf.stamp(exchange.position).await?;
        let place = self.place(&exchange, &bytes, stamp.as_ref()).await?;
        let mut timeline = Moments::of(
            &record,
            &head,
            place.checkpoint.as_ref().map(|c| c.at),
            &self.node,
        );
        let mut found = Vec::new();
        for which in Which::BOTH {
            let Some((org, kept)) = message(record.clone(), which)? else {
                continue;
            };
            let sealed = Sealed {
                position: exchange.position,
                certificate: self.certificate_of(&org, &kept).await?,
                kept,
            };
            let (checks, stamped) = self.of_message(shelf, which, &org, &sealed, stamp.as_ref()).await;
            found.extend(checks);
            if let (Which::Answer, Some(answer)) = (which, &answer_head) {
                found.push(checks::tie(&record.request, &head, answer));
            }
            timeline.stamped(stamped);
        }
        found.push(self.of_agreement(&head, answer.is_some()).await?);
        found.push(checks::in_log(&place));
        Ok(EvidenceSide {
            endpoint: self.endpoint(&head),
            answered: answer.is_some(),
            archive: None,
            bodies: self.bodies_of(&record),
            request_head: Some(Digest::of(&record.request.head).hex()),
            answer_head: answer.map(|kept| Digest::of(&kept.head).hex()),
            checkpoint: place.checkpoint.as_ref().map(|signed| signed.size),
            checks: found,
            timeline: timeline.sorted(),
            exchange,
        })
    }

    /// The checks of one message, and when and by whom it was stamped.
    async fn of_message(
        &self,
        shelf: &Shelf<'_>,
        which: Which,
        org: &OrgCode,
        sealed: &Sealed,
        stamp: Option<&Stamp>,
    ) -> (Vec<EvidenceCheck>, Option<(String, Time)>) {
        let is_ours = org.instance() == self.directory.instance();
        let then = match stamp {
            Some(stamp) => self.directory_then(stamp).await,
            None => None,
        };
        let Known {
            trust,
            of_seal,
            issuers,
        } = self.known(org, sealed, then.as_deref());
        // Another instance's seals are not what our directory speaks of.
        let said = then.as_deref().filter(|_| is_ours);
        let mut found = checks::of_message(which, sealed, &of_seal, &issuers, said);
        let now = self.directory.trust_of(org);
        if stamp.is_none() && now.revoked.contains(&sealed.certificate.thumbprint()) {
            // Nobody else says that it was signed before the seal was revoked.
            checks::doubt(&mut found, PathFault::Revoked);
        }
        let Some(stamp) = stamp else {
            found.push(
                EvidenceCheck::new("timestamp", which.as_str(), "open").with("reason", "no-timestamp-yet"),
            );
            return (found, None);
        };
        let (check, at) = match shelf.stamp_proof(stamp, sealed).await {
            Ok(proof) => checks::stamped(which, sealed, &proof, &trust),
            Err(_) => {
                let check = EvidenceCheck::new("timestamp", which.as_str(), "failed");
                (check.with("reason", "span-differs"), None)
            }
        };
        let authority = check.details.iter().find(|d| d.name == "authority");
        let by = authority.map(|d| d.value.clone()).unwrap_or_default();
        found.push(check);
        (found, at.map(|at| (by, at)))
    }

    /// What a message is judged by: what the directory says today, and what it said when the message was
    /// stamped. A root, a stamp's authority or an issuer that was taken off the directory since was good then.
    /// The seal is its own instance's to vouch for; the timestamp is this node's.
    fn known(&self, org: &OrgCode, sealed: &Sealed, then: Option<&Snapshot>) -> Known {
        let org = org.top();
        let today = self.directory.snapshot();
        let read = |pem: &String| Certificate::list_from_pem(pem).unwrap_or_default();
        let chain = self.directory.seal_chain(&org);
        let mut issuers = chain.map(|(_, issuers)| issuers).unwrap_or_default();
        let mut trust = Trust::clone(&self.directory.trust());
        trust
            .anchors
            .extend(then.into_iter().flat_map(|then| &then.anchors).flat_map(read));
        let signed = Time(sealed.kept.sealed.signing_time);
        let theirs = self.directory.snapshot_of(org.instance());
        let mut of_seal = Trust::clone(&self.directory.trust_of(&org));
        if org.instance() == self.directory.instance() {
            of_seal.anchors.clone_from(&trust.anchors);
            let members = then.into_iter().flat_map(|then| &then.members);
            let members = members.filter(|member| member.org == org);
            issuers.extend(members.flat_map(|member| read(&member.certificate_pem)));
        }
        let said = then.into_iter().chain([&*today]).chain(theirs.as_deref());
        let revoked = said.flat_map(|said| &said.revoked).filter(|r| r.at <= signed);
        of_seal.revoked = revoked.map(|r| r.thumbprint).collect();
        Known {
            trust,
            of_seal,
            issuers,
        }
    }

    /// The directory that was in force when a record was stamped; none of an earlier release.
    async fn directory_then(&self, stamp: &Stamp) -> Option<Arc<Snapshot>> {
        let hash = stamp.directory?;
        if let Some((kept, said)) = &*self.kept_directory.lock().await
            && *kept == hash
        {
            return Some(Arc::clone(said));
        }
        let token = self.store.blobs().get(&hash).await.ok()?;
        let said = jws::peek(std::str::from_utf8(&token).ok()?).ok()?;
        serde_json::from_slice(&said).ok().map(Arc::new)
    }

    async fn of_agreement(&self, head: &RequestHead, answered: bool) -> Result<EvidenceCheck, Problem> {
        let mut held = None;
        for tenant in self.agreements.tenants.iter() {
            let reader = self.store.read(tenant).await?;
            held = held.or(agreements::signed(&reader, &head.agreement).await?);
        }
        let keys_of = |org: &OrgCode, at| self.agreements.keys_of(org, at);
        Ok(checks::agreement(head, answered, held.as_ref(), &keys_of))
    }

    /// Where the record stands: in the tree of the checkpoint that was stamped with it, else in the
    /// tree as it is now.
    pub(crate) async fn place(
        &self,
        exchange: &Indexed,
        bytes: &[u8],
        stamp: Option<&Stamp>,
    ) -> Result<Place, Problem> {
        let position = exchange.position;
        let signed = match stamp {
            Some(stamp) => self.checkpoint_of(&stamp.checkpoint).await,
            None => None,
        };
        let checkpoint = signed.filter(|checkpoint| checkpoint.size > position);
        let size = match &checkpoint {
            Some(checkpoint) => checkpoint.size,
            None => self.evidence.len().await,
        };
        let root = match &checkpoint {
            Some(checkpoint) => checkpoint.root,
            None => self.evidence.root(size).await?,
        };
        Ok(Place {
            position,
            leaf: leaf_hash(bytes),
            size,
            root,
            path: self.evidence.inclusion(position, size).await?,
            token: checkpoint
                .as_ref()
                .and(stamp)
                .map(|stamp| stamp.checkpoint.clone()),
            checkpoint,
        })
    }

    /// A checkpoint of this node, by the certificate that it had then.
    pub(super) async fn checkpoint_of(&self, token: &str) -> Option<Checkpoint> {
        let named = jws::certificate_named(token);
        let kept = match named {
            Some(thumbprint) => self.certificates.get(&thumbprint).await.ok(),
            None => None,
        };
        let key = match kept {
            Some(certificate) => PublicKey::from_certificate(&certificate).ok()?,
            None => PublicKey::of(&self.keyring.node.key),
        };
        checks::checkpoint_of(token, &key)
    }

    /// Method and path behind the service: the agreement's template for it. The path itself may name a
    /// person.
    pub(crate) fn endpoint(&self, head: &RequestHead) -> String {
        let method = head.rest.method;
        let held = self.agreements.standing(&head.agreement, self.now());
        let endpoints = held.as_ref().map(|s| s.agreement.endpoints.as_slice());
        let endpoints = endpoints.unwrap_or_default();
        let template = endpoints
            .iter()
            .find(|one| endpoint::granted(std::slice::from_ref(one), method, &head.rest.target));
        let path = match template {
            Some(template) => template.path(),
            None if head.rest.path().is_empty() => "",
            None => "/…",
        };
        format!("{method} {path}").trim_end().to_owned()
    }
}

/// The times that a record holds by itself, the earliest first.
pub(super) fn moments(record: &Evidence, head: &RequestHead, node: &str) -> Vec<EvidenceMoment> {
    Moments::of(record, head, None, node).sorted()
}

/// The times on record while they are gathered.
struct Moments(Vec<EvidenceMoment>);

impl Moments {
    fn of(record: &Evidence, head: &RequestHead, checkpoint: Option<Time>, node: &str) -> Self {
        let (consumer, provider) = (head.consumer.org.top(), head.service.org.top());
        let own = if record.side == CONSUMER {
            &consumer
        } else {
            &provider
        };
        let mut moments = Self(Vec::new());
        moments.add("sent", consumer.as_str(), head.sent.ms());
        moments.add(
            "request-sealed",
            consumer.as_str(),
            record.request.sealed.signing_time,
        );
        if record.side != CONSUMER {
            moments.add("began", own.as_str(), record.began);
        }
        let (went, came) = if record.side == CONSUMER {
            ("left", "came-back")
        } else {
            ("asked", "answered")
        };
        for (what, at) in [(went, record.forwarded), (came, record.returned)] {
            if let Some(at) = at {
                moments.add(what, own.as_str(), at);
            }
        }
        if let Some(answer) = &record.answer {
            moments.add("answer-sealed", provider.as_str(), answer.sealed.signing_time);
        }
        // A provider's gateway takes the time before it seals and flushes, a consumer's before it flushes.
        let ended = match &record.answer {
            Some(_) if record.side != CONSUMER => "served",
            _ => "ended",
        };
        moments.add(ended, own.as_str(), record.ended);
        if let Some(at) = checkpoint {
            moments.add("checkpoint", node, at.ms());
        }
        moments
    }

    fn add(&mut self, what: &'static str, clock: &str, at: i64) {
        let clock = clock.to_owned();
        self.0.push(EvidenceMoment { what, clock, at });
    }

    /// Both messages of a record are under one token.
    fn stamped(&mut self, stamped: Option<(String, Time)>) {
        if let Some((authority, at)) = stamped
            && !self.0.iter().any(|moment| moment.what == "stamped")
        {
            self.add("stamped", &authority, at.ms());
        }
    }

    /// The earliest first, what comes first of equal times; the timestamp last: an authority may tell
    /// whole seconds only.
    fn sorted(mut self) -> Vec<EvidenceMoment> {
        self.0
            .sort_by_key(|moment| (moment.what == "stamped", moment.at, step(moment.what)));
        self.0
    }
}

/// The place of a moment within an exchange: the request before the answer.
pub(super) fn step(what: &str) -> usize {
    const STEPS: [&str; 11] = [
        "sent",
        "request-sealed",
        "left",
        "began",
        "asked",
        "answered",
        "served",
        "answer-sealed",
        "came-back",
        "ended",
        "checkpoint",
    ];
    STEPS.iter().position(|step| *step == what).unwrap_or(STEPS.len())
}
