//! Folding and cleaning of Vietnamese text. Never translates: see `web::i18n`.

use unicode_normalization::UnicodeNormalization as _;

/// Folds for search: lower case, no marks, `đ` to `d`, one space between words.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.nfd().flat_map(char::to_lowercase) {
        match c {
            '\u{0300}'..='\u{036f}' => {}
            'đ' => push(&mut out, &mut gap, 'd'),
            c if c.is_alphanumeric() => push(&mut out, &mut gap, c),
            _ => gap = true,
        }
    }
    out
}

fn push(out: &mut String, gap: &mut bool, c: char) {
    if std::mem::take(gap) && !out.is_empty() {
        out.push(' ');
    }
    out.push(c);
}

/// Cleans what a person typed or pasted: NFC, no control characters, nothing that cannot be seen, outer
/// and double spaces removed.
#[must_use]
pub fn clean(text: &str) -> String {
    let composed: String = text
        .chars()
        .filter(|c| !is_unseen(*c))
        .nfc()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks that join, part or turn what stands around them and show nothing themselves: they come along
/// with pasted text, make two names differ that read alike, and can show a text backwards.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_do_not_matter_in_a_search() {
        assert_eq!(fold("Thủ tục ĐĂNG KÝ  khai sinh"), "thu tuc dang ky khai sinh");
        assert_eq!(fold("dang ky khai sinh"), fold("Đăng ký khai sinh"));
    }

    #[test]
    fn a_name_typed_in_pieces_is_one_name() {
        let nfd = "Nguye\u{0302}\u{0303}n  Thi\u{0323} O'Hara\u{0007}";
        assert_eq!(clean(nfd), "Nguyễn Thị O'Hara");
        assert_eq!(clean("Lê \u{200b}Sen\u{202e} Ba\u{feff}"), "Lê Sen Ba");
    }
}
