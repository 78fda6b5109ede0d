//! `GET /units/{code}/succession` and its twin: each commune of a unit on one day and what it has
//! become on another, to search, print and take along as CSV or JSON. A commune whose successor no
//! source names is listed as that, never left out.

use askama::Template;
use kernel::text::fold;
use kernel::{AreaCode, Date, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::axum::extract::{FromRequestParts, Path, Query, State};
use web::axum::http::header;
use web::axum::http::request::Parts;
use web::axum::response::{IntoResponse, Response};
use web::page::query_value;
use web::{Page, Refusal};

use super::{Link, Pages, asked_day, href, today};
use crate::DirectoryState;
use crate::areas::{Area, Areas, How};
use crate::succession::Hole;

/// Between which days.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Days {
    /// The day of the old units; the eve of the last change when left out.
    from: Option<String>,
    /// The day of the new ones; today when left out.
    to: Option<String>,
}

/// Which part of the list, and in which form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListQuery {
    q: Option<String>,
    only: Option<String>,
    page: Option<usize>,
    all: Option<String>,
    format: Option<String>,
}

/// What a commune has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It is there still, under its own code.
    Stands,
    /// All of it lies in one unit.
    Whole,
    /// It was split among several.
    Split,
    /// It ended, and no source names its successor.
    Unknown,
}

/// A unit something lies in now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Now {
    pub(crate) code: AreaCode,
    pub(crate) name: String,
    pub(crate) how: How,
    pub(crate) default: bool,
}

/// One commune then, and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    pub(crate) code: AreaCode,
    pub(crate) name: String,
    pub(crate) within: String,
    pub(crate) outcome: Outcome,
    pub(crate) successors: Vec<Now>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<Hole>,
    #[serde(skip)]
    pub(crate) steps: Vec<crate::succession::Step>,
    #[serde(skip)]
    order: crate::collate::Key,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    all: usize,
    stands: usize,
    whole: usize,
    split: usize,
    unknown: usize,
}

/// The whole list.
#[derive(Debug, Serialize)]
pub(crate) struct Succession {
    /// The unit's code; `vn` for the whole country.
    pub(crate) unit: String,
    /// Its name on the first day; empty for the whole country.
    name: String,
    #[serde(serialize_with = "crate::areas::iso")]
    pub(crate) from: Date,
    #[serde(serialize_with = "crate::areas::iso")]
    pub(crate) to: Date,
    counts: Counts,
    pub(crate) items: Vec<Item>,
}

/// The code that stands for all provinces.
const COUNTRY: &str = "vn";

/// The list that an address asks for: its code, its days.
impl FromRequestParts<DirectoryState> for Succession {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &DirectoryState) -> Result<Self, Refusal> {
        let malformed = || Problem::new(Kind::Malformed, "malformed");
        let code = Path::<String>::from_request_parts(parts, state).await;
        let Path(code) = code.map_err(|_| malformed())?;
        let days = Query::<Days>::from_request_parts(parts, state).await;
        let Query(days) = days.map_err(|_| malformed())?;
        Ok(Self::of(state, &code, &days)?)
    }
}

impl Succession {
    /// What the communes of a unit have become, by the order of their names.
    ///
    /// # Errors
    /// 404 for an unknown code, with what may have been meant; 422 for a bad day, for days in the
    /// wrong order, and for a day without the unit.
    fn of(state: &DirectoryState, code: &str, days: &Days) -> Result<Self, Problem> {
        let areas = &*state.areas;
        let to = asked_day(days.to.as_deref(), "to", today(state))?;
        let last_eve = || {
            areas
                .editions()
                .iter()
                .rfind(|d| **d <= to)
                .and_then(|d| d.previous_day())
        };
        let unit = match code {
            COUNTRY => None,
            code => match super::Named::read(state, code, to) {
                Some(super::Named::Area(area)) => Some(area),
                Some(super::Named::Organisation(_)) | None => {
                    return Err(super::unknown(areas, code, Kind::NotFound));
                }
            },
        };
        let eve = match &unit {
            None => last_eve(),
            Some(unit) => areas.eve_of_change(unit, to).or_else(last_eve),
        };
        let from = asked_day(days.from.as_deref(), "from", eve.unwrap_or(to).min(to))?;
        if from > to {
            return Err(Problem::invalid("from", "directory-days-reversed"));
        }
        let there = match &unit {
            None => areas
                .children(None, from)
                .iter()
                .flat_map(|p| areas.communes(&p.code, from))
                .collect(),
            Some(unit) => areas.lies_in(unit, from),
        };
        if there.is_empty() {
            let first = areas.editions().first().copied().unwrap_or(from);
            let problem = Problem::invalid("from", "directory-not-on-day");
            return Err(problem
                .with("first", kernel::time::iso(first))
                .with("date", kernel::time::iso(from)));
        }
        let mut items: Vec<Item> = there
            .into_iter()
            .map(|area| item(areas, area, from, to))
            .collect();
        items.sort_by(|a, b| a.order.cmp(&b.order).then_with(|| a.code.cmp(&b.code)));
        let mut counts = Counts::default();
        for item in &items {
            counts.all += 1;
            *match item.outcome {
                Outcome::Stands => &mut counts.stands,
                Outcome::Whole => &mut counts.whole,
                Outcome::Split => &mut counts.split,
                Outcome::Unknown => &mut counts.unknown,
            } += 1;
        }
        Ok(Self {
            name: unit
                .as_ref()
                .map_or_else(String::new, |unit| areas.full_path(unit, from)),
            unit: unit.map_or_else(|| COUNTRY.to_owned(), |unit| unit.to_string()),
            from,
            to,
            counts,
            items,
        })
    }

