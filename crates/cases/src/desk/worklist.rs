//! The desk's worklist: what waits, the most urgent first, a page at a time. Shows codes and dates
//! and no person: who a case is about is seen on its page, and that leaves a fact.

pub mod filters;
mod steps;
mod tabs;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use kernel::{CaseCode, OrgCode, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::desk::apologise::is_needed;
use crate::desk::store::{self as list_rows, Place, Which};
use crate::desk::worklist::tabs::Counted;
use crate::desk::{assign, batch, find, view};
use crate::procedure::{APPLICANT, Clock, Text, Verb};
use crate::shown::{UnitLink, say};
use crate::state::Cases;
use crate::store::Held;

/// Working minutes before the due instant from which on a case is marked as due soon.
const SOON_MINUTES: i64 = 4 * 60;

/// The part of the list with the cases that need a letter of apology.
const NEEDS_LETTER: &str = "apology";
/// Times that so many rows as a page has are looked at for one page of it, count.
const LETTER_LOOKS: usize = 20;

/// Parts of the list that are no state: what a supervisor looks at first.
const PARTS: [(&str, &str); 4] = [
    ("overdue", "desk-overdue"),
    ("soon", "desk-soon"),
    ("paused", "desk-paused"),
    ("rated-low", "desk-rated-low"),
];

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Empty for what is open, `all`, or a state.
    #[serde(default)]
    state: String,
    /// A code or a name to search for, instead of a part of the list.
    #[serde(default)]
    q: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// How urgent a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Urgency {
    /// Nothing is owed, or there is time.
    None,
    /// At most half a working day is left.
    Soon,
    /// The due instant has passed.
    Overdue,
}

/// A case of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorklistItem {
    /// Its code.
    #[schema(value_type = String)]
    code: CaseCode,
    /// Its procedure.
    #[schema(value_type = String)]
    procedure: ProcedureCode,
    /// The unit that decides it.
    #[schema(value_type = String)]
    unit: OrgCode,
    /// Its state.
    state: String,
    /// Its national status.
    status: u8,
    /// When it was filed, RFC 3339.
    #[schema(value_type = String)]
    #[serde(serialize_with = "rfc3339")]
    filed_at: Time,
    /// By when its result is owed, RFC 3339.
    #[schema(value_type = Option<String>)]
    #[serde(serialize_with = "opt_rfc3339")]
    due_at: Option<Time>,
    /// Until when its step should have been done, RFC 3339; only in what is listed because of that.
    #[schema(value_type = Option<String>)]
    #[serde(serialize_with = "opt_rfc3339", skip_serializing_if = "Option::is_none")]
    step_due_at: Option<Time>,
    /// How urgent it is.
    urgency: Urgency,
    /// The role it waits for; empty when nobody has to do anything.
    waits_for: String,
    /// Who filed it; only in what a search by name found, which leaves a trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    applicant: Option<String>,
    #[serde(skip)]
    name: Option<Text>,
    #[serde(skip)]
    label: Option<Text>,
    /// The unit, where it is another than the reader's own.
    #[serde(skip)]
    at: Option<UnitLink>,
    /// How it is chosen together with others; none for what has ended.
    #[serde(skip)]
    pick: Option<String>,
    /// It waits for a signature.
    #[serde(skip)]
    to_sign: bool,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List {
    /// The cases.
    items: Vec<WorklistItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
    /// How much is in the parts that are looked at most; of one's own cases alone for who sees a whole province,
    /// whose boards have the figures; none beside a search.
    counts: Vec<Counted>,
}

#[derive(Template)]
#[template(path = "desk_list.html")]
struct View<'a> {
    page: &'a Page,
    list: &'a List,
    /// Code, label, true for the one shown.
    states: Vec<(String, String, bool)>,
    tabs: Vec<tabs::Tab>,
    /// What the reader chooses again and again.
    kept: Vec<filters::KeptFilter>,
    /// Where this choice is kept.
    keep: String,
    unit: UnitLink,
    /// True for who takes cases in at this desk.
    takes_in: bool,
    /// True where the reader signs what is on this page.
    signs: bool,
    q: &'a str,
    next: Option<String>,
    first: bool,
    now: String,
}

