//! The metadata services: what there is to be called, by whom, and in which words; signed and logged
//! like any call, under no agreement.

use std::sync::Arc;

use directory::snapshot::SystemEntry;
use exchange::behind::Behind;
use exchange::message::NO_AGREEMENT;
use exchange::{Agreement, Endpoint};
use kernel::Digest;
use serde_json::{Value, json};

use crate::face::{CLIENT, Face, Told, face};
use crate::nation::{LOOKUP, Nation};
use crate::rest::agency;

async fn get(face: &Face, path: &str, headers: &[(&str, &str)]) -> Told {
    let mut request = web::http::Request::get("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    face.send(request, path, "").await
}

const PORTAL: (&str, &str) = ("x-road-client", "VN/GOV/G22/portal");

fn body(told: &Told) -> Value {
    serde_json::from_slice(&told.body).expect("json")
}

fn message(told: &Told) -> String {
    assert!(told.headers.contains_key("x-road-error"));
    body(told)["message"].as_str().expect("a message").to_owned()
}

fn service(code: &str, kind: &str, endpoints: &Value) -> Value {
    json!({"object_type": "SERVICE", "xroad_instance": "VN", "member_class": "GOV", "member_code": "G01",
        "subsystem_code": "population", "service_code": code, "service_type": kind, "endpoint_list": endpoints})
}

/// Another service of the same system, behind the gateway, with a description.
fn described(nation: &Nation, url: &str) {
    let endpoints: Vec<Endpoint> = ["GET /acts/*", "* /open/**"]
        .map(|e| e.parse().expect("one"))
        .to_vec();
    nation.ministry.exchange.provide(Arc::new(Behind {
        id: "G01/population/acts".parse().expect("an id"),
        url: url.to_owned(),
        client: web::Client::plain(),
        call_ms_max: 10_000,
        answer_bytes_max: 100_000,
        endpoints,
        openapi: Some(format!("{url}openapi.yaml")),
    }));
}

#[tokio::test]
async fn a_system_lists_what_it_offers_and_what_of_it_the_caller_may_call() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    described(&nation, "http://127.0.0.1:1/");
    let system = "/r1/VN/GOV/G01/population";
    let acts = service(
        "acts",
        "OPENAPI",
        &json!([{"method": "GET", "path": "/acts/*"}, {"method": "*", "path": "/open/**"}]),
    );
    let lookup = service("person-lookup", "REST", &json!([{"method": "POST", "path": "/"}]));
    let all = get(&face, &format!("{system}/listMethods"), &[PORTAL]).await;
    assert_eq!(
        (all.status, &all.headers["content-type"]),
        (200, &"application/json".parse().expect("text"))
    );
    assert_eq!(body(&all), json!({"service": [acts, lookup]}));
    assert_eq!(all.headers["x-road-service"], "VN/GOV/G01/population/listMethods");
    let mine = get(&face, &format!("{system}/allowedMethods"), &[PORTAL]).await;
    assert_eq!(body(&mine), json!({"service": [lookup]}));
    let other = get(
        &face,
        &format!("{system}/allowedMethods"),
        &[("x-road-client", "VN/GOV/G22/other")],
    )
    .await;
    assert_eq!(
        body(&other),
        json!({"service": []}),
        "listed for nobody who has no agreement"
    );
    // Only the endpoints that are granted are allowed.
    nation
        .agree(Agreement {
            service: "G01/population/acts".parse().expect("an id"),
            endpoints: vec!["GET /acts/1*".parse().expect("one")],
            ..nation.agreement()
        })
        .await;
    let mine = get(&face, &format!("{system}/allowedMethods"), &[PORTAL]).await;
    let granted = service("acts", "OPENAPI", &json!([{"method": "GET", "path": "/acts/1*"}]));
    assert_eq!(body(&mine), json!({"service": [granted, lookup]}));
    let empty = get(&face, "/r1/VN/GOV/G15/civil-status/listMethods", &[PORTAL]).await;
    assert_eq!(body(&empty), json!({"service": []}));
    // Both nodes have signed evidence of each, under no agreement.
    for node in [&nation.national, &nation.ministry] {
        let records = node.evidence().await;
        assert_eq!(records.len(), 5);
        assert!(records.iter().all(|r| r.answer.is_some()));
        node.exchange.fold_evidence().await.expect("folded");
    }
    let request = all.headers["x-road-request-id"].to_str().expect("text");
    let found = nation.ministry.exchange.find(request).await.expect("reads");
    assert_eq!(found[0].service, "G01/population/listMethods");
    assert_eq!(found[0].agreement, NO_AGREEMENT.hex());
    // Only GET, and only with a client of this node.
    let post = web::http::Request::post("/").header(CLIENT.0, CLIENT.1);
    let told = face.send(post, &format!("{system}/listMethods"), "").await;
    assert_eq!(
        (told.status, &told.headers["allow"]),
        (405, &"GET".parse().expect("text"))
    );
    let nobody = get(&face, &format!("{system}/listMethods"), &[]).await;
    assert_eq!(nobody.headers["x-road-error"], "Client.InvalidClientIdentifier");
    assert_eq!(nation.effects(), 0);
}

