//! The rules of the calendars: each day once and in its years, every year known, hours in order and in
//! force throughout. Never counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kernel::fault::{Fault, Faults};
use kernel::time::parse_iso;
use kernel::{Date, OrgCode};
use serde::Deserialize;

use super::areas::one_of;
use super::document::{Places, document};
use super::files::{Row, table};

pub(crate) const HOLIDAYS: &str = "calendars/holidays-2020-2027.csv";
pub(crate) const HOURS: &str = "calendars/hours.toml";
pub(crate) const COLUMNS: [&str; 6] = [
    "date",
    "iso_weekday",
    "name_vi",
    "kind",
    "is_working_day",
    "status",
];
const KINDS: [&str; 4] = ["statutory", "compensatory", "swap_off", "swap_work"];

/// The file of working hours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursToml {
    pub(crate) hours: Vec<RuleToml>,
}

/// The hours from a day on: of an organisation, or of all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleToml {
    pub(crate) from: String,
    pub(crate) organisation: Option<OrgCode>,
    /// The season of each year in which they hold, `["04-16", "10-15"]`; all year when left out.
    pub(crate) season: Option<[String; 2]>,
    /// From Monday to Friday.
    pub(crate) spans: Vec<String>,
    /// On Saturdays; not worked when left out.
    #[serde(default)]
    pub(crate) saturday: Vec<String>,
    /// On Sundays; not worked when left out.
    #[serde(default)]
    pub(crate) sunday: Vec<String>,
    #[serde(rename = "source")]
    _source: String,
}

/// Checks holidays and hours.
pub(crate) fn check(pack: &Path, faults: &mut Faults) {
    let first = holidays(pack, faults);
    if let Some((hours, places)) = document::<HoursToml>(pack, HOURS, faults) {
        check_hours(&hours.hours, &places, first, faults);
    }
}

/// The years in the file's name, first and last.
pub(crate) fn years() -> (i32, i32) {
    let digits = HOLIDAYS.trim_end_matches(".csv").rsplit('-').take(2);
    let years: Vec<i32> = digits.filter_map(|d| d.parse().ok()).collect();
    match years[..] {
        [last, first] => (first, last),
        _ => (0, 0),
    }
}

/// The first day of the calendar's years.
fn holidays(pack: &Path, faults: &mut Faults) -> Option<Date> {
    let (first, last) = years();
    let mut seen: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    let mut known: BTreeSet<i32> = BTreeSet::new();
    let was = faults.files().len();
    table(pack, HOLIDAYS, &COLUMNS, faults, |row, faults| {
        one_of(row, 3, &KINDS, faults);
        one_of(row, 4, &["0", "1"], faults);
        let Some(date) = parse_iso(row.get(0)) else {
            faults.add(row.fault("date-bad", 0));
            return;
        };
        known.insert(date.year());
        if !(first..=last).contains(&date.year()) {
            faults.add(row.fault_with(
                "holiday-outside-years",
                vec![
                    ("value", row.get(0).to_owned()),
                    ("years", format!("{first}–{last}")),
                ],
            ));
        }
        check_day(row, date, &mut seen, faults);
    });
    let read = faults.files().len() > was && !known.is_empty();
    for year in (first..=last).filter(|y| read && !known.contains(y)) {
        let names = vec![("value", year.to_string())];
        faults.add(Fault::new(HOLIDAYS, 1, "calendar-gap", names));
    }
    parse_iso(&format!("{first}-01-01"))
}

fn check_day(row: &Row<'_>, date: Date, seen: &mut BTreeMap<String, (u64, bool)>, faults: &mut Faults) {
    let weekday = date.weekday().number_from_monday().to_string();
    if row.get(1) != weekday {
        let names = vec![("value", row.get(1).to_owned()), ("wanted", weekday)];
        faults.add(row.fault_with("weekday-wrong", names));
    }
    let working = row.get(4) == "1";
    if working != (row.get(3) == "swap_work") {
        faults.add(row.fault("made-up-day-kind", 3));
    }
    if let Some((line, other)) = seen.insert(row.get(0).to_owned(), (row.line, working)) {
        let rule = if other == working {
            "holiday-twice"
        } else {
            "made-up-day-is-holiday"
        };
        let names = vec![("value", row.get(0).to_owned()), ("first", line.to_string())];
        faults.add(row.fault_with(rule, names));
    }
}

fn check_hours(rules: &[RuleToml], places: &Places, first: Option<Date>, faults: &mut Faults) {
    let mut begins = BTreeSet::new();
    for (at, rule) in rules.iter().enumerate() {
        let named = |value: &str| vec![("value", value.to_owned())];
        if parse_iso(&rule.from).is_none() {
            faults.add(places.fault(&format!("/hours/{at}/from"), "date-bad", named(&rule.from)));
        }
        if parse_iso(&rule.from).is_some()
            && let Err(why) = crate::calendars::hours(rule)
        {
            faults.add(places.fault(&format!("/hours/{at}/spans"), "hours-bad", named(&why)));
        }
        let whose = rule.organisation.as_ref().map(ToString::to_string);
        if !begins.insert((whose, rule.from.clone(), rule.season.clone())) {
            faults.add(places.fault(&format!("/hours/{at}"), "hours-twice", named(&rule.from)));
        }
    }
    let for_all = rules
        .iter()
        .filter(|r| r.organisation.is_none() && r.season.is_none());
    let earliest = for_all.filter_map(|r| parse_iso(&r.from)).min();
    if earliest.is_none_or(|day| first.is_some_and(|first| day > first)) {
        let since = earliest.map_or_else(String::new, kernel::time::iso);
        faults.add(places.fault("/hours", "hours-gap", vec![("value", since)]));
    }
}
