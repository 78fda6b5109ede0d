//! A service that stands behind this gateway at a URL: the call's body goes to it by POST, its
//! answer comes back as it is. Never follows a redirect.

use async_trait::async_trait;
use axum::http::HeaderValue;
use kernel::{Kind, Problem};
use web::client::{Client, ClientError};

use crate::ids::ServiceId;
use crate::service::{Answer, Call, Service};

/// A service at a URL behind this gateway.
pub struct Behind {
    /// The service's name on the exchange.
    pub id: ServiceId,
    /// Where it is called.
    pub url: String,
    /// The client for services behind this gateway.
    pub client: Client,
    /// Time for the service to answer, in milliseconds.
    pub call_ms_max: u64,
    /// Size of its answer, in bytes.
    pub answer_bytes_max: usize,
}

#[async_trait]
impl Service for Behind {
    fn id(&self) -> ServiceId {
        self.id.clone()
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let text = |text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(Problem::internal);
        let mut request = axum::http::Request::post(&self.url)
            .header("content-type", "application/json")
            .header("x-road-client", text(&call.consumer.header())?)
            .header("x-road-request-id", text(&call.request)?)
            .header("x-road-userid", text(&call.on_behalf)?);
        if let Some(issue) = &call.issue {
            request = request.header("x-road-issue", text(issue)?);
        }
        if let Some(key) = &call.idempotency {
            request = request.header("idempotency-key", text(key)?);
        }
        let request = request.body(call.body).map_err(Problem::internal)?;
        let answer = self
            .client
            .send(request, self.call_ms_max, self.answer_bytes_max)
            .await
            .map_err(|e| {
                let (kind, code) = match e {
                    ClientError::Timeout => (Kind::Timeout, "timeout"),
                    ClientError::TooLarge => (Kind::TooLarge, "body-too-large"),
                    _ => (Kind::Upstream, "service-unreachable"),
                };
                Problem::new(kind, code)
                    .with("service", &self.id)
                    .with("max", self.answer_bytes_max)
                    .because(e)
            })?;
        let media = answer
            .headers()
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or("application/octet-stream");
        let media = media.to_owned();
        Ok(Answer {
            status: answer.status().as_u16(),
            media,
            body: answer.into_body(),
        })
    }
}
