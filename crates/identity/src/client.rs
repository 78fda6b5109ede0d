//! Signing in with another organisation's identity provider: what its metadata says, cached, and
//! the calls to it. Never trusts an address outside the issuer's own.

pub(crate) mod begin;
pub(crate) mod callback;
pub mod id_token;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http;
use kernel::{Kind, Problem, Time};
use seal::jws::PublicKey;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

/// How long the provider's metadata and keys are used before they are fetched again, in milliseconds.
const METADATA_MS: i64 = 600_000;
/// How long they stay usable while the provider does not answer, in milliseconds.
const METADATA_STALE_MS: i64 = 24 * 3_600_000;
/// The shortest time between two fetches for an unknown key, in milliseconds.
const KEY_FETCH_MS: i64 = 30_000;
/// Time for one call to the provider, in milliseconds.
const CALL_MS: u64 = 10_000;
/// Size of one answer of the provider, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Keys of the provider that are kept, count.
const KEYS_MAX: usize = 16;

/// How this node is known to its identity provider.
#[derive(Clone)]
pub struct ClientConfig {
    /// The provider's issuer: `https://…` without a trailing slash.
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// Where it sends people back: our `/sign-in/callback`, exactly as registered.
    pub redirect_uri: String,
    /// The lowest assurance level that may sign in, 1 or 2.
    pub level_min: u8,
    /// Calls the provider.
    pub http: web::Client,
}

/// The provider as last seen.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) keys: BTreeMap<String, PublicKey>,
    fetched: Time,
}

/// The provider this node signs people in with.
pub(crate) struct Upstream {
    pub(crate) config: ClientConfig,
    seen: Mutex<Option<Arc<Metadata>>>,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Upstream {
    pub(crate) fn new(config: ClientConfig) -> Self {
        Self {
            config,
            seen: Mutex::new(None),
        }
    }

    /// The provider's metadata; fetched at most every ten minutes, and old ones are used for a day
    /// when it does not answer.
    pub(crate) async fn metadata(&self, now: Time) -> Result<Arc<Metadata>, Problem> {
        let mut seen = self.seen.lock().await;
        if let Some(known) = seen.as_ref().filter(|m| m.fetched.plus_ms(METADATA_MS) > now) {
            return Ok(known.clone());
        }
        match (self.fetch(now).await, seen.as_ref()) {
            (Ok(fetched), _) => Ok(seen.insert(Arc::new(fetched)).clone()),
            (Err(problem), Some(old)) if old.fetched.plus_ms(METADATA_STALE_MS) > now => {
                tracing::warn!(cause = %problem, "the identity provider's metadata could not be renewed");
                Ok(old.clone())
            }
            (Err(problem), _) => Err(problem),
        }
    }

    /// The metadata with a key of this name, fetched anew when the key is not among those known:
    /// the provider may have changed its key a moment ago.
    pub(crate) async fn metadata_with_key(&self, kid: &str, now: Time) -> Result<Arc<Metadata>, Problem> {
        let known = self.metadata(now).await?;
        if known.keys.contains_key(kid) || known.fetched.plus_ms(KEY_FETCH_MS) > now {
            return Ok(known);
        }
        let mut seen = self.seen.lock().await;
        Ok(seen.insert(Arc::new(self.fetch(now).await?)).clone())
    }

    async fn fetch(&self, now: Time) -> Result<Metadata, Problem> {
        let issuer = &self.config.issuer;
        let read: Configuration = self
            .get_json(&format!("{issuer}/.well-known/openid-configuration"))
            .await?;
        if read.issuer != *issuer {
            return Err(broken("the metadata name another issuer"));
        }
        let inside = format!("{issuer}/");
        let addresses = [&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri];
        if !addresses.iter().all(|a| a.starts_with(&inside)) {
            return Err(broken("an address outside the issuer's own"));
        }
        let set: KeySet = self.get_json(&read.jwks_uri).await?;
        let keys = set
            .keys
            .iter()
            .take(KEYS_MAX)
            .filter_map(|jwk| Some((jwk.get("kid")?.as_str()?.to_owned(), key_of(jwk)?)))
            .collect();
        Ok(Metadata {
            authorize: read.authorization_endpoint,
            token: read.token_endpoint,
            keys,
            fetched: now,
        })
    }

    async fn get_json<T: serde::de::DeserializeOwned>(&self, uri: &str) -> Result<T, Problem> {
        let request = http::Request::get(uri).header(http::header::ACCEPT, "application/json");
        let (status, body) = self.send(request.body(bytes::Bytes::new())).await?;
        if status != 200 {
            return Err(broken(format!("status {status}")));
        }
        serde_json::from_slice(&body).map_err(broken)
    }

    /// Posts a form to the provider.
    pub(crate) async fn post_form(
        &self,
        uri: &str,
        pairs: &[(&str, &str)],
    ) -> Result<(u16, bytes::Bytes), Problem> {
        let request = http::Request::post(uri)
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(bytes::Bytes::from(crate::query::write(pairs))))
            .await
    }

    async fn send(
        &self,
        request: Result<http::Request<bytes::Bytes>, http::Error>,
    ) -> Result<(u16, bytes::Bytes), Problem> {
        let request = request.map_err(Problem::internal)?;
        let answer = self
            .config
            .http
            .send(request, CALL_MS, ANSWER_BYTES_MAX)
            .await
            .map_err(|e| Problem::new(Kind::Unavailable, "identity-provider-unreachable").because(e))?;
        Ok((answer.status().as_u16(), answer.into_body()))
    }
}

/// Keys for other uses or algorithms stand in some key sets; they are passed over.
fn key_of(jwk: &Value) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let fits = text("use").is_none_or(|u| u == "sig") && text("alg").is_none_or(|a| a == "ES256");
    fits.then(|| PublicKey::from_jwk(jwk).ok()).flatten()
}

/// The provider answered something that is not to be relied on.
pub(crate) fn broken(cause: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Upstream, "identity-provider-broken").because(cause)
}

#[cfg(test)]
mod tests;
