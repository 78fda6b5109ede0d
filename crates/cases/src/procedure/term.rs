//! How long a case may take: by channel, from when, and counted how. Pure data; the count stands in
//! [`crate::clock`].

use kernel::fact::Channel;
use serde::{Deserialize, Serialize};

use crate::rules::Condition;

/// How long a case of one channel may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// No `deny_unknown_fields`: serde cannot combine it with `flatten`; the rule below denies them.
pub struct Term {
    /// The channel.
    pub channel: Channel,
    /// From when it is counted.
    #[serde(default, skip_serializing_if = "Starts::is_acceptance")]
    pub starts: Starts,
    /// To which cases it applies; without, to all for which no other term of the channel is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// The rule the term is counted by.
    #[serde(flatten)]
    pub rule: TermRule,
}

/// From when a term is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Starts {
    /// From acceptance.
    #[default]
    Acceptance,
    /// From the beginning of the working day after the day of acceptance, as joint procedures are.
    NextDay,
}

impl Starts {
    /// True for what need not be said.
    #[must_use]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
    fn is_acceptance(&self) -> bool {
        *self == Self::Acceptance
    }
}

/// The rules a term can have. Each counts from the acceptance, or from the opening after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TermRule {
    /// A number of whole working days, however many hours each has.
    WorkingDays {
        /// Days.
        days: i64,
    },
    /// A number of working hours.
    WorkingHours {
        /// Hours.
        hours: i64,
    },
    /// A number of days, off or not; that of acceptance is not counted. The last one ends with its close,
    /// one without work with that of the next with work.
    CalendarDays {
        /// Days.
        days: i64,
    },
    /// A number of hours by the wall clock. What ends when nobody works ends when somebody does again.
    Hours {
        /// Hours.
        hours: i64,
    },
    /// To the same day of a later month, or to that month's last; as days end.
    Months {
        /// Months.
        months: i64,
    },
    /// Within the day of acceptance; accepted after `cutoff` and not finished: the next working day
    /// (birth registration: Decree 123/2015/NĐ-CP as practised; see the pack's README).
    SameDay {
        /// Minute of the day after which the next working day applies: 900 is 15:00.
        cutoff: i64,
    },
}

impl TermRule {
    /// Its name, as documents and counts have it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WorkingDays { .. } => "working-days",
            Self::WorkingHours { .. } => "working-hours",
            Self::CalendarDays { .. } => "calendar-days",
            Self::Hours { .. } => "hours",
            Self::Months { .. } => "months",
            Self::SameDay { .. } => "same-day",
        }
    }
}
