//! The way to another node, the hub or a timestamp authority, tried step by step by an operator. Never an
//! exchange: no agreement, no evidence, no message of anybody.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Request, Uri};
use kernel::{Digest, Problem};
use rustls::ClientConfig;
use seal::certificate::Certificate;
use web::client::Client;
use web::probe::{Tried, probe};

use super::clocks::Clock;
use super::peer::{ClockTold, PATH};
use crate::gateway::Exchange;

/// Time for one step, in milliseconds: a page waits for it.
pub(super) const STEP_MS_MAX: u64 = 5_000;
/// Size of another node's answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Where the hub gives its directory.
const SNAPSHOT: &str = "/directory/snapshot";

/// To whom the way is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A node of the directory.
    Node(String),
    /// The node that publishes the directory.
    Hub,
    /// A timestamp authority, by its place in the directory.
    Authority(usize),
}

impl Target {
    /// The key in a form or a body: `node/ministry`, `hub`, `authority/0`.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Node(id) => format!("node/{id}"),
            Self::Hub => "hub".to_owned(),
            Self::Authority(place) => format!("authority/{place}"),
        }
    }

    /// Reads such a key.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        match key.split_once('/') {
            None => (key == "hub").then_some(Self::Hub),
            Some(("node", id)) if !id.is_empty() => Some(Self::Node(id.to_owned())),
            Some(("authority", place)) => place.parse().ok().map(Self::Authority),
            Some(_) => None,
        }
    }
}

/// What came of trying a way.
#[derive(Debug, Default)]
pub(crate) struct TriedOut {
    /// The steps.
    pub(crate) tried: Tried,
    /// What the other node's clock said.
    pub(crate) clock: Option<Clock>,
    /// Whether a timestamp authority gave a token that holds: how long it took in milliseconds, or not.
    pub(crate) stamp: Option<Result<i64, ()>>,
}

impl Exchange {
    /// Tries the way to somebody of the directory.
    ///
    /// # Errors
    /// 404 for whom the directory does not know.
    pub(crate) async fn try_way(&self, target: &Target) -> Result<TriedOut, Problem> {
        let g = &*self.0;
        let snapshot = g.directory.snapshot();
        let (peer, path) = match target {
            Target::Authority(place) => {
                let authority = snapshot.timestamp_authorities.get(*place);
                return self
                    .try_authority(&authority.ok_or_else(Problem::not_found)?.url)
                    .await;
            }
            Target::Node(id) => {
                let node = snapshot.nodes.iter().find(|node| node.id == *id);
                (node.ok_or_else(Problem::not_found)?.peer.clone(), PATH)
            }
            Target::Hub => {
                let hub = g.directory.node_of(&snapshot.hub.top());
                (hub.ok_or_else(Problem::not_found)?.peer, SNAPSHOT)
            }
        };
        let url: Uri = format!("https://{peer}{path}")
            .parse()
            .map_err(Problem::internal)?;
        let tls = self.way_to_nodes()?;
        let client = Client::tls(Arc::clone(&tls));
        let tried = probe(g.store.world(), &url, Some(tls), &client, STEP_MS_MAX).await;
        let clock = match target {
            Target::Node(_) if tried.status.is_some() => self.clock_over_there(&client, &url).await,
            _ => None,
        };
        Ok(TriedOut {
            tried,
            clock,
            stamp: None,
        })
    }

    /// As this node goes to others: with its certificate, to none but those of the directory.
    pub(super) fn way_to_nodes(&self) -> Result<Arc<ClientConfig>, Problem> {
        let g = &*self.0;
        let mut anchors = Vec::new();
        for pem in &g.directory.snapshot().anchors {
            let anchor = Certificate::from_pem(pem).map_err(Problem::internal)?;
            anchors.push(anchor.der().to_vec());
        }
        let directory = g.directory.clone();
        let accept: web::tls::Accept = Arc::new(move |der: &[u8]| directory.node_roots(der));
        web::tls::client_config(g.store.world(), &self.node_identity(), &anchors, accept)
            .map_err(Problem::internal)
    }

    async fn clock_over_there(&self, client: &Client, url: &Uri) -> Option<Clock> {
        let request = Request::get(url.clone()).body(Bytes::new()).ok()?;
        let began = self.0.now();
        let answer = client.send(request, STEP_MS_MAX, ANSWER_BYTES_MAX).await.ok()?;
        let ended = self.0.now();
        let told: ClockTold = serde_json::from_slice(answer.body()).ok()?;
        (told.v == 1).then(|| Clock::between(began, kernel::Time(told.at), ended))
    }

    async fn try_authority(&self, address: &str) -> Result<TriedOut, Problem> {
        let g = &*self.0;
        let url: Uri = address.parse().map_err(Problem::internal)?;
        let tried = probe(g.store.world(), &url, None, &g.plain, STEP_MS_MAX).await;
        let stamp = if tried.status.is_some() {
            let began = g.now();
            // Of chance: a token over nothing that is or will be.
            let imprint = Digest(g.store.world().random());
            let got = g.token_of(address, &imprint).await;
            Some(got.map(|_| g.now().ms() - began.ms()).map_err(|why| {
                tracing::info!(
                    address,
                    why,
                    "a timestamp authority that was tried gave no good token"
                );
            }))
        } else {
            None
        };
        Ok(TriedOut {
            tried,
            clock: None,
            stamp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_back_and_nothing_else_is_one() {
        for target in [
            Target::Hub,
            Target::Node("ministry".to_owned()),
            Target::Authority(2),
        ] {
            assert_eq!(Target::parse(&target.key()), Some(target));
        }
        for wrong in ["", "node/", "node", "authority/x", "http://elsewhere/"] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }
}
