//! `GET /mandates` and its twin: for whom the signed-in citizen acts and who acts for them, newest first, with the form that
//! asks for another mandate. Never another citizen's.

use ::store::Reader;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use kernel::{Date, Problem, Time};
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use super::api::{MandateJson, MandatesJson};
use super::ask::Wish;
use super::{Mandate, Side, State as Standing, Step, store};
use crate::citizen::{Citizen, render};
use crate::procedure::Whom;
use crate::shown::say;
use crate::state::Cases;

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    /// The mandate after which it goes on, as the page before says: `MS-ID`.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "mandates.html")]
struct MandatesPage<'a> {
    page: &'a Page,
    items: Vec<Line>,
    first: bool,
    next: Option<String>,
    problems: &'a [Problem],
    megabytes: usize,
    /// Whom one may act for: the word, its text, whether it is chosen.
    kinds: Vec<(&'static str, String, bool)>,
    /// The procedures that take a mandate: code, name, whether it is ticked.
    procedures: Vec<(String, String, bool)>,
    number: &'a str,
    name: &'a str,
    /// The last day, as it was typed.
    to: String,
}

/// A mandate on the page.
struct Line {
    id: String,
    /// Who acts for whom, from the reader's side.
    what: String,
    number: String,
    proof: String,
    scope: String,
    span: String,
    standing: String,
    class: &'static str,
    paper: bool,
    /// What the reader may do with it: the last part of its address, its text, its look.
    steps: Vec<(&'static str, String, &'static str)>,
}

/// For whom I act, and who acts for me.
#[utoipa::path(get, path = "/mandates", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the list", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    Query(onward): Query<Onward>,
) -> Result<Response, Refusal> {
    Ok(shown(&cases, &citizen, &page, (&onward.after, &[], None)).await?)
}

/// For whom I act, and who acts for me.
#[utoipa::path(get, path = "/api/v1/mandates", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = MandatesJson), (status = 401), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    citizen: Citizen,
    Query(onward): Query<Onward>,
) -> Result<Json<MandatesJson>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (mandates, next) = some(&cases, &reader, &citizen, &onward.after).await?;
    Ok(Json(MandatesJson {
        items: mandates
            .iter()
            .map(|mandate| MandateJson::new(mandate, &citizen))
            .collect(),
        next,
    }))
}

/// The page; with what is wrong with what was asked for.
///
/// # Errors
/// `malformed` (422) at `after`.
pub(super) async fn shown(
    cases: &Cases,
    citizen: &Citizen,
    page: &Page,
    (after, problems, typed): (&str, &[Problem], Option<&Wish>),
) -> Result<Response, Problem> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (mandates, next) = some(cases, &reader, citizen, after).await?;
    let items = mandates.iter().map(|one| line(cases, citizen, page, one));
    let chosen = |whom: Whom| typed.is_some_and(|wish| wish.whom == whom.word());
    let body = render(&MandatesPage {
        page,
        items: items.collect(),
        first: after.is_empty(),
        next,
        problems,
        megabytes: cases.store.limits().upload_bytes_max >> 20,
        kinds: Whom::ALL
            .into_iter()
            .map(|whom| (whom.word(), page.t(&whom_key(whom)), chosen(whom)))
            .collect(),
        procedures: procedures(cases, page, typed),
        number: typed.map_or("", |wish| wish.number.as_str()),
        name: typed.map_or("", |wish| wish.name.as_str()),
        to: typed
            .and_then(|wish| wish.to)
            .map(kernel::time::iso)
            .unwrap_or_default(),
    })?;
    let title = page.t("mandates-title");
    Ok(match problems.first() {
        Some(problem) => page.html_status(problem.kind.status(), &title, body),
        None => page.html(&title, body).into_response(),
    })
}

/// The procedures of today that take a mandate.
fn procedures(cases: &Cases, page: &Page, typed: Option<&Wish>) -> Vec<(String, String, bool)> {
    let today = cases.today();
    let mut codes: Vec<_> = cases.catalogue.procedures().map(|one| &one.code).collect();
    codes.dedup();
    let of_today = codes
        .into_iter()
        .filter_map(|code| cases.procedure_on(code, today));
    of_today
        .filter(|one| !one.represent.is_empty())
        .map(|one| {
            let code = one.code.to_string();
            let ticked = typed.is_some_and(|wish| wish.procedures.contains(&code));
            (code, say(&one.name, page.lang).to_owned(), ticked)
        })
        .collect()
}

