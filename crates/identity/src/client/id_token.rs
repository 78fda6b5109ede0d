//! Checking an ID token, strictly: OpenID Connect Core 3.1.3.7 narrowed to what we accept. Pure: no
//! clock, no network. Never reads a claim before the signature is checked.

use std::collections::BTreeMap;

use kernel::time::parse_iso;
use kernel::{Date, PersonalNumber, Time};
use seal::jws::PublicKey;
use serde::Deserialize;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY_S: i64 = 60;
/// How old a token may be when it arrives, in seconds: it comes straight from the provider.
const AGE_S_MAX: i64 = 600;
/// The longest subject identifier, in characters (OpenID Connect Core, section 2).
const SUB_MAX: usize = 255;

/// What a token must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Us.
    pub client_id: &'a str,
    /// The secret that this sign-in was begun with.
    pub nonce: &'a str,
    /// The present instant.
    pub now: Time,
    /// The provider's keys by name.
    pub keys: &'a BTreeMap<String, PublicKey>,
}

/// Who signed in, as the provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The subject as this client knows them; another client gets another.
    pub sub: String,
    /// Assurance level, 1 or 2.
    pub level: u8,
    /// Personal number.
    pub subject: PersonalNumber,
    /// Full name.
    pub name: String,
    /// Date of birth.
    pub born: Option<Date>,
}

/// Why a token is refused; for the log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ID token refused: {0}")]
pub struct Fault(pub &'static str);

/// The claims as sent. Types are exact: an `exp` that is a text or has a fraction, an `aud` that is
/// a list, or a claim said twice, does not read.
#[derive(Deserialize)]
struct Raw {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: String,
    acr: String,
    azp: Option<String>,
    #[serde(rename = "loAs")]
    loas: String,
    #[serde(rename = "SoDinhDanh")]
    number: String,
    #[serde(rename = "HoVaTen")]
    name: String,
    #[serde(rename = "NgayThangNamSinh")]
    born: Option<String>,
}

/// Checks a token.
///
/// # Errors
/// [`Fault`] names the first rule it broke.
pub fn check(token: &str, expected: &Expected<'_>) -> Result<Claims, Fault> {
    let payload = seal::jws::verify(token, "JWT", |kid| expected.keys.get(kid).cloned())
        .map_err(|_| Fault("signature"))?
        .into_inner();
    let raw: Raw = serde_json::from_slice(&payload).map_err(|_| Fault("claims"))?;
    require(raw.iss == expected.issuer, "iss")?;
    require(raw.aud == expected.client_id, "aud")?;
    require(raw.azp.is_none_or(|azp| azp == expected.client_id), "azp")?;
    let nonce_fits =
        aws_lc_rs::constant_time::verify_slices_are_equal(raw.nonce.as_bytes(), expected.nonce.as_bytes());
    require(!expected.nonce.is_empty() && nonce_fits.is_ok(), "nonce")?;
    let now = expected.now.seconds();
    require(raw.exp.saturating_add(LEEWAY_S) > now, "exp")?;
    require(raw.exp >= raw.iat, "exp")?;
    require(raw.iat.saturating_sub(LEEWAY_S) <= now, "iat")?;
    require(raw.iat.saturating_add(AGE_S_MAX) > now, "iat")?;
    require(
        raw.nbf.is_none_or(|nbf| nbf.saturating_sub(LEEWAY_S) <= now),
        "nbf",
    )?;
    require(!raw.sub.is_empty() && raw.sub.len() <= SUB_MAX, "sub")?;
    require(raw.acr == raw.loas, "acr")?;
    let level = match raw.loas.as_str() {
        "1" => 1,
        "2" => 2,
        _ => return Err(Fault("loAs")),
    };
    let name = kernel::text::clean(&raw.name);
    require(!name.is_empty(), "HoVaTen")?;
    Ok(Claims {
        sub: raw.sub,
        level,
        subject: raw.number.parse().map_err(|_| Fault("SoDinhDanh"))?,
        name,
        born: match raw.born {
            Some(text) => Some(parse_iso(&text).ok_or(Fault("NgayThangNamSinh"))?),
            None => None,
        },
    })
}

fn require(holds: bool, rule: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault(rule)) }
}

#[cfg(test)]
mod tests;
