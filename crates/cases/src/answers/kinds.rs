//! The kinds of answers that are more than a line of text or less: each read strictly, and kept in one form.
//! Pure: never asks whether a number, a code or an address is anybody's.

use kernel::text::clean;
use kernel::{Problem, TaxCode};

use super::TEXT_CHARS_MAX;
use crate::payment::dong;
use crate::procedure::{Question, QuestionKind};

/// Length of a long text, in characters.
pub const LONG_TEXT_CHARS_MAX: usize = 4_000;
/// Length of an e-mail address, in characters.
const EMAIL_CHARS_MAX: usize = 254;
/// Length of what stands before the `@`, in characters.
const EMAIL_LOCAL_CHARS_MAX: usize = 64;
/// Length of one part of a domain, in characters.
const EMAIL_LABEL_CHARS_MAX: usize = 63;
/// What is kept of a question that was answered with yes, and with no.
pub const YES_NO: [&str; 2] = ["yes", "no"];

/// Length of an answer to a question, in characters.
#[must_use]
pub fn chars_max(question: &Question) -> usize {
    match question.kind {
        QuestionKind::LongText => {
            let asked = question.greatest.and_then(|greatest| greatest.try_into().ok());
            asked.map_or(LONG_TEXT_CHARS_MAX, |most: usize| most.min(LONG_TEXT_CHARS_MAX))
        }
        QuestionKind::ManyOf => question.choices.iter().map(|c| c.value.chars().count() + 1).sum(),
        QuestionKind::Email => EMAIL_CHARS_MAX,
        // A commune's code and a blank before the line.
        QuestionKind::Address => TEXT_CHARS_MAX + 6,
        _ => TEXT_CHARS_MAX,
    }
}

/// The choices that were picked, of an answer as it is kept.
pub fn picked(answer: &str) -> impl Iterator<Item = &str> {
    answer.split(',').filter(|value| !value.is_empty())
}

/// Lines, each cleaned; breaks inside stay.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(clean).collect();
    lines.join("\n").trim().to_owned()
}

/// An answer of one of the kinds of this file.
///
/// # Errors
/// 422 at the field: what is wrong with it.
pub(super) fn read(question: &Question, text: &str) -> Result<String, Problem> {
    match question.kind {
        QuestionKind::Money => money(question, text),
        QuestionKind::YesNo => match YES_NO.contains(&text) {
            true => Ok(text.to_owned()),
            false => Err(Problem::invalid(&question.code, "answer-unknown-choice")),
        },
        QuestionKind::ManyOf => many(question, text),
        QuestionKind::BusinessId => {
            let code: String = text.chars().filter(|c| !matches!(c, ' ' | '.')).collect();
            let code: TaxCode = code
                .parse()
                .map_err(|_| Problem::invalid(&question.code, "answer-tax-code"))?;
            Ok(code.to_string())
        }
        QuestionKind::Phone => phone(&question.code, text),
        QuestionKind::Email => email(&question.code, text),
        _ => Ok(text.to_owned()),
    }
}

/// Whole dong within the question's bounds. Thousands may be parted, by threes; the unit may stand behind.
fn money(question: &Question, text: &str) -> Result<String, Problem> {
    let (least, greatest) = question.bounds();
    let refused = || {
        Problem::invalid(&question.code, "answer-money")
            .with("least", dong(least))
            .with("greatest", dong(greatest))
    };
    let small = text.to_lowercase();
    let units = ["đồng", "vnđ", "vnd", "đ", "₫"];
    let bare = units.iter().find_map(|unit| small.strip_suffix(*unit));
    let bare = bare.unwrap_or(&small).trim();
    let groups: Vec<&str> = bare.split([' ', '.', ',', '\u{a0}']).collect();
    let threes = groups.iter().skip(1).all(|group| group.len() == 3);
    let digits = groups.concat();
    if !threes || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    let amount: u64 = digits.parse().map_err(|_| refused())?;
    let within = (least..=greatest).contains(&amount);
    within.then(|| amount.to_string()).ok_or_else(refused)
}

