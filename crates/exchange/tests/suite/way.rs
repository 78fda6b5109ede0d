//! The whole way of a call tried without one, by the operator of who calls: each step broken, and told by its
//! name; and who is told nothing.

use std::sync::atomic::Ordering;

use exchange::Connection;
use exchange::offered::Verb;
use kernel::{Actor, OrgCode};
use serde_json::{Value, json};

use crate::life::{carry, nation as empty};
use crate::nation::{LOOKUP, Nation, PORTAL, system};
use crate::offered::{PERSONS, System, agree, operator, persons};
use crate::operator::{Desk, desk_at};

const ACTOR: Actor = Actor::Platform;
const TRIES: &str = "/exchange/v1/service-tries";

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

impl Desk {
    /// What came of the whole way: the steps, and the last one's fault.
    async fn whole(&self, asked: &Value) -> (Vec<String>, Option<String>, Value) {
        let (status, told) = self.post("standing/try", asked).await;
        assert_eq!(status, 200, "{told}");
        let steps = told["way"]["steps"].as_array().expect("steps");
        let hops = steps.iter().map(|s| s["hop"].as_str().expect("a hop").to_owned());
        let fault = steps.last().and_then(|s| s["fault"].as_str()).map(str::to_owned);
        assert_eq!(
            fault.is_none(),
            steps.iter().all(|s| s["why"].is_null()),
            "{told}"
        );
        (hops.collect(), fault, told.clone())
    }

    /// The step that fails and its fault.
    async fn broken(&self, service: &str) -> (String, String) {
        let (hops, fault, told) = self.whole(&json!({"target": format!("service/{service}")})).await;
        assert_eq!(told["way"]["good"], false, "{told}");
        (hops.last().expect("a step").clone(), fault.unwrap_or_default())
    }
}

fn step(hop: &str, fault: &str) -> (String, String) {
    (hop.to_owned(), fault.to_owned())
}

/// A nation whose portal may call a service behind the ministry's gateway.
async fn nation() -> (Nation, System) {
    let nation = empty().await;
    let system = System::start(None).await;
    let (actor, x) = (operator(), &nation.ministry.exchange);
    x.register_service(persons(), system.setup(), &actor)
        .await
        .expect("registered");
    agree(&nation).await;
    (nation, system)
}

