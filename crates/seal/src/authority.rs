//! A small certificate authority for trials, tests and closed networks. Never the root of a
//! production network by itself: it keeps no record of what it issued or revoked.

use kernel::Time;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::error::SealError;
use crate::key::{Identity, SigningKey};

/// Life of a root, in days.
const ROOT_DAYS: i64 = 3650;
/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;
/// extKeyUsage, RFC 5280 section 4.2.1.12.
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
/// organizationIdentifier, EN 319 412-1 section 5.1.4.
const ORGANISATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];
/// title: the position of a person.
const TITLE: &[u64] = &[2, 5, 4, 12];

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The seal of an organisation: documents and exchanged messages.
    OrganisationSeal,
    /// The signature of a person.
    PersonalSignature,
    /// A node's TLS certificate, as server and as client.
    Node {
        /// DNS names or IP addresses.
        names: Vec<String>,
    },
    /// An RFC 3161 timestamp service: its only purpose, marked critical.
    TimestampAuthority,
}

/// Whom a certificate names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Subject {
    /// The name shown.
    pub common_name: String,
    /// The organisation's code.
    pub organisation: Option<String>,
    /// The position held in it.
    pub position: Option<String>,
}

/// A root that issues certificates directly.
#[derive(Clone, Debug)]
pub struct Authority {
    key: SigningKey,
    certificate: Certificate,
}

impl Authority {
    /// A new root, valid for ten years from `from`.
    ///
    /// # Errors
    /// When the name or time cannot be put into a certificate.
    pub fn new(common_name: &str, from: Time) -> Result<Self, SealError> {
        let key = SigningKey::generate();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(from, ROOT_DAYS);
        // The serial of a root follows from its key: no random source is read for it.
        params.serial_number = Some(positive_serial(first_16(key.public_point())));
        let made = params.self_signed(&Signer(&key)).map_err(issue_error)?;
        Ok(Self {
            certificate: Certificate::from_der(made.der())?,
            key,
        })
    }

    /// Reads an authority back.
    ///
    /// # Errors
    /// When key or certificate cannot be read, do not belong together, or are not an authority's.
    pub fn from_pem(key_pem: &str, certificate_pem: &str) -> Result<Self, SealError> {
        let Identity { key, certificate, .. } = Identity::from_pem(key_pem, certificate_pem)?;
        if !certificate.is_authority() {
            return Err(SealError::Certificate("not an authority"));
        }
        Ok(Self { key, certificate })
    }

    /// The root's own certificate.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }

    /// The root's private key as PKCS#8 PEM: the caller keeps it secret.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.key.to_pkcs8_pem()
    }

    /// Issues a certificate with a new key, valid `days` days from `from`. `serial` is the caller's
    /// random 16 bytes; its top bit is cleared so that the number stays positive.
    ///
    /// # Errors
    /// When a name or the time cannot be put into a certificate.
    pub fn issue(
        &self,
        profile: Profile,
        subject: &Subject,
        from: Time,
        days: i64,
        serial: [u8; 16],
    ) -> Result<Identity, SealError> {
        let key = SigningKey::generate();
        let mut params = params_of(profile)?;
        params.distinguished_name = name_of(subject);
        (params.not_before, params.not_after) = validity(from, days);
        params.serial_number = Some(positive_serial(serial));
        params.use_authority_key_identifier_extension = true;
        let der = self.certificate.der().into();
        let issuer = Issuer::from_ca_cert_der(&der, Signer(&self.key)).map_err(issue_error)?;
        let made = params.signed_by(&Signer(&key), &issuer).map_err(issue_error)?;
        let certificate = Certificate::from_der(made.der())?;
        Ok(Identity {
            key,
            certificate,
            chain: vec![self.certificate.clone()],
        })
    }
}

