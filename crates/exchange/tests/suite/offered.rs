//! Services that an operator registers: they answer at once, are refused with the operator's words, tell
//! of their future, and follow their OpenAPI document only as far as an operator has seen it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use exchange::agreement::Agreement;
use exchange::offered::{Setup, Verb};
use exchange::{ServiceId, SystemId};
use kernel::limits::Limits;
use kernel::{Actor, Time};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::face::{CLIENT, Face, Told, face};
use crate::life::{carry, nation};
use crate::nation::{LOOKUP, Nation, PORTAL};

pub(crate) const PERSONS: &str = "G01/population/persons";

pub(crate) fn persons() -> ServiceId {
    PERSONS.parse().expect("a service")
}

pub(crate) fn operator() -> Actor {
    Actor::Official("o1".to_owned())
}

/// A system behind the ministry's gateway: tells what it was asked, and describes itself.
pub(crate) struct System {
    pub(crate) url: String,
    pub(crate) document: Arc<Mutex<String>>,
    stop: watch::Sender<bool>,
}

impl System {
    pub(crate) async fn start(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let document = Arc::new(Mutex::new(described(&["/persons/{id}"])));
        let tell = |uri: Uri, peer: axum::Extension<web::Peer>, headers: HeaderMap| async move {
            let client = headers.get("x-road-client").and_then(|v| v.to_str().ok());
            let told = json!({"path": uri.path(), "client": client, "shown": peer.certificate.is_some()});
            ([("content-type", "application/json")], told.to_string())
        };
        let describe = |State(document): State<Arc<Mutex<String>>>| async move {
            let text = document.lock().expect("a lock").clone();
            ([("content-type", "application/json")], text)
        };
        let router = Router::new()
            .route("/openapi.json", get(describe))
            .fallback(tell)
            .with_state(Arc::clone(&document));
        let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr());
        let (stop, shutdown) = watch::channel(false);
        tokio::spawn(async move { web::serve(listener, tls, router, &Limits::default(), shutdown).await });
        Self { url, document, stop }
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup {
            url: self.url.clone(),
            timeout_ms: 10_000,
            openapi: String::new(),
            endpoints: Vec::new(),
            wsdl: None,
            roots: String::new(),
            shows_node: false,
            publishes_for: None,
            weight: 1,
            others: Vec::new(),
            health: String::new(),
            health_every_s: 30,
        }
    }

    pub(crate) fn with_document(&self) -> Setup {
        Setup {
            openapi: format!("{}/openapi.json", self.url),
            ..self.setup()
        }
    }

    pub(crate) fn describe(&self, text: String) {
        *self.document.lock().expect("a lock") = text;
    }

    pub(crate) fn end(&self) {
        self.stop.send_replace(true);
    }
}

/// An OpenAPI document with a GET at each path.
pub(crate) fn described(paths: &[&str]) -> String {
    let items: serde_json::Map<String, Value> = paths
        .iter()
        .map(|path| ((*path).to_owned(), json!({"get": {"responses": {}}})))
        .collect();
    json!({"openapi": "3.1.0", "info": {"title": "Mẫu", "version": "1"}, "paths": items}).to_string()
}

/// An agreement for the portal about the service of these tests.
pub(crate) async fn agree(nation: &Nation) {
    let agreement = Agreement {
        service: persons(),
        fields: Vec::new(),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
}

impl Face {
    /// A call of the service of these tests, in X-Road's form or in ours.
    pub(crate) async fn persons(&self, before: &str, behind: &str) -> Told {
        let request = web::http::Request::get("/").header(CLIENT.0, CLIENT.1);
        self.send(request, &format!("{before}{PERSONS}{behind}"), "")
            .await
    }
}

const X_ROAD: &str = "/r1/VN/GOV/";
const NATIVE: &str = "/exchange/v1/call/";

async fn register(nation: &Nation, setup: Setup) -> Result<(), Vec<(String, &'static str)>> {
    let done = nation
        .ministry
        .exchange
        .register_service(persons(), setup, &operator())
        .await;
    done.map(drop).map_err(|faults| {
        let faults = faults.into_iter();
        faults.map(|p| (p.field.unwrap_or_default(), p.code)).collect()
    })
}

async fn stand(nation: &Nation, verb: Verb) -> Result<(), &'static str> {
    let done = nation
        .ministry
        .exchange
        .stand_service(&persons(), &verb, &operator())
        .await;
    done.map_err(|p| p.code)
}