#[tokio::test]
async fn the_whole_way_is_tried_from_the_calling_system_to_the_service_behind_the_other_gateway() {
    let (nation, _system) = nation().await;
    let desk = desk_at(&nation.national).await;
    let (hops, fault, told) = desk.whole(&json!({"target": format!("service/{PERSONS}")})).await;
    assert_eq!((fault, &told["way"]["good"]), (None, &true.into()), "{told}");
    assert_eq!(told["way"]["status"], 200);
    let all = [
        "system",
        "own-node",
        "agreement",
        "directory",
        "node-name",
        "node-connect",
        "node-tls",
        "node-answer",
        "other-node",
        "other-agreement",
        "offer",
        "service-name",
        "service-connect",
        "service-answer",
    ];
    assert_eq!(hops, all);
    for node in [&nation.national, &nation.ministry] {
        assert!(node.evidence().await.is_empty(), "no exchange was made");
    }
    assert!(
        !told.to_string().contains("127.0.0.1"),
        "nor is an address told: {told}"
    );
    let seen = desk.get("standing").await;
    assert!(
        seen["ways"]
            .as_array()
            .expect("a list")
            .contains(&format!("service/{PERSONS}").into())
    );
    let target = format!("service/{PERSONS}");
    let form = [
        ("target", target.as_str()),
        ("consumer", PORTAL),
        ("represented", ""),
    ];
    let (status, _, page) = desk.page("/exchange/standing/try", Some(&form)).await;
    assert_eq!(status, 200);
    for part in [
        "Cả đường đến dịch vụ G01/population/persons",
        "Dịch vụ: câu trả lời",
        "Đường đi thông suốt.",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_service_within_the_other_node_is_told_to_be_there_and_is_not_called() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.national).await;
    let (hops, fault, told) = desk.whole(&json!({"target": format!("service/{LOOKUP}")})).await;
    assert_eq!((fault, &told["way"]["good"]), (None, &true.into()), "{told}");
    assert_eq!(hops.last().map(String::as_str), Some("inside"));
    assert_eq!(nation.service.effects.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn each_step_on_this_side_that_is_broken_is_named() {
    let (mut nation, _system) = nation().await;
    let named = directory::snapshot::SystemEntry {
        org: org("G22"),
        code: "portal".to_owned(),
        name: "Cổng dịch vụ công".to_owned(),
    };
    nation.publish(|s| s.systems.push(named)).await;
    let desk = desk_at(&nation.national).await;
    assert_eq!(desk.broken(LOOKUP).await, step("agreement", "agreement-missing"));
    let x = &nation.national.exchange;
    let portal = system(PORTAL);
    x.set_connection(&portal, Some(Connection::Mutual), &ACTOR)
        .await
        .expect("set");
    assert_eq!(desk.broken(PERSONS).await, step("system", "way-nameless"));
    x.set_connection(&portal, None, &ACTOR).await.expect("as it was");
    x.begin_maintenance("Nâng cấp", None, &ACTOR)
        .await
        .expect("begun");
    assert_eq!(desk.broken(PERSONS).await, step("own-node", "node-maintenance"));
    x.end_maintenance(&ACTOR).await.expect("ended");
    let asked = json!({"target": format!("service/{PERSONS}"), "consumer": PORTAL, "represented": "G15"});
    let (hops, fault, _) = desk.whole(&asked).await;
    assert_eq!(
        (hops.last().map(String::as_str), fault.as_deref()),
        (Some("delegation"), Some("delegation-missing"))
    );
    let hash = x.agreements().list()[0].0;
    x.suspend_agreement(&hash, &org("G22"), "Rà soát", &ACTOR)
        .await
        .expect("suspended");
    assert_eq!(
        desk.broken(PERSONS).await,
        step("agreement", "agreement-suspended")
    );
    x.resume_agreement(&hash, &org("G22"), &ACTOR)
        .await
        .expect("resumed");
    let seal = Nation::revoked(&nation.ministry.seal("G01").certificate);
    nation.publish(|s| s.revoked.push(seal)).await;
    assert_eq!(desk.broken(PERSONS).await, step("directory", "seal-broken"));
}

#[tokio::test]
async fn each_step_on_the_other_side_that_is_broken_is_named() {
    let (nation, behind) = nation().await;
    let desk = desk_at(&nation.national).await;
    let x = &nation.ministry.exchange;
    x.begin_maintenance("Nâng cấp máy chủ", None, &ACTOR)
        .await
        .expect("begun");
    let (_, _, told) = desk.whole(&json!({"target": format!("service/{PERSONS}")})).await;
    let last = told["way"]["steps"]
        .as_array()
        .expect("steps")
        .last()
        .expect("one")
        .clone();
    assert_eq!(
        (&last["hop"], &last["fault"]),
        (&"other-node".into(), &"node-maintenance".into())
    );
    assert!(
        last["why"].as_str().expect("words").contains("Nâng cấp máy chủ"),
        "{last}"
    );
    x.end_maintenance(&ACTOR).await.expect("ended");
    let disable = Verb::Disable {
        notice: "Bảo trì kho dữ liệu".to_owned(),
    };
    x.stand_service(&persons(), &disable, &operator())
        .await
        .expect("disabled");
    let (_, _, told) = desk.whole(&json!({"target": format!("service/{PERSONS}")})).await;
    let last = told["way"]["steps"]
        .as_array()
        .expect("steps")
        .last()
        .expect("one")
        .clone();
    assert_eq!(
        (&last["hop"], &last["fault"]),
        (&"offer".into(), &"service-disabled".into())
    );
    assert!(
        last["why"]
            .as_str()
            .expect("words")
            .contains("Bảo trì kho dữ liệu"),
        "{last}"
    );
    x.stand_service(&persons(), &Verb::Enable, &operator())
        .await
        .expect("enabled");
    behind.end();
    assert_eq!(desk.broken(PERSONS).await, step("service-connect", "refused"));
    // Said there, and not heard here yet.
    let hash = x.agreements().list()[0].0;
    x.suspend_agreement(&hash, &org("G01"), "Rà soát", &ACTOR)
        .await
        .expect("suspended");
    assert_eq!(
        desk.broken(PERSONS).await,
        step("other-agreement", "agreement-suspended")
    );
    carry(&nation.ministry).await;
    assert_eq!(
        desk.broken(PERSONS).await,
        step("agreement", "agreement-suspended")
    );
    x.resume_agreement(&hash, &org("G01"), &ACTOR)
        .await
        .expect("resumed");
    carry(&nation.ministry).await;
    nation.ministry.halt().await;
    assert_eq!(desk.broken(PERSONS).await, step("node-connect", "refused"));
}

#[tokio::test]
async fn the_other_node_tries_its_service_so_often_a_minute_for_one_agreement() {
    let (nation, _system) = nation().await;
    let desk = desk_at(&nation.national).await;
    let target = json!({"target": format!("service/{PERSONS}")});
    for _ in 0..6 {
        assert_eq!(desk.whole(&target).await.1, None);
    }
    assert_eq!(desk.broken(PERSONS).await, step("other-node", "way-too-often"));
    nation.advance_ms(60_000);
    assert_eq!(desk.whole(&target).await.1, None);
}

#[tokio::test]
async fn a_node_that_is_no_party_is_told_nothing_of_a_service() {
    let (nation, _system) = nation().await;
    let hash = nation.ministry.exchange.agreements().list()[0].0.hex();
    let asked = async |node: &crate::node::Node, body: Value| {
        let request = web::http::Request::post(format!("https://{}{TRIES}", nation.ministry.peer))
            .header("content-type", "application/json")
            .body(body.to_string().into())
            .expect("a request");
        let answer = node
            .peers(&nation.ca)
            .send(request, 30_000, 1 << 16)
            .await
            .expect("an answer");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        (
            answer.status().as_u16(),
            serde_json::from_str::<Value>(&text).unwrap_or_default(),
        )
    };
    let body = |consumer: &str, service: &str, agreement: &str| json!({"v": 1, "consumer": consumer, "service": service, "agreement": agreement});
    let (status, told) = asked(&nation.national, body(PORTAL, PERSONS, &hash)).await;
    assert_eq!((status, &told["status"]), (200, &200.into()), "{told}");
    // Not the node on which the calling system lives, though it knows the agreement's name.
    let (status, told) = asked(&nation.ministry, body(PORTAL, PERSONS, &hash)).await;
    assert_eq!((status, &told["steps"]), (404, &Value::Null), "{told}");
    // Nor of what is none of this node's.
    assert_eq!(
        asked(&nation.national, body(PORTAL, "G22/portal/x", &hash))
            .await
            .0,
        404
    );
    // A system of its own without the agreement: told so, and nothing of the service.
    for (consumer, service, agreement) in [
        ("G22/other", PERSONS, hash.as_str()),
        (PORTAL, "G01/population/none", &hash),
        (PORTAL, PERSONS, &"0".repeat(64)),
    ] {
        let (status, told) = asked(&nation.national, body(consumer, service, agreement)).await;
        let last = told["steps"]
            .as_array()
            .and_then(|steps| steps.last())
            .expect("a step")
            .clone();
        assert_eq!((status, &last["hop"]), (200, &"other-agreement".into()), "{told}");
        assert_eq!(
            (&last["fault"], &told["status"]),
            (&"agreement-missing".into(), &Value::Null)
        );
    }
    for bad in [
        json!({}),
        json!({"v": 2}),
        body("x", PERSONS, &hash),
        body(PORTAL, PERSONS, "x"),
    ] {
        let (status, _) = asked(&nation.national, bad.clone()).await;
        assert!((400..500).contains(&status), "{status} {bad}");
    }
}

#[tokio::test]
async fn an_operator_tries_the_way_of_its_own_systems_alone() {
    let (nation, _system) = nation().await;
    let desk = desk_at(&nation.ministry).await;
    let target = format!("service/{PERSONS}");
    for (consumer, code) in [(PORTAL, "member-elsewhere"), ("H99/x", "member-unknown")] {
        let (status, told) = desk
            .post("standing/try", &json!({"target": target, "consumer": consumer}))
            .await;
        assert_eq!(
            (status, &told["field"]),
            (403, &"consumer".into()),
            "{code}: {told}"
        );
    }
    for (field, body) in [
        ("consumer", json!({"target": target, "consumer": "G22"})),
        ("represented", json!({"target": target, "represented": "x y"})),
        ("target", json!({"target": "service/G01"})),
    ] {
        let (status, told) = desk.post("standing/try", &body).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
    }
}
