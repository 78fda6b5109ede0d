//! Working hours and holidays, and counting with them: pure arithmetic over a dated table. Never
//! says which term a procedure has: see `cases::clock`.

#[cfg(test)]
mod century;
mod compiled;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Date, Time, iso};
pub use compiled::Compiled;

/// One agency's calendar: its hours at all times, its days off and its made-up working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The hours, the rule that goes before all others first; the last one holds where no other does.
    /// Never empty.
    pub hours: Vec<Hours>,
    /// Days that differ from the week's rule, with the reason shown to people.
    pub days: BTreeMap<Date, SpecialDay>,
}

/// The working hours of a week, from a day on, all year or in one season of each year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first day on which they hold.
    pub from: Date,
    /// The season in which they hold; all year when `None`.
    pub season: Option<Season>,
    /// Working spans of Monday to Sunday as minutes since midnight, in order, not overlapping; none on a
    /// day that is not worked.
    pub week: [Vec<Span>; 7],
}

/// A part of each year by month and day, both days included; it may go over New Year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Season {
    /// Its first day: month, day of the month.
    pub first: (u8, u8),
    /// Its last day: month, day of the month.
    pub last: (u8, u8),
}

impl Season {
    fn has(self, day: Date) -> bool {
        let day = (u8::from(day.month()), day.day());
        if self.first <= self.last {
            (self.first..=self.last).contains(&day)
        } else {
            day >= self.first || day <= self.last
        }
    }
}

impl Hours {
    /// The same hours from Monday to Friday, all year.
    #[must_use]
    pub fn weekdays(from: Date, spans: &[Span]) -> Self {
        let on = |weekday: usize| if weekday < 5 { spans.to_vec() } else { Vec::new() };
        Self {
            from,
            season: None,
            week: std::array::from_fn(on),
        }
    }

    fn hold_on(&self, day: Date) -> bool {
        self.from <= day && self.season.is_none_or(|season| season.has(day))
    }

    /// The spans of a weekday; of the week's first day of work for one that is worked against the rule.
    fn spans(&self, day: Date, made_up: bool) -> &[Span] {
        let weekday = usize::from(day.weekday().number_days_from_monday());
        match &self.week[weekday] {
            none if none.is_empty() && made_up => {
                self.week.iter().find(|spans| !spans.is_empty()).unwrap_or(none)
            }
            spans => spans,
        }
    }
}

/// A span of minutes within a day, `from` included, `to` not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First minute of the day.
    pub from: i64,
    /// Minute of the day after the last.
    pub to: i64,
}

/// A day that differs from the week's rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialDay {
    /// True for a Saturday or Sunday that is worked, false for a day off.
    pub working: bool,
    /// Why, in Vietnamese: `Tết Dương lịch`.
    pub name: String,
}

/// One line of a working-out: what happened to the count on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The day, `2026-11-21`.
    pub date: String,
    /// Working minutes counted on that day.
    pub minutes: i64,
    /// The holiday's name, `weekend`, or empty for a plain working day.
    pub reason: String,
}

/// The end of a count and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The instant at which the last minute is used up.
    pub end: Time,
    /// One line a day, first to last.
    pub lines: Vec<Line>,
}

/// Days a count may take before it is given up: some eleven years.
const DAYS_MAX: usize = 4_000;

impl Calendar {
    /// 07:00 to 11:30 and 13:30 to 17:00, Monday to Friday, with no special day.
    #[must_use]
    pub fn standard() -> Self {
        let span = |from, to| Span { from, to };
        let spans = [span(7 * 60, 11 * 60 + 30), span(13 * 60 + 30, 17 * 60)];
        Self {
            hours: vec![Hours::weekdays(Date::MIN, &spans)],
            days: BTreeMap::new(),
        }
    }

    /// The working spans of a day; none when the agency does not work on it.
    #[must_use]
    pub fn spans(&self, day: Date) -> &[Span] {
        let special = self.days.get(&day).map(|special| special.working);
        if special == Some(false) {
            return &[];
        }
        let hours = self.hours.iter().find(|hours| hours.hold_on(day));
        let hours = hours.or(self.hours.last());
        hours.map_or(&[], |hours| hours.spans(day, special == Some(true)))
    }

    /// True when the agency works on that day.
    #[must_use]
    pub fn works_on(&self, day: Date) -> bool {
        !self.spans(day).is_empty()
    }

    /// The working minutes of a day.
    #[must_use]
    pub fn minutes_of(&self, day: Date) -> i64 {
        self.spans(day).iter().map(|span| span.to - span.from).sum()
    }

    /// When the agency closes on a day; `None` when it does not work on it.
    #[must_use]
    pub fn close_of(&self, day: Date) -> Option<Time> {
        self.spans(day).last().map(|span| Time::at(day, span.to))
    }

