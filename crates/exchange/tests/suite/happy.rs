//! An exchange that goes well: what is on disk at both nodes before the answer is handed over, and
//! what passes from one end to the other.

use bytes::Bytes;
use exchange::message::{AnswerHead, RequestHead};
use exchange::{Ask, envelope};
use kernel::Digest;
use kernel::limits::Limits;
use seal::batch::RootCache;

use crate::nation::{Nation, asking, system};

#[tokio::test]
async fn an_exchange_leaves_evidence_on_both_sides_before_the_answer() {
    let nation = Nation::new().await;
    let heard = nation.ask(r#"{"who":"x"}"#).await.expect("an answer");
    // The very moment the answer is here, both logs have their record.
    let (ours, theirs) = (nation.national.evidence().await, nation.ministry.evidence().await);
    assert_eq!((ours.len(), theirs.len()), (1, 1));
    assert_eq!((heard.status, heard.position.1), (200, 0));
    assert_eq!(
        (ours[0].side, theirs[0].side),
        (envelope::CONSUMER, envelope::PROVIDER)
    );
    for record in ours.iter().chain(&theirs) {
        let request = RequestHead::parse(&record.request.head).expect("a head");
        assert_eq!(request.request, heard.request);
        assert_eq!(request.agreement, nation.agreement().hash());
        assert_eq!(request.issue.as_deref(), Some("G22-261121-0001"));
        let answer = record.answer.as_ref().expect("an answer");
        let head = AnswerHead::parse(&answer.head).expect("a head");
        assert_eq!((head.status, head.request), (200, heard.request.clone()));
        assert_eq!(Digest(answer.body), Digest::of(&heard.body));
        for (kept, seal) in [
            (&record.request, nation.national.seal("G22")),
            (answer, nation.ministry.seal("G01")),
        ] {
            let roots = RootCache::default();
            seal::batch::verify(&kept.parts(), &kept.sealed, &seal.certificate, &roots).expect("the seal");
        }
    }
    assert_eq!(ours[0].request.sealed, theirs[0].request.sealed);
    assert_eq!(
        ours[0].answer.as_ref().expect("one").sealed,
        theirs[0].answer.as_ref().expect("one").sealed
    );
}

#[tokio::test]
async fn only_granted_fields_pass_the_gateway() {
    let nation = Nation::new().await;
    let heard = nation.ask(r#"{"who":"x"}"#).await.expect("an answer");
    let body: serde_json::Value = heard.json().expect("json");
    let left = serde_json::json!({"record": {"full_name": "Lê Thị Mẫu", "asked": {"who": "x"}}});
    assert_eq!(body, left, "the residence was not agreed on");
}

#[tokio::test]
async fn the_idempotency_key_reaches_the_service_and_stands_in_the_evidence() {
    let nation = Nation::new().await;
    let ask = Ask {
        idempotency: Some("H56-261121-0001/3".to_owned()),
        ..asking("{}")
    };
    // The same change asked twice is two exchanges with one key: the service knows it again.
    for _ in 0..2 {
        nation
            .national
            .exchange
            .ask(ask.clone())
            .await
            .expect("an answer");
    }
    let keys = nation.service.keys.lock().expect("a lock").clone();
    assert_eq!(keys, vec![ask.idempotency.clone(); 2]);
    let records = nation.ministry.evidence().await;
    let heads: Vec<_> = records
        .iter()
        .map(|r| RequestHead::parse(&r.request.head).expect("a head"))
        .collect();
    assert_eq!(heads[0].idempotency, ask.idempotency);
    assert_ne!(heads[0].request, heads[1].request);
}

#[tokio::test]
async fn two_members_at_one_node_leave_both_records_in_its_log() {
    let nation = Nation::new().await;
    let mut agreement = nation.agreement();
    agreement.consumer = system("G15/civil-status");
    nation.agree(agreement).await;
    let ask = Ask {
        consumer: system("G15/civil-status"),
        ..asking("{}")
    };
    let heard = nation.ministry.exchange.ask(ask).await.expect("an answer");
    let records = nation.ministry.evidence().await;
    let sides: Vec<u8> = records.iter().map(|r| r.side).collect();
    assert_eq!(
        sides,
        [envelope::PROVIDER, envelope::CONSUMER],
        "the provider flushes first"
    );
    assert_eq!(heard.position.1, 1);
    let seals: Vec<_> = records.iter().map(|r| r.request.sealed.certificate).collect();
    assert_eq!(seals[0], nation.ministry.seal("G15").certificate.thumbprint().0);
    assert_eq!(seals[0], seals[1]);
    assert!(nation.national.evidence().await.is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_leaves_and_one_at_the_limit_passes() {
    let limits = Limits {
        exchange_body_bytes_max: 200_000,
        ..Limits::default()
    };
    let nation = Nation::with(limits).await;
    let body = |bytes: usize| Bytes::from(format!("\"{}\"", "x".repeat(bytes - 2)));
    let send = |bytes| {
        let ask = Ask {
            body: body(bytes),
            ..asking("")
        };
        nation.national.exchange.ask(ask)
    };
    assert_eq!(send(200_001).await.expect_err("over").code, "body-too-large");
    assert!(nation.national.evidence().await.is_empty(), "nothing has left");
    assert_eq!(nation.effects(), 0);
    // At the limit it goes through; the answer repeats it, which is over: a signed refusal.
    let heard = send(200_000).await.expect("an answer");
    assert_eq!((heard.status, heard.refusal().code), (413, "service-refused"));
    assert_eq!(send(190_000).await.expect("an answer").status, 200);
    let heard = nation.ask(r#"{"do":"large"}"#).await.expect("an answer");
    assert_eq!(
        heard.status, 413,
        "a service that answers more than the exchange carries"
    );
}
