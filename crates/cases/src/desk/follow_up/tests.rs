//! The joint procedure (2.000986) after its certificate, by what was read of Decree 63/2024/NĐ-CP in public summaries:
//! residence, then the health card, each with its own time; what becomes of a refusal; who may have it asked again.

use serde_json::{Value, json};

use super::TOPIC;
use crate::desk::testing::{API, CASE, Desk, handover};
use crate::follow_ups::{Stands, at_portal};
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::store::StatusRow;
use crate::testing::nouns;

fn joint() -> std::sync::Arc<Procedure> {
    let code = "2.000986".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
    procedure.expect("in force")
}

/// A desk whose case has its certificate.
async fn decided() -> Desk {
    let procedure = joint();
    let mut body = handover();
    body["procedure"] = json!(procedure.code);
    body["version"] = json!(procedure.version());
    body["answers"]["child_commune"] = json!("15865");
    body["answers"]["child_line"] = json!("Thôn 3");
    let desk = Desk::empty().await;
    desk.receive(&body).await.expect("received");
    desk.to_sign().await;
    let sealed = desk.sign_and_seal().await;
    assert_eq!(sealed.status, 200, "{}", sealed.body);
    desk
}

async fn asked(desk: &Desk) {
    let failed = desk.deliver_topic(TOPIC).await;
    assert!(failed.is_none(), "{failed:?}");
}

/// The state of each step.
async fn states(desk: &Desk) -> Vec<String> {
    let steps = desk.json().await["follow_ups"].clone();
    let all = steps.as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|step| step["state"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn again(desk: &Desk, who: &str, step: &str) -> (u16, String) {
    let body = json!({"revision": desk.revision().await, "step": step});
    let told = desk.post(who, &format!("{API}/follow-ups"), &body).await;
    let code = if told.status == 200 {
        String::new()
    } else {
        told.problem()
    };
    (told.status, code)
}

fn refuse(desk: &Desk, code: Option<&'static str>) {
    *desk.nation.refuses_residence.lock().expect("whole") = code;
}

#[tokio::test]
async fn decree_63_2024_residence_and_health_card_follow_on_the_certificate_in_their_order_with_a_date_each()
{
    let desk = decided().await;
    assert_eq!(states(&desk).await, ["asked", "waits"]);
    let steps = desk.json().await["follow_ups"].clone();
    // A working day after Monday, 23 November 2026; Tuesday is a holiday.
    assert_eq!(
        (&steps[0]["due"], &steps[1]["due"]),
        (&json!("2026-11-25T02:30:00.000Z"), &Value::Null)
    );
    asked(&desk).await;
    assert_eq!(states(&desk).await, ["done", "asked"]);
    let residence = &desk.nation.asked_of("register-residence")[0];
    assert_eq!(
        residence,
        &json!({"case": CASE, "personal_number": "038326000001", "registered_on": "2026-11-23",
                "residence": {"commune": "15865", "line": "Thôn 3"}})
    );
    assert!(desk.nation.asked_of("issue-card").is_empty(), "the card waits");
    asked(&desk).await;
    assert_eq!(states(&desk).await, ["done", "done"]);
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("7/2026") && page.contains("TE1380000000001"),
        "{page}"
    );
    let facts = desk.facts().await;
    assert_eq!(facts.iter().filter(|fact| *fact == "case-followed-up").count(), 2);
}

#[tokio::test]
async fn a_step_that_is_not_done_in_its_time_is_told_as_overdue() {
    let desk = decided().await;
    desk.temp.clock.advance_ms(3 * 86_400_000);
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(page.contains("Quá hạn") && page.contains("Hạn là"), "{page}");
}

#[tokio::test]
async fn what_an_agency_refuses_is_told_keeps_the_next_waiting_and_is_asked_again_by_an_officer() {
    let desk = decided().await;
    refuse(&desk, Some("record-place-unknown"));
    asked(&desk).await;
    asked(&desk).await;
    assert_eq!(
        states(&desk).await,
        ["failed", "waits"],
        "nothing is asked by itself"
    );
    assert_eq!(desk.nation.asked_of("register-residence").len(), 1);
    assert_eq!(desk.json().await["follow_ups"][0]["why"], "record-place-unknown");
    let page = format!("/desk/cases/{CASE}");
    assert!(desk.get("tich", &page).await.body.contains("Chuyển lại"));
    assert!(!desk.get("tiep", &page).await.body.contains("Chuyển lại"));
    assert_eq!(again(&desk, "tiep", "residence").await.0, 403);
    assert_eq!(
        again(&desk, "ban", "residence").await.0,
        404,
        "another unit’s officer"
    );
    assert_eq!(again(&desk, "tich", "nothing").await.0, 404);
    let not_refused = again(&desk, "tich", "health-card").await;
    assert_eq!(not_refused, (409, "follow-up-not-failed".to_owned()));
    let old = json!({"revision": 1, "step": "residence"});
    let stale = desk.post("tich", &format!("{API}/follow-ups"), &old).await;
    assert_eq!(stale.status, 409);
    refuse(&desk, None);
    let revision = desk.revision().await.to_string();
    let fields = [("revision", revision.as_str()), ("step", "residence")];
    let went = desk
        .form("tich", &format!("/desk/cases/{CASE}/follow-ups"), &fields)
        .await;
    assert_eq!(went.status, 303, "{}", went.body);
    let twice = again(&desk, "tich", "residence").await;
    assert_eq!(twice, (409, "follow-up-not-failed".to_owned()));
    asked(&desk).await;
    asked(&desk).await;
    assert_eq!(states(&desk).await, ["done", "done"]);
    let facts = desk.facts().await;
    let of = |kind: &str| facts.iter().filter(|fact| *fact == kind).count();
    assert_eq!(
        (
            of("case-follow-up-failed"),
            of("case-follow-up-again"),
            of("case-followed-up")
        ),
        (1, 1, 2)
    );
}

#[test]
fn the_applicant_is_shown_each_step_as_the_portal_was_told_it() {
    let procedure = joint();
    let name = |at: usize| procedure.follow_ups[at].name.clone();
    let row = |seq: u32, notice: Option<Notice>| StatusRow {
        seq,
        status: 9,
        at: testkit::START.plus_ms(i64::from(seq) * 60_000),
        due: None,
        notice,
    };
    let shown = |rows: &[StatusRow]| -> Vec<&'static str> {
        let steps = at_portal(&procedure, rows);
        let word = |stands: &Stands| match stands {
            Stands::Waits => "waits",
            Stands::Asked { .. } => "asked",
            Stands::Failed { .. } => "failed",
            Stands::Done { .. } => "done",
        };
        steps.iter().map(|step| word(&step.stands)).collect()
    };
    let failed = row(2, Some(Notice::FollowFailed { name: name(0) }));
    let done = row(
        3,
        Some(Notice::FollowedUp {
            name: name(0),
            number: "7/2026".to_owned(),
        }),
    );
    let refused = row(
        1,
        Some(Notice::Refused {
            reason: "Thiếu giấy tờ".to_owned(),
        }),
    );
    assert_eq!(shown(&[]), Vec::<&str>::new(), "nothing before the result");
    assert_eq!(shown(&[refused]), Vec::<&str>::new(), "nothing on a refusal");
    assert_eq!(shown(&[row(1, None)]), ["asked", "waits"]);
    assert_eq!(shown(&[row(1, None), failed.clone()]), ["failed", "waits"]);
    assert_eq!(shown(&[row(1, None), failed, done]), ["done", "asked"]);
}
