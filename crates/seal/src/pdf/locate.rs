//! Where a document's signature stands and which bytes it covers. Never asks the document's own
//! structure: the byte range either covers all of the file but the signature itself, or it does not.

use std::ops::Range;

use der::{AnyRef, Decode, Reader, SliceReader};

use super::lexer::{Dictionary, Lexer, Value};

/// Byte ranges looked at in one file, count. What lies behind so many is not found, hence not valid.
const CANDIDATES_MAX: usize = 64;
/// Longest hexadecimal signature, in bytes of the file.
const GAP_BYTES_MAX: usize = 2 << 20;
/// Places before a byte range tried as the start of its dictionary, count.
const STARTS_MAX: usize = 16;

/// A signature and the bytes around it.
#[derive(Debug)]
pub(super) struct Located {
    /// The hexadecimal string with its angle brackets: the one part that is not covered.
    pub(super) gap: Range<usize>,
    /// The first byte after what is covered; behind the end when the file was cut off.
    pub(super) end: usize,
    /// Where `/ByteRange` stands.
    at: usize,
}

impl Located {
    /// The two pieces that are covered, as far as the file goes.
    pub(super) fn covered<'a>(&self, pdf: &'a [u8]) -> [&'a [u8]; 2] {
        [
            &pdf[..self.gap.start],
            &pdf[self.gap.end..self.end.min(pdf.len())],
        ]
    }

    /// The CMS in DER, its padding of zeros cut off. `None` when it is not DER, or the padding hides
    /// something, or letters of both cases leave room for bytes nobody signed.
    pub(super) fn cms(&self, pdf: &[u8]) -> Option<Vec<u8>> {
        let digits = &pdf[self.gap.start + 1..self.gap.end - 1];
        if digits.iter().any(u8::is_ascii_uppercase) && digits.iter().any(u8::is_ascii_lowercase) {
            return None;
        }
        let mut bytes = hex::decode(digits).ok()?;
        let mut reader = SliceReader::new(&bytes).ok()?;
        AnyRef::decode(&mut reader).ok()?;
        let length = usize::try_from(u32::from(reader.position())).ok()?;
        if bytes[length..].iter().any(|b| *b != 0) {
            return None;
        }
        bytes.truncate(length);
        Some(bytes)
    }

    /// The signature dictionary: the object around the byte range whose contents are the gap.
    pub(super) fn dictionary(&self, pdf: &[u8]) -> Option<Dictionary> {
        let contents = hex::decode(&pdf[self.gap.start + 1..self.gap.end - 1]).ok()?;
        let mut before = self.at;
        for _ in 0..STARTS_MAX {
            before = pdf[..before].windows(3).rposition(|w| w == b"obj")?;
            if let Some(Value::Dictionary(found)) = Lexer::new(pdf, before + 3).value()
                && found.text(b"Contents") == Some(contents.as_slice())
                && found.get(b"ByteRange").is_some()
            {
                return Some(found);
            }
        }
        None
    }
}

/// Every signature whose byte range has the right form, in the order of the file.
pub(super) fn all(pdf: &[u8]) -> Vec<Located> {
    const KEY: &[u8] = b"/ByteRange";
    let places = (0..pdf.len()).filter(|at| pdf[*at] == b'/' && pdf[*at..].starts_with(KEY));
    places
        .take(CANDIDATES_MAX)
        .filter_map(|at| read(pdf, at, at + KEY.len()))
        .collect()
}

fn read(pdf: &[u8], at: usize, after_key: usize) -> Option<Located> {
    let mut lexer = Lexer::new(pdf, after_key);
    lexer.skip_blanks();
    // Four numbers are short; a larger object here is none of a signature.
    let short = &pdf[lexer.position()..pdf.len().min(lexer.position() + 200)];
    let Some(Value::Array(numbers)) = Lexer::new(short, 0).value() else {
        return None;
    };
    let [
        Value::Integer(0),
        Value::Integer(first),
        Value::Integer(second),
        Value::Integer(length),
    ] = numbers[..]
    else {
        return None;
    };
    let (gap_start, gap_end) = (usize::try_from(first).ok()?, usize::try_from(second).ok()?);
    let end = gap_end.checked_add(usize::try_from(length).ok()?)?;
    let gap = pdf
        .get(gap_start..gap_end)
        .filter(|gap| gap.len() <= GAP_BYTES_MAX)?;
    let [b'<', digits @ .., b'>'] = gap else {
        return None;
    };
    let whole = !digits.is_empty() && digits.len() % 2 == 0 && digits.iter().all(u8::is_ascii_hexdigit);
    whole.then_some(Located {
        gap: gap_start..gap_end,
        end,
        at,
    })
}

/// The CMS and the bytes it covers, as other tools want them; of the last signature when there are
/// several. `None` when there is none. Says nothing about validity.
#[must_use]
pub fn signature_parts(pdf: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let last = all(pdf).pop()?;
    Some((last.cms(pdf)?, last.covered(pdf).concat()))
}
