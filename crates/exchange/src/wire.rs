//! The wire between gateways, and only here: one frame message of CBOR to the provider's node and one
//! back (docs/wire.md), or a call in memory when that is this node. Replaceable without touching
//! either half.

use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use directory::snapshot::NodeEntry;
use kernel::{Kind, OrgCode, Problem, Time};
use tokio::time::Instant;
use web::client::ClientError;
use web::{AnswerFrames, Peer};

use crate::again::{self, Again};
use crate::breaker::{Failure, Pass};
use crate::circuits::node_rests;
use crate::envelope::{self, Fault, Piece, Reply, Sent};
use crate::gateway::{Exchange, Gateway};
use crate::ids::ServiceId;
use crate::provider::refuse;
use crate::service::WHOLE_BYTES_MAX;

mod pieces;

/// What an envelope adds to the body it carries, in bytes, at most.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;

/// The largest message on the wire, in bytes. A larger body goes beside its message, in pieces.
#[must_use]
pub fn message_bytes_max(limits: &kernel::limits::Limits) -> usize {
    limits.exchange_body_bytes_max.min(WHOLE_BYTES_MAX) + ENVELOPE_BYTES_MAX
}

/// Whether the service's node may be asked at all, before a request is sealed. Only looks.
///
/// # Errors
/// `node-circuit-open`.
pub(crate) fn may_ask(g: &Gateway, service: &ServiceId, now: Time) -> Result<(), Problem> {
    if !g.node_circuits.any() {
        return Ok(());
    }
    let member = service.org.top();
    let Some(node) = g.directory.node_of(&member) else {
        return Ok(());
    };
    match g.node_circuits.rest_ms(&node.peer, now) {
        0 => Ok(()),
        rest_ms => Err(node_rests(member, &node.id, rest_ms)),
    }
}

/// Carries a request to the service's node and brings the reply. What may be sent again is, while the
/// time lasts and as long as no answer came: the very same bytes, so that it has one effect.
///
/// # Errors
/// `member-unknown`, `node-revoked`, `node-circuit-open`, `provider-unreachable`, `outcome-unknown`,
/// `body-too-large`, `envelope-bad`.
pub(crate) async fn carry(
    g: &Gateway,
    service: &ServiceId,
    sent: Sent,
    again: Again,
) -> Result<Reply, Problem> {
    let member = service.org.top();
    let unknown = || Problem::new(Kind::NotFound, "member-unknown").with("member", &member);
    let node = g.directory.node_of(&member).ok_or_else(unknown)?;
    // Asked on every call: a connection that is open already has passed its handshake long ago.
    let own = g.keyring.node.certificate.thumbprint();
    if g.directory.is_revoked_of(&member, &node.certificate) || g.directory.is_revoked(&own) {
        return Err(Problem::new(Kind::Forbidden, "node-revoked").with("hop", &member));
    }
    if node.id == g.node {
        // Both halves, both signatures, both records: only the socket is in memory.
        return Ok(Box::pin(g.provide(&g.node, sent)).await);
    }
    let way = Way {
        g,
        member: &member,
        node: &node,
    };
    let (mut sent, mut again) = (sent, again);
    if let Some(spool) = sent.message.spool.take() {
        sent.beside = Some(Box::pin(way.bring(&spool)).await?);
        // The other side takes what was brought for one message only.
        again = Again::Never;
    }
    let message = Bytes::from(envelope::write_around(&sent, sent.message.body.len()));
    drop(sent);
    let mut reply = match again {
        Again::Never => {
            let deadline_ms = g.store.limits().exchange_call_ms_max;
            let carried = way.once(message, deadline_ms).await;
            carried.map_err(|missed| missed.problem)?
        }
        Again::Same => Box::pin(way.repeatedly(message)).await?,
    };
    if let (Some(beside), Some(answer)) = (&reply.beside, &mut reply.answer) {
        // What was asked is done: that its answer is out of reach must not be told as never sent.
        let done = |problem: Problem| match problem.code {
            "provider-unreachable" => Problem {
                cause: problem.cause,
                ..way.unknown()
            },
            _ => problem,
        };
        answer.spool = Some(Box::pin(way.fetch(beside)).await.map_err(done)?);
    }
    Ok(reply)
}