/// Some of the choices: each once, in their own order.
fn many(question: &Question, text: &str) -> Result<String, Problem> {
    let known = |value: &str| question.choices.iter().any(|c| c.value == value);
    if picked(text).next().is_none() || !picked(text).all(known) {
        return Err(Problem::invalid(&question.code, "answer-unknown-choice"));
    }
    let values = question.choices.iter().map(|c| c.value.as_str());
    let chosen: Vec<&str> = values
        .filter(|value| picked(text).any(|one| one == *value))
        .collect();
    Ok(chosen.join(","))
}

/// A telephone number of the country, from memory: ten digits that begin with 0, eleven for a landline (02).
/// `+84` and `84` in front stand for the 0.
///
/// # Errors
/// 422 `answer-phone` at the field.
pub(crate) fn phone(field: &str, text: &str) -> Result<String, Problem> {
    let bad = || Problem::invalid(field, "answer-phone");
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')'))
        .collect();
    let rest = bare.strip_prefix("+84").or_else(|| match bare.len() {
        11 | 12 => bare.strip_prefix("84"),
        _ => None,
    });
    let number = match rest {
        // `+84 (0) 912…` is written too.
        Some(rest) => format!("0{}", rest.strip_prefix('0').unwrap_or(rest)),
        None => bare,
    };
    let landline = number.starts_with("02");
    let sound = number.bytes().all(|b| b.is_ascii_digit())
        && number.starts_with('0')
        && matches!(
            number.as_bytes().get(1),
            Some(b'2' | b'3' | b'5' | b'7' | b'8' | b'9')
        )
        && number.len() == if landline { 11 } else { 10 };
    sound.then_some(number).ok_or_else(bad)
}

