//! `/desk/reconciliation`: the cases of which the portal shows something else than the desk has, what each side says and since
//! when; when the two were compared last, and a button that compares now. Shows codes, units and dates, and no person.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::Shown;
use super::mend::cannot;
use super::store::{self as list, Difference, Part, Run};
use crate::citizen::render;
use crate::state::Cases;

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    after: String,
}

/// What a side says of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SideJson {
    /// The national status, 1 to 10.
    status: u8,
    /// The number of its last change.
    seq: u32,
    /// By when the result is owed, RFC 3339.
    due: Option<String>,
    /// The unit that handles it.
    unit: String,
}

/// A case of which the two sides say different things.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceJson {
    /// Its code.
    code: String,
    /// `missing-there`, `missing-here`, `status`, `due`, `owner`, `steps`.
    what: Vec<String>,
    /// What the desk has; nothing when it has no such case.
    ours: Option<SideJson>,
    /// What the portal shows; nothing when it knows no such case.
    theirs: Option<SideJson>,
    /// Since when, RFC 3339.
    since: String,
    /// Since when the portal is being told again, RFC 3339.
    mending_since: Option<String>,
}

/// How the comparison stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ComparisonJson {
    /// The portal that is asked.
    portal: String,
    /// When one was done last, RFC 3339.
    done_at: Option<String>,
    /// How many cases it compared.
    compared: Option<u64>,
    /// True while one is under way.
    running: bool,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Differences {
    items: Vec<DifferenceJson>,
    /// Nothing before the first comparison.
    comparison: Option<ComparisonJson>,
    /// The value of `after` for the next page.
    next: Option<String>,
}

/// What the list holds from a place on.
struct Found {
    items: Vec<Difference>,
    run: Option<Run>,
    next: Option<String>,
}

impl Cases {
    /// Who may see and mend what differs: a supervisor of the organisation above all units.
    ///
    /// # Errors
    /// 404 for another tenant's people; 403 `role-missing`, `case-not-supervisor`.
    pub(crate) fn may_reconcile(&self, who: &Principal) -> Result<(), Problem> {
        self.official(who)?;
        who.require_any(&["supervisor"])?;
        if who.unit == self.tenant {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "case-not-supervisor"))
        }
    }

    async fn differences(&self, who: &Principal, from: &From) -> Result<Found, Problem> {
        self.may_reconcile(who)?;
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut items = list::list(&reader, &from.after, limit + 1).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Found {
            next: items.last().filter(|_| more).map(|last| last.code.to_string()),
            run: list::run(&reader).await?,
            items,
        })
    }
}

/// The list as a page.
#[utoipa::path(get, path = "/desk/reconciliation", tag = "desk", security(("session" = ["supervisor"])),
    params(("after" = Option<String>, Query, description = "go on after this case")),
    responses((status = 200, description = "the cases of which the portal shows something else", content_type = "text/html"), (status = 403)))]
pub(crate) async fn show(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, &from, &[]).await?;
    Ok(page.html(&page.t("desk-reconcile-title"), body))
}

/// The list.
#[utoipa::path(get, path = "/api/v1/desk/reconciliation", tag = "desk", security(("session" = ["supervisor"])),
    params(("after" = Option<String>, Query, description = "go on after this case")),
    responses((status = 200, description = "the cases of which the portal shows something else", body = Differences), (status = 403)))]
pub(crate) async fn show_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Differences>, Refusal> {
    let found = cases.differences(&who, &from).await?;
    Ok(Json(Differences {
        items: found.items.into_iter().map(item).collect(),
        comparison: found.run.as_ref().map(comparison),
        next: found.next,
    }))
}

/// Compares now, by a form.
#[utoipa::path(post, path = "/desk/reconciliation", tag = "desk", security(("session" = ["supervisor"])),
    responses((status = 303, description = "back to the list"), (status = 403), (status = 503)),
    extensions(("x-facts" = json!(["cases-compare-asked", "cases-compared"]))))]
pub(crate) async fn compare_by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
) -> Result<Response, Refusal> {
    cases.compare_now(&who).await?;
    Ok(Redirect::to("/desk/reconciliation").into_response())
}

/// Compares now; a comparison that is long goes on by itself.
#[utoipa::path(post, path = "/api/v1/desk/reconciliation", tag = "desk", security(("session" = ["supervisor"])),
    responses((status = 200, description = "how far it has come", body = ComparisonJson), (status = 403), (status = 503)),
    extensions(("x-facts" = json!(["cases-compare-asked", "cases-compared"]))))]
