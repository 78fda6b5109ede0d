//! Calendars of a century as nobody would think of them: hours that change, seasons over New Year, Saturdays
//! made up, holidays in a row. What holds for each of them holds for ours.

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;
use crate::time::civil_date;

/// Days from the first of 2000 to the last of 2099.
const DAYS: i64 = 36_525;

fn first() -> Date {
    civil_date(2000, 1, 1).expect("a day")
}

fn day(after: i64) -> Date {
    first().checked_add(time::Duration::days(after)).expect("a day")
}

/// A working day: with or without an afternoon.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    (
        360..540_i64,
        600..720_i64,
        750..840_i64,
        900..1_140_i64,
        any::<bool>(),
    )
        .prop_map(|(a, b, c, d, long)| {
            let mut spans = vec![Span { from: a, to: b }];
            if long {
                spans.push(Span { from: c, to: d });
            }
            spans
        })
}

fn hours() -> impl Strategy<Value = Hours> {
    let season = proptest::option::of(((1..=12_u8, 1..=28_u8), (1..=12_u8, 1..=28_u8)));
    (0..DAYS, season, spans(), proptest::option::of(spans())).prop_map(|(from, season, week, saturday)| {
        let mut hours = Hours::weekdays(day(from), &week);
        hours.season = season.map(|(first, last)| Season { first, last });
        if let Some(saturday) = saturday {
            hours.week[5] = saturday;
        }
        hours
    })
}

fn calendars() -> impl Strategy<Value = Calendar> {
    let special = any::<bool>().prop_map(|working| SpecialDay {
        working,
        name: "Ngày khác".to_owned(),
    });
    (
        proptest::collection::vec(hours(), 0..4),
        spans(),
        btree_map(0..DAYS, special, 0..400),
    )
        .prop_map(|(mut rules, always, days)| {
            rules.push(Hours::weekdays(Date::MIN, &always));
            let days = days.into_iter();
            Calendar {
                hours: rules,
                days: days.map(|(after, special)| (day(after), special)).collect(),
            }
        })
}

/// An instant of the first 98 years, to the second.
fn instants() -> impl Strategy<Value = Time> {
    (0..DAYS - 730, 0..86_400_i64).prop_map(|(after, second)| Time::at(day(after), 0).plus_ms(second * 1000))
}

/// The beginning of an instant's minute.
fn minute(at: Time) -> Time {
    Time::at(at.date(), at.minute_of_day())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn counting_and_measuring_are_inverse(calendar in calendars(), from in instants(), minutes in 1..20_000_i64) {
        let from = minute(from);
        let counted = calendar.count(from, minutes);
        prop_assert_eq!(calendar.between(from, counted.end), minutes);
    }

    #[test]
    fn the_lines_add_up_and_no_day_off_counts(calendar in calendars(), from in instants(), days in 1..60_i64) {
        let counted = calendar.days_after(from, days);
        let begins = minute(calendar.opening(from));
        let lines: i64 = counted.lines.iter().map(|line| line.minutes).sum();
        prop_assert_eq!(lines, calendar.between(begins, counted.end));
        for line in &counted.lines {
            let day = crate::time::parse_iso(&line.date).expect("a day");
            prop_assert!(line.minutes <= calendar.minutes_of(day));
        }
    }

    #[test]
    fn nothing_ends_when_nobody_works_or_before_it_begins(calendar in calendars(), from in instants(), days in 1..60_i64) {
        let end = calendar.days_after(from, days).end;
        prop_assert!(calendar.works_on(end.date()));
        prop_assert_eq!(calendar.between(end.plus_ms(-60_000), end), 1);
        prop_assert!(end > calendar.opening(from));
    }

    #[test]
    fn what_begins_later_or_takes_longer_never_ends_earlier(
        calendar in calendars(), from in instants(), later in 0..3_000_000_i64, days in 1..60_i64, more in 0..10_i64,
    ) {
        let end = calendar.days_after(from, days).end;
        prop_assert!(calendar.days_after(from.plus_ms(later * 1000), days).end >= end);
        prop_assert!(calendar.days_after(from, days + more).end >= end);
        let end = calendar.count(from, days * 60).end;
        prop_assert!(calendar.count(from.plus_ms(later * 1000), days * 60).end >= end);
        prop_assert!(calendar.count(from, days * 60 + more).end >= end);
    }

    #[test]
    fn one_more_day_off_never_makes_a_date_earlier(
        calendar in calendars(), from in instants(), days in 1..60_i64, off in 0..90_i64,
    ) {
        let mut longer = calendar.clone();
        let off = from.date().checked_add(time::Duration::days(off)).expect("a day");
        longer.days.insert(off, SpecialDay { working: false, name: "Nghỉ đột xuất".to_owned() });
        prop_assert!(longer.days_after(from, days).end >= calendar.days_after(from, days).end);
        prop_assert!(longer.count(from, days * 480).end >= calendar.count(from, days * 480).end);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_fast_way_and_the_slow_way_give_the_same(
        calendar in calendars(), all in proptest::collection::vec((instants(), 0..60_i64, 0..9_000_i64), 20),
    ) {
        let compiled = Compiled::new(&calendar, first(), day(DAYS - 1));
        for (from, days, minutes) in all {
            prop_assert_eq!(compiled.opening(from), Some(calendar.opening(from)));
            prop_assert_eq!(compiled.count(from, minutes), Some(calendar.count(from, minutes).end));
            prop_assert_eq!(compiled.days_after(from, days), Some(calendar.days_after(from, days).end));
            let closes = std::iter::successors(Some(from.date()), |day| day.next_day())
                .find_map(|day| calendar.close_of(day));
            prop_assert_eq!(compiled.close_from(from.date()), closes);
            for at in [from, calendar.opening(from), calendar.count(from, minutes).end] {
                let worked = calendar.between(at.plus_ms(-60_000), at) > 0;
                prop_assert_eq!(compiled.worked_before(at), worked);
            }
        }
    }

    #[test]
    fn beyond_its_days_a_compiled_calendar_says_nothing(calendar in calendars()) {
        let short = Compiled::new(&calendar, day(100), day(130));
        prop_assert_eq!(short.opening(Time::at(day(99), 600)), None);
        prop_assert_eq!(short.opening(Time::at(day(131), 600)), None);
        prop_assert_eq!(short.days_after(Time::at(day(120), 600), 60), None);
    }
}
