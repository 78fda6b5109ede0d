//! A node is changed for a newer one while people work: the sockets stay open in the hands of who
//! started it, as a service manager holds them. Never a request is refused, cut off or left unanswered.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{House, Node, PATIENCE};

/// Requests that the new node answers before it is changed again, count.
const ENOUGH: usize = 100;

/// A node's configuration, and the sockets that outlive its processes.
struct Sockets {
    node: Node,
    public: TcpListener,
    administration: TcpListener,
}

impl Sockets {
    fn new(house: &House) -> Self {
        let any = || TcpListener::bind("127.0.0.1:0").expect("a socket");
        let (public, administration) = (any(), any());
        let mut node = house.node("trial", "H56", "desk", "");
        node.ports = [address(&public).port(), 0, 0, address(&administration).port()];
        node.configure("desk", &node.url(""), "");
        Self {
            node,
            public,
            administration,
        }
    }

    /// Starts a process and hands it the sockets as systemd does: from 3 on, with its own number.
    fn start(&self) -> Child {
        let hand = |socket: &TcpListener| Stdio::from(OwnedFd::from(socket.try_clone().expect("a copy")));
        Command::new("sh")
            .args([
                "-c",
                "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_FDS=2 LISTEN_PID=$$ exec \"$0\" serve --config \"$1\"",
                env!("CARGO_BIN_EXE_sen"),
            ])
            .arg(&self.node.config)
            .env_remove("SEN_DATABASE")
            .stdin(hand(&self.public))
            .stdout(hand(&self.administration))
            .spawn()
            .expect("a node")
    }
}

fn address(socket: &TcpListener) -> SocketAddr {
    socket.local_addr().expect("an address")
}

/// Tells a process to end, and waits for it.
async fn stop(mut node: Child) {
    let told = Command::new("kill")
        .args(["-TERM", &node.id().to_string()])
        .status();
    assert!(told.expect("kill runs").success());
    let ended = tokio::task::spawn_blocking(move || node.wait())
        .await
        .expect("waited");
    assert!(ended.expect("it was our child").success(), "the node ended well");
}

/// Asks once; gives the answer and whether the connection stays open.
async fn ask(stream: &mut TcpStream, path: &str) -> std::io::Result<(String, bool)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|t| t.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok((text.clone(), !head.contains("connection: close")));
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::Error::other(format!(
                "cut off after {} bytes",
                bytes.len()
            )));
        }
    }
}

/// Asks until told to stop; on one connection as long as the node keeps it, or on a new one each time.
async fn hammer(
    addr: SocketAddr,
    keep: bool,
    done: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut open: Option<TcpStream> = None;
    while !done.load(Ordering::SeqCst) {
        let asked = async {
            let mut stream = match open.take() {
                Some(stream) => stream,
                None => TcpStream::connect(addr).await?,
            };
            let (answer, stays) = ask(&mut stream, "/sign-in").await?;
            Ok::<_, std::io::Error>((answer, (stays && keep).then_some(stream)))
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok((answer, left))) if answer.starts_with("HTTP/1.1 200") => {
                open = left;
                answered.fetch_add(1, Ordering::SeqCst);
            }
            Ok(Ok((answer, _))) => failures.push(answer.lines().next().unwrap_or_default().to_owned()),
            Ok(Err(cause)) => failures.push(cause.to_string()),
            Err(_) => failures.push("no answer".to_owned()),
        }
    }
    failures
}

async fn started(addr: SocketAddr) -> String {
    let asked = async {
        let mut stream = TcpStream::connect(addr).await?;
        ask(&mut stream, "/info").await
    };
    let (answer, _) = timeout(PATIENCE, asked)
        .await
        .expect("in time")
        .expect("an answer");
    let said = answer
        .split("\"started\":\"")
        .nth(1)
        .and_then(|t| t.split('"').next());
    said.expect("a node says when it started").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_board_does_not_hold_up_a_stop() {
    let house = House::new("live");
    let sockets = Sockets::new(&house);
    let node = sockets.start();
    started(address(&sockets.administration)).await;
    let mut board = TcpStream::connect(address(&sockets.public))
        .await
        .expect("a connection");
    let request = b"GET /boards/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
    board.write_all(request).await.expect("sent");
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains("retry:") {
        let read = timeout(PATIENCE, board.read_buf(&mut bytes))
            .await
            .expect("in time");
        assert!(read.expect("reads") > 0, "the stream has begun");
    }
    // Half of what a request may take: longer, and the stop would have waited for the board.
    timeout(Duration::from_secs(30), stop(node))
        .await
        .expect("it ends within seconds");
    sockets.node.forget().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_no_request_when_the_sockets_stay_open() {
    let house = House::new("restart");
    let sockets = Sockets::new(&house);
    let (public, administration) = (address(&sockets.public), address(&sockets.administration));
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut node = sockets.start();
    let mut lives = vec![started(administration).await];
    let clients: Vec<_> = [true, true, false, false]
        .map(|keep| tokio::spawn(hammer(public, keep, Arc::clone(&done), Arc::clone(&answered))))
        .into();
    for _ in 0..3 {
        let before = answered.load(Ordering::SeqCst);
        let enough = async {
            while answered.load(Ordering::SeqCst) < before + ENOUGH {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, enough).await.expect("the node answers");
        stop(node).await;
        node = sockets.start();
        lives.push(started(administration).await);
    }
    done.store(true, Ordering::SeqCst);
    for client in clients {
        let failures = client.await.expect("the client ends");
        assert_eq!(
            failures,
            Vec::<String>::new(),
            "of {} requests",
            answered.load(Ordering::SeqCst)
        );
    }
    stop(node).await;
    sockets.node.forget().await;
    lives.dedup();
    assert_eq!(
        lives.len(),
        4,
        "four processes answered one after another: {lives:?}"
    );
}
