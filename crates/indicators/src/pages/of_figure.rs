//! One figure: what it means, how it comes about, towards which target, how it went, and what others
//! published of it.

use askama::Template;
use axum::response::Html;
use kernel::Problem;
use web::page::{Page, query_value};

use super::{REFRESHES, Wanted};
use crate::chart::{Chart, Kind};
use crate::define::{Definition, Group, Unit, Way};
use crate::figure::{Found, compute};
use crate::reading::{Reading, wanted_month};
use crate::words;
use crate::{Indicators, pack::Reported};

type Points = Vec<(String, Option<f64>)>;

struct Trend {
    svg: String,
    title: String,
    rows: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "figure.html")]
struct FigurePage<'a> {
    p: &'a Page,
    name: String,
    org: String,
    org_href: String,
    unit_href: Option<String>,
    month: String,
    period: String,
    org_code: String,
    value: String,
    about: String,
    formula: String,
    line: Option<(String, String)>,
    unit: String,
    targets: Vec<String>,
    previous: String,
    change: String,
    trends: Vec<Trend>,
    rows_href: Option<String>,
    published: Vec<(String, String, String)>,
    refreshes: Vec<(u32, bool)>,
    refreshing: bool,
}

impl Indicators {
    pub(super) async fn figure_page(
        &self,
        p: &Page,
        code: &str,
        org: &str,
        wanted: &Wanted,
    ) -> Result<Html<String>, Problem> {
        let definition = Definition::find(code).ok_or_else(Problem::not_found)?;
        let reading = self.reading().await?;
        let period = wanted_month(wanted.period.as_deref(), reading.now)?;
        let numbers = reading.below(&period, org).await?;
        let found = compute(definition.way, &numbers, org).unwrap_or_default();
        let (trends, months) = self.trends(p, &reading, definition, org, &period).await?;
        let previous = months.len().checked_sub(2).and_then(|i| months[i].1);
        let name = words::name(p, code);
        let reader_may = p
            .user
            .as_ref()
            .is_some_and(|user| user.require_any(&crate::behind::ROLES).is_ok());
        let body = FigurePage {
            p,
            name: name.clone(),
            org: self.org_name(p, org),
            org_href: format!("/boards/{org}?period={}", query_value(&period)),
            unit_href: self.unit_href(org, self.day_of(&period)),
            month: words::month(&period),
            org_code: org.to_owned(),
            value: words::value(p, definition.unit, found.value),
            about: p.t(&format!("indicators-{code}.about")),
            formula: definition.formula(),
            line: line(p, found),
            unit: p.t(&format!("indicators-unit-{}", definition.unit.code())),
            targets: self.targets(p, definition),
            previous: words::value(p, definition.unit, previous),
            change: change(p, definition.unit, found.value, previous),
            trends,
            rows_href: reader_may.then(|| {
                format!(
                    "/boards/figures/{code}/rows?org={}&period={}",
                    query_value(org),
                    query_value(&period)
                )
            }),
            published: self.published_beside(p, code),
            refreshes: REFRESHES
                .iter()
                .map(|s| (*s, wanted.refresh() == Some(*s)))
                .collect(),
            refreshing: wanted.refresh().is_some(),
            period,
        }
        .render()
        .map_err(Problem::internal)?;
        Ok(p.html(&name, body))
    }

    /// The pictures of a figure, and its months.
    async fn trends(
        &self,
        p: &Page,
        reading: &Reading,
        definition: &Definition,
        org: &str,
        period: &str,
    ) -> Result<(Vec<Trend>, Points), Problem> {
        let mut all = Vec::new();
        if definition.group == Group::Exchange && definition.is_now() {
            let minutes = reading.minutes(org).await?;
            let points: Points = minutes
                .into_iter()
                .map(|(minute, n)| (minute, Some(crate::figure::precise(n))))
                .collect();
            all.push(trend(p, "minutes", Unit::Count, Kind::Bars, &points, &points));
        }
        if definition.is_now() {
            return Ok((all, Vec::new()));
        }
        let months: Points = reading
            .history(org, period)
            .await?
            .iter()
            .map(|(m, n)| {
                let value = compute(definition.way, n, org).and_then(|f| f.value);
                (words::month(m), value)
            })
            .collect();
        let short: Points = months.iter().map(|(m, v)| (m[..2].to_owned(), *v)).collect();
        all.push(trend(p, "months", definition.unit, Kind::Line, &short, &months));
        if !matches!(definition.way, Way::Stock(..) | Way::Sharing) {
            let days: Points = reading
                .days(definition, org)
                .await?
                .into_iter()
                .map(|(day, found)| (words::day(&day), found.and_then(|f| f.value)))
                .collect();
            all.push(trend(p, "days", definition.unit, Kind::Bars, &days, &days));
        }
        Ok((all, months))
    }

