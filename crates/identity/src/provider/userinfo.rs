//! `GET /oidc/userinfo`: the claims once more, for a client with a good access token. Never for a
//! token in the address: addresses are logged.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Digest, Problem};
use web::openapi::utoipa;
use web::{Json, Refusal};

use super::claims;
use crate::Site;
use crate::store;
use crate::store::codes::code_by_access;

/// Who the access token is about.
#[utoipa::path(get, path = "/oidc/userinfo", tag = "identity", security(()),
    responses((status = 200, description = "the claims", content_type = "application/json"),
              (status = 401, description = "no good access token")))]
pub(crate) async fn userinfo(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<Response, Refusal> {
    match claims_of(&site, &headers).await? {
        Some(claims) => {
            let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(([no_store], Json(claims)).into_response())
        }
        None => {
            let why = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
            let error = Json(serde_json::json!({ "error": "invalid_token" }));
            let why = [(header::WWW_AUTHENTICATE, why)];
            Ok((StatusCode::UNAUTHORIZED, why, error).into_response())
        }
    }
}

async fn claims_of(site: &Site, headers: &HeaderMap) -> Result<Option<serde_json::Value>, Problem> {
    let Some(token) = bearer(headers) else {
        return Ok(None);
    };
    let reader = site.store.read(&site.tenant).await?;
    let Some(code) = code_by_access(&reader, &Digest::of(token.as_bytes())).await? else {
        return Ok(None);
    };
    let now = site.store.world().now();
    if code.revoked || code.access_expires.is_none_or(|end| end <= now) {
        return Ok(None);
    }
    match store::account(&reader, &code.account).await? {
        Some(account) => claims::person(site, &code, &account).map(Some),
        None => Ok(None),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
