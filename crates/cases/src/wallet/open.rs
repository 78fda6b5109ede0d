//! `GET /wallet/{entry}`, its twin and its file: one document of the signed-in citizen, who used it and by which links it
//! is open. Never another citizen's.

use askama::Template;
use axum::response::{Html, Response};
use kernel::{Fact, Problem};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Lang, Page, Refusal};

use super::view::{
    EntryView, Lines, ShareView, UseView, WalletEntryJson, WalletShareJson, WalletUseJson, lines, uses,
};
use super::{OwnEntry, store, subject};
use crate::citizen::render;
use crate::desk::papers::pdf;

#[derive(Template)]
#[template(path = "wallet_entry.html")]
struct EntryPage<'a> {
    page: &'a Page,
    entry: EntryView,
    /// A PDF, which can be opened and handed in.
    file: bool,
    lines: Lines,
    uses: Vec<UseView>,
    shares: Vec<ShareView>,
    days_max: u32,
    problems: &'a [Problem],
}

/// One document, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletWholeJson {
    /// What it is.
    document: WalletEntryJson,
    /// What a register said: label in Vietnamese and value; nothing for a file.
    lines: Vec<WalletLineJson>,
    /// The newest uses.
    uses: Vec<WalletUseJson>,
    /// The newest links.
    shares: Vec<WalletShareJson>,
}

/// What a register said in one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletLineJson {
    /// What the field is called, in Vietnamese.
    pub(super) label: String,
    /// What it says.
    pub(super) value: String,
}

/// A document of mine.
#[utoipa::path(get, path = "/wallet/{entry}", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    responses((status = 200, description = "the document", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(own: OwnEntry, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&own, &page, &[]).await?;
    Ok(page.html(&own.entry.title, body))
}

/// A document of mine.
#[utoipa::path(get, path = "/api/v1/wallet/{entry}", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    responses((status = 200, body = WalletWholeJson), (status = 401), (status = 404)))]
pub(crate) async fn api(own: OwnEntry) -> Result<Json<WalletWholeJson>, Refusal> {
    let OwnEntry {
        cases,
        citizen,
        entry,
    } = &own;
    let reader = cases.store.read(&cases.tenant).await?;
    let (account, limits) = (&citizen.who.account, cases.store.limits());
    let stands = (cases.store.world().now(), limits.wallet_share_tries_max);
    let shares = store::shares(&reader, account, &entry.id, limits.page_rows_max).await?;
    let uses = store::uses(&reader, account, &entry.id, limits.page_rows_max).await?;
    let lines = lines(cases, entry, Lang::Vi).await?;
    Ok(Json(WalletWholeJson {
        document: WalletEntryJson::new(cases, entry),
        lines: lines
            .into_iter()
            .map(|(label, value)| WalletLineJson { label, value })
            .collect(),
        uses: uses.into_iter().map(WalletUseJson::from).collect(),
        shares: shares
            .iter()
            .map(|share| WalletShareJson::new(share, stands))
            .collect(),
    }))
}

/// The PDF of a document of mine.
#[utoipa::path(get, path = "/wallet/{entry}/file", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    responses((status = 200, description = "the PDF", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["wallet-used"]))))]
pub(crate) async fn file(own: OwnEntry) -> Result<Response, Refusal> {
    let OwnEntry {
        cases,
        citizen,
        entry,
    } = &own;
    if !entry.is_file() {
        return Err(Problem::not_found().into());
    }
    let bytes = cases.store.blobs().get(&entry.digest).await?;
    let (account, id) = (&citizen.who.account, &entry.id);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let fact = Fact::WalletUsed {
                entry: id.clone(),
                by: "owner".to_owned(),
            };
            tx.fact(&subject(account), fact).await
        })
        .await?;
    Ok(pdf(&format!("{id}.pdf"), bytes))
}

/// The page's body; with what is wrong with a link that was to be made.
///
/// # Errors
/// Unavailable.
pub(super) async fn body(own: &OwnEntry, page: &Page, problems: &[Problem]) -> Result<String, Problem> {
    let OwnEntry {
        cases,
        citizen,
        entry,
    } = own;
    let reader = cases.store.read(&cases.tenant).await?;
    let (account, limits) = (&citizen.who.account, cases.store.limits());
    let stands = (cases.store.world().now(), limits.wallet_share_tries_max);
    let shares = store::shares(&reader, account, &entry.id, limits.page_rows_max).await?;
    render(&EntryPage {
        page,
        entry: EntryView::new(cases, page, entry),
        file: entry.is_file(),
        lines: lines(cases, entry, page.lang).await?,
        uses: uses(cases, page, &reader, (account, entry)).await?,
        shares: shares
            .iter()
            .map(|share| ShareView::new(page, share, stands))
            .collect(),
        days_max: limits.wallet_share_days_max,
        problems,
    })
}
