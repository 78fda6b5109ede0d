//! X-Road's REST message protocol end to end: what a program sends reaches the agency's system as it
//! was sent, and its answer comes back as it was given. Both are real HTTP servers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::behind::Behind;
use exchange::message::{AnswerHead, RequestHead};
use exchange::{Agreement, Endpoint, Method, Rest};
use kernel::limits::Limits;
use tokio::sync::watch;

use crate::face::{CLIENT, Face, Told, face};
use crate::nation::{LOOKUP, Nation};

/// What the agency's system saw last.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An agency's system behind the ministry's gateway, which answers what it got.
pub(crate) struct Agency {
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) url: String,
    _stop: watch::Sender<bool>,
}

impl Agency {
    pub(crate) fn last(&self) -> Seen {
        self.seen
            .lock()
            .expect("a lock")
            .last()
            .cloned()
            .expect("it was called")
    }

    pub(crate) fn calls(&self) -> usize {
        self.seen.lock().expect("a lock").len()
    }
}

/// A system that keeps what it sees, and answers with the body it got and headers of every kind.
async fn take(State(seen): State<Arc<Mutex<Vec<Seen>>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let target = parts.uri.path_and_query().map_or("", |p| p.as_str());
    seen.lock().expect("a lock").push(Seen {
        line: format!("{} {target}", parts.method),
        headers: parts
            .headers
            .iter()
            .map(|(n, v)| (n.to_string(), text(v)))
            .collect(),
        body: body.to_vec(),
    });
    if target.ends_with("/fails") {
        return (StatusCode::INTERNAL_SERVER_ERROR, "của riêng dịch vụ").into_response();
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8"),
        ("x-second", "2"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("location", "/elsewhere?x=%2F"),
        ("x-first", "1"),
        // What a service has no business to say.
        ("server", "behind/1.0"),
        ("x-road-id", "lie"),
        ("x-road-client", "lie"),
        ("x-road-request-hash", "lie"),
        ("x-road-error", "Server.ServerProxy.Lie"),
        ("sen-fault", "lie"),
    ] {
        headers.append(
            name.parse::<HeaderName>().expect("a name"),
            value.parse().expect("a value"),
        );
    }
    (StatusCode::CREATED, headers, body).into_response()
}

/// Puts an agency's system behind the service of the tests; the agreement has no fields, so that any
/// content passes.
fn paths(endpoints: &[&str]) -> Vec<Endpoint> {
    let endpoints = endpoints.iter();
    endpoints.map(|e| e.parse().expect("an endpoint")).collect()
}

/// A system behind the ministry's node, without an agreement about it.
pub(crate) async fn system(nation: &Nation, endpoints: &[&str], base: &str) -> Agency {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("http://{}{base}", listener.local_addr());
    let (stop, shutdown) = watch::channel(false);
    let router = Router::new().fallback(take).with_state(Arc::clone(&seen));
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    nation.ministry.exchange.provide(Arc::new(Behind {
        id: LOOKUP.parse().expect("an id"),
        url: url.clone(),
        client: web::Client::plain(),
        call_ms_max: 10_000,
        answer_bytes_max: 100_000,
        endpoints: paths(endpoints),
        openapi: None,
    }));
    Agency {
        seen,
        url,
        _stop: stop,
    }
}

pub(crate) async fn agency(nation: &Nation, endpoints: &[&str], base: &str) -> Agency {
    let agency = system(nation, endpoints, base).await;
    nation
        .agree(Agreement {
            fields: Vec::new(),
            endpoints: paths(endpoints),
            ..nation.agreement()
        })
        .await;
    agency
}

pub(crate) async fn nation() -> Nation {
    Nation::without_agreement(Limits::default()).await
}

impl Face {
    /// A call at X-Road's path of the service.
    pub(crate) async fn rest(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Told {
        let mut request = web::http::Request::builder()
            .method(method)
            .header(CLIENT.0, CLIENT.1);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, &format!("/r1/VN/GOV/{LOOKUP}{target}"), body)
            .await
    }
}

#[tokio::test]
async fn every_method_path_query_and_content_reaches_the_service_as_it_was_sent() {
    let nation = nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/base/").await);
    let target = "/a%2Fb//c;v=1/%C3%AA/?x=%20&y=/./z&&=";
    for method in [
        "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ] {
        let body = if matches!(method, "PATCH" | "POST" | "PUT") {
            "a;b\r\n\u{1}"
        } else {
            ""
        };
        let media = [("content-type", "text/csv; charset=utf-8")];
        let told = face.rest(method, target, &media, body).await;
        assert_eq!(told.status, 201, "{method}: {:?}", told.body);
        let seen = agency.last();
        assert_eq!(seen.line, format!("{method} /base{target}"));
        assert_eq!(seen.body, body.as_bytes());
        assert_eq!(seen.header("content-type"), Some(media[0].1));
        assert_eq!(told.body, if method == "HEAD" { "" } else { body });
        assert_eq!(told.headers["content-type"], media[0].1);
    }
    for (sent, got) in [
        ("", "/base/"),
        ("/", "/base/"),
        ("?x", "/base/?x"),
        ("/../base", ""),
    ] {
        let calls = agency.calls();
        let told = face.rest("GET", sent, &[], "").await;
        if got.is_empty() {
            assert_eq!(
                (told.status, agency.calls()),
                (400, calls),
                "it leads out of the service"
            );
        } else {
            assert_eq!(agency.last().line, format!("GET {got}"), "{sent}");
            assert_eq!(agency.last().header("content-type"), None);
        }
    }
}

#[tokio::test]
async fn headers_pass_in_order_both_ways_but_for_those_of_a_connection_and_of_the_gateways() {
    let nation = nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/").await);
    let told = face
        .rest(
            "GET",
            "",
            &[
                ("x-b", "2"),
                ("user-agent", "secret/1"),
                ("connection", "x-mine"),
                ("accept", "text/csv"),
                ("x-mine", "1"),
                ("te", "trailers"),
                ("keep-alive", "1"),
                ("proxy-authorization", "x"),
                ("authorization", "Bearer y"),
                ("x-a", "1"),
                ("x-b", "3"),
                ("x-road-request-id", "mine"),
                ("x-road-request-hash", "mine"),
                ("x-road-id", "việc/1"),
                ("x-road-userid", "VN001"),
                ("x-road-issue", "G22-261121-0001"),
                ("x-road-represented-party", "COM/0101"),
                ("x-road-security-server", "VN/GOV/G01/ministry"),
                ("idempotency-key", "k1"),
            ],
            "",
        )
        .await;
    assert_eq!(told.status, 201, "{:?}", told.body);
    let seen = agency.last();
    let passed: Vec<String> = seen
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "host" | "content-length" | "traceparent"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let request = told.headers["x-road-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    let expected = [
        "x-road-client: VN/GOV/G22/portal".to_owned(),
        "x-road-id: việc/1".to_owned(),
        "x-road-userid: VN001".to_owned(),
        "x-road-issue: G22-261121-0001".to_owned(),
        "x-road-represented-party: COM/0101".to_owned(),
        "x-road-security-server: VN/GOV/G01/ministry".to_owned(),
        format!("x-road-request-id: {request}"),
        "idempotency-key: k1".to_owned(),
        "x-b: 2".to_owned(),
        "x-b: 3".to_owned(),
        "accept: text/csv".to_owned(),
        "authorization: Bearer y".to_owned(),
        "x-a: 1".to_owned(),
    ];
    assert_eq!(passed, expected);
    let names: Vec<&str> = told.headers.keys().map(HeaderName::as_str).collect();
    let of_service: Vec<&str> = names.iter().copied().take(5).collect();
    assert_eq!(
        of_service,
        ["content-type", "x-second", "set-cookie", "location", "x-first"]
    );
    let cookies: Vec<_> = told.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    for lie in ["server", "x-road-error", "sen-fault"] {
        assert!(!names.contains(&lie), "{lie}");
    }
    assert!(told.headers.values().all(|v| v != "lie"));
}

#[tokio::test]
async fn one_trace_leads_over_both_nodes_to_the_service() {
    let nation = nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/").await);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ids = |header: &str| {
        let parts: Vec<&str> = header.split('-').collect();
        let ["00", trace, span, "01"] = parts[..] else {
            panic!("no traceparent: {header}");
        };
        (trace.to_owned(), span.to_owned())
    };
    for (sent, goes_on) in [
        (vec![("traceparent", parent), ("tracestate", "x=1")], true),
        (vec![("traceparent", "00-no"), ("tracestate", "x=1")], false),
        (Vec::new(), false),
    ] {
        let told = face.rest("GET", "", &sent, "").await;
        assert_eq!(told.status, 201, "{:?}", told.body);
        let seen = agency.last();
        let at_service = ids(seen.header("traceparent").expect("made when it is missing"));
        let mut spans = vec![ids(parent).1, at_service.1];
        for node in [&nation.national, &nation.ministry] {
            let record = node.evidence().await.pop().expect("a record");
            let head = RequestHead::parse(&record.request.head).expect("a head");
            let signed = ids(head.rest.headers.get("traceparent").expect("signed"));
            assert_eq!(signed.0, at_service.0, "one trace");
            spans.push(signed.1);
        }
        assert_eq!(at_service.0 == ids(parent).0, goes_on, "{sent:?}");
        assert_eq!(seen.header("tracestate"), goes_on.then_some("x=1"));
        // Both records are of the same signed head; caller, consumer's node and provider's each have a span.
        assert_eq!(spans[2], spans[3]);
        spans.dedup();
        assert_eq!(spans.len(), 3, "{spans:?}");
    }
}

