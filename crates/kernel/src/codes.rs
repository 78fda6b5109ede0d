//! Codes that law and practice give to things, each read strictly and shown one way. Never looks
//! anything up: a well-formed code may still name nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::time::{Date, civil_date};

/// Why a text is not a code: the key of the problem that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotACode(pub &'static str);

macro_rules! text_code {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl $name {
            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

// Below the macro, which it takes.
mod tax;

pub use tax::TaxCode;

/// An organisation's identifier: Decision 20/2020/QĐ-TTg, articles 4 to 8. Levels from left to
/// right separated by dots, at most 35 characters of `.0-9A-Z`, the first group a letter A to Y
/// and two digits: `G12.18`, `H56.14857`. The older form of QCVN 102:2016 (`000.00.18.G12`) is
/// read and kept as an alias: see [`OrgCode::qcvn`].
///
/// An organisation of another instance of the exchange carries the instance in front, `LA-X01`, at every
/// node of either: one organisation has one code wherever it is compared, signed or kept, and none is
/// ever taken for one of [`INSTANCE`] that has the same letters. How its own groups begin is its country's
/// business.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgCode(String);
text_code!(OrgCode);

/// The instance of the exchange whose organisations carry no instance in their codes.
pub const INSTANCE: &str = "VN";
/// Length of an organisation's code within its instance, in characters.
const ORG_CHARS_MAX: usize = 35;

/// True for the identifier of an instance of the exchange: two to eight capitals.
#[must_use]
pub fn is_instance(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

impl OrgCode {
    /// The organisation that an instance calls by a code: `LA-X01` for `X01` of `LA`.
    ///
    /// # Errors
    /// When the instance or the code is not well-formed.
    pub fn of_instance(instance: &str, code: &str) -> Result<Self, NotACode> {
        if code.contains('-') {
            return Err(NotACode("organisation-code"));
        }
        if instance == INSTANCE {
            return code.parse();
        }
        format!("{instance}-{code}").parse()
    }

    /// The instance of the exchange it belongs to.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.0.split_once('-').map_or(INSTANCE, |(instance, _)| instance)
    }

    /// Its code within its instance: `X01` of `LA-X01`.
    #[must_use]
    pub fn within(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(_, code)| code)
    }

    /// The level-1 organisation this one belongs to: `G12` of `G12.18`.
    #[must_use]
    pub fn top(&self) -> Self {
        Self(self.0.split('.').next().unwrap_or_default().to_owned())
    }

    /// The organisation one level up; `None` at level 1.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('.').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// A unit of this organisation.
    ///
    /// # Errors
    /// When the group has other characters than `0-9A-Z` or the whole grows past 35.
    pub fn unit(&self, group: &str) -> Result<Self, NotACode> {
        format!("{}.{group}", self.0).parse()
    }

    /// True for this organisation and every unit below it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.0 == self.0
            || other
                .0
                .strip_prefix(&self.0)
                .is_some_and(|rest| rest.starts_with('.'))
    }

    /// The form of QCVN 102:2016/BTTTT, thirteen characters, when the code has one: at most four
    /// levels of at most three and two digits.
    #[must_use]
    pub fn qcvn(&self) -> Option<String> {
        if self.instance() != INSTANCE {
            return None;
        }
        let groups: Vec<&str> = self.0.split('.').collect();
        let (top, rest) = groups.split_first()?;
        let mut slots = ["00".to_owned(), "00".to_owned(), "000".to_owned()];
        if rest.len() > slots.len() {
            return None;
        }
        for (slot, group) in slots.iter_mut().zip(rest) {
            if group.len() > slot.len() || !group.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *slot = format!("{group:0>width$}", width = slot.len());
        }
        Some(format!("{}.{}.{}.{top}", slots[2], slots[1], slots[0]))
    }
}