/// The kinds of the facts of the service.
async fn facts(nation: &Nation) -> Vec<String> {
    let subject = format!("service/{PERSONS}");
    let tenant = "G01".parse().expect("a code");
    let facts = nation
        .ministry
        .temp
        .store
        .facts_of(&tenant, &subject)
        .await
        .expect("reads");
    let facts = facts.into_iter().map(|record| {
        assert_eq!(record.actor, operator());
        let json = serde_json::to_value(&record.fact).expect("json");
        json["fact"].as_str().unwrap_or_default().to_owned()
    });
    facts.collect()
}

#[tokio::test]
async fn a_registered_service_answers_at_once_after_a_restart_and_no_more_when_it_is_taken_off() {
    let mut nation = nation().await;
    let system = System::start(None).await;
    agree(&nation).await;
    let face = face(&nation).await;
    let told = face.persons(NATIVE, "/persons/1").await;
    assert_eq!((told.status, told.code().as_str()), (404, "service-unknown"));
    register(&nation, system.setup()).await.expect("registered");
    let told = face.persons(X_ROAD, "/persons/1").await;
    assert_eq!(told.status, 200, "{:?}", told.body);
    let body: Value = serde_json::from_slice(&told.body).expect("json");
    assert_eq!(
        body,
        json!({"path": "/persons/1", "client": format!("VN/GOV/{PORTAL}"), "shown": false})
    );
    nation.restart_ministry().await;
    assert_eq!(face.persons(X_ROAD, "/persons/2").await.status, 200);
    assert_eq!(stand(&nation, Verb::Remove).await, Err("service-enabled"));
    let notice = "Đã chuyển".to_owned();
    stand(&nation, Verb::Disable { notice }).await.expect("disabled");
    stand(&nation, Verb::Remove).await.expect("gone");
    assert_eq!(face.persons(NATIVE, "").await.code(), "service-unknown");
    assert_eq!(stand(&nation, Verb::Enable).await, Err("not-found"));
    nation.restart_ministry().await;
    assert_eq!(face.persons(NATIVE, "").await.code(), "service-unknown");
    // The name is free again, and what happened under it stays told.
    register(&nation, system.setup()).await.expect("registered again");
    let all = ["registered", "disabled", "removed", "registered"].map(|f| format!("service-{f}"));
    assert_eq!(facts(&nation).await, all);
}

#[tokio::test]
async fn a_disabled_service_is_refused_with_its_operators_words_in_every_form() {
    let nation = nation().await;
    let system = System::start(None).await;
    agree(&nation).await;
    register(&nation, system.setup()).await.expect("registered");
    let face = face(&nation).await;
    let notice = "Đang sửa lỗi dữ liệu; dùng lại từ 15 giờ.".to_owned();
    stand(
        &nation,
        Verb::Disable {
            notice: notice.clone(),
        },
    )
    .await
    .expect("disabled");
    let told = face.persons(NATIVE, "/persons/1").await;
    assert_eq!((told.status, told.code().as_str()), (503, "service-disabled"));
    let body: Value = serde_json::from_slice(&told.body).expect("json");
    assert_eq!(
        (&body["detail"], &body["args"]["service"]),
        (&notice.clone().into(), &PERSONS.into())
    );
    let title = body["title"].as_str().expect("words");
    assert!(title.contains(PERSONS) && title.contains(&notice), "{title}");
    let told = face.persons(X_ROAD, "/persons/1").await;
    assert_eq!(told.status, 500);
    assert_eq!(told.headers["x-road-error"], "Server.ServerProxy.ServiceDisabled");
    let body: Value = serde_json::from_slice(&told.body).expect("json");
    let message = body["message"].as_str().expect("words");
    assert!(
        message.contains(&notice) && message.contains(PERSONS),
        "{message}"
    );
    // The refusal is an answer: signed, and in the evidence of both sides.
    for node in [&nation.national, &nation.ministry] {
        let records = node.evidence().await;
        assert_eq!(records.len(), 2);
        assert!(records.iter().all(|r| r.answer.is_some()));
    }
    stand(&nation, Verb::Enable).await.expect("enabled");
    assert_eq!(face.persons(X_ROAD, "/persons/1").await.status, 200);
    assert_eq!(stand(&nation, Verb::Enable).await, Err("service-stands-so"));
}

