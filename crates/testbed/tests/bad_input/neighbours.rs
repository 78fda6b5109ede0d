//! A neighbour that is down, an agreement that ended, a certificate that was revoked: who asked is
//! told, and what they had is kept.

use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, at_desk};
use testbed::ground::{run, until};
use testbed::nation::Nation;
use testbed::people::Person;
use testbed::raw::{self, Answer};
use tokio::sync::OnceCell;

use crate::house::{desk, mother, world};

/// A system asks a service at a face, which answers.
async fn ask(nation: &Nation, place: Place, consumer: &str, service: &str, body: &Value) -> Answer {
    raw::ask(&nation.site, place, consumer, service, body)
        .await
        .expect("an answer")
}

#[test]
fn with_the_registers_down_she_goes_on_by_hand_and_files() {
    run(async {
        let nation = Nation::start("down").await.expect("a nation");
        let (mut mother, mut desk) = (mother(&nation.site).await, desk(&nation.site).await);
        nation.stop_node(Place::Ministry).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        let told = birth::prefill(&mut mother, &draft)
            .await
            .expect("an answer")
            .text();
        assert!(told.contains("Bộ Công an"), "she is told who does not answer");
        assert!(told.contains("vẫn được lưu"), "she is told that the form is kept");
        let answers = Answers::usual(&world()).expect("answers");
        birth::fill(
            &mut mother,
            &draft,
            &answers,
            &birth::paper(&world()).expect("a paper"),
        )
        .await
        .expect("by hand");
        let case = birth::file(&mut mother, &draft).await.expect("filed");
        let kept = mother
            .get(&format!("/api/v1/drafts/{draft}"))
            .await
            .expect("an answer")
            .json()
            .expect("a draft");
        assert_eq!(kept["prefilled"], json!({}));
        assert_eq!(kept["answers"]["mother_number"], answers.get("mother_number"));
        let seen = at_desk(&mut desk.receptionist, &case, |_| true)
            .await
            .expect("the province has it");
        let accepted = birth::act(&mut desk.receptionist, &seen, "accept", &json!({}))
            .await
            .expect("accepted");
        let granted = json!({"outcome": "granted", "note": "Đủ điều kiện"});
        birth::act(&mut desk.officer, &accepted, "propose", &granted)
            .await
            .expect("proposed");
        birth::agree(&mut mother, &case)
            .await
            .expect("the draft needs no register");
        let waits = at_desk(&mut desk.officer, &case, |c| c["state"] == "entering")
            .await
            .expect("the case");
        assert_eq!(waits["act"], Value::Null, "no act without its register");
        nation
            .start_node(Place::Ministry)
            .await
            .expect("the ministry is back");
        let entered = at_desk(&mut desk.chairman, &case, |c| c["state"] == "to-sign")
            .await
            .expect("the act is entered");
        assert!(entered["act"]["personal_number"].is_string());
    });
}

/// A nation in which the agreement on marriages has ended.
async fn ended() -> &'static Nation {
    static NATION: OnceCell<Nation> = OnceCell::const_new();
    let start = || async {
        let pack = testbed::pack::changed("agreements/portal-marriage.toml", &world(), |text| {
            text.replace("valid_to = \"2035-07-01\"", "valid_to = \"2026-01-01\"")
        });
        Nation::of("ended", pack.expect("a pack"))
            .await
            .expect("a nation")
    };
    NATION.get_or_init(start).await
}

