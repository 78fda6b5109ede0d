//! Hostile documents: every entry point answers within bounds, and never panics.

use super::trial::{how, minimal_pdf, modern_pdf, morning, office, trust};
use super::{looks_like_pdf, sign, signature_parts, verify};

const FUZZ_ROUNDS: usize = 300;

#[test]
fn hostile_files_get_a_verdict_and_no_panic() {
    let (root, seal) = office();
    let trust = trust(&root);
    let signed = sign(&modern_pdf(""), &how(&seal)).expect("signed");
    for cut in (0..signed.len()).step_by(5) {
        assert!(
            !verify(&signed[..cut], &trust, morning()).is_passed(),
            "cut at {cut}"
        );
    }
    let noise: Vec<u8> = b"%PDF-1.7 "
        .iter()
        .copied()
        .chain((0..=255).cycle().take(10_000))
        .collect();
    let many = [b"%PDF-1.7\n".as_slice(), &b"/ByteRange[0 9 11 9]".repeat(20_000)].concat();
    for pdf in [
        &b""[..],
        b"%PDF-",
        &noise,
        &many,
        &b"%PDF-1.7 obj<<".repeat(50_000),
    ] {
        assert!(!verify(pdf, &trust, morning()).is_passed());
        assert!(!looks_like_pdf(pdf));
        assert!(sign(pdf, &how(&seal)).is_err());
        assert!(signature_parts(pdf).is_none());
    }
}

#[test]
fn repetition_without_end_is_read_once_and_refused() {
    let (root, seal) = office();
    let (bytes, trust) = (1 << 18, trust(&root));
    let stream = "1 0 obj<</Type/ObjStm/N 1/First 4>>stream\n1 0 1endstream ";
    let crowded = "1 0 obj[".to_owned() + &"1 ".repeat(2_000_001) + "]endobj";
    let patterns = [
        "/",
        "1",
        "%\n",
        "1 0 obj ",
        "1 0 obj(",
        "1 0 obj<<>>stream\n",
        "obj endobj ",
        stream,
    ];
    for pattern in patterns
        .map(|p| p.repeat(bytes / p.len()))
        .into_iter()
        .chain([crowded])
    {
        let pdf = format!("%PDF-1.7\n{pattern}\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF");
        let start = &pattern[..pattern.len().min(60)];
        assert!(!looks_like_pdf(pdf.as_bytes()), "{start}");
        assert!(sign(pdf.as_bytes(), &how(&seal)).is_err(), "{start}");
        assert!(!verify(pdf.as_bytes(), &trust, morning()).is_passed(), "{start}");
    }
}

#[test]
fn files_mutated_at_random_never_pass_and_never_panic() {
    let (root, seal) = office();
    let trust = trust(&root);
    let bases = [
        minimal_pdf(),
        modern_pdf(""),
        sign(&modern_pdf(""), &how(&seal)).expect("signed"),
    ];
    // A linear congruential generator: the same files on every run.
    let mut state = 0x5eed_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let words: [&[u8]; 8] = [
        b"<<",
        b">>",
        b"[",
        b"(",
        b" 1 0 R ",
        b" obj ",
        b"stream\n",
        b"99999999999",
    ];
    let mut accepted = 0;
    for round in 0..FUZZ_ROUNDS {
        let mut pdf = bases[round % bases.len()].clone();
        for _ in 0..=next(4) {
            let at = next(pdf.len());
            let word = words[next(words.len())];
            match next(4) {
                0 => pdf[at] ^= 1 << next(8),
                1 => pdf.truncate(at.max(1)),
                2 => drop(pdf.splice(at..at, word.iter().copied())),
                _ => drop(pdf.splice(at..(at + next(40)).min(pdf.len()), word.iter().copied())),
            }
        }
        if pdf != bases[round % bases.len()] {
            assert!(!verify(&pdf, &trust, morning()).is_passed(), "round {round}");
        }
        accepted += usize::from(looks_like_pdf(&pdf));
        if let Ok(signed) = sign(&pdf, &how(&seal)) {
            assert!(verify(&signed, &trust, morning()).is_passed(), "round {round}");
        }
    }
    assert!(
        (1..FUZZ_ROUNDS).contains(&accepted),
        "{accepted} still look like a PDF"
    );
}
