//! The rules of the areas: editions in order, units once, parents above, successors that are there.
//! Never lays editions into forms: see [`crate::areas`].

use std::collections::{HashMap, HashSet};
use std::path::Path;

use kernel::fault::{Faults, Names};
use kernel::{AreaCode, Date, OrgCode};
use serde::Deserialize;

use super::document::{Places, document};
use super::files::{Row, table};

pub(crate) const AREA_COLUMNS: [&str; 4] = ["code", "full_name", "kind", "parent"];
pub(crate) const SUCCESSION_COLUMNS: [&str; 7] = [
    "old_code",
    "old_name",
    "old_district",
    "old_province",
    "new_code",
    "how",
    "default",
];
pub(crate) const ACT_COLUMNS: [&str; 4] = ["from", "level", "act", "evidence"];
pub(crate) const ACT_LEVELS: [&str; 4] = ["province", "district", "commune", "central"];
pub(crate) const CROSSWALK: &str = "organisations/provinces-crosswalk.csv";
pub(crate) const CROSSWALK_COLUMNS: [&str; 7] = [
    "area_until_2025",
    "full_name",
    "organisation",
    "birth_place",
    "area_from_2025",
    "organisation_from_2025",
    "evidence",
];

/// `pack.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackToml {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "country")]
    _country: String,
    language: String,
    languages: Vec<String>,
    #[serde(rename = "time_zone")]
    _time_zone: String,
    #[serde(rename = "utc_offset_minutes")]
    _utc_offset_minutes: i64,
    #[serde(rename = "version")]
    _version: String,
    area_editions: Vec<Edition>,
    area_acts: Option<String>,
}

/// One edition of the lists, as `pack.toml` names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edition {
    /// Its first day.
    pub(crate) from: String,
    /// Its units.
    pub(crate) file: String,
    /// What the units of the edition before became.
    pub(crate) succession: Option<String>,
    /// The file names the units that changed, not all of them.
    #[serde(default)]
    pub(crate) changes: bool,
}

/// The units that have ever been, for those who name one.
#[derive(Debug, Default)]
pub struct KnownAreas {
    units: HashSet<AreaCode>,
}

impl KnownAreas {
    /// True when some edition has the unit, or no edition could be read.
    #[must_use]
    pub fn has(&self, code: &AreaCode) -> bool {
        self.units.is_empty() || self.units.contains(code)
    }
}

/// The units of the edition that is looked at, each with its parent and its line.
type Open = HashMap<AreaCode, (Option<AreaCode>, u64)>;

/// Checks `pack.toml`, the editions it names and the crosswalk of the provinces.
pub(crate) fn check(pack: &Path, faults: &mut Faults) -> KnownAreas {
    let mut known = KnownAreas::default();
    let mut acts = None;
    if let Some((about, places)) = document::<PackToml>(pack, "pack.toml", faults) {
        if !about.languages.contains(&about.language) {
            let names = vec![("value", about.language.clone())];
            faults.add(places.fault("/language", "language-missing", names));
        }
        acts.clone_from(&about.area_acts);
        let mut open = Open::new();
        let mut last: Option<Date> = None;
        for (at, edition) in about.area_editions.iter().enumerate() {
            last = day_of(edition, at, last, &places, faults).or(last);
            check_edition(pack, edition, &mut open, faults);
            known.units.extend(open.keys().cloned());
        }
    }
    if let Some(acts) = &acts {
        table(pack, acts, &ACT_COLUMNS, faults, |row, faults| {
            super::organisations::day(row, 0, false, faults);
            one_of(row, 1, &ACT_LEVELS, faults);
            one_of(row, 3, &["seen", "memory"], faults);
        });
    }
    crosswalk(pack, &known, faults);
    known
}

fn day_of(
    edition: &Edition,
    at: usize,
    last: Option<Date>,
    places: &Places,
    faults: &mut Faults,
) -> Option<Date> {
    let pointer = format!("/area_editions/{at}/from");
    let names = || vec![("value", edition.from.clone())];
    let from = kernel::time::parse_iso(&edition.from);
    match (from, last) {
        (None, _) => faults.add(places.fault(&pointer, "date-bad", names())),
        (Some(from), Some(last)) if from <= last => {
            faults.add(places.fault(&pointer, "edition-order", names()));
        }
        _ => {}
    }
    from
}

