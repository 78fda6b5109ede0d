//! The grid of provinces: one tile each, roughly in its place, with name and value in words and a
//! colour that says the same. Tiles are links, so the keyboard reaches them.

use std::fmt::Write as _;

use web::page::escape;

/// One tile.
#[derive(Clone, Debug, PartialEq)]
pub struct TileView {
    /// The name in it.
    pub name: String,
    /// The value in words.
    pub text: String,
    /// The value; none for no colour.
    pub value: Option<f64>,
    /// Where it leads.
    pub href: String,
    /// From the west.
    pub column: i32,
    /// From the north.
    pub row: i32,
}

/// Where one colour ends and the next begins: four bounds for five colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins(pub [f64; 4]);

/// Light to dark, and the ink on each: every pair has a contrast above 4.5 to 1.
const COLOURS: [(&str, &str); 5] = [
    ("#eef4fa", "#1a1a1a"),
    ("#c3dbef", "#1a1a1a"),
    ("#8dbbdf", "#1a1a1a"),
    ("#2f6da5", "#ffffff"),
    ("#0b3f70", "#ffffff"),
];
const NONE: (&str, &str) = ("#ffffff", "#55504a");
const TILE_WIDTH: i32 = 104;
const TILE_HEIGHT: i32 = 46;

impl Bins {
    /// Bounds for shares: where boards look first is the upper end.
    pub const SHARE: Self = Self([50.0, 80.0, 90.0, 98.0]);

    /// Five equal steps up to a highest value.
    #[must_use]
    pub fn up_to(highest: f64) -> Self {
        let step = (highest / 5.0).max(1.0).ceil();
        Self([step, step * 2.0, step * 3.0, step * 4.0])
    }

    fn of(self, value: f64) -> usize {
        self.0.iter().filter(|bound| value >= **bound).count()
    }

    /// The legend: a patch of each colour and its range.
    #[must_use]
    pub fn legend(self, number: &dyn Fn(f64) -> String, none: &str) -> String {
        let mut list = String::from(r#"<ul class="legend">"#);
        let [a, b, c, d] = self.0;
        let words = [
            format!("&lt; {}", escape(&number(a))),
            format!("{} – {}", escape(&number(a)), escape(&number(b))),
            format!("{} – {}", escape(&number(b)), escape(&number(c))),
            format!("{} – {}", escape(&number(c)), escape(&number(d))),
            format!("≥ {}", escape(&number(d))),
        ];
        let all = COLOURS.iter().zip(words);
        for (colour, words) in all.chain([(&NONE, escape(none))]) {
            let _ = write!(
                list,
                r##"<li><svg viewBox="0 0 20 14" width="20" height="14" aria-hidden="true"><rect width="20" height="14" fill="{}" stroke="#767069"/></svg> {words}</li>"##,
                colour.0
            );
        }
        list.push_str("</ul>");
        list
    }
}

/// The grid.
#[must_use]
pub fn tile_map(title: &str, tiles: &[TileView], bins: Bins) -> String {
    let columns = tiles.iter().map(|t| t.column).max().unwrap_or(0) + 1;
    let rows = tiles.iter().map(|t| t.row).max().unwrap_or(0) + 1;
    let mut svg = format!(
        r#"<svg class="tiles" viewBox="0 0 {} {}" role="group" aria-label="{}" font-size="15" text-anchor="middle">"#,
        columns * TILE_WIDTH,
        rows * TILE_HEIGHT,
        escape(title)
    );
    for tile in tiles {
        let (fill, ink) = tile
            .value
            .map_or(NONE, |value| COLOURS.get(bins.of(value)).copied().unwrap_or(NONE));
        let (x, y) = (tile.column * TILE_WIDTH, tile.row * TILE_HEIGHT);
        let (name, text) = (escape(&tile.name), escape(&tile.text));
        let middle = x + TILE_WIDTH / 2;
        let _ = write!(
            svg,
            r##"<a href="{}"><rect x="{}" y="{}" width="{}" height="{}" fill="{fill}" stroke="#767069"/><text x="{middle}" y="{}" fill="{ink}">{name}</text> <text x="{middle}" y="{}" fill="{ink}" font-weight="700">{text}</text></a>"##,
            escape(&tile.href),
            x + 1,
            y + 1,
            TILE_WIDTH - 2,
            TILE_HEIGHT - 2,
            y + 19,
            y + 37,
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_says_its_value_in_words_and_is_a_link() {
        let tile = TileView {
            name: "Thanh Hóa".into(),
            text: "98,63 %".into(),
            value: Some(98.63),
            href: "/boards/H56".into(),
            column: 2,
            row: 4,
        };
        let none = TileView {
            text: "–".into(),
            value: None,
            ..tile.clone()
        };
        let svg = tile_map("Map", &[tile, none], Bins::SHARE);
        assert!(svg.contains(r#"<a href="/boards/H56">"#));
        assert!(svg.contains(COLOURS[4].0) && svg.contains(NONE.0));
    }

    #[test]
    fn a_value_at_a_bound_has_the_darker_colour() {
        assert_eq!(Bins::SHARE.of(98.0), 4);
        assert_eq!(Bins::SHARE.of(97.99), 3);
        assert_eq!(Bins::up_to(0.0).of(0.0), 0);
    }

    /// The relative luminance of WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("hex")) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn the_words_in_a_tile_can_be_read() {
        for (paper, ink) in COLOURS.into_iter().chain([NONE]) {
            let (a, b) = (luminance(paper), luminance(ink));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{ink} on {paper}: {contrast:.2}");
        }
    }
}
