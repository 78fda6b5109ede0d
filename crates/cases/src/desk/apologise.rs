//! `apologise`: the agency says before the date that it will miss it, why, and by when the result is owed
//! now (Thư xin lỗi và hẹn lại ngày trả kết quả; Decree 61/2018/NĐ-CP, article 19 clause 9: once, at the
//! latest one day ahead). Whether the case was on time is still counted by the end of its term.

use axum::response::Response;
use kernel::calendar::Calendar;
use kernel::time::parse_iso;
use kernel::{CaseCode, Fact, Problem, Time};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::{APOLOGY_WRITERS, Case};
use crate::clock::fold::Event;
use crate::course::Apology;
use crate::desk::official::AtCase;
use crate::desk::step::save_telling;
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// What the letter says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Letter {
    /// The revision of the case the writer has seen.
    revision: i64,
    /// Why the date will be missed.
    reason: String,
    /// The new day, `2026-11-25`; the result is owed by the close of that day.
    #[schema(example = "2026-11-25")]
    day: String,
}

/// Writes a letter of apology from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/apologise", tag = "desk", security(("session" = ["officer", "chairman"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-apologised", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let letter = Letter {
        revision: view::revision(&fields)?,
        reason: fields.lines("reason").unwrap_or_default(),
        day: fields.text("day").unwrap_or_default().to_owned(),
    };
    let done = at.cases.apologise(&at.who, &at.code, &letter).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Writes a letter of apology.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/apologise", tag = "desk", security(("session" = ["officer", "chairman"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Letter,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-apologised", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(letter): Json<Letter>) -> Result<Json<CaseView>, Refusal> {
    at.cases.apologise(&at.who, &at.code, &letter).await?;
    at.view().await
}

impl Cases {
    /// Writes the letter, once. Pressed twice, it is written once.
    async fn apologise(&self, who: &Principal, code: &CaseCode, letter: &Letter) -> Result<(), Problem> {
        who.require_any(&APOLOGY_WRITERS)?;
        let reason = &words("reason", &letter.reason, true)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (mut case, procedure) = self.opened(&tx, who, code, Verb::Apologise).await?;
                if is_done(&case, who, letter.revision) {
                    return Ok(());
                }
                case.seen(letter.revision)?;
                let calendar = self.calendars.of(&case.unit);
                let (was_due, due) = new_date(&case, &procedure, &calendar, &letter.day, tx.now())?;
                let id = format!("apology-{code}");
                case.revision += 1;
                case.course.apology = Some(Apology {
                    reason: reason.clone(),
                    was_due,
                    due,
                    at: tx.now(),
                    by: who.account.clone(),
                    letter: id.clone(),
                });
                self.tell_clock(&mut case, &procedure, Event::Extended { at: tx.now(), due })?;
                let notice = Notice::Apology {
                    reason: reason.clone(),
                    due,
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                // What is owed stays owed by the end of the term: a letter makes nothing early.
                let fact = Fact::CaseApologised {
                    case: code.clone(),
                    letter: id,
                    due,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await?;
        self.slips_now(code).await;
        Ok(())
    }
}

/// The date that was promised and the one that is promised now.
fn new_date(
    case: &Case,
    procedure: &Procedure,
    calendar: &Calendar,
    day: &str,
    now: Time,
) -> Result<(Time, Time), Problem> {
    let (rule, due) = case
        .apology(procedure, calendar, now)
        .map_err(|why| why.refusal(&case.state))?;
    let wrong = |code| Problem::invalid("day", code).with("days", rule.days_max);
    let day = parse_iso(day).ok_or_else(|| wrong("case-apology-day"))?;
    let last = calendar.days_after(due, rule.days_max).end.date();
    match calendar.close_of(day) {
        Some(new) if new > due && day <= last => Ok((due, new)),
        _ => Err(wrong("case-apology-day")),
    }
}

/// True when a case needs a letter soon: the date is at most a working day and what the rule wants ahead
/// of it away, nothing is decided and nobody has written yet.
pub(crate) fn is_needed(case: &Case, procedure: &Procedure, calendar: &Calendar, now: Time) -> bool {
    let Ok(rule) = case.apology_rule(procedure) else {
        return false;
    };
    let due = case.accepted.as_ref().map(|accepted| accepted.due);
    due.is_some_and(|due| now <= due && due <= calendar.days_after(now, rule.ahead_days + 1).end)
}

/// The second click of the one who has just written it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let apology = case.course.apology.as_ref();
    apology.is_some_and(|apology| apology.by == who.account) && revision + 1 == case.revision
}

#[cfg(test)]
mod tests {
    use kernel::Fact;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk};

