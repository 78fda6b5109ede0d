//! The building permit (1.013225) from filing to the permit, by the articles as far as they were read: of Decree
//! 61/2018/NĐ-CP articles 17 to 20; of the Construction Law 50/2014/QH13 nothing was read, so what rests on memory alone
//! is named without an article.

use serde_json::json;

use super::tests::{NEIGHBOUR, accepted, answer, ask, asked, question};
use crate::desk::testing::{API, CASE, Desk};

/// When the result is owed.
async fn due(desk: &Desk) -> String {
    let due = desk.json().await["accepted"]["due"].clone();
    due.as_str().expect("a date").to_owned()
}

/// The codes with which a proposal is refused now.
async fn proposes(desk: &Desk, outcome: &str) -> (u16, String) {
    let body = json!({"outcome": outcome, "note": "Đủ điều kiện cấp phép"});
    let told = desk.verb("tich", "propose", body).await;
    let code = if told.status == 200 {
        String::new()
    } else {
        told.problem()
    };
    (told.status, code)
}

#[tokio::test]
async fn decree_61_2018_article_17_a_complete_case_is_accepted_with_a_receipt_and_the_date_of_its_channel() {
    let desk = accepted().await;
    // Twenty days after Monday, 23 November 2026, is a Sunday.
    assert_eq!(due(&desk).await, "2026-12-14T10:00:00.000Z");
    let receipt = desk.get("tiep", &format!("/desk/cases/{CASE}/receipt")).await;
    assert_eq!(receipt.status, 200);
    let mut body = super::tests::permit();
    body["channel"] = json!("counter");
    let counter = Desk::empty().await;
    counter.receive(&body).await.expect("received");
    counter.accept().await;
    assert_eq!(
        due(&counter).await,
        "2026-12-08T10:00:00.000Z",
        "fifteen days at the counter"
    );
}

#[tokio::test]
async fn decree_61_2018_article_19_consulted_units_have_dates_of_their_own_and_the_term_runs_on() {
    let desk = accepted().await;
    let before = due(&desk).await;
    let first = ask(&desk, "tich", json!([question("H56", "planning")])).await;
    assert_eq!(first.status, 200, "{}", first.body);
    desk.temp.clock.advance_ms(2 * 86_400_000);
    let second = ask(&desk, "tich", json!([question(NEIGHBOUR, "fire")]))
        .await
        .json();
    assert_eq!(
        (&second["items"][0]["due"], &second["items"][1]["due"]),
        (
            &json!("2026-12-07T10:00:00.000Z"),
            &json!("2026-12-07T10:00:00.000Z")
        ),
        "Saturday and Monday"
    );
    assert_eq!(due(&desk).await, before);
    let held = desk.row().await;
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let statuses = crate::store::statuses(&reader, &held.case.code)
        .await
        .expect("read");
    let spent = desk.cases.spent(&held, &statuses, desk.temp.store.world().now());
    // Tuesday is a holiday: from Monday, 09:30, to Wednesday, 09:30.
    assert_eq!(spent, 480, "the agency’s time runs while others are asked");
}

#[tokio::test]
async fn decree_61_2018_article_19_the_lateness_of_a_consulted_unit_is_told() {
    let desk = asked().await;
    desk.temp.clock.advance_ms(15 * 86_400_000);
    desk.cases.tend_consults().await.expect("tended");
    let page = desk.get("chu-ban", "/desk/consults").await.body;
    assert!(page.contains("1 ý kiến quá hạn"), "{page}");
    let late = answer(&desk, "ban", 2, json!({"opinion": "agrees"})).await.json();
    assert_eq!(
        (&late["state"], &late["late"]),
        (&json!("answered"), &json!(true))
    );
}

#[tokio::test]
async fn decree_61_2018_article_19_clause_4_what_is_missing_is_asked_for_once_and_the_term_starts_anew() {
    let desk = asked().await;
    let slip = json!({"items": ["Bản vẽ mặt đứng"], "reason": "Hồ sơ thiếu mặt đứng"});
    assert_eq!(
        desk.verb("tich", "ask-supplement", slip.clone()).await.status,
        200
    );
    assert_eq!(proposes(&desk, "granted").await.1, "case-supplement-waits");
    desk.temp.clock.advance_ms(3 * 86_400_000);
    let said = json!({"kind": "supplement", "answers": {"height": "11"}, "note": "Đã bổ sung mặt đứng"});
    assert_eq!(desk.submit(1, said, &json!([])).await["taken"], true);
    assert_eq!(desk.state().await, "accepted");
    assert_eq!(
        due(&desk).await,
        "2026-12-16T10:00:00.000Z",
        "twenty days from Thursday, 26 November"
    );
    assert_eq!(
        proposes(&desk, "granted").await.1,
        "case-consult-waits",
        "they are still asked"
    );
    let again = desk.verb("tich", "ask-supplement", slip).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (409, "case-supplement-once")
    );
}

