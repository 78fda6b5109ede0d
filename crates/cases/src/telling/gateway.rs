//! SMS over a gateway: `POST {url}/messages` with `{"id", "to", "text"}` and the key as a bearer's token. The gateway
//! takes an id once: the same message sent again is answered as the first time. Never logs a number.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Kind, Problem};
use serde::{Deserialize, Serialize};
use web::client::Client;

use crate::telling::{Message, Messenger};

/// The longest wait for the gateway, in milliseconds.
const WAIT_MS: u64 = 8_000;
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The body of `POST {url}/messages`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// The same for the same message.
    pub id: String,
    /// The number with its country: `+84912345678`.
    pub to: String,
    /// The text.
    pub text: String,
}

/// A gateway at an address.
#[derive(Clone)]
pub struct Gateway {
    client: Client,
    url: String,
    key: String,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gateway(at {})", self.url)
    }
}

impl Gateway {
    /// A gateway at `url` (no slash at the end) that knows us by `key`.
    #[must_use]
    pub const fn new(client: Client, url: String, key: String) -> Self {
        Self { client, url, key }
    }
}

#[async_trait]
impl Messenger for Gateway {
    async fn send(&self, message: &Message) -> Result<(), Problem> {
        let body = Outgoing {
            id: message.id.clone(),
            to: message.to.clone(),
            text: message.text.clone(),
        };
        let body = serde_json::to_vec(&body).map_err(Problem::internal)?;
        let request = axum::http::Request::builder()
            .method("POST")
            .uri(format!("{}/messages", self.url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(Problem::internal)?;
        let answer = self.client.send(request, WAIT_MS, ANSWER_BYTES_MAX).await;
        let status = answer.map_err(away)?.status();
        if status.is_success() {
            return Ok(());
        }
        // A wrong key, a wait and a hurry may be mended; anything else is said of the message.
        let mended = [401, 403, 408, 425, 429].contains(&status.as_u16());
        if status.is_client_error() && !mended {
            return Err(Problem::new(Kind::Invalid, "notice-refused").because(status));
        }
        Err(away(status))
    }
}

fn away(cause: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Unavailable, "notice-gateway-away").because(cause)
}
