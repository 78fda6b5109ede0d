//! Attacks on the provider's flow, each by its name.

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use kernel::Fact;
use serde_json::Value;

use super::*;
use crate::query;
use crate::testing::{Answer, Browser, CALLBACK, PASSWORD, Pair, citizen, official};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn asked<'a>(changes: &[(&'a str, &'a str)]) -> String {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "portal"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("state", "st"),
        ("nonce", "no"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(key, _)| key != name);
        // An empty change takes the parameter away.
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    format!("/oidc/authorize?{}", query::write(&pairs))
}

async fn signed_in() -> (Pair, Browser) {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let signed = browser.sign_in(&pair.ministry, "mai", PASSWORD).await;
    assert_eq!(signed.status, 303, "{}", signed.body);
    (pair, browser)
}

fn parameter(location: &str, name: &str) -> Option<String> {
    let (_, query) = location.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

async fn code(pair: &Pair, browser: &mut Browser) -> String {
    let back = browser.get(&pair.ministry, &asked(&[])).await;
    parameter(back.location(), "code").unwrap_or_else(|| panic!("no code: {back:?}"))
}

async fn redeem(pair: &Pair, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", "portal"),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        form.retain(|(key, _)| key != name);
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    Browser::default()
        .post(&pair.ministry, "/oidc/token", &form)
        .await
}

async fn userinfo(pair: &Pair, token: &str) -> Answer {
    let request = Request::get("/oidc/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
    Browser::default()
        .send(&pair.ministry, request, Body::empty())
        .await
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.json()["error"], error, "{answer:?}");
    assert!(answer.status == 400 || answer.status == 401, "{answer:?}");
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&seal::jws::peek(token).unwrap()).unwrap()
}