    /// Why a day is off (or worked against the week's rule); empty for a plain day.
    #[must_use]
    pub fn reason(&self, day: Date) -> String {
        match self.days.get(&day) {
            Some(special) => special.name.clone(),
            None if !self.works_on(day) => "weekend".to_owned(),
            None => String::new(),
        }
    }

    /// The first working instant at or after `from`.
    #[must_use]
    pub fn opening(&self, from: Time) -> Time {
        let (mut day, mut minute) = (from.date(), from.minute_of_day());
        // A year without a working day is a broken calendar; the bound keeps the loop finite.
        for _ in 0..400 {
            for span in self.spans(day) {
                if minute < span.from {
                    return Time::at(day, span.from);
                }
                if minute < span.to {
                    return if from.date() == day && from.minute_of_day() == minute {
                        from
                    } else {
                        Time::at(day, minute)
                    };
                }
            }
            let Some(next) = day.next_day() else { return from };
            (day, minute) = (next, -1);
        }
        from
    }

    /// Counts `minutes` of working time from `from`; the last line's day holds the end. A count
    /// that runs out exactly at the close of a day ends there, not at the next opening.
    #[must_use]
    pub fn count(&self, from: Time, minutes: i64) -> Counted {
        let start = self.opening(from);
        let (mut day, mut left) = (start.date(), minutes.max(0));
        let mut minute = start.minute_of_day();
        let mut lines = Vec::new();
        let mut end = start;
        for _ in 0..DAYS_MAX {
            let mut used = 0;
            for span in self.spans(day) {
                let begin = minute.max(span.from);
                let take = (span.to - begin).clamp(0, left);
                if take > 0 {
                    used += take;
                    left -= take;
                    end = Time::at(day, begin + take);
                }
            }
            lines.push(Line {
                date: iso(day),
                minutes: used,
                reason: self.reason(day),
            });
            if left == 0 {
                break;
            }
            let Some(next) = day.next_day() else { break };
            (day, minute) = (next, -1);
        }
        Counted { end, lines }
    }

    /// Counts whole working days from `from`, however many hours each has: what begins with a day ends at
    /// the close of the last one; what begins within a day ends as far into the last one, or at its close.
    #[must_use]
    pub fn days_after(&self, from: Time, days: i64) -> Counted {
        if days <= 0 {
            return self.count(from, 0);
        }
        let start = self.opening(from);
        let start = Time::at(start.date(), start.minute_of_day());
        let midnight = Time::at(start.date(), 0);
        let into = self.between(midnight, start);
        let mut minutes = self.minutes_of(start.date()) - into;
        let mut day = start.date();
        // The day it begins with is the first of them, unless a part of it is over.
        let mut left = if into == 0 { days - 1 } else { days };
        for _ in 0..DAYS_MAX {
            if left == 0 {
                break;
            }
            let Some(next) = day.next_day() else { break };
            day = next;
            let worked = self.minutes_of(day);
            if worked > 0 {
                left -= 1;
                minutes += if left == 0 && into > 0 {
                    worked.min(into)
                } else {
                    worked
                };
            }
        }
        self.count(start, minutes)
    }

    /// The first day after `day` on which the agency works.
    #[must_use]
    pub fn next_working_day(&self, day: Date) -> Option<Date> {
        std::iter::successors(day.next_day(), |day| day.next_day())
            .take(DAYS_MAX)
            .find(|day| self.works_on(*day))
    }

    /// Working minutes between two instants; 0 when `to` is not after `from`.
    #[must_use]
    pub fn between(&self, from: Time, to: Time) -> i64 {
        let (mut day, last) = (from.date(), to.date());
        let mut total = 0;
        while day <= last {
            for span in self.spans(day) {
                let begin = Time::at(day, span.from).max(from);
                let end = Time::at(day, span.to).min(to);
                total += ((end.ms() - begin.ms()) / 60_000).max(0);
            }
            let Some(next) = day.next_day() else { break };
            day = next;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::civil_date;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
    }

    /// Working minutes of a standard day.
    const DAY: i64 = 8 * 60;

    fn tet() -> Calendar {
        let mut c = Calendar::standard();
        c.days.insert(
            civil_date(2026, 11, 24).expect("a day"),
            SpecialDay {
                working: false,
                name: "Ngày Văn hóa".to_owned(),
            },
        );
        c.days.insert(
            civil_date(2026, 11, 28).expect("a day"),
            SpecialDay {
                working: true,
                name: "Làm bù".to_owned(),
            },
        );
        c
    }

    #[test]
    fn a_standard_day_has_eight_working_hours() {
        let c = Calendar::standard();
        assert_eq!(c.minutes_of(civil_date(2026, 11, 20).expect("a day")), DAY);
    }

    #[test]
    fn one_day_from_mid_morning_ends_at_the_same_hour_of_the_next_working_day() {
        let counted = Calendar::standard().days_after(at("2026-11-20T09:00"), 1);
        assert_eq!(counted.end, at("2026-11-23T09:00"), "Friday to Monday");
        assert_eq!(counted.lines.len(), 4);
        assert_eq!(counted.lines[1].reason, "weekend");
    }

    #[test]
    fn a_holiday_is_skipped_and_a_made_up_saturday_counts() {
        assert_eq!(
            tet().days_after(at("2026-11-23T07:00"), 2).end,
            at("2026-11-25T17:00")
        );
        assert_eq!(
            tet().days_after(at("2026-11-27T07:00"), 2).end,
            at("2026-11-28T17:00")
        );
    }

    #[test]
    fn what_arrives_at_lunch_or_at_night_starts_at_the_next_opening() {
        let c = Calendar::standard();
        assert_eq!(c.opening(at("2026-11-20T12:00")), at("2026-11-20T13:30"));
        assert_eq!(c.opening(at("2026-11-20T19:00")), at("2026-11-23T07:00"));
        assert_eq!(c.opening(at("2026-11-20T07:00")), at("2026-11-20T07:00"));
    }

    #[test]
    fn counting_and_measuring_are_inverse_over_a_whole_year() {
        let c = tet();
        let mut from = Time::at(civil_date(2026, 1, 1).expect("a day"), 0);
        for step in 0..600_i64 {
            let minutes = step * 37 % 4_000 + 1;
            let counted = c.count(from, minutes);
            assert_eq!(c.between(from, counted.end), minutes);
            assert_eq!(counted.lines.iter().map(|l| l.minutes).sum::<i64>(), minutes);
            from = from.plus_ms(13 * 3_600_000);
        }
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from, to }
    }

