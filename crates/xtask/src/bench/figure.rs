//! One measured figure and how it is printed.

use serde_json::{Map, Value, json};

/// A figure, with the peer's beside it when there is one.
pub(crate) struct Figure {
    /// What was measured, as a path: `exchange/signed-logged/1KiB/c64`.
    pub(crate) case: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// Ours by the peer's.
    pub(crate) ratio: Option<f64>,
    /// Ours by the peer's, processor time a request.
    pub(crate) cpu_ratio: Option<f64>,
    /// Anything else worth a column, with its unit in its name.
    pub(crate) more: Vec<(&'static str, f64)>,
}

impl Figure {
    /// A figure with no peer.
    pub(crate) fn alone(case: &str, value: f64, unit: &'static str) -> Self {
        Self {
            case: case.to_owned(),
            value,
            unit,
            ratio: None,
            cpu_ratio: None,
            more: Vec::new(),
        }
    }

    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.as_json());
            return;
        }
        let optional =
            |name: &str, value: Option<f64>| value.map(|v| format!("  {name} {v:.2}")).unwrap_or_default();
        let more: String = self
            .more
            .iter()
            .map(|(name, value)| format!("  {name} {value:.2}"))
            .collect();
        let ratios = optional("ratio", self.ratio) + &optional("cpu_ratio", self.cpu_ratio);
        println!(
            "{:<40} {:>10.1} {:<8}{ratios}{more}",
            self.case, self.value, self.unit
        );
    }

    fn as_json(&self) -> Value {
        let mut line = Map::new();
        line.insert("case".to_owned(), json!(self.case));
        line.insert("value".to_owned(), json!(rounded(self.value)));
        line.insert("unit".to_owned(), json!(self.unit));
        for (name, value) in [("ratio", self.ratio), ("cpu_ratio", self.cpu_ratio)] {
            if let Some(value) = value {
                line.insert(name.to_owned(), json!(rounded(value)));
            }
        }
        for (name, value) in &self.more {
            line.insert((*name).to_owned(), json!(rounded(*value)));
        }
        Value::Object(line)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The middle one; of an even count the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = |at: usize| sorted.get(at).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        middle(half)
    } else {
        f64::midpoint(middle(half.saturating_sub(1)), middle(half))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_round_does_not_move_the_figure() {
        assert!((median(&[3.0, 900.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&[1.0, 2.0]) - 1.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_figure_without_a_peer_has_no_ratio() {
        let figure = Figure {
            case: "a/b".into(),
            value: 1.23456,
            unit: "req/s",
            ratio: None,
            cpu_ratio: None,
            more: vec![("p50_ms", 2.0)],
        };
        let wanted = serde_json::json!({"case": "a/b", "p50_ms": 2.0, "unit": "req/s", "value": 1.235});
        assert_eq!(figure.as_json(), wanted);
    }
}
