//! Reading a body up to a size. Never holds more than was allowed.

use axum::body::Body;
use axum::http::request::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use kernel::{Kind, Problem};

/// Reads a whole body of at most `bytes_max` bytes; for handlers that take raw bytes.
///
/// # Errors
/// 413 `body-too-large` (with `max`), 400 `malformed` when the sender breaks off.
pub async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, "body-too-large").with("max", bytes_max);
    // A declared length needs no reading to be refused.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(too_large()),
        Err(e) => Err(Problem::new(Kind::Malformed, "malformed").because(e)),
    }
}

/// The media type of a request, lower case, without parameters; empty when none is named.
pub(crate) fn media(parts: &Parts) -> String {
    let value = parts
        .headers
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// 415 with what would be taken.
pub(crate) fn wrong_media(wanted: &str) -> Problem {
    Problem::new(Kind::WrongMedia, "wrong-media").with("wanted", wanted)
}