    /// An agency with seven and a half hours, nine of them in summer and three on Saturdays.
    fn seasons() -> Calendar {
        let winter = Hours::weekdays(Date::MIN, &[span(450, 690), span(810, 1_020)]);
        let mut summer = Hours::weekdays(Date::MIN, &[span(420, 690), span(780, 1_050)]);
        summer.week[5] = vec![span(450, 630)];
        summer.season = Some(Season {
            first: (4, 16),
            last: (10, 15),
        });
        Calendar {
            hours: vec![summer, winter],
            days: BTreeMap::new(),
        }
    }

    #[test]
    fn a_working_day_is_a_day_however_many_hours_it_has() {
        let c = seasons();
        // Seven and a half hours a day.
        assert_eq!(
            c.days_after(at("2026-11-20T07:30"), 1).end,
            at("2026-11-20T17:00")
        );
        assert_eq!(
            c.days_after(at("2026-11-20T09:00"), 3).end,
            at("2026-11-25T09:00")
        );
        // Nine hours a day.
        assert_eq!(
            c.days_after(at("2026-06-01T09:00"), 3).end,
            at("2026-06-04T09:00")
        );
        assert_eq!(
            c.days_after(at("2026-06-01T07:00"), 3).end,
            at("2026-06-03T17:30")
        );
    }

    #[test]
    fn a_term_over_the_end_of_a_season_counts_each_day_with_its_own_hours() {
        let c = seasons();
        let counted = c.days_after(at("2026-10-14T09:00"), 2);
        assert_eq!(
            counted.end,
            at("2026-10-16T09:30"),
            "two hours into a day that begins later"
        );
        let minutes: Vec<i64> = counted.lines.iter().map(|line| line.minutes).collect();
        assert_eq!(minutes, [540 - 120, 540, 120]);
    }

    #[test]
    fn a_desk_that_works_on_saturday_mornings_counts_them() {
        let c = seasons();
        let (friday, saturday) = ("2026-06-05", "2026-06-06");
        assert!(c.works_on(at(&format!("{saturday}T00:00")).date()));
        let end = c.days_after(at(&format!("{friday}T16:00")), 1).end;
        assert_eq!(
            end,
            at(&format!("{saturday}T10:30")),
            "no further into the day than to its close"
        );
        assert!(!c.works_on(at("2026-12-05T00:00").date()), "not in winter");
    }

    #[test]
    fn a_made_up_day_has_the_hours_of_a_working_day() {
        let c = tet();
        let day = civil_date(2026, 11, 28).expect("a day");
        assert_eq!(c.minutes_of(day), DAY);
        assert_eq!(c.close_of(day), Some(at("2026-11-28T17:00")));
        assert_eq!(c.close_of(civil_date(2026, 11, 24).expect("a day")), None);
        let next = c.next_working_day(civil_date(2026, 11, 27).expect("a day"));
        assert_eq!(next, Some(day));
    }

    #[test]
    fn days_and_minutes_agree_where_all_days_are_alike() {
        let c = tet();
        let mut from = Time::at(civil_date(2026, 1, 1).expect("a day"), 0);
        for step in 0..600_i64 {
            let days = step % 12 + 1;
            assert_eq!(
                c.days_after(from, days),
                c.count(from, days * DAY),
                "{from:?} {days}"
            );
            from = from.plus_ms(13 * 3_600_000 + 61_000);
        }
    }
}
