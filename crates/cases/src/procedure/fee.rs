//! What a case costs, counted from its answers. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::rules::Rule;

/// What a case costs, paid before it goes to its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// Its name.
    pub name: Text,
    /// The amount in dong, or the amount of one where it counts by an answer. Where `amount` says it by a
    /// rule: what is said before anything is answered.
    pub dong: u64,
    /// The same by a rule over the answers and `count`, the number that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rule>,
    /// The question whose answer, a whole number, the amount is multiplied by.
    #[serde(default)]
    pub per: Option<String>,
    /// What is counted so: `trang`; a copy when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
    /// From how many on each further one costs another amount, in rising order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<Beyond>,
    /// The most that is asked so, in dong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// The question whose answer, a whole number, all that is multiplied by: the number of copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// The act that sets it.
    pub legal_basis: String,
}

/// Another amount for each one after the first ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// How many cost what was said before.
    pub after: u64,
    /// What each further one costs, in dong.
    pub dong: u64,
    /// The same by a rule over the answers and `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rule>,
}

impl Fee {
    /// The questions it counts by.
    pub fn counts(&self) -> impl Iterator<Item = &str> {
        self.per.iter().chain(&self.times).map(String::as_str)
    }

    /// The rules by which its amounts are said.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let steps = self.beyond.iter().filter_map(|step| step.amount.as_ref());
        self.amount.iter().chain(steps)
    }

    /// What a case with these answers costs, in dong; 0 while a question it counts by is not answered. A rule
    /// gives its amount for the number that is counted, 1 where none is; where it gives none, the amount that is
    /// written beside it counts.
    #[must_use]
    pub fn of(&self, answers: &BTreeMap<String, String>, amount: impl Fn(&Rule, u64) -> Option<u64>) -> u64 {
        let count = |field: &String| answers.get(field).and_then(|a| a.parse().ok()).unwrap_or(0);
        let counted = self.per.as_ref().map_or(1, count);
        let said = |rule: Option<&Rule>, dong: u64| {
            let by_rule = rule.and_then(|rule| amount(rule, counted));
            by_rule.unwrap_or(dong)
        };
        let first = said(self.amount.as_ref(), self.dong);
        let steps = self
            .beyond
            .iter()
            .map(|step| (step.after, said(step.amount.as_ref(), step.dong)));
        let one = of_so_many(counted, first, steps);
        let most = self.most.map_or(one, |most| one.min(most));
        most.saturating_mul(self.times.as_ref().map_or(1, count))
    }
}

/// So many, of which those after a step cost what the step says.
fn of_so_many(count: u64, first: u64, steps: impl Iterator<Item = (u64, u64)>) -> u64 {
    let (mut all, mut from, mut dong) = (0_u64, 0, first);
    for (after, further) in steps {
        let upto = count.min(after);
        all = all.saturating_add(dong.saturating_mul(upto.saturating_sub(from)));
        (from, dong) = (upto.max(from), further);
    }
    all.saturating_add(dong.saturating_mul(count.saturating_sub(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fee(per: Option<&str>, beyond: &[(u64, u64)], most: Option<u64>, times: Option<&str>) -> Fee {
        let text = || Text {
            vi: "Phí".to_owned(),
            en: "Fee".to_owned(),
        };
        Fee {
            name: text(),
            dong: 2_000,
            amount: None,
            per: per.map(str::to_owned),
            unit: None,
            beyond: beyond
                .iter()
                .map(|(after, dong)| Beyond {
                    after: *after,
                    dong: *dong,
                    amount: None,
                })
                .collect(),
            most,
            times: times.map(str::to_owned),
            legal_basis: "226/2016/TT-BTC".to_owned(),
        }
    }

    fn of(fee: &Fee, answers: &[(&str, &str)]) -> u64 {
        let answers = answers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        fee.of(&answers.collect(), |_, _| None)
    }

    #[test]
    fn a_fee_is_once_or_by_an_answer() {
        assert_eq!(of(&fee(None, &[], None, None), &[]), 2_000);
        let by_copy = fee(Some("copies"), &[], None, None);
        assert_eq!(of(&by_copy, &[("copies", "3")]), 6_000);
        assert_eq!(of(&by_copy, &[]), 0);
    }

    #[test]
    fn a_rule_gives_an_amount_for_what_is_counted_and_where_it_gives_none_the_written_one_counts() {
        let mut by_page = fee(Some("pages"), &[(2, 1_000)], None, None);
        by_page.amount = Some(Rule::new("count > 5 ? 500 : 0"));
        let dong = |pages: &str| {
            let answers = BTreeMap::from([("pages".to_owned(), pages.to_owned())]);
            by_page.of(&answers, |_, count| (count > 5).then_some(500))
        };
        assert_eq!(dong("6"), 2 * 500 + 4 * 1_000);
        assert_eq!(dong("3"), 2 * 2_000 + 1_000);
    }

    #[test]
    fn pages_after_the_second_cost_less_a_copy_costs_no_more_than_its_limit_and_copies_multiply_it() {
        let by_page = fee(Some("pages"), &[(2, 1_000)], Some(200_000), Some("copies"));
        let dong = |pages: &str, copies: &str| of(&by_page, &[("pages", pages), ("copies", copies)]);
        let one: Vec<u64> = ["1", "2", "3", "10", "198", "199", "5000"]
            .map(|pages| dong(pages, "1"))
            .to_vec();
        assert_eq!(one, [2_000, 4_000, 5_000, 12_000, 200_000, 200_000, 200_000]);
        assert_eq!((dong("3", "4"), dong("3", "0")), (20_000, 0));
        let three = fee(Some("n"), &[(2, 1_000), (5, 100)], None, None);
        assert_eq!(of(&three, &[("n", "7")]), 4_000 + 3_000 + 200);
        assert_eq!(
            of(&by_page, &[("pages", "3"), ("copies", "18446744073709551615")]),
            u64::MAX,
            "never less"
        );
    }
}
