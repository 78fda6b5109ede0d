//! A YAML document (1.2) as JSON values, for OpenAPI documents that are written in it. Pure. Never grows a
//! document beyond its bound by aliases, and never takes a tag for more than the core schema's `!!str`.

use std::collections::HashMap;

use kernel::Problem;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

/// What all values of a document may weigh, aliases counted as often as they stand, in bytes.
const WEIGHT_MAX: usize = 16 << 20;
/// What a value weighs besides its text, in bytes.
const VALUE_BYTES: usize = 64;
/// The key that takes over the entries of another mapping.
const MERGE: &str = "<<";

/// A value with its weight and its depth: what an alias to it costs.
#[derive(Clone)]
struct Node {
    value: Value,
    weight: usize,
    depth: usize,
}

impl Node {
    fn of_text(value: Value, text: &str) -> Self {
        Self {
            value,
            weight: VALUE_BYTES + text.len(),
            depth: 0,
        }
    }
}

/// A collection that is being read.
struct Open {
    anchor: usize,
    depth: usize,
    weight: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Value>),
    Mapping {
        entries: Map<String, Value>,
        merged: Vec<Map<String, Value>>,
        /// The key whose value comes next.
        key: Option<String>,
    },
}

/// What is wrong, before it is known where.
struct Bad(&'static str);

/// Reads the one document of a text.
///
/// # Errors
/// 422 at `openapi`: `service-openapi-yaml` with the line.
pub(super) fn read(text: &str, depth_max: usize) -> Result<Value, Problem> {
    let wrong = |line: usize, why: &str| {
        Problem::invalid("openapi", "service-openapi-yaml")
            .with("line", line.max(1))
            .with("depth", depth_max)
            .because(why)
    };
    let mut reading = Reading {
        depth_max,
        ..Reading::default()
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| wrong(e.marker().line(), e.info()))?;
        let taken = reading.take(event);
        taken.map_err(|Bad(why)| wrong(span.start.line(), why))?;
    }
    Ok(reading.done.unwrap_or(Value::Null))
}

/// A document as far as it was read.
#[derive(Default)]
struct Reading {
    depth_max: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    weight: usize,
    documents: usize,
    done: Option<Value>,
}

impl Reading {
    fn take(&mut self, event: Event<'_>) -> Result<(), Bad> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Bad("more than one document"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_key = self.awaits_key();
                let value = if is_key || style != ScalarStyle::Plain || is_text(tag.as_deref()) {
                    Value::String(text.clone().into_owned())
                } else {
                    plain(&text)
                };
                self.put(Node::of_text(value, &text), anchor)?;
            }
            Event::Alias(anchor) => {
                // An anchor that is still open is not there yet: a value never contains itself.
                let node = self.anchors.get(&anchor).cloned();
                self.put(node.ok_or(Bad("an alias to nothing before it"))?, 0)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, Inside::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.begin(
                anchor,
                Inside::Mapping {
                    entries: Map::new(),
                    merged: Vec::new(),
                    key: None,
                },
            )?,
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        let last = self.open.last().map(|open| &open.inside);
        matches!(last, Some(Inside::Mapping { key: None, .. }))
    }

