//! The path from a certificate to a trusted root, RFC 5280 section 6 for the profiles in use.
//! Never fetches anything: intermediates and revocations are given.

use std::collections::{BTreeMap, BTreeSet};

use der::asn1::ObjectIdentifier;
use kernel::{Digest, Time};
use x509_cert::ext::pkix::KeyUsage;

use super::{Certificate, same_name};

/// Authorities between a leaf and its root, the root included, count.
const PATH_AUTHORITIES_MAX: usize = 5;
/// Issuer signatures one question may cost, count: a crowd of look-alike issuers ends here.
const SIGNATURE_CHECKS_MAX: usize = 32;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// What the certificate is asked to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// Signing documents and messages: contentCommitment, and no timestamping purpose.
    Seal,
    /// RFC 3161: timestamping as the one, critical purpose.
    Timestamp,
    /// TLS between nodes, as server and as client.
    NodeTls,
}

/// Why a certificate has no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// No issuer leads to a given root.
    #[error("no path to a trusted root")]
    NoChain,
    /// A certificate of the path does not hold yet at that time.
    #[error("not valid yet")]
    NotYetValid,
    /// A certificate of the path held no more at that time.
    #[error("expired")]
    Expired,
    /// A certificate of the path is revoked.
    #[error("revoked")]
    Revoked,
    /// The leaf is not meant for this use, or an issuer may not issue it.
    #[error("not meant for this use")]
    Constraints,
}

impl PathFault {
    /// The sub-indication of EN 319 102-1. When a certificate was revoked is not told by a list of
    /// thumbprints, so revocation is without proof of existence too.
    #[must_use]
    pub const fn sub_indication(self) -> &'static str {
        match self {
            Self::NoChain => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::NotYetValid | Self::Expired => "OUT_OF_BOUNDS_NO_POE",
            Self::Revoked => "REVOKED_NO_POE",
            Self::Constraints => "CHAIN_CONSTRAINTS_FAILURE",
        }
    }
}

/// The roots trusted, and what is revoked.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Certificates of the roots.
    pub anchors: Vec<Certificate>,
    /// Thumbprints of revoked certificates.
    pub revoked: BTreeSet<Digest>,
    /// What authorities may vouch for, by their thumbprints; one that is not named may for everything.
    pub limited: BTreeMap<Digest, BTreeSet<Usage>>,
}

impl Trust {
    /// Trust in these roots, with nothing revoked.
    #[must_use]
    pub const fn of(anchors: Vec<Certificate>) -> Self {
        Self {
            anchors,
            revoked: BTreeSet::new(),
            limited: BTreeMap::new(),
        }
    }

    /// Whether `leaf` leads to a root through `intermediates` (in any order) at the instant `at`,
    /// and is meant for `usage`.
    ///
    /// # Errors
    /// The nearest fault: of the leaf first, then of the most promising path.
    pub fn path(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        at: Time,
        usage: Usage,
    ) -> Result<(), PathFault> {
        let mut search = Search {
            trust: self,
            intermediates,
            at,
            usage,
            checks_left: SIGNATURE_CHECKS_MAX,
        };
        // The chain is sought first: a stranger's expiry or usage is no news.
        search.climb(leaf, 0)?;
        search.holds(leaf)?;
        if leaf.is_authority() || !meant_for(leaf, usage) {
            return Err(PathFault::Constraints);
        }
        Ok(())
    }
}

struct Search<'a> {
    trust: &'a Trust,
    intermediates: &'a [Certificate],
    at: Time,
    usage: Usage,
    checks_left: usize,
}

