//! `GET /exchange/traffic` and its twin: what goes through the exchange, by time and by service, member,
//! agreement and result, with the times it took; as pictures with a table beside.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::{Digest, OrgCode, Problem, Time};
use web::chart::{Chart, Kind};
use web::page::query_value;
use web::{Operator, Page, Refusal};

use super::first;
use crate::evidence::list::words;
use crate::filter::{self, Narrowed};
use crate::gateway::Exchange;
use crate::traffic::{Asked, By, Sort, Span, TrafficRow, TrafficSeen, TrafficSum, Wanted};

const PAGE: &str = "/exchange/traffic";
/// What stands where there is no value.
const NOTHING: &str = "–";

/// Tells the traffic of a time: sums, points in it, and rows by service, member, agreement or result.
#[utoipa::path(get, path = "/api/v1/exchange/traffic", tag = "exchange", params(Wanted),
    operation_id = "see_traffic", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = TrafficSeen), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<TrafficSeen>, Refusal> {
    let asked = wanted.read(x.0.now()).map_err(first)?;
    let own = x.seen_by(&who);
    Ok(axum::Json(x.traffic(own.as_ref(), &asked).await?))
}

#[derive(Template)]
#[template(path = "traffic.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    filter: String,
    spans: Vec<Tab>,
    found: Option<Found>,
}

/// A link among others, of which one may be where the reader is.
struct Tab {
    href: String,
    label: String,
    is_here: bool,
}

/// What there is to see when the question could be read.
struct Found {
    empty: bool,
    none: bool,
    over: String,
    figures: Vec<(String, String)>,
    /// Title and picture of each.
    pictures: Vec<(String, String)>,
    times: Vec<Line>,
    bys: Vec<Tab>,
    sorts: Vec<Tab>,
    by: String,
    rows: Vec<Line>,
    pages: Vec<Tab>,
    evidence: String,
}

/// A line of a table: what it is, where that leads, its sums, and the evidence behind it.
struct Line {
    name: String,
    is_code: bool,
    href: Option<String>,
    iso: String,
    calls: String,
    refused: String,
    failed: String,
    p50: String,
    p95: String,
    p99: String,
    max: String,
    evidence: String,
}

/// The traffic as a page.
#[utoipa::path(get, path = "/exchange/traffic", tag = "exchange", params(Wanted),
    operation_id = "traffic_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form, pictures and tables", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let (found, span, problems) = match wanted.read(x.0.now()) {
        Ok(asked) => {
            let own = x.seen_by(&who);
            let seen = x.traffic(own.as_ref(), &asked).await?;
            (
                Some(x.found(&page, &wanted, &asked, &seen)),
                asked.span,
                Vec::new(),
            )
        }
        Err(problems) => (None, None, problems),
    };
    let results = filter::outcomes(&page, wanted.result.as_deref());
    let spans = Span::ALL.map(|of| Tab {
        href: link(
            &wanted,
            &[("from", ""), ("to", ""), ("span", of.as_str()), ("page", "")],
        ),
        label: page.t(&format!("exchange-traffic-span-{}", of.as_str())),
        is_here: span == Some(of),
    });
    let view = View {
        errors: page.errors(&problems),
        filter: filter::form(&page, ("/exchange/traffic", &problems), texts(&wanted), results)?,
        spans: spans.into(),
        found,
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-traffic"), body))
}

/// The fields of the form: name, type and value.
fn texts(wanted: &Wanted) -> [Narrowed<'_>; 5] {
    [
        ("from", "date", &wanted.from),
        ("to", "date", &wanted.to),
        ("member", "text", &wanted.member),
        ("service", "text", &wanted.service),
        ("agreement", "text", &wanted.agreement),
    ]
}

/// The page with what is asked for, some of it said otherwise; what is said as nothing is left out.
fn link(wanted: &Wanted, otherwise: &[(&str, &str)]) -> String {
    let all = [
        ("span", &wanted.span),
        ("from", &wanted.from),
        ("to", &wanted.to),
        ("member", &wanted.member),
        ("service", &wanted.service),
        ("agreement", &wanted.agreement),
        ("result", &wanted.result),
        ("by", &wanted.by),
        ("sort", &wanted.sort),
        ("page", &wanted.page),
    ];
    let mut href = PAGE.to_owned();
    for (name, value) in all {
        let other = otherwise
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value);
        let value = other.unwrap_or_else(|| value.as_deref().unwrap_or_default().trim());
        if !value.is_empty() {
            href.push(if href.len() == PAGE.len() { '?' } else { '&' });
            href.push_str(&format!("{name}={}", query_value(value)));
        }
    }
    href
}

