//! The rules of a procedure's terms: how long, from when, and how early a letter of apology comes. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::procedure::{Clock, Procedure, Starts, Term, TermRule};

/// Longest term in working or other days, in hours, and in months: what can still be counted with a
/// calendar of known holidays.
const DAYS_MAX: i64 = 1_000;
const HOURS_MAX: i64 = 8_000;
const MONTHS_MAX: i64 = 36;
/// Minutes of a day.
const MINUTES: i64 = 1_440;

pub(super) fn check(procedure: &Procedure, flaws: &mut Vec<Flaw>) {
    if procedure.terms.is_empty() {
        flaws.push(Flaw::new("/terms", "terms-none", named(procedure.code.as_str())));
    }
    for (at, term) in procedure.terms.iter().enumerate() {
        length(&format!("/terms/{at}"), &term.rule, flaws);
        let working = matches!(
            term.rule,
            TermRule::WorkingDays { .. } | TermRule::WorkingHours { .. }
        );
        if term.starts == Starts::NextDay && !working {
            let at = format!("/terms/{at}/starts");
            flaws.push(Flaw::new(at, "term-starts", named(term.rule.name())));
        }
    }
    for (code, state) in &procedure.states {
        let Some(rule) = &state.term else {
            continue;
        };
        let at = format!("/states/{code}/term");
        length(&at, rule, flaws);
        let working = matches!(rule, TermRule::WorkingDays { .. } | TermRule::WorkingHours { .. });
        if !working || state.clock != Clock::Run {
            flaws.push(Flaw::new(at, "step-term", named(code)));
        }
    }
    let of_days = |term: &Term| !matches!(term.rule, TermRule::SameDay { .. } | TermRule::Hours { .. });
    if let Some(apology) = &procedure.apology
        && (apology.ahead_days < 0 || apology.ahead_days == 0 && procedure.terms.iter().any(of_days))
    {
        let ahead = named(&apology.ahead_days.to_string());
        flaws.push(Flaw::new("/apology/ahead_days", "apology-ahead", ahead));
    }
}

/// A term is as long as something can be, and the cutoff of a day is within it.
pub(super) fn length(at: &str, rule: &TermRule, flaws: &mut Vec<Flaw>) {
    let (key, value, max) = match rule {
        TermRule::WorkingDays { days } | TermRule::CalendarDays { days } => ("days", *days, DAYS_MAX),
        TermRule::WorkingHours { hours } | TermRule::Hours { hours } => ("hours", *hours, HOURS_MAX),
        TermRule::Months { months } => ("months", *months, MONTHS_MAX),
        TermRule::SameDay { cutoff } => ("cutoff", *cutoff, MINUTES),
    };
    if !(1..=max).contains(&value) {
        let mut names = named(&value.to_string());
        names.push(("max", max.to_string()));
        flaws.push(Flaw::new(format!("{at}/{key}"), "term-length", names));
    }
}

#[cfg(test)]
mod tests {
    use kernel::fact::Channel;

    use super::*;
    use crate::testing::birth;

    /// The rules that a procedure of one term breaks, and where.
    fn told(starts: Starts, rule: TermRule) -> Vec<(String, &'static str)> {
        let mut procedure = Procedure::clone(&birth());
        procedure.apology = None;
        procedure.terms = vec![Term {
            channel: Channel::Post,
            starts,
            when: None,
            rule,
        }];
        let flaws = crate::pack::flaws(&procedure).into_iter();
        flaws.map(|flaw| (flaw.at, flaw.rule)).collect()
    }

    #[test]
    fn a_term_has_a_length_that_can_be_counted() {
        for (key, rule) in [
            ("days", TermRule::WorkingDays { days: 0 }),
            ("days", TermRule::CalendarDays { days: -1 }),
            ("days", TermRule::CalendarDays { days: 1_001 }),
            ("hours", TermRule::WorkingHours { hours: 0 }),
            ("hours", TermRule::Hours { hours: 8_001 }),
            ("months", TermRule::Months { months: 37 }),
            ("cutoff", TermRule::SameDay { cutoff: 1_441 }),
        ] {
            let told = told(Starts::Acceptance, rule);
            assert_eq!(told, [(format!("/terms/0/{key}"), "term-length")]);
        }
        for rule in [
            TermRule::Months { months: 1 },
            TermRule::Hours { hours: 24 },
            TermRule::CalendarDays { days: 20 },
        ] {
            assert_eq!(told(Starts::Acceptance, rule), []);
        }
    }

    #[test]
    fn only_what_counts_working_time_begins_with_the_next_day() {
        assert_eq!(told(Starts::NextDay, TermRule::WorkingDays { days: 3 }), []);
        for rule in [TermRule::SameDay { cutoff: 900 }, TermRule::Months { months: 1 }] {
            let told = told(Starts::NextDay, rule);
            assert_eq!(told, [("/terms/0/starts".to_owned(), "term-starts")]);
        }
    }

    #[test]
    fn a_letter_about_a_term_of_days_comes_a_day_before_at_the_latest() {
        let mut procedure = Procedure::clone(&birth());
        assert_eq!(
            crate::pack::flaws(&procedure),
            [],
            "a term of the day has no day before"
        );
        procedure.terms[0].rule = TermRule::WorkingDays { days: 3 };
        let flaws = crate::pack::flaws(&procedure);
        assert_eq!(flaws[0].rule, "apology-ahead");
    }
}
