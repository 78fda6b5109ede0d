//! How agreements are taken back, stopped by days and ended, as operators see it at both nodes; and what
//! the one learns of the other's services.

use serde_json::{Value, json};

use crate::life::{carry, nation};
use crate::nation::{Nation, PORTAL};
use crate::offered::{PERSONS, System, agree};
use crate::operator::desk_at;

/// The agreement of the tests as a program sends it.
fn text(nation: &Nation) -> Value {
    let mut text = serde_json::to_value(nation.agreement()).expect("json");
    text.as_object_mut().expect("an object").remove("provider");
    text
}

/// How many facts the consumer has about the service.
async fn heard_facts(nation: &Nation) -> usize {
    let (tenant, subject) = ("G22".parse().expect("a code"), format!("service/{PERSONS}"));
    let facts = nation.national.temp.store.facts_of(&tenant, &subject).await;
    facts.expect("reads").len()
}

#[tokio::test]
async fn a_request_is_taken_back_by_the_page_and_by_a_program() {
    let nation = nation().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let (_, asked) = national.post("agreements", &text(&nation)).await;
    carry(&nation.national).await;
    let request = asked["request"].as_str().expect("a name");
    let page = format!("/exchange/agreements/{request}");
    let (_, _, one) = national.page(&page, None).await;
    assert!(one.contains("Rút lại đề nghị"), "{one}");
    let (_, _, one) = ministry.page(&page, None).await;
    assert!(
        !one.contains("Rút lại đề nghị"),
        "it is not the provider's to take back"
    );
    let withdraw = format!("{page}/withdraw");
    let (status, _, bad) = national.page(&withdraw, Some(&[("reason", " ")])).await;
    assert!(
        status == 422 && bad.contains("href=\"#withdraw-reason\""),
        "{bad}"
    );
    assert_eq!(ministry.page(&withdraw, Some(&[("reason", "x")])).await.0, 403);
    let (status, to, told) = national.page(&withdraw, Some(&[("reason", "Hết nhu cầu")])).await;
    assert_eq!((status, to.as_str()), (303, page.as_str()), "{told}");
    carry(&nation.national).await;
    for desk in [&national, &ministry] {
        let (_, _, one) = desk.page(&page, None).await;
        assert!(one.contains("đã rút lại") && one.contains("Hết nhu cầu"), "{one}");
        let seen = desk.get(&format!("agreements/{request}")).await;
        assert_eq!(seen["history"][1]["kind"], "withdrawal");
        assert_eq!(desk.get("agreements?state=withdrawn").await[0]["hash"], request);
    }
    let path = format!("agreements/{request}/withdraw");
    assert_eq!(national.post(&path, &json!({"reason": "x"})).await.0, 409);
    assert_eq!(national.post(&path, &json!({"why": "x"})).await.0, 422);
    let nobody = format!("agreements/{}/withdraw", "0".repeat(64));
    assert_eq!(national.post(&nobody, &json!({"reason": "x"})).await.0, 404);
    for (role, status) in [(None, 401), (Some("officer"), 403)] {
        let sent = national.send("POST", &path, role, r#"{"reason":"x"}"#).await;
        assert_eq!(sent.0, status);
    }
}

#[tokio::test]
async fn a_suspension_for_some_days_is_planned_by_the_page_and_seen_at_the_other_node() {
    let nation = nation().await;
    let agreement = exchange::Agreement {
        valid_to: nation.national.now().plus_ms(90 * 86_400_000),
        ..nation.agreement()
    };
    let hash = agreement.hash();
    nation.agree(agreement).await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let page = format!("/exchange/agreements/{hash}");
    let suspend = format!("{page}/suspend");
    let form = |from: &'static str, to: &'static str| {
        [("by", "G01"), ("reason", "Nâng cấp"), ("from", from), ("to", to)]
    };
    for (from, to, field) in [
        ("2026-11-25", "", "suspend-from"),
        ("x", "", "suspend-from"),
        ("2026-12-10", "2026-12-01", "suspend-to"),
    ] {
        let (status, _, bad) = ministry.page(&suspend, Some(&form(from, to))).await;
        assert!(
            status == 422 && bad.contains(&format!("href=\"#{field}\"")),
            "{field}: {bad}"
        );
    }
    let good = form("2026-12-10", "2026-12-12");
    let (status, _, told) = ministry.page(&suspend, Some(&good)).await;
    assert_eq!(status, 303, "{told}");
    carry(&nation.ministry).await;
    for desk in [&national, &ministry] {
        let (_, _, one) = desk.page(&page, None).await;
        assert!(one.contains("từ 10/12/2026 đến hết 12/12/2026"), "{one}");
        let (_, _, list) = desk.page("/exchange/agreements", None).await;
        assert!(list.contains("sắp tạm ngừng"), "{list}");
        let seen = desk.get(&format!("agreements/{hash}")).await;
        assert_eq!(
            (&seen["state"], &seen["suspensions"][0]["by"]),
            (&"in-force".into(), &"G01".into())
        );
    }
    let (_, _, one) = national.page(&page, None).await;
    assert!(!one.contains("/resume"), "it is not the consumer's to take back");
    let path = format!("agreements/{hash}/resume");
    assert_eq!(ministry.post(&path, &json!({"by": "G01"})).await.0, 204);
    let seen = ministry.get(&format!("agreements/{hash}")).await;
    assert_eq!(seen["suspensions"], json!([]));
    let at_once = json!({"by": "G01", "reason": "x", "until": 1});
    let path = format!("agreements/{hash}/suspend");
    assert_eq!(ministry.post(&path, &at_once).await.0, 422, "an unknown field");
}

#[tokio::test]
async fn what_ends_within_thirty_days_stands_before_the_list_at_both_nodes() {
    let nation = Nation::new().await;
    for node in [&nation.national, &nation.ministry] {
        let desk = desk_at(node).await;
        let (_, _, list) = desk.page("/exchange/agreements", None).await;
        assert!(list.contains("Thỏa thuận hết hạn trong 30 ngày tới"), "{list}");
        node.temp.clock.set(nation.agreement().valid_to);
        node.exchange.note_ends().await.expect("noted");
        let (_, _, list) = desk.page("/exchange/agreements", None).await;
        assert!(!list.contains("Thỏa thuận hết hạn trong 30 ngày tới"), "{list}");
        let seen = desk
            .get(&format!("agreements/{}", nation.agreement().hash()))
            .await;
        let last = seen["history"]
            .as_array()
            .expect("a list")
            .last()
            .expect("one")
            .clone();
        assert_eq!(
            (&seen["state"], &last["kind"]),
            (&"expired".into(), &"expiry".into())
        );
    }
}

#[tokio::test]
async fn the_consumers_operator_learns_that_a_service_stops_is_disabled_and_gone() {
    let nation = nation().await;
    let system = System::start(None).await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let service = json!({"service": PERSONS, "url": system.url});
    assert_eq!(ministry.post("services", &service).await.0, 201);
    agree(&nation).await;
    let stand = format!("services/{PERSONS}/stand");
    let day = |d: i64| nation.ministry.now().plus_ms(d * 86_400_000).ms();
    let heard = async || {
        carry(&nation.ministry).await;
        national.get("service-notices").await
    };
    assert_eq!(heard().await, json!([]));
    let stop = json!({"do": "announce-stop", "from": day(20), "to": day(21), "reason": "Nâng cấp"});
    assert_eq!(ministry.post(&stand, &stop).await.0, 204);
    let told = heard().await;
    assert_eq!(
        (&told[0]["service"], &told[0]["stop_from"]),
        (&PERSONS.into(), &day(20).into())
    );
    let (_, _, list) = national.page("/exchange/agreements", None).await;
    assert!(list.contains("Nâng cấp") && list.contains(PERSONS), "{list}");
    let hash = national.get("agreements").await[0]["hash"].clone();
    let one = format!("agreements/{}", hash.as_str().expect("a hash"));
    assert_eq!(
        national.get(&one).await["service_notice"]["stop_reason"],
        "Nâng cấp"
    );
    let (_, _, page) = national.page(&format!("/exchange/{one}"), None).await;
    assert!(page.contains("Bên cung cấp thông báo"), "{page}");
    let disable = json!({"do": "disable", "notice": "Lỗi dữ liệu"});
    assert_eq!(ministry.post(&stand, &disable).await.0, 204);
    assert_eq!(heard().await[0]["disabled"], "Lỗi dữ liệu");
    assert_eq!(ministry.post(&stand, &json!({"do": "lift-stop"})).await.0, 204);
    assert_eq!(ministry.post(&stand, &json!({"do": "enable"})).await.0, 204);
    assert_eq!(heard().await, json!([]), "all is well again");
    assert_eq!(ministry.post(&stand, &disable).await.0, 204);
    assert_eq!(ministry.post(&stand, &json!({"do": "remove"})).await.0, 204);
    assert_eq!(heard().await[0]["gone"], true);
    assert_eq!(
        ministry.get("service-notices").await,
        json!([]),
        "they are its own"
    );
    assert_eq!(heard_facts(&nation).await, 6, "one for each word");
    for (role, status) in [(None, 401), (Some("officer"), 403)] {
        let sent = national.send("GET", "service-notices", role, "").await;
        assert_eq!(sent.0, status);
    }
    assert!(
        national
            .get(&format!("allowed?consumer={PORTAL}&service={PERSONS}"))
            .await["allowed"]
            == false,
        "what is gone answers nobody"
    );
}

#[tokio::test]
async fn a_word_of_a_service_counts_from_its_provider_only_and_an_older_one_changes_nothing() {
    use exchange::life::words::{self, Said, Word};
    use exchange::offered::ServiceTold;

    let nation = nation().await;
    agree(&nation).await;
    let heard = nation.national.exchange.agreements();
    let say = |party: &str, seal: &str, serial: i64, why: &str| {
        let word = Word {
            party: party.parse().expect("a code"),
            at: nation.ministry.now(),
            said: Said::Service {
                service: PERSONS.parse().expect("a service"),
                serial,
                told: ServiceTold {
                    disabled: Some(why.to_owned()),
                    ..ServiceTold::default()
                },
            },
        };
        words::sign(word, &nation.ministry.seal(seal).key).token
    };
    for forged in [say("G15", "G15", 1, "x"), say("G01", "G15", 1, "x")] {
        assert_eq!(
            heard.hear(&forged).await.expect_err("refused").code,
            "seal-broken"
        );
    }
    let empty = say("G01", "G01", 1, " ");
    assert_eq!(
        heard.hear(&empty).await.expect_err("no words").code,
        "agreement-word"
    );
    for (serial, why) in [(2, "mới"), (1, "cũ"), (2, "mới")] {
        heard.hear(&say("G01", "G01", serial, why)).await.expect("heard");
    }
    let notices = nation.national.exchange.service_notices().await.expect("reads");
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].told.disabled.as_deref(), Some("mới"));
    assert_eq!(heard_facts(&nation).await, 1);
}
