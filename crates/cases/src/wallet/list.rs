//! `GET /wallet` and its twin: the signed-in citizen's own documents, newest first, with what can be added to them. Never
//! another citizen's.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use super::view::{EntryView, WalletEntryJson};
use super::{Entry, store};
use crate::citizen::{Citizen, render};
use crate::shown::say;
use crate::state::Cases;

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    /// The document after which it goes on, as the page before says: `MS-ID`.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "wallet.html")]
struct WalletPage<'a> {
    page: &'a Page,
    items: Vec<EntryView>,
    /// The records that a register can be asked for: the word and the name.
    records: Vec<(&'a str, &'a str)>,
    first: bool,
    next: Option<String>,
    problems: &'a [Problem],
    megabytes: usize,
}

/// A citizen's own documents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletJson {
    /// Newest first.
    items: Vec<WalletEntryJson>,
    /// The records that a register can be asked for, by their words.
    records: Vec<String>,
    /// `after` of the next page.
    next: Option<String>,
}

/// My documents.
#[utoipa::path(get, path = "/wallet", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the list", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    Query(onward): Query<Onward>,
) -> Result<Response, Refusal> {
    Ok(shown(&cases, &citizen, &page, (&onward.after, &[])).await?)
}

/// My documents.
#[utoipa::path(get, path = "/api/v1/wallet", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = WalletJson), (status = 401), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    citizen: Citizen,
    Query(onward): Query<Onward>,
) -> Result<Json<WalletJson>, Refusal> {
    let (entries, next) = some(&cases, &citizen, &onward.after).await?;
    let records = cases.catalogue.own_records();
    Ok(Json(WalletJson {
        items: entries
            .iter()
            .map(|entry| WalletEntryJson::new(&cases, entry))
            .collect(),
        records: records.iter().map(|record| record.code.clone()).collect(),
        next,
    }))
}

/// The page; `problems` are what is wrong with what was to be added.
///
/// # Errors
/// `malformed` (422) at `after`.
pub(super) async fn shown(
    cases: &Cases,
    citizen: &Citizen,
    page: &Page,
    (after, problems): (&str, &[Problem]),
) -> Result<Response, Problem> {
    let (entries, next) = some(cases, citizen, after).await?;
    let records = cases.catalogue.own_records().iter();
    let body = render(&WalletPage {
        page,
        items: entries
            .iter()
            .map(|entry| EntryView::new(cases, page, entry))
            .collect(),
        records: records
            .map(|record| (record.code.as_str(), say(&record.title, page.lang)))
            .collect(),
        first: after.is_empty(),
        next,
        problems,
        megabytes: cases.store.limits().upload_bytes_max >> 20,
    })?;
    let title = page.t("wallet-title");
    Ok(match problems.first() {
        Some(problem) => page.html_status(problem.kind.status(), &title, body),
        None => page.html(&title, body).into_response(),
    })
}

/// A page of a citizen's documents and where the next begins.
async fn some(
    cases: &Cases,
    citizen: &Citizen,
    after: &str,
) -> Result<(Vec<Entry>, Option<String>), Problem> {
    let malformed = || Problem::invalid("after", "malformed");
    let place = match after.split_once('-') {
        None if after.is_empty() => (Time(i64::MAX), ""),
        None => return Err(malformed()),
        Some((ms, id)) => (Time(ms.parse().map_err(|_| malformed())?), id),
    };
    let limit = cases.store.limits().page_rows_max;
    let reader = cases.store.read(&cases.tenant).await?;
    let mut entries = store::list(&reader, &citizen.who.account, place, limit + 1).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| format!("{}-{}", last.kept_at.ms(), last.id));
    Ok((entries, next))
}
