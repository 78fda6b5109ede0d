//! Signed data held against OpenSSL, both ways, and what must be refused.

use kernel::{Digest, Time};

use super::trial::Folder;
use super::{
    CmsFault, CmsSigning, ID_DATA, open_detached, open_encapsulated, sign_detached, sign_encapsulated,
};
use crate::authority::{Authority, Profile, Subject};
use crate::key::Identity;

const DATA: &[u8] = "Quyết định số 01".as_bytes();

fn morning() -> Time {
    Time::parse_rfc3339("2026-11-21T02:30:00Z").expect("a time")
}

fn office() -> (Authority, Identity) {
    let from = morning().plus_ms(-86_400_000);
    let root = Authority::new("Gốc thử nghiệm", from).expect("an authority");
    let subject = Subject {
        common_name: "Sở thử".to_owned(),
        ..Subject::default()
    };
    let seal = root
        .issue(Profile::OrganisationSeal, &subject, from, 365, [7; 16])
        .expect("issued");
    (root, seal)
}

fn how(identity: &Identity) -> CmsSigning<'_> {
    CmsSigning {
        identity,
        signing_time: None,
        certificates: true,
    }
}

#[test]
fn openssl_accepts_detached_and_enclosed_content_with_and_without_a_time() {
    let (root, seal) = office();
    let folder = Folder::new("cms-ours");
    folder.write("ca.pem", root.certificate().pem());
    folder.write("data", DATA);
    let at = morning().seconds().to_string();
    let verify = [
        "cms", "-verify", "-binary", "-inform", "DER", "-in", "cms", "-CAfile", "ca.pem",
    ];
    let verify = [&verify[..], &["-purpose", "any", "-cades", "-attime", &at]].concat();
    for signing_time in [None, Some(morning())] {
        let how = CmsSigning {
            signing_time,
            ..how(&seal)
        };
        folder.write("cms", sign_detached(&how, &Digest::of(DATA)).expect("signed"));
        let content = [&verify[..], &["-content", "data"]].concat();
        assert!(
            folder
                .tell("openssl", &content)
                .is_ok_and(|said| said.as_bytes() == DATA)
        );
        let opened = open_detached(&folder.read("cms"), &Digest::of(DATA)).expect("ours");
        assert_eq!((opened.signing_time, opened.others.len()), (signing_time, 1));

        folder.write("cms", sign_encapsulated(&how, ID_DATA, DATA).expect("signed"));
        assert!(
            folder
                .tell("openssl", &verify)
                .is_ok_and(|said| said.as_bytes() == DATA)
        );
        let opened = open_encapsulated(&folder.read("cms"), ID_DATA).expect("ours");
        assert_eq!(opened.content.as_deref(), Some(DATA));
    }
}

#[test]
fn signatures_made_by_openssl_open_here_by_name_and_by_key_identifier() {
    let (_, seal) = office();
    let folder = Folder::new("cms-theirs");
    folder.write("data", DATA);
    folder.write("key.pem", seal.key.to_pkcs8_pem());
    folder.write("signer.pem", seal.certificate.pem());
    let sign = [
        "cms",
        "-sign",
        "-binary",
        "-in",
        "data",
        "-signer",
        "signer.pem",
        "-inkey",
        "key.pem",
    ];
    let sign = [&sign[..], &["-outform", "DER", "-out", "cms", "-md", "sha256"]].concat();
    folder
        .tell("openssl", &[&sign[..], &["-cades"]].concat())
        .expect("signed");
    let opened = open_detached(&folder.read("cms"), &Digest::of(DATA)).expect("opens");
    assert_eq!(opened.signer, seal.certificate);
    assert!(opened.signing_time.is_some());
    assert_eq!(
        open_detached(&folder.read("cms"), &Digest::of(b"other")).err(),
        Some(CmsFault::Hash)
    );
    // Without the ESS attribute nothing says which certificate was meant.
    folder.tell("openssl", &sign).expect("signed");
    let found = open_detached(&folder.read("cms"), &Digest::of(DATA)).err();
    assert_eq!(
        found,
        Some(CmsFault::Format("no signing-certificate-v2 attribute"))
    );

    let make = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out signer.pem -subj /CN=Rsa -days 30";
    folder
        .tell("openssl", &make.split(' ').collect::<Vec<_>>())
        .expect("a key");
    for more in [&["-cades"][..], &["-cades", "-keyid"]] {
        folder
            .tell("openssl", &[&sign[..], more].concat())
            .expect("signed");
        let opened = open_detached(&folder.read("cms"), &Digest::of(DATA)).expect("opens");
        assert_eq!(opened.signer.common_name(), "Rsa");
    }
    let sha512: Vec<&str> = sign
        .iter()
        .map(|a| if *a == "sha256" { "sha512" } else { a })
        .collect();
    folder
        .tell("openssl", &[&sha512[..], &["-cades"]].concat())
        .expect("signed");
    assert_eq!(
        open_detached(&folder.read("cms"), &Digest::of(DATA)).err(),
        Some(CmsFault::Algorithm)
    );
}

#[test]
fn a_swapped_certificate_is_noticed() {
    let (root, seal) = office();
    let subject = Subject {
        common_name: "Sở khác".to_owned(),
        ..Subject::default()
    };
    let from = morning().plus_ms(-86_400_000);
    let mut twin = root
        .issue(Profile::OrganisationSeal, &subject, from, 365, [7; 16])
        .expect("issued");
    // The same issuer and serial number, but another name and key.
    twin.key = seal.key.clone();
    let cms = sign_detached(&how(&twin), &Digest::of(DATA)).expect("made");
    assert_eq!(
        open_detached(&cms, &Digest::of(DATA)).err(),
        Some(CmsFault::Signature)
    );
    let without = CmsSigning {
        certificates: false,
        ..how(&seal)
    };
    let cms = sign_detached(&without, &Digest::of(DATA)).expect("made");
    assert_eq!(
        open_detached(&cms, &Digest::of(DATA)).err(),
        Some(CmsFault::SignerCertificate)
    );
}

#[test]
fn broken_signed_data_is_refused_at_every_byte() {
    let (_, seal) = office();
    let cms = sign_detached(&how(&seal), &Digest::of(DATA)).expect("signed");
    for at in 0..cms.len() {
        assert!(
            open_detached(&cms[..at], &Digest::of(DATA)).is_err(),
            "cut at {at}"
        );
        let mut changed = cms.clone();
        changed[at] ^= 0x10;
        assert!(open_detached(&changed, &Digest::of(DATA)).is_err(), "byte {at}");
    }
    let more = [cms.as_slice(), b"\0"].concat();
    assert!(open_detached(&more, &Digest::of(DATA)).is_err());
}
