//! The rows behind a figure: the facts that counted, by time, with the case's code or the exchange's
//! positions. For those who answer for the figure only; looking is itself a fact. Deny by default.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Html;
use kernel::{Fact, FactRecord, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use web::Principal;
use web::auth::SignedIn;
use web::page::Page;
use web::problem::Refusal;

use crate::counter::Counter;
use crate::define::Definition;
use crate::reading::{wanted_month, wanted_org};
use crate::tally::ALL;
use crate::{Indicators, store as rows};

/// Who answers for figures: the operator of the node for all of them, a leader for the own unit.
pub(crate) const ROLES: [&str; 3] = ["operator", "chairman", "deputy-chairman"];
/// What of a fact is shown beside its case: codes and numbers, never a digest of a person.
const SHOWN: [&str; 12] = [
    "procedure",
    "channel",
    "outcome",
    "status",
    "score",
    "dong",
    "service",
    "register",
    "request",
    "kind",
    "from",
    "to",
];

/// Which rows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// Whose: an organisation's code, or `all`.
    pub(crate) org: Option<String>,
    /// `2026-11`; this month when it is left out.
    pub(crate) period: Option<String>,
    /// Which of the figure's counters; the one above the line when it is left out.
    pub(crate) counter: Option<String>,
    /// Rows before this position.
    pub(crate) before: Option<u64>,
}

/// One fact that counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowBehind {
    /// Its position in the log.
    pub position: u64,
    /// When it was recorded.
    pub at: String,
    /// What happened.
    pub fact: String,
    /// The case, when it is about one.
    pub case: Option<String>,
    /// Whose fact it is.
    pub org: String,
    /// Codes and numbers of it.
    pub details: Vec<String>,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowsBehind {
    /// The figure.
    pub figure: String,
    /// Whose.
    pub org: String,
    /// The month.
    pub period: String,
    /// The counter whose facts these are.
    pub counter: String,
    /// Newest first.
    pub rows: Vec<RowBehind>,
    /// The value of `before` for the next page; null on the last.
    pub next: Option<u64>,
}

/// The rows behind a figure.
#[utoipa::path(get, path = "/api/v1/indicators/{figure}/rows", tag = "indicators",
    security(("session" = ["operator", "chairman", "deputy-chairman"])),
    params(("figure" = String, Path, description = "the figure's code"), Wanted),
    responses((status = 200, description = "the facts that counted, newest first", body = RowsBehind),
              (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["figure-rows-viewed"]))))]
pub(crate) async fn api(
    State(indicators): State<Indicators>,
    SignedIn(who): SignedIn,
    Path(figure): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<RowsBehind>, Refusal> {
    Ok(Json(indicators.behind(&who, &figure, &wanted).await?))
}

#[derive(Template)]
#[template(path = "rows.html")]
struct RowsPage<'a> {
    p: &'a Page,
    title: String,
    behind: &'a RowsBehind,
    org: String,
    month: String,
    counters: Vec<Counter>,
    indicators: &'a Indicators,
}

impl RowsPage<'_> {
    fn time(&self, at: &str) -> String {
        kernel::Time::parse_rfc3339(at).map_or_else(String::new, |at| self.p.time(at))
    }

    /// Where the row's organisation is told of as it stood then.
    fn unit(&self, row: &RowBehind) -> Option<String> {
        let at = kernel::Time::parse_rfc3339(&row.at)?;
        self.indicators.unit_href(&row.org, at.date())
    }
}

/// The rows behind a figure as a page.
#[utoipa::path(get, path = "/boards/figures/{figure}/rows", tag = "indicators",
    security(("session" = ["operator", "chairman", "deputy-chairman"])),
    params(("figure" = String, Path, description = "the figure's code"), Wanted),
    responses((status = 200, description = "the facts that counted, newest first", content_type = "text/html"),
              (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["figure-rows-viewed"]))))]
pub(crate) async fn page(
    State(indicators): State<Indicators>,
    SignedIn(who): SignedIn,
    Path(figure): Path<String>,
    Query(wanted): Query<Wanted>,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let behind = indicators.behind(&who, &figure, &wanted).await?;
    let title = page.tw(
        "indicators-rows-title",
        &[("figure", page.t(&format!("indicators-{}", behind.figure)))],
    );
    let body = RowsPage {
        p: &page,
        org: indicators.org_name(&page, &behind.org),
        month: crate::words::month(&behind.period),
        indicators: &indicators,
        counters: Definition::find(&behind.figure).map_or_else(Vec::new, Definition::counters),
        title: title.clone(),
        behind: &behind,
    }
    .render()
    .map_err(Problem::internal)?;
    Ok(page.html(&title, body))
}

impl Indicators {
    /// The board somebody who answers for an organisation begins with.
    fn own(&self, who: &Principal) -> String {
        if self.sees_all(who) {
            self.front()
        } else {
            who.unit.to_string()
        }
    }

    /// True for an operator of the whole node; one of a hosted organisation answers for that.
    fn sees_all(&self, who: &Principal) -> bool {
        who.has("operator") && who.is_of_home(&self.0.home)
    }

