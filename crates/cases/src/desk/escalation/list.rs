//! `/desk/escalations`: the late cases that an official was told of, by their unit and roles: what something is owed
//! about first. Shows codes, procedures and dates and no person: what the case says is read on its own page, and that
//! leaves a fact.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::auth::DESK_ROLES;
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::store::{self as list_rows, Place, Told, Which};
use crate::citizen::render;
use crate::desk::worklist::{Urgency, mark};
use crate::procedure::Text;
use crate::shown::{UnitLink, say};
use crate::state::Cases;

/// Lines counted in a part; what is above is `1000+`.
const COUNTED_MAX: usize = 1_000;

/// The parts, as addresses name them, and their words.
const PARTS: [(&str, &str, Which); 3] = [
    ("", "desk-escalations-open", Which::Open),
    ("late", "desk-escalations-late", Which::Late),
    ("ended", "desk-escalations-ended", Which::Ended),
];

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Empty for what something is owed about; `late`, or `ended`.
    #[serde(default)]
    state: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// A late case of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EscalationItem {
    /// The case.
    code: String,
    /// Which step of the rule it is, from 1.
    step: u32,
    /// The procedure of the case.
    procedure: String,
    /// The unit that has the case.
    unit: String,
    /// The date that was missed, RFC 3339.
    missed: String,
    /// When it was told, RFC 3339.
    told_at: String,
    /// By when the case is to be decided, or an apology sent, RFC 3339.
    owed_by: String,
    /// How urgent that is; nothing once it has ended.
    urgency: Urgency,
    /// How it ended: `decided`, `apologised`, `ended`, `moved`.
    why: Option<String>,
    #[serde(skip)]
    name: Option<Text>,
    #[serde(skip)]
    at: UnitLink,
    #[serde(skip)]
    missed_at: Time,
    #[serde(skip)]
    owed_at: Time,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Escalations {
    /// The late cases.
    items: Vec<EscalationItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
    /// Lines about which something is owed; 1,001 stands for more than a thousand.
    open: u64,
    /// Those of them whose own time is over, counted so too.
    late: u64,
}

#[derive(Template)]
#[template(path = "desk_escalations.html")]
struct View<'a> {
    page: &'a Page,
    unit: UnitLink,
    list: &'a Escalations,
    tabs: Vec<(String, String, bool)>,
    first: bool,
    here: String,
    next: Option<String>,
}

/// The late cases that the official was told of, as a page.
#[utoipa::path(get, path = "/desk/escalations", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what something is owed about; late; ended"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the late cases that the official was told of, the most urgent first", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let list = cases.told_of(&who, &from).await?;
    let tab = |(state, key, which): &(&str, &str, Which)| {
        let count = match which {
            Which::Open => format!(" ({})", counted(list.open)),
            Which::Late => format!(" ({})", counted(list.late)),
            Which::Ended => String::new(),
        };
        let label = format!("{}{count}", page.t(key));
        (address(state), label, *state == from.state)
    };
    let next = list.next.as_ref();
    let body = render(&View {
        page: &page,
        unit: UnitLink::new(&cases, &who.unit, cases.today()),
        tabs: PARTS.iter().map(tab).collect(),
        first: from.after.is_empty(),
        here: address(&from.state),
        next: next.map(|next| {
            format!(
                "/desk/escalations?state={}&after={}",
                query_value(&from.state),
                query_value(next)
            )
        }),
        list: &list,
    })?;
    Ok(page.html(&page.t("desk-escalations-title"), body))
}

/// The late cases that the official was told of.
#[utoipa::path(get, path = "/api/v1/desk/escalations", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what something is owed about; late; ended"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the late cases that the official was told of, the most urgent first", body = Escalations), (status = 403), (status = 404)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Escalations>, Refusal> {
    Ok(Json(cases.told_of(&who, &from).await?))
}

fn address(state: &str) -> String {
    match state {
        "" => "/desk/escalations".to_owned(),
        state => format!("/desk/escalations?state={state}"),
    }
}

/// A count, as pages write it.
fn counted(count: u64) -> String {
    let most = u64::try_from(COUNTED_MAX).unwrap_or(u64::MAX);
    match count > most {
        true => format!("{most}+"),
        false => count.to_string(),
    }
}

