//! A refusal on its way out, and `present`, the middleware that words it. Never words an inner
//! cause: that goes to the log, once, with the request's id.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::Problem;

use crate::shared::Shared;

/// What handlers return: `Result<_, Refusal>`; `?` turns a [`Problem`] into it.
#[derive(Clone, Debug)]
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// Wraps a node's whole router.
pub fn present(router: Router, shared: Shared) -> Router {
    router.layer(axum::Extension(shared))
}
