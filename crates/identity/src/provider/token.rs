//! `POST /oidc/token`: a code and its verifier for an ID token, once. A code that comes twice was
//! stolen: the second use ends what the first one got.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Actor, Digest, Fact, Problem};
use serde_json::json;
use store::Tx;
use web::openapi::utoipa;
use web::{Fields, Json, Refusal};

use super::{ACCESS_MS, claims, pkce};
use crate::Site;
use crate::accounts::{Accounts, subject};
use crate::query::Parameters;
use crate::store::codes::{self, CodeRow};

/// The form's fields (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct TokenForm {
    /// `authorization_code`.
    grant_type: String,
    /// The code.
    code: String,
    /// The same address as in the authorization request.
    redirect_uri: String,
    /// The client's id.
    client_id: String,
    /// The PKCE verifier.
    code_verifier: String,
}

/// What a client sends with a code.
#[derive(Clone)]
struct Redemption {
    code: Digest,
    client: String,
    redirect_uri: String,
    verifier: String,
}

/// Redeems a code.
#[utoipa::path(post, path = "/oidc/token", tag = "identity", security(()),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "access token and ID token", content_type = "application/json"),
              (status = 400, description = "an error of RFC 6749, section 5.2", content_type = "application/json")),
    extensions(("x-facts" = json!(["sign-in-refused"]))))]
pub(crate) async fn token(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Refusal> {
    let provider = site.provider.as_ref().ok_or_else(Problem::not_found)?;
    let asked = match read(&headers, &fields) {
        Ok(asked) => asked,
        Err(error) => return Ok(refused(error)),
    };
    let access = site.store.world().secret();
    let access_digest = Digest::of(access.as_bytes());
    let redeemed = site
        .store
        .write(&site.tenant, &Actor::Platform, |tx| {
            let asked = asked.clone();
            async move { redeem(&tx, &asked, &access_digest).await }
        })
        .await?;
    let Some(code) = redeemed else {
        return Ok(refused("invalid_grant"));
    };
    let accounts = Accounts::new(site.store.clone(), site.tenant.clone());
    let Some(account) = accounts.get(&code.account).await? else {
        return Ok(refused("invalid_grant"));
    };
    let now = site.store.world().now();
    let id_token = claims::id_token(&site, provider, &code, &account, now)?;
    Ok(answer(
        StatusCode::OK,
        &json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_MS / 1000,
            "scope": "openid",
            "id_token": id_token,
        }),
    ))
}

fn read(headers: &HeaderMap, fields: &Fields) -> Result<Redemption, &'static str> {
    let pairs = fields
        .all()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let parameters = Parameters::read(pairs).map_err(|_| "invalid_request")?;
    // Our clients are public; one that proves itself another way is confused or somebody else.
    if headers.contains_key(header::AUTHORIZATION)
        || parameters.get("client_secret").is_some()
        || parameters.get("client_assertion").is_some()
    {
        return Err("invalid_client");
    }
    if parameters.get("grant_type") != Some("authorization_code") {
        return Err("unsupported_grant_type");
    }
    let need = |name: &str| parameters.get(name).map(str::to_owned).ok_or("invalid_request");
    Ok(Redemption {
        code: Digest::of(need("code")?.as_bytes()),
        client: need("client_id")?,
        redirect_uri: need("redirect_uri")?,
        verifier: need("code_verifier")?,
    })
}

/// Uses a code up; `None` when it is not good. A reuse is written before it is refused, so this
/// answers `Ok` for it: an error would undo the revocation.
async fn redeem(tx: &Tx, asked: &Redemption, access: &Digest) -> Result<Option<CodeRow>, Problem> {
    let Some(row) = codes::code(tx, &asked.code).await? else {
        return Ok(None);
    };
    if row.used {
        if !row.revoked {
            codes::revoke_code(tx, &asked.code).await?;
            let fact = Fact::SignInRefused {
                account: row.account.clone(),
                reason: "code-reused".to_owned(),
            };
            tx.fact(&subject(&row.account), fact).await?;
        }
        return Ok(None);
    }
    let good = !row.revoked
        && row.client == asked.client
        && row.redirect_uri == asked.redirect_uri
        && row.expires > tx.now()
        && pkce::fits(&asked.verifier, &row.challenge);
    if !good {
        return Ok(None);
    }
    let used = codes::use_code(tx, &asked.code, access, tx.now().plus_ms(ACCESS_MS)).await?;
    Ok(used.then_some(row))
}

fn refused(error: &str) -> Response {
    let status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    };
    answer(status, &json!({ "error": error }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, [no_store], Json(body)).into_response()
}
