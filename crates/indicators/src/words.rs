//! Numbers and names in the reader's language. Never computes: what it is given is what it writes.

use kernel::time::parse_iso;
use web::page::Page;

use crate::ALL;
use crate::Indicators;
use crate::define::Unit;

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

impl Indicators {
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
