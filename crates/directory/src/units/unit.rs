//! `GET /units/{code}`: a unit as of a day, in force from when to when and by which act, what it was
//! made of, what lies in it, and where it went. Never asks anybody to sign in.

use askama::Template;
use kernel::{AreaCode, Date, Kind, Problem};
use serde::Deserialize;
use web::axum::extract::{Path, Query, State};
use web::axum::response::{IntoResponse, Response};
use web::{Page, Refusal};

use super::{Link, Named, Pages, asked_day, href, today};
use crate::DirectoryState;
use crate::areas::{Area, Areas, Level, Successor};
use crate::organisations::Organisation;
use crate::succession::Trace;

/// As of which day, and which page of the units below.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UnitQuery {
    on: Option<String>,
    page: Option<usize>,
}

#[derive(Template)]
#[template(path = "unit.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    on_error: String,
    on_text: String,
    code: String,
    title: String,
    kind: String,
    organisation: String,
    /// Said when the unit is not there on the day.
    absent: String,
    valid: String,
    acts: Vec<String>,
    parent: Option<Link>,
    /// Where it went, in sentences.
    whereto: Vec<String>,
    predecessors: Vec<Link>,
    successors: Vec<Link>,
    forms: Vec<Link>,
    below_title: String,
    below: Vec<Link>,
    pages: Option<Pages>,
    /// The list of what became of the communes, and its drawing, when there is something to tell.
    succession: Option<String>,
    /// An administrative unit, of which the other pages know something.
    area: bool,
}

/// A unit's page.
#[utoipa::path(
    get, path = "/units/{code}", tag = "directory", security(()),
    params(
        ("code" = String, Path, description = "Code of a unit, 14857, or of an organisation, H56.14857"),
        ("on" = Option<String>, Query, description = "A day, 2025-07-01; today when left out"),
        ("page" = Option<usize>, Query, description = "Page of the units below, from 1"),
    ),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 404, description = "No list has the code"), (status = 422, description = "No day"),
    )
)]
pub(crate) async fn show(
    State(state): State<DirectoryState>,
    page: Page,
    Path(code): Path<String>,
    Query(query): Query<UnitQuery>,
) -> Result<Response, Refusal> {
    let now = today(&state);
    let (on, problems) = match asked_day(query.on.as_deref(), "on", now) {
        Ok(on) => (on, Vec::new()),
        Err(problem) => (now, vec![problem]),
    };
    let named =
        Named::read(&state, &code, on).ok_or_else(|| super::unknown(&state.areas, &code, Kind::NotFound))?;
    let mut view = match &named {
        Named::Area(area) => of_area(&state, &page, area, on, now, &query),
        Named::Organisation(organisation) => {
            let forms = state.organisations.forms_of(organisation);
            of_organisation(&state, &page, forms, on)
        }
    };
    view.errors = page.errors(&problems);
    view.on_error = page.field_error(&problems, "on");
    if !problems.is_empty() {
        view.on_text = query.on.unwrap_or_default();
    }
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &view.title, body).into_response())
}

