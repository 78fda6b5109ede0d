//! What a form sends, question by question: lines stay where a question asks for several, and of many ticks all
//! are kept. Never judges it.

use web::Fields;

use super::Typed;
use super::kinds::lines;
use crate::procedure::{Procedure, Question, QuestionKind};

/// The fields of a form with these questions.
#[must_use]
pub fn typed<'q>(questions: impl IntoIterator<Item = &'q Question>, fields: &Fields) -> Typed {
    let mut typed: Typed = fields
        .all()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for question in questions {
        let code = &question.code;
        match question.kind {
            QuestionKind::LongText => {
                if let Some(text) = fields.lines(code) {
                    typed.insert(code.clone(), text);
                }
            }
            QuestionKind::ManyOf => {
                let ticked: Vec<&str> = fields.texts(code).filter(|text| !text.is_empty()).collect();
                typed.insert(code.clone(), ticked.join(","));
            }
            _ => {}
        }
    }
    typed
}

/// One answer as a program sends it, cleaned.
#[must_use]
pub fn cleaned(procedure: &Procedure, field: &str, answer: &str) -> String {
    match procedure.question(field).map(|question| question.kind) {
        Some(QuestionKind::LongText) => lines(answer),
        _ => kernel::text::clean(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_ticks_arrive_whole() {
        let question = |code: &str, kind: &str| -> Question {
            let text = serde_json::json!({"vi": code, "en": code});
            let question = serde_json::json!({"code": code, "label": text, "kind": kind});
            serde_json::from_value(question).expect("a question")
        };
        let questions = [
            question("said", "long-text"),
            question("about", "many-of"),
            question("name", "name"),
        ];
        let fields = Fields::of(&[
            ("said", "một\r\nhai"),
            ("about", "a"),
            ("about", "c"),
            ("name", "Lê\nLan"),
        ]);
        let typed = typed(&questions, &fields);
        let wanted = [("about", "a,c"), ("name", "Lê Lan"), ("said", "một\nhai")];
        let wanted = wanted.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(typed, Typed::from(wanted));
    }
}
