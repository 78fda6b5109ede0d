//! A board: figures by group with their shape over twelve months, the map or the units below, the
//! exchange by member and service.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Html;
use kernel::Problem;
use web::page::{Page, query_value};

use super::{REFRESHES, Wanted};
use crate::chart::{Bins, TileView, spark, tile_map};
use crate::counter::Counter;
use crate::define::{Definition, FIGURES, Group, Unit};
use crate::figure::{Numbers, compute};
use crate::reading::{Reading, wanted_month};
use crate::words::{self, NOTHING};
use crate::{ALL, Indicators, store as rows};

/// The figures that a table of organisations shows.
const COLUMNS: [&str; 7] = [
    "cases-received",
    "cases-decided",
    "cases-on-hand",
    "cases-overdue",
    "on-time-share",
    "online-share",
    "satisfaction",
];
/// The figures that may colour the map.
const MAPS: [&str; 5] = [
    "on-time-share",
    "cases-received",
    "cases-overdue",
    "online-share",
    "satisfaction",
];
/// Rows of the table of services, count.
const SERVICES_MAX: usize = 40;
/// Rows of the table of units, count.
const UNITS_MAX: usize = 200;

struct Card {
    name: String,
    value: String,
    spark: String,
    href: String,
    target: String,
}

struct Section {
    code: &'static str,
    title: String,
    note: String,
    cards: Vec<Card>,
}

struct OrgRow {
    name: String,
    href: String,
    code: String,
    unit: Option<String>,
    values: Vec<String>,
}

struct ServiceRow {
    member: String,
    unit: Option<String>,
    service: String,
    way: String,
    month: String,
    minute: String,
    second: String,
}

struct Map {
    title: String,
    svg: String,
    legend: String,
    choices: Vec<(String, String, bool)>,
    rows: Vec<(String, String, String)>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct Board<'a> {
    p: &'a Page,
    title: String,
    period: String,
    month: String,
    /// Empty: the path names the organisation.
    org_code: &'static str,
    path: String,
    refreshes: Vec<(u32, bool)>,
    refreshing: bool,
    empty: bool,
    sections: Vec<Section>,
    map: Option<Map>,
    columns: Vec<String>,
    orgs: Vec<OrgRow>,
    more_orgs: bool,
    services: Vec<ServiceRow>,
    above: Option<(String, String)>,
    unit: Option<String>,
}

impl Indicators {
    pub(super) async fn board(&self, p: &Page, org: &str, wanted: &Wanted) -> Result<Html<String>, Problem> {
        let reading = self.reading().await?;
        let period = wanted_month(wanted.period.as_deref(), reading.now)?;
        let whole = org == ALL;
        let numbers = if whole {
            reading.tops(&period).await?
        } else {
            reading.below(&period, org).await?
        };
        let empty = !rows::has_cases(&reading.reader).await?;
        let sections = self.sections(p, &reading, &numbers, org, &period).await?;
        let (orgs, more_orgs) = self.org_rows(p, &numbers, org, &period);
        let title = if whole {
            p.t("indicators-board-national")
        } else {
            p.tw("indicators-board-of", &[("org", self.org_name(p, org))])
        };
        let board = Board {
            p,
            title: title.clone(),
            month: words::month(&period),
            org_code: "",
            path: p.path.clone(),
            refreshes: REFRESHES
                .iter()
                .map(|s| (*s, wanted.refresh() == Some(*s)))
                .collect(),
            refreshing: wanted.refresh().is_some(),
            empty,
            sections,
            map: whole.then(|| self.map(p, &numbers, &period, wanted)),
            columns: COLUMNS.iter().map(|code| words::name(p, code)).collect(),
            orgs,
            more_orgs,
            services: self.service_rows(p, &reading, &numbers, &period).await?,
            above: self.above(p, org, &period),
            unit: self.unit_href(org, self.day_of(&period)),
            period,
        };
        let body = board.render().map_err(Problem::internal)?;
        Ok(p.html(&title, body))
    }

