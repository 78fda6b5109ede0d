//! Whether bytes someone uploads are a PDF that only shows pages. Never opens what could act:
//! scripts, programs to launch, files inside, and encryption that would hide them are refused.

use super::lexer::{Dictionary, Value, is_blank, is_delimiter, unescaped_name};
use super::scan::Scan;

/// Names that make a document act or carry files, wherever they stand in it.
const REFUSED_ANYWHERE: [&[u8]; 8] = [
    b"JavaScript",
    b"Launch",
    b"EmbeddedFile",
    b"EmbeddedFiles",
    b"RichMedia",
    b"ImportData",
    b"GoToE",
    b"Encrypt",
];
/// Keys too short to be sought in compressed bytes, refused in every dictionary read.
const REFUSED_KEYS: [&[u8]; 3] = [b"JS", b"EF", b"XFA"];
/// The end mark stands within this many bytes of the end.
const TAIL_BYTES: usize = 1024;

/// Whether these bytes are a PDF of pages and nothing else: the header at the start, the end mark
/// at the end, every object readable, a catalogue with pages, no JavaScript, no launch action, no
/// embedded file, no encryption. The caller bounds the size.
#[must_use]
pub fn looks_like_pdf(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
    let framed = (bytes.starts_with(b"%PDF-1.") || bytes.starts_with(b"%PDF-2."))
        && contains(tail, b"%%EOF")
        && contains(tail, b"startxref");
    if !framed || !only_shows(bytes) {
        return false;
    }
    let Some(scan) = Scan::read(bytes) else {
        return false;
    };
    // As many object streams as the bytes name: none hides where another reader would find it.
    names(bytes).filter(|name| name == b"ObjStm").count() == scan.unfolded.len()
        && scan.unfolded.iter().all(|inner| only_shows(inner))
        && scan.objects.values().all(quiet)
        && has_pages(&scan)
}

fn has_pages(scan: &Scan) -> bool {
    let Some(trailer) = &scan.trailer else {
        return false;
    };
    let root = scan.dictionary(trailer, b"Root");
    let pages = root.and_then(|catalogue| scan.dictionary(catalogue, b"Pages"));
    let kids = pages.and_then(|pages| scan.resolve(pages.get(b"Kids")?));
    matches!(kids, Some(Value::Array(kids)) if !kids.is_empty())
}

fn only_shows(bytes: &[u8]) -> bool {
    names(bytes).all(|name| !REFUSED_ANYWHERE.contains(&name.as_slice()))
}

/// No refused key in any dictionary. The reader bounds the depth.
fn quiet(value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().all(quiet),
        Value::Dictionary(Dictionary(entries)) => entries
            .iter()
            .all(|(key, value)| !REFUSED_KEYS.contains(&key.as_slice()) && quiet(value)),
        _ => true,
    }
}

/// Everything in these bytes that a reader could take for a name, escapes resolved.
fn names(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    // Longer than any refused name with every character escaped.
    const RAW_MAX: usize = 64;
    let starts = bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'/')
        .map(|(at, _)| at + 1);
    starts.map(|start| {
        let raw = &bytes[start..bytes.len().min(start + RAW_MAX)];
        let end = raw
            .iter()
            .position(|b| is_blank(*b) || is_delimiter(*b))
            .unwrap_or(raw.len());
        unescaped_name(&raw[..end])
    })
}

fn contains(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.windows(pattern.len()).any(|w| w == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::trial::{minimal_pdf, modern_pdf, pdf_with};

    #[test]
    fn plain_pages_are_accepted_in_both_file_layouts() {
        assert!(looks_like_pdf(&minimal_pdf()));
        assert!(looks_like_pdf(&modern_pdf("/Lang(vi)")));
    }

    #[test]
    fn what_is_no_pdf_or_is_cut_off_is_refused() {
        let whole = minimal_pdf();
        assert!(!looks_like_pdf(b""));
        assert!(!looks_like_pdf(b"%PDF-1.7\n"));
        assert!(!looks_like_pdf(b"PK\x03\x04 not a pdf"));
        assert!(!looks_like_pdf(&[b"junk\n", whole.as_slice()].concat()));
        for cut in (0..whole.len() - 6).step_by(7) {
            assert!(!looks_like_pdf(&whole[..cut]), "cut at {cut}");
        }
    }

    #[test]
    fn documents_that_act_are_refused_however_the_name_is_written() {
        for catalogue in [
            "/OpenAction<</S/JavaScript/JS(app.alert)>>",
            "/OpenAction<</S/J#61vaScript/JS(app.alert)>>",
            "/OpenAction<</S/Launch/F(cmd.exe)>>",
            "/OpenAction<</S/#4c#61#75#6e#63#68/F(cmd.exe)>>",
            "/Names<</EmbeddedFiles<</Names[]>>>>",
            "/AF[<</Type/Filespec/EF<</F 9 0 R>>>>]",
            "/AcroForm<</XFA[]>>",
            "/A<</J#53(x)>>",
        ] {
            assert!(!looks_like_pdf(&pdf_with(catalogue)), "{catalogue}");
            assert!(!looks_like_pdf(&modern_pdf(catalogue)), "compressed {catalogue}");
        }
    }

    #[test]
    fn an_object_stream_that_unfolds_without_end_is_refused_quickly() {
        let bomb = modern_pdf(&format!("/Lang({})", "a".repeat(20 << 20)));
        assert!(bomb.len() < 1 << 20, "the bomb is small: {}", bomb.len());
        assert!(!looks_like_pdf(&bomb));
    }
}
