//! What an official may do with a case now, and why not the rest: one answer for the page, its JSON twin and
//! the list of verbs. Never a rule of its own: the case that refuses a verb gives the reason.

use kernel::Time;
use kernel::calendar::Calendar;
use web::Principal;
use web::auth::DESK_ROLES;

use crate::case::{APOLOGY_WRITERS, Case, WhyNot};
use crate::procedure::{Procedure, Verb};

/// A case before an official, at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now<'a> {
    pub(crate) case: &'a Case,
    pub(crate) procedure: &'a Procedure,
    pub(crate) who: &'a Principal,
    /// That of the case's unit.
    pub(crate) calendar: &'a Calendar,
    pub(crate) at: Time,
}

impl<'a> Now<'a> {
    /// What the official may do.
    pub(crate) fn verbs(&self) -> Vec<Verb> {
        let mut verbs = self
            .case
            .verbs(self.procedure, &self.who.roles, self.calendar, self.at);
        verbs.push(Verb::Apologise);
        verbs.retain(|verb| self.may(*verb).is_ok());
        verbs
    }

    /// What officials do under the procedure and this one cannot do now, each with its reason. Nothing once
    /// the case has ended, and nothing for who works at no desk.
    pub(crate) fn not_now(&self) -> Vec<(Verb, WhyNot<'a>)> {
        let works_here = DESK_ROLES.iter().any(|role| self.who.has(role));
        if !works_here || self.has_ended() {
            return Vec::new();
        }
        let why = |verb: Verb| Some((verb, self.may(verb).err()?));
        officials(self.procedure).into_iter().filter_map(why).collect()
    }

    /// True when nobody does anything with the case any more.
    pub(crate) fn has_ended(&self) -> bool {
        let mut steps = self.procedure.transitions.iter();
        !steps.any(|t| t.from == self.case.state)
    }

    /// Nothing when the official may do a verb, or the reason why not.
    fn may(&self, verb: Verb) -> Result<(), WhyNot<'a>> {
        let (case, who) = (self.case, self.who);
        case.not_own(who.subject.as_ref())?;
        if verb == Verb::Apologise {
            return self.may_apologise();
        }
        case.may(self.procedure, verb, &who.roles, self.calendar, self.at)?;
        if verb == Verb::Sign {
            case.not_proposed_by(&who.account)?;
        }
        Ok(())
    }

    fn may_apologise(&self) -> Result<(), WhyNot<'a>> {
        if !APOLOGY_WRITERS.iter().any(|role| self.who.has(role)) {
            return Err(WhyNot::Role(APOLOGY_WRITERS.to_vec()));
        }
        self.case.apology(self.procedure, self.calendar, self.at)?;
        Ok(())
    }
}

/// The verbs that officials do in one state or another, in the procedure's order.
fn officials(procedure: &Procedure) -> Vec<Verb> {
    let mut verbs = Vec::new();
    for step in &procedure.transitions {
        if !verbs.contains(&step.verb) && !procedure.holders(step.verb).is_empty() {
            verbs.push(step.verb);
        }
    }
    if procedure.apology.is_some() {
        verbs.push(Verb::Apologise);
    }
    verbs
}

/// The code of the problem that stands against a verb.
pub(crate) fn code(why: WhyNot<'_>) -> &'static str {
    why.refusal("").code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, case, lan, nouns, officer};

    /// What a case in a state is to somebody: what they may do, and why not the rest.
    fn told(state: &str, who: &Principal) -> (Vec<Verb>, Vec<(Verb, String)>) {
        let procedure = birth();
        let case = Case {
            state: state.to_owned(),
            ..case(&procedure)
        };
        let calendar = nouns().calendars.of(&case.unit);
        let now = Now {
            case: &case,
            procedure: &procedure,
            who,
            calendar: &calendar,
            at: testkit::START,
        };
        let not_now = now.not_now().into_iter();
        (
            now.verbs(),
            not_now.map(|(verb, why)| (verb, format!("{why:?}"))).collect(),
        )
    }

    #[test]
    fn a_verb_can_be_done_or_has_a_reason_and_never_both() {
        let who = officer().0;
        for state in ["received", "accepted", "draft", "to-sign", "supplement"] {
            let (may, not_now) = told(state, &who);
            let mut all: Vec<Verb> = not_now.iter().map(|(verb, _)| *verb).collect();
            assert!(may.iter().all(|verb| !all.contains(verb)), "{state}: {not_now:?}");
            all.extend(may);
            let wanted = officials(&birth());
            assert!(wanted.iter().all(|verb| all.contains(verb)), "{state}: {all:?}");
            assert_eq!(all.len(), wanted.len(), "{state}: {all:?}");
        }
    }

    #[test]
    fn nothing_is_listed_for_who_works_at_no_desk_or_once_the_case_has_ended() {
        assert_eq!(told("accepted", &lan().0), (Vec::new(), Vec::new()));
        let mut operator = officer().0;
        operator.roles = vec![web::auth::OPERATOR.to_owned()];
        assert_eq!(told("accepted", &operator), (Vec::new(), Vec::new()));
        assert_eq!(told("declined", &officer().0), (Vec::new(), Vec::new()));
    }

    #[test]
    fn another_state_is_told_with_those_in_which_the_readers_own_roles_do_it() {
        let mut chairman = officer().0;
        chairman.roles = vec!["chairman".to_owned()];
        let (_, not_now) = told("received", &chairman);
        // The applicant and the register send back as well, in states of their own.
        let sending = (Verb::SendBack, "State([\"to-sign\"])".to_owned());
        assert!(not_now.contains(&sending), "{not_now:?}");
        let (_, not_now) = told("draft", &chairman);
        let sending = (Verb::SendBack, "Role([\"applicant\"])".to_owned());
        assert!(not_now.contains(&sending), "{not_now:?}");
    }
}
