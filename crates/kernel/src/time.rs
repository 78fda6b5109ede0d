//! An instant in milliseconds since 1970 UTC, and its civil date in Vietnam (UTC+7, no summer
//! time). Never reads a clock: see [`crate::clock`].

use std::fmt;

use serde::{Deserialize, Serialize};
pub use time::Date;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// Offset of Vietnam's civil time from UTC, in seconds.
const VIETNAM_OFFSET_S: i32 = 7 * 3600;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// The instant of a civil date and a minute of that day in Vietnam.
    #[must_use]
    pub fn at(date: Date, minute_of_day: i64) -> Self {
        let midnight = PrimitiveDateTime::new(date, time::Time::MIDNIGHT).assume_offset(vietnam());
        Self(midnight.unix_timestamp() * 1000 + minute_of_day * 60_000)
    }

    /// Reads a day and a time of it in Vietnam, `2026-11-22T18:30`, as the box of a form gives them; what
    /// is finer than a minute is left out.
    #[must_use]
    pub fn parse_minute(text: &str) -> Option<Self> {
        let (day, clock) = text.split_once('T')?;
        let (hours, minutes) = clock.get(..5)?.split_once(':')?;
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        let good = (0..24).contains(&hours) && (0..60).contains(&minutes);
        let day = parse_iso(day).filter(|_| good)?;
        Some(Self::at(day, hours * 60 + minutes))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by some milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }

    /// The civil date in Vietnam.
    #[must_use]
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// The minute of the civil day in Vietnam, 0 to 1439.
    #[must_use]
    pub fn minute_of_day(self) -> i64 {
        let t = self.civil();
        i64::from(t.hour()) * 60 + i64::from(t.minute())
    }

    /// RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T02:30:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let t = self.utc();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }

    /// Reads RFC 3339; `None` when the text is not one.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let t = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Self(i64::try_from(t.unix_timestamp_nanos() / 1_000_000).ok()?))
    }

    /// The Vietnamese reading order: `21-11-2026 09:30`.
    #[must_use]
    pub fn day_month_year_time(self) -> String {
        let t = self.civil();
        format!("{} {:02}:{:02}", day_month_year(t.date()), t.hour(), t.minute())
    }

    /// The civil moment in UTC.
    #[must_use]
    pub fn utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn civil(self) -> OffsetDateTime {
        self.utc().to_offset(vietnam())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

fn vietnam() -> UtcOffset {
    UtcOffset::from_whole_seconds(VIETNAM_OFFSET_S).expect("seven hours is an offset")
}

/// `21-11-2026`, the order a Vietnamese reader expects.
#[must_use]
pub fn day_month_year(date: Date) -> String {
    format!(
        "{:02}-{:02}-{:04}",
        date.day(),
        u8::from(date.month()),
        date.year()
    )
}

/// `2026-11-21`.
#[must_use]
pub fn iso(date: Date) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// Reads `2026-11-21`; `None` for anything else, 31 February included.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    if y.len() != 4 || m.len() != 2 || d.len() != 2 {
        return None;
    }
    civil_date(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
}

/// A civil date from its parts; `None` when the calendar has no such day.
#[must_use]
pub fn civil_date(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_vietnam_not_in_utc() {
        let before = Time::parse_rfc3339("2026-11-20T16:59:59Z").expect("a time");
        assert_eq!(iso(before.date()), "2026-11-20");
        assert_eq!(iso(before.plus_ms(1000).date()), "2026-11-21");
    }

    #[test]
    fn there_is_no_31_february() {
        assert_eq!(parse_iso("2026-02-31"), None);
        assert_eq!(parse_iso("2026-2-3"), None);
        assert!(parse_iso("2024-02-29").is_some());
    }
}
