//! Synthetic households for the sample registers: invented people at real places, the same for the
//! same seed. Never a real person: every record is marked `specimen`, names come from short lists,
//! numbers from a counter.

mod chance;
mod companies;
mod household;
mod names;
mod numbers;
mod places;

use kernel::codes::Sex;
use kernel::{AreaCode, Date, OrgCode, PersonalNumber};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use time::macros::date;

use crate::areas::Areas;
use household::Households;

pub use companies::{Company, Representative, SAMPLE_COMPANY, companies};

/// The day the population is of: nobody is born or married after it.
pub const AS_OF: Date = date!(2026 - 11 - 01);
/// The personal number of the first household's mother, who expects a child; of every seed.
pub const SAMPLE_MOTHER: &str = "038198004726";
/// The personal number of her husband.
pub const SAMPLE_FATHER: &str = "038096007315";
/// The commune they live in: Xã Trung Lý, Tỉnh Thanh Hóa.
pub const SAMPLE_COMMUNE: &str = "14857";

/// Whether a person is married; divorce and death are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaritalStatus {
    /// độc thân
    Single,
    /// đã kết hôn
    Married,
}

/// Where a person lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Residence {
    /// A commune of today.
    pub commune: AreaCode,
    /// House and street, or hamlet.
    pub line: String,
}

/// A record of the population register. Fields stand in the order of their names, so that the
/// JSON text is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Date of birth.
    #[serde(serialize_with = "crate::areas::iso")]
    pub date_of_birth: Date,
    /// Code of the ethnic group.
    pub ethnicity: &'static str,
    /// The father, when he is in the register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub father_number: Option<PersonalNumber>,
    /// Family, middle and given name.
    pub full_name: String,
    /// Quê quán, in words.
    pub hometown: Arc<str>,
    /// Married or not.
    pub marital_status: MaritalStatus,
    /// The mother, when she is in the register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mother_number: Option<PersonalNumber>,
    /// `VN`.
    pub nationality: &'static str,
    /// The twelve digits; fit place, sex and year of birth.
    pub personal_number: PersonalNumber,
    /// Nơi sinh, in words.
    pub place_of_birth: Arc<str>,
    /// Nơi cư trú.
    pub residence: Residence,
    /// Sex.
    pub sex: Sex,
    /// Always true.
    pub specimen: bool,
}

/// A record of the marriage register, its fields in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Marriage {
    /// The husband's name.
    pub husband_name: String,
    /// The husband's number.
    pub husband_number: PersonalNumber,
    /// `12/2019-14857`: order in the book, year, commune; one in the country.
    pub marriage_number: String,
    /// The commune's people's committee that keeps the book today.
    pub registered_at: OrgCode,
    /// The day.
    #[serde(serialize_with = "crate::areas::iso")]
    pub registered_on: Date,
    /// Always true.
    pub specimen: bool,
    /// The wife's name.
    pub wife_name: String,
    /// The wife's number.
    pub wife_number: PersonalNumber,
}

/// A married couple and the children who live with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// The mother.
    pub mother: Person,
    /// The father.
    pub father: Person,
    /// Their marriage.
    pub marriage: Marriage,
    /// Their children, the eldest first.
    pub children: Vec<Person>,
}

impl Person {
    /// The record as canonical JSON.
    ///
    /// # Panics
    /// Never: a record is text and flags.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record is text and flags")
    }

    /// The record as a JSON object.
    ///
    /// # Panics
    /// Never: a record is text and flags.
    #[must_use]
    pub fn record(&self) -> Map<String, Value> {
        object(self)
    }
}

impl Marriage {
    /// The record as canonical JSON.
    ///
    /// # Panics
    /// Never: a record is text and flags.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record is text and flags")
    }

    /// The record as a JSON object.
    ///
    /// # Panics
    /// Never: a record is text and flags.
    #[must_use]
    pub fn record(&self) -> Map<String, Value> {
        object(self)
    }
}

impl Household {
    /// Mother, father, children.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        [&self.mother, &self.father].into_iter().chain(&self.children)
    }
}

fn object<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        _ => unreachable!("a record is an object of text and flags"),
    }
}