/// The search of the evidence with the same filter, some of it said otherwise.
fn evidence(asked: &Asked, from: i64, to: i64, otherwise: &[(&str, &str)]) -> String {
    let mut href = format!(
        "/exchange/evidence?from={}&to={}",
        query_value(&Time(from).rfc3339()),
        query_value(&Time(to).rfc3339())
    );
    let text = |value: Option<String>| value.unwrap_or_default();
    for (name, value) in [
        ("member", text(asked.member.as_ref().map(ToString::to_string))),
        ("service", text(asked.service.as_ref().map(ToString::to_string))),
        ("agreement", text(asked.agreement.map(|hash| hash.hex()))),
        (
            "result",
            text(asked.result.map(|result| result.as_str().to_owned())),
        ),
    ] {
        let other = otherwise.iter().find(|(key, _)| *key == name);
        let value = other.map_or(value.as_str(), |(_, value)| value);
        if !value.is_empty() {
            href.push_str(&format!("&{name}={}", query_value(value)));
        }
    }
    href
}

impl Exchange {
    fn found(&self, page: &Page, wanted: &Wanted, asked: &Asked, seen: &TrafficSeen) -> Found {
        let key = asked.by.as_str();
        let bys = By::ALL.map(|by| Tab {
            href: link(wanted, &[("by", by.as_str()), ("page", "")]),
            label: page.t(&format!("exchange-traffic-by-{}", by.as_str())),
            is_here: asked.by == by,
        });
        let sorts = Sort::ALL.map(|sort| Tab {
            href: link(wanted, &[("sort", sort.as_str()), ("page", "")]),
            label: page.t(&format!("exchange-traffic-sort-{}", sort.as_str())),
            is_here: asked.sort == sort,
        });
        let pages = (1..=seen.pages).map(|number| Tab {
            href: link(wanted, &[("page", &number.to_string())]),
            label: number.to_string(),
            is_here: number == seen.page,
        });
        let times = seen.points.iter().rev().filter(|point| point.sum.calls > 0);
        let moment = |at: i64| moment(page, seen.grain, Time(at));
        Found {
            empty: seen.empty,
            none: seen.sum.calls == 0,
            over: page.tw(
                "exchange-traffic-over",
                &[
                    ("from", page.time(Time(seen.from))),
                    ("to", page.time(Time(seen.to))),
                ],
            ),
            figures: figures(page, seen),
            pictures: pictures(page, asked, seen),
            times: times
                .map(|point| {
                    let next = asked.grain.next(Time(point.begins)).ms();
                    let behind = evidence(asked, point.begins, next, &[]);
                    line(page, moment(point.begins), &point.sum, behind).at(Time(point.begins).rfc3339())
                })
                .collect(),
            by: page.t(&format!("exchange-traffic-by-{key}")),
            rows: seen
                .rows
                .iter()
                .map(|row| self.traffic_row(page, wanted, asked, row))
                .collect(),
            pages: if seen.pages > 1 {
                pages.collect()
            } else {
                Vec::new()
            },
            evidence: evidence(asked, seen.from, seen.to, &[]),
            bys: bys.into(),
            sorts: sorts.into(),
        }
    }

    fn traffic_row(&self, page: &Page, wanted: &Wanted, asked: &Asked, row: &TrafficRow) -> Line {
        let (from, to) = (asked.from.ms(), asked.to.ms());
        let Some(field) = asked.by.field() else {
            let (result, fault) = row.name.split_once(' ').unwrap_or((&row.name, ""));
            let mut name = page.t(&format!("exchange-result-{result}"));
            if !fault.is_empty() {
                name = format!("{name}: {} ({fault})", words(page, fault));
            }
            let behind = evidence(asked, from, to, &[("result", result)]);
            let narrowed = link(wanted, &[("result", result), ("page", "")]);
            return line(page, name, &row.sum, behind).to(narrowed);
        };
        if row.name.is_empty() {
            let rest = page.t(&format!("exchange-traffic-rest-{field}"));
            return line(page, rest, &row.sum, evidence(asked, from, to, &[]));
        }
        let named = match asked.by {
            By::Member => {
                let org: Option<OrgCode> = row.name.parse().ok();
                org.map(|org| format!("{} ({org})", self.organisation(&org)))
            }
            By::Agreement => Digest::parse(&row.name).and_then(|hash| self.agreements().name_of(&hash)),
            By::Service | By::Result => None,
        };
        let behind = evidence(asked, from, to, &[(field, &row.name)]);
        let narrowed = link(wanted, &[(field, &row.name), ("page", "")]);
        let is_code = named.is_none();
        let line = line(page, named.unwrap_or_else(|| row.name.clone()), &row.sum, behind);
        Line {
            is_code,
            ..line.to(narrowed)
        }
    }
}

impl Line {
    fn to(self, href: String) -> Self {
        Self {
            href: Some(href),
            ..self
        }
    }

    fn at(self, iso: String) -> Self {
        Self { iso, ..self }
    }
}

fn line(page: &Page, name: String, sum: &TrafficSum, evidence: String) -> Line {
    let ms = |value: Option<u64>| value.map_or_else(|| NOTHING.to_owned(), |n| number(page, n));
    Line {
        name,
        is_code: false,
        href: None,
        iso: String::new(),
        calls: number(page, sum.calls),
        refused: number(page, sum.refused),
        failed: number(page, sum.failed),
        p50: ms(sum.p50_ms),
        p95: ms(sum.p95_ms),
        p99: ms(sum.p99_ms),
        max: ms(sum.max_ms),
        evidence,
    }
}

