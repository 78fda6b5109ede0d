//! `/desk/consults/{code}/{number}`: what a unit is asked, with the parts of the case that the procedure shows it, and
//! its papers. Every look leaves a fact with the case. Never the applicant, and nothing of the case once no answer is
//! wanted any more.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use kernel::{CaseCode, Fact, Problem};
use serde::Serialize;
use std::collections::BTreeMap;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use super::answer::PAPER;
use super::ask::ConsultView;
use super::part::{Shown, opinion_key};
use super::{ANSWERERS, AtConsult, holder};
use crate::citizen::render;
use crate::citizen::view::counted_out;
use crate::clock;
use crate::consult::{Consult, Opinion};
use crate::desk::papers::pdf;
use crate::merger::job::ended;
use crate::procedure::{FormPage, Procedure};
use crate::shown::{UnitLink, counted_by, say, shown, unannounced};
use crate::state::Cases;
use crate::store::{self as rows, Held, subject};

/// What a unit is asked, and what it sees of the case.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsultCase {
    /// The case.
    code: String,
    /// Its procedure.
    procedure: String,
    /// The unit that asks.
    by: String,
    /// The question.
    consult: ConsultView,
    /// The answers that the asked unit sees, by field; none once no answer is wanted any more.
    answers: BTreeMap<String, String>,
    /// The codes of the papers that it sees.
    papers: Vec<String>,
}

#[derive(Template)]
#[template(path = "desk_consult.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: &'a [Problem],
    code: &'a CaseCode,
    procedure: &'a str,
    by: UnitLink,
    by_name: &'a str,
    item: Shown,
    counted_by: String,
    /// How the date was counted, line by line, as HTML; empty where that is not known any more.
    working_out: String,
    /// The parts of the form that the asked unit sees: title, questions with answers.
    sections: Vec<(String, Vec<(String, String)>)>,
    /// The papers that it sees, by code and name.
    papers: Vec<(String, String)>,
    /// True when the reader may answer.
    answers: bool,
    /// The opinions that can be given: word, label, true for the one chosen.
    opinions: Vec<(&'static str, String, bool)>,
    text: &'a str,
}

/// What the unit is asked, as a page.
#[utoipa::path(get, path = "/desk/consults/{code}/{number}", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    responses((status = 200, description = "the question", content_type = "text/html"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show(at: AtConsult, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&at, &page, &[], ("", "")).await?;
    Ok(page.html(&page.t("desk-consult"), body))
}

/// What the unit is asked.
#[utoipa::path(get, path = "/api/v1/desk/consults/{code}/{number}", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    responses((status = 200, description = "the question", body = ConsultCase), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show_json(at: AtConsult) -> Result<Json<ConsultCase>, Refusal> {
    let AtConsult { cases, .. } = &at;
    let (held, consult) = looked(&at).await?;
    let procedure = cases.procedure_of(&held.case)?;
    let questions = seen_pages(&procedure, &held, &consult).flat_map(|form| &form.questions);
    let answers = questions.filter_map(|question| {
        let answer = held.case.answers.get(&question.code)?;
        Some((question.code.clone(), answer.clone()))
    });
    let answers = answers.collect();
    let there = papers(&at, &procedure, &held, &consult).await?;
    Ok(Json(ConsultCase {
        code: held.case.code.to_string(),
        procedure: held.case.procedure.to_string(),
        by: held.case.unit.to_string(),
        consult: ConsultView::new(&consult, cases.store.world().now()),
        answers,
        papers: there,
    }))
}

