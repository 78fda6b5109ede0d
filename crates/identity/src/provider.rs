//! The OpenID Connect provider: code flow for registered public clients, PKCE S256, ID tokens in
//! ES256. Never another flow, another algorithm, or an address that was not registered.

pub(crate) mod authorize;
pub(crate) mod claims;
pub(crate) mod metadata;
pub(crate) mod pkce;
pub(crate) mod token;
pub(crate) mod userinfo;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Digest;
use seal::jws::PublicKey;
use seal::key::SigningKey;

/// How long an access token is good for, in milliseconds: time to ask `userinfo` once.
pub(crate) const ACCESS_MS: i64 = 300_000;
/// How long an ID token is good for, in seconds.
pub(crate) const ID_TOKEN_S: i64 = 300;

/// A node that signs people in for others.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its address without a trailing slash: `http://127.0.0.1:8081`.
    pub issuer: String,
    /// Signs ID tokens; used for nothing else.
    pub key: SigningKey,
    /// Who may ask.
    pub clients: Vec<Client>,
}

/// A registered client: public, so PKCE is its only proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Where people may be sent back to, compared byte by byte.
    pub redirect_uris: Vec<String>,
}

impl Provider {
    /// The client, when both its id and this address are registered.
    pub(crate) fn client(&self, id: &str, redirect_uri: &str) -> Option<&Client> {
        self.clients
            .iter()
            .find(|c| c.id == id && c.redirect_uris.iter().any(|uri| uri == redirect_uri))
    }

    /// The signing key's name: the thumbprint of its JWK (RFC 7638).
    pub(crate) fn kid(&self) -> String {
        let jwk = PublicKey::of(&self.key).to_jwk("");
        let text = |name: &str| jwk[name].as_str().unwrap_or_default().to_owned();
        let canonical = format!(
            r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#,
            text("crv"),
            text("kty"),
            text("x"),
            text("y")
        );
        URL_SAFE_NO_PAD.encode(Digest::of(canonical.as_bytes()).bytes())
    }
}

#[cfg(test)]
mod tests;
