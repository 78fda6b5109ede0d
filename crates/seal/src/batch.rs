//! One signature over many messages, as exchanged and kept: sealing a batch, checking one message
//! of it, and the XML signature that both stand for. Never builds an XML tree: templates are filled
//! and hashed.

mod cache;

use kernel::{Digest, Time};
use minicbor::{Decode, Encode};

use crate::certificate::Certificate;
use crate::error::SealFault;
use crate::hashchain::{self, PATH_STEPS_MAX, base64};
use crate::key::Identity;
use crate::template::{self, xml_text};

pub use crate::hashchain::Step;
pub use cache::RootCache;

/// The template that seals are made with.
const TEMPLATE: u16 = 1;
/// 9999-12-31T23:59:59.999Z: the last instant that four digits of a year tell.
const LAST_TIME: Time = Time(253_402_300_799_999);

/// A message by its two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts {
    /// SHA-256 of the head: the bytes of `message.xml`.
    pub head: Digest,
    /// SHA-256 of the body: the bytes of `attachment1`, none when there is no body.
    pub body: Digest,
}

impl Parts {
    /// The parts of a message.
    #[must_use]
    pub fn of(head: &[u8], body: &[u8]) -> Self {
        Self {
            head: Digest::of(head),
            body: Digest::of(body),
        }
    }
}

/// A message's share of a batch's signature: all that is needed to check it, beside the message
/// and the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sealed {
    /// The number of the template; 1.
    #[n(0)]
    pub template: u16,
    /// When it was signed, by the signer's clock, in milliseconds since 1970.
    #[n(1)]
    pub signing_time: i64,
    /// The thumbprint of the signer's certificate.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub certificate: [u8; 32],
    /// The steps from the message to the batch's root.
    #[n(3)]
    pub path: Vec<Step>,
    /// ECDSA, `r || s`, over the batch's `SignedInfo`.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// Seals messages with one signature; one [`Sealed`] for each, in their order.
///
/// # Panics
/// When `at` lies outside the years 1970 to 9999, or the batch has more than 2^24 messages.
#[must_use]
pub fn seal_batch(identity: &Identity, parts: &[Parts], at: Time) -> Vec<Sealed> {
    if parts.is_empty() {
        return Vec::new();
    }
    assert!(tellable(at), "a signing time has a year of four digits");
    assert!(parts.len() <= 1 << PATH_STEPS_MAX, "a batch has a bound");
    let (root, paths) = hashchain::tree(parts.iter().map(hashchain::message_leaf).collect());
    let signed = signed_bytes(&root, at, &identity.certificate);
    let signature = identity.key.sign_raw(signed.info.as_bytes());
    let certificate = identity.certificate.thumbprint().0;
    paths
        .into_iter()
        .map(|path| Sealed {
            template: TEMPLATE,
            signing_time: at.ms(),
            certificate,
            path,
            signature,
        })
        .collect()
}

/// Checks that `certificate` sealed exactly this message at the time told. Whether the certificate
/// is trusted is another question: [`crate::certificate::Trust::path`].
///
/// # Errors
/// What is wrong; a seal has no near misses.
pub fn verify(
    parts: &Parts,
    sealed: &Sealed,
    certificate: &Certificate,
    roots: &RootCache,
) -> Result<(), SealFault> {
    let root = root_of(parts, sealed, certificate)?;
    let key = cache::key(&root, sealed);
    if roots.knows(&key) {
        return Ok(());
    }
    let signed = signed_bytes(&root, Time(sealed.signing_time), certificate);
    if !certificate.verify_raw(signed.info.as_bytes(), &sealed.signature) {
        return Err(SealFault::SignatureInvalid);
    }
    roots.learn(key);
    Ok(())
}

/// The root a seal claims for this message, once its form is sound.
fn root_of(parts: &Parts, sealed: &Sealed, certificate: &Certificate) -> Result<Digest, SealFault> {
    if sealed.template != TEMPLATE {
        return Err(SealFault::TemplateUnknown);
    }
    if sealed.certificate != certificate.thumbprint().0 {
        return Err(SealFault::CertificateDiffers);
    }
    if !tellable(Time(sealed.signing_time)) {
        return Err(SealFault::TimeInvalid);
    }
    if sealed.path.len() > PATH_STEPS_MAX {
        return Err(SealFault::PathTooLong);
    }
    Ok(hashchain::climb(hashchain::message_leaf(parts), &sealed.path))
}

