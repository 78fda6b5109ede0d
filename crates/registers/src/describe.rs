//! What a service of a register takes and answers, as an OpenAPI document made of the register's schema:
//! the same words that a record is checked against. Never a record, and never a value of one.

use serde_json::{Map, Value, json};

use crate::schema::{Field, FieldKind, Schema, Work};

/// The document of a service.
pub(crate) fn document(schema: &Schema, code: &str, work: &Work) -> Value {
    let (takes, answers) = bodies(schema, work);
    let body = |schema: Value| json!({"application/json": {"schema": schema}});
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": format!("{} ({code})", schema.title.vi),
            "description": schema.title.en,
            "version": "1",
            "x-legal-basis": schema.legal_basis,
        },
        "paths": {"/": {"post": {
            "operationId": code,
            "requestBody": {"required": true, "content": body(takes)},
            "responses": {
                "200": {"description": "OK", "content": body(answers)},
                "4XX": {"description": "A refusal, RFC 9457"},
            },
        }}},
    })
}

/// What a service takes, and what it answers.
fn bodies(schema: &Schema, work: &Work) -> (Value, Value) {
    let text = || json!({"type": "string"});
    match work {
        Work::Lookup { by, whole_for } => {
            // A key may lie within an object: it is asked for by its whole name, with the dot.
            let asked = |key: &String| Some((key.clone(), member(schema.field(key)?).1));
            let mut takes: Map<String, Value> = by.iter().filter_map(asked).collect();
            takes.extend(whole_for.iter().filter_map(|whole| asked(&whole.field)));
            for at in ["as_of", "as_known_at"] {
                takes.insert(at.to_owned(), json!({"type": "string"}));
            }
            let record = object(schema.fields.iter().map(member).collect(), &[]);
            (
                object(takes, &[]),
                object(one("record", record), &["record".to_owned()]),
            )
        }
        Work::Assign { .. } => (
            strings(&["place", "sex", "born", "basis"]),
            strings(&["personal_number"]),
        ),
        Work::Release => {
            let mut answers = one("personal_number", text());
            answers.insert("released".to_owned(), json!({"type": "boolean"}));
            (strings(&["personal_number", "reason"]), object(answers, &[]))
        }
        Work::Issue { .. } => (handed_in(&schema.fields), strings(&["number"])),
        Work::Change { change } => {
            let first = |field: &String| field.split('.').next().unwrap_or(field).to_owned();
            let parts = change.fields.iter().map(first);
            let parts = parts.filter_map(|name| Some(member(schema.field(&name)?)));
            let own = ["case", schema.key.as_str(), change.from.as_str()];
            let mut takes: Map<String, Value> = parts.collect();
            takes.extend(own.map(|name| (name.to_owned(), text())));
            let required: Vec<String> = own.map(str::to_owned).into();
            (object(takes, &required), strings(&["number"]))
        }
        Work::Restore { .. } => {
            let mut answers = one("case", text());
            answers.insert("restored".to_owned(), json!({"type": "boolean"}));
            (strings(&["case", "reason"]), object(answers, &[]))
        }
        Work::Enter { .. } => {
            let mut answers = one("act_number", text());
            answers.insert("number".to_owned(), json!({}));
            answers.insert("personal_number".to_owned(), text());
            (handed_in(&schema.fields), object(answers, &[]))
        }
        Work::Withdraw { .. } => {
            let mut answers = one(&schema.key, text());
            answers.insert("withdrawn".to_owned(), json!({"type": "boolean"}));
            (strings(&[schema.key.as_str(), "reason"]), object(answers, &[]))
        }
    }
}

fn one(name: &str, schema: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), schema)])
}

/// An object of texts that must all be there.
fn strings(names: &[&str]) -> Value {
    let members = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})));
    let required: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    object(members.collect(), &required)
}

