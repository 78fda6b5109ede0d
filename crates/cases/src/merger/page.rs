//! The list of cases that somebody has to assign to a unit, at the desk of the organisation above
//! all units. Shows codes, units and acts, and no person.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use kernel::{Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::merger::Why;
use crate::merger::job::Kept;
use crate::merger::store::{self as list, Waiting};
use crate::state::Cases;

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    after: String,
}

/// A case that waits to be assigned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MoveItem {
    /// Its code.
    code: String,
    /// The unit that ended.
    unit: String,
    /// `split`, `unknown` or `elsewhere`.
    why: String,
    /// The units it may be given to; any unit of the organisation when empty.
    heirs: Vec<String>,
    /// Since when it waits, RFC 3339.
    since: String,
    /// The obligation to assign it.
    obligation: String,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Moves {
    items: Vec<MoveItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
}

impl Cases {
    /// Who may assign cases: an officer, the chairman or a supervisor of the organisation above all
    /// units.
    ///
    /// # Errors
    /// 404 for another tenant's people; 403 `role-missing`, `case-not-supervisor`.
    pub(crate) fn may_assign(&self, who: &Principal) -> Result<(), Problem> {
        self.official(who)?;
        who.require_any(&["officer", "chairman", "supervisor"])?;
        if who.unit == self.tenant {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "case-not-supervisor"))
        }
    }

    /// The units a waiting case may be given to, by the order of their names.
    pub(crate) fn choices(&self, waiting: &Waiting) -> Vec<OrgCode> {
        let mut units = match waiting.why {
            Why::Elsewhere => Vec::new(),
            Why::Split => waiting
                .heirs
                .iter()
                .filter(|heir| self.tenant.holds(heir))
                .cloned()
                .collect(),
            Why::Unknown => {
                let units = self.organisations.units(&self.tenant, self.today());
                units
                    .into_iter()
                    .map(|unit| unit.code.clone())
                    .collect::<Vec<_>>()
            }
        };
        units.sort_by_cached_key(|unit| directory::collate::key(&self.organisation_name(unit)));
        units
    }

    async fn waiting_page(
        &self,
        who: &Principal,
        from: &From,
    ) -> Result<(Vec<Waiting>, Option<String>), Problem> {
        self.may_assign(who)?;
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut found = list::list(&reader, &from.after, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.code.to_string());
        Ok((found, next))
    }
}

#[derive(Template)]
#[template(path = "merger.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    items: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    code: String,
    unit: String,
    name: String,
    since: String,
    why: String,
    /// Sentence and act.
    steps: Vec<(String, String)>,
    choices: Vec<(String, String)>,
    error: String,
}

/// The list as a page.
#[utoipa::path(get, path = "/desk/moves", tag = "desk", security(("session" = ["officer", "chairman", "supervisor"])),
    params(("after" = Option<String>, Query, description = "go on after this case")),
    responses((status = 200, description = "the cases that wait to be assigned to a unit", content_type = "text/html"), (status = 403)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, &from, None).await?;
    Ok(page.html(&page.t("desk-moves-title"), body))
}

/// The list.
#[utoipa::path(get, path = "/api/v1/desk/moves", tag = "desk", security(("session" = ["officer", "chairman", "supervisor"])),
    params(("after" = Option<String>, Query, description = "go on after this case")),
    responses((status = 200, description = "the cases that wait to be assigned to a unit", body = Moves), (status = 403)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Moves>, Refusal> {
    let (found, next) = cases.waiting_page(&who, &from).await?;
    let item = |waiting: Waiting| MoveItem {
        heirs: waiting.heirs.iter().map(ToString::to_string).collect(),
        why: waiting.why.as_str().to_owned(),
        code: waiting.code.to_string(),
        unit: waiting.unit.to_string(),
        since: waiting.at.rfc3339(),
        obligation: waiting.obligation,
    };
    Ok(Json(Moves {
        items: found.into_iter().map(item).collect(),
        next,
    }))
}

/// The page again with what is wrong with one of its forms.
///
/// # Errors
/// As [`show`].
pub(crate) async fn with_fault(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    code: &str,
    problem: &Problem,
) -> Result<Response, Refusal> {
    let body = body(cases, who, page, &From::default(), Some((code, problem))).await?;
    Ok(page
        .html_status(422, &page.t("desk-moves-title"), body)
        .into_response())
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    from: &From,
    fault: Option<(&str, &Problem)>,
) -> Result<String, Problem> {
    let (found, next) = cases.waiting_page(who, from).await?;
    let row = |waiting: &Waiting| {
        let code = waiting.code.to_string();
        let own = fault.filter(|(of, _)| *of == code);
        Row {
            name: cases.organisation_name(&waiting.unit),
            unit: waiting.unit.to_string(),
            since: page.time(waiting.at),
            why: page.tw(
                &format!("desk-moves-{}", waiting.why.as_str()),
                &[("heirs", names(cases, &waiting.heirs))],
            ),
            steps: steps(page, waiting),
            choices: cases
                .choices(waiting)
                .iter()
                .map(|unit| (unit.to_string(), cases.organisation_name(unit)))
                .collect(),
            error: own
                .map(|(_, problem)| page.problem_text(problem))
                .unwrap_or_default(),
            code,
        }
    };
    View {
        errors: fault
            .map(|(_, problem)| page.errors(std::slice::from_ref(problem)))
            .unwrap_or_default(),
        items: found.iter().map(row).collect(),
        next: next.map(|next| format!("/desk/moves?after={}", query_value(&next))),
        first: from.after.is_empty(),
        page,
    }
    .render()
    .map_err(Problem::internal)
}

fn names(cases: &Cases, units: &[OrgCode]) -> String {
    let names: Vec<String> = units.iter().map(|unit| cases.organisation_name(unit)).collect();
    names.join("; ")
}

fn steps(page: &Page, waiting: &Waiting) -> Vec<(String, String)> {
    Kept::of(&waiting.steps)
        .into_iter()
        .map(|[day, from, to, act]| {
            let date = kernel::time::parse_iso(&day).map_or(day, |day| page.date(day));
            (
                page.tw("desk-moves-step", &[("date", date), ("from", from), ("to", to)]),
                act,
            )
        })
        .collect()
}
