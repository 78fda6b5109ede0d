//! The part of a case's page that shows what other agencies do once the result is there: each step with where it
//! stands, by when it is owed and what it gave. Never asks anybody.

use askama::Template;
use kernel::{Problem, Time};
use serde::Serialize;
use web::Page;
use web::openapi::ToSchema;

use super::{Stands, Step};
use crate::case::Case;
use crate::citizen::render;
use crate::shown::say;
use crate::state::Cases;

#[derive(Template)]
#[template(path = "follow_ups.html")]
struct Part<'a> {
    page: &'a Page,
    code: String,
    revision: i64,
    steps: Vec<Shown>,
}

/// A step as a page shows it.
struct Shown {
    code: String,
    name: String,
    class: &'static str,
    tag: String,
    number: String,
    told: String,
    /// True where the reader may have it asked once more.
    again: bool,
}

/// A step as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FollowUpView {
    /// Its code in the procedure.
    code: String,
    /// `waits`, `asked`, `failed` or `done`.
    state: &'static str,
    /// By when it is owed, where its version says and it was asked.
    due: Option<String>,
    /// What it gave.
    number: Option<String>,
    /// Why it was refused, as the other agency's system names it.
    why: Option<String>,
}

/// The part; empty where nothing follows.
///
/// # Errors
/// Internal when it cannot be put together.
pub(crate) fn section(
    cases: &Cases,
    page: &Page,
    case: &Case,
    steps: &[Step<'_>],
    again: bool,
) -> Result<String, Problem> {
    if steps.is_empty() {
        return Ok(String::new());
    }
    render(&Part {
        page,
        code: case.code.to_string(),
        revision: case.revision,
        steps: steps
            .iter()
            .map(|step| shown(cases, page, (case, steps), step, again))
            .collect(),
    })
}

fn shown(
    cases: &Cases,
    page: &Page,
    (case, all): (&Case, &[Step<'_>]),
    step: &Step<'_>,
    again: bool,
) -> Shown {
    let due = cases.follow_up_due(&case.unit, step);
    let at = |key: &str, at: Time| page.tw(key, &[("time", page.time(at))]);
    let (class, key, told) = match &step.stands {
        Stands::Waits => ("tag", "cases-follow-waits", first(page, all, step)),
        Stands::Asked { since } => match due {
            Some(due) if due < cases.store.world().now() => (
                "tag tag-bad",
                "cases-follow-late",
                at("cases-follow-was-due", due),
            ),
            Some(due) => ("tag tag-now", "cases-follow-asked", at("cases-follow-due", due)),
            None => (
                "tag tag-now",
                "cases-follow-asked",
                at("cases-follow-since", *since),
            ),
        },
        Stands::Failed { at: when, why } => {
            let told = at("cases-follow-failed-at", *when);
            let told = if why.is_empty() {
                told
            } else {
                format!("{told} ({why})")
            };
            ("tag tag-bad", "cases-follow-failed", told)
        }
        Stands::Done { at: when, .. } => ("tag tag-good", "cases-follow-done", page.time(*when)),
    };
    Shown {
        code: step.follow_up.code.clone(),
        name: say(&step.follow_up.name, page.lang).to_owned(),
        class,
        tag: page.t(key),
        number: match &step.stands {
            Stands::Done { number, .. } => number.clone(),
            _ => String::new(),
        },
        told,
        again: again && matches!(step.stands, Stands::Failed { .. }),
    }
}

/// What a step waits for, in words.
fn first(page: &Page, all: &[Step<'_>], step: &Step<'_>) -> String {
    let wanted = step.follow_up.after.as_deref();
    let first = all.iter().find(|one| Some(one.follow_up.code.as_str()) == wanted);
    first.map_or_else(String::new, |first| {
        let name = say(&first.follow_up.name, page.lang).to_owned();
        page.tw("cases-follow-after", &[("name", name)])
    })
}

/// The steps as programs read them.
pub(crate) fn views(cases: &Cases, case: &Case, steps: &[Step<'_>]) -> Vec<FollowUpView> {
    let one = |step: &Step<'_>| {
        let (state, number, why) = match &step.stands {
            Stands::Waits => ("waits", None, None),
            Stands::Asked { .. } => ("asked", None, None),
            Stands::Failed { why, .. } => ("failed", None, Some(why.clone())),
            Stands::Done { number, .. } => ("done", Some(number.clone()), None),
        };
        FollowUpView {
            code: step.follow_up.code.clone(),
            state,
            due: cases.follow_up_due(&case.unit, step).map(Time::rfc3339),
            number,
            why,
        }
    };
    steps.iter().map(one).collect()
}
