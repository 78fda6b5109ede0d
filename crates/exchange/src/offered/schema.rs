//! Whether the fields that an agreement grants are in the answers that an OpenAPI document describes.
//! Pure. Never follows a reference out of the document, nor one that comes to no end.

use kernel::Problem;
use serde_json::{Map, Value};

use super::openapi::{self, Operation};
use crate::endpoint::{self, Endpoint};

/// What an answer is cut in: the member of its body that holds the record, or a list of records.
const RECORD: &str = "record";
/// Schemas within each other, count.
const DEPTH_MAX: usize = 24;
/// Schemas that are looked at for one agreement, count.
const LOOKED_MAX: usize = 20_000;

/// Checks that each field is in the record of an answer of the granted endpoints, and that each of
/// their JSON answers has a record: what has none would not be cut.
///
/// # Errors
/// 422 at `fields`: `agreement-field-unknown` with the field and the place, `agreement-field-record` with
/// the place; 422 at `openapi`: `service-openapi-reference`, `service-openapi-path`.
pub(super) fn check(document: &Value, granted: &[Endpoint], fields: &[String]) -> Result<(), Problem> {
    let mut reader = Reader { document, looked: 0 };
    let mut records = Vec::new();
    for operation in openapi::operations(document)? {
        if !is_granted(granted, &operation) {
            continue;
        }
        for (place, schema) in answers(&mut reader, &operation)? {
            let schemas = reader.alternatives(schema, 0)?;
            let record = reader.members(&schemas, RECORD)?;
            if record.is_empty() {
                return Err(Problem::invalid("fields", "agreement-field-record").with("place", place));
            }
            records.push((place, reader.each(record)?));
        }
    }
    let Some((place, _)) = records.first() else {
        // No JSON answer is described: nothing says that the fields are wrong.
        return Ok(());
    };
    for field in fields {
        let mut known = false;
        for (_, record) in &records {
            known = known || reader.has(record, field)?;
        }
        if !known {
            let unknown = Problem::invalid("fields", "agreement-field-unknown").with("name", field);
            return Err(unknown.with("place", format!("{place} {RECORD}")));
        }
    }
    Ok(())
}

/// True for an operation that some path of the granted endpoints leads to.
fn is_granted(granted: &[Endpoint], operation: &Operation<'_>) -> bool {
    let Ok(method) = operation.method.to_uppercase().parse() else {
        return false;
    };
    // Any name will do in the place of a parameter.
    let segments = operation.path.split('/');
    let sample: Vec<&str> = segments
        .map(|segment| if segment.contains('{') { "x" } else { segment })
        .collect();
    granted.is_empty() || endpoint::granted(granted, method, &sample.join("/"))
}

/// The schemas of an operation's JSON answers below 300, each with its place.
fn answers<'a>(
    reader: &mut Reader<'a>,
    operation: &Operation<'a>,
) -> Result<Vec<(String, &'a Value)>, Problem> {
    let mut all = Vec::new();
    let responses = operation.item["responses"].as_object();
    for (status, response) in responses.into_iter().flatten() {
        if !status.starts_with('2') && status != "default" {
            continue;
        }
        let response = openapi::resolved(reader.document, response)?;
        let content = response["content"].as_object();
        for (media, described) in content.into_iter().flatten() {
            let kind = media.split(';').next().unwrap_or_default().trim();
            let is_json = kind == "application/json" || kind.ends_with("+json");
            let method = operation.method.to_uppercase();
            if is_json {
                let place = openapi::shown(&format!("{method} {} {status}", operation.path));
                all.push((place, &described["schema"]));
            }
        }
    }
    Ok(all)
}

/// A document being read, and how much of it was.
struct Reader<'a> {
    document: &'a Value,
    looked: usize,
}

