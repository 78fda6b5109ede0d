//! Records of calls and the health of services, as a collector that knows X-Road asks for them.

use serde_json::{Value, json};

use crate::nation::{LOOKUP, Nation, asking};
use crate::offered::{PERSONS, System};
use crate::operator::{Desk, desk_at};

impl Desk {
    async fn records(&self, tenant: &str, query: &str) -> Value {
        let (status, told) = self.told(tenant, &format!("monitoring/records?{query}")).await;
        assert_eq!(status, 200, "{query}: {told}");
        told
    }
}

/// Two calls, a second apart, that began more than a minute ago.
async fn called() -> Nation {
    let nation = Nation::new().await;
    nation
        .ask(r#"{"who":"Nguyễn Văn Mẫu"}"#)
        .await
        .expect("an answer");
    nation.advance_ms(1_000);
    nation.ask(r#"{"do":"refuse"}"#).await.expect("an answer");
    nation.advance_ms(100_000);
    for node in [&nation.national, &nation.ministry] {
        node.exchange.fold_evidence().await.expect("folded");
    }
    nation
}

#[tokio::test]
async fn a_record_has_x_roads_fields_and_names_nobody() {
    let nation = called().await;
    let began = testkit::START.ms() / 1_000;
    for (node, tenant, side, kind) in [
        (&nation.national, "G22", "Client", Value::Null),
        (&nation.ministry, "G01", "Producer", json!("REST")),
    ] {
        let told = desk_at(node).await.records(tenant, "").await;
        assert_eq!(told["recordsCount"], 2, "{told}");
        let record = &told["records"][0];
        for (field, value) in [
            ("monitoringDataTs", json!(began)),
            ("securityServerType", json!(side)),
            ("clientXRoadInstance", json!("VN")),
            ("clientMemberClass", json!("GOV")),
            ("clientMemberCode", json!("G22")),
            ("clientSubsystemCode", json!("portal")),
            ("serviceMemberCode", json!("G01")),
            ("serviceSubsystemCode", json!("population")),
            ("serviceCode", json!("person-lookup")),
            ("serviceType", kind),
            ("restMethod", json!("POST")),
            ("messageIssue", json!("G22-261121-0001")),
            ("succeeded", json!(true)),
            ("statusCode", json!(200)),
        ] {
            assert_eq!(record[field], value, "{field}: {record}");
        }
        assert!(
            record["requestSize"].as_u64().is_some_and(|size| size > 100),
            "{record}"
        );
        assert!(record["responseOutTs"].as_i64() >= record["requestInTs"].as_i64());
        for nobody in ["citizen", "Mẫu", "messageUserId", "null"] {
            assert!(!told.to_string().contains(nobody), "{nobody}");
        }
    }
}

#[tokio::test]
async fn a_record_at_the_provider_says_what_kind_of_service_was_called() {
    let nation = Nation::new().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    let document = format!("{}/openapi.json", system.url);
    let soap = "G01/population/persons-soap";
    let wsdl = include_str!("../../../../docs/samples/persons.wsdl");
    for text in [
        json!({"service": PERSONS, "url": system.url, "openapi": document}),
        json!({"service": soap, "url": system.url, "wsdl_document": wsdl}),
    ] {
        let (status, told) = desk.post("services", &text).await;
        assert_eq!(status, 201, "{told}");
    }
    for service in [PERSONS, soap] {
        let agreement = exchange::Agreement {
            service: service.parse().expect("an id"),
            fields: Vec::new(),
            ..nation.agreement()
        };
        nation.agree(agreement).await;
    }
    for service in [LOOKUP, PERSONS, soap] {
        let ask = exchange::Ask {
            service: service.parse().expect("an id"),
            ..asking("{}")
        };
        nation.national.exchange.ask(ask).await.expect("an answer");
        nation.advance_ms(1_000);
    }
    nation.advance_ms(100_000);
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let told = desk.records("G01", "").await;
    let kinds = told["records"].as_array().expect("a list").iter();
    let kinds: Vec<_> = kinds.map(|record| &record["serviceType"]).collect();
    assert_eq!(kinds, ["REST", "OPENAPI3", "WSDL"], "{told}");
}

#[tokio::test]
async fn records_come_by_time_and_client_and_the_last_minute_comes_later() {
    let nation = called().await;
    let desk = desk_at(&nation.ministry).await;
    let began = testkit::START.ms() / 1_000;
    for (query, count) in [
        (format!("recordsFrom={began}&recordsTo={began}"), 1),
        (format!("recordsFrom={}", began + 1), 1),
        (format!("recordsFrom={}", began + 2), 0),
        ("client=VN/GOV/G22/portal".to_owned(), 2),
        ("client=VN/GOV/G01/population".to_owned(), 2),
        ("client=VN/GOV/G01/pop".to_owned(), 0),
    ] {
        assert_eq!(
            desk.records("G01", &query).await["recordsCount"],
            count,
            "{query}"
        );
    }
    // The node that hosts both does not show one tenant what the other did.
    assert_eq!(desk.records("G15", "").await["recordsCount"], 0);
    nation.ask("{}").await.expect("an answer");
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let told = desk.records("G01", "").await;
    assert_eq!(
        (&told["recordsCount"], &told["nextRecordsFrom"]),
        (&2.into(), &(began + 41).into()),
        "{told}"
    );
    nation.advance_ms(61_000);
    assert_eq!(
        desk.records("G01", &format!("recordsFrom={}", began + 41)).await["recordsCount"],
        1
    );
}

#[tokio::test]
async fn the_health_of_a_service_is_that_of_the_last_ten_minutes() {
    let nation = called().await;
    let desk = desk_at(&nation.ministry).await;
    let (_, told) = desk.told("G01", "monitoring/health").await;
    assert_eq!(
        (
            &told["statisticsPeriodSeconds"],
            &told["monitoringStartupTimestamp"]
        ),
        (&600.into(), &testkit::START.ms().into())
    );
    let service = &told["services"][0];
    assert_eq!(service["service"], format!("VN/GOV/{LOOKUP}"));
    assert_eq!(
        service["lastPeriodStatistics"]["successfulRequestCount"], 2,
        "a service's own refusal is an answer"
    );
    nation.advance_ms(600_000);
    let (_, told) = desk.told("G01", "monitoring/health").await;
    assert_eq!(
        told["services"][0]["lastPeriodStatistics"]["successfulRequestCount"],
        0
    );
    assert!(told["services"][0]["lastSuccessfulRequestTimestamp"].is_number());
    assert_eq!(
        desk.told("G15", "monitoring/health").await.1["services"],
        json!([])
    );
}

#[tokio::test]
async fn nobody_but_an_operator_collects_and_a_wrong_question_is_told_at_its_parameter() {
    let nation = called().await;
    let desk = desk_at(&nation.ministry).await;
    for path in ["monitoring/records", "monitoring/health"] {
        assert_eq!(desk.send("GET", path, None, "").await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(desk.send("GET", path, Some(role), "").await.0, 403, "{path}");
        }
    }
    for (query, field) in [
        ("recordsFrom=x", "recordsFrom"),
        ("recordsTo=-1", "recordsTo"),
        ("recordsFrom=9&recordsTo=8", "recordsTo"),
        ("client=portal", "client"),
        ("after=x", "after"),
    ] {
        let (status, told) = desk.told("G01", &format!("monitoring/records?{query}")).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{query}");
    }
}
