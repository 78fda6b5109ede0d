//! Signs by appending: the bytes given stay the first part of the signed file, and what is added
//! is one signature, its field, its mark if it has one, and the entries that lead to them. Never
//! signs over a signature by mistake: [`countersign`] is asked for by name.

use kernel::{Digest, Time};
use lopdf::{
    Dictionary, Document, IncrementalDocument, LoadOptions, Object, ObjectId, StringFormat, dictionary,
};

use super::lexer::{Lexer, Value};
use super::scan::Scan;
use super::{Mark, PdfSigning, locate, mark};
use crate::cms::{self, CmsSigning};
use crate::error::SealError;

/// Room in the CMS beside the certificates: attributes, names, signature. In bytes.
const CMS_BYTES: usize = 2048;
/// What one stream of the document may unfold to while it is read, in bytes.
const STREAM_BYTES_MAX: usize = 32 << 20;
/// Ten digits: each part of the byte range is overwritten in place.
const PLACEHOLDER: i64 = 9_999_999_999;

/// Signs a document: the bytes given, followed by an incremental update that holds the signature.
///
/// # Errors
/// When the bytes are not a readable, unencrypted PDF with a page, or it is signed already.
pub fn sign(pdf: &[u8], how: &PdfSigning<'_>) -> Result<Vec<u8>, SealError> {
    if !pdf.starts_with(b"%PDF-") {
        return Err(SealError::Pdf("not a readable PDF"));
    }
    if !locate::all(pdf).is_empty() {
        return Err(SealError::Pdf("signed already"));
    }
    add_signature(pdf, how, None, 0)
}

/// Adds a signature to a signed document, as a revision that does nothing else; what was signed
/// before stays as it is, byte for byte. The mark, when there is one, is drawn over the first page.
///
/// # Errors
/// When the document is not signed to its last byte, or as [`sign`]; `mark` for one that is no PDF
/// of one page or too large.
pub fn countersign(pdf: &[u8], how: &PdfSigning<'_>, mark: Option<&Mark<'_>>) -> Result<Vec<u8>, SealError> {
    let signed = locate::all(pdf);
    if signed.last().is_none_or(|last| last.end != pdf.len()) {
        return Err(SealError::Pdf("not signed to its end"));
    }
    add_signature(pdf, how, mark, signed.len())
}

/// Appends a signature to a document that has so many.
fn add_signature(
    pdf: &[u8],
    how: &PdfSigning<'_>,
    mark: Option<&Mark<'_>>,
    earlier: usize,
) -> Result<Vec<u8>, SealError> {
    let chain = how.identity.chain.iter().chain([&how.identity.certificate]);
    let room = CMS_BYTES + chain.map(|c| c.der().len()).sum::<usize>();
    let out = append(pdf, how, mark, room)?;
    fill(pdf, out, how, room, earlier)
}

/// Signs the bytes that [`append`] gave.
fn fill(
    pdf: &[u8],
    mut out: Vec<u8>,
    how: &PdfSigning<'_>,
    room: usize,
    earlier: usize,
) -> Result<Vec<u8>, SealError> {
    let gap = fill_byte_range(&mut out, pdf.len(), room)?;

    let digest = Digest::of_parts(&[&out[..gap.start], &out[gap.end..]]);
    let cms = CmsSigning {
        identity: how.identity,
        signing_time: None,
        certificates: true,
    };
    let cms = cms::sign_detached(&cms, &digest)?;
    let digits = hex::encode(&cms);
    let place = out
        .get_mut(gap.start + 1..gap.end - 1)
        .and_then(|all| all.get_mut(..digits.len()));
    place
        .ok_or(SealError::Pdf("signature too large"))?
        .copy_from_slice(digits.as_bytes());
    // Read back as a verifier will: the remains of an earlier, broken signature can come to life
    // when the file grows again, and would then fail the whole document.
    match locate::all(&out).as_slice() {
        [kept @ .., own]
            if kept.len() == earlier && own.gap == gap && own.end == out.len() && out.starts_with(pdf) =>
        {
            Ok(out)
        }
        _ => Err(SealError::Pdf("signed already")),
    }
}

