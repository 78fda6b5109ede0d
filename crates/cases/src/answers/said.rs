//! An answer in the words of a Vietnamese paper. Never decides what is right.

use directory::areas::Areas;
use kernel::Date;

use super::{address, kinds};
use crate::payment::dong;
use crate::procedure::{Question, QuestionKind};

/// A choice by its label, a commune by its name, an amount with its unit; anything else as it was answered.
pub(crate) fn said(question: &Question, answer: &str, areas: &Areas, on: Date) -> String {
    let label = |value: &str| {
        let choice = question.choices.iter().find(|c| c.value == value);
        choice.map(|c| c.label.vi.clone())
    };
    let words = match question.kind {
        QuestionKind::Choice => label(answer),
        QuestionKind::ManyOf => {
            let labels: Vec<String> = kinds::picked(answer).filter_map(label).collect();
            Some(labels.join("; "))
        }
        QuestionKind::YesNo => {
            let word = if answer == "yes" { "Có" } else { "Không" };
            Some(word.to_owned())
        }
        QuestionKind::Money => answer.parse().ok().map(dong),
        QuestionKind::Number => question.unit.as_ref().map(|unit| format!("{answer} {}", unit.vi)),
        QuestionKind::Commune => answer.parse().ok().map(|area| areas.full_path(&area, on)),
        QuestionKind::Address => address::in_words(answer, |area| areas.full_path(area, on)),
        QuestionKind::Text
        | QuestionKind::LongText
        | QuestionKind::Name
        | QuestionKind::Date
        | QuestionKind::PersonalNumber
        | QuestionKind::BusinessId
        | QuestionKind::Phone
        | QuestionKind::Email => None,
    };
    words.unwrap_or_else(|| answer.to_owned())
}
