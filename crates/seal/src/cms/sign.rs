//! Writes signed data. Never re-encodes a certificate: what was issued is what is sent.

use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{EncapsulatedContentInfo, SignerIdentifier, SignerInfo};
use der::asn1::{GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime};
use der::{Any, Decode, Encode};
use kernel::{Digest, Time};
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{
    EssCertIdV2, ID_CONTENT_TYPE, ID_DATA, ID_ECDSA_SHA256, ID_MESSAGE_DIGEST, ID_SIGNED_DATA,
    ID_SIGNING_CERTIFICATE_V2, ID_SIGNING_TIME, SignedData, SigningCertificateV2, sha256,
};
use crate::certificate::Certificate;
use crate::error::SealError;
use crate::key::Identity;

/// Who signs, and what goes along.
#[derive(Clone, Copy)]
pub struct CmsSigning<'a> {
    /// The key, its certificate and the issuers.
    pub identity: &'a Identity,
    /// The claimed time as a signed attribute. `None` in a PDF, whose own `/M` says it
    /// (ETSI EN 319 142-1 section 6.3 forbids the attribute there).
    pub signing_time: Option<Time>,
    /// Whether the certificates are sent along; a timestamp request may ask not to.
    pub certificates: bool,
}

/// Signs content that stays outside: the result holds only its digest.
///
/// # Errors
/// When the structure cannot be encoded.
pub fn sign_detached(how: &CmsSigning<'_>, content: &Digest) -> Result<Vec<u8>, SealError> {
    let encapsulated = EncapsulatedContentInfo {
        econtent_type: ID_DATA,
        econtent: None,
    };
    sign(how, encapsulated, content).map_err(|_| SealError::Cms("cannot be encoded"))
}

/// Signs typed content and carries it inside.
///
/// # Errors
/// When the structure cannot be encoded.
pub fn sign_encapsulated(
    how: &CmsSigning<'_>,
    content_type: ObjectIdentifier,
    content: &[u8],
) -> Result<Vec<u8>, SealError> {
    let inside = || {
        let econtent = Some(Any::encode_from(&OctetString::new(content)?)?);
        let encapsulated = EncapsulatedContentInfo {
            econtent_type: content_type,
            econtent,
        };
        sign(how, encapsulated, &Digest::of(content))
    };
    inside().map_err(|_| SealError::Cms("cannot be encoded"))
}

fn sign(
    how: &CmsSigning<'_>,
    encap_content_info: EncapsulatedContentInfo,
    digest: &Digest,
) -> der::Result<Vec<u8>> {
    let certificates = sent_along(how.identity);
    // RFC 5652 section 5.1: content of another type than id-data makes it version 3.
    let version = match encap_content_info.econtent_type {
        ID_DATA => CmsVersion::V1,
        _ => CmsVersion::V3,
    };
    let attributes = signed_attributes(how, &encap_content_info.econtent_type, digest, &certificates)?;
    let signature = how.identity.key.sign_der(&attributes.to_der()?);
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(issuer_and_serial(&how.identity.certificate)),
        digest_alg: sha256(),
        signed_attrs: Some(attributes),
        signature_algorithm: AlgorithmIdentifierOwned {
            oid: ID_ECDSA_SHA256,
            parameters: None,
        },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let raw = certificates
        .iter()
        .map(|c| Any::from_der(c.der()))
        .collect::<der::Result<Vec<_>>>()?;
    let signed = SignedData {
        version,
        digest_algorithms: SetOfVec::try_from(vec![sha256()])?,
        encap_content_info,
        certificates: if how.certificates {
            Some(SetOfVec::try_from(raw)?)
        } else {
            None
        },
        crls: None,
        signer_infos: SetOfVec::try_from(vec![signer])?,
    };
    ContentInfo {
        content_type: ID_SIGNED_DATA,
        content: Any::encode_from(&signed)?,
    }
    .to_der()
}

/// The leaf first, then its issuers, each once.
fn sent_along(identity: &Identity) -> Vec<Certificate> {
    let mut out = vec![identity.certificate.clone()];
    for issuer in &identity.chain {
        if out.iter().all(|have| have.der() != issuer.der()) {
            out.push(issuer.clone());
        }
    }
    out
}

fn signed_attributes(
    how: &CmsSigning<'_>,
    content_type: &ObjectIdentifier,
    digest: &Digest,
    certificates: &[Certificate],
) -> der::Result<SetOfVec<Attribute>> {
    // Naming the issuers too binds every certificate sent along: none can be swapped afterwards.
    let certs = certificates
        .iter()
        .map(|c| {
            Ok(EssCertIdV2 {
                hash_algorithm: None,
                cert_hash: OctetString::new(c.thumbprint().bytes().as_slice())?,
                issuer_serial: None,
            })
        })
        .collect::<der::Result<Vec<_>>>()?;
    let mut attributes = vec![
        attribute(ID_CONTENT_TYPE, content_type)?,
        attribute(ID_MESSAGE_DIGEST, &OctetString::new(digest.bytes().as_slice())?)?,
        attribute(
            ID_SIGNING_CERTIFICATE_V2,
            &SigningCertificateV2 {
                certs,
                policies: None,
            },
        )?,
    ];
    if let Some(at) = how.signing_time {
        attributes.push(Attribute {
            oid: ID_SIGNING_TIME,
            values: SetOfVec::try_from(vec![asn1_time(at)?])?,
        });
    }
    SetOfVec::try_from(attributes)
}

fn attribute<T>(oid: ObjectIdentifier, value: &T) -> der::Result<Attribute>
where
    T: der::Tagged + der::EncodeValue,
{
    Ok(Attribute {
        oid,
        values: SetOfVec::try_from(vec![Any::encode_from(value)?])?,
    })
}

/// RFC 5652 section 11.3: `UTCTime` until 2049, `GeneralizedTime` after.
fn asn1_time(at: Time) -> der::Result<Any> {
    let since_1970 = std::time::Duration::from_secs(u64::try_from(at.seconds()).unwrap_or(0));
    match UtcTime::from_unix_duration(since_1970) {
        Ok(short) => Any::encode_from(&short),
        Err(_) => Any::encode_from(&GeneralizedTime::from_unix_duration(since_1970)?),
    }
}

fn issuer_and_serial(certificate: &Certificate) -> IssuerAndSerialNumber {
    let tbs = certificate.parsed().tbs_certificate();
    IssuerAndSerialNumber {
        issuer: tbs.issuer().clone(),
        serial_number: tbs.serial_number().clone(),
    }
}
