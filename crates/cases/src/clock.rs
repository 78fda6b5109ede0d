//! When a result is owed: a pure function of acceptance, calendar and the procedure's term, with its
//! working-out. The clock starts at acceptance, not at filing.

use kernel::calendar::{Calendar, Counted, DAY_MINUTES, Line};
use kernel::{Kind, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::procedure::TermRule;

/// How a due date was counted, line by line, as citizen and officer see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingOut {
    /// The instant the count begins: acceptance, or the next opening.
    pub from: Time,
    /// The term in working minutes.
    pub term_minutes: i64,
    /// `working-days` or `same-day`.
    pub rule: String,
    /// One line a day.
    pub lines: Vec<Line>,
    /// The instant the result is owed.
    pub due: Time,
}

/// Counts the term of a case accepted at an instant.
///
/// # Errors
/// `case-no-term` when the procedure has no term for the case's channel.
pub fn due(term: Option<&TermRule>, calendar: &Calendar, accepted: Time) -> Result<WorkingOut, Problem> {
    let term = term.ok_or(Problem::new(Kind::Internal, "case-no-term"))?;
    let from = calendar.opening(accepted);
    let (rule, minutes) = match term {
        TermRule::WorkingDays { days } => ("working-days", days * DAY_MINUTES),
        TermRule::SameDay { cutoff } => ("same-day", same_day(calendar, from, *cutoff)),
    };
    let Counted { end, lines } = calendar.count(from, minutes);
    Ok(WorkingOut {
        from,
        term_minutes: minutes,
        rule: rule.to_owned(),
        lines,
        due: end,
    })
}

/// The working minutes to the close of the day, and of the next one for what came after the cutoff.
fn same_day(calendar: &Calendar, from: Time, cutoff: i64) -> i64 {
    let day = from.date();
    let close = calendar.hours.last().map_or(24 * 60, |s| s.to);
    let today = calendar.between(from, Time::at(day, close));
    if from.minute_of_day() < cutoff {
        today
    } else {
        today + DAY_MINUTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
    }

    fn due_of(rule: &TermRule, accepted: &str) -> Time {
        due(Some(rule), &Calendar::standard(), at(accepted))
            .expect("a term")
            .due
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
    fn the_working_out_adds_up_to_the_term() {
        let w = due(
            Some(&TermRule::WorkingDays { days: 3 }),
            &Calendar::standard(),
            at("2026-11-20T10:00"),
        )
        .expect("due");
        assert_eq!(w.lines.iter().map(|l| l.minutes).sum::<i64>(), w.term_minutes);
        assert_eq!(w.due, at("2026-11-25T10:00"));
    }
}
