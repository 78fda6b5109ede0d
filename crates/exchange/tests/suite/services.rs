//! Whatever a service does, the consumer gets a signed answer in time; and services behind a URL.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use exchange::behind::Behind;
use exchange::{Ask, Service};
use kernel::Kind;
use kernel::limits::Limits;
use tokio::sync::watch;

use crate::nation::{LOOKUP, Nation, asking};

async fn refusal(nation: &Nation, body: &str) -> (u16, String) {
    let heard = nation.ask(body).await.expect("a signed answer");
    let problem = heard.json::<serde_json::Value>().expect_err("refused");
    assert_eq!(problem.code, "service-refused");
    let code = problem.args.iter().find(|(name, _)| *name == "code");
    (heard.status, code.expect("a code").1.clone())
}

#[tokio::test]
async fn whatever_a_service_does_its_answer_is_signed_and_kept_on_both_sides() {
    // Only what hangs is to run out of its time.
    let short = Limits {
        exchange_call_ms_max: 2_000,
        ..Limits::default()
    };
    let nation = Nation::of(Limits::default(), short).await;
    nation.agree(nation.agreement()).await;
    let cases = [
        (r#"{"do":"refuse"}"#, 404, "record-not-found"),
        (r#"{"do":"500"}"#, 500, "broken-inside"),
        (r#"{"do":"garbage"}"#, 502, "answer-bad"),
        (r#"{"do":"panic"}"#, 500, "internal"),
        ("no json", 400, "json-bad"),
        // It hangs: the provider gives up by itself, and its refusal arrives. That its time leaves room for both
        // gateways: see `offered_tls`.
        (r#"{"do":"hang"}"#, 504, "timeout"),
    ];
    for (body, status, code) in cases {
        let told = tokio::time::timeout(Duration::from_secs(12), refusal(&nation, body)).await;
        assert_eq!(told.expect("in time"), (status, code.to_owned()), "{body}");
    }
    for node in [&nation.national, &nation.ministry] {
        let records = node.evidence().await;
        assert_eq!(records.len(), cases.len());
        assert!(records.iter().all(|r| r.answer.is_some() && r.fault.is_empty()));
    }
    nation.ask("{}").await.expect("the node lives on");
}

#[tokio::test]
async fn a_service_that_is_not_offered_is_unknown() {
    let nation = Nation::new().await;
    let mut agreement = nation.agreement();
    agreement.service = "G01/population/other".parse().expect("an id");
    nation.agree(agreement.clone()).await;
    let ask = Ask {
        service: agreement.service,
        ..asking("{}")
    };
    let problem = nation.national.exchange.ask(ask).await.expect_err("refused");
    assert_eq!((problem.code, problem.kind), ("service-unknown", Kind::NotFound));
    assert_eq!(nation.ministry.faults().await, ["service-unknown"]);
}

/// A system behind the provider's gateway that tells which headers it got.
async fn behind() -> (String, watch::Sender<bool>) {
    let tell = |headers: HeaderMap, body: String| async move {
        let text = |name: &str| {
            headers
                .get(name)
                .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
        };
        let told = serde_json::json!({"record": {"full_name": "Mẫu", "residence": "14857"},
            "client": text("x-road-client"), "user": text("x-road-userid"), "issue": text("x-road-issue"),
            "key": text("idempotency-key"), "id": text("x-road-request-id"), "body": body});
        ([("content-type", "application/json")], told.to_string())
    };
    let router = Router::new().route("/lookup", post(tell));
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("http://{}/lookup", listener.local_addr());
    let (stop, shutdown) = watch::channel(false);
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    (url, stop)
}

#[tokio::test]
async fn a_system_behind_the_gateway_is_told_who_asks_for_whom_and_for_which_change() {
    let nation = Nation::new().await;
    let (url, stop) = behind().await;
    let offer = |url: String| {
        let service = Behind {
            id: LOOKUP.parse().expect("an id"),
            url,
            client: web::Client::plain(),
            call_ms_max: 10_000,
            answer_bytes_max: 100_000,
            endpoints: Vec::new(),
            openapi: None,
        };
        assert_eq!(service.id().to_string(), LOOKUP);
        nation.ministry.exchange.provide(Arc::new(service));
    };
    offer(url.clone());
    let ask = Ask {
        on_behalf: "citizen:mẫu-1".to_owned(),
        idempotency: Some("việc/1".to_owned()),
        ..asking(r#"{"who":"x"}"#)
    };
    let heard = nation.national.exchange.ask(ask).await.expect("an answer");
    let told: serde_json::Value = heard.json().expect("json");
    let expected = serde_json::json!({"record": {"full_name": "Mẫu"}, "client": "VN/GOV/G22/portal",
        "user": "citizen:mẫu-1", "issue": "G22-261121-0001", "key": "việc/1", "id": heard.request,
        "body": r#"{"who":"x"}"#});
    assert_eq!(told, expected, "and its record is cut like any other");
    // It is gone, or not there at all.
    offer(url.replace("/lookup", "/elsewhere"));
    assert_eq!(nation.ask("{}").await.expect("a signed answer").status, 404);
    stop.send_replace(true);
    offer("http://127.0.0.1:1/lookup".to_owned());
    let told = refusal(&nation, "{}").await;
    assert_eq!(told, (502, "service-unreachable".to_owned()));
}