#[tokio::test]
async fn an_answer_ends_with_the_message_and_the_tie_to_its_request() {
    let nation = nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/").await);
    for (method, body) in [("PUT", "{\"a\":1}"), ("GET", "")] {
        let told = face.rest(method, "/x", &[("x-road-id", "m-1")], body).await;
        let ours: Vec<&str> = told
            .headers
            .keys()
            .map(HeaderName::as_str)
            .filter(|n| n.starts_with("x-road-"))
            .collect();
        assert_eq!(
            ours,
            [
                "x-road-id",
                "x-road-client",
                "x-road-service",
                "x-road-request-id",
                "x-road-request-hash"
            ]
        );
        assert_eq!(told.headers["x-road-id"], "m-1");
        assert_eq!(told.headers["x-road-client"], "VN/GOV/G22/portal");
        assert_eq!(
            told.headers["x-road-service"],
            "VN/GOV/G01/population/person-lookup"
        );
        let records = nation.national.evidence().await;
        let record = records.last().expect("a record");
        let sha512 = |bytes: &[u8]| {
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes)
                .as_ref()
                .to_vec()
        };
        let mut tie = sha512(&record.request.head);
        if !body.is_empty() {
            tie = sha512(&[tie, sha512(body.as_bytes())].concat());
        }
        assert_eq!(told.headers["x-road-request-hash"], STANDARD.encode(tie));
        // Both sides signed the very same: method, path, query, headers, the caller's id.
        let head = RequestHead::parse(&record.request.head).expect("a head");
        assert_eq!(
            (head.rest.method.as_str(), head.rest.target.as_str()),
            (method, "/x")
        );
        let answer = AnswerHead::parse(&record.answer.as_ref().expect("one").head).expect("a head");
        assert_eq!((answer.id.as_deref(), answer.status), (Some("m-1"), 201));
        assert_eq!(answer.headers.get("x-first"), Some("1"));
        let theirs = nation.ministry.evidence().await;
        assert_eq!(theirs.last().expect("one").request.head, record.request.head);
    }
    let made = face.rest("GET", "", &[], "").await;
    let id = made.headers["x-road-id"].to_str().expect("text");
    let parts: Vec<usize> = id
        .strip_prefix("VN-")
        .expect("the instance")
        .split('-')
        .map(str::len)
        .collect();
    assert_eq!(
        (parts.as_slice(), id.as_bytes()[17]),
        ([8, 4, 4, 4, 12].as_slice(), b'7')
    );
    assert_eq!(agency.last().header("x-road-id"), Some(id));
}