impl FromStr for OrgCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("organisation-code");
        let is_group =
            |g: &&str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if let Some((instance, code)) = text.split_once('-') {
            let good = is_instance(instance)
                && instance != INSTANCE
                && code.len() <= ORG_CHARS_MAX
                && code.split('.').all(|g| is_group(&g));
            return good.then(|| Self(text.to_owned())).ok_or(BAD);
        }
        let groups: Vec<&str> = text.split('.').collect();
        if let [v, z, y, top] = groups[..]
            && is_top(top)
            && (v.len(), z.len(), y.len()) == (3, 2, 2)
            && [v, z, y].iter().all(|g| g.bytes().all(|b| b.is_ascii_digit()))
        {
            let mut code = top.to_owned();
            let used = [y, z, v].iter().rposition(|g| g.bytes().any(|b| b != b'0'));
            for group in [y, z, v].iter().take(used.map_or(0, |i| i + 1)) {
                code.push('.');
                code.push_str(group);
            }
            return Ok(Self(code));
        }
        let well_formed = text.len() <= ORG_CHARS_MAX
            && groups.first().is_some_and(|g| is_top(g))
            && groups.iter().all(is_group);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(BAD)
        }
    }
}

fn is_top(group: &str) -> bool {
    matches!(group.as_bytes(), [b'A'..=b'Y', b'0'..=b'9', b'0'..=b'9'])
}

/// A code of the General Statistics Office for an administrative unit: two digits for a province,
/// three for a district (until 30/06/2025), five for a commune.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode(String);
text_code!(AreaCode);

impl FromStr for AreaCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        if matches!(text.len(), 2 | 3 | 5) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACode("area-code"))
        }
    }
}

/// A code of the national list of procedures: a digit, a dot, six digits; a local variant carries
/// the organisation after it (`1.001193.000.00.00.H56`, `2.002622.H56`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcedureCode(String);
text_code!(ProcedureCode);

impl FromStr for ProcedureCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("procedure-code");
        let bytes = text.as_bytes();
        let base = bytes.len() >= 8
            && bytes[0].is_ascii_digit()
            && bytes[1] == b'.'
            && bytes[2..8].iter().all(u8::is_ascii_digit);
        if !base {
            return Err(BAD);
        }
        match text.get(8..) {
            Some("") => Ok(Self(text.to_owned())),
            Some(rest) if rest.starts_with('.') => {
                rest[1..].parse::<OrgCode>().map_err(|_| BAD)?;
                Ok(Self(text.to_owned()))
            }
            _ => Err(BAD),
        }
    }
}

/// A case's code: Circular 01/2018/TT-VPCP, article 19: `UNIT-YYMMDD-XXXX`, the last four digits
/// the order of the day at that unit. The central form seen in 2026, `UNIT-YYYYMMDD-XXXXXXX`, is
/// read too, and given out once a unit has used up its four digits of a day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseCode(String);
text_code!(CaseCode);

impl CaseCode {
    /// The code of a unit's `order`-th case of a day, from 1.
    #[must_use]
    pub fn number(unit: &OrgCode, day: Date, order: u32) -> Self {
        let (y, m, d) = (day.year(), u8::from(day.month()), day.day());
        if order <= 9_999 {
            Self(format!("{unit}-{:02}{m:02}{d:02}-{order:04}", y.rem_euclid(100)))
        } else {
            Self(format!("{unit}-{y:04}{m:02}{d:02}-{order:07}"))
        }
    }
}

impl CaseCode {
    /// The organisation that gave the code.
    ///
    /// # Panics
    /// Never: a code is only made with one.
    #[must_use]
    pub fn issuer(&self) -> OrgCode {
        let unit = self.0.rsplitn(3, '-').nth(2);
        unit.and_then(|unit| unit.parse().ok())
            .expect("a case's code begins with an organisation's")
    }
}

