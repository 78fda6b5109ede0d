//! `GET /exchange/archives` and its twin: the archive files whose records have left the live log, newest first,
//! a page at a time.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Operator, Page, Refusal};

use super::{EvidenceArchive, store};
use crate::gateway::{Exchange, STREAM};

/// What has left the live log.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceArchives {
    /// The position of the first record that the live log has.
    live_from: u64,
    /// Records so far, those that have left counted.
    records: u64,
    /// The archive files, the newest first.
    archives: Vec<EvidenceArchive>,
    /// Where the next page begins: give it as `before`; none when this was all.
    next: Option<u64>,
}

/// Which page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only archives in front of this position: `next` of the page before.
    before: Option<u64>,
}

impl Exchange {
    async fn archives(&self, wanted: &Wanted) -> Result<EvidenceArchives, Problem> {
        let g = &*self.0;
        let limit = g.store.limits().page_rows_max;
        let before = wanted.before.unwrap_or(i64::MAX.unsigned_abs());
        let before = before.min(i64::MAX.unsigned_abs());
        let reader = g.store.read(&g.home).await?;
        let archives = store::page(&reader, STREAM, before, limit).await?;
        let full = archives.len() == limit;
        let last = archives.last().filter(|last| full && last.first > 0);
        Ok(EvidenceArchives {
            live_from: g.evidence.first().await,
            records: g.evidence.len().await,
            next: last.map(|last| last.first),
            archives,
        })
    }
}

/// Lists the archive files whose records have left the live log.
#[utoipa::path(get, path = "/api/v1/exchange/archives", tag = "exchange", params(Wanted),
    operation_id = "list_archives", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = EvidenceArchives)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    _: Operator,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<EvidenceArchives>, Refusal> {
    Ok(axum::Json(x.archives(&wanted).await?))
}

#[derive(Template)]
#[template(path = "archives.html")]
struct View<'a> {
    page: &'a Page,
    sum: String,
    rows: Vec<Row>,
    next: Option<u64>,
    first: bool,
}

struct Row {
    file: String,
    sha256: String,
    records: String,
    size: String,
    class: String,
    since: String,
    iso: String,
    keep: String,
}

impl Row {
    fn of(page: &Page, archive: EvidenceArchive) -> Self {
        let since = Time(archive.since);
        Self {
            records: page.tw(
                "exchange-archive-records",
                &[
                    ("first", archive.first.to_string()),
                    ("last", (archive.next - 1).to_string()),
                ],
            ),
            size: format!("{} KB", archive.bytes.div_ceil(1_024)),
            since: page.time(since),
            iso: since.rfc3339(),
            keep: match archive.keep_until {
                Some(until) => page.date(Time(until).date()),
                None => page.t("exchange-archive-for-good"),
            },
            file: archive.file,
            sha256: archive.sha256,
            class: archive.class,
        }
    }
}

/// The same as a page.
#[utoipa::path(get, path = "/exchange/archives", tag = "exchange", params(Wanted),
    operation_id = "archives_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "what has left the live log", content_type = "text/html")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    _: Operator,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let told = x.archives(&wanted).await?;
    let sum = [
        ("from", told.live_from.to_string()),
        ("records", (told.records - told.live_from).to_string()),
    ];
    let view = View {
        sum: page.tw("exchange-archives-live", &sum),
        rows: told.archives.into_iter().map(|one| Row::of(&page, one)).collect(),
        next: told.next,
        first: wanted.before.is_none(),
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("exchange-archives"), body))
}