/// Signs as a careless program would: whatever `tamper` makes of the revision is signed as it is.
#[cfg(test)]
pub(super) fn countersign_blindly(
    pdf: &[u8],
    how: &PdfSigning<'_>,
    tamper: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let room = CMS_BYTES + how.identity.certificate.der().len();
    let out = tamper(append(pdf, how, None, room)?);
    fill(pdf, out, how, room, locate::all(pdf).len())
}

/// Reads the document by its objects, not by its cross-reference offsets: a million offsets that
/// point at one large object would be a million copies of it.
fn load(pdf: &[u8]) -> Result<Document, SealError> {
    let unreadable = SealError::Pdf("not a readable PDF");
    let scan = Scan::read(pdf).ok_or(unreadable.clone())?;
    let trailer = scan.trailer.ok_or(unreadable.clone())?;
    if trailer.get(b"Encrypt").is_some() {
        return Err(SealError::Pdf("encrypted"));
    }
    let options = LoadOptions {
        force_reconstruct: true,
        max_decompressed_size: Some(STREAM_BYTES_MAX),
        ..LoadOptions::default()
    };
    let mut document = Document::load_mem_with_options(pdf, options).map_err(|_| unreadable.clone())?;
    let root = document.trailer.get(b"Root").and_then(Object::as_reference);
    if root.ok().map(|id| id.0) != trailer.reference(b"Root") {
        return Err(unreadable);
    }
    // The update's `/Prev`: the table that the document itself calls its newest.
    document.xref_start = newest_table(pdf).ok_or(unreadable)?;
    Ok(document)
}

/// The offset after the last `startxref`, when a cross-reference table or stream stands there.
fn newest_table(pdf: &[u8]) -> Option<usize> {
    let at = pdf.windows(9).rposition(|w| w == b"startxref")?;
    let Value::Integer(offset) = Lexer::new(pdf, at + 9).value()? else {
        return None;
    };
    let offset = usize::try_from(offset).ok()?;
    let here = pdf.get(offset..)?;
    (here.starts_with(b"xref") || here.first()?.is_ascii_digit()).then_some(offset)
}

/// The document with the signature's place still empty.
fn append(
    pdf: &[u8],
    how: &PdfSigning<'_>,
    mark: Option<&Mark<'_>>,
    room: usize,
) -> Result<Vec<u8>, SealError> {
    let unreadable = |_| SealError::Pdf("not a readable PDF");
    let previous = load(pdf)?;
    let catalog_id = previous
        .trailer
        .get(b"Root")
        .and_then(Object::as_reference)
        .map_err(unreadable)?;
    let page_id = previous.page_iter().next().ok_or(SealError::Pdf("no page"))?;
    let mut catalog = previous.get_dictionary(catalog_id).map_err(unreadable)?.clone();
    let mut page = previous.get_dictionary(page_id).map_err(unreadable)?.clone();
    let mut form = inherited(&previous, &catalog, b"AcroForm");
    let mut fields = inherited_array(&previous, &form, b"Fields");
    let mut annotations = inherited_array(&previous, &page, b"Annots");

    let mut update = IncrementalDocument::create_from(pdf.to_vec(), previous);
    // Entries that belong to the previous cross-reference stream, not to the document.
    for key in [
        &b"DecodeParms"[..],
        b"Filter",
        b"Length",
        b"W",
        b"Index",
        b"Type",
        b"XRefStm",
    ] {
        update.new_document.trailer.remove(key);
    }
    let signature_id = update.new_document.add_object(signature(how, room));
    let name = format!("Signature{}", fields.len() + 1);
    let field_id = update
        .new_document
        .add_object(field(&name, signature_id, page_id));
    if let Some(mark) = mark {
        let look = mark::draw(&mut update.new_document, mark)?;
        let field = update
            .new_document
            .get_dictionary_mut(field_id)
            .map_err(unreadable)?;
        field.set("Rect", mark.place.map(Object::Real).to_vec());
        field.set("AP", dictionary! { "N" => look });
    }
    fields.push(field_id.into());
    annotations.push(field_id.into());
    form.set("Fields", fields);
    // Signatures exist, and only appending keeps them (ISO 32000-1 table 219).
    form.set("SigFlags", 3);
    let form_id = update.new_document.add_object(form);
    catalog.set("AcroForm", form_id);
    page.set("Annots", annotations);
    update.new_document.set_object(catalog_id, catalog);
    update.new_document.set_object(page_id, page);

    let mut out = Vec::with_capacity(pdf.len() + 2 * room + 4096);
    update
        .save_to(&mut out)
        .map_err(|_| SealError::Pdf("cannot be written"))?;
    out.push(b'\n');
    Ok(out)
}