pub(crate) async fn compare_by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
) -> Result<Json<ComparisonJson>, Refusal> {
    let run = cases.compare_now(&who).await?;
    Ok(Json(comparison(&run)))
}

fn comparison(run: &Run) -> ComparisonJson {
    ComparisonJson {
        portal: run.portal.to_string(),
        done_at: run.done.map(|(at, _)| at.rfc3339()),
        compared: run.done.map(|(_, compared)| compared),
        running: run.part != Part::Done,
    }
}

fn item(found: Difference) -> DifferenceJson {
    let side = |side: Shown| SideJson {
        status: side.status,
        seq: side.seq,
        due: side.due.map(kernel::Time::rfc3339),
        unit: side.unit.to_string(),
    };
    DifferenceJson {
        code: found.code.to_string(),
        what: found.what.iter().map(|what| what.as_str().to_owned()).collect(),
        ours: found.ours.map(side),
        theirs: found.theirs.map(side),
        since: found.since.rfc3339(),
        mending_since: found.mending.map(kernel::Time::rfc3339),
    }
}

#[derive(Template)]
#[template(path = "desk_reconcile.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    /// When the two were compared last, or that they are being compared, or why not.
    stands: String,
    /// True when somebody may have them compared now.
    agreed: bool,
    items: Vec<Row>,
    next: Option<String>,
    first: bool,
}

/// A case on the page.
struct Row {
    code: String,
    /// True when the desk has it.
    here: bool,
    what: Vec<String>,
    ours: String,
    theirs: String,
    since: String,
    /// Since when the portal is being told again.
    mending: Option<String>,
    /// Why the portal cannot be told of it.
    cannot: Option<String>,
}

/// The page again with why something was refused.
///
/// # Errors
/// As [`show`].
pub(crate) async fn with_fault(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    problem: &Problem,
) -> Result<Response, Refusal> {
    let problems = std::slice::from_ref(problem);
    let body = body(cases, who, page, &From::default(), problems).await?;
    let title = page.t("desk-reconcile-title");
    Ok(page
        .html_status(problem.kind.status(), &title, body)
        .into_response())
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    from: &From,
    problems: &[Problem],
) -> Result<String, Problem> {
    let found = cases.differences(who, from).await?;
    let agreed = cases.compared_with()?.is_some();
    render(&View {
        errors: page.errors(problems),
        stands: stands(page, found.run.as_ref(), agreed),
        agreed,
        items: found.items.iter().map(|one| row(cases, page, one)).collect(),
        next: found
            .next
            .map(|next| format!("/desk/reconciliation?after={}", query_value(&next))),
        first: from.after.is_empty(),
        page,
    })
}

fn stands(page: &Page, run: Option<&Run>, agreed: bool) -> String {
    let mut said = Vec::new();
    if !agreed {
        said.push(page.t("desk-reconcile-not-agreed"));
    }
    if let Some(run) = run.filter(|run| run.part != Part::Done) {
        let args = [("began", page.time(run.began)), ("n", run.compared.to_string())];
        said.push(page.tw("desk-reconcile-running", &args));
    }
    said.push(match run.and_then(|run| run.done) {
        Some((at, compared)) => page.tw(
            "desk-reconcile-done",
            &[("time", page.time(at)), ("n", compared.to_string())],
        ),
        None => page.t("desk-reconcile-never"),
    });
    said.join(" ")
}

fn row(cases: &Cases, page: &Page, found: &Difference) -> Row {
    let side = |side: Option<&Shown>| match side {
        None => page.t("desk-reconcile-none"),
        Some(shown) => {
            let due = shown
                .due
                .map_or_else(|| page.t("desk-reconcile-no-due"), |due| page.time(due));
            let args = [
                ("status", page.t(&format!("cases-status-{}", shown.status))),
                ("due", due),
                ("unit", cases.organisation_name(&shown.unit)),
                ("seq", shown.seq.to_string()),
            ];
            page.tw("desk-reconcile-side", &args)
        }
    };
    let what = found.what.iter();
    Row {
        code: found.code.to_string(),
        here: found.ours.is_some(),
        what: what
            .map(|what| page.t(&format!("desk-reconcile-{}", what.as_str())))
            .collect(),
        ours: side(found.ours.as_ref()),
        theirs: side(found.theirs.as_ref()),
        since: page.time(found.since),
        mending: found.mending.map(|since| page.time(since)),
        cannot: cannot(cases, found).map(|why| page.t(&format!("problem-{why}.remedy"))),
    }
}
