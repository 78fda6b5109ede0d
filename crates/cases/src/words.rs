//! What people write in their own words: reasons, notes. Bounded, at the portal and at the desk alike; never
//! read by a rule.

use kernel::Problem;

use crate::answers::lines;

/// Length of somebody's own words, in characters.
const CHARS_MAX: usize = 2_000;

/// The words of the field `note`, within bounds.
///
/// # Errors
/// As [`words`].
pub(crate) fn note(text: &str, required: bool) -> Result<String, Problem> {
    words("note", text, required)
}

/// The words of a field, within bounds and without what cannot be seen, line by line.
///
/// # Errors
/// 422 at the field: `case-note-missing`, `case-note-too-long`.
pub(crate) fn words(field: &'static str, text: &str, required: bool) -> Result<String, Problem> {
    let text = lines(text);
    if required && text.is_empty() {
        return Err(Problem::invalid(field, "case-note-missing"));
    }
    if text.chars().count() > CHARS_MAX {
        return Err(Problem::invalid(field, "case-note-too-long").with("max", CHARS_MAX));
    }
    Ok(text)
}
