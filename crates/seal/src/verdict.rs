//! The answer of every check of a document, in the words of EN 319 102-1. Never a bare bool: who
//! signed, when, and what is wrong stand beside the indication.

use kernel::Time;
use serde::{Deserialize, Serialize};

use crate::certificate::PathFault;

/// The three outcomes of EN 319 102-1, section 5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Indication {
    /// Every check held.
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    /// The document or signature is wrong; no further fact can mend it.
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
    /// What was given does not decide: an unknown root, an expired certificate without a timestamp.
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
}

impl Indication {
    /// The text of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TotalPassed => "TOTAL-PASSED",
            Self::TotalFailed => "TOTAL-FAILED",
            Self::Indeterminate => "INDETERMINATE",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The outcome.
    pub indication: Indication,
    /// EN 319 102-1's sub-indication or a short code; empty when everything held.
    pub reason: String,
    /// The signer's common name, when a certificate could be read.
    pub signer: Option<String>,
    /// When it was signed: as stamped, or as claimed when there is no timestamp.
    pub signed_at: Option<Time>,
    /// Where the first fault stands: a file of a container, a record of a log.
    pub first_bad: Option<String>,
    /// Of a container: whether it has a timestamp; `None` of everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamped: Option<bool>,
    /// Everybody whose signature on a document held, in the order of signing.
    #[serde(default, skip_serializing_if = "<[Signed]>::is_empty")]
    pub signers: Box<[Signed]>,
    /// Of a container: how it stood with the revocation of the seal when it was stamped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Box<Revocation>>,
}

/// How it stood with the revocation of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// `good`, `revoked`, or `unknown` when what is here does not tell.
    pub state: String,
    /// Why it was revoked, or why nothing is known.
    pub reason: String,
    /// Since when it was revoked.
    pub at: Option<Time>,
    /// On which list of its authority it was found; none when the hub's operator said it.
    pub source: Option<String>,
    /// The serial of the directory that says so.
    pub directory: Option<u64>,
    /// When that was published.
    pub directory_at: Option<Time>,
    /// The authority's list on which that rests, when there was one.
    pub list: Option<String>,
    /// When that list was made.
    pub list_at: Option<Time>,
}

impl Revocation {
    /// What is here does not tell.
    #[must_use]
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self {
            state: "unknown".to_owned(),
            reason: reason.into(),
            at: None,
            source: None,
            directory: None,
            directory_at: None,
            list: None,
            list_at: None,
        }
    }
}

/// A signature that held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signer's common name.
    pub name: String,
    /// When, as claimed.
    pub at: Option<Time>,
}

impl Verdict {
    /// Everything held.
    #[must_use]
    pub fn passed(signer: String, signed_at: Time) -> Self {
        Self {
            indication: Indication::TotalPassed,
            reason: String::new(),
            signer: Some(signer),
            signed_at: Some(signed_at),
            first_bad: None,
            stamped: None,
            signers: Box::default(),
            revocation: None,
        }
    }

    /// Something is wrong, with its place.
    #[must_use]
    pub fn failed(reason: impl Into<String>, first_bad: impl Into<String>) -> Self {
        Self {
            indication: Indication::TotalFailed,
            reason: reason.into(),
            signer: None,
            signed_at: None,
            first_bad: Some(first_bad.into()),
            stamped: None,
            signers: Box::default(),
            revocation: None,
        }
    }

    /// What was given does not decide.
    #[must_use]
    pub fn indeterminate(reason: impl Into<String>) -> Self {
        Self {
            indication: Indication::Indeterminate,
            reason: reason.into(),
            signer: None,
            signed_at: None,
            first_bad: None,
            stamped: None,
            signers: Box::default(),
            revocation: None,
        }
    }

    /// The certificate has no path: the indication and sub-indication that this fault has.
    #[must_use]
    pub fn of_path(fault: &PathFault) -> Self {
        Self::indeterminate(fault.sub_indication())
    }

    /// This verdict with the signer and the time of signing that were read.
    #[must_use]
    pub fn by(mut self, signer: impl Into<String>, signed_at: Option<Time>) -> Self {
        self.signer = Some(signer.into());
        self.signed_at = signed_at;
        self
    }

    /// Two signatures of one document: the first that does not hold decides, and all that hold are
    /// listed.
    #[must_use]
    pub(crate) fn and(self, later: Self) -> Self {
        let signers = self.signers.iter().chain(&*later.signers).cloned().collect();
        let decides = if self.is_passed() && !later.is_passed() {
            later
        } else {
            self
        };
        Self { signers, ..decides }
    }

    /// True for TOTAL-PASSED only.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.indication == Indication::TotalPassed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_written_in_the_words_of_the_standard() {
        let verdict = Verdict::failed("HASH_FAILURE", "message.xml");
        assert_eq!(
            serde_json::to_string(&verdict).expect("json"),
            r#"{"indication":"TOTAL-FAILED","reason":"HASH_FAILURE","signer":null,"signed_at":null,"first_bad":"message.xml"}"#
        );
        assert!(!verdict.is_passed());
        let fault = Verdict::of_path(&PathFault::NoChain);
        assert_eq!(
            (fault.indication.as_str(), fault.reason.as_str()),
            ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")
        );
    }
}
