//! Checks a signed document. Exactly one answer to every shadow attack: the last signature covers
//! the whole file, each earlier one its own revision, and what stands between two signatures does
//! nothing but sign ([`super::revisions`]). Never calls a claimed time proven: without a timestamp
//! the certificate must hold now.

use kernel::{Digest, Time};

use super::lexer::Dictionary;
use super::locate::{self, Located};
use super::revisions;
use crate::certificate::{Trust, Usage};
use crate::cms::{self, CmsFault};
use crate::verdict::{Signed, Verdict};

/// Signatures of one document, count. More is no paper of an office.
const SIGNATURES_MAX: usize = 8;

/// The verdict on a PDF's signatures at the instant `now`: passed only when all of them are.
#[must_use]
pub fn verify(pdf: &[u8], trust: &Trust, now: Time) -> Verdict {
    let format = |place: &str| Verdict::failed("FORMAT_FAILURE", place);
    if !pdf.starts_with(b"%PDF-") {
        return format("no PDF header");
    }
    let found = locate::all(pdf);
    if let Some(longer) = found.iter().find(|one| one.end > pdf.len()) {
        return format(&format!("cut off: byte {} of {}", pdf.len(), longer.end));
    }
    let Some(last) = found.last() else {
        return format("no signature");
    };
    if last.end < pdf.len() {
        return Verdict::failed(
            "signature does not cover the whole file",
            format!("byte {}", last.end),
        );
    }
    if found.len() > SIGNATURES_MAX {
        return format("more signatures than one document has");
    }
    if let Some(verdict) = out_of_turn(pdf, &found) {
        return verdict;
    }
    let mut whole: Option<Verdict> = None;
    for signature in &found {
        let verdict = one(pdf, signature, trust, now);
        whole = Some(match whole {
            Some(before) => before.and(verdict),
            None => verdict,
        });
    }
    whole.unwrap_or_else(|| format("no signature"))
}

/// What is wrong with the order of several signatures, or with what stands between them.
fn out_of_turn(pdf: &[u8], found: &[Located]) -> Option<Verdict> {
    for (number, pair) in found.windows(2).enumerate() {
        let [earlier, later] = pair else { continue };
        if later.gap.start < earlier.end || later.end <= earlier.end {
            return Some(Verdict::failed("FORMAT_FAILURE", "more than one signature"));
        }
        if let Err(what) = revisions::only_signs(pdf, earlier.end, later) {
            let place = format!("revision {}: {what}", number + 2);
            return Some(Verdict::failed("changed after it was signed", place));
        }
    }
    None
}

/// The verdict on one signature and what it covers.
fn one(pdf: &[u8], signature: &Located, trust: &Trust, now: Time) -> Verdict {
    let format = |place: &str| Verdict::failed("FORMAT_FAILURE", place);
    let Some(dictionary) = signature.dictionary(pdf) else {
        return format("signature dictionary");
    };
    if dictionary.name(b"SubFilter") != Some(b"ETSI.CAdES.detached") {
        return format("SubFilter");
    }
    let Some(cms) = signature.cms(pdf) else {
        return format("Contents");
    };
    let signed_at = claimed_time(&dictionary);

    let opened = match cms::open_detached(&cms, &Digest::of_parts(&signature.covered(pdf))) {
        Ok(opened) => opened,
        Err(fault) => {
            let gap = &signature.gap;
            let covered = format!("bytes 0..{} and {}..{}", gap.start, gap.end, signature.end);
            let verdict = refused(fault, &covered);
            // Who is said to have signed helps to find the right copy; it is a claim only.
            return Verdict {
                signed_at,
                signer: cms::claimed_signer(&cms),
                ..verdict
            };
        }
    };
    let signer = opened.signer.common_name();
    match trust.path(&opened.signer, &opened.others, now, Usage::Seal) {
        Ok(()) => Verdict {
            signed_at,
            signers: Box::new([Signed {
                name: signer.clone(),
                at: signed_at,
            }]),
            ..Verdict::passed(signer, now)
        },
        Err(fault) => Verdict::of_path(&fault).by(signer, signed_at),
    }
}

