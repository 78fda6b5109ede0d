//! `GET /designs/{id}/form` and its twin: a version's document part by part, what is wrong beside the part it is
//! wrong with, and its states and steps as a drawing. For who designs and who publishes.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use serde::Serialize;
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Lang, Page, Principal, Refusal, SignedIn};

use super::flow::Flow;
use super::text::Document;
use super::value::Values;
use super::words::titles;
use super::{List, Part};
use crate::citizen::render;
use crate::design::list::{DesignItem, name};
use crate::design::read::{self, DesignFault};
use crate::design::show::{load, place};
use crate::design::{Design, Stage};
use crate::procedure::Procedure;
use crate::state::Cases;

/// A version's document as a form, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignForm {
    /// What it is and how far.
    design: DesignItem,
    /// Its parts, in the order of the document's lists; none for a text that is no TOML.
    parts: Vec<DesignPart>,
    /// What is wrong with what is written in the text alone.
    faults: Vec<DesignFault>,
}

/// A part of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignPart {
    /// Its address: `pages.0.questions.2`, `states.accepted`.
    part: String,
    /// `head`, `term`, `paper`, `fee`, `page`, `question`, `state` or `transition`.
    kind: &'static str,
    /// What stands in its fields.
    values: BTreeMap<String, String>,
    /// What is wrong with it.
    faults: Vec<DesignFault>,
}

/// A document with its faults, each beside its part.
pub(super) struct Laid {
    /// What was read; nothing for a text that is no TOML.
    pub(super) document: Option<Document>,
    /// The version, as far as its shape is sound.
    pub(super) procedure: Option<Procedure>,
    /// Faults with the part they belong to; no part for what is in the text alone.
    faults: Vec<(Option<Part>, DesignFault)>,
}

impl Laid {
    /// Reads a design's document.
    pub(super) fn of(cases: &Cases, text: &str, lang: Lang) -> Self {
        let read = read::document(cases, text);
        let document = Document::read(text);
        let lines = document
            .as_ref()
            .map(|document| document.lines(text))
            .unwrap_or_default();
        let told = read::told(&read.faults, lang);
        let faults = told.into_iter().map(|fault| {
            let begun = lines.iter().rev().find(|(line, _)| *line <= fault.line);
            (begun.and_then(|(_, part)| part.clone()), fault)
        });
        Self {
            faults: faults.collect(),
            procedure: read.procedure,
            document,
        }
    }

    /// What is wrong with a part.
    pub(super) fn faults_of(&self, part: Option<&Part>) -> Vec<DesignFault> {
        let own = self.faults.iter().filter(|(of, _)| of.as_ref() == part);
        own.map(|(_, fault)| fault.clone()).collect()
    }

    fn values(&self, part: &Part) -> Values {
        let document = self.document.as_ref();
        document
            .and_then(|document| document.values(part))
            .unwrap_or_default()
    }

    fn count(&self, list: List) -> usize {
        self.document.as_ref().map_or(0, |document| document.count(list))
    }

    fn list(&self, list: List) -> Vec<Part> {
        (0..self.count(list))
            .map(|at| Part::Item(list, Some(at)))
            .collect()
    }

    fn states(&self) -> Vec<Part> {
        let codes = self.document.as_ref().map(Document::states).unwrap_or_default();
        codes.into_iter().map(|code| Part::State(Some(code))).collect()
    }

    fn fee(&self) -> Vec<Part> {
        let document = self.document.as_ref();
        let there = document.is_some_and(|document| document.values(&Part::Fee).is_some());
        there.then_some(Part::Fee).into_iter().collect()
    }

    /// Every part, in the order in which the page shows them.
    fn parts(&self) -> Vec<Part> {
        let mut parts = match self.document {
            Some(_) => vec![Part::Head],
            None => Vec::new(),
        };
        parts.extend(self.list(List::Terms));
        parts.extend(self.list(List::Papers));
        parts.extend(self.fee());
        for page in self.list(List::Pages) {
            let Part::Item(_, Some(at)) = page else {
                continue;
            };
            parts.push(page);
            parts.extend(self.list(List::Questions(at)));
        }
        parts.extend(self.states());
        parts.extend(self.list(List::Transitions));
        parts
    }
}

/// A design's document as a form, as programs read it.
pub(super) fn view(cases: &Cases, page: &Page, design: &Design) -> DesignForm {
    let laid = Laid::of(cases, &design.document, page.lang);
    let part = |part: Part| DesignPart {
        kind: part.kind(),
        values: laid.values(&part),
        faults: laid.faults_of(Some(&part)),
        part: part.to_string(),
    };
    DesignForm {
        design: DesignItem::of(design),
        parts: laid.parts().into_iter().map(part).collect(),
        faults: laid.faults_of(None),
    }
}

/// The document as a form.
#[derive(Template)]
#[template(path = "design_form.html")]
struct View<'a> {
    page: &'a Page,
    id: &'a str,
    code: String,
    name: String,
    revision: i64,
    /// True for who may write it now.
    writes: bool,
    /// True for a text that can be read part by part.
    read: bool,
    head: Vec<Row>,
    groups: Vec<Group>,
    pages: Vec<PageRow>,
    steps: Vec<Group>,
    /// The drawing and its table.
    flow: String,
    /// What is wrong with what is written in the text alone: where, and what.
    others: Vec<(String, DesignFault)>,
}

