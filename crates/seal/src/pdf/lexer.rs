//! PDF objects out of bytes (ISO 32000-1 section 7.2 and 7.3). Never follows a reference, never
//! recurses deeper than a fixed depth, and reads each byte a bounded number of times.

/// Deepest nesting of arrays and dictionaries, count.
const DEPTH_MAX: usize = 64;
/// Objects that one reader, or one document, may hold, count: each costs a few dozen bytes of memory.
pub(super) const VALUES_MAX: usize = 2_000_000;

/// A PDF object. Streams are read by [`super::scan`]: here they end with their dictionary.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Name(Vec<u8>),
    Text(Vec<u8>),
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// `true`, `false` or `null`.
    Word(&'static [u8]),
    /// Nothing that has a value: a number too large, an empty object.
    Other,
    Reference(u32),
    Array(Vec<Value>),
    Dictionary(Dictionary),
}

/// A dictionary in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dictionary(pub(super) Vec<(Vec<u8>, Value)>);

impl Dictionary {
    /// The last value given for a key, as lenient readers have it.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Value> {
        self.0.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    pub(super) fn name(&self, key: &[u8]) -> Option<&[u8]> {
        match self.get(key)? {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn text(&self, key: &[u8]) -> Option<&[u8]> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, key: &[u8]) -> Option<i64> {
        match self.get(key)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn reference(&self, key: &[u8]) -> Option<u32> {
        match self.get(key)? {
            Value::Reference(number) => Some(*number),
            _ => None,
        }
    }
}

/// Reads objects one after the other.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    values: usize,
    generations: bool,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            values: 0,
            generations: false,
        }
    }

    /// True once a reference named another generation than 0, which [`Value`] does not keep.
    pub(super) const fn saw_generation(&self) -> bool {
        self.generations
    }

    /// Where the next byte stands.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// Objects read so far, count.
    pub(super) const fn values(&self) -> usize {
        self.values
    }

    /// The next object; `None` where there is none that can be read.
    pub(super) fn value(&mut self) -> Option<Value> {
        self.value_at(0)
    }

    /// Reads over a keyword such as `obj`; false, without moving, when something else stands here.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        self.skip_blanks();
        let here = self.rest().starts_with(word);
        if here {
            self.at += word.len();
        }
        here
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                let line = self.rest().iter().position(|b| matches!(b, b'\r' | b'\n'));
                self.at += line.unwrap_or(self.rest().len());
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn value_at(&mut self, depth: usize) -> Option<Value> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        self.skip_blanks();
        match self.peek()? {
            b'/' => self.name().map(Value::Name),
            b'(' => self.literal().map(Value::Text),
            b'<' if self.rest().starts_with(b"<<") => self.dictionary(depth).map(Value::Dictionary),
            b'<' => self.hexadecimal().map(Value::Text),
            b'[' => self.array(depth),
            b'0'..=b'9' | b'+' | b'-' | b'.' => Some(self.number_or_reference()),
            _ => [&b"true"[..], b"false", b"null"]
                .into_iter()
                .find(|w| self.keyword(w))
                .map(Value::Word),
        }
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let end = self.rest().iter().position(|b| is_blank(*b) || is_delimiter(*b));
        let raw = &self.rest()[..end.unwrap_or(self.rest().len())];
        self.at += raw.len();
        Some(unescaped_name(raw))
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let (mut out, mut open) = (Vec::new(), 1_usize);
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => {
                    self.escape(&mut out)?;
                    continue;
                }
                _ => {}
            }
            if open == 0 {
                return Some(out);
            }
            out.push(byte);
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\r' if self.peek() == Some(b'\n') => self.at += 1,
            b'\r' | b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    code = code * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                // High-order overflow is ignored (ISO 32000-1 table 3).
                out.push(u8::try_from(code & 0xff).expect("one byte"));
            }
            other => out.push(other),
        }
        Some(())
    }

    fn hexadecimal(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let end = self.rest().iter().position(|b| *b == b'>')?;
        let mut digits: Vec<u8> = self.rest()[..end]
            .iter()
            .copied()
            .filter(|b| !is_blank(*b))
            .collect();
        self.at += end + 1;
        if digits.len() % 2 == 1 {
            digits.push(b'0');
        }
        hex::decode(digits).ok()
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut out = Vec::new();
        while !self.keyword(b"]") {
            out.push(self.value_at(depth + 1)?);
        }
        Some(Value::Array(out))
    }

    fn dictionary(&mut self, depth: usize) -> Option<Dictionary> {
        self.at += 2;
        let mut out = Dictionary::default();
        while !self.keyword(b">>") {
            if self.peek() != Some(b'/') {
                return None;
            }
            let key = self.name()?;
            out.0.push((key, self.value_at(depth + 1)?));
        }
        Some(out)
    }

    fn number_or_reference(&mut self) -> Value {
        let first = self.number();
        let after = self.at;
        // `12 0 R` is one object; look two tokens ahead and come back when it is not.
        if let Value::Integer(number) = first
            && let Ok(number) = u32::try_from(number)
        {
            self.skip_blanks();
            let generation = self
                .peek()
                .is_some_and(|b| b.is_ascii_digit())
                .then(|| self.number());
            if let Some(Value::Integer(generation)) = generation
                && self.is_reference_mark()
            {
                self.at += 1;
                self.generations |= generation != 0;
                return Value::Reference(number);
            }
        }
        self.at = after;
        first
    }

    fn is_reference_mark(&mut self) -> bool {
        self.skip_blanks();
        self.peek() == Some(b'R')
            && self
                .bytes
                .get(self.at + 1)
                .is_none_or(|b| is_blank(*b) || is_delimiter(*b))
    }

    fn number(&mut self) -> Value {
        let end = self.rest().iter().position(|b| is_blank(*b) || is_delimiter(*b));
        let raw = &self.rest()[..end.unwrap_or(self.rest().len())];
        self.at += raw.len();
        let text = std::str::from_utf8(raw).unwrap_or_default();
        if let Ok(whole) = text.parse() {
            return Value::Integer(whole);
        }
        let real = text.contains('.').then(|| text.parse().ok()).flatten();
        real.map_or(Value::Other, Value::Real)
    }
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

