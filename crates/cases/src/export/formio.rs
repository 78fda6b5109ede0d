//! The form of a version as Form.io draws it: a wizard with a panel a page, and the papers at the end. What a
//! register fills can be typed there like anything else. Never more than the version says.

use serde_json::{Value, json};
use web::Lang;

use super::{is_always_answered, name};
use crate::answers::{TEXT_CHARS_MAX, YES_NO, chars_max};
use crate::procedure::{FormPage, Paper, Procedure, Question, QuestionKind};
use crate::shown::say;

/// More choices than this are a list to open, not a row of buttons.
const BUTTONS_MAX: usize = 6;

/// The form of a version; its words in one language.
#[must_use]
pub fn of(procedure: &Procedure, lang: Lang) -> Value {
    let mut panels: Vec<Value> = procedure.pages.iter().map(|page| panel(page, lang)).collect();
    if !procedure.papers.is_empty() {
        let files: Vec<Value> = procedure.papers.iter().map(|paper| file(paper, lang)).collect();
        let title = match lang {
            Lang::Vi => "Giấy tờ",
            Lang::En => "Papers",
        };
        panels.push(json!({"type": "panel", "key": "papers", "title": title, "components": files}));
    }
    json!({
        "title": say(&procedure.name, lang),
        "name": name(procedure, "form"),
        "path": procedure.code,
        "type": "form",
        "display": "wizard",
        "components": panels,
    })
}

fn panel(page: &FormPage, lang: Lang) -> Value {
    let questions: Vec<Value> = page.questions.iter().map(|q| component(q, lang)).collect();
    json!({
        "type": "panel",
        "key": page.code,
        "title": say(&page.title, lang),
        "components": questions,
    })
}

fn file(paper: &Paper, lang: Lang) -> Value {
    json!({
        "type": "file",
        "key": paper.code,
        "label": say(&paper.name, lang),
        "input": true,
        "storage": "base64",
        "filePattern": ".pdf",
        "validate": {"required": paper.required},
    })
}

fn component(question: &Question, lang: Lang) -> Value {
    let mut component = control(question, lang);
    let Some(map) = component.as_object_mut() else {
        return component;
    };
    map.insert("key".to_owned(), json!(question.code));
    map.insert("label".to_owned(), json!(say(&question.label, lang)));
    map.insert("input".to_owned(), json!(true));
    if let Some(hint) = &question.hint {
        map.insert("description".to_owned(), json!(say(hint, lang)));
    }
    let validate = map.entry("validate").or_insert_with(|| json!({}));
    validate["required"] = json!(is_always_answered(question));
    component
}

/// The control of a kind of question. The one place that says it for Form.io: a new kind does not compile
/// before it has its line.
fn control(question: &Question, lang: Lang) -> Value {
    let line = |most: usize| json!({"type": "textfield", "validate": {"maxLength": most}});
    let digits = |pattern: &str| json!({"type": "textfield", "validate": {"pattern": pattern}});
    let choices = || -> Vec<Value> {
        let one = |choice: &crate::procedure::Choice| json!({"value": choice.value, "label": say(&choice.label, lang)});
        question.choices.iter().map(one).collect()
    };
    match question.kind {
        QuestionKind::Text | QuestionKind::Name | QuestionKind::Commune => line(TEXT_CHARS_MAX),
        QuestionKind::LongText => {
            json!({"type": "textarea", "validate": {"maxLength": chars_max(question)}})
        }
        QuestionKind::Date => {
            json!({"type": "datetime", "enableTime": false, "format": "yyyy-MM-dd"})
        }
        QuestionKind::Number => {
            let (least, greatest) = question.bounds();
            json!({"type": "number", "decimalLimit": 0, "validate": {"min": least, "max": greatest}})
        }
        QuestionKind::Money => {
            let (least, greatest) = question.bounds();
            json!({"type": "currency", "currency": "VND", "decimalLimit": 0, "validate": {"min": least, "max": greatest}})
        }
        QuestionKind::YesNo => {
            let label = |value: &str| match (lang, value) {
                (Lang::Vi, "yes") => "Có",
                (Lang::Vi, _) => "Không",
                (Lang::En, "yes") => "Yes",
                (Lang::En, _) => "No",
            };
            let values = YES_NO.map(|value| json!({"value": value, "label": label(value)}));
            json!({"type": "radio", "values": values})
        }
        QuestionKind::Choice if question.choices.len() <= BUTTONS_MAX => {
            json!({"type": "radio", "values": choices()})
        }
        QuestionKind::Choice => json!({"type": "select", "data": {"values": choices()}}),
        QuestionKind::ManyOf => json!({"type": "selectboxes", "values": choices()}),
        QuestionKind::PersonalNumber => digits("[0-9]{12}"),
        QuestionKind::BusinessId => digits("[0-9]{10}(-[0-9]{3})?"),
        QuestionKind::Phone => json!({"type": "phoneNumber", "inputMask": ""}),
        QuestionKind::Email => json!({"type": "email", "validate": {"maxLength": chars_max(question)}}),
        QuestionKind::Address => json!({"type": "textarea", "validate": {"maxLength": chars_max(question)}}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, nouns};

    #[test]
    fn the_form_has_a_panel_a_page_a_control_a_question_and_the_papers_at_the_end() {
        let procedure = birth();
        let form = of(&procedure, Lang::Vi);
        let panels = form["components"].as_array().expect("panels");
        assert_eq!(panels.len(), procedure.pages.len() + 1);
        let sex = panels[0]["components"]
            .as_array()
            .and_then(|all| all.iter().find(|c| c["key"] == "child_sex"))
            .expect("the question");
        assert_eq!(
            (&sex["type"], &sex["values"][0]["value"]),
            (
                &json!("radio"),
                &json!(procedure.question("child_sex").expect("asked").choices[0].value)
            )
        );
        let last = panels.last().expect("the papers");
        assert_eq!(last["components"][0]["key"], "GCS");
        assert_eq!(last["components"][0]["validate"]["required"], true);
    }

    #[test]
    fn every_procedure_of_the_pack_is_a_form_in_either_language() {
        for procedure in nouns().catalogue.procedures() {
            let (vi, en) = (of(procedure, Lang::Vi), of(procedure, Lang::En));
            assert_eq!(vi["name"], en["name"]);
            assert_eq!(en["title"], procedure.name.en.as_str());
            let keys: Vec<&Value> = vi["components"]
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|panel| panel["components"].as_array().into_iter().flatten())
                .map(|component| &component["key"])
                .collect();
            let papers = procedure.papers.len();
            let asked: usize = procedure.pages.iter().map(|p| p.questions.len()).sum();
            assert_eq!(keys.len(), asked + papers);
        }
    }
}
