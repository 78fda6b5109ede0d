//! `/cases/{code}/post` and its twin: after filing, the applicant chooses to get the result by post, or no longer, until it
//! is signed. What the agency has already goes there as every submission does; it has the last word.

use ::store::Reader;
use axum::response::Response;
use kernel::{Fact, Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Refusal};

use super::drafts::{PostPage, first, rates};
use super::rates::Rate;
use super::wish::{self, Boxes, PostJson, WishForm, WishJson};
use super::{Wish, store};
use crate::answers::Typed;
use crate::citizen::course::OPEN;
use crate::citizen::{OwnCase, render};
use crate::procedure::Procedure;
use crate::shown::say;
use crate::state::Cases;
use crate::store::{self as rows, Held, SubmissionRow};
use crate::submission::{self, Said};

/// Shows how the result is wished.
#[utoipa::path(get, path = "/cases/{code}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the choice", content_type = "text/html"),
              (status = 303, description = "nothing is to be chosen: back to the case"), (status = 404)))]
pub(crate) async fn show(own: OwnCase, page: Page) -> Result<Response, Refusal> {
    let procedure = own.cases.procedure_of(&own.held.case)?;
    if !is_open(&own.cases, &own.held, &procedure) {
        return Ok(own.back());
    }
    Ok(shown(&own, &page, &procedure, None, &[]).await?)
}

/// Changes how the result is wished.
#[utoipa::path(post, path = "/cases/{code}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = WishForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409),
              (status = 422, description = "the choice with what is wrong", content_type = "text/html"), (status = 429)),
    extensions(("x-facts" = json!(["case-post-wished", "case-submission-made"]))))]
pub(crate) async fn by_form(own: OwnCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let procedure = own.cases.procedure_of(&own.held.case)?;
    let typed = wish::typed(&fields);
    let done = match wish::read(&own.cases, &typed) {
        Ok(wish) => choose(&own, &procedure, wish)
            .await
            .map_err(|problem| vec![problem]),
        Err(problems) => Err(problems),
    };
    match done {
        Ok(()) => Ok(own.back()),
        Err(problems) if problems.iter().all(|problem| problem.kind == Kind::Invalid) => {
            Ok(shown(&own, &page, &procedure, Some(&typed), &problems).await?)
        }
        Err(problems) => Err(first(problems).into()),
    }
}

/// How the result of a case is wished.
#[utoipa::path(get, path = "/api/v1/cases/{code}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, body = PostJson), (status = 401), (status = 404)))]
pub(crate) async fn show_json(own: OwnCase) -> Result<Json<PostJson>, Refusal> {
    Ok(Json(json(&own).await?))
}

/// Changes how the result of a case is wished. Of several faults the first one is told.
#[utoipa::path(post, path = "/api/v1/cases/{code}/post", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = WishJson,
    responses((status = 200, body = PostJson), (status = 401), (status = 404), (status = 409), (status = 422), (status = 429)),
    extensions(("x-facts" = json!(["case-post-wished", "case-submission-made"]))))]
pub(crate) async fn by_json(own: OwnCase, Json(wish): Json<WishJson>) -> Result<Json<PostJson>, Refusal> {
    let procedure = own.cases.procedure_of(&own.held.case)?;
    let wish = wish::read(&own.cases, &wish.typed()).map_err(first)?;
    choose(&own, &procedure, wish).await?;
    Ok(Json(json(&own).await?))
}

/// True while the applicant may choose, as far as the portal knows: the result is not there.
pub(super) fn is_open(cases: &Cases, held: &Held, procedure: &Procedure) -> bool {
    OPEN.contains(&held.status) && cases.offers_post(procedure, cases.today())
}

/// What is wished of a case now: what was filed with it, or the last choice since that the agency has not refused.
pub(super) fn newest(filed: Option<Wish>, sent: &[SubmissionRow]) -> Option<Wish> {
    let stands = |row: &&SubmissionRow| row.outcome.as_deref().is_none_or(|outcome| outcome == "taken");
    let chosen = sent.iter().rev().filter(stands).find_map(|row| match &row.said {
        Said::Post { wish } => Some(wish.clone()),
        _ => None,
    });
    chosen.unwrap_or(filed)
}

