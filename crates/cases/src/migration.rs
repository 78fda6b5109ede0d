//! A migration: running cases of one version of a procedure go on under another, state by state as a reviewed table
//! says. Never takes time from an applicant, never asks anew what was asked, and leaves alone what it cannot move.
//! Pure; the verbs and the job stand below.

pub mod job;
pub(crate) mod plan;
pub(crate) mod show;
pub(crate) mod start;
#[cfg(test)]
mod trials;

use std::collections::BTreeMap;

use kernel::fact::Channel;
use kernel::{Digest, ProcedureCode, Time};
use web::openapi::{OpenApiRouter, routes};

use crate::case::Case;
use crate::procedure::{Clock, Procedure, Question};
use crate::state::Cases;

/// Which state of the old version becomes which of the new.
pub type States = BTreeMap<String, String>;

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It can be tried, and started by somebody else.
    Planned,
    /// Cases move.
    Running,
    /// All that could be moved was.
    Done,
}

impl Stage {
    /// Its word in rows, texts and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Done => "done",
        }
    }

    /// The stage of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Planned, Self::Running, Self::Done];
        all.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// A migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// The procedure.
    pub code: ProcedureCode,
    /// The version that cases leave.
    pub was: Digest,
    /// The version under which they go on.
    pub version: Digest,
    /// Which state becomes which.
    pub states: States,
    /// How far it is.
    pub stage: Stage,
    /// Who planned it.
    pub author: String,
    /// Cases that went on under the new version, count.
    pub moved: u64,
    /// Cases that stayed, count.
    pub refused: u64,
    /// When it last changed.
    pub at: Time,
}

/// Why a case stays under its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The table names no state for the one it stands in.
    NoState,
    /// The clock does something else there.
    OtherClock,
    /// Its applicant was asked for something and has not answered.
    Waits,
    /// Its result is being made, or was.
    Decided,
    /// The new version needs an answer that was never asked for.
    Answer,
    /// Its applicant's form asks for what the new version does not know: what they supplement would not fit.
    Form,
    /// It would have cost something else.
    Fee,
    /// Its result would be owed later.
    Later,
    /// Its portal would refuse the status of the new state, and all that comes after.
    Status,
}

impl Why {
    /// Its word in texts and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "no-state",
            Self::OtherClock => "other-clock",
            Self::Waits => "waits",
            Self::Decided => "decided",
            Self::Answer => "answer",
            Self::Form => "form",
            Self::Fee => "fee",
            Self::Later => "later",
            Self::Status => "status",
        }
    }
}

/// A case as it goes on under another version, its clock not counted yet.
///
/// # Errors
/// Why it stays.
pub fn moved(case: &Case, was: &Procedure, new: &Procedure, states: &States) -> Result<Case, Why> {
    if case.decided.is_some() {
        return Err(Why::Decided);
    }
    let to = states.get(&case.state).ok_or(Why::NoState)?;
    let (Some(old_state), Some(new_state)) = (was.states.get(&case.state), new.states.get(to)) else {
        return Err(Why::NoState);
    };
    if old_state.clock == Clock::Pause {
        return Err(Why::Waits);
    }
    if old_state.clock != new_state.clock {
        return Err(Why::OtherClock);
    }
    let shown = new.pages.iter().filter(|page| page.show.is_none());
    let asked = shown
        .flat_map(|page| &page.questions)
        .filter(|q| q.show.is_none());
    let missing = |field: &str| case.answers.get(field).is_none_or(String::is_empty);
    // What the old version asked for too was answered by its rules.
    let mut needed = asked.filter(|q| q.required && was.question(&q.code).is_none());
    if needed.any(|question| missing(&question.code)) {
        return Err(Why::Answer);
    }
    if case.channel == Channel::Online && !fits(was, new) {
        return Err(Why::Form);
    }
    let day = case.filed_at.date();
    if was.dong(&case.answers, day) != new.dong(&case.answers, day) {
        return Err(Why::Fee);
    }
    Ok(Case {
        version: new.version(),
        state: to.clone(),
        revision: case.revision + 1,
        ..case.clone()
    })
}

