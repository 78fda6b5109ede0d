//! The part of a case's page that says what was compared with registers, what they say otherwise, and lets an official note
//! what came of it. Never shown where nothing is compared.

use ::store::Reader;
use askama::Template;
use kernel::{CaseCode, Problem, Time};
use serde::Serialize;
use web::openapi::ToSchema;
use web::{Fields, Page};

use super::settle::{AGAIN, LOOKERS, NOTE, SETTLE};
use super::store::Part as ListPart;
use super::{Check, CheckState, compare, store};
use crate::case::Case;
use crate::citizen::render;
use crate::desk::page::now::Now;
use crate::procedure::Procedure;
use crate::shown::{say, shown};
use crate::state::Cases;

#[derive(Template)]
#[template(path = "desk_checks_part.html")]
struct Part<'a> {
    page: &'a Page,
    code: &'a CaseCode,
    checks: Vec<Shown>,
    /// The message at the note, HTML.
    fault: String,
    settle: &'static str,
    again: &'static str,
    field: &'static str,
}

/// A comparison as the page shows it.
struct Shown {
    number: u32,
    source: String,
    class: &'static str,
    state: String,
    /// Since when, and why where a register said so.
    told: String,
    differs: Vec<Row>,
    /// What an official noted: who and when, and the note.
    settled: Option<(String, String)>,
    /// True where the reader may note what came of it.
    open: bool,
    /// The note as typed, where its form is at fault.
    typed: Option<String>,
}

/// A field of which the register says something else.
struct Row {
    label: String,
    typed: String,
    said: String,
    /// What was typed has been put right since.
    mended: bool,
}

/// A comparison as programs read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    /// Its number among those of the case, from 1.
    check: u32,
    /// The register's service.
    service: String,
    /// Where it stands.
    state: CheckState,
    /// Since when, RFC 3339.
    since: String,
    /// What the register says otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<DifferenceView>,
    /// Why it will not answer: a key.
    why: Option<String>,
    /// What an official noted.
    note: Option<String>,
}

/// A field of which a register says something else.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferenceView {
    /// The field of the form.
    field: String,
    /// What was typed.
    typed: String,
    /// What the register says.
    said: String,
}

/// The part; empty where nothing is compared.
///
/// # Errors
/// Unavailable; Internal when it cannot be put together.
pub(crate) async fn section(
    cases: &Cases,
    page: &Page,
    before: Now<'_>,
    reader: &Reader,
    (faults, fields): (&[Problem], Option<&Fields>),
) -> Result<String, Problem> {
    let Now {
        case, procedure, who, ..
    } = before;
    let checks = store::of_case(reader, &case.code).await?;
    if checks.is_empty() {
        return Ok(String::new());
    }
    let looks = LOOKERS.iter().any(|role| who.has(role)) && case.not_own(who.subject.as_ref()).is_ok();
    let sent = fields.and_then(|fields| {
        let number = fields.text("check")?;
        Some((number, fields.lines(NOTE).unwrap_or_default()))
    });
    let one = |check: &Check| {
        let typed = sent
            .as_ref()
            .filter(|(number, _)| *number == check.number.to_string());
        Shown {
            open: looks && check.state.part() == ListPart::Open,
            typed: typed.map(|(_, note)| note.clone()),
            ..show(cases, page, (case, procedure), check)
        }
    };
    render(&Part {
        page,
        code: &case.code,
        checks: checks.iter().map(one).collect(),
        fault: page.field_error(faults, NOTE),
        settle: SETTLE,
        again: AGAIN,
        field: NOTE,
    })
}

fn show(cases: &Cases, page: &Page, (case, procedure): (&Case, &Procedure), check: &Check) -> Shown {
    let details = &check.details;
    let since = page.tw("desk-check-since", &[("time", page.time(check.at))]);
    let on = case.filed_at.date();
    let row = |difference: &super::Difference| {
        let field = difference.field.as_str();
        let question = procedure.question(field);
        let typed = case.answers.get(field).map_or("", String::as_str);
        let words = |value: &str| match question {
            Some(question) => shown(cases, page, question, value, on),
            None => value.to_owned(),
        };
        Row {
            label: question
                .map_or(field, |question| say(&question.label, page.lang))
                .to_owned(),
            typed: words(typed),
            said: words(&difference.said),
            mended: compare::alike(typed, &difference.said),
        }
    };
    Shown {
        number: check.number,
        source: say(&details.source, page.lang).to_owned(),
        class: class(check.state),
        state: page.t(&format!("desk-check-{}", check.state.as_str())),
        told: match &details.why {
            Some(why) => format!("{since} ({why})"),
            None => since,
        },
        differs: details.differs.iter().map(row).collect(),
        settled: details.settled.as_ref().map(|settled| {
            let args = [("name", settled.by_name.clone()), ("time", page.time(settled.at))];
            (page.tw("desk-check-settled-by", &args), settled.note.clone())
        }),
        open: false,
        typed: None,
    }
}

const fn class(state: CheckState) -> &'static str {
    match state {
        CheckState::Agrees | CheckState::Settled => "tag tag-good",
        CheckState::Waits => "tag tag-now",
        CheckState::Differs | CheckState::None | CheckState::Refused | CheckState::Unanswered => {
            "tag tag-bad"
        }
        CheckState::Dropped => "tag",
    }
}

/// What is compared of a case, as programs read it.
///
/// # Errors
/// Unavailable.
pub(crate) async fn views(reader: &Reader, case: &Case) -> Result<Vec<CheckView>, Problem> {
    let one = |check: Check| CheckView {
        check: check.number,
        state: check.state,
        since: Time::rfc3339(check.at),
        differs: check
            .details
            .differs
            .into_iter()
            .map(|difference| DifferenceView {
                typed: case.answers.get(&difference.field).cloned().unwrap_or_default(),
                field: difference.field,
                said: difference.said,
            })
            .collect(),
        service: check.details.service,
        why: check.details.why,
        note: check.details.settled.map(|settled| settled.note),
    };
    Ok(store::of_case(reader, &case.code)
        .await?
        .into_iter()
        .map(one)
        .collect())
}