    fn begin(&mut self, anchor: usize, inside: Inside) -> Result<(), Bad> {
        if self.awaits_key() {
            return Err(Bad("a key that is no text"));
        }
        if self.open.len() >= self.depth_max {
            return Err(Bad("nested too deep"));
        }
        self.open.push(Open {
            anchor,
            depth: 0,
            weight: VALUE_BYTES,
            inside,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Bad> {
        let Some(open) = self.open.pop() else {
            return Err(Bad("an end without a beginning"));
        };
        let value = match open.inside {
            Inside::List(all) => Value::Array(all),
            Inside::Mapping {
                mut entries, merged, ..
            } => {
                for (key, value) in merged.into_iter().flatten() {
                    entries.entry(key).or_insert(value);
                }
                Value::Object(entries)
            }
        };
        let node = Node {
            value,
            weight: open.weight,
            depth: open.depth,
        };
        // What is inside was weighed when it was put there, and is weighed again with the whole.
        self.weight = self.weight.saturating_sub(node.weight);
        self.put(node, open.anchor)
    }

    /// Puts a whole value where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Bad> {
        self.weight = self.weight.saturating_add(node.weight);
        if self.weight > WEIGHT_MAX {
            return Err(Bad("too large once its aliases are written out"));
        }
        if self.open.len() + node.depth > self.depth_max {
            return Err(Bad("nested too deep"));
        }
        if anchor > 0 {
            // What an anchor keeps is there a second time.
            self.weight = self.weight.saturating_add(node.weight);
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.done = Some(node.value);
            return Ok(());
        };
        open.depth = open.depth.max(node.depth + 1);
        open.weight = open.weight.saturating_add(node.weight);
        match &mut open.inside {
            Inside::List(all) => all.push(node.value),
            Inside::Mapping { entries, merged, key } => match (key.take(), node.value) {
                (None, Value::String(name)) if name != MERGE && entries.contains_key(&name) => {
                    return Err(Bad("a key twice"));
                }
                (None, Value::String(name)) => *key = Some(name),
                (None, _) => return Err(Bad("a key that is no text")),
                (Some(name), value) if name == MERGE => merged.extend(mappings(value)?),
                (Some(name), value) => drop(entries.insert(name, value)),
            },
        }
        Ok(())
    }
}

/// The mappings that a merge key names.
fn mappings(value: Value) -> Result<Vec<Map<String, Value>>, Bad> {
    let all = match value {
        Value::Array(all) => all,
        one => vec![one],
    };
    let mapping = |value| match value {
        Value::Object(entries) => Ok(entries),
        _ => Err(Bad("a merge with what is no mapping")),
    };
    all.into_iter().map(mapping).collect()
}

fn is_text(tag: Option<&Tag>) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str")
}

/// A plain scalar by the core schema; what JSON has no number for stays text.
fn plain(text: &str) -> Value {
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(Value::from);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let numeric = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let number = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => radix(digits, 16),
        (_, Some(digits)) => radix(digits, 8),
        _ if !numeric || !text.bytes().any(|b| b.is_ascii_digit()) => None,
        _ => match text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        },
    };
    number.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> (String, String) {
        let problem = read(text, 64).expect_err(text.get(..80).unwrap_or(text));
        assert_eq!(problem.code, "service-openapi-yaml");
        let line = problem.args[0].1.clone();
        (line, problem.cause.unwrap_or_default())
    }

    #[test]
    fn a_document_reads_as_the_json_it_stands_for() {
        let text = "
# A comment
openapi: 3.1.0
info: {title: 'Dân cư', version: \"1.0\", count: 12, hex: 0x1F, ratio: 2.5e3, none: ~, yes: true}
paths:
  /persons/{id}:
    get: &answer
      responses:
        200:
          description: |
            Một dòng
            hai dòng
    head: *answer
    put:
      <<: *answer
      summary: !!str 12
list:
- a
- - b
  - +7
- .inf
...
";
        let answer = json!({"responses": {"200": {"description": "Một dòng\nhai dòng\n"}}});
        let mut put = json!({"summary": "12"});
        put["responses"] = answer["responses"].clone();
        assert_eq!(
            read(text, 64).expect("reads"),
            json!({
                "openapi": "3.1.0",
                "info": {"title": "Dân cư", "version": "1.0", "count": 12, "hex": 31, "ratio": 2500.0,
                    "none": null, "yes": true},
                "paths": {"/persons/{id}": {"get": answer, "head": answer, "put": put}},
                "list": ["a", ["b", 7], ".inf"],
            })
        );
        assert_eq!(read("", 64).expect("nothing"), Value::Null);
        assert_eq!(
            read("{\"a\": [1, \"b\"]}", 64).expect("JSON is YAML"),
            json!({"a": [1, "b"]})
        );
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        for (text, line) in [
            ("a: 1\nb: [1, 2\nc: 3\n", "3"),
            ("a: 1\nb: 2\na: 3\n", "3"),
            ("a: 1\n? [b]\n: c\n", "2"),
            ("a: 1\n---\nb: 2\n", "2"),
            ("a: &x\n  b: *x\n", "2"),
            ("a: *nothing\n", "1"),
            ("a: 1\n<<: 2\n", "2"),
        ] {
            assert_eq!(refused(text).0, line, "{text}");
        }
    }

    #[test]
    fn aliases_that_would_grow_the_document_without_end_are_refused() {
        // Nine doublings of nine: some 400 million values from 600 bytes.
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let before = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", [before.as_str(); 9].join(", ")));
        }
        assert!(refused(&bomb).1.contains("too large"));
        let long = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(100_000),
            vec!["*a"; 1_000].join(", ")
        );
        assert!(refused(&long).1.contains("too large"));
        // Each alias one level deeper than the last.
        let mut deep = "a0: &a0 [x]\n".to_owned();
        for n in 1..80 {
            deep.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
        }
        assert!(refused(&deep).1.contains("deep"));
        for nested in ["[", "- ", "{a: ", "? "] {
            refused(&nested.repeat(5_000));
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "[-a:&*\\[\\]{}\"'|>!?%#, \n\t~0-9.é]{0,200}") {
            read(&text, 16).ok();
        }
    }
}