/// `count` people in households, the same for the same seed; the first household is the sample
/// couple, who expect a child. Nobody lives alone here: a count of 1 gives two people, of 3 four.
/// Nobody when the pack has no communes on [`AS_OF`].
pub fn people(areas: &Areas, seed: u64, count: usize) -> impl Iterator<Item = Household> + use<> {
    Households::new(areas, seed, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::LazyLock;

    static AREAS: LazyLock<Areas> =
        LazyLock::new(|| Areas::load(&crate::pack::tests::vn()).expect("the pack"));

    #[test]
    fn two_hundred_thousand_people_have_two_hundred_thousand_numbers() {
        let (mut numbers, mut marriages, mut people_seen) = (HashSet::new(), HashSet::new(), 0);
        for household in people(&AREAS, 1, 200_000) {
            assert!(marriages.insert(household.marriage.marriage_number.clone()));
            for person in household.people() {
                people_seen += 1;
                assert!(numbers.insert(person.personal_number.as_str().to_owned()));
                assert!(person.specimen);
            }
        }
        assert_eq!(people_seen, 200_000);
    }

    #[test]
    fn families_are_consistent() {
        for household in people(&AREAS, 7, 30_000) {
            let (mother, father, marriage) = (&household.mother, &household.father, &household.marriage);
            assert_eq!((mother.sex, father.sex), (Sex::Female, Sex::Male));
            assert_eq!(marriage.wife_number, mother.personal_number);
            assert_eq!(marriage.husband_number, father.personal_number);
            assert_eq!(marriage.wife_name, mother.full_name);
            assert_eq!(marriage.husband_name, father.full_name);
            // The law on marriage and family: a woman of 18, a man of 20.
            assert!(marriage.registered_on.year() - mother.date_of_birth.year() > 18);
            assert!(marriage.registered_on.year() - father.date_of_birth.year() > 20);
            assert!(marriage.registered_on <= AS_OF);
            let family = father.full_name.split(' ').next();
            let mut elder = marriage.registered_on;
            for child in &household.children {
                assert!(child.date_of_birth > elder && child.date_of_birth <= AS_OF);
                elder = child.date_of_birth;
                let age = child.date_of_birth.year() - mother.date_of_birth.year();
                assert!((19..=45).contains(&age), "a mother of {age}");
                assert_eq!(child.mother_number.as_ref(), Some(&mother.personal_number));
                assert_eq!(child.father_number.as_ref(), Some(&father.personal_number));
                assert_eq!(child.full_name.split(' ').next(), family);
                assert_eq!(child.residence, mother.residence);
                assert_eq!(child.marital_status, MaritalStatus::Single);
            }
            for person in household.people() {
                assert_eq!(person.personal_number.sex(), person.sex);
                assert!(person.personal_number.fits(person.date_of_birth));
            }
        }
    }

    #[test]
    fn everybody_lives_in_a_commune_of_today_and_was_given_a_number_of_a_real_province() {
        let given: HashSet<&str> = AREAS.crosswalk().iter().map(|row| &*row.birth_place).collect();
        for household in people(&AREAS, 3, 10_000) {
            let office = &household.marriage.registered_at;
            assert!(office.as_str().starts_with('H') && office.parent().is_some());
            for person in household.people() {
                assert!(AREAS.area(&person.residence.commune, AS_OF).is_some());
                assert!(given.contains(person.personal_number.place()));
                assert!(person.full_name.split(' ').count() >= 3);
                assert_eq!(person.full_name, kernel::text::clean(&person.full_name));
            }
        }
    }

    #[test]
    fn one_seed_gives_one_people_and_another_seed_another() {
        let some = |seed| people(&AREAS, seed, 500).collect::<Vec<_>>();
        assert_eq!(some(1), some(1));
        assert_ne!(some(1)[1..], some(2)[1..]);
        assert_eq!(
            some(1)[0].mother.personal_number,
            some(2)[0].mother.personal_number
        );
    }

    #[test]
    fn the_first_mother_lives_in_thanh_hoa_is_28_married_and_expecting() {
        let first = people(&AREAS, 9, 2).next().expect("a household");
        assert_eq!(first.mother.personal_number.as_str(), SAMPLE_MOTHER);
        assert_eq!(first.father.personal_number.as_str(), SAMPLE_FATHER);
        let commune = &first.mother.residence.commune;
        assert_eq!(AREAS.full_path(commune, AS_OF), "Xã Trung Lý, Tỉnh Thanh Hóa");
        assert_eq!(&*first.mother.hometown, "Xã Trung Lý, Tỉnh Thanh Hóa");
        assert_eq!(first.mother.date_of_birth, date!(1998 - 05 - 14));
        assert_eq!(first.marriage.registered_at.as_str(), "H56.14857");
        assert!(first.children.is_empty(), "the child is not born yet");
    }

    #[test]
    fn the_count_is_kept_exactly() {
        for count in [0, 2, 4, 5, 6, 7, 99, 100, 101, 1_001] {
            let total: usize = people(&AREAS, 5, count).map(|h| h.people().count()).sum();
            assert_eq!(total, count);
        }
        for (count, given) in [(1, 2), (3, 4)] {
            assert_eq!(
                people(&AREAS, 5, count)
                    .map(|h| h.people().count())
                    .sum::<usize>(),
                given
            );
        }
    }

    #[test]
    fn records_are_written_in_canonical_form() {
        for household in people(&AREAS, 5, 200) {
            let marriage = &household.marriage;
            let canonical = kernel::digest::canonical_json(&marriage.record());
            assert_eq!(marriage.to_json(), canonical.expect("JSON"));
            for person in household.people() {
                let canonical = kernel::digest::canonical_json(&person.record());
                assert_eq!(person.to_json(), canonical.expect("JSON"));
            }
        }
        let first = people(&AREAS, 5, 2).next().expect("a household").mother.record();
        assert_eq!(first["personal_number"], SAMPLE_MOTHER);
        assert_eq!(
            (&first["sex"], &first["marital_status"]),
            (&"female".into(), &"married".into())
        );
        assert_eq!(first["residence"]["commune"], SAMPLE_COMMUNE);
        assert!(!first.contains_key("father_number"));
    }
}
