//! X-Road's errors at the information-system face: which code, which status, in which syntax; and
//! what may not be sent.

use exchange::CodeStyle;
use serde_json::Value;

use crate::face::{CLIENT, Told, face, face_with};
use crate::life::carry;
use crate::nation::{LOOKUP, Nation};
use crate::rest::{agency, nation};

impl Told {
    /// X-Road's code of an error, which header and body say alike.
    fn x_road(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/json;charset=utf-8");
        let body: Value = serde_json::from_slice(&self.body).expect("json");
        let code = body["type"].as_str().expect("a code").to_owned();
        assert_eq!(self.headers["x-road-error"], code.as_str());
        assert_eq!(self.status, if code.starts_with("Server.") { 500 } else { 400 });
        assert!(!body["message"].as_str().expect("a message").is_empty());
        let detail = body["detail"].as_str().expect("an id");
        assert_eq!((detail.len(), detail.as_bytes()[14]), (36, b'7'), "{detail}");
        code
    }
}

#[tokio::test]
async fn what_does_not_follow_the_protocol_is_refused_with_x_roads_code() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let (long, longest) = ("a".repeat(256), "a".repeat(2_000));
    let bad = "Client.BadRequest";
    let client = "Client.InvalidClientIdentifier";
    let member = "Server.ClientProxy.UnknownMember";
    let service = "/r1/VN/GOV/G01/population/person-lookup";
    let good = ("x-road-client", "VN/GOV/G22/portal");
    let paths = [
        (
            "/r2/VN/GOV/G01/population/person-lookup".to_owned(),
            "Client.InvalidProtocolVersion",
        ),
        ("/r1/VN/GOV/G01/population".to_owned(), bad),
        ("/r1/VN/GOV/G01//person-lookup".to_owned(), bad),
        ("/r1/VN/GOV/G01/popu%2Flation/person-lookup".to_owned(), bad),
        ("/r1/VN/GOV/G01/d%C3%A2n/person-lookup".to_owned(), bad),
        ("/r1/VN/GOV/G01/dân/person-lookup".to_owned(), bad),
        ("/r1/VN/GOV/G01/popu%00lation/person-lookup".to_owned(), bad),
        ("/r1/VN/GOV/G01/population%/person-lookup".to_owned(), bad),
        (format!("/r1/VN/GOV/G01/population/{long}"), bad),
        // The bound itself: one more cannot be read, this much can be and names nothing.
        (format!("/r1/VN/GOV/G01/population/{}", "a".repeat(255)), bad),
        (
            format!("/r1/VN/GOV/G01/population/{}", "a".repeat(254)),
            "Server.ServerProxy.UnknownService",
        ),
        (format!("/r1/VN/GOV/{}/population/x", "A".repeat(254)), member),
        ("/r1/VN/GOV/G01%2Fx/population/person-lookup".to_owned(), bad),
        (format!("/r1/VN/GOV/{longest}/population/x"), bad),
        ("/r1/EE/GOV/G01/population/person-lookup".to_owned(), member),
        ("/r1/VN/GOV/G99/population/person-lookup".to_owned(), member),
        (
            "/r1/VN/GOV/G01/population/nothing".to_owned(),
            "Server.ServerProxy.AccessDenied",
        ),
        (
            "/r1/VN/GOV/G01/population/Not-A-Code".to_owned(),
            "Server.ServerProxy.UnknownService",
        ),
    ];
    for (path, code) in &paths {
        let request = web::http::Request::post("/").header(good.0, good.1);
        let told = face.send(request, path, "{}").await;
        assert_eq!(told.x_road(), *code, "{path}");
    }
    let long_id = "i".repeat(256);
    let server = "VN/GOV/G01/ministry";
    let encoded = "VN/GOV/G22%2Fx/portal";
    let long_member = format!("VN/GOV/{long}/portal");
    let headers: [(&[(&str, &str)], &str); 25] = [
        (&[], client),
        (&[("x-road-client", "VN/GOV/G22")], client),
        (&[("x-road-client", "VN/GOV/G22/portal/x")], client),
        (&[("x-road-client", "VN/GOV/G22/por%2Ftal")], client),
        (&[("x-road-client", "EE/GOV/G22/portal")], client),
        (&[("x-road-client", "VN/GOV/G22/cổng")], client),
        (&[("x-road-client", "")], client),
        (&[("x-road-client", "VN/GOV/G01/population")], member),
        (
            &[("x-road-client", "VN/GOV/G22/other")],
            "Server.ServerProxy.AccessDenied",
        ),
        // Of several the last one counts.
        (
            &[good, ("x-road-client", "VN/GOV/G22/other")],
            "Server.ServerProxy.AccessDenied",
        ),
        (
            &[good, ("x-road-security-server", "VN/GOV/G01")],
            "Server.ClientProxy.InvalidSecurityServer",
        ),
        (
            &[good, ("x-road-security-server", "VN/GOV/G01/ministry/x")],
            "Server.ClientProxy.InvalidSecurityServer",
        ),
        (
            &[good, ("x-road-security-server", "VN/GOV/G01/national")],
            "Server.ClientProxy.InvalidSecurityServer",
        ),
        (&[good, ("x-road-represented-party", "a/b/c")], bad),
        (&[good, ("x-road-userid", "a"), ("x-road-userid", "b")], bad),
        (&[good, ("x-road-issue", "a"), ("x-road-issue", "a")], bad),
        (&[good, ("x-road-id", "a"), ("x-road-id", "b")], bad),
        (
            &[
                good,
                ("x-road-represented-party", "COM/1"),
                ("x-road-represented-party", "COM/1"),
            ],
            bad,
        ),
        (
            &[
                good,
                ("x-road-security-server", server),
                ("x-road-security-server", server),
            ],
            bad,
        ),
        (&[good, ("idempotency-key", "a"), ("idempotency-key", "b")], bad),
        (&[("x-road-client", encoded)], client),
        (&[("x-road-client", &long_member)], client),
        (&[("x-road-client", "VN/GOV/%C4%90/portal")], client),
        (&[good, ("x-road-id", &long_id)], bad),
        (
            &[good, ("content-type", "text/csv"), ("content-type", "text/xml")],
            bad,
        ),
    ];
    for (headers, code) in headers {
        let mut request = web::http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let told = face.send(request, service, "{}").await;
        assert_eq!(told.x_road(), code, "{headers:?}");
    }
    let unreadable = web::http::Request::post("/")
        .header(CLIENT.0, CLIENT.1)
        .header("x-mine", &b"\xff"[..]);
    assert_eq!(face.send(unreadable, service, "{}").await.x_road(), bad);
    let strange = web::http::Request::builder()
        .method("PROPFIND")
        .header(CLIENT.0, CLIENT.1);
    assert_eq!(
        face.send(strange, service, "").await.x_road(),
        "Client.InvalidHttpMethod"
    );
    assert_eq!(nation.effects(), 0);
    // And the last one of several may be the right one.
    let request = web::http::Request::post("/")
        .header(good.0, "VN/GOV/G22/other")
        .header(good.0, good.1);
    assert_eq!(face.send(request, service, "{}").await.status, 200);
}

