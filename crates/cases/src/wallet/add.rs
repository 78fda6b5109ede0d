//! `POST /wallet` and its twin: a file of the citizen's own is kept. Never takes what only claims to be a PDF; the same file
//! is kept once.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::time::parse_iso;
use kernel::{Date, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, JsonWithFiles, Page, Refusal};

use super::view::WalletEntryJson;
use super::{Entry, EntryKind, belongs_on_page, id_of, keep, list};
use crate::citizen::Citizen;
use crate::state::Cases;

/// Length of a title, an issuer and a number, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// The form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct WalletForm {
    /// Its name.
    title: String,
    /// Who gave it.
    issuer: Option<String>,
    /// Its number.
    number: Option<String>,
    /// The day it bears; also as `dated-day`, `dated-month`, `dated-year`.
    dated: Option<String>,
    /// The last day on which it holds; also in three boxes.
    valid_until: Option<String>,
    /// The PDF.
    #[schema(format = Binary, content_media_type = "application/pdf")]
    file: String,
}

/// A file to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletFile {
    /// Its name.
    title: String,
    /// Who gave it.
    #[serde(default)]
    issuer: String,
    /// Its number.
    #[serde(default)]
    number: String,
    /// The day it bears, `2026-11-23`.
    #[serde(default)]
    dated: Option<String>,
    /// The last day on which it holds.
    #[serde(default)]
    valid_until: Option<String>,
    /// The PDF.
    pdf_base64: String,
}

/// What is said of a file.
struct About {
    title: String,
    issuer: String,
    number: String,
    dated: Option<Date>,
    valid_until: Option<Date>,
}

/// Keeps a file of mine.
#[utoipa::path(post, path = "/wallet", tag = "cases", security(("session" = ["citizen"])),
    request_body(content = WalletForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "to the document"), (status = 413, description = "too large"),
              (status = 422, description = "the list with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["wallet-kept"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    match typed(&cases, &citizen, &fields).await {
        Ok(entry) => Ok(Redirect::to(&format!("/wallet/{}", entry.id)).into_response()),
        Err(problem) if belongs_on_page(&problem) => {
            Ok(list::shown(&cases, &citizen, &page, ("", &[problem])).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Keeps a file of mine.
#[utoipa::path(post, path = "/api/v1/wallet", tag = "cases", security(("session" = ["citizen"])), request_body = WalletFile,
    responses((status = 200, description = "the document", body = WalletEntryJson), (status = 401), (status = 413), (status = 422)),
    extensions(("x-facts" = json!(["wallet-kept"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    sent: JsonWithFiles<WalletFile>,
) -> Result<Json<WalletEntryJson>, Refusal> {
    let file = &sent.value;
    let day = |field: &str, text: Option<&str>| match text {
        None | Some("") => Ok(None),
        Some(text) => parse_iso(text)
            .map(Some)
            .ok_or_else(|| Problem::invalid(field, "date-bad")),
    };
    let about = About {
        title: kernel::text::clean(&file.title),
        issuer: kernel::text::clean(&file.issuer),
        number: kernel::text::clean(&file.number),
        dated: day("dated", file.dated.as_deref())?,
        valid_until: day("valid_until", file.valid_until.as_deref())?,
    };
    let bytes = STANDARD.decode(&file.pdf_base64);
    let bytes = bytes.map_err(|_| Problem::invalid("pdf_base64", "case-paper-damaged"))?;
    let entry = add(&cases, &citizen, about, bytes.into()).await?;
    Ok(Json(WalletEntryJson::new(&cases, &entry)))
}

async fn typed(cases: &Cases, citizen: &Citizen, fields: &Fields) -> Result<Entry, Problem> {
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let about = About {
        title: fields.need("title")?.to_owned(),
        issuer: text("issuer"),
        number: text("number"),
        dated: fields.date("dated")?,
        valid_until: fields.date("valid_until")?,
    };
    let file = fields.file("file").filter(|file| !file.bytes.is_empty());
    let file = file.ok_or_else(|| Problem::invalid("file", "paper-missing"))?;
    add(cases, citizen, about, file.bytes.clone()).await
}

/// Checks what is said of a file.
fn check(about: &About, today: Date) -> Result<(), Problem> {
    let texts = [
        ("title", &about.title),
        ("issuer", &about.issuer),
        ("number", &about.number),
    ];
    for (field, text) in texts {
        if text.chars().count() > WORDS_CHARS_MAX {
            return Err(Problem::invalid(field, "wallet-words-long").with("max", WORDS_CHARS_MAX));
        }
    }
    if about.title.is_empty() {
        return Err(Problem::invalid("title", "field-missing"));
    }
    if about.dated.is_some_and(|day| day > today) {
        return Err(Problem::invalid("dated", "wallet-dated-later"));
    }
    let before = |until: Date| about.dated.is_some_and(|dated| until < dated);
    if about.valid_until.is_some_and(before) {
        return Err(Problem::invalid("valid_until", "wallet-valid-before"));
    }
    Ok(())
}

async fn add(cases: &Cases, citizen: &Citizen, about: About, bytes: Bytes) -> Result<Entry, Problem> {
    check(&about, cases.today())?;
    if bytes.len() > cases.store.limits().upload_bytes_max {
        let max = cases.store.limits().upload_bytes_max >> 20;
        return Err(Problem::invalid("file", "wallet-file-large").with("max", max));
    }
    let looked = bytes.clone();
    let pdf = tokio::task::spawn_blocking(move || seal::pdf::looks_like_pdf(&looked)).await;
    if !pdf.map_err(Problem::internal)? {
        return Err(Problem::invalid("file", "paper-not-pdf"));
    }
    let digest = cases.store.blobs().put(&bytes).await?;
    let entry = &Entry {
        id: id_of(&digest),
        kind: EntryKind::Uploaded,
        title: about.title,
        issuer: about.issuer,
        number: about.number,
        dated: about.dated,
        valid_until: about.valid_until,
        digest,
        origin: String::new(),
        reference: String::new(),
        kept_at: cases.store.world().now(),
    };
    let (account, max) = (&citizen.who.account, cases.store.limits().wallet_entries_max);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            keep(&tx, account, entry, max).await
        })
        .await?;
    Ok(entry.clone())
}
