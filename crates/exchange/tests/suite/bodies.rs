//! Bodies larger than what is held in memory: they arrive as they were sent, signed and in evidence like
//! any other, and nothing of them stays on disk.

use std::path::Path;

use exchange::envelope::{self, Reply};
use kernel::Digest;
use kernel::limits::Limits;

use crate::face::{CLIENT, face};
use crate::nation::{LOOKUP, Nation, asking};
use crate::rest::agency;

/// What is held in memory in these tests, in bytes.
const IN_MEMORY: usize = 1_000;
/// What is carried in these tests, in bytes.
const CARRIED: usize = 900_000;

fn limits() -> Limits {
    Limits {
        exchange_memory_body_bytes_max: IN_MEMORY,
        exchange_body_bytes_max: CARRIED,
        ..Limits::default()
    }
}

fn text(length: usize) -> String {
    (0..length).map(|at| char::from(b'a' + (at % 23) as u8)).collect()
}

/// What has a name in a node's folder for large bodies.
fn names(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("spool"))
        .expect("the folder")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_size_arrive_as_they_were_sent_and_leave_nothing_on_disk() {
    let nation = Nation::without_agreement(limits()).await;
    let agency = agency_for_large(&nation).await;
    let face = face(&nation).await;
    for length in [1, IN_MEMORY, IN_MEMORY + 1, 262_144, 262_145, CARRIED] {
        let body = text(length);
        let told = face.call(&[CLIENT], &body).await;
        assert_eq!(told.status, 201, "{length}: {:?}", told.body);
        assert!(told.body == body, "{length}: as the system gave it");
        assert!(agency.last().body == body.as_bytes(), "{length}: as it was sent");
        for node in [&nation.national, &nation.ministry] {
            let records = node.evidence().await;
            let record = records.last().expect("a record");
            let digest = *Digest::of(body.as_bytes()).bytes();
            let answer = record.answer.as_ref().expect("an answer");
            assert_eq!(
                (record.request.body, record.request.size),
                (digest, length as u64)
            );
            assert_eq!((answer.body, answer.size), (digest, length as u64));
            assert_eq!(names(node.temp.dir.path()), 0);
        }
    }
    // A caller within the platform gets a large answer like any other.
    let body = text(5_000);
    let heard = nation.national.exchange.ask(asking(&body)).await;
    assert!(heard.expect("an answer").body == body);
    let refused = face.call(&[CLIENT], &text(CARRIED + 1)).await;
    assert_eq!((refused.status, refused.code().as_str()), (413, "body-too-large"));
}

/// An agency's system that takes and gives what these tests carry.
async fn agency_for_large(nation: &Nation) -> crate::rest::Agency {
    let agency = agency(nation, &[], "/").await;
    nation
        .ministry
        .exchange
        .provide(std::sync::Arc::new(exchange::behind::Behind {
            id: LOOKUP.parse().expect("an id"),
            url: agency.url.clone(),
            client: web::Client::plain(),
            call_ms_max: 10_000,
            answer_bytes_max: CARRIED,
            endpoints: Vec::new(),
            openapi: None,
        }));
    agency
}

#[tokio::test]
async fn a_service_within_the_platform_takes_a_large_body_like_any_other() {
    let nation = Nation::with(limits()).await;
    let face = face(&nation).await;
    let who = text(5_000);
    let told = face.call(&[CLIENT], &format!(r#"{{"who":"{who}"}}"#)).await;
    assert_eq!(told.status, 200);
    let body: serde_json::Value = serde_json::from_slice(&told.body).expect("json");
    assert_eq!(
        body["record"],
        serde_json::json!({"full_name": "Lê Thị Mẫu", "asked": {"who": who}}),
        "and its record is cut"
    );
}

#[tokio::test]
async fn a_record_in_a_large_answer_is_cut_too() {
    let nation = Nation::without_agreement(limits()).await;
    let _agency = agency_for_large(&nation).await;
    let face = face(&nation).await;
    let body = format!(r#"  {{"record":{{"residence":"{}"}}}}"#, text(5_000));
    let told = face.call(&[CLIENT], &body).await;
    assert_eq!((told.status, &told.body[..]), (201, &br#"{"record":{}}"#[..]));
}

#[tokio::test]
async fn a_piece_that_was_changed_on_the_way_breaks_the_seal() {
    let mut nation = Nation::without_agreement(limits()).await;
    let _agency = agency_for_large(&nation).await;
    let _stop = nation
        .between(|reply| {
            let mut reply: Reply = envelope::read(&reply).expect("a reply");
            if let Some(piece) = &mut reply.piece {
                piece[7] ^= 1;
            }
            envelope::write(&reply)
        })
        .await;
    let face = face(&nation).await;
    let told = face.call(&[CLIENT], &text(5_000)).await;
    assert_eq!((told.status, told.code().as_str()), (502, "seal-broken"));
    assert_eq!(nation.national.faults().await, ["seal-broken"]);
}

#[tokio::test]
async fn a_message_without_the_body_that_should_have_gone_ahead_is_refused() {
    let nation = Nation::with(limits()).await;
    let sent = envelope::Sent {
        beside: Some(envelope::Beside {
            id: "never brought".to_owned(),
            size: 5,
        }),
        ..nation.good()
    };
    assert_eq!(nation.told(&sent).await, "envelope-bad");
    assert_eq!(nation.effects(), 0);
}
