//! Personal numbers that do not repeat: within one place, sex and year the six digits walk through
//! a permutation. Never gives out the numbers of the sample couple.

use kernel::PersonalNumber;
use kernel::codes::Sex;

use super::chance::mix;
use super::{SAMPLE_FATHER, SAMPLE_MOTHER};

/// First year of birth.
const FIRST_YEAR: i32 = 1930;
const YEARS: usize = 100;
/// Six digits.
const TAILS: u64 = 1_000_000;
/// A step that shares no factor with a million, so that the walk meets every number once.
const STEP: u64 = 387_421;

/// Gives out numbers.
pub(super) struct Numbers {
    seed: u64,
    given: Vec<u32>,
}

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            given: vec![0; 100 * 2 * YEARS],
        }
    }

    /// A number for a birth at a place (three digits, `038`).
    pub(super) fn next(&mut self, place: &str, sex: Sex, year: i32) -> PersonalNumber {
        let index = bucket(place, sex, year);
        let start = mix(self.seed ^ mix(index as u64)) % TAILS;
        loop {
            let count = &mut self.given[index];
            assert!(
                u64::from(*count) < TAILS,
                "fewer than a million births a year, sex and place"
            );
            let tail = (start + u64::from(*count) * STEP) % TAILS;
            *count += 1;
            let tail = u32::try_from(tail).expect("six digits");
            let number = PersonalNumber::compose(place, sex, year, tail)
                .expect("a place of the crosswalk and a year of the population");
            if number.as_str() != SAMPLE_MOTHER && number.as_str() != SAMPLE_FATHER {
                return number;
            }
        }
    }
}

fn bucket(place: &str, sex: Sex, year: i32) -> usize {
    let place: usize = place.parse().unwrap_or(0) % 100;
    let year = usize::try_from(year - FIRST_YEAR).unwrap_or(0).min(YEARS - 1);
    (place * 2 + usize::from(sex == Sex::Female)) * YEARS + year
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_whole_year_of_one_place_has_no_number_twice() {
        let mut numbers = Numbers::new(4);
        let mut seen = HashSet::new();
        for _ in 0..300_000 {
            let number = numbers.next("038", Sex::Female, 1998);
            assert!(seen.insert(number.as_str()[6..].to_owned()));
            assert!(number.as_str() != SAMPLE_MOTHER);
        }
    }
}
