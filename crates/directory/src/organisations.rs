//! Organisations as of a day: ministries, provinces of both eras, and the communes since July 2025
//! as units of their province. Never holds keys or systems: see [`crate::snapshot`].

use std::collections::HashMap;
use std::path::Path;

use kernel::{AreaCode, Date, OrgCode};
use serde::Serialize;

use crate::areas::{Area, Areas, Level};
use crate::pack::organisations::{AGENCIES, COLUMNS};
use crate::pack::{PackFault, PackFile, day, opt_day, read_table};

/// What an organisation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrganisationKind {
    /// A ministry or another central agency.
    Central,
    /// A province's people's committee.
    Province,
    /// A commune's people's committee.
    Commune,
}

/// One organisation in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organisation {
    /// Its code of Decision 20/2020; also read in the older spelling.
    pub code: OrgCode,
    /// `UBND tỉnh Thanh Hóa`.
    pub name: Box<str>,
    /// The organisation above.
    pub parent: Option<OrgCode>,
    /// The area it governs.
    pub area: Option<AreaCode>,
    /// What it is.
    pub kind: OrganisationKind,
    /// First day of this form.
    #[serde(serialize_with = "crate::areas::iso")]
    pub valid_from: Date,
    /// Last day of this form; none while it lasts.
    #[serde(serialize_with = "crate::areas::opt_iso")]
    pub valid_to: Option<Date>,
    /// Who took over; itself when only its name or area changed.
    pub successor: Option<OrgCode>,
}

impl Organisation {
    /// True when this form holds on a day.
    #[must_use]
    pub fn holds_on(&self, on: Date) -> bool {
        self.valid_from <= on && self.valid_to.is_none_or(|to| on <= to)
    }
}

/// All organisations of a pack.
#[derive(Debug)]
pub struct Organisations {
    /// By code, then by first day.
    forms: Vec<Organisation>,
    by_area: HashMap<AreaCode, Vec<u32>>,
    files: Vec<PackFile>,
}

impl Organisations {
    /// Reads the agencies, and derives the communes' units from the areas.
    ///
    /// # Errors
    /// When a file cannot be read, or names an area that is not there on its first day.
    pub fn load(pack: &Path, areas: &Areas) -> Result<Self, PackFault> {
        // Which areas there are was checked with the areas; the day of each is checked below.
        let any = crate::pack::areas::KnownAreas::default();
        crate::pack::sound(pack, &[], |pack, faults| {
            crate::pack::organisations::check(pack, &any, faults)
        })?;
        let mut forms = Vec::new();
        let agencies = read_table(pack, AGENCIES, &COLUMNS, |row| {
            forms.push(agency(row, areas)?);
            Ok(())
        })?;
        forms.extend(commune_units(&forms, areas));
        forms.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
        let mut by_area: HashMap<AreaCode, Vec<u32>> = HashMap::new();
        for (index, form) in (0_u32..).zip(&forms) {
            if let Some(area) = &form.area {
                by_area.entry(area.clone()).or_default().push(index);
            }
        }
        Ok(Self {
            forms,
            by_area,
            files: vec![agencies],
        })
    }

    /// The organisation of a code as it stood on a day.
    #[must_use]
    pub fn get(&self, code: &OrgCode, on: Date) -> Option<&Organisation> {
        self.forms_of(code).iter().find(|form| form.holds_on(on))
    }

    /// The name of a code as a page of a day says it: of that day; else the last it had; else the code.
    #[must_use]
    pub fn name(&self, code: &OrgCode, on: Date) -> String {
        let form = self.get(code, on).or_else(|| self.forms_of(code).last());
        form.map_or_else(|| code.to_string(), |form| form.name.to_string())
    }

    /// Every form a code has had, oldest first.
    #[must_use]
    pub fn forms_of(&self, code: &OrgCode) -> &[Organisation] {
        let from = self.forms.partition_point(|form| form.code < *code);
        let len = self.forms[from..].partition_point(|form| form.code == *code);
        &self.forms[from..from + len]
    }

