//! Documents and identities for the tests of this module. Never part of the library.

use kernel::Time;
use lopdf::Document;

use crate::authority::{Authority, Profile, Subject};
use crate::certificate::Trust;
use crate::key::Identity;
use crate::pdf::PdfSigning;

/// One A4 page that says a line, cross-reference table included.
pub(crate) fn minimal_pdf() -> Vec<u8> {
    pdf_with("")
}

/// The same with more entries in its catalogue.
pub(crate) fn pdf_with(catalogue: &str) -> Vec<u8> {
    let text = "BT /F1 24 Tf 72 720 Td (Quyet dinh 01) Tj ET";
    let objects = [
        format!("<</Type/Catalog/Pages 2 0 R{catalogue}>>"),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>"
            .to_owned(),
        format!("<</Length {}>>\nstream\n{text}\nendstream", text.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut out = "%PDF-1.7\n%\u{e2}\u{e3}\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = out.len();
    let trailer = format!(
        "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    (out + &table + &trailer).into_bytes()
}

/// The same document with object streams and a cross-reference stream.
pub(crate) fn modern_pdf(catalogue: &str) -> Vec<u8> {
    let mut document = Document::load_mem(&pdf_with(catalogue)).expect("a document");
    let mut out = Vec::new();
    document.save_modern(&mut out).expect("saved");
    assert!(
        out.windows(6).any(|w| w == b"ObjStm"),
        "the catalogue is compressed"
    );
    out
}

/// 21 November 2026, 09:30 in Vietnam.
pub(crate) fn morning() -> Time {
    Time::parse_rfc3339("2026-11-21T02:30:00Z").expect("a time")
}

/// A root and an organisation's seal under it.
pub(crate) fn office() -> (Authority, Identity) {
    let root = Authority::new("Gốc thử nghiệm", morning().plus_ms(-86_400_000)).expect("an authority");
    let subject = Subject {
        common_name: "Sở Tư pháp tỉnh Thử Nghiệm".to_owned(),
        organisation: Some("H99.01".to_owned()),
        ..Subject::default()
    };
    let from = morning().plus_ms(-86_400_000);
    let seal = root
        .issue(Profile::OrganisationSeal, &subject, from, 365, [7; 16])
        .expect("issued");
    (root, seal)
}

pub(crate) fn trust(root: &Authority) -> Trust {
    Trust::of(vec![root.certificate()])
}

pub(crate) fn how(identity: &Identity) -> PdfSigning<'_> {
    PdfSigning {
        identity,
        at: morning(),
        reason: "Ban hành quyết định",
        location: "Thử Nghiệm",
        name: "Sở Tư pháp",
    }
}
