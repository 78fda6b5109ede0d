//! The figures of a month (`DongBoThongKeHoSo`): how many cases came in, were carried over, were done and done on time,
//! at an owner and each of its units. Counted from what happened; told by an owner once the month is over, and again
//! where something was counted otherwise since; kept at the portal beside what the portal itself had counted.
//!
//! | read | for |
//! |---|---|
//! | [`Month`], [`Figures`], [`differences`] | a month, what is counted of it, in what two counts differ: pure |
//! | [`item`] | the message's item |
//! | [`take`] | the portal's service |
//! | [`tell`] | the owner's job |
//! | `page` | the list for operators and observers |
//! | `store` | SQL, the counting too |

pub mod item;
pub(crate) mod page;
mod store;
pub mod take;
pub mod tell;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use kernel::time::civil_date;
use kernel::{Date, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, routes};

use crate::state::Cases;

/// The years that a month is counted of: before there was no national portal.
const YEARS: std::ops::RangeInclusive<i32> = 2018..=9_998;

/// A month of civil time in Vietnam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    /// 1 to 12.
    month: u8,
}

impl Month {
    /// A month of a year; `None` where there is none or nothing is counted.
    #[must_use]
    pub fn new(year: i32, month: u8) -> Option<Self> {
        let there = YEARS.contains(&year) && (1..=12).contains(&month);
        there.then_some(Self { year, month })
    }

    /// The month of a day.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self {
            year: day.year(),
            month: u8::from(day.month()),
        }
    }

    /// The month before it.
    #[must_use]
    pub fn before(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year - 1,
                month: 12,
            },
            month => Self {
                month: month - 1,
                ..self
            },
        }
    }

    /// The month after it.
    #[must_use]
    pub fn after(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                month: month + 1,
                ..self
            },
        }
    }

    /// Its year and its number, 1 to 12.
    #[must_use]
    pub const fn parts(self) -> (i32, u8) {
        (self.year, self.month)
    }

    /// Its first instant.
    #[must_use]
    pub fn begins(self) -> Time {
        let first = civil_date(self.year, self.month, 1);
        Time::at(first.expect("every month has a first day"), 0)
    }

    /// The first instant after it.
    #[must_use]
    pub fn ends(self) -> Time {
        self.after().begins()
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.ends().plus_ms(-1).date()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A text that is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMonth;

impl fmt::Display for NotAMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a month")
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let sound = year.len() == 4 && month.len() == 2;
        let digits = [year, month]
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
        let (Ok(year), Ok(month), true) = (year.parse::<i32>(), month.parse::<u8>(), sound && digits) else {
            return Err(NotAMonth);
        };
        Self::new(year, month).ok_or(NotAMonth)
    }
}

/// What is counted of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Cases that came in.
    pub received: u64,
    /// Cases that were there before and had not ended.
    pub carried: u64,
    /// Cases that ended: decided, not taken in, taken back, stopped.
    pub handled: u64,
    /// Those of them that ended within their term, or had none.
    pub on_time: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.carried += other.carried;
        self.handled += other.handled;
        self.on_time += other.on_time;
    }
}

impl Counts {
    /// True where nothing was to be handled.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The figures of a month as an owner tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What is counted.
    pub counts: Counts,
    /// Cases that were to be handled, as the owner says: what came in and what was carried over.
    pub to_handle: u64,
}

impl Figures {
    /// The figures of what was counted here.
    #[must_use]
    pub const fn of(counts: Counts) -> Self {
        Self {
            to_handle: counts.received + counts.carried,
            counts,
        }
    }

    /// False for figures that cannot be true of one month: more was done than there was, or more on time than was done.
    #[must_use]
    pub const fn are_sound(&self) -> bool {
        self.counts.on_time <= self.counts.handled && self.counts.handled <= self.to_handle
    }
}

/// The figures in which an owner's count differs from the portal's own: their words, in order.
#[must_use]
pub fn differences(told: &Figures, own: &Counts) -> Vec<&'static str> {
    let own = Figures::of(*own);
    let all = [
        ("received", told.counts.received != own.counts.received),
        ("carried", told.counts.carried != own.counts.carried),
        ("to-handle", told.to_handle != own.to_handle),
        ("handled", told.counts.handled != own.counts.handled),
        ("on-time", told.counts.on_time != own.counts.on_time),
    ];
    all.into_iter()
        .filter(|(_, differ)| *differ)
        .map(|(word, _)| word)
        .collect()
}

/// The portal's pages.
pub(crate) fn pages() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page::show))
        .routes(routes!(page::show_json))
}
