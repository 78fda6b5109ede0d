//! Bodies that an agreement has kept: at both sides as they passed, read by who says what for, destroyed
//! when their days are over; and none without an agreement that says so.

use std::sync::Arc;

use exchange::envelope::{Evidence, Kept};
use exchange::{KeptBodies, KeptOf};
use kernel::limits::Limits;
use kernel::{Digest, Fact, FactRecord, Problem};
use serde_json::json;
use store::bodies;

use crate::face::{CLIENT, face};
use crate::nation::{LOOKUP, Nation, asking};
use crate::node::Node;
use crate::operator::desk_at;
use crate::rest::system;

const DAY_MS: i64 = 86_400_000;

/// An agreement that has bodies kept for thirty days.
async fn keeping(of: KeptOf, limits: Limits) -> Nation {
    let nation = Nation::without_agreement(limits).await;
    let agreement = exchange::Agreement {
        bodies: KeptBodies::new(of, 30),
        fields: Vec::new(),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    nation
}

async fn last(node: &Node) -> Evidence {
    node.evidence().await.pop().expect("a record")
}

/// The kept body of a message, as it lies in the node's store.
async fn body(node: &Node, kept: &Kept) -> Result<Vec<u8>, Problem> {
    let stored = kept.stored;
    let stored = stored.unwrap_or_else(|| panic!("{}: {} bytes are kept", node.id, kept.size));
    let found = node.temp.store.bodies().find(stored.day(), stored.at).await?;
    found.whole(1 << 30).await
}

async fn facts(node: &Node) -> Vec<FactRecord> {
    node.temp.store.seal_facts_now().await.expect("sealed");
    let facts = node.temp.store.facts_from(0, 10_000).await.expect("facts");
    facts.into_iter().map(|(_, fact)| fact).collect()
}

#[tokio::test]
async fn both_sides_keep_what_passed_before_the_answer_leaves() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    let heard = nation.ask(r#"{"who":"a"}"#).await.expect("an answer");
    for node in [&nation.national, &nation.ministry] {
        let record = last(node).await;
        assert_eq!(record.version, 2);
        assert_eq!(
            body(node, &record.request).await.expect("kept"),
            br#"{"who":"a"}"#
        );
        let answer = record.answer.expect("an answer");
        assert_eq!(body(node, &answer).await.expect("kept"), heard.body);
        let until = kernel::time::iso(answer.stored.expect("kept").day());
        assert_eq!(
            until, "2026-12-21",
            "thirty days after the twenty-first of November"
        );
    }
}

#[tokio::test]
async fn no_body_outlives_the_days_for_which_what_was_received_may_be_kept() {
    let nation = Nation::without_agreement(Limits::default()).await;
    // No text like this is offered here; one that both signed elsewhere is held to its shorter number.
    let agreement = exchange::Agreement {
        bodies: KeptBodies::new(KeptOf::Both, 30),
        retention_days: Some(10),
        sub_processing: serde_json::from_str("\"none\"").ok(),
        ..nation.agreement()
    };
    assert_eq!(
        agreement.faults(nation.national.now())[0].field.as_deref(),
        Some("keep_bodies_days")
    );
    let hash = agreement.hash();
    nation.agree(agreement).await;
    nation.ask("{}").await.expect("an answer");
    for node in [&nation.national, &nation.ministry] {
        let record = last(node).await;
        let until = record.request.stored.expect("kept").day();
        assert_eq!(
            kernel::time::iso(until),
            "2026-12-01",
            "ten days after the twenty-first"
        );
    }
    let desk = desk_at(&nation.ministry).await;
    let seen = desk.get(&format!("agreements/{}", hash.hex())).await;
    assert_eq!(
        (&seen["text"]["retention_days"], &seen["text"]["sub_processing"]),
        (&10.into(), &"none".into())
    );
    let (_, _, page) = desk
        .page(&format!("/exchange/agreements/{}", hash.hex()), None)
        .await;
    for part in ["nhiều nhất 10 ngày kể từ khi nhận", "không bên nào khác"] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn only_what_the_agreement_names_is_kept_and_nothing_without_one() {
    for (of, request, answer) in [(KeptOf::Request, true, false), (KeptOf::Answer, false, true)] {
        let nation = keeping(of, Limits::default()).await;
        nation.ask("{}").await.expect("an answer");
        for node in [&nation.national, &nation.ministry] {
            let record = last(node).await;
            let answered = record.answer.expect("an answer");
            assert_eq!(
                (record.request.stored.is_some(), answered.stored.is_some()),
                (request, answer)
            );
        }
    }
    let nation = Nation::new().await;
    nation.ask("{}").await.expect("an answer");
    for node in [&nation.national, &nation.ministry] {
        let record = last(node).await;
        assert_eq!((record.version, record.request.stored), (1, None));
        assert!(node.temp.store.bodies().days().await.expect("read").is_empty());
        assert!(!node.temp.dir.path().join(bodies::FOLDER).exists());
    }
}

#[tokio::test]
async fn a_call_that_was_refused_leaves_its_digest_and_no_body() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    let sent = nation.good();
    assert_ne!(nation.told(&sent).await, "");
    let record = last(&nation.ministry).await;
    assert!(record.answer.is_none() && record.request.stored.is_none());
    assert!(
        nation
            .ministry
            .temp
            .store
            .bodies()
            .days()
            .await
            .expect("read")
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_too_large_for_memory_is_kept_like_any_other() {
    let limits = Limits {
        exchange_memory_body_bytes_max: 1_000,
        exchange_body_bytes_max: 900_000,
        ..Limits::default()
    };
    let nation = keeping(KeptOf::Both, limits.clone()).await;
    let agency = system(&nation, &[], "/").await;
    nation
        .ministry
        .exchange
        .provide(Arc::new(exchange::behind::Behind {
            id: LOOKUP.parse().expect("an id"),
            url: agency.url.clone(),
            client: web::Client::plain(),
            call_ms_max: 10_000,
            answer_bytes_max: 900_000,
            endpoints: Vec::new(),
            openapi: None,
        }));
    let face = face(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    for length in [1_000, 1_001, 262_144, 262_145, 900_000] {
        let sent: String = (0..length).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        let told = face.call(&[CLIENT], &sent).await;
        assert_eq!(told.status, 201, "{length}: {:?}", told.body);
        for node in [&nation.national, &nation.ministry] {
            let record = last(node).await;
            assert!(body(node, &record.request).await.expect("kept") == sent.as_bytes());
            let answer = record.answer.expect("an answer");
            assert!(body(node, &answer).await.expect("kept") == told.body, "{length}");
        }
        nation.ministry.exchange.fold_evidence().await.expect("folded");
        let head = exchange::message::RequestHead::parse(&last(&nation.ministry).await.request.head);
        let path = format!(
            "evidence/{}/body?purpose=thanh-tra",
            head.expect("a head").request
        );
        let (status, read) = desk.send("GET", &path, Some("operator"), "").await;
        assert_eq!(status, 200, "{length}");
        assert!(read == sent.as_bytes(), "{length}: in pieces as it was");
    }
}

#[tokio::test]
async fn an_operator_reads_a_body_with_a_purpose_and_leaves_a_trace() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    let heard = nation.ask(r#"{"who":"a"}"#).await.expect("an answer");
    let (node, request) = (&nation.ministry, &heard.request);
    node.exchange.fold_evidence().await.expect("folded");
    let desk = desk_at(node).await;
    let path = |query: &str| format!("evidence/{request}/body{query}");
    for (role, query, status) in [
        (None, "?purpose=x", 401),
        (Some("officer"), "?purpose=x", 403),
        (Some("operator"), "", 422),
        (Some("operator"), "?purpose=%20", 422),
        (Some("operator"), "?purpose=x&part=other", 422),
    ] {
        assert_eq!(
            desk.send("GET", &path(query), role, "").await.0,
            status,
            "{query}"
        );
    }
    let elsewhere = desk
        .seen("G15", &format!("/exchange/evidence/{request}/body?purpose=x"))
        .await;
    assert_eq!(
        elsewhere.0, 404,
        "another tenant's operator is not told that it is there"
    );
    let is_read = |fact: &FactRecord| matches!(fact.fact, Fact::BodyRead { .. });
    assert!(!facts(node).await.iter().any(is_read), "nothing was read");
    let wanted = path("?part=answer&purpose=Thanh%20tra%2012");
    let (status, read) = desk.send("GET", &wanted, Some("operator"), "").await;
    assert_eq!((status, &read), (200, &heard.body));
    let facts = facts(node).await;
    let trace = facts.iter().find(|fact| is_read(fact)).expect("a trace");
    assert_eq!(trace.actor.to_string(), "official:o1");
    let told = serde_json::to_value(&trace.fact).expect("json");
    assert_eq!(
        told,
        json!({"fact": "body-read", "request": request, "side": "provider", "part": "answer",
               "purpose": "Thanh tra 12"})
    );
    let (_, proof) = desk.told("G01", &format!("evidence/{request}")).await;
    let until = kernel::Time::at(kernel::time::parse_iso("2026-12-22").expect("a day"), 0).ms();
    assert_eq!(
        proof["sides"][0]["bodies"],
        json!([{"of": "request", "state": "kept", "until": until},
               {"of": "answer", "state": "kept", "until": until}])
    );
    let (_, page) = desk.seen("G01", &format!("/exchange/evidence/{request}")).await;
    assert!(
        page.contains("21/12/2026") && page.contains("name=\"purpose\""),
        "{page}"
    );
    let (_, list) = desk.seen("G01", "/exchange/evidence").await;
    assert!(
        !list.contains("/body?") && !list.contains("name=\"purpose\""),
        "never in a list"
    );
}

#[tokio::test]
async fn a_container_with_its_body_passes_and_one_without_stays_as_it_was() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    let heard = nation.ask(r#"{"who":"a"}"#).await.expect("an answer");
    let (node, request) = (&nation.ministry, &heard.request);
    node.exchange.fold_evidence().await.expect("folded");
    let desk = desk_at(node).await;
    let get = async |query: &str| {
        let path = format!("exchanges/{request}/asice?part=answer{query}");
        desk.send("GET", &path, Some("operator"), "").await
    };
    assert_eq!(get("&body=true").await.0, 422, "without a purpose");
    let (trust, now) = (node.directory.trust(), node.now());
    let (_, without) = get("").await;
    let (status, with) = get("&body=true&purpose=Thanh%20tra").await;
    assert_eq!(status, 200);
    for zip in [&without, &with] {
        assert!(seal::asice::verify(zip, &trust, now).is_passed());
    }
    assert!(with.len() > without.len());
    let is_read = |fact: &&FactRecord| matches!(fact.fact, Fact::BodyRead { .. });
    assert_eq!(facts(node).await.iter().filter(is_read).count(), 1);
}

#[tokio::test]
async fn when_its_days_are_over_a_body_is_gone_and_its_record_says_so() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    let request = nation.ask("{}").await.expect("an answer").request;
    let node = &nation.ministry;
    node.exchange.fold_evidence().await.expect("folded");
    nation.advance_ms(30 * DAY_MS);
    assert_eq!(
        node.exchange.destroy_bodies().await.expect("looked"),
        0,
        "the last day"
    );
    nation.advance_ms(DAY_MS);
    let desk = desk_at(node).await;
    let path = format!("evidence/{request}/body?purpose=x");
    let (status, told) = desk.send("GET", &path, Some("operator"), "").await;
    assert_eq!(status, 404, "also before it is destroyed");
    assert!(String::from_utf8_lossy(&told).contains("body-destroyed"));
    assert_eq!(node.exchange.destroy_bodies().await.expect("destroyed"), 1);
    assert_eq!(node.exchange.destroy_bodies().await.expect("destroyed"), 0);
    assert!(node.temp.store.bodies().days().await.expect("read").is_empty());
    let record = last(node).await;
    assert_eq!(
        body(node, &record.request).await.expect_err("gone").code,
        "body-destroyed"
    );
    assert_eq!(
        record.request.body,
        *Digest::of(b"{}").bytes(),
        "the digest stays"
    );
    let facts = facts(node).await;
    let destroyed = facts
        .iter()
        .filter(|f| matches!(f.fact, Fact::BodiesDestroyed { .. }));
    assert_eq!(destroyed.count(), 1);
    let (_, page) = desk.seen("G01", &format!("/exchange/evidence/{request}")).await;
    assert!(
        page.contains("đã bị hủy") && !page.contains("name=\"purpose\""),
        "{page}"
    );
}

#[tokio::test]
async fn a_crash_between_body_and_record_leaves_a_body_that_nobody_refers_to() {
    let mut nation = keeping(KeptOf::Both, Limits::default()).await;
    nation.ask("{}").await.expect("an answer");
    // What a process that died there has written: the body, and no record.
    let until = last(&nation.ministry).await.request.stored.expect("kept").day();
    let bodies = nation.ministry.temp.store.bodies();
    bodies.append(until, &[b"of nobody"]).await.expect("kept");
    nation.restart_ministry().await;
    nation.ask(r#"{"who":"b"}"#).await.expect("an answer");
    for record in nation.ministry.evidence().await {
        let answer = record.answer.expect("an answer");
        for kept in [&record.request, &answer] {
            let bytes = body(&nation.ministry, kept).await.expect("each has its own");
            assert_eq!(Digest::of(&bytes).bytes(), &kept.body);
        }
    }
}

#[tokio::test]
async fn an_answer_whose_body_cannot_be_kept_does_not_leave() {
    let nation = keeping(KeptOf::Both, Limits::default()).await;
    if nation.ministry.temp.store.engine() == store::Engine::Postgres {
        return;
    }
    // Where the folder of the bodies would be, there is a file.
    let place = nation.ministry.temp.dir.path().join(bodies::FOLDER);
    std::fs::write(&place, b"").expect("written");
    let refused = nation.national.exchange.ask(asking("{}")).await;
    assert_eq!(refused.expect_err("refused").code, "store-unavailable");
    assert!(
        nation.ministry.evidence().await.is_empty(),
        "and has no record without it"
    );
    std::fs::remove_file(&place).expect("removed");
    nation.ask("{}").await.expect("it goes on by itself");
}

#[tokio::test]
async fn a_node_agrees_to_keep_bodies_for_as_long_as_it_may_and_no_longer() {
    let limits = Limits {
        exchange_bodies_days_max: 29,
        ..Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    let text = exchange::Agreement {
        bodies: KeptBodies::new(KeptOf::Both, 30),
        ..nation.agreement()
    };
    let actor = kernel::Actor::Official("o1".to_owned());
    let refused = nation.national.exchange.request_agreement(text, &actor).await;
    let refused = refused.expect_err("refused");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("agreement-bodies-days", Some("keep_bodies_days"))
    );
}