/// Two times outside the years of four digits could be told by the same text.
fn tellable(at: Time) -> bool {
    (Time(0)..=LAST_TIME).contains(&at)
}

/// The canonical bytes of a signature's two parts.
struct Signed {
    info: String,
    properties: String,
}

fn signed_bytes(root: &Digest, at: Time, certificate: &Certificate) -> Signed {
    let result = Digest::of(hashchain::sig_hashchainresult_xml(root).as_bytes());
    signed_over(&result, at, certificate)
}

/// The signed bytes over a hash chain result's digest.
fn signed_over(result: &Digest, at: Time, certificate: &Certificate) -> Signed {
    let properties = template::SIGNED_PROPERTIES.fill(&[
        ("time", &at.rfc3339()),
        ("thumbprint", &base64(certificate.thumbprint().bytes())),
        ("issuer", &xml_text(certificate.issuer_rfc2253())),
        ("serial", certificate.serial_decimal()),
    ]);
    let digest = Digest::of(properties.as_bytes());
    let info = template::SIGNED_INFO.fill(&[
        ("result", &base64(result.bytes())),
        ("properties", &base64(digest.bytes())),
    ]);
    Signed { info, properties }
}

/// The whole `META-INF/signatures.xml` of a batch: the same bytes for each of its messages.
/// `chain` are the issuers to send along, the leaf excluded.
#[must_use]
pub fn signatures_xml(
    sealed: &Sealed,
    parts: &Parts,
    certificate: &Certificate,
    chain: &[Certificate],
) -> String {
    let root = hashchain::climb(hashchain::message_leaf(parts), &sealed.path);
    let signed = signed_bytes(&root, Time(sealed.signing_time), certificate);
    write_signatures(&signed, &sealed.signature, certificate, chain)
}

fn write_signatures(
    signed: &Signed,
    signature: &[u8; 64],
    certificate: &Certificate,
    chain: &[Certificate],
) -> String {
    let certificates: String = std::iter::once(certificate)
        .chain(chain)
        .map(|c| template::CERTIFICATE.fill(&[("certificate", &base64(c.der()))]))
        .collect();
    template::SIGNATURES.fill(&[
        ("signed_info", &signed.info),
        ("signature", &base64(signature)),
        ("certificates", &certificates),
        ("signed_properties", &signed.properties),
    ])
}

/// What a signature file says, read strictly: it is byte for byte the file written for it. Says
/// nothing yet about the signature itself.
pub(crate) struct SignatureFile {
    /// The digest of the hash chain result that is signed.
    pub(crate) result: Digest,
    pub(crate) signing_time: Time,
    pub(crate) certificate: Certificate,
    pub(crate) chain: Vec<Certificate>,
    signature: [u8; 64],
    info: String,
}

impl SignatureFile {
    /// Reads a signature file; `None` when it is not one this house wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let [info, signature, certificates, properties] =
            template::SIGNATURES.read_whole(text)?.try_into().ok()?;
        let result = Digest(hashchain::bytes_of(
            template::SIGNED_INFO.read_whole(info)?.first()?,
        )?);
        let signing_time = Time::parse_rfc3339(template::SIGNED_PROPERTIES.read_whole(properties)?.first()?)?;
        let signature = hashchain::bytes_of(signature)?;
        let mut chain = read_certificates(certificates)?;
        if chain.is_empty() || !tellable(signing_time) {
            return None;
        }
        let certificate = chain.remove(0);
        let signed = signed_over(&result, signing_time, &certificate);
        let same = write_signatures(&signed, &signature, &certificate, &chain) == text;
        same.then_some(Self {
            result,
            signing_time,
            certificate,
            chain,
            signature,
            info: signed.info,
        })
    }

    /// Whether the signature is the certificate's over what is signed.
    pub(crate) fn holds(&self) -> bool {
        self.certificate.verify_raw(self.info.as_bytes(), &self.signature)
    }
}

/// The certificates of a signature file, the leaf first; at most eight.
fn read_certificates(mut text: &str) -> Option<Vec<Certificate>> {
    use base64::Engine as _;
    let mut all = Vec::new();
    while !text.is_empty() {
        let (values, rest) = template::CERTIFICATE.read(text)?;
        let der = base64::engine::general_purpose::STANDARD
            .decode(values.first()?)
            .ok()?;
        all.push(Certificate::from_der(&der).ok()?);
        text = rest;
        if all.len() > 8 {
            return None;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests;
