//! JSON in and out, bounded in size and depth. Never recurses over what a stranger sent before its
//! depth is known.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Refusal;

/// A JSON body: as an extractor bounded by the limits, as an answer plain JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(_request: Request, _: &S) -> Result<Self, Refusal> {
        unimplemented!()
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}