    const WHY: &str = "Cần xác minh thêm tại nơi sinh";

    #[tokio::test]
    async fn a_letter_moves_the_date_once_and_tells_the_applicant() {
        let desk = Desk::new().await;
        desk.accept().await;
        let was = desk.json().await["accepted"]["due"].clone();
        let letter = json!({"reason": WHY, "day": "2026-11-25"});
        let answer = desk.verb("tich", "apologise", letter.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let case = answer.json();
        assert_eq!(case["accepted"]["due"], "2026-11-25T10:00:00.000Z");
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened"],
            "what is owed stays owed by the end of the term"
        );
        assert_eq!(desk.state().await, "accepted");
        assert_eq!(
            desk.facts_of(&format!("document/apology-{CASE}")).await,
            ["document-issued"]
        );
        assert!(desk.deliver_topic("case-status").await.is_none());
        let told = desk.nation.asked_of("note-status");
        let told = told.last().expect("told");
        assert_eq!(told["notice"]["kind"], "apology");
        assert_eq!(told["results"][0]["kind"], "slip");
        let again = desk.verb("tich", "apologise", letter).await;
        assert_eq!(
            (again.status, again.problem().as_str()),
            (409, "case-apology-once")
        );
        assert_ne!(was, desk.json().await["accepted"]["due"]);
    }