impl Cases {
    async fn told_of(&self, who: &Principal, from: &From) -> Result<Escalations, Problem> {
        self.official(who)?;
        let part = PARTS.iter().find(|(state, ..)| *state == from.state);
        let (_, _, which) = part.ok_or_else(Problem::not_found)?;
        let after = place_of(&from.after)?;
        let (limit, now) = (self.store.limits().page_rows_max, self.store.world().now());
        let reader = self.store.read(&self.tenant).await?;
        let (open, late) = self.escalation_counts(&reader, who, now).await?;
        let mut found = Vec::new();
        for role in roles(who) {
            let of = (&who.unit, role);
            let place = (after.as_ref(), now);
            found.extend(list_rows::told(&reader, of, *which, place, limit + 1).await?);
        }
        // Whoever has several roles was told of each by itself: what comes first of all of them is the page.
        found.sort_by_key(|told| place_of_line(*which, told));
        if *which == Which::Ended {
            found.reverse();
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|told| text_of(&place_of_line(*which, told)));
        let items = found.into_iter().map(|told| self.escalation_item(told, now));
        Ok(Escalations {
            items: items.collect(),
            next,
            open,
            late,
        })
    }

    /// How much an official was told of that is open, and how much of that is late itself; one more than a thousand
    /// for more.
    pub(crate) async fn escalation_counts(
        &self,
        reader: &::store::Reader,
        who: &Principal,
        now: Time,
    ) -> Result<(u64, u64), Problem> {
        let (mut open, mut late) = (0, 0);
        let most = (now, COUNTED_MAX + 1);
        for role in roles(who) {
            let of = (&who.unit, role);
            open += list_rows::count(reader, of, Which::Open, most).await?;
            late += list_rows::count(reader, of, Which::Late, most).await?;
        }
        Ok((open, late))
    }

    fn escalation_item(&self, told: Told, now: Time) -> EscalationItem {
        let case = &told.held.case;
        let procedure = self.procedure_of(case).ok();
        EscalationItem {
            code: case.code.to_string(),
            step: told.step,
            procedure: case.procedure.to_string(),
            unit: case.unit.to_string(),
            missed: told.missed.rfc3339(),
            told_at: told.at.rfc3339(),
            owed_by: told.owed.rfc3339(),
            urgency: match told.ended {
                None => self.urgency(&case.unit, told.owed, now),
                Some(_) => Urgency::None,
            },
            name: procedure.map(|procedure| procedure.name.clone()),
            at: UnitLink::new(self, &case.unit, told.held.day(now)),
            missed_at: told.missed,
            owed_at: told.owed,
            why: told.ended.map(|(_, why)| why),
        }
    }
}

/// The roles of an official by which they may have been told.
fn roles(who: &Principal) -> impl Iterator<Item = &'static str> {
    DESK_ROLES.into_iter().filter(|role| who.has(role))
}

fn place_of_line(which: Which, told: &Told) -> Place {
    let ended = told.ended.as_ref().map(|(at, _)| *at);
    let at = match which {
        Which::Ended => ended.unwrap_or(told.owed),
        Which::Open | Which::Late => told.owed,
    };
    (at, told.held.case.code.clone(), told.step)
}

/// A place as the list's links carry it.
fn text_of((at, code, step): &Place) -> String {
    format!("{}.{step}.{code}", at.ms())
}

/// A place that a link carried.
fn place_of(text: &str) -> Result<Option<Place>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (at, rest) = text.split_once('.')?;
        let (step, code) = rest.split_once('.')?;
        Some((Time(at.parse().ok()?), code.parse().ok()?, step.parse().ok()?))
    };
    read().map(Some).ok_or_else(Problem::not_found)
}

impl View<'_> {
    fn said<'t>(&self, text: &'t Option<Text>, or: &'t str) -> &'t str {
        text.as_ref().map_or(or, |text| say(text, self.page.lang))
    }

    fn owed(&self, item: &EscalationItem) -> String {
        self.page.time(item.owed_at)
    }

    fn missed(&self, item: &EscalationItem) -> String {
        self.page.time(item.missed_at)
    }

    /// How it ended, in words.
    fn why(&self, item: &EscalationItem) -> Option<String> {
        let why = item.why.as_ref()?;
        Some(self.page.t(&format!("desk-escalation-{why}")))
    }

    fn mark(&self, item: &EscalationItem) -> Option<(&'static str, String)> {
        mark(self.page, item.urgency)
    }
}