    /// The units directly below an organisation on a day; by code.
    #[must_use]
    pub fn units(&self, code: &OrgCode, on: Date) -> Vec<&Organisation> {
        let from = self.forms.partition_point(|form| form.code <= *code);
        self.forms[from..]
            .iter()
            .take_while(|form| code.holds(&form.code) || form.code == *code)
            .filter(|form| form.parent.as_ref() == Some(code) && form.holds_on(on))
            .collect()
    }

    /// Every unit below an organisation, at any depth and of any day; by code.
    #[must_use]
    pub fn below(&self, code: &OrgCode) -> Vec<OrgCode> {
        let from = self.forms.partition_point(|form| form.code <= *code);
        let below = self.forms[from..]
            .iter()
            .take_while(|form| code.holds(&form.code));
        let mut codes: Vec<OrgCode> = below.map(|form| form.code.clone()).collect();
        codes.dedup();
        codes
    }

    /// The organisation that governs an area on a day.
    #[must_use]
    pub fn of_area(&self, area: &AreaCode, on: Date) -> Option<&Organisation> {
        let indexes = self.by_area.get(area)?;
        let mut forms = indexes.iter().map(|index| &self.forms[*index as usize]);
        forms.find(|form| form.holds_on(on))
    }

    /// Organisations of level 1 on a day: ministries and provinces; by code.
    #[must_use]
    pub fn top(&self, on: Date) -> Vec<&Organisation> {
        let top = |form: &&Organisation| form.parent.is_none() && form.holds_on(on);
        self.forms.iter().filter(top).collect()
    }

    /// The files read, with their rows and roots.
    #[must_use]
    pub fn files(&self) -> &[PackFile] {
        &self.files
    }
}

fn code<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no code"))
}

fn opt_code<T: std::str::FromStr>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        code(text).map(Some)
    }
}

fn agency(row: &csv::StringRecord, areas: &Areas) -> Result<Organisation, String> {
    let area: Option<AreaCode> = opt_code(&row[2])?;
    let valid_from = day(&row[3])?;
    if let Some(area) = &area {
        let first_known = areas.editions().first().copied().unwrap_or(valid_from);
        if areas.area(area, valid_from.max(first_known)).is_none() {
            return Err(format!("area {area} was not there"));
        }
    }
    Ok(Organisation {
        code: code(&row[0])?,
        name: row[1].into(),
        parent: None,
        kind: match area {
            Some(_) => OrganisationKind::Province,
            None => OrganisationKind::Central,
        },
        area,
        valid_from,
        valid_to: opt_day(&row[4])?,
        successor: opt_code(&row[5])?,
    })
}

/// Communes that stand directly below a province are units of its people's committee. A commune
/// of before July 2025 stood below a district, which has no code of its own here.
fn commune_units(provinces: &[Organisation], areas: &Areas) -> Vec<Organisation> {
    let mut units = Vec::new();
    for province in provinces {
        let Some(area) = &province.area else { continue };
        // Every form of a commune begins with an edition, and one form of its province holds then.
        for day in areas.editions().iter().filter(|day| province.holds_on(**day)) {
            for commune in areas.children(Some(area), *day) {
                if commune.level() != Level::Commune || commune.valid_from != *day {
                    continue;
                }
                units.extend(commune_unit(province, commune));
            }
        }
    }
    units
}

