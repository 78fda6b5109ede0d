//! What a file declares, shown and carried out: by the functions of the pages, once.

use serde_json::{Value, json};

use crate::nation::Nation;
use crate::operator::{Desk, desk_at};

impl Desk {
    async fn declared(&self, path: &str, body: &Value) -> Value {
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

fn does(told: &Value) -> Vec<String> {
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
    assert_eq!(desk.get("services").await, json!([]), "shown only");
    let done = desk.declared("apply", &file).await;
    assert_eq!(
        (&done["steps"][0]["done"], &done["problems"]),
        (&true.into(), &0.into()),
        "{done}"
    );
    assert_eq!(desk.get("services").await[0]["service"], "G01/population/persons");
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
    assert_eq!(desk.get("services").await[0]["url"], "http://127.0.0.1:10");
}

#[tokio::test]
async fn a_request_for_an_agreement_is_made_once_and_a_fault_stands_at_its_field() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.national).await;
    let a = nation.agreement();
    let request = json!({
        "id": "02/2026/TT-CSDL", "consumer": a.consumer.to_string(), "service": a.service.to_string(),
        "fields": a.fields, "purpose": a.purpose, "legal_basis": a.legal_basis, "place": a.place,
        "valid_from": a.valid_from.ms(), "valid_to": a.valid_to.ms(), "sharing_method": a.sharing_method,
        "handling": a.handling, "conditions": a.conditions, "rate_per_minute": 60,
        "commitments": a.commitments, "protection": a.protection, "storage": a.storage, "deletion": a.deletion,
    });
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
