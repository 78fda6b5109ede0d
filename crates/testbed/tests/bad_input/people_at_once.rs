//! Two at once and pages that have grown old: one wins, the other is told, nothing is lost.

use sen::up::nation::Place;
use serde_json::json;
use testbed::birth::{self, Answers, Desk, at_desk};
use testbed::ground::run;
use testbed::people::Person;
use testbed::raw::{Answer, Asked};
use testbed::site::Site;

use crate::house::{desk, house, mother, world};

/// A case at the desk, freshly filed.
async fn filed(mother: &mut Person, desk: &mut Desk) -> (String, serde_json::Value) {
    let answers = Answers::usual(&world()).expect("answers");
    let paper = birth::paper(&world()).expect("a paper");
    let case = birth::whole(mother, &answers, &paper).await.expect("filed");
    let seen = at_desk(&mut desk.receptionist, &case, |_| true)
        .await
        .expect("at the desk");
    (case, seen)
}

/// A verb at the desk as it is sent, and its answer as it came.
async fn verb(site: &Site, who: &Person, case: &str, verb: &str, body: &serde_json::Value) -> Answer {
    let url = site.url(Place::Province, &format!("/api/v1/desk/cases/{case}/{verb}"));
    Asked::by(who)
        .json(body.to_string())
        .send("POST", &url)
        .await
        .expect("an answer")
}

#[test]
fn a_double_click_files_one_case() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        birth::prefill(&mut mother, &draft).await.expect("prefilled");
        let (answers, paper) = (
            Answers::usual(&world()).expect("answers"),
            birth::paper(&world()).expect("a paper"),
        );
        birth::fill(&mut mother, &draft, &answers, &paper)
            .await
            .expect("filled");
        let revision = birth::check(&mut mother, &draft).await.expect("a check");
        let url = site.url(Place::National, &format!("/drafts/{draft}/file"));
        let click = Asked::by(&mother).form(format!("revision={revision}"));
        let (one, two, three) = tokio::join!(
            click.send("POST", &url),
            click.send("POST", &url),
            click.send("POST", &url)
        );
        let codes: Vec<String> = [one, two, three]
            .into_iter()
            .map(|told| {
                let told = told.expect("an answer");
                assert_eq!(told.status, 303, "{}", told.text());
                birth::code(told.location()).expect("a case")
            })
            .collect();
        assert!(codes.iter().all(|c| *c == codes[0]), "{codes:?}");
        let kept = mother
            .get(&format!("/api/v1/drafts/{draft}"))
            .await
            .expect("an answer")
            .json()
            .expect("a draft");
        assert_eq!(kept["filed_as"], codes[0].as_str());
        let mut desk = desk(&site).await;
        at_desk(&mut desk.receptionist, &codes[0], |_| true)
            .await
            .expect("at the desk");
        let list = desk
            .receptionist
            .get("/api/v1/desk/cases")
            .await
            .expect("an answer")
            .json()
            .expect("a list");
        let times = list["items"]
            .as_array()
            .expect("items")
            .iter()
            .filter(|c| c["code"] == codes[0].as_str())
            .count();
        assert_eq!(times, 1);
    });
}

#[test]
fn a_page_that_has_grown_old_changes_nothing_and_loses_nothing() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let draft = birth::start(&mut mother).await.expect("a draft");
        let path = format!("/drafts/{draft}/pages/child");
        // Two windows show the same page; the first is sent, then the second.
        let second = mother.get(&path).await.expect("a page").text();
        let usual = Answers::usual(&world()).expect("answers");
        birth::answer(&mut mother, &draft, "child", &usual)
            .await
            .expect("an answer")
            .ok()
            .expect("taken");
        let late = usual
            .clone()
            .with("child_name", "Lê Nguyễn Cửa Sổ Hai")
            .fields(&second);
        let late: Vec<(&str, &str)> = late.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let told = mother.post(&path, &late).await.expect("an answer");
        assert_eq!(told.status, 409);
        assert!(
            told.text().contains("Lê Nguyễn Cửa Sổ Hai"),
            "what was typed is shown again"
        );
        let kept = mother
            .get(&format!("/api/v1/drafts/{draft}"))
            .await
            .expect("an answer")
            .json()
            .expect("a draft");
        assert_eq!(
            kept["answers"]["child_name"],
            usual.get("child_name"),
            "what was kept stays"
        );
    });
}

