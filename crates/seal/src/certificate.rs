//! Certificates, read once and asked often. Never decides trust: see [`Trust::path`].

mod name;
mod path;
mod public;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;
use der::{Decode as _, Encode as _, Header, Reader as _, SliceReader};
use kernel::{Digest, Time};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use x509_cert::name::Name;

use crate::error::SealError;
use public::Key;

pub use path::{PathFault, Trust, Usage};

/// Certificates one PEM text may hold, count.
const PEM_CERTIFICATES_MAX: usize = 64;
/// Size of one certificate, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const ORGANISATION_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.97");

/// Extensions that may be critical because they are understood here.
const UNDERSTOOD: [ObjectIdentifier; 5] = [
    KeyUsage::OID,
    BasicConstraints::OID,
    ExtendedKeyUsage::OID,
    // subjectAltName and certificatePolicies: names and policies are read by whoever needs them.
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.32"),
];

/// An X.509 certificate. Cheap to clone; compares by its bytes.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs: std::ops::Range<usize>,
    parsed: x509_cert::Certificate,
    thumbprint: Digest,
    key: Key,
    key_usage: Option<KeyUsage>,
    extended: Vec<ObjectIdentifier>,
    extended_critical: bool,
    constraints: Option<BasicConstraints>,
    critical_unknown: bool,
    not_before: Time,
    not_after: Time,
    issuer_text: String,
    serial_text: String,
}

