//! What the directory says of the authorities behind its certificates: what each vouches for, where it says
//! which of its certificates it has revoked, and what was read there last. Never fetches anything: see
//! [`crate::lists`].

use std::collections::BTreeSet;

use kernel::{Digest, Problem, Time};
use seal::certificate::{Certificate, Trust, Usage};
use serde::{Deserialize, Serialize};

use crate::snapshot::{self, Further, Snapshot};

/// Authorities of which something is said, count.
pub(crate) const AUTHORITIES_MAX: usize = 64;
/// Authorities between a certificate and its root, count.
const BETWEEN_MAX: usize = 5;

/// What an authority vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Seals of organisations.
    Seal,
    /// Nodes among each other (TLS).
    Tls,
    /// Information systems; a node knows each by its own certificate, so this is for people.
    Client,
    /// Timestamp services.
    Timestamp,
}

impl Use {
    /// As JSON and texts call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Tls => "tls",
            Self::Client => "client",
            Self::Timestamp => "timestamp",
        }
    }

    const fn usage(self) -> Option<Usage> {
        match self {
            Self::Seal => Some(Usage::Seal),
            Self::Tls => Some(Usage::NodeTls),
            Self::Timestamp => Some(Usage::Timestamp),
            Self::Client => None,
        }
    }
}

/// An authority: a root, or one that stands between a root and certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuthorityEntry {
    /// SHA-256 of its certificate.
    #[schema(value_type = String)]
    pub certificate: Digest,
    /// The certificate of one that stands between, PEM; a root's is among the anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<String>,
    /// What it vouches for; everything when it does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// Where its list of revoked certificates (CRL) is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl: Option<String>,
    /// Where it answers for one certificate (OCSP).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsp: Option<String>,
    /// A word of the hub's operator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The last good list that the hub has read there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListRead>,
}

/// A list of revoked certificates that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ListRead {
    /// SHA-256 of the list in DER.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Its number, hex; empty when it has none.
    pub number: String,
    /// When the authority made it, milliseconds since 1970.
    #[schema(value_type = i64)]
    pub this_update: Time,
    /// By when the authority has promised a newer one.
    #[schema(value_type = i64)]
    pub next_update: Time,
    /// Certificates on it, of whomever; count.
    pub listed: usize,
}

/// Who issued the certificate of a node, of which the directory has the digest only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeIssued {
    /// SHA-256 of the certificate.
    #[schema(value_type = String)]
    pub certificate: Digest,
    /// The certificate, then those of the authorities that came with it.
    pub by: Vec<IssuedBy>,
}

/// By which issuer, and under which number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuedBy {
    /// SHA-256 of the issuer's name as it is encoded.
    #[schema(value_type = String)]
    pub issuer: Digest,
    /// The serial number, hex.
    pub serial: String,
}

impl IssuedBy {
    fn of(certificate: &Certificate) -> Self {
        Self {
            issuer: certificate.issuer_digest(),
            serial: certificate.serial_hex(),
        }
    }
}

impl NodeIssued {
    /// Of a certificate and what stands between it and a root.
    #[must_use]
    pub fn of(leaf: &Certificate, issuers: &[Certificate]) -> Self {
        Self {
            certificate: leaf.thumbprint(),
            by: line(leaf, issuers).iter().map(IssuedBy::of).collect(),
        }
    }
}

/// A certificate and the authorities above it, the nearest first, as far as they are among these; no root.
pub(crate) fn line(leaf: &Certificate, above: &[Certificate]) -> Vec<Certificate> {
    let mut line = vec![leaf.clone()];
    while let Some(last) = line.last()
        && line.len() <= BETWEEN_MAX
    {
        let is_above = |one: &&Certificate| {
            one.subject_digest() == last.issuer_digest()
                && one.issuer_digest() != one.subject_digest()
                && last.is_issued_along(std::slice::from_ref(*one))
        };
        match above.iter().find(is_above) {
            Some(one) => line.push(one.clone()),
            None => break,
        }
    }
    line
}

impl Snapshot {
    /// What is said of an authority.
    #[must_use]
    pub fn authority(&self, thumbprint: &Digest) -> Option<&AuthorityEntry> {
        self.authorities.iter().find(|a| a.certificate == *thumbprint)
    }

