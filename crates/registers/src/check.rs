//! A record handed in, against its schema: cleaned, complete, and each value what its field says.
//! Pure: never looks anything up.

use kernel::codes::{PersonalNumber, Sex};
use kernel::time::parse_iso;
use kernel::{Date, Kind, Problem, TaxCode, text};
use serde_json::{Map, Value};

use crate::schema::{Field, FieldKind, Schema};

/// Length of one text of a record, in characters.
const TEXT_CHARS_MAX: usize = 500;
/// Length of one code of a record, in characters.
const CODE_CHARS_MAX: usize = 64;

/// Reads a whole record: only declared fields, every required one, texts in NFC, dates that the
/// calendar has and, where the field says so, not after `today`.
///
/// # Errors
/// The first field that breaks its rule.
pub fn whole(schema: &Schema, body: &Map<String, Value>, today: Date) -> Result<Map<String, Value>, Problem> {
    Checker { today, whole: true }.object(&schema.fields, body, "")
}

/// Reads some fields of a record: as [`whole`], but none is required and assigned ones may be
/// there. For what the register writes itself.
///
/// # Errors
/// The first field that breaks its rule.
pub fn part(schema: &Schema, body: &Map<String, Value>, today: Date) -> Result<Map<String, Value>, Problem> {
    Checker { today, whole: false }.object(&schema.fields, body, "")
}

/// Reads one value for a field.
///
/// # Errors
/// When it breaks the field's rule.
pub fn one(field: &Field, value: &Value, today: Date) -> Result<Value, Problem> {
    Checker { today, whole: true }.value(field, value, &field.name)
}

/// Leaves of a record only what is granted; a dot in a granted name leads into an object.
#[must_use]
pub fn cut(body: &Map<String, Value>, granted: &[String]) -> Map<String, Value> {
    let mut out = Map::new();
    for name in granted {
        if let Some(value) = crate::schema::at(body, name) {
            crate::schema::put(&mut out, name, value.clone());
        }
    }
    out
}

/// Refuses a personal number whose year or sex is not that of the person.
///
/// # Errors
/// `record-number-misfit` at the field.
pub fn fits(
    number: &PersonalNumber,
    born: Option<Date>,
    sex: Option<Sex>,
    field: &str,
) -> Result<(), Problem> {
    let misfit = |what| Problem::invalid(field, "record-number-misfit").with("what", what);
    if born.is_some_and(|born| !number.fits(born)) {
        return Err(misfit("year"));
    }
    if sex.is_some_and(|sex| number.sex() != sex) {
        return Err(misfit("sex"));
    }
    Ok(())
}

/// Reads a sex as records write it.
#[must_use]
pub fn sex(text: &str) -> Option<Sex> {
    match text {
        "male" => Some(Sex::Male),
        "female" => Some(Sex::Female),
        _ => None,
    }
}

struct Checker {
    today: Date,
    whole: bool,
}

impl Checker {
    fn object(
        &self,
        fields: &[Field],
        body: &Map<String, Value>,
        under: &str,
    ) -> Result<Map<String, Value>, Problem> {
        let path = |name: &str| {
            if under.is_empty() {
                name.to_owned()
            } else {
                format!("{under}.{name}")
            }
        };
        if let Some(unknown) = body.keys().find(|k| !fields.iter().any(|f| f.name == **k)) {
            return Err(Problem::invalid(&path(unknown), "record-field-unknown"));
        }
        let mut out = Map::new();
        for field in fields {
            let at = path(&field.name);
            let given = body.get(&field.name).filter(|v| !is_empty(v));
            match given {
                Some(_) if field.assigned && self.whole => {
                    return Err(Problem::invalid(&at, "record-field-assigned"));
                }
                Some(value) => {
                    out.insert(field.name.clone(), self.value(field, value, &at)?);
                }
                None if field.required && !field.assigned && self.whole => {
                    return Err(Problem::invalid(&at, "record-field-required"));
                }
                None => {}
            }
        }
        fields
            .iter()
            .try_for_each(|field| number_fits(field, &out, &path(&field.name)))?;
        Ok(out)
    }

    fn value(&self, field: &Field, value: &Value, at: &str) -> Result<Value, Problem> {
        let kind = || Problem::invalid(at, "record-field-kind").with("kind", field.kind.word());
        let words = || value.as_str().map(text::clean).ok_or_else(kind);
        match field.kind {
            FieldKind::Text => short(words()?, TEXT_CHARS_MAX, at),
            FieldKind::Number => value.as_i64().map(Value::from).ok_or_else(kind),
            FieldKind::Flag => value.as_bool().map(Value::from).ok_or_else(kind),
            FieldKind::Date => self.date(field, &words()?, at),
            FieldKind::Code => code(field, words()?, at),
            FieldKind::Person => {
                let number: PersonalNumber = words()?
                    .parse()
                    .map_err(|_| Problem::invalid(at, "record-number-bad"))?;
                Ok(number.as_str().into())
            }
            FieldKind::Business => {
                let code: TaxCode = words()?
                    .parse()
                    .map_err(|_| Problem::invalid(at, "record-business-bad"))?;
                Ok(code.as_str().into())
            }
            FieldKind::Object => {
                let inner = value.as_object().ok_or_else(kind)?;
                self.object(&field.fields, inner, at).map(Value::Object)
            }
        }
    }

