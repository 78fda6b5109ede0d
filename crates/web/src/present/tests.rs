//! What a person and a program see of every node: tests of `present`, the shell and the
//! extractors, through a router and without a socket.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use kernel::limits::Limits;
use kernel::{Kind, Problem, Time};

use crate::form::Fields;
use crate::json::Json;
use crate::page::Page;
use crate::problem::Refusal;
use crate::testing::{NOW, ask, shared};
use crate::{SignedIn, canary, present};

const JSON: (&str, &str) = ("accept", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn form(fields: Fields) -> Result<String, Refusal> {
    let file = fields
        .file("paper")
        .map(|f| format!("{} {} {}", f.name, f.media, f.bytes.len()));
    Ok(format!("{} {}", fields.need("name")?, file.unwrap_or_default()))
}

async fn page(page: Page) -> axum::response::Response {
    let problems = [
        Problem::invalid("born", "date-bad"),
        Problem::invalid("na\"me", "field-missing"),
    ];
    let at = page.time(Time::parse_rfc3339(NOW).unwrap());
    let body = format!(
        "{}<h1>{at}</h1>{}",
        page.errors(&problems),
        page.field_error(&problems, "born")
    );
    page.html_status(422, "Khai <sinh>", body)
}

fn node() -> Router {
    let limits = Limits {
        upload_bytes_max: 1 << 20,
        request_ms_max: 300,
        ..Limits::default()
    };
    let router = Router::new()
        .route("/ok", get(|| async { "ok" }).post(|| async { "done" }))
        .route(
            "/cases/{code}",
            get(|Path(code): Path<u32>| async move { code.to_string() }),
        )
        .route("/stale", get(|| async { Refusal(Problem::stale()) }))
        .route(
            "/broken",
            get(|| async { Refusal(Problem::internal("disk on fire")) }),
        )
        .route(
            "/odd",
            get(|| async { Refusal(Problem::new(Kind::Invalid, "no-such-text")) }),
        )
        .route(
            "/panic",
            get(|| async {
                if NOW.len() > 1 {
                    panic!("boom")
                }
            }),
        )
        .route(
            "/slow",
            get(|| async { tokio::time::sleep(std::time::Duration::from_secs(9)).await }),
        )
        .route("/mine", get(|SignedIn(who): SignedIn| async move { who.account }))
        .route(
            "/desk",
            get(|SignedIn(who): SignedIn| async move {
                who.require("officer").map_err(Refusal)?;
                Ok::<_, Refusal>("desk")
            }),
        )
        .route("/page", get(page))
        .route("/form", post(form).get(form))
        .route("/page/act", post(form))
        .route(
            "/raw",
            post(|body: axum::body::Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/api/json",
            post(|Json(v): Json<serde_json::Value>| async move { Json(v) }),
        )
        .nest("/inner", Router::new().route("/page", get(page)));
    present(router, shared(limits))
}

#[tokio::test]
async fn who_finds_nothing_is_led_to_the_list_it_would_be_in_and_the_header_tells_where_that_is() {
    let node = node();
    let html = ("accept", "text/html");
    let lit = "href=\"/cases\" aria-current=\"page\"";
    for path in ["/cases/1/nothing", "/drafts/nothing", "/drafts"] {
        let told = ask(&node, &format!("GET {path}"), &[html], "").await;
        assert_eq!(told.status, 404);
        assert!(told.text.contains("<a href=\"/cases\">"), "{path}: {}", told.text);
        assert!(told.text.contains(lit), "{path}: {}", told.text);
    }
    for path in ["/cases", "/casesx", "/desk/nothing"] {
        let told = ask(&node, &format!("GET {path}"), &[html], "").await;
        let places = told.text.matches("<a href=\"/desk\">").count();
        let lists = told.text.matches("</a> · <a href=\"/\">").count();
        assert_eq!((told.status, places, lists), (404, 0, 0), "{path}: {}", told.text);
    }
}

#[tokio::test]
async fn a_program_gets_problem_json_and_a_person_a_page_each_in_their_language() {
    let node = node();
    let program = ask(&node, "GET /stale", &[JSON, ("accept-language", "en")], "").await;
    assert_eq!(
        (program.status, program.header("content-type")),
        (409, "application/problem+json")
    );
    let json = program.json();
    assert_eq!(json["type"], "/problems/stale");
    assert_eq!(json["title"], "The data has changed");
    assert_eq!(json["status"], 409);
    assert_eq!(json["detail"], "Someone changed this after you opened it.");
    assert_eq!(
        json["remedy"],
        "Reload the page to see the newest version, then try again."
    );
    assert_eq!(
        json["instance"],
        format!("urn:request:{}", program.header("x-request-id"))
    );

    let person = ask(
        &node,
        "GET /stale",
        &[("accept", "text/html,application/json;q=0.1")],
        "",
    )
    .await;
    assert_eq!((person.status, person.header("content-language")), (409, "vi"));
    assert!(
        person.text.contains("<h1>Dữ liệu đã thay đổi</h1>"),
        "{}",
        person.text
    );
    assert!(person.text.contains(person.header("x-request-id")));

    assert_eq!(
        ask(&node, "GET /api/none", &[], "").await.json()["type"],
        "/problems/not-found"
    );
}

#[tokio::test]
async fn the_type_of_a_problem_can_be_looked_up() {
    let node = node();
    let meaning = ask(&node, "GET /problems/stale", &[], "").await;
    assert_eq!(meaning.status, 200);
    assert!(
        meaning.text.contains("<h1>Dữ liệu đã thay đổi</h1>"),
        "{}",
        meaning.text
    );
    for unknown in ["none", "stale.rule"] {
        assert_eq!(
            ask(&node, &format!("GET /problems/{unknown}"), &[], "")
                .await
                .status,
            404
        );
    }
}

#[tokio::test]
async fn what_routing_and_extractors_refuse_is_worded_too() {
    let node = node();
    for (line, status, code) in [
        ("GET /none", 404, "not-found"),
        ("DELETE /ok", 405, "method"),
        ("GET /cases/x", 400, "malformed"),
        ("GET /odd", 422, "no-such-text"),
        ("GET /panic", 500, "internal"),
        ("GET /slow", 504, "timeout"),
    ] {
        let answer = ask(&node, line, &[JSON], "").await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (status, Some(&*format!("/problems/{code}"))),
            "{line}"
        );
        assert!(
            !answer.json()["detail"].as_str().unwrap().contains("problem-"),
            "no key is shown"
        );
    }
    let method = ask(&node, "DELETE /ok", &[JSON], "").await;
    assert!(method.header("allow").contains("POST"));
}

#[tokio::test]
async fn an_action_that_a_person_opens_leads_back_to_its_page() {
    let node = node();
    let answer = ask(&node, "GET /page/act?lang=en", &[], "").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/page?lang=en"));
    let program = ask(&node, "GET /page/act", &[JSON], "").await;
    assert_eq!(program.status, 405, "a program is told");
    let top = ask(&node, "GET /raw", &[], "").await;
    assert_eq!(top.status, 405, "there is no page above");
}

#[tokio::test]
async fn an_inner_cause_goes_to_the_log_and_never_into_an_answer() {
    let (lines, _guard) = canary::keep();
    for headers in [&[JSON][..], &[]] {
        let answer = ask(&node(), "GET /broken", headers, "").await;
        assert_eq!(answer.status, 500);
        assert!(!answer.text.contains("disk on fire"));
    }
    assert_eq!(lines.carrying(&["disk on fire"]).len(), 2, "once a request");
}

#[tokio::test]
async fn the_access_log_carries_the_route_and_nothing_a_person_typed() {
    let (lines, _guard) = canary::keep();
    let node = node();
    ask(
        &node,
        "GET /cases/38199012345?name=canary-lan",
        &[("referer", "http://x/canary-lan")],
        "",
    )
    .await;
    ask(&node, "GET /canary-lan/none", &[("user-agent", "canary-lan")], "").await;
    ask(&node, "POST /form", &[FORM], "name=canary-lan").await;
    assert_eq!(
        lines.carrying(&["canary-lan", "38199012345"]),
        Vec::<String>::new()
    );
    let access = lines.access();
    assert_eq!(access.len(), 3);
    assert!(
        access[0].contains("/cases/{code}") && access[0].contains("status=400"),
        "{}",
        access[0]
    );
    assert!(access[1].contains("route=\"none\""), "{}", access[1]);
}

#[tokio::test]
async fn a_changing_request_from_another_site_is_refused() {
    let node = node();
    let cross: [&[(&str, &str)]; 5] = [
        &[("sec-fetch-site", "cross-site")],
        &[
            ("sec-fetch-site", "same-site"),
            ("host", "a:1"),
            ("origin", "http://a:1"),
        ],
        &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8081")],
        &[("host", "127.0.0.1:8080"), ("origin", "null")],
        &[("origin", "http://evil.example")],
    ];
    for headers in cross {
        let answer = ask(&node, "POST /ok", headers, "").await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(answer.text.contains("Yêu cầu đến từ trang khác"));
    }
    let own: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")],
        &[],
    ];
    for headers in own {
        assert_eq!(
            ask(&node, "POST /ok", headers, "").await.status,
            200,
            "{headers:?}"
        );
    }
    assert_eq!(
        ask(&node, "GET /ok", &[("sec-fetch-site", "cross-site")], "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let node = node();
    for line in ["GET /ok", "GET /none", "GET /broken", "GET /assets/lotus.svg"] {
        let answer = ask(&node, line, &[], "").await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';") && !policy.contains("unsafe"),
            "{line}: {policy}"
        );
        assert!(
            policy.ends_with("form-action 'self' http://127.0.0.1:8081"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{line}");
        }
        assert!(!answer.header("x-request-id").is_empty());
    }
    assert_eq!(
        ask(&node, "GET /ok", &[], "").await.header("cache-control"),
        "no-store"
    );
    let css = ask(
        &node,
        &format!("GET {}", crate::assets::stylesheet_path()),
        &[],
        "",
    )
    .await;
    assert!(
        css.header("cache-control").contains("immutable")
            && css.header("content-type").starts_with("text/css")
    );
}

#[tokio::test]
async fn who_is_not_signed_in_is_shown_the_way_and_a_program_is_told() {
    let node = node();
    let person = ask(&node, "GET /mine?a=1&b=2", &[], "").await;
    assert_eq!(
        (person.status, person.header("location")),
        (303, "/sign-in?next=/mine%3Fa%3D1%26b%3D2")
    );
    let program = ask(&node, "GET /mine", &[JSON], "").await;
    assert_eq!(
        (program.status, program.header("www-authenticate")),
        (401, "Bearer")
    );
    let lan = ("cookie", "session-province=lan");
    assert_eq!(ask(&node, "GET /mine", &[lan], "").await.text, "a1");
    let desk = ask(&node, "GET /desk", &[lan], "").await;
    assert_eq!(desk.status, 403);
    assert!(
        desk.text.contains("Lê &#60;Lan&#62;") && desk.text.contains("/sign-out"),
        "the page still knows her"
    );
}

#[tokio::test]
async fn the_shell_is_whole_in_both_languages_and_escapes_what_it_is_given() {
    let node = node();
    let vi = ask(
        &node,
        "GET /inner/page?a=1",
        &[("cookie", "session-province=lan")],
        "",
    )
    .await;
    assert_eq!(vi.status, 422);
    for part in [
        "<html lang=\"vi\">",
        "<title>Lỗi: Khai &#60;sinh&#62; – Thanh Hóa</title>",
        "<a class=\"skip-link\" href=\"#main\">",
        "href=\"/inner/page?a=1&#38;lang=en\"",
        "<h1>09:30 ngày 21/11/2026</h1>",
        "role=\"alert\"",
        "<a href=\"#born\">Không có ngày này trong lịch.",
        "id=\"born-error\"",
        "href=\"#na&#34;me\"",
        "action=\"/sign-out\"",
        "href=\"/cases\"",
    ] {
        assert!(vi.text.contains(part), "{part} in {}", vi.text);
    }
    assert!(
        !vi.text.contains("href=\"/desk\""),
        "a link for officers is not shown to a citizen"
    );
    assert!(!vi.text.contains("<script") && !vi.text.contains("style="));

    let en = ask(&node, "GET /page?lang=en", &[], "").await;
    assert!(en.text.contains("<html lang=\"en\">") && en.text.contains("<h1>21 November 2026, 09:30</h1>"));
    assert!(en.header("set-cookie").starts_with("lang=en; Path=/; HttpOnly"));
    assert!(en.text.contains("href=\"/sign-in\""));
    let weight = en.text.len() + ask(&node, "GET /assets/sen.css", &[], "").await.text.len();
    assert!(weight < 100_000, "{weight}");
}

#[tokio::test]
async fn a_form_is_bounded_in_fields_and_size() {
    let node = node();
    let many = ask(&node, "POST /form", &[FORM, JSON], "a=1&".repeat(10_000)).await;
    assert_eq!(
        (many.status, many.json()["type"].as_str()),
        (413, Some("/problems/too-many-fields"))
    );
    assert_eq!(
        ask(&node, "POST /form", &[FORM], vec![b'a'; 2 << 20])
            .await
            .status,
        413
    );
    assert_eq!(
        ask(&node, "POST /raw", &[], vec![b'a'; 2 << 20]).await.status,
        413
    );
    assert_eq!(
        ask(&node, "POST /form", &[("content-type", "text/plain")], "a")
            .await
            .status,
        415
    );
    let missing = ask(&node, "POST /form", &[FORM, JSON], "name=++").await;
    assert_eq!(
        (missing.status, missing.json()["field"].as_str()),
        (422, Some("name"))
    );
    let sent = ask(&node, "POST /form", &[FORM], "name=Nguye%CC%82%CC%83n").await;
    assert_eq!(sent.text, "Nguyễn ");
    assert_eq!(ask(&node, "GET /form?name=Lan", &[], "").await.text, "Lan ");
}

fn multipart(file_name: &str, size: usize, texts: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..texts {
        body.extend_from_slice(
            b"--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nNguye\xcc\x82\xcc\x83n\r\n",
        );
    }
    let head = format!(
        "--B\r\nContent-Disposition: form-data; name=\"paper\"; filename=\"{file_name}\"\r\nContent-Type: application/pdf\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.resize(body.len() + size, b'x');
    body.extend_from_slice(b"\r\n--B--\r\n");
    body
}

#[tokio::test]
async fn an_upload_is_bounded_and_its_name_and_fields_are_cleaned() {
    let node = node();
    let head = [("content-type", "multipart/form-data; boundary=B"), JSON];
    let good = ask(
        &node,
        "POST /form",
        &head,
        multipart("../../Gia\u{302}\u{301}y.pdf", 1 << 20, 1),
    )
    .await;
    assert_eq!(good.text, "Nguyễn Giấy.pdf application/pdf 1048576");
    let large = ask(&node, "POST /form", &head, multipart("x", (1 << 20) + 1, 1)).await;
    assert_eq!(
        (large.status, large.json()["type"].as_str()),
        (413, Some("/problems/upload-too-large"))
    );
    assert_eq!(large.json()["field"], "paper");
    assert_eq!(
        ask(&node, "POST /form", &head, multipart("", 0, 1)).await.text,
        "Nguyễn ",
        "an untouched file box"
    );
    let many = ask(&node, "POST /form", &head, multipart("x", 1, 10_000)).await;
    assert_eq!(
        (many.status, many.json()["type"].as_str()),
        (413, Some("/problems/too-many-fields"))
    );
    let torn = &multipart("x", 1000, 1)[..200];
    assert_eq!(ask(&node, "POST /form", &head, torn.to_vec()).await.status, 400);
}

#[tokio::test]
async fn a_json_bomb_is_refused_and_a_good_body_comes_back() {
    let node = node();
    let head = [("content-type", "application/json")];
    let deep = ask(&node, "POST /api/json", &head, "[".repeat(10_000)).await;
    assert_eq!(
        (deep.status, deep.json()["type"].as_str()),
        (400, Some("/problems/json-too-deep"))
    );
    assert_eq!(
        ask(&node, "POST /api/json", &head, r#"{"a":1}"#).await.text,
        r#"{"a":1}"#
    );
    assert_eq!(ask(&node, "POST /api/json", &head, "{").await.status, 400);
    assert_eq!(ask(&node, "POST /api/json", &[], "{}").await.status, 415);
    assert_eq!(
        ask(&node, "POST /api/json", &head, vec![b' '; 2 << 20])
            .await
            .status,
        413
    );
}
