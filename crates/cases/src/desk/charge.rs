//! What becomes known to be owed while a case is handled (nghĩa vụ tài chính): an officer names the amount with its ground,
//! the case waits for its applicant, and goes on once it is paid: at the bank, as the portal says, or at the desk. Never the
//! fee that is owed before a case is there: that one the portal collects before it hands the case over.

mod ask;
mod part;
mod pay;
#[cfg(test)]
mod tests;

use kernel::{CaseCode, Problem, Time};
use web::openapi::{OpenApiRouter, routes};

use crate::case::Case;
use crate::clock::fold::Event;
use crate::procedure::Procedure;
use crate::state::Cases;

pub(crate) use part::{ChargeView, section};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(ask::by_form))
        .routes(routes!(ask::by_json))
        .routes(routes!(pay::by_form))
        .routes(routes!(pay::by_json))
}

/// The id of the notice that asks for a charge.
fn notice_id(code: &CaseCode, number: u32) -> String {
    format!("charge-{number}-{code}")
}

impl Cases {
    /// Lets the clock of a case go on that waited for its applicant, for a supplement or a payment that did not come; gives the
    /// date by which it is judged now, where nothing was owed meanwhile.
    ///
    /// # Errors
    /// As [`crate::clock::fold::reckon`].
    pub(crate) fn gone_on(
        &self,
        case: &mut Case,
        procedure: &Procedure,
        now: Time,
    ) -> Result<Option<Time>, Problem> {
        let counts = case.course.end_charge(now).map(|charge| charge.counts);
        match counts {
            Some(counts) => self.charge_ended(case, procedure, (now, counts)),
            None => self.resume(case, procedure, now),
        }
    }

    /// Tells the clock that a charge is awaited no longer; gives the date by which the case is judged now, unless its time ran
    /// on meanwhile and was owed all along.
    fn charge_ended(
        &self,
        case: &mut Case,
        procedure: &Procedure,
        (now, counts): (Time, bool),
    ) -> Result<Option<Time>, Problem> {
        let unit = case.unit.clone();
        self.tell_clock(case, procedure, Event::ChargeEnded { at: now, unit })?;
        Ok(case.owed_by().filter(|_| !counts))
    }
}
