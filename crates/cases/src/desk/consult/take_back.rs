//! `POST /desk/cases/{code}/consults/{number}/take-back`: the officer wants no answer any more and says why. Never
//! what was answered.

use axum::response::Response;
use kernel::{CaseCode, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use super::ask::{ConsultsView, back};
use super::{ASKERS, AtConsult, end};
use crate::consult::Why;
use crate::desk::step::save;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::words::note;

/// Why no answer is wanted any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsultTakeBack {
    /// In words; the asked unit reads it.
    note: String,
}

/// Takes a question back, by the form.
#[utoipa::path(post, path = "/desk/cases/{code}/consults/{number}/take-back", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    responses((status = 303, description = "back to the opinions"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-consult-ended", "obligation-lifted"]))))]
pub(crate) async fn by_form(at: AtConsult, fields: Fields) -> Result<Response, Refusal> {
    let AtConsult {
        cases,
        who,
        code,
        number,
    } = &at;
    let why = fields.lines("note").unwrap_or_default();
    cases.take_consult_back(who, (code, *number), &why).await?;
    Ok(back(code))
}

/// Takes a question back.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/consults/{number}/take-back", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    request_body = ConsultTakeBack,
    responses((status = 200, description = "the opinions", body = ConsultsView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-consult-ended", "obligation-lifted"]))))]
pub(crate) async fn by_json(
    at: AtConsult,
    Json(asked): Json<ConsultTakeBack>,
) -> Result<Json<ConsultsView>, Refusal> {
    let AtConsult {
        cases,
        who,
        code,
        number,
    } = &at;
    cases.take_consult_back(who, (code, *number), &asked.note).await?;
    Ok(Json(cases.consults_view(who, code).await?))
}

impl Cases {
    /// Takes a question back. Pressed twice, it is taken back once.
    async fn take_consult_back(
        &self,
        who: &Principal,
        (code, number): (&CaseCode, u32),
        why: &str,
    ) -> Result<(), Problem> {
        who.require_any(&ASKERS)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (mut case, procedure) = self.opened(&tx, who, code, Verb::Consult).await?;
                let consult = case.consult(number).ok_or_else(Problem::not_found)?;
                if consult.answer.is_some() {
                    return Err(Problem::new(Kind::Conflict, "consult-answered"));
                }
                match consult.ended.as_ref().map(|ended| ended.why) {
                    Some(Why::TakenBack) => return Ok(()),
                    Some(_) => return Err(Problem::new(Kind::Conflict, "consult-ended")),
                    None => {}
                }
                let why = note(why, true)?;
                case.revision += 1;
                end(&tx, &mut case, number, (Why::TakenBack, &why)).await?;
                save(&tx, &case, &procedure).await
            })
            .await
    }
}
