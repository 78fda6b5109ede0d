//! One request as it is and its answer as it came: no redirects, no cookies but those given. For
//! what no browser would send.

use anyhow::Context as _;
use bytes::Bytes;
use sen::up::nation::Place;
use serde_json::Value;
use web::client::Client;
use web::http::{HeaderMap, Request};

use crate::site::Site;

/// Time for one answer, in milliseconds.
const ANSWER_MS_MAX: u64 = 60_000;
/// Size of one answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// What is sent.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `Cookie`; left out when empty.
    pub cookie: String,
    /// `Content-Type`; left out when empty.
    pub media: String,
    /// The body.
    pub body: Bytes,
    /// Sent by a page of the same site, as a browser says it.
    pub same_site: bool,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Where a redirect leads; empty when it is none.
    #[must_use]
    pub fn location(&self) -> &str {
        self.headers
            .get("location")
            .and_then(|l| l.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a problem in JSON: the last part of its `type`, at portals and at faces.
    #[must_use]
    pub fn problem(&self) -> String {
        let json = self.json();
        let kind = json["type"].as_str().unwrap_or_default();
        kind.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
    }
}

/// A system of a node's tenant asks a service at the node's information-system face, in the form that
/// tells refusals with their own status.
///
/// # Errors
/// When nothing answers.
pub async fn ask(
    site: &Site,
    place: Place,
    consumer: &str,
    service: &str,
    body: &Value,
) -> anyhow::Result<Answer> {
    let face = place.ports(site.port).face;
    let asked = Asked {
        headers: vec![("x-road-client", format!("VN/GOV/{consumer}"))],
        ..Asked::default()
    };
    let url = format!("http://127.0.0.1:{face}/exchange/v1/call/{service}");
    asked.json(body.to_string()).send("POST", &url).await
}

impl Asked {
    /// With a person's cookies, from a page of the same site.
    #[must_use]
    pub fn by(person: &crate::people::Person) -> Self {
        Self {
            cookie: person.cookie(),
            same_site: true,
            ..Self::default()
        }
    }

    /// With a form.
    #[must_use]
    pub fn form(mut self, body: impl Into<Bytes>) -> Self {
        "application/x-www-form-urlencoded".clone_into(&mut self.media);
        self.body = body.into();
        self
    }

    /// With JSON.
    #[must_use]
    pub fn json(mut self, body: impl Into<Bytes>) -> Self {
        "application/json".clone_into(&mut self.media);
        self.body = body.into();
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn send(&self, method: &str, url: &str) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        let accept = if url.contains("/api/") {
            "application/json"
        } else {
            "text/html"
        };
        if !self.headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header("accept", accept);
        }
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if !self.media.is_empty() {
            request = request.header("content-type", &self.media);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if self.same_site {
            request = request.header("sec-fetch-site", "same-origin");
        }
        let request = request.body(self.body.clone())?;
        let answer = Client::plain()
            .send(request, ANSWER_MS_MAX, ANSWER_BYTES_MAX)
            .await;
        let (parts, body) = answer.with_context(|| format!("{method} {url}"))?.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}

/// A form with one file, and its media type.
#[must_use]
pub fn multipart(field: &str, name: &str, bytes: &[u8]) -> (String, Bytes) {
    const EDGE: &str = "sen-testbed-edge-8c41";
    let head = format!(
        "--{EDGE}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: application/pdf\r\n\r\n"
    );
    let mut body = head.into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{EDGE}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={EDGE}"), body.into())
}