    /// The unit's name; for the country what the reader calls it.
    pub(crate) fn name(&self, page: &Page) -> String {
        if self.name.is_empty() {
            page.t("directory-country")
        } else {
            self.name.clone()
        }
    }

    /// Keeps what a search and a choice ask for; marks do not matter.
    fn narrow(&mut self, query: &ListQuery) {
        let wanted = fold(query.q.as_deref().unwrap_or_default());
        let only = query.only.as_deref().unwrap_or_default();
        self.items.retain(|item| {
            let outcome = match only {
                "unknown" => item.outcome == Outcome::Unknown,
                "split" => item.outcome == Outcome::Split,
                _ => true,
            };
            let named = |name: &str| fold(name).contains(&wanted);
            outcome
                && (wanted.is_empty()
                    || item.code.as_str() == wanted
                    || named(&item.name)
                    || item.successors.iter().any(|now| named(&now.name)))
        });
    }

    fn csv(&self) -> Result<Vec<u8>, Problem> {
        // The mark by which spreadsheets know UTF-8.
        let mut out = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        out.write_record([
            "old_code",
            "old_name",
            "old_within",
            "outcome",
            "new_code",
            "new_name",
            "how",
            "default",
        ])
        .map_err(Problem::internal)?;
        for item in &self.items {
            let outcome = item.outcome.as_str();
            let old = [item.code.as_str(), &item.name, &item.within, outcome];
            let nows = item.successors.iter().map(|now| {
                let how = if now.how == How::Whole { "whole" } else { "part" };
                [
                    now.code.as_str(),
                    &now.name,
                    how,
                    if now.default { "1" } else { "0" },
                ]
            });
            let mut rows: Vec<[&str; 4]> = nows.collect();
            if rows.is_empty() {
                rows.push([""; 4]);
            }
            for now in rows {
                out.write_record(old.iter().chain(&now))
                    .map_err(Problem::internal)?;
            }
        }
        out.into_inner().map_err(|e| Problem::internal(e.error()))
    }
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Whole => "whole",
            Self::Split => "split",
            Self::Unknown => "unknown",
        }
    }
}

fn item(areas: &Areas, area: &Area, from: Date, to: Date) -> Item {
    let parent = area.parent.as_ref();
    let (steps, ends) = match areas.trace(&area.code, from, to) {
        Ok(trace) => (trace.steps, trace.ends),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let why = ends.iter().find_map(|end| end.hole.clone());
    let known = ends.iter().filter(|end| end.hole.is_none());
    let successors: Vec<Now> = known
        .map(|end| Now {
            name: areas.full_path(&end.area, to),
            code: end.area.clone(),
            how: end.how,
            default: end.default,
        })
        .collect();
    Item {
        outcome: match &successors[..] {
            _ if why.is_some() => Outcome::Unknown,
            [only]
                if only.code == area.code
                    && steps.iter().all(|s| s.what == crate::succession::What::Changed) =>
            {
                Outcome::Stands
            }
            [_] => Outcome::Whole,
            _ => Outcome::Split,
        },
        code: area.code.clone(),
        name: area.full_name.to_string(),
        within: parent.map(|p| areas.full_path(p, from)).unwrap_or_default(),
        successors,
        why,
        steps,
        order: crate::collate::key(area.name()),
    }
}

#[derive(Template)]
#[template(path = "succession.html")]
struct View<'a> {
    page: &'a Page,
    code: String,
    title: String,
    summary: String,
    silence: String,
    from: String,
    to: String,
    q: String,
    only: String,
    rows: Vec<Row>,
    pages: Option<Pages>,
    /// The query of the twins and of the printed whole.
    query: String,
    caption: String,
}

