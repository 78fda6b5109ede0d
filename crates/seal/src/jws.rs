//! Compact signed JSON (RFC 7515) with ES256 and nothing else. Never lets a token choose: the
//! algorithm, the type and the key are the verifier's.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::error::SealError;
use crate::key::SigningKey;

/// Size of a token, in bytes: a directory of some thousand members is one.
const TOKEN_BYTES_MAX: usize = 16 << 20;
/// Size of a token's header, in bytes of base64.
const HEADER_BYTES_MAX: usize = 1024;

/// The header this house writes and reads. Any other member (`crit`, `jwk`, `jku`, `x5c`, …) is
/// refused, because ignoring one could mean to honour it elsewhere.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    kid: Option<String>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none", default)]
    thumbprint: Option<String>,
}

/// Signs `payload` as a token of the type `typ`, naming the key `kid`.
#[must_use]
pub fn sign(typ: &str, kid: &str, payload: &[u8], key: &SigningKey) -> String {
    let (alg, typ) = ("ES256".to_owned(), typ.to_owned());
    write(
        &Header {
            alg,
            typ,
            kid: Some(kid.to_owned()),
            thumbprint: None,
        },
        payload,
        key,
    )
}

/// Signs `payload`, naming the key by its certificate: `x5t#S256`, RFC 7515 section 4.1.8.
#[must_use]
pub fn sign_by_certificate(typ: &str, certificate: &Certificate, payload: &[u8], key: &SigningKey) -> String {
    let (alg, typ) = ("ES256".to_owned(), typ.to_owned());
    write(
        &Header {
            alg,
            typ,
            kid: None,
            thumbprint: Some(thumbprint_text(certificate)),
        },
        payload,
        key,
    )
}

/// A certificate's name in `x5t#S256`: base64url of the SHA-256 of its bytes.
#[must_use]
pub fn thumbprint_text(certificate: &Certificate) -> String {
    URL_SAFE_NO_PAD.encode(certificate.thumbprint().bytes())
}

fn write(header: &Header, payload: &[u8], key: &SigningKey) -> String {
    let header = serde_json::to_vec(header).expect("four texts are JSON");
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign_raw(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// Checks a token of the type `typ` and gives its payload. The key is asked for by the token's
/// `kid` or `x5t#S256`; `None` refuses the token.
///
/// # Errors
/// When the token is not exactly three parts, not ES256, of another type, of an unknown key, or
/// its signature is not that key's.
pub fn verify(
    token: &str,
    typ: &str,
    certificate_or_key: impl Fn(&str) -> Option<PublicKey>,
) -> Result<Verified<Vec<u8>>, SealError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(SealError::Token("too large"));
    }
    let (signed, signature) = token
        .rsplit_once('.')
        .ok_or(SealError::Token("not three parts"))?;
    let (header, payload) = signed
        .split_once('.')
        .ok_or(SealError::Token("not three parts"))?;
    if payload.contains('.') {
        return Err(SealError::Token("not three parts"));
    }
    let header = read_header(header)?;
    if header.alg != "ES256" {
        return Err(SealError::Token("algorithm"));
    }
    if header.typ != typ {
        return Err(SealError::Token("type"));
    }
    let name = match (&header.kid, &header.thumbprint) {
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(SealError::Token("key not named once")),
    };
    let signature = decode(signature)?;
    let key = certificate_or_key(name).ok_or(SealError::Token("key unknown"))?;
    if !key.verify_raw(signed.as_bytes(), &signature) {
        return Err(SealError::Token("signature"));
    }
    Ok(Verified(decode(payload)?))
}

/// The certificate that a token's `kid` or `x5t#S256` names by its thumbprint, read **without checking the
/// token**: only to learn which certificate to look for.
#[must_use]
pub fn certificate_named(token: &str) -> Option<Digest> {
    let header = read_header(token.split('.').next()?).ok()?;
    let name = header.thumbprint.or(header.kid)?;
    decode(&name).ok()?.try_into().ok().map(Digest)
}

/// Reads a token's payload **without checking it**: only to learn whose key to ask for.
///
/// # Errors
/// When the token has no readable second part.
pub fn peek(token: &str) -> Result<Vec<u8>, SealError> {
    let part = token
        .split('.')
        .nth(1)
        .ok_or(SealError::Token("not three parts"))?;
    if part.len() > TOKEN_BYTES_MAX {
        Err(SealError::Token("too large"))
    } else {
        decode(part)
    }
}

