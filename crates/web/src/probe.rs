//! A connection tried step by step (name, TCP, TLS, answer), which says the step that fails and why.
//! Never sends more than a HEAD and, where that is not taken, a GET; never judges the answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use kernel::World;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Client, ClientError};

/// Size of an answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A step of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The host's name leads to addresses.
    Name,
    /// Something listens at one of them.
    Connect,
    /// TLS: it shows a certificate that is believed.
    Tls,
    /// It answers a request.
    Answer,
}

impl Hop {
    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Answer => "answer",
        }
    }
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The name is known to nobody.
    NoName,
    /// Nothing listens there.
    Refused,
    /// There is no way there.
    NoWay,
    /// Nothing came back in time.
    Silent,
    /// The certificate leads to none of the roots.
    Untrusted,
    /// The certificate is another host's.
    OtherName,
    /// The certificate's time is over or has not begun.
    Expired,
    /// TLS failed otherwise: no TLS there, or our certificate was refused.
    NoTls,
    /// The connection broke before there was an answer.
    NoAnswer,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoName,
        Self::Refused,
        Self::NoWay,
        Self::Silent,
        Self::Untrusted,
        Self::OtherName,
        Self::Expired,
        Self::NoTls,
        Self::NoAnswer,
    ];

    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoName => "no-name",
            Self::Refused => "refused",
            Self::NoWay => "no-way",
            Self::Silent => "silent",
            Self::Untrusted => "untrusted",
            Self::OtherName => "other-name",
            Self::Expired => "expired",
            Self::NoTls => "no-tls",
            Self::NoAnswer => "no-answer",
        }
    }
}

/// A step that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub hop: Hop,
    /// How long it took, in milliseconds.
    pub ms: i64,
    /// Why it failed; `None` when it did not.
    pub broken: Option<Broken>,
}

/// What came of a try: its steps up to the first that failed, and the status where there was an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
}

impl Tried {
    /// The step that failed, and why.
    #[must_use]
    pub fn broken(&self) -> Option<(Hop, Broken)> {
        let last = self.steps.last()?;
        Some((last.hop, last.broken?))
    }
}

/// Tries an address; each step may take `step_ms_max`. `tls` and `client` are those of its scheme.
pub async fn probe(
    world: &World,
    url: &Uri,
    tls: Option<Arc<ClientConfig>>,
    client: &Client,
    step_ms_max: u64,
) -> Tried {
    let mut tried = Tried::default();
    let limit = Duration::from_millis(step_ms_max);
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let step = |hop, began: i64, broken| Step {
        hop,
        ms: world.now().ms() - began,
        broken,
    };
    let began = world.now().ms();
    let found = tokio::time::timeout(limit, resolve(&host, port)).await;
    let found = found.unwrap_or(Err(Broken::Silent));
    tried
        .steps
        .push(step(Hop::Name, began, found.as_ref().err().copied()));
    let Ok(addresses) = found else { return tried };
    let began = world.now().ms();
    let connected = tokio::time::timeout(limit, connect(&addresses)).await;
    let connected = connected.unwrap_or(Err(Broken::Silent));
    tried
        .steps
        .push(step(Hop::Connect, began, connected.as_ref().err().copied()));
    let Ok(stream) = connected else { return tried };
    // Each try ends its connection before the next: a small server takes one at a time.
    if let Some(config) = tls {
        let began = world.now().ms();
        let shaken = tokio::time::timeout(limit, shake(config, host, stream)).await;
        let broken = shaken.unwrap_or(Err(Broken::Silent)).err();
        tried.steps.push(step(Hop::Tls, began, broken));
        if broken.is_some() {
            return tried;
        }
    } else {
        drop(stream);
    }
    let began = world.now().ms();
    let asked = status(client, url, step_ms_max).await;
    tried.steps.push(step(Hop::Answer, began, asked.err()));
    tried.status = asked.ok();
    tried
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Broken> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found.map_err(|_| Broken::NoName)?.collect();
    if found.is_empty() {
        Err(Broken::NoName)
    } else {
        Ok(found)
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Broken> {
    TcpStream::connect(addresses).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::ConnectionRefused => Broken::Refused,
        std::io::ErrorKind::TimedOut => Broken::Silent,
        _ => Broken::NoWay,
    })
}

