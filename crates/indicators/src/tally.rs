//! Increments added up by organisation and period: each counts for its unit, every organisation above
//! it and the whole; by month and day, and by minute and second where that is watched live.

use std::collections::{BTreeMap, BTreeSet};

use kernel::time::iso;
use kernel::{OrgCode, Time};

use crate::project::Increment;

/// The name under which the whole node's figures stand.
pub const ALL: &str = "all";

/// Day rows are kept for this long behind the newest fact, in milliseconds.
const DAYS_KEPT_MS: i64 = 92 * 86_400_000;
/// Minute rows likewise.
const MINUTES_KEPT_MS: i64 = 2 * 86_400_000;
/// Second rows likewise.
const SECONDS_KEPT_MS: i64 = 10 * 60_000;

/// What a row of counts stands under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) grain: String,
    pub(crate) period: String,
    pub(crate) org: String,
    pub(crate) counter: &'static str,
    pub(crate) part: String,
}

/// Counts, and the positions of the facts behind them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) counts: BTreeMap<Key, u64>,
    pub(crate) rows: BTreeSet<(&'static str, String, String, u64)>,
}

/// A unit, the organisations above it, and the whole.
pub(crate) fn rollup(org: &OrgCode) -> Vec<String> {
    let mut all = vec![ALL.to_owned()];
    let mut next = Some(org.clone());
    while let Some(code) = next {
        all.push(code.to_string());
        next = code.parent();
    }
    all
}

/// The grain of an organisation's rows: the period's letter and the organisation's depth.
pub(crate) fn grain(letter: char, org: &str) -> String {
    let depth = if org == ALL {
        0
    } else {
        org.matches('.').count() + 1
    };
    format!("{letter}{depth}")
}

/// The month of a moment in Vietnam's civil time: `2026-11`.
pub(crate) fn month(at: Time) -> String {
    iso(at.date())[..7].to_owned()
}

/// The minute of a moment: `2026-11-21T09:30`.
pub(crate) fn minute(at: Time) -> String {
    let of_day = at.minute_of_day();
    format!("{}T{:02}:{:02}", iso(at.date()), of_day / 60, of_day % 60)
}

/// The second of a moment: `2026-11-21T09:30:05`.
pub(crate) fn second(at: Time) -> String {
    format!("{}:{:02}", minute(at), at.ms().div_euclid(1_000).rem_euclid(60))
}

impl Tally {
    /// Adds what the fact at a position counts.
    pub(crate) fn add(&mut self, position: u64, at: Time, increment: Increment) {
        let Increment {
            counter,
            org,
            part,
            amount,
        } = increment;
        let mut periods = vec![('m', month(at)), ('d', iso(at.date()))];
        if counter.is_live() {
            periods.push(('t', minute(at)));
            periods.push(('s', second(at)));
        }
        for org in rollup(&org) {
            for (letter, period) in &periods {
                let key = Key {
                    grain: grain(*letter, &org),
                    period: period.clone(),
                    org: org.clone(),
                    counter: counter.code(),
                    part: part.clone(),
                };
                *self.counts.entry(key).or_default() += amount;
            }
            if counter.has_rows() {
                self.rows.insert((counter.code(), org, month(at), position));
            }
        }
    }

    /// Leaves out what is too old to be kept.
    pub(crate) fn prune(&mut self, newest: Time) {
        let kept = kept_from(newest);
        self.counts.retain(|key, _| {
            kept.iter()
                .all(|(letter, from)| !key.grain.starts_with(*letter) || key.period >= *from)
        });
    }
}

/// From which period on the finer rows are kept, by the newest fact's time: a rule of the facts and
/// not of the clock, so that a rebuild keeps the same.
pub(crate) fn kept_from(newest: Time) -> [(char, String); 3] {
    [
        ('d', iso(newest.plus_ms(-DAYS_KEPT_MS).date())),
        ('t', minute(newest.plus_ms(-MINUTES_KEPT_MS))),
        ('s', second(newest.plus_ms(-SECONDS_KEPT_MS))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_counts_for_all_that_stand_above_it() {
        let unit: OrgCode = "H56.14857".parse().expect("code");
        assert_eq!(rollup(&unit), ["all", "H56.14857", "H56"]);
        assert_eq!(
            (grain('m', ALL), grain('d', "H56"), grain('m', "H56.1")),
            ("m0".into(), "d1".into(), "m2".into())
        );
    }

    #[test]
    fn the_month_turns_in_vietnam_not_in_utc() {
        let last_hour = Time::parse_rfc3339("2026-11-30T17:30:05Z").expect("time");
        assert_eq!(month(last_hour), "2026-12");
        assert_eq!(minute(last_hour), "2026-12-01T00:30");
        assert_eq!(second(last_hour), "2026-12-01T00:30:05");
    }
}
