//! What a seal must refuse: every change of any byte, and what is known against hash chains.

use kernel::{Digest, Time};

use super::*;
use crate::authority::{Authority, Profile, Subject};
use crate::hashchain::message_leaf;

fn at() -> Time {
    Time::parse_rfc3339("2026-11-21T02:30:00.123Z").expect("a time")
}

fn identity() -> Identity {
    let root = Authority::new("Gốc thử nghiệm", at()).expect("an authority");
    let subject = Subject {
        common_name: "Sở Tư pháp".to_owned(),
        organisation: Some("H56.14857".to_owned()),
        position: None,
    };
    root.issue(Profile::OrganisationSeal, &subject, at(), 365, [1; 16])
        .expect("issued")
}

fn messages(count: usize) -> Vec<Parts> {
    (0..count)
        .map(|n| Parts::of(format!("head {n}").as_bytes(), format!("body {n}").as_bytes()))
        .collect()
}

/// Checks with no memory, and with one that knows the good batch.
fn refused(parts: &Parts, sealed: &Sealed, who: &Identity, warm: &RootCache) -> bool {
    let cold = verify(parts, sealed, &who.certificate, &RootCache::new(1));
    let warm = verify(parts, sealed, &who.certificate, warm);
    assert_eq!(cold, warm, "memory changes no answer");
    cold.is_err()
}

#[test]
fn every_message_of_a_batch_is_sealed_and_no_other() {
    let who = identity();
    for count in [1, 2, 3, 5, 32, 33] {
        let parts = messages(count);
        let sealed = seal_batch(&who, &parts, at());
        assert_eq!(sealed.len(), count);
        let cache = RootCache::default();
        for (n, (part, seal)) in parts.iter().zip(&sealed).enumerate() {
            assert_eq!(verify(part, seal, &who.certificate, &cache), Ok(()));
            let other = &parts[(n + 1) % count];
            assert!(count == 1 || refused(other, seal, &who, &cache));
        }
        assert_eq!(cache.len(), 1, "one root was verified for all");
    }
    assert!(seal_batch(&who, &[], at()).is_empty());
}

#[test]
fn every_change_of_any_byte_is_refused() {
    let who = identity();
    let parts = messages(5);
    let sealed = seal_batch(&who, &parts, at());
    let (part, seal) = (parts[1], sealed[1].clone());
    let cache = RootCache::default();
    assert_eq!(verify(&part, &seal, &who.certificate, &cache), Ok(()));
    for (byte, bit) in (0..32).flat_map(|byte| (0..8).map(move |bit| (byte, 1_u8 << bit))) {
        let mut bent = part;
        bent.head.0[byte] ^= bit;
        assert!(refused(&bent, &seal, &who, &cache), "head {byte}");
        let mut bent = part;
        bent.body.0[byte] ^= bit;
        assert!(refused(&bent, &seal, &who, &cache), "body {byte}");
        let mut bent = seal.clone();
        bent.certificate[byte] ^= bit;
        assert!(refused(&part, &bent, &who, &cache), "thumbprint {byte}");
        for half in [0, 32] {
            let mut bent = seal.clone();
            bent.signature[byte + half] ^= bit;
            assert!(refused(&part, &bent, &who, &cache), "signature {byte}");
        }
        for step in 0..seal.path.len() {
            let mut bent = seal.clone();
            bent.path[step].digest[byte] ^= bit;
            assert!(refused(&part, &bent, &who, &cache), "path {step} {byte}");
        }
    }
    for bit in 0..64 {
        let mut bent = seal.clone();
        bent.signing_time ^= 1 << bit;
        assert!(refused(&part, &bent, &who, &cache), "time {bit}");
    }
    for bit in 0..16 {
        let bent = Sealed {
            template: seal.template ^ (1 << bit),
            ..seal.clone()
        };
        assert!(refused(&part, &bent, &who, &cache), "template {bit}");
    }
    let swapped = Parts {
        head: part.body,
        body: part.head,
    };
    assert!(refused(&swapped, &seal, &who, &cache));
}

#[test]
fn a_path_cannot_be_turned_cut_or_lengthened() {
    let who = identity();
    let parts = messages(5);
    let seal = seal_batch(&who, &parts, at()).remove(1);
    let cache = RootCache::default();
    for step in 0..seal.path.len() {
        let mut bent = seal.clone();
        bent.path[step].left ^= true;
        assert!(refused(&parts[1], &bent, &who, &cache));
        bent.path.remove(step);
        assert!(refused(&parts[1], &bent, &who, &cache));
        let mut bent = seal.clone();
        bent.path.insert(step, seal.path[step]);
        assert!(refused(&parts[1], &bent, &who, &cache));
    }
    let mut bent = seal.clone();
    bent.path = vec![seal.path[0]; PATH_STEPS_MAX + 1];
    assert_eq!(
        verify(&parts[1], &bent, &who.certificate, &cache),
        Err(SealFault::PathTooLong)
    );
}

#[test]
fn the_zero_signature_and_anothers_certificate_are_refused() {
    let (who, other) = (identity(), identity());
    let parts = messages(1);
    let seal = seal_batch(&who, &parts, at()).remove(0);
    let cache = RootCache::default();
    let zero = Sealed {
        signature: [0; 64],
        ..seal.clone()
    };
    assert_eq!(
        verify(&parts[0], &zero, &who.certificate, &cache),
        Err(SealFault::SignatureInvalid)
    );
    assert_eq!(
        verify(&parts[0], &seal, &other.certificate, &cache),
        Err(SealFault::CertificateDiffers)
    );
    let renamed = Sealed {
        certificate: other.certificate.thumbprint().0,
        ..seal
    };
    assert_eq!(
        verify(&parts[0], &renamed, &other.certificate, &cache),
        Err(SealFault::SignatureInvalid)
    );
}

