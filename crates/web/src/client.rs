//! Calls to others over HTTP/1.1, pooled, each with a deadline and a size. Never follows a
//! redirect, never retries: who calls knows whether that is safe.

use std::sync::Arc;

use axum::http;
use bytes::Bytes;

/// Why a call gave no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered there, or TLS was refused: the request was not sent.
    #[error("no connection")]
    Connect,
    /// The deadline passed; the other side may have acted.
    #[error("no answer in time")]
    Timeout,
    /// The answer is larger than allowed.
    #[error("the answer is too large")]
    TooLarge,
    /// The connection broke; the other side may have acted.
    #[error("the connection broke")]
    Broken,
}

/// An HTTP client; cheap to clone, clones share the pool.
#[derive(Clone)]
pub struct Client;

impl Client {
    /// Over plain HTTP.
    #[must_use]
    pub fn plain() -> Self {
        Self
    }

    /// Over TLS only.
    #[must_use]
    pub fn tls(_config: Arc<rustls::ClientConfig>) -> Self {
        Self
    }

    /// Sends a request with an absolute URI and reads the whole answer.
    ///
    /// # Errors
    /// See [`ClientError`]; a status of 400 or more is an answer, not an error.
    pub async fn send(
        &self,
        _request: http::Request<Bytes>,
        _deadline_ms: u64,
        _answer_bytes_max: usize,
    ) -> Result<http::Response<Bytes>, ClientError> {
        unimplemented!()
    }
}
