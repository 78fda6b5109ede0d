//! JSON in and out, bounded in size and depth. Never recurses over what a stranger sent before its
//! depth is known.

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use kernel::{Kind, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::body;
use crate::form::budget::Hold;
use crate::problem::Refusal;
use crate::shared::Shared;

/// A JSON body: as an extractor bounded by the limits, as an answer plain JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let max = Shared::of(&parts).limits.body_bytes_max;
        Ok(Self(bounded(&parts, content, max).await?))
    }
}

/// A JSON body with files in it, as base64: bounded as what the exchange carries is, and held in the memory that
/// uploads share.
#[derive(Debug)]
pub struct JsonWithFiles<T> {
    /// What was sent.
    pub value: T,
    /// Gives the memory of the files back to the node's budget when dropped.
    _hold: Hold,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonWithFiles<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let max = Shared::of(&parts).limits.exchange_body_bytes_max;
        let said = content.size_hint().upper();
        let size = said.and_then(|size| usize::try_from(size).ok()).unwrap_or(max);
        let mut hold = Hold::default();
        if !hold.take(size.min(max)) {
            return Err(Problem::new(Kind::Unavailable, "busy").into());
        }
        Ok(Self {
            value: bounded(&parts, content, max).await?,
            _hold: hold,
        })
    }
}

/// A request's JSON of at most `bytes_max` bytes.
async fn bounded<T: DeserializeOwned>(parts: &Parts, content: Body, bytes_max: usize) -> Result<T, Problem> {
    let limits = Shared::of(parts).limits;
    let media = body::media(parts);
    if media != "application/json" && !media.ends_with("+json") {
        return Err(body::wrong_media("application/json"));
    }
    let bytes = body::read(content, bytes_max).await?;
    read(&bytes, limits.json_depth_max)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Reads JSON of a bounded depth; also for bodies that arrive by another way than a request.
///
/// # Errors
/// 400 `json-too-deep` or `json-bad` (with `line` and `column`); 422 `field-missing`,
/// `json-unknown-field`, `json-field-bad` and `json-value-unknown` (with what is wanted there) or
/// `json-bad` when it is JSON of another shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8], depth_max: usize) -> Result<T, Problem> {
    if depth(bytes) > depth_max {
        return Err(Problem::new(Kind::Malformed, "json-too-deep").with("max", depth_max));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| (error.path().to_string(), error.into_inner()))
        .and_then(|value| {
            reader
                .end()
                .map(|()| value)
                .map_err(|error| (String::new(), error))
        });
    read.map_err(|(path, error)| explained(&path, &error))
}

/// What is wrong, at the field where it is.
fn explained(path: &str, error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    let named = |start: &str| {
        said.strip_prefix(start)?
            .split_once('`')
            .map(|(name, _)| name.to_owned())
    };
    if let Some(field) = named("missing field `") {
        return Problem::invalid(&field, "field-missing");
    }
    if let Some(field) = named("unknown field `") {
        return Problem::invalid(&field, "json-unknown-field").with("name", &field);
    }
    let is_named = !matches!(path, "" | "." | "?");
    // The library's own words for what it wanted: values of an enumeration stand in them by name.
    let wanted = said.split_once(", expected ").map_or("", |(_, wanted)| wanted);
    let wanted = wanted.split(" at line ").next().unwrap_or_default();
    if let Some(value) = named("unknown variant `") {
        let problem = Problem::invalid(if is_named { path } else { &value }, "json-value-unknown");
        return problem.with("value", value).with(
            "values",
            wanted
                .trim_start_matches("one of ")
                .replace("` or `", ", ")
                .replace('`', ""),
        );
    }
    if error.classify() != Category::Data || !is_named {
        let kind = if error.classify() == Category::Data {
            Kind::Invalid
        } else {
            Kind::Malformed
        };
        return Problem::new(kind, "json-bad")
            .with("line", error.line())
            .with("column", error.column());
    }
    let shape = match wanted {
        w if w.starts_with("a sequence") => "list",
        w if w.starts_with("struct") || w.starts_with("a map") => "object",
        w if w.starts_with("a string") => "text",
        w if w.starts_with("a boolean") => "boolean",
        w if w.starts_with(['i', 'u', 'f']) => "number",
        _ => "other",
    };
    Problem::invalid(path, "json-field-bad")
        .with("name", path)
        .with("shape", shape)
}

/// The deepest nesting of a text, by counting brackets outside strings: no stack is used.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its presence matters")]
        name: String,
    }

    fn refused(text: &str) -> (u16, &'static str, Option<String>) {
        let problem = read::<Sample>(text.as_bytes(), 64).unwrap_err();
        (problem.kind.status(), problem.code, problem.field)
    }

    #[test]
    fn json_nested_10_000_deep_is_refused_without_recursion() {
        let bomb = "[".repeat(10_000);
        let problem = read::<serde_json::Value>(bomb.as_bytes(), 64).unwrap_err();
        assert_eq!((problem.kind.status(), problem.code), (400, "json-too-deep"));
        let text = format!("\"{bomb}\\\"{bomb}\"");
        assert!(
            read::<String>(text.as_bytes(), 64).is_ok(),
            "brackets in a string are not nesting"
        );
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(tag = "do", rename_all = "lowercase")]
    enum Verb {
        Stop { lines: Vec<String> },
        Go,
    }

    #[test]
    fn a_value_that_is_none_of_those_known_is_told_with_them_and_a_shape_with_the_one_wanted() {
        let told = |text: &str| read::<Verb>(text.as_bytes(), 64).unwrap_err();
        let unknown = told(r#"{"do":"halt"}"#);
        assert_eq!((unknown.kind.status(), unknown.code), (422, "json-value-unknown"));
        assert!(
            unknown.args.contains(&("values", "stop, go".to_owned())),
            "{:?}",
            unknown.args
        );
        let text = told(r#"{"do":"stop","lines":"a"}"#);
        assert_eq!(text.kind.status(), 422);
        let [Verb::Stop { lines }, Verb::Go] = [r#"{"do":"stop","lines":["a"]}"#, r#"{"do":"go"}"#]
            .map(|good| read::<Verb>(good.as_bytes(), 64).expect("one of them"))
        else {
            panic!("the two in their order");
        };
        assert_eq!(lines, ["a"]);
        let list = read::<std::collections::BTreeMap<String, Vec<u8>>>(br#"{"a":"x"}"#, 64).unwrap_err();
        assert_eq!((list.code, list.field.as_deref()), ("json-field-bad", Some("a")));
        assert!(
            list.args.contains(&("shape", "list".to_owned())),
            "{:?}",
            list.args
        );
    }

    #[test]
    fn a_fault_in_json_names_its_field_or_its_place() {
        assert!(read::<Sample>(br#"{"name":"a"}"#, 64).is_ok());
        assert_eq!(
            refused(r#"{"name":"a","sex":1}"#),
            (422, "json-unknown-field", Some("sex".to_owned()))
        );
        assert_eq!(refused("{}"), (422, "field-missing", Some("name".to_owned())));
        assert_eq!(
            refused(r#"{"name":1}"#),
            (422, "json-field-bad", Some("name".to_owned()))
        );
        assert_eq!(refused("1").1, "json-bad", "there is no field to name");
        for bad in ["", "{", r#"{"name":"\ud800"}"#, "nul", r#"{"name":"a"}x"#] {
            assert_eq!(refused(bad).0, 400, "{bad}");
        }
    }
}