fn of_area<'a>(
    state: &DirectoryState,
    page: &'a Page,
    code: &AreaCode,
    on: Date,
    now: Date,
    query: &UnitQuery,
) -> View<'a> {
    let areas = &*state.areas;
    let forms = areas.forms_of(code);
    // On a day without it, the form before that day, else the first.
    let before = forms.iter().rfind(|form| form.valid_from <= on);
    let Some(area) = before.or_else(|| forms.first()) else {
        return View::empty(page);
    };
    let there = area.holds_on(on);
    let day = if there {
        on
    } else {
        area.valid_to.unwrap_or(area.valid_from).max(area.valid_from)
    };
    let trace = areas.trace(code, day, now.max(day));
    let eve = |s: &Successor| s.from.previous_day().unwrap_or(s.from);
    let iso = kernel::time::iso;
    let size = state.directory.store().limits().page_rows_max;
    let mut children = match area.level() {
        Level::Commune => Vec::new(),
        Level::District | Level::Province => areas.children(Some(code), day),
    };
    children.sort_by_cached_key(|a| crate::collate::key(a.name()));
    let count = children.len().to_string();
    let to = |n| format!("/units/{code}?on={}&page={n}", iso(on));
    let (children, pages) = super::cut(page, children, query.page, size, to);
    let below = children
        .into_iter()
        .map(|child| link(&child.full_name, &child.code, day, child.code.as_str()));
    let organisation = state.organisations.of_area(code, day);
    View {
        code: code.to_string(),
        title: areas.full_path(code, day),
        kind: area.kind.to_string(),
        organisation: organisation
            .map(|o| format!("{} ({})", o.name, o.code))
            .unwrap_or_default(),
        absent: if there {
            String::new()
        } else {
            absent(page, area, on)
        },
        valid: valid(page, area.valid_from, area.valid_to),
        acts: acts(page, areas, area),
        parent: area
            .parent
            .as_ref()
            .map(|p| link(&areas.full_path(p, day), p, day, "")),
        whereto: whereto(page, areas, code, &trace, now),
        predecessors: areas
            .predecessors(code, day)
            .iter()
            .map(|s| relative(page, areas, s, eve(s)))
            .collect(),
        successors: areas
            .successors(code, day)
            .iter()
            .map(|s| relative(page, areas, s, s.from))
            .collect(),
        forms: forms
            .iter()
            .map(|form| form_link(page, form, form == area))
            .collect(),
        below_title: page.tw("directory-below", &[("count", count), ("date", page.date(day))]),
        below: below.collect(),
        pages,
        succession: areas
            .eve_of_change(code, now)
            .map(|from| format!("from={}&to={}", iso(from), iso(now))),
        on_text: iso(on),
        area: true,
        ..View::empty(page)
    }
}

impl<'a> View<'a> {
    fn empty(page: &'a Page) -> Self {
        Self {
            page,
            errors: String::new(),
            on_error: String::new(),
            on_text: String::new(),
            code: String::new(),
            title: String::new(),
            kind: String::new(),
            organisation: String::new(),
            absent: String::new(),
            valid: String::new(),
            acts: Vec::new(),
            parent: None,
            whereto: Vec::new(),
            predecessors: Vec::new(),
            successors: Vec::new(),
            forms: Vec::new(),
            below_title: String::new(),
            below: Vec::new(),
            pages: None,
            succession: None,
            area: false,
        }
    }
}

fn of_organisation<'a>(state: &DirectoryState, page: &'a Page, forms: &[Organisation], on: Date) -> View<'a> {
    let before = forms.iter().rfind(|form| form.valid_from <= on);
    let Some(form) = before.or_else(|| forms.first()) else {
        return View::empty(page);
    };
    let named = |code: &kernel::OrgCode, day| {
        state
            .organisations
            .get(code, day)
            .map_or_else(|| code.to_string(), |o| o.name.to_string())
    };
    let after = form.valid_to.and_then(Date::next_day);
    let heir = form.successor.as_ref().filter(|s| **s != form.code).zip(after);
    let heir = heir.map(|(code, day)| (code, day, named(code, day)));
    let whereto = match &heir {
        Some((_, day, name)) => page.tw(
            "directory-step-took-over",
            &[
                ("date", page.date(*day)),
                ("from", form.name.to_string()),
                ("to", name.clone()),
            ],
        ),
        None => page.tw(
            "directory-where-stands",
            &[("name", form.name.to_string()), ("date", page.date(on))],
        ),
    };
    let central_act = |day: Option<Date>| Some(super::act(page, state.areas.central_act(day?)?));
    View {
        code: form.code.to_string(),
        title: form.name.to_string(),
        kind: page.t("directory-central"),
        absent: match form.holds_on(on) {
            true => String::new(),
            false => page.tw(
                "directory-absent",
                &[("name", form.name.to_string()), ("date", page.date(on))],
            ),
        },
        valid: valid(page, form.valid_from, form.valid_to),
        acts: central_act(Some(form.valid_from))
            .into_iter()
            .chain(central_act(after))
            .collect(),
        whereto: vec![whereto],
        successors: heir
            .map(|(code, day, text)| Link {
                href: href(code.as_str(), day),
                text,
                note: page.date(day),
            })
            .into_iter()
            .collect(),
        on_text: kernel::time::iso(on),
        ..View::empty(page)
    }
}