/// Whoever chooses a body puts into it the encoding of a step over a message never sent. In a
/// chain whose leaves look like nodes the seal of the real message would seal the forged one.
#[test]
fn a_body_that_encodes_a_forged_step_seals_nothing() {
    let who = identity();
    let forged = Parts::of(b"POST /pay/me", b"everything");
    // The body's digest is then the forged leaf: the attacker knows bytes that hash to it.
    let real = Parts {
        head: Digest::of(b"GET /harmless"),
        body: message_leaf(&forged),
    };
    for count in [1, 2] {
        let mut all = messages(count);
        all[0] = real;
        let seal = seal_batch(&who, &all, at()).remove(0);
        for left in [true, false] {
            let mut claim = seal.clone();
            claim.path.insert(
                0,
                Step {
                    left,
                    digest: real.head.0,
                },
            );
            assert!(refused(&forged, &claim, &who, &RootCache::default()));
        }
    }
    // Nor does a node pass for a message: its two halves taken as head and body.
    let all = messages(2);
    let seal = seal_batch(&who, &all, at()).remove(0);
    let halves = Parts {
        head: message_leaf(&all[0]),
        body: message_leaf(&all[1]),
    };
    let claim = Sealed {
        path: Vec::new(),
        ..seal
    };
    assert!(refused(&halves, &claim, &who, &RootCache::default()));
}

#[test]
fn the_signature_file_is_the_same_for_every_message_and_reads_back() {
    let who = identity();
    let parts = messages(3);
    let sealed = seal_batch(&who, &parts, at());
    let files: Vec<String> = parts
        .iter()
        .zip(&sealed)
        .map(|(part, seal)| signatures_xml(seal, part, &who.certificate, &who.chain))
        .collect();
    assert!(files.windows(2).all(|w| w[0] == w[1]));
    let read = SignatureFile::read(&files[0]).expect("reads back");
    assert!(read.holds());
    assert_eq!((read.signing_time, read.certificate), (at(), who.certificate));
    assert_eq!(read.chain, who.chain);
}

#[test]
fn a_signature_file_changed_in_any_letter_is_not_read_or_does_not_hold() {
    let who = identity();
    let parts = messages(1);
    let seal = seal_batch(&who, &parts, at()).remove(0);
    let file = signatures_xml(&seal, &parts[0], &who.certificate, &[]);
    for place in 0..file.len() {
        let mut bent = file.clone().into_bytes();
        bent[place] = if bent[place] == b'B' { b'C' } else { b'B' };
        // Half a letter of the issuer's name is no text at all.
        let Ok(bent) = String::from_utf8(bent) else {
            continue;
        };
        assert!(
            !SignatureFile::read(&bent).is_some_and(|f| f.holds()),
            "letter {place}"
        );
    }
}

#[test]
fn a_seal_survives_its_encoding() {
    let who = identity();
    let seal = seal_batch(&who, &messages(32), at()).remove(31);
    let bytes = minicbor::to_vec(&seal).expect("encodes");
    assert_eq!(minicbor::decode::<Sealed>(&bytes).expect("decodes"), seal);
    assert!(
        bytes.len() < 320,
        "a seal of a batch of 32 is small: {}",
        bytes.len()
    );
}

/// The bytes that are signed, held still: evidence of any age is checked by making them again.
#[test]
fn the_signature_file_of_template_1_never_changes() {
    let certificate = Certificate::from_pem(FIXED_CERTIFICATE).expect("a certificate");
    let seal = Sealed {
        template: 1,
        signing_time: 1_795_228_200_123,
        certificate: certificate.thumbprint().0,
        path: vec![
            Step {
                left: true,
                digest: [1; 32],
            },
            Step {
                left: false,
                digest: [2; 32],
            },
        ],
        signature: [3; 64],
    };
    let file = signatures_xml(&seal, &Parts::of(b"head", b""), &certificate, &[]);
    assert_eq!(
        Digest::of(file.as_bytes()).hex(),
        "9e456d454c6952b91d0e394a7db3d41aa6838679c1c917cfcec2fb833cbc3c3b",
        "{file}"
    );
}

/// A certificate made for this test alone.
const FIXED_CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBwTCCAWegAwIBAgIUdrZahO6rsqFguBOHaOGqO8nmbc0wCgYIKoZIzj0EAwIw
NTELMAkGA1UEBhMCVk4xFjAUBgNVBAoMDUEgJiBCIDx0aOG7rT4xDjAMBgNVBAMM
BVRo4butMCAXDTI2MTEyMTIwMzYzNVoYDzIxMjYxMDI4MjAzNjM1WjA1MQswCQYD
VQQGEwJWTjEWMBQGA1UECgwNQSAmIEIgPHRo4butPjEOMAwGA1UEAwwFVGjhu60w
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT8o3vPGQqs344PWZ4lDZ/91jvUG4lo
CzQeOs3GYFS2sbsXH7MH/xAGGwN/tGH39ZZfumLBeXfHarFG9HFbWTfso1MwUTAd
BgNVHQ4EFgQUyWnCqVQYAw6eY4EGpCWUHOyYD8cwHwYDVR0jBBgwFoAUyWnCqVQY
Aw6eY4EGpCWUHOyYD8cwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
AiAwTCSOdbmxucwwg3zgvmPCvbYPAEDVGQzWOZ3UEHi1rQIhAIBHad2UWfB66EFC
FAM+pA5VvlWATz/w7c9Rat5NxrFM
-----END CERTIFICATE-----
";
