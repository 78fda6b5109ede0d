//! Records of calls and the health of services, as a collector that knows X-Road asks for them.

use exchange::Agreement;
use serde_json::{Value, json};

use crate::face::face;
use crate::hops::Slow;
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

/// What both sides say alike of a call that names everything.
fn alike(record: &Value) {
    for (field, value) in [
        ("clientXRoadInstance", json!("VN")),
        ("clientMemberClass", json!("GOV")),
        ("clientMemberCode", json!("G22")),
        ("clientSubsystemCode", json!("portal")),
        ("serviceXRoadInstance", json!("VN")),
        ("serviceMemberClass", json!("GOV")),
        ("serviceMemberCode", json!("G01")),
        ("serviceSubsystemCode", json!("population")),
        ("serviceCode", json!("person-lookup")),
        ("restMethod", json!("GET")),
        ("restPath", json!("/persons/{id}")),
        ("representedPartyClass", json!("COM")),
        ("representedPartyCode", json!("0101")),
        ("messageId", json!("m-1")),
        ("messageIssue", json!("G22-261121-0001")),
        ("messageProtocolVersion", json!("1")),
    ] {
        assert_eq!(record[field], value, "{field}: {record}");
    }
    assert!(
        record["serviceType"].is_null(),
        "nobody knows what is offered no more: {record}"
    );
    let version = record["xRoadVersion"].as_str().expect("a release");
    assert!(version.starts_with("sen-"), "{version}");
}

#[tokio::test]
async fn every_field_that_is_told_says_what_happened_at_either_side() {
    let nation = Nation::without_agreement(kernel::limits::Limits::default()).await;
    let endpoints = vec!["GET /persons/{id}".parse().expect("an endpoint")];
    nation
        .agree(Agreement {
            fields: Vec::new(),
            endpoints,
            ..nation.agreement()
        })
        .await;
    nation.ministry.exchange.provide(Slow::at(&nation));
    let headers = [
        ("x-road-id", "m-1"),
        ("x-road-issue", "G22-261121-0001"),
        ("x-road-represented-party", "COM/0101"),
    ];
    let face = face(&nation).await;
    let call = async || face.rest("GET", "/persons/038192000017?x=1", &headers, "").await;
    let told = call().await;
    assert_eq!(told.status, 200, "{:?}", told.body);
    let request = told.header("x-road-request-id").to_owned();
    nation.ministry.exchange.withdraw(&LOOKUP.parse().expect("an id"));
    assert_eq!(call().await.status, 500, "there is no such service");
    nation.advance_ms(100_000);
    let began = testkit::START.ms();
    for (node, tenant, side) in [
        (&nation.national, "G22", "Client"),
        (&nation.ministry, "G01", "Producer"),
    ] {
        node.exchange.fold_evidence().await.expect("folded");
        let told = desk_at(node).await.records(tenant, "").await;
        let (record, failed) = (&told["records"][0], &told["records"][1]);
        alike(record);
        alike(failed);
        for (field, value) in [
            ("monitoringDataTs", json!(began / 1_000)),
            ("securityServerType", json!(side)),
            ("requestInTs", json!(began)),
            ("requestOutTs", json!(began)),
            ("responseInTs", json!(began + Slow::MS)),
            ("xRequestId", json!(request)),
            ("clientSecurityServerAddress", json!(nation.national.peer)),
            ("serviceSecurityServerAddress", json!(nation.ministry.peer)),
            ("succeeded", json!(true)),
            ("statusCode", json!(200)),
        ] {
            assert_eq!(record[field], value, "{side} {field}: {record}");
        }
        assert!(record["responseOutTs"].as_i64() >= Some(began + Slow::MS));
        assert!(record["requestSize"].as_u64() > Some(100) && record["responseSize"].as_u64() > Some(100));
        for field in ["faultCode", "faultString"] {
            assert!(record[field].is_null(), "{field}: {record}");
        }
        for (field, value) in [
            ("succeeded", json!(false)),
            ("faultCode", json!("service-unknown")),
            ("statusCode", Value::Null),
            ("responseSize", Value::Null),
        ] {
            assert_eq!(failed[field], value, "{side} {field}: {failed}");
        }
        assert!(
            failed["faultString"]
                .as_str()
                .is_some_and(|words| words.contains(' ')),
            "{failed}"
        );
        // The consumer's gateway was told; the provider's asked nobody.
        assert_eq!(failed["requestOutTs"].is_number(), side == "Client", "{failed}");
        assert_eq!(failed["responseInTs"].is_number(), side == "Client", "{failed}");
        for nobody in ["038192000017", "citizen", "messageUserId", "system:"] {
            assert!(!told.to_string().contains(nobody), "{nobody}");
        }
    }
}

#[tokio::test]
async fn people_read_the_health_of_services_and_the_calls_of_the_last_hour() {
    let nation = called().await;
    let desk = desk_at(&nation.ministry).await;
    let (status, page) = desk.seen("G01", "/exchange/monitoring").await;
    assert_eq!(status, 200);
    for part in [
        "Sức khỏe của dịch vụ",
        &format!("/exchange/services/{LOOKUP}"),
        "G22/portal ← G01/population/person-lookup",
        "/exchange/evidence/",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !page.contains("citizen:") && !page.contains("Mẫu"),
        "rows name nobody"
    );
    let (_, page) = desk
        .seen("G01", "/exchange/monitoring?client=VN/GOV/G22/other")
        .await;
    assert!(page.contains("Giờ vừa qua không có lượt gọi nào như vậy."));
    let (status, page) = desk.seen("G01", "/exchange/monitoring?client=portal").await;
    assert!(status == 422 && page.contains("id=\"client-error\""), "{status}");
    let (_, page) = desk.seen("G15", "/exchange/monitoring").await;
    assert!(!page.contains(LOOKUP), "another tenant's");
    nation.advance_ms(3_600_000);
    let (_, page) = desk.seen("G01", "/exchange/monitoring").await;
    assert!(page.contains("Giờ vừa qua không có lượt gọi nào như vậy."));
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
    for role in [None, Some("citizen"), Some("chairman")] {
        let path = format!("http://{}/exchange/monitoring", desk.address);
        let mut request = web::http::Request::get(path).header("accept", "application/json");
        if let Some(role) = role {
            request = request.header("role", role);
        }
        let request = request.body(bytes::Bytes::new()).expect("a request");
        let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
        let status = answer.expect("an answer").status().as_u16();
        let refused: &[u16] = if role.is_some() { &[403] } else { &[401, 303] };
        assert!(refused.contains(&status), "{role:?}: {status}");
    }
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
