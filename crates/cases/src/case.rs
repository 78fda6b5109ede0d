//! A case (hồ sơ thủ tục hành chính) and what may be done with it now. Pure: no row, no request, no
//! clock inside; a verb gives the next state, or says why not (`may`).

mod may;

use kernel::fact::{Channel, DraftAnswer, Outcome};
use kernel::{CaseCode, Digest, Fact, Kind, OrgCode, PersonalNumber, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use crate::course::Course;
use crate::procedure::{Procedure, Transition, Verb};
pub(crate) use may::APOLOGY_WRITERS;
pub use may::WhyNot;

/// The applicant's answers, by field.
pub type Answers = BTreeMap<String, String>;

/// A case as its owner or its portal holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its code.
    pub code: CaseCode,
    /// Its procedure.
    pub procedure: ProcedureCode,
    /// The version it was filed under, kept to its end.
    pub version: Digest,
    /// The unit that receives it.
    pub unit: OrgCode,
    /// How it was filed.
    pub channel: Channel,
    /// Whose it is.
    pub applicant: Applicant,
    /// What was answered.
    pub answers: Answers,
    /// Its state's code in the procedure.
    pub state: String,
    /// How often it has changed: a page that shows an older revision is stale.
    pub revision: i64,
    /// When it was filed.
    pub filed_at: Time,
    /// When it was accepted, and by when its result is owed.
    pub accepted: Option<Accepted>,
    /// What the officer proposes.
    pub proposal: Option<Proposal>,
    /// The entered act.
    pub act: Option<EnteredAct>,
    /// When and by whom it was decided. Stands before the state says so while the result is being
    /// made: nobody else may decide or send back then.
    pub decided: Option<Decided>,
    /// When its result was given.
    pub returned_at: Option<Time>,
    /// What else happened on its way.
    pub course: Course,
}

/// Whose case it is: who filed it, or for whom it was filed ([`Course::representative`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicant {
    /// The account at the portal; empty where none is known.
    pub account: String,
    /// The personal number; of a company that of who speaks for it.
    pub number: PersonalNumber,
    /// The name.
    pub name: String,
}

/// The start of the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// When.
    pub at: Time,
    /// The receptionist's account.
    pub by: String,
    /// The receptionist's name, for the receipt.
    #[serde(default)]
    pub by_name: String,
    /// By when the result is owed.
    pub due: Time,
    /// How the due date was counted.
    pub working_out: crate::clock::WorkingOut,
}

/// An officer's proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The outcome proposed.
    pub outcome: Outcome,
    /// Why.
    pub note: String,
    /// The officer's account.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why it came back to the officer, when it did.
    #[serde(default)]
    pub sent_back: Option<SentBack>,
}

/// A proposal that came back to the officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBack {
    /// The chairman's words, or the code of the register's refusal.
    pub note: String,
    /// The chairman's account; `None` when the register refused the act or the applicant the draft.
    pub by: Option<String>,
    /// True when the applicant found the draft of the result wrong.
    #[serde(default)]
    pub by_applicant: bool,
    /// When.
    pub at: Time,
}

/// An act entered in its register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnteredAct {
    /// Its number in the book, `12/2026`.
    pub act_number: String,
    /// The personal number the act gave, when it gives one.
    pub personal_number: Option<PersonalNumber>,
    /// When.
    pub at: Time,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The outcome.
    pub outcome: Outcome,
    /// When.
    pub at: Time,
    /// The signer's account.
    pub by: String,
    /// The signer's name, for the result.
    #[serde(default)]
    pub by_name: String,
    /// The result document's id.
    pub document: String,
    /// In which capacity the signer signed.
    #[serde(default)]
    pub capacity: Capacity,
    /// The clerk's part. Stands before the state says so while the seal is being added.
    #[serde(default)]
    pub seal: Option<Sealed>,
}

/// In which capacity a result is signed (Decree 30/2020/NĐ-CP, article 13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capacity {
    /// The head of the agency.
    #[default]
    Chairman,
    /// A deputy for the head (ký thay, KT.).
    ForChairman,
}

impl Capacity {
    /// The capacity of a role that signs.
    #[must_use]
    pub fn of(role: &str) -> Self {
        match role {
            "deputy-chairman" => Self::ForChairman,
            _ => Self::Chairman,
        }
    }

    /// The position as papers write it above the name.
    #[must_use]
    pub const fn position(self) -> &'static str {
        match self {
            Self::Chairman => "CHỦ TỊCH",
            Self::ForChairman => "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH",
        }
    }
}

/// The number and the agency's signature on a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The clerk's account.
    pub by: String,
    /// The clerk's name.
    pub by_name: String,
    /// When.
    pub at: Time,
    /// The document's number.
    pub number: String,
}

impl Case {
    /// The account at the portal that filed it: its applicant's, or that of who acts for them; empty for what was handed in
    /// at a desk.
    #[must_use]
    pub fn filed_by(&self) -> &str {
        let by = self.course.representative.as_ref();
        by.map_or(self.applicant.account.as_str(), |by| by.account.as_str())
    }

    /// True when a supplement was asked for and not given in time.
    #[must_use]
    pub fn supplement_over(&self, now: Time) -> bool {
        let asked = self.course.supplement.as_ref();
        asked.is_some_and(|s| s.given_at.is_none() && now > s.until)
    }

    /// True when what the applicant was asked for now, a payment or a supplement, was not there in time.
    #[must_use]
    pub fn asked_over(&self, now: Time) -> bool {
        match self.course.charge() {
            Some(charge) => now > charge.until,
            None => self.supplement_over(now),
        }
    }

