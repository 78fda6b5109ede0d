//! What the law of a day says of who acts for whom (`codes/mandates.toml`): until which age a child is represented, how long
//! a mandate lasts at most, and which register says who speaks for a child or a company. Pure; never asks.

use kernel::time::{civil_date, parse_iso};
use kernel::{Date, Problem};
use serde::Deserialize;

use crate::procedure::Whom;

/// The rule of one kind of represented, from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Who is represented.
    pub(crate) whom: Whom,
    /// First day.
    pub(crate) from: String,
    /// The act that says so.
    pub(crate) source: String,
    /// The age from which nobody is a child any more, years.
    #[serde(default)]
    pub(crate) age_below: Option<i32>,
    /// How long a mandate lasts at most, months.
    #[serde(default)]
    pub(crate) months_max: Option<u32>,
    /// The register that says who speaks for whom; none where the represented person says so.
    #[serde(default)]
    pub(crate) register: Option<Register>,
}

/// How a register is asked who speaks for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// The service that is asked.
    pub(crate) service: String,
    /// The field that names the represented one.
    pub(crate) by: String,
    /// The field in which the register wants to be told who asks, where it does.
    #[serde(default)]
    pub(crate) asker: Option<String>,
    /// The field with the name of the represented one.
    pub(crate) name: String,
    /// The field with a child's date of birth.
    #[serde(default)]
    pub(crate) born: Option<String>,
    /// The field that says how a company stands.
    #[serde(default)]
    pub(crate) status: Option<String>,
    /// What that field says of one that is no more.
    #[serde(default)]
    pub(crate) over: Vec<String>,
    /// The fields with the personal numbers of those who speak for it.
    pub(crate) representatives: Vec<String>,
}

impl Rule {
    /// The last day of a mandate that begins on a day: the day before the child is of age, or the end of the longest time.
    ///
    /// # Errors
    /// Internal for a rule without an end, or without the day of birth that it counts from.
    pub(crate) fn last_day(&self, from: Date, born: Option<Date>) -> Result<Date, Problem> {
        let of_age = match (self.age_below, born) {
            (Some(age), Some(born)) => Some(birthday(born, age).and_then(Date::previous_day)),
            (Some(_), None) => return Err(Problem::internal("a rule by age without a day of birth")),
            (None, _) => None,
        };
        let longest = self
            .months_max
            .map(|months| plus_months(from, months).and_then(Date::previous_day));
        let ends = of_age.into_iter().chain(longest).flatten();
        ends.min()
            .ok_or_else(|| Problem::internal("a rule of mandates without an end"))
    }
}

/// The day on which somebody is so many years old; of who was born on 29 February, 1 March where there is no other.
fn birthday(born: Date, years: i32) -> Option<Date> {
    let (year, month) = (born.year().checked_add(years)?, u8::from(born.month()));
    civil_date(year, month, born.day()).or_else(|| civil_date(year, month + 1, 1))
}

/// The same day so many months later, or the last one of a shorter month.
fn plus_months(date: Date, months: u32) -> Option<Date> {
    let month = i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1 + i64::from(months);
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u8::try_from(month.rem_euclid(12) + 1).ok()?;
    (0..=3_u8).find_map(|less| civil_date(year, month, date.day().checked_sub(less)?))
}

/// All rules of all days; without one nobody acts for anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    by_day: Vec<(Date, Rule)>,
}

impl Rules {
    /// The rules of a pack; `None` when a first day is no date.
    pub(crate) fn of(rules: Vec<Rule>) -> Option<Self> {
        let dated = |rule: Rule| Some((parse_iso(&rule.from)?, rule));
        let mut by_day: Vec<_> = rules.into_iter().map(dated).collect::<Option<_>>()?;
        by_day.sort_by_key(|(from, _)| *from);
        Some(Self { by_day })
    }

    /// The rule of a day.
    pub(crate) fn rule(&self, whom: Whom, on: Date) -> Option<&Rule> {
        let mut newest = self.by_day.iter().rev();
        let found = newest.find(|(from, rule)| *from <= on && rule.whom == whom);
        found.map(|(_, rule)| rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::nouns;
    use kernel::time::iso;

    fn day(text: &str) -> Date {
        parse_iso(text).expect("a day")
    }

    fn rule(age_below: Option<i32>, months_max: Option<u32>) -> Rule {
        Rule {
            whom: Whom::Child,
            from: "2017-01-01".to_owned(),
            source: "x".to_owned(),
            age_below,
            months_max,
            register: None,
        }
    }

    #[test]
    fn a_child_is_represented_until_the_day_before_it_is_of_age() {
        let last = |born| rule(Some(18), None).last_day(day("2026-11-21"), Some(day(born)));
        assert_eq!(last("2010-05-06").map(iso), Ok("2028-05-05".to_owned()));
        assert_eq!(last("2008-02-29").map(iso), Ok("2026-02-28".to_owned()));
        assert!(rule(Some(18), None).last_day(day("2026-11-21"), None).is_err());
    }

    #[test]
    fn an_authorisation_ends_at_the_latest_after_its_longest_time() {
        let last = |from| rule(None, Some(12)).last_day(day(from), None).map(iso);
        assert_eq!(last("2026-11-21"), Ok("2027-11-20".to_owned()));
        assert_eq!(last("2024-02-29"), Ok("2025-02-27".to_owned()));
        let both = rule(Some(18), Some(12)).last_day(day("2026-11-21"), Some(day("2009-01-01")));
        assert_eq!(both.map(iso), Ok("2026-12-31".to_owned()), "whatever is first");
        assert!(rule(None, None).last_day(day("2026-11-21"), None).is_err());
    }

    #[test]
    fn the_pack_says_of_each_kind_what_holds_on_a_day() {
        let rules = nouns().catalogue.mandates();
        for whom in Whom::ALL {
            let rule = rules.rule(whom, testkit::START.date()).expect("a rule");
            assert_eq!(rule.register.is_some(), whom != Whom::Person);
            assert_eq!(rule.age_below.is_some(), whom == Whom::Child);
        }
        assert_eq!(
            rules.rule(Whom::Child, day("2016-12-31")),
            None,
            "nothing is known of it"
        );
        assert_eq!(Rules::default().rule(Whom::Person, testkit::START.date()), None);
    }
}
