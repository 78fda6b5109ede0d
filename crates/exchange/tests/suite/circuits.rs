//! Who keeps failing is not asked for a while, and what may be sent again is: with one effect.

use std::sync::Arc;
use std::time::Duration;

use exchange::behind::Behind;
use exchange::breaker::State;
use exchange::{Ask, Hop};
use kernel::{Kind, Problem};
use tokio::time::timeout;

use crate::between::{Between, Mode};
use crate::face::{CLIENT, face};
use crate::nation::{LOOKUP, Nation, asking};
use crate::rest::agency;

/// What opens a circuit, also on a machine that is busy: long before a call's own time is over. Five seconds
/// are held where the wire is (`web::frames`).
const OPENS: Duration = Duration::from_secs(10);
/// What is at once, also on a machine that is busy: less than silence takes to be one.
const AT_ONCE: Duration = Duration::from_secs(3);

fn keyed(body: &str, key: &str) -> Ask {
    Ask {
        idempotency: Some(key.to_owned()),
        ..asking(body)
    }
}

fn told<'a>(problem: &'a Problem, name: &str) -> Option<&'a str> {
    let found = problem.args.iter().find(|(arg, _)| *arg == name);
    found.map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_silent_nodes_circuit_opens_within_five_seconds_and_its_next_answer_closes_it() {
    let mut nation = Nation::new().await;
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::Silent);
    let first = timeout(OPENS, nation.refused("{}")).await.expect("in time");
    assert_eq!(first, "outcome-unknown", "it was on its way already");
    let open = nation.national.exchange.circuits();
    assert_eq!(
        (open.len(), open[0].state, open[0].hop),
        (1, State::Open, Hop::Node)
    );
    assert_eq!(
        (open[0].name.as_str(), &open[0].address),
        ("ministry", &between.address)
    );
    let away = nation.national.exchange.away();
    assert_eq!((away.len(), away[0].node.as_str()), (1, "ministry"));
    assert!(away[0].members.iter().any(|org| org.as_str() == "G01"));
    let records = nation.national.evidence().await.len();
    let second = timeout(AT_ONCE, nation.ask("{}"))
        .await
        .expect("at once")
        .expect_err("rests");
    assert_eq!(
        (second.code, second.kind),
        ("node-circuit-open", Kind::Unavailable)
    );
    assert_eq!(
        (told(&second, "hop"), told(&second, "seconds")),
        (Some("G01"), Some("1"))
    );
    assert_eq!(
        nation.national.evidence().await.len(),
        records,
        "nothing was sealed or sent"
    );
    // It is well again; that is seen once the wait is over.
    between.set(Mode::Carries);
    assert_eq!(nation.refused("{}").await, "node-circuit-open");
    nation.national.temp.clock.advance_ms(1_000);
    assert_eq!(nation.national.exchange.circuits()[0].state, State::HalfOpen);
    nation.ask("{}").await.expect("the try is answered");
    assert!(nation.national.exchange.circuits().is_empty());
    assert!(nation.national.exchange.away().is_empty());
}

#[tokio::test]
async fn a_node_that_answers_a_try_with_silence_rests_for_longer() {
    let mut nation = Nation::new().await;
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::Silent);
    assert_eq!(nation.refused("{}").await, "outcome-unknown");
    nation.national.temp.clock.advance_ms(1_000);
    let asked = between.asked();
    let (one, other) = tokio::join!(nation.ask("{}"), async {
        // The try is out: nobody else waits with it.
        between.is_asked(asked + 1).await;
        timeout(AT_ONCE, nation.ask("{}")).await.expect("at once")
    });
    assert_eq!(one.expect_err("silence").code, "outcome-unknown");
    assert_eq!(other.expect_err("rests").code, "node-circuit-open");
    let rests = nation.ask("{}").await.expect_err("rests");
    assert_eq!(told(&rests, "seconds"), Some("2"));
}

#[tokio::test]
async fn a_node_that_speaks_garbage_is_not_asked_after_five_calls() {
    let mut nation = Nation::new().await;
    let between = Between::new(nation.ministry.peer.clone()).await;
    between.set(Mode::Garbage);
    let peer = between.address.clone();
    nation.publish(|s| s.nodes[1].peer = peer).await;
    for _ in 0..5 {
        assert_eq!(
            timeout(AT_ONCE, nation.refused("{}")).await,
            Ok("provider-unreachable")
        );
    }
    assert_eq!(nation.refused("{}").await, "node-circuit-open");
    let face = face(&nation).await;
    let refused = face.call(&[CLIENT], "{}").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "node-circuit-open")
    );
    assert_eq!(refused.headers["retry-after"], "1");
    let body: serde_json::Value = serde_json::from_slice(&refused.body).expect("json");
    assert!(
        body["title"]
            .as_str()
            .is_some_and(|t| t.contains("The node of G01"))
    );
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|t| t.contains("the provider’s side"))
    );
    assert!(body["remedy"].as_str().is_some_and(|t| t.contains("in 1 s")));
    assert_eq!(nation.effects(), 0);
}