    /// Refuses work on a page that is older than the case.
    ///
    /// # Errors
    /// `stale` (409).
    pub fn seen(&self, revision: i64) -> Result<(), Problem> {
        if self.revision == revision {
            Ok(())
        } else {
            Err(Problem::stale())
        }
    }

    /// Nobody works on a case of their own.
    ///
    /// # Errors
    /// `case-own` (403) when the official is the applicant, who filed it for them, or one of the persons in the answers.
    pub fn not_own(&self, official: Option<&PersonalNumber>) -> Result<(), Problem> {
        let by = self.course.representative.as_ref();
        let filed = |n: &PersonalNumber| by.is_some_and(|by| by.number == *n);
        let own = official.is_some_and(|n| {
            *n == self.applicant.number
                || filed(n)
                || self.answers.values().any(|answer| answer == n.as_str())
        });
        if own {
            Err(Problem::new(Kind::Forbidden, "case-own"))
        } else {
            Ok(())
        }
    }

    /// By when its result counts as on time: the end of the term that runs. A letter of apology gives another
    /// date; it does not make a late result an early one.
    #[must_use]
    pub fn owed_by(&self) -> Option<Time> {
        let accepted = self.accepted.as_ref();
        accepted.map(|accepted| accepted.working_out.due)
    }

    /// The day on which its act is entered: that of the proposal, or of the answer to its draft. The day
    /// stays the same however often the register is asked.
    #[must_use]
    pub fn entered_on(&self) -> Option<kernel::Date> {
        let proposed = self.proposal.as_ref()?.at;
        let draft = self.course.draft.as_ref().filter(|draft| draft.at >= proposed);
        let looked = draft.and_then(|draft| draft.answered_at);
        Some(looked.unwrap_or(proposed).date())
    }

    /// Nobody signs what they proposed themselves.
    ///
    /// # Errors
    /// `case-own-proposal` (403).
    pub fn not_proposed_by(&self, account: &str) -> Result<(), Problem> {
        match &self.proposal {
            Some(proposal) if proposal.by == account => {
                Err(Problem::new(Kind::Forbidden, "case-own-proposal"))
            }
            _ => Ok(()),
        }
    }

    /// The case after a transition.
    #[must_use]
    pub fn moved(self, transition: &Transition) -> Self {
        Self {
            state: transition.to.clone(),
            revision: self.revision + 1,
            ..self
        }
    }

    /// The national status of its state.
    #[must_use]
    pub fn status(&self, procedure: &Procedure) -> u8 {
        procedure.states.get(&self.state).map_or(1, |s| s.status)
    }
}

/// The state that a case's facts lead to: the row is only their fold, kept for questions.
/// `None` before the case was received, or when the facts do not follow the procedure.
#[must_use]
pub fn state_after<'f>(procedure: &Procedure, facts: impl IntoIterator<Item = &'f Fact>) -> Option<String> {
    let step = |state: Option<String>, verb: Verb| {
        let transition = procedure.verb_from(verb, &state?)?;
        Some(transition.to.clone())
    };
    facts.into_iter().fold(None, |state, fact| match fact {
        Fact::CaseReceived { .. } | Fact::CaseFiled { .. } => Some(procedure.first_state.clone()),
        Fact::CaseAccepted { .. } => step(state, Verb::Accept),
        Fact::CaseProposed { outcome, .. } => {
            passed_over(procedure, step(state, Verb::Propose)?, *outcome).into()
        }
        Fact::CaseResultDraftAnswered { answer, .. } => match answer {
            DraftAnswer::Agreed | DraftAnswer::Silent => {
                passed_over(procedure, step(state, Verb::CheckDraft)?, Outcome::Granted).into()
            }
            DraftAnswer::Objected => step(state, Verb::SendBack),
        },
        Fact::CaseDeclined { .. } => step(state, Verb::Decline),
        Fact::CaseSupplementAsked { .. } => step(state, Verb::AskSupplement),
        Fact::CaseSupplemented { .. } => step(state, Verb::Supplement),
        Fact::CaseChargeAsked { .. } => step(state, Verb::AskPayment),
        Fact::CaseChargePaid { .. } => step(state, Verb::Pay),
        Fact::CaseWithdrawn { .. } => step(state, Verb::Withdraw),
        // Several are asked at once: the first question moves the case, the others find it there.
        Fact::CaseConsulted { .. } => step(state.clone(), Verb::Consult).or(state),
        Fact::CaseStopped { .. } => step(state, Verb::Stop),
        Fact::CaseActEntered { .. } | Fact::CaseActFound { .. } => step(state, Verb::EnterAct),
        Fact::CaseSentBack { .. } => step(state, Verb::SendBack),
        Fact::CaseSigned { .. } => step(state, Verb::Sign),
        Fact::CaseDecided { .. } => step(state.clone(), Verb::Seal).or_else(|| step(state, Verb::Sign)),
        Fact::CaseReturned { .. } => step(state, Verb::Return),
        Fact::CaseMigrated { state: to, .. } | Fact::CaseImported { state: to, .. } => Some(to.clone()),
        _ => state,
    })
}

/// The state after the steps that have nothing to do: a refusal has no draft to look at and no act
/// to enter, and where the procedure names no act none is entered.
#[must_use]
pub fn passed_over(procedure: &Procedure, state: String, outcome: Outcome) -> String {
    let over = |verb: Verb, state: &str| procedure.verb_from(verb, state).map(|t| t.to.clone());
    let mut state = state;
    if outcome == Outcome::Refused
        && let Some(next) = over(Verb::CheckDraft, &state)
    {
        state = next;
    }
    if (outcome == Outcome::Refused || procedure.act.is_none())
        && let Some(next) = over(Verb::EnterAct, &state)
    {
        state = next;
    }
    state
}
