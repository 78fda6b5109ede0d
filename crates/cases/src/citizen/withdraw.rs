//! `GET/POST /cases/{code}/withdraw` and its twin: the applicant takes a case back (rút hồ sơ), after being asked
//! once more. Whether it is still in time the agency answers; two clicks are one.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use kernel::{Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal, SignedIn};

use crate::citizen::course::{OPEN, is_said};
use crate::citizen::mine::own_case;
use crate::citizen::{Citizen, citizen, render, see_other};
use crate::state::Cases;
use crate::store::{self as rows, Held};
use crate::submission::{self, Said};

/// Length of the reason, in characters.
const REASON_CHARS_MAX: usize = 2_000;

#[derive(Template)]
#[template(path = "withdraw.html")]
struct WithdrawPage<'a> {
    page: &'a Page,
    code: String,
    unit: String,
    reason: &'a str,
    problems: &'a [Problem],
}

/// The wish to take a case back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdrawal {
    /// Why; may be empty.
    #[serde(default)]
    reason: String,
}

/// What was sent about a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentJson {
    /// The case.
    pub(crate) case: String,
    /// `withdrawal` or `rating`.
    pub(crate) sent: &'static str,
}

/// Asks once more.
#[utoipa::path(get, path = "/cases/{code}/withdraw", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the question", content_type = "text/html"), (status = 404)))]
pub(crate) async fn ask(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let held = own_case(&reader, &citizen(&cases, &who)?, &code).await?;
    if !OPEN.contains(&held.status) {
        return Ok(see_other(&format!("/cases/{}", held.case.code)));
    }
    Ok(shown(&cases, &page, &held, "", &[])?.into_response())
}

/// Takes the case back.
#[utoipa::path(post, path = "/cases/{code}/withdraw", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = Withdrawal, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let citizen = citizen(&cases, &who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = own_case(&reader, &citizen, &code).await?;
    drop(reader);
    let reason = fields.lines("reason").unwrap_or_default();
    match withdraw(&cases, &citizen, &held, &reason).await {
        Ok(()) => Ok(see_other(&format!("/cases/{}", held.case.code))),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = shown(&cases, &page, &held, &reason, &[problem])?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a case back.
#[utoipa::path(post, path = "/api/v1/cases/{code}/withdraw", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Withdrawal,
    responses((status = 200, description = "on its way to the agency", body = SentJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(code): Path<String>,
    Json(why): Json<Withdrawal>,
) -> Result<Json<SentJson>, Refusal> {
    let citizen = citizen(&cases, &who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = own_case(&reader, &citizen, &code).await?;
    drop(reader);
    withdraw(&cases, &citizen, &held, &why.reason).await?;
    Ok(Json(SentJson {
        case: held.case.code.to_string(),
        sent: "withdrawal",
    }))
}

async fn withdraw(cases: &Cases, citizen: &Citizen<'_>, held: &Held, reason: &str) -> Result<(), Problem> {
    let reason = reason.trim();
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Problem::invalid("reason", "case-note-long").with("max", REASON_CHARS_MAX));
    }
    let said = &Said::Withdrawal {
        reason: reason.to_owned(),
    };
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let code = &held.case.code;
            if is_said(&rows::submissions(&tx, code).await?, said.kind()) {
                return Ok(());
            }
            let status = rows::case(&tx, code).await?.map_or(0, |held| held.status);
            if !OPEN.contains(&status) {
                return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", status));
            }
            submission::keep(&tx, &held.case, said, &[]).await?;
            Ok(())
        })
        .await
}

fn shown(
    cases: &Cases,
    page: &Page,
    held: &Held,
    reason: &str,
    problems: &[Problem],
) -> Result<Html<String>, Problem> {
    let body = render(&WithdrawPage {
        page,
        code: held.case.code.to_string(),
        unit: cases.organisation_name(&held.case.unit),
        reason,
        problems,
    })?;
    Ok(page.html(&page.t("cases-withdraw-title"), body))
}