    async fn sections(
        &self,
        p: &Page,
        reading: &Reading,
        numbers: &Numbers,
        org: &str,
        period: &str,
    ) -> Result<Vec<Section>, Problem> {
        let history = reading.history(org, period).await?;
        let section = |group: Group| Section {
            code: group.code(),
            title: p.t(&format!("indicators-group-{}", group.code())),
            note: p.t(&format!("indicators-note-{}", group.code())),
            cards: FIGURES
                .iter()
                .filter(|d| d.group == group)
                .filter_map(|d| self.card(p, d, numbers, &history, org, period))
                .collect(),
        };
        let mut all: Vec<_> = Group::ALL.into_iter().map(section).collect();
        all.retain(|section| !section.cards.is_empty());
        Ok(all)
    }

    fn card(
        &self,
        p: &Page,
        definition: &Definition,
        numbers: &Numbers,
        history: &[(String, Numbers)],
        org: &str,
        period: &str,
    ) -> Option<Card> {
        let found = compute(definition.way, numbers, org)?;
        let shape: Vec<Option<f64>> = if definition.is_now() {
            Vec::new()
        } else {
            history
                .iter()
                .map(|(_, n)| compute(definition.way, n, org).and_then(|f| f.value))
                .collect()
        };
        Some(Card {
            name: words::name(p, definition.code),
            value: words::value(p, definition.unit, found.value),
            spark: spark(&shape),
            href: figure_href(definition.code, org, period),
            target: self.targets(p, definition).into_iter().next().unwrap_or_default(),
        })
    }

    /// The targets of a figure, in words, with where they come from.
    pub(super) fn targets(&self, p: &Page, definition: &Definition) -> Vec<String> {
        let of_figure = self.0.pack.targets.iter().filter(|t| t.figure == definition.code);
        of_figure
            .map(|t| {
                let comparison = match t.comparison.as_str() {
                    ">=" => "≥",
                    "<=" => "≤",
                    other => other,
                };
                p.tw(
                    "indicators-target-text",
                    &[
                        ("comparison", comparison.to_owned()),
                        (
                            "value",
                            words::value(p, definition.unit, Some(crate::figure::precise(t.value))),
                        ),
                        ("year", t.year.clone()),
                        ("document", t.document.clone()),
                        ("evidence", p.t(&format!("indicators-evidence-{}", t.evidence))),
                    ],
                )
            })
            .collect()
    }

    /// The organisations of a board's table, those with most cases first.
    fn org_rows(&self, p: &Page, numbers: &Numbers, org: &str, period: &str) -> (Vec<OrgRow>, bool) {
        let received = Counter::CasesReceived.code();
        let mut sizes: BTreeMap<&str, i64> = BTreeMap::new();
        let counted = numbers.month.iter().chain(&numbers.until);
        for ((of, counter, _), amount) in counted {
            if of != org && of != ALL && counter == received {
                *sizes.entry(of).or_default() += amount;
            }
        }
        let mut orgs: Vec<_> = sizes.into_iter().collect();
        orgs.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let more = orgs.len() > UNITS_MAX;
        orgs.truncate(UNITS_MAX);
        let day = self.day_of(period);
        let row = |of: &str| OrgRow {
            name: self.org_name(p, of),
            code: of.to_owned(),
            unit: self.unit_href(of, day),
            href: format!("/boards/{of}?period={}", query_value(period)),
            values: COLUMNS.iter().map(|code| cell(p, code, numbers, of)).collect(),
        };
        (orgs.into_iter().map(|(of, _)| row(of)).collect(), more)
    }