#[tokio::test]
async fn decree_61_2018_article_19_clause_9_a_letter_moves_the_date_before_it_is_missed() {
    let desk = asked().await;
    desk.temp.clock.advance_ms(10 * 86_400_000);
    let letter = json!({"reason": "Chờ ý kiến về quy hoạch", "day": "2026-12-18"});
    let sent = desk.verb("tich", "apologise", letter).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert!(due(&desk).await.starts_with("2026-12-18"));
}

#[tokio::test]
async fn a_case_that_is_taken_back_wants_no_opinion_any_more() {
    let desk = asked().await;
    let withdrawal = json!({"kind": "withdrawal", "reason": "Chưa xây nữa"});
    assert_eq!(desk.submit(1, withdrawal, &json!([])).await["taken"], true);
    assert_eq!(desk.state().await, "withdrawn");
    let list = desk.get("ban", "/api/v1/desk/consults").await.json();
    assert_eq!((&list["open"], &list["items"]), (&json!(0), &json!([])));
    let late = answer(&desk, "ban", 2, json!({"opinion": "agrees"})).await;
    assert_eq!((late.status, late.problem().as_str()), (409, "consult-ended"));
    let obligation = format!("obligation/consult/{CASE}/2");
    assert_eq!(
        desk.facts_of(&obligation).await,
        ["obligation-opened", "obligation-lifted"]
    );
    desk.temp.clock.advance_ms(30 * 86_400_000);
    assert_eq!(
        desk.cases.tend_consults().await.expect("tended").told,
        0,
        "nobody is late with it"
    );
}

#[tokio::test]
async fn a_unit_that_is_silent_until_its_time_is_over_holds_up_nobody() {
    let desk = asked().await;
    assert_eq!(
        answer(&desk, "ban", 2, json!({"opinion": "agrees"})).await.status,
        200
    );
    assert_eq!(
        proposes(&desk, "granted").await,
        (409, "case-consult-waits".to_owned())
    );
    assert_eq!(proposes(&desk, "refused").await.1, "case-consult-waits");
    let case = desk.get("tich", API).await.json();
    let not_now = case["not_now"].as_array().expect("a list");
    let why = not_now
        .iter()
        .find(|told| told["verb"] == "propose")
        .expect("told");
    assert_eq!(why["why"], "case-consult-waits");
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(page.contains("Còn 1 ý kiến chưa trả lời"), "{page}");
    desk.temp.clock.advance_ms(15 * 86_400_000);
    assert_eq!(proposes(&desk, "granted").await, (200, String::new()));
    assert_eq!(desk.state().await, "to-sign");
    let late = answer(&desk, "tinh", 1, json!({"opinion": "agrees"})).await;
    assert_eq!((late.status, late.problem().as_str()), (409, "consult-ended"));
}

#[tokio::test]
async fn from_filing_to_the_permit_with_one_opinion_in_time_one_late_and_one_taken_back() {
    let desk = accepted().await;
    let three = json!([
        question("H56", "planning"),
        question(NEIGHBOUR, "fire"),
        question("H56.14758", "land"),
    ]);
    let sent = ask(&desk, "tich", three).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    assert_eq!(
        answer(&desk, "ban", 2, json!({"opinion": "agrees"})).await.status,
        200
    );
    let why = json!({"note": "Đã có trích lục thửa đất"});
    let back = desk
        .post("tich", &format!("{API}/consults/3/take-back"), &why)
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert_eq!(proposes(&desk, "granted").await.1, "case-consult-waits");
    desk.temp.clock.advance_ms(15 * 86_400_000);
    desk.cases.tend_consults().await.expect("tended");
    let remarks = json!({"opinion": "remarks", "text": "Giữ khoảng lùi 3 m"});
    let late = answer(&desk, "tinh", 1, remarks).await;
    assert_eq!(late.status, 200, "{}", late.body);
    assert_eq!(proposes(&desk, "granted").await, (200, String::new()));
    let given = desk.sign_and_seal().await;
    assert_eq!(
        (given.status, given.json()["state"].clone()),
        (200, json!("returned")),
        "{}",
        given.body
    );
    assert_eq!(desk.state().await, "returned");
    assert_eq!(
        desk.facts().await,
        [
            "case-received",
            "case-accepted",
            "case-consulted",
            "case-consulted",
            "case-consulted",
            "case-consult-answered",
            "case-consult-ended",
            "case-consult-late",
            "case-consult-answered",
            "case-proposed",
            "case-signed",
            "case-decided",
            "case-returned"
        ]
    );
    let results = desk.results().await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].name, "Giấy phép xây dựng");
}
