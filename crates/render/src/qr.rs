//! QR codes as SVG, for pages on screen and on paper. Never decides what a code says.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

use crate::RenderError;

/// White modules on each side, as ISO/IEC 18004 asks.
const QUIET_MODULES: usize = 4;

/// The QR code of a text as an SVG picture: black on white with the quiet zone, one unit a module,
/// no size of its own, so that the page decides. Error correction is level M (15 %).
///
/// # Errors
/// [`RenderError::Qr`] when the text is longer than the largest code holds (2,331 bytes).
pub fn qr_svg(text: &str) -> Result<String, RenderError> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(|_| RenderError::Qr(text.len()))?;
    let width = code.width();
    let side = width + 2 * QUIET_MODULES;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        for (x, length) in dark_runs(row) {
            let (left, top) = (x + QUIET_MODULES, y + QUIET_MODULES);
            write!(path, "M{left} {top}h{length}v1h-{length}z").expect("a string takes every write");
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}

/// Runs of dark modules in a row as (first, length): a path of runs is a third of one of squares.
fn dark_runs(row: &[Color]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (x, color) in row.iter().enumerate() {
        if *color == Color::Light {
            continue;
        }
        match runs.last_mut() {
            Some((first, length)) if *first + *length == x => *length += 1,
            _ => runs.push((x, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_with_the_seven_modules_of_its_finder_inside_the_quiet_zone() {
        let svg = qr_svg("http://127.0.0.1:8080/verify/BC-1").expect("a code");
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
        assert!(svg.len() < 8_000, "{} bytes", svg.len());
    }

    #[test]
    fn a_text_longer_than_the_largest_code_is_refused_with_its_length() {
        assert!(qr_svg(&"a".repeat(2_331)).is_ok());
        assert_eq!(qr_svg(&"a".repeat(2_332)), Err(RenderError::Qr(2_332)));
    }

    #[test]
    fn runs_cover_exactly_the_dark_modules() {
        use Color::{Dark, Light};
        assert_eq!(dark_runs(&[Dark, Dark, Light, Dark]), vec![(0, 2), (3, 1)]);
        assert_eq!(dark_runs(&[Light, Light]), vec![]);
    }
}
