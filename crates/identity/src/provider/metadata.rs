//! What the provider says about itself, and its public key. Never announces what it does not do.

use std::sync::Arc;

use axum::extract::State;
use kernel::Problem;
use seal::jws::PublicKey;
use serde_json::{Value, json};
use web::openapi::utoipa;
use web::{Json, Refusal};

use crate::Site;

/// The provider's metadata (OpenID Connect Discovery 1.0).
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "identity", security(()),
    responses((status = 200, description = "the metadata", content_type = "application/json")))]
pub(crate) async fn configuration(State(site): State<Arc<Site>>) -> Result<Json<Value>, Refusal> {
    let provider = site.provider.as_ref().ok_or_else(Problem::not_found)?;
    let at = |path: &str| format!("{}{path}", provider.issuer);
    Ok(Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at("/oidc/authorize"),
        "token_endpoint": at("/oidc/token"),
        "userinfo_endpoint": at("/oidc/userinfo"),
        "jwks_uri": at("/oidc/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "acr_values_supported": ["1", "2"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "acr", "loAs",
            "SoDinhDanh", "HoVaTen", "NgayThangNamSinh"],
        "ui_locales_supported": ["vi", "en"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })))
}

/// The key that signs ID tokens, as a JSON Web Key Set.
#[utoipa::path(get, path = "/oidc/jwks.json", tag = "identity", security(()),
    responses((status = 200, description = "the key set", content_type = "application/json")))]
pub(crate) async fn keys(State(site): State<Arc<Site>>) -> Result<Json<Value>, Refusal> {
    let provider = site.provider.as_ref().ok_or_else(Problem::not_found)?;
    let jwk = PublicKey::of(&provider.key).to_jwk(&provider.kid());
    Ok(Json(json!({ "keys": [jwk] })))
}
