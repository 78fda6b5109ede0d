//! A petition from its coming in to the answer that everybody can read: what was read of Decree 20/2008/NĐ-CP and of
//! the index of Decision 766/QĐ-TTg, a sentence a test.

use kernel::fact::Channel;
use kernel::limits::Limits;
use serde_json::{Value, json};

use crate::desk::testing::{API, CASE, Desk, MONDAY, handover, pack_templates};
use crate::notice::Notice;
use crate::procedure::TermRule;
use crate::testing::{Portal, lan, nouns};

const ANSWER: &str = "Ủy ban nhân dân xã đã giao sửa mặt đường.\nHoàn thành trước ngày 31/12/2026.";

fn petition() -> std::sync::Arc<crate::Procedure> {
    let code = "9.000001".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, MONDAY.date());
    procedure.expect("in force")
}

/// A petition as the portal hands it over.
fn handed(unnamed: &str) -> Value {
    let procedure = petition();
    let mut body = handover();
    body["procedure"] = json!(procedure.code);
    body["version"] = json!(procedure.version());
    body["papers"] = json!([]);
    body["answers"] = json!({
        "about": "place", "field": "transport", "content": "Đường thôn Ba hỏng nặng.\nTôi là Lê Thị Lan, thôn Ba.",
        "place": "15865 Thôn Ba", "address": "15865 Số 7, thôn Ba", "phone": "0912345678",
        "email": "lan@example.vn", "unnamed": unnamed, "receive_at": "15865",
    });
    body
}

async fn received(unnamed: &str) -> Desk {
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    desk.receive(&handed(unnamed)).await.expect("received");
    desk
}

/// A desk that has answered.
async fn answered(unnamed: &str) -> Desk {
    let desk = received(unnamed).await;
    desk.accept().await;
    desk.propose("granted", ANSWER).await;
    let sealed = desk.sign_and_seal().await;
    assert_eq!(sealed.status, 200, "{}", sealed.body);
    assert_eq!(desk.state().await, "returned");
    desk
}

/// How many of the case's statuses still have words of an answer.
async fn told_words(desk: &Desk) -> usize {
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let code = CASE.parse().expect("a code");
    let rows = crate::store::statuses(&reader, &code).await.expect("read");
    let with_words = rows
        .iter()
        .filter(|row| matches!(row.notice, Some(Notice::AnswerPublished { .. })));
    with_words.count()
}

fn words() -> Value {
    json!({"asked": "Người dân phản ánh đường thôn hỏng nặng.", "answer": ANSWER, "confirmed": true})
}

async fn publish(desk: &Desk, who: &str, body: &Value) -> crate::testing::Answer {
    desk.post(who, &format!("{API}/publish"), body).await
}

async fn published(desk: &Desk) -> String {
    let published = publish(desk, "tich", &words()).await;
    assert_eq!(published.status, 200, "{}", published.body);
    published.json()["number"].as_str().expect("a number").to_owned()
}

#[test]
fn decision_766_a_petition_is_answered_in_15_working_days_and_published_in_2() {
    let procedure = petition();
    for channel in [Channel::Online, Channel::Counter, Channel::Post] {
        let term = procedure.term(channel).expect("every channel has one");
        assert_eq!(term.rule, TermRule::WorkingDays { days: 15 });
    }
    let asked = procedure.supplement_rule(MONDAY.date()).expect("a rule");
    assert_eq!(asked.ask_days, 5);
    assert_eq!(procedure.publish.as_ref().map(|publish| publish.days), Some(2));
    assert_eq!(
        procedure.forward.map(|forward| forward.days),
        Some(5),
        "Decree 20/2008"
    );
}

#[tokio::test]
async fn decree_20_2008_what_came_to_the_wrong_agency_goes_to_the_right_one() {
    let desk = received("no").await;
    let path = format!("{API}/forward");
    let to = |unit: &str, revision: i64| json!({"to": unit, "revision": revision});
    for (who, body, status, code) in [
        ("tich", to("H56.14797", 1), 403, "role-missing"),
        ("ban", to("H56.14797", 1), 404, "not-found"),
        ("tiep", to("H56.15865", 1), 422, "case-forward-unit"),
        ("tiep", to("H01", 1), 422, "case-forward-unit"),
        ("tiep", to("H56.14797", 7), 409, "stale"),
    ] {
        let refused = desk.post(who, &path, &body).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (status, code),
            "{who} {body}"
        );
    }
    let page = desk.get("tiep", &format!("/desk/cases/{CASE}")).await;
    assert!(
        page.status == 200 && page.body.contains("H56.14797"),
        "{}",
        page.body
    );
    let passed = desk.post("tiep", &path, &to("H56.14797", 1)).await;
    assert_eq!(
        (passed.status, passed.json()["unit"].clone()),
        (200, json!("H56.14797"))
    );
    assert_eq!(desk.get("tiep", API).await.status, 404, "it is theirs no longer");
    assert_eq!(desk.get("ban", API).await.json()["state"], "received");
    assert_eq!(desk.facts().await, ["case-received", "case-moved"]);
    assert!(desk.deliver().await.is_empty());
    let told = desk.nation.asked_of("note-status");
    assert_eq!(told.last().expect("told")["notice"]["unit"], "H56.14797");
}

