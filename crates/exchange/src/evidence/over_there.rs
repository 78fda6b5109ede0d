//! The other node's word on an exchange: asked over the peer listener, given only to the node of the
//! other party. Digests, times and places; never a message.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Extension, Json, Router};
use kernel::{Digest, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Peer, Refusal};

use super::proof::EvidenceSide;
use crate::envelope::{self, Evidence};
use crate::gateway::{Exchange, STREAM};
use crate::index::Indexed;
use crate::message::RequestHead;
use crate::store as rows;

/// The path on the peer listener, in front of the exchange's id.
const PATH: &str = "/exchange/v1/evidence/";
/// Time for the other node to answer, in milliseconds: a page waits for it.
const ANSWER_MS_MAX: u64 = 3_000;
/// Size of its answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The version of [`OtherRecord`].
const VERSION: u16 = 1;

/// What a node says of its own record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OtherRecord {
    /// The form's version; 1.
    v: u16,
    /// `consumer` or `provider`.
    pub(crate) side: String,
    /// When that gateway began, by its clock, milliseconds since 1970.
    pub(crate) began: i64,
    /// When that gateway ended.
    pub(crate) ended: i64,
    /// The refusal's key; empty when there is an answer.
    pub(crate) fault: String,
    /// SHA-256 of the request's head, hex.
    pub(crate) request_head: String,
    /// SHA-256 of the answer's head, hex.
    pub(crate) answer_head: Option<String>,
    /// The record's position in that node's log.
    pub(crate) position: u64,
    /// True when it has its timestamp there.
    pub(crate) stamped: bool,
    /// The times on record there; a node of an earlier release tells none.
    #[serde(default)]
    pub(crate) timeline: Vec<OtherMoment>,
}

/// One time on record at the other node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OtherMoment {
    /// As at this node: `sent`, `began`, `served` and so on.
    pub(crate) what: String,
    /// Whose clock.
    pub(crate) clock: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

/// The other side of an exchange.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OtherSide {
    /// The other party.
    pub(crate) organisation: String,
    /// The node that holds its record.
    pub(crate) node: String,
    /// `told`; `nothing` when that node has no record; `unreached`; `here` when it is this node, and the
    /// record another tenant's.
    pub(crate) heard: &'static str,
    /// Whether both records are of the very same messages.
    pub(crate) agrees: Option<bool>,
    /// The other record.
    pub(crate) record: Option<OtherRecord>,
}

/// Where the other party's node asks.
pub(crate) fn routes() -> Router<Exchange> {
    Router::new().route("/exchange/v1/evidence/{request}", get(tell))
}

async fn tell(
    State(x): State<Exchange>,
    Extension(peer): Extension<Peer>,
    Path(request): Path<String>,
) -> Result<Json<OtherRecord>, Refusal> {
    let node = x.node_behind(&peer)?;
    for side in x.find(&request).await? {
        let member: OrgCode = side.member.parse().map_err(Problem::internal)?;
        if x.0.directory.node_of(&member).is_some_and(|host| host.id == node) {
            return Ok(Json(x.own_record(side).await?));
        }
    }
    Err(Problem::not_found().into())
}

impl Exchange {
    async fn own_record(&self, side: Indexed) -> Result<OtherRecord, Problem> {
        let g = &*self.0;
        if let Some(archive) = g.archive_of(side.position).await? {
            return Err(archive.problem(&side.request));
        }
        let record: Evidence = envelope::read(&g.record_bytes(side.position).await?)?;
        let stamp = rows::stamp_of(&g.store.read(&g.home).await?, STREAM, side.position).await?;
        let digest = |head: &[u8]| Digest::of(head).hex();
        let head = RequestHead::parse(&record.request.head)?;
        let timeline = super::proof::moments(&record, &head, &g.node).into_iter();
        let timeline = timeline.map(|moment| OtherMoment {
            what: moment.what.to_owned(),
            clock: moment.clock,
            at: moment.at,
        });
        Ok(OtherRecord {
            timeline: timeline.collect(),
            v: VERSION,
            side: side.side.to_owned(),
            began: record.began,
            ended: record.ended,
            request_head: digest(&record.request.head),
            answer_head: record.answer.as_ref().map(|kept| digest(&kept.head)),
            fault: record.fault,
            position: side.position,
            stamped: stamp.is_some(),
        })
    }

    /// The other side's word on an exchange of which one side is here; none when the directory knows no
    /// such organisation any more.
    pub(super) async fn other_side(&self, own: &EvidenceSide) -> Option<OtherSide> {
        let g = &*self.0;
        let member: OrgCode = own.exchange.member.parse().ok()?;
        let node = g.directory.node_of(&member)?;
        let mut other = OtherSide {
            organisation: member.to_string(),
            node: node.id.clone(),
            heard: "here",
            agrees: None,
            record: None,
        };
        if node.id == g.node {
            return Some(other);
        }
        match self.ask_over_there(&node.peer, &own.exchange.request).await {
            Ok(Some(record)) => {
                let answers = (&own.answer_head, &record.answer_head);
                // One side may have an answer that never reached the other.
                let same_answer = match answers {
                    (Some(ours), Some(theirs)) => ours == theirs,
                    _ => true,
                };
                let same_request = own.request_head.as_ref() == Some(&record.request_head);
                other.agrees = Some(same_request && same_answer);
                other.heard = "told";
                other.record = Some(record);
            }
            Ok(None) => other.heard = "nothing",
            Err(why) => {
                tracing::info!(node = node.id, %why, "the other node was not heard about an exchange");
                other.heard = "unreached";
            }
        }
        Some(other)
    }

    async fn ask_over_there(&self, peer: &str, request: &str) -> Result<Option<OtherRecord>, Problem> {
        let url = format!("https://{peer}{PATH}{}", super::segment(request));
        let asked = Request::get(url).body(Bytes::new()).map_err(Problem::internal)?;
        let answer = self.0.peers.send(asked, ANSWER_MS_MAX, ANSWER_BYTES_MAX).await;
        let answer = answer.map_err(Problem::internal)?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let record: OtherRecord = serde_json::from_slice(answer.body()).map_err(Problem::internal)?;
        if record.v == VERSION {
            Ok(Some(record))
        } else {
            Err(Problem::internal(format!("version {} of a record", record.v)))
        }
    }
}
