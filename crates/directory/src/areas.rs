//! Administrative units as of a day, and what became of them: editions of the official list laid
//! one after the other, so that a merger never rewrites the past. Never guesses: what a list does
//! not say (before the first edition, or who followed a unit) is answered by nothing.

mod load;

use std::collections::HashMap;

use kernel::{AreaCode, Date, Digest, OrgCode};
use serde::Serialize;

use crate::pack::PackFile;

/// One unit in one of its forms: a renaming or a new parent begins another form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// The statistics office's code.
    pub code: AreaCode,
    /// `Xã Trung Lý`.
    pub full_name: Box<str>,
    /// `Xã`, `Phường`, `Tỉnh` … as the list says.
    pub kind: std::sync::Arc<str>,
    /// The unit above, none for a province.
    pub parent: Option<AreaCode>,
    /// First day of this form.
    #[serde(serialize_with = "crate::areas::iso")]
    pub valid_from: Date,
    /// Last day of this form; none while it lasts.
    #[serde(serialize_with = "crate::areas::opt_iso")]
    pub valid_to: Option<Date>,
}

/// How high a unit stands; told by its code's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Two digits.
    Province,
    /// Three digits, until 30/06/2025.
    District,
    /// Five digits.
    Commune,
}

impl Area {
    /// True when this form holds on a day.
    #[must_use]
    pub fn holds_on(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_to.is_none_or(|to| on <= to)
    }

    /// How high the unit stands.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.code.as_str().len() {
            2 => Level::Province,
            3 => Level::District,
            _ => Level::Commune,
        }
    }

    /// The name without its kind: `Trung Lý`.
    #[must_use]
    pub fn name(&self) -> &str {
        let mut rest = &*self.full_name;
        for word in self.kind.split(' ') {
            match rest.strip_prefix(word).and_then(|r| r.strip_prefix(' ')) {
                Some(after) => rest = after,
                None => break,
            }
        }
        rest
    }
}

/// How much of a unit went somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// All of it.
    Whole,
    /// A part of it.
    Part,
}

/// A unit that took over from another, or that was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Successor {
    /// The other unit.
    pub area: AreaCode,
    /// How much of the old unit went to the new one.
    pub how: How,
    /// The one to take when nothing but the unit is known.
    pub default: bool,
    /// The day of the change.
    #[serde(serialize_with = "crate::areas::iso")]
    pub from: Date,
}

/// A province of before July 2025 in every list that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Crosswalk {
    /// Statistics code until 30/06/2025.
    pub area_until_2025: AreaCode,
    /// `Tỉnh Hà Giang`.
    pub full_name: Box<str>,
    /// The organisation that governed it, code of Decision 20/2020.
    pub organisation: OrgCode,
    /// The first three digits of a personal number given there.
    pub birth_place: Box<str>,
    /// Statistics code of the province it lies in since 01/07/2025.
    pub area_from_2025: AreaCode,
    /// The organisation that governs it since.
    pub organisation_from_2025: OrgCode,
}

/// One row of a succession, old to new.
#[derive(Clone, Debug)]
struct Change {
    old: AreaCode,
    new: AreaCode,
    how: How,
    default: bool,
    from: Date,
}

/// A legal act that changed units of one level on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// The day it took effect.
    #[serde(serialize_with = "crate::areas::iso")]
    pub from: Date,
    /// `province`, `district`, `commune` or `central`.
    pub level: Box<str>,
    /// Its number and title, as the pack writes them.
    pub text: Box<str>,
    /// True when it was read in a public source; false when it is from memory.
    pub seen: bool,
}

/// All units of a pack.
#[derive(Debug)]
pub struct Areas {
    /// By code, then by first day.
    forms: Vec<Area>,
    /// Forms below a unit, by code; the empty key holds the provinces.
    below: HashMap<Option<AreaCode>, Vec<u32>>,
    /// By old code, then by day.
    changes: Vec<Change>,
    /// Indexes of `changes`, by new code.
    into: Vec<u32>,
    editions: Vec<Date>,
    crosswalk: Vec<Crosswalk>,
    acts: Vec<Act>,
    files: Vec<PackFile>,
}