async fn shake(config: Arc<ClientConfig>, host: String, stream: TcpStream) -> Result<(), Broken> {
    let name = ServerName::try_from(host).map_err(|_| Broken::OtherName)?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(_) => Ok(()),
        Err(cause) => {
            tracing::info!(%cause, "TLS with a service that was tried failed");
            Err(why(&cause))
        }
    }
}

fn why(error: &std::io::Error) -> Broken {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(fault)) = inner else {
        return Broken::NoTls;
    };
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Broken::OtherName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Broken::Expired,
        _ => Broken::Untrusted,
    }
}

/// The status of a HEAD, or of a GET where HEAD is not taken.
async fn status(client: &Client, url: &Uri, ms_max: u64) -> Result<u16, Broken> {
    let ask = async |method: Method| {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = url.clone();
        client.send(request, ms_max, ANSWER_BYTES_MAX).await
    };
    let head = ask(Method::HEAD).await.map(|answer| answer.status().as_u16());
    match head {
        Ok(status @ (405 | 501)) => match ask(Method::GET).await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(ClientError::TooLarge) => Ok(200),
            Err(_) => Ok(status),
        },
        Ok(status) => Ok(status),
        Err(ClientError::Timeout) => Err(Broken::Silent),
        // With TLS 1.3 a refused client certificate shows only now.
        Err(ClientError::Connect) if url.scheme_str() == Some("https") => Err(Broken::NoTls),
        Err(_) => Err(Broken::NoAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    async fn tried(url: &str, step_ms_max: u64) -> Tried {
        let (world, url) = (crate::testing::world(), url.parse().unwrap());
        probe(&world, &url, None, &Client::plain(), step_ms_max).await
    }

    /// Answers each request with the status its method is given, or not at all.
    async fn listener(head: Option<&'static str>, get: &'static str) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base", socket.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                tokio::spawn(async move {
                    let mut bytes = [0_u8; 1024];
                    while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                        let status = if bytes[..n].starts_with(b"HEAD") {
                            head
                        } else {
                            Some(get)
                        };
                        let Some(status) = status else { continue };
                        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        url
    }

    #[tokio::test]
    async fn the_step_that_fails_is_named_with_its_reason() {
        let broken = |tried: Tried| tried.broken().unwrap();
        // No name has a part of 64 letters: nobody needs to be asked.
        let nobody = format!("http://{}.invalid/", "x".repeat(64));
        assert_eq!(broken(tried(&nobody, 20_000).await), (Hop::Name, Broken::NoName));
        // Kept, so that nobody else listens there; it does not listen itself.
        let kept = tokio::net::TcpSocket::new_v4().unwrap();
        kept.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let free = format!("http://{}/", kept.local_addr().unwrap());
        assert_eq!(
            broken(tried(&free, 20_000).await),
            (Hop::Connect, Broken::Refused)
        );
        let silent = listener(None, "200 OK").await;
        assert_eq!(broken(tried(&silent, 300).await), (Hop::Answer, Broken::Silent));
    }

    #[tokio::test]
    async fn a_server_that_takes_one_connection_at_a_time_is_found_to_answer() {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", socket.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                let mut bytes = [0_u8; 1024];
                if stream.read(&mut bytes).await.is_ok_and(|n| n > 0) {
                    stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
                }
            }
        });
        let tried = tried(&url, 20_000).await;
        assert_eq!((tried.status, tried.broken()), (Some(200), None));
    }

    #[tokio::test]
    async fn any_status_is_an_answer_and_a_get_follows_where_head_is_not_taken() {
        for (head, get, status) in [
            ("200 OK", "500 Broken", 200),
            ("404 Not Found", "200 OK", 404),
            ("501 Not Implemented", "204 No Content", 204),
            ("405 No", "503 Later", 503),
        ] {
            let tried = tried(&listener(Some(head), get).await, 20_000).await;
            assert_eq!((tried.status, tried.broken()), (Some(status), None), "{head}");
            assert_eq!(tried.steps.len(), 3);
        }
    }
}
