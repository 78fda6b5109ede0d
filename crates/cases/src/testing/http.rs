//! What the browsers of both test places share: a request sent, a form as a browser sends it, an answer
//! read whole. Never in a release build.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use serde_json::Value;
use tower::ServiceExt as _;

/// Bytes of an answer that are read, at most.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: String,
    location: String,
}

impl Answer {
    /// Where it leads; empty when nowhere.
    pub(crate) fn location(&self) -> String {
        self.location.clone()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The code of a problem.
    pub(crate) fn problem(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// Sends a request as a page of the same origin does.
pub(crate) async fn send(router: &Router, request: Builder, body: Vec<u8>) -> Answer {
    let request = request
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let location = answer.headers().get("location");
    let location = location.map(|v| v.to_str().expect("text").to_owned());
    let bytes = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await;
    let bytes = bytes.expect("a body").to_vec();
    Answer {
        status,
        body: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
        location: location.unwrap_or_default(),
    }
}

/// A form as a browser sends it.
pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> (Builder, Vec<u8>) {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", web::page::query_value(value)))
        .collect();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    (request, pairs.join("&").into_bytes())
}

/// A form with one PDF as a browser sends it; the file by its field and name.
pub(crate) fn upload(
    path: &str,
    fields: &[(&str, &str)],
    (field, name, bytes): (&str, &str, &[u8]),
) -> (Builder, Vec<u8>) {
    let texts = fields.iter().map(|(name, value)| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let mut body = texts.collect::<String>();
    body.push_str(&format!(
        "--b\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\ncontent-type: application/pdf\r\n\r\n"
    ));
    let body = [body.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
    let request = Request::post(path).header("content-type", "multipart/form-data; boundary=b");
    (request, body)
}

/// The kind of a fact, as it is written.
pub(crate) fn kind(record: &kernel::FactRecord) -> String {
    let value = serde_json::to_value(&record.fact).expect("json");
    value["fact"].as_str().unwrap_or_default().to_owned()
}
