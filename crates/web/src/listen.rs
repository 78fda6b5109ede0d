//! The one accept loop: every connection has deadlines, every listener and address a cap, and a
//! stop lets running requests finish. Never reads a request: see the router.

mod connection;
mod guard;
mod seats;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kernel::limits::Limits;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use connection::House;
use seats::Seats;
pub use seats::household;

use crate::frames::AnswerFrames;

/// How long the loop rests after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who is at the other end of a connection; a request extension.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Their address.
    pub addr: SocketAddr,
    /// Their client certificate (DER), on listeners with mutual TLS.
    pub certificate: Option<Vec<u8>>,
    /// True when the connection is encrypted.
    pub tls: bool,
}

/// Why a port could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has it.
    #[error("port {port} is taken: stop the program that holds it, or start with another --port")]
    Taken {
        /// The port.
        port: u16,
    },
    /// Anything else the system says.
    #[error("cannot listen on {addr}: {source}")]
    Other {
        /// Where.
        addr: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A port taken, not yet served.
#[derive(Debug)]
pub struct Listener {
    socket: tokio::net::TcpListener,
    addr: SocketAddr,
}

impl Listener {
    /// Takes a port; 0 means any free one.
    ///
    /// # Errors
    /// When the port is taken or may not be.
    pub async fn bind(addr: SocketAddr) -> Result<Self, ListenError> {
        let other = |source| ListenError::Other { addr, source };
        match tokio::net::TcpListener::bind(addr).await {
            Ok(socket) => {
                let addr = socket.local_addr().map_err(other)?;
                Ok(Self { socket, addr })
            }
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
                Err(ListenError::Taken { port: addr.port() })
            }
            Err(e) => Err(other(e)),
        }
    }

    /// Takes over a socket that listens already: of a service manager that holds it over a restart.
    ///
    /// # Errors
    /// When it is no listening socket.
    pub fn of_socket(socket: std::net::TcpListener) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        let addr = socket.local_addr()?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        Ok(Self { socket, addr })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Serves a router until `shutdown` turns true, then lets running requests finish, for as long as
/// one request may take. When the sender of `shutdown` is dropped, it serves on.
pub async fn serve(
    listener: Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    limits: &Limits,
    shutdown: watch::Receiver<bool>,
) {
    let house = House {
        router,
        frames: None,
        tls: tls.map(TlsAcceptor::from),
        limits: limits.clone(),
    };
    accept(listener, house, shutdown).await;
}

/// As [`serve`], for other nodes: who asks for it in the TLS handshake speaks in frames.
pub async fn serve_nodes(
    listener: Listener,
    tls: Arc<rustls::ServerConfig>,
    (router, frames): (Router, Arc<dyn AnswerFrames>),
    limits: &Limits,
    shutdown: watch::Receiver<bool>,
) {
    let house = House {
        router,
        frames: Some(frames),
        tls: Some(TlsAcceptor::from(tls)),
        limits: limits.clone(),
    };
    accept(listener, house, shutdown).await;
}

async fn accept(listener: Listener, house: House, mut shutdown: watch::Receiver<bool>) {
    let limits = house.limits.clone();
    let house = Arc::new(house);
    let seats = Seats::new(limits.connections_max, limits.connections_per_address_max);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.socket.accept() => accepted,
            () = stopped(&mut shutdown) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, addr)) => {
                let Some(seat) = seats.take(addr.ip()) else {
                    metrics::counter!("sen_connections_refused_total").increment(1);
                    continue;
                };
                let (house, stop) = (Arc::clone(&house), shutdown.clone());
                connections.spawn(async move {
                    connection::run(stream, addr, house, stop).await;
                    drop(seat);
                });
            }
            // Out of file handles, most often: connections that end give some back.
            Err(cause) => {
                tracing::warn!(%cause, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_millis(limits.request_ms_max), all_done)
        .await
        .is_err()
    {
        tracing::warn!(connections = connections.len(), "cut off at the end of the drain");
    }
}

/// Returns once the flag is true; never when its owner has gone without raising it.
pub(crate) async fn stopped(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