/// An e-mail address as mail is sent to it: no quoted names, no addresses of machines. The domain is kept in
/// small letters.
///
/// # Errors
/// 422 `answer-email` at the field.
pub(crate) fn email(field: &str, text: &str) -> Result<String, Problem> {
    let bad = || Problem::invalid(field, "answer-email");
    let (local, domain) = text.split_once('@').ok_or_else(bad)?;
    let domain = domain.to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let named = !local.is_empty()
        && local.len() <= EMAIL_LOCAL_CHARS_MAX
        && local.chars().all(good)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= EMAIL_LABEL_CHARS_MAX
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    let top = last.len() >= 2 && (last.starts_with("xn--") || last.chars().all(|c| c.is_ascii_alphabetic()));
    let sound = named && domain.contains('.') && domain.split('.').all(label) && top;
    sound.then(|| format!("{local}@{domain}")).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::AreaCode;
    use serde_json::{Value, json};

    use crate::answers::{Rules, Typed, read};
    use crate::places::Places;
    use crate::procedure::Question;
    use crate::testing::nouns;

    fn question(about: &Value) -> Question {
        let mut question = json!({"code": "q", "label": {"vi": "Câu hỏi", "en": "Question"}});
        for (key, value) in about.as_object().expect("an object") {
            question[key] = value.clone();
        }
        serde_json::from_value(question).expect("a question")
    }

    /// What is kept of a typed text, or the code of what is wrong with it.
    fn kept(about: &Value, typed: &str) -> Result<String, String> {
        let places = Places::new(Arc::clone(&nouns().areas));
        let receives = |_: &AreaCode| Ok(());
        let rules = Rules {
            today: testkit::START.date(),
            places: &places,
            receives: &receives,
        };
        let typed = Typed::from([("q".to_owned(), typed.to_owned())]);
        let kept = read(&question(about), &typed, &rules).map_err(|problem| {
            assert_eq!(problem.field.as_deref(), Some("q"));
            problem.code.to_owned()
        })?;
        let kept = kept.expect("an answer");
        let again = Typed::from([("q".to_owned(), kept.clone())]);
        let second = read(&question(about), &again, &rules).expect("what is kept can be read again");
        assert_eq!(second.as_deref(), Some(kept.as_str()), "one form");
        Ok(kept)
    }

    fn check(about: &Value, cases: &[(&str, Result<&str, &str>)]) {
        for (typed, wanted) in cases {
            let kept = kept(about, typed);
            let kept = kept.as_deref().map_err(String::as_str);
            assert_eq!(kept, *wanted, "{typed:?} for {about}");
        }
    }

    #[test]
    fn an_amount_is_whole_dong_however_its_thousands_are_parted() {
        let bad = Err("answer-money");
        check(
            &json!({"kind": "money", "least": 1000}),
            &[
                ("1500000", Ok("1500000")),
                ("1.500.000 đồng", Ok("1500000")),
                ("1,500,000 VND", Ok("1500000")),
                ("2 000 000 000 ₫", Ok("2000000000")),
                ("1.5", bad),
                ("999", bad),
                ("-5000", bad),
                ("một triệu", bad),
                ("99999999999999999999", bad),
            ],
        );
    }

    #[test]
    fn of_many_choices_each_is_kept_once_in_their_order() {
        let choice = |value: &str| json!({"value": value, "label": {"vi": value, "en": value}});
        let about = json!({"kind": "many-of", "choices": [choice("a"), choice("b"), choice("c")]});
        check(
            &about,
            &[
                ("c,a,c", Ok("a,c")),
                ("b", Ok("b")),
                ("a,x", Err("answer-unknown-choice")),
                (",", Err("answer-unknown-choice")),
            ],
        );
        let yes_no = json!({"kind": "yes-no"});
        let unknown = Err("answer-unknown-choice");
        check(
            &yes_no,
            &[("yes", Ok("yes")), ("no", Ok("no")), ("maybe", unknown)],
        );
    }

    #[test]
    fn a_tax_code_a_telephone_number_and_an_address_for_mail_have_one_form() {
        check(
            &json!({"kind": "business-id"}),
            &[
                ("0100 233 488", Ok("0100233488")),
                ("0314409058-002", Ok("0314409058-002")),
                ("0100233489", Err("answer-tax-code")),
            ],
        );
        let bad = Err("answer-phone");
        check(
            &json!({"kind": "phone"}),
            &[
                ("0912 345 678", Ok("0912345678")),
                ("+84 912.345.678", Ok("0912345678")),
                ("84912345678", Ok("0912345678")),
                ("(024) 3804 3304", Ok("02438043304")),
                ("912345678", bad),
                ("0112345678", bad),
                ("091234567a", bad),
            ],
        );
        let bad = Err("answer-email");
        check(
            &json!({"kind": "email"}),
            &[
                ("Lan.Le+tt@Example.VN", Ok("Lan.Le+tt@example.vn")),
                ("lan@example", bad),
                ("lan example.vn", bad),
                ("lan@@example.vn", bad),
                ("lan.@example.vn", bad),
                ("lan@-example.vn", bad),
            ],
        );
    }

    #[test]
    fn a_long_text_keeps_its_lines_and_has_an_end() {
        check(
            &json!({"kind": "long-text"}),
            &[
                ("Dòng  một\r\nDòng hai ", Ok("Dòng một\nDòng hai")),
                (&"a".repeat(4_001), Err("answer-too-long")),
            ],
        );
        let short = json!({"kind": "long-text", "greatest": 5});
        check(
            &short,
            &[("abcde", Ok("abcde")), ("abcdef", Err("answer-too-long"))],
        );
    }

    #[test]
    fn an_address_is_a_commune_of_today_and_a_line() {
        let about = json!({"kind": "address"});
        check(
            &about,
            &[
                ("Thôn 3, Hoằng Hóa, Thanh Hóa", Ok("15865 Thôn 3")),
                ("15865 Số 5, thôn 3", Ok("15865 Số 5, thôn 3")),
                ("15865", Ok("15865")),
                ("Thôn 3, Nơi Không Có, Thanh Hóa", Err("commune-unknown")),
                ("Thôn 3", Err("answer-address")),
            ],
        );
    }
}
