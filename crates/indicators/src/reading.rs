//! Reading the numbers that figures are computed from: of a month, of an organisation's months and
//! days, of this moment. Reads a bounded number of periods and never the log.

use std::collections::BTreeMap;

use kernel::time::{iso, parse_iso};
use kernel::{Kind, OrgCode, Problem, Time};
use store::Reader;

use crate::define::Definition;
use crate::figure::{Found, Numbers, compute};
use crate::store::Values;
use crate::tally::{ALL, month, rollup, second};
use crate::{Indicators, store as rows};

/// The windows of the live rates, in seconds.
const WINDOWS: [u32; 2] = [10, 60];
/// Months of a trend.
pub(crate) const MONTHS: usize = 12;
/// Days of a trend.
pub(crate) const DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

/// A month that was asked for, or this one.
pub(crate) fn wanted_month(wanted: Option<&str>, now: Time) -> Result<String, Problem> {
    let wanted = wanted.filter(|w| !w.is_empty());
    let period = wanted.map_or_else(|| month(now), str::to_owned);
    if period.len() != 7 || parse_iso(&format!("{period}-01")).is_none() {
        return Err(Problem::new(Kind::Invalid, "date-bad").at("period"));
    }
    Ok(period)
}

/// The month before.
pub(crate) fn month_before(period: &str) -> String {
    parse_iso(&format!("{period}-01"))
        .map_or_else(String::new, |first| month(Time::at(first, 0).plus_ms(-DAY_MS)))
}

/// An organisation that was asked for: a code, or the whole.
pub(crate) fn wanted_org(wanted: &str) -> Result<String, Problem> {
    if wanted == ALL {
        return Ok(wanted.to_owned());
    }
    let code: Result<OrgCode, _> = wanted.parse();
    code.map(|code| code.to_string())
        .map_err(|_| Problem::not_found())
}

/// What a request reads with.
pub(crate) struct Reading {
    pub(crate) reader: Reader,
    pub(crate) now: Time,
}

impl Indicators {
    pub(crate) async fn reading(&self) -> Result<Reading, Problem> {
        Ok(Reading {
            reader: self.0.store.read(&self.0.home).await?,
            now: self.0.store.world().now(),
        })
    }
}

impl Reading {
    /// The numbers of a month: of the whole and of all organisations at the top.
    pub(crate) async fn tops(&self, period: &str) -> Result<Numbers, Problem> {
        let mut n = Numbers::default();
        for grain in ["m0", "m1"] {
            n.month
                .extend(rows::of_period(&self.reader, grain, period).await?);
            n.until.extend(rows::until(&self.reader, grain, period).await?);
        }
        self.moment(&mut n, 1).await?;
        Ok(n)
    }

    /// The numbers of a month of one organisation and the units directly below it.
    pub(crate) async fn below(&self, period: &str, org: &str) -> Result<Numbers, Problem> {
        let mut n = Numbers {
            month: rows::of_org(&self.reader, 'm', period, org).await?,
            until: rows::before(&self.reader, period, org).await?,
            ..Numbers::default()
        };
        merge(&mut n.until, &n.month);
        if let Ok(code) = org.parse::<OrgCode>() {
            n.month.extend(rows::of_units(&self.reader, period, &code).await?);
            n.until
                .extend(rows::until_units(&self.reader, period, &code).await?);
        }
        self.moment(&mut n, 1).await?;
        Ok(n)
    }

    /// What holds at this moment: what is overdue, and the exchanges of the last seconds.
    async fn moment(&self, n: &mut Numbers, depths: usize) -> Result<(), Problem> {
        for (org, late) in rows::overdue(&self.reader, self.now).await? {
            for above in rollup(&org) {
                *n.overdue.entry(above).or_default() += late;
            }
        }
        for window in WINDOWS {
            let from = second(self.now.plus_ms(-i64::from(window) * 1_000 + 1_000));
            for depth in 0..=depths {
                for (_, (org, _, _), amount) in rows::since(&self.reader, 's', depth, &from).await? {
                    *n.live.entry((window, org)).or_default() += amount;
                }
            }
        }
        Ok(())
    }

    /// Exchanges of the last seconds of the organisations at the top: by window, organisation,
    /// counter and service.
    pub(crate) async fn recent(&self) -> Result<BTreeMap<(u32, String, String, String), i64>, Problem> {
        let mut found = BTreeMap::new();
        for window in WINDOWS {
            let from = second(self.now.plus_ms(-i64::from(window) * 1_000 + 1_000));
            for (_, (org, counter, part), amount) in rows::since(&self.reader, 's', 1, &from).await? {
                *found.entry((window, org, counter, part)).or_default() += amount;
            }
        }
        Ok(found)
    }

    /// An organisation's numbers of the twelve months up to one, oldest first.
    pub(crate) async fn history(&self, org: &str, last: &str) -> Result<Vec<(String, Numbers)>, Problem> {
        let mut periods = vec![last.to_owned()];
        while periods.len() < MONTHS {
            let before = month_before(periods.last().map_or("", String::as_str));
            periods.push(before);
        }
        periods.reverse();
        let first = periods.first().cloned().unwrap_or_default();
        let mut until = rows::before(&self.reader, &first, org).await?;
        let mut all = Vec::with_capacity(periods.len());
        for period in periods {
            let month = rows::of_org(&self.reader, 'm', &period, org).await?;
            merge(&mut until, &month);
            let numbers = Numbers {
                month,
                until: until.clone(),
                ..Numbers::default()
            };
            all.push((period, numbers));
        }
        Ok(all)
    }

    /// A figure's last thirty days, oldest first. A stock has no days: it would need the sum of all
    /// days before.
    pub(crate) async fn days(
        &self,
        definition: &Definition,
        org: &str,
    ) -> Result<Vec<(String, Option<Found>)>, Problem> {
        let mut all = Vec::new();
        for back in (0..DAYS).rev() {
            let day = iso(self.now.plus_ms(-back * DAY_MS).date());
            let n = Numbers {
                month: rows::of_org(&self.reader, 'd', &day, org).await?,
                ..Numbers::default()
            };
            all.push((day, compute(definition.way, &n, org)));
        }
        Ok(all)
    }

    /// Exchanges of the last hour by minute, of one organisation: (minute, count).
    pub(crate) async fn minutes(&self, org: &str) -> Result<Vec<(String, i64)>, Problem> {
        let from = crate::tally::minute(self.now.plus_ms(-59 * 60_000));
        let depth = usize::from(org != ALL) * (org.matches('.').count() + 1);
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for (period, (of, _, _), amount) in rows::since(&self.reader, 't', depth, &from).await? {
            if of == org {
                *found.entry(period).or_default() += amount;
            }
        }
        Ok((0..60)
            .map(|back| {
                let minute = crate::tally::minute(self.now.plus_ms((back - 59) * 60_000));
                let count = found.get(&minute).copied().unwrap_or_default();
                (minute[11..].to_owned(), count)
            })
            .collect())
    }
}

fn merge(sums: &mut Values, more: &Values) {
    for (key, amount) in more {
        *sums.entry(key.clone()).or_default() += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_before_january_is_december() {
        assert_eq!(month_before("2026-01"), "2025-12");
        assert_eq!(month_before("2026-03"), "2026-02");
    }

    #[test]
    fn a_month_that_is_none_is_refused() {
        assert!(wanted_month(Some("2026-13"), Time(0)).is_err());
        assert!(wanted_month(Some("2026-11-01"), Time(0)).is_err());
        assert_eq!(wanted_month(None, Time(0)).expect("a month"), "1970-01");
    }
}
