//! The one stylesheet and the one picture of every page. Never serves a file from disk.

/// Where the stylesheet stands; its name changes with its content, so it is cached for a year.
#[must_use]
pub fn stylesheet_path() -> &'static str {
    "/assets/sen.css"
}
