//! `GET/POST /cases/{code}/withdraw` and its twin: the applicant takes a case back (rút hồ sơ), after being asked
//! once more. Whether it is still in time the agency answers; two clicks are one.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use kernel::{Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use crate::citizen::course::OPEN;
use crate::citizen::{OwnCase, render};
use crate::store as rows;
use crate::submission::{self, Said};
use crate::words::words;

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
pub(crate) async fn ask(own: OwnCase, page: Page) -> Result<Response, Refusal> {
    let reader = own.cases.store.read(&own.cases.tenant).await?;
    if !OPEN.contains(&own.held.status) || rows::is_unpaid(&reader, &own.held.case.code).await? {
        return Ok(own.back());
    }
    Ok(shown(&own, &page, "", &[])?.into_response())
}

/// Takes the case back.
#[utoipa::path(post, path = "/cases/{code}/withdraw", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = Withdrawal, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made"]))))]
pub(crate) async fn by_form(own: OwnCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let reason = fields.lines("reason").unwrap_or_default();
    match withdraw(&own, &reason).await {
        Ok(()) => Ok(own.back()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = shown(&own, &page, &reason, &[problem])?;
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
pub(crate) async fn by_json(own: OwnCase, Json(why): Json<Withdrawal>) -> Result<Json<SentJson>, Refusal> {
    withdraw(&own, &why.reason).await?;
    Ok(Json(SentJson {
        case: own.held.case.code.to_string(),
        sent: "withdrawal",
    }))
}

/// Asks the agency for the case back. Sent twice, it is asked once.
async fn withdraw(own: &OwnCase, reason: &str) -> Result<(), Problem> {
    let OwnCase { cases, citizen, held } = own;
    let reason = words("reason", reason, false)?;
    let (code, said) = (&held.case.code, &Said::Withdrawal { reason });
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            // No agency has it, so none could give it back; left unpaid it never leaves the portal.
            if rows::is_unpaid(&tx, code).await? {
                return Err(Problem::new(Kind::Conflict, "case-withdraw-unpaid"));
            }
            submission::keep_once(&tx, code, said, &OPEN).await.map(drop)
        })
        .await
}

fn shown(own: &OwnCase, page: &Page, reason: &str, problems: &[Problem]) -> Result<Html<String>, Problem> {
    let case = &own.held.case;
    let body = render(&WithdrawPage {
        page,
        code: case.code.to_string(),
        unit: own.cases.organisation_name(&case.unit),
        reason,
        problems,
    })?;
    Ok(page.html(&page.t("cases-withdraw-title"), body))
}
