//! Telling the other party what was said about an agreement: an outbox line, carried to the party's
//! node over the peer listener, repeated until heard. The notice is the party's signed word; a word
//! that comes too late to have an effect is heard, too.

use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Extension, Router};
use kernel::limits::Limits;
use kernel::{Kind, OrgCode, Problem};
use store::outbox::{Deliver, OutboxLine};
use web::Peer;

use crate::gateway::Exchange;

/// The outbox topic.
pub(crate) const TOPIC: &str = "agreement-notice";
/// The path on the peer listener.
const PATH: &str = "/exchange/v1/agreement-notices";
/// Size of a notice, in bytes.
const NOTICE_BYTES_MAX: usize = crate::life::words::WORD_BYTES_MAX;
/// Size of the answer to one, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Time for the other node to take a notice, in milliseconds.
const NOTICE_MS_MAX: u64 = 5_000;

/// Where other nodes bring their notices.
pub(crate) fn routes() -> Router<Exchange> {
    Router::new()
        .route(PATH, post(take))
        .layer(axum::extract::DefaultBodyLimit::max(NOTICE_BYTES_MAX))
}

/// Carries notices to other nodes.
pub struct Notices(pub Exchange);

#[async_trait]
impl Deliver for Notices {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    fn retry_ms_max(&self, limits: &Limits) -> i64 {
        limits.exchange_notice_retry_ms_max.min(limits.retry_ms_max)
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let text = |key: &str| line.payload.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let (Some(to), Some(notice)) = (text("to"), text("notice")) else {
            return Err(Problem::internal("a notice names its receiver"));
        };
        let to: OrgCode = to.parse().map_err(Problem::internal)?;
        let g = &*self.0.0;
        let Some(node) = g.directory.node_of(&to.top()) else {
            return Err(Problem::new(Kind::NotFound, "member-unknown").with("member", &to));
        };
        if node.id == g.node {
            return match self.0.hear(&notice).await {
                Err(late) if late.kind == Kind::Conflict => {
                    without_effect(&to, late);
                    Ok(())
                }
                heard => heard,
            };
        }
        let request = axum::http::Request::post(format!("https://{}{PATH}", node.peer))
            .body(Bytes::from(notice))
            .map_err(Problem::internal)?;
        let unreachable = || Problem::new(Kind::Unavailable, "provider-unreachable").with("hop", &to);
        let answer = g
            .peers
            .send(request, NOTICE_MS_MAX, ANSWER_BYTES_MAX)
            .await
            .map_err(|e| unreachable().because(e))?;
        if answer.status().is_success() {
            Ok(())
        } else if answer.status().as_u16() == Kind::Conflict.status() {
            without_effect(&to, answer.status());
            Ok(())
        } else {
            Err(unreachable().because(answer.status()))
        }
    }
}

/// The other side had moved on: saying it again would not help.
fn without_effect(to: &OrgCode, why: impl std::fmt::Display) {
    tracing::info!(%to, %why, "a word about an agreement came too late to have an effect");
}

async fn take(
    State(exchange): State<Exchange>,
    Extension(peer): Extension<Peer>,
    notice: String,
) -> Result<(), web::Refusal> {
    exchange.node_behind(&peer)?;
    exchange.hear(&notice).await?;
    Ok(())
}
