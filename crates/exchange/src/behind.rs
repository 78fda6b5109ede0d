//! A service that stands behind this gateway at a URL: method, path, query, headers and body go to it
//! as the caller sent them, its answer comes back as it is. Never follows a redirect.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, response};
use bytes::Bytes;
use kernel::{Kind, Problem};
use web::client::{Client, ClientError, Payload};

use crate::endpoint::Endpoint;
use crate::ids::ServiceId;
use crate::passing::{self, Taken};
use crate::rest::{Headers, Way};
use crate::service::{Answer, Call, Large, Service};
use crate::spool::Spool;

/// A service at a URL behind this gateway.
pub struct Behind {
    /// The service's name on the exchange.
    pub id: ServiceId,
    /// Where it is called; path and query of a call are put behind it.
    pub url: String,
    /// The client for services behind this gateway.
    pub client: Client,
    /// Time for the service to answer, in milliseconds.
    pub call_ms_max: u64,
    /// Size of its answer, in bytes.
    pub answer_bytes_max: usize,
    /// Its endpoints, for those who ask what there is; none when nobody listed them.
    pub endpoints: Vec<Endpoint>,
    /// Where its OpenAPI description stands; `None` when it has none.
    pub openapi: Option<String>,
}

#[async_trait]
impl Service for Behind {
    fn id(&self) -> ServiceId {
        self.id.clone()
    }

    fn url(&self) -> Option<&str> {
        Some(&self.url)
    }

    fn is_rest(&self) -> bool {
        true
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.clone()
    }

    fn is_described(&self) -> bool {
        self.openapi.is_some()
    }

    async fn describe(&self) -> Result<Answer, Problem> {
        let Some(url) = &self.openapi else {
            return Err(Problem::new(Kind::NotFound, "service-type"));
        };
        let unreadable = || Problem::new(Kind::Upstream, "openapi-unreadable").with("service", &self.id);
        let request = axum::http::Request::get(url)
            .body(Bytes::new())
            .map_err(|e| unreadable().because(e))?;
        let answer = self
            .client
            .send(request, self.call_ms_max, self.answer_bytes_max)
            .await
            .map_err(|e| unreadable().because(e))?;
        if answer.status().as_u16() != 200 {
            return Err(unreadable().because(answer.status()));
        }
        let media = media(answer.headers());
        Ok(Answer {
            status: 200,
            media: if media.is_empty() {
                "application/json".to_owned()
            } else {
                media
            },
            headers: Headers::default(),
            fault: None,
            body: answer.into_body(),
        })
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let request = self.request(&call, call.body.clone())?;
        let sent = self.client.send(request, self.call_ms_max, self.answer_bytes_max);
        let (head, body) = sent.await.map_err(|e| self.missed(e))?.into_parts();
        self.answer(&head, body)
    }

    async fn call_large(&self, call: &Call, large: &Large) -> Result<(Answer, Option<Arc<Spool>>), Problem> {
        let payload = match &large.body {
            None => Payload::Whole(call.body.clone()),
            Some(spool) => Payload::Streamed(Body::from_stream(Arc::clone(spool).pieces())),
        };
        let mut request = self.request(call, payload)?;
        if let Some(spool) = &large.body {
            request.headers_mut().insert(CONTENT_LENGTH, spool.len().into());
        }
        let whole_max = large.memory_bytes_max.min(self.answer_bytes_max);
        let sent = self.client.call(request, self.call_ms_max, whole_max);
        let (head, body) = sent.await.map_err(|e| self.missed(e))?.into_parts();
        let body = match body {
            Payload::Whole(body) => return Ok((self.answer(&head, body)?, None)),
            Payload::Streamed(body) => body,
        };
        let read = passing::read(body, self.answer_bytes_max, whole_max, &large.spools, |_| ());
        let read = read.await.map_err(|e| match e.kind {
            Kind::TooLarge => self.missed(ClientError::TooLarge),
            Kind::Malformed => self.missed(ClientError::Broken),
            _ => e,
        });
        match read? {
            Taken::Whole(body) => Ok((self.answer(&head, body)?, None)),
            Taken::Large(spool) => Ok((self.answer(&head, Bytes::new())?, Some(spool))),
        }
    }
}

