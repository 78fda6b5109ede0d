//! `GET /units/handled-by` and its twin: who handles today a case that was opened with a unit on
//! some day, and by which changes it came there. Says "unknown" and why where the lists have a hole.

use askama::Template;
use kernel::{AreaCode, Date, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::axum::extract::{Query, State};
use web::axum::response::{IntoResponse, Response};
use web::{Page, Refusal};

use super::{Link, asked_day, href, today};
use crate::DirectoryState;
use crate::succession::{Answer, Handler, Handling, handled_by, handled_by_area};

/// Which unit, opened when, asked for which day.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct HandledQuery {
    unit: Option<String>,
    opened: Option<String>,
    on: Option<String>,
}

/// The answer with what was asked.
#[derive(Debug, Serialize)]
pub(crate) struct Handled {
    unit: String,
    #[serde(serialize_with = "crate::areas::iso")]
    opened: Date,
    #[serde(serialize_with = "crate::areas::iso")]
    on: Date,
    #[serde(flatten)]
    handling: Handling,
}

impl Handled {
    /// Answers.
    ///
    /// # Errors
    /// 422 at the field: no unit, a code no list has, no day, days in the wrong order.
    fn of(state: &DirectoryState, query: &HandledQuery) -> Result<Self, Problem> {
        let unit = query.unit.as_deref().map(str::trim).unwrap_or_default();
        if unit.is_empty() {
            return Err(Problem::invalid("unit", "directory-unit-missing"));
        }
        let on = asked_day(query.on.as_deref(), "on", today(state))?;
        let opened = query.opened.as_deref().map(str::trim).filter(|t| !t.is_empty());
        let opened = opened.ok_or_else(|| Problem::invalid("opened", "directory-opened-missing"))?;
        let opened = asked_day(Some(opened), "opened", on)?;
        if opened > on {
            return Err(Problem::invalid("opened", "directory-days-reversed"));
        }
        let handling = state.handling(unit, opened, on);
        Ok(Self {
            handling: handling.ok_or_else(|| super::unknown(&state.areas, unit, Kind::Invalid))?,
            unit: unit.to_owned(),
            opened,
            on,
        })
    }
}

impl DirectoryState {
    /// Who handles what was opened; none for a code no list has.
    fn handling(&self, unit: &str, opened: Date, on: Date) -> Option<Handling> {
        super::Named::read(self, unit, opened)?;
        if let Ok(area) = unit.parse::<AreaCode>() {
            return Some(handled_by_area(
                &self.areas,
                &self.organisations,
                &area,
                opened,
                on,
            ));
        }
        let code: OrgCode = unit.parse().ok()?;
        Some(handled_by(&self.areas, &self.organisations, &code, opened, on))
    }
}

#[derive(Template)]
#[template(path = "handled.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    unit: String,
    opened: String,
    on: String,
    unit_error: String,
    opened_error: String,
    on_error: String,
    near: Vec<Link>,
    /// The answer, none before anything was asked.
    answer: Option<Told>,
}

struct Told {
    class: &'static str,
    sentence: String,
    handlers: Vec<Link>,
    /// Sentence and act.
    steps: Vec<(String, String, String)>,
}

