//! What was typed while a register was away: asked about once it is back, told where it differs, looked at by an official.

use serde_json::{Value, json};

use crate::desk::testing::{Desk, MONDAY};
use crate::testing::{PDF, birth, case};

const LIST: &str = "/api/v1/desk/checks";
const MOTHER: &str = "038198000001";
const FATHER: &str = "038096000002";

fn encoded(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A birth handed in at the desk by somebody whom its form does not name.
async fn taken(desk: &Desk) -> String {
    let body = json!({
        "intake": "k-1", "procedure": "1.001193", "applicant_number": "038196000001",
        "applicant_name": "Lê Thị Lan", "answers": case(&birth()).answers,
        "papers": [{"code": "GCS", "name": "giay.pdf", "pdf_base64": encoded(PDF.as_bytes())}],
    });
    let answer = desk.post("tiep", "/api/v1/desk/intakes", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["case"].as_str().expect("a code").to_owned()
}

/// The registers know both parents; of the mother they say another day of birth.
fn known(desk: &Desk) {
    let mother = json!({"personal_number": MOTHER, "full_name": "LÊ THỊ LAN", "date_of_birth": "1998-03-02"});
    let father = json!({"personal_number": FATHER, "full_name": "Nguyễn Văn Nam"});
    desk.nation.knows(MOTHER, mother);
    desk.nation.knows(FATHER, father);
}

async fn list(desk: &Desk, who: &str, state: &str) -> Vec<Value> {
    let told = desk.get(who, &format!("{LIST}?state={state}")).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()["items"].as_array().expect("a list").clone()
}

/// How the comparisons of a case stand.
async fn states(desk: &Desk, code: &str) -> Vec<String> {
    let case = desk
        .get("tich", &format!("/api/v1/desk/cases/{code}"))
        .await
        .json();
    let checks = case["checks"].as_array().expect("comparisons");
    let state = |check: &Value| check["state"].as_str().expect("a state").to_owned();
    checks.iter().map(state).collect()
}

async fn done(desk: &Desk, who: &str, code: &str, body: &Value) -> crate::testing::Answer {
    desk.post(who, &format!("/api/v1/desk/cases/{code}/checks"), body)
        .await
}

async fn kinds(desk: &Desk, code: &str, kind: &str) -> usize {
    let facts = desk.facts_of(&format!("case/{code}")).await;
    facts.iter().filter(|of| *of == kind).count()
}

#[tokio::test]
async fn what_is_typed_while_a_register_is_away_is_compared_once_it_is_back_and_told() {
    let desk = Desk::empty().await;
    let form = "/desk/intake/1.001193";
    let said = "Chưa tra cứu được: Cơ sở dữ liệu quốc gia về dân cư";
    assert!(!desk.get("tiep", form).await.body.contains(said));
    desk.nation.cut(Some(MONDAY));
    assert!(
        desk.get("tiep", form).await.body.contains(said),
        "at the field, with what to do"
    );
    let code = taken(&desk).await;
    assert!(desk.deliver_topic("case-check").await.is_some(), "nobody answers");
    assert_eq!(
        states(&desk, &code).await,
        ["waits", "waits"],
        "the parents; a stranger's marriage says nothing"
    );
    assert_eq!(list(&desk, "tich", "waits").await.len(), 2);
    assert_eq!(list(&desk, "tich", "").await.len(), 0);

    desk.nation.cut(None);
    known(&desk);
    assert!(desk.deliver_topic("case-check").await.is_none());
    assert_eq!(states(&desk, &code).await, ["differs", "agrees"]);
    let open = list(&desk, "tich", "").await;
    assert_eq!(
        (open.len(), &open[0]["code"], &open[0]["fields"]),
        (1, &json!(code), &json!(1))
    );
    let asked = desk.nation.asked_of("person-lookup");
    assert_eq!(
        asked,
        [
            json!({"personal_number": MOTHER}),
            json!({"personal_number": FATHER})
        ]
    );
    assert_eq!(kinds(&desk, &code, "case-checked").await, 2);
    let page = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
    assert!(
        page.contains("02/03/1998") && page.contains("03/02/1998"),
        "{page}"
    );
    assert!(page.contains("Khác với cơ sở dữ liệu"), "{page}");
    let listed = desk.get("tich", "/desk/checks").await.body;
    assert!(
        listed.contains(&code) && !listed.contains("Lê Thị Lan"),
        "{listed}"
    );
    assert_eq!(
        desk.get("ban", LIST).await.json()["open"],
        0,
        "another unit's list"
    );
}

#[tokio::test]
async fn an_official_notes_what_came_of_a_difference_once_and_in_words() {
    let desk = Desk::empty().await;
    known(&desk);
    let code = taken(&desk).await;
    assert!(desk.deliver_topic("case-check").await.is_none());
    let page = format!("/desk/cases/{code}/checks");
    let empty = desk
        .form("tich", &page, &[("check", "1"), ("what", "settle")])
        .await;
    assert!(
        empty.status == 422 && empty.body.contains("check_note-error"),
        "{}",
        empty.body
    );
    let note = [
        ("check", "1"),
        ("what", "settle"),
        ("check_note", "Đã xem giấy khai sinh của mẹ"),
    ];
    assert_eq!(desk.form("tich", &page, &note).await.status, 303);
    assert_eq!(desk.form("tich", &page, &note).await.status, 303, "pressed twice");
    assert_eq!(kinds(&desk, &code, "case-check-settled").await, 1);
    assert_eq!(states(&desk, &code).await, ["settled", "agrees"]);
    assert_eq!(list(&desk, "tich", "").await.len(), 0);
    let seen = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
    assert!(
        seen.contains("Đã xem giấy khai sinh của mẹ") && seen.contains("Nguyễn Văn Tịch"),
        "{seen}"
    );
    let settle = json!({"check": 1, "what": "settle", "check_note": "Khác"});
    let late = done(&desk, "tiep", &code, &settle).await;
    assert_eq!(
        (late.status, late.problem().as_str()),
        (409, "case-check-not-open")
    );
}

#[tokio::test]
async fn a_register_without_the_record_is_asked_again_at_a_word() {
    let desk = Desk::empty().await;
    let code = taken(&desk).await;
    assert!(desk.deliver_topic("case-check").await.is_none());
    assert_eq!(states(&desk, &code).await, ["none", "none"]);
    known(&desk);
    let again = json!({"check": 2, "what": "again"});
    assert_eq!(done(&desk, "tiep", &code, &again).await.status, 200);
    assert_eq!(
        done(&desk, "tiep", &code, &again).await.status,
        200,
        "pressed twice"
    );
    assert_eq!(desk.lines("case-check").await.len(), 1);
    assert!(desk.deliver_topic("case-check").await.is_none());
    assert_eq!(states(&desk, &code).await, ["none", "agrees"]);
    assert_eq!(kinds(&desk, &code, "case-check-again").await, 1);
}

#[tokio::test]
async fn a_register_that_does_not_answer_is_not_asked_for_ever() {
    let desk = Desk::empty().await;
    desk.nation.cut(Some(MONDAY));
    let code = taken(&desk).await;
    let line = desk.lines("case-check").await.remove(0);
    let limit_ms = desk.cases.store.limits().desk_check_ms_max;
    desk.temp.clock.set(MONDAY.plus_ms(limit_ms + 1));
    assert!(desk.deliver_topic("case-check").await.is_none());
    assert_eq!(states(&desk, &code).await, ["unanswered", "unanswered"]);
    desk.nation.cut(None);
    desk.deliver_again(&line).await;
    assert_eq!(kinds(&desk, &code, "case-checked").await, 2, "told once each");
}

#[tokio::test]
async fn what_a_register_says_is_looked_at_by_who_works_on_the_case_alone() {
    let desk = Desk::empty().await;
    known(&desk);
    let code = taken(&desk).await;
    assert!(desk.deliver_topic("case-check").await.is_none());
    let settle = json!({"check": 1, "what": "settle", "check_note": "Đã xem"});
    for (who, status) in [("chu", 403), ("giam", 403), ("ban", 404), ("xa", 404), ("", 401)] {
        let told = done(&desk, who, &code, &settle).await;
        assert_eq!(told.status, status, "{who}: {}", told.body);
    }
    let nobody = desk.form("", &format!("/desk/cases/{code}/checks"), &[]).await;
    assert_eq!(nobody.status, 303);
    let father = done(&desk, "nam", &code, &settle).await;
    assert_eq!((father.status, father.problem().as_str()), (403, "case-own"));
    for (body, status) in [
        (json!({"check": 9, "what": "settle", "check_note": "x"}), 404),
        (json!({"check": 1, "what": "other"}), 400),
        (json!({"check": 1, "what": "settle"}), 422),
        (json!({"check": 2, "what": "again"}), 409),
    ] {
        assert_eq!(done(&desk, "tich", &code, &body).await.status, status, "{body}");
    }
    assert_eq!(states(&desk, &code).await, ["differs", "agrees"]);
}