/// True when whatever is answered in the form of the old version is an answer under the new one: a portal shows
/// the form under which a case was filed to its end.
fn fits(was: &Procedure, new: &Procedure) -> bool {
    let asked = was.pages.iter().flat_map(|page| &page.questions);
    let mut questions = asked.map(|old| (old, new.question(&old.code)));
    let known = |(old, question): (&Question, Option<&Question>)| {
        question.is_some_and(|question| {
            let has = |value: &str| question.choices.iter().any(|choice| choice.value == value);
            question.kind == old.kind && old.choices.iter().all(|choice| has(&choice.value))
        })
    };
    questions.all(known) && was.papers.iter().all(|paper| new.paper(&paper.code).is_some())
}

impl Cases {
    /// A case as it goes on under another version, with its clock counted by that one's terms.
    ///
    /// # Errors
    /// Why it stays.
    fn migrated(&self, case: &Case, was: &Procedure, new: &Procedure, states: &States) -> Result<Case, Why> {
        let before = case.status(was);
        let mut case = moved(case, was, new, states)?;
        let moves = self.catalogue.moves();
        if !moves.legal(Some(before), case.status(new), self.today()) {
            return Err(Why::Status);
        }
        let Some(accepted) = case.accepted.clone() else {
            return Ok(case);
        };
        let events = crate::desk::clock_events(&case);
        let clock = self.reckon(&case, new, &events).map_err(|_| Why::Later)?;
        if clock.due > accepted.due {
            return Err(Why::Later);
        }
        case.accepted = Some(crate::case::Accepted {
            due: clock.due,
            working_out: clock.working_out,
            ..accepted
        });
        case.course.clock = events;
        Ok(case)
    }
}

/// The routes of an owner's place.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(plan::page, plan::by_form))
        .routes(routes!(plan::json, plan::by_json))
        .routes(routes!(show::page))
        .routes(routes!(show::json))
        .routes(routes!(start::by_form))
        .routes(routes!(start::by_json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, case};

    fn same(procedure: &Procedure) -> States {
        let names = procedure.states.keys();
        names.map(|name| (name.clone(), name.clone())).collect()
    }

    #[test]
    fn a_running_case_takes_the_state_that_the_table_names_and_keeps_its_answers() {
        let was = birth();
        let mut new = Procedure::clone(&was);
        let state = new.states.remove("received").expect("a state");
        new.states.insert("sent".to_owned(), state);
        let mut states = same(&was);
        assert_eq!(
            moved(&case(&was), &was, &new, &states),
            Err(Why::NoState),
            "it is gone"
        );
        states.insert("received".to_owned(), "sent".to_owned());
        let after = moved(&case(&was), &was, &new, &states).expect("moved");
        assert_eq!((after.state.as_str(), after.version), ("sent", new.version()));
        assert_eq!(after.answers, case(&was).answers);
        assert_eq!(moved(&case(&was), &was, &new, &States::new()), Err(Why::NoState));
    }

    #[test]
    fn nothing_is_asked_or_charged_anew_and_what_waits_or_is_decided_stays() {
        let was = birth();
        let states = same(&was);
        let mut asks = Procedure::clone(&was);
        let mut question = asks.pages[0].questions[0].clone();
        question.code = "new_question".to_owned();
        asks.pages[0].questions.push(question);
        assert_eq!(moved(&case(&was), &was, &asks, &states), Err(Why::Answer));
        let mut knows_less = Procedure::clone(&was);
        knows_less.papers.clear();
        assert_eq!(moved(&case(&was), &was, &knows_less, &states), Err(Why::Form));
        let mut at_desk = case(&was);
        at_desk.channel = Channel::Counter;
        assert!(
            moved(&at_desk, &was, &knows_less, &states).is_ok(),
            "a desk shows its own form"
        );
        let mut waiting = case(&was);
        waiting.state = "supplement".to_owned();
        assert_eq!(moved(&waiting, &was, &asks, &states), Err(Why::Waits));
        let mut stands = states.clone();
        stands.insert("received".to_owned(), "accepted".to_owned());
        assert_eq!(moved(&case(&was), &was, &was, &stands), Err(Why::OtherClock));
    }
}
