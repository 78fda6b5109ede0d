//! The same containers before a judge not ours: `xmlsec1` must agree with every verdict about the
//! signature. The project's test environment installs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::tests::{unpacked, world};
use super::*;

/// A folder of its own for one container, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn of(name: &str, zip: &[u8], root_pem: &str) -> Self {
        let path = std::env::temp_dir().join(format!("seal-xmlsec-{}-{name}", std::process::id()));
        for (file, bytes) in unpacked(zip) {
            let place = path.join(file);
            std::fs::create_dir_all(place.parent().expect("inside")).expect("a folder");
            std::fs::write(place, bytes).expect("written");
        }
        std::fs::write(path.join("ca.pem"), root_pem).expect("written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("removed");
    }
}

/// What `xmlsec1` says of a container's signature.
fn xmlsec1_accepts(folder: &Path) -> bool {
    let output = Command::new("xmlsec1")
        .current_dir(folder)
        .args(["--verify", "--trusted-pem", "ca.pem"])
        .args([
            "--id-attr:Id",
            "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
        ])
        .args(["--url-map:/sig-hashchainresult.xml", "sig-hashchainresult.xml"])
        .arg("META-INF/signatures.xml")
        .output()
        .expect("xmlsec1 is installed where the tests run");
    output.status.success()
}

#[test]
fn xmlsec1_accepts_the_signature_of_every_message_of_a_batch() {
    let world = world();
    let pem = world.root.certificate().pem();
    for count in [1, 2, 3, 5] {
        for (n, input) in world.inputs(count, false).iter().enumerate() {
            let folder = Folder::of(
                &format!("good-{count}-{n}"),
                &export(input).expect("exports"),
                &pem,
            );
            assert!(xmlsec1_accepts(&folder.0), "message {n} of {count}");
        }
    }
}

/// What `openssl` says of a container's timestamp over its hash chain result.
fn openssl_accepts(folder: &Path) -> bool {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(["ts", "-verify", "-token_in", "-in", "META-INF/timestamp.tst"])
        .args(["-data", "ts-hashchainresult.xml", "-CAfile", "ca.pem"])
        .output()
        .expect("openssl is installed where the tests run");
    output.status.success()
}

#[test]
fn xmlsec1_and_openssl_accept_a_stamped_container() {
    let world = world();
    let input = world.inputs(5, true).remove(4);
    let folder = Folder::of(
        "stamped",
        &export(&input).expect("exports"),
        &world.root.certificate().pem(),
    );
    assert!(xmlsec1_accepts(&folder.0));
    assert!(openssl_accepts(&folder.0));
    std::fs::write(
        folder.0.join("ts-hashchainresult.xml"),
        hashchain::ts_hashchainresult_xml(&input.parts.head),
    )
    .expect("written");
    assert!(!openssl_accepts(&folder.0));
}

#[test]
fn xmlsec1_refuses_a_changed_letter_and_another_root() {
    let world = world();
    let pem = world.root.certificate().pem();
    let zip = export(&world.inputs(3, false)[1]).expect("exports");
    let changes = [
        ("sig-hashchainresult.xml", "<DigestValue>"),
        ("META-INF/signatures.xml", "<xades:SigningTime>"),
        (
            "META-INF/signatures.xml",
            "<ds:SignatureValue Id=\"signature-value\">",
        ),
        ("META-INF/signatures.xml", "<ds:X509IssuerName>"),
    ];
    for (n, (file, before)) in changes.into_iter().enumerate() {
        let folder = Folder::of(&format!("bent-{n}"), &zip, &pem);
        let place = folder.0.join(file);
        let mut bytes = std::fs::read(&place).expect("reads");
        let at = bytes
            .windows(before.len())
            .position(|w| w == before.as_bytes())
            .expect("there")
            + before.len();
        bytes[at] = if bytes[at] == b'3' { b'4' } else { b'3' };
        std::fs::write(&place, bytes).expect("written");
        assert!(!xmlsec1_accepts(&folder.0), "{file} {before}");
    }
    let stranger = super::tests::world().root.certificate().pem();
    let folder = Folder::of("stranger", &zip, &stranger);
    assert!(!xmlsec1_accepts(&folder.0));
}
