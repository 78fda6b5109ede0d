//! Opens signed data: strict DER, one signer, every digest and the signature checked before
//! anything inside is believed. Never decides trust and never panics on what strangers send.

use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignerIdentifier, SignerInfo};
use der::asn1::{GeneralizedTime, ObjectIdentifier, OctetString, UtcTime};
use der::{Any, Decode, Encode, Tag, Tagged};
use kernel::{Digest, Time};
use x509_cert::attr::Attributes;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{
    ID_CONTENT_TYPE, ID_DATA, ID_ECDSA_SHA256, ID_MESSAGE_DIGEST, ID_RSA, ID_RSA_SHA256, ID_SIGNED_DATA,
    ID_SIGNING_CERTIFICATE_V2, ID_SIGNING_TIME, SignedData, SigningCertificateV2, is_sha256,
};
use crate::certificate::Certificate;

/// More certificates than this in one message are not a path, they are a burden.
const CERTIFICATES_MAX: usize = 16;

/// Why signed data was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmsFault {
    /// Not the structure it has to be; says which part.
    #[error("not acceptable signed data: {0}")]
    Format(&'static str),
    /// Another digest than SHA-256, or another key than P-256 or RSA of 2048 bits and more.
    #[error("an algorithm this system does not accept")]
    Algorithm,
    /// The signer's certificate is not inside, or is not the one the signed attributes name.
    #[error("the signer's certificate is missing or is not the one signed for")]
    SignerCertificate,
    /// The content is not the content that was signed.
    #[error("the content does not match the signed digest")]
    Hash,
    /// The signature value does not verify.
    #[error("the signature value does not verify")]
    Signature,
}

/// Signed data whose digests and signature hold. Whether the signer is trusted is still open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The signer's certificate.
    pub signer: Certificate,
    /// The other certificates sent along.
    pub others: Vec<Certificate>,
    /// What the content is.
    pub content_type: ObjectIdentifier,
    /// The content, when it travels inside.
    pub content: Option<Vec<u8>>,
    /// The time the signer claimed in the signed attributes.
    pub signing_time: Option<Time>,
}

/// Opens a signature over content outside, of which the caller brings the digest.
///
/// # Errors
/// The first thing found wrong.
pub fn open_detached(cms: &[u8], content: &Digest) -> Result<Opened, CmsFault> {
    let signed = parse(cms)?;
    if signed.encap_content_info.econtent.is_some() {
        return Err(CmsFault::Format("content inside a detached signature"));
    }
    if signed.encap_content_info.econtent_type != ID_DATA {
        return Err(CmsFault::Format("content type"));
    }
    open(&signed, content, None)
}

/// Opens a signature that carries its content, which must be of the given type.
///
/// # Errors
/// The first thing found wrong.
pub fn open_encapsulated(cms: &[u8], content_type: ObjectIdentifier) -> Result<Opened, CmsFault> {
    let signed = parse(cms)?;
    if signed.encap_content_info.econtent_type != content_type {
        return Err(CmsFault::Format("content type"));
    }
    let inside = signed
        .encap_content_info
        .econtent
        .as_ref()
        .ok_or(CmsFault::Format("no content"))?;
    let bytes = inside
        .decode_as::<OctetString>()
        .map_err(|_| CmsFault::Format("content"))?
        .into_bytes();
    open(&signed, &Digest::of(&bytes), Some(bytes.into()))
}

fn parse(cms: &[u8]) -> Result<SignedData, CmsFault> {
    let outer = ContentInfo::from_der(cms).map_err(|_| CmsFault::Format("content info"))?;
    if outer.content_type != ID_SIGNED_DATA {
        return Err(CmsFault::Format("not signed data"));
    }
    let signed: SignedData = outer
        .content
        .decode_as()
        .map_err(|_| CmsFault::Format("signed data"))?;
    let typed = signed.encap_content_info.econtent_type != ID_DATA;
    let version = if typed { CmsVersion::V3 } else { CmsVersion::V1 };
    let by_key = signed.signer_infos.iter().any(|s| s.version == CmsVersion::V3);
    if signed.version != version && !(by_key && signed.version == CmsVersion::V3) {
        return Err(CmsFault::Format("version"));
    }
    Ok(signed)
}

fn open(signed: &SignedData, content: &Digest, inside: Option<Vec<u8>>) -> Result<Opened, CmsFault> {
    let [signer_info] = signed.signer_infos.as_slice() else {
        return Err(CmsFault::Format("not exactly one signer"));
    };
    let attributes = signer_info
        .signed_attrs
        .as_ref()
        .ok_or(CmsFault::Format("no signed attributes"))?;
    let raw = certificates(signed)?;
    let signer = signer(&raw, signer_info)?;
    if !is_sha256(&signer_info.digest_alg)
        || !signed.digest_algorithms.iter().all(is_sha256)
        || signed.digest_algorithms.is_empty()
    {
        return Err(CmsFault::Algorithm);
    }
    let algorithm = signature_algorithm(&signer_info.signature_algorithm)?;

    let named: ObjectIdentifier = one(attributes, ID_CONTENT_TYPE)?
        .ok_or(CmsFault::Format("no content-type attribute"))?
        .decode_as()
        .map_err(|_| CmsFault::Format("content-type attribute"))?;
    if named != signed.encap_content_info.econtent_type {
        return Err(CmsFault::Format("content-type attribute"));
    }
    let digest: OctetString = one(attributes, ID_MESSAGE_DIGEST)?
        .ok_or(CmsFault::Format("no message-digest attribute"))?
        .decode_as()
        .map_err(|_| CmsFault::Format("message-digest attribute"))?;
    // The signature covers the DER of the SET OF (RFC 5652 section 5.4), whatever its tag was in transit.
    let covered = attributes
        .to_der()
        .map_err(|_| CmsFault::Format("signed attributes"))?;
    if !signer.verify_algorithm(&algorithm, &covered, signer_info.signature.as_bytes()) {
        return Err(CmsFault::Signature);
    }
    if digest.as_bytes() != content.bytes() {
        return Err(CmsFault::Hash);
    }
    names_these(attributes, &signer, &raw)?;
    let others = raw
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .filter(|c| c.der() != signer.der());
    Ok(Opened {
        others: others.collect(),
        content_type: named,
        content: inside,
        signing_time: signing_time(attributes)?,
        signer,
    })
}

