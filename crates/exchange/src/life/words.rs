//! What one party says to the other about an agreement: signed, strict, of bounded size. Never
//! decides whether a word has an effect.

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::jws;
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};

use super::span::Span;
use crate::agreement::Agreement;
use crate::delegation::SignedDelegation;
use crate::ids::{ServiceId, SystemId};
use crate::offered::told::ServiceTold;
use crate::signed::{self, KeysOf};

/// The type in the header.
const TYPE: &str = "sen-agreement-word";
/// Size of a word, in bytes: an agreement at its largest, as a token.
pub const WORD_BYTES_MAX: usize = 64 * 1024;
/// Size of a reason, in bytes.
pub const REASON_BYTES_MAX: usize = 4 * 1024;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Who says it.
    pub party: OrgCode,
    /// When.
    pub at: Time,
    /// What is said.
    pub said: Said,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Said {
    /// The consumer asks for an agreement.
    Request {
        /// The twelve items as it would have them.
        agreement: Agreement,
    },
    /// The provider signs a text and offers it.
    Offer {
        /// For which request.
        request: Digest,
        /// Greater than that of any earlier offer for it.
        serial: i64,
        /// The text.
        agreement: Agreement,
        /// The provider's acceptance of the text.
        acceptance: String,
    },
    /// The provider will not share.
    Refusal {
        /// Which request.
        request: Digest,
        /// Why.
        reason: String,
    },
    /// The consumer signs what was offered.
    Acceptance {
        /// For which request.
        request: Digest,
        /// The hash of the text.
        agreement: Digest,
        /// The consumer's acceptance of the text.
        acceptance: String,
    },
    /// The consumer takes its request back.
    Withdrawal {
        /// Which request.
        request: Digest,
        /// Why.
        reason: String,
    },
    /// A party stops an agreement for the time being.
    Suspension {
        /// Which.
        agreement: Digest,
        /// Greater than that of the party's earlier words on it.
        serial: i64,
        /// Why.
        reason: String,
        /// Its first instant; at once when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Time>,
        /// The first instant behind it; until the party resumes it when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Time>,
    },
    /// The provider says how a service of its agreements stands.
    Service {
        /// Which.
        service: ServiceId,
        /// Greater than that of the provider's earlier words on it.
        serial: i64,
        /// How it stands.
        told: ServiceTold,
    },
    /// The provider offers an agreement to each member of a group, or not any more.
    GroupOffer {
        /// To whom this word is.
        to: OrgCode,
        /// The text; the provider's own system stands in the consumer's place.
        agreement: Agreement,
        /// Greater than that of the provider's earlier words on it to this member.
        serial: i64,
        /// The member's systems in the group; none when it is not offered to it any more.
        systems: Vec<SystemId>,
    },
    /// An organisation lets another act for it.
    DelegationOffer {
        /// The document with the delegator's acceptance.
        delegation: SignedDelegation,
    },
    /// Who is to act accepts.
    DelegationDeal {
        /// The document with both acceptances.
        delegation: SignedDelegation,
    },
    /// A party ends a delegation.
    DelegationEnd {
        /// Which.
        delegation: Digest,
        /// Why.
        reason: String,
    },
    /// The party that stopped it takes that back.
    Resumption {
        /// Which.
        agreement: Digest,
        /// Greater than that of the party's earlier words on it.
        serial: i64,
    },
}

impl Said {
    /// Its kind, as rows and texts call it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Request { .. } => "request",
            Self::Offer { .. } => "offer",
            Self::Refusal { .. } => "refusal",
            Self::Acceptance { .. } => "acceptance",
            Self::Withdrawal { .. } => "withdrawal",
            Self::Suspension { .. } => "suspension",
            Self::Resumption { .. } => "resumption",
            Self::Service { .. } => "service",
            Self::GroupOffer { .. } => "group-offer",
            Self::DelegationOffer { .. } => "delegation-offer",
            Self::DelegationDeal { .. } => "delegation-deal",
            Self::DelegationEnd { .. } => "delegation-end",
        }
    }

    /// The reason it gives; empty for a word that needs none.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Refusal { reason, .. }
            | Self::Withdrawal { reason, .. }
            | Self::Suspension { reason, .. }
            | Self::DelegationEnd { reason, .. } => reason,
            _ => "",
        }
    }

    /// The stretch for which it stops an agreement; `None` for a word that stops none.
    #[must_use]
    pub const fn span(&self) -> Option<Span> {
        match self {
            Self::Suspension { from, to, .. } => Some(Span { from: *from, to: *to }),
            _ => None,
        }
    }
}

