//! API keys over HTTP: made, used, seen, ended; and what refuses one.

use axum::body::Body;
use axum::http::{Request, header};
use kernel::limits::Limits;
use kernel::{Actor, Digest, Fact, Time};
use serde_json::{Value, json};

use super::uses::Uses;
use super::{KEYS_LISTED, shown};
use crate::NewAccount;
use crate::store::keys::{self as rows, NewKey};
use crate::testing::{Answer, Browser, Node, PASSWORD, official};

const WORK: &str = "/api/v1/exchange/work";
const DAY_MS: i64 = 86_400_000;

fn operator(id: &str, user: &str) -> NewAccount {
    NewAccount {
        roles: vec!["operator".to_owned(), "officer".to_owned()],
        ..official(id, user)
    }
}

/// A node with an operator who is signed in.
async fn desk() -> (Node, Browser) {
    let node = Node::passwords().await;
    node.open(&operator("o1", "lan")).await;
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&node, "lan", PASSWORD).await.status, 303);
    (node, browser)
}

fn now(node: &Node) -> i64 {
    node.temp.store.world().now().ms()
}

async fn post(node: &Node, browser: &mut Browser, path: &str, body: &Value) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "same-origin");
    browser.send(node, request, Body::from(body.to_string())).await
}

async fn get(node: &Node, browser: &mut Browser, path: &str) -> Value {
    let request = Request::get(path).header(header::ACCEPT, "application/json");
    browser.send(node, request, Body::empty()).await.json()
}

/// A key of some roles for a day: its id, and itself.
async fn made(node: &Node, browser: &mut Browser, roles: &[&str]) -> (String, String) {
    let wanted = json!({"name": "Báo cáo đêm", "roles": roles, "expires": now(node) + DAY_MS});
    let answer = post(node, browser, "/api/v1/keys", &wanted).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let told = answer.json();
    let text = |field: &str| told[field].as_str().unwrap().to_owned();
    (text("key"), text("secret"))
}

/// A call without a session, with an `Authorization`.
async fn call(node: &Node, path: &str, authorization: &str) -> Answer {
    let request = Request::post(path)
        .header(header::HOST, "127.0.0.1")
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, authorization);
    node.send(request.body(Body::empty()).unwrap()).await
}

async fn refused(node: &Node, key: &str) -> (u16, String) {
    let answer = call(node, WORK, &format!("Bearer {key}")).await;
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    (answer.status, kind.trim_start_matches("/problems/").to_owned())
}

#[tokio::test]
async fn a_key_stands_for_its_maker_where_keys_are_taken_and_nowhere_else() {
    let (node, mut browser) = desk().await;
    let (id, key) = made(&node, &mut browser, &["operator"]).await;
    for authorization in [format!("Bearer {key}"), format!("X-Road-ApiKey token={key}")] {
        let answer = call(&node, WORK, &authorization).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "o1 operator"));
    }
    let of_the_directory = call(&node, "/api/v1/directory/work", &format!("Bearer {key}")).await;
    assert_eq!(
        (of_the_directory.status, of_the_directory.body.as_str()),
        (200, "o1 operator")
    );
    let (_, small) = made(&node, &mut browser, &["officer"]).await;
    let refused = call(&node, "/api/v1/directory/work", &format!("Bearer {small}")).await;
    assert_eq!(refused.status, 403, "no more than its roles");
    for path in [
        "/work",
        "/api/v1/keys",
        "/api/v1/exchanges",
        "/api/v1/directories/work",
    ] {
        let answer = call(&node, path, &format!("Bearer {key}")).await;
        assert!(matches!(answer.status, 401 | 404), "{path} {}", answer.status);
    }
    let all = get(&node, &mut browser, "/api/v1/keys").await;
    let own = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"] == id.as_str());
    let own = own.unwrap();
    assert_eq!(
        (&own["state"], &own["used"]),
        (&"good".into(), &now(&node).into())
    );
    assert!(!all.to_string().contains(&key), "it was told once");
    let facts = node.facts(&format!("api-key/{id}")).await;
    let made = Fact::ApiKeyMade {
        key: id,
        account: "o1".to_owned(),
        roles: vec!["operator".to_owned()],
        expires: kernel::Time(now(&node) + DAY_MS),
    };
    assert_eq!(facts, [made]);
}

