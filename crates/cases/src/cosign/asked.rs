//! `GET /asked` and its twin: the drafts that the signed-in citizen is asked to sign, newest first. Shows who asks and of
//! which procedure, and no answer: those are shown with the draft, which leaves a trace.

use ::store::Reader;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use super::api::{CosignAskedJson, CosignAskedLine};
use super::{Cosign, store};
use crate::citizen::{Citizen, render};
use crate::draft::Draft;
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    /// The draft after which it goes on, as the page before says: `MS-ID`.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "asked.html")]
struct AskedPage<'a> {
    page: &'a Page,
    items: Vec<Line>,
    first: bool,
    next: Option<String>,
}

struct Line {
    draft: String,
    name: String,
    asker: String,
    at: String,
    standing: String,
    /// It can still be looked at.
    open: bool,
}

/// What I am asked to sign.
#[utoipa::path(get, path = "/asked", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the list", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    Query(onward): Query<Onward>,
) -> Result<Html<String>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (asked, next) = some(&cases, &reader, &citizen, &onward.after).await?;
    let mut items = Vec::with_capacity(asked.len());
    for one in &asked {
        let Some(draft) = rows::draft(&reader, &one.account, &one.draft).await? else {
            continue;
        };
        let procedure = cases.version(&draft.version)?;
        items.push(Line {
            draft: one.draft.clone(),
            name: say(&procedure.name, page.lang).to_owned(),
            asker: one.asker.clone(),
            at: page.time(one.asked_at),
            standing: page.t(&format!("cosign-{}", standing(one, &draft))),
            open: draft.filed_as.is_none(),
        });
    }
    let body = render(&AskedPage {
        page: &page,
        items,
        first: onward.after.is_empty(),
        next,
    })?;
    Ok(page.html(&page.t("asked-title"), body))
}

/// What I am asked to sign.
#[utoipa::path(get, path = "/api/v1/asked", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = CosignAskedJson), (status = 401), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    citizen: Citizen,
    Query(onward): Query<Onward>,
) -> Result<Json<CosignAskedJson>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (asked, next) = some(&cases, &reader, &citizen, &onward.after).await?;
    let mut items = Vec::with_capacity(asked.len());
    for one in asked {
        let Some(draft) = rows::draft(&reader, &one.account, &one.draft).await? else {
            continue;
        };
        items.push(CosignAskedLine {
            procedure: draft.procedure.to_string(),
            standing: standing(&one, &draft),
            draft: one.draft,
            asker: one.asker,
            asked_at: one.asked_at.rfc3339(),
        });
    }
    Ok(Json(CosignAskedJson { items, next }))
}

fn standing(one: &Cosign, draft: &Draft) -> &'static str {
    match draft.filed_as {
        Some(_) => "over",
        None => one.standing(draft.revision).word(),
    }
}

/// A page of what a citizen is asked and where the next begins.
async fn some(
    cases: &Cases,
    reader: &Reader,
    citizen: &Citizen,
    after: &str,
) -> Result<(Vec<Cosign>, Option<String>), Problem> {
    let malformed = || Problem::invalid("after", "malformed");
    let place = match after.split_once('-') {
        None if after.is_empty() => (Time(i64::MAX), ""),
        None => return Err(malformed()),
        Some((ms, id)) => (Time(ms.parse().map_err(|_| malformed())?), id),
    };
    let limit = cases.store.limits().page_rows_max;
    let mut asked = store::of_number(reader, &citizen.number, place, limit + 1).await?;
    let more = asked.len() > limit;
    asked.truncate(limit);
    let next = asked
        .last()
        .filter(|_| more)
        .map(|last| format!("{}-{}", last.asked_at.ms(), last.draft));
    Ok((asked, next))
}
