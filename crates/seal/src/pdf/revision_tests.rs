//! Documents with two signatures: what holds, and every change between the two that must not.
//! Held against poppler as well.

use super::sign::countersign_blindly;
use super::tool_tests::{folder, pdfsig};
use super::trial::{how, minimal_pdf, modern_pdf, morning, office, pdf_with, trust};
use super::{Mark, countersign, locate, sign, verify};
use crate::authority::{Profile, Subject};
use crate::certificate::Trust;
use crate::key::Identity;
use crate::verdict::Indication;

/// A person and an office under one root.
fn two() -> (crate::authority::Authority, Identity, Identity) {
    let (root, seal) = office();
    let subject = Subject {
        common_name: "Phạm Minh Chủ".to_owned(),
        organisation: Some("H99.01".to_owned()),
        ..Subject::default()
    };
    let from = morning().plus_ms(-86_400_000);
    let person = root
        .issue(Profile::PersonalSignature, &subject, from, 365, [8; 16])
        .expect("issued");
    (root, person, seal)
}

fn twice(pdf: &[u8], person: &Identity, seal: &Identity) -> (Vec<u8>, Vec<u8>) {
    let first = sign(pdf, &how(person)).expect("signed");
    let second = countersign(&first, &how(seal), None).expect("countersigned");
    (first, second)
}

fn check(pdf: &[u8], trust: &Trust) -> (Indication, String, String) {
    let verdict = verify(pdf, trust, morning());
    (
        verdict.indication,
        verdict.reason,
        verdict.first_bad.unwrap_or_default(),
    )
}

/// A revision with more objects in it, or others in the place of its own, and a table that fits.
fn tampered(first: &[u8], out: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    let added = String::from_utf8_lossy(&out[first.len()..]).into_owned();
    let body = &added[..added.rfind("startxref").expect("an end")];
    let prev = super::revisions::newest_table(first).expect("a table before");
    let mut new = String::new();
    let mut places = std::collections::BTreeMap::new();
    let own = body
        .split("endobj\n")
        .filter(|o| o.contains(" obj") && !o.contains("/XRef"));
    let own = own.map(str::trim_start).map(|o| {
        let number: u32 = o
            .split(' ')
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number");
        (number, format!("{o}endobj\n"))
    });
    let more = objects
        .iter()
        .map(|(n, text)| (*n, format!("{n} 0 obj\n{text}\nendobj\n")));
    let kept = own.filter(|(n, _)| objects.iter().all(|(other, _)| other != n));
    for (number, text) in kept.chain(more) {
        places.insert(number, first.len() + new.len());
        new.push_str(&text);
    }
    let start = first.len() + new.len();
    new.push_str("xref\n0 1\n0000000000 65535 f \n");
    for (number, place) in places {
        new.push_str(&format!("{number} 1\n{place:010} 00000 n \n"));
    }
    new.push_str(&format!(
        "trailer\n<</Size 99/Root 1 0 R/Prev {prev}>>\nstartxref\n{start}\n%%EOF\n"
    ));
    [first, new.as_bytes()].concat()
}

#[test]
fn two_signatures_hold_here_and_for_poppler_in_both_file_layouts() {
    let (root, person, seal) = two();
    let folder = folder("pdf-two", &root);
    let mark = minimal_pdf();
    for original in [minimal_pdf(), modern_pdf("/Lang(vi)")] {
        let (first, second) = twice(&original, &person, &seal);
        let marked = Mark {
            pdf: &mark,
            place: [300.0, 80.0, 420.0, 140.0],
        };
        let marked = countersign(&first, &how(&seal), Some(&marked)).expect("marked");
        for signed in [second, marked] {
            assert!(signed.starts_with(&first), "what was signed first stays");
            let verdict = verify(&signed, &trust(&root), morning());
            assert_eq!(verdict.indication, Indication::TotalPassed, "{verdict:?}");
            let names: Vec<&str> = verdict.signers.iter().map(|s| s.name.as_str()).collect();
            assert_eq!(names, ["Phạm Minh Chủ", "Sở Tư pháp tỉnh Thử Nghiệm"]);
            assert_eq!(verdict.signer.as_deref(), Some("Phạm Minh Chủ"), "who decided");
            let said = pdfsig(&folder, &signed);
            assert_eq!(
                said.matches("Signature Validation: Signature is Valid.").count(),
                2,
                "{said}"
            );
            assert_eq!(
                said.matches("Certificate Validation: Certificate is Trusted.")
                    .count(),
                2,
                "{said}"
            );
            folder.tell("pdfinfo", &["file.pdf"]).expect("reads");
        }
    }
}