/// The words of EN 319 102-1 for what the CMS layer refused.
fn refused(fault: CmsFault, covered: &str) -> Verdict {
    match fault {
        CmsFault::Hash => Verdict::failed("HASH_FAILURE", covered),
        CmsFault::Signature => Verdict::failed("SIG_CRYPTO_FAILURE", "Contents: signature value"),
        CmsFault::Format(what) => Verdict::failed("FORMAT_FAILURE", format!("Contents: {what}")),
        CmsFault::Algorithm => Verdict::indeterminate("CRYPTO_CONSTRAINTS_FAILURE"),
        CmsFault::SignerCertificate => Verdict::indeterminate("NO_SIGNING_CERTIFICATE_FOUND"),
    }
}

/// `/M`, the time the signer claims: `D:20261121093000+07'00'` (ISO 32000-1 section 7.9.4).
fn claimed_time(dictionary: &Dictionary) -> Option<Time> {
    let text = std::str::from_utf8(dictionary.text(b"M")?)
        .ok()?
        .strip_prefix("D:")?;
    let digits = text.get(..14).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    let (day, clock) = digits.split_at(8);
    let zone = match text.get(14..)?.replace('\'', "").as_str() {
        "" | "Z" | "Z0000" => "Z".to_owned(),
        signed if signed.len() == 5 && signed.is_ascii() => format!("{}:{}", &signed[..3], &signed[3..]),
        hours if hours.len() == 3 && hours.is_ascii() => format!("{hours}:00"),
        _ => return None,
    };
    let date = format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]);
    Time::parse_rfc3339(&format!(
        "{date}T{}:{}:{}{zone}",
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::sign;
    use crate::pdf::trial::{how, minimal_pdf, modern_pdf, morning, office, trust};
    use crate::verdict::Indication;

    fn check(pdf: &[u8], trust: &Trust) -> (Indication, String, Option<String>) {
        let verdict = verify(pdf, trust, morning());
        (verdict.indication, verdict.reason, verdict.first_bad)
    }

    #[test]
    fn a_changed_document_says_which_bytes_no_longer_match() {
        let (root, seal) = office();
        let mut signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let gap = locate::all(&signed)[0].gap.clone();
        signed[40] ^= 1;
        let place = format!("bytes 0..{} and {}..{}", gap.start, gap.end, signed.len());
        let expected = (Indication::TotalFailed, "HASH_FAILURE".to_owned(), Some(place));
        assert_eq!(check(&signed, &trust(&root)), expected);
        let verdict = verify(&signed, &trust(&root), morning());
        assert_eq!(verdict.signed_at, Some(morning()));
        assert_eq!(verdict.signer.as_deref(), Some("Sở Tư pháp tỉnh Thử Nghiệm"));
    }

    #[test]
    fn no_single_byte_can_change_unnoticed() {
        let (root, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let trust = trust(&root);
        let gap = locate::all(&signed)[0].gap.clone();
        for at in (0..signed.len()).step_by(3) {
            // Every byte of the CMS itself is changed in the tests of `cms`; here every third of the file.
            // The padding is one long run of zeros: some of it stands for all.
            if gap.contains(&at) && signed[at..gap.end].starts_with(&[b'0'; 32]) && at % 97 != 0 {
                continue;
            }
            let mut changed = signed.clone();
            // Bit 5 turns letters into the other case, the likeliest change to go unnoticed.
            changed[at] ^= if at % 2 == 0 { 0x20 } else { 1 };
            assert!(
                !verify(&changed, &trust, morning()).is_passed(),
                "byte {at} of {}",
                signed.len()
            );
        }
    }

    #[test]
    fn anything_appended_after_the_signature_fails_the_document() {
        let (root, seal) = office();
        let signed = sign(&modern_pdf(""), &how(&seal)).expect("signed");
        let place = Some(format!("byte {}", signed.len()));
        for appended in [
            &b"\n"[..],
            b"\n9 0 obj\n<</Type/Catalog/Pages 8 0 R>>\nendobj\n",
            b"%%EOF",
        ] {
            let (indication, reason, first_bad) = check(&[&signed, appended].concat(), &trust(&root));
            assert_eq!(indication, Indication::TotalFailed);
            assert_eq!(reason, "signature does not cover the whole file");
            assert_eq!(first_bad, place);
        }
    }

    #[test]
    fn a_document_cut_off_behind_its_signature_says_so() {
        let (root, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let (indication, reason, place) = check(&signed[..signed.len() - 1], &trust(&root));
        assert_eq!(
            (indication, reason.as_str()),
            (Indication::TotalFailed, "FORMAT_FAILURE")
        );
        assert_eq!(
            place,
            Some(format!("cut off: byte {} of {}", signed.len() - 1, signed.len()))
        );
    }

    #[test]
    fn trust_decides_between_passed_and_indeterminate() {
        let (root, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let (stranger, _) = office();
        let at = |trust: &Trust, now: Time| {
            let verdict = verify(&signed, trust, now);
            assert_eq!(verdict.signed_at, Some(morning()));
            (verdict.indication, verdict.reason)
        };
        let indeterminate = |reason: &str| (Indication::Indeterminate, reason.to_owned());
        assert_eq!(at(&trust(&root), morning()).0, Indication::TotalPassed);
        assert_eq!(
            at(&Trust::default(), morning()),
            indeterminate("NO_CERTIFICATE_CHAIN_FOUND")
        );
        assert_eq!(
            at(&trust(&stranger), morning()),
            indeterminate("NO_CERTIFICATE_CHAIN_FOUND")
        );
        let later = morning().plus_ms(2 * 365 * 86_400_000);
        assert_eq!(at(&trust(&root), later), indeterminate("OUT_OF_BOUNDS_NO_POE"));
        let mut revoking = trust(&root);
        revoking.revoked.insert(seal.certificate.thumbprint());
        assert_eq!(at(&revoking, morning()), indeterminate("REVOKED_NO_POE"));
    }

    #[test]
    fn a_byte_range_of_another_shape_is_no_signature() {
        let (root, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let text = String::from_utf8_lossy(&signed).into_owned();
        let start = text.find("/ByteRange[").expect("a byte range") + "/ByteRange[".len();
        // Lossy text may be longer than the bytes: look the place up in the bytes.
        let start = signed
            .windows(11)
            .position(|w| w == b"/ByteRange[")
            .map_or(start, |at| at + 11);
        let end = start + signed[start..].iter().position(|b| *b == b']').expect("its end");
        for range in [
            "0 1 2",
            "0 1 2 3 4",
            "1 1 2 3",
            "0 -1 2 3",
            "0 9223372036854775807 9223372036854775807 9223372036854775807",
            "0 99999999999999999999 2 3",
            "0 0 0 0",
            "0 10 5 0",
            "[0 1 2 3]",
            "0 0 R 0 0",
            "",
        ] {
            let changed = [&signed[..start], range.as_bytes(), &signed[end..]].concat();
            let (indication, reason, _) = check(&changed, &trust(&root));
            assert_eq!(
                (indication, reason.as_str()),
                (Indication::TotalFailed, "FORMAT_FAILURE"),
                "{range}"
            );
        }
    }

    #[test]
    fn a_signature_of_another_kind_is_not_judged_as_this_one() {
        let (root, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        let at = signed
            .windows(19)
            .position(|w| w == b"ETSI.CAdES.detached")
            .expect("the kind");
        let changed = [&signed[..at], b"adbe.x509.rsa_sha11", &signed[at + 19..]].concat();
        let expected = (
            Indication::TotalFailed,
            "FORMAT_FAILURE".to_owned(),
            Some("SubFilter".to_owned()),
        );
        assert_eq!(check(&changed, &trust(&root)), expected);
        assert_eq!(
            check(&minimal_pdf(), &trust(&root)).2.as_deref(),
            Some("no signature")
        );
    }
}