impl Certificate {
    /// Reads one certificate in DER.
    ///
    /// # Errors
    /// When the bytes are not exactly one certificate with a key this house understands.
    pub fn from_der(der: &[u8]) -> Result<Self, SealError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(SealError::Certificate("too large"));
        }
        let parsed =
            x509_cert::Certificate::from_der(der).map_err(|_| SealError::Certificate("not X.509"))?;
        // The signature covers the bytes as they came, so they are cut out, never written anew.
        let tbs = tbs_range(der).map_err(|_| SealError::Certificate("not X.509"))?;
        let body = parsed.tbs_certificate();
        if body.signature() != parsed.signature_algorithm() {
            return Err(SealError::Certificate("two signature algorithms"));
        }
        let malformed = |_| SealError::Certificate("malformed extension");
        let extended: Option<(bool, ExtendedKeyUsage)> = body.get_extension().map_err(malformed)?;
        let key_usage: Option<(bool, KeyUsage)> = body.get_extension().map_err(malformed)?;
        let constraints: Option<(bool, BasicConstraints)> = body.get_extension().map_err(malformed)?;
        let extensions = body.extensions().map(Vec::as_slice).unwrap_or_default();
        let critical_unknown = extensions
            .iter()
            .any(|e| e.critical && !UNDERSTOOD.contains(&e.extn_id));
        let key = Key::read(&parsed)?;
        let time = |t: &x509_cert::time::Time| {
            let seconds = t.to_unix_duration().as_secs();
            i64::try_from(seconds)
                .map(|s| Time(s * 1000))
                .map_err(|_| SealError::Certificate("time"))
        };
        let (not_before, not_after) = (
            time(&body.validity().not_before)?,
            time(&body.validity().not_after)?,
        );
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            tbs,
            thumbprint: Digest::of(der),
            key,
            key_usage: key_usage.map(|(_, usage)| usage),
            extended_critical: extended.as_ref().is_some_and(|(critical, _)| *critical),
            extended: extended.map(|(_, usage)| usage.0).unwrap_or_default(),
            constraints: constraints.map(|(_, c)| c),
            critical_unknown,
            not_before,
            not_after,
            issuer_text: name::rfc2253(body.issuer()),
            serial_text: decimal(body.serial_number().as_bytes()),
            parsed,
        })))
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, SealError> {
        let mut all = Self::list_from_pem(pem)?;
        if all.is_empty() {
            Err(SealError::Pem("no certificate"))
        } else {
            Ok(all.swap_remove(0))
        }
    }

    /// Reads every certificate of a PEM text, in order; other objects are passed over.
    ///
    /// # Errors
    /// When the text is broken PEM, holds more than 64, or one cannot be read.
    pub fn list_from_pem(pem: &str) -> Result<Vec<Self>, SealError> {
        let mut all = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let der = der.map_err(|_| SealError::Pem("not PEM"))?;
            if all.len() == PEM_CERTIFICATES_MAX {
                return Err(SealError::Pem("too many certificates"));
            }
            all.push(Self::from_der(&der)?);
        }
        Ok(all)
    }

    /// The bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// `-----BEGIN CERTIFICATE-----`.
    #[must_use]
    pub fn pem(&self) -> String {
        pem_text("CERTIFICATE", self.der())
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn thumbprint(&self) -> Digest {
        self.0.thumbprint
    }

    /// The subject's common name; empty when it has none.
    #[must_use]
    pub fn common_name(&self) -> String {
        self.subject_text(COMMON_NAME).unwrap_or_default()
    }

    /// The organisation's code: organizationIdentifier, or else the organisation's name.
    #[must_use]
    pub fn organisation(&self) -> Option<String> {
        self.subject_text(ORGANISATION_IDENTIFIER)
            .or_else(|| self.subject_text(ORGANISATION))
    }

    /// The issuer's name in the form of RFC 2253. Seals cover this text: a test of [`crate::batch`]
    /// holds it still.
    #[must_use]
    pub fn issuer_rfc2253(&self) -> &str {
        &self.0.issuer_text
    }

    /// The serial number in decimal.
    #[must_use]
    pub fn serial_decimal(&self) -> &str {
        &self.0.serial_text
    }

    /// The first instant it holds.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The last second it holds.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// The public key as an uncompressed P-256 point; empty for any other kind of key.
    #[must_use]
    pub fn public_key_point(&self) -> &[u8] {
        self.0.key.point()
    }

    /// Whether `signature` (DER) is this P-256 key's over SHA-256 of `message`.
    #[must_use]
    pub fn verify_der(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.key.verify_der(message, signature)
    }

    /// Whether `signature` (`r || s`) is this P-256 key's over SHA-256 of `message`.
    #[must_use]
    pub fn verify_raw(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.key.verify_raw(message, signature)
    }

    /// Whether `signature` is this key's over `message` under a signature algorithm of X.509 or CMS:
    /// ECDSA P-256/SHA-256, P-384/SHA-384, or RSA PKCS#1 v1.5 of 2048 bits and more with SHA-2.
    #[must_use]
    pub fn verify_algorithm(&self, algorithm: &ObjectIdentifier, message: &[u8], signature: &[u8]) -> bool {
        self.0.key.verify_algorithm(algorithm, message, signature)
    }

    /// The key usage extension, when there is one.
    #[must_use]
    pub fn key_usage(&self) -> Option<&KeyUsage> {
        self.0.key_usage.as_ref()
    }

    /// Whether the key may sign documents: digitalSignature or contentCommitment is named.
    #[must_use]
    pub fn has_key_usage_signing(&self) -> bool {
        self.key_usage()
            .is_some_and(|u| u.digital_signature() || u.non_repudiation())
    }

    /// The extended key usages; empty when there are none.
    #[must_use]
    pub fn ext_key_usages(&self) -> &[ObjectIdentifier] {
        &self.0.extended
    }

    /// Whether the extended key usages are marked critical.
    #[must_use]
    pub fn ext_key_usage_critical(&self) -> bool {
        self.0.extended_critical
    }

    /// Whether it may issue certificates: CA set, and keyCertSign named.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.0.constraints.as_ref().is_some_and(|c| c.ca)
            && self.key_usage().is_some_and(KeyUsage::key_cert_sign)
    }

    /// The certificate's structure, for those who build on it.
    #[must_use]
    pub fn parsed(&self) -> &x509_cert::Certificate {
        &self.0.parsed
    }

    /// How many authorities may stand between this one and a leaf; `None` for any number.
    fn path_len(&self) -> Option<u8> {
        self.0.constraints.as_ref().and_then(|c| c.path_len_constraint)
    }

    fn issuer(&self) -> &Name {
        self.0.parsed.tbs_certificate().issuer()
    }

    fn subject(&self) -> &Name {
        self.0.parsed.tbs_certificate().subject()
    }

    /// Whether the subject's name is this one.
    pub(crate) fn is_named(&self, name: &Name) -> bool {
        same_name(self.subject(), name)
    }

    /// Whether `issuer`'s key signed this certificate. Says nothing about names or rights.
    fn is_signed_by(&self, issuer: &Self) -> bool {
        let inner = &self.0;
        let algorithm = inner.parsed.signature_algorithm();
        let Some(signature) = inner.parsed.signature().as_bytes() else {
            return false;
        };
        let Some(message) = inner.der.get(inner.tbs.clone()) else {
            return false;
        };
        issuer.verify_algorithm(&algorithm.oid, message, signature)
    }

    /// Whether `issuers` in their order issued this certificate and each other, and the last one,
    /// if it is a root, itself. Says nothing about trust.
    #[must_use]
    pub fn is_issued_along(&self, issuers: &[Self]) -> bool {
        let mut child = self;
        for issuer in issuers {
            if !same_name(child.issuer(), issuer.subject()) || !child.is_signed_by(issuer) {
                return false;
            }
            child = issuer;
        }
        issuers.is_empty() || !same_name(child.issuer(), child.subject()) || child.is_signed_by(child)
    }

    /// The last value of an attribute of the subject: the most specific one.
    fn subject_text(&self, wanted: ObjectIdentifier) -> Option<String> {
        let found = self.subject().iter().filter(|a| a.oid == wanted).last()?;
        let text = std::str::from_utf8(found.value.value()).ok()?;
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} {})", self.common_name(), self.thumbprint())
    }
}

