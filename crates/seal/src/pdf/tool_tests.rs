//! Signed documents held against OpenSSL and poppler with NSS: what is valid here is valid there,
//! and one changed byte is refused by all three.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::trial::{how, minimal_pdf, modern_pdf, morning, office, trust};
use super::{sign, signature_parts, verify};
use crate::authority::Authority;
use crate::verdict::Indication;

/// A folder for one test's files with a certificate store for NSS, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, root: &Authority) -> Self {
        let path = std::env::temp_dir().join(format!("seal-pdf-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        let folder = Self(path);
        folder.write("ca.pem", root.certificate().pem().as_bytes());
        folder.ok("certutil", &["-N", "-d", "sql:.", "--empty-password"]);
        folder.ok(
            "certutil",
            &["-A", "-d", "sql:.", "-n", "root", "-t", "CT,C,C", "-i", "ca.pem"],
        );
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) -> &Path {
        fs::write(self.0.join(name), bytes).expect("written");
        &self.0
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let run = Command::new(program)
            .args(arguments)
            .current_dir(&self.0)
            .output();
        run.unwrap_or_else(|cause| panic!("{program} is installed: {cause}"))
    }

    fn ok(&self, program: &str, arguments: &[&str]) {
        let run = self.run(program, arguments);
        assert!(
            run.status.success(),
            "{program}: {}",
            String::from_utf8_lossy(&run.stderr)
        );
    }

    fn openssl_accepts(&self, signed: &[u8]) -> Result<(), String> {
        let (cms, covered) = signature_parts(signed).ok_or("no signature")?;
        self.write("sig.p7s", &cms);
        self.write("signed.bin", &covered);
        let at = morning().seconds().to_string();
        let run = self.run(
            "openssl",
            &[
                "cms",
                "-verify",
                "-binary",
                "-inform",
                "DER",
                "-in",
                "sig.p7s",
                "-content",
                "signed.bin",
                "-CAfile",
                "ca.pem",
                "-purpose",
                "any",
                "-cades",
                "-attime",
                &at,
                "-out",
                "out.bin",
            ],
        );
        if run.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&run.stderr).into_owned())
        }
    }

    fn pdfsig(&self, signed: &[u8]) -> String {
        self.write("file.pdf", signed);
        let run = self.run("pdfsig", &["-nssdir", "sql:.", "file.pdf"]);
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("removed");
    }
}

#[test]
fn a_signed_document_is_valid_for_openssl_and_poppler_in_both_file_layouts() {
    let (root, seal) = office();
    let folder = Folder::new("valid", &root);
    for original in [minimal_pdf(), modern_pdf("/Lang(vi)")] {
        let signed = sign(&original, &how(&seal)).expect("signed");
        assert!(signed.starts_with(&original), "the original bytes are kept");
        let verdict = verify(&signed, &trust(&root), morning());
        assert_eq!(verdict.indication, Indication::TotalPassed, "{verdict:?}");
        assert_eq!(verdict.signer.as_deref(), Some("Sở Tư pháp tỉnh Thử Nghiệm"));
        assert_eq!(verdict.signed_at, Some(morning()));
        assert_eq!(folder.openssl_accepts(&signed), Ok(()));
        let said = folder.pdfsig(&signed);
        for line in [
            "Signature Validation: Signature is Valid.",
            "Certificate Validation: Certificate is Trusted.",
            "Signature Type: ETSI.CAdES.detached",
            "Total document signed",
            "Sở Tư pháp tỉnh Thử Nghiệm",
        ] {
            assert!(said.contains(line), "{line} in {said}");
        }
        folder.ok("pdfinfo", &["file.pdf"]);
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
    let folder = Folder::new("changed", &root);
    let mut signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
    let at = signed
        .windows(13)
        .position(|w| w == b"Quyet dinh 01")
        .expect("the text");
    signed[at + 12] = b'7';
    assert!(folder.openssl_accepts(&signed).is_err());
    let said = folder.pdfsig(&signed);
    assert!(said.contains("Signature Validation: Digest Mismatch."), "{said}");
    let verdict = verify(&signed, &trust(&root), morning());
    assert_eq!(
        (verdict.indication, verdict.reason.as_str()),
        (Indication::TotalFailed, "HASH_FAILURE")
    );
}
