//! A report in words, one line a fault with its remedy below, or as JSON. Never judges.

use std::time::Duration;

use kernel::fault::Weight;
use serde_json::{Value, json};
use web::{Lang, Texts};

use super::check::Report;

/// The words of all rules.
///
/// # Panics
/// When the texts of a crate contradict each other; a test holds that they do not.
#[must_use]
pub fn texts() -> Texts {
    let all = [
        directory::pack::TEXTS,
        registers::pack::TEXTS,
        exchange::pack::TEXTS,
        cases::pack::TEXTS,
        super::TEXTS,
    ];
    Texts::new(&all).unwrap_or_else(|faults| panic!("the rules' words are unsound: {faults:?}"))
}

/// The report for people.
#[must_use]
pub fn text(report: &Report, took: Duration, lang: Lang, texts: &Texts) -> String {
    let mut lines = Vec::new();
    for fault in &report.found {
        let key = format!("pack-{}", fault.rule);
        let what = texts.get_with(lang, &key, &fault.names);
        let remedy = texts.get_with(lang, &format!("{key}.remedy"), &fault.names);
        let weight = match fault.weight {
            Weight::Fault => "fault",
            Weight::Warning => "warning",
        };
        let weight = texts.get(lang, &format!("pack-weight-{weight}"));
        let column = fault.column.map_or_else(String::new, |c| format!(":{c}"));
        let (file, line, rule) = (&fault.file, fault.line, fault.rule);
        lines.push(format!(
            "{file}:{line}{column}: {weight} [{rule}] {what}\n    {remedy}"
        ));
    }
    lines.push(texts.get_with(lang, "pack-checked", &counts(report, took)));
    lines.join("\n")
}

fn counts(report: &Report, took: Duration) -> Vec<(&'static str, String)> {
    let faults = report.faults();
    vec![
        ("files", report.files.to_string()),
        ("rows", report.rows.to_string()),
        ("procedures", report.procedures.to_string()),
        ("templates", report.templates.to_string()),
        ("ms", took.as_millis().to_string()),
        ("faults", faults.to_string()),
        ("warnings", (report.found.len() - faults).to_string()),
    ]
}

/// The report for programs, in one language.
#[must_use]
pub fn json(report: &Report, took: Duration, lang: Lang, texts: &Texts) -> Value {
    let found = report.found.iter().map(|fault| {
        let key = format!("pack-{}", fault.rule);
        json!({
            "file": fault.file, "line": fault.line, "column": fault.column, "rule": fault.rule,
            "weight": fault.weight, "what": texts.get_with(lang, &key, &fault.names),
            "remedy": texts.get_with(lang, &format!("{key}.remedy"), &fault.names),
        })
    });
    json!({
        "sound": report.faults() == 0,
        "found": found.collect::<Vec<_>>(),
        "checked": {
            "files": report.files, "rows": report.rows, "procedures": report.procedures,
            "templates": report.templates, "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_rules_stand_in_both_languages() {
        let texts = texts();
        for key in [
            "pack-units-cycle",
            "pack-state-dead",
            "pack-template-field",
            "pack-checked",
        ] {
            assert!(texts.has(key), "{key}");
        }
    }
}