#[tokio::test]
async fn a_case_of_a_procedure_without_it_is_neither_passed_on_nor_published() {
    let desk = Desk::new().await;
    let forward = json!({"to": "H56.14797", "revision": 1});
    let refused = desk.post("tiep", &format!("{API}/forward"), &forward).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "case-forward-never")
    );
    let refused = publish(&desk, "tich", &words()).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "case-publish-never")
    );
}

#[tokio::test]
async fn decree_20_2008_the_answer_is_published_in_words_that_name_nobody() {
    let desk = answered("no").await;
    let form = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
    assert!(
        form.status == 200 && form.body.contains("Đường thôn Ba hỏng nặng"),
        "{}",
        form.body
    );
    for (asked, answer, confirmed, code) in [
        ("Bà Lê Thị Lan hỏi về đường.", ANSWER, true, "case-public-name"),
        (
            "Đường hỏng, gọi 0912 345 678.",
            ANSWER,
            true,
            "case-public-number",
        ),
        (
            "Đường trước số 7, thôn Ba hỏng.",
            ANSWER,
            true,
            "case-public-contact",
        ),
        (
            "Đường hỏng.",
            "Viết cho lan@example.vn",
            true,
            "case-public-contact",
        ),
        ("Đường hỏng.", ANSWER, false, "case-publish-confirm"),
        ("", ANSWER, true, "case-note-missing"),
    ] {
        let body = json!({"asked": asked, "answer": answer, "confirmed": confirmed});
        let refused = publish(&desk, "tich", &body).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, code),
            "{body}"
        );
    }
    let number = published(&desk).await;
    assert_eq!(published(&desk).await, number, "pressed twice, published once");
    let owed = desk.facts_of(&format!("obligation/publish/{CASE}")).await;
    assert_eq!(owed, ["obligation-opened", "obligation-met"]);
    let list = desk.get("", "/answers").await.body;
    assert!(list.contains(&number) && list.contains("Giao thông, đường sá") && list.contains("Hoằng Hóa"));
    for private in [CASE, "Lê Thị Lan", "0912345678", "lan@example.vn", "thôn Ba"] {
        let page = desk.get("", &format!("/answers/{number}")).await.body;
        assert!(page.contains("Hoàn thành trước ngày 31/12/2026."));
        assert!(!list.contains(private) && !page.contains(private), "{private}");
    }
    let found = async |q: &str| {
        let found = desk.get("", &format!("/api/v1/answers?q={q}")).await.json();
        found["items"].as_array().expect("a list").len()
    };
    assert_eq!(
        (
            found("giao%20thong").await,
            found("mat%20duong").await,
            found("benh%20vien").await
        ),
        (1, 1, 0)
    );
    let facts = desk.facts().await;
    assert_eq!(
        facts
            .iter()
            .filter(|fact| *fact == "case-answer-published")
            .count(),
        1
    );
    assert!(desk.deliver().await.is_empty());
    let told = desk.nation.asked_of("note-status");
    assert_eq!(told.last().expect("told")["notice"]["kind"], "answer-published");
}

#[tokio::test]
async fn who_asks_that_the_commune_is_not_told_is_answered_by_the_province() {
    let desk = answered("yes").await;
    let number = published(&desk).await;
    let told = desk.get("", &format!("/api/v1/answers/{number}")).await.json();
    assert_eq!(told["unit"], "H56");
    let page = desk.get("", &format!("/answers/{number}")).await.body;
    assert!(!page.contains("Hoằng Hóa"), "{page}");
}

#[tokio::test]
async fn an_answer_is_published_by_who_may_and_once_there_is_one() {
    let desk = received("no").await;
    let early = publish(&desk, "tich", &words()).await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (409, "case-publish-early")
    );
    desk.accept().await;
    desk.propose("refused", "Không thuộc phạm vi phản ánh, kiến nghị.")
        .await;
    assert_eq!(desk.sign_and_seal().await.status, 200);
    let refusal = publish(&desk, "tich", &words()).await;
    assert_eq!(refusal.problem(), "case-publish-early", "a refusal is no answer");
    let answered = answered("no").await;
    for (who, status) in [("tiep", 403), ("chu", 403), ("ban", 404), ("", 401)] {
        assert_eq!(publish(&answered, who, &words()).await.status, status, "{who}");
    }
    assert_eq!(
        answered.get("", "/answers").await.status,
        200,
        "an empty list is a page"
    );
    assert_eq!(answered.get("", "/answers/H56-0000000000").await.status, 404);
    assert_eq!(answered.get("", "/api/v1/answers?after=x").await.status, 422);
}

