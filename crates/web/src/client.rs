//! Calls to others over HTTP/1.1, pooled, each with a deadline and a size. Never follows a
//! redirect and never sends twice: who calls knows whether that is safe.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Builder};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long an unused connection is kept: shorter than any listener of ours keeps its end, so that
/// a call does not go out on a connection that is just being closed.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Why a call gave no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody answered there, or TLS was refused: the other side has not acted.
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
    /// The other side took the connection and said nothing in the time that is more than enough for
    /// it; it may have acted.
    #[error("nothing was heard from the other side")]
    Silent,
    /// The other side took the connection and did not say who it is: nothing was sent.
    #[error("the other side did not say who it is")]
    Nameless,
    /// The deadline passed before anything was sent: the other side has not acted.
    #[error("nothing could be sent in time")]
    Unsent,
}

/// A body that goes out or has come back.
#[derive(Debug)]
pub enum Payload {
    /// In memory.
    Whole(Bytes),
    /// As it comes.
    Streamed(Body),
}

type Out = Either<Full<Bytes>, Body>;

/// An HTTP client; cheap to clone, clones share the pool.
#[derive(Clone, Debug)]
pub struct Client(Way);

#[derive(Clone, Debug)]
enum Way {
    Plain(legacy::Client<HttpConnector, Out>),
    Tls(legacy::Client<HttpsConnector<HttpConnector>, Out>),
}

impl Client {
    /// Over plain HTTP.
    #[must_use]
    pub fn plain() -> Self {
        Self(Way::Plain(builder().build(connector())))
    }

    /// As [`Client::plain`], from one of this machine's addresses: a listener counts the connections of each.
    #[must_use]
    pub fn plain_from(address: IpAddr) -> Self {
        let mut http = connector();
        http.set_local_address(Some(address));
        Self(Way::Plain(builder().build(http)))
    }

    /// Over TLS only: an `http` address is refused as [`ClientError::Connect`].
    #[must_use]
    pub fn tls(config: Arc<rustls::ClientConfig>) -> Self {
        let mut http = connector();
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(Arc::unwrap_or_clone(config))
            .https_only()
            .enable_http1()
            .wrap_connector(http);
        Self(Way::Tls(builder().build(https)))
    }

    /// Sends a request with an absolute URI and reads the whole answer.
    ///
    /// # Errors
    /// See [`ClientError`]; a status of 400 or more is an answer, not an error.
    pub async fn send(
        &self,
        request: http::Request<Bytes>,
        deadline_ms: u64,
        answer_bytes_max: usize,
    ) -> Result<http::Response<Bytes>, ClientError> {
        let request = request.map(|body| Either::Left(Full::new(body)));
        let call = async {
            let (parts, body) = self.begin(request).await?.into_parts();
            Ok(http::Response::from_parts(
                parts,
                read(body, answer_bytes_max).await?,
            ))
        };
        tokio::time::timeout(Duration::from_millis(deadline_ms), call)
            .await
            .unwrap_or(Err(ClientError::Timeout))
    }

    /// Sends a request with an absolute URI and a body of any size. An answer of at most
    /// `whole_bytes_max` that says so is read; any other is given as it comes, and who reads it bounds
    /// its size and its time.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn call(
        &self,
        request: http::Request<Payload>,
        deadline_ms: u64,
        whole_bytes_max: usize,
    ) -> Result<http::Response<Payload>, ClientError> {
        let request = request.map(|body| match body {
            Payload::Whole(bytes) => Either::Left(Full::new(bytes)),
            Payload::Streamed(body) => Either::Right(body),
        });
        let call = async {
            let (parts, body) = self.begin(request).await?.into_parts();
            let upper = body.size_hint().upper();
            let body = if upper.is_some_and(|size| size <= whole_bytes_max as u64) {
                Payload::Whole(read(body, whole_bytes_max).await?)
            } else {
                Payload::Streamed(Body::new(body))
            };
            Ok(http::Response::from_parts(parts, body))
        };
        tokio::time::timeout(Duration::from_millis(deadline_ms), call)
            .await
            .unwrap_or(Err(ClientError::Timeout))
    }

    async fn begin(&self, request: http::Request<Out>) -> Result<http::Response<Incoming>, ClientError> {
        let answer = match &self.0 {
            Way::Plain(client) => client.request(request).await,
            Way::Tls(client) => client.request(request).await,
        };
        answer.map_err(|e| kind_of(&e))
    }
}

fn builder() -> Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(POOL_IDLE);
    builder
}

fn connector() -> HttpConnector {
    let mut http = HttpConnector::new();
    http.set_nodelay(true);
    http
}

async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, ClientError> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(ClientError::TooLarge);
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(ClientError::TooLarge),
        Err(_) => Err(ClientError::Broken),
    }
}

/// With TLS 1.3 a refused client certificate shows only after our side has finished its handshake:
/// the alert then is the proof that the request was not looked at.
fn kind_of(error: &legacy::Error) -> ClientError {
    let mut source = error.source();
    while let Some(cause) = source {
        let tls = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if matches!(tls, Some(error) if error.is::<rustls::Error>()) {
            tracing::debug!(%cause, "TLS was refused");
            return ClientError::Connect;
        }
        source = cause.source();
    }
    if error.is_connect() {
        ClientError::Connect
    } else {
        ClientError::Broken
    }
}
