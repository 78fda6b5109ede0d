//! One household after the other: a couple, their marriage, the children that fit. Never breaks
//! the law on marriage: she is 18, he is 20.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::codes::Sex;
use kernel::{Date, PersonalNumber};
use time::macros::date;

use super::chance::Stream;
use super::numbers::Numbers;
use super::places::{Place, places};
use super::{
    AS_OF, Household, MaritalStatus, Marriage, Person, Residence, SAMPLE_COMMUNE, SAMPLE_FATHER,
    SAMPLE_MOTHER,
};
use crate::areas::Areas;

/// Since when numbers carry the province of after the merger.
const MERGER: Date = date!(2025 - 07 - 01);
/// Ethnic groups other than the Kinh that occur here: the next nine of the list.
const OTHER_GROUPS: [&str; 9] = ["02", "03", "04", "05", "06", "07", "08", "09", "10"];
const KINH: &str = "01";
const KINH_PERCENT: usize = 85;
/// The oldest child that still lives with its parents, in years.
const CHILD_AGE_MAX: i32 = 30;
/// The oldest a mother of a newborn is, in years.
const BIRTH_AGE_MAX: i32 = 42;

/// Gives households until enough people are there.
pub(super) struct Households {
    places: Vec<Place>,
    chance: Stream,
    numbers: Numbers,
    /// (place, year) → marriages so far.
    books: HashMap<(usize, i32), u32>,
    left: usize,
    begun: bool,
}

/// The couple's common facts, for their children.
struct Couple {
    place: usize,
    family: &'static str,
    residence: Residence,
    ethnicity: &'static str,
    hometown: Arc<str>,
    mother: PersonalNumber,
    father: PersonalNumber,
}

impl Households {
    pub(super) fn new(areas: &Areas, seed: u64, count: usize) -> Self {
        let places = places(areas);
        Self {
            left: if places.is_empty() { 0 } else { count },
            places,
            chance: Stream::of(seed),
            numbers: Numbers::new(seed),
            books: HashMap::new(),
            begun: false,
        }
    }

    /// The sample couple: the same people for every seed.
    fn sample(&mut self) -> Household {
        let place = self
            .places
            .binary_search_by(|p| p.commune.as_str().cmp(SAMPLE_COMMUNE));
        let place = place.unwrap_or(0);
        let number = |text: &str| text.parse().expect("a sample number is twelve digits");
        let residence = Residence {
            commune: self.places[place].commune.clone(),
            line: "Thôn 3".to_owned(),
        };
        let person = |name: &str, text: &str, sex, born, residence| Person {
            personal_number: number(text),
            full_name: name.to_owned(),
            marital_status: MaritalStatus::Married,
            ..self.blank(place, place, sex, born, KINH, residence)
        };
        let (born_mother, born_father) = (date!(1998 - 05 - 14), date!(1996 - 02 - 08));
        let mother = person(
            "Lê Thị Mai",
            SAMPLE_MOTHER,
            Sex::Female,
            born_mother,
            residence.clone(),
        );
        let father = person("Nguyễn Văn Sơn", SAMPLE_FATHER, Sex::Male, born_father, residence);
        let marriage = self.marry(place, &mother, &father, date!(2025 - 03 - 08));
        Household {
            mother,
            father,
            marriage,
            children: Vec::new(),
        }
    }

    fn household(&mut self) -> Household {
        let place = self.chance.below(self.places.len());
        let mother_year = AS_OF.year() - 22 - i32::from(self.chance.small(48));
        let father_year = mother_year - i32::from(self.chance.small(7));
        let wedding_year = (mother_year + 21 + i32::from(self.chance.small(7))).min(AS_OF.year() - 1);
        let residence = Residence {
            commune: self.places[place].commune.clone(),
            line: super::names::line(&mut self.chance, self.places[place].urban),
        };
        let ethnicity = self.ethnicity();
        let other = if self.chance.percent(92) {
            ethnicity
        } else {
            self.ethnicity()
        };
        let (born_mother, born_father) = (self.day_of(mother_year), self.day_of(father_year));
        let own = super::names::family(&mut self.chance);
        let family = super::names::family(&mut self.chance);
        let mother = self.adult(place, own, Sex::Female, born_mother, other, residence.clone());
        let father = self.adult(
            place,
            family,
            Sex::Male,
            born_father,
            ethnicity,
            residence.clone(),
        );
        let wedding = self.day_of(wedding_year);
        let marriage = self.marry(place, &mother, &father, wedding);
        let couple = Couple {
            place,
            family,
            residence,
            ethnicity,
            hometown: father.hometown.clone(),
            mother: mother.personal_number.clone(),
            father: father.personal_number.clone(),
        };
        let children = self.children(&couple, mother_year, wedding_year);
        Household {
            mother,
            father,
            marriage,
            children,
        }
    }

