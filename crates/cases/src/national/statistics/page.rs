//! `/national/statistics`: the figures of a month as agencies told them, beside those that the portal had counted itself,
//! with what differs named. For who operates or observes the portal; shows no case and no person.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::Problem;
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Operator, Page, Principal, Refusal};

use super::store::{self as kept, HeardRow};
use super::{Counts, Figures, Month, differences};
use crate::citizen::render;
use crate::shown::UnitLink;
use crate::state::Cases;

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    /// The month, `2026-10`; the one before this when left out.
    #[serde(default)]
    month: String,
    /// The last unit of the page before.
    #[serde(default)]
    after: String,
}

/// A count of a month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiguresJson {
    /// Cases that came in.
    received: u64,
    /// Cases that were there before.
    carried: u64,
    /// Cases that were to be handled.
    to_handle: u64,
    /// Cases that ended.
    handled: u64,
    /// Those of them that ended within their term.
    on_time: u64,
}

/// What an agency told of a month, and what the portal had counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatisticsLine {
    /// The unit's code, or that of a whole organisation.
    unit: String,
    /// Who told.
    sender: String,
    /// As it was told.
    told: FiguresJson,
    /// As the portal itself had counted when it was told.
    own: FiguresJson,
    /// In what they differ: `received`, `carried`, `to-handle`, `handled`, `on-time`.
    differs: Vec<String>,
    /// When the sender counted, RFC 3339.
    counted_at: String,
    /// When it was heard, RFC 3339.
    heard_at: String,
}

/// A part of what was told of a month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatisticsJson {
    /// The month.
    month: String,
    /// By unit.
    items: Vec<StatisticsLine>,
    /// The value of `after` for the next part.
    next: Option<String>,
}

/// A part of a month.
struct Part {
    month: Month,
    items: Vec<HeardRow>,
    next: Option<String>,
}

impl Cases {
    async fn statistics(&self, who: &Principal, wish: &Wish) -> Result<Part, Problem> {
        if who.tenant != self.tenant {
            return Err(Problem::not_found());
        }
        let month = match wish.month.trim() {
            "" => Month::of(self.today()).before(),
            text => text
                .parse()
                .map_err(|_| Problem::invalid("month", "statistics-month"))?,
        };
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut items = kept::list(&reader, month, &wish.after, limit + 1).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Part {
            month,
            next: items.last().filter(|_| more).map(|last| last.unit.to_string()),
            items,
        })
    }
}

#[derive(Template)]
#[template(path = "national_statistics.html")]
struct View<'a> {
    page: &'a Page,
    month: String,
    before: String,
    after: String,
    items: Vec<Line>,
    first: bool,
    next: Option<String>,
}

/// A unit on the page.
struct Line {
    unit: UnitLink,
    code: String,
    /// The figure's name, as told, as counted here, whether they differ.
    figures: Vec<(String, u64, u64, bool)>,
    /// In what they differ, in words; empty when they say the same.
    differs: String,
    times: String,
}

/// The figures as a page.
#[utoipa::path(get, path = "/national/statistics", tag = "cases", security(("session" = ["operator", "observer"])),
    params(("month" = Option<String>, Query, description = "the month, `2026-10`; the last one when left out"),
           ("after" = Option<String>, Query, description = "go on after this unit")),
    responses((status = 200, description = "what agencies told of the month", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "no such month")))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    Operator(who): Operator,
    page: Page,
    Query(wish): Query<Wish>,
) -> Result<Html<String>, Refusal> {
    let part = cases.statistics(&who, &wish).await?;
    let month = part.month;
    let body = render(&View {
        items: part
            .items
            .iter()
            .map(|row| line(&cases, &page, month, row))
            .collect(),
        month: month.to_string(),
        before: month.before().to_string(),
        after: month.after().to_string(),
        first: wish.after.is_empty(),
        next: part
            .next
            .map(|next| format!("/national/statistics?month={month}&after={}", query_value(&next))),
        page: &page,
    })?;
    Ok(page.html(&page.t("statistics-title"), body))
}

/// The figures.
#[utoipa::path(get, path = "/api/v1/national/statistics", tag = "cases", security(("session" = ["operator", "observer"])),
    params(("month" = Option<String>, Query, description = "the month, `2026-10`; the last one when left out"),
           ("after" = Option<String>, Query, description = "go on after this unit")),
    responses((status = 200, body = StatisticsJson), (status = 403), (status = 404), (status = 422)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    Operator(who): Operator,
    Query(wish): Query<Wish>,
) -> Result<Json<StatisticsJson>, Refusal> {
    let part = cases.statistics(&who, &wish).await?;
    Ok(Json(StatisticsJson {
        month: part.month.to_string(),
        items: part.items.iter().map(StatisticsLine::from).collect(),
        next: part.next,
    }))
}

impl From<&HeardRow> for StatisticsLine {
    fn from(row: &HeardRow) -> Self {
        let differs = differences(&row.told, &row.own);
        Self {
            unit: row.unit.to_string(),
            sender: row.sender.to_string(),
            told: FiguresJson::from(&row.told),
            own: FiguresJson::from(&Figures::of(row.own)),
            differs: differs.into_iter().map(str::to_owned).collect(),
            counted_at: row.counted.rfc3339(),
            heard_at: row.heard.rfc3339(),
        }
    }
}

impl From<&Figures> for FiguresJson {
    fn from(figures: &Figures) -> Self {
        let Counts {
            received,
            carried,
            handled,
            on_time,
        } = figures.counts;
        Self {
            received,
            carried,
            to_handle: figures.to_handle,
            handled,
            on_time,
        }
    }
}

fn line(cases: &Cases, page: &Page, month: Month, row: &HeardRow) -> Line {
    let differs = differences(&row.told, &row.own);
    let (told, own) = (
        FiguresJson::from(&row.told),
        FiguresJson::from(&Figures::of(row.own)),
    );
    let all = [
        ("received", told.received, own.received),
        ("carried", told.carried, own.carried),
        ("to-handle", told.to_handle, own.to_handle),
        ("handled", told.handled, own.handled),
        ("on-time", told.on_time, own.on_time),
    ];
    let name = |word: &str| page.t(&format!("statistics-{word}"));
    let words: Vec<String> = differs.iter().copied().map(name).collect();
    let times = [
        ("counted", page.time(row.counted)),
        ("heard", page.time(row.heard)),
    ];
    Line {
        unit: UnitLink::new(cases, &row.unit, month.last_day()),
        code: row.unit.to_string(),
        figures: all
            .into_iter()
            .map(|(word, told, own)| (name(word), told, own, differs.contains(&word)))
            .collect(),
        differs: words.join(", "),
        times: page.tw("statistics-times", &times),
    }
}
