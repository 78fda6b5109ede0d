//! `POST /desk/moves/{code}/assign`: somebody above the units says which one handles a case whose
//! unit has ended. Never a unit that did not take over, where the lists say who did.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{CaseCode, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use crate::desk::official::AtCase;
use crate::merger::Why;
use crate::merger::job::being_made;
use crate::merger::page::with_fault;
use crate::merger::store as list;
use crate::state::Cases;
use crate::store as rows;

/// To which unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assign {
    /// The unit's code.
    #[schema(example = "H56.14797")]
    to: String,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assigned {
    /// The case.
    code: String,
    /// The unit that handles it now.
    unit: String,
}

/// Assigns a case by a form.
#[utoipa::path(post, path = "/desk/moves/{code}/assign", tag = "desk", security(("session" = ["officer", "chairman", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the list"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the list again, with what is wrong")),
    extensions(("x-facts" = json!(["case-moved", "obligation-met"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let AtCase { cases, who, code } = &at;
    let to = fields.text("to").unwrap_or_default();
    match cases.assign(who, code, to).await {
        Ok(_) => Ok(Redirect::to("/desk/moves").into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            with_fault(cases, who, &page, code.as_str(), &problem).await
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Assigns a case.
#[utoipa::path(post, path = "/api/v1/desk/moves/{code}/assign", tag = "desk", security(("session" = ["officer", "chairman", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body = Assign,
    responses((status = 200, description = "who handles it now", body = Assigned), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-moved", "obligation-met"]))))]
pub(crate) async fn by_json(at: AtCase, Json(body): Json<Assign>) -> Result<Json<Assigned>, Refusal> {
    Ok(Json(at.cases.assign(&at.who, &at.code, &body.to).await?))
}

impl Cases {
    async fn assign(&self, who: &Principal, code: &CaseCode, to: &str) -> Result<Assigned, Problem> {
        self.may_assign(who)?;
        if to.trim().is_empty() {
            return Err(Problem::invalid("to", "case-move-unit-missing"));
        }
        let to: Option<OrgCode> = to.trim().parse().ok();
        let to = &to.ok_or_else(|| Problem::invalid("to", "case-move-unit"))?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
                let (case, waiting) = (held.case, list::waiting(&tx, code).await?);
                case.not_own(who.subject.as_ref())?;
                let Some(waiting) = waiting else {
                    // The second click of the same assignment.
                    return if case.unit == *to {
                        Ok(())
                    } else {
                        Err(Problem::new(Kind::Conflict, "case-move-not-waiting"))
                    };
                };
                if waiting.why == Why::Elsewhere {
                    return Err(Problem::new(Kind::Conflict, "case-move-elsewhere"));
                }
                if !self.choices(&waiting).contains(to) {
                    return Err(Problem::invalid("to", "case-move-unit"));
                }
                let procedure = self.procedure_of(&case)?;
                if being_made(&case, &procedure) {
                    return Err(Problem::new(Kind::Conflict, "case-being-signed"));
                }
                self.relocate(&tx, &case, &procedure, to, &who.account).await
            })
            .await?;
        Ok(Assigned {
            code: code.to_string(),
            unit: to.to_string(),
        })
    }
}