/// PEM of some bytes: 64 characters a line.
pub(crate) fn pem_text(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (at, letter) in body.char_indices() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// Where the signed part stands in the bytes of a certificate, or of a list of revoked ones.
pub(crate) fn tbs_range(der: &[u8]) -> der::Result<std::ops::Range<usize>> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    let start = u32::from(reader.position()) as usize;
    let length = reader.tlv_bytes()?.len();
    Ok(start..start + length)
}

/// A big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(value % 10).expect("a remainder of ten is a digit");
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).expect("a remainder of ten is a digit"));
            carry /= 10;
        }
    }
    digits.iter().rev().map(|d| char::from(b'0' + d)).collect()
}

/// Two names are one when their encodings are.
fn same_name(a: &Name, b: &Name) -> bool {
    match (a.to_der(), b.to_der()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Profile, Subject};

    #[test]
    fn serial_numbers_are_told_in_decimal() {
        assert_eq!(decimal(&[0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
    }

    #[test]
    fn a_certificate_reads_back_from_its_text_and_knows_its_key() {
        let from = Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
        let root = Authority::new("Gốc, \"thử\"", from).expect("an authority");
        let leaf = root
            .issue(Profile::OrganisationSeal, &Subject::default(), from, 30, [3; 16])
            .expect("issued");
        let read = Certificate::from_pem(&leaf.certificate.pem()).expect("reads back");
        assert_eq!(read, leaf.certificate);
        assert_eq!(read.public_key_point(), leaf.key.public_point());
        assert!(read.verify_der(b"m", &leaf.key.sign_der(b"m")));
        assert!(read.verify_raw(b"m", &leaf.key.sign_raw(b"m")));
        assert!(!read.verify_raw(b"n", &leaf.key.sign_raw(b"m")));
        assert!(
            !read.verify_raw(b"m", &[0; 64]),
            "the zero signature signs nothing"
        );
        assert_eq!(read.issuer_rfc2253(), r#"CN=Gốc\, \"thử\""#);
        assert_eq!(read.not_before(), from);
    }

    #[test]
    fn bytes_after_a_certificate_are_refused() {
        let from = Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
        let mut der = Authority::new("R", from)
            .expect("an authority")
            .certificate()
            .der()
            .to_vec();
        der.push(0);
        assert!(Certificate::from_der(&der).is_err());
    }
}
