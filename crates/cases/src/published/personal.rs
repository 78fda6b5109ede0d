//! What may not stand in words that everybody can read: the names, numbers and addresses of the case, and whatever
//! looks like the number or the address of a person. Pure. A person still reads the words before: a name that the case
//! does not have is not known here.

use kernel::Problem;
use kernel::text::fold;

use crate::answers::address_parts;
use crate::case::Case;
use crate::procedure::{Procedure, QuestionKind};

/// Digits in one piece that are taken for the number of a person, count.
const DIGITS: std::ops::RangeInclusive<usize> = 9..=13;

/// Refuses words that tell whose the case is, or anybody's number or address.
///
/// # Errors
/// 422 at the field: `case-public-name`, `case-public-number`, `case-public-contact`.
pub(super) fn check(field: &str, text: &str, case: &Case, procedure: &Procedure) -> Result<(), Problem> {
    let words = format!(" {} ", fold(text));
    let said = |name: &str| {
        let name = fold(name);
        // A name of one word is a word of the language, too.
        name.contains(' ') && words.contains(&format!(" {name} "))
    };
    let filed_by = case.course.representative.iter().map(|by| &by.name);
    let mut people = filed_by.chain([&case.applicant.name]);
    if people.any(|name| said(name)) || of_kind(case, procedure, QuestionKind::Name).any(|name| said(name)) {
        return Err(Problem::invalid(field, "case-public-name"));
    }
    if numbers(text) {
        return Err(Problem::invalid(field, "case-public-number"));
    }
    let line = |answer: &String| address_parts(answer).is_some_and(|(_, line)| is_house(line) && said(line));
    if text.contains('@') || of_kind(case, procedure, QuestionKind::Address).any(line) {
        return Err(Problem::invalid(field, "case-public-contact"));
    }
    Ok(())
}

/// True for words in which what looks like somebody's number or address for mail stands: all that is known of the words
/// of an answer whose case is not here.
pub(crate) fn names_somebody(text: &str) -> bool {
    numbers(text) || text.contains('@')
}

/// True for the line of a house: it has a number and more than the two words of a hamlet.
fn is_house(line: &str) -> bool {
    let words = fold(line);
    words.chars().any(|c| c.is_ascii_digit()) && words.split(' ').count() > 2
}

/// The answers to the questions of a kind.
fn of_kind<'a>(
    case: &'a Case,
    procedure: &'a Procedure,
    kind: QuestionKind,
) -> impl Iterator<Item = &'a String> {
    let questions = procedure.pages.iter().flat_map(|page| &page.questions);
    let asked = questions.filter(move |question| question.kind == kind);
    asked.filter_map(move |question| case.answers.get(&question.code))
}

/// True where so many digits stand in one piece, or in pieces that begin with 0 as telephone and personal numbers do.
/// Amounts are written in pieces and begin with another digit.
fn numbers(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    let whole = text
        .split(|c: char| !digit(c))
        .any(|piece| DIGITS.contains(&piece.len()));
    let apart = text.split(|c: char| !digit(c) && !matches!(c, ' ' | '.' | '-' | '\u{a0}'));
    let joined = |piece: &str| piece.chars().filter(|c| digit(*c)).collect::<String>();
    let parted = apart
        .map(joined)
        .any(|number| number.starts_with('0') && DIGITS.contains(&number.len()));
    whole || parted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, case};

    #[test]
    fn words_for_everybody_name_nobody_of_the_case() {
        let procedure = &*birth();
        let case = case(procedure);
        let told = |text: &str| {
            let checked = check("answer", text, &case, procedure);
            checked.err().map(|problem| problem.code).unwrap_or_default()
        };
        for fine in [
            "Ủy ban nhân dân xã đã cho sửa mặt đường từ ngày 01/12/2026, kinh phí 1.500.000.000 đồng.",
            "Theo Quyết định số 1234/QĐ-UBND, cô Lan và ông Nam không bị ảnh hưởng.",
            "",
        ] {
            assert_eq!(told(fine), "", "{fine}");
        }
        for (text, wanted) in [
            ("Bà LÊ THỊ LAN hỏi về đường.", "case-public-name"),
            ("ba le thi lan", "case-public-name"),
            ("Cháu Nguyễn Minh Anh", "case-public-name"),
            ("Số định danh 038198000001", "case-public-number"),
            ("Gọi 0912 345 678", "case-public-number"),
            ("Gọi 0912.345.678", "case-public-number"),
            ("CMND 171234567", "case-public-number"),
            ("Viết cho lan@example.vn", "case-public-contact"),
        ] {
            assert_eq!(told(text), wanted, "{text}");
        }
    }
}
