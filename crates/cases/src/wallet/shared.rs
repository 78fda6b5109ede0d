//! `/shared/{token}`: a citizen's document by a link, for whoever knows its code too, without signing in. Only looked at;
//! each look leaves a trace with its owner. Never says whether there is such a link: a wrong link, a wrong code and one
//! that opens no more are one answer. Wrong codes are counted by link, looks by address.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Actor, Fact, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::listen::Peer;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Lang, Page, Refusal};

use super::open::WalletLineJson;
use super::view::{EntryView, Lines, WalletEntryJson, lines};
use super::{Entry, Standing, store, subject};
use crate::citizen::render;
use crate::desk::papers::pdf;
use crate::state::Cases;
use crate::track::{address, take};

/// Search engines have no business with it.
const NOINDEX: (HeaderName, &str) = (HeaderName::from_static("x-robots-tag"), "noindex, nofollow");
/// Length of what a link is named by, in characters.
const TOKEN_CHARS: usize = 64;

#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage<'a> {
    page: &'a Page,
    token: &'a str,
    problems: &'a [Problem],
    /// What a register said, once the code was right.
    entry: Option<(EntryView, Lines)>,
}

/// The code of a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedCode {
    /// Six digits.
    #[schema(example = "012345")]
    code: String,
}

/// A shared document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharedJson {
    /// What it is.
    document: WalletEntryJson,
    /// What a register said; nothing for a file.
    lines: Vec<WalletLineJson>,
    /// The PDF; nothing for what a register said.
    pdf_base64: Option<String>,
}

/// Asks for the code of a link.
#[utoipa::path(get, path = "/shared/{token}", tag = "cases", security(()),
    params(("token" = String, Path, description = "what the link is named by")),
    responses((status = 200, description = "the form", content_type = "text/html")))]
pub(crate) async fn form(page: Page, Path(token): Path<String>) -> Result<Response, Refusal> {
    Ok(shown(&page, 200, (&token, &[]), None)?)
}

/// Shows the document of a link.
#[utoipa::path(post, path = "/shared/{token}", tag = "cases", security(()),
    params(("token" = String, Path, description = "what the link is named by")),
    request_body(content = SharedCode, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "the PDF, or what a register said", content_type = "application/pdf"),
              (status = 422, description = "no such link, another code, or it opens no more", content_type = "text/html"),
              (status = 429, description = "too many looks", content_type = "text/html")),
    extensions(("x-facts" = json!(["wallet-used"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    page: Page,
    Path(token): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let typed = fields.text("code").unwrap_or_default();
    let entry = match cases.shared(&token, typed, address(peer)).await {
        Ok(entry) => entry,
        Err(problem) if super::belongs_on_page(&problem) => {
            let status = problem.kind.status();
            return Ok(shown(&page, status, (&token, &[problem]), None)?);
        }
        Err(problem) => return Err(problem.into()),
    };
    if entry.is_file() {
        let bytes = cases.store.blobs().get(&entry.digest).await?;
        return Ok(([NOINDEX], pdf("document.pdf", bytes)).into_response());
    }
    let said = (
        EntryView::new(&cases, &page, &entry),
        lines(&cases, &entry, page.lang).await?,
    );
    Ok(shown(&page, 200, (&token, &[]), Some(said))?)
}

/// Gives the document of a link.
#[utoipa::path(post, path = "/api/v1/shared/{token}", tag = "cases", security(()),
    params(("token" = String, Path, description = "what the link is named by")), request_body = SharedCode,
    responses((status = 200, body = SharedJson), (status = 422, description = "no such link, another code, or it opens no more"),
              (status = 429, description = "too many looks")),
    extensions(("x-facts" = json!(["wallet-used"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    Path(token): Path<String>,
    Json(typed): Json<SharedCode>,
) -> Result<Response, Refusal> {
    let entry = cases.shared(&token, typed.code.trim(), address(peer)).await?;
    let lines = lines(&cases, &entry, Lang::Vi).await?;
    let pdf_base64 = match entry.is_file() {
        true => Some(STANDARD.encode(cases.store.blobs().get(&entry.digest).await?)),
        false => None,
    };
    let found = SharedJson {
        document: WalletEntryJson::new(&cases, &entry),
        lines: lines
            .into_iter()
            .map(|(label, value)| WalletLineJson { label, value })
            .collect(),
        pdf_base64,
    };
    Ok(([NOINDEX], Json(found)).into_response())
}

impl Cases {
    /// The document of a link, by the link and its code, with the trace of the look in the same write.
    async fn shared(
        &self,
        token: &str,
        typed: &str,
        address: Option<std::net::IpAddr>,
    ) -> Result<Entry, Problem> {
        let wrong = || Problem::invalid("code", "shared-wrong");
        let limits = self.store.limits();
        let (tries_max, looks_max) = (limits.wallet_share_tries_max, limits.shared_address_tries_max);
        let from = address.map(|a| a.to_string()).unwrap_or_default();
        let who = &self.store.digest(&self.tenant, &format!("shared/address/{from}"));
        let named = &self.share_digest("token", token);
        let code = self.share_digest(token, typed);
        let found = self
            .store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                if let Some(minutes) = take(&tx, who, looks_max).await? {
                    return Ok(Err(minutes));
                }
                let Some(share) = store::share_of(&tx, named).await? else {
                    return Ok(Ok(None));
                };
                if share.standing(tx.now(), tries_max) != Standing::Open {
                    return Ok(Ok(None));
                }
                if share.code != code {
                    store::note_try(&tx, &share.id).await?;
                    return Ok(Ok(None));
                }
                let entry = store::entry(&tx, &share.account, &share.entry).await?;
                if entry.is_some() {
                    store::insert_use(&tx, (&share.account, &share.entry), ("share", &share.id)).await?;
                    let fact = Fact::WalletUsed {
                        entry: share.entry.clone(),
                        by: format!("share/{}", share.id),
                    };
                    tx.fact(&subject(&share.account), fact).await?;
                }
                Ok(Ok(entry))
            })
            .await?;
        let too_many = |minutes| Problem::new(Kind::TooMany, "shared-too-many").with("minutes", minutes);
        found.map_err(too_many)?.ok_or_else(wrong)
    }
}

fn shown(
    page: &Page,
    status: u16,
    (token, problems): (&str, &[Problem]),
    entry: Option<(EntryView, Lines)>,
) -> Result<Response, Problem> {
    // What is no link at all is no page either: nothing odd is written into one.
    if token.len() != TOKEN_CHARS || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Problem::not_found());
    }
    let body = render(&SharedPage {
        page,
        token,
        problems,
        entry,
    })?;
    let title = page.t("shared-title");
    let answer = page.html_status(status, &title, body);
    Ok(([NOINDEX], answer).into_response())
}
