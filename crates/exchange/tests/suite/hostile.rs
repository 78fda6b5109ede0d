//! Services, callers and files that mean no good: answers without an end or before the request was read,
//! nesting without an end, headers without an end, XML with entities, crowds of slow clients. Each ends in
//! a clear word within its time, and the honest are served meanwhile.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exchange::Agreement;
use exchange::behind::Behind;
use kernel::limits::Limits;
use seal::certificate::Trust;
use seal::verdict::Indication;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::face::{CLIENT, Face, face};
use crate::nation::{LOOKUP, Nation};
use crate::verification::{exported, files, pack};

/// How a system behind the gateway speaks.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// A body in pieces that never ends.
    Endless,
    /// A body in pieces of one byte, one every while.
    Dripping,
    /// The whole answer at once, the request's body left unread and the connection open.
    Early,
    /// The whole answer at once, and then the connection is cut.
    EarlyAndGone,
    /// Headers that never end.
    HeadersWithoutEnd,
    /// One header of 64 KiB.
    LargeHeader,
    /// JSON nested a hundred thousand deep.
    Deep,
}

async fn system(way: Way) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket, way));
        }
    });
    format!("http://{address}/")
}

/// Answers one request; a write fails when the gateway has had enough.
async fn answer(mut socket: TcpStream, way: Way) -> std::io::Result<()> {
    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 512];
        match socket.read(&mut piece).await? {
            0 => return Ok(()),
            length => head.extend_from_slice(&piece[..length]),
        }
    }
    let whole = |body: &str| format!("{OK}content-length: {}\r\n\r\n{body}", body.len());
    match way {
        Way::Endless => {
            let head = format!("{OK}transfer-encoding: chunked\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
            let piece = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
            loop {
                socket.write_all(piece.as_bytes()).await?;
            }
        }
        Way::Dripping => {
            let head = format!("{OK}transfer-encoding: chunked\r\n\r\n");
            socket.write_all(head.as_bytes()).await?;
            loop {
                socket.write_all(b"1\r\n \r\n").await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Way::Early | Way::EarlyAndGone => {
            socket.write_all(whole(r#"{"early":true}"#).as_bytes()).await?;
            if matches!(way, Way::Early) {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        }
        Way::HeadersWithoutEnd => {
            socket.write_all(OK.as_bytes()).await?;
            for number in 0.. {
                socket
                    .write_all(format!("x-{number}: {}\r\n", "y".repeat(900)).as_bytes())
                    .await?;
            }
        }
        Way::LargeHeader => {
            let head = whole("{}").replace(
                "\r\n\r\n",
                &format!("\r\nx-large: {}\r\n\r\n", "y".repeat(64 << 10)),
            );
            socket.write_all(head.as_bytes()).await?;
        }
        Way::Deep => {
            let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            socket.write_all(whole(&body).as_bytes()).await?;
        }
    }
    // Closed with bytes unread the answer could be lost on its way.
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}

/// A nation whose service is a system that speaks in a way.
async fn before(way: Way, fields: &[&str]) -> (Nation, Face) {
    before_with(way, fields, 300_000).await
}

/// The same, with the size of an answer that is taken, in bytes.
async fn before_with(way: Way, fields: &[&str], answer_bytes_max: usize) -> (Nation, Face) {
    // A body that has begun may take as long as the whole call. Only one that drips is to run out of its
    // time; the others end by what they are, however busy the machine is.
    let (call_ms_max, exchange_call_ms_max) = match way {
        Way::Dripping => (2_000, 10_000),
        _ => (20_000, 25_000),
    };
    let limits = Limits {
        exchange_call_ms_max,
        ..Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    nation.ministry.exchange.provide(Arc::new(Behind {
        id: LOOKUP.parse().expect("an id"),
        url: system(way).await,
        client: web::Client::plain(),
        call_ms_max,
        answer_bytes_max,
        endpoints: Vec::new(),
        openapi: None,
    }));
    let agreement = Agreement {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    let face = face(&nation).await;
    (nation, face)
}

#[tokio::test]
async fn a_service_that_means_no_good_is_told_apart_in_time_and_the_gateway_goes_on() {
    let (large, spooled) = ("x".repeat(1 << 20), "x".repeat((2 << 20) + 1));
    let cases: [(Way, &[&str], &str, &[u16]); 10] = [
        (Way::Endless, &[], "{}", &[413]),
        (Way::Dripping, &[], "{}", &[504]),
        (Way::Early, &[], &large, &[200]),
        (Way::EarlyAndGone, &[], &large, &[200]),
        (Way::Early, &[], &spooled, &[200]),
        (Way::EarlyAndGone, &[], &spooled, &[200]),
        (Way::HeadersWithoutEnd, &[], "{}", &[502]),
        (Way::LargeHeader, &[], "{}", &[502]),
        // Its fields are to be cut, and it cannot be read; without fields it is any content.
        (Way::Deep, &["full_name"], "{}", &[502]),
        (Way::Deep, &[], "{}", &[200]),
    ];
    let mut wrong = Vec::new();
    for (way, fields, body, statuses) in cases {
        let (nation, face) = before(way, fields).await;
        let url = format!("http://{}/r1/VN/GOV/{LOOKUP}", face.address);
        let request = web::http::Request::post(url)
            .header(CLIENT.0, CLIENT.1)
            .header("accept", "application/problem+json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        let sent = web::Client::plain().send(request, 30_000, 1 << 20).await;
        let told = sent.map(|told| told.status().as_u16());
        let mut answered = Vec::new();
        for node in [&nation.national, &nation.ministry] {
            // A signed word on both sides.
            answered.extend(node.evidence().await.iter().map(|record| record.answer.is_some()));
        }
        let is_right = told.as_ref().is_ok_and(|status| statuses.contains(status));
        if !is_right || answered != [true, true] {
            let size = body.len();
            wrong.push(format!("{way:?} {size}: {told:?}, evidence {answered:?}"));
        }
        // The gateway and the node live on.
        nation.ministry.exchange.provide(nation.service.clone());
        nation.ask("{}").await.expect("an answer");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn an_answer_without_end_leaves_nothing_on_disk() {
    // Beyond what stays in memory, so that it is on its way to the disk when it is cut off.
    let (nation, face) = before_with(Way::Endless, &[], 3 << 20).await;
    let told = face.call(&[CLIENT], "{}").await;
    assert_eq!((told.status, told.code()), (413, "body-too-large".to_owned()));
    for node in [&nation.national, &nation.ministry] {
        let spool = node.temp.dir.path().join("spool");
        let left: Vec<_> = std::fs::read_dir(spool).expect("a folder").collect();
        assert!(left.is_empty(), "{}: {left:?}", node.id);
        assert_eq!(node.evidence().await.len(), 1);
    }
}

#[tokio::test]
async fn a_document_that_never_ends_or_drips_is_refused_in_time_and_nothing_is_registered() {
    let nation = crate::life::nation().await;
    let desk = crate::operator::desk_at(&nation.ministry).await;
    // Only what drips is to run out of its time; the others end by what they are.
    for (way, timeout_ms, code) in [
        (Way::Endless, 10_000, "service-openapi-large"),
        (Way::Dripping, 1_000, "service-openapi-unreachable"),
        (Way::HeadersWithoutEnd, 10_000, "service-openapi-unreachable"),
    ] {
        let url = system(way).await;
        let openapi = format!("{url}openapi.json");
        let text = serde_json::json!({
            "service": crate::offered::PERSONS, "url": url, "openapi": openapi, "timeout_ms": timeout_ms,
        });
        let sent = tokio::time::timeout(Duration::from_secs(20), desk.post("services", &text));
        let (status, told) = sent.await.expect("in time");
        assert_eq!(
            (status, &told["field"], &told["type"]),
            (422, &"openapi".into(), &format!("/problems/{code}").into()),
            "{way:?}: {told}"
        );
    }
    assert_eq!(desk.registered().await, serde_json::json!([]));
}

#[tokio::test]
async fn json_nested_without_end_and_headers_of_64_kilobytes_are_refused() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let told = face.call(&[CLIENT], &deep).await;
    assert!(
        told.status == 400 && told.code().starts_with("json-"),
        "{}",
        told.code()
    );
    let large = "x".repeat(64 << 10);
    let request = web::http::Request::post(format!("http://{}/exchange/v1/call/{LOOKUP}", face.address))
        .header(CLIENT.0, CLIENT.1)
        .header("x-large", large.as_str())
        .body(Bytes::from_static(b"{}"))
        .expect("a request");
    // The connection may be closed while the rest of the header is still on its way.
    let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
    let refused = answer.map_or(431, |answer| answer.status().as_u16());
    assert_eq!(refused, 431);
    assert!(nation.ask("{}").await.is_ok());
}

#[tokio::test]
async fn xml_with_entities_is_content_of_a_service_and_never_expanded() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c SYSTEM \"file:///etc/passwd\">]><l>&b;&c;</l>";
    // As the body of a call it passes byte for byte, or is refused; nobody reads it.
    let nation = crate::rest::nation().await;
    let agency = crate::rest::agency(&nation, &[], "").await;
    let face = face(&nation).await;
    let told = face.rest("POST", "", &[("content-type", "text/xml")], bomb).await;
    assert_eq!((told.status, told.body.as_ref()), (201, bomb.as_bytes()));
    assert_eq!(agency.last().body, bomb.as_bytes());
    // In the place of any file of a container it is no file of a container.
    let (nation, zip, _) = exported().await;
    let trust = Trust::of(vec![nation.ca.certificate()]);
    let whole = files(&zip);
    for (place, (name, bytes)) in whole.iter().enumerate() {
        let text = String::from_utf8_lossy(bytes);
        let with_type = text.replacen(
            "?>",
            "?><!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>",
            1,
        );
        for other in [bomb.as_bytes().to_vec(), with_type.into_bytes()] {
            if other == *bytes {
                continue;
            }
            let mut files = whole.clone();
            files[place].1 = other;
            let verdict = seal::asice::verify(&pack(&files), &trust, nation.national.now());
            assert_eq!(verdict.indication, Indication::TotalFailed, "{name}: {verdict:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_slow_clients_make_no_honest_one_wait() {
    const OF_EACH: usize = 200;
    // Less than a slow one may take for its header: an honest one that waited for them would wait for longer.
    const HONEST_MAX: Duration = Duration::from_secs(3);
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let mut slow = Vec::new();
    for begun in [
        "",
        "POST /r1/VN HTTP/1.1\r\nhost: x\r\n",
        "POST /r1/VN HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n",
    ] {
        for _ in 0..OF_EACH {
            let mut socket = TcpStream::connect(&face.address).await.expect("a connection");
            socket.write_all(begun.as_bytes()).await.expect("written");
            slow.push(tokio::spawn(async move {
                // A byte now and then: of a header, of a body, or of nothing.
                while !begun.is_empty() && socket.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let mut rest = Vec::new();
                socket.read_to_end(&mut rest).await.ok();
            }));
        }
    }
    let mut late = 0;
    for _ in 0..100 {
        match tokio::time::timeout(HONEST_MAX, face.call(&[CLIENT], "{}")).await {
            Ok(told) => assert_eq!(told.status, 200),
            Err(_) => late += 1,
        }
    }
    assert!(late <= 1, "{late} of a hundred waited longer than {HONEST_MAX:?}");
    slow.iter().for_each(tokio::task::JoinHandle::abort);
}
