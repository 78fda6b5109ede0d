//! The rules of a question's kind: which kinds have choices, bounds and a unit. Pure.

use kernel::fault::Flaw;

use super::named;
use crate::answers::LONG_TEXT_CHARS_MAX;
use crate::procedure::{Question, QuestionKind};

pub(super) fn check(question: &Question, here: &dyn Fn(&str) -> String, flaws: &mut Vec<Flaw>) {
    let mut flaw = |key: &str, rule, value: &str| flaws.push(Flaw::new(here(key), rule, named(value)));
    let chosen = matches!(question.kind, QuestionKind::Choice | QuestionKind::ManyOf);
    if chosen == question.choices.is_empty() {
        flaw("kind", "choices-wrong", &question.code);
    }
    // What was picked is kept in one line, parted by commas.
    if question.kind == QuestionKind::ManyOf {
        for (at, choice) in question.choices.iter().enumerate() {
            if choice.value.is_empty() || choice.value.contains(',') {
                flaw(&format!("choices/{at}/value"), "choice-comma", &choice.value);
            }
        }
    }
    if !bounds(question) {
        flaw("least", "number-bounds", &question.code);
    }
    if question.unit.is_some() && question.kind != QuestionKind::Number {
        flaw("unit", "unit-no-number", &question.code);
    }
}

/// True when the bounds are some that the kind can have.
fn bounds(question: &Question) -> bool {
    let (least, greatest) = question.bounds();
    match question.kind {
        QuestionKind::Number | QuestionKind::Money => least <= greatest,
        QuestionKind::LongText => {
            let chars = usize::try_from(question.greatest.unwrap_or(1)).unwrap_or(usize::MAX);
            question.least.is_none() && (1..=LONG_TEXT_CHARS_MAX).contains(&chars)
        }
        _ => question.least.is_none() && question.greatest.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(about: &Value) -> String {
        let mut question = json!({"code": "q", "label": {"vi": "Câu hỏi", "en": "Question"}});
        for (key, value) in about.as_object().expect("an object") {
            question[key] = value.clone();
        }
        let question: Question = serde_json::from_value(question).expect("a question");
        let mut flaws = Vec::new();
        check(&question, &|key| format!("/q/{key}"), &mut flaws);
        let told = flaws.iter().map(|flaw| format!("{} {}", flaw.at, flaw.rule));
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_kind_has_what_belongs_to_it_and_nothing_else() {
        let text = |text: &str| json!({"vi": text, "en": text});
        let choices = json!([{"value": "a,b", "label": text("a")}]);
        let sound = json!([{"value": "a", "label": text("a")}]);
        for (about, wanted) in [
            (json!({"kind": "many-of", "choices": sound}), ""),
            (json!({"kind": "many-of"}), "/q/kind choices-wrong"),
            (
                json!({"kind": "many-of", "choices": choices}),
                "/q/choices/0/value choice-comma",
            ),
            (
                json!({"kind": "yes-no", "choices": sound}),
                "/q/kind choices-wrong",
            ),
            (json!({"kind": "money", "least": 1, "greatest": 9}), ""),
            (
                json!({"kind": "money", "least": 9, "greatest": 1}),
                "/q/least number-bounds",
            ),
            (json!({"kind": "phone", "least": 9}), "/q/least number-bounds"),
            (json!({"kind": "long-text", "greatest": 500}), ""),
            (
                json!({"kind": "long-text", "greatest": 50_000}),
                "/q/least number-bounds",
            ),
            (json!({"kind": "number", "unit": text("m²")}), ""),
            (
                json!({"kind": "text", "unit": text("m²")}),
                "/q/unit unit-no-number",
            ),
        ] {
            assert_eq!(told(&about), wanted, "{about}");
        }
    }
}
