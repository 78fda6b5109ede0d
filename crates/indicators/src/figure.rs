//! Figures as they are shown: a value with what stands above and below the line and the formula. A
//! share without a denominator has no value: never zero, never infinity.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::counter::{Counter, LAG_SECONDS};
use crate::define::{Definition, FIGURES, Term, Way};
use crate::store::Values;

/// One figure of one organisation and month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// Its code.
    pub figure: String,
    /// Whose; `all` for everything the node counted.
    pub org: String,
    /// The month, `2026-11`.
    pub period: String,
    /// The value, percentages and means with two decimals; absent when nothing can be said.
    pub value: Option<f64>,
    /// In what it is counted.
    pub unit: String,
    /// What stands above the line.
    pub numerator: Option<i64>,
    /// What stands below it.
    pub denominator: Option<i64>,
    /// How it is computed, from counters.
    pub formula: String,
}

/// The numbers of a period that figures are computed from.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Of the month.
    pub(crate) month: Values,
    /// Of all months up to its end.
    pub(crate) until: Values,
    /// Open cases past their due date now, by organisation, already rolled up.
    pub(crate) overdue: BTreeMap<String, i64>,
    /// Exchanges of the last seconds, by window and organisation.
    pub(crate) live: BTreeMap<(u32, String), i64>,
}

/// A figure's value and its line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) value: Option<f64>,
    pub(crate) line: Option<(i64, i64)>,
}

fn counted(values: &Values, org: &str, term: Term) -> Option<i64> {
    let key = |part: &str| (org.to_owned(), term.counter.code().to_owned(), part.to_owned());
    if term.parts.is_empty() {
        let mut of_counter = values
            .range(key("")..)
            .take_while(|((o, c, _), _)| o == org && c == term.counter.code())
            .peekable();
        of_counter.peek()?;
        return Some(of_counter.map(|(_, amount)| amount).sum());
    }
    // Once the counter is there at all, a part that is not is a true zero.
    counted(values, org, Term { parts: &[], ..term })?;
    Some(term.parts.iter().filter_map(|part| values.get(&key(part))).sum())
}

/// A count of the month: a true zero for what was counted before and not in it.
fn in_month(n: &Numbers, org: &str, term: Term) -> Option<i64> {
    counted(&n.month, org, term).or_else(|| counted(&n.until, org, term).map(|_| 0))
}

fn total(values: &Values, org: &str, terms: &[Term]) -> Option<i64> {
    terms
        .iter()
        .filter_map(|term| counted(values, org, *term))
        .reduce(|a, b| a + b)
}

/// The figure of an organisation; nothing when nothing was counted that it is made of.
pub(crate) fn compute(way: Way, n: &Numbers, org: &str) -> Option<Found> {
    let count = |value: i64| Found {
        value: Some(precise(value)),
        line: None,
    };
    match way {
        Way::Sum(term) => in_month(n, org, term).map(count),
        Way::Less(a, b) => {
            let a = in_month(n, org, a)?;
            Some(count(a - counted(&n.month, org, b).unwrap_or_default()))
        }
        Way::Share(a, b) => {
            let below = in_month(n, org, b)?;
            let above = counted(&n.month, org, a).unwrap_or_default();
            Some(Found {
                value: share(above, below),
                line: Some((above, below)),
            })
        }
        Way::Mean(a, b, by) => {
            let below = counted(&n.month, org, b)?;
            let above = counted(&n.month, org, a).unwrap_or_default();
            Some(Found {
                value: mean(above, below * i64::from(by)),
                line: Some((above, below)),
            })
        }
        Way::Stock(came, went) => {
            let came = total(&n.until, org, came)?;
            Some(count(came - total(&n.until, org, went).unwrap_or_default()))
        }
        Way::Overdue => {
            let has_cases = counted(&n.until, org, term(Counter::CasesReceived));
            let late = n.overdue.get(org).copied();
            late.or(has_cases.map(|_| 0)).map(count)
        }
        Way::Lag(percent) => lag(&n.month, org, percent),
        Way::Sharing => sharing(n, org),
        Way::Rate(seconds) => {
            let seen = [Counter::ExchangesAsked, Counter::ExchangesAnswered]
                .into_iter()
                .any(|c| counted(&n.until, org, term(c)).is_some());
            let count = n.live.get(&(seconds, org.to_owned())).copied();
            let count = count.or(seen.then_some(0))?;
            let value = if seconds >= 60 {
                Some(precise(count))
            } else {
                mean(count, i64::from(seconds))
            };
            Some(Found { value, line: None })
        }
    }
}

const fn term(counter: Counter) -> Term {
    Term { counter, parts: &[] }
}

/// The upper bound of the class in which a percentage of the lags ends; none for the open class.
fn lag(values: &Values, org: &str, percent: u32) -> Option<Found> {
    let all = counted(values, org, term(Counter::StatusLag))?;
    let of = |part: &str| {
        let key = (
            org.to_owned(),
            Counter::StatusLag.code().to_owned(),
            part.to_owned(),
        );
        values.get(&key).copied().unwrap_or_default()
    };
    let mut reached = 0;
    for bound in LAG_SECONDS {
        reached += of(&bound.to_string());
        if reached * 100 >= all * i64::from(percent) {
            return Some(Found {
                value: Some(precise(bound)),
                line: Some((reached, all)),
            });
        }
    }
    Some(Found {
        value: None,
        line: Some((reached, all)),
    })
}