/// What is wished of a case now.
pub(super) async fn wished(reader: &Reader, held: &Held) -> Result<Option<Wish>, Problem> {
    let code = &held.case.code;
    let filed = store::wish(reader, &rows::subject(code)).await?;
    Ok(newest(filed, &rows::submissions(reader, code).await?))
}

/// Keeps the choice; what the agency has already hears of it. Sent twice, it is one.
async fn choose(own: &OwnCase, procedure: &Procedure, wish: Option<Wish>) -> Result<(), Problem> {
    let OwnCase { cases, citizen, held } = own;
    let (code, wish) = (&held.case.code, &wish);
    if let Some(wish) = wish {
        if !cases.offers_post(procedure, cases.today()) {
            return Err(Problem::invalid(wish::ADDRESS, "post-not-offered"));
        }
        cases.post_rate(&held.case.unit, &wish.address, cases.today())?;
    }
    let max = cases.store.limits().case_post_changes_max;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
            if !OPEN.contains(&held.status) {
                return Err(Problem::new(Kind::Conflict, "case-post-too-late"));
            }
            let holder = rows::subject(code);
            let filed = store::wish(&tx, &holder).await?;
            let sent = rows::submissions(&tx, code).await?;
            if newest(filed, &sent) == *wish {
                return Ok(());
            }
            let fact = Fact::CasePostWished {
                case: code.clone(),
                by_post: wish.is_some(),
            };
            if rows::is_unpaid(&tx, code).await? {
                // No agency has it yet: it goes with the case.
                store::set_wish(&tx, &holder, wish.as_ref()).await?;
            } else {
                let changes = sent.iter().filter(|row| matches!(row.said, Said::Post { .. }));
                if changes.count() >= max {
                    return Err(Problem::new(Kind::TooMany, "post-changes-many").with("max", max));
                }
                let said = Said::Post { wish: wish.clone() };
                submission::keep(&tx, &held.case, &said, &[]).await?;
            }
            tx.fact(&holder, fact).await?;
            Ok(())
        })
        .await
}

/// What the post takes for a wish of a case.
fn rate(cases: &Cases, held: &Held, wish: &Wish) -> Option<Rate> {
    cases
        .post_rate(&held.case.unit, &wish.address, cases.today())
        .ok()
}

async fn json(own: &OwnCase) -> Result<PostJson, Problem> {
    let OwnCase { cases, held, .. } = own;
    let procedure = cases.procedure_of(&held.case)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let wish = wished(&reader, held).await?;
    let rate = wish.as_ref().and_then(|wish| rate(cases, held, wish));
    let offered = cases.offers_post(&procedure, cases.today());
    let open = is_open(cases, held, &procedure);
    Ok(PostJson::of(cases, (offered, open), wish.as_ref(), rate))
}

async fn shown(
    own: &OwnCase,
    page: &Page,
    procedure: &Procedure,
    typed: Option<&Typed>,
    problems: &[Problem],
) -> Result<Response, Problem> {
    let OwnCase { cases, held, .. } = own;
    let code = &held.case.code;
    let wish = wished(&cases.store.read(&cases.tenant).await?, held).await?;
    let named: Vec<Problem> = problems
        .iter()
        .map(|problem| wish::named(page, problem))
        .collect();
    let body = render(&PostPage {
        page,
        here: format!("/cases/{code}/post"),
        back: format!("/cases/{code}"),
        name: say(&procedure.name, page.lang),
        errors: page.errors(&named),
        boxes: Boxes::new(cases, page, procedure, (wish.as_ref(), typed), problems),
        takes: rates(cases, page),
    })?;
    Ok(page.html_status(
        if problems.is_empty() { 200 } else { 422 },
        &page.t("post-title"),
        body,
    ))
}