/// The worklist as a page.
#[utoipa::path(get, path = "/desk", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("q" = Option<String>, Query, description = "a case's code, or the applicant's name with or without marks; one word is a given name"),
           ("state" = Option<String>, Query, description = "empty: open cases; mine; all; overdue; soon; paused; rated-low; step-late: those whose step is late; apology: those that need a letter; or a state"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the cases of the own unit, the most urgent first", content_type = "text/html"), (status = 303, description = "to the case whose code was searched for"), (status = 403)),
    extensions(("x-facts" = json!(["cases-searched"]))))]
pub(crate) async fn list(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Response, Refusal> {
    let list = cases.worklist(&who, &from).await?;
    if let (Some(_), [only]) = (find::code_of(&from.q), list.items.as_slice()) {
        return Ok(view::back(&only.code));
    }
    let next = list.next.as_ref();
    let view = View {
        page: &page,
        list: &list,
        tabs: tabs::tabs(&page, &list.counts, &from.state),
        states: cases.parts(&page, &from.state),
        kept: cases.kept_filters(&who).await?,
        keep: format!("/desk/filters?state={}", query_value(&from.state)),
        unit: UnitLink::new(&cases, &who.unit, cases.today()),
        takes_in: crate::desk::intake::takes_in(&cases, &who),
        signs: batch::sign::SIGNERS.iter().any(|role| who.has(role))
            && list.items.iter().any(|item| item.to_sign),
        q: from.q.trim(),
        next: next.map(|n| {
            format!(
                "/desk?state={}&after={}",
                query_value(&from.state),
                query_value(n)
            )
        }),
        first: from.after.is_empty(),
        now: page.time(cases.store.world().now()),
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("desk-list-title"), body).into_response())
}

/// The worklist.
#[utoipa::path(get, path = "/api/v1/desk/cases", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("q" = Option<String>, Query, description = "a case's code, or the applicant's name with or without marks; one word is a given name"),
           ("state" = Option<String>, Query, description = "empty: open cases; mine; all; overdue; soon; paused; rated-low; step-late: those whose step is late; apology: those that need a letter; or a state"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the cases of the own unit, the most urgent first", body = List), (status = 403)),
    extensions(("x-facts" = json!(["cases-searched"]))))]
pub(crate) async fn list_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<List>, Refusal> {
    Ok(Json(cases.worklist(&who, &from).await?))
}

impl Cases {
    /// The parts of the list: as addresses name them, in words, and whether it is the one shown.
    fn parts(&self, page: &Page, here: &str) -> Vec<(String, String, bool)> {
        let line = |part: &str, key: &str| (part.to_owned(), page.t(key), part == here);
        let mut parts = vec![
            line("", "desk-open"),
            line("all", "desk-all"),
            line(NEEDS_LETTER, "desk-apology-needed"),
            line(tabs::MINE, "desk-mine"),
            line(steps::STEP_LATE, "desk-step-late"),
        ];
        parts.extend(PARTS.iter().map(|(part, key)| line(part, key)));
        let labels = self.states().into_iter();
        let mut labels: Vec<_> = labels
            .map(|(code, label)| (code, say(&label, page.lang).to_owned()))
            .collect();
        labels.sort_by_cached_key(|(_, label)| directory::collate::key(label));
        parts.extend(labels.into_iter().map(|(code, label)| {
            let shown = code == here;
            (code, label, shown)
        }));
        parts
    }

