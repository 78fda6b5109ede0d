//! `GET /designs/{id}/preview/{page}`: a page of the form as the citizen will see it, without a draft and with
//! nothing filled in. For who designs and who publishes; nothing that is typed there is kept.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use kernel::{Kind, Problem};
use web::openapi::utoipa;
use web::{Page, Refusal, SignedIn};

use crate::case::Answers;
use crate::citizen::render;
use crate::citizen::view::Field;
use crate::design::list::name;
use crate::design::read;
use crate::design::show::load;
use crate::draft::Draft;
use crate::procedure::Procedure;
use crate::shown::say;
use crate::state::Cases;

#[derive(Template)]
#[template(path = "design_preview.html")]
struct View<'a> {
    page: &'a Page,
    id: &'a str,
    /// The procedure.
    of_code: String,
    name: String,
    number: usize,
    of: usize,
    title: &'a str,
    /// The rule by which the page is asked at all; empty when it always is.
    show: String,
    fields: Vec<Field>,
    /// Questions that are only asked by a rule: label, rule.
    conditions: Vec<(String, String)>,
    /// The page before and the one after it, by code.
    before: Option<String>,
    after: Option<String>,
}

/// A draft in which nobody has typed anything.
fn empty(procedure: &Procedure, now: kernel::Time) -> Draft {
    Draft {
        id: String::new(),
        account: String::new(),
        procedure: procedure.code.clone(),
        version: procedure.version(),
        answers: Answers::new(),
        prefilled: BTreeMap::new(),
        revision: 0,
        filed_as: None,
        mandate: None,
        created_at: now,
        changed_at: now,
    }
}

/// A page of the form as the citizen sees it.
#[utoipa::path(get, path = "/designs/{id}/preview/{page}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way"), ("page" = String, Path, description = "the page of the form")),
    responses((status = 200, description = "the page as the citizen sees it", content_type = "text/html"), (status = 403),
              (status = 404), (status = 409, description = "the text cannot be read as a procedure")))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path((id, code)): Path<(String, String)>,
) -> Result<Html<String>, Refusal> {
    let design = load(&cases, &who, &id).await?;
    let read = read::document(&cases, &design.document).procedure;
    let procedure = read.ok_or_else(|| Problem::new(Kind::Conflict, "design-form-unread"))?;
    let at = procedure.pages.iter().position(|form| form.code == code);
    let at = at.ok_or_else(Problem::not_found)?;
    let form = procedure.pages.get(at).ok_or_else(Problem::not_found)?;
    let draft = empty(&procedure, cases.store.world().now());
    let beside = |at: Option<usize>| {
        let form = at.and_then(|at| procedure.pages.get(at));
        form.map(|form| form.code.clone())
    };
    let conditions = form.questions.iter().filter_map(|question| {
        let rule = question.show.as_ref()?;
        Some((say(&question.label, page.lang).to_owned(), rule.text().to_owned()))
    });
    let body = render(&View {
        page: &page,
        id: &design.id,
        of_code: design.code.to_string(),
        name: name(&cases, &page, &design),
        number: at + 1,
        of: procedure.pages.len(),
        title: say(&form.title, page.lang),
        show: form
            .show
            .as_ref()
            .map(|rule| rule.text().to_owned())
            .unwrap_or_default(),
        fields: form
            .questions
            .iter()
            .map(|question| Field::new(&cases, &page, question, &draft, None, &[]))
            .collect(),
        conditions: conditions.collect(),
        before: beside(at.checked_sub(1)),
        after: beside(Some(at + 1)),
    })?;
    Ok(page.html(&page.t("form-preview"), body))
}
