//! The form that narrows what a page lists, by some fields and a result: of traffic, evidence and audit.
//! Never looks anything up.

use askama::Template;
use kernel::Problem;
use web::Page;

use crate::evidence::Outcome;

#[derive(Template)]
#[template(path = "filter.html")]
struct View<'a> {
    page: &'a Page,
    list: &'static str,
    fields: Vec<Field>,
    results: Vec<(&'static str, String, bool)>,
    result_error: String,
}

struct Field {
    name: &'static str,
    kind: &'static str,
    label: String,
    value: String,
    error: String,
}

/// A field of the form: its name, its kind, and what stands in it.
pub(crate) type Narrowed<'a> = (&'static str, &'static str, &'a Option<String>);

/// The form of a list, with what is wrong at its fields. A result is its key, its words, and whether it is
/// the chosen one.
pub(crate) fn form<'a>(
    page: &Page,
    (list, problems): (&'static str, &[Problem]),
    fields: impl IntoIterator<Item = Narrowed<'a>>,
    results: Vec<(&'static str, String, bool)>,
) -> Result<String, Problem> {
    let field = |(name, kind, value): Narrowed<'_>| Field {
        name,
        kind,
        label: page.t(&format!("exchange-find-{name}")),
        value: value.clone().unwrap_or_default(),
        error: page.field_error(problems, name),
    };
    let view = View {
        list,
        fields: fields.into_iter().map(field).collect(),
        results,
        result_error: page.field_error(problems, "result"),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// How an exchange may have ended, to choose from.
pub(crate) fn outcomes(page: &Page, chosen: Option<&str>) -> Vec<(&'static str, String, bool)> {
    let outcome = |outcome: Outcome| {
        let key = outcome.as_str();
        let words = page.t(&format!("exchange-result-{key}"));
        (key, words, Some(key) == chosen)
    };
    Outcome::ALL.map(outcome).into()
}