#[tokio::test]
async fn a_system_that_keeps_failing_is_not_called_for_a_while_and_the_gateway_says_so() {
    let nation = crate::rest::nation().await;
    let agency = agency(&nation, &[], "/").await;
    let address = agency.url.trim_start_matches("http://").trim_end_matches('/');
    let between = Between::new(address.to_owned()).await;
    let url = format!("http://{}/", between.address);
    nation.ministry.exchange.provide(Arc::new(Behind {
        id: LOOKUP.parse().expect("an id"),
        url: url.clone(),
        client: web::Client::plain(),
        call_ms_max: 10_000,
        answer_bytes_max: 100_000,
        endpoints: Vec::new(),
        openapi: None,
    }));
    let face = face(&nation).await;
    between.set(Mode::Refuses);
    for _ in 0..5 {
        let told = face.call(&[CLIENT], "{}").await;
        assert_eq!(
            (told.status, told.code().as_str()),
            (502, "service-outcome-unknown")
        );
    }
    let rests = face.call(&[CLIENT], "{}").await;
    assert_eq!(
        (rests.status, rests.code().as_str()),
        (503, "service-circuit-open")
    );
    assert_eq!(rests.headers["retry-after"], "1");
    let body: serde_json::Value = serde_json::from_slice(&rests.body).expect("json");
    for (member, words) in [
        (
            "title",
            "The system behind the service G01/population/person-lookup",
        ),
        ("detail", "behind the provider’s node"),
        ("remedy", "in 1 s"),
    ] {
        assert!(
            body[member].as_str().is_some_and(|text| text.contains(words)),
            "{body}"
        );
    }
    let open = nation.ministry.exchange.circuits();
    assert_eq!(
        (open.len(), open[0].hop, &open[0].address),
        (1, Hop::Service, &url)
    );
    assert_eq!((open[0].name.as_str(), open[0].state), (LOOKUP, State::Open));
    // It is an answer, signed and kept, though the system saw nothing of it.
    let records = nation.ministry.evidence().await;
    assert!(records.iter().all(|r| r.answer.is_some()) && records.len() == 6);
    assert!(
        nation.national.exchange.circuits().is_empty(),
        "the node itself is well"
    );
    between.set(Mode::Carries);
    nation.ministry.temp.clock.advance_ms(1_000);
    assert_eq!(face.call(&[CLIENT], "{}").await.status, 201);
    assert!(nation.ministry.exchange.circuits().is_empty());
    assert_eq!(agency.calls(), 1);
}

#[tokio::test]
async fn a_request_that_was_lost_on_the_way_is_sent_again_when_it_may_be_and_has_one_effect() {
    let mut nation = Nation::new().await;
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::LosesRequest);
    let heard = nation.national.exchange.ask(keyed("{}", "k1")).await;
    assert_eq!(heard.expect("at the second try").status, 200);
    assert_eq!(nation.effects(), 5);
    assert_eq!(
        nation.ministry.faults().await,
        [""; 5],
        "the provider saw it once"
    );
    assert!(nation.national.exchange.circuits().is_empty());
    // Without a key only who asks knows whether that is safe.
    for _ in 0..4 {
        nation.ask("{}").await.expect("every connection is open again");
    }
    between.set(Mode::LosesRequest);
    assert_eq!(nation.refused("{}").await, "outcome-unknown");
    assert_eq!(nation.effects(), 9);
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_has_one_effect_and_an_outcome_that_is_not_known() {
    let mut nation = Nation::new().await;
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::LosesAnswer);
    let lost = nation.national.exchange.ask(keyed("{}", "k1")).await;
    let problem = lost.expect_err("its answer is lost for good");
    assert_eq!((problem.code, problem.kind), ("outcome-unknown", Kind::Upstream));
    assert_eq!(told(&problem, "hop"), Some("G01"));
    assert_eq!(nation.effects(), 5, "it was carried out once");
    assert_eq!(
        nation.ministry.faults().await,
        ["", "", "", "", "", "replayed"],
        "and refused when it came again"
    );
    let ours = nation.national.faults().await;
    assert_eq!(ours.last().map(String::as_str), Some("outcome-unknown"));
    nation
        .national
        .exchange
        .ask(keyed("{}", "k1"))
        .await
        .expect("asked anew");
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_not_told_as_never_sent_when_the_node_is_gone_after() {
    let mut nation = Nation::new().await;
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::LosesAnswer);
    let effects = nation.effects();
    let (lost, ()) = tokio::join!(nation.national.exchange.ask(keyed("{}", "k1")), async {
        between.lost().await;
        between.set(Mode::Refuses);
    });
    let problem = lost.expect_err("its answer is lost, and nobody takes it again");
    assert_eq!(problem.code, "outcome-unknown");
    assert_eq!(nation.effects(), effects + 1);
}

#[tokio::test]
async fn a_node_that_ends_the_first_connections_is_tried_again_for_what_may_be_sent_again() {
    let mut nation = Nation::new().await;
    let between = Between::new(nation.ministry.peer.clone()).await;
    let peer = between.address.clone();
    nation.publish(|s| s.nodes[1].peer = peer).await;
    between.set(Mode::Refuses);
    let (heard, ()) = tokio::join!(nation.national.exchange.ask(keyed("{}", "k1")), async {
        // The waits are 50 to 100 ms, then 100 to 200 ms.
        tokio::time::sleep(Duration::from_millis(40)).await;
        between.set(Mode::Carries);
    });
    assert_eq!(heard.expect("once it takes connections").status, 200);
    assert_eq!(nation.effects(), 1);
    // When all tries are used up, it is told as it is.
    let gone = Between::new("127.0.0.1:1".to_owned()).await;
    let peer = gone.address.clone();
    nation.publish(|s| s.nodes[1].peer = peer).await;
    let problem = nation.national.exchange.ask(keyed("{}", "k2")).await;
    assert_eq!(problem.expect_err("nobody there").code, "provider-unreachable");
    assert_eq!(nation.national.exchange.circuits()[0].failures, 3);
}