impl Search<'_> {
    /// Finds an issuer for `child`, below which `below` authorities stand already.
    fn climb(&mut self, child: &Certificate, below: usize) -> Result<(), PathFault> {
        if below == PATH_AUTHORITIES_MAX {
            return Err(PathFault::NoChain);
        }
        let mut nearest = PathFault::NoChain;
        for anchor in &self.trust.anchors {
            match self
                .issues(anchor, child, below)
                .and_then(|()| self.holds(anchor))
            {
                Ok(()) => return Ok(()),
                Err(fault) => nearest = nearer(nearest, fault),
            }
        }
        for between in self.intermediates {
            // A root that came with the message proves nothing.
            if between == child || self.trust.anchors.contains(between) {
                continue;
            }
            let found = self
                .issues(between, child, below)
                .and_then(|()| self.climb(between, below + 1))
                .and_then(|()| self.holds(between));
            match found {
                Ok(()) => return Ok(()),
                Err(fault) => nearest = nearer(nearest, fault),
            }
        }
        Err(nearest)
    }

    /// Whether `issuer` issued `child` and had the right to.
    fn issues(&mut self, issuer: &Certificate, child: &Certificate, below: usize) -> Result<(), PathFault> {
        if !same_name(child.issuer(), issuer.subject()) || self.checks_left == 0 {
            return Err(PathFault::NoChain);
        }
        self.checks_left -= 1;
        if !child.is_signed_by(issuer) {
            return Err(PathFault::NoChain);
        }
        let too_deep = issuer.path_len().is_some_and(|most| usize::from(most) < below);
        let limited = self.trust.limited.get(&issuer.thumbprint());
        let meant = limited.is_none_or(|usages| usages.contains(&self.usage));
        if !issuer.is_authority() || too_deep || !meant {
            Err(PathFault::Constraints)
        } else {
            Ok(())
        }
    }

    /// Whether a certificate of the path holds at the time, is not revoked, and is understood.
    fn holds(&self, certificate: &Certificate) -> Result<(), PathFault> {
        if self.trust.revoked.contains(&certificate.thumbprint()) {
            return Err(PathFault::Revoked);
        }
        // The last second counts whole: certificates know no milliseconds.
        if self.at < certificate.not_before() {
            return Err(PathFault::NotYetValid);
        }
        if self.at >= certificate.not_after().plus_ms(1000) {
            return Err(PathFault::Expired);
        }
        if certificate.0.critical_unknown {
            Err(PathFault::Constraints)
        } else {
            Ok(())
        }
    }
}

/// The more telling of two faults: anything says more than "no chain".
fn nearer(old: PathFault, new: PathFault) -> PathFault {
    if new == PathFault::NoChain { old } else { new }
}

