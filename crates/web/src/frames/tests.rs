//! The wire over real connections of mutual TLS, and against bytes that are none of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use kernel::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::format::{self, HEAD, Head, Kind, PAYLOAD_MAX, Reason};
use super::*;
use crate::client::ClientError;
use crate::listen::{Listener, serve_nodes};
use crate::testing::{Authority, all_but, anyone, world};
use crate::tls::{Accept, client_config, server_config};

/// Longer than any wait of these tests, shorter than a person's patience and than a drain may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers with what it was sent; `slow` after a while, `wait` when it is told to go on, `never` not at all,
/// `panic` with a panic.
#[derive(Default)]
struct Echo {
    begun: AtomicUsize,
    ended: AtomicUsize,
    go_on: Notify,
}

impl Echo {
    /// Waits until so many messages are being answered, or were.
    async fn has_begun(&self, messages: usize) {
        let begun = async {
            while self.begun.load(Ordering::SeqCst) < messages {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, begun).await.expect("begun");
    }
}

#[async_trait]
impl AnswerFrames for Echo {
    fn message_bytes_max(&self) -> usize {
        4 << 20
    }

    async fn answer(&self, peer: &Peer, message: Vec<u8>) -> Vec<u8> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        match message.as_slice() {
            b"slow" => tokio::time::sleep(Duration::from_millis(300)).await,
            b"wait" => self.go_on.notified().await,
            b"never" => std::future::pending().await,
            b"panic" => panic!("as asked"),
            b"who" => return peer.certificate.clone().unwrap_or_default(),
            _ => {}
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        message
    }
}

/// A node at an address that hears those whom the authority lets through: its address, its stop, its end.
async fn serve(
    authority: &Authority,
    at: &str,
    accept: Accept,
    echo: Arc<Echo>,
) -> (String, watch::Sender<bool>, JoinHandle<()>) {
    let own = authority.node("127.0.0.1");
    let tls = server_config(&world(), &own, std::slice::from_ref(&authority.der), accept).unwrap();
    let listener = Listener::bind(at.parse().unwrap()).await.unwrap();
    let address = listener.local_addr().to_string();
    let (stop, stopped) = watch::channel(false);
    let answers: Arc<dyn AnswerFrames> = echo;
    let serving = tokio::spawn(async move {
        let heard = (Router::new(), answers);
        serve_nodes(listener, tls, heard, &Limits::default(), stopped).await;
    });
    (address, stop, serving)
}

/// Connections that a client keeps to a node at most, count.
const LANES: usize = 4;

struct Nodes {
    authority: Authority,
    address: String,
    echo: Arc<Echo>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Nodes {
    async fn new() -> Self {
        let authority = Authority::new();
        let echo = Arc::new(Echo::default());
        let (address, stop, serving) = serve(&authority, "127.0.0.1:0", anyone(), echo.clone()).await;
        Self {
            authority,
            address,
            echo,
            stop,
            serving,
        }
    }

    fn client(&self) -> FrameClient {
        let anchors = [self.authority.der.clone()];
        let own = self.authority.node("127.0.0.1");
        FrameClient::new(
            &client_config(&world(), &own, &anchors, anyone()).unwrap(),
            1 << 20,
        )
    }

    async fn send(
        &self,
        client: &FrameClient,
        message: impl Into<bytes::Bytes>,
    ) -> Result<Vec<u8>, ClientError> {
        timeout(PATIENCE, client.send(&self.address, message.into(), 25_000))
            .await
            .expect("in time")
    }

    /// Opens every connection that a client keeps to a node.
    async fn warm(&self, client: &FrameClient) {
        for _ in 0..LANES {
            self.send(client, "warm").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_of_all_sizes_come_back_to_who_sent_them() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    let sizes = [0, 1, 1_000, PAYLOAD_MAX, PAYLOAD_MAX + 1, 65_536, 65_537, 900_000];
    let all = (0..400_usize).map(|number| {
        let (client, nodes) = (client.clone(), &nodes);
        async move {
            let size = sizes[number % sizes.len()];
            let message: Vec<u8> = (0..size).map(|at| (at * 31 + number) as u8).collect();
            assert_eq!(nodes.send(&client, message.clone()).await.as_ref(), Ok(&message));
        }
    });
    join_all(all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_message_does_not_hold_up_small_ones() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    nodes.send(&client, "warm").await.unwrap();
    let large = vec![7_u8; 900_000];
    let slow_ones = (0..8).map(|_| nodes.send(&client, large.clone()));
    let small = async {
        for _ in 0..50 {
            assert_eq!(nodes.send(&client, "small").await.unwrap(), b"small");
        }
    };
    let (answers, ()) = tokio::join!(join_all(slow_ones), small);
    assert!(answers.into_iter().all(|a| a.as_deref() == Ok(&large)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_larger_than_the_other_side_takes_is_said_and_the_connection_goes_on() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    assert_eq!(
        nodes.send(&client, vec![0; 5 << 20]).await,
        Err(ClientError::TooLarge)
    );
    // An answer larger than we take is given up as well.
    assert_eq!(
        nodes.send(&client, vec![0; 2 << 20]).await,
        Err(ClientError::TooLarge)
    );
    assert_eq!(nodes.send(&client, "after").await.unwrap(), b"after");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_leaves_the_work_to_end_and_the_connection_to_others() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    nodes.warm(&client).await;
    // Enough for the message to go out over a connection that is open, and the answer does not come.
    let given_up = client.send(&nodes.address, "wait".into(), 1_000).await;
    assert_eq!(given_up, Err(ClientError::Timeout));
    assert_eq!(nodes.send(&client, "next").await.unwrap(), b"next");
    nodes.echo.go_on.notify_one();
    let ended = async {
        while nodes.echo.ended.load(Ordering::SeqCst) < LANES + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("the work ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_breaks_off_is_told_at_once() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    assert_eq!(nodes.send(&client, "panic").await, Err(ClientError::Broken));
    assert_eq!(nodes.send(&client, "next").await.unwrap(), b"next");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_has_begun_and_reads_nothing_new() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    nodes.send(&client, "warm").await.unwrap();
    let begun = nodes.send(&client, "wait");
    let stop = async {
        nodes.echo.has_begun(2).await;
        nodes.stop.send(true).unwrap();
        // What goes out before the stop is heard of is still answered.
        let refused = async { while nodes.send(&client, "late").await != Err(ClientError::Connect) {} };
        timeout(PATIENCE, refused).await.expect("nothing of it is read");
        nodes.echo.go_on.notify_one();
    };
    let (answer, ()) = tokio::join!(begun, stop);
    assert_eq!(answer.unwrap(), b"wait");
    timeout(PATIENCE, nodes.serving).await.expect("drained").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_is_called_again() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    nodes.send(&client, "first").await.unwrap();
    nodes.stop.send(true).unwrap();
    timeout(PATIENCE, nodes.serving).await.expect("drained").unwrap();
    let _again = serve(&nodes.authority, &nodes.address, anyone(), nodes.echo.clone()).await;
    let again = timeout(PATIENCE, client.send(&nodes.address, "again".into(), 10_000)).await;
    assert_eq!(again.expect("in time").unwrap(), b"again");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_registered_certificate_speaks_and_is_known_by_it() {
    let authority = Authority::new();
    let anchors = [authority.der.clone()];
    let (good, revoked) = (authority.node("127.0.0.1"), authority.node("127.0.0.1"));
    let echo = Arc::new(Echo::default());
    let (address, _stop, _serving) = serve(&authority, "127.0.0.1:0", all_but(&revoked), echo.clone()).await;
    let ask = async |own: &crate::tls::TlsIdentity| {
        let client = FrameClient::new(
            &client_config(&world(), own, &anchors, anyone()).unwrap(),
            1 << 20,
        );
        timeout(PATIENCE, client.send(&address, "who".into(), 25_000))
            .await
            .expect("in time")
    };
    assert_eq!(ask(&good).await.unwrap(), good.chain[0]);
    assert_eq!(ask(&revoked).await, Err(ClientError::Connect));
    assert_eq!(echo.begun.load(Ordering::SeqCst), 1);
}

/// A port that takes connections and never says a word.
async fn silent() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_is_given_up_once_for_all_who_wait_and_holds_up_nobody_else() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    nodes.warm(&client).await;
    let (_listener, address) = silent().await;
    // A second wait for the same silence would be over after twice the time of one.
    let twice = 2 * super::client::CONNECT_MAX - Duration::from_millis(500);
    let to_silent = timeout(
        twice,
        join_all((0..64).map(|_| client.send(&address, "there?".into(), 20_000))),
    );
    let others = async {
        for _ in 0..20 {
            assert_eq!(nodes.send(&client, "small").await.unwrap(), b"small");
        }
    };
    // Who was held up would be answered only after the silent one is given up.
    let (first, told) = {
        let mut to_silent = std::pin::pin!(to_silent);
        tokio::select! {
            told = &mut to_silent => (false, told),
            () = others => (true, to_silent.await),
        }
    };
    assert!(first, "not held up");
    let told = told.expect("given up");
    assert!(told.iter().all(|answer| *answer == Err(ClientError::Nameless)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_before_a_connection_stands_says_that_nothing_was_sent() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    let (_listener, address) = silent().await;
    let waited = client.send(&address, "there?".into(), 50).await;
    assert_eq!(waited, Err(ClientError::Unsent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_long_is_no_silence() {
    let nodes = Nodes::new().await;
    let client = nodes.client();
    let waited = client.send(&nodes.address, "never".into(), 6_500).await;
    assert_eq!(
        waited,
        Err(ClientError::Timeout),
        "the connection itself is heard"
    );
    assert_eq!(nodes.send(&client, "next").await.unwrap(), b"next");
}

/// A raw end of a connection whose other end is served.
fn raw() -> (DuplexStream, Arc<Echo>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let echo = Arc::new(Echo::default());
    let peer = Peer {
        addr: "127.0.0.1:1".parse().unwrap(),
        certificate: None,
        tls: true,
    };
    let (stop, stopped) = watch::channel(false);
    let answers: Arc<dyn AnswerFrames> = echo.clone();
    tokio::spawn(async move {
        let _stop = stop;
        speak(theirs, peer, answers, stopped).await;
    });
    (ours, echo)
}

async fn frame(io: &mut DuplexStream) -> (Head, Vec<u8>) {
    let mut front = [0; HEAD];
    timeout(PATIENCE, io.read_exact(&mut front))
        .await
        .expect("in time")
        .unwrap();
    let head = Head::read(&front).unwrap();
    let mut payload = vec![0; head.length];
    timeout(PATIENCE, io.read_exact(&mut payload))
        .await
        .expect("in time")
        .unwrap();
    (head, payload)
}

#[tokio::test]
async fn a_ping_is_answered_and_messages_are_in_any_order() {
    let (mut io, _) = raw();
    let mut bytes = Vec::new();
    format::part(&mut bytes, 5, b"slow", true);
    format::part(&mut bytes, 9, b"quick", true);
    format::bare(&mut bytes, Kind::Ping);
    io.write_all(&bytes).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (head, payload) = frame(&mut io).await;
        seen.push((head.kind, head.stream, payload));
    }
    assert_eq!(seen[2], (Kind::End, 5, b"slow".to_vec()));
    assert!(seen[..2].contains(&(Kind::Here, 0, Vec::new())));
    assert!(seen[..2].contains(&(Kind::End, 9, b"quick".to_vec())));
}

#[tokio::test]
async fn bytes_of_no_frame_end_the_connection_and_nothing_is_answered() {
    for bad in [
        &b"POST /exchange/v1 HTTP/1.1\r\n\r\n"[..],
        &[0xff; 64],
        &[0, 0, 0, 0, 9, 0, 0, 0, 1],
    ] {
        let (mut io, echo) = raw();
        io.write_all(bad).await.unwrap();
        let mut rest = Vec::new();
        timeout(PATIENCE, io.read_to_end(&mut rest))
            .await
            .expect("ended")
            .unwrap();
        assert!(rest.is_empty());
        assert_eq!(echo.begun.load(Ordering::SeqCst), 0);
    }
}

/// Any bytes at all: the reader may refuse them, never panic, and never hold more than it was sent.
#[test]
fn no_bytes_make_the_reader_panic_or_hold_more_than_it_was_sent() {
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    for _ in 0..20_000 {
        let mut bytes = Vec::new();
        for _ in 0..next() % 8 {
            let stream = (next() % 4) as u32;
            match next() % 8 {
                0..=2 => format::part(&mut bytes, stream, &vec![1; next() % 900], next() % 2 == 0),
                3 => format::room(&mut bytes, stream, next()),
                4 => format::give_up(&mut bytes, stream, Reason::Gone),
                5 => format::bare(&mut bytes, Kind::Last),
                6 => bytes.extend((0..next() % 20).map(|_| next() as u8)),
                _ => {
                    if let Some(at) = (next()).checked_rem(bytes.len()) {
                        bytes[at] = next() as u8;
                    }
                }
            }
        }
        let mut incoming = super::incoming::Incoming::new(2_000);
        let (mut out, mut back) = (0, Vec::new());
        let taken = incoming.take(&bytes, &mut back, |event| {
            if let super::incoming::Event::Message(_, message) = event {
                out += message.len();
            }
        });
        assert!(out <= bytes.len() && taken.unwrap_or_default() <= bytes.len());
    }
}
