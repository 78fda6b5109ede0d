//! Signing in at the portal through the provider, end to end over a socket, and what may go wrong
//! or be forged on the way.

use kernel::Fact;

use crate::testing::{Browser, PASSWORD, Pair, official};

/// The callback's address with one parameter changed; `None` takes it away.
fn changed(path: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = path.split_once('?').unwrap();
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&format!("{name}=")))
        .map(str::to_owned)
        .collect();
    if let Some(value) = value {
        pairs.push(format!("{name}={value}"));
    }
    format!("{path}?{}", pairs.join("&"))
}

#[tokio::test]
async fn a_citizen_signs_in_at_the_portal_through_the_provider() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut browser, "/cases/new?step=2").await;
    let done = browser.get(&pair.portal, &back).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(done.location(), "/cases/new?step=2");
    let me = browser.get(&pair.portal, "/api/v1/me").await.json();
    assert_eq!(me["name"], "Lê Thị Mai");
    assert_eq!((&me["level"], &me["tenant"]), (&2.into(), &"G22".into()));
    assert_eq!(me["roles"], serde_json::json!(["citizen"]));
    let id = me["account"].as_str().unwrap().to_owned();
    let opened = Fact::AccountOpened {
        account: id.clone(),
        level: 2,
    };
    let facts = pair.portal.facts(&format!("account/{id}")).await;
    assert_eq!(facts[0], opened);
    assert_eq!(
        facts[1],
        Fact::SignedIn {
            account: id,
            level: 2
        }
    );
    assert_eq!(facts.len(), 2);
}

#[tokio::test]
async fn the_same_citizen_has_the_same_account_every_time() {
    let pair = Pair::new().await;
    let mut accounts = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::default();
        let back = pair.come_back(&mut browser, "/").await;
        assert_eq!(browser.get(&pair.portal, &back).await.status, 303);
        accounts.push(browser.get(&pair.portal, "/api/v1/me").await.json()["account"].clone());
    }
    assert_eq!(accounts[0], accounts[1]);
}

#[tokio::test]
async fn no_secret_of_the_sign_in_stands_in_the_address() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let begun = browser.get(&pair.portal, "/sign-in?next=/a").await;
    assert!(begun.location().contains("code_challenge_method=S256"));
    assert!(!begun.location().contains("verifier"));
    let secret = &browser.cookies["sen_national_flow"];
    assert!(!begun.location().contains(secret.as_str()));
}

#[tokio::test]
async fn an_answer_without_or_with_another_state_signs_nobody_in() {
    for state in [None, Some("ab"), Some("")] {
        let (pair, mut browser) = (Pair::new().await, Browser::default());
        let back = pair.come_back(&mut browser, "/").await;
        let answer = browser.get(&pair.portal, &changed(&back, "state", state)).await;
        assert_eq!(answer.status, 409, "{state:?}");
        assert!(!browser.cookies.contains_key("sen_national"));
    }
}

#[tokio::test]
async fn an_answer_planted_in_another_browser_signs_nobody_in() {
    let (pair, mut thief) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut thief, "/").await;
    let mut victim = Browser::default();
    assert_eq!(
        victim.get(&pair.portal, &back).await.status,
        409,
        "no cookie of a flow"
    );
    let mut busy = Browser::default();
    busy.get(&pair.portal, "/sign-in").await;
    assert_eq!(
        busy.get(&pair.portal, &back).await.status,
        409,
        "the cookie of another"
    );
    assert!(!busy.cookies.contains_key("sen_national"));
}

#[tokio::test]
async fn an_answer_is_good_once() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut browser, "/").await;
    assert_eq!(browser.get(&pair.portal, &back).await.status, 303);
    browser.cookies.remove("sen_national");
    assert_eq!(browser.get(&pair.portal, &back).await.status, 409);
    assert!(!browser.cookies.contains_key("sen_national"));
}

#[tokio::test]
async fn an_answer_after_ten_minutes_is_too_late() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut browser, "/").await;
    pair.advance_ms(600_000);
    assert_eq!(browser.get(&pair.portal, &back).await.status, 409);
}

