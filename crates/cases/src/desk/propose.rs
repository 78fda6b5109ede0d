//! `propose`: the officer says what the outcome should be. To grant what needs an act, the act is
//! entered in its register first; nothing is entered for a refusal. Never on a case of one's own.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::fact::Outcome;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal, SignedIn};

use crate::case::{Case, Proposal};
use crate::desk::act;
use crate::desk::official::code;
use crate::desk::step::{PLATFORM, may, note, save};
use crate::desk::view::{self, CaseView};
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;

/// What is proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposed {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// `granted` or `refused`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Why; needed for a refusal.
    #[serde(default)]
    note: String,
}

/// Proposes an outcome from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/propose", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-proposed"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: web::Page,
    Path(path): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let code = code(&path)?;
    let outcome = match fields.text("outcome") {
        Some("granted") => Ok(Outcome::Granted),
        Some("refused") => Ok(Outcome::Refused),
        _ => Err(Problem::invalid("outcome", "case-outcome-missing")),
    };
    let done = match outcome {
        Ok(outcome) => {
            let revision = view::revision(&fields)?;
            let note = fields.lines("note").unwrap_or_default();
            cases
                .propose(
                    &who,
                    &code,
                    &Proposed {
                        revision,
                        outcome,
                        note,
                    },
                )
                .await
        }
        Err(problem) => Err(problem),
    };
    view::back_or_faults(&cases, &who, &page, &code, done, &fields).await
}

/// Proposes an outcome.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/propose", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Proposed,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-proposed"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
    Json(proposed): Json<Proposed>,
) -> Result<Json<CaseView>, Refusal> {
    let code = code(&path)?;
    cases.propose(&who, &code, &proposed).await?;
    Ok(Json(cases.case_view(&who, &code).await?))
}

impl Cases {
    /// Proposes an outcome. Pressed twice, it is proposed once.
    async fn propose(&self, who: &Principal, code: &CaseCode, proposed: &Proposed) -> Result<(), Problem> {
        self.official(who)?;
        let outcome = proposed.outcome;
        let note = &note(&proposed.note, outcome == Outcome::Refused)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code).await?;
                if is_done(&case, who, proposed, note) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Propose, who, proposed.revision)?;
                let mut case = case.moved(step);
                case.proposal = Some(Proposal {
                    outcome,
                    note: note.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    sent_back: None,
                });
                save(&tx, &case, &procedure).await?;
                let fact = Fact::CaseProposed {
                    case: code.clone(),
                    outcome,
                };
                tx.fact(&subject(code), fact).await?;
                if enters_act(&procedure, outcome) {
                    return act::enqueue_enter(&tx, code).await;
                }
                // Nothing to enter: the step of the platform is passed over in the same change.
                if let Ok(step) = case.transition(&procedure, Verb::EnterAct, &[PLATFORM.to_owned()]) {
                    let case = case.clone().moved(step);
                    save(&tx, &case, &procedure).await?;
                }
                Ok(())
            })
            .await
    }
}

fn enters_act(procedure: &Procedure, outcome: Outcome) -> bool {
    procedure.act.is_some() && outcome == Outcome::Granted
}

/// The second click of the one who has just proposed the same.
fn is_done(case: &Case, who: &Principal, proposed: &Proposed, note: &str) -> bool {
    case.proposal.as_ref().is_some_and(|p| {
        p.by == who.account
            && p.outcome == proposed.outcome
            && p.note == note
            && p.sent_back.is_none()
            && proposed.revision < case.revision
    })
}
