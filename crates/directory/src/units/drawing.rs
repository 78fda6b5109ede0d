//! `GET /units/{code}/drawing`: the succession as a picture, one for each unit of today: a column a
//! day, a box a unit, a line from what was to what came of it, dashed for a part. The same stands
//! in a table beside it. Presentation attributes only: pages carry no style of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use kernel::{Date, Problem};
use serde::Deserialize;
use web::Page;
use web::Refusal;
use web::axum::extract::Query;
use web::axum::response::{IntoResponse, Response};
use web::page::escape;

use super::list::{Days, Item, Now, Succession};
use super::{Link, Pages, href};
use crate::succession::{Step, What};

/// Old communes on one page, about: a group is never torn apart.
const ON_A_PAGE: usize = 40;
/// Letters of a name that fit into a box.
const LETTERS: usize = 32;
const BOX: (usize, usize) = (250, 34);
const GAP: (usize, usize) = (90, 10);
const TOP: usize = 28;

/// Which sheet of the drawing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Sheet {
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "drawing.html")]
struct View<'a> {
    page: &'a Page,
    code: String,
    title: String,
    summary: String,
    from: String,
    to: String,
    groups: Vec<Group>,
    lost: Vec<Link>,
    pages: Option<Pages>,
}

/// A unit of today and what it came of.
struct Group {
    unit: Link,
    svg: String,
    /// Old unit, what happened, day.
    rows: Vec<(Link, String, String)>,
}

/// The drawing of what became of a unit's communes.
#[utoipa::path(
    get, path = "/units/{code}/drawing", tag = "directory", security(()),
    params(
        ("code" = String, Path, description = "Code of a unit, 02, or vn for the whole country"),
        Days,
        ("page" = Option<usize>, Query, description = "From 1"),
    ),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 404, description = "No list has the code"), (status = 422, description = "A bad day"),
    )
)]
pub(crate) async fn show(
    page: Page,
    list: Succession,
    Query(query): Query<Sheet>,
) -> Result<Response, Refusal> {
    let iso = kernel::time::iso;
    let base = format!(
        "/units/{}/drawing?from={}&to={}",
        list.unit,
        iso(list.from),
        iso(list.to)
    );
    let sheets = sheets(grouped(&list.items));
    let lost: Vec<&Item> = list
        .items
        .iter()
        .filter(|item| item.successors.is_empty())
        .collect();
    let (sheet, pages) = super::cut(&page, sheets, query.page, 1, |n| format!("{base}&page={n}"));
    let groups = sheet
        .into_iter()
        .flatten()
        .map(|(now, items)| group(&page, now, &items, list.from, list.to));
    let view = View {
        title: page.tw("directory-drawing-title", &[("name", list.name(&page))]),
        summary: page.tw(
            "directory-drawing-summary",
            &[("from", page.date(list.from)), ("to", page.date(list.to))],
        ),
        groups: groups.collect(),
        lost: lost
            .iter()
            .take(if query.page.unwrap_or(1) <= 1 {
                ON_A_PAGE
            } else {
                0
            })
            .map(|item| Link {
                href: href(item.code.as_str(), list.from),
                text: item.name.clone(),
                note: item.within.clone(),
            })
            .collect(),
        code: list.unit.clone(),
        from: iso(list.from),
        to: iso(list.to),
        page: &page,
        pages,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&view.title, body).into_response())
}

type Grouped<'a> = Vec<(&'a Now, Vec<&'a Item>)>;

/// By the unit of today, in the order of their names.
fn grouped(items: &[Item]) -> Grouped<'_> {
    let mut groups: BTreeMap<&str, (&Now, Vec<&Item>)> = BTreeMap::new();
    for item in items {
        for now in &item.successors {
            groups
                .entry(now.code.as_str())
                .or_insert((now, Vec::new()))
                .1
                .push(item);
        }
    }
    let mut groups: Grouped<'_> = groups.into_values().collect();
    groups.sort_by_cached_key(|(now, _)| crate::collate::key(&now.name));
    groups
}

/// Groups laid on pages of about the same length.
fn sheets(groups: Grouped<'_>) -> Vec<Grouped<'_>> {
    let mut sheets: Vec<Grouped<'_>> = Vec::new();
    let mut on_it = usize::MAX;
    for group in groups {
        let more = group.1.len();
        if on_it.saturating_add(more) > ON_A_PAGE {
            sheets.push(Vec::new());
            on_it = 0;
        }
        on_it += more;
        sheets.extend(sheets.is_empty().then(Vec::new));
        if let Some(sheet) = sheets.last_mut() {
            sheet.push(group);
        }
    }
    sheets
}

fn group(page: &Page, now: &Now, items: &[&Item], from: Date, to: Date) -> Group {
    let rows = items.iter().map(|item| {
        let last = way(item, now.code.as_str()).last().copied();
        let happened = last.map_or_else(|| page.t("directory-outcome-stands"), |step| what(page, step));
        let old = Link {
            href: href(item.code.as_str(), from),
            text: item.name.clone(),
            note: item.within.clone(),
        };
        (
            old,
            happened,
            last.map(|step| page.date(step.on)).unwrap_or_default(),
        )
    });
    Group {
        svg: Canvas::new(page, now, items, from).svg(page, &now.name),
        rows: rows.collect(),
        unit: Link {
            href: href(now.code.as_str(), to),
            text: now.name.clone(),
            note: now.code.to_string(),
        },
    }
}

fn what(page: &Page, step: &Step) -> String {
    page.t(match step.what {
        What::Whole => "directory-whole",
        What::Part => "directory-part",
        What::Changed | What::TookOver => "directory-changed",
    })
}

/// The steps of a commune that lead to one unit of today, in order of days.
fn way<'a>(item: &'a Item, end: &str) -> Vec<&'a Step> {
    let (mut way, mut at, mut before) = (Vec::new(), end, None);
    while let Some(step) = item
        .steps
        .iter()
        .rfind(|s| s.to == at && before.is_none_or(|day| s.on < day))
    {
        way.push(step);
        (at, before) = (&step.from, Some(step.on));
    }
    way.reverse();
    way
}

