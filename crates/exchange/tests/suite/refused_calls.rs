//! Calls that an information system was refused: found by the id that it was told, whether they left or not.

use kernel::limits::Limits;
use serde_json::{Value, json};

use crate::face::{CLIENT, Face, Told, face};
use crate::nation::{LOOKUP, Nation};
use crate::operator::{Desk, desk_at};

async fn x_road(face: &Face) -> Told {
    let request = web::http::Request::builder()
        .method("POST")
        .header(CLIENT.0, CLIENT.1);
    face.send(request, &format!("/r1/VN/GOV/{LOOKUP}"), "{}").await
}

/// The id in X-Road's error.
fn detail(told: &Told) -> String {
    let body: Value = serde_json::from_slice(&told.body).expect("json");
    body["detail"].as_str().expect("an id").to_owned()
}

impl Desk {
    async fn refused(&self, tenant: &str, query: &str) -> Vec<Value> {
        let (status, told) = self.told(tenant, &format!("refusals?{query}")).await;
        assert_eq!(status, 200, "{told}");
        told["refusals"].as_array().expect("a list").clone()
    }
}

#[tokio::test]
async fn a_call_that_never_left_is_found_by_the_id_its_caller_was_told() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let (face, desk) = (face(&nation).await, desk_at(&nation.national).await);
    let id = detail(&x_road(&face).await);
    let found = desk.refused("G22", &format!("id={id}")).await;
    assert_eq!(found.len(), 1, "{found:?}");
    for (field, value) in [
        ("id", json!(id)),
        ("at", json!(testkit::START.ms())),
        ("own", json!("G22")),
        ("consumer", json!("G22/portal")),
        ("service", json!(LOOKUP)),
        ("code", json!("agreement-missing")),
        ("request", json!("")),
    ] {
        assert_eq!(found[0][field], value, "{field}: {found:?}");
    }
    assert!(nation.national.evidence().await.is_empty(), "it is no exchange");
    // In our own form the id stands in `instance`; without a client nobody can be named.
    let request = web::http::Request::builder().method("POST");
    let told = face
        .send(request, &format!("/exchange/v1/call/{LOOKUP}"), "{}")
        .await;
    let body: Value = serde_json::from_slice(&told.body).expect("json");
    let other = body["instance"]
        .as_str()
        .and_then(|id| id.strip_prefix("urn:uuid:"));
    let found = desk
        .refused("G22", &format!("id={}", other.expect("an id")))
        .await;
    assert_eq!(
        (&found[0]["code"], &found[0]["consumer"]),
        (&json!("client-header"), &json!(""))
    );
    assert_eq!(desk.refused("G22", "").await.len(), 2);
    assert_eq!(desk.refused("G22", "code=agreement-missing").await.len(), 1);
    assert_eq!(desk.refused("G22", "consumer=G22/other").await.len(), 0);
    assert_eq!(desk.refused("G15", "").await.len(), 0, "another organisation's");
    // Who has only the id looks for it as for an exchange.
    let (status, _) = desk.seen("G22", &format!("/exchange/evidence/{id}")).await;
    assert_eq!(status, 303);
    assert_eq!(desk.seen("G15", &format!("/exchange/evidence/{id}")).await.0, 404);
    let (status, page) = desk.seen("G22", &format!("/exchange/refusals?id={id}")).await;
    assert_eq!(status, 200);
    for part in [
        "Chưa rời khỏi nút này",
        "G22/portal",
        LOOKUP,
        "agreement-missing",
        &id,
    ] {
        assert!(page.contains(part), "{part}");
    }
    let (_, page) = desk.seen("G22", "/exchange/refusals?id=0").await;
    assert!(page.contains("Không có lượt gọi nào bị từ chối như vậy."));
}

#[tokio::test]
async fn a_call_that_left_and_was_refused_leads_to_its_evidence() {
    let nation = Nation::new().await;
    let (face, desk) = (face(&nation).await, desk_at(&nation.national).await);
    nation.ministry.exchange.withdraw(&LOOKUP.parse().expect("an id"));
    let id = detail(&x_road(&face).await);
    let found = desk.refused("G22", &format!("id={id}")).await;
    let request = found[0]["request"].as_str().expect("an id");
    let (status, proof) = desk.told("G22", &format!("evidence/{request}")).await;
    assert_eq!(
        (status, &proof["sides"][0]["exchange"]["fault"]),
        (200, &json!("service-unknown"))
    );
    let (_, page) = desk.seen("G22", "/exchange/refusals").await;
    assert!(page.contains(&format!("/exchange/evidence/{request}")));
}

#[tokio::test]
async fn refused_calls_are_told_a_page_at_a_time_and_to_operators_alone() {
    let limits = Limits {
        page_rows_max: 2,
        ..Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    let (face, desk) = (face(&nation).await, desk_at(&nation.national).await);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(detail(&x_road(&face).await));
        nation.advance_ms(10);
    }
    ids.reverse();
    let (mut seen, mut query) = (Vec::new(), "consumer=G22/portal".to_owned());
    loop {
        let (_, told) = desk.told("G22", &format!("refusals?{query}")).await;
        let rows = told["refusals"].as_array().expect("a list");
        assert!(rows.len() <= 2);
        seen.extend(
            rows.iter()
                .map(|row| row["id"].as_str().expect("an id").to_owned()),
        );
        match told["next"].as_str() {
            Some(next) => query = format!("consumer=G22/portal&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    assert_eq!(desk.send("GET", "refusals", None, "").await.0, 401);
    for role in ["citizen", "officer", "chairman"] {
        assert_eq!(
            desk.send("GET", "refusals", Some(role), "").await.0,
            403,
            "{role}"
        );
    }
    let (status, told) = desk.told("G22", "refusals?after=x").await;
    assert_eq!((status, &told["field"]), (422, &"after".into()));
    assert_eq!(desk.seen("G22", "/exchange/refusals?after=x").await.0, 422);
}