#[test]
fn an_agreement_that_ended_opens_nothing_and_stops_nobody() {
    run(async {
        let nation = ended().await;
        let _shared = nation.shared().await;
        let mut mother = mother(&nation.site).await;
        let body = json!({"wife_number": "038198004726"});
        let told = ask(
            nation,
            Place::National,
            "G22/portal",
            "G15/civil-status/marriage-lookup",
            &body,
        )
        .await;
        assert_eq!(
            (told.status, told.problem().as_str()),
            (403, "agreement-expired"),
            "{}",
            told.text()
        );
        let draft = birth::start(&mut mother).await.expect("a draft");
        let page = birth::prefill(&mut mother, &draft)
            .await
            .expect("an answer")
            .text();
        assert!(page.contains("tự khai"), "she is told to type the rest");
        let kept = mother
            .get(&format!("/api/v1/drafts/{draft}"))
            .await
            .expect("an answer")
            .json()
            .expect("a draft");
        assert!(
            kept["prefilled"]["mother_name"]["value"].is_string(),
            "her own record came"
        );
        assert!(
            kept["prefilled"].get("father_number").is_none(),
            "the marriage did not"
        );
        let answers = Answers::usual(&world()).expect("answers");
        birth::fill(
            &mut mother,
            &draft,
            &answers,
            &birth::paper(&world()).expect("a paper"),
        )
        .await
        .expect("by hand");
        birth::check(&mut mother, &draft).await.expect("ready to file");
    });
}

#[test]
fn a_node_whose_certificate_is_revoked_is_handed_nothing_and_no_case_is_lost() {
    run(async {
        let nation = ended().await;
        let (mut mother, mut desk) = {
            let _shared = nation.shared().await;
            (mother(&nation.site).await, desk(&nation.site).await)
        };
        let _alone = nation.alone().await;
        let mut operator = Person::official(&nation.site, "operator", Place::National)
            .await
            .expect("an operator");
        let directory = operator
            .get("/api/v1/directory")
            .await
            .expect("an answer")
            .json()
            .expect("a directory");
        let nodes = directory["nodes"].as_array().expect("nodes");
        let province = nodes
            .iter()
            .find(|n| n["id"] == "province")
            .expect("the province");
        let thumbprint = province["certificate"].as_str().expect("a certificate");
        let path = format!("/api/v1/directory/certificates/{thumbprint}/revoke");
        operator
            .post_json(&path, &json!({"reason": "Lộ khóa (mẫu)"}))
            .await
            .expect("revoked");
        let handed = ask(
            nation,
            Place::National,
            "G22/portal",
            "H56/one-stop/receive-case",
            &json!({}),
        )
        .await;
        assert_eq!(
            (handed.status, handed.problem().as_str()),
            (403, "node-revoked"),
            "{}",
            handed.text()
        );
        let case = file(&mut mother).await;
        waits(nation, &case).await;
        let kept = mother
            .get(&format!("/api/v1/cases/{case}"))
            .await
            .expect("an answer")
            .json()
            .expect("the case");
        assert_eq!(
            (&kept["status"], kept["statuses"].as_array().map(Vec::len)),
            (&1.into(), Some(1))
        );
        assert_eq!(
            desk.receptionist
                .get(&format!("/api/v1/desk/cases/{case}"))
                .await
                .expect("an answer")
                .status,
            404
        );
        // The other side as well: what the revoked node asks of others is refused.
        let body = json!({"personal_number": "038198004726"});
        let told = until("the ministry knows", async || {
            let told = ask(
                nation,
                Place::Province,
                "H56/one-stop",
                "G15/civil-status/enter-birth",
                &body,
            )
            .await;
            Ok((told.problem() == "node-revoked").then_some(told))
        });
        assert_eq!(told.await.expect("refused").status, 403);
    });
}

/// A case, filed.
async fn file(mother: &mut Person) -> String {
    let draft = birth::start(mother).await.expect("a draft");
    birth::prefill(mother, &draft).await.expect("prefilled");
    let answers = Answers::usual(&world()).expect("answers");
    birth::fill(
        mother,
        &draft,
        &answers,
        &birth::paper(&world()).expect("a paper"),
    )
    .await
    .expect("filled");
    birth::file(mother, &draft).await.expect("filed")
}

/// The handover was tried, was refused and waits.
async fn waits(nation: &Nation, case: &str) {
    let store = nation.store(Place::National).await.expect("a store");
    let tenant = Place::National.tenants().remove(0);
    until("the handover was tried", async || {
        let lines = store
            .outbox_waiting(&tenant)
            .await
            .map_err(|p| anyhow::anyhow!("{p}"))?;
        Ok(lines
            .into_iter()
            .find(|l| l.topic == "case-handover" && l.key == case && l.attempts > 0))
    })
    .await
    .expect("the case waits to be handed over");
}
