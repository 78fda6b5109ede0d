//! The calling side of the wire: a few connections to each node, kept and shared by all who call.
//! Sends a message a second time only when nothing of it was read.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use super::ALPN;
use super::format::STREAMS_MAX;
use super::incoming::Incoming;
use super::link::{Answered, Link};
use crate::client::ClientError;

/// Connections kept to one node, count: one for each core that carries, up to this.
const LANES_MAX: usize = 4;
/// Time for a connection and its handshake.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(4);
// A side that does not say who it is, is given up within five seconds.
const _: () = assert!(CONNECT_MAX.as_millis() < 5_000);
/// How long a connection nobody uses is kept.
const QUIET: Duration = Duration::from_secs(60);

/// Sends messages to other nodes; cheap to clone, clones share the connections.
#[derive(Clone)]
pub struct FrameClient(Arc<Inner>);

struct Inner {
    tls: TlsConnector,
    answer_bytes_max: usize,
    lanes_max: usize,
    nodes: Mutex<HashMap<String, Arc<Node>>>,
}

/// The connections to one node.
struct Node {
    turn: AtomicUsize,
    lanes: Vec<Lane>,
}

struct Lane {
    link: Mutex<Option<Arc<Link>>>,
    /// Held by who makes the connection; the others wait for it.
    connecting: tokio::sync::Mutex<()>,
    /// Connections on which the other side kept silent before it had shown who it is, count.
    silences: AtomicUsize,
    /// Messages that may be on their way here; more wait at the sender.
    seats: Semaphore,
}

impl fmt::Debug for FrameClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameClient(…)")
    }
}

impl FrameClient {
    /// A client that shows the certificate of `tls` and takes answers up to a size, in bytes.
    #[must_use]
    pub fn new(tls: &rustls::ClientConfig, answer_bytes_max: usize) -> Self {
        let mut tls = tls.clone();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Inner {
            tls: TlsConnector::from(Arc::new(tls)),
            answer_bytes_max,
            lanes_max: cores.min(LANES_MAX),
            nodes: Mutex::default(),
        }))
    }

    /// Sends a message to `host:port` and reads the whole answer.
    ///
    /// # Errors
    /// See [`ClientError`]; after [`ClientError::Connect`], [`ClientError::Nameless`] and
    /// [`ClientError::Unsent`] the other side has read nothing.
    pub async fn send(&self, address: &str, message: Bytes, deadline_ms: u64) -> Answered {
        // Who waited for a seat or a connection until the end has sent nothing, and is told so.
        let asked = AtomicBool::new(false);
        let call = async {
            let node = self.node(address);
            // A connection that has just ended is seen only when something is sent on it.
            match self.once(&node, address, message.clone(), &asked).await {
                Err(ClientError::Connect) => {
                    asked.store(false, Ordering::Relaxed);
                    self.once(&node, address, message, &asked).await
                }
                answered => answered,
            }
        };
        let answered = tokio::time::timeout(Duration::from_millis(deadline_ms), call).await;
        answered.unwrap_or_else(|_| {
            let asked = asked.load(Ordering::Relaxed);
            Err(if asked {
                ClientError::Timeout
            } else {
                ClientError::Unsent
            })
        })
    }

    /// Sends once; `asked` turns true before anything of the message can go out.
    async fn once(&self, node: &Node, address: &str, message: Bytes, asked: &AtomicBool) -> Answered {
        let turn = node.turn.fetch_add(1, Ordering::Relaxed);
        let lane = &node.lanes[turn % node.lanes.len()];
        let _seat = lane.seats.acquire().await.map_err(|_| ClientError::Connect)?;
        let link = self.link(lane, address).await?;
        asked.store(true, Ordering::Relaxed);
        match link.ask(message) {
            Some(awaited) => awaited.answer().await,
            None => Err(ClientError::Connect),
        }
    }

    fn node(&self, address: &str) -> Arc<Node> {
        let mut nodes = self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = nodes.get(address) {
            return Arc::clone(node);
        }
        let node = Arc::new(Node {
            turn: AtomicUsize::new(0),
            lanes: (0..self.0.lanes_max).map(|_| Lane::new()).collect(),
        });
        nodes.insert(address.to_owned(), Arc::clone(&node));
        node
    }

    async fn link(&self, lane: &Lane, address: &str) -> Result<Arc<Link>, ClientError> {
        if let Some(link) = lane.open() {
            return Ok(link);
        }
        let silences = lane.silences.load(Ordering::Relaxed);
        let _alone = lane.connecting.lock().await;
        if let Some(link) = lane.open() {
            return Ok(link);
        }
        // Who waited here while the other side kept silent has waited long enough.
        if lane.silences.load(Ordering::Relaxed) != silences {
            return Err(ClientError::Nameless);
        }
        let made = tokio::time::timeout(CONNECT_MAX, self.connect(address)).await;
        let link = made.unwrap_or_else(|_| {
            lane.silences.fetch_add(1, Ordering::Relaxed);
            Err(ClientError::Nameless)
        })?;
        lane.keep(&link);
        Ok(link)
    }

    async fn connect(&self, address: &str) -> Result<Arc<Link>, ClientError> {
        let refused = |cause: &dyn fmt::Display| {
            tracing::debug!(address, %cause, "no connection to a node");
            ClientError::Connect
        };
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|e| refused(&e))?;
        let socket = TcpStream::connect(address).await.map_err(|e| refused(&e))?;
        socket.set_nodelay(true).map_err(|e| refused(&e))?;
        let stream = self.0.tls.connect(name, socket).await.map_err(|e| refused(&e))?;
        if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
            return Err(refused(&"the node speaks no frames"));
        }
        let link = Arc::new(Link::default());
        let (incoming, running) = (Incoming::new(self.0.answer_bytes_max), Arc::clone(&link));
        tokio::spawn(async move {
            let busy = || running.is_awaited();
            running
                .run(stream, incoming, QUIET, busy, |event| running.heard(event))
                .await;
        });
        Ok(link)
    }
}

impl Lane {
    fn new() -> Self {
        Self {
            link: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            silences: AtomicUsize::new(0),
            seats: Semaphore::new(STREAMS_MAX),
        }
    }

    fn open(&self) -> Option<Arc<Link>> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.as_ref().filter(|link| link.is_open()).map(Arc::clone)
    }

    fn keep(&self, link: &Arc<Link>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(link));
    }
}
