//! The body of the act that a case enters in a register, put together from its answers as the
//! procedure says. Pure: never asks the register.

use directory::areas::Areas;
use kernel::Date;
use kernel::time::iso;
use serde_json::{Map, Value};

use crate::case::Case;
use crate::procedure::{Act, Procedure, QuestionKind};

/// The names of a case's own values in an act's body.
pub const OWN: [&str; 5] = ["@case", "@unit", "@today", "@applicant", "@applicant-name"];

/// The body; `None` when the procedure enters no act. A part without a value is left out, and so is
/// an object without parts: an unknown father is no father, not an empty one.
#[must_use]
pub fn body(procedure: &Procedure, case: &Case, areas: &Areas, today: Date) -> Option<Value> {
    let act = procedure.act.as_ref()?;
    let mut body = Map::new();
    for (part, source) in &act.body {
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
    Some(Value::Object(body))
}

/// The fields that an act's part takes: one, or several joined with `, `.
pub fn sources(source: &str) -> impl Iterator<Item = &str> {
    source.split(',').map(str::trim)
}

/// Faults of an act's body: names that nothing fills.
#[must_use]
pub fn faults(procedure: &Procedure, act: &Act) -> Vec<String> {
    let known = |field: &str| {
        OWN.contains(&field) || procedure.question(field).is_some() || procedure.source_of(field).is_some()
    };
    let bad = |(part, source): (&String, &String)| {
        let unknown: Vec<_> = sources(source).filter(|f| !known(f)).map(str::to_owned).collect();
        unknown
            .into_iter()
            .map(|f| format!("the act's {part:?} takes the field {f:?}, which nothing fills"))
            .collect::<Vec<_>>()
    };
    act.body.iter().flat_map(bad).collect()
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
        _ => case.answers.get(field).filter(|v| !v.is_empty()).cloned(),
    };
    if more.is_none() {
        return one(first);
    }
    // Joined parts are for readers: a commune is written by its name.
    let words = |field: &str| {
        let value = one(field)?;
        let commune = procedure
            .question(field)
            .is_some_and(|q| q.kind == QuestionKind::Commune);
        Some(if commune { area(&value) } else { value })
    };
    let joined = sources(source).filter_map(words).collect::<Vec<_>>().join(", ");
    (!joined.is_empty()).then_some(joined)
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
        assert_eq!(procedure.faults(), Vec::<String>::new());
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
