//! The one stylesheet and the one picture of every page. Never serves a file from disk.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kernel::{Digest, Problem};

use crate::problem::Refusal;

const STYLESHEET: &str = include_str!("../assets/sen.css");
const LOTUS: &str = include_str!("../assets/lotus.svg");

static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = Digest::of(STYLESHEET.as_bytes()).to_string();
    format!("/assets/sen-{}.css", &digest[..12])
});

/// Where the stylesheet stands; its name changes with its content, so it is cached for a year.
#[must_use]
pub fn stylesheet_path() -> &'static str {
    &STYLESHEET_PATH
}

/// The routes of the assets; `present` adds them to every node.
pub(crate) fn router() -> Router {
    Router::new().route("/assets/{file}", get(asset))
}

async fn asset(Path(file): Path<String>) -> Result<Response, Refusal> {
    const YEAR: &str = "public, max-age=31536000, immutable";
    const HOUR: &str = "public, max-age=3600";
    let (media, cache, content) = match file.as_str() {
        "lotus.svg" => ("image/svg+xml", HOUR, LOTUS),
        "sen.css" => ("text/css; charset=utf-8", HOUR, STYLESHEET),
        name if STYLESHEET_PATH.ends_with(&format!("/{name}")) => {
            ("text/css; charset=utf-8", YEAR, STYLESHEET)
        }
        _ => return Err(Problem::not_found().into()),
    };
    Ok((
        [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, cache)],
        content,
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_load_stays_under_100_kilobytes() {
        assert!(
            STYLESHEET.len() + LOTUS.len() < 40_000,
            "leaves 60 KB for the page itself"
        );
    }

    /// Braces that do not pair would silently drop the rest of the sheet.
    #[test]
    fn the_stylesheet_is_whole() {
        let count = |c: char| STYLESHEET.matches(c).count();
        assert_eq!(count('{'), count('}'));
        assert_eq!(STYLESHEET.matches("/*").count(), STYLESHEET.matches("*/").count());
    }
}
