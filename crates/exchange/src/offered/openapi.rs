//! The endpoints that an OpenAPI document (3.x, JSON) lists. Pure. Never follows a reference out of the
//! document, nor one that comes to no end.

use kernel::Problem;
use serde_json::{Map, Value};

use super::setup::ENDPOINTS_MAX;
use crate::endpoint::Endpoint;

/// References behind each other, count.
const REFERENCES_MAX: usize = 8;
/// How much of a document's own text a refusal repeats, in letters.
const TOLD_MAX: usize = 120;
/// What a path item may have an operation for.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TOLD_MAX).collect()
}

/// Reads the endpoints, in the document's order.
///
/// # Errors
/// 422 at `openapi`: `service-openapi-json`, `service-openapi-version`, `service-openapi-path`,
/// `service-openapi-reference`, `service-endpoints`.
pub(super) fn endpoints(bytes: &[u8], depth_max: usize) -> Result<Vec<Endpoint>, Problem> {
    let document: Value = web::json::read(bytes, depth_max).map_err(|e| {
        Problem::invalid("openapi", "service-openapi-json")
            .with("depth", depth_max)
            .because(e)
    })?;
    let version = document["openapi"].as_str().unwrap_or_default();
    let Some(paths) = document["paths"]
        .as_object()
        .filter(|_| version.starts_with("3."))
    else {
        return Err(Problem::invalid("openapi", "service-openapi-version"));
    };
    let mut all = Vec::new();
    for (path, item) in paths {
        // Extensions stand beside the paths.
        if path.starts_with("x-") {
            continue;
        }
        let wrong = || Problem::invalid("openapi", "service-openapi-path").with("path", shown(path));
        let item = resolved(&document, item)?.as_object().ok_or_else(wrong)?;
        for method in METHODS.iter().filter(|method| item.contains_key(**method)) {
            let endpoint = format!("{} {}", method.to_uppercase(), template(path).ok_or_else(wrong)?);
            all.push(endpoint.parse().map_err(|_| wrong())?);
            if all.len() > ENDPOINTS_MAX {
                return Err(Problem::invalid("openapi", "service-endpoints").with("max", ENDPOINTS_MAX));
            }
        }
    }
    Ok(all)
}

/// A path item, or what it refers to within the document.
fn resolved<'a>(document: &'a Value, item: &'a Value) -> Result<&'a Value, Problem> {
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

    fn read(document: &Value) -> Result<Vec<String>, (&'static str, Option<String>)> {
        endpoints(document.to_string().as_bytes(), 64)
            .map(|all| all.iter().map(ToString::to_string).collect())
            .map_err(|p| (p.code, p.args.into_iter().next().map(|(_, value)| value)))
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
        assert_eq!(read(&with_paths(&paths)).expect("reads"), expected);
    }

    #[test]
    fn a_path_that_would_grant_something_else_is_refused_by_name() {
        for path in [
            "persons", "/a/**", "/a/*", "/a/", "/a//b", "/../a", "/{", "/a}b", "/{a{b}}", "/{}", "/a?b",
            "/a b", "/é",
        ] {
            let refused = read(&with_paths(&json!({path: {"get": {}}}))).expect_err(path);
            assert_eq!(refused, ("service-openapi-path", Some(path.to_owned())));
        }
        let item = read(&with_paths(&json!({"/a": [1]}))).expect_err("no item");
        assert_eq!(item.0, "service-openapi-path");
    }

    #[test]
    fn a_reference_is_followed_within_the_document_and_to_an_end_only() {
        let mut document = with_paths(&json!({"/a": {"$ref": "#/components/pathItems/a"}}));
        document["components"]["pathItems"]["a"] = json!({"get": {}});
        assert_eq!(read(&document).expect("reads"), ["GET /a"]);
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
            let (code, reference) = read(&with_paths(&paths)).expect_err("refused");
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
            assert_eq!(read(&document).expect_err("refused").0, code, "{document}");
        }
        let deep = format!("{{\"openapi\":\"3.0.0\",\"paths\":{}", "[".repeat(10_000));
        for text in ["", "openapi: 3.0.0\npaths:\n", "<html>", &deep] {
            let refused = endpoints(text.as_bytes(), 64).expect_err("refused");
            assert_eq!(refused.code, "service-openapi-json");
        }
        let mut many = Map::new();
        for n in 0..=ENDPOINTS_MAX {
            many.insert(format!("/{n}"), json!({"get": {}}));
        }
        let refused = read(&with_paths(&Value::Object(many))).expect_err("too many");
        assert_eq!(refused.0, "service-endpoints");
    }
}
