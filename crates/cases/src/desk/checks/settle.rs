//! `checks`: an official has looked at what a register says otherwise and notes what came of it, or has the register asked
//! once more. Never changes an answer: what is wrong on a form is asked for as a supplement.

use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::{CheckState, Details, Settled, enqueue, store};
use crate::desk::official::AtCase;
use crate::desk::view::CaseView;
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// Who looks at it.
pub(super) const LOOKERS: [&str; 2] = ["receptionist", "officer"];
/// What notes what came of it.
pub(super) const SETTLE: &str = "settle";
/// What has the register asked once more.
pub(super) const AGAIN: &str = "again";
/// The field of the note on the case's page, which has other notes.
pub(super) const NOTE: &str = "check_note";

/// What is done about a comparison.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleCheck {
    /// Its number among those of the case.
    check: u32,
    /// `settle` to note what came of it, `again` to have the register asked once more.
    #[schema(example = "settle")]
    what: String,
    /// What came of it; needed to settle.
    #[serde(default)]
    check_note: String,
}

/// Notes what came of a comparison, or has the register asked once more, from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/checks", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = SettleCheck, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-check-settled", "case-check-again"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let check: u32 = fields
        .text("check")
        .unwrap_or_default()
        .parse()
        .unwrap_or_default();
    let note = fields.lines(NOTE).unwrap_or_default();
    let what = fields.text("what").unwrap_or_default();
    let done = at.cases.settle_check(&at.who, &at.code, check, (what, &note));
    let done = done.await;
    at.back_or_faults(&page, done, &fields).await
}

/// Notes what came of a comparison, or has the register asked once more.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/checks", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = SettleCheck,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-check-settled", "case-check-again"]))))]
pub(crate) async fn by_json(at: AtCase, Json(sent): Json<SettleCheck>) -> Result<Json<CaseView>, Refusal> {
    let what = (sent.what.as_str(), sent.check_note.as_str());
    at.cases.settle_check(&at.who, &at.code, sent.check, what).await?;
    at.view().await
}

impl Cases {
    /// Does either. Pressed twice, it is done once.
    async fn settle_check(
        &self,
        who: &Principal,
        code: &CaseCode,
        number: u32,
        (what, note): (&str, &str),
    ) -> Result<(), Problem> {
        who.require_any(&LOOKERS)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let case = self.seen(&tx, who, code).await?.case;
                case.not_own(who.subject.as_ref())?;
                let check = store::one(&tx, code, number).await?;
                let check = check.ok_or_else(Problem::not_found)?;
                let is_again = match what {
                    AGAIN => true,
                    SETTLE => false,
                    _ => return Err(Problem::new(Kind::Malformed, "malformed").at("what")),
                };
                match check.state {
                    // The second click of the one who has just done it.
                    CheckState::Waits if is_again && check.details.by == who.account => return Ok(()),
                    CheckState::Settled if !is_again && is_by(&check.details, who) => return Ok(()),
                    state if state.part() == store::Part::Open => {}
                    _ => return Err(Problem::new(Kind::Conflict, "case-check-not-open")),
                }
                let (state, details, fact) = if is_again {
                    let details = Details {
                        by: who.account.clone(),
                        begun: tx.now(),
                        differs: Vec::new(),
                        request: None,
                        why: None,
                        ..check.details
                    };
                    enqueue(&tx, code, number).await?;
                    let case = code.clone();
                    let fact = Fact::CaseCheckAgain { case, check: number };
                    (CheckState::Waits, details, fact)
                } else {
                    let settled = Settled {
                        by: who.account.clone(),
                        by_name: who.name.clone(),
                        at: tx.now(),
                        note: words(NOTE, note, true)?,
                    };
                    let details = Details {
                        settled: Some(settled),
                        ..check.details
                    };
                    let case = code.clone();
                    let fact = Fact::CaseCheckSettled { case, check: number };
                    (CheckState::Settled, details, fact)
                };
                store::save(&tx, code, number, state, &details).await?;
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }
}

fn is_by(details: &Details, who: &Principal) -> bool {
    details
        .settled
        .as_ref()
        .is_some_and(|settled| settled.by == who.account)
}
