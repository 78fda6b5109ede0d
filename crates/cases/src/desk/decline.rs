//! `decline`: the receptionist does not take a case in (từ chối tiếp nhận): it is not what the procedure is
//! for, or went to the wrong agency. A slip says why, and the case ends. No clock ever ran.

use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::course::Declined;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save_telling};
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// That a case is not taken in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declining {
    /// The revision of the case the receptionist has seen.
    revision: i64,
    /// Why, in words the applicant understands.
    reason: String,
}

/// Declines a case from its page.
#[utoipa::path(post, path = "/desk/cases/{code}/decline", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-declined", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let why = Declining {
        revision: view::revision(&fields)?,
        reason: fields.lines("reason").unwrap_or_default(),
    };
    let done = at.cases.decline(&at.who, &at.code, &why).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Declines a case.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/decline", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Declining,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-declined", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(why): Json<Declining>) -> Result<Json<CaseView>, Refusal> {
    at.cases.decline(&at.who, &at.code, &why).await?;
    at.view().await
}

impl Cases {
    /// Declines a case. Pressed twice, it is declined once.
    async fn decline(&self, who: &Principal, code: &CaseCode, why: &Declining) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Decline).await?;
                if is_done(&case, who, why.revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Decline, who, why.revision)?;
                let reason = words("reason", &why.reason, true)?;
                let mut case = case.moved(step);
                let slip = format!("declined-{code}");
                case.course.declined = Some(Declined {
                    reason: reason.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    slip: slip.clone(),
                });
                let notice = Notice::Declined {
                    reason: reason.clone(),
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                let fact = Fact::CaseDeclined {
                    case: code.clone(),
                    slip,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await?;
        self.slips_now(code).await;
        Ok(())
    }
}

/// The second click of the one who has just declined it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let declined = case.course.declined.as_ref();
    declined.is_some_and(|d| d.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, handover, pack_templates};

    #[tokio::test]
    async fn a_case_that_is_not_taken_in_ends_with_a_slip_and_no_clock() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&handover()).await.expect("received");
        let why = json!({"reason": "Không thuộc thẩm quyền của xã"});
        let answer = desk.verb("tiep", "decline", why.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let case = answer.json();
        assert_eq!((&case["status"], &case["accepted"]), (&json!(3), &json!(null)));
        assert_eq!(desk.state().await, "declined");
        assert_eq!(desk.facts().await, ["case-received", "case-declined"]);
        assert!(desk.deliver().await.is_empty());
        let told = desk.nation.asked_of("note-status").pop().expect("told");
        assert_eq!(
            (
                &told["status"],
                &told["notice"]["reason"],
                &told["results"][0]["document"]
            ),
            (&json!(3), &why["reason"], &json!(format!("declined-{CASE}")))
        );
        for (who, verb, more) in [
            ("tiep", "accept", json!({})),
            ("tich", "propose", json!({"outcome": "granted"})),
        ] {
            assert_eq!(desk.verb(who, verb, more).await.problem(), "case-verb-not-now");
        }
        assert_eq!(
            desk.verb_at("tiep", "decline", 1, why.clone()).await.status,
            200,
            "a second click"
        );
        assert_eq!(
            desk.verb("tiep", "decline", why).await.problem(),
            "case-verb-not-now",
            "a new page offers it no more"
        );
    }

    #[tokio::test]
    async fn only_a_receptionist_declines_only_what_was_not_accepted_and_says_why() {
        let desk = Desk::new().await;
        for who in ["tich", "chu"] {
            let answer = desk.verb(who, "decline", json!({"reason": "x"})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        let path = format!("/desk/cases/{CASE}/decline");
        let page = desk
            .form("tiep", &path, &[("revision", "1"), ("reason", " ")])
            .await;
        assert!(page.status == 422 && page.body.contains("href=\"#reason\""));
        desk.accept().await;
        let late = desk.verb("tiep", "decline", json!({"reason": "x"})).await;
        assert_eq!((late.status, late.problem().as_str()), (409, "case-verb-not-now"));
    }
}