    fn published_beside(&self, p: &Page, code: &str) -> Vec<(String, String, String)> {
        let of_figure = self.0.pack.reported.iter().filter(|r| r.figure == code);
        of_figure
            .map(|r| {
                let when = words::published_period(p, &r.period);
                let what = format!("{} ({}, {when})", reported_name(p, r), scope(p, r));
                (what, reported_value(p, r), source(p, r))
            })
            .collect()
    }
}

fn trend(p: &Page, code: &str, unit: Unit, kind: Kind, points: &Points, rows: &Points) -> Trend {
    let title = p.t(&format!("indicators-trend-{code}"));
    let known: Vec<f64> = points.iter().filter_map(|(_, v)| *v).collect();
    let description = if known.is_empty() {
        p.t("indicators-trend-empty")
    } else {
        let lowest = known.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = known.iter().copied().fold(0.0, f64::max);
        p.tw(
            "indicators-trend-from-to",
            &[
                ("lowest", words::value(p, unit, Some(lowest))),
                ("highest", words::value(p, unit, Some(highest))),
                ("last", words::value(p, unit, known.last().copied())),
            ],
        )
    };
    let chart = Chart {
        id: code,
        title: &title,
        description: &description,
        kind,
        points,
        end_min: if unit == Unit::Percent { 100.0 } else { 1.0 },
        number: &|v| words::number(p, v, if v.fract().abs() < 1e-9 { 0 } else { 1 }),
    };
    Trend {
        svg: chart.svg(),
        rows: rows
            .iter()
            .map(|(label, v)| (label.clone(), words::value(p, unit, *v)))
            .collect(),
        title,
    }
}

fn line(p: &Page, found: Found) -> Option<(String, String)> {
    let (above, below) = found.line?;
    let text = |n: i64| words::number(p, crate::figure::precise(n), 0);
    Some((text(above), text(below)))
}

/// The change since the month before, with its sign.
fn change(p: &Page, unit: Unit, now: Option<f64>, before: Option<f64>) -> String {
    let (Some(now), Some(before)) = (now, before) else {
        return words::NOTHING.to_owned();
    };
    let difference = now - before;
    let sign = if difference > 0.0 { "+" } else { "" };
    if unit == Unit::Percent {
        let points = words::number(p, difference, 2);
        return p.tw("indicators-points", &[("n", format!("{sign}{points}"))]);
    }
    format!("{sign}{}", words::value(p, unit, Some(difference)))
}

/// A published figure's name in the reader's language.
pub(super) fn reported_name(p: &Page, r: &Reported) -> String {
    match p.lang {
        web::Lang::Vi if !r.indicator_vi.is_empty() => r.indicator_vi.clone(),
        _ => r.indicator.clone(),
    }
}

/// Of whom a published figure speaks.
pub(super) fn scope(p: &Page, r: &Reported) -> String {
    if r.scope == "national" {
        p.t("indicators-all")
    } else {
        r.scope.clone()
    }
}

/// Where a published figure stands, in the reader's language: the pack's own words are English.
pub(super) fn source(p: &Page, r: &Reported) -> String {
    match (p.lang, r.id.split_once('-')) {
        (web::Lang::Vi, Some((article, _))) => p.t(&format!("indicators-article-{article}")),
        _ => r.source.clone(),
    }
}

/// A published value with its qualifier.
pub(super) fn reported_value(p: &Page, r: &Reported) -> String {
    let number = r.value.parse::<f64>().map_or_else(
        |_| r.value.clone(),
        |v| {
            let decimals = r.value.split_once('.').map_or(0, |(_, part)| part.len());
            words::number(p, v, decimals)
        },
    );
    let value = if r.unit == "percent" {
        p.tw("indicators-with-percent", &[("n", number)])
    } else {
        number
    };
    match r.qualifier.as_str() {
        "=" => value,
        qualifier => {
            let key = match qualifier {
                ">" => "more",
                "<" => "less",
                "~<" => "nearly",
                ">=" => "at-least",
                _ => "about",
            };
            p.tw(&format!("indicators-qualifier-{key}"), &[("value", value)])
        }
    }
}