#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    for iss in [None, Some("https%3A%2F%2Fevil.example")] {
        let (pair, mut browser) = (Pair::new().await, Browser::default());
        let back = pair.come_back(&mut browser, "/").await;
        let answer = browser.get(&pair.portal, &changed(&back, "iss", iss)).await;
        assert_eq!(answer.status, 502, "{iss:?}");
        assert!(!browser.cookies.contains_key("sen_national"));
    }
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_refused_by_pkce() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let first = pair.come_back(&mut browser, "/").await;
    let mut other = Browser::default();
    let second = pair.come_back(&mut other, "/").await;
    let stolen = first
        .split(['?', '&'])
        .find_map(|p| p.strip_prefix("code="))
        .unwrap();
    let answer = other
        .get(&pair.portal, &changed(&second, "code", Some(stolen)))
        .await;
    assert_eq!(answer.status, 409);
    assert!(!other.cookies.contains_key("sen_national"));
}

#[tokio::test]
async fn a_declined_sign_in_signs_nobody_in() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut browser, "/").await;
    let declined = format!("{}&error=access_denied", changed(&back, "code", None));
    assert_eq!(browser.get(&pair.portal, &declined).await.status, 422);
    assert!(!browser.cookies.contains_key("sen_national"));
}

#[tokio::test]
async fn a_level_below_the_portals_is_refused() {
    let (pair, mut browser) = (Pair::with_level(3).await, Browser::default());
    let back = pair.come_back(&mut browser, "/").await;
    assert_eq!(browser.get(&pair.portal, &back).await.status, 403);
    assert!(!browser.cookies.contains_key("sen_national"));
}

#[tokio::test]
async fn a_session_planted_at_the_portal_is_worth_nothing_after_the_sign_in() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let planted = "cd".repeat(32);
    browser.cookies.insert("sen_national".to_owned(), planted.clone());
    let back = pair.come_back(&mut browser, "/").await;
    browser.get(&pair.portal, &back).await;
    assert_ne!(browser.cookies["sen_national"], planted);
    let mut thief = Browser::default();
    thief.cookies.insert("sen_national".to_owned(), planted);
    assert_eq!(thief.get(&pair.portal, "/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn next_of_the_provider_way_stays_at_the_portal() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let back = pair.come_back(&mut browser, "https://evil.example/").await;
    assert_eq!(browser.get(&pair.portal, &back).await.location(), "/");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_named_so() {
    let mut browser = Browser::default();
    let pair = Pair::new().await;
    let node = crate::testing::Node::of(
        pair.portal.temp.clone(),
        "G22",
        "national",
        crate::Mode::OpenId(crate::ClientConfig {
            // A port nobody listens on.
            issuer: "http://127.0.0.1:9".to_owned(),
            client_id: "portal".to_owned(),
            redirect_uri: crate::testing::CALLBACK.to_owned(),
            level_min: 1,
            http: web::Client::plain(),
        }),
        None,
    );
    assert_eq!(browser.get(&node, "/sign-in").await.status, 503);
}

#[tokio::test]
async fn an_official_of_the_portal_signs_in_with_a_password() {
    let (pair, mut browser) = (Pair::new().await, Browser::default());
    let mut operator = official("op1", "vanhanh");
    operator.roles = vec!["operator".to_owned()];
    operator.unit = "G22".parse().unwrap();
    pair.portal.open(&operator).await;
    let form = browser
        .get(&pair.portal, "/sign-in?with=password&next=/ops")
        .await;
    assert_eq!(form.status, 200);
    assert!(
        form.body.contains("/sign-in?next=%2Fops"),
        "the provider's way stays open"
    );
    let signed = browser.sign_in(&pair.portal, "vanhanh", PASSWORD).await;
    assert_eq!(signed.status, 303);
    let me = browser.get(&pair.portal, "/api/v1/me").await.json();
    assert_eq!(me["roles"], serde_json::json!(["operator"]));
}
