//! Signing in with a password, and what may not be possible with it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use kernel::Fact;

use super::*;
use crate::Mode;
use crate::testing::{Answer, Browser, Node, PASSWORD, official};

async fn node() -> Node {
    let node = Node::passwords().await;
    node.open(&official("o1", "lan")).await;
    node
}

async fn me(browser: &mut Browser, node: &Node) -> Answer {
    browser.get(node, "/api/v1/me").await
}

#[tokio::test]
async fn an_officer_signs_in_by_the_form_and_goes_on_to_next() {
    let (node, mut browser) = (node().await, Browser::default());
    let form = browser.get(&node, "/sign-in?next=/desk").await;
    assert_eq!(form.status, 200);
    for piece in [
        r#"name="user""#,
        r#"name="password""#,
        r#"name="next" value="/desk""#,
        r#"autocomplete="current-password""#,
        r#"<label for="user">"#,
    ] {
        assert!(form.body.contains(piece), "{piece} is not in {}", form.body);
    }
    let fields = [("user", " LAN "), ("password", PASSWORD), ("next", "/desk")];
    let signed = browser.post(&node, "/sign-in", &fields).await;
    assert_eq!(
        (signed.status, signed.location()),
        (303, "/desk"),
        "{}",
        signed.body
    );
    let cookie = signed.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("sen_ministry=") && cookie.contains("HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let answer = me(&mut browser, &node).await;
    assert_eq!(answer.json()["account"], "o1");
    assert_eq!(answer.json()["unit"], "G01.12");
    assert_eq!(
        node.facts("account/o1").await.last(),
        Some(&Fact::SignedIn {
            account: "o1".to_owned(),
            level: 0
        })
    );
}

#[tokio::test]
async fn the_json_twin_signs_in_as_the_form_does() {
    let (node, mut browser) = (node().await, Browser::default());
    let request = Request::post("/api/v1/sign-in").header(header::CONTENT_TYPE, "application/json");
    let body = serde_json::json!({"user": "lan", "password": PASSWORD}).to_string();
    let signed = browser.send(&node, request, Body::from(body)).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    assert_eq!(signed.json()["roles"], serde_json::json!(["officer"]));
    assert_eq!(me(&mut browser, &node).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let node = node().await;
    let mut answers = Vec::new();
    for user in ["lan", "ai-day"] {
        let request = Request::post("/api/v1/sign-in").header(header::CONTENT_TYPE, "application/json");
        let body = serde_json::json!({"user": user, "password": "sai mật khẩu"}).to_string();
        let answer = Browser::default().send(&node, request, Body::from(body)).await;
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        let mut json = answer.json();
        // The request's own id differs, whoever asks.
        json.as_object_mut().unwrap().remove("instance");
        answers.push((answer.status, json));
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_unknown_user_is_hashed_all_the_same() {
    let node = node().await;
    let site = node.site();
    for (user, checks) in [("lan", 1), ("ai-day", 2), (&"x".repeat(10_000), 3)] {
        let refused = sign_in(&site, &HeaderMap::new(), user, "sai mật khẩu").await;
        assert_eq!(refused.unwrap_err().code, "wrong-password");
        assert_eq!(site.checker.checked(), checks, "one check for every try");
    }
}

#[tokio::test]
async fn a_refused_try_is_a_fact_that_names_nobody_unknown() {
    let node = node().await;
    let site = node.site();
    let none = HeaderMap::new();
    sign_in(&site, &none, "lan", "sai").await.unwrap_err();
    let refused = Fact::SignInRefused {
        account: "o1".to_owned(),
        reason: "wrong-password".to_owned(),
    };
    assert_eq!(node.facts("account/o1").await.last(), Some(&refused));
    sign_in(&site, &none, "nguyen-van-be", "sai").await.unwrap_err();
    let who = node.temp.store.digest(&node.tenant, "sign-in/nguyen-van-be");
    let named = format!("unknown-{}", &who.hex()[..16]);
    assert_eq!(node.facts(&format!("account/{named}")).await.len(), 1);
    assert!(node.facts("account/nguyen-van-be").await.is_empty());
}

#[tokio::test]
async fn ten_wrong_tries_an_hour_and_then_not_even_the_right_one() {
    let (node, mut browser) = (node().await, Browser::default());
    for _ in 0..10 {
        assert_eq!(browser.sign_in(&node, "lan", "sai").await.status, 401);
    }
    let stopped = browser.sign_in(&node, "Lan", PASSWORD).await;
    assert_eq!(stopped.status, 429, "{}", stopped.body);
    assert!(
        stopped.body.contains("60"),
        "says how long to wait: {}",
        stopped.body
    );
    browser.sign_in(&node, "lan", PASSWORD).await;
    let told = node
        .facts("account/o1")
        .await
        .into_iter()
        .filter(|f| matches!(f, Fact::SignInRefused { reason, .. } if reason == "too-many-tries"))
        .count();
    assert_eq!(told, 1, "told once, not once a try");
    node.temp.clock.advance_ms(3_600_000);
    assert_eq!(browser.sign_in(&node, "lan", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn tries_of_an_unknown_user_are_limited_alike() {
    let (node, mut browser) = (node().await, Browser::default());
    for _ in 0..10 {
        assert_eq!(browser.sign_in(&node, "ai-day", "sai").await.status, 401);
    }
    assert_eq!(browser.sign_in(&node, "ai-day", "sai").await.status, 429);
    assert_eq!(
        browser.sign_in(&node, "lan", PASSWORD).await.status,
        303,
        "others are not held up"
    );
}

#[tokio::test]
async fn thirty_tries_at_once_are_thirty_tries() {
    let node = node().await;
    let site = node.site();
    let none = HeaderMap::new();
    let tries = (0..30).map(|_| sign_in(&site, &none, "lan", "sai"));
    let answers = futures_util::future::join_all(tries).await;
    let looked_at = answers
        .iter()
        .filter(|a| a.as_ref().unwrap_err().code == "wrong-password")
        .count();
    assert_eq!(looked_at, 10);
    assert_eq!(site.checker.checked(), 10);
}

#[tokio::test]
async fn the_right_password_clears_the_wrong_tries() {
    let (node, mut browser) = (node().await, Browser::default());
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(browser.sign_in(&node, "lan", "sai").await.status, 401);
        }
        assert_eq!(browser.sign_in(&node, "lan", PASSWORD).await.status, 303);
    }
}

#[tokio::test]
async fn a_session_planted_before_the_sign_in_is_worth_nothing_after_it() {
    let (node, mut victim) = (node().await, Browser::default());
    let mut thief = Browser::default();
    let planted = "ab".repeat(32);
    for browser in [&mut victim, &mut thief] {
        browser.cookies.insert("sen_ministry".to_owned(), planted.clone());
    }
    victim.sign_in(&node, "lan", PASSWORD).await;
    assert_ne!(victim.cookies["sen_ministry"], planted);
    assert_eq!(me(&mut victim, &node).await.status, 200);
    assert_eq!(me(&mut thief, &node).await.status, 401);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    let mut before = browser.clone();
    browser.sign_in(&node, "lan", PASSWORD).await;
    assert_ne!(before.cookies, browser.cookies);
    assert_eq!(me(&mut before, &node).await.status, 401);
    assert_eq!(me(&mut browser, &node).await.status, 200);
}

#[tokio::test]
async fn a_signed_out_session_is_worth_nothing() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    let mut kept = browser.clone();
    let out = browser.post(&node, "/sign-out", &[]).await;
    assert_eq!((out.status, out.location()), (303, "/"));
    assert_eq!(browser.cookies["sen_ministry"], "");
    assert_eq!(me(&mut kept, &node).await.status, 401);
    assert_eq!(
        node.facts("account/o1").await.last(),
        Some(&Fact::SignedOut {
            account: "o1".to_owned()
        })
    );
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_link() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    assert_eq!(browser.get(&node, "/sign-out").await.status, 405);
    assert_eq!(me(&mut browser, &node).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_sent_from_another_site_is_refused() {
    let (node, mut browser) = (node().await, Browser::default());
    let form = crate::query::write(&[("user", "lan"), ("password", PASSWORD)]);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let request = Request::post("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value);
        let answer = browser.send(&node, request, Body::from(form.clone())).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
        assert!(browser.cookies.is_empty(), "{name}: {value}");
    }
}

#[tokio::test]
async fn next_never_leads_to_another_site() {
    let (node, mut browser) = (node().await, Browser::default());
    for next in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
    ] {
        let fields = [("user", "lan"), ("password", PASSWORD), ("next", next)];
        let signed = browser.post(&node, "/sign-in", &fields).await;
        assert_eq!((signed.status, signed.location()), (303, "/"), "{next:?}");
    }
}

#[tokio::test]
async fn a_session_unused_for_its_idle_life_is_over() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    node.temp.clock.advance_ms(1_799_000);
    assert_eq!(me(&mut browser, &node).await.status, 200, "and counts as used");
    node.temp.clock.advance_ms(1_799_000);
    assert_eq!(me(&mut browser, &node).await.status, 200);
    node.temp.clock.advance_ms(1_800_000);
    assert_eq!(me(&mut browser, &node).await.status, 401);
}

#[tokio::test]
async fn a_session_always_used_ends_with_its_whole_life() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    for _ in 0..47 {
        node.temp.clock.advance_ms(900_000);
        assert_eq!(me(&mut browser, &node).await.status, 200);
    }
    node.temp.clock.advance_ms(900_000);
    assert_eq!(me(&mut browser, &node).await.status, 401, "twelve hours");
}

#[tokio::test]
async fn a_session_of_one_tenant_is_nobody_at_another() {
    let ours = node().await;
    let theirs = Node::of(Arc::clone(&ours.temp), "G15", "ministry", Mode::Passwords, None);
    let mut browser = Browser::default();
    browser.sign_in(&ours, "lan", PASSWORD).await;
    assert_eq!(me(&mut browser, &ours).await.status, 200);
    assert_eq!(me(&mut browser, &theirs).await.status, 401);
    let elsewhere = browser.sign_in(&theirs, "lan", PASSWORD).await;
    assert_eq!(elsewhere.status, 401, "an account is its tenant's alone");
}

#[tokio::test]
async fn no_token_is_kept_in_the_rows() {
    let (node, mut browser) = (node().await, Browser::default());
    browser.sign_in(&node, "lan", PASSWORD).await;
    let token = &browser.cookies["sen_ministry"];
    let reader = node.temp.store.read(&node.tenant).await.unwrap();
    let sql = "select token from identity_sessions where tenant = $1";
    let rows = reader.all(sql, ::store::params![&node.tenant]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].text("token").unwrap(),
        kernel::Digest::of(token.as_bytes()).hex()
    );
}

#[tokio::test]
async fn an_empty_form_names_the_fields_at_fault() {
    let (node, mut browser) = (node().await, Browser::default());
    let answer = browser
        .post(&node, "/sign-in", &[("user", ""), ("password", "")])
        .await;
    assert_eq!(answer.status, 422);
    for link in ["#user", "#password"] {
        assert!(answer.body.contains(link), "{link} is not in {}", answer.body);
    }
    let wrong = browser.sign_in(&node, "<b>", "sai").await;
    assert!(wrong.body.contains(r#"aria-invalid="true""#) && !wrong.body.contains("<b>"));
    assert!(!wrong.body.contains("sai\""), "a password never comes back");
}
