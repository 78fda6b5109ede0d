//! A late case is told to who is above: when, to whom, once, and until when.

use kernel::Time;
use obligations::Which;
use serde_json::json;

use super::Why;
use crate::case::Case;
use crate::course::Apology;
use crate::desk::testing::{CASE, Desk, UNIT};

const LIST: &str = "/api/v1/desk/escalations";

/// A desk whose case was owed on Monday at the close.
async fn accepted() -> Desk {
    let desk = Desk::new().await;
    desk.accept().await;
    desk
}

fn at(text: &str) -> Time {
    Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
}

/// The job runs at a moment: how many steps were told.
async fn told(desk: &Desk, when: &str) -> u64 {
    desk.temp.clock.set(at(when));
    desk.cases.escalate().await.expect("ran")
}

async fn open(desk: &Desk, who: &str) -> u64 {
    let list = desk.get(who, LIST).await;
    assert_eq!(list.status, 200, "{}", list.body);
    list.json()["open"].as_u64().expect("a count")
}

#[tokio::test]
async fn a_late_case_is_told_to_the_head_of_its_unit_and_then_to_the_province_once_each() {
    let desk = accepted().await;
    assert_eq!(told(&desk, "2026-11-23T16:59").await, 0, "not late yet");
    // Tuesday is a holiday: no working time has passed before Wednesday, and the head is told at once.
    assert_eq!(told(&desk, "2026-11-23T17:01").await, 1);
    assert_eq!(told(&desk, "2026-11-24T12:00").await, 0);
    assert_eq!((open(&desk, "chu").await, open(&desk, "giam").await), (1, 0));
    assert_eq!(
        told(&desk, "2026-11-26T16:59").await,
        0,
        "two working days are not over"
    );
    assert_eq!(told(&desk, "2026-11-27T08:00").await, 1);
    assert_eq!(told(&desk, "2026-11-30T08:00").await, 0);
    assert_eq!((open(&desk, "chu").await, open(&desk, "giam").await), (1, 1));
    let item = desk.get("giam", LIST).await.json()["items"][0].clone();
    assert_eq!(
        (&item["code"], &item["unit"], &item["step"]),
        (&json!(CASE), &json!(UNIT), &json!(2))
    );
    let kinds = desk.facts().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "case-escalated").count(), 2);
}

#[tokio::test]
async fn what_is_owed_about_a_late_case_has_its_own_date_and_is_met_by_the_decision() {
    let desk = accepted().await;
    assert_eq!(told(&desk, "2026-11-25T09:00").await, 1);
    let owed = {
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let unit = UNIT.parse().expect("a code");
        let now = desk.temp.store.world().now();
        obligations::list(&reader, &unit, Which::Open, now)
            .await
            .expect("a list")
    };
    let of_kind = |kind: &str| owed.iter().find(|one| one.obligation.kind == kind);
    let due = of_kind("case-escalation").map(|one| one.obligation.due);
    assert_eq!(due, Some(at("2026-11-26T09:00")), "a working day later");
    desk.granted("").await;
    desk.deliver().await;
    assert_eq!(desk.sign_and_seal().await.status, 200);
    assert_eq!(open(&desk, "chu").await, 0);
    let ended = desk.get("chu", &format!("{LIST}?state=ended")).await.json();
    assert_eq!(ended["items"][0]["why"], "decided");
    let missed = desk.row().await.due_at.expect("a date").ms();
    let facts = desk
        .facts_of(&format!("obligation/escalation/{CASE}/{missed}/1"))
        .await;
    assert_eq!(facts, ["obligation-opened", "obligation-met"]);
    assert_eq!(
        told(&desk, "2026-12-01T08:00").await,
        0,
        "what is decided is late no more"
    );
}

#[test]
fn what_was_told_ends_by_what_became_of_the_case_or_of_its_date() {
    let mut case = crate::testing::case(&crate::testing::birth());
    let (missed, later) = (at("2026-11-23T17:00"), at("2026-11-25T17:00"));
    let end = |case: &Case, status, due| super::why(case, status, Some(due), missed);
    assert_eq!(end(&case, 2, missed), None, "as late as before");
    assert_eq!(
        end(&case, 5, missed),
        None,
        "what waits for its applicant missed its date all the same"
    );
    assert_eq!(end(&case, 2, later), Some(Why::Moved));
    assert_eq!(end(&case, 9, missed), Some(Why::Decided));
    assert_eq!(end(&case, 7, missed), Some(Why::Ended));
    case.course.apology = Some(Apology {
        reason: "Cần xác minh".to_owned(),
        was_due: missed,
        due: later,
        at: missed,
        by: "tich".to_owned(),
        letter: "apology".to_owned(),
    });
    assert_eq!(end(&case, 2, later), Some(Why::Apologised));
}

#[tokio::test]
async fn who_was_not_told_sees_nothing_of_it_and_who_works_nowhere_is_refused() {
    let desk = accepted().await;
    assert_eq!(told(&desk, "2026-11-25T08:00").await, 1);
    for (who, count) in [("chu", 1), ("tich", 0), ("chu-ban", 0), ("giam", 0)] {
        assert_eq!(open(&desk, who).await, count, "{who}");
    }
    for path in [LIST, "/desk/escalations"] {
        assert_eq!(desk.get("xa", path).await.status, 404, "another organisation's");
        assert_eq!(desk.get("thiet", path).await.status, 403, "no official");
        assert_ne!(desk.get("", path).await.status, 200, "nobody");
    }
    for bad in ["?state=none", "?after=x", "?after=1.x.y"] {
        assert_eq!(
            desk.get("chu", &format!("{LIST}{bad}")).await.status,
            404,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn the_list_of_late_cases_names_cases_and_no_person() {
    let desk = accepted().await;
    let empty = desk.get("chu", "/desk/escalations").await.body;
    assert!(empty.contains("Không có hồ sơ nào"), "{empty}");
    assert_eq!(told(&desk, "2026-11-25T08:00").await, 1);
    let page = desk.get("chu", "/desk/escalations").await.body;
    assert!(
        page.contains(CASE) && page.contains("Hồ sơ quá hạn được báo"),
        "{page}"
    );
    assert!(!page.contains("Lê Thị Lan"), "{page}");
    let history = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(history.contains("Báo hồ sơ quá hạn"), "{history}");
}
