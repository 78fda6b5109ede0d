//! What a file declares, shown and carried out: by the functions of the pages, once.

use std::sync::Arc;

use directory::snapshot::SystemEntry;
use directory::{Hub, Registrar};
use exchange::agreement::Agreement;
use serde_json::{Value, json};

use crate::nation::{Nation, PORTAL};
use crate::node::Node;
use crate::operator::{Desk, desk_at};

impl Desk {
    pub(crate) async fn declared(&self, path: &str, body: &Value) -> Value {
        let (status, told) = self.send("POST", path, Some("operator"), &body.to_string()).await;
        let told: Value = serde_json::from_slice(&told).expect("json");
        assert_eq!(status, 200, "{told}");
        told
    }
}

fn federation(url: &str) -> Value {
    json!({
        "service": [{"service": "G01/population/persons", "url": url, "endpoints": ["GET /persons/{id}"]}],
        "request": [],
    })
}

/// An agreement's text as a file has it.
pub(crate) fn written(a: &Agreement, id: &str, consumer: &str) -> Value {
    json!({
        "id": id, "consumer": consumer, "service": a.service.to_string(),
        "fields": a.fields, "purpose": a.purpose, "legal_basis": a.legal_basis, "place": a.place,
        "valid_from": a.valid_from.ms(), "valid_to": a.valid_to.ms(), "sharing_method": a.sharing_method,
        "handling": a.handling, "conditions": a.conditions, "rate_per_minute": 60,
        "commitments": a.commitments, "protection": a.protection, "storage": a.storage, "deletion": a.deletion,
    })
}

/// The nation with the portal's system in its directory.
async fn nation_with_portal() -> Nation {
    let mut nation = Nation::new().await;
    nation
        .publish(|s| {
            s.systems.push(SystemEntry {
                org: "G22".parse().expect("a code"),
                code: "portal".to_owned(),
                name: "Cổng dịch vụ công".to_owned(),
            });
        })
        .await;
    nation
}

pub(crate) fn registrar(node: &Node, hub: Option<Hub>) -> Registrar {
    Registrar::new(directory::registration::Parts {
        directory: node.directory.clone(),
        hub,
        keyring: Arc::clone(&node.keyring),
        node: node.id.to_owned(),
        to_hub: None,
        peers: web::Client::plain(),
    })
}

fn group(code: &str, systems: &[&str]) -> Value {
    json!({"code": code, "name": "Nhóm mẫu", "systems": systems})
}

pub(crate) fn does(told: &Value) -> Vec<String> {
    let steps = told["steps"].as_array().expect("steps").iter();
    steps
        .map(|s| s["does"].as_str().expect("a word").to_owned())
        .collect()
}

#[tokio::test]
async fn a_file_is_shown_first_then_done_and_a_second_time_changes_nothing() {
    let mut nation = Nation::new().await;
    nation
        .publish(|s| {
            s.systems.push(directory::snapshot::SystemEntry {
                org: "G01".parse().expect("a code"),
                code: "population".to_owned(),
                name: "Dân cư".to_owned(),
            });
        })
        .await;
    let desk = desk_at(&nation.ministry).await;
    let file = federation("http://127.0.0.1:9");
    let shown = desk.declared("plan", &file).await;
    assert_eq!(
        (does(&shown), &shown["changes"]),
        (vec!["register".to_owned()], &1.into()),
        "{shown}"
    );
    assert_eq!(desk.registered().await, json!([]), "shown only");
    let done = desk.declared("apply", &file).await;
    assert_eq!(
        (&done["steps"][0]["done"], &done["problems"]),
        (&true.into(), &0.into()),
        "{done}"
    );
    assert_eq!(desk.registered().await[0]["service"], "G01/population/persons");
    let again = desk.declared("apply", &file).await;
    assert_eq!(
        (does(&again), &again["changes"]),
        (vec!["keep".to_owned()], &0.into())
    );
    let moved = federation("http://127.0.0.1:10");
    let shown = desk.declared("plan", &moved).await;
    assert_eq!(does(&shown), ["change"]);
    let difference = json!({"field": "url", "now": "http://127.0.0.1:9", "then": "http://127.0.0.1:10"});
    assert_eq!(shown["steps"][0]["differences"], json!([difference]));
    desk.declared("apply", &moved).await;
    assert_eq!(desk.registered().await[0]["url"], "http://127.0.0.1:10");
}

#[tokio::test]
async fn a_request_for_an_agreement_is_made_once_and_a_fault_stands_at_its_field() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.national).await;
    let request = written(&nation.agreement(), "02/2026/TT-CSDL", PORTAL);
    let file = json!({"request": [request]});
    assert_eq!(does(&desk.declared("plan", &file).await), ["ask"]);
    let done = desk.declared("apply", &file).await;
    assert_eq!(done["steps"][0]["done"], true, "{done}");
    assert_eq!(does(&desk.declared("apply", &file).await), ["keep"]);
    let wrong = json!({
        "service": [{"service": "no", "url": "x"}],
        "client": [{"system": "G22/portal", "certificate": "none"}],
    });
    let told = desk.declared("plan", &wrong).await;
    assert_eq!(told["problems"], 2, "{told}");
    for (step, field) in [(0, "service"), (1, "certificate")] {
        assert_eq!(told["steps"][step]["problem"]["field"], field, "{told}");
    }
    // What is of another node is refused where it would be on the page.
    let elsewhere = json!({"service": [{"service": "G01/population/x", "url": "http://127.0.0.1:9"}]});
    let told = desk.declared("apply", &elsewhere).await;
    assert_eq!(
        (&told["problems"], &told["steps"][0]["done"]),
        (&1.into(), &false.into()),
        "{told}"
    );
}