    async fn worklist(&self, who: &Principal, from: &From) -> Result<List, Problem> {
        self.official(who)?;
        if !from.q.trim().is_empty() {
            return Ok(List {
                items: self.search(who, &from.q).await?,
                next: None,
                counts: Vec::new(),
            });
        }
        let after = place_of(&from.after)?;
        let (limit, now) = (self.store.limits().page_rows_max, self.store.world().now());
        let reader = self.store.read(&self.tenant).await?;
        if from.state == NEEDS_LETTER {
            return self.needing_letters(&reader, &who.unit, (after, now)).await;
        }
        if from.state == steps::STEP_LATE {
            let units = self.units_of(&who.unit).unwrap_or_default();
            let counts = self.counts(&reader, who, &units, now).await?;
            let list = self.steps_late(&reader, &who.unit, (after, now)).await?;
            return Ok(List { counts, ..list });
        }
        let which = Which::of(&from.state, self.ahead(&who.unit, now, SOON_MINUTES));
        let (units, place) = (self.units_of(&who.unit), (after.as_ref(), now));
        let by_unit = units.as_deref().filter(|_| tabs::waits(&which));
        let mut held = match by_unit {
            _ if from.state == tabs::MINE => {
                list_rows::assigned::list(&reader, &who.account, after.as_ref(), limit + 1).await?
            }
            Some(units) => list_rows::of_units(&reader, units, &which, place, limit + 1).await?,
            None => list_rows::list(&reader, &who.unit, &which, place, limit + 1).await?,
        };
        let counts = self
            .counts(&reader, who, units.as_deref().unwrap_or_default(), now)
            .await?;
        let more = held.len() > limit;
        held.truncate(limit);
        let next = held
            .last()
            .filter(|_| more)
            .map(|last| text_of(&list_rows::place(last)));
        let items = held.into_iter().map(|held| self.item(held, &who.unit, now));
        Ok(List {
            items: items.collect(),
            next,
            counts,
        })
    }

    /// What a search shows. By name also whose case it is, and the search has left a fact; who knows a
    /// case's code is shown no person for it.
    async fn search(&self, who: &Principal, typed: &str) -> Result<Vec<WorklistItem>, Problem> {
        let (found, now) = (self.find(who, typed).await?, self.store.world().now());
        let by_name = find::code_of(typed).is_none();
        let item = |held: Held| {
            let applicant = by_name.then(|| held.case.applicant.name.clone());
            let item = self.item(held, &who.unit, now);
            WorklistItem { applicant, ..item }
        };
        Ok(found.into_iter().map(item).collect())
    }

    /// The instant so much working time ahead of another, in a unit's calendar.
    fn ahead(&self, unit: &OrgCode, from: Time, minutes: i64) -> Time {
        self.calendars.of(unit).count(from, minutes).end
    }

    /// The cases whose date is near and that nobody has apologised for. A page may be short and yet have a next
    /// one, because a list that hides a case hides a date that is missed without a word; looks at no case
    /// whose date is further off than any letter is due.
    async fn needing_letters(
        &self,
        reader: &::store::Reader,
        unit: &OrgCode,
        (mut after, now): (Option<Place>, Time),
    ) -> Result<List, Problem> {
        let rules = self.all_versions().into_iter().filter_map(|p| p.apology);
        let days = rules.map(|rule| rule.ahead_days).max().unwrap_or(0) + 1;
        let near = Which::Soon(self.calendars.of(unit).days_after(now, days).end);
        let limit = self.store.limits().page_rows_max;
        let (mut items, mut whole) = (Vec::new(), false);
        for _ in 0..LETTER_LOOKS {
            let page = list_rows::list(reader, unit, &near, (after.as_ref(), now), limit).await?;
            whole = page.len() < limit;
            after = page.last().map(list_rows::place);
            for held in page {
                let calendar = self.calendars.of(&held.case.unit);
                let procedure = self.procedure_of(&held.case)?;
                if is_needed(&held.case, &procedure, &calendar, now) {
                    items.push(self.item(held, unit, now));
                }
            }
            if whole || items.len() >= limit {
                break;
            }
        }
        Ok(List {
            items,
            next: after.filter(|_| !whole).map(|place| text_of(&place)),
            counts: Vec::new(),
        })
    }