#[tokio::test]
async fn a_key_that_is_wrong_over_revoked_or_too_small_is_refused_and_each_says_so() {
    let (node, mut browser) = desk().await;
    let (id, key) = made(&node, &mut browser, &["operator"]).await;
    let (_, small) = made(&node, &mut browser, &["officer"]).await;
    let told = |code: &str, status: u16| (status, code.to_owned());
    for wrong in ["", "x", &"0".repeat(64), &key[1..]] {
        assert_eq!(refused(&node, wrong).await, told("api-key-wrong", 401), "{wrong}");
    }
    assert_eq!(refused(&node, &small).await, told("role-missing", 403));
    // A session does not help a wrong key, and a key is no password: `Basic` is not looked at.
    let request = Request::post(WORK)
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, "Bearer x");
    assert_eq!(browser.send(&node, request, Body::empty()).await.status, 401);
    assert_eq!(call(&node, WORK, &format!("Basic {key}")).await.status, 401);
    let revoke = format!("/api/v1/keys/{id}/revoke");
    for _ in 0..2 {
        assert_eq!(post(&node, &mut browser, &revoke, &json!({})).await.status, 204);
    }
    assert_eq!(refused(&node, &key).await, told("api-key-revoked", 401));
    assert_eq!(
        node.facts(&format!("api-key/{id}")).await.len(),
        2,
        "revoked once"
    );
    let (_, key) = made(&node, &mut browser, &["operator"]).await;
    node.temp.clock.advance_ms(DAY_MS);
    assert_eq!(refused(&node, &key).await, told("api-key-expired", 401));
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_do_more_than_they_or_looks_after_another_units_keys() {
    let (node, mut browser) = desk().await;
    for (field, wanted) in [
        (
            "name",
            json!({"name": " ", "roles": ["operator"], "expires": now(&node) + 1}),
        ),
        (
            "name",
            json!({"name": "x".repeat(101), "roles": ["operator"], "expires": now(&node) + 1}),
        ),
        (
            "roles",
            json!({"name": "x", "roles": [], "expires": now(&node) + 1}),
        ),
        (
            "roles",
            json!({"name": "x", "roles": ["chairman"], "expires": now(&node) + 1}),
        ),
        (
            "expires",
            json!({"name": "x", "roles": ["operator"], "expires": now(&node)}),
        ),
        (
            "expires",
            json!({"name": "x", "roles": ["operator"], "expires": now(&node) + 367 * DAY_MS}),
        ),
    ] {
        let answer = post(&node, &mut browser, "/api/v1/keys", &wanted).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (422, &field.into()),
            "{wanted}"
        );
    }
    for _ in 0..Limits::default().api_keys_max {
        made(&node, &mut browser, &["officer"]).await;
    }
    let wanted = json!({"name": "x", "roles": ["officer"], "expires": now(&node) + 1});
    let many = post(&node, &mut browser, "/api/v1/keys", &wanted).await;
    assert_eq!(
        (many.status, &many.json()["type"]),
        (422, &"/problems/api-key-many".into())
    );
    let (id, _) = {
        let all = get(&node, &mut browser, "/api/v1/keys").await;
        (all[0]["key"].as_str().unwrap().to_owned(), ())
    };
    node.open(&NewAccount {
        unit: "G01.13".parse().unwrap(),
        ..operator("o2", "mai")
    })
    .await;
    node.open(&official("o3", "hoa")).await;
    let mut other = Browser::default();
    other.sign_in(&node, "mai", PASSWORD).await;
    assert_eq!(get(&node, &mut other, "/api/v1/keys").await, json!([]));
    let revoke = format!("/api/v1/keys/{id}/revoke");
    assert_eq!(post(&node, &mut other, &revoke, &json!({})).await.status, 404);
    let mut officer = Browser::default();
    officer.sign_in(&node, "hoa", PASSWORD).await;
    assert_eq!(
        post(&node, &mut officer, "/api/v1/keys", &wanted).await.status,
        403
    );
    assert_eq!(
        post(&node, &mut Browser::default(), "/api/v1/keys", &wanted)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn an_operator_looks_after_keys_by_the_page_and_sees_a_new_one_once() {
    let (node, mut browser) = desk().await;
    let bad = browser
        .post(&node, "/keys", &[("name", ""), ("expires", "x")])
        .await;
    assert_eq!(bad.status, 422);
    for field in ["name", "roles", "expires"] {
        assert!(
            bad.body.contains(&format!("href=\"#{field}\"")),
            "{field}: {}",
            bad.body
        );
    }
    let day = kernel::time::iso(kernel::Time(now(&node)).date());
    let form = [
        ("name", "Báo cáo"),
        ("roles", "operator"),
        ("expires", day.as_str()),
    ];
    let made = browser.post(&node, "/keys", &form).await;
    assert_eq!(
        (made.status, &made.headers[header::CACHE_CONTROL]),
        (200, &"no-store".parse().unwrap())
    );
    let (_, behind) = made.body.split_once("<p class=\"code break\">").expect("the key");
    let (key, _) = behind.split_once("</p>").expect("its end");
    assert_eq!(call(&node, WORK, &format!("Bearer {key}")).await.status, 200);
    let again = browser.get(&node, "/keys").await;
    assert!(
        !again.body.contains(key) && again.body.contains("Báo cáo"),
        "{}",
        again.body
    );
    let (_, behind) = again
        .body
        .split_once("action=\"/keys/")
        .expect("a way to revoke it");
    let (id, _) = behind.split_once("/revoke").expect("its id");
    let done = browser.post(&node, &format!("/keys/{id}/revoke"), &[]).await;
    assert_eq!((done.status, done.location()), (303, "/keys"));
    assert_eq!(refused(&node, key).await.1, "api-key-revoked");
}

#[tokio::test]
async fn unknown_keys_from_one_address_have_a_bound_and_lock_no_known_key_out() {
    let (node, mut browser) = desk().await;
    let (id, stale) = made(&node, &mut browser, &["operator"]).await;
    let (_, key) = made(&node, &mut browser, &["operator"]).await;
    let revoke = format!("/api/v1/keys/{id}/revoke");
    assert_eq!(post(&node, &mut browser, &revoke, &json!({})).await.status, 204);
    let max = Limits::default().api_key_wrong_max;
    for _ in 0..=max {
        assert_eq!(refused(&node, &stale).await.1, "api-key-revoked");
    }
    for _ in 0..max {
        assert_eq!(
            refused(&node, "x").await.0,
            401,
            "a stale key does not count, nor one twice"
        );
    }
    assert_eq!(refused(&node, "x").await, (429, "api-key-calls".to_owned()));
    assert_eq!(refused(&node, &stale).await.1, "api-key-revoked");
    assert_eq!(call(&node, WORK, &format!("Bearer {key}")).await.status, 200);
    node.temp.clock.advance_ms(60_000);
    assert_eq!(refused(&node, "x").await.0, 401);
}

#[tokio::test]
async fn many_keys_of_another_unit_hide_none_and_what_is_long_over_is_swept() {
    let (node, mut browser) = desk().await;
    let (id, _) = made(&node, &mut browser, &["operator"]).await;
    node.open(&NewAccount {
        unit: "G01.13".parse().unwrap(),
        ..operator("o2", "mai")
    })
    .await;
    node.temp.clock.advance_ms(1);
    let expires = Time(now(&node) + DAY_MS);
    let others = node
        .temp
        .store
        .write(&node.tenant, &Actor::Platform, |tx| async move {
            for n in 0..KEYS_LISTED {
                let id = format!("other-{n}");
                let key = NewKey {
                    id: &id,
                    digest: &Digest::of(id.as_bytes()),
                    account: "o2",
                    name: "x",
                    roles: &[],
                    expires,
                };
                rows::insert_key(&tx, &key).await?;
            }
            Ok(())
        })
        .await;
    others.unwrap();
    let listed = get(&node, &mut browser, "/api/v1/keys").await;
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["key"]),
        (1, &id.clone().into())
    );
    let revoke = format!("/api/v1/keys/{id}/revoke");
    assert_eq!(post(&node, &mut browser, &revoke, &json!({})).await.status, 204);
    node.temp.clock.advance_ms(402 * DAY_MS);
    assert_eq!(browser.sign_in(&node, "lan", PASSWORD).await.status, 303);
    let (new, _) = made(&node, &mut browser, &["operator"]).await;
    let listed = get(&node, &mut browser, "/api/v1/keys").await;
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["key"]),
        (1, &new.into())
    );
}