pub(super) const fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

/// A name with its `#xx` escapes resolved: `/J#53` is `/JS` to every reader.
pub(super) fn unescaped_name(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        let code = raw
            .get(at + 1..at + 3)
            .filter(|_| *byte == b'#')
            .and_then(|two| hex::decode(two).ok());
        if let Some(code) = code {
            out.extend(code);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Value> {
        Lexer::new(text.as_bytes(), 0).value()
    }

    #[test]
    fn objects_read_as_the_standard_writes_them() {
        let read = read("<< /A#20b (a\\(\\)\\101(x)) /C <4 14> % note\n /D [1 0 R -2 3.5 true 4 0] >>");
        let expected = Dictionary(vec![
            (b"A b".to_vec(), Value::Text(b"a()A(x)".to_vec())),
            (b"C".to_vec(), Value::Text(b"A@".to_vec())),
            (
                b"D".to_vec(),
                Value::Array(vec![
                    Value::Reference(1),
                    Value::Integer(-2),
                    Value::Real(3.5),
                    Value::Word(b"true"),
                    Value::Integer(4),
                    Value::Integer(0),
                ]),
            ),
        ]);
        assert_eq!(read, Some(Value::Dictionary(expected)));
    }

    #[test]
    fn broken_or_bottomless_objects_are_no_objects() {
        let deep = "[".repeat(100_000);
        let nested = "<</A".repeat(100_000);
        for text in [
            &deep, &nested, "(", "((a)", "<41", "<</A", "<</A 1", "<<1 2>>", "[1 2", "", "<4g>", "\\",
        ] {
            assert_eq!(read(text), None, "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(read("99999999999999999999"), Some(Value::Other));
    }
}
