//! `POST /api/v1/sign-in`: the form's JSON twin. Never another rule than the form's: both call
//! the same verb.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Json, Refusal};

use super::me::Me;
use crate::Site;

/// A user name and a password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    user: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Signs in and sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "identity", security(()), request_body = Credentials,
    responses((status = 200, description = "signed in; the cookie is set", body = Me),
              (status = 401, description = "wrong user or password"),
              (status = 429, description = "too many tries")),
    extensions(("x-facts" = json!(["signed-in", "sign-in-refused"]))))]
pub(crate) async fn sign_in(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Refusal> {
    let started = super::sign_in(&site, &headers, &credentials.user, &credentials.password).await?;
    let cookie = [(header::SET_COOKIE, started.cookie)];
    Ok((cookie, Json(Me::from(started.principal))).into_response())
}
