//! What may be done with a case now, by whom, and why not. Pure; the verbs refuse by the same rules that the
//! case's page tells.

use kernel::calendar::Calendar;
use kernel::fact::{Channel, Outcome};
use kernel::{Kind, Problem, Time};

use super::Case;
use crate::procedure::{ApologyRule, ChargeRule, Clock, Procedure, Transition, Verb};
use crate::rules::Given;

/// The roles that write letters of apology.
pub(crate) const APOLOGY_WRITERS: [&str; 2] = ["officer", "chairman"];

/// Why an official cannot do a verb now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot<'p> {
    /// It is the work of these roles.
    Role(Vec<&'p str>),
    /// It is done in these states, and the case stands in another.
    State(Vec<&'p str>),
    /// A rule is against it.
    Rule(Problem),
}

impl WhyNot<'_> {
    /// The problem with which the verb is refused, of a case in a state.
    #[must_use]
    pub fn refusal(self, state: &str) -> Problem {
        match self {
            Self::Role(roles) => Problem::new(Kind::Forbidden, "role-missing").with("role", roles.join(", ")),
            Self::State(_) => Problem::new(Kind::Conflict, "case-verb-not-now").with("state", state),
            Self::Rule(problem) => problem,
        }
    }
}

impl From<Problem> for WhyNot<'_> {
    fn from(problem: Problem) -> Self {
        Self::Rule(problem)
    }
}