/// The way to one node, for one request.
struct Way<'a> {
    g: &'a Gateway,
    member: &'a OrgCode,
    node: &'a NodeEntry,
}

/// Why a request got no reply.
struct Missed {
    problem: Problem,
    /// The transport's reason; `None` when the node was not asked, or answered what is no reply.
    cause: Option<ClientError>,
}

impl Way<'_> {
    /// Sends once, as the node's circuit lets it, and tells the circuit how it went.
    async fn once(&self, message: Bytes, deadline_ms: u64) -> Result<Reply, Missed> {
        let (g, node) = (self.g, self.node);
        let pass = g.node_circuits.enter(&node.peer, g.now());
        let pass = pass.map_err(|wait_ms| Missed {
            problem: node_rests(self.member, &node.id, wait_ms),
            cause: None,
        })?;
        let answer = g.frames.send(&node.peer, message, deadline_ms).await;
        let missed = match answer {
            Ok(answer) => match envelope::read(&answer) {
                Ok(reply) => {
                    g.node_circuits.answered(&node.peer);
                    return Ok(reply);
                }
                Err(e) => Missed {
                    problem: Problem {
                        kind: Kind::Upstream,
                        ..e
                    },
                    cause: None,
                },
            },
            Err(cause) => Missed {
                problem: self.unreachable(cause),
                cause: Some(cause),
            },
        };
        match missed.cause {
            // It is there, and says more than is taken.
            Some(ClientError::TooLarge) => g.node_circuits.answered(&node.peer),
            Some(ClientError::Silent | ClientError::Nameless) => self.failed(pass, Failure::Silent),
            _ => self.failed(pass, Failure::Failed),
        }
        Err(missed)
    }

    fn failed(&self, pass: Pass, failure: Failure) {
        let (g, node) = (self.g, self.node);
        g.node_circuits
            .failed(&node.peer, &node.id, pass, failure, g.now());
    }

    /// Sends, and again after a while when nothing came back, all within the time of one call. Each try
    /// has what is left of it, so that its own end tells whether anything was sent.
    async fn repeatedly(&self, message: Bytes) -> Result<Reply, Problem> {
        let whole = Duration::from_millis(self.g.store.limits().exchange_call_ms_max);
        let begun = Instant::now();
        let (mut tries, mut may_have_acted) = (0, false);
        loop {
            let rest_ms = whole.saturating_sub(begun.elapsed()).as_millis();
            let rest_ms = u64::try_from(rest_ms).unwrap_or(u64::MAX);
            let missed = match self.once(message.clone(), rest_ms).await {
                // It had it before, and what it answered then is lost.
                Ok(reply) if may_have_acted && is_replay(&reply) => return Err(self.unknown()),
                Ok(reply) => return Ok(reply),
                Err(missed) => missed,
            };
            tries += 1;
            let lost = matches!(missed.cause, Some(ClientError::Broken));
            let wait = again::wait(tries, self.g.store.world().random());
            match wait.filter(|wait| begun.elapsed() + *wait < whole) {
                Some(wait) if lost || missed.cause == Some(ClientError::Connect) => {
                    may_have_acted |= lost;
                    metrics::counter!("sen_exchange_sent_again_total").increment(1);
                    tokio::time::sleep(wait).await;
                }
                _ if may_have_acted => return Err(self.unknown()),
                _ => return Err(missed.problem),
            }
        }
    }

    /// The request was on its way, and what became of it was not heard.
    fn unknown(&self) -> Problem {
        Problem::new(Kind::Upstream, "outcome-unknown").with("hop", self.member)
    }

    fn too_large(&self) -> Problem {
        Problem::new(Kind::TooLarge, "body-too-large")
            .with("hop", self.member)
            .with("max", self.g.store.limits().exchange_body_bytes_max)
    }

    fn unreachable(&self, cause: ClientError) -> Problem {
        match cause {
            ClientError::TooLarge => self.too_large(),
            ClientError::Broken | ClientError::Silent | ClientError::Timeout => self.unknown().because(cause),
            other => Problem::new(Kind::Unavailable, "provider-unreachable")
                .with("hop", self.member)
                .with("node", &self.node.id)
                .because(other),
        }
    }
}