impl Areas {
    /// The unit of a code as it stood on a day.
    #[must_use]
    pub fn area(&self, code: &AreaCode, on: Date) -> Option<&Area> {
        self.forms_of(code).iter().find(|area| area.holds_on(on))
    }

    /// Every form a code has had, oldest first.
    #[must_use]
    pub fn forms_of(&self, code: &AreaCode) -> &[Area] {
        let from = self.forms.partition_point(|area| area.code < *code);
        let len = self.forms[from..].partition_point(|area| area.code == *code);
        &self.forms[from..from + len]
    }

    /// The units directly below one on a day, or the provinces; by code.
    #[must_use]
    pub fn children(&self, parent: Option<&AreaCode>, on: Date) -> Vec<&Area> {
        let Some(indexes) = self.below.get(&parent.cloned()) else {
            return Vec::new();
        };
        indexes
            .iter()
            .map(|index| &self.forms[*index as usize])
            .filter(|area| area.holds_on(on))
            .collect()
    }

    /// The communes of a province on a day, with or without districts between; by code.
    #[must_use]
    pub fn communes(&self, province: &AreaCode, on: Date) -> Vec<&Area> {
        let mut communes = Vec::new();
        for area in self.children(Some(province), on) {
            match area.level() {
                Level::Commune => communes.push(area),
                _ => communes.extend(self.children(Some(&area.code), on)),
            }
        }
        communes.sort_by(|a, b| a.code.cmp(&b.code));
        communes
    }

    /// The province a unit lies in on a day: itself when it is one.
    #[must_use]
    pub fn province(&self, code: &AreaCode, on: Date) -> Option<&Area> {
        let mut area = self.area(code, on)?;
        while let Some(parent) = &area.parent {
            area = self.area(parent, on)?;
        }
        Some(area)
    }

    /// What became of the unit that stood on a day, at the next change that names it; the one to
    /// take by default first. Empty while it lasts, and where the lists do not say.
    #[must_use]
    pub fn successors(&self, code: &AreaCode, on: Date) -> Vec<Successor> {
        if self.area(code, on).is_none() {
            return Vec::new();
        }
        let start = self.changes.partition_point(|c| (&c.old, c.from) <= (code, on));
        let rows = self.changes[start..].iter().take_while(|c| c.old == *code);
        let day = rows.clone().next().map(|c| c.from);
        rows.take_while(|c| Some(c.from) == day)
            .map(|c| c.seen_as(&c.new))
            .collect()
    }

    /// What a unit that stood on a day was made of, at the last change that names it.
    #[must_use]
    pub fn predecessors(&self, code: &AreaCode, on: Date) -> Vec<Successor> {
        if self.area(code, on).is_none() {
            return Vec::new();
        }
        let row = |index: &u32| &self.changes[*index as usize];
        let start = self.into.partition_point(|i| row(i).new < *code);
        let rows: Vec<&Change> = self.into[start..]
            .iter()
            .map(row)
            .take_while(|c| c.new == *code)
            .filter(|c| c.from <= on)
            .collect();
        let day = rows.iter().map(|c| c.from).max();
        rows.iter()
            .filter(|c| Some(c.from) == day)
            .map(|c| c.seen_as(&c.old))
            .collect()
    }

    /// A unit with all it lies in: `Xã Trung Lý, Tỉnh Thanh Hóa`. The code itself when the day's
    /// list does not have it.
    #[must_use]
    pub fn full_path(&self, code: &AreaCode, on: Date) -> String {
        let mut names = Vec::new();
        let mut next = Some(code);
        while let Some(area) = next.and_then(|code| self.area(code, on)) {
            names.push(&*area.full_name);
            next = area.parent.as_ref();
        }
        if names.is_empty() {
            return code.to_string();
        }
        names.join(", ")
    }

