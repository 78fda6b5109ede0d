//! `GET /oidc/authorize`: gives a code to a registered client for whoever is signed in here. Never
//! redirects to an address that is not registered, byte for byte.

use std::sync::Arc;

use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Digest, Kind, Problem, Time};
use web::openapi::utoipa;
use web::{Principal, Refusal};

use super::{ACCESS_MS, Provider, pkce};
use crate::query::Parameters;
use crate::store::codes::{CodeRow, insert_code, sweep_codes};
use crate::{Site, query};

/// The longest `state` and `nonce` kept, in bytes.
const SECRET_BYTES_MAX: usize = 512;

/// A well-formed request of a registered client.
struct Asked<'a> {
    client: &'a str,
    redirect_uri: &'a str,
    nonce: &'a str,
    challenge: &'a str,
}

/// Sends the browser back to the client with a code, or to sign in first.
#[utoipa::path(get, path = "/oidc/authorize", tag = "identity", security(()),
    params(("client_id" = String, Query), ("redirect_uri" = String, Query),
           ("response_type" = String, Query), ("scope" = String, Query), ("state" = String, Query),
           ("nonce" = String, Query), ("code_challenge" = String, Query),
           ("code_challenge_method" = String, Query)),
    responses((status = 303, description = "back to the client, or to `/sign-in`"),
              (status = 400, description = "client or address not registered")))]
pub(crate) async fn authorize(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let provider = site.provider.as_ref().ok_or_else(Problem::not_found)?;
    let raw = pairs.clone();
    let parameters = Parameters::read(pairs)?;
    let (client, redirect_uri) = match (parameters.get("client_id"), parameters.get("redirect_uri")) {
        (Some(client), Some(uri)) if provider.client(client, uri).is_some() => (client, uri),
        _ => return Err(Problem::new(Kind::Malformed, "client-unknown").into()),
    };
    let back = |pairs: &[(&str, &str)]| send_back(provider, redirect_uri, &parameters, pairs);
    let asked = match read(client, redirect_uri, &parameters) {
        Ok(asked) => asked,
        Err(error) => return Ok(back(&[("error", error)])?),
    };
    let session = match site.sessions.token_of(&headers) {
        Some(token) => site.sessions.find(&token).await?,
        None => None,
    };
    let prompt = parameters.get("prompt");
    let now = site.store.world().now();
    match session {
        Some((who, since)) if prompt != Some("login") && fresh_enough(&parameters, since, now) => {
            if who.subject.is_none() || who.level == 0 {
                return Ok(back(&[("error", "access_denied")])?);
            }
            let code = give_code(&site, &asked, &who, since).await?;
            Ok(back(&[("code", &code)])?)
        }
        _ if prompt == Some("none") => Ok(back(&[("error", "login_required")])?),
        _ => Ok(to_sign_in(uri.path(), &raw)?),
    }
}

/// Checks what a client may be told by redirect; the error is OAuth's word for it.
fn read<'a>(
    client: &'a str,
    redirect_uri: &'a str,
    parameters: &'a Parameters,
) -> Result<Asked<'a>, &'static str> {
    if parameters.get("request").is_some() {
        return Err("request_not_supported");
    }
    if parameters.get("request_uri").is_some() {
        return Err("request_uri_not_supported");
    }
    if parameters.get("response_type") != Some("code") {
        return Err("unsupported_response_type");
    }
    if parameters
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err("invalid_request");
    }
    let scope = parameters.get("scope").unwrap_or_default();
    if !scope.split(' ').any(|s| s == "openid") {
        return Err("invalid_scope");
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err("invalid_request");
    }
    let short = |name: &str| {
        parameters
            .get(name)
            .filter(|v| v.len() <= SECRET_BYTES_MAX)
            .ok_or("invalid_request")
    };
    // It goes back as it came; a client that sends none has no defence against a planted answer.
    short("state")?;
    Ok(Asked {
        client,
        redirect_uri,
        nonce: short("nonce")?,
        challenge: short("code_challenge").and_then(|c| {
            if pkce::is_challenge(c) {
                Ok(c)
            } else {
                Err("invalid_request")
            }
        })?,
    })
}

/// `max_age`: how long ago, in seconds, the sign-in may be.
fn fresh_enough(parameters: &Parameters, since: Time, now: Time) -> bool {
    match parameters.get("max_age").map(str::parse::<i64>) {
        None => true,
        Some(Ok(seconds)) => since.plus_ms(seconds.clamp(0, 1 << 31) * 1000) >= now,
        Some(Err(_)) => false,
    }
}

async fn give_code(site: &Site, asked: &Asked<'_>, who: &Principal, since: Time) -> Result<String, Problem> {
    let world = site.store.world();
    let code = world.secret();
    let digest = Digest::of(code.as_bytes());
    let row = CodeRow {
        client: asked.client.to_owned(),
        redirect_uri: asked.redirect_uri.to_owned(),
        challenge: asked.challenge.to_owned(),
        nonce: asked.nonce.to_owned(),
        account: who.account.clone(),
        level: who.level,
        signed_in: since,
        expires: world.now().plus_ms(site.store.limits().sign_in_code_ms_max),
        used: false,
        revoked: false,
        access_expires: None,
    };
    site.store
        .write(&site.tenant, &who.actor, |tx| {
            let row = row.clone();
            async move {
                // Used codes stay as long as their access token may live: reuse must still be seen.
                sweep_codes(&tx, tx.now().plus_ms(-2 * ACCESS_MS)).await?;
                insert_code(&tx, &digest, &row).await
            }
        })
        .await?;
    Ok(code)
}

fn send_back(
    provider: &Provider,
    redirect_uri: &str,
    parameters: &Parameters,
    pairs: &[(&str, &str)],
) -> Result<Response, Problem> {
    let mut pairs = pairs.to_vec();
    if let Some(state) = parameters.get("state") {
        pairs.push(("state", state));
    }
    pairs.push(("iss", &provider.issuer));
    let join = if redirect_uri.contains('?') { '&' } else { '?' };
    see_other(&format!("{redirect_uri}{join}{}", query::write(&pairs)))
}

/// To the sign-in page and back here; without `prompt` and `max_age`, which that answers.
fn to_sign_in(path: &str, pairs: &[(String, String)]) -> Result<Response, Problem> {
    let kept: Vec<(&str, &str)> = pairs
        .iter()
        .filter(|(name, _)| name != "prompt" && name != "max_age")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let next = format!("{path}?{}", query::write(&kept));
    see_other(&format!("/sign-in?{}", query::write(&[("next", &next)])))
}

fn see_other(to: &str) -> Result<Response, Problem> {
    let to = HeaderValue::from_str(to).map_err(Problem::internal)?;
    let no_store = HeaderValue::from_static("no-store");
    Ok((
        StatusCode::SEE_OTHER,
        [(header::LOCATION, to), (header::CACHE_CONTROL, no_store)],
    )
        .into_response())
}