fn check_edition(pack: &Path, edition: &Edition, open: &mut Open, faults: &mut Faults) {
    let file = &edition.file;
    let before: HashSet<AreaCode> = open.keys().cloned().collect();
    let mut now = if edition.changes {
        open.clone()
    } else {
        Open::new()
    };
    let mut lines: HashMap<AreaCode, u64> = HashMap::new();
    table(pack, file, &AREA_COLUMNS, faults, |row, faults| {
        let Some(code) = row.parse::<AreaCode>(0, "area-code", faults) else {
            return;
        };
        let parent = match row.get(3) {
            "" => None,
            _ => row.parse::<AreaCode>(3, "area-code", faults),
        };
        if row.get(1).is_empty() {
            faults.add(row.fault("name-missing", 0));
        }
        if let Some(first) = lines.insert(code.clone(), row.line) {
            faults.add(twice(row, first));
        }
        now.insert(code, (parent, row.line));
    });
    parents(file, &now, &lines, faults);
    if let Some(succession) = &edition.succession {
        successors(pack, succession, &before, &now, faults);
    }
    *open = now;
}

fn twice(row: &Row<'_>, first: u64) -> kernel::Fault {
    row.fault_with(
        "code-twice",
        vec![("value", row.get(0).to_owned()), ("first", first.to_string())],
    )
}

/// Every unit's way up ends at a unit without a parent.
fn parents(file: &str, now: &Open, lines: &HashMap<AreaCode, u64>, faults: &mut Faults) {
    let fault = |line: u64, rule: &'static str, names: Names| kernel::Fault::new(file, line, rule, names);
    let mut told: HashSet<&AreaCode> = HashSet::new();
    for (code, line) in lines {
        let Some((Some(parent), _)) = now.get(code) else {
            continue;
        };
        if !now.contains_key(parent) {
            let names = vec![("value", code.to_string()), ("parent", parent.to_string())];
            faults.add(fault(*line, "unit-parent-unknown", names));
            continue;
        }
        let mut way = vec![code];
        let mut up = Some(parent);
        while let Some(next) = up {
            if next == code {
                break;
            }
            if way.contains(&next) {
                up = None;
                break;
            }
            way.push(next);
            up = now.get(next).and_then(|(above, _)| above.as_ref());
        }
        // A ring is told once, at its first line.
        let first = way.iter().all(|c| lines.get(*c).is_none_or(|l| l >= line));
        if up == Some(code) && first && told.insert(code) {
            let names = way.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(" → ");
            faults.add(fault(*line, "units-cycle", vec![("value", names)]));
        }
    }
}

fn successors(pack: &Path, file: &str, before: &HashSet<AreaCode>, now: &Open, faults: &mut Faults) {
    table(pack, file, &SUCCESSION_COLUMNS, faults, |row, faults| {
        let old = row.parse::<AreaCode>(0, "area-code", faults);
        let new = row.parse::<AreaCode>(4, "area-code", faults);
        if old.is_some_and(|old| !before.contains(&old)) {
            faults.add(row.fault("unit-not-before", 0));
        }
        if new.is_some_and(|new| !now.contains_key(&new)) {
            faults.add(row.fault("successor-unknown", 4));
        }
        for (column, empty) in [(2, true), (3, false)] {
            if !(empty && row.get(column).is_empty()) {
                row.parse::<AreaCode>(column, "area-code", faults);
            }
        }
        one_of(row, 5, &["whole", "part"], faults);
        one_of(row, 6, &["1", "0"], faults);
    });
}

/// The column holds one of a few words.
pub(crate) fn one_of(row: &Row<'_>, column: usize, words: &[&str], faults: &mut Faults) {
    if !words.contains(&row.get(column)) {
        let names = vec![
            ("value", row.get(column).to_owned()),
            ("wanted", words.join(", ")),
        ];
        faults.add(row.fault_with("value-unknown", names));
    }
}

fn crosswalk(pack: &Path, known: &KnownAreas, faults: &mut Faults) {
    table(pack, CROSSWALK, &CROSSWALK_COLUMNS, faults, |row, faults| {
        for column in [0, 4] {
            if let Some(code) = row.parse::<AreaCode>(column, "area-code", faults)
                && !known.has(&code)
            {
                faults.add(row.fault("area-unknown", column));
            }
        }
        for column in [2, 5] {
            row.parse::<OrgCode>(column, "organisation-code", faults);
        }
    });
}