#[tokio::test]
async fn callers_are_told_of_a_stop_and_a_sunset_before_they_come() {
    let nation = nation().await;
    let system = System::start(None).await;
    agree(&nation).await;
    register(&nation, system.setup()).await.expect("registered");
    let face = face(&nation).await;
    let day = |text: &str| Time::at(kernel::time::parse_iso(text).expect("a day"), 0);
    // It is Saturday, 21/11/2026, and 24/11 is a holiday: seven working days end on Wednesday, 2/12.
    let announce = |from: &str| Verb::AnnounceStop {
        from: day(from).ms(),
        to: Some(day("2026-12-05").ms()),
        reason: "Nâng cấp hệ thống".to_owned(),
    };
    assert_eq!(
        stand(&nation, announce("2026-12-02")).await,
        Err("service-stop-soon")
    );
    stand(&nation, announce("2026-12-03")).await.expect("announced");
    let sunset = day("2027-01-01");
    stand(
        &nation,
        Verb::Sunset {
            at: Some(sunset.ms()),
        },
    )
    .await
    .expect("set");
    let told = face.persons(X_ROAD, "/").await;
    assert_eq!(told.headers["sunset"], "Thu, 31 Dec 2026 17:00:00 GMT");
    let planned = told.headers["sen-planned-stop"].to_str().expect("text");
    assert_eq!(
        planned,
        format!("{}/{}", day("2026-12-03").rfc3339(), day("2026-12-05").rfc3339())
    );
    let entry = nation
        .ministry
        .exchange
        .registered_service(&persons())
        .await
        .expect("there");
    assert!(
        entry
            .stands
            .refusal(&entry.id, day("2026-12-03").plus_ms(-1))
            .is_none()
    );
    let refused = entry
        .stands
        .refusal(&entry.id, day("2026-12-03"))
        .expect("stopped");
    assert_eq!(refused.args[1], ("notice", "Nâng cấp hệ thống".to_owned()));
    stand(&nation, Verb::LiftStop).await.expect("lifted");
    assert!(
        !face
            .persons(X_ROAD, "/")
            .await
            .headers
            .contains_key("sen-planned-stop")
    );
}

#[tokio::test]
async fn a_document_in_yaml_is_read_compared_and_given_to_callers_as_it_is() {
    let nation = nation().await;
    let system = System::start(None).await;
    let yaml = "openapi: 3.0.3\npaths:\n  /persons/{id}:\n    get: {responses: {}}\n";
    system.describe(yaml.to_owned());
    register(&nation, system.with_document())
        .await
        .expect("registered");
    let x = &nation.ministry.exchange;
    let entry = x.registered_service(&persons()).await.expect("there");
    assert_eq!(entry.setup.endpoints[0].to_string(), "GET /persons/{id}");
    system.describe(format!("{yaml}    delete: {{}}\n"));
    let difference = x.compare_service(&persons(), None).await.expect("reads");
    assert_eq!(difference.added, ["DELETE /persons/{id}"]);
    system.describe(format!("{yaml}  /persons/{{id}}: [\n"));
    let refused = x.compare_service(&persons(), None).await.expect_err("two keys");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("service-openapi-yaml", Some("openapi"))
    );
    assert!(
        refused.args.contains(&("line", "5".to_owned())),
        "{:?}",
        refused.args
    );
}

