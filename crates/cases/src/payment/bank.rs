//! A bank over HTTP: `POST {url}/orders` makes an order, `GET {url}/orders/{order}` says where it
//! stands, and the bank calls back with the same notice. Every notice is a compact JWS (RFC 7515,
//! ES256) of the bank's key. Never believes an unsigned word about money.

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Kind, Problem};
use seal::jws::{self, PublicKey};
use web::client::Client;

use super::{Bank, Notice, Order, Wanted};

/// The type of a notice's token.
pub const NOTICE_TYPE: &str = "payment-notice";
/// The longest wait for the bank, in milliseconds.
const WAIT_MS: u64 = 5_000;
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A bank at an address.
#[derive(Clone)]
pub struct HttpBank {
    client: Client,
    url: String,
    merchant: String,
    secret: String,
    key: PublicKey,
}

impl std::fmt::Debug for HttpBank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpBank({} at {})", self.merchant, self.url)
    }
}

impl HttpBank {
    /// A bank at `url` (no slash at the end) that knows us as `merchant` by `secret` and signs its
    /// notices with `key`.
    #[must_use]
    pub fn new(client: Client, url: String, merchant: String, secret: String, key: PublicKey) -> Self {
        Self {
            client,
            url,
            merchant,
            secret,
            key,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Result<Bytes, Problem> {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(
                "authorization",
                format!("Bearer {}:{}", self.merchant, self.secret),
            )
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(Problem::internal)?;
        let answer = self.client.send(request, WAIT_MS, ANSWER_BYTES_MAX).await;
        let answer = answer.map_err(unreachable)?;
        if answer.status().is_success() {
            Ok(answer.into_body())
        } else {
            Err(unreachable(answer.status()))
        }
    }
}

#[async_trait]
impl Bank for HttpBank {
    async fn order(&self, wanted: &Wanted) -> Result<Order, Problem> {
        let body = serde_json::to_vec(wanted).map_err(Problem::internal)?;
        let answer = self.send("POST", "/orders", body).await?;
        serde_json::from_slice(&answer).map_err(unreachable)
    }

    async fn state(&self, order: &str) -> Result<Notice, Problem> {
        let answer = self.send("GET", &format!("/orders/{order}"), Vec::new()).await?;
        self.read(std::str::from_utf8(&answer).unwrap_or_default())
    }

    fn read(&self, notice: &str) -> Result<Notice, Problem> {
        let bad = |cause: String| Problem::new(Kind::Forbidden, "bank-notice-bad").because(cause);
        let payload = jws::verify(notice.trim(), NOTICE_TYPE, |_| Some(self.key.clone()))
            .map_err(|cause| bad(cause.to_string()))?
            .into_inner();
        let notice: Notice = serde_json::from_slice(&payload).map_err(|cause| bad(cause.to_string()))?;
        if notice.merchant == self.merchant {
            Ok(notice)
        } else {
            Err(bad(format!("it is for {}", notice.merchant)))
        }
    }
}

fn unreachable(cause: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Unavailable, "bank-unreachable").because(cause)
}