    /// The act that changed the units of a level on a day, where the pack names one.
    #[must_use]
    pub fn act(&self, level: Level, on: Date) -> Option<&Act> {
        let level = match level {
            Level::Province => "province",
            Level::District => "district",
            Level::Commune => "commune",
        };
        self.acts
            .iter()
            .find(|act| act.from == on && &*act.level == level)
    }

    /// The act that changed ministries on a day, where the pack names one.
    #[must_use]
    pub fn central_act(&self, on: Date) -> Option<&Act> {
        self.acts
            .iter()
            .find(|act| act.from == on && &*act.level == "central")
    }

    /// Every form of every unit, by code and first day.
    #[must_use]
    pub fn forms(&self) -> &[Area] {
        &self.forms
    }

    /// First days of the editions, oldest first.
    #[must_use]
    pub fn editions(&self) -> &[Date] {
        &self.editions
    }

    /// The 63 provinces of before July 2025 in every list that names them.
    #[must_use]
    pub fn crosswalk(&self) -> &[Crosswalk] {
        &self.crosswalk
    }

    /// The files read, with their rows and roots.
    #[must_use]
    pub fn files(&self) -> &[PackFile] {
        &self.files
    }

    /// Rows of all files together, count.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// One root over the files' roots, in the order they were read.
    #[must_use]
    pub fn root(&self) -> Digest {
        crate::pack::rows_root(self.files.iter().map(|file| &file.root.bytes()[..]))
    }
}

impl Change {
    fn seen_as(&self, other: &AreaCode) -> Successor {
        Successor {
            area: other.clone(),
            how: self.how,
            default: self.default,
            from: self.from,
        }
    }
}

pub(crate) fn iso<S: serde::Serializer>(day: &Date, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&kernel::time::iso(*day))
}