    fn map(&self, p: &Page, numbers: &Numbers, period: &str, wanted: &Wanted) -> Map {
        let chosen = wanted.map.as_deref().and_then(|m| MAPS.iter().find(|c| **c == m));
        let code = chosen.copied().unwrap_or(MAPS[0]);
        let (way, unit) = Definition::find(code).map_or((FIGURES[0].way, Unit::Cases), |d| (d.way, d.unit));
        let tiles: Vec<TileView> = self
            .0
            .pack
            .tiles
            .iter()
            .map(|tile| {
                let value = compute(way, numbers, &tile.org).and_then(|f| f.value);
                TileView {
                    name: tile.name.clone(),
                    text: words::value(p, unit, value),
                    value,
                    href: format!("/boards/{}?period={}", tile.org, query_value(period)),
                    column: tile.column,
                    row: tile.row,
                }
            })
            .collect();
        let bins = if unit == Unit::Percent {
            Bins::SHARE
        } else {
            Bins::up_to(tiles.iter().filter_map(|t| t.value).fold(0.0, f64::max))
        };
        let title = p.tw("indicators-map-title", &[("figure", words::name(p, code))]);
        Map {
            svg: tile_map(&title, &tiles, bins),
            title,
            legend: bins.legend(&|v| words::number(p, v, 0), &p.t("indicators-map-none")),
            choices: MAPS
                .iter()
                .map(|m| ((*m).to_owned(), words::name(p, m), *m == code))
                .collect(),
            rows: tiles.into_iter().map(|t| (t.name, t.text, t.href)).collect(),
        }
    }

    /// The exchange by member and service: the month, the last minute, the last seconds.
    async fn service_rows(
        &self,
        p: &Page,
        reading: &Reading,
        numbers: &Numbers,
        period: &str,
    ) -> Result<Vec<ServiceRow>, Problem> {
        let ways = [
            (Counter::ExchangesAsked, "indicators-asked"),
            (Counter::ExchangesAnswered, "indicators-answered"),
        ];
        let (recent, day) = (reading.recent().await?, self.day_of(period));
        let mut found: Vec<_> = numbers
            .month
            .iter()
            .filter(|((org, _, _), _)| org != ALL)
            .filter_map(|((org, counter, part), amount)| {
                let (_, key) = ways.iter().find(|(c, _)| c.code() == counter)?;
                Some((*amount, org, counter, part, *key))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)).then(a.3.cmp(b.3)));
        found.truncate(SERVICES_MAX);
        let row = |(amount, org, counter, part, key): (i64, &String, &String, &String, &str)| {
            let of = |window: u32| {
                let key = (window, org.clone(), counter.clone(), part.clone());
                recent.get(&key).copied().unwrap_or_default()
            };
            ServiceRow {
                member: self.org_name(p, org),
                unit: self.unit_href(org, day),
                service: part.clone(),
                way: p.t(key),
                month: words::number(p, crate::figure::precise(amount), 0),
                minute: words::number(p, crate::figure::precise(of(60)), 0),
                second: words::number(p, crate::figure::precise(of(10)) / 10.0, 1),
            }
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// The board above this one.
    fn above(&self, p: &Page, org: &str, period: &str) -> Option<(String, String)> {
        if org == ALL || org == self.front() {
            return None;
        }
        let code: Option<kernel::OrgCode> = org.parse().ok();
        let above = code
            .and_then(|c| c.parent())
            .map_or_else(|| ALL.to_owned(), |c| c.to_string());
        let href = format!("/boards/{above}?period={}", query_value(period));
        Some((href, self.org_name(p, &above)))
    }
}

fn cell(p: &Page, code: &str, numbers: &Numbers, org: &str) -> String {
    Definition::find(code).map_or_else(
        || NOTHING.to_owned(),
        |d| {
            let value = compute(d.way, numbers, org).and_then(|f| f.value);
            words::value(p, d.unit, value)
        },
    )
}

/// Where a figure's own page is.
pub(super) fn figure_href(code: &str, org: &str, period: &str) -> String {
    format!(
        "/boards/figures/{code}?org={}&period={}",
        query_value(org),
        query_value(period)
    )
}