#[test]
fn a_document_is_countersigned_only_to_its_last_byte() {
    let (_, person, seal) = two();
    assert!(
        countersign(&minimal_pdf(), &how(&seal), None).is_err(),
        "nobody signed it"
    );
    let first = sign(&minimal_pdf(), &how(&person)).expect("signed");
    for broken in [&first[..first.len() - 1], &[&first, &b"\n"[..]].concat()[..]] {
        assert!(countersign(broken, &how(&seal), None).is_err());
    }
    let mark = minimal_pdf();
    let large = Mark {
        pdf: &mark,
        place: [0.0, 0.0, 595.0, 842.0],
    };
    assert!(
        countersign(&first, &how(&seal), Some(&large)).is_err(),
        "a mark does not hide a page"
    );
}

#[test]
fn no_byte_of_either_revision_can_change_unnoticed() {
    let (root, person, seal) = two();
    let trust = trust(&root);
    let (_, signed) = twice(&minimal_pdf(), &person, &seal);
    let gaps: Vec<_> = locate::all(&signed).iter().map(|s| s.gap.clone()).collect();
    for at in (0..signed.len()).step_by(5) {
        if gaps.iter().any(|gap| gap.contains(&at)) && signed[at..].starts_with(&[b'0'; 32]) && at % 97 != 0 {
            continue;
        }
        let mut changed = signed.clone();
        changed[at] ^= if at % 2 == 0 { 0x20 } else { 1 };
        assert!(!verify(&changed, &trust, morning()).is_passed(), "byte {at}");
    }
    for cut in (0..signed.len()).step_by(211) {
        assert!(
            !verify(&signed[..cut], &trust, morning()).is_passed() || cut == 0,
            "cut at {cut}"
        );
    }
}

#[test]
fn whoever_changes_the_paper_between_two_signatures_is_found_out() {
    let (root, person, seal) = two();
    let trust = trust(&root);
    let first = sign(&minimal_pdf(), &how(&person)).expect("signed");
    let changed = |objects: &[(u32, &str)]| {
        // The agency's own key signs the changed paper: what it covers is whole, and still refused.
        let out = countersign_blindly(&first, &how(&seal), |out| tampered(&first, &out, objects));
        check(&out.expect("signed"), &trust)
    };
    assert_eq!(
        changed(&[]).0,
        Indication::TotalPassed,
        "the tool itself changes nothing"
    );
    let form = newest(&first, b"AcroForm");
    let text = "<</Length 44>>\nstream\nBT /F1 24 Tf 72 720 Td (Quyet dinh 99) Tj ET\nendstream";
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents 4 0 R/Annots[7 0 R]>>";
    let acting = format!("<</Type/Catalog/Pages 2 0 R/OpenAction 51 0 R/AcroForm {form} 0 R>>");
    for (what, why, objects) in [
        ("the words", "object 4 was changed", &[(4, text)][..]),
        (
            "one more page",
            "object 2 was changed",
            &[(2, "<</Type/Pages/Kids[3 0 R 50 0 R]/Count 2>>"), (50, page)],
        ),
        (
            "another font",
            "object 5 was changed",
            &[(5, "<</Type/Font/Subtype/Type1/BaseFont/Courier>>")],
        ),
        ("another page", "what stands on a page was changed", &[(3, page)]),
        (
            "something to act",
            "adds no signature",
            &[(1, &acting), (51, "<</S/URI>>")],
        ),
        ("the first signature", "was changed", &[(6, "<</Type/Sig>>")]),
        (
            "a packed object",
            "objects in a compressed stream",
            &[(60, "<</Type/ObjStm/N 0/First 0/Length 0>>\nstream\n\nendstream")],
        ),
    ] {
        let (indication, reason, place) = changed(objects);
        assert_eq!(
            (indication, reason.as_str()),
            (Indication::TotalFailed, "changed after it was signed"),
            "{what}: {place}"
        );
        assert!(
            place.starts_with("revision 2: ") && place.contains(why),
            "{what}: {place}"
        );
    }
}

