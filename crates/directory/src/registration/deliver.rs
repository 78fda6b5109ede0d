//! The way of a word to the other side: an outbox line, carried to the hub's or the owner's node over
//! the listener of nodes, repeated until it is heard. Never drops a request without saying so to who
//! asked.

use ::store::outbox::{Deliver, OutboxLine};
use async_trait::async_trait;
use kernel::{Actor, Digest, Kind, OrgCode, Problem};
use web::Refusal;
use web::axum::body::Bytes;
use web::axum::extract::{DefaultBodyLimit, State};
use web::axum::routing::post;
use web::{axum, http};

use super::words::WORD_BYTES_MAX;
use super::{Registrar, Side};

/// The outbox topic.
pub(crate) const TOPIC: &str = "directory-word";
/// The path on the listener of nodes.
const PATH: &str = "/directory/words";
/// Size of the answer to a word, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Time for the other node to take a word, in milliseconds.
const WORD_MS_MAX: u64 = 5_000;
/// The reason of a request that the hub would not even read: the key of a text.
pub(crate) const NOT_TAKEN: &str = "problem-directory-not-taken";

/// Where other nodes bring their words. Who brings one does not count, only whose seal is on it: a node
/// whose certificate is revoked or new asks here for another.
pub(crate) fn routes() -> axum::Router<Registrar> {
    axum::Router::new()
        .route(PATH, post(take))
        .layer(DefaultBodyLimit::max(WORD_BYTES_MAX))
}

async fn take(State(registrar): State<Registrar>, word: String) -> Result<(), Refusal> {
    registrar.hear(&word).await?;
    Ok(())
}

#[async_trait]
impl Deliver for Registrar {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let text = |key: &str| line.payload.get(key).and_then(|v| v.as_str());
        let word = text("word").ok_or_else(|| Problem::internal("a word is one"))?;
        match (text("request").and_then(Digest::parse), text("to")) {
            (Some(request), None) => self.bring_request(&request, word).await,
            (None, Some(to)) => {
                let to: OrgCode = to.parse().map_err(Problem::internal)?;
                self.bring_answer(&to, word).await
            }
            _ => Err(Problem::internal("a word has a receiver")),
        }
    }
}

impl Registrar {
    /// Brings a request to the hub. What the hub will never take ends here as declined.
    async fn bring_request(&self, request: &Digest, word: &str) -> Result<(), Problem> {
        let heard = match &self.0.to_hub {
            None => self.hear(word).await,
            Some((client, hub)) => send(client, &format!("{hub}{PATH}"), word).await,
        };
        let Err(problem) = heard else { return Ok(()) };
        if may_be_taken_later(problem.kind) {
            return Err(problem);
        }
        tracing::warn!(%problem, %request, "the hub does not take a request for the directory");
        let known = self.one(Side::Owner, request).await?;
        self.end(&known, Err(NOT_TAKEN), &Actor::Platform).await
    }

    /// Brings the hub's answer to its owner's node.
    async fn bring_answer(&self, to: &OrgCode, word: &str) -> Result<(), Problem> {
        let gone = || Problem::new(Kind::NotFound, "member-unknown").with("member", to);
        let Some(node) = self.0.directory.node_of(to) else {
            tracing::info!(to = %to, "an answer of the hub is for nobody: the member has left");
            return Ok(());
        };
        let heard = if node.id == self.0.node {
            self.hear(word).await
        } else {
            send(&self.0.peers, &format!("https://{}{PATH}", node.peer), word).await
        };
        match heard {
            Err(problem) if problem.kind == Kind::NotFound => {
                // A node that was set up anew does not know any more what it asked.
                tracing::info!(problem = %gone().because(problem), "an answer of the hub was not expected");
                Ok(())
            }
            heard => heard,
        }
    }
}

/// False for a refusal that the same words would meet again.
const fn may_be_taken_later(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Malformed | Kind::Forbidden | Kind::NotFound | Kind::TooLarge | Kind::Invalid | Kind::Conflict
    )
}

async fn send(client: &web::Client, url: &str, word: &str) -> Result<(), Problem> {
    let away = || Problem::new(Kind::Unavailable, "directory-unreachable");
    let request = http::Request::post(url)
        .body(Bytes::from(word.to_owned()))
        .map_err(Problem::internal)?;
    let answer = client
        .send(request, WORD_MS_MAX, ANSWER_BYTES_MAX)
        .await
        .map_err(|e| away().because(e))?;
    let kind = match answer.status().as_u16() {
        200..=299 => return Ok(()),
        400 => Kind::Malformed,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        413 => Kind::TooLarge,
        422 => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    Err(Problem { kind, ..away() }.because(answer.status()))
}
