//! `/desk/checks`: what was typed at the desk and is to be checked: what a register says otherwise and somebody has to look
//! at, and what waits for a register that does not answer. Shows codes, registers and instants and no person: what differs
//! is read on the case's page, and that leaves a fact.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::store::{self as list_rows, COUNTED_MAX, Part, Place};
use super::{Check, CheckState};
use crate::citizen::render;
use crate::procedure::Text;
use crate::shown::{UnitLink, say};
use crate::state::Cases;

/// The parts, as addresses name them, and their words.
const PARTS: [(&str, &str, Part); 2] = [
    ("", "desk-checks-open", Part::Open),
    ("waits", "desk-checks-waits", Part::Waits),
];

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Empty for what somebody has to look at; `waits` for what waits for a register.
    #[serde(default)]
    state: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// A comparison in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckItem {
    /// The case.
    code: String,
    /// Its number among those of the case, from 1.
    check: u32,
    /// The register's service.
    service: String,
    /// Where it stands.
    state: CheckState,
    /// Fields of which the register says something else, count.
    fields: usize,
    /// Since when it stands so, RFC 3339.
    since: String,
    #[serde(skip)]
    source: Text,
    #[serde(skip)]
    at: Time,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckList {
    /// What stands longest in front.
    items: Vec<CheckItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
    /// What somebody has to look at, count; 1,001 stands for more than a thousand.
    open: u64,
    /// What waits for a register, counted so too.
    waiting: u64,
}

#[derive(Template)]
#[template(path = "desk_checks.html")]
struct View<'a> {
    page: &'a Page,
    unit: UnitLink,
    list: &'a CheckList,
    /// Address, label, true for the one shown.
    tabs: Vec<(String, String, bool)>,
    first: bool,
    here: String,
    next: Option<String>,
}

/// What is to be checked in the official's unit, as a page.
#[utoipa::path(get, path = "/desk/checks", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what somebody has to look at; waits: what waits for a register"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what is to be checked, what stands longest in front", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let list = cases.checks_of(&who, &from).await?;
    let tab = |(state, key, part): &(&str, &str, Part)| {
        let count = match part {
            Part::Open => counted(list.open),
            Part::Waits | Part::Done => counted(list.waiting),
        };
        let label = format!("{} ({count})", page.t(key));
        (address(state), label, *state == from.state)
    };
    let next = list.next.as_ref().map(|next| {
        let (state, next) = (query_value(&from.state), query_value(next));
        format!("/desk/checks?state={state}&after={next}")
    });
    let body = render(&View {
        page: &page,
        unit: UnitLink::new(&cases, &who.unit, cases.today()),
        tabs: PARTS.iter().map(tab).collect(),
        first: from.after.is_empty(),
        here: address(&from.state),
        next,
        list: &list,
    })?;
    Ok(page.html(&page.t("desk-checks-title"), body))
}

/// What is to be checked in the official's unit.
#[utoipa::path(get, path = "/api/v1/desk/checks", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what somebody has to look at; waits: what waits for a register"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what is to be checked, what stands longest in front", body = CheckList), (status = 403), (status = 404)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<CheckList>, Refusal> {
    Ok(Json(cases.checks_of(&who, &from).await?))
}

fn address(state: &str) -> String {
    match state {
        "" => "/desk/checks".to_owned(),
        state => format!("/desk/checks?state={state}"),
    }
}

/// A count, as pages write it.
pub(crate) fn counted(count: u64) -> String {
    let most = u64::try_from(COUNTED_MAX).unwrap_or(u64::MAX);
    match count > most {
        true => format!("{most}+"),
        false => count.to_string(),
    }
}

impl Cases {
    async fn checks_of(&self, who: &Principal, from: &From) -> Result<CheckList, Problem> {
        self.official(who)?;
        let part = PARTS.iter().find(|(state, ..)| *state == from.state);
        let (_, _, part) = part.ok_or_else(Problem::not_found)?;
        let after = place_of(&from.after)?;
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut found = list_rows::list(&reader, &who.unit, *part, after.as_ref(), limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(text_of);
        Ok(CheckList {
            items: found.into_iter().map(item).collect(),
            next,
            open: list_rows::count(&reader, &who.unit, Part::Open).await?,
            waiting: list_rows::count(&reader, &who.unit, Part::Waits).await?,
        })
    }
}

fn item(check: Check) -> CheckItem {
    CheckItem {
        code: check.code.to_string(),
        check: check.number,
        state: check.state,
        fields: check.details.differs.len(),
        since: check.at.rfc3339(),
        at: check.at,
        service: check.details.service,
        source: check.details.source,
    }
}

/// A place as the list's links carry it.
fn text_of(check: &Check) -> String {
    format!("{}.{}.{}", check.at.ms(), check.number, check.code)
}

/// A place that a link carried.
fn place_of(text: &str) -> Result<Option<Place>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (at, rest) = text.split_once('.')?;
        let (number, code) = rest.split_once('.')?;
        Some((Time(at.parse().ok()?), code.parse().ok()?, number.parse().ok()?))
    };
    read().map(Some).ok_or_else(Problem::not_found)
}

impl View<'_> {
    fn source<'i>(&self, item: &'i CheckItem) -> &'i str {
        say(&item.source, self.page.lang)
    }

    fn since(&self, item: &CheckItem) -> String {
        self.page.time(item.at)
    }

    fn state(&self, item: &CheckItem) -> String {
        self.page.t(&format!("desk-check-{}", item.state.as_str()))
    }
}
