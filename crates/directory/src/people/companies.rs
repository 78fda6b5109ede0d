//! Synthetic companies for the sample business register: one for some of the households, led by the mother. Never
//! a real company: each is marked `specimen`, and no tax office gives codes that begin with 99.

use kernel::{Date, PersonalNumber, TaxCode};
use serde::Serialize;
use serde_json::{Map, Value};
use time::macros::date;

use super::{Household, Residence, object};

/// The tax code of the first company, led by the mother of the first household; of every seed.
pub const SAMPLE_COMPANY: &str = "9900000016";
/// Of how many households one leads a company.
const HOUSEHOLDS_A_COMPANY: usize = 40;
/// The days on which companies were founded, in turn.
const FOUNDED: [Date; 4] = [
    date!(2012 - 03 - 05),
    date!(2017 - 09 - 18),
    date!(2020 - 02 - 10),
    date!(2023 - 06 - 26),
];
/// What they do, by codes of the list of economic activities, and what they are called by.
const TRADES: [(&str, &str); 3] = [
    ("4931, 4933", "Vận tải"),
    ("4933, 5210", "Vận tải và Kho bãi"),
    ("4711", "Thương mại"),
];

/// Who speaks for a company by law (người đại diện theo pháp luật). Fields stand in the order of their names, as
/// in [`Company`], so that the JSON text is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Representative {
    /// The name.
    pub full_name: String,
    /// The personal number.
    pub personal_number: PersonalNumber,
    /// What they are there.
    pub title: &'static str,
}

/// A record of the business register, in its thin form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Company {
    /// The seat.
    pub address: Residence,
    /// The day of its first registration.
    #[serde(serialize_with = "crate::areas::iso")]
    pub founded_on: Date,
    /// Codes of what it does, parted by commas.
    pub industries: &'static str,
    /// The name.
    pub name: String,
    /// Who speaks for it.
    pub representative: Representative,
    /// Always true.
    pub specimen: bool,
    /// `active`, or `suspended`.
    pub status: &'static str,
    /// The tax code, which is the business code.
    pub tax_code: TaxCode,
}

impl Company {
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

/// The companies of some households, the same for the same households: the first household’s, which is in business,
/// and one of each forty. Every ninth is suspended.
pub fn companies(households: impl Iterator<Item = Household>) -> impl Iterator<Item = Company> {
    let codes = (1..10_000_000_u32).filter_map(tax_code);
    households
        .step_by(HOUSEHOLDS_A_COMPANY)
        .zip(codes)
        .enumerate()
        .map(|(at, (household, tax_code))| {
            let (industries, trade) = TRADES[at % TRADES.len()];
            Company {
                address: household.mother.residence,
                founded_on: FOUNDED[at % FOUNDED.len()],
                industries,
                name: format!(
                    "Công ty TNHH {trade} {} (mẫu)",
                    given(&household.mother.full_name)
                ),
                representative: Representative {
                    full_name: household.mother.full_name,
                    personal_number: household.mother.personal_number,
                    title: "Giám đốc",
                },
                specimen: true,
                status: if at % 9 == 8 { "suspended" } else { "active" },
                tax_code,
            }
        })
}

/// The code of an order with the check digit that makes it one; some orders have none.
fn tax_code(order: u32) -> Option<TaxCode> {
    (0..10).find_map(|digit| format!("99{order:07}{digit}").parse().ok())
}

/// The last word of a name.
fn given(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::areas::Areas;
    use crate::people::{AS_OF, SAMPLE_MOTHER, people};

    #[test]
    fn companies_have_codes_of_their_own_and_the_first_is_led_by_the_first_mother() {
        let areas = Areas::load(&crate::pack::tests::vn()).expect("the pack");
        let all: Vec<Company> = companies(people(&areas, 3, 20_000)).collect();
        let first = all.first().expect("a company");
        assert_eq!(first.tax_code.as_str(), SAMPLE_COMPANY);
        assert_eq!(first.representative.personal_number.as_str(), SAMPLE_MOTHER);
        assert_eq!(
            (first.status, first.name.as_str()),
            ("active", "Công ty TNHH Vận tải Mai (mẫu)")
        );
        let codes: HashSet<&str> = all.iter().map(|c| c.tax_code.as_str()).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.len() > 50, "{}", all.len());
        assert!(all.iter().all(|c| c.specimen && c.founded_on < AS_OF));
        assert!(all.iter().any(|c| c.status == "suspended"));
        let again: Vec<Company> = companies(people(&areas, 3, 20_000)).collect();
        assert_eq!(all, again);
    }
}