    /// The certificate of a root, or of an authority that stands between.
    #[must_use]
    pub fn authority_certificate(&self, thumbprint: &Digest) -> Option<Certificate> {
        let own = self
            .authority(thumbprint)
            .and_then(|a| a.certificate_pem.as_ref());
        let mut all = self.anchors.iter().chain(own);
        all.find_map(|pem| {
            snapshot::certificate(pem)
                .ok()
                .filter(|c| c.thumbprint() == *thumbprint)
        })
    }

    /// The authorities that stand between, each by its certificate.
    pub(crate) fn between(&self) -> Vec<Certificate> {
        let pems = self.authorities.iter().filter_map(|a| a.certificate_pem.as_ref());
        pems.filter_map(|pem| snapshot::certificate(pem).ok()).collect()
    }

    /// Bounds a trust to what the authorities vouch for.
    pub(crate) fn limit(&self, trust: &mut Trust) {
        for authority in self.authorities.iter().filter(|a| !a.uses.is_empty()) {
            let usages: BTreeSet<Usage> = authority.uses.iter().filter_map(|one| one.usage()).collect();
            trust.limited.insert(authority.certificate, usages);
        }
    }

    /// Notes who issued a node's certificate.
    pub fn note_issued(&mut self, leaf: &Certificate, issuers: &[Certificate]) {
        self.node_certificates
            .retain(|one| one.certificate != leaf.thumbprint());
        self.node_certificates.push(NodeIssued::of(leaf, issuers));
        self.node_certificates.sort_by_key(|one| one.certificate);
    }

    /// What was known of authorities and of nodes' certificates is known still, as far as it is about what is
    /// there.
    pub(crate) fn keep_known(&mut self, before: &Self) {
        for one in &before.node_certificates {
            if !self
                .node_certificates
                .iter()
                .any(|other| other.certificate == one.certificate)
            {
                self.node_certificates.push(one.clone());
            }
        }
        let mut nodes: BTreeSet<Digest> = self.nodes.iter().map(|node| node.certificate).collect();
        nodes.extend(self.further.iter().filter_map(|further| match further {
            Further::Node { certificate, .. } => Some(*certificate),
            Further::Seal { .. } => None,
        }));
        self.node_certificates
            .retain(|one| nodes.contains(&one.certificate));
        self.node_certificates.sort_by_key(|one| one.certificate);
        for entry in &mut self.authorities {
            let known = before.authority(&entry.certificate);
            if entry.list.is_none()
                && let Some(known) = known.filter(|known| known.crl == entry.crl)
            {
                entry.list.clone_from(&known.list);
            }
        }
    }

    /// Every authority is there once, and its certificate is a root's or stands here.
    pub(crate) fn check_authorities(&self) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        if self.authorities.len() > AUTHORITIES_MAX {
            return Err(snapshot::unsound("too many authorities"));
        }
        for entry in &self.authorities {
            let known = self.authority_certificate(&entry.certificate);
            if !known.is_some_and(|c| c.is_authority()) || !seen.insert(entry.certificate) {
                return Err(snapshot::unsound(format!(
                    "{}: an authority twice or of no certificate",
                    entry.certificate
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    #[test]
    fn a_directory_that_says_nothing_of_its_authorities_has_the_bytes_it_had_before() {
        let nation = Nation::new();
        let snapshot = nation.snapshot(1);
        let json = kernel::digest::canonical_json(&snapshot).expect("json");
        let value: serde_json::Value = serde_json::from_str(&json).expect("json");
        let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            [
                "anchors",
                "hub",
                "issued",
                "members",
                "nodes",
                "revoked",
                "serial",
                "services",
                "systems",
                "timestamp_authorities"
            ]
        );
        assert!(value["issued"].is_number(), "the time of issue alone");
        let revoked = crate::snapshot::Revoked {
            thumbprint: Digest::of(b"x"),
            at: Time(1),
            reason: "mất khóa".to_owned(),
            source: None,
        };
        assert_eq!(
            kernel::digest::canonical_json(&revoked).expect("json"),
            format!(
                "{{\"at\":1,\"reason\":\"mất khóa\",\"thumbprint\":\"{}\"}}",
                Digest::of(b"x")
            )
        );
    }
}