impl FromStr for CaseCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("case-code");
        let mut parts = text.rsplitn(3, '-');
        let (order, day, unit) = (
            parts.next().ok_or(BAD)?,
            parts.next().ok_or(BAD)?,
            parts.next().ok_or(BAD)?,
        );
        unit.parse::<OrgCode>().map_err(|_| BAD)?;
        if ![order, day].iter().all(|p| p.bytes().all(|b| b.is_ascii_digit())) {
            return Err(BAD);
        }
        let (year, rest) = match (day.len(), order.len()) {
            (6, 4) => (2000 + day[..2].parse::<i32>().map_err(|_| BAD)?, &day[2..]),
            (8, 7) => (day[..4].parse().map_err(|_| BAD)?, &day[4..]),
            _ => return Err(BAD),
        };
        let (month, day) = (
            rest[..2].parse().map_err(|_| BAD)?,
            rest[2..].parse().map_err(|_| BAD)?,
        );
        civil_date(year, month, day).ok_or(BAD)?;
        Ok(Self(text.to_owned()))
    }
}

/// Sex as the personal number carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// nam
    Male,
    /// nữ
    Female,
}

/// A personal identification number (số định danh cá nhân), twelve digits `AAA G YY NNNNNN`:
/// place of birth, century and sex, year, six digits of chance. Source: Decree 137/2015, from
/// memory; widely used so in code. It has no check digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonalNumber(String);

impl PersonalNumber {
    /// The number for a place of birth (`001` to `096`, or a country), a sex, a birth year from
    /// 1900 to 2399 and six digits of chance below 1,000,000.
    ///
    /// # Errors
    /// When a part is out of its range.
    pub fn compose(place: &str, sex: Sex, year: i32, chance: u32) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("personal-number");
        if !(1900..2400).contains(&year) || chance > 999_999 {
            return Err(BAD);
        }
        let century = (year - 1900) / 100 * 2 + i32::from(sex == Sex::Female);
        format!("{place}{century}{:02}{chance:06}", year % 100).parse()
    }

    /// The place of birth, three digits.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.0[..3]
    }

    /// The year of birth.
    #[must_use]
    pub fn birth_year(&self) -> i32 {
        let century = i32::from(self.0.as_bytes()[3] - b'0') / 2;
        1900 + century * 100 + self.0[4..6].parse::<i32>().unwrap_or_default()
    }

    /// The sex.
    #[must_use]
    pub fn sex(&self) -> Sex {
        if (self.0.as_bytes()[3] - b'0').is_multiple_of(2) {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    /// The number as text. Personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when the number fits a date of birth.
    #[must_use]
    pub fn fits(&self, born: Date) -> bool {
        self.birth_year() == born.year()
    }
}

impl FromStr for PersonalNumber {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("personal-number");
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) || text.starts_with("000") {
            return Err(BAD);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for PersonalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalNumber(…)")
    }
}

impl Serialize for PersonalNumber {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PersonalNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_organisation_are_one() {
        for (old, new) in [
            ("000.00.18.G12", "G12.18"),
            ("000.00.00.H56", "H56"),
            ("000.00.00.G22", "G22"),
        ] {
            let code: OrgCode = old.parse().expect("a code");
            assert_eq!(code.as_str(), new);
            assert_eq!(code.qcvn().as_deref(), Some(old));
        }
        assert_eq!("H56.14857".parse::<OrgCode>().expect("a code").qcvn(), None);
    }