#[tokio::test]
async fn what_is_taken_down_leaves_its_number_and_why() {
    let desk = answered("no").await;
    let path = format!("{API}/unpublish");
    let reason = json!({"down": "Nội dung cần sửa lại."});
    let nothing = desk.post("tich", &path, &reason).await;
    assert_eq!(
        (nothing.status, nothing.problem().as_str()),
        (409, "case-publish-not-there")
    );
    let number = published(&desk).await;
    for (who, body, status, code) in [
        ("tich", json!({"down": ""}), 422, "case-note-missing"),
        (
            "tich",
            json!({"down": "Lê Thị Lan yêu cầu"}),
            422,
            "case-public-name",
        ),
        ("tiep", reason.clone(), 403, "role-missing"),
    ] {
        let refused = desk.post(who, &path, &body).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (status, code),
            "{who} {body}"
        );
    }
    assert_eq!(desk.post("tich", &path, &reason).await.status, 200);
    assert_eq!(
        desk.post("tich", &path, &reason).await.status,
        200,
        "pressed twice"
    );
    let left = desk.get("", &format!("/answers/{number}")).await.body;
    assert!(
        left.contains("Nội dung cần sửa lại.") && !left.contains("sửa mặt đường"),
        "{left}"
    );
    let told = desk.get("", &format!("/api/v1/answers/{number}")).await.json();
    assert_eq!(
        (&told["answer"], &told["reason"]),
        (&Value::Null, &reason["down"])
    );
    assert!(!desk.get("", "/answers").await.body.contains(&number));
    assert_eq!(
        told_words(&desk).await,
        0,
        "nor do they stay with what the portal was told"
    );
    let facts = desk.facts().await;
    assert_eq!(
        facts
            .iter()
            .filter(|fact| *fact == "case-answer-unpublished")
            .count(),
        1
    );
    assert_eq!(
        published(&desk).await,
        number,
        "in other words it has its place again"
    );
    assert!(desk.get("", "/answers").await.body.contains(&number));
    assert_eq!(told_words(&desk).await, 1, "the words that are there now");
}

#[tokio::test]
async fn the_portal_publishes_what_the_owner_of_a_case_says() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    for (seq, status) in [(1, 2), (2, 4), (3, 9)] {
        let note = json!({"seq": seq, "status": status});
        portal.note(&code, note).await.expect("noted");
    }
    let notice = |number: &str, unit: &str| {
        let told = json!({"kind": "answer-published", "number": number, "unit": unit, "asked": "Đường hỏng.",
            "answer": "Đã giao sửa.", "answered": testkit::START.ms()});
        json!({"seq": 4, "status": 9, "notice": told})
    };
    for (number, unit, refusal) in [
        ("H01-0123456789", "H56.15865", "case-public-number-bad"),
        ("H56-<script>", "H56.15865", "case-public-number-bad"),
        ("H56-0123456789", "H01", "case-unit-unknown"),
    ] {
        let refused = portal.note(&code, notice(number, unit)).await;
        assert_eq!(refused.expect_err("refused").code, refusal);
    }
    let sound = notice("H56-0123456789", "H56.15865");
    portal.note(&code, sound).await.expect("noted");
    let page = portal.get(None, "/answers/H56-0123456789").await;
    assert!(page.status == 200 && page.body.contains("Đã giao sửa.") && !page.body.contains(&code));
    let down = json!({"kind": "answer-unpublished", "number": "H56-0123456789", "reason": "Gỡ để sửa."});
    let note = json!({"seq": 5, "status": 9, "notice": down});
    portal.note(&code, note).await.expect("noted");
    let page = portal.get(None, "/answers/H56-0123456789").await.body;
    assert!(page.contains("Gỡ để sửa.") && !page.contains("Đã giao sửa."));
    let reader = portal
        .cases
        .store
        .read(&portal.cases.tenant)
        .await
        .expect("a reader");
    let rows = crate::store::statuses(&reader, &code.parse().expect("a code")).await;
    let rows = rows.expect("read");
    let words = rows
        .iter()
        .filter(|row| matches!(row.notice, Some(Notice::AnswerPublished { .. })));
    assert_eq!(words.count(), 0, "they do not stay with the statuses");
    let facts = portal.facts(&format!("case/{code}")).await;
    assert_eq!(
        facts.iter().rev().take(2).collect::<Vec<_>>(),
        ["case-answer-unpublished", "case-answer-published"]
    );
}