    #[tokio::test]
    async fn a_term_that_starts_anew_after_a_letter_is_judged_by_its_own_end() {
        let desk = Desk::new().await;
        desk.accept().await;
        let letter = json!({"reason": WHY, "day": "2026-11-25"});
        assert_eq!(desk.verb("tich", "apologise", letter).await.status, 200);
        let slip = json!({"items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
        assert_eq!(desk.verb("tich", "ask-supplement", slip).await.status, 200);
        desk.temp.clock.advance_ms(7 * 24 * 3_600_000);
        assert_eq!(desk.supply(1, &json!([])).await["taken"], true);
        assert_eq!(desk.state().await, "accepted");
        let anew = desk.row().await.due_at.expect("a date");
        desk.granted("").await;
        desk.deliver().await;
        assert_eq!(desk.sign_and_seal().await.status, 200);
        let decided = |facts: Vec<kernel::FactRecord>| {
            facts.into_iter().find_map(|record| match record.fact {
                Fact::CaseDecided { due, .. } | Fact::ObligationMet { due, .. } => Some(due),
                _ => None,
            })
        };
        for subject in [format!("case/{CASE}"), format!("obligation/case/{CASE}")] {
            let facts = desk.temp.store.facts_of(&desk.cases.tenant, &subject).await;
            assert_eq!(decided(facts.expect("facts")), Some(anew), "{subject}");
        }
    }

    #[tokio::test]
    async fn an_apology_does_not_make_a_late_case_one_that_was_on_time() {
        let desk = Desk::new().await;
        desk.accept().await;
        let due = desk.json().await["accepted"]["due"].clone();
        let letter = json!({"reason": WHY, "day": "2026-11-25"});
        assert_eq!(desk.verb("tich", "apologise", letter).await.status, 200);
        desk.temp.clock.advance_ms(24 * 3_600_000);
        desk.propose("granted", "").await;
        desk.agree().await;
        assert!(desk.deliver().await.is_empty());
        assert_eq!(desk.verb("chu", "sign", json!({})).await.status, 200);
        assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
        let facts = desk
            .temp
            .store
            .facts_of(&desk.cases.tenant, &format!("case/{CASE}"))
            .await
            .expect("facts");
        let decided = facts.iter().find_map(|record| match &record.fact {
            Fact::CaseDecided { due, .. } => Some((record.at, *due)),
            _ => None,
        });
        let (at, counted) = decided.expect("decided");
        assert_eq!(json!(counted.rfc3339()), due, "the first date");
        assert!(at > counted, "late, whatever was promised later");
        assert!(desk.deliver().await.is_empty());
        let told = desk.nation.asked_of("note-status");
        let decided = told.iter().find(|note| note["status"] == 9).expect("told");
        assert_eq!(decided["due"], counted.ms(), "and the portal counts the same");
    }

    #[tokio::test]
    async fn a_letter_after_the_date_or_to_a_day_without_work_is_refused() {
        let desk = Desk::new().await;
        desk.accept().await;
        for (day, code) in [
            ("2026-11-23", "case-apology-day"),
            ("2026-11-28", "case-apology-day"),
            ("2027-03-01", "case-apology-day"),
            ("tomorrow", "case-apology-day"),
        ] {
            let answer = desk
                .verb("tich", "apologise", json!({"reason": WHY, "day": day}))
                .await;
            assert_eq!((answer.status, answer.problem().as_str()), (422, code), "{day}");
        }
        let answer = desk
            .verb("tich", "apologise", json!({"reason": " ", "day": "2026-11-25"}))
            .await;
        assert_eq!(answer.status, 422);
        for who in ["tiep", "thu"] {
            let answer = desk
                .verb(who, "apologise", json!({"reason": WHY, "day": "2026-11-25"}))
                .await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        desk.temp.clock.advance_ms(9 * 3_600_000);
        let answer = desk
            .verb("tich", "apologise", json!({"reason": WHY, "day": "2026-11-25"}))
            .await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "case-apology-late")
        );
    }

    #[tokio::test]
    async fn a_letter_without_a_reason_is_shown_again_as_the_letter_and_no_other_form() {
        let desk = Desk::new().await;
        desk.accept().await;
        let revision = desk.revision().await.to_string();
        let fields = [
            ("revision", revision.as_str()),
            ("reason", " "),
            ("day", "2026-11-25"),
        ];
        let path = format!("/desk/cases/{CASE}/apologise");
        let page = desk.form("tich", &path, &fields).await;
        assert_eq!(page.status, 422);
        let (before, letter) = page.body.split_once("/apologise\"").expect("the letter's form");
        assert!(letter.contains("id=\"reason-error\"") && letter.contains("2026-11-25"));
        assert!(!before.contains("id=\"reason-error\""), "{}", page.body);
    }

    #[tokio::test]
    async fn the_worklist_names_the_cases_that_need_a_letter() {
        let desk = Desk::new().await;
        let list = async |who: &str| {
            desk.get(who, "/api/v1/desk/cases?state=apology").await.json()["items"]
                .as_array()
                .map_or(0, Vec::len)
        };
        assert_eq!(list("tich").await, 0, "nothing is promised before acceptance");
        desk.accept().await;
        for who in ["tich", "chu", "tinh"] {
            assert_eq!(list(who).await, 1, "{who}");
        }
        let page = desk.get("tich", "/desk?state=apology").await;
        assert!(page.body.contains("Cần thư xin lỗi"), "{}", page.body);
        let letter = json!({"reason": WHY, "day": "2026-11-25"});
        assert_eq!(desk.verb("tich", "apologise", letter).await.status, 200);
        assert_eq!(list("tich").await, 0);
    }
}
