//! The date alone, without its working-out: for many cases at once. A property holds it against the way that
//! shows how it counts.

use kernel::calendar::Compiled;
use kernel::{Date, Time};

use super::term::{days_later, months_later};
use crate::procedure::{Starts, Term, TermRule};

/// By when the result of a case accepted at an instant is owed; `None` beyond the days of the calendar.
#[must_use]
pub fn due_at(term: &Term, calendar: &Compiled, accepted: Time) -> Option<Time> {
    let from = match term.starts {
        Starts::Acceptance => calendar.opening(accepted)?,
        Starts::NextDay => calendar.opening(Time::at(accepted.date().next_day()?, 0))?,
    };
    match term.rule {
        TermRule::WorkingDays { days } => calendar.days_after(from, days),
        TermRule::WorkingHours { hours } => calendar.count(from, hours * 60),
        TermRule::SameDay { cutoff } => calendar.close_from(last_day(from, cutoff)?),
        TermRule::CalendarDays { days } => calendar.close_from(days_later(from.date(), days)?),
        TermRule::Months { months } => calendar.close_from(months_later(from.date(), months)?),
        TermRule::Hours { hours } => {
            let wanted = from.plus_ms(hours * 3_600_000);
            match calendar.worked_before(wanted) {
                true => Some(wanted),
                false => calendar.opening(wanted),
            }
        }
    }
}

/// The day with which a term of the day ends, or the one after it.
fn last_day(from: Time, cutoff: i64) -> Option<Date> {
    let day = from.date();
    if from.minute_of_day() < cutoff {
        Some(day)
    } else {
        day.next_day()
    }
}

#[cfg(test)]
mod tests {
    use kernel::calendar::{Calendar, Hours, Season, Span, SpecialDay};
    use kernel::fact::Channel;
    use kernel::time::civil_date;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::{due, resumed};
    use crate::procedure::Resumption;
    use crate::testing::nouns;

    const DAYS: i64 = 36_525;

    fn day(after: i64) -> Date {
        let first = civil_date(2000, 1, 1).expect("a day");
        days_later(first, after).expect("a day")
    }

    fn rules() -> impl Strategy<Value = TermRule> {
        prop_oneof![
            (1..60_i64).prop_map(|days| TermRule::WorkingDays { days }),
            (1..200_i64).prop_map(|hours| TermRule::WorkingHours { hours }),
            (1..120_i64).prop_map(|days| TermRule::CalendarDays { days }),
            (1..240_i64).prop_map(|hours| TermRule::Hours { hours }),
            (1..=12_i64).prop_map(|months| TermRule::Months { months }),
            (420..1_020_i64).prop_map(|cutoff| TermRule::SameDay { cutoff }),
        ]
    }

    fn terms() -> impl Strategy<Value = Term> {
        (rules(), any::<bool>()).prop_map(|(rule, next)| {
            let working = matches!(rule, TermRule::WorkingDays { .. } | TermRule::WorkingHours { .. });
            Term {
                channel: Channel::Online,
                starts: if next && working {
                    Starts::NextDay
                } else {
                    Starts::Acceptance
                },
                when: None,
                rule,
            }
        })
    }

    /// Days of nine hours in a season and of five hours else, and days that differ.
    fn calendars() -> impl Strategy<Value = Calendar> {
        let days = proptest::collection::btree_map(0..DAYS, any::<bool>(), 0..300);
        let season = ((1..=12_u8, 1..=28_u8), (1..=12_u8, 1..=28_u8));
        (days, season).prop_map(|(days, (first, last))| {
            let span = |from, to| Span { from, to };
            let mut summer = Hours::weekdays(Date::MIN, &[span(420, 690), span(780, 1_050)]);
            summer.season = Some(Season { first, last });
            let special = |(after, working)| {
                let name = "Ngày khác".to_owned();
                (day(after), SpecialDay { working, name })
            };
            Calendar {
                hours: vec![summer, Hours::weekdays(Date::MIN, &[span(450, 750)])],
                days: days.into_iter().map(special).collect(),
            }
        })
    }

    fn instants() -> impl Strategy<Value = Time> {
        (0..DAYS - 900, 0..86_400_i64).prop_map(|(after, s)| Time::at(day(after), 0).plus_ms(s * 1000))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn the_fast_way_gives_the_date_that_the_working_out_ends_with(
            calendar in calendars(), all in proptest::collection::vec((terms(), instants()), 10),
        ) {
            let compiled = Compiled::new(&calendar, day(0), day(DAYS - 1));
            for (term, accepted) in all {
                let counted = due(Some(&term), &calendar, accepted).expect("a term");
                prop_assert_eq!(due_at(&term, &compiled, accepted), Some(counted.due), "{:?} {:?}", term, accepted);
            }
        }

        #[test]
        fn in_any_calendar_a_result_is_owed_when_somebody_works_and_the_lines_lead_there(
            calendar in calendars(), term in terms(), accepted in instants(),
        ) {
            let counted = due(Some(&term), &calendar, accepted).expect("a term");
            prop_assert!(counted.due >= calendar.opening(accepted));
            prop_assert!(calendar.works_on(counted.due.date()));
            let sum: i64 = counted.lines.iter().map(|line| line.minutes).sum();
            prop_assert_eq!(sum, counted.term_minutes);
            let last = counted.lines.last().map(|line| line.date.clone());
            prop_assert_eq!(last, Some(kernel::time::iso(counted.due.date())));
            let one_line_a_day = counted.lines.windows(2).all(|two| two[0].date < two[1].date);
            prop_assert!(one_line_a_day);
        }

        #[test]
        fn in_any_calendar_a_pause_takes_nothing_from_a_term_and_a_new_start_is_no_shorter(
            calendar in calendars(), term in terms(), accepted in instants(),
            asked in 0..400_i64, waited in 1..700_i64,
        ) {
            let before = due(Some(&term), &calendar, accepted).expect("a term");
            let paused = accepted.plus_ms(asked * 3_600_000);
            let now = paused.plus_ms(waited * 3_600_000);
            let of = |how| resumed(how, Some(&term), &calendar, &before, paused, now).expect("a term");
            let (on, anew) = (of(Resumption::Pause), of(Resumption::Restart));
            prop_assert!(on.due >= before.due);
            // Months differ in length, and so do the hours of days: what is left of one is not what another has.
            let even = matches!(term.rule, TermRule::WorkingHours { .. } | TermRule::Hours { .. } | TermRule::CalendarDays { .. });
            if even {
                prop_assert!(anew.due >= on.due, "{:?} {:?}", anew, on);
            }
            let sum: i64 = on.lines.iter().map(|line| line.minutes).sum();
            prop_assert_eq!(sum, on.term_minutes);
        }
    }

    #[test]
    fn the_calendar_of_the_pack_is_counted_the_same_both_ways() {
        let calendar = nouns().calendars.of(&"H56.15865".parse().expect("a code"));
        let compiled = Compiled::new(&calendar, day(7_305), day(10_950));
        let term = Term {
            channel: Channel::Online,
            starts: Starts::Acceptance,
            when: None,
            rule: TermRule::WorkingDays { days: 20 },
        };
        for hour in 0..24 * 365 {
            let accepted = Time::at(day(9_497), 7).plus_ms(hour * 3_600_000);
            let counted = due(Some(&term), &calendar, accepted).expect("a term");
            assert_eq!(due_at(&term, &compiled, accepted), Some(counted.due));
        }
    }
}
