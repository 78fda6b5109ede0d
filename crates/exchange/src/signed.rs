//! Whose key a word's signature is checked by: the signer's present one, or the one it had when it said so.
//! Never a key that the word itself brings.

use std::cell::{Cell, RefCell};

use kernel::{OrgCode, Time};
use seal::error::SealError;
use seal::jws::{self, PublicKey};

/// The keys with which an organisation may have signed at an instant, the present one first.
pub(crate) type KeysOf<'a> = dyn Fn(&OrgCode, Time) -> Vec<PublicKey> + 'a;

/// Checks a token against the keys of the organisation that its header names, as of the instant that its
/// payload says in `at`; gives that organisation's code and the payload.
///
/// # Errors
/// As [`jws::verify`], by the last of the keys.
pub(crate) fn verify(token: &str, typ: &str, keys_of: &KeysOf<'_>) -> Result<(String, Vec<u8>), SealError> {
    // Not checked yet: it only chooses among keys of which each was its owner's at that time.
    let at = said_at(token).unwrap_or_default();
    let (signer, left) = (RefCell::new(String::new()), Cell::new(0));
    let mut tried = 0;
    loop {
        let key = |kid: &str| {
            kid.clone_into(&mut signer.borrow_mut());
            let keys = keys_of(&kid.parse().ok()?, at);
            left.set(keys.len().saturating_sub(tried + 1));
            keys.into_iter().nth(tried)
        };
        match jws::verify(token, typ, key) {
            Ok(payload) => return Ok((signer.into_inner(), payload.into_inner())),
            Err(_) if left.replace(0) > 0 => tried += 1,
            Err(e) => return Err(e),
        }
    }
}

/// The instant that a token's payload says.
fn said_at(token: &str) -> Option<Time> {
    let json: serde_json::Value = serde_json::from_slice(&jws::peek(token).ok()?).ok()?;
    json.get("at")?.as_i64().map(Time)
}

#[cfg(test)]
mod tests {
    use seal::key::SigningKey;

    use super::*;

    #[test]
    fn a_word_counts_by_the_key_of_its_time_and_by_no_other() {
        let (old, new, other) = (
            SigningKey::generate(),
            SigningKey::generate(),
            SigningKey::generate(),
        );
        let keys_of = |org: &OrgCode, at: Time| {
            let mut keys = vec![PublicKey::of(&new)];
            keys.extend((at < Time(100)).then(|| PublicKey::of(&old)));
            keys.retain(|_| org.as_str() == "G01");
            keys
        };
        let told = |kid: &str, at: i64, key: &SigningKey| {
            let payload = format!(r#"{{"at":{at}}}"#);
            let token = jws::sign("t", kid, payload.as_bytes(), key);
            let signer = verify(&token, "t", &keys_of).map(|(signer, _)| signer);
            signer.ok()
        };
        let g01 = || Some("G01".to_owned());
        assert_eq!((told("G01", 99, &old), told("G01", 99, &new)), (g01(), g01()));
        assert_eq!((told("G01", 100, &old), told("G01", 100, &new)), (None, g01()));
        assert_eq!((told("G01", 1, &other), told("G02", 1, &old)), (None, None));
        let timeless = jws::sign("t", "G01", b"{}", &new);
        assert!(verify(&timeless, "t", &keys_of).is_ok());
    }
}