/// Whether the other side says that it had this very request before.
fn is_replay(reply: &Reply) -> bool {
    reply.fault.as_ref().is_some_and(|fault| fault.code == "replayed")
}

/// What a provider's gateway refuses with, as this release knows it.
pub(crate) const KNOWN: &[(&str, Kind)] = &[
    ("agreement-endpoint", Kind::Forbidden),
    ("path-outside", Kind::Malformed),
    ("service-type", Kind::NotFound),
    ("service-code", Kind::Invalid),
    ("openapi-unreadable", Kind::Upstream),
    ("head-bad", Kind::Malformed),
    ("agreement-missing", Kind::Forbidden),
    ("agreement-expired", Kind::Forbidden),
    ("agreement-revoked", Kind::Forbidden),
    ("agreement-suspended", Kind::Forbidden),
    ("agreement-group-left", Kind::Forbidden),
    ("system-stopped", Kind::Forbidden),
    ("delegation-instances", Kind::Forbidden),
    ("delegation-missing", Kind::Forbidden),
    ("delegation-over", Kind::Forbidden),
    ("instance-untrusted", Kind::Forbidden),
    ("member-disabled", Kind::Forbidden),
    ("member-unknown", Kind::Forbidden),
    ("service-unknown", Kind::NotFound),
    ("node-revoked", Kind::Forbidden),
    ("seal-broken", Kind::Forbidden),
    ("replayed", Kind::Conflict),
    ("clock-skew", Kind::Forbidden),
    ("too-many", Kind::TooMany),
    ("quota-minute", Kind::TooMany),
    ("quota-day", Kind::TooMany),
    ("quota-month", Kind::TooMany),
    ("no-room", Kind::Unavailable),
    ("envelope-version", Kind::Upstream),
    ("store-unavailable", Kind::Unavailable),
    ("shutting-down", Kind::Unavailable),
    ("node-maintenance", Kind::Unavailable),
];

/// The problem a provider's gateway told; unknown keys of a later release become one of ours.
pub(crate) fn problem_of(fault: &Fault) -> Problem {
    let known = KNOWN.iter().find(|(code, _)| *code == fault.code);
    let problem = known.map_or(Problem::new(Kind::Upstream, "gateway-fault"), |(code, kind)| {
        Problem::new(*kind, code)
    });
    crate::envelope::Told::told(fault.told.as_ref(), problem)
        .with("code", crate::service::shown(&fault.code))
        .with("status", fault.status)
}

impl Exchange {
    /// What other nodes call on the peer listener besides exchanges.
    pub fn peer_router(&self) -> Router {
        crate::notice::routes()
            .merge(crate::evidence::over_there::routes())
            .merge(crate::standing::peer::routes())
            .merge(crate::standing::over_there::routes())
            .with_state(self.clone())
    }

    /// Which node is at the other end: its certificate must be the one the directory has for it.
    pub(crate) fn node_behind(&self, peer: &Peer) -> Result<String, Problem> {
        let revoked = || Problem::new(Kind::Forbidden, "node-revoked");
        let certificate = peer.certificate.as_deref().ok_or_else(revoked)?;
        self.0
            .directory
            .node_certificate_ok(certificate)
            .map_err(|e| revoked().because(e))
    }
}

#[async_trait]
impl AnswerFrames for Exchange {
    fn message_bytes_max(&self) -> usize {
        message_bytes_max(self.0.store.limits())
    }

    async fn answer(&self, peer: &Peer, message: Vec<u8>) -> Vec<u8> {
        let g = &*self.0;
        let reply = match self.node_behind(peer) {
            Err(problem) => refuse(&problem),
            Ok(node) if Piece::is_one(&message) => match envelope::read(&message) {
                Ok(piece) => {
                    drop(message);
                    g.hand(&node, piece).await
                }
                Err(problem) => refuse(&problem),
            },
            Ok(node) => match envelope::read::<Sent>(&message) {
                Ok(sent) => {
                    drop(message);
                    let reply = g.provide(&node, sent).await;
                    g.beside(&node, reply)
                }
                Err(problem) => refuse(&problem),
            },
        };
        let body_bytes = reply.answer.as_ref().map_or(0, |answer| answer.body.len());
        envelope::write_around(&reply, body_bytes)
    }
}
