//! The wire between gateways, and only here: one POST of CBOR over mutual TLS to the provider's
//! node, or a call in memory when that is this node. Replaceable without touching either half.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use kernel::{Kind, Problem};
use tracing::Instrument as _;
use web::Peer;
use web::client::ClientError;

use crate::envelope::{self, Fault, Reply, Sent};
use crate::gateway::{Exchange, Gateway};
use crate::ids::ServiceId;

/// The path of the wire on a node's peer listener; the number is the wire's version.
const PATH: &str = "/exchange/v1";
/// What an envelope adds to the body it carries, in bytes, at most.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;

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
    let request = axum::http::Request::post(format!("https://{}{PATH}", node.peer))
        .header("content-type", "application/cbor")
        .body(Bytes::from(envelope::write(&sent)))
        .map_err(Problem::internal)?;
    drop(sent);
    let unreachable = || {
        Problem::new(Kind::Unavailable, "provider-unreachable")
            .with("hop", &member)
            .with("node", &node.id)
    };
    let bytes_max = limits.exchange_body_bytes_max + ENVELOPE_BYTES_MAX;
    let too_large = || {
        Problem::new(Kind::TooLarge, "body-too-large")
            .with("hop", &member)
            .with("max", limits.exchange_body_bytes_max)
    };
    let answer = g
        .peers
        .send(request, limits.exchange_call_ms_max, bytes_max)
        .await
        .map_err(|e| match e {
            ClientError::TooLarge => too_large(),
            other => unreachable().because(other),
        })?;
    match answer.status().as_u16() {
        200 => envelope::read(answer.body()).map_err(|e| Problem {
            kind: Kind::Upstream,
            ..e
        }),
        403 => Err(Problem::new(Kind::Forbidden, "node-revoked").with("hop", &member)),
        413 => Err(too_large()),
        status @ 400..=499 => Err(Problem::new(Kind::Upstream, "gateway-fault")
            .with("hop", &member)
            .with("code", status)),
        status => Err(unreachable().because(format!("the node answered {status}"))),
    }
}

/// The problem a provider's gateway told; unknown keys of a later release become one of ours.
pub(crate) fn problem_of(fault: &Fault) -> Problem {
    const KNOWN: [(&str, Kind); 14] = [
        ("agreement-missing", Kind::Forbidden),
        ("agreement-expired", Kind::Forbidden),
        ("agreement-revoked", Kind::Forbidden),
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
    /// What other nodes call on the peer listener.
    pub fn peer_router(&self) -> Router {
        let limits = self.0.store.limits();
        Router::new()
            .route(PATH, post(take))
            .layer(axum::extract::DefaultBodyLimit::max(
                limits.exchange_body_bytes_max + ENVELOPE_BYTES_MAX,
            ))
            .merge(crate::notice::routes())
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

async fn take(
    State(exchange): State<Exchange>,
    axum::Extension(peer): axum::Extension<Peer>,
    body: Bytes,
) -> Result<Vec<u8>, web::Refusal> {
    let node = exchange.node_behind(&peer)?;
    let sent: Sent = envelope::read(&body)?;
    drop(body);
    // A consumer that hangs up must not stop a service half-way, nor leave it without evidence.
    let provided = tokio::spawn(async move { exchange.0.provide(&node, sent).await }.in_current_span());
    let reply = provided.await.map_err(Problem::internal)?;
    Ok(envelope::write(&reply))
}
