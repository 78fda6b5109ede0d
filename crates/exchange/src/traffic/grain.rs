//! The spans over which calls are counted, by Vietnam's clock: where one begins, where it ends, how long
//! its rows are kept. Pure.

use kernel::Time;
use kernel::time::civil_date;

/// An hour, in milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// A day, in milliseconds: Vietnam's clock is never turned.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// A span over which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grain {
    Minute,
    Hour,
    Day,
    Month,
}

impl Grain {
    /// All of them, the shortest first.
    pub(crate) const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// The key in rows and in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Where the span begins that holds an instant.
    pub(crate) fn begin(self, at: Time) -> Time {
        let date = at.date();
        match self {
            Self::Minute => Time(at.ms() - at.ms().rem_euclid(60_000)),
            // Seven hours before Greenwich: hours begin together.
            Self::Hour => Time(at.ms() - at.ms().rem_euclid(HOUR_MS)),
            Self::Day => Time::at(date, 0),
            Self::Month => civil_date(date.year(), u8::from(date.month()), 1)
                .map_or_else(|| Time::at(date, 0), |first| Time::at(first, 0)),
        }
    }

    /// Where the next span begins.
    pub(crate) fn next(self, begins: Time) -> Time {
        match self {
            Self::Minute => begins.plus_ms(60_000),
            Self::Hour => begins.plus_ms(HOUR_MS),
            Self::Day => begins.plus_ms(DAY_MS),
            // No month has more than 31 days, and two have never fewer than 59.
            Self::Month => self.begin(begins.plus_ms(32 * DAY_MS)),
        }
    }

    /// How long its rows are kept, in milliseconds; months for good.
    pub(crate) const fn kept_ms(self) -> Option<i64> {
        match self {
            Self::Minute => Some(26 * HOUR_MS),
            Self::Hour => Some(35 * DAY_MS),
            Self::Day => Some(400 * DAY_MS),
            Self::Month => None,
        }
    }

    /// The longest time that is shown by it, in milliseconds: a picture has two hundred points at most.
    const fn shown_ms(self) -> i64 {
        match self {
            Self::Minute => 3 * HOUR_MS,
            Self::Hour => 4 * DAY_MS,
            Self::Day => 100 * DAY_MS,
            Self::Month => i64::MAX,
        }
    }

    /// The finest that can still show a time.
    pub(crate) fn of(from: Time, to: Time, now: Time) -> Self {
        let can = |grain: &Self| {
            let kept = grain.kept_ms().is_none_or(|kept| from.ms() >= now.ms() - kept);
            kept && to.ms() - from.ms() <= grain.shown_ms()
        };
        Self::ALL.into_iter().find(can).unwrap_or(Self::Month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_span_begins_by_the_clock_of_vietnam() {
        let late = at("2026-11-30T17:30:15.250Z"); // 00:30 on 1 December in Hà Nội
        for (grain, begins, next) in [
            (
                Grain::Minute,
                "2026-11-30T17:30:00.000Z",
                "2026-11-30T17:31:00.000Z",
            ),
            (
                Grain::Hour,
                "2026-11-30T17:00:00.000Z",
                "2026-11-30T18:00:00.000Z",
            ),
            (Grain::Day, "2026-11-30T17:00:00.000Z", "2026-12-01T17:00:00.000Z"),
            (
                Grain::Month,
                "2026-11-30T17:00:00.000Z",
                "2026-12-31T17:00:00.000Z",
            ),
        ] {
            let begin = grain.begin(late);
            assert_eq!(
                (begin.rfc3339().as_str(), grain.next(begin).rfc3339().as_str()),
                (begins, next)
            );
            assert_eq!(grain.begin(begin), begin);
        }
        // February after January: 32 days lead past no month.
        let january = at("2027-01-31T17:00:00Z");
        assert_eq!(Grain::Month.next(january).rfc3339(), "2027-02-28T17:00:00.000Z");
    }

    #[test]
    fn a_time_is_shown_by_the_finest_span_that_is_still_kept() {
        let now = at("2026-11-22T03:00:00Z");
        let ago = |ms: i64| now.plus_ms(-ms);
        for (from, to, grain) in [
            (ago(HOUR_MS), now, Grain::Minute),
            (ago(3 * HOUR_MS), now, Grain::Minute),
            (ago(DAY_MS), now, Grain::Hour),
            (ago(2 * DAY_MS), ago(2 * DAY_MS - HOUR_MS), Grain::Hour),
            (ago(31 * DAY_MS), now, Grain::Day),
            (ago(40 * DAY_MS), ago(40 * DAY_MS - HOUR_MS), Grain::Day),
            (ago(200 * DAY_MS), now, Grain::Month),
            (ago(500 * DAY_MS), ago(499 * DAY_MS), Grain::Month),
        ] {
            assert_eq!(Grain::of(from, to, now), grain, "{from:?} {to:?}");
        }
    }
}
