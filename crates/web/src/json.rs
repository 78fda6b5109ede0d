//! JSON in and out, bounded in size and depth. Never recurses over what a stranger sent before its
//! depth is known.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use kernel::{Kind, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::body;
use crate::problem::Refusal;
use crate::shared::Shared;

/// A JSON body: as an extractor bounded by the limits, as an answer plain JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, content) = request.into_parts();
        let limits = Shared::of(&parts).limits;
        let media = body::media(&parts);
        if media != "application/json" && !media.ends_with("+json") {
            return Err(body::wrong_media("application/json").into());
        }
        let bytes = body::read(content, limits.body_bytes_max).await?;
        Ok(Self(read(&bytes, limits.json_depth_max)?))
    }
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
/// `json-unknown-field` or `json-bad` when it is JSON of another shape.
pub fn read<T: DeserializeOwned>(bytes: &[u8], depth_max: usize) -> Result<T, Problem> {
    if depth(bytes) > depth_max {
        return Err(Problem::new(Kind::Malformed, "json-too-deep").with("max", depth_max));
    }
    serde_json::from_slice(bytes).map_err(|error| {
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
        let kind = if error.classify() == Category::Data {
            Kind::Invalid
        } else {
            Kind::Malformed
        };
        Problem::new(kind, "json-bad")
            .with("line", error.line())
            .with("column", error.column())
    })
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

    #[test]
    fn a_fault_in_json_names_its_field_or_its_place() {
        assert!(read::<Sample>(br#"{"name":"a"}"#, 64).is_ok());
        assert_eq!(
            refused(r#"{"name":"a","sex":1}"#),
            (422, "json-unknown-field", Some("sex".to_owned()))
        );
        assert_eq!(refused("{}"), (422, "field-missing", Some("name".to_owned())));
        assert_eq!(refused(r#"{"name":1}"#), (422, "json-bad", None));
        for bad in ["", "{", r#"{"name":"\ud800"}"#, "nul", r#"{"name":"a"}x"#] {
            assert_eq!(refused(bad).0, 400, "{bad}");
        }
    }
}