#[tokio::test]
async fn endpoints_come_from_the_document_and_change_only_as_an_operator_saw_it() {
    let nation = nation().await;
    let system = System::start(None).await;
    register(&nation, system.with_document())
        .await
        .expect("registered");
    let x = &nation.ministry.exchange;
    let listed = async || {
        let entry = x.registered_service(&persons()).await.expect("there");
        let all = entry.setup.endpoints.iter().map(ToString::to_string);
        all.collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["GET /persons/{id}"]);
    assert!(
        x.compare_service(&persons(), None)
            .await
            .expect("reads")
            .is_empty()
    );
    system.describe(described(&["/households/{id}"]));
    let first = x.compare_service(&persons(), None).await.expect("reads");
    assert_eq!((first.added.len(), first.removed.len()), (1, 1));
    // Between the look and the word it changed again: nothing unseen is taken over.
    system.describe(described(&["/households/{id}", "/secret"]));
    let stale = x
        .accept_endpoints(&persons(), (&first.seen, None), &operator())
        .await;
    assert_eq!(stale.expect_err("refused").code, "stale");
    assert_eq!(listed().await, ["GET /persons/{id}"]);
    let now = x.compare_service(&persons(), None).await.expect("reads");
    x.accept_endpoints(&persons(), (&now.seen, None), &operator())
        .await
        .expect("taken over");
    assert_eq!(listed().await, ["GET /households/{id}", "GET /secret"]);
    let all = ["service-registered", "service-changed"];
    assert_eq!(facts(&nation).await, all);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_refused_at_its_field_and_nothing_is_registered() {
    let nation = nation().await;
    let system = System::start(None).await;
    let cyclic = json!({"openapi": "3.0.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}).to_string();
    for (text, code) in [
        ("{".repeat(10_000), "service-openapi-json"),
        ("openapi: 3.0.0".to_owned(), "service-openapi-version"),
        ("openapi: 3.0.0\npaths: [".to_owned(), "service-openapi-yaml"),
        (json!({"swagger": "2.0"}).to_string(), "service-openapi-version"),
        (described(&["/a/**"]), "service-openapi-path"),
        (cyclic, "service-openapi-reference"),
        (" ".repeat(3 << 20), "service-openapi-large"),
    ] {
        system.describe(text);
        let refused = register(&nation, system.with_document()).await.expect_err(code);
        assert_eq!(refused, [("openapi".to_owned(), code)]);
    }
    let setup = system.with_document();
    system.end();
    let elsewhere = Setup {
        openapi: "http://127.0.0.1:1/openapi.json".to_owned(),
        ..setup
    };
    let refused = register(&nation, elsewhere).await.expect_err("nobody there");
    assert_eq!(refused, [("openapi".to_owned(), "service-openapi-unreachable")]);
    assert_eq!(
        nation
            .ministry
            .exchange
            .registered_services()
            .await
            .expect("reads"),
        []
    );
    assert_eq!(facts(&nation).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_one_of_this_node_and_free() {
    let nation = nation().await;
    let system = System::start(None).await;
    let x = &nation.ministry.exchange;
    let refused = async |name: &str| {
        let id = name.parse().expect("a name");
        let faults = x
            .register_service(id, system.setup(), &operator())
            .await
            .expect_err(name);
        (faults[0].code, faults[0].field.clone().unwrap_or_default())
    };
    let at = "service".to_owned();
    assert_eq!(
        refused(LOOKUP).await,
        ("service-taken", at.clone()),
        "a service of the platform"
    );
    assert_eq!(
        refused("G22/portal/persons").await,
        ("service-elsewhere", at.clone())
    );
    assert_eq!(
        refused("G01/population/listMethods").await,
        ("service-reserved", at.clone())
    );
    register(&nation, system.setup()).await.expect("registered");
    assert_eq!(refused(PERSONS).await, ("service-taken", at));
    // Both faults are told at once.
    let bad = Setup {
        timeout_ms: 0,
        url: "ftp://x/".to_owned(),
        ..system.setup()
    };
    let faults = register(&nation, bad).await.expect_err("refused");
    let fields: Vec<_> = faults.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["service", "url", "timeout_ms"]);
    let provider: SystemId = "G01/population".parse().expect("a system");
    assert_eq!(persons().provider(), provider);
}

#[tokio::test]
async fn a_field_that_the_document_does_not_describe_is_refused_with_its_name_and_place() {
    let nation = nation().await;
    let system = System::start(None).await;
    let record = json!({"type": "object", "properties": {"full_name": {"type": "string"}}});
    let schema = json!({"type": "object", "properties": {"record": record}});
    let answer = json!({"200": {"content": {"application/json": {"schema": schema}}}});
    let document = json!({"openapi": "3.1.0", "paths": {"/persons/{id}": {"get": {"responses": answer}}}});
    system.describe(document.to_string());
    register(&nation, system.with_document())
        .await
        .expect("registered");
    let asked = |fields: &[&str]| Agreement {
        service: persons(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..nation.agreement()
    };
    // The consumer's node does not have the document: the provider's looks.
    let request = nation
        .national
        .exchange
        .request_agreement(asked(&["full_name", "salary"]), &operator())
        .await
        .expect("asked");
    crate::life::carry(&nation.national).await;
    let offer = async |fields: &[&str]| {
        let (text, who) = (asked(fields), operator());
        let exchange = &nation.ministry.exchange;
        exchange.offer_agreement(&request, text, &who).await
    };
    let refused = offer(&["full_name", "salary"]).await.expect_err("refused");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("agreement-field-unknown", Some("fields"))
    );
    let told: Vec<&str> = refused.args.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(told, ["salary", "GET /persons/{id} 200 record"]);
    offer(&["full_name"]).await.expect("offered");
    system.describe("{".to_owned());
    let unreadable = offer(&["full_name"]).await.expect_err("refused");
    assert_eq!(unreadable.field.as_deref(), Some("fields"));
}

#[tokio::test]
async fn who_agrees_on_a_service_after_its_stop_was_announced_is_told_of_it_too() {
    let nation = nation().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let system = System::start(None).await;
    register(&nation, system.setup()).await.expect("registered");
    let from = Time::at(kernel::time::parse_iso("2026-12-03").expect("a day"), 0);
    let announce = Verb::AnnounceStop {
        from: from.ms(),
        to: None,
        reason: "Nâng cấp hệ thống".to_owned(),
    };
    stand(&nation, announce).await.expect("announced");
    let text = Agreement {
        service: persons(),
        fields: Vec::new(),
        ..nation.agreement()
    };
    let by = operator();
    let asked = national.exchange.request_agreement(text.clone(), &by).await;
    let request = asked.expect("asked");
    carry(national).await;
    let offered = ministry.exchange.offer_agreement(&request, text, &by).await;
    let hash = offered.expect("offered");
    carry(ministry).await;
    let heard = async || national.exchange.service_notices().await.expect("reads");
    assert!(heard().await.is_empty(), "nothing is agreed yet");
    let accepted = national.exchange.accept_agreement(&request, &hash, &by).await;
    accepted.expect("accepted");
    carry(national).await;
    carry(ministry).await;
    let notices = heard().await;
    assert_eq!((notices.len(), &notices[0].service), (1, &persons()));
    assert_eq!(notices[0].told.stop.as_ref().map(|stop| stop.from), Some(from));
}

#[tokio::test]
async fn a_service_is_called_at_its_addresses_by_their_weights_and_not_where_its_health_fails() {
    let nation = nation().await;
    let (first, second) = (System::start(None).await, System::start(None).await);
    first.describe("first".to_owned());
    second.describe("second".to_owned());
    let setup = Setup {
        weight: 3,
        others: vec![exchange::offered::Way {
            url: second.url.clone(),
            weight: 1,
        }],
        health: "/health".to_owned(),
        health_every_s: 5,
        ..first.setup()
    };
    register(&nation, setup).await.expect("registered");
    agree(&nation).await;
    let face = face(&nation).await;
    // What a system says of itself tells which one was called.
    let called = async |times: usize| -> (usize, usize) {
        let mut firsts = 0;
        for _ in 0..times {
            let told = face.persons(NATIVE, "/openapi.json").await;
            assert_eq!(told.status, 200);
            firsts += usize::from(&told.body[..] == b"first");
        }
        (firsts, times - firsts)
    };
    assert_eq!(called(8).await, (6, 2), "three to one");
    let exchange = &nation.ministry.exchange;
    exchange.check_health().await;
    let seen = exchange.ways_of(&persons());
    assert!(
        seen.iter()
            .all(|way| way.checked.is_some_and(|c| c.status == Some(200))),
        "{seen:?}"
    );
    let clock = &nation.ministry.temp.clock;
    let last = |seen: &[exchange::offered::WaySeen]| seen[0].checked.map(|checked| checked.at);
    clock.advance_ms(4_999);
    exchange.check_health().await;
    assert_eq!(last(&exchange.ways_of(&persons())), last(&seen), "it is not due");
    first.end();
    // A connection that is kept open may be answered once more.
    for _ in 0..400 {
        clock.advance_ms(5_000);
        exchange.check_health().await;
        if exchange.ways_of(&persons())[0].rests {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let seen = exchange.ways_of(&persons());
    assert!(seen[0].rests && !seen[1].rests, "{seen:?}");
    assert_eq!(called(8).await, (0, 8), "all at the one that works");
}