/// The question as a form, with its answer.
#[utoipa::path(
    get, path = "/units/handled-by", tag = "directory", security(()),
    params(
        ("unit" = Option<String>, Query, description = "Code of the unit or organisation at which it was opened"),
        ("opened" = Option<String>, Query, description = "The day it was opened"),
        ("on" = Option<String>, Query, description = "The day the answer is for; today when left out"),
    ),
    responses(
        (status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 422, description = "The form again, with what is wrong"),
    )
)]
pub(crate) async fn show(
    State(state): State<DirectoryState>,
    page: Page,
    Query(query): Query<HandledQuery>,
) -> Result<Response, Refusal> {
    let asked = query.opened.is_some();
    let (answer, problems) = match asked.then(|| Handled::of(&state, &query)) {
        None => (None, Vec::new()),
        Some(Ok(handled)) => (Some(told(&page, &handled)), Vec::new()),
        Some(Err(problem)) => (None, vec![problem]),
    };
    let typed = |text: &Option<String>| text.clone().unwrap_or_default();
    let near = match problems.first() {
        Some(problem) if problem.code.starts_with("directory-unit-unknown") => {
            super::suggestions(&state.areas, &typed(&query.unit))
        }
        _ => Vec::new(),
    };
    let opened = typed(&query.opened);
    let view = View {
        errors: page.errors(&problems),
        unit_error: page.field_error(&problems, "unit"),
        opened_error: page.field_error(&problems, "opened"),
        on_error: page.field_error(&problems, "on"),
        near: near
            .into_iter()
            .map(|area| Link {
                href: format!(
                    "/units/handled-by?unit={}&opened={}",
                    area.code,
                    web::page::query_value(&opened)
                ),
                text: state.areas.full_path(&area.code, area.valid_from),
                note: area.code.to_string(),
            })
            .collect(),
        unit: typed(&query.unit),
        on: query
            .on
            .clone()
            .unwrap_or_else(|| kernel::time::iso(today(&state))),
        opened,
        answer,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    let status = if problems.is_empty() { 200 } else { 422 };
    Ok(page
        .html_status(status, &page.t("directory-handled-title"), body)
        .into_response())
}

fn told(page: &Page, handled: &Handled) -> Told {
    let handling = &handled.handling;
    let on = page.date(handled.on);
    let (class, sentence, handlers) = match &handling.answer {
        Answer::Known { handler } => {
            let key = if handler.above {
                "directory-handled-above"
            } else {
                "directory-handled-known"
            };
            let args = [
                ("name", handler.name.clone()),
                ("place", handler.place.clone()),
                ("date", on),
            ];
            (
                "notice notice-good",
                page.tw(key, &args),
                vec![link(page, handler, handled.on)],
            )
        }
        Answer::Split { handlers } => {
            let default = handlers.iter().find(|h| h.default).map(|h| h.name.clone());
            let args = [
                ("count", handlers.len().to_string()),
                ("default", default.unwrap_or_default()),
                ("date", on),
            ];
            let links = handlers.iter().map(|h| link(page, h, handled.on)).collect();
            (
                "notice notice-warning",
                page.tw("directory-handled-split", &args),
                links,
            )
        }
        Answer::Unknown { why } => {
            let args = [("why", super::hole(page, why))];
            (
                "notice notice-warning",
                page.tw("directory-handled-unknown", &args),
                Vec::new(),
            )
        }
    };
    let act = |act: &crate::areas::Act| super::act(page, act);
    Told {
        class,
        sentence,
        handlers,
        steps: handling
            .steps
            .iter()
            .map(|step| {
                let act = step.act.as_ref().map_or_else(|| page.t("directory-no-act"), act);
                (kernel::time::iso(step.on), super::step(page, step), act)
            })
            .collect(),
    }
}

fn link(page: &Page, handler: &Handler, on: Date) -> Link {
    let note = match (handler.how, handler.default) {
        (crate::areas::How::Part, true) => page.t("directory-default"),
        _ => String::new(),
    };
    Link {
        href: href(handler.organisation.as_str(), on),
        text: match handler.place.is_empty() {
            true => format!("{} ({})", handler.name, handler.organisation),
            false => format!("{} ({}), {}", handler.name, handler.organisation, handler.place),
        },
        note,
    }
}

/// Who handles now what was opened then.
#[utoipa::path(
    get, path = "/api/v1/units/handled-by", tag = "directory", security(()),
    params(
        ("unit" = String, Query, description = "Code of the unit or organisation at which it was opened: 00685, H56.14857"),
        ("opened" = String, Query, description = "The day it was opened, 2024-06-01"),
        ("on" = Option<String>, Query, description = "The day the answer is for; today when left out"),
    ),
    responses(
        (status = 200, description = "known, split or unknown, with the steps and their acts"),
        (status = 422, description = "The field at fault"),
    )
)]
pub(crate) async fn answer(
    State(state): State<DirectoryState>,
    Query(query): Query<HandledQuery>,
) -> Result<Response, Refusal> {
    Ok(web::axum::Json(Handled::of(&state, &query)?).into_response())
}
