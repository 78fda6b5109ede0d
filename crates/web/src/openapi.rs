//! Describing operations, and checking that each says who may call it and what it changes. Never
//! describes one itself.
//!
//! Every operation has a `tag` and `security(("session" = ["officer"]))`, or `security(())` when
//! it is public. One that changes something also has `extensions(("x-facts" = json!(["…"])))`:
//! the facts it leaves; a POST that only computes says `extensions(("x-changes-nothing" = json!(true)))`.

use axum::Router;
use axum::routing::get;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
pub use utoipa::{self, OpenApi, ToSchema, path};
pub use utoipa_axum::{router::OpenApiRouter, routes};

/// Serves a description at `/api/openapi.json`.
pub fn router(api: utoipa::openapi::OpenApi) -> Router {
    Router::new().route("/api/openapi.json", get(move || async move { axum::Json(api) }))
}

/// Adds the scheme that `security(("session" = […]))` names: the node's session cookie.
pub fn add_session_scheme(api: &mut utoipa::openapi::OpenApi, cookie: &str) {
    let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie)));
    api.components
        .get_or_insert_default()
        .add_security_scheme("session", scheme);
}

/// Faults of a description: an operation without a tag, without `security`, or a changing one
/// that does not name the facts it leaves.
#[must_use]
pub fn faults(api: &utoipa::openapi::OpenApi) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, item) in &api.paths.paths {
        for (method, operation, changes) in operations(item) {
            let mut fault = |what: &str| faults.push(format!("{method} {path}: {what}"));
            if operation.tags.as_ref().is_none_or(Vec::is_empty) {
                fault("no tag");
            }
            if operation.security.is_none() {
                fault("no security; write security(()) for a public one");
            }
            let facts = operation.extensions.as_ref().and_then(|e| e.get("x-facts"));
            let named = facts.and_then(|f| f.as_array()).is_some_and(|f| !f.is_empty());
            let nothing = operation
                .extensions
                .as_ref()
                .and_then(|e| e.get("x-changes-nothing"));
            if changes && !named && nothing.and_then(serde_json::Value::as_bool) != Some(true) {
                fault("changes something and names no x-facts");
            }
        }
    }
    faults
}

/// Every operation of a path: its method, itself, and whether that method changes something.
fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation, bool)> {
    [
        ("get", &item.get, false),
        ("head", &item.head, false),
        ("post", &item.post, true),
        ("put", &item.put, true),
        ("patch", &item.patch, true),
        ("delete", &item.delete, true),
    ]
    .into_iter()
    .filter_map(|(method, operation, changes)| Some((method, operation.as_ref()?, changes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[utoipa::path(get, path = "/a", tag = "a", security(()))]
    fn open() {}

    #[utoipa::path(post, path = "/b", tag = "b", security(("session" = ["officer"])),
        extensions(("x-facts" = json!(["case-accepted"]))))]
    fn told() {}

    #[utoipa::path(post, path = "/c", extensions(("x-facts" = json!([]))))]
    fn untold() {}

    #[derive(utoipa::OpenApi)]
    #[openapi(paths(open, told, untold))]
    struct Api;

    #[test]
    fn an_operation_says_who_may_call_it_and_what_it_leaves() {
        open();
        told();
        untold();
        assert_eq!(
            faults(&<Api as utoipa::OpenApi>::openapi()),
            [
                "post /c: no tag",
                "post /c: no security; write security(()) for a public one",
                "post /c: changes something and names no x-facts"
            ]
        );
    }
}