#[test]
fn a_minute_holds_as_many_uses_as_it_may_and_the_next_begins_anew() {
    let mut uses = Uses::default();
    let at = kernel::Time;
    let mut take = |key: &str, ms| uses.of_key(key, 2, at(ms));
    assert!(take("a", 0) && take("a", 59_999) && !take("a", 59_999) && take("b", 59_999));
    assert!(take("a", 60_000));
}

#[test]
fn unknown_keys_are_counted_by_household_and_apart_from_the_uses_of_good_ones() {
    let mut uses = Uses::default();
    let mut unknown = |address: &str, ms| uses.unknown_from(address.parse().ok(), 1, Time(ms));
    assert!(unknown("2001:db8::1", 0) && !unknown("2001:db8::2", 0));
    assert!(unknown("2001:db8:0:1::1", 0) && unknown("10.0.0.1", 0) && !unknown("::ffff:10.0.0.1", 0));
    assert!(unknown("2001:db8::2", 60_000));
    assert!(uses.of_key("2001:db8::2", 1, Time(60_000)));
}

#[test]
fn a_key_is_read_from_two_schemes_and_no_other() {
    let read = |value: &str| {
        let headers = axum::http::HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        shown(&headers).map(str::to_owned)
    };
    assert_eq!(read("Bearer k"), Some("k".to_owned()));
    assert_eq!(read("bearer  k"), Some("k".to_owned()));
    assert_eq!(read("X-Road-ApiKey token=k"), Some("k".to_owned()));
    for other in ["Bearer", "Basic k", "X-Road-ApiKey k", "k"] {
        assert_eq!(read(other), None, "{other}");
    }
}