/// A paper of the case that the asked unit sees.
#[utoipa::path(get, path = "/desk/consults/{code}/{number}/papers/{paper}", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number"),
           ("paper" = String, Path, description = "the paper's code")),
    responses((status = 200, description = "the paper", content_type = "application/pdf"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn paper(
    at: AtConsult,
    Path((_code, _number, paper)): Path<(String, u32, String)>,
) -> Result<Response, Refusal> {
    let AtConsult { cases, code, .. } = &at;
    let (held, consult) = looked(&at).await?;
    let procedure = cases.procedure_of(&held.case)?;
    if !sees(&held, &consult) || !is_shown(&procedure, &paper) {
        return Err(Problem::not_found().into());
    }
    file(cases, &subject(code), &paper).await
}

/// The paper that came with an answer, for who asked and for who answered.
#[utoipa::path(get, path = "/desk/consults/{code}/{number}/opinion", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code"), ("number" = u32, Path, description = "the consult's number")),
    responses((status = 200, description = "the paper", content_type = "application/pdf"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn opinion(at: AtConsult) -> Result<Response, Refusal> {
    let AtConsult {
        cases,
        who,
        code,
        number,
    } = &at;
    match cases.looked(who, code).await {
        Ok(_) => {}
        // Who does not see the case sees their own unit's answer.
        Err(problem) if problem.kind == kernel::Kind::NotFound => {
            looked(&at).await?;
        }
        Err(problem) => return Err(problem.into()),
    }
    file(cases, &holder(code, *number), PAPER).await
}

async fn file(cases: &Cases, holder: &str, code: &str) -> Result<Response, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let attached = rows::paper(&reader, holder, code)
        .await?
        .ok_or_else(Problem::not_found)?;
    let bytes = cases.store.blobs().get(&attached.digest).await?;
    Ok(pdf(&format!("{}.pdf", attached.code), bytes))
}

/// The page again with what is wrong with its form, and what was typed.
///
/// # Errors
/// As [`show`].
pub(super) async fn with_faults(
    at: &AtConsult,
    page: &Page,
    problems: &[Problem],
    typed: (&str, &str),
) -> Result<Response, Refusal> {
    let body = body(at, page, problems, typed).await?;
    Ok(page
        .html_status(422, &page.t("desk-consult"), body)
        .into_response())
}

/// What the official's unit is asked; looking at it leaves a fact.
async fn looked(at: &AtConsult) -> Result<(Held, Consult), Problem> {
    let AtConsult {
        cases,
        who,
        code,
        number,
    } = at;
    cases
        .store
        .write(&cases.tenant, &who.actor, |tx| async move {
            let found = cases.asked(&tx, who, code, *number).await?;
            tx.fact(&subject(code), Fact::CaseViewed { case: code.clone() })
                .await?;
            Ok(found)
        })
        .await
}

/// True while the asked unit needs to see something of the case.
fn sees(held: &Held, consult: &Consult) -> bool {
    consult.ended.is_none() && !ended(held.status)
}

/// The pages of the form that the asked unit sees.
fn seen_pages<'p>(
    procedure: &'p Procedure,
    held: &Held,
    consult: &Consult,
) -> impl Iterator<Item = &'p FormPage> {
    let rule = procedure.consult.as_ref().filter(|_| sees(held, consult));
    let pages = procedure.pages.iter();
    pages.filter(move |form| rule.is_some_and(|rule| rule.pages.contains(&form.code)))
}

/// True for a paper that asked units see.
fn is_shown(procedure: &Procedure, paper: &str) -> bool {
    let rule = procedure.consult.as_ref();
    rule.is_some_and(|rule| rule.papers.iter().any(|code| code == paper))
}

/// The codes of the papers that the asked unit sees and that are there.
async fn papers(
    at: &AtConsult,
    procedure: &Procedure,
    held: &Held,
    consult: &Consult,
) -> Result<Vec<String>, Problem> {
    if !sees(held, consult) {
        return Ok(Vec::new());
    }
    let reader = at.cases.store.read(&at.cases.tenant).await?;
    let there = rows::papers(&reader, &subject(&at.code)).await?;
    let codes = there.into_iter().map(|paper| paper.code);
    Ok(codes.filter(|code| is_shown(procedure, code)).collect())
}

async fn body(
    at: &AtConsult,
    page: &Page,
    problems: &[Problem],
    (opinion, text): (&str, &str),
) -> Result<String, Problem> {
    let AtConsult { cases, who, code, .. } = at;
    let (held, consult) = looked(at).await?;
    let procedure = cases.procedure_of(&held.case)?;
    let now = cases.store.world().now();
    let name = |code: &String| match procedure.paper(code) {
        Some(paper) => say(&paper.name, page.lang).to_owned(),
        None => code.clone(),
    };
    let there = papers(at, &procedure, &held, &consult).await?;
    let answers = ANSWERERS.iter().any(|role| who.has(role)) && consult.by != who.account;
    render(&View {
        page,
        errors: page.errors(problems),
        problems,
        code,
        procedure: say(&procedure.name, page.lang),
        by: UnitLink::new(cases, &held.case.unit, held.day(now)),
        by_name: &consult.by_name,
        item: Shown::new(cases, page, &procedure, &consult, now),
        counted_by: counted_by(page, &consult.rule),
        working_out: working_out(cases, page, &procedure, &held, &consult)?,
        sections: sections(cases, page, &procedure, &held, &consult),
        papers: there.iter().map(|code| (code.clone(), name(code))).collect(),
        answers: answers && consult.is_open(),
        opinions: opinions(page, opinion),
        text,
    })
}

/// The opinions that can be given: word, label, true for the one chosen.
fn opinions(page: &Page, chosen: &str) -> Vec<(&'static str, String, bool)> {
    let one = |opinion: Opinion| {
        let word = opinion.as_str();
        (word, page.t(opinion_key(opinion)), word == chosen)
    };
    [Opinion::Agrees, Opinion::Remarks, Opinion::Objects]
        .into_iter()
        .map(one)
        .collect()
}

/// How the date of a question was counted, line by line; nothing once another unit is asked, whose calendar may be
/// another.
fn working_out(
    cases: &Cases,
    page: &Page,
    procedure: &Procedure,
    held: &Held,
    consult: &Consult,
) -> Result<String, Problem> {
    let rule = procedure.consult.as_ref();
    let Some(topic) = rule.and_then(|rule| rule.topic(&consult.topic)) else {
        return Ok(String::new());
    };
    let term = topic.term(held.case.channel);
    let counted = clock::due(Some(&term), &cases.calendars.of(&consult.unit), consult.at)?;
    if counted.due != consult.due {
        return Ok(String::new());
    }
    let unannounced = unannounced(cases, counted.due);
    counted_out(page, page.t("desk-consult-working-out"), &counted, unannounced)
}

fn sections(
    cases: &Cases,
    page: &Page,
    procedure: &Procedure,
    held: &Held,
    consult: &Consult,
) -> Vec<(String, Vec<(String, String)>)> {
    let case = &held.case;
    let rows = |form: &FormPage| {
        let asked = form.questions.iter().filter_map(|question| {
            let answer = case.answers.get(&question.code).filter(|a| !a.is_empty())?;
            let words = shown(cases, page, question, answer, case.filed_at.date());
            Some((say(&question.label, page.lang).to_owned(), words))
        });
        asked.collect()
    };
    seen_pages(procedure, held, consult)
        .map(|form| (say(&form.title, page.lang).to_owned(), rows(form)))
        .collect()
}

impl View<'_> {
    fn fault(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}