    #[test]
    fn an_organisation_code_is_refused_when_it_breaks_decision_20() {
        for bad in [
            "",
            "Z01",
            "h56",
            "H5",
            "H56.",
            "H56..1",
            "H56.a",
            &format!("H56.{}", "1".repeat(40)),
        ] {
            assert!(bad.parse::<OrgCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_organisation_of_another_instance_is_never_one_of_ours_with_the_same_code() {
        let (ours, theirs): (OrgCode, OrgCode) =
            ("G01".parse().expect("a code"), "LA-G01".parse().expect("a code"));
        assert_ne!(ours, theirs);
        assert_eq!((ours.instance(), ours.within()), (INSTANCE, "G01"));
        assert_eq!((theirs.instance(), theirs.within()), ("LA", "G01"));
        assert_eq!(OrgCode::of_instance("LA", "G01"), Ok(theirs.clone()));
        assert_eq!(OrgCode::of_instance(INSTANCE, "G01"), Ok(ours.clone()));
        assert!(!ours.holds(&theirs) && !theirs.holds(&ours));
        let unit: OrgCode = "LA-X01.02".parse().expect("a code");
        assert_eq!((unit.top().as_str(), unit.qcvn()), ("LA-X01", None));
        for (instance, code) in [
            (INSTANCE, "LA-G01"),
            ("LA", "VN-G01"),
            ("LA", "LA-G01"),
            ("la", "G01"),
            ("L", "G01"),
            ("", "G01"),
        ] {
            assert!(OrgCode::of_instance(instance, code).is_err(), "{instance} {code}");
        }
        for bad in [
            "VN-G01",
            "LA-",
            "-G01",
            "LA-g01",
            "LA-G01-1",
            "L1-G01",
            "G22-261121",
            "LA/G01",
            "LONGNAMES-G01",
        ] {
            assert!(bad.parse::<OrgCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_unit_is_held_by_its_province_and_by_no_other() {
        let province: OrgCode = "H56".parse().expect("a code");
        let commune = province.unit("14857").expect("a unit");
        assert!(province.holds(&commune) && province.holds(&province) && !commune.holds(&province));
        assert_eq!(
            (commune.top(), commune.parent()),
            (province.clone(), Some(province))
        );
    }

    #[test]
    fn a_case_code_has_the_form_of_circular_01_2018() {
        for good in [
            "000.00.00.H56-261121-0001",
            "H56.14-261121-0001",
            "000.00.18.G12-200102-0107",
            "G09.20-20260609-0092637",
        ] {
            assert!(good.parse::<CaseCode>().is_ok(), "{good}");
        }
        for bad in [
            "H56-20261121-0001x",
            "000.00.00.h56-261121-0001",
            "000.00.00.H56-261321-0001",
            "H56-260231-0001",
            "H56",
        ] {
            assert!(bad.parse::<CaseCode>().is_err(), "{bad}");
        }
        let unit: OrgCode = "G22".parse().expect("a code");
        let day = civil_date(2026, 11, 21).expect("a day");
        assert_eq!(CaseCode::number(&unit, day, 1).as_str(), "G22-261121-0001");
        assert_eq!(
            CaseCode::number(&unit, day, 10_000).as_str(),
            "G22-20261121-0010000"
        );
    }

    #[test]
    fn a_procedure_code_is_a_digit_a_dot_and_six_digits() {
        for good in ["1.001193", "2.000635", "1.001193.000.00.00.H56", "2.002622.H56"] {
            assert!(good.parse::<ProcedureCode>().is_ok(), "{good}");
        }
        for bad in ["1.1193", "1001193", "1.001193x", "1.001193."] {
            assert!(bad.parse::<ProcedureCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_personal_number_carries_place_century_sex_and_year() {
        let number = PersonalNumber::compose("038", Sex::Female, 1999, 12_345).expect("a number");
        assert_eq!(number.as_str(), "038199012345");
        assert_eq!(
            (number.place(), number.birth_year(), number.sex()),
            ("038", 1999, Sex::Female)
        );
        assert!(number.fits(civil_date(1999, 5, 1).expect("a day")));
        assert!(!number.fits(civil_date(2099, 5, 1).expect("a day")));
        let child = PersonalNumber::compose("038", Sex::Male, 2026, 1).expect("a number");
        assert_eq!((child.birth_year(), child.sex()), (2026, Sex::Male));
        assert!("03819901234".parse::<PersonalNumber>().is_err());
        assert!(
            !format!("{number:?}").contains("038199"),
            "a log must not carry it"
        );
    }
}
