//! Who acts for whom at the portal (đại diện theo pháp luật, đại diện theo ủy quyền): a child's father or mother and a
//! company's legal representative, as a register says; a person's representative, as that person says in a session of their
//! own, or as a paper says that the desk looks at. The noun; one file an operation below. A mandate exists for its two sides
//! alone, and nobody is told whether a number is somebody's.

mod access;
mod answer;
mod api;
mod ask;
pub(crate) mod choose;
pub(crate) mod filing;
mod list;
mod paper;
mod prove;
pub(crate) mod rules;
mod store;
#[cfg(test)]
mod tests;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::time::{day_month_year, iso, parse_iso};
use kernel::{Date, Digest, Kind, PersonalNumber, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};
use web::Refusal;
use web::openapi::{OpenApiRouter, routes};

use crate::case::Applicant;
use crate::citizen::{Citizen, named};
use crate::procedure::{Procedure, Proof, Whom};
use crate::state::Cases;

pub(crate) use access::{acts, is_theirs, looked, still_acts, theirs};

/// The code under which the paper of a mandate is among those of a case.
pub(crate) const PAPER: &str = "mandate";

/// That somebody may act for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mandate {
    /// Its id, 32 hex digits.
    pub(crate) id: String,
    /// Who is represented.
    pub(crate) whom: Whom,
    /// Their personal number; of a company its tax code.
    pub(crate) represented: String,
    /// Their name: as the register says it, as they say it themselves, or until then as it was typed.
    pub(crate) name: String,
    /// The represented person's account, once they have answered in a session of their own.
    pub(crate) represented_account: Option<String>,
    /// Who acts.
    pub(crate) representative: Applicant,
    /// For which procedures; every one when empty.
    pub(crate) scope: Vec<ProcedureCode>,
    /// First day.
    pub(crate) from: Date,
    /// Last day.
    pub(crate) to: Date,
    /// What it rests on.
    pub(crate) proof: Proof,
    /// How it stands, whatever day it is.
    pub(crate) state: State,
    /// The exchange's request id of what a register said last; empty without.
    pub(crate) request: String,
    /// The paper that was uploaded for it.
    pub(crate) paper: Option<MandatePaper>,
    /// When it was asked for.
    pub(crate) made_at: Time,
    /// When it last changed.
    pub(crate) changed_at: Time,
}

/// The paper of a mandate: a PDF among the blobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MandatePaper {
    /// The sender's file name, cleaned.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) size: u64,
    /// The content's digest.
    pub(crate) digest: Digest,
}

/// How a mandate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The represented person has not answered.
    Asked,
    /// A register or the represented person said so.
    Confirmed,
    /// The represented person refused it.
    Refused,
    /// One of the two sides ended it.
    Revoked,
    /// Its last day is over, or the register does not say so any more.
    Ended,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Asked,
        Self::Confirmed,
        Self::Refused,
        Self::Revoked,
        Self::Ended,
    ];

    /// The word in rows, answers and texts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed => "confirmed",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Ended => "ended",
        }
    }

    /// Reads a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// On which side of a mandate somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Who acts.
    Representative,
    /// For whom.
    Represented,
}

impl Side {
    /// The word in facts and answers.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Representative => "representative",
            Self::Represented => "represented",
        }
    }
}

/// What somebody does with a mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The represented person says that it is so.
    Confirm,
    /// The represented person says that it is not.
    Refuse,
    /// Either side ends it.
    Revoke,
}

impl Mandate {
    /// On which side of it a citizen is; nothing for everybody else.
    pub(crate) fn side(&self, citizen: &Citizen) -> Option<Side> {
        if self.representative.account == citizen.who.account {
            Some(Side::Representative)
        } else if self.whom != Whom::Company && self.represented == citizen.number.as_str() {
            Some(Side::Represented)
        } else {
            None
        }
    }

    /// How it stands on a day.
    pub(crate) fn standing(&self, on: Date) -> State {
        match self.state {
            State::Asked | State::Confirmed if on > self.to => State::Ended,
            state => state,
        }
    }

    /// True when it covers a procedure.
    pub(crate) fn covers(&self, code: &ProcedureCode) -> bool {
        self.scope.is_empty() || self.scope.contains(code)
    }

    /// True on a day on which its representative may act: it began, it has not ended, and it was confirmed or rests on a paper
    /// that nobody has refused.
    pub(crate) fn is_in_force(&self, on: Date) -> bool {
        let said = match self.standing(on) {
            State::Confirmed => true,
            State::Asked => self.proof == Proof::Paper,
            State::Refused | State::Revoked | State::Ended => false,
        };
        said && self.from <= on
    }

    /// Holds it against what a procedure takes on a day.
    ///
    /// # Errors
    /// 422 at `mandate`: `mandate-ended`, `mandate-revoked`, `mandate-refused`, `mandate-unconfirmed`, `mandate-not-begun`,
    /// `mandate-scope`, `mandate-not-taken`.
    pub(crate) fn stands_for(&self, procedure: &Procedure, on: Date) -> Result<(), Problem> {
        let wrong = |code| Problem::invalid("mandate", code).with("mandate", self.short());
        match self.standing(on) {
            State::Ended => return Err(wrong("mandate-ended").with("to", day_month_year(self.to))),
            State::Revoked => return Err(wrong("mandate-revoked")),
            State::Refused => return Err(wrong("mandate-refused")),
            State::Asked if self.proof != Proof::Paper => return Err(wrong("mandate-unconfirmed")),
            State::Asked | State::Confirmed => {}
        }
        if on < self.from {
            return Err(wrong("mandate-not-begun").with("from", day_month_year(self.from)));
        }
        if !self.covers(&procedure.code) {
            return Err(wrong("mandate-scope").with("procedure", &procedure.code));
        }
        let takes = procedure.represents(self.whom);
        if takes.is_some_and(|one| self.is_shown_by(&one.proofs)) {
            Ok(())
        } else {
            Err(wrong("mandate-not-taken"))
        }
    }