impl Case {
    /// The transition a verb makes from the case's state, for one of the roles.
    ///
    /// # Errors
    /// `case-verb-not-now` (409) when the state does not allow it, `role-missing` (403) when it
    /// does, for somebody else; `case-guard` (409) when the procedure's own rule is against it.
    pub fn transition<'p>(
        &self,
        procedure: &'p Procedure,
        verb: Verb,
        roles: &[String],
    ) -> Result<&'p Transition, Problem> {
        self.step(procedure, verb, roles)
            .map_err(|why| why.refusal(&self.state))
    }

    fn step<'p>(
        &self,
        procedure: &'p Procedure,
        verb: Verb,
        roles: &[String],
    ) -> Result<&'p Transition, WhyNot<'p>> {
        let (here, elsewhere): (Vec<&'p Transition>, Vec<&'p Transition>) = procedure
            .transitions
            .iter()
            .filter(|t| t.verb == verb)
            .partition(|t| t.from == self.state);
        if here.is_empty() {
            let theirs = elsewhere.into_iter().filter(|t| roles.contains(&t.role));
            return Err(WhyNot::State(each_once(theirs.map(|t| t.from.as_str()))));
        }
        let theirs = here.iter().copied().find(|t| roles.contains(&t.role));
        let step =
            theirs.ok_or_else(|| WhyNot::Role(each_once(here.into_iter().map(|t| t.role.as_str()))))?;
        self.guarded(procedure, step)?;
        Ok(step)
    }

    /// What a procedure's guard says against a step; what it cannot say for want of an answer is a no.
    fn guarded(&self, procedure: &Procedure, step: &Transition) -> Result<(), Problem> {
        let given = Given::new(procedure, &self.answers, self.filed_at.date());
        match &step.guard {
            Some(guard) if guard.rule.holds(&given) != Some(true) => {
                Err(guard.problem(Kind::Conflict, "case-guard"))
            }
            _ => Ok(()),
        }
    }

    /// What a verb of officials does now for somebody with these roles, or why they cannot do it. What can
    /// never be mended is said first: that it is the work of others, that the applicant was asked before.
    ///
    /// # Errors
    /// The reason.
    pub fn may<'p>(
        &self,
        procedure: &'p Procedure,
        verb: Verb,
        roles: &[String],
        calendar: &Calendar,
        now: Time,
    ) -> Result<&'p Transition, WhyNot<'p>> {
        let holders = procedure.holders(verb);
        if !roles.iter().any(|role| holders.contains(&role.as_str())) {
            return Err(WhyNot::Role(each_once(holders.into_iter())));
        }
        if verb == Verb::AskSupplement {
            self.not_asked_before()?;
        }
        if self.in_the_making(procedure) {
            return Err(Problem::new(Kind::Conflict, "case-being-signed").into());
        }
        let step = self.step(procedure, verb, roles)?;
        match verb {
            Verb::AskSupplement => {
                self.supplement_until(procedure, calendar, now)?;
            }
            // What can be proposed at all can be a refusal.
            Verb::Propose => self.may_propose(procedure, Outcome::Refused, now)?,
            Verb::AskPayment => {
                self.charge_rule(procedure)?;
            }
            Verb::Stop => self.may_stop(now)?,
            Verb::CheckDraft => self.looked_at_counter()?,
            Verb::Consult => {
                self.may_consult(procedure, 1)?;
            }
            _ => {}
        }
        Ok(step)
    }

    /// The verbs that somebody with these roles may do now: those that [`Case::may`] has nothing against.
    #[must_use]
    pub fn verbs(
        &self,
        procedure: &Procedure,
        roles: &[String],
        calendar: &Calendar,
        now: Time,
    ) -> Vec<Verb> {
        procedure
            .transitions
            .iter()
            .filter(|t| t.from == self.state && roles.contains(&t.role))
            .map(|t| t.verb)
            .filter(|verb| self.may(procedure, *verb, roles, calendar, now).is_ok())
            .collect()
    }

    /// An applicant is asked for a supplement once.
    fn not_asked_before(&self) -> Result<(), Problem> {
        match self.course.supplement {
            Some(_) => Err(Problem::new(Kind::Conflict, "case-supplement-once")),
            None => Ok(()),
        }
    }

    /// Until when the applicant could answer what is asked now.
    ///
    /// # Errors
    /// `case-supplement-once`, `case-supplement-never`, `case-supplement-late` (409).
    pub fn supplement_until(
        &self,
        procedure: &Procedure,
        calendar: &Calendar,
        now: Time,
    ) -> Result<Time, Problem> {
        self.not_asked_before()?;
        let rule = procedure.supplement_rule(self.filed_at.date());
        let rule = rule.ok_or(Problem::new(Kind::Conflict, "case-supplement-never"))?;
        let from = self.accepted.as_ref().map_or(now, |accepted| accepted.at);
        if now > calendar.days_after(from, rule.ask_days).end {
            return Err(Problem::new(Kind::Conflict, "case-supplement-late").with("days", rule.ask_days));
        }
        Ok(calendar.days_after(now, rule.answer_days).end)
    }

    /// The rule by which the applicant could be asked now to pay what became known to be owed: that of the day of filing.
    ///
    /// # Errors
    /// `case-charge-never`, `case-charge-times` (409).
    pub fn charge_rule<'p>(&self, procedure: &'p Procedure) -> Result<&'p ChargeRule, Problem> {
        let rule = procedure.charge_rule(self.filed_at.date());
        let rule = rule.ok_or(Problem::new(Kind::Conflict, "case-charge-never"))?;
        if self.course.charges.len() >= rule.times {
            return Err(Problem::new(Kind::Conflict, "case-charge-times").with("times", rule.times));
        }
        Ok(rule)
    }

    /// A case whose applicant still has time to pay is not stopped.
    ///
    /// # Errors
    /// `case-charge-waits` (409).
    pub fn may_stop(&self, now: Time) -> Result<(), Problem> {
        match self.course.charge() {
            Some(charge) if now <= charge.until => Err(Problem::new(Kind::Conflict, "case-charge-waits")),
            _ => Ok(()),
        }
    }

    /// While the applicant's time for a supplement or for a payment runs nothing is proposed; after it, a refusal alone.
    /// Nor while opinions are awaited, where the procedure says so.
    ///
    /// # Errors
    /// `case-supplement-waits`, `case-charge-waits`, `case-consult-waits` (409).
    pub fn may_propose(&self, procedure: &Procedure, outcome: Outcome, now: Time) -> Result<(), Problem> {
        let waits = procedure.clock(&self.state) == Clock::Pause;
        if waits && !(outcome == Outcome::Refused && self.asked_over(now)) {
            let waits_for = match self.course.charge() {
                Some(_) => "case-charge-waits",
                None => "case-supplement-waits",
            };
            return Err(Problem::new(Kind::Conflict, waits_for));
        }
        match waits {
            true => Ok(()),
            false => self.consults_awaited(procedure, now),
        }
    }

    /// Who filed online looks at the draft themselves; of any other the desk writes down what they said.
    ///
    /// # Errors
    /// `case-draft-online` (409).
    pub fn looked_at_counter(&self) -> Result<(), Problem> {
        if self.channel == Channel::Online {
            return Err(Problem::new(Kind::Conflict, "case-draft-online"));
        }
        Ok(())
    }

    /// The rule by which a letter of apology can still be written, however late it is.
    ///
    /// # Errors
    /// That there is one already, that the result is being signed, that no clock runs.
    pub fn apology_rule<'p>(&self, procedure: &'p Procedure) -> Result<ApologyRule, WhyNot<'p>> {
        let running = procedure.states.iter().filter(|(_, s)| s.clock == Clock::Run);
        let not_now = WhyNot::State(running.map(|(code, _)| code.as_str()).collect());
        let Some(rule) = procedure.apology else {
            return Err(not_now);
        };
        if self.course.apology.is_some() {
            return Err(Problem::new(Kind::Conflict, "case-apology-once").into());
        }
        if self.in_the_making(procedure) {
            return Err(Problem::new(Kind::Conflict, "case-being-signed").into());
        }
        if self.accepted.is_none() || procedure.clock(&self.state) != Clock::Run {
            return Err(not_now);
        }
        Ok(rule)
    }

    /// The rule for a letter of apology that is written now, and the date that it moves.
    ///
    /// # Errors
    /// As [`Case::apology_rule`]; `case-apology-late` (409).
    pub fn apology<'p>(
        &self,
        procedure: &'p Procedure,
        calendar: &Calendar,
        now: Time,
    ) -> Result<(ApologyRule, Time), WhyNot<'p>> {
        let rule = self.apology_rule(procedure)?;
        let due = self.accepted.as_ref().map_or(now, |accepted| accepted.due);
        // At the latest this many working days before the date.
        if now > due || (rule.ahead_days > 0 && calendar.days_after(now, rule.ahead_days).end > due) {
            let late = Problem::new(Kind::Conflict, "case-apology-late").with("days", rule.ahead_days);
            return Err(late.into());
        }
        Ok((rule, due))
    }

    /// True while it waits for its applicant: for what was asked for and is still in time, or for a word on
    /// the draft.
    #[must_use]
    pub fn waits(&self, procedure: &Procedure, now: Time) -> bool {
        let asked = procedure.clock(&self.state) == Clock::Pause && !self.asked_over(now);
        asked || procedure.verb_from(Verb::CheckDraft, &self.state).is_some()
    }

    /// True while a result is being signed or sealed: nobody else may do anything with the case then.
    #[must_use]
    pub fn in_the_making(&self, procedure: &Procedure) -> bool {
        let sealing = self.decided.as_ref().is_some_and(|d| d.seal.is_some());
        (self.decided.is_some() && procedure.verb_from(Verb::Sign, &self.state).is_some())
            || (sealing && procedure.verb_from(Verb::Seal, &self.state).is_some())
    }
}

/// Each of them once, in the order in which they come.
fn each_once<'p>(all: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let mut once = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}