/// A box: its column, and its place in it.
type Place = (usize, usize);

/// Boxes in columns and lines between them.
struct Canvas {
    /// The day above each column.
    days: Vec<String>,
    /// Names by column.
    columns: Vec<Vec<(String, String)>>,
    /// From column and place, to column and place, dashed.
    lines: Vec<(Place, Place, bool)>,
}

impl Canvas {
    fn new(page: &Page, now: &Now, items: &[&Item], from: Date) -> Self {
        let ways: Vec<Vec<&Step>> = items.iter().map(|item| way(item, now.code.as_str())).collect();
        let mut days: Vec<Date> = ways.iter().flatten().map(|step| step.on).collect();
        days.sort_unstable();
        days.dedup();
        let mut canvas = Self {
            days: std::iter::once(from)
                .chain(days.iter().copied())
                .map(|day| page.date(day))
                .collect(),
            columns: vec![Vec::new(); days.len() + 1],
            lines: Vec::new(),
        };
        for (item, way) in items.iter().zip(&ways) {
            let mut at = (0, canvas.place(0, item.code.as_str(), &item.name));
            for step in way {
                let column = days.iter().position(|day| *day == step.on).map_or(0, |i| i + 1);
                let short = step.to_name.split(", ").next().unwrap_or_default();
                let next = (column, canvas.place(column, &step.to, short));
                let line = (at, next, step.what == What::Part);
                if !canvas.lines.contains(&line) {
                    canvas.lines.push(line);
                }
                at = next;
            }
        }
        canvas
    }

    /// The place of a unit in its column, which it takes when it has none.
    fn place(&mut self, column: usize, code: &str, name: &str) -> usize {
        let Some(column) = self.columns.get_mut(column) else {
            return 0;
        };
        column
            .iter()
            .position(|(held, _)| held == code)
            .unwrap_or_else(|| {
                column.push((code.to_owned(), name.to_owned()));
                column.len() - 1
            })
    }

    /// Left edge and middle of a box: shorter columns stand in the middle of the longest.
    fn at(&self, (column, place): (usize, usize)) -> (usize, usize) {
        let longest = self.columns.iter().map(Vec::len).max().unwrap_or(1);
        let own = self.columns.get(column).map_or(1, Vec::len);
        let row = BOX.1 + GAP.1;
        (
            column * (BOX.0 + GAP.0),
            TOP + (longest - own) * row / 2 + place * row + BOX.1 / 2,
        )
    }

    fn svg(&self, page: &Page, name: &str) -> String {
        let longest = self.columns.iter().map(Vec::len).max().unwrap_or(1);
        let width = self.columns.len() * (BOX.0 + GAP.0) - GAP.0;
        let height = TOP + longest * (BOX.1 + GAP.1);
        let label = escape(&page.tw("directory-drawing-of", &[("name", name.to_owned())]));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{label}\" viewBox=\"-1 0 {} {height}\" \
             width=\"{width}\" height=\"{height}\" font-size=\"13\" fill=\"currentColor\">",
            width + 2
        );
        for (column, day) in self.days.iter().enumerate() {
            let x = column * (BOX.0 + GAP.0);
            let _ = write!(
                svg,
                "<text x=\"{x}\" y=\"16\" font-weight=\"bold\">{}</text>",
                escape(day)
            );
        }
        for (from, to, dashed) in &self.lines {
            let ((x1, y1), (x2, y2)) = (self.at(*from), self.at(*to));
            let (x1, middle) = (x1 + BOX.0, (x1 + BOX.0).midpoint(x2));
            let dashes = if *dashed { " stroke-dasharray=\"5 4\"" } else { "" };
            let _ = write!(
                svg,
                "<path d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}\" fill=\"none\" \
                 stroke=\"currentColor\" stroke-opacity=\"0.55\" stroke-width=\"1.5\"{dashes}/>"
            );
        }
        for (column, names) in self.columns.iter().enumerate() {
            for (place, (code, name)) in names.iter().enumerate() {
                let (x, middle) = self.at((column, place));
                let _ = write!(
                    svg,
                    "<g><title>{} ({code})</title><rect x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" \
                     fill=\"none\" stroke=\"currentColor\"/><text x=\"{}\" y=\"{}\">{}</text></g>",
                    escape(name),
                    middle - BOX.1 / 2,
                    BOX.0,
                    BOX.1,
                    x + 10,
                    middle + 5,
                    escape(&short(name)),
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A name that fits into a box.
fn short(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let mut cut: String = name.chars().take(LETTERS - 1).collect();
    cut.push('…');
    cut
}