    /// A case as the list shows it to somebody of a unit.
    fn item(&self, held: Held, own: &OrgCode, now: Time) -> WorklistItem {
        let procedure = self.procedure_of(&held.case).ok();
        let state = procedure.as_ref().and_then(|p| p.states.get(&held.case.state));
        // What lies with the applicant is not the agency's to hurry.
        let running = state.is_some_and(|s| s.clock == Clock::Run && s.role != APPLICANT);
        let urgency = match held.due_at.filter(|_| running) {
            Some(due) => self.urgency(&held.case.unit, due, now),
            None => Urgency::None,
        };
        let day = held.day(now);
        let elsewhere = held.case.unit != *own;
        WorklistItem {
            urgency,
            applicant: None,
            at: elsewhere.then(|| UnitLink::new(self, &held.case.unit, day)),
            pick: (!assign::ENDED.contains(&held.status))
                .then(|| batch::pick(&held.case.code, held.case.revision)),
            to_sign: procedure
                .as_ref()
                .is_some_and(|p| p.verb_from(Verb::Sign, &held.case.state).is_some()),
            waits_for: state.map(|s| s.role.clone()).unwrap_or_default(),
            label: state.map(|s| s.label.clone()),
            name: procedure.as_ref().map(|p| p.name.clone()),
            status: held.status,
            due_at: held.due_at,
            step_due_at: None,
            filed_at: held.case.filed_at,
            code: held.case.code,
            procedure: held.case.procedure,
            unit: held.case.unit,
            state: held.case.state,
        }
    }

    /// How urgent what is owed by `due` is to a unit now.
    pub(crate) fn urgency(&self, unit: &OrgCode, due: Time, now: Time) -> Urgency {
        if now > due {
            return Urgency::Overdue;
        }
        let left = self.calendars.of(unit).between(now, due);
        if left <= SOON_MINUTES {
            Urgency::Soon
        } else {
            Urgency::None
        }
    }

    /// Every state of every procedure, with its label.
    fn states(&self) -> BTreeMap<String, Text> {
        let versions = self.all_versions();
        let states = versions.iter().flat_map(|p| &p.states);
        states.map(|(code, s)| (code.clone(), s.label.clone())).collect()
    }
}

fn rfc3339<S: Serializer>(time: &Time, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&time.rfc3339())
}

fn opt_rfc3339<S: Serializer>(time: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
    time.map(Time::rfc3339).serialize(s)
}

/// A place as the list's links carry it.
pub(crate) fn text_of((at, code): &Place) -> String {
    format!("{}.{code}", at.ms())
}

/// A place that a link carried.
pub(crate) fn place_of(text: &str) -> Result<Option<Place>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let parts = text.split_once('.');
    let place = parts.and_then(|(at, code)| Some((Time(at.parse().ok()?), code.parse().ok()?)));
    place.map(Some).ok_or_else(Problem::not_found)
}

impl View<'_> {
    fn said<'t>(&self, text: &'t Option<Text>, or: &'t str) -> &'t str {
        text.as_ref().map_or(or, |text| say(text, self.page.lang))
    }

    /// Until when its step should have been done, in words; empty where that is not what the list is about.
    fn step_due(&self, item: &WorklistItem) -> String {
        let due = item.step_due_at.map(|due| self.page.time(due));
        due.map(|time| self.page.tw("desk-step-was-due", &[("time", time)]))
            .unwrap_or_default()
    }

    fn due(&self, item: &WorklistItem) -> String {
        item.due_at.map(|due| self.page.time(due)).unwrap_or_default()
    }

    /// Whom it waits for, in words.
    fn waits_for(&self, item: &WorklistItem) -> String {
        match item.waits_for.as_str() {
            "" => String::new(),
            role => {
                let who = self.page.t(&format!("desk-role-{role}"));
                self.page.tw("desk-waits", &[("who", who)])
            }
        }
    }

    /// Tag class and text, when there is something to say.
    fn mark(&self, item: &WorklistItem) -> Option<(&'static str, String)> {
        mark(self.page, item.urgency)
    }
}