    /// As many children as fit both the couple's years and the count still asked for.
    fn children(&mut self, couple: &Couple, mother_year: i32, wedding_year: i32) -> Vec<Person> {
        let room = self.left.saturating_sub(2);
        let wanted = match self.chance.below(100) {
            0..15 => 0,
            15..40 => 1,
            40..85 => 2,
            85..97 => 3,
            _ => 4,
        };
        let mut years = Vec::with_capacity(4);
        let mut year = wedding_year + 1 + i32::from(self.chance.small(3));
        let last = AS_OF.year().min(mother_year + BIRTH_AGE_MAX);
        while years.len() < wanted.min(room) && year <= last {
            if AS_OF.year() - year <= CHILD_AGE_MAX {
                years.push(year);
            }
            year += 2 + i32::from(self.chance.small(3));
        }
        // One person left over would need a household of one: this one takes it in or makes room.
        if room == years.len() + 1 && years.pop().is_none() {
            years.push(wedding_year + 1);
        }
        years.into_iter().map(|year| self.child(couple, year)).collect()
    }

    fn child(&mut self, couple: &Couple, year: i32) -> Person {
        let born = self.day_of(year);
        let sex = if self.chance.percent(52) {
            Sex::Male
        } else {
            Sex::Female
        };
        let full_name = super::names::full(&mut self.chance, couple.family, sex);
        let number = self.number(couple.place, sex, born);
        Person {
            full_name,
            personal_number: number,
            father_number: Some(couple.father.clone()),
            mother_number: Some(couple.mother.clone()),
            hometown: couple.hometown.clone(),
            ..self.blank(
                couple.place,
                couple.place,
                sex,
                born,
                couple.ethnicity,
                couple.residence.clone(),
            )
        }
    }

    fn adult(
        &mut self,
        place: usize,
        family: &str,
        sex: Sex,
        born: Date,
        ethnicity: &'static str,
        residence: Residence,
    ) -> Person {
        // One in five has moved here from elsewhere.
        let from = if self.chance.percent(80) {
            place
        } else {
            self.chance.below(self.places.len())
        };
        let full_name = super::names::full(&mut self.chance, family, sex);
        let number = self.number(from, sex, born);
        Person {
            full_name,
            personal_number: number,
            marital_status: MaritalStatus::Married,
            ..self.blank(from, from, sex, born, ethnicity, residence)
        }
    }

    /// A single person without a name, whose number is a sample's until it is replaced.
    fn blank(
        &self,
        born_at: usize,
        hometown: usize,
        sex: Sex,
        born: Date,
        ethnicity: &'static str,
        residence: Residence,
    ) -> Person {
        Person {
            date_of_birth: born,
            ethnicity,
            father_number: None,
            full_name: String::new(),
            hometown: self.places[hometown].words.clone(),
            marital_status: MaritalStatus::Single,
            mother_number: None,
            nationality: "VN",
            personal_number: SAMPLE_MOTHER.parse().expect("a sample number is twelve digits"),
            place_of_birth: self.places[born_at].words.clone(),
            residence,
            sex,
            specimen: true,
        }
    }

    fn marry(&mut self, place: usize, mother: &Person, father: &Person, on: Date) -> Marriage {
        let order = self.books.entry((place, on.year())).or_insert(0);
        *order += 1;
        let place = &self.places[place];
        Marriage {
            husband_name: father.full_name.clone(),
            husband_number: father.personal_number.clone(),
            marriage_number: format!("{order}/{}-{}", on.year(), place.commune),
            registered_at: place.office.clone(),
            registered_on: on,
            specimen: true,
            wife_name: mother.full_name.clone(),
            wife_number: mother.personal_number.clone(),
        }
    }

    fn number(&mut self, place: usize, sex: Sex, born: Date) -> PersonalNumber {
        let place = &self.places[place];
        let digits = if born < MERGER {
            &place.before
        } else {
            &place.since
        };
        self.numbers.next(digits, sex, born.year())
    }

    fn ethnicity(&mut self) -> &'static str {
        if self.chance.percent(KINH_PERCENT) {
            KINH
        } else {
            self.chance.pick(&OTHER_GROUPS)
        }
    }

    /// A day of a year, not after the population's day.
    fn day_of(&mut self, year: i32) -> Date {
        let days = if year == AS_OF.year() {
            AS_OF.ordinal()
        } else {
            365
        };
        let day = 1 + self.chance.small(days);
        Date::from_ordinal_date(year, day).unwrap_or(AS_OF)
    }
}

impl Iterator for Households {
    type Item = Household;

    fn next(&mut self) -> Option<Household> {
        if self.left == 0 {
            return None;
        }
        let household = if self.begun {
            self.household()
        } else {
            self.begun = true;
            self.sample()
        };
        self.left = self.left.saturating_sub(2 + household.children.len());
        Some(household)
    }
}
