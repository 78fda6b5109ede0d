//! Lists of revoked certificates as their authority signs them (CRL, RFC 5280 section 5): read strictly, and
//! made for trials. Never fetches one, and never says what follows from it.

use std::collections::BTreeMap;

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use kernel::{Digest, Time};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::{CrlNumber, CrlReason, KeyUsage};

use crate::certificate::{self, Certificate};

/// cRLNumber, RFC 5280 section 5.2.3.
const NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
/// issuingDistributionPoint, section 5.2.5.
const DISTRIBUTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
/// reasonCode of an entry, section 5.3.1.
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");

/// Why a list is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The bytes are no list.
    #[error("no list of revoked certificates")]
    Unreadable,
    /// It names another issuer than the authority.
    #[error("of another issuer")]
    Issuer,
    /// The authority's key did not sign it, or may not.
    #[error("not signed by the authority")]
    Signature,
    /// It says a part only: changes to another list, some reasons, or other issuers' certificates too.
    #[error("not a whole list of this authority")]
    Partial,
    /// It does not say until when it counts.
    #[error("without an end")]
    Endless,
    /// It is of the future.
    #[error("of the future")]
    Early,
    /// Its authority has promised a newer one by now.
    #[error("overdue")]
    Overdue,
}

impl ListFault {
    /// A short code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Issuer => "issuer",
            Self::Signature => "signature",
            Self::Partial => "partial",
            Self::Endless => "endless",
            Self::Early => "early",
            Self::Overdue => "overdue",
        }
    }
}

/// A certificate on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Since when.
    pub at: Time,
    /// Why, in the words of RFC 5280: `keyCompromise`; `unspecified` when the list does not say.
    pub reason: &'static str,
}

/// What an authority says of the certificates that it issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// SHA-256 of the list in DER.
    pub digest: Digest,
    /// Its number in hex; empty when it has none.
    pub number: String,
    /// When it was made.
    pub this_update: Time,
    /// By when there is a newer one.
    pub next_update: Time,
    /// What it lists, by the serial number's bytes.
    entries: BTreeMap<Vec<u8>, Listed>,
}

impl RevocationList {
    /// Reads a list, DER or PEM, and checks that `authority` signed it.
    ///
    /// # Errors
    /// What keeps it from being used; never that it is of another time: see [`RevocationList::counts_at`].
    pub fn read(bytes: &[u8], authority: &Certificate) -> Result<Self, ListFault> {
        let from_pem;
        let der = if bytes.starts_with(b"-----BEGIN ") {
            from_pem =
                CertificateRevocationListDer::from_pem_slice(bytes).map_err(|_| ListFault::Unreadable)?;
            from_pem.as_ref()
        } else {
            bytes
        };
        let list = CertificateList::from_der(der).map_err(|_| ListFault::Unreadable)?;
        let body = &list.tbs_cert_list;
        if body.signature != list.signature_algorithm {
            return Err(ListFault::Unreadable);
        }
        if !authority.is_named(&body.issuer) {
            return Err(ListFault::Issuer);
        }
        let may = authority.key_usage().is_none_or(KeyUsage::crl_sign);
        let signed = certificate::tbs_range(der).ok().and_then(|tbs| der.get(tbs));
        let holds = signed
            .zip(list.signature.as_bytes())
            .is_some_and(|(signed, signature)| {
                authority.verify_algorithm(&list.signature_algorithm.oid, signed, signature)
            });
        if !may || !holds {
            return Err(ListFault::Signature);
        }
        let number = said_of_whole(body.crl_extensions.as_deref().unwrap_or_default())?;
        let next = body.next_update.as_ref().ok_or(ListFault::Endless)?;
        let mut entries = BTreeMap::new();
        for entry in body.revoked_certificates.iter().flatten() {
            entries.insert(entry.serial_number.as_bytes().to_vec(), listed(entry)?);
        }
        Ok(Self {
            digest: Digest::of(der),
            number,
            this_update: time(&body.this_update)?,
            next_update: time(next)?,
            entries,
        })
    }

    /// Whether it may be taken up at an instant, clocks being apart by some milliseconds.
    ///
    /// # Errors
    /// That it is of the future, or that there ought to be a newer one.
    pub fn counts_at(&self, now: Time, skew_ms: i64) -> Result<(), ListFault> {
        if self.this_update.ms() > now.ms() + skew_ms {
            Err(ListFault::Early)
        } else if self.next_update < now {
            Err(ListFault::Overdue)
        } else {
            Ok(())
        }
    }

    /// What it says of a serial number, as [`Certificate::serial_hex`] writes it.
    #[must_use]
    pub fn find(&self, serial: &str) -> Option<Listed> {
        self.entries.get(&hex::decode(serial).ok()?).copied()
    }