#[test]
fn a_double_click_at_the_desk_is_one_act() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let (mut mother, mut desk) = (mother(&site).await, desk(&site).await);
        let (case, seen) = filed(&mut mother, &mut desk).await;
        let body = json!({"revision": seen["revision"]});
        let (one, two) = tokio::join!(
            verb(&site, &desk.receptionist, &case, "accept", &body),
            verb(&site, &desk.receptionist, &case, "accept", &body)
        );
        assert_eq!(
            (one.status, two.status),
            (200, 200),
            "{} {}",
            one.text(),
            two.text()
        );
        let now = at_desk(&mut desk.receptionist, &case, |_| true)
            .await
            .expect("at the desk");
        assert_eq!(
            (&now["state"], now["statuses"].as_array().map(Vec::len)),
            (&"accepted".into(), Some(2))
        );
    });
}

#[test]
fn an_official_with_an_old_page_is_told_that_the_case_moved_on() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let (mut mother, mut desk) = (mother(&site).await, desk(&site).await);
        let (case, seen) = filed(&mut mother, &mut desk).await;
        let accepted = birth::act(&mut desk.receptionist, &seen, "accept", &json!({}))
            .await
            .expect("accepted");
        let granted = json!({"outcome": "granted", "note": "Đủ điều kiện"});
        birth::act(&mut desk.officer, &accepted, "propose", &granted)
            .await
            .expect("proposed");
        let old = &accepted["revision"];
        let refused = json!({"revision": old, "outcome": "refused", "note": "Thiếu giấy tờ"});
        let late = verb(&site, &desk.officer, &case, "propose", &refused).await;
        assert_eq!(late.status, 409, "{}", late.text());
        for part in ["title", "detail", "remedy"] {
            assert!(
                late.json()[part].as_str().is_some_and(|t| !t.is_empty()),
                "{part}: {}",
                late.text()
            );
        }
        let form = Asked::by(&desk.officer).form(format!("revision={old}&outcome=refused&note=x"));
        let url = site.url(Place::Province, &format!("/desk/cases/{case}/propose"));
        let page = form.send("POST", &url).await.expect("an answer");
        assert_eq!(page.status, 409);
        assert!(page.text().contains("<main"), "a page, not a bare error");
        let now = at_desk(&mut desk.officer, &case, |_| true)
            .await
            .expect("at the desk");
        assert_eq!(now["proposal"]["outcome"], "granted", "what was said first holds");
    });
}

#[test]
fn of_two_who_decide_at_once_one_wins() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let (mut mother, mut desk) = (mother(&site).await, desk(&site).await);
        let (case, seen) = filed(&mut mother, &mut desk).await;
        let accepted = birth::act(&mut desk.receptionist, &seen, "accept", &json!({}))
            .await
            .expect("accepted");
        let word = |note: &str| json!({"revision": accepted["revision"], "outcome": "granted", "note": note});
        let (first, second) = (word("Ý kiến thứ nhất"), word("Ý kiến thứ hai"));
        let (one, two) = tokio::join!(
            verb(&site, &desk.officer, &case, "propose", &first),
            verb(&site, &desk.officer, &case, "propose", &second)
        );
        assert_eq!(
            winners([one.status, two.status]),
            1,
            "{} {}",
            one.text(),
            two.text()
        );
        testbed::birth::agree(&mut desk.applicant, &case)
            .await
            .expect("looked at");
        let to_sign = at_desk(&mut desk.chairman, &case, |c| c["state"] == "to-sign")
            .await
            .expect("to sign");
        let held = if one.status == 200 { &first } else { &second };
        assert_eq!(
            to_sign["proposal"]["note"], held["note"],
            "the winner's word holds"
        );
        let sign = json!({"revision": to_sign["revision"]});
        let back = json!({"revision": to_sign["revision"], "note": "Xem lại"});
        let (signed, sent_back) = tokio::join!(
            verb(&site, &desk.chairman, &case, "sign", &sign),
            verb(&site, &desk.chairman, &case, "send-back", &back)
        );
        assert_eq!(
            winners([signed.status, sent_back.status]),
            1,
            "{} {}",
            signed.text(),
            sent_back.text()
        );
        let end = if signed.status == 200 {
            "to-seal"
        } else {
            "reworking"
        };
        at_desk(&mut desk.chairman, &case, |c| c["state"] == end)
            .await
            .expect("the winner's word holds");
    });
}

/// How many of two were told yes, when the other was told that the case moved on.
fn winners(statuses: [u16; 2]) -> usize {
    assert!(statuses.iter().all(|s| matches!(s, 200 | 409)), "{statuses:?}");
    statuses.iter().filter(|s| **s == 200).count()
}