/// Takes a token's payload out (RFC 7515, appendix F), **without checking it**: what is left and the payload.
///
/// # Errors
/// When it is no token.
pub fn detach(token: &str) -> Result<(String, Vec<u8>), SealError> {
    let payload = peek(token)?;
    let (Some((header, _)), Some((_, signature))) = (token.split_once('.'), token.rsplit_once('.')) else {
        return Err(SealError::Token("not three parts"));
    };
    Ok((format!("{header}..{signature}"), payload))
}

/// Puts a payload that was taken out back; whether the token holds is for [`verify`] to say.
///
/// # Errors
/// When what was left is no token without its payload.
pub fn attach(detached: &str, payload: &[u8]) -> Result<String, SealError> {
    let (header, signature) = detached
        .split_once("..")
        .ok_or(SealError::Token("not detached"))?;
    Ok(format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(payload)
    ))
}

fn read_header(part: &str) -> Result<Header, SealError> {
    if part.len() > HEADER_BYTES_MAX {
        return Err(SealError::Token("header too large"));
    }
    serde_json::from_slice(&decode(part)?).map_err(|_| SealError::Token("header"))
}

fn decode(part: &str) -> Result<Vec<u8>, SealError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| SealError::Token("not base64url"))
}

/// A P-256 key that checks signatures. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<(Vec<u8>, ParsedPublicKey)>);

impl PublicKey {
    /// Reads an uncompressed point: `04 || x || y`.
    ///
    /// # Errors
    /// When the bytes are not a point of the curve.
    pub fn from_point(point: &[u8]) -> Result<Self, SealError> {
        if point.len() != 65 {
            return Err(SealError::Key("not an uncompressed P-256 point"));
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .map_err(|_| SealError::Key("not a point of the curve"))?;
        Ok(Self(Arc::new((point.to_vec(), parsed))))
    }

    /// The key of a certificate.
    ///
    /// # Errors
    /// When the certificate's key is not on P-256.
    pub fn from_certificate(certificate: &Certificate) -> Result<Self, SealError> {
        Self::from_point(certificate.public_key_point())
    }

    /// The public half of a signing key.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        Self::from_point(key.public_point()).expect("a signing key has a point")
    }

    /// Reads a JSON Web Key (RFC 7518 section 6.2): `kty` EC, `crv` P-256, `x`, `y`.
    ///
    /// # Errors
    /// When it is another kind of key, or not a point of the curve.
    pub fn from_jwk(jwk: &Value) -> Result<Self, SealError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return Err(SealError::Key("not an EC P-256 JWK"));
        }
        let mut point = vec![4];
        for name in ["x", "y"] {
            let number = decode(text(name).ok_or(SealError::Key("JWK without a point"))?)?;
            if number.len() != 32 {
                return Err(SealError::Key("a coordinate is 32 bytes"));
            }
            point.extend(number);
        }
        Self::from_point(&point)
    }

    /// The JSON Web Key, for signatures with ES256.
    #[must_use]
    pub fn to_jwk(&self, kid: &str) -> Value {
        let (x, y) = self.point()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y})
    }

    /// The uncompressed point: 65 bytes.
    #[must_use]
    pub fn point(&self) -> &[u8] {
        &self.0.0
    }

    /// Whether `signature` (`r || s`) is this key's over SHA-256 of `message`.
    #[must_use]
    pub fn verify_raw(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.1.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.point()))
    }
}

