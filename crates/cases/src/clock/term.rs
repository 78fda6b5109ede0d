//! How one term is counted: in working days or hours, by the wall clock in days, hours or months, or within
//! the day. What ends when nobody works ends when somebody does. Never what happened to the case in between.

use kernel::calendar::{Calendar, Counted, Line};
use kernel::time::{civil_date, iso};
use kernel::{Date, Kind, Problem, Time};

use super::{MOVED, PAUSED, UNPAID, WorkingOut};
use crate::procedure::{Resumption, Starts, Term, TermRule};

/// Counts the term of a case accepted at an instant.
///
/// # Errors
/// `case-no-term` when the procedure has no term for the case's channel; internal for a calendar on which
/// nobody ever works.
pub fn due(term: Option<&Term>, calendar: &Calendar, accepted: Time) -> Result<WorkingOut, Problem> {
    let term = term.ok_or(Problem::new(Kind::Internal, "case-no-term"))?;
    let from = begin(term.starts, calendar, accepted)?;
    let counted = match &term.rule {
        TermRule::WorkingDays { days } => calendar.days_after(from, *days),
        TermRule::WorkingHours { hours } => calendar.count(from, hours * 60),
        TermRule::SameDay { cutoff } => same_day(calendar, from, *cutoff),
        TermRule::CalendarDays { .. } | TermRule::Hours { .. } | TermRule::Months { .. } => {
            let end = Wall::of(&term.rule, from).ok_or_else(never)?;
            end.settled(calendar, from, from)?
        }
    };
    Ok(WorkingOut {
        from,
        term_minutes: counted.lines.iter().map(|line| line.minutes).sum(),
        rule: term.rule.name().to_owned(),
        lines: counted.lines,
        due: counted.end,
    })
}

/// Counts the term of a case that was paused and goes on: anew, or with what was left of it. A term that
/// had run out before the pause stays run out where it goes on. By the wall clock, what was left is days and
/// hours; else it is working time.
///
/// # Errors
/// As [`due`].
pub fn resumed(
    how: Resumption,
    term: Option<&Term>,
    calendar: &Calendar,
    before: &WorkingOut,
    paused: Time,
    now: Time,
) -> Result<WorkingOut, Problem> {
    match how {
        Resumption::Restart => due(term, calendar, now),
        Resumption::Pause => gone_on(PAUSED, term, calendar, before, &[], (paused, now)),
    }
}

/// Counts the term of a case that waited for its applicant, from one instant to the other and for a reason, and goes on
/// with what was left of it. `earlier` are the waits before this one since the count began.
///
/// # Errors
/// As [`due`].
pub(super) fn gone_on(
    reason: &str,
    term: Option<&Term>,
    calendar: &Calendar,
    before: &WorkingOut,
    earlier: &[(Time, Time)],
    wait: (Time, Time),
) -> Result<WorkingOut, Problem> {
    let (paused, now) = wait;
    if paused >= before.due {
        return Ok(before.clone());
    }
    let left = calendar.between(paused.max(before.from), before.due);
    let used = (before.term_minutes - left).max(0);
    let mut lines = match used {
        _ if !earlier.is_empty() => first_of(&before.lines, used),
        0 => Vec::new(),
        _ => calendar.count(before.from, used).lines,
    };
    lines.extend(days(paused, now).map(|day| line(day, reason.to_owned())));
    let again = calendar.opening(now);
    let rest = match term.and_then(|term| Wall::of(&term.rule, before.from)) {
        None => calendar.count(again, left),
        Some(end) => {
            let waits = earlier.iter().chain(std::iter::once(&wait));
            let end = waits.fold(end, |end, (from, to)| end.later((*from).max(before.from), *to));
            end.settled(calendar, again, now)?
        }
    };
    lines.extend(rest.lines);
    Ok(WorkingOut {
        term_minutes: lines.iter().map(|line| line.minutes).sum(),
        lines,
        due: rest.end,
        ..before.clone()
    })
}

/// The lines of a count up to so many of its minutes; the waits before them, among them and right after them stay.
fn first_of(lines: &[Line], minutes: i64) -> Vec<Line> {
    let (mut first, mut left) = (Vec::new(), minutes);
    for line in lines {
        if left == 0 && ![PAUSED, UNPAID].contains(&line.reason.as_str()) {
            break;
        }
        let taken = line.minutes.min(left);
        left -= taken;
        first.push(Line {
            minutes: taken,
            ..line.clone()
        });
    }
    first
}

