//! A calendar made ready for counting many dates: the working time of each day summed up once, and found
//! again by halving. Gives what [`Calendar`] gives, without a working-out; a property holds the two together.

use super::{Calendar, Date, Span, Time};

/// Milliseconds of a minute and of a civil day; Vietnam has no summer time.
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The days of a calendar from one to another. What would be counted beyond them has no answer.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Midnight of the first day.
    begins: Time,
    /// Its number, counted as the Julian days are.
    first: i32,
    /// The working minutes before each day; one more at the end: those of all.
    before: Vec<i64>,
    /// Which of `hours` each day has.
    kinds: Vec<usize>,
    /// The different working spans of days.
    hours: Vec<Vec<Span>>,
    /// The days that are worked, in order.
    worked: Vec<usize>,
    /// How many of them come before each day.
    rank: Vec<usize>,
}

impl Compiled {
    /// Sums up a calendar from a day to another, both included.
    #[must_use]
    pub fn new(calendar: &Calendar, first: Date, last: Date) -> Self {
        let mut all = Self {
            begins: Time::at(first, 0),
            first: first.to_julian_day(),
            before: vec![0],
            kinds: Vec::new(),
            hours: Vec::new(),
            worked: Vec::new(),
            rank: Vec::new(),
        };
        let days = std::iter::successors(Some(first), |day| day.next_day());
        for (at, day) in days.take_while(|day| *day <= last).enumerate() {
            let spans = calendar.spans(day);
            all.rank.push(all.worked.len());
            if !spans.is_empty() {
                all.worked.push(at);
            }
            let known = all.hours.iter().position(|hours| hours == spans);
            let kind = known.unwrap_or_else(|| {
                all.hours.push(spans.to_vec());
                all.hours.len() - 1
            });
            all.kinds.push(kind);
            let minutes: i64 = spans.iter().map(|span| span.to - span.from).sum();
            all.before
                .push(all.before.last().copied().unwrap_or_default() + minutes);
        }
        all
    }

    /// As [`Calendar::opening`].
    #[must_use]
    pub fn opening(&self, from: Time) -> Option<Time> {
        let (day, minute) = self.split(from)?;
        for span in self.spans(day)? {
            if minute < span.from {
                return Some(self.at(day, span.from));
            }
            if minute < span.to {
                return Some(from);
            }
        }
        let next = self.worked_after(day)?;
        let opens = self.spans(next)?.first()?.from;
        Some(self.at(next, opens))
    }

    /// The end of [`Calendar::count`].
    #[must_use]
    pub fn count(&self, from: Time, minutes: i64) -> Option<Time> {
        let start = self.opening(from)?;
        if minutes <= 0 {
            return Some(start);
        }
        let (day, minute) = self.split(start)?;
        self.instant(self.before.get(day)? + self.into(day, minute)? + minutes)
    }

    /// The end of [`Calendar::days_after`].
    #[must_use]
    pub fn days_after(&self, from: Time, days: i64) -> Option<Time> {
        let start = self.opening(from)?;
        if days <= 0 {
            return Some(start);
        }
        let (day, minute) = self.split(start)?;
        let into = self.into(day, minute)?;
        // The day it begins with is the first of them, unless a part of it is over.
        let more = usize::try_from(if into == 0 { days - 1 } else { days }).ok()?;
        let last = *self.worked.get(self.rank.get(day)? + more)?;
        let whole = self.before.get(last + 1)? - self.before.get(last)?;
        let used = if into == 0 { whole } else { whole.min(into) };
        self.instant(self.before.get(last)? + used)
    }

    /// The close of a day, or of the next that is worked.
    #[must_use]
    pub fn close_from(&self, day: Date) -> Option<Time> {
        let day = usize::try_from(day.to_julian_day() - self.first).ok()?;
        let worked = *self.worked.get(*self.rank.get(day)?)?;
        let closes = self.spans(worked)?.last()?.to;
        Some(self.at(worked, closes))
    }

    /// True when the whole minute before an instant is worked.
    #[must_use]
    pub fn worked_before(&self, at: Time) -> bool {
        let worked = |day: usize| {
            let spans = self.spans(day).unwrap_or_default();
            spans
                .iter()
                .any(|span| self.at(day, span.from + 1) <= at && at <= self.at(day, span.to))
        };
        self.split(at.plus_ms(-1)).is_some_and(|(day, _)| worked(day))
    }

    /// The day of an instant, counted from the first, and the minute of that day.
    fn split(&self, at: Time) -> Option<(usize, i64)> {
        let since = at.ms() - self.begins.ms();
        let day = usize::try_from(since.div_euclid(DAY_MS)).ok()?;
        (day < self.kinds.len()).then_some((day, since.rem_euclid(DAY_MS) / MINUTE_MS))
    }

    fn at(&self, day: usize, minute: i64) -> Time {
        let days = i64::try_from(day).unwrap_or(i64::MAX / DAY_MS);
        self.begins.plus_ms(days * DAY_MS + minute * MINUTE_MS)
    }

    fn spans(&self, day: usize) -> Option<&[Span]> {
        self.hours.get(*self.kinds.get(day)?).map(Vec::as_slice)
    }

    /// The first worked day after one.
    fn worked_after(&self, day: usize) -> Option<usize> {
        self.worked.get(*self.rank.get(day + 1)?).copied()
    }

    /// The working minutes of a day before a minute of it.
    fn into(&self, day: usize, minute: i64) -> Option<i64> {
        let spans = self.spans(day)?.iter();
        Some(spans.map(|span| (minute.min(span.to) - span.from).max(0)).sum())
    }

    /// The instant at which so many working minutes since the first day are used up.
    fn instant(&self, minutes: i64) -> Option<Time> {
        let reached = self.before.partition_point(|before| *before < minutes);
        let day = reached.checked_sub(1)?;
        let mut left = minutes - self.before.get(day)?;
        for span in self.spans(day)? {
            if left <= span.to - span.from {
                return Some(self.at(day, span.from + left));
            }
            left -= span.to - span.from;
        }
        None
    }
}
