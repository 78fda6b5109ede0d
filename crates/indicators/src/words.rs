//! Numbers and names in the reader's language. Never computes: what it is given is what it writes.

use kernel::time::{iso, parse_iso};
use kernel::{Date, OrgCode, Time};
use web::page::Page;

use crate::ALL;
use crate::Indicators;
use crate::define::Unit;
use crate::tally;

/// What stands where nothing can be said.
pub(crate) const NOTHING: &str = "–";

/// A number with so many decimals, grouped by thousands as the language does.
pub(crate) fn number(p: &Page, value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push_str(&p.t("indicators-thousands"));
        }
        grouped.push(digit);
    }
    if !part.is_empty() {
        grouped.push_str(&p.t("indicators-decimal"));
        grouped.push_str(part);
    }
    if value < 0.0 {
        grouped.insert(0, '\u{2212}');
    }
    grouped
}

/// How many decimals a unit is written with.
fn decimals(unit: Unit) -> usize {
    match unit {
        Unit::Percent | Unit::Hours | Unit::PerSecond => 2,
        Unit::Cases | Unit::Dong | Unit::Seconds | Unit::Count | Unit::PerMinute => 0,
    }
}

/// A value with its unit.
pub(crate) fn value(p: &Page, unit: Unit, value: Option<f64>) -> String {
    let Some(value) = value else {
        return NOTHING.to_owned();
    };
    let text = number(p, value, decimals(unit));
    match unit {
        Unit::Cases | Unit::Count => text,
        _ => p.tw(&format!("indicators-with-{}", unit.code()), &[("n", text)]),
    }
}

/// A figure's name.
pub(crate) fn name(p: &Page, code: &str) -> String {
    p.t(&format!("indicators-{code}"))
}

/// A month in words of numbers: `11/2026`.
pub(crate) fn month(period: &str) -> String {
    match period.split_once('-') {
        Some((year, month)) => format!("{month}/{year}"),
        None => period.to_owned(),
    }
}

/// A day, short: `21/11`.
pub(crate) fn day(period: &str) -> String {
    parse_iso(period).map_or_else(
        || period.to_owned(),
        |d| format!("{:02}/{:02}", d.day(), u8::from(d.month())),
    )
}

/// The time that a published figure speaks of: a day, a month, a quarter, a half-year, a year, or from
/// one to another.
pub(crate) fn published_period(p: &Page, period: &str) -> String {
    if let Some((from, to)) = period.split_once('/') {
        return format!("{} – {}", published_period(p, from), published_period(p, to));
    }
    if let Some(day) = parse_iso(period) {
        return p.date(day);
    }
    let of_year =
        |key: &str, n: &str, year: &str| p.tw(key, &[("n", n.to_owned()), ("year", year.to_owned())]);
    match period.split_once('-') {
        Some((year, "H1")) => of_year("indicators-half-first", "1", year),
        Some((year, "H2")) => of_year("indicators-half-second", "2", year),
        Some((year, part)) if part.starts_with('Q') => of_year("indicators-quarter", &part[1..], year),
        Some((_, part)) if part.len() == 2 => month(period),
        _ => period.replace('-', " – "),
    }
}

/// The last day of a month.
fn last_day(period: &str) -> Option<Date> {
    const LONGEST_MONTH_MS: i64 = 31 * 86_400_000;
    let first = parse_iso(&format!("{period}-01"))?;
    let next = tally::month(Time::at(first, 0).plus_ms(LONGEST_MONTH_MS));
    parse_iso(&format!("{next}-01"))?.previous_day()
}

impl Indicators {
    /// Where an organisation is told of as it stood on a day; nothing when there was none.
    pub(crate) fn unit_href(&self, org: &str, on: Date) -> Option<String> {
        let code: OrgCode = org.parse().ok()?;
        self.0.organisations.get(&code, on)?;
        Some(format!("/units/{code}?on={}", iso(on)))
    }

    /// The day that a month's figures speak of: its last one, or today while it runs.
    pub(crate) fn day_of(&self, period: &str) -> Date {
        let today = self.0.store.world().now().date();
        last_day(period).map_or(today, |last| last.min(today))
    }

    /// An organisation's name for a page; the whole has one in each language.
    pub(crate) fn org_name(&self, p: &Page, org: &str) -> String {
        if org == ALL {
            p.t("indicators-all")
        } else {
            self.name(org, self.0.store.world().now().date())
        }
    }

    /// The organisation a node's board begins with: the province itself, or the whole.
    pub(crate) fn front(&self) -> String {
        let home = self.0.home.as_str();
        if self.0.pack.tiles.iter().any(|tile| tile.org == home) {
            home.to_owned()
        } else {
            ALL.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_its_last_day() {
        for (period, last) in [
            ("2026-02", "2026-02-28"),
            ("2024-02", "2024-02-29"),
            ("2026-12", "2026-12-31"),
        ] {
            assert_eq!(last_day(period).map(iso).as_deref(), Some(last));
        }
        assert_eq!(last_day("2026-13"), None);
    }
}
