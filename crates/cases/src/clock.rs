//! When a result is owed: a pure function of what happened to a case, its agency's calendar and its
//! procedure's term, with its working-out. The clock starts at acceptance, not at filing. How one term is
//! counted stands in `term`; what a case's events make of it in [`fold`].

mod fast;
pub mod fold;
#[cfg(test)]
mod golden;
pub mod step;
mod term;

use kernel::Time;
use kernel::calendar::{Calendar, Line};
use serde::{Deserialize, Serialize};

use crate::procedure::{Term, TermRule};
pub use fast::due_at;
pub use term::{due, resumed};

/// The reason of a line on which the clock stood still until the applicant had answered.
pub const PAUSED: &str = "paused";
/// The reason of a line on which the clock stood still until the applicant had paid.
pub const UNPAID: &str = "unpaid";
/// The rule of a date that was promised by another system and is kept as it was.
pub const PROMISED: &str = "promised";
/// The reason of a line to which the end of a term was moved, because nobody works when it would end.
pub const MOVED: &str = "moved";

/// How a due date was counted, line by line, as citizen and officer see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingOut {
    /// The instant the count begins: acceptance, or the next opening.
    pub from: Time,
    /// The term in working minutes.
    pub term_minutes: i64,
    /// How it was counted: the name of a [`TermRule`].
    pub rule: String,
    /// One line a day.
    pub lines: Vec<Line>,
    /// The instant the result is owed.
    pub due: Time,
}

/// The working minutes that the agency has used (Decision 766/QĐ-TTg): the spans in which it worked on the
/// case, without those in which it waited for the applicant. `changes` are those of the national status,
/// in order; the last one lasts until `now`.
#[must_use]
pub fn spent(calendar: &Calendar, changes: &[(Time, u8)], now: Time) -> i64 {
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([now]);
    let spans = changes.iter().zip(ends);
    spans
        .filter(|((_, status), _)| matches!(status, 2 | 4))
        .map(|((from, _), to)| calendar.between(*from, to))
        .sum()
}