impl<'a> Reader<'a> {
    /// What a schema may be: itself, and what it is put together from.
    fn alternatives(
        &mut self,
        schema: &'a Value,
        depth: usize,
    ) -> Result<Vec<&'a Map<String, Value>>, Problem> {
        self.looked += 1;
        let reference = schema["$ref"].as_str().unwrap_or_default();
        if depth > DEPTH_MAX || self.looked > LOOKED_MAX {
            let told = openapi::shown(reference);
            return Err(Problem::invalid("openapi", "service-openapi-reference").with("reference", told));
        }
        let Some(object) = openapi::resolved(self.document, schema)?.as_object() else {
            return Ok(Vec::new());
        };
        let mut all = vec![object];
        for key in ["allOf", "anyOf", "oneOf"] {
            let parts = object.get(key).and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                all.extend(self.alternatives(part, depth + 1)?);
            }
        }
        Ok(all)
    }

    /// What a member of an object may be.
    fn members(
        &mut self,
        schemas: &[&'a Map<String, Value>],
        name: &str,
    ) -> Result<Vec<&'a Map<String, Value>>, Problem> {
        let mut all = Vec::new();
        for schema in schemas {
            if let Some(member) = schema
                .get("properties")
                .and_then(|properties| properties.get(name))
            {
                all.extend(self.alternatives(member, 0)?);
            }
        }
        Ok(all)
    }

    /// A record, or each of a list of them.
    fn each(&mut self, record: Vec<&'a Map<String, Value>>) -> Result<Vec<&'a Map<String, Value>>, Problem> {
        let mut all = Vec::new();
        for schema in &record {
            if let Some(items) = schema.get("items") {
                all.extend(self.alternatives(items, 0)?);
            }
        }
        all.extend(record);
        Ok(all)
    }

    /// True when a field, a name or names with dots between them, may stand in a record.
    fn has(&mut self, record: &[&'a Map<String, Value>], field: &str) -> Result<bool, Problem> {
        for schema in record {
            // Said to hold any member: then this one, too.
            let open = schema.get("additionalProperties");
            if open.is_some_and(|open| *open != Value::Bool(false)) {
                return Ok(true);
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, member) in properties.into_iter().flatten() {
                if name == field {
                    return Ok(true);
                }
                let below = field
                    .strip_prefix(name.as_str())
                    .and_then(|rest| rest.strip_prefix('.'));
                if let Some(below) = below.filter(|below| !below.is_empty()) {
                    let member = self.alternatives(member, 0)?;
                    if self.has(&member, below)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A document whose `GET /persons/{id}` answers with a record of this schema.
    fn document(record: &Value) -> Value {
        let answer = |schema: Value| json!({"content": {"application/json": {"schema": schema}}});
        json!({
            "openapi": "3.1.0",
            "paths": {
                "/persons/{id}": {
                    "get": {"responses": {
                        "200": answer(json!({"type": "object", "properties": {"record": record}})),
                        "404": answer(json!({"type": "object"})),
                    }},
                    "delete": {"responses": {"204": {"description": "gone"}}},
                },
                "/raw": {"get": {"responses": {"default": answer(json!({"type": "object"}))}}},
            },
            "components": {"schemas": {
                "person": {"type": "object", "properties": {
                    "full_name": {"type": "string"},
                    "home": {"$ref": "#/components/schemas/home"},
                }},
                "home": {"type": "object", "properties": {"ward": {"type": "string"}}},
                "loop": {"allOf": [{"$ref": "#/components/schemas/loop"}]},
                "tree": {"type": "object", "properties": {"up": {"$ref": "#/components/schemas/tree"}}},
            }},
        })
    }

    fn told(record: &Value, endpoints: &[&str], fields: &[&str]) -> Option<(&'static str, Vec<String>)> {
        let endpoints: Vec<Endpoint> = endpoints.iter().map(|e| e.parse().expect("one")).collect();
        let fields: Vec<String> = fields.iter().map(|f| (*f).to_owned()).collect();
        let refused = check(&document(record), &endpoints, &fields).err()?;
        Some((refused.code, refused.args.into_iter().map(|(_, v)| v).collect()))
    }

    const ONE: &[&str] = &["GET /persons/{id}"];

    #[test]
    fn a_field_is_found_in_the_record_through_references_lists_and_parts() {
        let person = json!({"$ref": "#/components/schemas/person"});
        for record in [
            person.clone(),
            json!({"type": "array", "items": person}),
            json!({"allOf": [{"type": "object"}, person]}),
            json!({"oneOf": [person, {"type": "null"}]}),
            json!({"type": "object", "additionalProperties": true}),
        ] {
            assert_eq!(
                told(&record, ONE, &["full_name", "home", "home.ward"]),
                None,
                "{record}"
            );
        }
        let tree = json!({"$ref": "#/components/schemas/tree"});
        assert_eq!(
            told(&tree, ONE, &["up", "up.up.up"]),
            None,
            "as deep as the field goes"
        );
    }

    #[test]
    fn a_field_that_no_answer_has_is_refused_by_its_name_and_the_place() {
        let person = json!({"$ref": "#/components/schemas/person"});
        for field in ["salary", "home.street", "full_name.x", "homeward", "home."] {
            let place = "GET /persons/{id} 200 record".to_owned();
            assert_eq!(
                told(&person, ONE, &["full_name", field]),
                Some(("agreement-field-unknown", vec![field.to_owned(), place]))
            );
        }
    }

    #[test]
    fn an_answer_without_a_record_would_not_be_cut_and_is_refused() {
        let person = json!({"$ref": "#/components/schemas/person"});
        let refused = Some(("agreement-field-record", vec!["GET /raw default".to_owned()]));
        assert_eq!(told(&person, &[], &["full_name"]), refused, "all of the service");
        assert_eq!(told(&person, &["* /**"], &["full_name"]), refused);
        assert_eq!(told(&person, &["GET /raw"], &["full_name"]), refused);
        assert_eq!(
            told(&person, &["DELETE /persons/{id}"], &["salary"]),
            None,
            "it answers nothing"
        );
    }

    #[test]
    fn a_schema_that_comes_to_no_end_or_leads_out_is_refused() {
        for record in [
            json!({"$ref": "#/components/schemas/loop"}),
            json!({"$ref": "http://other/x.json"}),
            json!({"$ref": "#/nothing"}),
        ] {
            let refused = told(&record, ONE, &["x"]).expect("refused");
            assert_eq!(refused.0, "service-openapi-reference", "{record}");
        }
        // Each level twice the one below: as a tree it would have four billion leaves.
        let mut wide = document(&json!({"$ref": "#/components/schemas/w0"}));
        for n in 0..32 {
            let next = format!("#/components/schemas/w{}", n + 1);
            wide["components"]["schemas"][format!("w{n}")] =
                json!({"allOf": [{"$ref": next}, {"$ref": next}]});
        }
        wide["components"]["schemas"]["w32"] = json!({"type": "object"});
        let endpoints = [ONE[0].parse().expect("one")];
        let refused = check(&wide, &endpoints, &["x".to_owned()]).expect_err("refused");
        assert_eq!(refused.code, "service-openapi-reference");
    }
}