fn meant_for(leaf: &Certificate, usage: Usage) -> bool {
    let purposes = leaf.ext_key_usages();
    match usage {
        Usage::Seal => {
            leaf.key_usage().is_some_and(KeyUsage::non_repudiation) && !purposes.contains(&TIME_STAMPING)
        }
        Usage::Timestamp => {
            leaf.has_key_usage_signing() && purposes == [TIME_STAMPING] && leaf.ext_key_usage_critical()
        }
        Usage::NodeTls => {
            leaf.key_usage().is_some_and(KeyUsage::digital_signature)
                && purposes.contains(&SERVER_AUTH)
                && purposes.contains(&CLIENT_AUTH)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Profile, Subject};
    use crate::key::Identity;

    const DAY_MS: i64 = 86_400_000;

    fn from() -> Time {
        Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time")
    }

    fn issue(root: &Authority, profile: Profile) -> Identity {
        let subject = Subject {
            common_name: "Leaf".to_owned(),
            ..Subject::default()
        };
        root.issue(profile, &subject, from(), 10, [5; 16])
            .expect("issued")
    }

    #[test]
    fn each_certificate_serves_its_own_use_only() {
        let root = Authority::new("Root", from()).expect("an authority");
        let trust = Trust::of(vec![root.certificate()]);
        let node = Profile::Node {
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let uses = [Usage::Seal, Usage::Timestamp, Usage::NodeTls];
        let table = [
            (Profile::OrganisationSeal, [true, false, false]),
            (Profile::PersonalSignature, [true, false, false]),
            (Profile::TimestampAuthority, [false, true, false]),
            (node, [false, false, true]),
        ];
        for (profile, expected) in table {
            let leaf = issue(&root, profile.clone());
            let found = uses.map(|u| trust.path(&leaf.certificate, &leaf.chain, from(), u).is_ok());
            assert_eq!(found, expected, "{profile:?}");
        }
        // An authority is no signer, its own root least of all.
        let itself = trust.path(&root.certificate(), &[], from(), Usage::Seal);
        assert_eq!(itself, Err(PathFault::Constraints));
    }

    #[test]
    fn an_authority_vouches_only_for_what_it_is_trusted_with() {
        let root = Authority::new("Root", from()).expect("an authority");
        let middle = root.below("Middle", from()).expect("an authority");
        let leaf = issue(&middle, Profile::OrganisationSeal).certificate;
        let between = [middle.certificate()];
        let mut trust = Trust::of(vec![root.certificate()]);
        let path = |trust: &Trust| trust.path(&leaf, &between, from(), Usage::Seal);
        assert_eq!(path(&trust), Ok(()));
        for authority in [root.certificate(), middle.certificate()] {
            trust.limited = BTreeMap::from([(authority.thumbprint(), BTreeSet::from([Usage::NodeTls]))]);
            assert_eq!(path(&trust), Err(PathFault::Constraints));
            trust.limited = BTreeMap::from([(authority.thumbprint(), BTreeSet::from([Usage::Seal]))]);
            assert_eq!(path(&trust), Ok(()));
        }
    }

    #[test]
    fn a_namesake_root_brought_along_gives_no_trust() {
        let (good, bad) = (Authority::new("Root", from()), Authority::new("Root", from()));
        let (good, bad) = (good.expect("an authority"), bad.expect("an authority"));
        let leaf = issue(&bad, Profile::OrganisationSeal);
        let trust = Trust::of(vec![good.certificate()]);
        let found = trust.path(&leaf.certificate, &leaf.chain, from(), Usage::Seal);
        assert_eq!(found, Err(PathFault::NoChain));
        assert_eq!(
            Trust::default().path(&leaf.certificate, &leaf.chain, from(), Usage::Seal),
            Err(PathFault::NoChain)
        );
    }

    #[test]
    fn a_leaf_may_not_issue() {
        let root = Authority::new("Root", from()).expect("an authority");
        let middle = issue(&root, Profile::OrganisationSeal);
        // The leaf's own key signs a certificate as though it were an authority.
        let forged = Authority::forge_for_tests(&middle);
        let leaf = issue(&forged, Profile::OrganisationSeal);
        let trust = Trust::of(vec![root.certificate()]);
        let found = trust.path(&leaf.certificate, &[middle.certificate], from(), Usage::Seal);
        assert_eq!(found, Err(PathFault::Constraints));
    }

    #[test]
    fn validity_and_revocation_bound_the_path_at_the_instant_asked() {
        let root = Authority::new("Root", from()).expect("an authority");
        let leaf = issue(&root, Profile::OrganisationSeal).certificate;
        let mut trust = Trust::of(vec![root.certificate()]);
        let at = |trust: &Trust, ms: i64| trust.path(&leaf, &[], from().plus_ms(ms), Usage::Seal);
        assert_eq!(at(&trust, -1), Err(PathFault::NotYetValid));
        assert_eq!(at(&trust, 10 * DAY_MS + 999), Ok(()));
        assert_eq!(at(&trust, 10 * DAY_MS + 1000), Err(PathFault::Expired));
        trust.revoked.insert(leaf.thumbprint());
        assert_eq!(at(&trust, 0), Err(PathFault::Revoked));
        trust.revoked = BTreeSet::from([root.certificate().thumbprint()]);
        assert_eq!(at(&trust, 0), Err(PathFault::Revoked));
    }
}