/// The certificates as they came; other kinds than X.509 are refused.
fn certificates(signed: &SignedData) -> Result<Vec<Vec<u8>>, CmsFault> {
    let Some(set) = &signed.certificates else {
        return Ok(Vec::new());
    };
    if set.len() > CERTIFICATES_MAX {
        return Err(CmsFault::Format("too many certificates"));
    }
    set.iter()
        .map(|any| match any.tag() {
            Tag::Sequence => any.to_der().map_err(|_| CmsFault::Format("certificate")),
            _ => Err(CmsFault::Format("certificate kind")),
        })
        .collect()
}

/// The certificate the signer info points at.
fn signer(raw: &[Vec<u8>], info: &SignerInfo) -> Result<Certificate, CmsFault> {
    let version = match info.sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
        SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
    };
    if info.version != version {
        return Err(CmsFault::Format("signer version"));
    }
    let found = raw.iter().find(|der| {
        let Ok(parsed) = x509_cert::Certificate::from_der(der) else {
            return false;
        };
        let tbs = parsed.tbs_certificate();
        match &info.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                tbs.issuer() == &named.issuer && tbs.serial_number() == &named.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                matches!(tbs.get_extension::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if &own == named)
            }
        }
    });
    let der = found.ok_or(CmsFault::SignerCertificate)?;
    // It reads as X.509, so what our own reader refuses is its key.
    Certificate::from_der(der).map_err(|_| CmsFault::Algorithm)
}

/// The algorithm as X.509 names it. RSA signers may name only the key, the digest standing beside.
fn signature_algorithm(named: &AlgorithmIdentifierOwned) -> Result<ObjectIdentifier, CmsFault> {
    let null_or_absent = named.parameters.as_ref().is_none_or(Any::is_null);
    match named.oid {
        ID_ECDSA_SHA256 if named.parameters.is_none() => Ok(ID_ECDSA_SHA256),
        ID_RSA | ID_RSA_SHA256 if null_or_absent => Ok(ID_RSA_SHA256),
        _ => Err(CmsFault::Algorithm),
    }
}

/// ESS: the first hash is the signer's certificate, and each further one is among those sent.
fn names_these(attributes: &Attributes, signer: &Certificate, raw: &[Vec<u8>]) -> Result<(), CmsFault> {
    let ess: SigningCertificateV2 = one(attributes, ID_SIGNING_CERTIFICATE_V2)?
        .ok_or(CmsFault::Format("no signing-certificate-v2 attribute"))?
        .decode_as()
        .map_err(|_| CmsFault::Format("signing-certificate-v2 attribute"))?;
    if ess
        .certs
        .iter()
        .any(|c| !c.hash_algorithm.as_ref().is_none_or(is_sha256))
    {
        return Err(CmsFault::Algorithm);
    }
    let (first, rest) = ess.certs.split_first().ok_or(CmsFault::SignerCertificate)?;
    let sent: Vec<Digest> = raw.iter().map(|der| Digest::of(der)).collect();
    let all_sent = rest
        .iter()
        .all(|c| sent.iter().any(|have| have.bytes() == c.cert_hash.as_bytes()));
    if first.cert_hash.as_bytes() != signer.thumbprint().bytes() || !all_sent {
        return Err(CmsFault::SignerCertificate);
    }
    Ok(())
}

/// The one value of an attribute that may stand at most once.
fn one(attributes: &Attributes, oid: ObjectIdentifier) -> Result<Option<&Any>, CmsFault> {
    let mut found = attributes.iter().filter(|a| a.oid == oid);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(attribute), None) if attribute.values.len() == 1 => Ok(attribute.values.get(0)),
        _ => Err(CmsFault::Format("an attribute given twice")),
    }
}

fn signing_time(attributes: &Attributes) -> Result<Option<Time>, CmsFault> {
    let Some(value) = one(attributes, ID_SIGNING_TIME)? else {
        return Ok(None);
    };
    let since_1970 = match value.tag() {
        Tag::UtcTime => value.decode_as::<UtcTime>().map(|t| t.to_unix_duration()),
        _ => value.decode_as::<GeneralizedTime>().map(|t| t.to_unix_duration()),
    };
    let seconds = since_1970
        .map_err(|_| CmsFault::Format("signing-time attribute"))?
        .as_secs();
    Ok(i64::try_from(seconds).ok().map(|s| Time(s * 1000)))
}

/// The common name in the certificate the message says is its signer's. A claim: nothing was checked.
#[must_use]
pub fn claimed_signer(cms: &[u8]) -> Option<String> {
    let signed = parse(cms).ok()?;
    let [info] = signed.signer_infos.as_slice() else {
        return None;
    };
    Some(signer(&certificates(&signed).ok()?, info).ok()?.common_name())
}
