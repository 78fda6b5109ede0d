//! `POST /desk/cases/{code}/supplement`: what was asked for, brought to the desk by who handed the case in
//! there. Counts as sent by the applicant: the same rules, the same clock.

use axum::response::Response;
use kernel::{Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Page, Refusal};

use super::page::checked;
use crate::case::{Answers, Case};
use crate::desk::official::AtCase;
use crate::procedure::Verb;
use crate::store::{self as rows, SubmissionRow};
use crate::submission::Said;
use crate::words::note;

/// Who takes it at the desk.
const TAKERS: [&str; 2] = ["receptionist", "officer"];

/// The form's own fields; the others are `paper-CODE`.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct BroughtForm {
    /// What was brought, in words: of papers that stay on paper, and of what the applicant says.
    note: Option<String>,
}

/// True when somebody with these roles may take a supplement of a case at the desk.
pub(crate) fn may_bring(case: &Case, roles: &[String]) -> bool {
    let waits = case
        .course
        .supplement
        .as_ref()
        .is_some_and(|asked| asked.given_at.is_none());
    waits && case.course.intake.is_some() && roles.iter().any(|role| TAKERS.contains(&role.as_str()))
}

/// Takes what was asked for.
#[utoipa::path(post, path = "/desk/cases/{code}/supplement", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = BroughtForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-supplemented", "obligation-opened"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let done = bring(&at, &fields).await;
    at.back_or_faults(&page, done, &fields).await
}

async fn bring(at: &AtCase, fields: &Fields) -> Result<(), Problem> {
    let AtCase { cases, who, code } = at;
    who.require_any(&TAKERS)?;
    let words =
        note(&fields.lines("note").unwrap_or_default(), false).map_err(|problem| problem.at("papers"))?;
    let (case, procedure) = {
        let reader = cases.store.read(&cases.tenant).await?;
        cases.opened(&reader, who, code, Verb::Supplement).await?
    };
    if !may_bring(&case, &who.roles) {
        return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state));
    }
    let (papers, problems) = checked(cases, &procedure, &[], fields).await?;
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let (papers, procedure, words) = (&papers, &procedure, &words);
    cases
        .store
        .write(&cases.tenant, &who.actor, |tx| async move {
            let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
            let given = (tx.now(), &Answers::new(), words.as_str());
            cases
                .supplemented(&tx, held.case, procedure, given, papers)
                .await?;
            let brought = SubmissionRow {
                seq: rows::last_submission(&tx, code).await? + 1,
                at: tx.now(),
                said: Said::Supplement {
                    answers: Answers::new(),
                    note: words.clone(),
                },
                outcome: Some("taken".to_owned()),
            };
            rows::insert_submission(&tx, code, &brought).await
        })
        .await
}