    fn date(&self, field: &Field, text: &str, at: &str) -> Result<Value, Problem> {
        let date = parse_iso(text).ok_or_else(|| Problem::invalid(at, "record-date-bad"))?;
        if field.past && date > self.today {
            return Err(Problem::invalid(at, "record-date-future"));
        }
        Ok(text.into())
    }
}

fn number_fits(field: &Field, beside: &Map<String, Value>, at: &str) -> Result<(), Problem> {
    let text = |name: &Option<String>| beside.get(name.as_deref()?)?.as_str();
    let Some(number) = beside
        .get(&field.name)
        .and_then(Value::as_str)
        .filter(|_| field.kind == FieldKind::Person)
    else {
        return Ok(());
    };
    let number = number
        .parse()
        .map_err(|_| Problem::invalid(at, "record-number-bad"))?;
    fits(
        &number,
        text(&field.born).and_then(parse_iso),
        text(&field.sex).and_then(sex),
        at,
    )
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|t| t.trim().is_empty())
}

fn short(text: String, chars_max: usize, at: &str) -> Result<Value, Problem> {
    if text.chars().count() > chars_max {
        Err(Problem::invalid(at, "record-text-long").with("max", chars_max))
    } else {
        Ok(text.into())
    }
}

fn code(field: &Field, text: String, at: &str) -> Result<Value, Problem> {
    let shaped = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b".-/_".contains(&b));
    if !shaped || !(field.values.is_empty() || field.values.contains(&text)) {
        return Err(Problem::invalid(at, "record-code-unknown"));
    }
    short(text, CODE_CHARS_MAX, at)
}

/// Reads a call's body as a JSON object.
///
/// # Errors
/// `json-bad` when it is something else.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|e| {
        Problem::new(Kind::Malformed, "json-bad")
            .with("line", e.line())
            .with("column", e.column())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{birth_body, schema};

    fn today() -> Date {
        parse_iso("2026-11-21").expect("a day")
    }

    fn refused(path: &str, value: Value) -> Problem {
        let mut body = birth_body("H56.14857-261121-0001");
        crate::schema::put(&mut body, path, value);
        whole(&schema("birth"), &body, today()).expect_err("refused")
    }

    #[test]
    fn a_name_typed_in_pieces_is_stored_as_one() {
        let mut body = birth_body("H56.14857-261121-0001");
        crate::schema::put(
            &mut body,
            "child.full_name",
            "Nguye\u{0302}\u{0303}n  Thi\u{0323} An".into(),
        );
        let clean = whole(&schema("birth"), &body, today()).expect("a record");
        assert_eq!(
            crate::schema::text_at(&clean, "child.full_name"),
            Some("Nguyễn Thị An")
        );
    }

    #[test]
    fn nobody_is_born_on_31_february_or_tomorrow() {
        let bad = refused("child.date_of_birth", "2026-02-31".into());
        assert_eq!(
            (bad.code, bad.field.as_deref()),
            ("record-date-bad", Some("child.date_of_birth"))
        );
        assert_eq!(
            refused("child.date_of_birth", "2026-11-22".into()).code,
            "record-date-future"
        );
    }

    #[test]
    fn a_number_of_the_wrong_century_or_sex_is_refused_at_its_field() {
        let person = schema("population");
        let record = |number: &str| {
            let mut body = Map::new();
            for (name, value) in [
                ("personal_number", number),
                ("full_name", "A"),
                ("sex", "male"),
                ("date_of_birth", "2026-11-19"),
            ] {
                body.insert(name.to_owned(), value.into());
            }
            whole(&person, &body, today())
        };
        assert!(record("038226000001").is_ok());
        let century = record("038026000001").expect_err("born in 1926");
        assert_eq!(
            (century.code, century.field.as_deref()),
            ("record-number-misfit", Some("personal_number"))
        );
        assert_eq!(century.args, [("what", "year".to_owned())]);
        assert_eq!(
            record("038326000001").expect_err("female").args,
            [("what", "sex".to_owned())]
        );
        assert_eq!(
            record("03832600001").expect_err("eleven digits").code,
            "record-number-bad"
        );
    }

    #[test]
    fn what_the_register_gives_itself_cannot_be_handed_in() {
        assert_eq!(
            refused("child.personal_number", "038226000001".into()).code,
            "record-field-assigned"
        );
        assert_eq!(refused("number", 7.into()).code, "record-field-assigned");
    }

    #[test]
    fn every_field_is_what_it_says() {
        assert_eq!(refused("child.sex", "other".into()).code, "record-code-unknown");
        assert_eq!(
            refused("child.full_name", "".into()).code,
            "record-field-required"
        );
        assert_eq!(refused("child.full_name", 7.into()).code, "record-field-kind");
        assert_eq!(
            refused("child.full_name", "x".repeat(501).into()).code,
            "record-text-long"
        );
        let unknown = refused("mother.shoe_size", 38.into());
        assert_eq!(
            (unknown.code, unknown.field.as_deref()),
            ("record-field-unknown", Some("mother.shoe_size"))
        );
        assert_eq!(refused("mother", "Nguyễn Thị B".into()).code, "record-field-kind");
        assert_eq!(object(b"[1]").expect_err("a list").code, "json-bad");
    }

    #[test]
    fn only_granted_fields_are_left() {
        let body = birth_body("H56.14857-261121-0001");
        let cut = cut(
            &body,
            &["book".to_owned(), "child.sex".to_owned(), "secret".to_owned()],
        );
        assert_eq!(
            Value::Object(cut),
            serde_json::json!({"book": "H56.14857", "child": {"sex": "female"}})
        );
    }
}