#[tokio::test]
async fn a_code_and_its_verifier_give_an_id_token_of_the_agreed_claims() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let answer = redeem(&pair, &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let token = answer.json()["id_token"].as_str().unwrap().to_owned();
    let key = PublicKey::of(&pair.provider.key);
    let kid = pair.provider.kid();
    seal::jws::verify(&token, "JWT", |k| (k == kid).then(|| key.clone())).unwrap();
    let claims = claims(&token);
    let now = pair.ministry.temp.store.world().now().seconds();
    for (name, value) in [
        ("iss", pair.provider.issuer.as_str()),
        ("aud", "portal"),
        ("nonce", "no"),
        ("acr", "2"),
        ("loAs", "2"),
        ("SoDinhDanh", "038192000001"),
        ("HoVaTen", "Lê Thị Mai"),
        ("NgayThangNamSinh", "1992-03-08"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(
        (claims["iat"].as_i64(), claims["exp"].as_i64()),
        (Some(now), Some(now + 300))
    );
    assert_eq!(claims["auth_time"], now);
    assert_ne!(claims["sub"], "c1", "the subject is the client's own");
}

#[tokio::test]
async fn the_redirect_address_must_match_byte_for_byte() {
    let (pair, mut browser) = signed_in().await;
    for uri in [
        "http://127.0.0.1:9/sign-in/callback/",
        "http://127.0.0.1:9/sign-in/callback/../evil",
        "http://127.0.0.1:9/sign-in/callbackx",
        "http://127.0.0.1:9/sign-in",
        "http://127.0.0.1:9/sign-in/callback?x=1",
        "http://127.0.0.1:9/sign-in/callback#x",
        "http://127.0.0.1:9/sign-in/%63allback",
        "http://127.0.0.1:90/sign-in/callback",
        "https://127.0.0.1:9/sign-in/callback",
        "HTTP://127.0.0.1:9/sign-in/callback",
        "http://127.0.0.1:9@evil.example/sign-in/callback",
        "http://evil.example#http://127.0.0.1:9/sign-in/callback",
        "http://localhost:9/sign-in/callback",
        "https://other.example/back",
        "javascript:alert(1)",
        "",
    ] {
        let answer = browser
            .get(&pair.ministry, &asked(&[("redirect_uri", uri)]))
            .await;
        assert_eq!((answer.status, answer.location()), (400, ""), "{uri}");
    }
    let unknown = browser
        .get(&pair.ministry, &asked(&[("client_id", "nobody")]))
        .await;
    assert_eq!((unknown.status, unknown.location()), (400, ""));
}

#[tokio::test]
async fn a_parameter_said_twice_is_never_redirected() {
    let (pair, mut browser) = signed_in().await;
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", asked(&[]));
    let answer = browser.get(&pair.ministry, &twice).await;
    assert_eq!((answer.status, answer.location()), (400, ""));
}

/// What comes back when one parameter of the request is changed.
async fn error_of(changes: &[(&str, &str)]) -> Option<String> {
    let (pair, mut browser) = signed_in().await;
    let answer = browser.get(&pair.ministry, &asked(changes)).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(
        answer.location().starts_with(&format!("{CALLBACK}?")),
        "{answer:?}"
    );
    assert_eq!(parameter(answer.location(), "code"), None);
    let issuer = query::write(&[("iss", &pair.provider.issuer)]);
    assert!(answer.location().contains(&issuer), "RFC 9207: {answer:?}");
    parameter(answer.location(), "error")
}

#[tokio::test]
async fn missing_pkce_is_refused() {
    let error = error_of(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(error.as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn plain_pkce_is_refused() {
    let error = error_of(&[("code_challenge_method", "plain")]).await;
    assert_eq!(error.as_deref(), Some("invalid_request"));
    let downgraded = error_of(&[("code_challenge_method", "")]).await;
    assert_eq!(downgraded.as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a_request_without_state_or_nonce_is_refused() {
    assert_eq!(
        error_of(&[("nonce", "")]).await.as_deref(),
        Some("invalid_request")
    );
    assert_eq!(
        error_of(&[("state", "")]).await.as_deref(),
        Some("invalid_request")
    );
}

#[tokio::test]
async fn another_flow_or_a_fetched_request_is_refused() {
    for response_type in ["token", "id_token", "code token"] {
        let error = error_of(&[("response_type", response_type)]).await;
        assert_eq!(error.as_deref(), Some("unsupported_response_type"));
    }
    let fragment = error_of(&[("response_mode", "fragment")]).await;
    assert_eq!(fragment.as_deref(), Some("invalid_request"));
    let object = error_of(&[("request", "eyJ")]).await;
    assert_eq!(object.as_deref(), Some("request_not_supported"));
    let fetched = error_of(&[("request_uri", "http://127.0.0.1:1/")]).await;
    assert_eq!(fetched.as_deref(), Some("request_uri_not_supported"));
    assert_eq!(
        error_of(&[("scope", "profile")]).await.as_deref(),
        Some("invalid_scope")
    );
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_here_first() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let first = browser.get(&pair.ministry, &asked(&[("prompt", "login")])).await;
    let next = parameter(first.location(), "next").unwrap();
    assert!(
        first
            .location()
            .starts_with("/sign-in?next=%2Foidc%2Fauthorize%3F")
    );
    assert!(!next.contains("prompt"), "else it would ask for ever");
    let silent = browser.get(&pair.ministry, &asked(&[("prompt", "none")])).await;
    assert_eq!(
        parameter(silent.location(), "error").as_deref(),
        Some("login_required")
    );
}

#[tokio::test]
async fn an_old_sign_in_is_not_enough_where_a_fresh_one_is_asked() {
    let (pair, mut browser) = signed_in().await;
    pair.advance_ms(61_000);
    let stale = browser.get(&pair.ministry, &asked(&[("max_age", "60")])).await;
    assert!(stale.location().starts_with("/sign-in?"), "{stale:?}");
    let again = browser.get(&pair.ministry, &asked(&[("prompt", "login")])).await;
    assert!(again.location().starts_with("/sign-in?"), "{again:?}");
}

#[tokio::test]
async fn an_official_without_a_personal_number_is_confirmed_to_nobody() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    pair.ministry.open(&official("o1", "lan")).await;
    browser.sign_in(&pair.ministry, "lan", PASSWORD).await;
    let answer = browser.get(&pair.ministry, &asked(&[])).await;
    assert_eq!(
        parameter(answer.location(), "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn a_wrong_missing_or_short_verifier_gets_nothing() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let other = "x".repeat(43);
    for verifier in [other.as_str(), CHALLENGE, "short"] {
        let answer = redeem(&pair, &code, &[("code_verifier", verifier)]).await;
        refused(&answer, "invalid_grant");
    }
    refused(
        &redeem(&pair, &code, &[("code_verifier", "")]).await,
        "invalid_request",
    );
    let good = redeem(&pair, &code, &[]).await;
    assert_eq!(good.status, 200, "a wrong guess does not spend the code");
}

#[tokio::test]
async fn a_code_used_twice_revokes_what_it_got() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let first = redeem(&pair, &code, &[]).await.json();
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(userinfo(&pair, access).await.json()["SoDinhDanh"], "038192000001");
    refused(&redeem(&pair, &code, &[]).await, "invalid_grant");
    assert_eq!(userinfo(&pair, access).await.status, 401);
    refused(&redeem(&pair, &code, &[]).await, "invalid_grant");
    let told = pair.ministry.facts("account/c1").await;
    let reused = Fact::SignInRefused {
        account: "c1".to_owned(),
        reason: "code-reused".to_owned(),
    };
    assert_eq!(told.iter().filter(|f| **f == reused).count(), 1);
}

#[tokio::test]
async fn a_code_redeemed_by_many_at_once_is_good_once() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let all = (0..8).map(|_| redeem(&pair, &code, &[]));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
}

#[tokio::test]
async fn a_code_for_another_client_is_refused() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let answer = redeem(&pair, &code, &[("client_id", "other")]).await;
    refused(&answer, "invalid_grant");
    let both = [
        ("client_id", "other"),
        ("redirect_uri", "https://other.example/back"),
    ];
    refused(&redeem(&pair, &code, &both).await, "invalid_grant");
}

#[tokio::test]
async fn a_code_under_another_redirect_address_is_refused() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let elsewhere = [("redirect_uri", "https://other.example/back")];
    refused(&redeem(&pair, &code, &elsewhere).await, "invalid_grant");
    refused(
        &redeem(&pair, &code, &[("redirect_uri", "")]).await,
        "invalid_request",
    );
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    pair.advance_ms(60_000);
    refused(&redeem(&pair, &code, &[]).await, "invalid_grant");
}

#[tokio::test]
async fn an_invented_code_or_another_grant_is_refused() {
    let pair = Pair::new().await;
    refused(&redeem(&pair, &"ab".repeat(32), &[]).await, "invalid_grant");
    for grant in ["refresh_token", "client_credentials", "password", "implicit"] {
        let answer = redeem(&pair, "x", &[("grant_type", grant)]).await;
        refused(&answer, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn a_client_that_proves_itself_another_way_is_refused() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    refused(
        &redeem(&pair, &code, &[("client_secret", "x")]).await,
        "invalid_client",
    );
    let assertion = redeem(&pair, &code, &[("client_assertion", "x")]).await;
    refused(&assertion, "invalid_client");
}

#[tokio::test]
async fn userinfo_takes_good_access_tokens_only() {
    let (pair, mut browser) = signed_in().await;
    let code = code(&pair, &mut browser).await;
    let got = redeem(&pair, &code, &[]).await.json();
    let (id_token, access) = (
        got["id_token"].as_str().unwrap(),
        got["access_token"].as_str().unwrap(),
    );
    for wrong in [id_token, code.as_str(), &browser.cookies["sen_ministry"], "", "x"] {
        assert_eq!(userinfo(&pair, wrong).await.status, 401);
    }
    let in_query = format!("/oidc/userinfo?access_token={access}");
    assert_eq!(browser.get(&pair.ministry, &in_query).await.status, 401);
    assert_eq!(userinfo(&pair, access).await.status, 200);
    pair.advance_ms(ACCESS_MS);
    assert_eq!(userinfo(&pair, access).await.status, 401, "it ends");
}

#[tokio::test]
async fn two_clients_see_two_subjects() {
    let (pair, mut browser) = signed_in().await;
    let mine = code(&pair, &mut browser).await;
    let other = [
        ("client_id", "other"),
        ("redirect_uri", "https://other.example/back"),
    ];
    let back = browser.get(&pair.ministry, &asked(&other)).await;
    let theirs = parameter(back.location(), "code").unwrap();
    let sub = |answer: Answer| claims(answer.json()["id_token"].as_str().unwrap())["sub"].clone();
    let (a, b) = (
        sub(redeem(&pair, &mine, &[]).await),
        sub(redeem(&pair, &theirs, &other).await),
    );
    assert_ne!(a, b);
    let again = code(&pair, &mut browser).await;
    assert_eq!(
        sub(redeem(&pair, &again, &[]).await),
        a,
        "and each the same one every time"
    );
}

#[tokio::test]
async fn the_metadata_promise_what_the_provider_does() {
    let pair = Pair::new().await;
    let mut browser = Browser::default();
    let said = browser
        .get(&pair.ministry, "/.well-known/openid-configuration")
        .await
        .json();
    assert_eq!(said["issuer"], pair.provider.issuer.as_str());
    assert_eq!(
        said["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    let keys = browser.get(&pair.ministry, "/oidc/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["kid"], pair.provider.kid());
    assert_eq!(keys["keys"][0]["d"], Value::Null, "never the private number");
    let x = keys["keys"][0]["x"].as_str().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(x).unwrap().len(), 32);
}

#[tokio::test]
async fn a_node_that_is_no_provider_has_none_of_its_routes() {
    let pair = Pair::new().await;
    for path in [
        "/.well-known/openid-configuration",
        "/oidc/authorize",
        "/oidc/jwks.json",
    ] {
        let answer = Browser::default().get(&pair.portal, path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_level_of_one_is_told_as_one() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let mut new = citizen("c2", "hoa", 1);
    new.subject = Some("038192000002".parse().unwrap());
    pair.ministry.open(&new).await;
    browser.sign_in(&pair.ministry, "hoa", PASSWORD).await;
    let code = code(&pair, &mut browser).await;
    let got = redeem(&pair, &code, &[]).await.json();
    assert_eq!(claims(got["id_token"].as_str().unwrap())["loAs"], "1");
}
