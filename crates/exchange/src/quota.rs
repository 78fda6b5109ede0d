//! How many calls an agreement lets its consumer make in a day and in a month, by the calendar of the
//! agreement's country; counted are the calls that were answered. Pure: the log remembers, and a
//! restart begins where it ended (see [`crate::follow`]).

use kernel::time::civil_date;
use kernel::{Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use time::Date;

use crate::agreement::Agreement;

/// The quota of an agreement (item 7); what is left out is not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Calls a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// Calls a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<u32>,
}

/// Over what a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A minute, by the agreement's rate.
    Minute,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
}

/// What is left of one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLeft {
    /// Over what it counts.
    pub per: Per,
    /// Calls it allows, count.
    pub max: u32,
    /// Calls left of them, count.
    pub left: u32,
    /// When it begins anew.
    pub frees: Time,
}

impl Quota {
    /// True when nothing is bounded.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.per_day.is_none() && self.per_month.is_none()
    }

    /// What keeps it from being agreed: none at all, or a day that allows more than its month.
    #[must_use]
    pub fn faults(&self) -> Vec<Problem> {
        let mut faults = Vec::new();
        if self.per_day == Some(0) {
            faults.push(Problem::invalid("calls_per_day", "agreement-quota"));
        }
        let more_than_the_month = self
            .per_month
            .is_some_and(|month| self.per_day.is_some_and(|day| day > month));
        if self.per_month == Some(0) || more_than_the_month {
            faults.push(Problem::invalid("calls_per_month", "agreement-quota"));
        }
        faults
    }
}

impl Per {
    /// The word for it in a path of the API: `minute`, `day`, `month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The quota that a refusal's key names.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        match code {
            "quota-minute" => Some(Self::Minute),
            "quota-day" => Some(Self::Day),
            "quota-month" => Some(Self::Month),
            _ => None,
        }
    }

    /// The refusal: which agreement, what it allows, when it does again.
    pub(crate) fn spent(self, agreement: &Agreement, now: Time) -> Problem {
        let today = now.date();
        let (problem, max, frees) = match self {
            // The next call's share of the minute is all there is to wait for.
            Self::Minute => {
                let rate = agreement.rate_per_minute;
                return Problem::new(Kind::TooMany, "quota-minute")
                    .with("agreement", &agreement.id)
                    .with("max", rate)
                    .with("seconds", 60_u32.div_ceil(rate.max(1)));
            }
            Self::Day => (
                Problem::new(Kind::TooMany, "quota-day"),
                agreement.quota.per_day,
                next_day(today),
            ),
            Self::Month => (
                Problem::new(Kind::TooMany, "quota-month"),
                agreement.quota.per_month,
                next_month(today),
            ),
        };
        problem
            .with("agreement", &agreement.id)
            .with("max", max.unwrap_or_default())
            .with("frees", frees.day_month_year_time())
            .with(
                "seconds",
                (frees.ms() - now.ms()).max(1).saturating_add(999) / 1_000,
            )
    }
}

/// When what counts on a day begins anew.
fn next_day(day: Date) -> Time {
    Time::at(day.next_day().unwrap_or(Date::MAX), 0)
}

/// When what counts in the month of a day begins anew.
fn next_month(day: Date) -> Time {
    let next = match u8::from(day.month()) {
        12 => civil_date(day.year() + 1, 1, 1),
        month => civil_date(day.year(), month + 1, 1),
    };
    Time::at(next.unwrap_or(Date::MAX), 0)
}

/// What was used of one agreement's quota.
#[derive(Debug)]
pub(crate) struct Used {
    day: Date,
    today: u32,
    this_month: u32,
}

impl Default for Used {
    fn default() -> Self {
        Self {
            day: Date::MIN,
            today: 0,
            this_month: 0,
        }
    }
}

fn same_month(a: Date, b: Date) -> bool {
    (a.year(), a.month()) == (b.year(), b.month())
}

impl Used {
    /// Takes one call; which quota is used up when there is none left.
    pub(crate) fn take(&mut self, quota: &Quota, now: Time) -> Result<(), Per> {
        self.go_on_to(now.date());
        if quota.per_month.is_some_and(|max| self.this_month >= max) {
            return Err(Per::Month);
        }
        if quota.per_day.is_some_and(|max| self.today >= max) {
            return Err(Per::Day);
        }
        self.add(self.day, 1);
        Ok(())
    }

    /// Counts calls of a day in, in any order of days; those of an earlier month say nothing now.
    pub(crate) fn add(&mut self, day: Date, calls: u32) {
        self.go_on_to(day);
        if same_month(day, self.day) {
            self.this_month = self.this_month.saturating_add(calls);
        }
        if day == self.day {
            self.today = self.today.saturating_add(calls);
        }
    }