    /// Refuses who does not answer for an organisation's figures.
    fn may_see(&self, who: &Principal, org: &str) -> Result<(), Problem> {
        who.require_any(&ROLES)?;
        let own = |org: &str| org.parse::<OrgCode>().is_ok_and(|org| who.unit.holds(&org));
        if self.sees_all(who) || (org != ALL && own(org)) {
            Ok(())
        } else {
            Err(Problem::not_found())
        }
    }

    async fn behind(&self, who: &Principal, figure: &str, wanted: &Wanted) -> Result<RowsBehind, Problem> {
        who.require_any(&ROLES)?;
        let definition = Definition::find(figure).ok_or_else(Problem::not_found)?;
        let store = &self.0.store;
        let org = wanted_org(wanted.org.as_deref().unwrap_or(&self.own(who)))?;
        self.may_see(who, &org)?;
        let period = wanted_month(wanted.period.as_deref(), store.world().now())?;
        let counters = definition.counters();
        let counter = match &wanted.counter {
            None => counters.first().copied(),
            Some(code) => counters.iter().copied().find(|c| c.code() == code),
        }
        .ok_or_else(|| Problem::new(Kind::Invalid, "counter-unknown").at("counter"))?;
        let before = wanted.before.unwrap_or(i64::MAX.unsigned_abs());
        let limit = store.limits().page_rows_max;
        let reader = store.read(&self.0.home).await?;
        let mut positions = rows::positions(&reader, counter, &org, &period, before, limit + 1).await?;
        let more = positions.len() > limit;
        positions.truncate(limit);
        let mut found = Vec::with_capacity(positions.len());
        for position in &positions {
            let facts = store.facts_from(*position, 1).await?;
            found.extend(facts.iter().map(|(position, record)| row(*position, record)));
        }
        let viewed = Fact::FigureRowsViewed {
            figure: definition.code.to_owned(),
            org: org.clone(),
            period: period.clone(),
            rows: found.len() as u64,
        };
        let viewed = &viewed;
        store
            .write(&self.0.home, &who.actor, |tx| async move {
                tx.fact("indicators", viewed.clone()).await
            })
            .await?;
        Ok(RowsBehind {
            figure: definition.code.to_owned(),
            org,
            period,
            counter: counter.code().to_owned(),
            rows: found,
            next: positions.last().copied().filter(|_| more),
        })
    }
}

fn row(position: u64, record: &FactRecord) -> RowBehind {
    let fact = serde_json::to_value(&record.fact).unwrap_or_default();
    let text = |name: &str| match &fact[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let details = SHOWN
        .iter()
        .filter_map(|name| Some(format!("{name} {}", text(name)?)));
    RowBehind {
        position,
        at: record.at.rfc3339(),
        fact: text("fact").unwrap_or_default(),
        case: text("case"),
        org: text("owner").unwrap_or_else(|| record.tenant.to_string()),
        details: details.collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{House, UNIT, principal};
    use kernel::Fact;

    #[tokio::test]
    async fn the_rows_behind_a_figure_are_the_facts_that_counted_and_looking_is_one() {
        let house = House::new("G22").await;
        for number in 1..=60 {
            house.filed(number).await;
        }
        house.fold().await;
        let path = "/api/v1/indicators/cases-received/rows?org=H56";
        let (status, body) = house.get(path, Some(principal("operator", "G22"))).await;
        assert_eq!(status, 200, "{body}");
        let first: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(first["rows"].as_array().map(Vec::len), Some(50));
        assert_eq!(first["rows"][0]["fact"], "case-filed");
        assert!(
            first["rows"][0]["case"]
                .as_str()
                .is_some_and(|c| c.starts_with("G22-"))
        );
        let next = format!("{path}&before={}", first["next"]);
        let (_, body) = house.get(&next, Some(principal("operator", "G22"))).await;
        let second: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(second["rows"].as_array().map(Vec::len), Some(10));
        assert!(second["next"].is_null());
        let home = &house.indicators.0.home;
        let facts = house
            .temp
            .store
            .facts_of(home, "indicators")
            .await
            .expect("facts");
        let looks = facts
            .iter()
            .filter(|f| matches!(f.fact, Fact::FigureRowsViewed { .. }));
        assert_eq!(looks.count(), 2);
    }

    #[tokio::test]
    async fn rows_are_shown_to_who_answers_for_the_figure_only() {
        let house = House::new("H56").await;
        let path = |org: &str| format!("/boards/figures/cases-received/rows?org={org}");
        assert_eq!(house.get(&path("H56"), None).await.0, 303);
        for (role, unit, org, status) in [
            ("operator", "H56", "all", 200),
            ("operator", "H56", UNIT, 200),
            ("chairman", UNIT, UNIT, 200),
            ("chairman", UNIT, "H56", 404),
            ("chairman", UNIT, "all", 404),
            ("officer", UNIT, UNIT, 403),
            ("citizen", "H56", "all", 403),
        ] {
            let (told, body) = house.get(&path(org), Some(principal(role, unit))).await;
            assert_eq!(told, status, "{role} of {unit} asks for {org}: {body}");
        }
    }
}