impl Word {
    /// Its order among its party's words of the kind on the same thing.
    #[must_use]
    pub const fn order(&self) -> i64 {
        match &self.said {
            Said::Offer { serial, .. }
            | Said::Suspension { serial, .. }
            | Said::Resumption { serial, .. }
            | Said::GroupOffer { serial, .. }
            | Said::Service { serial, .. } => *serial,
            Said::Request { .. }
            | Said::Refusal { .. }
            | Said::Acceptance { .. }
            | Said::Withdrawal { .. }
            | Said::DelegationOffer { .. }
            | Said::DelegationDeal { .. }
            | Said::DelegationEnd { .. } => self.at.ms(),
        }
    }
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

/// Signs a word.
#[must_use]
pub fn sign(word: Word, key: &SigningKey) -> Signed {
    let payload = kernel::digest::canonical_json(&word).expect("a word is text, digests, times and a number");
    Signed {
        token: jws::sign(TYPE, word.party.as_str(), payload.as_bytes(), key),
        digest: Digest::of(payload.as_bytes()),
        word,
    }
}

/// A word that this node signed and kept, as it stands in its own rows.
///
/// # Errors
/// Internal when it cannot be read.
pub(crate) fn kept(token: String) -> Result<Signed, Problem> {
    let payload = jws::peek(&token).map_err(Problem::internal)?;
    Ok(Signed {
        word: serde_json::from_slice(&payload).map_err(Problem::internal)?,
        digest: Digest::of(&payload),
        token,
    })
}

/// True for a token that claims to be such a word; it is checked by [`read`].
#[must_use]
pub fn is_word(token: &str) -> bool {
    let payload = jws::peek(token).ok();
    let json = payload.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    json.is_some_and(|json| json.get("said").is_some())
}

/// Reads a word.
///
/// # Errors
/// `seal-broken` when it is not signed by the party it names; 422 `agreement-word` when it is too
/// large, has a field that is not known, or lacks a reason it has to give.
pub fn read(token: &str, keys_of: &KeysOf<'_>) -> Result<Signed, Problem> {
    let bad = || Problem::new(Kind::Invalid, "agreement-word");
    if token.len() > WORD_BYTES_MAX {
        return Err(bad().because("too large"));
    }
    let broken = || Problem::new(Kind::Invalid, "seal-broken").with("hop", "agreement");
    let (signer, payload) = signed::verify(token, TYPE, keys_of).map_err(|e| broken().because(e))?;
    let word: Word = serde_json::from_slice(&payload).map_err(|e| bad().because(e))?;
    // The key was looked up by the header's kid: the signed words must name the same party.
    if signer != word.party.as_str() {
        return Err(broken());
    }
    let reasons = matches!(
        word.said,
        Said::Refusal { .. } | Said::Withdrawal { .. } | Said::Suspension { .. } | Said::DelegationEnd { .. }
    );
    let reason = word.said.reason();
    if (reasons && reason.trim().is_empty()) || reason.len() > REASON_BYTES_MAX {
        return Err(bad().because("no reason, or too long a one"));
    }
    if word.said.span().is_some_and(|span| !span.is_sound()) {
        return Err(bad().because("it ends before it begins"));
    }
    if matches!(&word.said, Said::Service { told, .. } if !told.is_sound()) {
        return Err(bad().because("no operator could have said this of a service"));
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
    use crate::agreement::tests::sample;
    use seal::jws::PublicKey;

    fn org(code: &str) -> OrgCode {
        code.parse().expect("a code")
    }

    fn word(said: Said) -> Word {
        Word {
            party: org("G22"),
            at: Time(7),
            said,
        }
    }

    fn of_g22(key: &SigningKey) -> impl Fn(&OrgCode, Time) -> Vec<PublicKey> + '_ {
        move |party, _| match party.as_str() {
            "G22" => vec![PublicKey::of(key)],
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_word_reads_back_as_it_was_signed_and_keeps_its_name_when_it_is_signed_again() {
        let key = SigningKey::generate();
        let agreement = sample();
        let said = [
            Said::Request {
                agreement: agreement.clone(),
            },
            Said::Offer {
                request: Digest::of(b"r"),
                serial: 1_795_226_400_000,
                agreement: agreement.clone(),
                acceptance: "a".into(),
            },
            Said::Refusal {
                request: Digest::of(b"r"),
                reason: "vì sao".into(),
            },
            Said::Acceptance {
                request: Digest::of(b"r"),
                agreement: agreement.hash(),
                acceptance: "a".into(),
            },
            Said::Withdrawal {
                request: Digest::of(b"r"),
                reason: "vì sao".into(),
            },
            Said::Suspension {
                agreement: agreement.hash(),
                serial: 2,
                reason: "vì sao".into(),
                from: None,
                to: None,
            },
            Said::Suspension {
                agreement: agreement.hash(),
                serial: 2,
                reason: "vì sao".into(),
                from: Some(Time(10)),
                to: Some(Time(20)),
            },
            Said::Resumption {
                agreement: agreement.hash(),
                serial: 3,
            },
            Said::Service {
                service: agreement.service.clone(),
                serial: 4,
                told: ServiceTold {
                    disabled: Some("bảo trì".into()),
                    ..ServiceTold::default()
                },
            },
        ];
        for said in said {
            let (once, again) = (sign(word(said.clone()), &key), sign(word(said), &key));
            let read = read(&once.token, &of_g22(&key)).expect("reads");
            assert_eq!((&read.word, read.digest), (&once.word, again.digest));
            assert!(is_word(&once.token));
        }
    }

    #[test]
    fn a_suspension_at_once_is_written_as_before_there_were_planned_ones() {
        let said = |from, to| Said::Suspension {
            agreement: Digest::of(b"a"),
            serial: 2,
            reason: "x".to_owned(),
            from,
            to,
        };
        let json = kernel::digest::canonical_json(&said(None, None)).expect("json");
        let hash = Digest::of(b"a");
        assert_eq!(
            json,
            format!(r#"{{"agreement":"{hash}","reason":"x","serial":2,"word":"suspension"}}"#)
        );
        let key = SigningKey::generate();
        let backwards = sign(word(said(Some(Time(20)), Some(Time(10)))), &key);
        let refused = read(&backwards.token, &of_g22(&key)).expect_err("refused");
        assert_eq!(refused.code, "agreement-word");
    }

    #[test]
    fn a_word_of_another_signer_with_an_unknown_field_or_without_its_reason_is_refused() {
        let (key, other) = (SigningKey::generate(), SigningKey::generate());
        let refusal = |reason: &str| {
            word(Said::Refusal {
                request: Digest::of(b"r"),
                reason: reason.to_owned(),
            })
        };
        let code = |token: &str| read(token, &of_g22(&key)).expect_err("refused").code;
        assert_eq!(code(&sign(refusal("x"), &other).token), "seal-broken");
        assert_eq!(code(&sign(refusal(" "), &key).token), "agreement-word");
        assert_eq!(
            code(&sign(refusal(&"x".repeat(REASON_BYTES_MAX + 1)), &key).token),
            "agreement-word"
        );
        let json = kernel::digest::canonical_json(&refusal("x")).expect("json");
        let raw = |json: &str, kid: &str| jws::sign(TYPE, kid, json.as_bytes(), &key);
        assert!(read(&raw(&json, "G22"), &of_g22(&key)).is_ok());
        for field in ["\"party\"", "\"word\""] {
            let more = json.replacen(field, &format!("\"more\":1,{field}"), 1);
            assert_eq!(code(&raw(&more, "G22")), "agreement-word", "{more}");
        }
        let as_another = json.replace("G22", "G15");
        assert_eq!(code(&raw(&as_another, "G22")), "seal-broken");
        // Nor may the agreement in a word say what nobody reads.
        let asked = Said::Request { agreement: sample() };
        let offered = Said::Offer {
            request: Digest::of(b"r"),
            serial: 1,
            agreement: sample(),
            acceptance: "a".to_owned(),
        };
        for said in [asked, offered] {
            let json = kernel::digest::canonical_json(&word(said)).expect("json");
            assert!(read(&raw(&json, "G22"), &of_g22(&key)).is_ok());
            let more = json.replacen("\"agreement\":{", "\"agreement\":{\"another\":1,", 1);
            assert_ne!(more, json);
            assert_eq!(code(&raw(&more, "G22")), "agreement-word");
        }
        assert_eq!(code(&"x".repeat(WORD_BYTES_MAX + 1)), "agreement-word");
    }

    #[test]
    fn a_word_altered_in_any_bit_of_any_letter_is_refused() {
        let key = SigningKey::generate();
        let asked = Said::Request { agreement: sample() };
        let good = sign(word(asked), &key).token;
        for (at, bit) in (0..good.len()).flat_map(|at| (0..7).map(move |bit| (at, bit))) {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let altered = String::from_utf8(bytes).expect("seven bits");
            assert!(read(&altered, &of_g22(&key)).is_err(), "letter {at}, bit {bit}");
        }
    }
}
