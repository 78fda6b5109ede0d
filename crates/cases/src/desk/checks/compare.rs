//! By what a register is asked about a case, and what it says otherwise than was typed. Pure. Never takes the applicant for
//! somebody else: who hands a case in is asked about as far as the answers name them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Difference;
use crate::case::{Answers, Case};
use crate::citizen::prefill::text_at;

/// The key that is the applicant's personal number at the portal, where it is who signed in.
const APPLICANT: &str = "@applicant";
/// What a key begins with that is an answer of the form.
const ANSWER: &str = "answer:";

/// What a register is asked with; nothing while an answer is missing that it is asked by.
pub(crate) fn body(
    key: &BTreeMap<String, String>,
    fills: &BTreeMap<String, String>,
    case: &Case,
) -> Option<Map<String, Value>> {
    let mut body = Map::new();
    for (name, from) in key {
        let value = match from.strip_prefix('@') {
            Some(_) if from == APPLICANT => applicant(name, fills, case),
            Some(field) => answer(&case.answers, field.strip_prefix(ANSWER).unwrap_or(field)),
            None => Some(from.as_str()),
        };
        body.insert(name.clone(), value?.into());
    }
    Some(body)
}

/// Who the form is about in the applicant's place: the person whose number was typed where the register would have put
/// it, else the applicant, where an answer names them.
fn applicant<'c>(name: &str, fills: &BTreeMap<String, String>, case: &'c Case) -> Option<&'c str> {
    let field = fills.iter().find(|(_, path)| path.as_str() == name);
    if let Some((field, _)) = field {
        return answer(&case.answers, field);
    }
    let number = case.applicant.number.as_str();
    case.answers
        .values()
        .any(|value| value == number)
        .then_some(number)
}

/// True when something was typed that the register can be compared with.
pub(crate) fn is_typed(fills: &BTreeMap<String, String>, case: &Case) -> bool {
    fills.keys().any(|field| answer(&case.answers, field).is_some())
}

/// What a record says otherwise than was typed. What was not typed, or what the agreement does not grant, is not compared.
pub(crate) fn differences(
    fills: &BTreeMap<String, String>,
    answers: &Answers,
    record: &Map<String, Value>,
) -> Vec<Difference> {
    let differs = fills.iter().filter_map(|(field, path)| {
        let typed = answer(answers, field)?;
        let said = text_at(record, path)?;
        (!alike(typed, &said)).then(|| Difference {
            field: field.clone(),
            said,
        })
    });
    differs.collect()
}

/// True for words that differ in nothing but capitals and blanks: a register may write names in capitals.
pub(crate) fn alike(typed: &str, said: &str) -> bool {
    let plain = |text: &str| kernel::text::clean(text).to_lowercase();
    plain(typed) == plain(said)
}

fn answer<'a>(answers: &'a Answers, field: &str) -> Option<&'a str> {
    let value = answers.get(field).map(String::as_str);
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{birth, case};

    fn record(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn the_mother_is_asked_about_by_her_number_whoever_hands_the_case_in() {
        let (procedure, mut case) = (birth(), case(&birth()));
        let asked = |case: &Case, at: usize| {
            let prefill = &procedure.prefill[at];
            body(&prefill.key, &prefill.fills, case).map(Value::Object)
        };
        // Her own record, their marriage, his record.
        let numbers = [
            json!({"personal_number": "038198000001"}),
            json!({"wife_number": "038198000001"}),
            json!({"personal_number": "038096000002"}),
        ];
        for (at, number) in numbers.iter().enumerate() {
            assert_eq!(asked(&case, at).as_ref(), Some(number));
        }
        // A grandmother hands it in: she is nobody's mother on this form, and her marriage says nothing of it.
        case.applicant.number = "038170000005".parse().expect("a number");
        assert_eq!(asked(&case, 0).as_ref(), Some(&numbers[0]));
        assert_eq!(asked(&case, 1), None);
        case.answers.remove("father_number");
        assert_eq!(asked(&case, 2), None, "nobody is asked about without a number");
    }

    #[test]
    fn what_differs_is_named_and_capitals_and_blanks_are_no_difference() {
        let (procedure, case) = (birth(), case(&birth()));
        let fills = &procedure.prefill[0].fills;
        let told = json!({"personal_number": "038198000001", "full_name": "LÊ  THỊ LAN", "date_of_birth": "1998-03-02",
            "residence": {"commune": "15865"}, "ethnicity": "01"});
        let differs = differences(fills, &case.answers, &record(&told));
        let expected = Difference {
            field: "mother_born".to_owned(),
            said: "1998-03-02".to_owned(),
        };
        assert_eq!(differs, [expected], "what was not typed is not compared");
        assert!(is_typed(fills, &case));
        assert!(!is_typed(
            &BTreeMap::from([("none".to_owned(), "x".to_owned())]),
            &case
        ));
    }
}