fn line(cases: &Cases, citizen: &Citizen, page: &Page, mandate: &Mandate) -> Line {
    let today = citizen.today;
    let side = mandate.side(citizen).unwrap_or(Side::Represented);
    let standing = mandate.standing(today);
    let scope: Vec<String> = mandate
        .scope
        .iter()
        .map(|code| {
            let found = cases.procedure_on(code, today);
            found.map_or_else(|| code.to_string(), |one| say(&one.name, page.lang).to_owned())
        })
        .collect();
    Line {
        id: mandate.id.clone(),
        what: what(page, mandate, side),
        number: mandate.represented.clone(),
        proof: page.t(&format!("mandate-proof-{}", mandate.proof.word())),
        scope: if scope.is_empty() {
            page.t("mandate-scope-all")
        } else {
            scope.join("; ")
        },
        span: page.tw(
            "mandate-span",
            &[("from", page.date(mandate.from)), ("to", page.date(mandate.to))],
        ),
        standing: page.t(&format!("mandate-{}", standing.word())),
        class: match standing {
            Standing::Confirmed => "tag tag-good",
            Standing::Asked => "tag tag-wait",
            Standing::Refused | Standing::Revoked | Standing::Ended => "tag tag-bad",
        },
        paper: mandate.paper.is_some(),
        steps: steps(page, mandate, side, today),
    }
}

/// What the reader may do with a mandate; who may refuse it need not end it.
fn steps(
    page: &Page,
    mandate: &Mandate,
    side: Side,
    today: Date,
) -> Vec<(&'static str, String, &'static str)> {
    let may = |step: Step| matches!(mandate.after(step, side, today), Ok(Some(_)));
    let mut steps = Vec::new();
    if may(Step::Confirm) {
        steps.push(("confirm", page.t("mandate-confirm"), "button"));
    }
    if may(Step::Refuse) {
        steps.push(("refuse", page.t("mandate-refuse"), "button-link"));
    } else if may(Step::Revoke) {
        steps.push(("revoke", page.t("mandate-revoke"), "button-link"));
    }
    steps
}

/// Who acts for whom, from the reader's side.
fn what(page: &Page, mandate: &Mandate, side: Side) -> String {
    let kind = page.t(&whom_key(mandate.whom));
    match side {
        Side::Representative => page.tw("mandate-i-act", &[("name", mandate.name.clone()), ("kind", kind)]),
        Side::Represented => page.tw(
            "mandate-acts-for-me",
            &[("name", mandate.representative.name.clone()), ("kind", kind)],
        ),
    }
}

/// The text of a kind of represented.
pub(super) fn whom_key(whom: Whom) -> String {
    format!("mandate-whom-{}", whom.word())
}

/// A page of a citizen's mandates on both sides, and where the next begins.
async fn some(
    cases: &Cases,
    reader: &Reader,
    citizen: &Citizen,
    after: &str,
) -> Result<(Vec<Mandate>, Option<String>), Problem> {
    let malformed = || Problem::invalid("after", "malformed");
    let place = match after.split_once('-') {
        None if after.is_empty() => (Time(i64::MAX), ""),
        None => return Err(malformed()),
        Some((ms, id)) => (Time(ms.parse().map_err(|_| malformed())?), id),
    };
    let limit = cases.store.limits().page_rows_max;
    let mut all = store::held(reader, &citizen.who.account, place, limit + 1).await?;
    all.extend(store::given(reader, citizen.number.as_str(), place, limit + 1).await?);
    // A company bears a tax code, which is no citizen's number.
    all.retain(|mandate| mandate.side(citizen).is_some());
    all.sort_by(|a, b| (b.made_at, &b.id).cmp(&(a.made_at, &a.id)));
    let more = all.len() > limit;
    all.truncate(limit);
    let next = all
        .last()
        .filter(|_| more)
        .map(|last| format!("{}-{}", last.made_at.ms(), last.id));
    Ok((all, next))
}
