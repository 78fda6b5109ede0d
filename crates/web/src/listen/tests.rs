//! The accept loop against slow, greedy and unknown clients, over real sockets with short limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use kernel::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{ListenError, Listener, Peer, serve};
use crate::client::{Client, ClientError};
use crate::form::Fields;
use crate::testing::{Authority, all_but, anyone, shared, world};
use crate::tls::{TlsIdentity, client_config, server_config};

/// Longer than any deadline that a test shortens, also on a machine that is busy; shorter than the usual ones of
/// silence (30 s) and of a request (60 s). What ends in this time was ended by what the test shortened.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a test waits, in milliseconds: no deadline of that test.
const LONG_MS: u64 = 60_000;

/// A header must come quickly; anything else may take longer than a test waits.
fn quick_header() -> Limits {
    Limits {
        header_ms_max: 300,
        ..Limits::default()
    }
}

struct Node {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    done: JoinHandle<()>,
}

async fn node(limits: Limits, tls: Option<Arc<rustls::ServerConfig>>) -> Node {
    let upload =
        |fields: Fields| async move { fields.need("name").map(str::to_owned).map_err(crate::Refusal) };
    let who = |Extension(peer): Extension<Peer>| async move {
        format!("{} {} {}", peer.addr.ip(), peer.tls, peer.certificate.is_some())
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/who", get(who))
        .route(
            "/slow",
            get(|| async {
                sleep(Duration::from_millis(700)).await;
                "done"
            }),
        )
        .route("/big", get(big))
        .route("/upload", post(upload));
    let router = crate::present(router, shared(limits.clone()));
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let addr = listener.local_addr();
    let (stop, stopped) = watch::channel(false);
    let done = tokio::spawn(async move { serve(listener, tls, router, &limits, stopped).await });
    Node { addr, stop, done }
}

/// 64 MB without holding them.
async fn big() -> Body {
    static CHUNK: [u8; 1 << 16] = [b'x'; 1 << 16];
    let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&CHUNK)));
    Body::from_stream(chunks.take(1 << 10))
}

/// Reads until the other side closes, in time; what was read.
async fn until_closed(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut read))
        .await
        .expect("closed in time")
        .unwrap_or_default();
    String::from_utf8_lossy(&read).into_owned()
}

/// Whether so many milliseconds have passed: what ends then has not ended before its deadline.
fn have_passed(since: Instant, ms: u64) -> bool {
    since.elapsed() >= Duration::from_millis(ms)
}

#[tokio::test]
async fn a_silent_connection_is_closed_at_the_header_deadline() {
    let node = node(quick_header(), None).await;
    let begun = Instant::now();
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(TcpStream::connect(node.addr).await.unwrap());
    }
    until_closed(&mut sockets[0]).await;
    assert!(have_passed(begun, 300), "{:?}", begun.elapsed());
    for socket in &mut sockets[1..] {
        until_closed(socket).await;
    }
}