/// Tag class and text of an urgency.
pub(crate) fn mark(page: &Page, urgency: Urgency) -> Option<(&'static str, String)> {
    match urgency {
        Urgency::None => None,
        Urgency::Soon => Some(("tag-wait", page.t("desk-soon"))),
        Urgency::Overdue => Some(("tag-bad", page.t("desk-overdue"))),
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, UNIT, handover};

    #[tokio::test]
    async fn the_worklist_pages_by_urgency_and_marks_what_is_late() {
        let limits = Limits {
            page_rows_max: 2,
            ..Limits::default()
        };
        let desk = Desk::with(crate::desk::testing::pack_templates(), limits).await;
        let empty = desk.get("tich", "/desk").await;
        assert!(empty.status == 200 && empty.body.contains("Không có hồ sơ nào"));
        for number in 1..=5 {
            let mut body = handover();
            body["code"] = json!(format!("G22-261121-{number:04}"));
            desk.receive(&body).await.expect("received");
        }
        desk.accept().await;
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let list = desk
                .get("tich", &format!("/api/v1/desk/cases?after={after}"))
                .await
                .json();
            let items = list["items"].as_array().expect("items").clone();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|i| i["code"].as_str().expect("text").to_owned()));
            match list["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        let order: Vec<String> = ["0002", "0003", "0004", "0005", "0001"]
            .iter()
            .map(|n| format!("G22-261121-{n}"))
            .collect();
        assert_eq!(
            seen, order,
            "what waits to be accepted was filed before the other is due"
        );
        let only = desk.get("tich", "/api/v1/desk/cases?state=accepted").await.json();
        assert_eq!(
            (&only["items"][0]["code"], &only["items"][0]["urgency"]),
            (&json!(CASE), &json!("none"))
        );
        desk.temp.clock.advance_ms(5 * 3_600_000);
        let soon = desk.get("tich", "/desk?state=accepted").await;
        assert!(
            soon.body.contains("Sắp đến hạn") && !soon.body.contains("Lê Thị Lan"),
            "no person in the list"
        );
        desk.temp.clock.advance_ms(5 * 3_600_000);
        assert!(
            desk.get("tich", "/desk?state=accepted")
                .await
                .body
                .contains("Quá hạn")
        );
        let late = desk.get("tich", "/api/v1/desk/cases?state=overdue").await.json();
        assert_eq!(
            (&late["items"][0]["code"], late["items"].as_array().map(Vec::len)),
            (&json!(CASE), Some(1))
        );
        let counts = |part: &str| {
            let counts = late["counts"].as_array().expect("counts");
            let own = counts.iter().find(|c| c["state"] == part).expect("the part");
            (own["cases"].as_u64().expect("a count"), own["more"] == true)
        };
        assert_eq!(
            (counts(""), counts("overdue"), counts("soon"), counts("paused")),
            ((5, false), (1, false), (0, false), (0, false))
        );
        let tabs = desk.get("tich", "/desk?state=overdue").await.body;
        assert!(
            tabs.contains("href=\"/desk?state=overdue\" aria-current=\"page\""),
            "{tabs}"
        );
        let other = desk.get("ban", "/api/v1/desk/cases").await.json();
        assert_eq!(other["items"], json!([]), "another unit's");
        assert_eq!(
            desk.get("tinh", "/api/v1/desk/cases").await.json()["items"]
                .as_array()
                .map(Vec::len),
            Some(2)
        );
        let link = |unit: &str| format!("/units/{unit}?on=2026-11-23");
        let own = desk.get("tich", "/desk").await.body;
        assert_eq!(
            own.matches(link(UNIT).as_str()).count(),
            1,
            "the reader's own unit, once"
        );
        let province = desk.get("tinh", "/desk").await.body;
        assert!(
            province.contains(&link("H56")) && province.contains(&link(UNIT)),
            "each case's unit"
        );
        assert_eq!(desk.get("xa", "/desk").await.status, 404);
        assert_eq!(desk.get("tich", "/desk?after=nonsense").await.status, 404);
    }
}
