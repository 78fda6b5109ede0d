//! A line so small that it stands in a row of text: shape only, from zero; its numbers stand beside.

use std::fmt::Write as _;

use super::at;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 28.0;

/// The shape of some values, oldest first; empty when there are fewer than two.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a dozen values")]
pub fn spark(values: &[Option<f64>]) -> String {
    if values.iter().flatten().count() < 2 {
        return String::new();
    }
    let highest = values
        .iter()
        .flatten()
        .copied()
        .fold(0.0, f64::max)
        .max(f64::EPSILON);
    let step = (WIDTH - 6.0) / (values.len() - 1) as f64;
    let (mut path, mut pen_is_down, mut end) = (String::new(), false, (0.0, 0.0));
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else {
            pen_is_down = false;
            continue;
        };
        end = (
            3.0 + step * index as f64,
            HEIGHT - 3.0 - (HEIGHT - 6.0) * value / highest,
        );
        let _ = write!(
            path,
            "{}{} {}",
            if pen_is_down { 'L' } else { 'M' },
            at(end.0),
            at(end.1)
        );
        pen_is_down = true;
    }
    format!(
        r##"<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true"><path class="chart-line" d="{path}" fill="none" stroke="#0b4a82" stroke-width="2"/><circle class="chart-mark" cx="{}" cy="{}" r="3" fill="#0b4a82"/></svg>"##,
        at(end.0),
        at(end.1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_shape() {
        assert_eq!(spark(&[None, Some(3.0)]), "");
        assert!(spark(&[Some(1.0), Some(3.0)]).contains("M3 17.7L117 3"));
    }
}