#[tokio::test]
async fn a_service_within_the_platform_takes_post_at_its_own_path_and_nothing_else() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    for (method, target, status, code) in [
        ("GET", "", 405, "method"),
        ("HEAD", "", 405, ""),
        ("OPTIONS", "?x=1", 405, "method"),
        ("POST", "/below", 404, "service-path"),
        ("GET", "/below?x", 404, "service-path"),
        ("DELETE", "//", 404, "service-path"),
    ] {
        let told = face.rest(method, target, &[], "").await;
        assert_eq!(told.status, status, "{method} {target}");
        assert!(
            !told.headers.contains_key("x-road-error"),
            "it is an answer, signed and logged"
        );
        assert_eq!(told.headers.get("allow").is_some(), status == 405);
        if !code.is_empty() {
            assert_eq!(told.code(), code);
        }
    }
    assert_eq!(nation.effects(), 0);
    assert!(
        nation
            .ministry
            .evidence()
            .await
            .iter()
            .all(|r| r.answer.is_some())
    );
    for target in ["", "/", "?x=1"] {
        assert_eq!(face.rest("POST", target, &[], "{}").await.status, 200, "{target}");
    }
    assert_eq!(nation.effects(), 3);
}

#[tokio::test]
async fn an_agreement_with_endpoints_lets_no_other_call_through_however_its_path_is_written() {
    let nation = nation().await;
    let (face, agency) = (
        face(&nation).await,
        agency(&nation, &["GET /public/**", "POST /acts/{id}"], "/").await,
    );
    for (method, target) in [("GET", "/public/a/b?x=../y"), ("POST", "/acts/1")] {
        assert_eq!(face.rest(method, target, &[], "").await.status, 201, "{target}");
    }
    let calls = agency.calls();
    for (method, target) in [
        ("GET", "/secret"),
        ("DELETE", "/public/a"),
        ("GET", "/public/../secret"),
        ("GET", "/public/%2e%2e/secret"),
        ("GET", "/public/..%2Fsecret"),
        ("GET", "/public/%252e%252e%252fsecret"),
        ("GET", "/public/..%5csecret"),
        ("GET", "//secret"),
        ("GET", "/secret/../public/x"),
        ("POST", "/acts/1/../../secret"),
        ("POST", "/acts/1%2F..%2F..%2Fsecret"),
        ("POST", "/acts//1"),
        ("GET", ""),
    ] {
        let told = face.rest(method, target, &[], "").await;
        let code = told
            .headers
            .get("x-road-error")
            .map(|v| v.to_str().expect("text").to_owned());
        assert_eq!(
            (told.status, code.as_deref()),
            (500, Some("Server.ServerProxy.AccessDenied")),
            "{target}"
        );
    }
    for target in [
        "/public/../../secret",
        "/%2e%2e/secret",
        "/public/..%2f..%2fsecret",
    ] {
        let told = face.rest("GET", target, &[], "").await;
        assert_eq!(
            (told.status, &told.headers["x-road-error"]),
            (400, &"Client.BadRequest".parse().expect("text"))
        );
    }
    assert_eq!(agency.calls(), calls, "nothing of it reached the agency");
    // The provider's node looks for itself: a consumer's gateway of ill will gets no further.
    for (target, code) in [
        ("/public/../secret", "agreement-endpoint"),
        ("/../secret", "path-outside"),
    ] {
        let agreement = Agreement {
            fields: Vec::new(),
            endpoints: ["GET /public/**", "POST /acts/{id}"]
                .map(|e| e.parse().expect("one"))
                .to_vec(),
            ..nation.agreement()
        };
        let head = RequestHead {
            agreement: agreement.hash(),
            rest: Rest {
                method: Method::Get,
                target: target.to_owned(),
                ..Rest::default()
            },
            ..nation.head()
        };
        let sent = nation.sealed(&head, b"", &nation.hub, nation.national.now());
        assert_eq!(nation.told(&sent).await, code);
    }
    assert_eq!(agency.calls(), calls);
}
