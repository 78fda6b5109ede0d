//! The body of the act that a case enters in a register, put together from its answers as the
//! procedure says. Pure: never asks the register.

use std::collections::BTreeMap;

use directory::areas::Areas;
use kernel::Date;
use kernel::time::iso;
use serde_json::{Map, Value};

use crate::answers::address_in_words;
use crate::case::Case;
use crate::procedure::{Procedure, QuestionKind};

/// The names of a case's own values in an act's body.
pub const OWN: [&str; 7] = [
    "@case",
    "@unit",
    "@today",
    "@applicant",
    "@applicant-name",
    "@personal-number",
    "@act-number",
];

/// The body; `None` when the procedure enters no act.
#[must_use]
pub fn body(procedure: &Procedure, case: &Case, areas: &Areas, today: Date) -> Option<Value> {
    let act = procedure.act.as_ref()?;
    let body = put_together(&act.body, procedure, case, areas, today);
    // A look-up is asked by the field's whole name; an act is entered as the object it is.
    Some(if act.undo.is_some() { body } else { flat(&body) })
}

/// A body of the parts named. A part without a value is left out, and so is an object without parts:
/// an unknown father is no father, not an empty one.
#[must_use]
pub fn put_together(
    parts: &BTreeMap<String, String>,
    procedure: &Procedure,
    case: &Case,
    areas: &Areas,
    today: Date,
) -> Value {
    let mut body = Map::new();
    for (part, source) in parts {
        let value = value(
            procedure,
            case,
            source,
            &|code| {
                code.parse()
                    .map_or_else(|_| code.to_owned(), |code| areas.full_path(&code, today))
            },
            today,
        );
        if let Some(value) = value {
            put(&mut body, part, value);
        }
    }
    Value::Object(body)
}

/// The fields that an act's part takes: one, or several joined with `, `.
pub fn sources(source: &str) -> impl Iterator<Item = &str> {
    source.split(',').map(str::trim)
}

fn value(
    procedure: &Procedure,
    case: &Case,
    source: &str,
    area: &dyn Fn(&str) -> String,
    today: Date,
) -> Option<String> {
    let mut fields = sources(source);
    let (first, more) = (fields.next()?, fields.next());
    let one = |field: &str| match field {
        "@case" => Some(case.code.to_string()),
        "@unit" => Some(case.unit.to_string()),
        "@today" => Some(iso(today)),
        "@applicant" => Some(case.applicant.number.as_str().to_owned()),
        "@applicant-name" => Some(case.applicant.name.clone()),
        "@personal-number" => {
            let number = case.act.as_ref().and_then(|act| act.personal_number.as_ref());
            number.map(|number| number.as_str().to_owned())
        }
        "@act-number" => case.act.as_ref().map(|act| act.act_number.clone()),
        _ => case.answers.get(field).filter(|v| !v.is_empty()).cloned(),
    };
    let kind = |field: &str| procedure.question(field).map(|q| q.kind);
    if more.is_none() && kind(first) != Some(QuestionKind::Address) {
        return one(first);
    }
    // Joined parts are for readers, and so is an address: a commune is written by its name.
    let words = |field: &str| {
        let value = one(field)?;
        Some(match kind(field) {
            Some(QuestionKind::Commune) => area(&value),
            Some(QuestionKind::Address) => address_in_words(&value, |at| area(at.as_str())).unwrap_or(value),
            _ => value,
        })
    };
    let joined = sources(source).filter_map(words).collect::<Vec<_>>().join(", ");
    (!joined.is_empty()).then_some(joined)
}

/// The body with its parts under their whole names: `child.personal_number`.
fn flat(body: &Value) -> Value {
    fn into(out: &mut Map<String, Value>, under: &str, value: &Value) {
        match value {
            Value::Object(parts) => {
                for (name, part) in parts {
                    let dot = if under.is_empty() { "" } else { "." };
                    into(out, &format!("{under}{dot}{name}"), part);
                }
            }
            part => {
                out.insert(under.to_owned(), part.clone());
            }
        }
    }
    let mut out = Map::new();
    into(&mut out, "", body);
    Value::Object(out)
}

fn put(into: &mut Map<String, Value>, path: &str, value: String) {
    match path.split_once('.') {
        None => {
            into.insert(path.to_owned(), Value::String(value));
        }
        Some((first, rest)) => {
            let inner = into.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, case, nouns};

    #[test]
    fn the_pack_has_the_birth_registration_without_a_fault() {
        let catalogue = &nouns().catalogue;
        let code = "1.001193".parse().expect("a code");
        let day = kernel::time::civil_date(2026, 11, 21).expect("a day");
        let procedure = catalogue.procedure(&code, day).expect("in force");
        assert_eq!(crate::pack::flaws(&procedure), []);
        assert_eq!(catalogue.version(&procedure.version()), Some(procedure.clone()));
        assert!(
            catalogue
                .procedure(&code, kernel::time::civil_date(2025, 6, 30).expect("a day"))
                .is_none()
        );
        let ethnicity = procedure.question("child_ethnicity").expect("asked");
        assert_eq!(
            (
                ethnicity.choices.len(),
                procedure.term(kernel::fact::Channel::Online).is_some()
            ),
            (54, true)
        );
    }

    #[test]
    fn an_act_has_what_was_answered_and_no_empty_person() {
        let (procedure, areas) = (&*birth(), &nouns().areas);
        let today = testkit::START.date();
        let mut case = case(procedure);
        case.answers.retain(|field, _| !field.starts_with("father_"));
        let body = body(procedure, &case, areas, today).expect("an act");
        assert_eq!(body["case"], "G22-261121-0001");
        assert_eq!(body["child"]["full_name"], "Nguyễn Minh Anh");
        assert_eq!(
            body["child"]["place_of_birth"],
            "Bệnh viện Phụ sản, Phường Hạc Thành, Tỉnh Thanh Hóa"
        );
        assert_eq!(body["mother"]["residence"]["commune"], "15865");
        assert_eq!(body.get("father"), None);
        assert_eq!(body["declarant"]["full_name"], "Lê Thị Lan");
    }
}
