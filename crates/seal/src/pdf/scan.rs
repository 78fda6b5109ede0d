//! A whole document read by one pass over its bytes, the way a repairing reader would, but bounded:
//! every byte belongs to one object, and an object that cannot be read ends the reading. Never
//! follows cross-reference offsets, whose author may point a million of them at one large object.

use std::collections::BTreeMap;

use super::lexer::{Dictionary, Lexer, VALUES_MAX, Value, is_blank, is_delimiter};

/// Bytes that all object streams of one document may unfold to.
const UNFOLDED_BYTES_MAX: usize = 16 << 20;

/// What one pass found. A later revision of an object replaces the earlier one.
#[derive(Default)]
pub(super) struct Scan {
    /// Objects by number; of a stream, its dictionary.
    pub(super) objects: BTreeMap<u32, Value>,
    /// What a later revision replaced, each with its number.
    pub(super) replaced: Vec<(u32, Value)>,
    /// The dictionary of the last trailer or cross-reference stream that names a catalogue.
    pub(super) trailer: Option<Dictionary>,
    /// Unfolded object streams.
    pub(super) unfolded: Vec<Vec<u8>>,
    /// Bytes of all of them.
    unfolded_bytes: usize,
    /// Objects read, those inside others and replaced ones included.
    values: usize,
}

impl Scan {
    /// Reads a document; `None` when some part of it cannot be read.
    pub(super) fn read(pdf: &[u8]) -> Option<Self> {
        let mut scan = Self::default();
        let (mut at, mut token) = (0, 0);
        while at < pdf.len() {
            let rest = &pdf[at..];
            if rest[0] == b'%' {
                at += rest
                    .iter()
                    .position(|b| matches!(b, b'\r' | b'\n'))
                    .unwrap_or(rest.len());
                token = at;
            } else if rest.starts_with(b"obj") && at > token {
                at = match object_number(&pdf[token..at]) {
                    Some(number) => scan.object(pdf, at + 3, number)?,
                    None => at + 3,
                };
                token = at;
            } else if rest.starts_with(b"trailer") {
                let mut lexer = Lexer::new(pdf, at + 7);
                let Value::Dictionary(dictionary) = lexer.value()? else {
                    return None;
                };
                scan.take_trailer(&dictionary);
                at = lexer.position();
                token = at;
            } else {
                at += 1;
                // Only the tail can be `12 0 `: keep the look back short.
                token = token.max(at.saturating_sub(32));
            }
        }
        Some(scan)
    }