/// Parts of one kind.
struct Group {
    kind: &'static str,
    title: String,
    rows: Vec<Row>,
    /// The address of one that is added; empty when none can be.
    add: String,
}

/// A page of the form with its questions.
struct PageRow {
    /// What it is called.
    title: String,
    /// Itself, alone.
    rows: Vec<Row>,
    questions: Vec<Row>,
    /// The address of a question that is added.
    add: String,
    /// Its code, for the preview.
    code: String,
}

/// A part in a list.
struct Row {
    address: String,
    anchor: String,
    title: String,
    detail: String,
    up: bool,
    down: bool,
    removes: bool,
    faults: Vec<(String, DesignFault)>,
}

impl Row {
    fn new(page: &Page, laid: &Laid, part: &Part, of: usize) -> Self {
        let at = match part {
            Part::Item(_, Some(at)) if part.is_movable() => Some(*at),
            _ => None,
        };
        let faults = laid.faults_of(Some(part));
        let (title, detail) = titles(page, part, &laid.values(part));
        Self {
            address: part.to_string(),
            anchor: part.anchor(),
            title,
            detail,
            up: at.is_some_and(|at| at > 0),
            down: at.is_some_and(|at| at + 1 < of),
            removes: part.is_removable(),
            faults: faults
                .into_iter()
                .map(|fault| (place(page, &fault), fault))
                .collect(),
        }
    }
}

/// The parts of one kind as the page shows them.
fn group(page: &Page, laid: &Laid, kind: &'static str, parts: &[Part], add: Option<Part>) -> Group {
    Group {
        kind,
        title: page.t(&format!("form-group-{kind}")),
        rows: parts
            .iter()
            .map(|part| Row::new(page, laid, part, parts.len()))
            .collect(),
        add: add.map(|part| part.to_string()).unwrap_or_default(),
    }
}

fn page_row(page: &Page, laid: &Laid, part: &Part, of: usize) -> Option<PageRow> {
    let Part::Item(_, Some(at)) = part else {
        return None;
    };
    let questions = laid.list(List::Questions(*at));
    let all = questions.len();
    let row = Row::new(page, laid, part, of);
    Some(PageRow {
        title: row.title.clone(),
        rows: vec![row],
        code: laid.values(part).remove("code").unwrap_or_default(),
        add: Part::Item(List::Questions(*at), None).to_string(),
        questions: questions
            .iter()
            .map(|question| Row::new(page, laid, question, all))
            .collect(),
    })
}

impl<'a> View<'a> {
    fn of(
        cases: &Cases,
        who: &Principal,
        page: &'a Page,
        design: &'a Design,
    ) -> Result<Self, kernel::Problem> {
        let laid = Laid::of(cases, &design.document, page.lang);
        let (terms, papers, fee) = (laid.list(List::Terms), laid.list(List::Papers), laid.fee());
        let new = |list: List| Some(Part::Item(list, None));
        let pages = laid.list(List::Pages);
        let flow = match &laid.procedure {
            Some(procedure) => Flow::of(procedure, page.lang).html(page)?,
            None => String::new(),
        };
        let others = laid.faults_of(None).into_iter();
        Ok(View {
            page,
            id: &design.id,
            code: design.code.to_string(),
            name: name(cases, page, design),
            revision: design.revision,
            writes: who.has(DESIGNER) && design.stage == Stage::Draft,
            read: laid.document.is_some(),
            head: vec![Row::new(page, &laid, &Part::Head, 1)],
            groups: vec![
                group(page, &laid, "term", &terms, new(List::Terms)),
                group(page, &laid, "paper", &papers, new(List::Papers)),
                group(page, &laid, "fee", &fee, fee.is_empty().then_some(Part::Fee)),
            ],
            pages: pages
                .iter()
                .filter_map(|part| page_row(page, &laid, part, pages.len()))
                .collect(),
            steps: vec![
                group(page, &laid, "state", &laid.states(), Some(Part::State(None))),
                group(
                    page,
                    &laid,
                    "transition",
                    &laid.list(List::Transitions),
                    new(List::Transitions),
                ),
            ],
            flow,
            others: others.map(|fault| (place(page, &fault), fault)).collect(),
        })
    }
}

/// A version's document as a form, as a page.
#[utoipa::path(get, path = "/designs/{id}/form", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 200, description = "the document as a form", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
) -> Result<Html<String>, Refusal> {
    let design = load(&cases, &who, &id).await?;
    let body = render(&View::of(&cases, &who, &page, &design)?)?;
    Ok(page.html(&page.t("form-title"), body))
}

/// A version's document as a form.
#[utoipa::path(get, path = "/api/v1/designs/{id}/form", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way")),
    responses((status = 200, body = DesignForm), (status = 403), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
) -> Result<Json<DesignForm>, Refusal> {
    let design = load(&cases, &who, &id).await?;
    Ok(Json(view(&cases, &page, &design)))
}
