//! The public keys of certificates. Never keeps a point that is not on its curve.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_ASN1, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use der::asn1::ObjectIdentifier;

use crate::error::SealError;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

/// Public keys met in practice: our own are P-256; national roots are RSA or P-384 too.
pub(super) enum Key {
    P256 {
        point: Vec<u8>,
        raw: ParsedPublicKey,
        der: ParsedPublicKey,
    },
    P384(Vec<u8>),
    Rsa(Vec<u8>),
}

impl Key {
    /// The key of a certificate.
    pub(super) fn read(parsed: &x509_cert::Certificate) -> Result<Self, SealError> {
        let info = parsed.tbs_certificate().subject_public_key_info();
        let bytes = info
            .subject_public_key
            .as_bytes()
            .ok_or(SealError::Certificate("key bits"))?;
        let curve = info
            .algorithm
            .parameters
            .as_ref()
            .and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
        let bad = |_| SealError::Certificate("not a point of the curve");
        match (info.algorithm.oid, curve) {
            (EC_PUBLIC_KEY, Some(P256)) if bytes.len() == 65 => Ok(Self::P256 {
                point: bytes.to_vec(),
                raw: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).map_err(bad)?,
                der: ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, bytes).map_err(bad)?,
            }),
            (EC_PUBLIC_KEY, Some(P384)) => Ok(Self::P384(bytes.to_vec())),
            (RSA, _) => Ok(Self::Rsa(bytes.to_vec())),
            _ => Err(SealError::Certificate("kind of key not supported")),
        }
    }

    /// The uncompressed P-256 point; empty for any other kind of key.
    pub(super) fn point(&self) -> &[u8] {
        match self {
            Self::P256 { point, .. } => point,
            Self::P384(_) | Self::Rsa(_) => &[],
        }
    }

    pub(super) fn verify_der(&self, message: &[u8], signature: &[u8]) -> bool {
        matches!(self, Self::P256 { der, .. } if der.verify_sig(message, signature).is_ok())
    }

    pub(super) fn verify_raw(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        matches!(self, Self::P256 { raw, .. } if raw.verify_sig(message, signature).is_ok())
    }

    pub(super) fn verify_algorithm(
        &self,
        algorithm: &ObjectIdentifier,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (rule, key): (&'static dyn VerificationAlgorithm, &[u8]) = match (self, *algorithm) {
            (Self::P256 { .. }, ECDSA_SHA256) => return self.verify_der(message, signature),
            (Self::P384(point), ECDSA_SHA384) => (&ECDSA_P384_SHA384_ASN1, point),
            (Self::Rsa(key), RSA_SHA256) => (&RSA_PKCS1_2048_8192_SHA256, key),
            (Self::Rsa(key), RSA_SHA384) => (&RSA_PKCS1_2048_8192_SHA384, key),
            (Self::Rsa(key), RSA_SHA512) => (&RSA_PKCS1_2048_8192_SHA512, key),
            _ => return false,
        };
        UnparsedPublicKey::new(rule, key)
            .verify(message, signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::certificate::{Certificate, Trust, Usage};
    use kernel::Time;
    use std::process::Command;

    /// National roots are RSA or P-384: a root of each, and a leaf under it, made by `openssl`.
    fn root_and_leaf(name: &str, root_key: &[&str], digest: &str) -> (Certificate, Certificate) {
        let folder = std::env::temp_dir().join(format!("seal-roots-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let openssl = |args: &[&str]| {
            let output = Command::new("openssl")
                .current_dir(&folder)
                .args(args)
                .output()
                .expect("openssl runs");
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        openssl(&[&["genpkey", "-out", "root.key"][..], root_key].concat());
        let root = [
            "-subj", "/CN=Root", "-days", "100", "-out", "root.pem", "-key", "root.key", digest,
        ];
        let usage = ["-addext", "keyUsage=critical,keyCertSign"];
        openssl(&[&["req", "-x509"][..], &root, &usage].concat());
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "leaf.key",
        ]);
        let leaf = ["-subj", "/CN=Leaf", "-key", "leaf.key", "-out", "leaf.csr"];
        let usage = ["-addext", "keyUsage=digitalSignature,nonRepudiation"];
        openssl(&[&["req", "-new"][..], &leaf, &usage].concat());
        let issue = [
            "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-out", "leaf.pem", digest,
        ];
        openssl(
            &[
                &["x509", "-req", "-days", "50", "-copy_extensions", "copy"][..],
                &issue,
            ]
            .concat(),
        );
        let read = |file: &str| {
            let text = std::fs::read_to_string(folder.join(file)).expect("reads");
            Certificate::from_pem(&text).expect("a certificate")
        };
        let pair = (read("root.pem"), read("leaf.pem"));
        std::fs::remove_dir_all(&folder).expect("removed");
        pair
    }

    #[test]
    fn roots_of_every_kind_in_use_lead_to_their_leaves_only() {
        let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        let p384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
        let made = [
            root_and_leaf("rsa256", &rsa, "-sha256"),
            root_and_leaf("rsa512", &rsa, "-sha512"),
            root_and_leaf("p384", &p384, "-sha384"),
        ];
        for (n, (root, _)) in made.iter().enumerate() {
            let trust = Trust::of(vec![root.clone()]);
            for (m, (_, leaf)) in made.iter().enumerate() {
                let at = Time(leaf.not_before().ms().max(root.not_before().ms()));
                assert_eq!(trust.path(leaf, &[], at, Usage::Seal).is_ok(), n == m, "{n} {m}");
            }
        }
    }
}
