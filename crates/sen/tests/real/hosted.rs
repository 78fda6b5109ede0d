//! An organisation that a node hosts: its own operator signs in at the node's portal and sees and changes what
//! is its alone. Never an organisation with a node of its own.

use sen::story::http::Browser;
use serde_json::{Value, json};
use web::http;

use crate::house::{House, Node};

const PASSWORD: &str = "a long password";

/// Adds an account and signs in with it, once the node runs.
fn add(node: &Node, user: &str, words: &[&str]) {
    let add = [&["account", "add", "--user", user][..], words].concat();
    node.sen(&add, &format!("{PASSWORD}\n")).well();
}

async fn signed_in(node: &Node, user: &str) -> Browser {
    let mut browser = Browser::default();
    let words = json!({"user": user, "password": PASSWORD});
    let told = browser.post_json(&node.url("/api/v1/sign-in"), &words).await;
    told.expect("signed in");
    browser
}

async fn get(browser: &mut Browser, node: &Node, path: &str) -> (u16, Value) {
    let reply = browser.get(&node.url(&format!("/api/v1/exchange/{path}"))).await;
    let reply = reply.expect("an answer");
    (reply.status, reply.json().unwrap_or_default())
}

async fn post(browser: &Browser, node: &Node, path: &str, body: &Value) -> u16 {
    let cookies = browser.cookies().iter();
    let cookies: Vec<String> = cookies.map(|(name, value)| format!("{name}={value}")).collect();
    let request = http::Request::post(node.url(&format!("/api/v1/exchange/{path}")))
        .header("cookie", cookies.join("; "))
        .header("origin", node.url(""))
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .expect("a request");
    let answer = web::Client::plain().send(request, 10_000, 1 << 20).await;
    answer.expect("an answer").status().as_u16()
}

/// One text of each thing in a list.
fn texts(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn an_operator_of_a_hosted_organisation_signs_in_at_the_node_and_sees_its_own_alone() {
    let house = House::new("hosted");
    let node = house.hosting("province-56", &["H56", "G15"], "desk", "");
    add(&node, "vanhanh", &["--role", "operator"]);
    add(
        &node,
        "vanhanh.g15",
        &["--role", "operator", "--organisation", "G15"],
    );
    add(
        &node,
        "theodoi.g15",
        &["--role", "observer", "--organisation", "G15"],
    );
    let mut running = node.start();
    node.ready(&mut running).await;
    let mut home = signed_in(&node, "vanhanh").await;
    let mut hosted = signed_in(&node, "vanhanh.g15").await;
    let mut observer = signed_in(&node, "theodoi.g15").await;

    // Each registers a service of its own organisation, and neither speaks for the other's.
    let service =
        |org: &str| json!({"service": format!("{org}/records/lookup"), "url": "http://127.0.0.1:9"});
    assert_eq!(post(&home, &node, "services", &service("H56")).await, 201);
    assert_eq!(post(&hosted, &node, "services", &service("G15")).await, 201);
    let other = json!({"service": "H56/records/other", "url": "http://127.0.0.1:9"});
    assert!([403, 404, 422].contains(&post(&hosted, &node, "services", &other).await));
    assert_eq!(post(&observer, &node, "services", &service("G15")).await, 403);

    let (_, of_home) = get(&mut home, &node, "services").await;
    let names = texts(&of_home, "service");
    for wanted in ["H56/records/lookup", "G15/records/lookup"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} of {names:?}");
    }
    for browser in [&mut hosted, &mut observer] {
        let (status, list) = get(browser, &node, "services").await;
        let names = texts(&list, "service");
        assert_eq!(status, 200);
        assert!(names.iter().any(|name| name == "G15/records/lookup"), "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("G15/")), "{names:?}");
        assert_eq!(get(browser, &node, "services/H56/records/lookup").await.0, 404);
        let (_, standing) = get(browser, &node, "standing").await;
        let seals: Vec<String> = standing["certificates"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["what"] == "seal")
            .map(|one| one["whose"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(seals, ["G15"]);
        let (_, audit) = get(browser, &node, "audit").await;
        assert!(!audit.to_string().contains("H56/records"), "{audit}");
        let page = browser
            .get(&node.url("/exchange/services"))
            .await
            .expect("a page");
        assert_eq!(page.status, 200);
        assert!(page.text().contains("G15/records/lookup") && !page.text().contains("H56/records/lookup"));
    }

    // What concerns the whole node is the home organisation's.
    let notice = json!({"notice": "Nâng cấp"});
    assert_eq!(post(&hosted, &node, "maintenance", &notice).await, 403);
    assert_eq!(post(&observer, &node, "maintenance", &notice).await, 403);
    assert!(post(&home, &node, "maintenance", &notice).await < 300);
    let stand = "services/G15/records/lookup/stand";
    let disable = json!({"do": "disable", "notice": "Bảo trì"});
    assert_eq!(post(&observer, &node, stand, &disable).await, 403);
    assert_eq!(post(&hosted, &node, stand, &disable).await, 204);
    let other = "services/H56/records/lookup/stand";
    assert!([403, 404].contains(&post(&hosted, &node, other, &disable).await));
    running.stop();
    node.forget().await;
}
