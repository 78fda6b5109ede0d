//! A document: what it is, what it is about, who signs it. Pure.

use kernel::{Digest, OrgCode, PersonalNumber, Tenant};
use serde_json::Value;

/// A document to be issued.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The issuing tenant.
    pub tenant: Tenant,
    /// The unit whose officials, with those of the organisations above it, may have it.
    pub unit: OrgCode,
    /// Its id: issuing the same id again gives the same document.
    pub id: String,
    /// Its kind: `birth-certificate`, `receipt`.
    pub kind: String,
    /// The pack's template.
    pub template: String,
    /// Its number, from whatever book numbers it: `12/2026`.
    pub number: String,
    /// What it is about: a case code.
    pub about: String,
    /// Whose it is, when it is a person's.
    pub owner: Option<PersonalNumber>,
    /// What the template asks for; `qr_svg`, `check_url` and `specimen` are added here.
    pub data: Value,
    /// Who signs.
    pub signer: Signer,
    /// Why it is signed, shown by PDF readers.
    pub reason: String,
}

/// Whose key signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A person's, by account id.
    Person(String),
    /// The organisation's seal.
    Organisation,
}

/// A document that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// SHA-256 of the signed PDF; its name among the blobs.
    pub digest: Digest,
}
