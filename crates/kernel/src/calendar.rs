//! Working hours and holidays, and counting with them: pure arithmetic over a dated table. Never
//! says which term a procedure has: see `cases::clock`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Date, Time, iso};

/// Working minutes of a standard day; a term of whole days is this many minutes each.
pub const DAY_MINUTES: i64 = 8 * 60;

/// One agency's year: its hours, its days off and its made-up working days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Working spans of a day as minutes since midnight, in order, not overlapping.
    pub hours: Vec<Span>,
    /// Days that differ from the week's rule, with the reason shown to people.
    pub days: BTreeMap<String, SpecialDay>,
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

impl Calendar {
    /// 07:00 to 11:30 and 13:30 to 17:00, Monday to Friday, with no special day.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            hours: vec![
                Span {
                    from: 7 * 60,
                    to: 11 * 60 + 30,
                },
                Span {
                    from: 13 * 60 + 30,
                    to: 17 * 60,
                },
            ],
            days: BTreeMap::new(),
        }
    }

    /// True when the agency works on that day.
    #[must_use]
    pub fn works_on(&self, day: Date) -> bool {
        match self.days.get(&iso(day)) {
            Some(special) => special.working,
            None => day.weekday().number_from_monday() <= 5,
        }
    }

    /// Why a day is off (or worked against the week's rule); empty for a plain day.
    #[must_use]
    pub fn reason(&self, day: Date) -> String {
        match self.days.get(&iso(day)) {
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
            if self.works_on(day) {
                for span in &self.hours {
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
        for _ in 0..4_000 {
            let mut used = 0;
            if self.works_on(day) {
                for span in &self.hours {
                    let begin = minute.max(span.from);
                    let take = (span.to - begin).clamp(0, left);
                    if take > 0 {
                        used += take;
                        left -= take;
                        end = Time::at(day, begin + take);
                    }
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

    /// Working minutes between two instants; 0 when `to` is not after `from`.
    #[must_use]
    pub fn between(&self, from: Time, to: Time) -> i64 {
        let (mut day, last) = (from.date(), to.date());
        let mut total = 0;
        while day <= last {
            if self.works_on(day) {
                for span in &self.hours {
                    let begin = Time::at(day, span.from).max(from);
                    let end = Time::at(day, span.to).min(to);
                    total += ((end.ms() - begin.ms()) / 60_000).max(0);
                }
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

    fn tet() -> Calendar {
        let mut c = Calendar::standard();
        c.days.insert(
            "2026-11-24".to_owned(),
            SpecialDay {
                working: false,
                name: "Ngày Văn hóa".to_owned(),
            },
        );
        c.days.insert(
            "2026-11-28".to_owned(),
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
        assert_eq!(c.hours.iter().map(|s| s.to - s.from).sum::<i64>(), DAY_MINUTES);
    }

    #[test]
    fn one_day_from_mid_morning_ends_at_the_same_hour_of_the_next_working_day() {
        let counted = Calendar::standard().count(at("2026-11-20T09:00"), DAY_MINUTES);
        assert_eq!(counted.end, at("2026-11-23T09:00"), "Friday to Monday");
        assert_eq!(counted.lines.len(), 4);
        assert_eq!(counted.lines[1].reason, "weekend");
    }

    #[test]
    fn a_holiday_is_skipped_and_a_made_up_saturday_counts() {
        assert_eq!(
            tet().count(at("2026-11-23T07:00"), 2 * DAY_MINUTES).end,
            at("2026-11-25T17:00")
        );
        assert_eq!(
            tet().count(at("2026-11-27T07:00"), 2 * DAY_MINUTES).end,
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
}
