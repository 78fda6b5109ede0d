//! The wire between gateways, and only here: one frame message of CBOR to the provider's node and one
//! back (docs/wire.md), or a call in memory when that is this node. Replaceable without touching
//! either half.

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use kernel::{Kind, Problem};
use web::client::ClientError;
use web::{AnswerFrames, Peer};

use crate::envelope::{self, Fault, Reply, Sent};
use crate::gateway::{Exchange, Gateway};
use crate::ids::ServiceId;
use crate::provider::refuse;

/// What an envelope adds to the body it carries, in bytes, at most.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;

/// The largest message on the wire, in bytes.
#[must_use]
pub fn message_bytes_max(limits: &kernel::limits::Limits) -> usize {
    limits.exchange_body_bytes_max + ENVELOPE_BYTES_MAX
}

/// Carries a request to the service's node and brings the reply.
pub(crate) async fn carry(g: &Gateway, service: &ServiceId, sent: Sent) -> Result<Reply, Problem> {
    let member = service.org.top();
    let unknown = || Problem::new(Kind::NotFound, "member-unknown").with("member", &member);
    let node = g.directory.node_of(&member).ok_or_else(unknown)?;
    // Asked on every call: a connection that is open already has passed its handshake long ago.
    let own = g.keyring.node.certificate.thumbprint();
    if g.directory.is_revoked(&node.certificate) || g.directory.is_revoked(&own) {
        return Err(Problem::new(Kind::Forbidden, "node-revoked").with("hop", &member));
    }
    if node.id == g.node {
        // Both halves, both signatures, both records: only the socket is in memory.
        return Ok(Box::pin(g.provide(&g.node, sent)).await);
    }
    let limits = g.store.limits();
    let message = Bytes::from(envelope::write(&sent));
    drop(sent);
    let answer = g
        .frames
        .send(&node.peer, message, limits.exchange_call_ms_max)
        .await;
    let answer = answer.map_err(|e| match e {
        ClientError::TooLarge => Problem::new(Kind::TooLarge, "body-too-large")
            .with("hop", &member)
            .with("max", limits.exchange_body_bytes_max),
        other => Problem::new(Kind::Unavailable, "provider-unreachable")
            .with("hop", &member)
            .with("node", &node.id)
            .because(other),
    })?;
    envelope::read(&answer).map_err(|e| Problem {
        kind: Kind::Upstream,
        ..e
    })
}

/// The problem a provider's gateway told; unknown keys of a later release become one of ours.
pub(crate) fn problem_of(fault: &Fault) -> Problem {
    const KNOWN: [(&str, Kind); 21] = [
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
        ("member-unknown", Kind::Forbidden),
        ("service-unknown", Kind::NotFound),
        ("node-revoked", Kind::Forbidden),
        ("seal-broken", Kind::Forbidden),
        ("replayed", Kind::Conflict),
        ("clock-skew", Kind::Forbidden),
        ("too-many", Kind::TooMany),
        ("no-room", Kind::Unavailable),
        ("envelope-version", Kind::Upstream),
        ("store-unavailable", Kind::Unavailable),
        ("shutting-down", Kind::Unavailable),
    ];
    let known = KNOWN.iter().find(|(code, _)| *code == fault.code);
    let problem = known.map_or(Problem::new(Kind::Upstream, "gateway-fault"), |(code, kind)| {
        Problem::new(*kind, code)
    });
    problem
        .with("code", crate::service::shown(&fault.code))
        .with("status", fault.status)
}

impl Exchange {
    /// What other nodes call on the peer listener besides exchanges.
    pub fn peer_router(&self) -> Router {
        crate::notice::routes().with_state(self.clone())
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
        let read = || Ok((self.node_behind(peer)?, envelope::read::<Sent>(&message)?));
        let reply = match read() {
            Ok((node, sent)) => {
                drop(message);
                self.0.provide(&node, sent).await
            }
            Err(problem) => refuse(&problem),
        };
        envelope::write(&reply)
    }
}