/// The figures above the pictures: value and what it is.
fn figures(page: &Page, seen: &TrafficSeen) -> Vec<(String, String)> {
    let ms =
        |value: Option<u64>| value.map_or_else(|| NOTHING.to_owned(), |n| format!("{} ms", number(page, n)));
    let per_second = format!("{:.2}", seen.now.per_second).replace('.', &page.t("exchange-decimal"));
    let figure = |key: &str, value: String| (value, page.t(&format!("exchange-traffic-{key}")));
    vec![
        figure("minute", number(page, seen.now.minute)),
        figure("second", per_second),
        figure("month", number(page, seen.now.month)),
        figure("calls", number(page, seen.sum.calls)),
        figure("bad", number(page, seen.sum.refused + seen.sum.failed)),
        figure("p50", ms(seen.sum.p50_ms)),
        figure("p95", ms(seen.sum.p95_ms)),
        figure("p99", ms(seen.sum.p99_ms)),
    ]
}

/// What people would rather look at; every number also stands in the table.
fn pictures(page: &Page, asked: &Asked, seen: &TrafficSeen) -> Vec<(String, String)> {
    let labelled = |of: &dyn Fn(&TrafficSum) -> Option<f64>| -> Vec<(String, Option<f64>)> {
        let points = seen.points.iter();
        points
            .map(|p| (label(seen.grain, Time(p.begins)), of(&p.sum)))
            .collect()
    };
    let mut all = Vec::new();
    let narrowed = asked.member.is_some() || asked.service.is_some() || asked.agreement.is_some();
    if !narrowed && asked.result.is_none() && asked.span == Some(Span::Hour) {
        let seconds = seen.now.seconds.iter();
        let seconds: Vec<_> = seconds
            .map(|s| {
                (
                    clock(Time(s.begins), true),
                    Some(whole(s.ok + s.refused + s.failed)),
                )
            })
            .collect();
        all.push(picture(page, "seconds", Kind::Bars, &seconds, ""));
    }
    all.push(picture(
        page,
        "points",
        Kind::Bars,
        &labelled(&|s| Some(whole(s.calls))),
        "",
    ));
    let bad = labelled(&|s| Some(whole(s.refused + s.failed)));
    all.push(picture(page, "failures", Kind::Bars, &bad, ""));
    let slow = labelled(&|s| s.p95_ms.map(whole));
    all.push(picture(page, "times", Kind::Line, &slow, " ms"));
    all
}

#[expect(clippy::cast_precision_loss, reason = "a coordinate of a picture")]
fn whole(count: u64) -> f64 {
    count as f64
}

/// A picture behind its title.
fn picture(
    page: &Page,
    key: &str,
    kind: Kind,
    points: &[(String, Option<f64>)],
    unit: &str,
) -> (String, String) {
    let title = page.t(&format!("exchange-traffic-plot-{key}"));
    let known: Vec<f64> = points.iter().filter_map(|(_, value)| *value).collect();
    let words = |value: f64| format!("{}{unit}", decimal(page, value));
    let description = match (known.last(), known.iter().copied().reduce(f64::max)) {
        (Some(last), Some(highest)) => page.tw(
            "exchange-traffic-plot-says",
            &[("highest", words(highest)), ("last", words(*last))],
        ),
        _ => page.t("exchange-traffic-none"),
    };
    let svg = Chart {
        id: key,
        title: &title,
        description: &description,
        kind,
        points,
        end_min: 1.0,
        number: &words,
    }
    .svg();
    (title, svg)
}

/// A number as an axis says it: whole, or with one decimal.
fn decimal(page: &Page, value: f64) -> String {
    let text = web::chart::at(value);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let whole = number(page, whole.parse().unwrap_or_default());
    if part.is_empty() {
        whole
    } else {
        format!("{whole}{}{part}", page.t("exchange-decimal"))
    }
}

/// A count with its thousands apart.
pub(super) fn number(page: &Page, count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push_str(&page.t("exchange-thousands"));
        }
        grouped.push(digit);
    }
    grouped
}

/// A span's beginning below an axis.
fn label(grain: &str, at: Time) -> String {
    let date = at.date();
    match grain {
        "minute" | "hour" => clock(at, false),
        "day" => format!("{:02}/{:02}", date.day(), u8::from(date.month())),
        _ => format!("{:02}/{}", u8::from(date.month()), date.year()),
    }
}

/// A span's beginning in a table.
fn moment(page: &Page, grain: &str, at: Time) -> String {
    match grain {
        "minute" | "hour" => page.time(at),
        "day" => page.date(at.date()),
        _ => label(grain, at),
    }
}

/// The time of day in Vietnam.
fn clock(at: Time, to_the_second: bool) -> String {
    let minute = at.minute_of_day();
    let clock = format!("{:02}:{:02}", minute / 60, minute % 60);
    if to_the_second {
        format!("{clock}:{:02}", at.seconds().rem_euclid(60))
    } else {
        clock
    }
}
