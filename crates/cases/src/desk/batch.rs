//! Several cases at once, chosen on the worklist: signed, or given to a colleague. Each is a write of its own by the
//! path of a single one, and each has its own outcome. Never one outcome for all.

pub mod assign;
pub mod sign;

use askama::Template;
use kernel::{CaseCode, Kind, Problem};
use serde::Serialize;
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::{Fields, Page};

use crate::citizen::render;
use crate::state::Cases;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(sign::page, sign::by_form))
        .routes(routes!(sign::by_json))
        .routes(routes!(assign::page, assign::by_form))
        .routes(routes!(assign::by_json))
}

/// How it went with each of the chosen cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchDone {
    /// One line a case, in the order chosen.
    items: Vec<BatchLine>,
}

/// How it went with one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchLine {
    /// The case's code, as it was sent.
    code: String,
    /// True when it was done, now or by an earlier press.
    done: bool,
    /// The code of the problem that stands against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip)]
    problem: Option<Problem>,
}

#[derive(Template)]
#[template(path = "desk_batch_done.html")]
struct DonePage<'a> {
    page: &'a Page,
    title: &'a str,
    /// What the outcome of a case that was done is called.
    good: &'a str,
    said: String,
    all: bool,
    /// Code, done, why not.
    lines: Vec<(&'a str, bool, String)>,
}

impl BatchLine {
    fn of(code: &str, done: Result<(), Problem>) -> Self {
        let problem = done.err();
        if let Some(problem) = &problem
            && problem.kind == Kind::Internal
        {
            tracing::error!(%problem, case = %code, "a case of several was not done");
        }
        Self {
            code: code.to_owned(),
            done: problem.is_none(),
            why: problem.as_ref().map(|problem| problem.code),
            problem,
        }
    }
}

/// The chosen cases with the revisions that were seen, `pick=CODE.REVISION`, each case once.
///
/// # Errors
/// `malformed` (400); `batch-empty`, `batch-long` (422).
fn picked(fields: &Fields, max: usize) -> Result<Vec<(CaseCode, i64)>, Problem> {
    let mut all: Vec<(CaseCode, i64)> = Vec::new();
    for text in fields.texts("pick") {
        let parts = text.rsplit_once('.');
        let pick = parts.and_then(|(code, revision)| {
            let code = code.parse::<CaseCode>().ok()?;
            Some((code, revision.parse::<i64>().ok()?))
        });
        let pick = pick.ok_or_else(|| Problem::new(Kind::Malformed, "malformed").at("pick"))?;
        if all.iter().all(|(code, _)| *code != pick.0) {
            all.push(pick);
        }
    }
    bounded(all, max)
}

/// Some cases, and not more than can be done in one go.
fn bounded<T>(all: Vec<T>, max: usize) -> Result<Vec<T>, Problem> {
    if all.is_empty() {
        return Err(Problem::invalid("pick", "batch-empty"));
    }
    if all.len() > max {
        return Err(Problem::invalid("pick", "batch-long").with("max", max));
    }
    Ok(all)
}

/// A chosen case as the forms carry it.
pub(super) fn pick(code: &CaseCode, revision: i64) -> String {
    format!("{code}.{revision}")
}

/// The page that says how it went.
fn done_page(page: &Page, title: &str, good: &str, done: &BatchDone) -> Result<String, Problem> {
    let count = done.items.iter().filter(|line| line.done).count();
    let args = [("n", count.to_string()), ("all", done.items.len().to_string())];
    let why = |line: &BatchLine| match &line.problem {
        Some(problem) => page.problem_text(problem),
        None => String::new(),
    };
    render(&DonePage {
        page,
        title,
        good,
        said: page.tw("desk-batch-said", &args),
        all: count == done.items.len(),
        lines: done
            .items
            .iter()
            .map(|one| (one.code.as_str(), one.done, why(one)))
            .collect(),
    })
}
