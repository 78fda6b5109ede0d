//! What a provider offers: one call in, one answer out. Never a socket or a signature: the gateway
//! has dealt with both before a service is called.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Kind, Problem, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agreement::Agreement;
use crate::ids::{ServiceId, SystemId};

/// A service on the exchange.
#[async_trait]
pub trait Service: Send + Sync {
    /// Its name; one service a name and node.
    fn id(&self) -> ServiceId;

    /// Answers a call that the gateway has verified and allowed.
    ///
    /// # Errors
    /// A problem becomes a signed problem+json answer: a refusal is evidence too.
    async fn call(&self, call: Call) -> Result<Answer, Problem>;
}

/// A verified, allowed call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub consumer: SystemId,
    /// The exchange's request id, 32 hex digits.
    pub request: String,
    /// Under which agreement.
    pub agreement: Arc<Agreement>,
    /// For whom the consumer acts, by account id: `citizen:…`, `official:…`, `system:…`.
    pub on_behalf: String,
    /// The case that caused the call.
    pub issue: Option<String>,
    /// The consumer's key for "this is the same change as before".
    pub idempotency: Option<String>,
    /// The body; JSON unless the service says otherwise.
    pub body: Bytes,
    /// When the provider's gateway took the call.
    pub at: Time,
}

impl Call {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// `json-bad` when it is not the expected JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Problem::new(Kind::Malformed, "json-bad").with("where", format!("{}:{}", e.line(), e.column()))
        })
    }
}

/// A service's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// An HTTP status code.
    pub status: u16,
    /// The body's media type.
    pub media: String,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A JSON answer with status 200.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(Problem::internal)?;
        Ok(Self {
            status: 200,
            media: "application/json".to_owned(),
            body: body.into(),
        })
    }

    /// A problem as the service's own signed answer. Only the key, the field and the values travel:
    /// the reader's node has the words.
    #[must_use]
    pub fn of_problem(problem: &Problem) -> Self {
        let args: serde_json::Map<String, serde_json::Value> = problem
            .args
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone().into()))
            .collect();
        let body = serde_json::json!({
            "type": format!("urn:sen:problem:{}", problem.code),
            "status": problem.kind.status(), "code": problem.code, "field": problem.field, "args": args,
        });
        Self {
            status: problem.kind.status(),
            media: "application/problem+json".to_owned(),
            body: body.to_string().into(),
        }
    }
}

/// What a consumer got back, verified and in evidence.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The service's HTTP status code.
    pub status: u16,
    /// The body's media type.
    pub media: String,
    /// The body.
    pub body: Bytes,
    /// The exchange's request id, 32 hex digits: names the exchange at both nodes.
    pub request: String,
    /// The stream and position of this node's evidence record.
    pub position: (String, u64),
}

impl Heard {
    /// Reads a 2xx answer as JSON.
    ///
    /// # Errors
    /// `service-refused` with the service's own code when it answered with another status;
    /// `answer-bad` when the body is not the expected JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !(200..300).contains(&self.status) {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|e| Problem::new(Kind::Upstream, "answer-bad").because(e))
    }

    /// The service's refusal as a problem of ours.
    #[must_use]
    pub fn refusal(&self) -> Problem {
        let told: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = told
            .get("code")
            .and_then(|c| c.as_str())
            .unwrap_or("unknown")
            .to_owned();
        let kind = match self.status {
            404 => Kind::NotFound,
            409 => Kind::Conflict,
            400 | 422 => Kind::Invalid,
            503 => Kind::Unavailable,
            _ => Kind::Upstream,
        };
        Problem::new(kind, "service-refused")
            .with("status", self.status)
            .with("code", code)
    }
}
