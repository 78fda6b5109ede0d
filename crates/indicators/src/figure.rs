//! Figures as they are shown: a count, or a share with numerator, denominator and formula. A share
//! without a denominator has no value: never zero, never infinity.

use serde::Serialize;
use utoipa::ToSchema;

use crate::project::Counter;
use crate::store::Values;

/// One figure of one organisation and month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// Its code: a counter's, or `on-time-share`, `online-share`.
    pub figure: String,
    /// Whose.
    pub org: String,
    /// The month, `2026-11`.
    pub period: String,
    /// The count, or the share in percent with two decimals; absent when nothing can be said.
    pub value: Option<f64>,
    /// The numerator of a share.
    pub numerator: Option<i64>,
    /// The denominator of a share.
    pub denominator: Option<i64>,
    /// How it is computed, from counters.
    pub formula: String,
}

/// The shares: code, numerator, denominator.
const SHARES: [(&str, Counter, Counter); 2] = [
    ("on-time-share", Counter::CasesOnTime, Counter::CasesDecided),
    ("online-share", Counter::CasesOnline, Counter::CasesReceived),
];

/// The figures of a month: every counter that has a value, then the shares.
#[must_use]
pub(crate) fn figures(values: &Values, period: &str) -> Vec<Figure> {
    let mut orgs: Vec<&str> = values.keys().map(|(_, org, _)| org.as_str()).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let get = |counter: Counter, org: &str| {
        values
            .get(&(counter.code().to_owned(), org.to_owned(), period.to_owned()))
            .copied()
    };
    let mut all = Vec::new();
    for org in orgs {
        for counter in Counter::ALL {
            if let Some(count) = get(counter, org) {
                all.push(Figure {
                    figure: counter.code().to_owned(),
                    org: org.to_owned(),
                    period: period.to_owned(),
                    value: Some(precise(count)),
                    numerator: None,
                    denominator: None,
                    formula: counter.code().to_owned(),
                });
            }
        }
        for (code, top, bottom) in SHARES {
            if let Some(denominator) = get(bottom, org) {
                let numerator = get(top, org).unwrap_or_default();
                all.push(Figure {
                    figure: code.to_owned(),
                    org: org.to_owned(),
                    period: period.to_owned(),
                    value: share(numerator, denominator),
                    numerator: Some(numerator),
                    denominator: Some(denominator),
                    formula: format!("{} / {} * 100", top.code(), bottom.code()),
                });
            }
        }
    }
    all
}

/// A share in percent, two decimals, halves up.
fn share(numerator: i64, denominator: i64) -> Option<f64> {
    (denominator > 0).then(|| precise((numerator * 20_000 + denominator) / (denominator * 2)) / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn precise(count: i64) -> f64 {
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
}
