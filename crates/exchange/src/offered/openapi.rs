//! The endpoints that an OpenAPI document (3.x, JSON or YAML) lists. Pure. Never follows a reference out of the
//! document, nor one that comes to no end.

use kernel::Problem;
use serde_json::{Map, Value};

use super::setup::ENDPOINTS_MAX;
use super::yaml;
use crate::endpoint::Endpoint;

/// References behind each other, count.
const REFERENCES_MAX: usize = 8;
/// How much of a document's own text a refusal repeats, in letters.
const TOLD_MAX: usize = 120;
/// What a path item may have an operation for.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TOLD_MAX).collect()
}

/// An operation of a path.
pub(super) struct Operation<'a> {
    /// Its method, in small letters.
    pub(super) method: &'static str,
    /// Its path, as the document writes it.
    pub(super) path: &'a str,
    /// What the document says of it.
    pub(super) item: &'a Value,
}

/// Reads a document.
///
/// # Errors
/// 422 at `openapi`: `service-openapi-json`, `service-openapi-yaml`, `service-openapi-version`.
pub(super) fn read(bytes: &[u8], depth_max: usize) -> Result<Value, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Value = if bytes.trim_ascii_start().first() == Some(&b'{') {
        let malformed = Problem::invalid("openapi", "service-openapi-json").with("depth", depth_max);
        web::json::read(bytes, depth_max).map_err(|e| malformed.because(e))?
    } else {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            Problem::invalid("openapi", "service-openapi-yaml")
                .with("line", before.split(|b| *b == b'\n').count())
                .with("depth", depth_max)
                .because(e)
        })?;
        yaml::read(text, depth_max)?
    };
    let version = document["openapi"].as_str().unwrap_or_default();
    if version.starts_with("3.") && document["paths"].is_object() {
        Ok(document)
    } else {
        Err(Problem::invalid("openapi", "service-openapi-version"))
    }
}

fn wrong(path: &str) -> Problem {
    Problem::invalid("openapi", "service-openapi-path").with("path", shown(path))
}

/// The operations, in the document's order.
///
/// # Errors
/// 422 at `openapi`: `service-openapi-path`, `service-openapi-reference`, `service-endpoints`.
pub(super) fn operations(document: &Value) -> Result<Vec<Operation<'_>>, Problem> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        // Extensions stand beside the paths.
        if path.starts_with("x-") {
            continue;
        }
        let item = resolved(document, item)?;
        let item = item.as_object().ok_or_else(|| wrong(path))?;
        let operation = |method: &&'static str| {
            let item = item.get(*method)?;
            Some(Operation { method, path, item })
        };
        all.extend(METHODS.iter().filter_map(operation));
        if all.len() > ENDPOINTS_MAX {
            return Err(Problem::invalid("openapi", "service-endpoints").with("max", ENDPOINTS_MAX));
        }
    }
    Ok(all)
}

/// The endpoints of a document, in its order.
///
/// # Errors
/// As [`operations`].
pub(super) fn endpoints(document: &Value) -> Result<Vec<Endpoint>, Problem> {
    let all = operations(document)?.into_iter();
    all.map(|operation| {
        let path = template(operation.path).ok_or_else(|| wrong(operation.path))?;
        let endpoint = format!("{} {path}", operation.method.to_uppercase());
        endpoint.parse().map_err(|_| wrong(operation.path))
    })
    .collect()
}

/// A path item, or what it refers to within the document.
pub(super) fn resolved<'a>(document: &'a Value, item: &'a Value) -> Result<&'a Value, Problem> {
    let mut item = item;
    for _ in 0..=REFERENCES_MAX {
        let Some(reference) = item.as_object().and_then(reference) else {
            return Ok(item);
        };
        let target = reference.strip_prefix('#').and_then(|at| document.pointer(at));
        item = target.ok_or_else(|| {
            Problem::invalid("openapi", "service-openapi-reference").with("reference", shown(reference))
        })?;
    }
    let told = item.as_object().and_then(reference).unwrap_or_default();
    Err(Problem::invalid("openapi", "service-openapi-reference").with("reference", shown(told)))
}

fn reference(item: &Map<String, Value>) -> Option<&str> {
    item.get("$ref")?.as_str()
}

/// A path as our templates write it: `{id}` where it is a whole segment, `*` where it is part of one.
/// `None` for one that would say something else with us.
fn template(path: &str) -> Option<String> {
    if path.contains('*') {
        return None;
    }
    let segments: Option<Vec<String>> = path.split('/').map(segment).collect();
    Some(segments?.join("/"))
}