/// When the count begins.
fn begin(starts: Starts, calendar: &Calendar, accepted: Time) -> Result<Time, Problem> {
    match starts {
        Starts::Acceptance => Ok(calendar.opening(accepted)),
        Starts::NextDay => {
            let day = calendar.next_working_day(accepted.date()).ok_or_else(never)?;
            Ok(calendar.opening(Time::at(day, 0)))
        }
    }
}

/// To the close of the day, or of the next working day for what came at the cutoff or after it.
fn same_day(calendar: &Calendar, from: Time, cutoff: i64) -> Counted {
    let day = from.date();
    let last = if from.minute_of_day() < cutoff {
        Some(day)
    } else {
        calendar.next_working_day(day)
    };
    let close = last.and_then(|day| calendar.close_of(day)).unwrap_or(from);
    // From the whole minute, as a count is: seconds would take one from it.
    let minutes = calendar.between(Time::at(day, from.minute_of_day()), close);
    calendar.count(from, minutes)
}

/// Where a term by the wall clock ends, whether anybody works then or not.
#[derive(Clone, Copy)]
enum Wall {
    /// With a day.
    Day(Date),
    /// At an instant.
    Instant(Time),
}

impl Wall {
    /// The end of a term that begins at an instant; its day is not counted. `None` for a term of working
    /// time, and beyond the last day that can be written.
    fn of(rule: &TermRule, from: Time) -> Option<Self> {
        match rule {
            TermRule::CalendarDays { days } => days_later(from.date(), *days).map(Self::Day),
            TermRule::Months { months } => months_later(from.date(), *months).map(Self::Day),
            TermRule::Hours { hours } => Some(Self::Instant(from.plus_ms(hours * 3_600_000))),
            TermRule::WorkingDays { .. } | TermRule::WorkingHours { .. } | TermRule::SameDay { .. } => None,
        }
    }

    /// The end after a pause, which took nothing from the term; before the count begins there is nothing to
    /// take.
    fn later(self, paused: Time, now: Time) -> Self {
        match self {
            Self::Day(day) => {
                let pause = (now.date() - paused.date()).whole_days().max(0);
                Self::Day(days_later(day, pause).unwrap_or(day))
            }
            Self::Instant(at) => Self::Instant(at.plus_ms((now.ms() - paused.ms()).max(0))),
        }
    }

    /// The end as somebody works then, after an instant, and the days up to it.
    fn settled(self, calendar: &Calendar, from: Time, after: Time) -> Result<Counted, Problem> {
        let (end, moved) = match self {
            Self::Day(wanted) => {
                let days = std::iter::successors(Some(wanted), |day| calendar.next_working_day(*day));
                let mut closes = days.filter_map(|day| calendar.close_of(day));
                let close = closes.find(|close| *close > after).ok_or_else(never)?;
                (close, close.date() != wanted)
            }
            Self::Instant(wanted) => {
                let worked = calendar.between(wanted.plus_ms(-60_000), wanted) > 0;
                let end = if worked { wanted } else { calendar.opening(wanted) };
                (end, end != wanted)
            }
        };
        let mut lines = up_to(calendar, from, end);
        if let (true, Some(last)) = (moved, lines.last_mut()) {
            MOVED.clone_into(&mut last.reason);
        }
        Ok(Counted { end, lines })
    }
}

/// The working time from one instant to another, a line a day, also for the days without any at the end.
fn up_to(calendar: &Calendar, from: Time, end: Time) -> Vec<Line> {
    let from = Time::at(from.date(), from.minute_of_day());
    let Counted { end: last, mut lines } = calendar.count(from, calendar.between(from, end));
    let more = days(last, end).skip(1);
    lines.extend(more.map(|day| line(day, calendar.reason(day))));
    lines
}

/// A day that counts nothing.
fn line(day: Date, reason: String) -> Line {
    Line {
        date: iso(day),
        minutes: 0,
        reason,
    }
}

/// The days from one instant to another, both with theirs.
fn days(from: Time, to: Time) -> impl Iterator<Item = Date> {
    let last = to.date();
    std::iter::successors(Some(from.date()), |day| day.next_day()).take_while(move |day| *day <= last)
}

