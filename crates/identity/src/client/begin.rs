//! Beginning a sign-in at the identity provider: state, nonce and PKCE verifier are kept here in a
//! short-lived row, bound to this browser by a cookie. Never puts a secret into the address.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Actor, Digest, Problem};

use super::Upstream;
use crate::store::codes::{FlowRow, insert_flow};
use crate::{Site, provider::pkce, query};

/// Keeps a flow and sends the browser to the provider.
pub(crate) async fn begin(
    site: &Site,
    upstream: &Upstream,
    headers: &HeaderMap,
    next: &str,
) -> Result<Response, Problem> {
    let world = site.store.world();
    let now = world.now();
    let authorize = upstream.metadata(now).await?.authorize.clone();
    let life_ms = site.store.limits().sign_in_flow_ms_max;
    let state = world.secret();
    // Two sign-ins begun in two tabs share the browser's secret; each still has its own state.
    let browser = site.sessions.flow_of(headers).unwrap_or_else(|| world.secret());
    let flow = FlowRow {
        browser: Digest::of(browser.as_bytes()),
        nonce: world.secret(),
        verifier: URL_SAFE_NO_PAD.encode(world.random::<32>()),
        next: next.to_owned(),
        expires: now.plus_ms(life_ms),
    };
    let state_digest = Digest::of(state.as_bytes());
    site.store
        .write(&site.tenant, &Actor::Platform, |tx| {
            let flow = flow.clone();
            async move { insert_flow(&tx, &state_digest, &flow).await }
        })
        .await?;
    let config = &upstream.config;
    let asked = query::write(&[
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("redirect_uri", &config.redirect_uri),
        ("scope", "openid profile"),
        ("state", &state),
        ("nonce", &flow.nonce),
        ("code_challenge", &pkce::challenge(&flow.verifier)),
        ("code_challenge_method", "S256"),
    ]);
    let to = HeaderValue::from_str(&format!("{authorize}?{asked}")).map_err(Problem::internal)?;
    let cookie = site.sessions.flow_cookie(&browser, life_ms / 1000);
    Ok((
        StatusCode::SEE_OTHER,
        [(header::LOCATION, to), (header::SET_COOKIE, cookie)],
    )
        .into_response())
}
