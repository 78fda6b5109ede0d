//! One connection from its first byte to its last. Never decides what a request means: the router
//! does.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kernel::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::Peer;
use crate::frames::{self, AnswerFrames};

use super::guard::{Deadlines, Guard, Life, Phase};

/// A request's whole header, in bytes; more is answered 431.
const HEADER_BYTES_MAX: usize = 32 << 10;
/// What is buffered of one connection in each direction, in bytes.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// How long a connection that is open and silent at a stop may still bring a request: one that was
/// sent before the other side could know is answered, and told that it was the last.
const LAST_CALL: Duration = Duration::from_millis(500);

/// What every connection of a listener shares.
pub(super) struct House {
    pub(super) router: Router,
    /// Who answers those that speak in frames.
    pub(super) frames: Option<Arc<dyn AnswerFrames>>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
}

/// Serves a connection until either side ends it.
pub(super) async fn run(stream: TcpStream, addr: SocketAddr, house: Arc<House>, stop: watch::Receiver<bool>) {
    // Small answers must not wait for the other side's acknowledgement.
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(cause = %e, "nodelay could not be set");
    }
    let Some(acceptor) = house.tls.clone() else {
        return speak(
            stream,
            Peer {
                addr,
                certificate: None,
                tls: false,
            },
            &house,
            stop,
        )
        .await;
    };
    let handshake = Duration::from_millis(house.limits.header_ms_max);
    match tokio::time::timeout(handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates();
            let certificate = chain.and_then(|c| c.first()).map(|c| c.as_ref().to_vec());
            let framed = stream.get_ref().1.alpn_protocol() == Some(frames::ALPN);
            let peer = Peer {
                addr,
                certificate,
                tls: true,
            };
            match &house.frames {
                Some(answers) if framed => frames::speak(stream, peer, Arc::clone(answers), stop).await,
                _ => speak(stream, peer, &house, stop).await,
            }
        }
        Ok(Err(cause)) => tracing::info!(%cause, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn speak<T>(stream: T, peer: Peer, house: &House, mut stop: watch::Receiver<bool>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let life = Arc::new(Life::default());
    let deadlines = Deadlines::of(&house.limits);
    let io = TokioIo::new(Guard::new(stream, Arc::clone(&life), deadlines));
    let service = {
        let (life, router, stop) = (Arc::clone(&life), house.router.clone(), stop.clone());
        service_fn(move |request| {
            let stop = stop.clone();
            answer(router.clone(), peer.clone(), Arc::clone(&life), stop, request)
        })
    };
    let backstop = Duration::from_millis(house.limits.header_ms_max.max(house.limits.idle_ms_max) + 1_000);
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(backstop)
            .max_header_size(HEADER_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            .serve_connection(io, service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = super::stopped(&mut stop) => {
            match tokio::time::timeout(LAST_CALL, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if life.phase() == Phase::Fresh => return,
                Err(_) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(%cause, "a connection ended early");
    }
}

async fn answer(
    router: Router,
    peer: Peer,
    life: Arc<Life>,
    stop: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<Leaving>, Infallible> {
    life.enter(Phase::Busy);
    life.set_unread(!request.body().is_end_stream());
    let mut request = request.map(|body| {
        Body::new(Arriving {
            body,
            life: Arc::clone(&life),
        })
    });
    request.extensions_mut().insert(peer);
    let mut response = router.oneshot(request).await?;
    if *stop.borrow() {
        // Told in the answer, so that the next request does not come on a connection that closes.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response.map(|body| Leaving { body, life }))
}

/// A request's body that tells when all of it has been read.
struct Arriving {
    body: Incoming,
    life: Arc<Life>,
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.life.set_unread(false);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body that tells when it is done with.
struct Leaving {
    body: Body,
    life: Arc<Life>,
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.life.enter(Phase::Idle);
    }
}
