//! The tax code of an organisation (mã số thuế), which is its business code too. Never asks whether the
//! code was given to anybody.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::NotACode;

/// What the first nine digits are multiplied by for the tenth.
const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];

/// A tax code: ten digits, the last one a check digit, and for a branch three more after a hyphen:
/// `0314409058-002`. The rule of the check digit is as open source checks it; that an enterprise's business
/// code is the same number is from memory. The twelve digits that persons have for a tax code since July 2025
/// are a [`super::PersonalNumber`], not this.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxCode(String);
text_code!(TaxCode);

impl FromStr for TaxCode {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("tax-code");
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (code, branch) = match text.split_once('-') {
            Some((code, branch)) => (code, Some(branch)),
            None => (text, None),
        };
        if code.len() != 10 || !digits(code) || code[2..9].bytes().all(|b| b == b'0') {
            return Err(BAD);
        }
        if branch.is_some_and(|branch| branch.len() != 3 || !digits(branch) || branch == "000") {
            return Err(BAD);
        }
        let digit = |b: u8| u32::from(b - b'0');
        let sum: u32 = code
            .bytes()
            .zip(WEIGHTS)
            .map(|(b, weight)| digit(b) * weight)
            .sum();
        let checked = code.bytes().last().map(digit) == Some(10 - sum % 11);
        checked.then(|| Self(text.to_owned())).ok_or(BAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_code_carries_a_check_digit_and_a_branch_three_more() {
        for good in ["0100233488", "0314409058-002"] {
            assert_eq!(good.parse::<TaxCode>().expect("a code").as_str(), good);
        }
        for bad in [
            "0100233489",
            "0100233484",
            "010023348",
            "01002334880",
            "0314409058-000",
            "0314409058-02",
            "0314409058-",
            "0100000000",
            "O100233488",
            "",
        ] {
            assert!(bad.parse::<TaxCode>().is_err(), "{bad}");
        }
    }
}
