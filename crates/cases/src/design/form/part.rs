//! `GET /designs/{id}/form/{part}`: one part of a version's document, field by field, to change or to add. What is
//! sent is taken by `save`. For who designs and who publishes; the latter only reads.

use std::slice;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use web::auth::DESIGNER;
use web::openapi::utoipa;
use web::{Page, Principal, Refusal, SignedIn};

use super::Part;
use super::field::{Field, Input};
use super::save::part_of;
use super::show::Laid;
use super::value::Values;
use super::words::{titles, word};
use crate::citizen::render;
use crate::design::read::DesignFault;
use crate::design::show::{load, place};
use crate::design::{Design, Stage};
use crate::state::Cases;

#[derive(Template)]
#[template(path = "design_part.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    id: &'a str,
    /// The part's address.
    part: String,
    anchor: String,
    kind: String,
    title: String,
    revision: i64,
    writes: bool,
    fields: Vec<FieldRow>,
    /// Where, and what.
    faults: Vec<(String, DesignFault)>,
}

/// A field as it is shown.
struct FieldRow {
    name: String,
    label: String,
    /// Empty when there is nothing to say.
    hint: String,
    /// `line`, `code`, `number`, `lines`, `tick` or `one`.
    form: &'static str,
    value: String,
    options: Vec<Pick>,
    optional: bool,
    error: String,
}

/// One of several words.
struct Pick {
    value: String,
    label: String,
    picked: bool,
}

impl FieldRow {
    /// A field as one box, or as one for each language.
    fn all(
        page: &Page,
        field: &Field,
        values: &Values,
        states: &[String],
        problems: &[Problem],
    ) -> Vec<Self> {
        let label = page.t(&format!("form-field-{}", field.key.replace('_', "-")));
        match field.input {
            Input::Words => ["vi", "en"]
                .into_iter()
                .map(|lang| {
                    let language = page.t(&format!("form-lang-{lang}"));
                    let label = format!("{label} ({language})");
                    Self::one(
                        page,
                        field,
                        format!("{}-{lang}", field.key),
                        label,
                        values,
                        problems,
                    )
                })
                .collect(),
            _ => {
                let mut row = Self::one(page, field, field.key.to_owned(), label, values, problems);
                row.offer(page, field, states);
                vec![row]
            }
        }
    }

    fn one(
        page: &Page,
        field: &Field,
        name: String,
        label: String,
        values: &Values,
        problems: &[Problem],
    ) -> Self {
        let hint = match field.input {
            Input::Lines => page.t("form-hint-lines"),
            Input::Pairs => page.t("form-hint-pairs"),
            Input::Choices => page.t("form-hint-choices"),
            _ if field.key == "show" => page.t("form-hint-rule"),
            _ if field.key == "amount" => page.t("form-hint-amount"),
            _ => String::new(),
        };
        let form = match field.input {
            Input::Line | Input::Words => "line",
            Input::Code => "code",
            Input::Number => "number",
            Input::Tick => "tick",
            Input::One(_) | Input::OneState => "one",
            Input::Lines | Input::Pairs | Input::Choices => "lines",
        };
        Self {
            value: values.get(&name).cloned().unwrap_or_default(),
            error: page.field_error(problems, &name),
            optional: !field.needed,
            options: Vec::new(),
            name,
            label,
            hint,
            form,
        }
    }

    /// What can be chosen; what stands there although it cannot is kept.
    fn offer(&mut self, page: &Page, field: &Field, states: &[String]) {
        let mut values: Vec<String> = match field.input {
            Input::One(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Input::OneState => states.to_vec(),
            _ => return,
        };
        if !self.value.is_empty() && !values.contains(&self.value) {
            values.push(self.value.clone());
        }
        let pick = |value: String| Pick {
            label: word(page, field.key, &value),
            picked: value == self.value,
            value,
        };
        self.options = values.into_iter().map(pick).collect();
    }
}

impl<'a> View<'a> {
    /// The part as it stands, or with what was typed.
    fn of(
        cases: &Cases,
        who: &Principal,
        page: &'a Page,
        design: &'a Design,
        (part, typed): (&Part, Option<Values>),
        problems: &[Problem],
    ) -> Result<Self, Problem> {
        let laid = Laid::of(cases, &design.document, page.lang);
        let document = laid
            .document
            .as_ref()
            .ok_or_else(|| Problem::new(kernel::Kind::Conflict, "design-form-unread"))?;
        let there = document.values(part);
        let absent = there.is_none() && !part.is_new() && *part != Part::Fee;
        if absent {
            return Err(Problem::not_found());
        }
        let is_there = there.is_some();
        let before = there.unwrap_or_default();
        let title = match is_there {
            true => titles(page, part, &before).0,
            false => page.t("form-new"),
        };
        let mut values = before;
        values.extend(typed.unwrap_or_default());
        let states = document.states();
        let fields = part.fields().iter();
        // The code of a state is its key: it is said once, when the state is added.
        let fields = fields.filter(|field| !(field.key == "code" && matches!(part, Part::State(Some(_)))));
        let faults = match is_there {
            true => laid.faults_of(Some(part)),
            false => Vec::new(),
        };
        Ok(View {
            page,
            errors: page.errors(problems),
            id: &design.id,
            part: part.to_string(),
            anchor: part.anchor(),
            kind: page.t(&format!("form-part-{}", part.kind())),
            title,
            revision: design.revision,
            writes: who.has(DESIGNER) && design.stage == Stage::Draft,
            fields: fields
                .flat_map(|field| FieldRow::all(page, field, &values, &states, problems))
                .collect(),
            faults: faults
                .into_iter()
                .map(|fault| (place(page, &fault), fault))
                .collect(),
        })
    }
}

/// The part again, with what is wrong and what was typed.
///
/// # Errors
/// As [`load`]; 404 for a part that is not there.
pub(super) async fn again(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    (id, part): (&str, &Part),
    typed: Values,
    problem: &Problem,
) -> Result<Response, Problem> {
    let design = load(cases, who, id).await?;
    let problems = slice::from_ref(problem);
    let body = render(&View::of(
        cases,
        who,
        page,
        &design,
        (part, Some(typed)),
        problems,
    )?)?;
    let status = problem.kind.status();
    Ok(page.html_status(status, &page.t("form-title"), body))
}

/// One part of a version's document, as a page.
#[utoipa::path(get, path = "/designs/{id}/form/{part}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the version on its way"),
           ("part" = String, Path, description = "the part: `papers.0`, `pages.0.questions.new`, `states.accepted`")),
    responses((status = 200, description = "the part", content_type = "text/html"), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path((id, address)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let design = load(&cases, &who, &id).await?;
    let part = part_of(&address)?;
    let body = render(&View::of(&cases, &who, &page, &design, (&part, None), &[])?)?;
    Ok(page.html(&page.t("form-title"), body).into_response())
}