/// Services used in the month of those agreed at its end.
fn sharing(n: &Numbers, org: &str) -> Option<Found> {
    let (mut agreed, mut used) = (0, 0);
    let begun = Counter::AgreementsBegun.code();
    let of = |values: &Values, counter: Counter, service: &str| {
        let key = (org.to_owned(), counter.code().to_owned(), service.to_owned());
        values.get(&key).copied().unwrap_or_default()
    };
    let of_org = n
        .until
        .range((org.to_owned(), begun.to_owned(), String::new())..)
        .take_while(|((o, c, _), _)| o == org && c == begun);
    for ((_, _, service), amount) in of_org {
        if *amount > of(&n.until, Counter::AgreementsEnded, service) {
            agreed += 1;
            used += i64::from(of(&n.month, Counter::ServiceUses, service) > 0);
        }
    }
    (agreed > 0).then(|| Found {
        value: share(used, agreed),
        line: Some((used, agreed)),
    })
}

/// The figures of some organisations: everything that has a value, in the order of the definitions.
#[must_use]
pub(crate) fn figures<'a>(n: &Numbers, period: &str, orgs: impl IntoIterator<Item = &'a str>) -> Vec<Figure> {
    let mut all = Vec::new();
    for org in orgs {
        for definition in FIGURES {
            if let Some(found) = compute(definition.way, n, org) {
                all.push(figure(definition, found, org, period));
            }
        }
    }
    all
}

/// One figure for programs.
pub(crate) fn figure(definition: &Definition, found: Found, org: &str, period: &str) -> Figure {
    Figure {
        figure: definition.code.to_owned(),
        org: org.to_owned(),
        period: period.to_owned(),
        value: found.value,
        unit: definition.unit.code().to_owned(),
        numerator: found.line.map(|(above, _)| above),
        denominator: found.line.map(|(_, below)| below),
        formula: definition.formula(),
    }
}

/// A share in percent, two decimals, halves up.
pub(crate) fn share(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| precise((numerator * 20_000 + denominator) / (denominator * 2)) / 100.0)
}

/// A quotient, two decimals, halves up.
pub(crate) fn mean(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| precise((numerator * 200 + denominator) / (denominator * 2)) / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn precise(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_states_its_rounding_and_has_no_value_without_a_denominator() {
        assert_eq!(
            share(16_051, 16_274),
            Some(98.63),
            "the published 98,62 % cuts off instead"
        );
        assert_eq!(share(1, 3), Some(33.33));
        assert_eq!(share(2, 3), Some(66.67));
        assert_eq!(share(0, 5), Some(0.0));
        assert_eq!(share(0, 0), None);
    }

    fn numbers(counts: &[(&str, &str, i64)]) -> Numbers {
        let values: Values = counts
            .iter()
            .map(|(counter, part, n)| (("H56".to_owned(), (*counter).to_owned(), (*part).to_owned()), *n))
            .collect();
        Numbers {
            until: values.clone(),
            month: values,
            ..Numbers::default()
        }
    }

    fn value(n: &Numbers, code: &str) -> Option<f64> {
        let way = Definition::find(code).expect("a figure").way;
        compute(way, n, "H56").and_then(|f| f.value)
    }

    #[test]
    fn satisfaction_is_the_share_of_scores_four_and_five() {
        let n = numbers(&[("ratings", "1", 1), ("ratings", "4", 2), ("ratings", "5", 5)]);
        assert_eq!(value(&n, "satisfaction"), Some(87.5));
        assert_eq!(value(&numbers(&[]), "satisfaction"), None);
    }

    #[test]
    fn half_of_the_lags_end_in_the_class_the_figure_names() {
        let n = numbers(&[
            ("status-lag", "1", 5),
            ("status-lag", "10", 4),
            ("status-lag", "over", 1),
        ]);
        assert_eq!(value(&n, "status-lag-p50"), Some(1.0));
        assert_eq!(value(&n, "status-lag-p95"), None, "it lies in the open class");
    }

    #[test]
    fn a_service_counts_as_shared_when_it_was_used_under_an_agreement_in_force() {
        let n = numbers(&[
            ("agreements-begun", "G01/p/a", 1),
            ("agreements-begun", "G01/p/b", 1),
            ("agreements-begun", "G01/p/c", 1),
            ("agreements-ended", "G01/p/c", 1),
            ("service-uses", "G01/p/a", 7),
            ("service-uses", "G01/p/c", 7),
        ]);
        assert_eq!(value(&n, "sharing-rate"), Some(50.0));
    }

    #[test]
    fn a_month_without_a_case_has_a_true_zero_and_no_share() {
        let mut n = numbers(&[("cases-received", "online", 7), ("cases-online", "full", 7)]);
        n.month.clear();
        assert_eq!(value(&n, "cases-received"), Some(0.0));
        assert_eq!(value(&n, "online-share"), None);
        assert_eq!(value(&n, "cases-on-hand"), Some(7.0));
    }

    #[test]
    fn what_is_on_hand_is_what_came_less_what_went() {
        let n = numbers(&[
            ("cases-received", "online", 7),
            ("cases-received", "counter", 3),
            ("cases-decided", "granted", 4),
            ("cases-withdrawn", "", 1),
        ]);
        assert_eq!(value(&n, "cases-on-hand"), Some(5.0));
        assert_eq!(value(&n, "online-share"), Some(0.0));
        assert_eq!(value(&n, "cases-refused"), Some(0.0));
    }
}
