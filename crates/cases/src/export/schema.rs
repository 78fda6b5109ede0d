//! The answers of a case as JSON Schema 2020-12: every answer is kept as text, and each kind of question says
//! what that text looks like. Says nothing of who may answer, nor whether a code or a number is anybody's.

use serde_json::{Map, Value, json};
use web::Lang;

use super::{is_always_answered, is_always_shown, name};
use crate::answers::{TEXT_CHARS_MAX, YES_NO, chars_max};
use crate::procedure::{Procedure, Question, QuestionKind};
use crate::shown::say;

/// The language of the schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a version's answers, by field; its words in one language.
#[must_use]
pub fn of(procedure: &Procedure, lang: Lang) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for page in &procedure.pages {
        for question in &page.questions {
            properties.insert(question.code.clone(), property(question, lang));
            if is_always_answered(question) && is_always_shown(page) {
                required.push(json!(question.code));
            }
        }
    }
    json!({
        "$schema": DIALECT,
        "$id": name(procedure, "answers"),
        "title": say(&procedure.name, lang),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(question: &Question, lang: Lang) -> Value {
    let mut property = shape(question, lang);
    if let Some(map) = property.as_object_mut() {
        map.insert("title".to_owned(), json!(say(&question.label, lang)));
        if let Some(hint) = &question.hint {
            map.insert("description".to_owned(), json!(say(hint, lang)));
        }
    }
    property
}

/// What an answer of a kind looks like as it is kept. The one place that says it for programs: a new kind does
/// not compile before it has its line.
fn shape(question: &Question, lang: Lang) -> Value {
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let line = |most: usize| json!({"type": "string", "minLength": 1, "maxLength": most});
    match question.kind {
        QuestionKind::Text | QuestionKind::Name => line(TEXT_CHARS_MAX),
        QuestionKind::LongText | QuestionKind::ManyOf => line(chars_max(question)),
        QuestionKind::Date => {
            json!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
        }
        QuestionKind::Number | QuestionKind::Money => {
            let (least, greatest) = question.bounds();
            let mut number = text("^[0-9]{1,20}$");
            number["x-least"] = json!(least);
            number["x-greatest"] = json!(greatest);
            number
        }
        QuestionKind::YesNo => json!({"type": "string", "enum": YES_NO}),
        QuestionKind::Choice => {
            let one = question
                .choices
                .iter()
                .map(|choice| json!({"const": choice.value, "title": say(&choice.label, lang)}));
            json!({"type": "string", "oneOf": one.collect::<Vec<_>>()})
        }
        QuestionKind::PersonalNumber => text("^[0-9]{12}$"),
        QuestionKind::BusinessId => text("^[0-9]{10}-?[0-9]{0,3}$"),
        QuestionKind::Phone => text("^0[0-9]{9,10}$"),
        QuestionKind::Email => {
            let mut email = line(chars_max(question));
            email["format"] = json!("email");
            email
        }
        QuestionKind::Commune => text("^[0-9]{5}$"),
        // The commune's code, then the line.
        QuestionKind::Address => text("^[0-9]{5}.*$"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{birth, case, nouns};

    /// The part of JSON Schema 2020-12 that these schemas use: the first path at which a value does not fit.
    pub(crate) fn misfit(schema: &Value, value: &Value) -> Option<String> {
        let known = [
            "$schema",
            "$id",
            "title",
            "description",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "pattern",
            "format",
            "minLength",
            "maxLength",
            "enum",
            "oneOf",
            "const",
            "x-least",
            "x-greatest",
        ];
        for key in schema.as_object().expect("a schema").keys() {
            assert!(known.contains(&key.as_str()), "{key} is not looked at");
        }
        match schema["type"].as_str() {
            Some("object") => of_object(schema, value),
            _ => (!is_text(schema, value)).then(String::new),
        }
    }

    fn of_object(schema: &Value, value: &Value) -> Option<String> {
        let map = value.as_object()?;
        for key in schema["required"].as_array().into_iter().flatten() {
            if !map.contains_key(key.as_str().expect("a name")) {
                return Some(format!("{key} is missing"));
            }
        }
        map.iter()
            .find_map(|(key, value)| match schema["properties"].get(key) {
                None => Some(format!("{key} is not asked")),
                Some(of) => misfit(of, value).map(|_| key.clone()),
            })
    }

    fn is_text(schema: &Value, value: &Value) -> bool {
        let Some(text) = value.as_str() else { return false };
        let length = text.chars().count() as u64;
        let within = |key: &str, fits: &dyn Fn(u64) -> bool| schema[key].as_u64().is_none_or(fits);
        let one_of = |key: &str, of: &dyn Fn(&Value) -> Value| {
            let list = schema[key].as_array();
            list.is_none_or(|list| list.iter().filter(|item| of(item) == *value).count() == 1)
        };
        schema["pattern"]
            .as_str()
            .is_none_or(|pattern| is_match(pattern, text))
            && within("minLength", &|least| length >= least)
            && within("maxLength", &|most| length <= most)
            && one_of("enum", &Value::clone)
            && one_of("oneOf", &|item| item["const"].clone())
    }

    /// Patterns of these schemas: characters, `.` and `[0-9]`, each with `{n}`, `{n,m}`, `*` or `?`.
    fn is_match(pattern: &str, text: &str) -> bool {
        let inner = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$'));
        rest(inner.expect("a whole pattern"), text)
    }

    fn rest(pattern: &str, text: &str) -> bool {
        let Some(first) = pattern.chars().next() else {
            return text.is_empty();
        };
        let atom = if first == '[' {
            let end = pattern.find(']').expect("a class ends");
            &pattern[..=end]
        } else {
            &pattern[..first.len_utf8()]
        };
        let after = &pattern[atom.len()..];
        let (least, most, after) = times(after);
        let one = |c: char| match atom {
            "[0-9]" => c.is_ascii_digit(),
            "." => c != '\n',
            own => own.chars().eq([c]),
        };
        let taken = text.chars().take_while(|c| one(*c)).count().min(most);
        (least..=taken).rev().any(|count| {
            let at = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
            rest(after, &text[at..])
        })
    }

    fn times(after: &str) -> (usize, usize, &str) {
        if let Some(braced) = after.strip_prefix('{') {
            let (inside, after) = braced.split_once('}').expect("braces end");
            let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
            let number = |text: &str| text.parse().expect("a number");
            return (number(least), number(most), after);
        }
        match after.chars().next() {
            Some('*') => (0, usize::MAX, &after[1..]),
            Some('?') => (0, 1, &after[1..]),
            _ => (1, 1, after),
        }
    }

    #[test]
    fn what_is_kept_of_a_form_fits_the_schema_of_its_version() {
        let procedure = birth();
        let schema = of(&procedure, Lang::Vi);
        assert_eq!(misfit(&schema, &json!(case(&procedure).answers)), None);
        assert_eq!(schema["$schema"], DIALECT);
        let id = schema["$id"].as_str().expect("a name");
        assert!(id.contains(&procedure.version().to_string()));
    }

    #[test]
    fn answers_that_the_form_would_refuse_do_not_fit_the_schema() {
        let procedure = birth();
        let schema = of(&procedure, Lang::En);
        for (field, bad) in [
            ("child_sex", "other"),
            ("child_born", "19/11/2026"),
            ("mother_number", "12"),
            ("receive_at", "Hoằng Hóa"),
            ("child_name", ""),
            ("nothing", "x"),
        ] {
            let mut answers = json!(case(&procedure).answers);
            answers[field] = json!(bad);
            assert!(misfit(&schema, &answers).is_some(), "{field} {bad}");
        }
        let mut answers = case(&procedure).answers;
        answers.remove("child_name");
        assert_eq!(
            misfit(&schema, &json!(answers)).as_deref(),
            Some("\"child_name\" is missing")
        );
    }

    #[test]
    fn every_question_of_every_procedure_is_in_its_schema_once() {
        for procedure in nouns().catalogue.procedures() {
            let schema = of(procedure, Lang::Vi);
            let asked: usize = procedure.pages.iter().map(|p| p.questions.len()).sum();
            assert_eq!(schema["properties"].as_object().map(Map::len), Some(asked));
        }
    }
}
