//! P-256 signing keys, and the identity that a key and its certificates make. Never shows a key
//! in a log: `Debug` is redacted, and the ways out are [`SigningKey::to_pkcs8_pem`] and
//! [`SigningKey::to_pkcs8_der`].

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

use crate::certificate::{self, Certificate};
use crate::error::SealError;

/// An ECDSA key on P-256, used with SHA-256. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<Pairs>);

/// The same key prepared for both encodings of a signature: XML and JOSE want raw `r || s`, CMS,
/// X.509 and RFC 3161 want DER.
struct Pairs {
    der: EcdsaKeyPair,
    raw: EcdsaKeyPair,
}

impl SigningKey {
    /// A new key from the cryptographic library's own random source.
    #[must_use]
    pub fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .expect("a P-256 key can be made wherever the process can run");
        let document = pair.to_pkcs8v1().expect("a fresh key has an encoding");
        Self::from_pkcs8_der(document.as_ref()).expect("a fresh key reads back")
    }

    /// Reads `-----BEGIN PRIVATE KEY-----`.
    ///
    /// # Errors
    /// When the text is not one PKCS#8 key on P-256.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, SealError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| SealError::Pem("no PKCS#8 private key"))?;
        Self::from_pkcs8_der(key.secret_pkcs8_der())
    }

    /// Reads PKCS#8 in DER.
    ///
    /// # Errors
    /// When the bytes are not one PKCS#8 key on P-256.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, SealError> {
        let refused = |_| SealError::Key("not a PKCS#8 key on P-256");
        Ok(Self(Arc::new(Pairs {
            der: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der).map_err(refused)?,
            raw: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(refused)?,
        })))
    }

    /// The key as PKCS #8 DER, for a TLS stack: the caller keeps it secret.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Vec<u8> {
        self.0
            .der
            .to_pkcs8v1()
            .expect("a key that was read can be written")
            .as_ref()
            .to_vec()
    }

    /// `-----BEGIN PRIVATE KEY-----`: the caller keeps it secret.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> String {
        let document = self
            .0
            .der
            .to_pkcs8v1()
            .expect("a key that was read can be written");
        certificate::pem_text("PRIVATE KEY", document.as_ref())
    }

    /// ECDSA over SHA-256 of `message`, as the ASN.1 DER of X.509 and CMS.
    #[must_use]
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.der.sign(&SystemRandom::new(), message);
        signature.expect("a P-256 key signs").as_ref().to_vec()
    }

    /// ECDSA over SHA-256 of `message`, as the 64 bytes `r || s` of XML signatures and JOSE.
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        let signature = self
            .0
            .raw
            .sign(&SystemRandom::new(), message)
            .expect("a P-256 key signs");
        let mut out = [0; 64];
        out.copy_from_slice(signature.as_ref());
        out
    }

    /// The public half as an uncompressed point: `04 || x || y`, 65 bytes.
    #[must_use]
    pub fn public_point(&self) -> &[u8] {
        self.0.der.public_key().as_ref()
    }

    /// The private number, 32 bytes. The caller keeps it secret.
    #[must_use]
    pub fn secret_bytes(&self) -> Vec<u8> {
        let key = self.0.der.private_key();
        let bytes = key.as_be_bytes().expect("a P-256 key has 32 bytes");
        bytes.as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

/// A key, its certificate, and the certificates between it and a root.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Signs.
    pub key: SigningKey,
    /// Names who signs.
    pub certificate: Certificate,
    /// The issuers in order, the leaf excluded.
    pub chain: Vec<Certificate>,
}

impl Identity {
    /// Reads a PKCS#8 key and a chain of certificates, the leaf first.
    ///
    /// # Errors
    /// When either cannot be read, or the key is not the leaf certificate's.
    pub fn from_pem(key_pem: &str, chain_pem: &str) -> Result<Self, SealError> {
        let key = SigningKey::from_pkcs8_pem(key_pem)?;
        let mut chain = Certificate::list_from_pem(chain_pem)?;
        if chain.is_empty() {
            return Err(SealError::Pem("no certificate"));
        }
        let certificate = chain.remove(0);
        if certificate.public_key_point() != key.public_point() {
            return Err(SealError::Key("not the key of the certificate"));
        }
        Ok(Self {
            key,
            certificate,
            chain,
        })
    }

    /// The certificates as PEM, the leaf first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        let all = std::iter::once(&self.certificate).chain(&self.chain);
        all.map(Certificate::pem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Profile, Subject};
    use kernel::Time;

    #[test]
    fn a_key_survives_its_text_and_is_never_shown() {
        let key = SigningKey::generate();
        let again = SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem()).expect("reads back");
        assert_eq!(key.public_point(), again.public_point());
        assert_eq!(format!("{key:?}"), "SigningKey(redacted)");
        assert!(
            SigningKey::from_pkcs8_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                .is_err()
        );
    }

    #[test]
    fn an_identity_refuses_the_key_of_another_certificate() {
        let from = Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
        let authority = Authority::new("Trial root", from).expect("an authority");
        let subject = Subject {
            common_name: "Sở thử".to_owned(),
            organisation: None,
            position: None,
        };
        let mine = authority
            .issue(Profile::OrganisationSeal, &subject, from, 10, [1; 16])
            .expect("issued");
        let pem = mine.chain_pem();
        let back = Identity::from_pem(&mine.key.to_pkcs8_pem(), &pem).expect("its own key");
        assert_eq!(back.certificate.thumbprint(), mine.certificate.thumbprint());
        let other = SigningKey::generate().to_pkcs8_pem();
        assert_eq!(
            Identity::from_pem(&other, &pem).expect_err("another key"),
            SealError::Key("not the key of the certificate")
        );
    }
}
