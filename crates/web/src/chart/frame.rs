//! A line or bars over periods, with a vertical axis from zero and labels.

use std::fmt::Write as _;

use crate::page::escape;

use super::{at, nice};

/// How the values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Points joined by a line; a gap where there is no value.
    Line,
    /// A bar a period.
    Bars,
}

/// One picture.
pub struct Chart<'a> {
    /// Unique on its page: names the title and description.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What can be read from it, for who does not see it.
    pub description: &'a str,
    /// How it is drawn.
    pub kind: Kind,
    /// The label of each period and its value.
    pub points: &'a [(String, Option<f64>)],
    /// Where the axis ends at least; 100 for percentages.
    pub end_min: f64,
    /// Words for a number.
    pub number: &'a dyn Fn(f64) -> String,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 30.0;
/// Labels below the axis, count.
const LABELS_MAX: usize = 8;
/// The same when they are long.
const LONG_LABELS_MAX: usize = 5;
/// A label of more characters is long.
const SHORT_CHARS: usize = 7;

impl Chart<'_> {
    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let highest = self.points.iter().filter_map(|(_, v)| *v).fold(0.0, f64::max);
        let end = nice(highest.max(self.end_min));
        let (id, title) = (escape(self.id), escape(self.title));
        let mut svg = format!(
            r#"<svg class="chart-frame" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}-t {id}-d" font-size="13"><title id="{id}-t">{title}</title><desc id="{id}-d">{}</desc>"#,
            escape(self.description)
        );
        self.axis(&mut svg, end);
        match self.kind {
            Kind::Line => self.line(&mut svg, end),
            Kind::Bars => self.bars(&mut svg, end),
        }
        svg.push_str("</svg>");
        svg
    }

    #[expect(clippy::cast_precision_loss, reason = "a chart has a hundred periods at most")]
    fn x(&self, index: usize) -> f64 {
        let step = (WIDTH - LEFT) / self.points.len().max(1) as f64;
        LEFT + step * (index as f64 + 0.5)
    }

    fn axis(&self, svg: &mut String, end: f64) {
        for part in [0.0, 0.5, 1.0] {
            let y = y(end * part, end);
            let _ = write!(
                svg,
                r##"<path class="chart-grid" d="M{} {}H{WIDTH}" stroke="#767069" stroke-width="{}"/><text class="chart-label" x="{}" y="{}" text-anchor="end" fill="#55504a">{}</text>"##,
                at(LEFT),
                at(y),
                if part == 0.0 { "1.5" } else { ".5" },
                at(LEFT - 8.0),
                at(y + 4.0),
                escape(&(self.number)(end * part)),
            );
        }
        let is_long = |(label, _): &(String, _)| label.chars().count() > SHORT_CHARS;
        let most = if self.points.iter().any(is_long) {
            LONG_LABELS_MAX
        } else {
            LABELS_MAX
        };
        let every = self.points.len().div_ceil(most).max(1);
        let last = self.points.len().saturating_sub(1);
        for (index, (label, _)) in self.points.iter().enumerate() {
            if (last - index).is_multiple_of(every) {
                // With many periods there is no room beside the last one.
                let (x, anchor) = if index == last && every > 1 {
                    (WIDTH, "end")
                } else {
                    (self.x(index), "middle")
                };
                let _ = write!(
                    svg,
                    r##"<text class="chart-label" x="{}" y="{}" text-anchor="{anchor}" fill="#55504a">{}</text>"##,
                    at(x),
                    at(HEIGHT - 8.0),
                    escape(label),
                );
            }
        }
    }

    fn line(&self, svg: &mut String, end: f64) {
        let (mut path, mut pen_is_down) = (String::new(), false);
        let mut dots = String::new();
        for (index, (_, value)) in self.points.iter().enumerate() {
            let Some(value) = value else {
                pen_is_down = false;
                continue;
            };
            let (x, y) = (at(self.x(index)), at(y(*value, end)));
            let _ = write!(path, "{}{x} {y}", if pen_is_down { 'L' } else { 'M' });
            let _ = write!(
                dots,
                r##"<circle class="chart-mark" cx="{x}" cy="{y}" r="3.5" fill="#0b4a82"/>"##
            );
            pen_is_down = true;
        }
        let _ = write!(
            svg,
            r##"<path class="chart-line" d="{path}" fill="none" stroke="#0b4a82" stroke-width="2.5"/>{dots}"##
        );
        self.last(svg, end);
    }

    fn bars(&self, svg: &mut String, end: f64) {
        let width = (self.x(1) - self.x(0)) * 0.7;
        for (index, (_, value)) in self.points.iter().enumerate() {
            let Some(value) = value.filter(|v| *v > 0.0) else {
                continue;
            };
            let top = y(value, end);
            let _ = write!(
                svg,
                r##"<rect class="chart-mark" x="{}" y="{}" width="{}" height="{}" fill="#0b4a82"/>"##,
                at(self.x(index) - width / 2.0),
                at(top),
                at(width),
                at(y(0.0, end) - top),
            );
        }
        self.last(svg, end);
    }

    /// The last value in words, at its place.
    fn last(&self, svg: &mut String, end: f64) {
        let last = self.points.iter().enumerate().rev();
        if let Some((index, value)) = last
            .filter_map(|(index, (_, value))| value.map(|v| (index, v)))
            .next()
        {
            let _ = write!(
                svg,
                r##"<text class="chart-value" x="{}" y="{}" text-anchor="end" font-weight="700" fill="#1a1a1a">{}</text>"##,
                at((self.x(index) + 20.0).min(WIDTH)),
                at((y(value, end) - 9.0).max(12.0)),
                escape(&(self.number)(value)),
            );
        }
    }
}

