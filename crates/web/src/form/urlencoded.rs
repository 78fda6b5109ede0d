//! `a=1&b=2`: counted before anything is kept. Never reads more fields than a form may have.

use kernel::{Kind, Problem};

use super::{Fields, too_many_fields};

/// Reads an urlencoded form or query.
///
/// # Errors
/// 413 `too-many-fields`, 400 `malformed` when a value is no UTF-8.
pub(super) fn read(bytes: &[u8], fields_max: usize) -> Result<Fields, Problem> {
    let mut fields = Fields::default();
    for pair in bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
        if fields.count() == fields_max {
            return Err(too_many_fields(fields_max));
        }
        let cut = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..cut], pair.get(cut + 1..).unwrap_or_default());
        fields.push(&decode(name)?, decode(value)?);
    }
    Ok(fields)
}

/// `+` is a space, `%41` a byte; a `%` without two digits stands for itself, as browsers read it.
fn decode(text: &[u8]) -> Result<String, Problem> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*first),
        }
    }
    String::from_utf8(out).map_err(|e| Problem::new(Kind::Malformed, "malformed").because(e))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let fields = read("h%E1%BB%8D=L%C3%AA+Lan&a=1&a=2&b&c=%zz%4&&d=x=y".as_bytes(), 10).unwrap();
        let all: Vec<_> = fields.all().collect();
        assert_eq!(
            all,
            [
                ("họ", "Lê Lan"),
                ("a", "1"),
                ("a", "2"),
                ("b", ""),
                ("c", "%zz%4"),
                ("d", "x=y")
            ]
        );
        assert_eq!(read(b"a=%ff", 10).unwrap_err().code, "malformed");
    }

    #[test]
    fn a_form_of_10_000_fields_is_refused() {
        let problem = read("a=1&".repeat(10_000).as_bytes(), 500).unwrap_err();
        assert_eq!((problem.kind.status(), problem.code), (413, "too-many-fields"));
        assert_eq!(read("a=1&".repeat(500).as_bytes(), 500).unwrap().count(), 500);
    }
}
