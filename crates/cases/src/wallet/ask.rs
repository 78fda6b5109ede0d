//! `POST /wallet/records/{record}` and its twin: what a register says of the signed-in citizen, asked through the exchange
//! under an agreement for that purpose, and kept with the day. Never of anybody else: the citizen's own number is sent.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use exchange::{Ask, Heard, ServiceId};
use kernel::time::{iso, parse_iso};
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use super::records::OwnRecord;
use super::view::WalletEntryJson;
use super::{Entry, EntryKind, belongs_on_page, id_of, keep, list};
use crate::citizen::Citizen;
use crate::citizen::prefill::text_at;
use crate::procedure::Text;
use crate::state::Cases;
use crate::track::take;

/// What a register said, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    /// The record's word.
    pub(super) record: String,
    /// On which day.
    pub(super) on: String,
    /// What it said.
    pub(super) lines: Vec<SaidLine>,
}

/// One field of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SaidLine {
    /// What it is called.
    pub(super) label: Text,
    /// What it says.
    pub(super) value: String,
}

/// Asks a register for what it says of me, and keeps that.
#[utoipa::path(post, path = "/wallet/records/{record}", tag = "cases", security(("session" = ["citizen"])),
    params(("record" = String, Path, description = "the record's word")),
    responses((status = 303, description = "to the document"), (status = 404),
              (status = 422, description = "the register has no such record", content_type = "text/html"),
              (status = 429, description = "asked too often", content_type = "text/html"), (status = 503)),
    extensions(("x-facts" = json!(["wallet-kept"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(record): Path<String>,
    page: Page,
) -> Result<Response, Refusal> {
    match ask(&cases, &citizen, &record).await {
        Ok(entry) => Ok(Redirect::to(&format!("/wallet/{}", entry.id)).into_response()),
        Err(problem) if belongs_on_page(&problem) => {
            Ok(list::shown(&cases, &citizen, &page, ("", &[problem])).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Asks a register for what it says of me, and keeps that.
#[utoipa::path(post, path = "/api/v1/wallet/records/{record}", tag = "cases", security(("session" = ["citizen"])),
    params(("record" = String, Path, description = "the record's word")),
    responses((status = 200, description = "the document", body = WalletEntryJson), (status = 401), (status = 404), (status = 422),
              (status = 429), (status = 503)),
    extensions(("x-facts" = json!(["wallet-kept"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(record): Path<String>,
) -> Result<Json<WalletEntryJson>, Refusal> {
    let entry = ask(&cases, &citizen, &record).await?;
    Ok(Json(WalletEntryJson::new(&cases, &entry)))
}

/// Asks and keeps; the same answer of the same day is one document.
async fn ask(cases: &Cases, citizen: &Citizen, code: &str) -> Result<Entry, Problem> {
    let record = cases
        .catalogue
        .own_records()
        .iter()
        .find(|record| record.code == code);
    let record = record.ok_or_else(Problem::not_found)?;
    counted(cases, citizen).await?;
    let service: ServiceId = record.service.parse().map_err(Problem::internal)?;
    let mut body = Map::new();
    body.insert(record.by.clone(), citizen.number.as_str().into());
    let asked = Ask {
        consumer: cases.system.clone(),
        service: service.clone(),
        body: Bytes::from(Value::Object(body).to_string()),
        on_behalf: citizen.who.actor.to_string(),
        issue: None,
        idempotency: None,
    };
    let heard = cases.exchange.ask(asked).await?;
    if heard.status == 404 {
        return Err(Problem::invalid(code, "wallet-record-none"));
    }
    let entry = &entry(cases, record, &service, &heard).await?;
    let (account, max) = (&citizen.who.account, cases.store.limits().wallet_entries_max);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            keep(&tx, account, entry, max).await
        })
        .await?;
    Ok(entry.clone())
}

/// A register is asked a few times an hour: each time leaves its trace there.
async fn counted(cases: &Cases, citizen: &Citizen) -> Result<(), Problem> {
    let text = format!("wallet/records/{}", citizen.who.account);
    let who = &cases.store.digest(&cases.tenant, &text);
    let max = cases.store.limits().wallet_asks_max;
    let full = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            take(&tx, who, max).await
        })
        .await?;
    match full {
        Some(minutes) => Err(Problem::new(Kind::TooMany, "wallet-asks-many").with("minutes", minutes)),
        None => Ok(()),
    }
}

/// What is kept of an answer: the fields that the pack names and the agreement grants.
async fn entry(
    cases: &Cases,
    record: &OwnRecord,
    service: &ServiceId,
    heard: &Heard,
) -> Result<Entry, Problem> {
    let told: Value = heard.json()?;
    let bad = || Problem::new(Kind::Upstream, "answer-bad");
    let found = told.get("record").and_then(Value::as_object).ok_or_else(bad)?;
    let value = |path: &String| text_at(found, path);
    let now = cases.store.world().now();
    let lines = record.fields.iter().filter_map(|field| {
        Some(SaidLine {
            label: field.label.clone(),
            value: value(&field.path)?,
        })
    });
    let said = Said {
        record: record.code.clone(),
        on: iso(now.date()),
        lines: lines.collect(),
    };
    let content = kernel::digest::canonical_json(&said).map_err(Problem::internal)?;
    let digest: Digest = cases.store.blobs().put(content.as_bytes()).await?;
    Ok(Entry {
        id: id_of(&digest),
        kind: EntryKind::Register,
        title: record.title.vi.clone(),
        issuer: service.org.to_string(),
        number: record.number.as_ref().and_then(value).unwrap_or_default(),
        dated: record
            .dated
            .as_ref()
            .and_then(value)
            .and_then(|day| parse_iso(&day)),
        valid_until: None,
        digest,
        origin: service.to_string(),
        reference: heard.request.clone(),
        kept_at: now,
    })
}
