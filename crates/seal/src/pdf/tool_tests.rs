//! Signed documents held against OpenSSL and poppler with NSS: what is valid here is valid there,
//! and one changed byte is refused by all three.

use super::trial::{how, minimal_pdf, modern_pdf, morning, office, trust};
use super::{sign, signature_parts, verify};
use crate::authority::Authority;
use crate::cms::trial::Folder;
use crate::verdict::Indication;

/// A test's folder with the root in a certificate store for NSS.
pub(super) fn folder(name: &str, root: &Authority) -> Folder {
    let folder = Folder::new(name);
    folder.write("ca.pem", root.certificate().pem());
    folder
        .tell("certutil", &["-N", "-d", "sql:.", "--empty-password"])
        .expect("a store");
    let add = ["-A", "-d", "sql:.", "-n", "root", "-t", "CT,C,C", "-i", "ca.pem"];
    folder.tell("certutil", &add).expect("added");
    folder
}

fn openssl(folder: &Folder, signed: &[u8]) -> Result<String, String> {
    let (cms, covered) = signature_parts(signed).ok_or("no signature")?;
    folder.write("sig.p7s", cms);
    folder.write("signed.bin", covered);
    let arguments = "cms -verify -binary -inform DER -in sig.p7s -content signed.bin -CAfile ca.pem \
        -purpose any -cades -out out.bin -attime";
    let at = morning().seconds().to_string();
    folder.tell(
        "openssl",
        &arguments.split(' ').chain([at.as_str()]).collect::<Vec<_>>(),
    )
}

pub(super) fn pdfsig(folder: &Folder, signed: &[u8]) -> String {
    folder.write("file.pdf", signed);
    let run = folder.run("pdfsig", &["-nssdir", "sql:.", "file.pdf"]);
    String::from_utf8_lossy(&run.stdout).into_owned()
}

#[test]
fn a_signed_document_is_valid_for_openssl_and_poppler_in_both_file_layouts() {
    let (root, seal) = office();
    let folder = folder("pdf-valid", &root);
    for original in [minimal_pdf(), modern_pdf("/Lang(vi)")] {
        let signed = sign(&original, &how(&seal)).expect("signed");
        assert!(signed.starts_with(&original), "the original bytes are kept");
        let verdict = verify(&signed, &trust(&root), morning());
        assert_eq!(verdict.indication, Indication::TotalPassed, "{verdict:?}");
        assert_eq!(verdict.signer.as_deref(), Some("Sở Tư pháp tỉnh Thử Nghiệm"));
        assert_eq!(verdict.signed_at, Some(morning()));
        assert_eq!(openssl(&folder, &signed), Ok(String::new()));
        let said = pdfsig(&folder, &signed);
        for line in [
            "Signature Validation: Signature is Valid.",
            "Certificate Validation: Certificate is Trusted.",
            "Signature Type: ETSI.CAdES.detached",
            "Total document signed",
            "Sở Tư pháp tỉnh Thử Nghiệm",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
        folder.tell("pdfinfo", &["file.pdf"]).expect("reads");
        let text = folder.run("pdftotext", &["file.pdf", "-"]);
        assert!(String::from_utf8_lossy(&text.stdout).contains("Quyet dinh 01"));
        assert!(
            text.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&text.stderr)
        );
    }
}

#[test]
fn one_changed_byte_is_refused_by_openssl_by_poppler_and_here() {
    let (root, seal) = office();
    let folder = folder("pdf-changed", &root);
    let mut signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
    let at = signed
        .windows(13)
        .position(|w| w == b"Quyet dinh 01")
        .expect("the text");
    signed[at + 12] = b'7';
    assert!(openssl(&folder, &signed).is_err());
    let said = pdfsig(&folder, &signed);
    assert!(said.contains("Signature Validation: Digest Mismatch."), "{said}");
    let verdict = verify(&signed, &trust(&root), morning());
    assert_eq!(
        (verdict.indication, verdict.reason.as_str()),
        (Indication::TotalFailed, "HASH_FAILURE")
    );
}