    /// How many it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The number of a list; refuses one that says a part only, or something that is not understood here.
fn said_of_whole(extensions: &[Extension]) -> Result<String, ListFault> {
    let mut number = String::new();
    for extension in extensions {
        let value = extension.extn_value.as_bytes();
        if extension.extn_id == NUMBER {
            let told = CrlNumber::from_der(value).map_err(|_| ListFault::Unreadable)?;
            number = hex::encode(told.0.as_bytes());
        } else if extension.extn_id == DISTRIBUTION {
            let point = IssuingDistributionPoint::from_der(value).map_err(|_| ListFault::Unreadable)?;
            if point.indirect_crl || point.only_contains_attribute_certs || point.only_some_reasons.is_some()
            {
                return Err(ListFault::Partial);
            }
        } else if extension.critical {
            // A list of changes (deltaCRLIndicator) among them.
            return Err(ListFault::Partial);
        }
    }
    Ok(number)
}

fn listed(entry: &RevokedCert) -> Result<Listed, ListFault> {
    let mut reason = "unspecified";
    for extension in entry.crl_entry_extensions.iter().flatten() {
        if extension.extn_id == REASON {
            let told = CrlReason::from_der(extension.extn_value.as_bytes());
            reason = word(told.map_err(|_| ListFault::Unreadable)?);
        } else if extension.critical {
            // An entry of another issuer (certificateIssuer) among them.
            return Err(ListFault::Partial);
        }
    }
    Ok(Listed {
        at: time(&entry.revocation_date)?,
        reason,
    })
}

const fn word(reason: CrlReason) -> &'static str {
    match reason {
        CrlReason::Unspecified => "unspecified",
        CrlReason::KeyCompromise => "keyCompromise",
        CrlReason::CaCompromise => "cACompromise",
        CrlReason::AffiliationChanged => "affiliationChanged",
        CrlReason::Superseded => "superseded",
        CrlReason::CessationOfOperation => "cessationOfOperation",
        CrlReason::CertificateHold => "certificateHold",
        CrlReason::RemoveFromCRL => "removeFromCRL",
        CrlReason::PrivilegeWithdrawn => "privilegeWithdrawn",
        CrlReason::AaCompromise => "aACompromise",
    }
}

fn time(told: &x509_cert::time::Time) -> Result<Time, ListFault> {
    let seconds = i64::try_from(told.to_unix_duration().as_secs());
    seconds.map(|s| Time(s * 1000)).map_err(|_| ListFault::Unreadable)
}

impl Certificate {
    /// The serial number's bytes in hex, as lists of revoked certificates have it.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex::encode(self.parsed().tbs_certificate().serial_number().as_bytes())
    }

    /// SHA-256 of the issuer's name as it is encoded.
    #[must_use]
    pub fn issuer_digest(&self) -> Digest {
        name_digest(self.parsed().tbs_certificate().issuer())
    }

    /// SHA-256 of the subject's name as it is encoded.
    #[must_use]
    pub fn subject_digest(&self) -> Digest {
        name_digest(self.parsed().tbs_certificate().subject())
    }
}

fn name_digest(name: &x509_cert::name::Name) -> Digest {
    Digest::of(&name.to_der().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Profile, Subject};

    fn from() -> Time {
        Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time")
    }

    fn day(n: i64) -> Time {
        from().plus_ms(n * 86_400_000)
    }

    #[test]
    fn what_an_authority_revokes_is_on_its_list_with_time_and_reason() {
        let root = Authority::new("Gốc", from()).expect("an authority");
        let seal = |serial| {
            root.issue(
                Profile::OrganisationSeal,
                &Subject::default(),
                from(),
                365,
                [serial; 16],
            )
            .expect("issued")
            .certificate
        };
        let (bad, good) = (seal(0x81), seal(2));
        let list = root
            .revocation_list(&[(&bad, day(1), "keyCompromise")], (day(2), day(3)), 7)
            .expect("a list");
        let read = RevocationList::read(&list, &root.certificate()).expect("reads");
        let found = read.find(&bad.serial_hex()).expect("listed");
        assert_eq!((found.at, found.reason), (day(1), "keyCompromise"));
        assert_eq!(read.find(&good.serial_hex()), None);
        assert_eq!(
            (read.len(), read.is_empty(), read.number.as_str()),
            (1, false, "07")
        );
        assert_eq!((read.this_update, read.next_update), (day(2), day(3)));
        assert_eq!(read.counts_at(day(2), 0), Ok(()));
        assert_eq!(read.counts_at(day(1), 1_000), Err(ListFault::Early));
        assert_eq!(read.counts_at(day(4), 1_000), Err(ListFault::Overdue));
        let pem = certificate::pem_text("X509 CRL", &list);
        assert_eq!(
            RevocationList::read(pem.as_bytes(), &root.certificate()),
            Ok(read)
        );
    }

    #[test]
    fn a_list_of_another_hand_is_refused_and_so_is_each_byte_that_was_altered() {
        let root = Authority::new("Gốc", from()).expect("an authority");
        let namesake = Authority::new("Gốc", from()).expect("an authority");
        let other = Authority::new("Khác", from()).expect("an authority");
        let made = |by: &Authority| by.revocation_list(&[], (day(2), day(3)), 1).expect("a list");
        let read = |bytes: &[u8]| RevocationList::read(bytes, &root.certificate()).map(|_| ());
        assert_eq!(read(&made(&root)), Ok(()));
        assert_eq!(read(&made(&namesake)), Err(ListFault::Signature));
        assert_eq!(read(&made(&other)), Err(ListFault::Issuer));
        for garbage in [
            &b""[..],
            b"garbage",
            b"-----BEGIN X509 CRL-----\n",
            root.certificate().der(),
        ] {
            assert_eq!(read(garbage), Err(ListFault::Unreadable));
        }
        let sound = made(&root);
        for at in 0..sound.len() {
            let mut bent = sound.clone();
            bent[at] ^= 1;
            assert!(read(&bent).is_err(), "byte {at}");
        }
        let mut longer = sound;
        longer.push(0);
        assert_eq!(read(&longer), Err(ListFault::Unreadable));
    }
}
