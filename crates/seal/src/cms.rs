//! CMS signed data (RFC 5652) as seals use it: one signer, ECDSA P-256 with SHA-256, signed
//! attributes, and ESS signing-certificate-v2 (RFC 5035) that names every certificate sent along.
//! RSA with SHA-256 is
//! read too, since others sign so. Never decides trust: opening proves the bytes, and
//! [`crate::certificate::Trust::path`] judges the signer.

use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Sequence};
use x509_cert::spki::AlgorithmIdentifierOwned;

mod sign;
#[cfg(test)]
mod tool_tests;
#[cfg(test)]
pub(crate) mod trial;
mod verify;

pub use sign::{CmsSigning, sign_detached, sign_encapsulated};
pub use verify::{CmsFault, Opened, claimed_signer, open_detached, open_encapsulated};

/// `id-data`: detached content is bytes without a type of their own.
pub const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ID_SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const ID_SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
pub(crate) const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ID_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ID_RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ID_ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// `SignedData` with its certificates kept as the bytes they came in: a certificate's thumbprint
/// is taken over those bytes, never over a re-encoding.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SignedData {
    version: cms::content_info::CmsVersion,
    digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    encap_content_info: cms::signed_data::EncapsulatedContentInfo,
    #[asn1(
        context_specific = "0",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    certificates: Option<SetOfVec<Any>>,
    #[asn1(
        context_specific = "1",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    crls: Option<SetOfVec<Any>>,
    signer_infos: SetOfVec<cms::signed_data::SignerInfo>,
}

/// `SigningCertificateV2` (RFC 5035 section 3).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
    #[asn1(optional = "true")]
    policies: Option<Vec<Any>>,
}

/// `ESSCertIDv2`; an absent algorithm means SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct EssCertIdV2 {
    #[asn1(optional = "true")]
    hash_algorithm: Option<AlgorithmIdentifierOwned>,
    cert_hash: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<IssuerSerial>,
}

/// `IssuerSerial`: read over, since the hash already names one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct IssuerSerial {
    issuer: Vec<Any>,
    serial_number: der::asn1::Int,
}

/// SHA-256 without parameters, as RFC 5754 section 2 asks for.
pub(crate) fn sha256() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: ID_SHA256,
        parameters: None,
    }
}

/// Whether this names SHA-256; the parameters may be absent or NULL.
pub(crate) fn is_sha256(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == ID_SHA256 && algorithm.parameters.as_ref().is_none_or(Any::is_null)
}