#[tokio::test]
async fn an_agreement_that_rests_or_is_over_denies_access_whichever_node_says_so() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let (hash, end) = (nation.agreement().hash(), nation.agreement().valid_to);
    let (actor, by) = (kernel::Actor::Platform, "G01".parse().expect("a code"));
    let call = async || {
        let told = face
            .send(
                web::http::Request::post("/").header(CLIENT.0, CLIENT.1),
                &format!("/r1/VN/GOV/{LOOKUP}"),
                "{}",
            )
            .await;
        let body: Value = serde_json::from_slice(&told.body).expect("json");
        let message = body["message"].as_str().expect("a message").to_owned();
        (told.x_road(), message)
    };
    let denied = "Server.ServerProxy.AccessDenied";
    let ministry = &nation.ministry.exchange;
    let suspended = ministry.suspend_agreement(&hash, &by, "Rà soát an toàn", &actor);
    suspended.await.expect("suspended");
    let (code, message) = call().await;
    assert_eq!(code, denied, "{message}");
    assert!(message.contains("suspended"), "{message}");
    carry(&nation.ministry).await;
    let (code, message) = call().await;
    assert_eq!(code, denied, "the consumer's node says it by itself: {message}");
    assert!(message.contains("suspended"), "{message}");
    let resumed = ministry.resume_agreement(&hash, &by, &actor);
    resumed.await.expect("resumed");
    carry(&nation.ministry).await;
    // A consumer's clock that is behind: the provider's node says that the term is over.
    nation.ministry.temp.clock.set(end);
    nation.national.temp.clock.set(end.plus_ms(-1));
    assert_eq!(call().await.0, denied);
    nation.national.temp.clock.set(end);
    assert_eq!(call().await.0, denied);
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.set(testkit::START);
    }
    let key = &nation.ministry.seal("G01").key;
    let revoked = ministry.agreements().revoke(hash, &by, "x", &actor, key);
    revoked.await.expect("revoked");
    assert_eq!(call().await.0, denied);
    carry(&nation.ministry).await;
    assert_eq!(call().await.0, denied);
    assert_eq!(nation.effects(), 0);
}

