//! The operations of a node's description, as the sweep goes through them. Reads the description
//! only: what it does not say, the sweep does not know.

use serde_json::Value;

/// One operation of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `GET`, `POST` …
    pub method: String,
    /// The path with its parameters, `/cases/{code}`.
    pub path: String,
    /// Who may call it; `None` for everybody.
    pub roles: Option<Vec<String>>,
    /// The facts it says it leaves.
    pub facts: Vec<String>,
    /// The media type of its body; empty when it takes none.
    pub media: String,
    /// The smallest body that its schema allows; null when it has none.
    pub body: Value,
}

impl Operation {
    /// True when the operation changes something.
    #[must_use]
    pub fn changes(&self) -> bool {
        !self.facts.is_empty()
    }

    /// True when programs call it: its refusals are JSON with a status, not pages.
    #[must_use]
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// `POST /cases/{code}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The operations of a description, in the order of their paths.
#[must_use]
pub fn operations(description: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for method in ["get", "head", "post", "put", "patch", "delete"] {
            if let Some(said) = item.get(method) {
                all.push(operation(description, method, path, said));
            }
        }
    }
    all.sort_by_key(Operation::name);
    all
}

fn operation(description: &Value, method: &str, path: &str, said: &Value) -> Operation {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect()
    };
    let content = said["requestBody"]["content"].as_object();
    let (media, content) = content.and_then(|c| c.iter().next()).unzip();
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        roles: said["security"]
            .as_array()
            .and_then(|list| Some(texts(list.iter().find_map(|s| s.get("session"))?))),
        facts: texts(&said["x-facts"]),
        media: media.cloned().unwrap_or_default(),
        body: content.map_or(Value::Null, |content| example(description, &content["schema"])),
    }
}

/// The smallest value that a schema allows: its own example, or what is required and nothing more.
fn example(description: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        return description
            .pointer(pointer)
            .map_or(Value::Null, |named| example(description, named));
    }
    if let Some(given) = schema.get("example") {
        return given.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten();
            let fields = required.filter_map(Value::as_str).map(|name| {
                let of = &schema["properties"][name];
                (name.to_owned(), example(description, of))
            });
            fields.collect()
        }
        Some("array") => Value::Array(vec![example(description, &schema["items"])]),
        Some("integer") => schema["minimum"].as_i64().unwrap_or(1).into(),
        Some("boolean") => true.into(),
        Some("string") => schema["enum"].get(0).cloned().unwrap_or_else(|| "x".into()),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_what_is_required_and_nothing_more() {
        let asked = json!({"type": "object", "required": ["revision", "items", "to"], "properties": {
            "revision": {"type": "integer", "minimum": 3}, "note": {"type": "string"},
            "items": {"type": "array", "items": {"type": "string"}},
            "to": {"type": "string", "example": "H56.14797"}}});
        let description = json!({
            "components": {"schemas": {"Asked": asked}},
            "paths": {"/ask": {"post": {"security": [{"session": ["officer"]}], "x-facts": ["case-asked"],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}}}}}});
        let all = operations(&description);
        assert_eq!(
            all[0].body,
            json!({"revision": 3, "items": ["x"], "to": "H56.14797"})
        );
        assert_eq!(
            (all[0].media.as_str(), all[0].changes()),
            ("application/json", true)
        );
    }
}