#[tokio::test]
async fn a_description_is_the_providers_own_text_and_a_service_without_one_says_so_in_x_roads_words() {
    let nation = crate::rest::nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/").await);
    let ask = |code: &str| format!("/r1/VN/GOV/G01/population/getOpenAPI{code}");
    let plain = get(&face, &ask("?serviceCode=person-lookup"), &[PORTAL]).await;
    assert_eq!(
        (plain.status, message(&plain).as_str()),
        (500, "Invalid service type: REST")
    );
    assert_eq!(
        plain.headers["x-road-error"],
        "Server.ServerProxy.InvalidServiceType"
    );
    described(&nation, "http://127.0.0.1:1/");
    let gone = get(&face, &ask("?serviceCode=acts"), &[PORTAL]).await;
    let words = message(&gone);
    assert!(
        words.starts_with("Failed reading service description from "),
        "{words}"
    );
    for (query, code) in [
        ("", "Client.BadRequest"),
        ("?serviceCode=other", "Server.ServerProxy.UnknownService"),
        ("?serviceCode=%2e%2e", "Server.ServerProxy.UnknownService"),
        ("?serviceCode=listMethods", "Server.ServerProxy.UnknownService"),
    ] {
        let told = get(&face, &ask(query), &[PORTAL]).await;
        assert_eq!(told.headers["x-road-error"], code, "{query}");
    }
    // The agency's system answers 201 to everything, which is no description either.
    described(&nation, &agency.url);
    assert!(message(&get(&face, &ask("?serviceCode=acts"), &[PORTAL]).await).starts_with("Failed reading"));
    let url = text_server("openapi: 3.0.3\ninfo: {title: Tra cứu}\n").await;
    described(&nation, &url);
    let told = get(&face, &ask("?serviceCode=acts"), &[PORTAL]).await;
    assert_eq!(
        (told.status, &told.headers["content-type"]),
        (200, &"application/yaml".parse().expect("text"))
    );
    assert_eq!(told.body, "openapi: 3.0.3\ninfo: {title: Tra cứu}\n");
}

/// A server of one text, for as long as the test runs.
async fn text_server(text: &'static str) -> String {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("http://{}/", listener.local_addr());
    let router =
        axum::Router::new().fallback(move || async move { ([("content-type", "application/yaml")], text) });
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let limits = kernel::limits::Limits::default();
        web::serve(listener, None, router, &limits, shutdown).await;
        drop(stop);
    });
    url
}

#[tokio::test]
async fn no_agreement_is_about_a_metadata_service_and_none_opens_another_service() {
    let nation = Nation::new().await;
    let signed = nation.signed(Agreement {
        service: "G01/population/listMethods".parse().expect("an id"),
        ..nation.agreement()
    });
    let refused = nation
        .national
        .exchange
        .agreements()
        .adopt(signed)
        .await
        .expect_err("refused");
    assert_eq!(refused.code, "agreement-service");
    // The hash of no agreement is the key to metadata services only, and they take no other.
    for (path, agreement, code) in [
        (LOOKUP, NO_AGREEMENT, "agreement-missing"),
        (
            "G01/population/listMethods",
            nation.agreement().hash(),
            "head-bad",
        ),
        ("G01/population/listMethods", Digest::of(b"x"), "head-bad"),
    ] {
        let head = exchange::message::RequestHead {
            service: path.parse().expect("an id"),
            agreement,
            ..nation.head()
        };
        let sent = nation.sealed(&head, b"", &nation.hub, nation.national.now());
        assert_eq!(nation.told(&sent).await, code, "{path}");
    }
}

#[tokio::test]
async fn everybody_may_know_who_takes_part() {
    let mut nation = Nation::new().await;
    nation
        .publish(|s| {
            s.systems.push(SystemEntry {
                org: "G01".parse().expect("a code"),
                code: "population".to_owned(),
                name: "Dân cư & <hộ tịch>".to_owned(),
            });
        })
        .await;
    let face = face(&nation).await;
    let json = get(
        &face,
        "/listClients?xRoadInstance=VN",
        &[("accept", "application/json")],
    )
    .await;
    assert_eq!(
        (json.status, &json.headers["content-type"]),
        (200, &"application/json;charset=utf-8".parse().expect("text"))
    );
    let members = body(&json);
    let members = members["member"].as_array().expect("members");
    let of = |org: &str| json!({"object_type": "MEMBER", "xroad_instance": "VN", "member_class": "GOV", "member_code": org});
    assert_eq!((members.len(), &members[0]["id"]), (4, &of("G22")));
    let system = json!({"id": {"object_type": "SUBSYSTEM", "xroad_instance": "VN", "member_class": "GOV",
        "member_code": "G01", "subsystem_code": "population"}, "name": "G01", "subsystem_name": "Dân cư & <hộ tịch>"});
    assert!(members.contains(&system), "{members:?}");
    let xml = get(&face, "/listClients", &[]).await;
    assert_eq!(xml.headers["content-type"], "text/xml;charset=utf-8");
    let text = std::str::from_utf8(&xml.body).expect("text");
    assert_eq!(text.matches("<xrd:member>").count(), 4);
    assert!(
        text.contains("<xrd:subsystemName>Dân cư &amp; &lt;hộ tịch&gt;</xrd:subsystemName>"),
        "{text}"
    );
    let other = get(&face, "/listClients?xRoadInstance=EE", &[]).await;
    assert_eq!(
        (other.status, &other.headers["x-road-error"]),
        (500, &"Server.ClientProxy.UnknownMember".parse().expect("text"))
    );
}