fn y(value: f64, end: f64) -> f64 {
    let height = HEIGHT - TOP - BOTTOM;
    TOP + height * (1.0 - value / end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(kind: Kind, values: &[Option<f64>]) -> String {
        let points: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(i, v)| (format!("<{i}>"), *v))
            .collect();
        Chart {
            id: "a",
            title: "On time & late",
            description: "rising",
            kind,
            points: &points,
            end_min: 100.0,
            number: &|v| format!("{v:.0}"),
        }
        .svg()
    }

    #[test]
    fn a_picture_has_a_title_begins_at_zero_and_escapes_its_words() {
        let svg = chart(Kind::Line, &[Some(50.0), None, Some(100.0)]);
        for part in [
            r#"role="img""#,
            "On time &amp; late</title>",
            "rising</desc>",
            ">0</text>",
            ">100</text>",
            "&lt;0&gt;",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains("style="));
    }

    #[test]
    fn the_last_label_of_many_periods_ends_inside_the_picture() {
        let last = |count: usize| {
            let svg = chart(Kind::Bars, &vec![Some(1.0); count]);
            let labels = svg.split("<text class=\"chart-label\"").skip(4);
            let last = labels.last().expect("labels of periods");
            last.split('>').next().unwrap_or_default().to_owned()
        };
        assert!(last(4).contains(r#"text-anchor="middle""#));
        assert!(last(60).contains(r#"x="640""#) && last(60).contains(r#"text-anchor="end""#));
    }

    #[test]
    fn where_there_is_no_value_the_line_is_broken() {
        let svg = chart(Kind::Line, &[Some(50.0), None, Some(100.0)]);
        let path = svg.split(r#"class="chart-line" d=""#).nth(1).expect("a line");
        let path = path.split('"').next().expect("its end");
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 0);
    }

    #[test]
    fn a_bar_is_as_high_as_its_value_and_none_stands_for_nothing() {
        let svg = chart(Kind::Bars, &[Some(50.0), None, Some(0.0), Some(100.0)]);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains(r#"height="97""#) && svg.contains(r#"height="194""#));
    }
}
