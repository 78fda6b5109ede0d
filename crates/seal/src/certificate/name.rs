//! Names in the text of RFC 2253. Seals cover this text, so it is written here and depends on no
//! library's table: it never changes.

use std::fmt::Write as _;

use der::asn1::ObjectIdentifier;
use der::{Encode as _, Tag, Tagged as _};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// The attribute types that have a word: RFC 2253 section 2.3. Any other is told by its number.
const WORDS: [(ObjectIdentifier, &str); 9] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.9"), "STREET"),
    (ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.25"), "DC"),
    (ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1"), "UID"),
];

/// The name, its most specific part first.
pub(super) fn rfc2253(name: &Name) -> String {
    let mut out = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for (number, part) in parts.into_iter().rev().enumerate() {
        if number > 0 {
            out.push(',');
        }
        for (number, attribute) in part.iter().enumerate() {
            if number > 0 {
                out.push('+');
            }
            write_attribute(attribute, &mut out);
        }
    }
    out
}

fn write_attribute(attribute: &AttributeTypeAndValue, out: &mut String) {
    let value = &attribute.value;
    let is_text = matches!(
        value.tag(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String
    );
    let text = std::str::from_utf8(value.value()).ok().filter(|_| is_text);
    let word = WORDS.iter().find(|(oid, _)| *oid == attribute.oid);
    if let (Some((_, word)), Some(text)) = (word, text) {
        out.push_str(word);
        out.push('=');
        write_escaped(text, out);
    } else {
        let der = value.to_der().unwrap_or_default();
        write!(out, "{}=#{}", attribute.oid, hex::encode(der)).expect("a string takes all text");
    }
}

fn write_escaped(text: &str, out: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (place, letter) in text.chars().enumerate() {
        match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => out.extend(['\\', letter]),
            '#' if place == 0 => out.push_str("\\#"),
            ' ' if place == 0 || place == last => out.push_str("\\ "),
            '\0'..='\u{1f}' | '\u{7f}' => {
                write!(out, "\\{:02X}", u32::from(letter)).expect("a string takes all text");
            }
            _ => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr as _;

    #[test]
    fn names_are_told_as_the_standard_tells_them() {
        let table = [
            ("CN=Thử,O=A & B,C=VN", "CN=Thử,O=A & B,C=VN"),
            (r"CN=\#a\, \+ b\ ,OU=x\\y", r"CN=\#a\, \+ b\ ,OU=x\\y"),
            (r"CN=\ a\0db", r"CN=\ a\0Db"),
            ("UID=1,DC=gov,DC=vn", "UID=1,DC=gov,DC=vn"),
            ("CN=a+OU=b,O=c", "CN=a+OU=b,O=c"),
            (
                "1.3.6.1.4.1.1466.0=#04024869,L=x",
                "1.3.6.1.4.1.1466.0=#04024869,L=x",
            ),
        ];
        for (given, told) in table {
            assert_eq!(rfc2253(&Name::from_str(given).expect("a name")), told);
        }
        // An organisation's identifier has no word in the standard.
        let identifier = Name::from_str("2.5.4.97=#0c03473132").expect("a name");
        assert_eq!(rfc2253(&identifier), "2.5.4.97=#0c03473132");
    }
}
