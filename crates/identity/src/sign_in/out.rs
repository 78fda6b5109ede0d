//! `POST /sign-out` and its JSON twin: the session's row goes, then the cookie. Never by GET: a
//! picture on another site could sign people out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use web::openapi::utoipa;
use web::{MaybeSignedIn, Refusal};

use crate::Site;

/// Ends the session and goes to the first page.
#[utoipa::path(post, path = "/sign-out", tag = "identity", security(()),
    responses((status = 303, description = "signed out; to the first page")),
    extensions(("x-facts" = json!(["signed-out"]))))]
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    user: MaybeSignedIn,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let forget = sign_out(&site, user, &headers).await?;
    let to = (header::LOCATION, HeaderValue::from_static("/"));
    Ok((StatusCode::SEE_OTHER, [to, (header::SET_COOKIE, forget)]).into_response())
}

/// Ends the session.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "identity", security(()),
    responses((status = 204, description = "signed out")),
    extensions(("x-facts" = json!(["signed-out"]))))]
pub(crate) async fn api(
    State(site): State<Arc<Site>>,
    user: MaybeSignedIn,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let forget = sign_out(&site, user, &headers).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget)]).into_response())
}

async fn sign_out(site: &Site, user: MaybeSignedIn, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    if let (Some(principal), Some(token)) = (user.0, site.sessions.token_of(headers)) {
        site.sessions.end(&principal, token).await?;
    }
    Ok(site.sessions.forget())
}