/// By when the result is owed after the applicant has looked at its draft, when that is later: a term
/// of the same day that was kept until the draft went out, and that the look outlasted, is counted from
/// the answer. A term of days goes on.
#[must_use]
pub fn after_look(
    term: Option<&Term>,
    calendar: &Calendar,
    due_before: Time,
    sent: Time,
    answered: Time,
) -> Option<WorkingOut> {
    let same_day = term.is_some_and(|term| matches!(term.rule, TermRule::SameDay { .. }));
    (same_day && sent <= due_before && answered > due_before)
        .then(|| due(term, calendar, answered).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use kernel::calendar::{Hours, Span};

    use super::*;
    use crate::procedure::{Resumption, Starts};

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
    }

    fn due_of(rule: &TermRule, accepted: &str) -> Time {
        due(Some(&online(rule.clone())), &Calendar::standard(), at(accepted))
            .expect("a term")
            .due
    }

    fn online(rule: TermRule) -> Term {
        Term {
            channel: kernel::fact::Channel::Online,
            starts: Starts::Acceptance,
            when: None,
            rule,
        }
    }

    #[test]
    fn a_birth_accepted_before_15_00_is_registered_by_the_close_of_that_day() {
        let rule = TermRule::SameDay { cutoff: 15 * 60 };
        assert_eq!(due_of(&rule, "2026-11-20T09:10"), at("2026-11-20T17:00"));
    }

    #[test]
    fn a_birth_accepted_after_15_00_may_wait_for_the_next_working_day() {
        let rule = TermRule::SameDay { cutoff: 15 * 60 };
        assert_eq!(
            due_of(&rule, "2026-11-20T15:00"),
            at("2026-11-23T17:00"),
            "Friday to Monday"
        );
        assert_eq!(
            due_of(&rule, "2026-11-21T10:00"),
            at("2026-11-23T17:00"),
            "a Saturday counts as Monday morning"
        );
    }

    #[test]
    fn the_next_day_ends_with_its_own_close_where_days_have_other_hours() {
        let spans = [(420, 690), (810, 990)].map(|(from, to)| Span { from, to });
        let calendar = Calendar {
            hours: vec![Hours::weekdays(kernel::Date::MIN, &spans)],
            days: Default::default(),
        };
        let rule = online(TermRule::SameDay { cutoff: 15 * 60 });
        let working_out = due(Some(&rule), &calendar, at("2026-11-20T15:30")).expect("a term");
        assert_eq!(
            working_out.due,
            at("2026-11-23T16:30"),
            "Friday to Monday, not Tuesday"
        );
        assert_eq!(working_out.term_minutes, 60 + 450);
    }

    #[test]
    fn the_working_out_adds_up_to_the_term() {
        let w = due(Some(&days_of(3)), &Calendar::standard(), at("2026-11-20T10:00")).expect("due");
        assert_eq!(w.lines.iter().map(|l| l.minutes).sum::<i64>(), w.term_minutes);
        assert_eq!(w.due, at("2026-11-25T10:00"));
    }

    fn days_of(days: i64) -> Term {
        online(TermRule::WorkingDays { days })
    }

    /// A case accepted, paused and answered at each of many moments of two years.
    fn histories() -> impl Iterator<Item = (Time, Time, Time)> {
        let start = at("2026-01-05T07:00");
        (0..400_i64).map(move |step| {
            let accepted = start.plus_ms(step * 31 * 3_600_000 + step * 97_000);
            let paused = accepted.plus_ms((step * 7 % 90) * 3_600_000);
            let answered = paused.plus_ms((step * 13 % 400) * 3_600_000 + 60_000);
            (accepted, paused, answered)
        })
    }

    #[test]
    fn a_term_that_starts_anew_never_ends_before_one_that_goes_on() {
        let calendar = Calendar::standard();
        for (accepted, paused, answered) in histories() {
            let rule = days_of(3);
            let before = due(Some(&rule), &calendar, accepted).expect("due");
            let of = |how| resumed(how, Some(&rule), &calendar, &before, paused, answered).expect("due");
            let (anew, on) = (of(Resumption::Restart), of(Resumption::Pause));
            assert!(anew.due >= on.due, "accepted {accepted:?}, paused {paused:?}");
            assert!(on.due >= before.due, "waiting takes nothing from the term");
        }
    }

    #[test]
    fn a_pause_adds_to_the_term_what_it_took_and_no_more() {
        let calendar = Calendar::standard();
        for (accepted, paused, answered) in histories() {
            let rule = days_of(5);
            let before = due(Some(&rule), &calendar, accepted).expect("due");
            let on = resumed(
                Resumption::Pause,
                Some(&rule),
                &calendar,
                &before,
                paused,
                answered,
            )
            .expect("due");
            let counted: i64 = on.lines.iter().map(|l| l.minutes).sum();
            assert_eq!(
                counted, on.term_minutes,
                "the working-out still adds up to the term"
            );
            let waits = on.lines.iter().any(|l| l.reason == PAUSED);
            assert_eq!(waits, paused < before.due, "and shows the pause");
        }
    }

    #[test]
    fn a_case_that_was_late_before_the_pause_stays_late() {
        let calendar = Calendar::standard();
        let rule = online(TermRule::SameDay { cutoff: 900 });
        let before = due(Some(&rule), &calendar, at("2026-11-20T09:00")).expect("due");
        let (paused, answered) = (at("2026-11-23T09:00"), at("2026-11-25T09:00"));
        let on = resumed(
            Resumption::Pause,
            Some(&rule),
            &calendar,
            &before,
            paused,
            answered,
        )
        .expect("due");
        assert_eq!(on.due, before.due);
    }

    #[test]
    fn elapsed_time_never_counts_a_minute_of_waiting_for_the_applicant() {
        let calendar = Calendar::standard();
        for (accepted, paused, answered) in histories() {
            let end = answered.plus_ms(5 * 3_600_000);
            let spent = spent(
                &calendar,
                &[(accepted, 2), (paused, 5), (answered, 4), (end, 10)],
                end,
            );
            let worked = calendar.between(accepted, paused) + calendar.between(answered, end);
            assert_eq!(spent, worked);
            let waited = calendar.between(paused, answered);
            assert!(
                spent <= calendar.between(accepted, end) - waited + 8,
                "but for cut seconds"
            );
            let still = super::spent(&calendar, &[(accepted, 2), (paused, 5)], end);
            assert_eq!(
                still,
                calendar.between(accepted, paused),
                "a pause that lasts counts nothing"
            );
        }
    }
}