fn commune_unit(province: &Organisation, commune: &Area) -> Option<Organisation> {
    let mut letters = commune.full_name.chars();
    let name: String = letters.next()?.to_lowercase().chain(letters).collect();
    let code = province.code.unit(commune.code.as_str()).ok()?;
    Some(Organisation {
        name: format!("UBND {name}").into(),
        parent: Some(province.code.clone()),
        area: Some(commune.code.clone()),
        kind: OrganisationKind::Commune,
        valid_from: commune.valid_from,
        valid_to: commune.valid_to,
        successor: commune.valid_to.map(|_| code.clone()),
        code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::tests::vn;
    use kernel::time::civil_date;
    use std::sync::LazyLock;

    static AREAS: LazyLock<Areas> = LazyLock::new(|| Areas::load(&vn()).expect("the pack"));
    static ALL: LazyLock<Organisations> =
        LazyLock::new(|| Organisations::load(&vn(), &AREAS).expect("the pack"));

    fn on(y: i32, m: u8, d: u8) -> Date {
        civil_date(y, m, d).expect("a day")
    }

    fn org(text: &str) -> OrgCode {
        text.parse().expect("a code")
    }

    #[test]
    fn both_spellings_lead_to_the_same_organisation() {
        let today = on(2026, 11, 21);
        for (old, new, name) in [
            ("000.00.00.H56", "H56", "UBND tỉnh Thanh Hóa"),
            ("000.00.00.G22", "G22", "Văn phòng Chính phủ"),
            ("000.00.00.G15", "G15", "Bộ Tư pháp"),
            ("000.00.00.G01", "G01", "Bộ Công an"),
        ] {
            for spelling in [old, new] {
                let found = ALL.get(&org(spelling), today).expect("there");
                assert_eq!((found.code.as_str(), &*found.name), (new, name));
            }
        }
    }

    #[test]
    fn there_are_63_provinces_before_and_34_after_the_merger() {
        let provinces = |day| {
            let top = ALL.top(day);
            top.iter()
                .filter(|o| o.kind == OrganisationKind::Province)
                .count()
        };
        assert_eq!(provinces(on(2020, 1, 1)), 63);
        assert_eq!(provinces(on(2025, 6, 30)), 63);
        assert_eq!(provinces(on(2025, 7, 1)), 34);
        assert_eq!(provinces(on(2026, 11, 21)), 34);
        assert_eq!(AREAS.crosswalk().len(), 63);
    }

    #[test]
    fn a_merged_province_names_the_one_that_took_over_and_it_governs_its_area() {
        let (eve, after) = (on(2025, 6, 30), on(2025, 7, 1));
        for row in AREAS.crosswalk() {
            let then = ALL.get(&row.organisation, eve).expect("there");
            assert_eq!(then.area.as_ref(), Some(&row.area_until_2025));
            let heir = then.successor.as_ref().unwrap_or(&row.organisation);
            let now = ALL.get(heir, after).expect("took over");
            assert_eq!(now.area.as_ref(), Some(&row.area_from_2025), "{}", row.full_name);
            assert_eq!(now.code, row.organisation_from_2025);
            let area = AREAS.area(&row.area_from_2025, after).expect("an area");
            assert!(now.name.to_lowercase().ends_with(&area.full_name.to_lowercase()));
        }
        let ha_giang = ALL.get(&org("H22"), eve).expect("there");
        assert_eq!(ha_giang.successor, Some(org("H60")));
        assert_eq!(ALL.get(&org("H22"), after), None);
    }

    #[test]
    fn the_communes_of_thanh_hoa_are_its_units_since_july_2025() {
        let province = org("H56");
        assert_eq!(ALL.units(&province, on(2025, 6, 30)).len(), 0);
        let units = ALL.units(&province, on(2025, 7, 1));
        assert_eq!(units.len(), 166);
        assert!(units.iter().all(|unit| province.holds(&unit.code)));
        let unit = ALL.get(&org("H56.14857"), on(2026, 11, 21)).expect("there");
        assert_eq!(&*unit.name, "UBND xã Trung Lý");
        let area: AreaCode = "14857".parse().expect("a code");
        assert_eq!(ALL.of_area(&area, on(2026, 11, 21)), Some(unit));
    }

    #[test]
    fn all_3321_communes_are_units_on_every_day_since_july_2025() {
        for day in [on(2025, 7, 1), on(2026, 4, 29), on(2026, 4, 30), on(2026, 11, 21)] {
            let provinces = ALL.top(day);
            let units: usize = provinces.iter().map(|o| ALL.units(&o.code, day).len()).sum();
            assert_eq!(units, 3_321, "{day}");
        }
        let ward = ALL.get(&org("H19.26368"), on(2026, 5, 1)).expect("there");
        assert_eq!(&*ward.name, "UBND phường Long Thành");
    }

    #[test]
    fn a_ministry_that_was_merged_names_who_took_over() {
        let then = ALL.get(&org("G14"), on(2024, 1, 1)).expect("there");
        assert_eq!(&*then.name, "Bộ Thông tin và Truyền thông");
        assert_eq!(then.successor, Some(org("G06")));
        assert_eq!(ALL.get(&org("G14"), on(2025, 3, 1)), None);
    }
}
