//! The order of Vietnamese names: by letter (a ă â b c d đ e ê … o ô ơ … u ư …), then by tone
//! (none, grave, hook, tilde, acute, dot below), numbers by their value. Never used for search: see
//! `kernel::text::fold`.

/// What to sort a name by; two names compare as their keys do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    letters: Vec<u64>,
    tones: Vec<u8>,
}

/// The letters in their order; what is not among them comes after, by its code point.
const LETTERS: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";
/// Letters with a tone, in the order of `TONES`, and the letter they are of.
const VOWELS: [(char, &str); 12] = [
    ('a', "aàảãáạ"),
    ('ă', "ăằẳẵắặ"),
    ('â', "âầẩẫấậ"),
    ('e', "eèẻẽéẹ"),
    ('ê', "êềểễếệ"),
    ('i', "iìỉĩíị"),
    ('o', "oòỏõóọ"),
    ('ô', "ôồổỗốộ"),
    ('ơ', "ơờởỡớợ"),
    ('u', "uùủũúụ"),
    ('ư', "ưừửữứự"),
    ('y', "yỳỷỹýỵ"),
];

/// The key of a name.
#[must_use]
pub fn key(name: &str) -> Key {
    let (mut letters, mut tones) = (Vec::new(), Vec::new());
    let mut number: Option<u64> = None;
    for c in name.chars().flat_map(char::to_lowercase) {
        if let Some(digit) = c.to_digit(10) {
            let so_far = number.unwrap_or(0).min(u64::from(u32::MAX));
            number = Some(so_far * 10 + u64::from(digit));
            continue;
        }
        letters.extend(number.take().map(|n| 1_000 + n));
        let (letter, tone) = letter(c);
        letters.push(letter);
        tones.push(tone);
    }
    letters.extend(number.map(|n| 1_000 + n));
    Key { letters, tones }
}

/// The place of a letter and its tone. Blanks come before everything, then numbers, then letters.
fn letter(c: char) -> (u64, u8) {
    /// Above any number that stands in a name.
    const FIRST: u64 = 1 << 48;
    if !c.is_alphanumeric() {
        return (0, 0);
    }
    let toned = VOWELS
        .iter()
        .find_map(|(base, forms)| Some((*base, forms.chars().position(|form| form == c)?)));
    let (base, tone) = toned.unwrap_or((c, 0));
    let place = LETTERS.chars().position(|l| l == base);
    let after = LETTERS.len() as u64 + u64::from(u32::from(c));
    let place = place.map_or(after, |place| place as u64);
    (FIRST + place, u8::try_from(tone).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_by_key(|name| key(name));
        names
    }

    #[test]
    fn letters_of_their_own_follow_the_plain_one() {
        let order = ["Ba Đình", "Dương", "Đà", "Đông", "Ơn", "Phú", "Uy", "Ưu"];
        let mixed = ["Ưu", "Đông", "Uy", "Ơn", "Dương", "Phú", "Đà", "Ba Đình"];
        assert_eq!(sorted(&mixed), order);
    }

    #[test]
    fn a_tone_decides_only_between_names_of_the_same_letters() {
        assert_eq!(sorted(&["Hạ", "Há", "Hà", "Ha"]), ["Ha", "Hà", "Há", "Hạ"]);
        assert_eq!(sorted(&["Hà Giang", "Ha Nội"]), ["Hà Giang", "Ha Nội"]);
    }

    #[test]
    fn numbers_stand_by_their_value_and_before_letters() {
        let order = ["Phường 2", "Phường 10", "Phường An Phú"];
        assert_eq!(sorted(&["Phường An Phú", "Phường 10", "Phường 2"]), order);
    }
}
