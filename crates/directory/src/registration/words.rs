//! What an owner says to the hub about its part of the directory, and what the hub answers: signed,
//! strict, of bounded size. Never decides whether a word has an effect.

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::jws::{self, PublicKey};
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};

use super::change::Change;

/// The type in the header.
const TYPE: &str = "sen-directory-word";
/// Size of a word, in bytes: all services of a system, or a few certificates, as a token.
pub const WORD_BYTES_MAX: usize = 256 * 1024;
/// Length of a reason, in characters.
pub const REASON_CHARS_MAX: usize = 400;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Who says it: the organisation whose seal is on it.
    pub party: OrgCode,
    /// When it was put into words.
    pub at: Time,
    /// What is said.
    pub said: Said,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Said {
    /// An owner asks for a change.
    Request {
        /// What is to become of the directory.
        wanted: Change,
    },
    /// The hub has published it.
    Approval {
        /// Which request.
        request: Digest,
        /// The serial of the directory that says it first.
        serial: u64,
    },
    /// The hub will not.
    Refusal {
        /// Which request.
        request: Digest,
        /// Why.
        reason: String,
    },
}

/// A word with its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The word.
    pub word: Word,
    /// The digest of what was signed: one word has one, however often it is signed or sent.
    pub digest: Digest,
    /// The compact JWS.
    pub token: String,
}

/// The name of a word: the digest of its canonical form.
///
/// # Errors
/// Never for a word; the error is serde's.
pub fn name_of(word: &Word) -> Result<Digest, Problem> {
    let payload = kernel::digest::canonical_json(word).map_err(Problem::internal)?;
    Ok(Digest::of(payload.as_bytes()))
}

/// Signs a word.
///
/// # Errors
/// 413 `directory-word-large`.
pub fn sign(word: Word, key: &SigningKey) -> Result<Signed, Problem> {
    let payload = kernel::digest::canonical_json(&word).map_err(Problem::internal)?;
    let token = jws::sign(TYPE, word.party.as_str(), payload.as_bytes(), key);
    if token.len() > WORD_BYTES_MAX {
        return Err(Problem::new(Kind::TooLarge, "directory-word-large").with("max", WORD_BYTES_MAX));
    }
    Ok(Signed {
        digest: Digest::of(payload.as_bytes()),
        token,
        word,
    })
}

/// Reads a word.
///
/// # Errors
/// 422 `directory-word` when it is not signed by the party it names, is too large, has a field that is
/// not known, or gives no reason for a refusal.
pub fn read(token: &str, key_of: &dyn Fn(&OrgCode) -> Option<PublicKey>) -> Result<Signed, Problem> {
    let bad = || Problem::new(Kind::Invalid, "directory-word");
    if token.len() > WORD_BYTES_MAX {
        return Err(bad().because("too large"));
    }
    let signer = std::cell::RefCell::new(String::new());
    let key = |kid: &str| {
        kid.clone_into(&mut signer.borrow_mut());
        key_of(&kid.parse().ok()?)
    };
    let payload = jws::verify(token, TYPE, key)
        .map_err(|e| bad().because(e))?
        .into_inner();
    let word: Word = serde_json::from_slice(&payload).map_err(|e| bad().because(e))?;
    // The key was looked up by the header's kid: the signed words must name the same party.
    if *signer.borrow() != word.party.as_str() {
        return Err(bad().because("signed by another than it names"));
    }
    if let Said::Refusal { reason, .. } = &word.said
        && (reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX)
    {
        return Err(bad().because("no reason, or too long a one"));
    }
    Ok(Signed {
        digest: Digest::of(&payload),
        token: token.to_owned(),
        word,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(said: Said) -> Word {
        Word {
            party: "H56".parse().expect("a code"),
            at: Time(7),
            said,
        }
    }

    fn of_h56(key: &SigningKey) -> impl Fn(&OrgCode) -> Option<PublicKey> + '_ {
        move |party| (party.as_str() == "H56").then(|| PublicKey::of(key))
    }

    fn wanted() -> Said {
        Said::Request {
            wanted: Change::MoveNode {
                node: "province".to_owned(),
                peer: "127.0.0.1:1".to_owned(),
            },
        }
    }

    #[test]
    fn a_word_reads_back_as_it_was_signed_and_keeps_its_name_when_it_is_signed_again() {
        let key = SigningKey::generate();
        let request = Digest::of(b"r");
        for said in [
            wanted(),
            Said::Approval { request, serial: 4 },
            Said::Refusal {
                request,
                reason: "vì sao".to_owned(),
            },
        ] {
            let once = sign(word(said.clone()), &key).expect("signed");
            let again = sign(word(said.clone()), &key).expect("signed");
            let read = read(&once.token, &of_h56(&key)).expect("reads");
            assert_eq!((&read.word, read.digest), (&once.word, again.digest));
            assert_eq!(name_of(&word(said)).expect("named"), once.digest);
        }
    }

    #[test]
    fn a_word_of_another_signer_with_an_unknown_field_or_without_its_reason_is_refused() {
        let (key, other) = (SigningKey::generate(), SigningKey::generate());
        let refused = |token: &str| read(token, &of_h56(&key)).expect_err("refused").code;
        assert_eq!(
            refused(&sign(word(wanted()), &other).expect("signed").token),
            "directory-word"
        );
        let silent = Said::Refusal {
            request: Digest::of(b"r"),
            reason: " ".to_owned(),
        };
        assert_eq!(
            refused(&sign(word(silent), &key).expect("signed").token),
            "directory-word"
        );
        let json = kernel::digest::canonical_json(&word(wanted())).expect("json");
        let raw = |json: &str, kid: &str| jws::sign(TYPE, kid, json.as_bytes(), &key);
        assert!(read(&raw(&json, "H56"), &of_h56(&key)).is_ok());
        for field in ["\"party\"", "\"word\"", "\"peer\""] {
            let more = json.replacen(field, &format!("\"more\":1,{field}"), 1);
            assert_eq!(refused(&raw(&more, "H56")), "directory-word", "{more}");
        }
        assert_eq!(
            refused(&raw(&json.replace("H56", "G15"), "H56")),
            "directory-word"
        );
        assert_eq!(refused(&"x".repeat(WORD_BYTES_MAX + 1)), "directory-word");
    }
}