#[tokio::test]
async fn an_error_is_told_in_json_or_xml_as_accept_says_and_in_the_nodes_spelling() {
    let nation = Nation::new().await;
    let (camel, snake) = (face(&nation).await, face_with(&nation, CodeStyle::Snake).await);
    let path = "/r1/VN/GOV/G01/population/other";
    for (accept, media) in [
        ("text/xml", "text/xml;charset=utf-8"),
        ("application/xml", "application/xml;charset=utf-8"),
        ("text/*;q=0.5", "text/xml;charset=utf-8"),
    ] {
        let request = web::http::Request::get("/")
            .header(CLIENT.0, CLIENT.1)
            .header("accept", accept);
        let told = camel.send(request, path, "").await;
        assert_eq!(
            (told.status, &told.headers["content-type"]),
            (500, &media.parse().expect("text"))
        );
        let body = std::str::from_utf8(&told.body).expect("text");
        assert!(
            body.contains("<error><type>Server.ServerProxy.AccessDenied</type><message>No data-sharing agreement lets G22/portal call"),
            "{body}"
        );
    }
    let request = || web::http::Request::get("/").header(CLIENT.0, CLIENT.1);
    let told = snake.send(request(), path, "").await;
    assert_eq!(
        (told.status, &told.headers["x-road-error"]),
        (500, &"server.serverproxy.access_denied".parse().expect("text"))
    );
    let told = snake.send(request(), "/r1/VN", "").await;
    assert_eq!(
        (told.status, &told.headers["x-road-error"]),
        (400, &"client.bad_request".parse().expect("text"))
    );
    let native = request().header("accept", "application/problem+json");
    let told = snake.send(native, path, "").await;
    assert_eq!((told.status, told.code()), (403, "agreement-missing".to_owned()));
}

#[tokio::test]
async fn an_answer_of_the_service_has_no_error_header_and_one_in_its_place_has() {
    let nation = nation().await;
    let (face, agency) = (face(&nation).await, agency(&nation, &[], "/").await);
    let own = face.rest("GET", "/fails", &[], "").await;
    assert_eq!(
        (own.status, own.body.as_ref()),
        (500, "của riêng dịch vụ".as_bytes())
    );
    assert!(!own.headers.contains_key("x-road-error"));
    // The system is gone: its gateway says so, signed, in its place.
    drop(agency);
    nation
        .ministry
        .exchange
        .provide(std::sync::Arc::new(exchange::behind::Behind {
            id: LOOKUP.parse().expect("an id"),
            url: "http://127.0.0.1:1/".to_owned(),
            client: web::Client::plain(),
            call_ms_max: 10_000,
            answer_bytes_max: 1_000,
            endpoints: Vec::new(),
            openapi: None,
        }));
    let told = face.rest("GET", "", &[], "").await;
    assert_eq!(told.x_road(), "Server.ServerProxy.ServiceFailed.NetworkError");
    assert!(
        nation
            .national
            .evidence()
            .await
            .last()
            .expect("one")
            .answer
            .is_some()
    );
    let problems = [("accept", "application/problem+json")];
    let told = face.rest("GET", "", &problems, "").await;
    assert_eq!(
        (told.status, told.code()),
        (502, "service-unreachable".to_owned())
    );
    // And the whole node is gone.
    nation.ministry.halt().await;
    assert_eq!(
        face.rest("GET", "", &[], "").await.x_road(),
        "Server.ClientProxy.NetworkError"
    );
}
