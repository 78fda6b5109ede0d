//! A signed container for those who took part, by the exchange's id. Never of an exchange this node has
//! no side of.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};

use super::{Face, Form, fault};
use crate::export::Which;

/// The container of a request, or of its answer under the request's id with `-answer`.
pub(super) async fn container(State(face): State<Face>, Path(name): Path<String>) -> Response {
    let (request, which) = match name.strip_suffix("-answer") {
        Some(request) => (request, Which::Answer),
        None => (name.as_str(), Which::Request),
    };
    match face.exchange.container(request, which).await {
        // Only an id of ours was found, so that it can stand in a header.
        Ok(zip) => file(seal::asice::MIME_TYPE, &format!("{request}.asice"), zip),
        Err(problem) => fault::refused(&face.exchange, &problem, Form::Native),
    }
}

fn file(media: &str, name: &str, bytes: Vec<u8>) -> Response {
    let attachment = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, media.to_owned()),
        (CONTENT_DISPOSITION, attachment),
    ];
    (headers, bytes).into_response()
}