fn segment(text: &str) -> Option<String> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if inner.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}'])) {
        return Some(text.to_owned());
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, name)) = rest.split_once('{') {
        let (name, behind) = name.split_once('}')?;
        if before.contains('}') || name.is_empty() || name.contains('{') {
            return None;
        }
        out.push_str(before);
        // Two beside each other are one: `**` would stand for everything below.
        if !out.ends_with('*') {
            out.push('*');
        }
        rest = behind;
    }
    if rest.contains('}') {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(document: &Value) -> Result<Vec<String>, (&'static str, Option<String>)> {
        read_endpoints(document.to_string().as_bytes())
            .map(|all| all.iter().map(ToString::to_string).collect())
            .map_err(|p| (p.code, p.args.into_iter().next().map(|(_, value)| value)))
    }

    fn read_endpoints(bytes: &[u8]) -> Result<Vec<Endpoint>, Problem> {
        endpoints(&super::read(bytes, 64)?)
    }

    fn with_paths(paths: &Value) -> Value {
        json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths})
    }

    #[test]
    fn each_operation_of_a_path_is_an_endpoint() {
        let paths = json!({
            "/": {"post": {}},
            "/persons/{id}": {"get": {}, "parameters": [], "x-owner": {}, "delete": {}},
            "/files/{name}.json": {"get": {}},
            "/a/{b}{c}": {"get": {}},
            "/a/{b}-{c}/d": {"head": {}},
            "/empty": {},
            "x-tag": 1,
        });
        let expected = [
            "POST /",
            "GET /persons/{id}",
            "DELETE /persons/{id}",
            "GET /files/*.json",
            "GET /a/*",
            "HEAD /a/*-*/d",
        ];
        assert_eq!(listed(&with_paths(&paths)).expect("reads"), expected);
    }

    #[test]
    fn a_document_in_yaml_lists_the_same() {
        let yaml =
            "openapi: 3.0.3\npaths:\n  /persons/{id}:\n    get: &get {}\n    delete: *get\n  /: {post: {}}\n";
        let read: Vec<String> = read_endpoints(yaml.as_bytes())
            .expect("reads")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(read, ["GET /persons/{id}", "DELETE /persons/{id}", "POST /"]);
        let marked = [b"\xef\xbb\xbf", yaml.as_bytes()].concat();
        assert_eq!(read_endpoints(&marked).expect("a mark in front").len(), 3);
    }

    #[test]
    fn a_path_that_would_grant_something_else_is_refused_by_name() {
        for path in [
            "persons", "/a/**", "/a/*", "/a/", "/a//b", "/../a", "/{", "/a}b", "/{a{b}}", "/{}", "/a?b",
            "/a b", "/é",
        ] {
            let refused = listed(&with_paths(&json!({path: {"get": {}}}))).expect_err(path);
            assert_eq!(refused, ("service-openapi-path", Some(path.to_owned())));
        }
        let item = listed(&with_paths(&json!({"/a": [1]}))).expect_err("no item");
        assert_eq!(item.0, "service-openapi-path");
    }

    #[test]
    fn a_reference_is_followed_within_the_document_and_to_an_end_only() {
        let mut document = with_paths(&json!({"/a": {"$ref": "#/components/pathItems/a"}}));
        document["components"]["pathItems"]["a"] = json!({"get": {}});
        assert_eq!(listed(&document).expect("reads"), ["GET /a"]);
        for (paths, told) in [
            (
                json!({"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}),
                "#/paths/~1",
            ),
            (json!({"/a": {"$ref": "#/paths/~1a"}}), "#/paths/~1a"),
            (
                json!({"/a": {"$ref": "http://other/x.json"}}),
                "http://other/x.json",
            ),
            (json!({"/a": {"$ref": "#/nothing"}}), "#/nothing"),
        ] {
            let (code, reference) = listed(&with_paths(&paths)).expect_err("refused");
            assert_eq!(code, "service-openapi-reference");
            assert!(reference.expect("told").starts_with(told), "{told}");
        }
    }

    #[test]
    fn what_is_no_openapi_document_is_refused() {
        for (document, code) in [
            (json!({"swagger": "2.0", "paths": {}}), "service-openapi-version"),
            (json!({"openapi": "3.0.0"}), "service-openapi-version"),
            (json!({"openapi": 3, "paths": {}}), "service-openapi-version"),
            (json!([]), "service-openapi-version"),
            (json!("x"), "service-openapi-version"),
        ] {
            assert_eq!(listed(&document).expect_err("refused").0, code, "{document}");
        }
        let deep = format!("{{\"openapi\":\"3.0.0\",\"paths\":{}", "[".repeat(10_000));
        for (text, code) in [
            (&deep[..], "service-openapi-json"),
            ("{\"openapi\":", "service-openapi-json"),
            ("", "service-openapi-version"),
            ("<html>", "service-openapi-version"),
            ("openapi: 3.0.0\npaths:\n", "service-openapi-version"),
            ("openapi: 3.0.0\npaths: [\n", "service-openapi-yaml"),
        ] {
            let refused = read_endpoints(text.as_bytes()).expect_err("refused");
            assert_eq!(refused.code, code, "{text}");
        }
        let not_utf8 = read_endpoints(b"openapi: 3.0.0\ninfo: \xff\n").expect_err("refused");
        assert_eq!(
            (not_utf8.code, not_utf8.args[0].1.as_str()),
            ("service-openapi-yaml", "2")
        );
        let mut many = Map::new();
        for n in 0..=ENDPOINTS_MAX {
            many.insert(format!("/{n}"), json!({"get": {}}));
        }
        let refused = listed(&with_paths(&Value::Object(many))).expect_err("too many");
        assert_eq!(refused.0, "service-endpoints");
    }
}