impl Behind {
    /// The call as it goes to the system.
    fn request<B>(&self, call: &Call, body: B) -> Result<Request<B>, Problem> {
        let mut request = Request::builder()
            .method(call.rest.method.as_str())
            .uri(join(&self.url, &call.rest.target));
        if let Some(headers) = request.headers_mut() {
            *headers = headers_of(call)?;
        }
        request.body(body).map_err(Problem::internal)
    }

    /// Why there is no answer.
    fn missed(&self, e: ClientError) -> Problem {
        let (kind, code) = match e {
            ClientError::Timeout => (Kind::Timeout, "timeout"),
            ClientError::TooLarge => (Kind::TooLarge, "body-too-large"),
            ClientError::Broken | ClientError::Silent => (Kind::Upstream, "service-outcome-unknown"),
            _ => (Kind::Upstream, "service-unreachable"),
        };
        Problem::new(kind, code)
            .with("service", &self.id)
            .with("max", self.answer_bytes_max)
            .because(e)
    }

    /// The system's answer as the exchange carries it.
    fn answer(&self, head: &response::Parts, body: Bytes) -> Result<Answer, Problem> {
        let headers = Headers::of(&head.headers, Way::Answer).map_err(|e| {
            Problem::new(Kind::Upstream, "answer-bad")
                .with("service", &self.id)
                .because(e)
        })?;
        Ok(Answer {
            status: head.status.as_u16(),
            media: media(&head.headers),
            headers,
            fault: None,
            body,
        })
    }
}

fn media(headers: &HeaderMap) -> String {
    let value = headers
        .get("content-type")
        .and_then(|v| std::str::from_utf8(v.as_bytes()).ok());
    value.unwrap_or_default().to_owned()
}

/// The service's address with what stands behind its code; one slash between them.
fn join(url: &str, target: &str) -> String {
    let url = match url.strip_suffix('/') {
        Some(without) if target.starts_with('/') => without,
        _ => url,
    };
    format!("{url}{target}")
}

/// What the caller sent, in its order, and who asks for whom and why.
fn headers_of(call: &Call) -> Result<HeaderMap, Problem> {
    let rest = &call.rest;
    let (client, media) = (
        call.consumer.header(),
        Some(&rest.media).filter(|m| !m.is_empty()),
    );
    let ours = [
        ("content-type", media),
        ("x-road-client", Some(&client)),
        ("x-road-id", rest.id.as_ref()),
        ("x-road-userid", Some(&call.on_behalf)),
        ("x-road-issue", call.issue.as_ref()),
        ("x-road-represented-party", rest.represented.as_ref()),
        ("x-road-security-server", rest.server.as_ref()),
        ("x-road-request-id", Some(&call.request)),
        ("idempotency-key", call.idempotency.as_ref()),
    ];
    let ours = ours
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.as_str())));
    let mut map = HeaderMap::new();
    for (name, value) in ours.chain(rest.headers.iter()) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Problem::internal)?;
        map.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).map_err(Problem::internal)?,
        );
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn a_path_is_put_behind_an_address_with_one_slash_and_not_changed() {
        for (url, target, joined) in [
            ("http://h/api", "", "http://h/api"),
            ("http://h/api/", "", "http://h/api/"),
            ("http://h/api", "/a//b/?x=%2f", "http://h/api/a//b/?x=%2f"),
            ("http://h/api/", "/a", "http://h/api/a"),
            ("http://h/", "/", "http://h/"),
            ("http://h/api/", "?x", "http://h/api/?x"),
            ("http://h/api", "?x", "http://h/api?x"),
        ] {
            assert_eq!(join(url, target), joined);
        }
    }
}
