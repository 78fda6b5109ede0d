//! The information-system face over a socket: what an agency's own program sends and gets, in the
//! form that tells refusals with their own status.

use bytes::Bytes;
use exchange::{CodeStyle, Exchange};
use kernel::limits::Limits;
use tokio::sync::watch;

use crate::nation::{LOOKUP, Nation};

pub(crate) struct Face {
    pub(crate) address: String,
    _stop: watch::Sender<bool>,
}

pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: web::http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Told {
    /// A header's text; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let body: serde_json::Value = serde_json::from_slice(&self.body).expect("json");
        body["code"].as_str().expect("a code").to_owned()
    }
}

pub(crate) async fn face(nation: &Nation) -> Face {
    face_with(nation, CodeStyle::Camel).await
}

pub(crate) async fn face_with(nation: &Nation, style: CodeStyle) -> Face {
    face_of(&nation.national.exchange, style).await
}

pub(crate) async fn face_of(exchange: &Exchange, style: CodeStyle) -> Face {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let address = listener.local_addr().to_string();
    let (stop, shutdown) = watch::channel(false);
    let router = exchange.face_router(style);
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    Face { address, _stop: stop }
}

impl Face {
    pub(crate) async fn send(&self, request: web::http::request::Builder, path: &str, body: &str) -> Told {
        let request = request
            .uri(format!("http://{}{path}", self.address))
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        let answer = web::Client::plain()
            .send(request, 30_000, 1 << 20)
            .await
            .expect("an answer");
        let (parts, body) = answer.into_parts();
        Told {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn call(&self, headers: &[Header<'_>], body: &str) -> Told {
        let mut request = web::http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request, &format!("/exchange/v1/call/{LOOKUP}"), body)
            .await
    }
}

/// A header's name and bytes.
pub(crate) type Header<'a> = (&'a str, &'a [u8]);

pub(crate) const CLIENT: Header<'static> = ("x-road-client", b"VN/GOV/G22/portal");

#[tokio::test]
async fn a_program_gets_the_services_answer_its_request_id_and_the_place_of_the_evidence() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let json = ("content-type", &b"application/json; charset=utf-8"[..]);
    let told = face
        .call(&[CLIENT, json, ("idempotency-key", b"k1")], r#"{"who":"x"}"#)
        .await;
    assert_eq!(told.status, 200);
    assert_eq!(told.headers["content-type"], "application/json");
    assert_eq!(told.headers["sen-evidence"], "evidence-0/0");
    let body: serde_json::Value = serde_json::from_slice(&told.body).expect("json");
    assert_eq!(body["record"]["asked"]["who"], "x");
    let request = told.headers["x-road-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    nation.national.exchange.fold_evidence().await.expect("folded");
    for name in [request.clone(), format!("{request}-answer")] {
        let zip = face
            .send(web::http::Request::get("/"), &format!("/asic/{name}"), "")
            .await;
        assert_eq!(
            (zip.status, &zip.headers["content-type"]),
            (200, &seal::asice::MIME_TYPE.parse().expect("text"))
        );
        assert!(
            seal::asice::verify(
                &zip.body,
                &nation.national.directory.trust(),
                nation.national.now()
            )
            .is_passed()
        );
    }
    let none = face.send(web::http::Request::get("/"), "/asic/0", "").await;
    assert_eq!((none.status, none.code()), (404, "not-found".to_owned()));
}

#[tokio::test]
async fn a_program_is_told_what_is_wrong_by_key_and_status() {
    let limits = Limits {
        exchange_body_bytes_max: 100,
        ..Limits::default()
    };
    let nation = Nation::with(limits).await;
    let face = face(&nation).await;
    let large = format!("\"{}\"", "x".repeat(100));
    let checks: [(&[Header<'_>], &str, u16, &str); 8] = [
        (&[], "{}", 422, "client-header"),
        (
            &[("x-road-client", b"EE/GOV/G22/portal")],
            "{}",
            422,
            "client-header",
        ),
        // Of the right form, and nobody's code.
        (
            &[("x-road-client", b"VN/GOV/Z99/records")],
            "{}",
            404,
            "member-unknown",
        ),
        (
            &[("x-road-client", b"VN/GOV/G22/other")],
            "{}",
            403,
            "agreement-missing",
        ),
        (&[CLIENT, ("content-type", b"text/xml")], "<a/>", 400, "json-bad"),
        // Left out, the exchange would be on nobody's behalf: it is refused.
        (
            &[CLIENT, ("x-road-userid", b"citizen:\xff")],
            "{}",
            400,
            "malformed",
        ),
        (&[CLIENT], &large, 413, "body-too-large"),
        (&[CLIENT], r#"{"do":"refuse"}"#, 404, "record-not-found"),
    ];
    for (headers, body, status, code) in checks {
        let told = face.call(headers, body).await;
        assert_eq!((told.status, told.code().as_str()), (status, code));
    }
    let client = web::http::Request::post("/").header(CLIENT.0, CLIENT.1);
    let told = face
        .send(client, "/exchange/v1/call/G01/population/%2e%2e", "{}")
        .await;
    assert_eq!((told.status, told.code()), (404, "service-unknown".to_owned()));
    assert_eq!(
        nation.effects(),
        2,
        "only XML and what is refused by the service reached it"
    );
    // The same at X-Road's path, for who accepts problems.
    let problems = web::http::Request::post("/").header("accept", "application/problem+json");
    let told = face.send(problems, &format!("/r1/VN/GOV/{LOOKUP}"), "{}").await;
    assert_eq!((told.status, told.code()), (422, "client-header".to_owned()));
    let nowhere = face.send(web::http::Request::get("/"), "/elsewhere", "").await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "not-found".to_owned()));
}
