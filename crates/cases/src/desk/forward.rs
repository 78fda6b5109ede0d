//! `POST /desk/cases/{code}/forward`: a case that came to a unit that is not competent goes on to the one that is, where
//! the procedure lets it. Who works on it now passes it on; its code, its state and its date stay. Never to another
//! organisation's unit.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{CaseCode, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use crate::case::Case;
use crate::desk::official::AtCase;
use crate::merger::job::being_made;
use crate::procedure::{Clock, Forward, Procedure};
use crate::state::Cases;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(by_form))
        .routes(routes!(by_json))
}

/// Who passes cases on.
const FORWARDERS: [&str; 2] = ["receptionist", "officer"];

/// To which unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForwardTo {
    /// The revision of the case that was seen.
    revision: i64,
    /// The unit's code.
    #[schema(example = "H56.14797")]
    to: String,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Forwarded {
    /// The case.
    code: String,
    /// The unit that handles it now.
    unit: String,
}

/// Passes a case on by the form.
#[utoipa::path(post, path = "/desk/cases/{code}/forward", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = ForwardTo, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the worklist"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-moved"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let to = fields.text("to").unwrap_or_default();
    let revision = crate::desk::view::revision(&fields)?;
    match at.cases.forward(&at.who, &at.code, (to, revision)).await {
        // Who passed it on to another unit may not see it any more.
        Ok(_) => Ok(Redirect::to("/desk").into_response()),
        Err(problem) => at.back_or_faults(&page, Err(problem), &fields).await,
    }
}

/// Passes a case on.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/forward", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = ForwardTo,
    responses((status = 200, description = "who handles it now", body = Forwarded), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-moved"]))))]
pub(crate) async fn by_json(at: AtCase, Json(sent): Json<ForwardTo>) -> Result<Json<Forwarded>, Refusal> {
    let seen = (sent.to.as_str(), sent.revision);
    Ok(Json(at.cases.forward(&at.who, &at.code, seen).await?))
}

/// What the procedure says of passing a case on, for who works on it now.
///
/// # Errors
/// 403 `case-own`, `role-missing`; 409 `case-forward-never`, `case-verb-not-now`, `case-being-signed`.
pub(crate) fn may_forward(who: &Principal, case: &Case, procedure: &Procedure) -> Result<Forward, Problem> {
    who.require_any(&FORWARDERS)?;
    case.not_own(who.subject.as_ref())?;
    let never = Problem::new(Kind::Conflict, "case-forward-never");
    let forward = procedure.forward.ok_or(never)?;
    let state = procedure.states.get(&case.state);
    let open = state.filter(|state| matches!(state.clock, Clock::Off | Clock::Run));
    let not_now = || Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state);
    who.require(&open.ok_or_else(not_now)?.role)?;
    match being_made(case, procedure) {
        true => Err(Problem::new(Kind::Conflict, "case-being-signed")),
        false => Ok(forward),
    }
}

impl Cases {
    /// The units of this place beside a case's own, which it can go to and which can be asked about it: the organisation
    /// itself first, the others by their names.
    pub(crate) fn units_beside(&self, case: &Case) -> Vec<(OrgCode, String)> {
        let today = self.today();
        let home: &OrgCode = &self.tenant;
        let units = self.organisations.units(home, today).into_iter();
        let mut units: Vec<(OrgCode, String)> = units
            .map(|unit| (unit.code.clone(), unit.name.to_string()))
            .collect();
        units.sort_by_cached_key(|(_, name)| directory::collate::key(name));
        units.insert(0, (home.clone(), self.organisation_name(home)));
        units.retain(|(code, _)| *code != case.unit);
        units
    }

    async fn forward(
        &self,
        who: &Principal,
        code: &CaseCode,
        (to, revision): (&str, i64),
    ) -> Result<Forwarded, Problem> {
        let unit = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                let case = self.seen(&tx, who, code).await?.case;
                let procedure = self.procedure_of(&case)?;
                may_forward(who, &case, &procedure)?;
                case.seen(revision)?;
                let known = self.units_beside(&case);
                let known = known.into_iter().find(|(unit, _)| unit.as_str() == to.trim());
                let missing = || Problem::invalid("to", "case-forward-unit");
                let (unit, _) = known.ok_or_else(missing)?;
                self.relocate(&tx, &case, &procedure, &unit, &who.account).await?;
                Ok(unit)
            })
            .await?;
        Ok(Forwarded {
            code: code.to_string(),
            unit: unit.to_string(),
        })
    }
}