/// A copy of the dictionary under a key, direct or referred to; empty when there is none.
fn inherited(document: &Document, of: &Dictionary, key: &[u8]) -> Dictionary {
    of.get_deref(key, document)
        .and_then(Object::as_dict)
        .cloned()
        .unwrap_or_default()
}

/// A copy of the array under a key, direct or referred to; empty when there is none.
fn inherited_array(document: &Document, of: &Dictionary, key: &[u8]) -> Vec<Object> {
    of.get_deref(key, document)
        .and_then(Object::as_array)
        .cloned()
        .unwrap_or_default()
}

fn signature(how: &PdfSigning<'_>, room: usize) -> Dictionary {
    let range = vec![
        0.into(),
        PLACEHOLDER.into(),
        PLACEHOLDER.into(),
        PLACEHOLDER.into(),
    ];
    dictionary! {
        "Type" => "Sig",
        "Filter" => "Adobe.PPKLite",
        "SubFilter" => "ETSI.CAdES.detached",
        "ByteRange" => range,
        "Contents" => Object::String(vec![0; room], StringFormat::Hexadecimal),
        "M" => Object::string_literal(pdf_time(how.at)),
        "Name" => text(how.name),
        "Reason" => text(how.reason),
        "Location" => text(how.location),
    }
}

/// A field without extent on the page, until it gets a mark: printed and locked.
fn field(name: &str, signature: ObjectId, page: ObjectId) -> Dictionary {
    dictionary! {
        "Type" => "Annot",
        "Subtype" => "Widget",
        "FT" => "Sig",
        "T" => Object::string_literal(name),
        "V" => signature,
        "F" => 132,
        "Rect" => vec![0.into(), 0.into(), 0.into(), 0.into()],
        "P" => page,
    }
}

/// Text as UTF-16 in hexadecimal: any letter is allowed, and no text can look like PDF syntax.
fn text(value: &str) -> Object {
    let units = std::iter::once(0xfeff).chain(value.encode_utf16());
    Object::String(
        units.flat_map(u16::to_be_bytes).collect(),
        StringFormat::Hexadecimal,
    )
}

/// `D:20261121093000+07'00'`, the civil time of Vietnam.
fn pdf_time(at: Time) -> String {
    let (day, minute) = (kernel::time::iso(at.date()).replace('-', ""), at.minute_of_day());
    let second = at.seconds().rem_euclid(60);
    format!("D:{day}{:02}{:02}{second:02}+07'00'", minute / 60, minute % 60)
}

/// Finds the empty signature behind the original bytes and writes the byte range around it.
fn fill_byte_range(
    out: &mut [u8],
    original: usize,
    room: usize,
) -> Result<std::ops::Range<usize>, SealError> {
    let range = format!("/ByteRange[0 {PLACEHOLDER} {PLACEHOLDER} {PLACEHOLDER}]");
    let range_at = only(out, original, range.as_bytes())?;
    let contents = format!("/Contents<{}>", "0".repeat(2 * room));
    let start = only(out, original, contents.as_bytes())? + "/Contents".len();
    let gap = start..start + 2 * room + 2;
    let filled = format!("/ByteRange[0 {} {} {}]", gap.start, gap.end, out.len() - gap.end);
    let padded = format!("{filled:<width$}", width = range.len());
    out[range_at..range_at + range.len()].copy_from_slice(padded.as_bytes());
    Ok(gap)
}