#[tokio::test]
async fn a_group_an_offer_to_it_and_a_maintenance_are_declared_and_a_second_time_changes_nothing() {
    let nation = nation_with_portal().await;
    let (node, desk) = (&nation.ministry, desk_at(&nation.ministry).await);
    let until = node.now().plus_ms(3_600_000).ms();
    let file = json!({
        "local_group": [group("partners", &[PORTAL])],
        "group_offer": [written(&nation.agreement(), "03/2026/TT-CSDL", "local/partners")],
        "maintenance": {"notice": "Nâng cấp", "until": until},
    });
    let shown = desk.declared("plan", &file).await;
    assert_eq!(does(&shown), ["register", "offer", "begin"], "{shown}");
    let left = (node.directory.local_groups().len(), node.exchange.maintenance());
    assert_eq!(left, (0, None), "shown only");
    let done = desk.declared("apply", &file).await;
    assert_eq!(
        (&done["problems"], &done["changes"]),
        (&0.into(), &3.into()),
        "{done}"
    );
    assert!(node.directory.in_local_group("partners", PORTAL));
    let offers = node.exchange.own_group_offers().await.expect("read");
    assert_eq!((offers.len(), offers[0].text.id.as_str()), (1, "03/2026/TT-CSDL"));
    assert_eq!(
        node.exchange.maintenance().map(|held| held.notice).as_deref(),
        Some("Nâng cấp")
    );
    let again = desk.declared("apply", &file).await;
    assert_eq!(
        (does(&again), &again["changes"]),
        (vec!["keep".to_owned(); 3], &0.into())
    );
    let less = json!({
        "local_group": [group("partners", &[])],
        "maintenance": {"notice": "Nâng cấp lâu hơn", "until": until},
    });
    let shown = desk.declared("plan", &less).await;
    assert_eq!(does(&shown), ["change", "change"]);
    let left = json!({"field": "systems", "now": PORTAL, "then": ""});
    assert_eq!(
        shown["steps"][0]["differences"],
        json!([left]),
        "who would leave is shown"
    );
    node.exchange
        .end_maintenance(&kernel::Actor::Platform)
        .await
        .expect("ended");
    nation.advance_ms(3_600_000);
    let over = json!({"maintenance": file["maintenance"]});
    assert_eq!(
        does(&desk.declared("apply", &over).await),
        ["keep"],
        "its end has come"
    );
    assert_eq!(node.exchange.maintenance(), None);
}

#[tokio::test]
async fn what_is_wrong_with_a_declared_group_offer_or_maintenance_stands_at_its_field() {
    let nation = nation_with_portal().await;
    let desk = desk_at(&nation.ministry).await;
    let no_hub = registrar(&nation.ministry, None);
    nation.ministry.exchange.declare_by(no_hub);
    let offer = |id: &str, group: &str| written(&nation.agreement(), id, group);
    let wrong = json!({
        "global_group": [group("one-stops", &[])],
        "local_group": [group("partners", &["G22/none"]), group("No", &[])],
        "group_offer": [offer("1", "local/none"), offer("2", PORTAL)],
        "maintenance": {"notice": "Nâng cấp"},
    });
    let told = desk.declared("apply", &wrong).await;
    let fields: Vec<&Value> = (0..6).map(|n| &told["steps"][n]["problem"]["field"]).collect();
    let null = Value::Null;
    let expected = [
        &null,
        &json!("systems"),
        &json!("code"),
        &json!("consumer"),
        &json!("consumer"),
        &json!("until"),
    ];
    assert_eq!(fields, expected, "{told}");
    assert_eq!(told["steps"][0]["problem"]["code"], "directory-hub-only");
    assert_eq!((&told["problems"], &told["changes"]), (&6.into(), &0.into()));
}

#[tokio::test]
async fn a_global_group_is_declared_at_the_hub() {
    let nation = nation_with_portal().await;
    let node = &nation.national;
    let hub = Hub::open(node.directory.clone(), nation.hub.clone()).await;
    node.exchange.declare_by(registrar(node, hub.ok()));
    let desk = desk_at(node).await;
    let file = json!({"global_group": [group("one-stops", &[PORTAL])]});
    assert_eq!(does(&desk.declared("plan", &file).await), ["register"]);
    assert!(node.directory.snapshot().groups.is_empty(), "shown only");
    let done = desk.declared("apply", &file).await;
    assert_eq!(done["steps"][0]["done"], true, "{done}");
    assert!(node.directory.in_global_group("one-stops", PORTAL));
    assert_eq!(does(&desk.declared("apply", &file).await), ["keep"]);
    let unknown = json!({"global_group": [group("one-stops", &["G22/none"])]});
    assert_eq!(
        desk.declared("plan", &unknown).await["steps"][0]["problem"]["field"],
        "system"
    );
}

#[tokio::test]
async fn nobody_but_an_operator_declares_and_what_is_not_known_is_refused() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    for path in ["plan", "apply"] {
        assert_eq!(desk.send("POST", path, None, "{}").await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(desk.send("POST", path, Some(role), "{}").await.0, 403, "{path}");
        }
        let unknown = desk
            .send("POST", path, Some("operator"), r#"{"remove":["G01/a/b"]}"#)
            .await;
        assert!((400..500).contains(&unknown.0), "{path}: {}", unknown.0);
        let many: Vec<Value> = (0..1_001)
            .map(|n| json!({"service": format!("G01/a/s{n}"), "url": "http://127.0.0.1:9"}))
            .collect();
        let body = json!({ "service": many }).to_string();
        assert_eq!(
            desk.send("POST", path, Some("operator"), &body).await.0,
            422,
            "{path}"
        );
    }
}