impl Authority {
    /// A signed list of revoked certificates (DER), each with since when and why in the words of RFC 5280;
    /// `times` are its own and that of the next one.
    ///
    /// # Errors
    /// When the times cannot be put into a list.
    pub fn revocation_list(
        &self,
        revoked: &[(&Certificate, Time, &str)],
        times: (Time, Time),
        number: u64,
    ) -> Result<Vec<u8>, SealError> {
        let revoked = revoked.iter().map(|(certificate, at, reason)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(
                certificate.parsed().tbs_certificate().serial_number().as_bytes(),
            ),
            revocation_time: at.utc(),
            reason_code: reason_code(reason),
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: times.0.utc(),
            next_update: times.1.utc(),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let der = self.certificate.der().into();
        let issuer = Issuer::from_ca_cert_der(&der, Signer(&self.key)).map_err(issue_error)?;
        let made = params.signed_by(&issuer).map_err(issue_error)?;
        Ok(made.der().to_vec())
    }

    /// An authority below this one, valid for ten years from `from`, which issues certificates itself.
    ///
    /// # Errors
    /// When the name or time cannot be put into a certificate.
    pub fn below(&self, common_name: &str, from: Time) -> Result<Self, SealError> {
        let key = SigningKey::generate();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(from, ROOT_DAYS);
        params.serial_number = Some(positive_serial(first_16(key.public_point())));
        params.use_authority_key_identifier_extension = true;
        let der = self.certificate.der().into();
        let issuer = Issuer::from_ca_cert_der(&der, Signer(&self.key)).map_err(issue_error)?;
        let made = params.signed_by(&Signer(&key), &issuer).map_err(issue_error)?;
        Ok(Self {
            certificate: Certificate::from_der(made.der())?,
            key,
        })
    }
}

/// The code of a reason; none for a word that is not known, and for `unspecified`.
fn reason_code(reason: &str) -> Option<RevocationReason> {
    Some(match reason {
        "keyCompromise" => RevocationReason::KeyCompromise,
        "cACompromise" => RevocationReason::CaCompromise,
        "affiliationChanged" => RevocationReason::AffiliationChanged,
        "superseded" => RevocationReason::Superseded,
        "cessationOfOperation" => RevocationReason::CessationOfOperation,
        "certificateHold" => RevocationReason::CertificateHold,
        "privilegeWithdrawn" => RevocationReason::PrivilegeWithdrawn,
        _ => return None,
    })
}

#[cfg(test)]
impl Authority {
    /// A leaf posing as an authority: what a thief of its key could try.
    pub(crate) fn forge_for_tests(leaf: &Identity) -> Self {
        Self {
            key: leaf.key.clone(),
            certificate: leaf.certificate.clone(),
        }
    }
}

/// Extensions of a profile.
fn params_of(profile: Profile) -> Result<CertificateParams, SealError> {
    let mut params = CertificateParams::default();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    match profile {
        Profile::OrganisationSeal | Profile::PersonalSignature => {
            params.key_usages.push(KeyUsagePurpose::ContentCommitment);
        }
        Profile::Node { names } => {
            params.subject_alt_names = CertificateParams::new(names)
                .map_err(issue_error)?
                .subject_alt_names;
            params.extended_key_usages = vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ];
        }
        Profile::TimestampAuthority => {
            params.key_usages.push(KeyUsagePurpose::ContentCommitment);
            // RFC 3161 section 2.3 wants the extension critical, with this purpose alone.
            let only_time_stamping = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08".to_vec();
            let mut usage = CustomExtension::from_oid_content(EXTENDED_KEY_USAGE, only_time_stamping);
            usage.set_criticality(true);
            params.custom_extensions.push(usage);
        }
    }
    params.is_ca = IsCa::ExplicitNoCa;
    Ok(params)
}

fn name_of(subject: &Subject) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "VN");
    if let Some(organisation) = &subject.organisation {
        name.push(DnType::OrganizationName, organisation.as_str());
        name.push(
            DnType::CustomDnType(ORGANISATION_IDENTIFIER.to_vec()),
            organisation.as_str(),
        );
    }
    if let Some(position) = &subject.position {
        name.push(DnType::CustomDnType(TITLE.to_vec()), position.as_str());
    }
    name.push(DnType::CommonName, subject.common_name.as_str());
    name
}

/// Validity in whole seconds, the only unit certificates know.
fn validity(from: Time, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let start = Time(from.seconds() * 1000);
    (start.utc(), start.plus_ms(days * DAY_MS).utc())
}

fn positive_serial(mut serial: [u8; 16]) -> SerialNumber {
    // RFC 5280 section 4.1.2.2: positive and not zero.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&serial)
}

fn first_16(point: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&kernel::Digest::of(point).0[..16]);
    out
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn issue_error(error: rcgen::Error) -> SealError {
    SealError::Issue(error.to_string())
}

/// Lends a key to the certificate maker.
struct Signer<'a>(&'a SigningKey);

impl rcgen::PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_point()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.0.sign_der(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{Trust, Usage};

    fn from() -> Time {
        Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time")
    }

    #[test]
    fn an_authority_survives_its_text_and_issues_the_same_trust() {
        let first = Authority::new("Gốc thử nghiệm", from()).expect("an authority");
        let again = Authority::from_pem(&first.key_pem(), &first.certificate().pem()).expect("reads back");
        let subject = Subject {
            common_name: "Sở Tư pháp".to_owned(),
            organisation: Some("H56.14857".to_owned()),
            position: None,
        };
        let seal = again
            .issue(Profile::OrganisationSeal, &subject, from(), 365, [7; 16])
            .expect("issued");
        assert_eq!(seal.certificate.common_name(), "Sở Tư pháp");
        assert_eq!(seal.certificate.organisation().as_deref(), Some("H56.14857"));
        let trust = Trust::of(vec![first.certificate()]);
        assert_eq!(
            trust.path(&seal.certificate, &[], from().plus_ms(1), Usage::Seal),
            Ok(())
        );
    }

    #[test]
    fn a_leaf_is_not_an_authority() {
        let root = Authority::new("Root", from()).expect("an authority");
        let leaf = root
            .issue(Profile::OrganisationSeal, &Subject::default(), from(), 1, [9; 16])
            .expect("issued");
        assert_eq!(
            Authority::from_pem(&leaf.key.to_pkcs8_pem(), &leaf.certificate.pem()).expect_err("no authority"),
            SealError::Certificate("not an authority")
        );
    }
}