fn object(members: Map<String, Value>, required: &[String]) -> Value {
    let mut object = json!({"type": "object", "additionalProperties": false});
    object["properties"] = Value::Object(members);
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// A record as somebody hands it in: without what the register gives itself.
fn handed_in(fields: &[Field]) -> Value {
    let theirs = || fields.iter().filter(|field| !field.assigned);
    let required = theirs().filter(|field| field.required);
    let required: Vec<String> = required.map(|field| field.name.clone()).collect();
    object(theirs().map(member).collect(), &required)
}

/// A field by its name.
fn member(field: &Field) -> (String, Value) {
    let mut schema = match field.kind {
        FieldKind::Text | FieldKind::Code => json!({"type": "string"}),
        FieldKind::Number => json!({"type": "integer"}),
        FieldKind::Date => json!({"type": "string", "format": "date"}),
        FieldKind::Person => json!({"type": "string", "pattern": "^[0-9]{12}$"}),
        FieldKind::Business => json!({"type": "string", "pattern": "^[0-9]{10}(-[0-9]{3})?$"}),
        FieldKind::Flag => json!({"type": "boolean"}),
        FieldKind::Object => object(field.fields.iter().map(member).collect(), &[]),
    };
    if !field.values.is_empty() {
        schema["enum"] = json!(field.values);
    }
    schema["title"] = json!(field.title.vi);
    (field.name.clone(), schema)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every service of every register of the pack with its document.
    fn all() -> Vec<(Schema, Work, Value)> {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let schemas = Schema::load_all(&pack).expect("the pack");
        let of = |schema: &Schema| -> Vec<(Schema, Work, Value)> {
            let services = schema.services.iter();
            let one = |offer: &crate::schema::Offer| {
                let told = document(schema, &offer.code, &offer.work);
                (schema.clone(), offer.work.clone(), told)
            };
            services.map(one).collect()
        };
        schemas.iter().flat_map(of).collect()
    }

    fn schema_of<'a>(told: &'a Value, at: &str) -> &'a Value {
        told.pointer(&format!("/paths/~1/post/{at}/content/application~1json/schema"))
            .expect("a schema")
    }

    #[test]
    fn a_lookup_describes_every_field_of_its_register_and_takes_the_keys_it_is_found_by() {
        let mut met = 0;
        for (schema, work, told) in all() {
            let Work::Lookup { by, .. } = work else { continue };
            met += 1;
            let record = &schema_of(&told, "responses/200")["properties"]["record"]["properties"];
            let names = |all: &Value| -> BTreeSet<String> {
                all.as_object().expect("members").keys().cloned().collect()
            };
            let fields: BTreeSet<String> = schema.fields.iter().map(|f| f.name.clone()).collect();
            assert_eq!(names(record), fields, "{}", schema.code);
            let takes = names(&schema_of(&told, "requestBody")["properties"]);
            assert!(by.iter().all(|key| takes.contains(key)), "{}", schema.code);
            for field in schema.fields.iter().filter(|f| !f.fields.is_empty()) {
                let inner = names(&record[&field.name]["properties"]);
                assert_eq!(inner.len(), field.fields.len(), "{}", field.name);
            }
        }
        assert!(met > 0, "the pack has lookups");
    }

    #[test]
    fn what_a_register_gives_itself_nobody_is_told_to_hand_in() {
        for (schema, work, told) in all() {
            if !matches!(work, Work::Enter { .. } | Work::Issue { .. }) {
                continue;
            }
            let takes = schema_of(&told, "requestBody");
            for field in &schema.fields {
                let listed = takes["properties"].get(&field.name).is_some();
                assert_eq!(listed, !field.assigned, "{} {}", schema.code, field.name);
            }
            let required = takes["required"].as_array().map_or(0, Vec::len);
            let wanted = schema.fields.iter().filter(|f| f.required && !f.assigned);
            assert_eq!(required, wanted.count(), "{}", schema.code);
        }
    }
}