    /// The object a value stands for, one reference followed.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> Option<&'a Value> {
        match value {
            Value::Reference(number) => self
                .objects
                .get(number)
                .filter(|v| !matches!(v, Value::Reference(_))),
            direct => Some(direct),
        }
    }

    /// The dictionary under a key, one reference followed.
    pub(super) fn dictionary<'a>(&'a self, of: &'a Dictionary, key: &[u8]) -> Option<&'a Dictionary> {
        match self.resolve(of.get(key)?)? {
            Value::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// Reads one object after its `obj`; answers where reading goes on.
    fn object(&mut self, pdf: &[u8], from: usize, number: u32) -> Option<usize> {
        let mut lexer = Lexer::new(pdf, from);
        let value = if lexer.keyword(b"endobj") {
            Value::Other
        } else {
            lexer.value()?
        };
        let mut end = lexer.position();
        if let Value::Dictionary(dictionary) = &value
            && lexer.keyword(b"stream")
        {
            let payload = payload(pdf, lexer.position(), dictionary)?;
            end = payload.end;
            match dictionary.name(b"Type") {
                Some(b"XRef") => self.take_trailer(dictionary),
                Some(b"ObjStm") => self.unfold(dictionary, &pdf[payload])?,
                _ => {}
            }
        }
        self.insert(number, value, lexer.values())?;
        Some(end)
    }

    /// Takes an object that holds so many.
    fn insert(&mut self, number: u32, value: Value, values: usize) -> Option<()> {
        self.values += values;
        if let Some(earlier) = self.objects.insert(number, value) {
            self.replaced.push((number, earlier));
        }
        (self.values <= VALUES_MAX).then_some(())
    }

    fn take_trailer(&mut self, dictionary: &Dictionary) {
        if dictionary.reference(b"Root").is_some() {
            self.trailer = Some(dictionary.clone());
        }
    }

    /// Reads the objects inside an object stream (ISO 32000-1 section 7.5.7).
    fn unfold(&mut self, dictionary: &Dictionary, payload: &[u8]) -> Option<()> {
        let bytes = inflate(dictionary, payload, UNFOLDED_BYTES_MAX - self.unfolded_bytes)?;
        let first = usize::try_from(dictionary.integer(b"First")?).ok()?;
        let count = usize::try_from(dictionary.integer(b"N")?).ok()?;
        let mut header = Lexer::new(bytes.get(..first)?, 0);
        let mut read_to = first;
        for _ in 0..count {
            let (Value::Integer(number), Value::Integer(offset)) = (header.value()?, header.value()?) else {
                return None;
            };
            // In order and without overlap, so that no byte is read twice.
            let start = first.checked_add(usize::try_from(offset).ok()?)?;
            if start < read_to {
                return None;
            }
            let mut lexer = Lexer::new(&bytes, start);
            let value = lexer.value()?;
            read_to = lexer.position();
            self.insert(u32::try_from(number).ok()?, value, lexer.values())?;
        }
        self.unfolded_bytes += bytes.len();
        self.unfolded.push(bytes);
        Some(())
    }
}

/// The number in `… 12 0 ` that ends right before `obj`.
fn object_number(before: &[u8]) -> Option<u32> {
    let mut words = before
        .rsplit(|b| is_blank(*b) || is_delimiter(*b))
        .filter(|w| !w.is_empty());
    let (generation, number) = (words.next()?, words.next()?);
    let all_digits = |word: &[u8]| word.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(number)
        .ok()
        .filter(|_| all_digits(number) && all_digits(generation));
    text?.parse().ok()
}

/// The bytes between `stream` and `endstream`: by the stated length when that is where it ends,
/// else up to the next `endstream`.
pub(super) fn payload(
    pdf: &[u8],
    after_keyword: usize,
    dictionary: &Dictionary,
) -> Option<std::ops::Range<usize>> {
    let start = match pdf.get(after_keyword..)? {
        [b'\r', b'\n', ..] => after_keyword + 2,
        [b'\n' | b'\r', ..] => after_keyword + 1,
        _ => return None,
    };
    let stated = dictionary
        .integer(b"Length")
        .and_then(|n| usize::try_from(n).ok());
    if let Some(end) = stated
        .and_then(|n| start.checked_add(n))
        .filter(|end| *end <= pdf.len())
        && Lexer::new(pdf, end).keyword(b"endstream")
    {
        return Some(start..end);
    }
    let found = pdf[start..].windows(9).position(|w| w == b"endstream")?;
    Some(start..start + found)
}

/// Undoes the one filter that object streams use in practice.
fn inflate(dictionary: &Dictionary, payload: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let filter = match dictionary.get(b"Filter") {
        None => return (payload.len() <= bytes_max).then(|| payload.to_vec()),
        Some(Value::Name(name)) => name,
        Some(Value::Array(all)) => match all.as_slice() {
            [Value::Name(name)] => name,
            _ => return None,
        },
        Some(_) => return None,
    };
    if filter != b"FlateDecode" || dictionary.get(b"DecodeParms").is_some() {
        return None;
    }
    let stream = lopdf::Stream::new(lopdf::dictionary! { "Filter" => "FlateDecode" }, payload.to_vec());
    stream.decompressed_content_with_limit(bytes_max).ok()
}