pub(super) fn days_later(day: Date, days: i64) -> Option<Date> {
    day.checked_add(time::Duration::days(days))
}

/// The same day of a later month, or that month's last: a month from 31 January ends with February.
pub(super) fn months_later(day: Date, months: i64) -> Option<Date> {
    let month = i64::from(day.year()) * 12 + i64::from(u8::from(day.month())) - 1 + months;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u8::try_from(month.rem_euclid(12) + 1).ok()?;
    (1..=day.day())
        .rev()
        .take(4)
        .find_map(|day| civil_date(year, month, day))
}

fn never() -> Problem {
    Problem::internal("a calendar on which nobody works")
}

#[cfg(test)]
mod tests {
    use kernel::calendar::SpecialDay;
    use kernel::fact::Channel;

    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
    }

    fn day(text: &str) -> Date {
        kernel::time::parse_iso(text).expect("a day")
    }

    fn term(rule: TermRule) -> Term {
        Term {
            channel: Channel::Post,
            starts: Starts::Acceptance,
            when: None,
            rule,
        }
    }

    fn counted(rule: TermRule, accepted: &str) -> WorkingOut {
        due(Some(&term(rule)), &Calendar::standard(), at(accepted)).expect("a term")
    }

    #[test]
    fn calendar_days_count_every_day_but_the_first_and_end_with_the_last() {
        let counted = counted(TermRule::CalendarDays { days: 10 }, "2026-11-02T10:00");
        assert_eq!(counted.due, at("2026-11-12T17:00"));
        assert_eq!(counted.lines.len(), 11);
        assert_eq!(
            counted.term_minutes,
            8 * 480 + 300,
            "eight days and the rest of the first"
        );
    }

    #[test]
    fn a_result_that_would_be_owed_on_a_day_without_work_is_owed_on_the_next_with_work() {
        let rule = TermRule::CalendarDays { days: 5 };
        let on_saturday = counted(rule.clone(), "2026-11-02T10:00");
        assert_eq!(on_saturday.due, at("2026-11-09T17:00"));
        let last = on_saturday.lines.last().expect("a line");
        assert_eq!((last.date.as_str(), last.reason.as_str()), ("2026-11-09", MOVED));
        let mut calendar = Calendar::standard();
        let special = |working| SpecialDay {
            working,
            name: "Nghỉ bù".to_owned(),
        };
        calendar.days.insert(day("2026-11-09"), special(false));
        let holiday = due(Some(&term(rule.clone())), &calendar, at("2026-11-02T10:00")).expect("a term");
        assert_eq!(holiday.due, at("2026-11-10T17:00"), "and that one is no day off");
        calendar.days.insert(day("2026-11-07"), special(true));
        let made_up = due(Some(&term(rule)), &calendar, at("2026-11-02T10:00")).expect("a term");
        assert_eq!(
            made_up.due,
            at("2026-11-07T17:00"),
            "a Saturday that is worked is a day with work"
        );
        assert!(made_up.lines.iter().all(|line| line.reason != MOVED));
    }

    #[test]
    fn a_month_ends_with_the_same_day_of_the_next_or_with_its_last() {
        let due = |months, accepted| counted(TermRule::Months { months }, accepted).due;
        assert_eq!(due(1, "2026-11-16T10:00"), at("2026-12-16T17:00"));
        assert_eq!(due(1, "2028-01-31T10:00"), at("2028-02-29T17:00"), "a leap year");
        assert_eq!(due(1, "2029-01-31T10:00"), at("2029-02-28T17:00"));
        assert_eq!(
            due(12, "2028-02-29T10:00"),
            at("2029-02-28T17:00"),
            "29 February has no next year"
        );
        assert_eq!(
            due(48, "2028-02-29T10:00"),
            at("2032-03-01T17:00"),
            "it has in four; a Sunday then"
        );
        assert_eq!(
            due(3, "2026-11-30T10:00"),
            at("2027-03-01T17:00"),
            "28 February 2027 is a Sunday"
        );
    }

    #[test]
    fn hours_by_the_wall_clock_end_when_somebody_works() {
        let due = |hours, accepted| counted(TermRule::Hours { hours }, accepted).due;
        assert_eq!(due(2, "2026-11-20T09:10"), at("2026-11-20T11:10"));
        assert_eq!(
            due(3, "2026-11-20T09:10"),
            at("2026-11-20T13:30"),
            "at noon nobody works"
        );
        assert_eq!(due(24, "2026-11-19T09:10"), at("2026-11-20T09:10"));
        assert_eq!(
            due(24, "2026-11-20T09:10"),
            at("2026-11-23T07:00"),
            "on Saturday nobody works"
        );
        assert_eq!(
            due(8, "2026-11-20T09:00"),
            at("2026-11-20T17:00"),
            "at the close somebody does"
        );
    }

    #[test]
    fn working_hours_count_no_lunch_and_no_night() {
        let due = |hours, accepted| counted(TermRule::WorkingHours { hours }, accepted).due;
        assert_eq!(due(4, "2026-11-20T09:00"), at("2026-11-20T15:00"));
        assert_eq!(due(8, "2026-11-20T09:00"), at("2026-11-23T09:00"));
    }

    #[test]
    fn a_term_from_the_next_day_begins_with_the_next_working_day() {
        let next = |rule, accepted| {
            let term = Term {
                starts: Starts::NextDay,
                ..term(rule)
            };
            due(Some(&term), &Calendar::standard(), at(accepted)).expect("a term")
        };
        let three = next(TermRule::WorkingDays { days: 3 }, "2026-11-19T10:00");
        assert_eq!(
            (three.from, three.due),
            (at("2026-11-20T07:00"), at("2026-11-24T17:00"))
        );
        let friday = next(TermRule::WorkingDays { days: 1 }, "2026-11-20T16:59");
        assert_eq!(friday.due, at("2026-11-23T17:00"));
        let hours = next(TermRule::WorkingHours { hours: 4 }, "2026-11-20T10:00");
        assert_eq!(hours.due, at("2026-11-23T11:00"));
    }

    #[test]
    fn each_channel_has_the_term_that_is_said_for_it() {
        let mut procedure = crate::procedure::Procedure::clone(&crate::testing::birth());
        assert_eq!(procedure.term(Channel::Post), None);
        procedure.terms.push(term(TermRule::Months { months: 1 }));
        let post = due(
            procedure.term(Channel::Post),
            &Calendar::standard(),
            at("2026-11-16T10:00"),
        );
        assert_eq!(post.expect("a term").rule, "months");
        let online = procedure.term(Channel::Online).map(|term| term.rule.name());
        assert_eq!(online, Some("same-day"));
    }

    #[test]
    fn a_pause_gives_a_term_by_the_wall_clock_the_days_it_took() {
        let calendar = Calendar::standard();
        let on = |rule: &Term, accepted, paused, answered| {
            let before = due(Some(rule), &calendar, at(accepted)).expect("a term");
            let (paused, answered) = (at(paused), at(answered));
            resumed(
                Resumption::Pause,
                Some(rule),
                &calendar,
                &before,
                paused,
                answered,
            )
            .expect("a term")
        };
        let ten = term(TermRule::CalendarDays { days: 10 });
        let after = on(&ten, "2026-11-02T10:00", "2026-11-04T10:00", "2026-11-11T09:00");
        assert_eq!(after.due, at("2026-11-19T17:00"), "the 12th and seven days");
        assert!(after.lines.iter().any(|line| line.reason == PAUSED));
        // Moved once, from where it would have ended: Saturday the 7th and a day is a Sunday.
        let five = term(TermRule::CalendarDays { days: 5 });
        let after = on(&five, "2026-11-02T10:00", "2026-11-03T10:00", "2026-11-04T10:00");
        assert_eq!(after.due, at("2026-11-09T17:00"));
        let hours = term(TermRule::Hours { hours: 24 });
        let after = on(&hours, "2026-11-18T09:00", "2026-11-18T10:00", "2026-11-19T10:00");
        assert_eq!(after.due, at("2026-11-20T09:00"));
        // Answered in the evening of its last day: nobody works any more.
        let one = term(TermRule::CalendarDays { days: 1 });
        let after = on(&one, "2026-11-16T10:00", "2026-11-17T10:00", "2026-11-18T20:00");
        assert_eq!(after.due, at("2026-11-19T17:00"));
    }
}
