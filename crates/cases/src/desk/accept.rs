//! `accept`: the receptionist takes a case in; the clock starts, the result is owed from here on,
//! and the applicant gets a receipt with the appointment. Never looks at whether the answer will be
//! yes.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use obligations::Obligation;
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal, SignedIn};

use crate::case::{Accepted, Case};
use crate::clock;
use crate::desk::official::code;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView, Seen};
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;

/// Accepts a case from its page.
#[utoipa::path(post, path = "/desk/cases/{code}/accept", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-accepted", "obligation-opened", "document-issued"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let code = code(&path)?;
    cases.accept(&who, &code, view::revision(&fields)?).await?;
    Ok(view::back(&code))
}

/// Accepts a case.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/accept", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-accepted", "obligation-opened", "document-issued"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
    Json(seen): Json<Seen>,
) -> Result<Json<CaseView>, Refusal> {
    let code = code(&path)?;
    cases.accept(&who, &code, seen.revision).await?;
    Ok(Json(cases.case_view(&who, &code).await?))
}

impl Cases {
    /// Accepts a case. Pressed twice, it is accepted once.
    async fn accept(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.official(who)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code).await?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Accept, who, revision)?;
                let calendar = self.calendars.of(&case.unit, tx.now().date());
                let working_out = clock::due(procedure.term(case.channel), &calendar, tx.now())?;
                let (due, term_minutes) = (working_out.due, working_out.term_minutes);
                let mut case = case.moved(step);
                case.accepted = Some(Accepted {
                    at: tx.now(),
                    by: who.account.clone(),
                    by_name: who.name.clone(),
                    due,
                    working_out,
                });
                save(&tx, &case, &procedure).await?;
                obligations::open(
                    &tx,
                    &Obligation {
                        id: subject(code),
                        kind: "case".to_owned(),
                        debtor: case.unit.clone(),
                        about: code.to_string(),
                        due,
                    },
                )
                .await?;
                let fact = Fact::CaseAccepted {
                    case: code.clone(),
                    due,
                    term_minutes,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await?;
        // The acceptance stands whatever becomes of its paper: who asks for the receipt gets it made.
        if let Err(problem) = self.receipt_of(code, &who.actor).await {
            tracing::error!(%problem, case = %code, "the receipt could not be made yet");
        }
        Ok(())
    }
}

/// The second click of the one who has just accepted it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    case.accepted.as_ref().is_some_and(|a| a.by == who.account) && revision < case.revision
}
