//! SIMULATOR of the address at which an authority has its list of revoked certificates: a real HTTP server,
//! which also behaves as none should. For tests alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Size of what is sent at a time of an answer without end, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What an address gives.
#[derive(Clone, Debug)]
pub enum Gives {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Another status than 200.
    Status(u16),
    /// Nothing: it hangs up.
    HangsUp,
    /// Nothing, and it keeps the connection.
    Silence,
    /// A byte now and then, for ever.
    Drips,
    /// As much as is taken, for ever.
    Floods,
}

/// An address of lists, for as long as this lives.
#[derive(Debug)]
pub struct ListAddress {
    /// Where.
    pub url: String,
    gives: Arc<Mutex<Gives>>,
    server: JoinHandle<()>,
}

impl ListAddress {
    /// Begins to give something.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn giving(first: Gives) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/ca.crl", listener.local_addr().expect("an address"));
        let gives = Arc::new(Mutex::new(first));
        let shared = Arc::clone(&gives);
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let now = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(answer(socket, now));
            }
        });
        Self { url, gives, server }
    }

    /// Gives something else from now on.
    pub fn gives(&self, next: Gives) {
        *self.gives.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

impl Drop for ListAddress {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(mut socket: TcpStream, gives: Gives) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < PIECE_BYTES {
        head.push(socket.read_u8().await?);
    }
    let endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    match gives {
        Gives::Bytes(bytes) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/pkix-crl\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bytes.len()
            );
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&bytes).await?;
            socket.shutdown().await
        }
        Gives::Status(status) => {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
            socket.shutdown().await
        }
        Gives::HangsUp => Ok(()),
        Gives::Silence => {
            // Until the other side has had enough.
            socket.read_u8().await.map(drop)
        }
        Gives::Drips => {
            socket.write_all(endless).await?;
            loop {
                socket.write_all(b"0").await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Gives::Floods => {
            socket.write_all(endless).await?;
            let piece = vec![b'0'; PIECE_BYTES];
            loop {
                socket.write_all(&piece).await?;
            }
        }
    }
}