/// Something whose signature was checked. Only verifiers make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What was checked.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Reads what was checked as something else.
    ///
    /// # Errors
    /// Those of the reading.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        read(self.0).map(Verified)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "agreement+jwt";

    fn check(token: &str, key: &SigningKey) -> Result<Vec<u8>, SealError> {
        verify(token, TYPE, |kid| (kid == "k1").then(|| PublicKey::of(key))).map(Verified::into_inner)
    }

    fn forged(header: &str, payload: &str, signature: &[u8]) -> String {
        let parts = [header.as_bytes(), payload.as_bytes(), signature].map(|p| URL_SAFE_NO_PAD.encode(p));
        parts.join(".")
    }

    #[test]
    fn a_token_gives_its_payload_to_the_holder_of_the_key_only() {
        let (key, other) = (SigningKey::generate(), SigningKey::generate());
        let token = sign(TYPE, "k1", "nội dung".as_bytes(), &key);
        assert_eq!(check(&token, &key).expect("its key"), "nội dung".as_bytes());
        assert_eq!(peek(&token).expect("a payload"), "nội dung".as_bytes());
        assert_eq!(check(&token, &other), Err(SealError::Token("signature")));
        let unknown = sign(TYPE, "k2", b"x", &key);
        assert_eq!(check(&unknown, &key), Err(SealError::Token("key unknown")));
    }

    #[test]
    fn a_token_may_not_choose_its_algorithm() {
        let key = SigningKey::generate();
        for alg in ["none", "None", "HS256", "ES384", "RS256", "es256", ""] {
            let header = format!(r#"{{"alg":"{alg}","typ":"{TYPE}","kid":"k1"}}"#);
            // Signed well, so that only the header can be the fault.
            let signed = forged(&header, "x", b"");
            let signature = key.sign_raw(signed.trim_end_matches('.').as_bytes());
            assert_eq!(
                check(&forged(&header, "x", &signature), &key),
                Err(SealError::Token("algorithm"))
            );
            assert_eq!(check(&signed, &key), Err(SealError::Token("algorithm")));
        }
    }

    #[test]
    fn a_token_may_not_bring_its_own_key_or_conditions() {
        let key = SigningKey::generate();
        let jwk = PublicKey::of(&key).to_jwk("k1");
        let extras = [
            format!(r#""jwk":{jwk}"#),
            r#""crit":["exp"]"#.to_owned(),
            r#""b64":false"#.to_owned(),
            r#""jku":"https://x.vn""#.to_owned(),
            r#""kid":"k1""#.to_owned(),
            r#""x5t#S256":"k1""#.to_owned(),
        ];
        for extra in extras {
            let header = format!(r#"{{"alg":"ES256","typ":"{TYPE}","kid":"k1",{extra}}}"#);
            let signed = forged(&header, "x", b"");
            let signature = key.sign_raw(signed.trim_end_matches('.').as_bytes());
            assert!(check(&forged(&header, "x", &signature), &key).is_err(), "{extra}");
        }
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        let key = SigningKey::generate();
        let token = sign("receipt+jwt", "k1", b"x", &key);
        assert_eq!(check(&token, &key), Err(SealError::Token("type")));
    }

    #[test]
    fn the_zero_signature_and_odd_lengths_are_refused() {
        let key = SigningKey::generate();
        let token = sign(TYPE, "k1", b"x", &key);
        let (signed, good) = token.rsplit_once('.').expect("parts");
        let good = decode(good).expect("base64");
        for bad in [
            vec![0; 64],
            vec![],
            vec![0; 63],
            vec![0xff; 64],
            key.sign_der(signed.as_bytes()),
            [good.clone(), vec![0]].concat(),
            good[..63].to_vec(),
        ] {
            let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bad));
            assert_eq!(check(&token, &key), Err(SealError::Token("signature")));
        }
    }

    #[test]
    fn every_changed_letter_and_every_extra_part_is_refused() {
        let key = SigningKey::generate();
        let token = sign(TYPE, "k1", br#"{"a":1}"#, &key);
        for at in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).expect("ASCII");
            assert!(check(&bent, &key).is_err(), "letter {at}");
        }
        for extra in [".", ".x", ".."] {
            assert!(check(&format!("{token}{extra}"), &key).is_err());
            assert!(check(&format!("{extra}{token}"), &key).is_err());
        }
        assert!(check(&format!("{token}="), &key).is_err());
        assert!(check(&format!("{token} "), &key).is_err());
        assert!(check("", &key).is_err());
    }

    #[test]
    fn a_public_key_survives_its_jwk_and_points_off_the_curve_are_refused() {
        let key = PublicKey::of(&SigningKey::generate());
        let mut jwk = key.to_jwk("k");
        assert_eq!(
            PublicKey::from_jwk(&jwk).expect("reads back").point(),
            key.point()
        );
        jwk["y"] = jwk["x"].clone();
        assert!(PublicKey::from_jwk(&jwk).is_err());
        assert!(PublicKey::from_point(&[4; 65]).is_err());
        assert!(PublicKey::from_jwk(&json!({"kty": "oct", "k": "AAAA"})).is_err());
    }
}
