//! `/desk/consults`: what is asked of the official's own unit, what is due first in front, and for who leads it what
//! is late. Shows codes, topics and dates and no person: what the case says is read on the question's own page, and
//! that leaves a fact.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::LEADERS;
use super::store::{self as list_rows, Place, Which};
use crate::citizen::render;
use crate::desk::worklist::{Urgency, mark};
use crate::procedure::Text;
use crate::shown::{UnitLink, say};
use crate::state::Cases;
use crate::store::Held;

/// Questions counted in a part; what is above is `1000+`.
const COUNTED_MAX: usize = 1_000;

/// The parts, as addresses name them, and their words.
const PARTS: [(&str, &str, Which); 3] = [
    ("", "desk-consults-open", Which::Open),
    ("late", "desk-consults-late", Which::Late),
    ("ended", "desk-consults-ended", Which::Ended),
];

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Empty for what waits for an answer; `late`, or `ended`.
    #[serde(default)]
    state: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// A question of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultItem {
    /// The case.
    code: String,
    /// The question's number within the case.
    number: u32,
    /// The procedure of the case.
    procedure: String,
    /// About what.
    topic: String,
    /// The unit that asks.
    by: String,
    /// When it was asked, RFC 3339.
    at: String,
    /// By when an answer is in time, RFC 3339.
    due: String,
    /// How urgent it is; nothing once it is answered or ended.
    urgency: Urgency,
    #[serde(skip)]
    name: Option<Text>,
    #[serde(skip)]
    topic_name: Option<Text>,
    #[serde(skip)]
    asks: UnitLink,
    #[serde(skip)]
    due_at: Time,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultList {
    /// The questions.
    items: Vec<ConsultItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
    /// Questions that wait for an answer; 1,001 stands for more than a thousand.
    open: u64,
    /// Those of them that are late, counted so too.
    late: u64,
}

#[derive(Template)]
#[template(path = "desk_consult_list.html")]
struct View<'a> {
    page: &'a Page,
    unit: UnitLink,
    list: &'a ConsultList,
    tabs: Vec<(String, String, bool)>,
    /// What is said to who leads the unit, when something is late.
    told: Option<String>,
    first: bool,
    here: String,
    next: Option<String>,
}

/// What is asked of the own unit, as a page.
#[utoipa::path(get, path = "/desk/consults", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what waits for an answer; late; ended"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what is asked of the own unit, what is due first in front", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let list = cases.asked_of_unit(&who, &from).await?;
    let tab = |(state, key, which): &(&str, &str, Which)| {
        let count = match which {
            Which::Open => format!(" ({})", counted(list.open)),
            Which::Late => format!(" ({})", counted(list.late)),
            Which::Ended => String::new(),
        };
        let label = format!("{}{count}", page.t(key));
        (address(state), label, *state == from.state)
    };
    let leads = LEADERS.iter().any(|role| who.has(role));
    let next = list.next.as_ref();
    let body = render(&View {
        page: &page,
        unit: UnitLink::new(&cases, &who.unit, cases.today()),
        tabs: PARTS.iter().map(tab).collect(),
        told: (leads && list.late > 0)
            .then(|| page.tw("desk-consults-told", &[("count", counted(list.late))])),
        first: from.after.is_empty(),
        here: address(&from.state),
        next: next.map(|next| {
            format!(
                "/desk/consults?state={}&after={}",
                query_value(&from.state),
                query_value(next)
            )
        }),
        list: &list,
    })?;
    Ok(page.html(&page.t("desk-consults-asked"), body))
}

/// What is asked of the own unit.
#[utoipa::path(get, path = "/api/v1/desk/consults", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "empty: what waits for an answer; late; ended"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "what is asked of the own unit, what is due first in front", body = ConsultList), (status = 403), (status = 404)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<ConsultList>, Refusal> {
    Ok(Json(cases.asked_of_unit(&who, &from).await?))
}

fn address(state: &str) -> String {
    match state {
        "" => "/desk/consults".to_owned(),
        state => format!("/desk/consults?state={state}"),
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
    async fn asked_of_unit(&self, who: &Principal, from: &From) -> Result<ConsultList, Problem> {
        self.official(who)?;
        let part = PARTS.iter().find(|(state, ..)| *state == from.state);
        let (_, _, which) = part.ok_or_else(Problem::not_found)?;
        let after = place_of(&from.after)?;
        let (limit, now) = (self.store.limits().page_rows_max, self.store.world().now());
        let reader = self.store.read(&self.tenant).await?;
        let (open, late) = self.consult_counts(&reader, who, now).await?;
        let place = (after.as_ref(), now);
        let mut found = list_rows::of_unit(&reader, &who.unit, *which, place, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.and_then(|(number, held)| text_of(*which, *number, held));
        let items = found.into_iter();
        Ok(ConsultList {
            items: items
                .filter_map(|(number, held)| self.consult_item(number, &held, now))
                .collect(),
            next,
            open,
            late,
        })
    }

    /// How much is asked of an official's unit, and how much of that is late; one more than a thousand for more.
    pub(crate) async fn consult_counts(
        &self,
        reader: &::store::Reader,
        who: &Principal,
        now: Time,
    ) -> Result<(u64, u64), Problem> {
        let most = (now, COUNTED_MAX + 1);
        let open = list_rows::count(reader, &who.unit, Which::Open, most).await?;
        let late = list_rows::count(reader, &who.unit, Which::Late, most).await?;
        Ok((open, late))
    }

    fn consult_item(&self, number: u32, held: &Held, now: Time) -> Option<ConsultItem> {
        let case = &held.case;
        let one = case.consult(number)?;
        let procedure = self.procedure_of(case).ok();
        let rule = procedure.as_ref().and_then(|p| p.consult.as_ref());
        Some(ConsultItem {
            code: case.code.to_string(),
            number,
            procedure: case.procedure.to_string(),
            topic: one.topic.clone(),
            by: case.unit.to_string(),
            at: one.at.rfc3339(),
            due: one.due.rfc3339(),
            urgency: match one.is_open() {
                true => self.urgency(&one.unit, one.due, now),
                false => Urgency::None,
            },
            name: procedure.as_ref().map(|p| p.name.clone()),
            topic_name: rule
                .and_then(|rule| rule.topic(&one.topic))
                .map(|t| t.name.clone()),
            asks: UnitLink::new(self, &case.unit, held.day(now)),
            due_at: one.due,
        })
    }
}

/// A place as the list's links carry it.
fn text_of(which: Which, number: u32, held: &Held) -> Option<String> {
    let one = held.case.consult(number)?;
    let answered = one.answer.as_ref().map(|answer| answer.at);
    let ended = answered.or(one.ended.as_ref().map(|ended| ended.at));
    let at = match which {
        Which::Ended => ended?,
        Which::Open | Which::Late => one.due,
    };
    Some(format!("{}.{number}.{}", at.ms(), held.case.code))
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
    fn said<'t>(&self, text: &'t Option<Text>, or: &'t str) -> &'t str {
        text.as_ref().map_or(or, |text| say(text, self.page.lang))
    }

    fn due(&self, item: &ConsultItem) -> String {
        self.page.time(item.due_at)
    }

    fn mark(&self, item: &ConsultItem) -> Option<(&'static str, String)> {
        mark(self.page, item.urgency)
    }
}
