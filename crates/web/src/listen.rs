//! The one accept loop: every connection has deadlines, every listener and address a cap, and a
//! stop lets running requests finish. Never reads a request: see the router.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use kernel::limits::Limits;
use tokio::sync::watch;

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

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Serves a router until `shutdown` turns true, then lets running requests finish.
pub async fn serve(
    listener: Listener,
    _tls: Option<Arc<rustls::ServerConfig>>,
    _router: Router,
    _limits: &Limits,
    _shutdown: watch::Receiver<bool>,
) {
    drop(listener.socket);
    unimplemented!()
}
