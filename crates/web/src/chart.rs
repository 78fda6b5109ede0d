//! Pictures of numbers as SVG: presentation attributes only (the content policy forbids inline
//! style), a title and a description in each, axes that begin at zero. Never a number that does not
//! also stand in a table beside it.

mod frame;
mod spark;

pub use frame::{Chart, Kind};
pub use spark::spark;

/// A coordinate, with one decimal at most.
#[must_use]
pub fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below a value: where an axis ends.
#[must_use]
pub fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|end| *end >= value * 0.999_999)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_not_below_the_highest_value() {
        for (value, end) in [
            (0.0, 1.0),
            (1.0, 1.0),
            (7.0, 10.0),
            (98.6, 100.0),
            (1_234.0, 2_000.0),
        ] {
            assert!((nice(value) - end).abs() < 1e-9, "{value}: {}", nice(value));
        }
    }
}
