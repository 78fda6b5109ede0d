//! Asking other units for an opinion while a case runs (lấy ý kiến): several at once, each with its own question, its
//! own date and its own obligation; the case's time runs on meanwhile. An asked unit reads what the procedure
//! shows it and no more of the case.
//!
//! | read | for |
//! |---|---|
//! | [`ask`], [`take_back`] | the officer of the case: asking, and wanting no answer any more |
//! | [`answer`] | the asked unit answers, once |
//! | [`list`], [`page`] | what is asked of a unit, and one question with what it sees of the case |
//! | `part` | the opinions on the case's own page |
//! | [`job`] | what is late is told, and what was asked of a unit that ended goes to who took over |

pub mod answer;
pub mod ask;
pub mod job;
pub mod list;
pub mod page;
pub(crate) mod part;
#[cfg(test)]
mod permit;
pub(crate) mod store;
pub mod take_back;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use ::store::Tx;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use kernel::{CaseCode, Fact, Problem};
use web::openapi::{OpenApiRouter, routes};
use web::{Principal, Refusal, SignedIn};

use crate::case::Case;
use crate::consult::{Consult, Ended, Why};
use crate::desk::official::code;
use crate::state::Cases;
use crate::store::{self as rows, Held, Rows, subject};

/// Who asks for an opinion.
const ASKERS: [&str; 1] = ["officer"];
/// Who answers for a unit.
const ANSWERERS: [&str; 3] = ["officer", "chairman", "deputy-chairman"];
/// Who leads a unit: they are told of what is late.
pub(crate) const LEADERS: [&str; 2] = ["chairman", "deputy-chairman"];

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(ask::page, ask::by_form))
        .routes(routes!(ask::json, ask::by_json))
        .routes(routes!(take_back::by_form))
        .routes(routes!(take_back::by_json))
        .routes(routes!(list::show))
        .routes(routes!(list::show_json))
        .routes(routes!(page::show))
        .routes(routes!(page::show_json))
        .routes(routes!(page::paper))
        .routes(routes!(page::opinion))
        .routes(routes!(answer::by_form))
        .routes(routes!(answer::by_json))
}

/// An official of this place and the consult that an address names.
pub(crate) struct AtConsult {
    pub(crate) cases: Cases,
    pub(crate) who: Principal,
    pub(crate) code: CaseCode,
    pub(crate) number: u32,
}

impl FromRequestParts<Cases> for AtConsult {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let SignedIn(who) = SignedIn::from_request_parts(parts, cases).await?;
        cases.official(&who)?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, cases).await;
        let Path(path) = path.map_err(|_| Problem::not_found())?;
        let part = |name: &str| path.get(name).map(String::as_str).unwrap_or_default();
        let number = part("number").parse().map_err(|_| Problem::not_found())?;
        Ok(Self {
            cases: cases.clone(),
            who,
            code: code(part("code"))?,
            number,
        })
    }
}

/// The obligation of an asked unit to answer.
pub(crate) fn obligation(code: &CaseCode, number: u32) -> String {
    format!("consult/{code}/{number}")
}

/// The holder of the paper that came with an answer: nobody's but the consult's, so that no receipt counts it.
pub(crate) fn holder(code: &CaseCode, number: u32) -> String {
    format!("{}/consult/{number}", subject(code))
}

impl Cases {
    /// What an official's own unit is asked about a case, and the case. To everybody else it does not exist.
    ///
    /// # Errors
    /// As [`Cases::official`]; 404 for what another unit is asked; `case-own` for a case of the official's own.
    pub(crate) async fn asked(
        &self,
        rows: &impl Rows,
        who: &Principal,
        code: &CaseCode,
        number: u32,
    ) -> Result<(Held, Consult), Problem> {
        self.official(who)?;
        let held = rows::case(rows, code).await?.ok_or_else(Problem::not_found)?;
        let asked = held.case.consult(number).filter(|one| one.unit == who.unit);
        let asked = asked.cloned().ok_or_else(Problem::not_found)?;
        held.case.not_own(who.subject.as_ref())?;
        Ok((held, asked))
    }
}

/// Wants no answer any more to what is still open of a case that is about to be saved.
///
/// # Errors
/// The store's own problems.
pub(crate) async fn end_open(tx: &Tx, case: &mut Case, why: Why) -> Result<(), Problem> {
    let open: Vec<u32> = case
        .course
        .consults
        .iter()
        .filter(|one| one.is_open())
        .map(|one| one.number)
        .collect();
    for number in open {
        end(tx, case, number, (why, "")).await?;
    }
    Ok(())
}

/// Wants no answer any more to one question of a case that is about to be saved.
///
/// # Errors
/// The store's own problems.
pub(crate) async fn end(
    tx: &Tx,
    case: &mut Case,
    number: u32,
    (why, note): (Why, &str),
) -> Result<(), Problem> {
    let code = case.code.clone();
    let Some(consult) = case.course.consults.iter_mut().find(|one| one.number == number) else {
        return Err(Problem::not_found());
    };
    consult.ended = Some(Ended {
        why,
        at: tx.now(),
        note: note.to_owned(),
    });
    store::end(tx, &code, number).await?;
    obligations::lift(tx, &obligation(&code, number), why.as_str()).await?;
    let fact = Fact::CaseConsultEnded {
        case: code.clone(),
        consult: number,
        why: why.as_str().to_owned(),
    };
    tx.fact(&subject(&code), fact).await?;
    Ok(())
}
