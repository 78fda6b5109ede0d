//! How the parts of a document and the words in them are called, in the reader's language. Never what they mean.

use web::{Lang, Page};

use super::field::{CHANNELS, CLOCKS, KINDS, LEVELS, RULES, SEXES, STARTS, VERBS};
use super::value::Values;
use super::{List, Part};

/// A word of a field, as the reader calls it; what is unknown as it is written.
pub(super) fn word(page: &Page, field: &str, value: &str) -> String {
    let (known, prefix): (&[&str], &str) = match field {
        "kind" => (&KINDS, "diff-kind"),
        "clock" => (&CLOCKS, "diff-clock"),
        "verb" => (&VERBS, "diff-verb"),
        "role" => (&crate::pack::ROLES, "diff-role"),
        "rule" | "step_rule" => (&RULES, "form-rule"),
        "channel" => (&CHANNELS, "cases-channel"),
        "starts" => (&STARTS, "form-starts"),
        "level" => (&LEVELS, "form-level"),
        "sex" => (&SEXES, "form-sex"),
        _ => (&[], ""),
    };
    match known.contains(&value) {
        true => page.t(&format!("{prefix}-{value}")),
        false => value.to_owned(),
    }
}

/// What a part is called, and what is said of it besides; one that has no name yet is called by its kind.
pub(super) fn titles(page: &Page, part: &Part, values: &Values) -> (String, String) {
    match named(page, part, values) {
        (title, detail) if title.trim().is_empty() => (page.t(&format!("form-part-{}", part.kind())), detail),
        both => both,
    }
}

fn named(page: &Page, part: &Part, values: &Values) -> (String, String) {
    let of = |key: &str| values.get(key).cloned().unwrap_or_default();
    let said = |key: &str| match page.lang {
        Lang::Vi => of(&format!("{key}-vi")),
        Lang::En => of(&format!("{key}-en")),
    };
    let told = |key: &str| word(page, key, &of(key));
    match part {
        Part::Head => (said("name"), told("level")),
        Part::Fee => (said("name"), page.tw("form-dong", &[("dong", of("dong"))])),
        Part::State(_) => (
            said("label"),
            page.tw(
                "form-state",
                &[
                    ("code", of("code")),
                    ("status", of("status")),
                    ("clock", told("clock")),
                ],
            ),
        ),
        Part::Item(List::Terms, _) => (
            told("channel"),
            page.tw("form-term", &[("rule", told("rule")), ("amount", of("amount"))]),
        ),
        Part::Item(List::Papers, _) => (said("name"), needed(page, &of("required"))),
        Part::Item(List::Pages, _) => (said("title"), of("code")),
        Part::Item(List::Questions(_), _) => {
            let kind = told("kind");
            (
                said("label"),
                format!("{kind} · {}", needed(page, &of("required"))),
            )
        }
        Part::Item(List::Transitions, _) => (
            told("verb"),
            page.tw(
                "form-transition",
                &[("from", of("from")), ("to", of("to")), ("role", told("role"))],
            ),
        ),
    }
}

fn needed(page: &Page, required: &str) -> String {
    match required {
        "yes" => page.t("form-required"),
        _ => page.t("cases-optional"),
    }
}
