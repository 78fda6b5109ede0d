//! Dates and numbers in Vietnamese words, as certificates write them. Never reads words back.

use kernel::Date;

/// The digits as they are said alone.
const DIGITS: [&str; 10] = [
    "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín",
];

/// A thousand million, the largest unit with a name of its own.
const BILLION: u64 = 1_000_000_000;

/// A date as a certificate says it: `Ngày hai mươi mốt, tháng mười một, năm hai nghìn không trăm
/// hai mươi sáu`. The first ten days are said without `mồng`; April is `tháng tư`.
#[must_use]
pub fn date_in_words(date: Date) -> String {
    let day = number_in_words(u64::from(date.day()));
    let month = match u8::from(date.month()) {
        4 => "tư".to_owned(),
        month => number_in_words(u64::from(month)),
    };
    let year = number_in_words(u64::from(date.year().unsigned_abs()));
    format!("Ngày {day}, tháng {month}, năm {year}")
}

/// A whole number in words, for years and sums of money: `2026` is `hai nghìn không trăm hai mươi
/// sáu`, `1000005` is `một triệu không trăm linh năm` (empty groups of three digits are not said).
#[must_use]
pub fn number_in_words(number: u64) -> String {
    if number == 0 {
        return DIGITS[0].to_owned();
    }
    let mut words = Vec::new();
    say(number, &mut words);
    words.join(" ")
}

/// Adds the words of a number that is not 0. What stands after a higher group says its hundreds
/// even when they are none, so that `2026` is not heard as 2 26.
fn say(number: u64, words: &mut Vec<&'static str>) {
    if number >= BILLION {
        say(number / BILLION, words);
        words.push("tỷ");
    }
    for (size, name) in [(1_000_000, Some("triệu")), (1_000, Some("nghìn")), (1, None)] {
        let group = number % BILLION / size % 1_000;
        if group > 0 {
            say_group(usize::try_from(group).expect("below a thousand"), words);
            words.extend(name);
        }
    }
}

/// Adds the words of 1 to 999.
fn say_group(group: usize, words: &mut Vec<&'static str>) {
    let (hundreds, tens, units) = (group / 100, group / 10 % 10, group % 10);
    let after_more = hundreds > 0 || !words.is_empty();
    if after_more {
        words.extend([DIGITS[hundreds], "trăm"]);
    }
    match tens {
        0 if units > 0 && after_more => words.push("linh"),
        0 => {}
        1 => words.push("mười"),
        _ => words.extend([DIGITS[tens], "mươi"]),
    }
    match (tens, units) {
        (_, 0) => {}
        (2.., 1) => words.push("mốt"),
        (2.., 4) => words.push("tư"),
        (0, 4) if after_more => words.push("tư"),
        (1.., 5) => words.push("lăm"),
        _ => words.push(DIGITS[units]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::parse_iso;

    #[test]
    fn a_date_is_said_as_a_certificate_writes_it() {
        for (date, words) in [
            (
                "2026-11-21",
                "Ngày hai mươi mốt, tháng mười một, năm hai nghìn không trăm hai mươi sáu",
            ),
            (
                "2005-04-04",
                "Ngày bốn, tháng tư, năm hai nghìn không trăm linh năm",
            ),
            (
                "2015-05-15",
                "Ngày mười lăm, tháng năm, năm hai nghìn không trăm mười lăm",
            ),
            (
                "2024-12-24",
                "Ngày hai mươi tư, tháng mười hai, năm hai nghìn không trăm hai mươi tư",
            ),
            (
                "1955-01-31",
                "Ngày ba mươi mốt, tháng một, năm một nghìn chín trăm năm mươi lăm",
            ),
            ("2000-10-10", "Ngày mười, tháng mười, năm hai nghìn"),
            (
                "1904-02-25",
                "Ngày hai mươi lăm, tháng hai, năm một nghìn chín trăm linh tư",
            ),
        ] {
            assert_eq!(date_in_words(parse_iso(date).expect("a date")), words, "{date}");
        }
    }

    #[test]
    fn one_is_mot_after_tens_from_twenty_on_and_five_is_lam_after_any_ten() {
        for (number, words) in [
            (0, "không"),
            (4, "bốn"),
            (11, "mười một"),
            (14, "mười bốn"),
            (15, "mười lăm"),
            (20, "hai mươi"),
            (21, "hai mươi mốt"),
            (44, "bốn mươi tư"),
            (55, "năm mươi lăm"),
            (101, "một trăm linh một"),
            (104, "một trăm linh tư"),
            (105, "một trăm linh năm"),
            (110, "một trăm mười"),
            (111, "một trăm mười một"),
            (555, "năm trăm năm mươi lăm"),
        ] {
            assert_eq!(number_in_words(number), words, "{number}");
        }
    }

    #[test]
    fn money_is_said_by_groups_of_three_and_empty_groups_are_not_said() {
        for (number, words) in [
            (8_000, "tám nghìn"),
            (15_500, "mười lăm nghìn năm trăm"),
            (1_000_005, "một triệu không trăm linh năm"),
            (
                2_021_004,
                "hai triệu không trăm hai mươi mốt nghìn không trăm linh tư",
            ),
            (1_005_000_000_000, "một nghìn không trăm linh năm tỷ"),
            (3_000_000_010, "ba tỷ không trăm mười"),
        ] {
            assert_eq!(number_in_words(number), words, "{number}");
        }
    }

    #[test]
    fn no_two_numbers_below_a_hundred_thousand_sound_the_same() {
        let said: std::collections::BTreeSet<String> = (0..100_000).map(number_in_words).collect();
        assert_eq!(said.len(), 100_000);
    }
}