    /// What is left; takes nothing.
    pub(crate) fn left(&self, quota: &Quota, now: Time) -> Vec<QuotaLeft> {
        // A clock that was set back gives nothing away.
        let day = now.date().max(self.day);
        let today = if day == self.day { self.today } else { 0 };
        let this_month = if same_month(day, self.day) {
            self.this_month
        } else {
            0
        };
        let of = |per: Per, max: Option<u32>, used: u32, frees: Time| {
            max.map(|max| QuotaLeft {
                per,
                max,
                left: max.saturating_sub(used),
                frees,
            })
        };
        let both = [
            of(Per::Day, quota.per_day, today, next_day(day)),
            of(Per::Month, quota.per_month, this_month, next_month(day)),
        ];
        both.into_iter().flatten().collect()
    }

    /// A new day begins, never an old one again.
    fn go_on_to(&mut self, day: Date) {
        if day <= self.day {
            return;
        }
        if !same_month(day, self.day) {
            self.this_month = 0;
        }
        (self.day, self.today) = (day, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    fn noon(day: &str) -> Time {
        Time::at(kernel::time::parse_iso(day).expect("a day"), 12 * 60)
    }

    const BOTH: Quota = Quota {
        per_day: Some(2),
        per_month: Some(3),
    };

    #[test]
    fn a_day_and_a_month_allow_their_calls_and_begin_anew() {
        let mut used = Used::default();
        let mut take = |day: &str| used.take(&BOTH, noon(day));
        assert_eq!((take("2026-11-29"), take("2026-11-29")), (Ok(()), Ok(())));
        assert_eq!(take("2026-11-29"), Err(Per::Day));
        assert_eq!(take("2026-11-30"), Ok(()));
        assert_eq!(take("2026-11-30"), Err(Per::Month), "three in a month");
        assert_eq!(take("2026-12-01"), Ok(()));
        let none = Quota {
            per_day: Some(0),
            per_month: None,
        };
        assert_eq!(Used::default().take(&none, noon("2026-11-29")), Err(Per::Day));
    }

    #[test]
    fn what_is_left_is_told_with_when_it_begins_anew() {
        let mut used = Used::default();
        used.take(&BOTH, noon("2026-12-31")).expect("the first");
        let left = |used: &Used, day: &str| {
            let all = used.left(&BOTH, noon(day)).into_iter();
            all.map(|l| (l.per, l.left, l.frees.day_month_year_time()))
                .collect::<Vec<_>>()
        };
        let new_year = "01-01-2027 00:00".to_owned();
        assert_eq!(
            left(&used, "2026-12-31"),
            [(Per::Day, 1, new_year.clone()), (Per::Month, 2, new_year)]
        );
        assert_eq!(
            left(&used, "2027-01-01").iter().map(|l| l.1).collect::<Vec<_>>(),
            [2, 3]
        );
        assert!(used.left(&Quota::default(), noon("2026-12-31")).is_empty());
    }

    #[test]
    fn what_the_log_remembers_counts_in_any_order_and_last_month_does_not() {
        let days = ["2026-11-01", "2026-10-31", "2026-11-03", "2026-11-02"];
        let day = |text: &str| kernel::time::parse_iso(text).expect("a day");
        for turn in 0..days.len() {
            let mut used = Used::default();
            for at in 0..days.len() {
                used.add(day(days[(at + turn) % days.len()]), 5);
            }
            assert_eq!((used.today, used.this_month), (5, 15), "{turn}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_away() {
        let mut used = Used::default();
        for _ in 0..2 {
            used.take(&BOTH, noon("2026-11-02")).expect("two a day");
        }
        assert_eq!(used.take(&BOTH, noon("2026-10-31")), Err(Per::Day));
        assert_eq!(used.left(&BOTH, noon("2026-10-31"))[0].left, 0);
    }

    #[test]
    fn a_refusal_names_the_agreement_its_limit_and_when_it_ends() {
        let agreement = Agreement {
            quota: BOTH,
            ..sample()
        };
        let told = |per: Per| per.spent(&agreement, noon("2026-11-22"));
        let text = |name: &str, per| {
            let args = told(per).args;
            let found = args.into_iter().find(|(arg, _)| *arg == name);
            found.map(|(_, value)| value).unwrap_or_default()
        };
        assert_eq!(
            (told(Per::Day).code, told(Per::Day).kind.status()),
            ("quota-day", 429)
        );
        assert_eq!(text("agreement", Per::Day), "01/TT-TEST");
        assert_eq!(
            (text("max", Per::Day), text("max", Per::Month)),
            ("2".into(), "3".into())
        );
        assert_eq!(text("frees", Per::Day), "23-11-2026 00:00");
        assert_eq!(text("frees", Per::Month), "01-12-2026 00:00");
        assert_eq!(text("seconds", Per::Day), "43200");
    }

    #[test]
    fn a_quota_that_allows_nothing_or_contradicts_itself_is_not_agreed() {
        let faults = |per_day, per_month| Quota { per_day, per_month }.faults().len();
        assert_eq!(
            (
                faults(None, None),
                faults(Some(1), Some(1)),
                faults(None, Some(9))
            ),
            (0, 0, 0)
        );
        assert_eq!(
            (
                faults(Some(0), None),
                faults(None, Some(0)),
                faults(Some(2), Some(1))
            ),
            (1, 1, 1)
        );
    }
}
