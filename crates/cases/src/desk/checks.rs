//! What is typed at a desk from paper is compared with the registers that fill it in at the portal: at once while they
//! answer, and by itself once they answer again. What a register says otherwise is told to the desk; an official looks at
//! it and notes what came of it. Never holds a case up, and never changes what was typed.
//!
//! | read | for |
//! |---|---|
//! | `compare` | by what a register is asked, and what differs, pure |
//! | `ask` | the deliverer: the register is asked, its word kept |
//! | [`settle`] | an official notes what came of it, or has the register asked once more |
//! | [`list`] | what waits and what is to be looked at, `/desk/checks` |
//! | `part` | the part of a case's page |

mod ask;
pub(crate) mod compare;
pub mod list;
pub(crate) mod part;
pub mod settle;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ::store::Tx;
use exchange::ServiceId;
use kernel::{CaseCode, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::openapi::{OpenApiRouter, ToSchema, routes};

pub(crate) use ask::Checks;

use crate::case::Case;
use crate::procedure::{Prefill, Procedure, Text};
use crate::state::Cases;

/// The outbox topic; its keys are case codes.
pub(crate) const TOPIC: &str = "case-check";

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::show))
        .routes(routes!(list::show_json))
        .routes(routes!(settle::by_form))
        .routes(routes!(settle::by_json))
}

/// Where a comparison with a register stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CheckState {
    /// The register has not answered yet.
    Waits,
    /// It says what was typed.
    Agrees,
    /// It says something else.
    Differs,
    /// It has no such record.
    None,
    /// It will not answer: asking again by itself would not help.
    Refused,
    /// It did not answer for so long that it is not asked any more by itself.
    Unanswered,
    /// The case was not taken in, taken back or stopped before.
    Dropped,
    /// An official looked at it and noted what came of it.
    Settled,
}

impl CheckState {
    /// All of them.
    const ALL: [Self; 8] = [
        Self::Waits,
        Self::Agrees,
        Self::Differs,
        Self::None,
        Self::Refused,
        Self::Unanswered,
        Self::Dropped,
        Self::Settled,
    ];

    /// As rows, facts and texts name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::None => "none",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Dropped => "dropped",
            Self::Settled => "settled",
        }
    }

    /// In which part of the list it is.
    pub(crate) const fn part(self) -> store::Part {
        match self {
            Self::Waits => store::Part::Waits,
            Self::Differs | Self::None | Self::Refused | Self::Unanswered => store::Part::Open,
            Self::Agrees | Self::Dropped | Self::Settled => store::Part::Done,
        }
    }
}

/// A comparison of a case with a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) code: CaseCode,
    /// Among those of its case, from 1.
    pub(crate) number: u32,
    /// The unit that has the case.
    pub(crate) unit: OrgCode,
    pub(crate) state: CheckState,
    /// Since when it stands so.
    pub(crate) at: Time,
    pub(crate) details: Details,
}

/// What is asked, and what came of it. Personal data: what a register says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The service on the exchange.
    pub(crate) service: String,
    /// What it is called.
    pub(crate) source: Text,
    /// The key sent, as the procedure says it.
    pub(crate) key: BTreeMap<String, String>,
    /// What is compared: our field with the record's.
    pub(crate) fills: BTreeMap<String, String>,
    /// On whose behalf: the account of who typed it, or had it asked again.
    pub(crate) by: String,
    /// Since when the register is to be asked.
    pub(crate) begun: Time,
    /// What the register says otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) differs: Vec<Difference>,
    /// The exchange's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<String>,
    /// Why it will not answer: a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// What an official noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settled: Option<Settled>,
}

/// What a register says otherwise than was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    /// The field of the form.
    pub(crate) field: String,
    /// What the register says.
    pub(crate) said: String,
}

/// What an official noted of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// The official's account.
    pub(crate) by: String,
    /// The official's name.
    pub(crate) by_name: String,
    /// When.
    pub(crate) at: Time,
    /// What came of it.
    pub(crate) note: String,
}

impl Cases {
    /// The registers that a procedure's form is filled from, as far as an agreement lets this desk ask them.
    pub(crate) fn checkable<'p>(&self, procedure: &'p Procedure) -> impl Iterator<Item = &'p Prefill> {
        let now = self.store.world().now();
        procedure.prefill.iter().filter(move |prefill| {
            let service = prefill.service.parse::<ServiceId>();
            service.is_ok_and(|service| self.exchange.may_ask(&self.system, &service, now))
        })
    }

    /// Has what was typed of a case compared with its registers; in the write that takes it in.
    pub(crate) async fn begin_checks(
        &self,
        tx: &Tx,
        case: &Case,
        procedure: &Procedure,
        by: &str,
    ) -> Result<(), Problem> {
        let sex = case.applicant.number.sex();
        let asked: Vec<&Prefill> = self
            .checkable(procedure)
            .filter(|prefill| prefill.applicant.is_none_or(|only| only == sex))
            .filter(|prefill| compare::body(&prefill.key, &prefill.fills, case).is_some())
            .filter(|prefill| compare::is_typed(&prefill.fills, case))
            .collect();
        for (number, prefill) in (1..).zip(asked) {
            let check = Check {
                code: case.code.clone(),
                number,
                unit: case.unit.clone(),
                state: CheckState::Waits,
                at: tx.now(),
                details: Details {
                    service: prefill.service.clone(),
                    source: prefill.source.clone(),
                    key: prefill.key.clone(),
                    fills: prefill.fills.clone(),
                    by: by.to_owned(),
                    begun: tx.now(),
                    differs: Vec::new(),
                    request: None,
                    why: None,
                    settled: None,
                },
            };
            store::insert(tx, &check).await?;
            enqueue(tx, &case.code, number).await?;
        }
        Ok(())
    }
}

/// Puts a comparison in line.
async fn enqueue(tx: &Tx, code: &CaseCode, number: u32) -> Result<(), Problem> {
    tx.outbox(TOPIC, code.as_str(), &json!({ "check": number })).await
}