    /// True when it rests on one of some proofs. A paper whose represented person has confirmed it is their word too.
    fn is_shown_by(&self, proofs: &[Proof]) -> bool {
        let confirmed = self.proof == Proof::Paper && self.state == State::Confirmed;
        proofs.contains(&self.proof) || confirmed && proofs.contains(&Proof::Word)
    }

    /// The mandate after a step on a day; `None` when that was done before.
    ///
    /// # Errors
    /// `mandate-answer` (403) when only the represented person may, `mandate-by-law` (403) where the law itself lets somebody
    /// act, `mandate-over` (409) when there is nothing to answer or to end any more.
    pub(crate) fn after(&self, step: Step, side: Side, on: Date) -> Result<Option<State>, Problem> {
        if side == Side::Represented && self.whom != Whom::Person {
            return Err(Problem::new(Kind::Forbidden, "mandate-by-law"));
        }
        let to = match (step, side) {
            (Step::Confirm | Step::Refuse, Side::Representative) => {
                return Err(Problem::new(Kind::Forbidden, "mandate-answer"));
            }
            (Step::Confirm, Side::Represented) => State::Confirmed,
            (Step::Refuse, Side::Represented) => State::Refused,
            (Step::Revoke, _) => State::Revoked,
        };
        match (self.standing(on), to) {
            (now, to) if now == to => Ok(None),
            (State::Asked, to) | (State::Confirmed, to @ State::Revoked) => Ok(Some(to)),
            _ => Err(Problem::new(Kind::Conflict, "mandate-over")),
        }
    }

    /// The beginning of its id, as texts name it.
    pub(crate) fn short(&self) -> String {
        self.id.chars().take(8).collect()
    }
}

/// The subject of the facts about a mandate.
pub(crate) fn subject(id: &str) -> String {
    format!("mandate/{id}")
}

/// Who filed a case for its applicant, and by what right; as it goes with the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Representative {
    /// The mandate's id at the portal.
    pub mandate: String,
    /// The representative's account at the portal.
    pub account: String,
    /// The representative's personal number.
    pub number: PersonalNumber,
    /// The representative's name.
    pub name: String,
    /// Who is represented.
    pub whom: Whom,
    /// The represented one's personal number; of a company its tax code.
    pub represented: String,
    /// First day of the mandate, `2026-11-21`.
    pub from: String,
    /// Last day of the mandate.
    pub to: String,
    /// What it rests on.
    pub proof: Proof,
    /// True when a register or the represented person had said so by the time of filing.
    pub confirmed: bool,
}

impl Representative {
    /// What a mandate says of its representative as a case is filed.
    pub(crate) fn of(mandate: &Mandate) -> Self {
        Self {
            mandate: mandate.id.clone(),
            account: mandate.representative.account.clone(),
            number: mandate.representative.number.clone(),
            name: mandate.representative.name.clone(),
            whom: mandate.whom,
            represented: mandate.represented.clone(),
            from: iso(mandate.from),
            to: iso(mandate.to),
            proof: mandate.proof,
            confirmed: mandate.state == State::Confirmed,
        }
    }

    /// The last day of the mandate.
    #[must_use]
    pub fn last_day(&self) -> Option<Date> {
        parse_iso(&self.to)
    }

    /// True when it fits an applicant and a day of filing, and a procedure takes its proof: what a desk holds a case that is
    /// handed over against.
    #[must_use]
    pub fn fits(&self, procedure: &Procedure, applicant: &Applicant, filed: Date) -> bool {
        let (from, to) = (parse_iso(&self.from), self.last_day());
        let within = from.is_some_and(|from| from <= filed) && to.is_some_and(|to| filed <= to);
        let taken = procedure.represents(self.whom).is_some_and(|one| {
            let said = self.proof == Proof::Paper && self.confirmed;
            one.proofs.contains(&self.proof) || said && one.proofs.contains(&Proof::Word)
        });
        // A company has no personal number: its applicant bears that of who speaks for it.
        let named = match self.whom {
            Whom::Company => applicant.number == self.number,
            Whom::Child | Whom::Person => {
                applicant.number.as_str() == self.represented && applicant.number != self.number
            }
        };
        within && taken && named && (self.confirmed || self.proof == Proof::Paper)
    }
}

/// A citizen at a mandate of theirs, on either side of it, `{mandate}` of the address.
pub(crate) struct AtMandate {
    pub(crate) cases: Cases,
    pub(crate) citizen: Citizen,
    pub(crate) mandate: Mandate,
}

impl FromRequestParts<Cases> for AtMandate {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let citizen = Citizen::from_request_parts(parts, cases).await?;
        let id = named(parts, cases, "mandate").await?;
        let reader = cases.store.read(&cases.tenant).await?;
        let mandate = store::one(&reader, &id).await?;
        let mandate = mandate.filter(|mandate| mandate.side(&citizen).is_some());
        Ok(Self {
            cases: cases.clone(),
            citizen,
            mandate: mandate.ok_or_else(Problem::not_found)?,
        })
    }
}

/// The routes of the portal.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::page, ask::by_form))
        .routes(routes!(list::api, ask::by_json))
        .routes(routes!(paper::file))
        .routes(routes!(answer::confirm_by_form))
        .routes(routes!(answer::confirm_by_json))
        .routes(routes!(answer::refuse_by_form))
        .routes(routes!(answer::refuse_by_json))
        .routes(routes!(answer::revoke_by_form))
        .routes(routes!(answer::revoke_by_json))
        .routes(routes!(choose::show, choose::by_form))
}