/// The number that the catalogue names under a key.
fn newest(pdf: &[u8], key: &[u8]) -> u32 {
    let scan = super::scan::Scan::read(pdf).expect("readable");
    match &scan.objects[&1] {
        super::lexer::Value::Dictionary(catalogue) => catalogue.reference(key).expect("a reference"),
        _ => panic!("no catalogue"),
    }
}

#[test]
fn a_table_that_points_past_its_own_objects_is_refused() {
    let (root, person, seal) = two();
    let trust = trust(&root);
    let first = sign(&minimal_pdf(), &how(&person)).expect("signed");
    let said = |tamper: &dyn Fn(String) -> String| {
        let out = countersign_blindly(&first, &how(&seal), |out| {
            let plain = tampered(&first, &out, &[]);
            let text: String = plain[first.len()..].iter().map(|b| char::from(*b)).collect();
            let changed = tamper(text);
            let tail = changed
                .chars()
                .map(|c| u8::try_from(u32::from(c)).expect("a byte"));
            first.iter().copied().chain(tail).collect()
        });
        check(&out.expect("signed"), &trust).2
    };
    // The page's words are looked for where the signer never looked.
    let astray = said(&|text| text.replacen("xref\n0 1\n", "xref\n4 1\n0000000017 00000 n \n0 1\n", 1));
    assert!(astray.contains("revision 2: its table names"), "{astray}");
    let freed = said(&|text| text.replacen("xref\n0 1\n", "xref\n4 1\n0000000000 00001 f \n0 1\n", 1));
    assert!(freed.contains("revision 2: "), "{freed}");
    let skipped = said(&|text| {
        let at = text.find("/Prev ").expect("a table before") + 6;
        format!("{}9{}", &text[..at], &text[at + 1..])
    });
    assert!(skipped.contains("does not follow on"), "{skipped}");
    let beside = said(&|text| text.replacen("xref\n0 1\n", "9 0 0 rg\nxref\n0 1\n", 1));
    assert!(beside.contains("is part of no object"), "{beside}");
}

#[test]
fn a_hidden_object_that_waits_for_its_number_stays_dead() {
    let (root, person, seal) = two();
    // The page names an object that the first signer never saw.
    let paper = pdf_with("/Perms<</X 50 0 R>>");
    let first = sign(&paper, &how(&person)).expect("signed");
    let out = countersign_blindly(&first, &how(&seal), |out| {
        tampered(&first, &out, &[(50, "<</A 1>>")])
    });
    let (indication, _, place) = check(&out.expect("signed"), &trust(&root));
    assert_eq!(indication, Indication::TotalFailed);
    assert!(place.contains("object 50 was left open"), "{place}");
}

#[test]
fn a_first_signature_that_was_taken_away_is_missed() {
    let (root, person, seal) = two();
    let (first, second) = twice(&minimal_pdf(), &person, &seal);
    let trust = trust(&root);
    let mut removed = second.clone();
    let gap = locate::all(&second)[0].gap.clone();
    removed[gap.start + 1..gap.end - 1].fill(b'0');
    assert!(!verify(&removed, &trust, morning()).is_passed());
    // Cut out whole: the second signature covers bytes that are no longer there.
    let without = [&minimal_pdf()[..], &second[first.len()..]].concat();
    assert!(!verify(&without, &trust, morning()).is_passed());
}

#[test]
fn one_signature_nobody_trusts_spoils_both() {
    let (root, person, _) = two();
    let (_, stranger) = office();
    let first = sign(&minimal_pdf(), &how(&person)).expect("signed");
    let second = countersign(&first, &how(&stranger), None).expect("countersigned");
    let verdict = verify(&second, &trust(&root), morning());
    assert_eq!(
        (verdict.indication, verdict.reason.as_str()),
        (Indication::Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND")
    );
    assert_eq!(verdict.signers.len(), 1, "the one that held is named");
}