#[tokio::test]
async fn a_header_sent_byte_by_byte_is_closed_at_the_same_deadline() {
    let node = node(quick_header(), None).await;
    let begun = Instant::now();
    let (mut reading, mut writing) = TcpStream::connect(node.addr).await.unwrap().into_split();
    let drip = tokio::spawn(async move {
        // For longer than the test waits.
        for byte in b"GET / HTTP/1.1\r\nx-slow: ".iter().chain([b'a'; 800].iter()) {
            if writing.write_all(&[*byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    let mut rest = Vec::new();
    timeout(PATIENCE, reading.read_to_end(&mut rest))
        .await
        .expect("closed in time")
        .unwrap_or_default();
    assert!(have_passed(begun, 300), "{:?}", begun.elapsed());
    drip.abort();
}

#[tokio::test]
async fn a_kept_connection_may_be_idle_longer_but_not_its_next_header() {
    let ask = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let quick_idle = Limits {
        idle_ms_max: 1_000,
        ..quick_header()
    };
    let begun = Instant::now();
    let mut idle = TcpStream::connect(node(quick_idle, None).await.addr)
        .await
        .unwrap();
    idle.write_all(ask).await.unwrap();
    let read = until_closed(&mut idle).await;
    assert!(
        read.ends_with("hello") && have_passed(begun, 1_000),
        "{:?} {read}",
        begun.elapsed()
    );

    let node = node(quick_header(), None).await;
    let mut kept = TcpStream::connect(node.addr).await.unwrap();
    for _ in 0..3 {
        kept.write_all(ask).await.unwrap();
        let mut answer = [0; 4096];
        let n = kept.read(&mut answer).await.unwrap();
        assert!(
            answer[..n].starts_with(b"HTTP/1.1 200"),
            "still open after 400 ms of silence"
        );
        sleep(Duration::from_millis(400)).await;
    }
    kept.write_all(b"GET / HT").await.unwrap();
    until_closed(&mut kept).await;
}

#[tokio::test]
async fn a_slow_body_is_answered_and_a_slow_reader_is_cut_off() {
    // The connection itself has longer, so that the answer gets out.
    let quick_request = Limits {
        header_ms_max: LONG_MS,
        request_ms_max: 2_000,
        ..Limits::default()
    };
    let begun = Instant::now();
    let mut slow = TcpStream::connect(node(quick_request, None).await.addr)
        .await
        .unwrap();
    slow.write_all(b"POST /upload HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\nname=")
        .await
        .unwrap();
    let read = until_closed(&mut slow).await;
    assert!(
        read.starts_with("HTTP/1.1 504") && have_passed(begun, 2_000),
        "{:?} {read}",
        begun.elapsed()
    );

    // Cut off after 600 ms, long before it begins to read.
    let quick = Limits {
        request_ms_max: 300,
        ..quick_header()
    };
    let node = node(quick, None).await;
    let mut reader = TcpStream::connect(node.addr).await.unwrap();
    reader
        .write_all(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(2_800)).await;
    let mut read = Vec::new();
    timeout(PATIENCE, reader.read_to_end(&mut read))
        .await
        .expect("closed in time")
        .unwrap_or_default();
    assert!(
        read.len() < 64 << 20,
        "the rest was not kept for a reader who does not read"
    );
}

#[tokio::test]
async fn a_header_of_64_kilobytes_is_refused() {
    let node = node(Limits::default(), None).await;
    let mut socket = TcpStream::connect(node.addr).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n",
        "a".repeat(64 << 10)
    );
    socket.write_all(head.as_bytes()).await.unwrap_or_default();
    let mut answer = [0; 64];
    let n = timeout(PATIENCE, socket.read(&mut answer))
        .await
        .expect("answered in time")
        .unwrap();
    assert!(
        answer[..n].starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer[..n])
    );
}

#[tokio::test]
async fn an_address_has_only_so_many_connections() {
    let node = node(
        Limits {
            header_ms_max: LONG_MS,
            connections_per_address_max: 5,
            ..Limits::default()
        },
        None,
    )
    .await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut socket = TcpStream::connect(node.addr).await.unwrap();
        socket
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        socket.readable().await.unwrap();
        held.push(socket);
    }
    let mut sixth = TcpStream::connect(node.addr).await.unwrap();
    let read = until_closed(&mut sixth).await;
    assert!(read.is_empty(), "{read}");
    held.clear();
    let client = Client::plain();
    let seated = async {
        loop {
            match call(&client, "http", node.addr, "/").await {
                Ok(answer) => break answer,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let answer = timeout(PATIENCE, seated).await.expect("a seat is given back");
    assert_eq!(answer, "hello");
}

async fn call(client: &Client, scheme: &str, addr: SocketAddr, path: &str) -> Result<String, ClientError> {
    let request = Request::get(format!("{scheme}://{addr}{path}"))
        .body(Bytes::new())
        .unwrap();
    let answer = client.send(request, 15_000, 1 << 20).await?;
    Ok(String::from_utf8(answer.into_body().to_vec()).unwrap())
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish_and_takes_no_new_ones() {
    let patient = Limits {
        header_ms_max: LONG_MS,
        ..Limits::default()
    };
    let node = node(patient, None).await;
    let client = Client::plain();
    assert_eq!(call(&client, "http", node.addr, "/").await.unwrap(), "hello");
    let silent = TcpStream::connect(node.addr).await.unwrap();
    let (running, addr) = (client.clone(), node.addr);
    let running = tokio::spawn(async move { call(&running, "http", addr, "/slow").await });
    sleep(Duration::from_millis(200)).await;
    node.stop.send(true).unwrap();
    // By itself: nobody is cut off, and the silent one is not waited for.
    timeout(PATIENCE, node.done)
        .await
        .expect("the drain ends")
        .unwrap();
    assert_eq!(running.await.unwrap().unwrap(), "done");
    assert_eq!(call(&client, "http", addr, "/").await, Err(ClientError::Connect));
    drop(silent);
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = Listener::bind(first.local_addr()).await.unwrap_err();
    assert!(matches!(error, ListenError::Taken { .. }));
    assert!(error.to_string().contains("--port"), "{error}");
}

/// Memory the process holds now, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn an_upload_of_200_megabytes_is_cut_off_and_memory_stays_flat() {
    let node = node(Limits::default(), None).await;
    let before = resident();
    for head in [
        "content-length: 209715400\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n10000000\r\n",
    ] {
        let (mut reading, mut writing) = TcpStream::connect(node.addr).await.unwrap().into_split();
        let sender = tokio::spawn(async move {
            let start = format!(
                "POST /upload HTTP/1.1\r\nhost: a\r\naccept: application/json\r\ncontent-type: multipart/form-data; boundary=B\r\n{head}--B\r\nContent-Disposition: form-data; name=\"paper\"; filename=\"x\"\r\n\r\n"
            );
            writing.write_all(start.as_bytes()).await.unwrap();
            let chunk = vec![b'x'; 1 << 20];
            let mut sent = 0;
            for _ in 0..200 {
                if writing.write_all(&chunk).await.is_err() {
                    break;
                }
                sent += chunk.len();
            }
            sent
        });
        let mut answer = vec![0; 4096];
        let n = timeout(PATIENCE, reading.read(&mut answer))
            .await
            .expect("answered in time")
            .unwrap();
        let answer = String::from_utf8_lossy(&answer[..n]).into_owned();
        let during = resident();
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("upload-too-large"),
            "{answer}"
        );
        let grown = during.saturating_sub(before) >> 20;
        assert!(grown < 48, "grew by {grown} MB for files of at most 10 MB");
        sender.await.unwrap();
    }
    let client = Client::plain();
    assert_eq!(call(&client, "http", node.addr, "/").await.unwrap(), "hello");
}

#[tokio::test]
async fn an_answer_larger_than_asked_for_or_too_late_is_an_error() {
    let node = node(Limits::default(), None).await;
    let client = Client::plain();
    let ask = |path: &str| {
        Request::get(format!("http://{}{path}", node.addr))
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(
        client.send(ask("/big"), 15_000, 1 << 20).await.unwrap_err(),
        ClientError::TooLarge
    );
    assert_eq!(
        client.send(ask("/slow"), 100, 1 << 20).await.unwrap_err(),
        ClientError::Timeout
    );
}

#[tokio::test]
async fn only_a_registered_certificate_that_is_not_revoked_may_call() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let [server, good, revoked] = ["127.0.0.1"; 3].map(|name| ours.node(name));
    let stranger = theirs.node("127.0.0.1");
    let anchors = [ours.der.clone()];
    let config = server_config(&world(), &server, &anchors, all_but(&revoked)).unwrap();
    let node = node(Limits::default(), Some(config)).await;

    let caller = |id: &TlsIdentity| Client::tls(client_config(&world(), id, &anchors, anyone()).unwrap());
    let client = caller(&good);
    for _ in 0..2 {
        assert_eq!(
            call(&client, "https", node.addr, "/who").await.unwrap(),
            "127.0.0.1 true true"
        );
    }
    assert_eq!(
        call(&caller(&revoked), "https", node.addr, "/who").await,
        Err(ClientError::Connect)
    );
    assert_eq!(
        call(&caller(&stranger), "https", node.addr, "/who").await,
        Err(ClientError::Connect)
    );

    let mut roots = rustls::RootCertStore::empty();
    roots.add(ours.der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let nameless = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    assert_eq!(
        call(&Client::tls(nameless.into()), "https", node.addr, "/who").await,
        Err(ClientError::Connect)
    );
    assert!(call(&Client::plain(), "http", node.addr, "/who").await.is_err());
}

#[tokio::test]
async fn a_server_is_called_only_when_its_certificate_is_the_right_one() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let me = ours.node("127.0.0.1");
    let anchors = [ours.der.clone(), theirs.der.clone()];
    for (server, their_anchors, accept) in [
        (ours.node("10.9.9.9"), &anchors[..], anyone()),
        (theirs.node("127.0.0.1"), &anchors[..1], anyone()),
        (me.clone(), &anchors[..], all_but(&me)),
    ] {
        let config = server_config(&world(), &server, &anchors, anyone()).unwrap();
        let node = node(Limits::default(), Some(config)).await;
        let client = Client::tls(client_config(&world(), &me, their_anchors, accept).unwrap());
        assert_eq!(
            call(&client, "https", node.addr, "/").await,
            Err(ClientError::Connect)
        );
    }
}

#[tokio::test]
async fn a_silent_tls_handshake_is_closed_too() {
    let ours = Authority::new();
    let config = server_config(
        &world(),
        &ours.node("127.0.0.1"),
        std::slice::from_ref(&ours.der),
        anyone(),
    )
    .unwrap();
    let node = node(quick_header(), Some(config)).await;
    let begun = Instant::now();
    let mut silent = TcpStream::connect(node.addr).await.unwrap();
    until_closed(&mut silent).await;
    assert!(have_passed(begun, 300), "{:?}", begun.elapsed());
}
