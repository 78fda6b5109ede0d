//! The clock of a step: until when what a state waits for should be done, in working time from when the case came
//! into it. It never moves the date on which the result is owed. Pure.

use kernel::calendar::Calendar;
use kernel::{FactRecord, Time};

use crate::case::state_after;
use crate::procedure::{Procedure, TermRule};

/// Until when a step should be done that began at an instant; `None` for a state without a clock of its own.
#[must_use]
pub fn until(procedure: &Procedure, state: &str, calendar: &Calendar, since: Time) -> Option<Time> {
    let from = calendar.opening(since);
    match procedure.states.get(state)?.term.as_ref()? {
        TermRule::WorkingDays { days } => Some(calendar.days_after(from, *days).end),
        TermRule::WorkingHours { hours } => Some(calendar.count(from, hours * 60).end),
        // No document with another one is published.
        TermRule::CalendarDays { .. }
        | TermRule::Hours { .. }
        | TermRule::Months { .. }
        | TermRule::SameDay { .. } => None,
    }
}

/// The state to which a case's facts lead, and when it came there.
#[must_use]
pub fn entered(procedure: &Procedure, facts: &[FactRecord]) -> Option<(String, Time)> {
    let mut entered: Option<(String, Time)> = None;
    for (at, record) in facts.iter().enumerate() {
        let upto = facts.iter().take(at + 1).map(|record| &record.fact);
        let Some(state) = state_after(procedure, upto) else {
            continue;
        };
        if entered.as_ref().is_none_or(|(before, _)| *before != state) {
            entered = Some((state, record.at));
        }
    }
    entered
}

#[cfg(test)]
mod tests {
    use kernel::OrgCode;
    use kernel::fact::Channel;
    use proptest::prelude::*;

    use super::*;
    use crate::case::Answers;
    use crate::clock::fold::{Event, Rules, reckon};
    use crate::testing::{birth, nouns};

    fn with(rule: Option<TermRule>) -> Procedure {
        let mut procedure = Procedure::clone(&birth());
        if let Some(state) = procedure.states.get_mut("accepted") {
            state.term = rule;
        }
        procedure
    }

    fn unit() -> OrgCode {
        "H56.15865".parse().expect("a code")
    }

    #[test]
    fn a_step_of_two_working_days_that_began_on_friday_is_done_on_tuesday() {
        let calendar = nouns().calendars.of(&unit());
        let friday = Time::parse_rfc3339("2026-11-13T10:00:00+07:00").expect("a time");
        let tuesday = Time::parse_rfc3339("2026-11-17T10:00:00+07:00").expect("a time");
        let days = with(Some(TermRule::WorkingDays { days: 2 }));
        assert_eq!(until(&days, "accepted", &calendar, friday), Some(tuesday));
        assert_eq!(until(&days, "received", &calendar, friday), None);
        assert_eq!(until(&with(None), "accepted", &calendar, friday), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn a_step_ends_after_it_began_later_for_a_later_one_and_never_moves_what_is_owed(
            began in 0_i64..50_000, later in 0_i64..5_000, hours in 1_i64..80,
        ) {
            let start = testkit::START;
            let (first, second) = (start.plus_ms(began * 60_000), start.plus_ms((began + later) * 60_000));
            let calendar = nouns().calendars.of(&unit());
            let timed = with(Some(TermRule::WorkingHours { hours }));
            let end = |since| until(&timed, "accepted", &calendar, since).expect("a clock");
            prop_assert!(end(first) > first);
            prop_assert!(end(first) <= end(second));
            prop_assert_eq!(calendar.between(calendar.opening(first), end(first)), hours * 60);
            let accepted = Event::Accepted { at: first, unit: unit() };
            let answers = Answers::new();
            let owed = |procedure: &Procedure| {
                let rules = Rules {
                    procedure,
                    channel: Channel::Online,
                    filed: first.date(),
                    answers: &answers,
                    calendars: &nouns().calendars,
                };
                reckon(&rules, std::slice::from_ref(&accepted)).expect("a clock")
            };
            prop_assert_eq!(owed(&timed), owed(&with(None)));
        }
    }
}
