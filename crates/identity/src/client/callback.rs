//! `GET /sign-in/callback`: the browser comes back with a code; we redeem it server to server,
//! check what we got, and begin a session. Never signs in a browser that did not begin the flow.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Actor, Digest, Kind, Problem};
use serde::Deserialize;
use web::Refusal;
use web::openapi::utoipa;

use super::id_token::{self, Claims, Expected};
use super::{Upstream, broken};
use crate::accounts::{Account, CITIZEN, NewAccount, subject};
use crate::query::Parameters;
use crate::store::codes::{FlowRow, take_flow};
use crate::{Site, next};

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    token_type: String,
}

/// Finishes a sign-in that began at `GET /sign-in`.
#[utoipa::path(get, path = "/sign-in/callback", tag = "identity", security(()),
    params(("code" = Option<String>, Query), ("state" = Option<String>, Query),
           ("iss" = Option<String>, Query), ("error" = Option<String>, Query)),
    responses((status = 303, description = "signed in; to the page asked for first"),
              (status = 409, description = "the sign-in is over, or was begun in another browser"),
              (status = 502, description = "the provider's answer is not to be relied on")),
    extensions(("x-facts" = json!(["account-opened", "signed-in"]))))]
pub(crate) async fn callback(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let upstream = site.client.as_ref().ok_or_else(Problem::not_found)?;
    let asked = Parameters::read(pairs).map_err(|_| expired("a parameter came twice"))?;
    let flow = flow_of(&site, &headers, &asked).await?;
    // RFC 9207: an answer of another provider must not be redeemed at ours.
    if asked.get("iss") != Some(upstream.config.issuer.as_str()) {
        return Err(broken("iss of the answer").into());
    }
    let Some(code) = asked.get("code") else {
        return Err(Problem::new(Kind::Invalid, "sign-in-declined").into());
    };
    let claims = redeem(&site, upstream, &flow, code).await?;
    if claims.level < upstream.config.level_min {
        let low = Problem::new(Kind::Forbidden, "level-too-low");
        return Err(low.with("level", upstream.config.level_min).into());
    }
    let cookie = begin_session(&site, upstream, &headers, &claims).await?;
    let to = HeaderValue::from_str(next::local(Some(&flow.next))).map_err(Problem::internal)?;
    Ok((
        StatusCode::SEE_OTHER,
        [(header::LOCATION, to), (header::SET_COOKIE, cookie)],
    )
        .into_response())
}

fn expired(cause: &str) -> Problem {
    Problem::new(Kind::Conflict, "sign-in-expired").because(cause)
}

/// The flow that this browser began under this state; it is gone afterwards, good or bad.
async fn flow_of(site: &Site, headers: &HeaderMap, asked: &Parameters) -> Result<FlowRow, Problem> {
    let state = asked.get("state").ok_or_else(|| expired("no state"))?;
    let browser = site
        .sessions
        .flow_of(headers)
        .ok_or_else(|| expired("no cookie of a begun sign-in"))?;
    let state = Digest::of(state.as_bytes());
    let flow = site
        .store
        .write(&site.tenant, &Actor::Platform, |tx| async move {
            take_flow(&tx, &state).await
        })
        .await?
        .ok_or_else(|| expired("unknown state"))?;
    let same = aws_lc_rs::constant_time::verify_slices_are_equal(
        flow.browser.bytes(),
        Digest::of(browser.as_bytes()).bytes(),
    );
    if same.is_err() {
        return Err(expired("begun in another browser"));
    }
    if flow.expires <= site.store.world().now() {
        return Err(expired("too late"));
    }
    Ok(flow)
}

async fn redeem(site: &Site, upstream: &Upstream, flow: &FlowRow, code: &str) -> Result<Claims, Problem> {
    let config = &upstream.config;
    let now = site.store.world().now();
    let metadata = upstream.metadata(now).await?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &config.redirect_uri),
        ("client_id", &config.client_id),
        ("code_verifier", &flow.verifier),
    ];
    let (status, body) = upstream.post_form(&metadata.token, &form).await?;
    if status != 200 {
        return Err(expired("the provider refused the code"));
    }
    let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|_| broken("token answer"))?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") {
        return Err(broken("token type"));
    }
    let now = site.store.world().now();
    let kid = kid_of(&answer.id_token).unwrap_or_default();
    let metadata = upstream.metadata_with_key(&kid, now).await?;
    let expected = Expected {
        issuer: &config.issuer,
        client_id: &config.client_id,
        nonce: &flow.nonce,
        now,
        keys: &metadata.keys,
    };
    id_token::check(&answer.id_token, &expected).map_err(broken)
}

/// The key a token names, before anything about it is checked: only to know which keys to fetch.
fn kid_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    let header = token.split('.').next()?;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(header)
        .ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    Some(header.get("kid")?.as_str()?.to_owned())
}

/// The id under which somebody the provider knows has an account here: the same each time, and
/// nothing about the person can be read from it.
fn account_id(issuer: &str, sub: &str) -> String {
    Digest::of_parts(&[issuer.as_bytes(), &[0], sub.as_bytes()]).hex()[..32].to_owned()
}

/// Opens the citizen's account or brings it up to date, and begins the session, in one write.
async fn begin_session(
    site: &Site,
    upstream: &Upstream,
    headers: &HeaderMap,
    claims: &Claims,
) -> Result<HeaderValue, Problem> {
    let id = account_id(&upstream.config.issuer, &claims.sub);
    let new = NewAccount {
        user: format!("oidc:{id}"),
        id,
        password: None,
        name: claims.name.clone(),
        subject: Some(claims.subject.clone()),
        born: claims.born,
        level: claims.level,
        roles: vec![CITIZEN.to_owned()],
        unit: site.tenant.clone(),
    };
    let (token, cookie) = site.sessions.fresh();
    let old = site.sessions.token_of(headers);
    let actor = Actor::Citizen(new.id.clone());
    site.store
        .write(&site.tenant, &actor, |tx| {
            let new = new.clone();
            async move {
                if !crate::store::update_account(&tx, &new).await? {
                    crate::accounts::open(&tx, &new).await?;
                }
                let account = Account {
                    id: new.id,
                    name: new.name,
                    subject: new.subject,
                    born: new.born,
                    level: new.level,
                    roles: new.roles,
                    unit: new.unit,
                };
                let level = account.level;
                let begun = site.sessions.begin(&tx, &account, level, &token, old.as_ref());
                begun.await
            }
        })
        .await?;
    tracing::debug!(subject = %subject(&new.id), "a citizen signed in through the identity provider");
    Ok(cookie)
}