struct Row {
    old: Link,
    within: String,
    now: Vec<Link>,
    outcome: String,
    why: String,
}

/// What became of a unit's communes, as a page.
#[utoipa::path(
    get, path = "/units/{code}/succession", tag = "directory", security(()),
    params(
        ("code" = String, Path, description = "Code of a unit, 02, or vn for the whole country"),
        Days,
        ("q" = Option<String>, Query, description = "A part of a name, with or without marks"),
        ("only" = Option<String>, Query, description = "split or unknown"),
        ("page" = Option<usize>, Query, description = "From 1"),
        ("all" = Option<String>, Query, description = "1 for all on one page, to print"),
    ),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 404, description = "No list has the code"), (status = 422, description = "A bad day"),
    )
)]
pub(crate) async fn show(
    State(state): State<DirectoryState>,
    page: Page,
    mut list: Succession,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    list.narrow(&query);
    let (from, to) = (kernel::time::iso(list.from), kernel::time::iso(list.to));
    let q = query.q.clone().unwrap_or_default();
    let only = query.only.as_deref().unwrap_or_default();
    let asked = format!(
        "from={from}&to={to}&q={}&only={}",
        query_value(&q),
        query_value(only)
    );
    let limit = state.directory.store().limits().page_rows_max;
    let size = if query.all.is_some() { usize::MAX } else { limit };
    let base = format!("/units/{}/succession?{asked}", list.unit);
    let items = std::mem::take(&mut list.items);
    let found = items.len();
    let (items, pages) = super::cut(&page, items, query.page, size, |n| format!("{base}&page={n}"));
    let count = |n: usize| n.to_string();
    let counts = list.counts;
    let view = View {
        title: page.tw("directory-succession-title", &[("name", list.name(&page))]),
        summary: page.tw(
            "directory-succession-summary",
            &[
                ("from", page.date(list.from)),
                ("to", page.date(list.to)),
                ("all", count(counts.all)),
                ("stands", count(counts.stands)),
                ("whole", count(counts.whole)),
                ("split", count(counts.split)),
            ],
        ),
        silence: match counts.unknown {
            0 => String::new(),
            n => page.tw("directory-succession-silence", &[("count", count(n))]),
        },
        caption: page.tw("directory-succession-found", &[("count", count(found))]),
        rows: items
            .iter()
            .map(|item| row(&page, item, list.from, list.to))
            .collect(),
        code: list.unit.clone(),
        page: &page,
        query: asked,
        from,
        to,
        q,
        only: only.to_owned(),
        pages,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&view.title, body).into_response())
}

fn row(page: &Page, item: &Item, from: Date, to: Date) -> Row {
    let now = |now: &Now| Link {
        href: href(now.code.as_str(), to),
        text: now.name.clone(),
        note: match (now.how, now.default) {
            (How::Whole, _) => String::new(),
            (How::Part, false) => super::how(page, now.how),
            (How::Part, true) => format!("{}; {}", super::how(page, now.how), page.t("directory-default")),
        },
    };
    Row {
        old: Link {
            href: href(item.code.as_str(), from),
            text: item.name.clone(),
            note: item.code.to_string(),
        },
        within: item.within.clone(),
        now: item.successors.iter().map(now).collect(),
        outcome: page.t(&format!("directory-outcome-{}", item.outcome.as_str())),
        why: item
            .why
            .as_ref()
            .map(|why| super::hole(page, why))
            .unwrap_or_default(),
    }
}

/// What became of a unit's communes, as JSON or CSV.
#[utoipa::path(
    get, path = "/api/v1/areas/{code}/succession", tag = "directory", security(()),
    params(
        ("code" = String, Path, description = "Code of a unit, 02, or vn for the whole country"),
        Days,
        ("q" = Option<String>, Query, description = "A part of a name, with or without marks"),
        ("only" = Option<String>, Query, description = "split or unknown"),
        ("format" = Option<String>, Query, description = "csv for a table; JSON when left out"),
    ),
    responses(
        (status = 200, description = "Each commune then and now"), (status = 404, description = "No list has the code"),
        (status = 422, description = "A bad day"),
    )
)]
pub(crate) async fn answer(
    mut list: Succession,
    Query(query): Query<ListQuery>,
) -> Result<Response, Refusal> {
    list.narrow(&query);
    if query.format.as_deref() != Some("csv") {
        return Ok(web::axum::Json(list).into_response());
    }
    let name = format!("attachment; filename=\"succession-{}.csv\"", list.unit);
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((head, list.csv()?).into_response())
}
