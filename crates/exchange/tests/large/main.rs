//! 256 MiB there and 256 MiB back, through two gateways, in a process of its own: its memory is
//! measured as the system sees it. `SEN_LARGE_MIB` moves another size.

#[path = "../suite/counting.rs"]
mod counting;
#[expect(dead_code, reason = "the suite uses all of it")]
#[path = "../suite/nation.rs"]
mod nation;
#[expect(dead_code, reason = "the suite uses all of it")]
#[path = "../suite/node.rs"]
mod node;

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use bytes::Bytes;
use exchange::behind::Behind;
use exchange::{Agreement, CodeStyle};
use futures_util::{Stream, TryStreamExt as _, stream};
use kernel::limits::Limits;
use tokio::sync::watch;
use web::client::Payload;

use crate::nation::{LOOKUP, Nation};

/// What moves at once where the tests make it, in bytes.
const AT_ONCE: usize = 64 * 1024;
/// Time for all of it, in milliseconds.
const PATIENCE_MS: u64 = 600_000;
/// How much more memory than before may be in use at any time, in KiB: pieces on their way, not bodies.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// Bytes of no pattern that a gateway could make smaller, the same for the same seed.
fn bytes(seed: u64, length: u64) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((seed, 0_u64), move |(mut state, at)| async move {
        let size = usize::try_from((length - at).min(AT_ONCE as u64)).expect("a piece");
        if size == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; size];
        for word in piece.chunks_mut(8) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            word.copy_from_slice(&state.rotate_left(29).to_be_bytes()[..word.len()]);
        }
        Ok(Some((Bytes::from(piece), (state, at + size as u64))))
    })
}

/// Size and SHA-256 of what comes.
async fn taken(body: Body) -> (u64, String) {
    let (mut hash, mut length) = (Context::new(&SHA256), 0);
    let mut stream = body.into_data_stream();
    while let Some(part) = stream.try_next().await.expect("the body goes on") {
        hash.update(&part);
        length += part.len() as u64;
    }
    (length, hex::encode(hash.finish()))
}

/// A system that tells in a header what it got, and gives as much back.
async fn system(length: u64) -> (String, watch::Sender<bool>) {
    let answer = move |request: Request| async move {
        let (got, digest) = taken(request.into_body()).await;
        let headers = [("x-got", got.to_string()), ("x-digest", digest)];
        (headers, Body::from_stream(bytes(2, length)))
    };
    served(Router::new().fallback(answer)).await
}

async fn served(router: Router) -> (String, watch::Sender<bool>) {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr());
    let (stop, shutdown) = watch::channel(false);
    let limits = Limits {
        request_ms_max: PATIENCE_MS,
        ..Limits::default()
    };
    tokio::spawn(async move { web::serve(listener, None, router, &limits, shutdown).await });
    (url, stop)
}

/// A figure of this process in KiB, from the system.
fn memory(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells");
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let text = line.expect("a figure").trim_start_matches(':').trim();
    text.trim_end_matches(" kB").parse().expect("a number")
}

async fn moved(face: &str, length: u64) -> (u16, [String; 2], (u64, String)) {
    let request = web::http::Request::put(format!("{face}exchange/v1/call/{LOOKUP}"))
        .header("x-road-client", "VN/GOV/G22/portal")
        .header("content-type", "application/octet-stream")
        .header(CONTENT_LENGTH, length)
        .body(Payload::Streamed(Body::from_stream(bytes(1, length))))
        .expect("a request");
    let answer = web::Client::plain().call(request, PATIENCE_MS, 0).await;
    let (head, body) = answer.expect("an answer").into_parts();
    let body = match body {
        Payload::Streamed(body) => body,
        Payload::Whole(bytes) => bytes.into(),
    };
    let told = ["x-got", "x-digest"].map(|name| match head.headers.get(name) {
        Some(value) => value.to_str().expect("text").to_owned(),
        None => String::new(),
    });
    (head.status.as_u16(), told, taken(body).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarter_of_a_gibibyte_passes_both_ways_in_flat_memory() {
    let mib: u64 = std::env::var("SEN_LARGE_MIB").map_or(256, |mib| mib.parse().expect("a number of MiB"));
    let length = mib << 20;
    let limits = Limits {
        exchange_body_bytes_max: usize::try_from(length).expect("a size"),
        exchange_call_ms_max: PATIENCE_MS,
        ..Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    let (url, _system) = system(length).await;
    nation.ministry.exchange.provide(Arc::new(Behind {
        id: LOOKUP.parse().expect("an id"),
        url,
        client: web::Client::plain(),
        call_ms_max: PATIENCE_MS,
        answer_bytes_max: usize::try_from(length).expect("a size"),
        endpoints: Vec::new(),
        openapi: None,
    }));
    let agreement = Agreement {
        fields: Vec::new(),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    let (face, _face) = served(nation.national.exchange.face_router(CodeStyle::Camel)).await;
    let expected = |seed| taken(Body::from_stream(bytes(seed, length)));
    let (there, back) = (expected(1).await, expected(2).await);
    let before = memory("VmRSS");
    // The highest mark begins anew here.
    std::fs::write("/proc/self/clear_refs", "5").expect("the system forgets");
    let (status, got, answer) = moved(&face, length).await;
    let growth = memory("VmHWM").saturating_sub(before);
    eprintln!("{mib} MiB each way: {growth} KiB more than the {before} KiB before");
    assert_eq!(status, 200);
    assert_eq!(got, [there.0.to_string(), there.1], "as it was sent");
    assert_eq!(answer, back, "as it was given");
    assert!(growth < GROWTH_KIB_MAX, "{growth} KiB more than before");
    for node in [&nation.national, &nation.ministry] {
        let record = node.evidence().await.pop().expect("a record");
        assert_eq!(
            (record.request.size, record.answer.map(|a| a.size)),
            (length, Some(length))
        );
        let left = std::fs::read_dir(node.temp.dir.path().join("spool")).expect("the folder");
        assert_eq!(left.count(), 0);
    }
}
