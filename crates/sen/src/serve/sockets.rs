//! The listeners of a node: sockets that the service manager holds over a restart and hands over, or
//! addresses taken here. A socket is known by its address. Never listens where no key says so.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use listenfd::ListenFd;
use web::listen::{ListenError, Listener};

use super::settings::Listen;
use crate::node::Faces;

/// Sockets handed over, by the address they listen on.
#[derive(Debug, Default)]
pub struct Handed(Vec<Listener>);

impl Handed {
    /// Those of this process (`LISTEN_FDS`, systemd's protocol).
    ///
    /// # Errors
    /// When one of them is no listening TCP socket.
    pub fn of_environment() -> anyhow::Result<Self> {
        let mut handed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for i in 0..handed.len() {
            let socket = handed.take_tcp_listener(i);
            let socket = socket.with_context(|| {
                format!("socket {i} of the service manager is no TCP socket: use ListenStream with an address and a port")
            })?;
            if let Some(socket) = socket {
                sockets.push(
                    Listener::of_socket(socket).context("a socket of the service manager cannot be used")?,
                );
            }
        }
        Ok(Self(sockets))
    }

    async fn take(&mut self, key: &str, addr: SocketAddr) -> anyhow::Result<Listener> {
        if let Some(i) = self.0.iter().position(|l| l.local_addr() == addr) {
            return Ok(self.0.swap_remove(i));
        }
        match Listener::bind(addr).await {
            Ok(listener) => Ok(listener),
            Err(ListenError::Taken { .. }) => bail!(
                "listen.{key}: {addr} is taken: one program listens on a port; see who with `ss -ltnp`, or name another address"
            ),
            Err(ListenError::Other { source, .. }) => Err(source).with_context(|| {
                format!("listen.{key}: cannot listen on {addr}: the address must be one of this machine, a port below 1024 needs a socket unit")
            }),
        }
    }
}

/// Every listener of a node.
///
/// # Errors
/// When an address cannot be taken, or a socket was handed over that no key names.
pub async fn faces(
    mut handed: Handed,
    listen: &Listen,
    public_tls: Option<Arc<rustls::ServerConfig>>,
) -> anyhow::Result<Faces> {
    let faces = Faces {
        public: handed.take("public", listen.public).await?,
        public_tls,
        systems: handed.take("systems", listen.systems).await?,
        peer: handed.take("peer", listen.peer).await?,
        administration: handed.take("administration", listen.administration).await?,
    };
    if let Some(stranger) = handed.0.first() {
        bail!(
            "the service manager holds a socket on {}, which no key under [listen] names: callers would wait there for ever; \
             make ListenStream and [listen] equal",
            stranger.local_addr()
        );
    }
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().expect("an address")
    }

    fn listen() -> Listen {
        Listen {
            public: any(),
            systems: any(),
            peer: any(),
            administration: any(),
        }
    }

    #[tokio::test]
    async fn a_socket_handed_over_is_used_where_its_address_stands() {
        let socket = std::net::TcpListener::bind(any()).expect("a socket");
        let addr = socket.local_addr().expect("an address");
        let handed = Handed(vec![Listener::of_socket(socket).expect("it listens")]);
        let listen = Listen {
            peer: addr,
            ..listen()
        };
        let faces = faces(handed, &listen, None).await.expect("all listen");
        assert_eq!(faces.peer.local_addr(), addr);
    }

    #[tokio::test]
    async fn a_socket_that_no_key_names_is_refused() {
        let socket = std::net::TcpListener::bind(any()).expect("a socket");
        let handed = Handed(vec![Listener::of_socket(socket).expect("it listens")]);
        let refused = faces(handed, &listen(), None)
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(refused.contains("ListenStream"), "{refused}");
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_key_and_the_remedy() {
        let socket = std::net::TcpListener::bind(any()).expect("a socket");
        let listen = Listen {
            systems: socket.local_addr().expect("an address"),
            ..listen()
        };
        let refused = faces(Handed::default(), &listen, None)
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(
            refused.contains("listen.systems") && refused.contains("ss -ltnp"),
            "{refused}"
        );
    }
}