pub(crate) fn opt_iso<S: serde::Serializer>(day: &Option<Date>, s: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => iso(day, s),
        None => s.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::tests::vn;
    use kernel::time::civil_date;
    use std::sync::LazyLock;

    static AREAS: LazyLock<Areas> = LazyLock::new(|| Areas::load(&vn()).expect("the pack"));

    fn day(y: i32, m: u8, d: u8) -> Date {
        civil_date(y, m, d).expect("a day")
    }

    fn code(text: &str) -> AreaCode {
        text.parse().expect("a code")
    }

    #[test]
    fn each_edition_has_the_units_the_state_had() {
        for (on, provinces, communes) in [
            (day(2022, 1, 1), 63, 10_599),
            (day(2024, 1, 1), 63, 10_598),
            (day(2025, 6, 30), 63, 10_035),
            (day(2025, 7, 1), 34, 3_321),
            (day(2026, 11, 21), 34, 3_321),
        ] {
            let list = AREAS.children(None, on);
            assert_eq!(list.len(), provinces, "{on}");
            let below: usize = list.iter().map(|p| AREAS.communes(&p.code, on).len()).sum();
            assert_eq!(below, communes, "{on}");
        }
        assert!(AREAS.children(None, day(2021, 10, 31)).is_empty(), "not known");
    }

    #[test]
    fn every_commune_of_ha_giang_in_2024_has_its_place_in_tuyen_quang_today() {
        let (then, now) = (day(2024, 6, 1), day(2025, 7, 1));
        let communes = AREAS.communes(&code("02"), then);
        assert_eq!(communes.len(), 193);
        for commune in communes {
            let heirs = AREAS.successors(&commune.code, then);
            assert!(!heirs.is_empty(), "{}", commune.full_name);
            assert_eq!(heirs.iter().filter(|h| h.default).count(), 1);
            assert_eq!(heirs.len() == 1, heirs[0].how == How::Whole);
            assert!(heirs[0].default, "the one to take stands first");
            for heir in heirs {
                assert_eq!(heir.from, now);
                let province = AREAS.province(&heir.area, now).expect("a unit of today");
                assert_eq!(&*province.full_name, "Tỉnh Tuyên Quang");
            }
        }
        assert_eq!(AREAS.area(&code("02"), now), None);
        let heirs = AREAS.successors(&code("02"), then);
        assert_eq!((heirs.len(), heirs[0].area.as_str()), (1, "08"));
    }

    #[test]
    fn thanh_hoa_has_166_communes_since_the_first_of_july_2025() {
        let communes = AREAS.communes(&code("38"), day(2025, 7, 1));
        assert_eq!(communes.len(), 166);
        assert_eq!(
            AREAS.full_path(&code("14857"), day(2026, 11, 21)),
            "Xã Trung Lý, Tỉnh Thanh Hóa"
        );
        assert_eq!(
            AREAS.full_path(&code("14857"), day(2024, 1, 1)),
            "Xã Trung Lý, Huyện Mường Lát, Tỉnh Thanh Hóa"
        );
    }

    #[test]
    fn districts_end_with_june_2025_and_their_communes_tell_where_they_went() {
        let district = code("384");
        let last = AREAS.area(&district, day(2025, 6, 30)).expect("still there");
        assert_eq!(last.valid_to, Some(day(2025, 6, 30)));
        assert_eq!(AREAS.area(&district, day(2025, 7, 1)), None);
        let heirs = AREAS.successors(&district, day(2024, 1, 1));
        assert!(
            heirs
                .iter()
                .any(|h| h.area.as_str() == "14857" && h.how == How::Part)
        );
        assert_eq!(heirs.iter().filter(|h| h.default).count(), 1);
        let island = AREAS.successors(&code("318"), day(2024, 1, 1));
        assert_eq!(island[0].area.as_str(), "11948", "Bạch Long Vĩ had no commune");
    }

    #[test]
    fn a_commune_of_today_knows_what_it_was_made_of() {
        let today = day(2026, 11, 21);
        for province in AREAS.children(None, today) {
            for commune in AREAS.communes(&province.code, today) {
                let made_of = AREAS.predecessors(&commune.code, today);
                assert!(!made_of.is_empty(), "{}", commune.full_name);
                for part in made_of {
                    assert!(AREAS.area(&part.area, day(2025, 6, 30)).is_some());
                }
            }
        }
    }

    #[test]
    fn a_change_of_name_begins_another_form_and_no_succession() {
        let (city, before, after) = (code("75"), day(2026, 4, 29), day(2026, 4, 30));
        let name = |on| AREAS.area(&city, on).map(|a| a.full_name.to_string());
        assert_eq!(name(before).as_deref(), Some("Tỉnh Đồng Nai"));
        assert_eq!(name(after).as_deref(), Some("Thành phố Đồng Nai"));
        assert!(AREAS.successors(&city, before).is_empty());
        assert_eq!(AREAS.area(&city, after).expect("there").name(), "Đồng Nai");
    }

    #[test]
    fn what_the_lists_do_not_say_is_not_invented() {
        // Ended between April 2023 and March 2025; no source names its successor.
        let ended = code("00172");
        assert!(AREAS.area(&ended, day(2025, 4, 1)).is_some());
        let unknown = AREAS.communes(&code("36"), day(2024, 1, 1));
        let silent = unknown
            .iter()
            .filter(|c| AREAS.successors(&c.code, day(2024, 1, 1)).is_empty());
        assert_eq!(silent.count(), 51);
        assert_eq!(AREAS.full_path(&code("99999"), day(2024, 1, 1)), "99999");
    }

    #[test]
    fn forms_of_one_code_follow_each_other_without_overlap() {
        for pair in AREAS.forms.windows(2) {
            if pair[0].code == pair[1].code {
                let to = pair[0].valid_to.expect("an earlier form has an end");
                assert!(to < pair[1].valid_from, "{}", pair[0].code);
            }
        }
    }
}