fn link(text: &str, code: &AreaCode, on: Date, note: &str) -> Link {
    Link {
        href: href(code.as_str(), on),
        text: text.to_owned(),
        note: note.to_owned(),
    }
}

fn relative(page: &Page, areas: &Areas, other: &Successor, on: Date) -> Link {
    let mut note = super::how(page, other.how);
    if other.default && other.how == crate::areas::How::Part {
        note = format!("{note}; {}", page.t("directory-default"));
    }
    link(&areas.full_path(&other.area, on), &other.area, on, &note)
}

fn form_link(page: &Page, form: &Area, shown: bool) -> Link {
    let mut link = link(
        &form.full_name,
        &form.code,
        form.valid_from,
        &valid(page, form.valid_from, form.valid_to),
    );
    if shown {
        link.href.clear();
    }
    link
}

fn valid(page: &Page, from: Date, to: Option<Date>) -> String {
    let from = page.date(from);
    match to {
        Some(to) => page.tw("directory-valid-to", &[("from", from), ("to", page.date(to))]),
        None => page.tw("directory-valid", &[("from", from)]),
    }
}

fn absent(page: &Page, area: &Area, on: Date) -> String {
    let args = [("name", area.full_name.to_string()), ("date", page.date(on))];
    page.tw("directory-absent", &args)
}

/// The acts by which a form began and ended.
fn acts(page: &Page, areas: &Areas, area: &Area) -> Vec<String> {
    let after = area.valid_to.and_then(Date::next_day);
    let days = [
        (Some(area.valid_from), "directory-begun-by"),
        (after, "directory-ended-by"),
    ];
    let told = days.into_iter().filter_map(|(day, key)| {
        let act = areas.act(area.level(), day?)?;
        Some(page.tw(key, &[("act", super::act(page, act))]))
    });
    told.collect()
}

/// The answer to "where did it go", in sentences.
fn whereto(
    page: &Page,
    areas: &Areas,
    code: &AreaCode,
    trace: &Result<Trace, crate::succession::Hole>,
    now: Date,
) -> Vec<String> {
    let trace = match trace {
        Ok(trace) => trace,
        Err(hole) => return vec![super::hole(page, hole)],
    };
    let name = |code: &AreaCode| areas.full_path(code, now);
    let mut told: Vec<String> = Vec::new();
    match &trace.ends[..] {
        [only] if only.hole.is_none() && trace.steps.is_empty() => {
            let args = [("name", name(code)), ("date", page.date(now))];
            told.push(page.tw("directory-where-stands", &args));
        }
        [_] => told.extend(trace.steps.iter().map(|step| super::step(page, step))),
        ends => {
            let first = trace.steps.first();
            let names: Vec<String> = ends.iter().map(|end| name(&end.area)).collect();
            let default = ends.iter().find(|end| end.default);
            told.push(page.tw(
                "directory-where-split",
                &[
                    ("date", first.map(|s| page.date(s.on)).unwrap_or_default()),
                    ("name", first.map(|s| s.from_name.clone()).unwrap_or_default()),
                    ("count", names.len().to_string()),
                    ("names", names.join("; ")),
                    ("default", default.map(|end| name(&end.area)).unwrap_or_default()),
                ],
            ));
        }
    }
    let holes = trace.ends.iter().filter_map(|end| end.hole.as_ref());
    told.extend(holes.map(|hole| super::hole(page, hole)));
    told
}