/// The one place of a pattern: a document that imitates it could lead the signature astray.
fn only(out: &[u8], from: usize, pattern: &[u8]) -> Result<usize, SealError> {
    let mut places = out[from..]
        .windows(pattern.len())
        .enumerate()
        .filter(|(_, w)| *w == pattern);
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Ok(from + at),
        _ => Err(SealError::Pdf("cannot be signed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::trial::{how, minimal_pdf, modern_pdf, office, pdf_with};

    #[test]
    fn a_document_is_signed_once() {
        let (_, seal) = office();
        let signed = sign(&minimal_pdf(), &how(&seal)).expect("signed");
        assert_eq!(sign(&signed, &how(&seal)), Err(SealError::Pdf("signed already")));
        let cut = &signed[..signed.len() - 1];
        assert_eq!(sign(cut, &how(&seal)), Err(SealError::Pdf("signed already")));
    }

    #[test]
    fn what_a_document_has_already_is_kept() {
        let (_, seal) = office();
        let form = "/Lang(vi)/AcroForm<</Fields[9 0 R]/DA(/Helv 0 Tf)>>";
        for original in [pdf_with(form), modern_pdf(form)] {
            let signed = sign(&original, &how(&seal)).expect("signed");
            let document = Document::load_mem(&signed).expect("reads back");
            let catalog = document.catalog().expect("a catalogue");
            assert_eq!(
                catalog.get(b"Lang").and_then(Object::as_str).expect("kept"),
                b"vi"
            );
            let form = inherited(&document, catalog, b"AcroForm");
            assert_eq!(
                form.get(b"DA").and_then(Object::as_str).expect("kept"),
                b"/Helv 0 Tf"
            );
            let fields = inherited_array(&document, &form, b"Fields");
            assert_eq!(fields.len(), 2);
            assert_eq!(fields[0], Object::Reference((9, 0)));
            let field = document
                .get_dictionary(fields[1].as_reference().expect("a field"))
                .expect("there");
            assert_eq!(
                field.get(b"T").and_then(Object::as_str).expect("named"),
                b"Signature2"
            );
        }
    }

    #[test]
    fn words_in_the_document_cannot_lead_the_signature_astray() {
        let (root, seal) = office();
        let trap = format!("/ByteRange[0 {PLACEHOLDER} {PLACEHOLDER} {PLACEHOLDER}]");
        assert_eq!(
            sign(&pdf_with(&trap), &how(&seal)),
            Err(SealError::Pdf("cannot be signed"))
        );
        let mut tricky = how(&seal);
        (tricky.name, tricky.reason) = (trap.as_str(), ")>>endobj");
        let signed = sign(&minimal_pdf(), &tricky).expect("signed");
        let verdict = crate::pdf::verify(&signed, &crate::pdf::trial::trust(&root), how(&seal).at);
        assert!(verdict.is_passed(), "{verdict:?}");
    }

    #[test]
    fn a_crowd_of_offsets_at_one_object_costs_no_more_than_the_file() {
        let (_, seal) = office();
        let text = String::from_utf8(pdf_with(&format!("/Lang({})", "a".repeat(1 << 20)))).expect("text");
        let crowd = 20_000;
        let entries = "0000000019 00000 n \n".repeat(crowd);
        let hostile = text.replace("xref\n0 6\n", &format!("xref\n6 {crowd}\n{entries}0 6\n"));
        assert!(hostile.len() > text.len());
        // Signed or refused: what matters is that it ends, in memory of the file's own order.
        if let Ok(signed) = sign(hostile.as_bytes(), &how(&seal)) {
            assert!(signed.len() < 2 * hostile.len() + 100_000);
        }
    }

    #[test]
    fn only_readable_documents_with_a_page_are_signed() {
        let (_, seal) = office();
        let whole = minimal_pdf();
        let text = String::from_utf8_lossy(&whole).into_owned();
        let pageless = text.replace("[3 0 R]", "[     ]");
        for pdf in [
            b"not a pdf".as_slice(),
            &whole[..whole.len() / 2],
            pageless.as_bytes(),
        ] {
            assert!(sign(pdf, &how(&seal)).is_err());
        }
    }
}
