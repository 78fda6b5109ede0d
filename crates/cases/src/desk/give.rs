//! `return`: the applicant gets the result. Of a case filed online, electronically, in the change
//! that decides it; the result travels with the status. One that goes by post is given by handing it over:
//! see [`crate::post`]. Never before a decision.

use ::store::Tx;
use axum::response::Response;
use kernel::fact::Channel;
use kernel::{CaseCode, Fact, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView, Seen};
use crate::procedure::{PLATFORM, Procedure, Transition, Verb};
use crate::state::Cases;
use crate::store::subject;

/// Notes from the case's page that the result was handed over.
#[utoipa::path(post, path = "/desk/cases/{code}/return", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-returned"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.cases.give(&at.who, &at.code, view::revision(&fields)?).await?;
    Ok(at.back())
}

/// Notes that the result was handed over.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/return", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-returned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(seen): Json<Seen>) -> Result<Json<CaseView>, Refusal> {
    at.cases.give(&at.who, &at.code, seen.revision).await?;
    at.view().await
}

impl Cases {
    /// Gives a result over the counter, where the procedure has somebody for it.
    async fn give(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Return).await?;
                // What follows on a decision changes the case by itself: a page from before says as well
                // what is given.
                let seen = revision.max(case.revision);
                let step = may(&case, &procedure, Verb::Return, who, seen)?;
                returned(&tx, case, &procedure, step).await
            })
            .await
    }
}

/// Gives the result of a case that was filed online; any other waits for its applicant, or for the post.
pub(crate) async fn online(tx: &Tx, case: Case, procedure: &Procedure) -> Result<(), Problem> {
    let step = case.transition(procedure, Verb::Return, &[PLATFORM.to_owned()]);
    match step {
        Ok(step) if case.channel == Channel::Online && case.course.post.is_none() => {
            returned(tx, case, procedure, step).await
        }
        _ => Ok(()),
    }
}

async fn returned(tx: &Tx, case: Case, procedure: &Procedure, step: &Transition) -> Result<(), Problem> {
    let mut case = case.moved(step);
    case.returned_at = Some(tx.now());
    save(tx, &case, procedure).await?;
    let fact = Fact::CaseReturned {
        case: case.code.clone(),
    };
    tx.fact(&subject(&case.code), fact).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, handover};

    #[tokio::test]
    async fn nobody_gives_a_result_that_the_platform_gives_itself() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        for (who, status, code) in [("tiep", 409, "case-verb-not-now"), ("chu", 403, "role-missing")] {
            let answer = desk.verb(who, "return", json!({})).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (status, code),
                "not before a decision, and by who gives results"
            );
        }
        assert_eq!(desk.sign_and_seal().await.status, 200);
        assert_eq!(
            desk.verb("tiep", "return", json!({})).await.status,
            409,
            "it is given"
        );
    }

    #[tokio::test]
    async fn a_result_of_the_counter_waits_for_its_applicant() {
        let desk = Desk::empty().await;
        let mut body = handover();
        body["channel"] = json!("counter");
        desk.receive(&body).await.expect("received");
        desk.to_sign().await;
        let signed = desk.sign_and_seal().await.json();
        assert_eq!(
            (&signed["state"], &signed["status"]),
            (&json!("decided"), &json!(9))
        );
        assert_eq!(
            desk.facts().await.last().map(String::as_str),
            Some("case-decided")
        );
        let page = desk.get("tiep", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("Phạm Minh Chủ"), "who signed");
    }
}
