//! What a person typed, checked question by question: the cleaned answer, or the field, the rule and
//! the remedy. Pure: never saves, never asks a register.

mod address;
mod kinds;
mod said;
mod typed;

use std::collections::BTreeMap;

use kernel::time::{civil_date, iso, parse_iso};
use kernel::{AreaCode, Date, PersonalNumber, Problem};

use crate::case::Answers;
use crate::draft::Draft;
use crate::places::Places;
use crate::procedure::{FormPage, Procedure, Question, QuestionKind};
use crate::rules::{Asked, broken};

pub(crate) use address::in_words as address_in_words;
pub(crate) use address::of_fields as address;
pub use address::parts as address_parts;
pub use kinds::{LONG_TEXT_CHARS_MAX, YES_NO, chars_max, picked};
pub(crate) use kinds::{email, lines, phone};
pub(crate) use said::said;
pub use typed::{cleaned, typed};

/// Length of a text or a name, in characters.
pub const TEXT_CHARS_MAX: usize = 200;
/// The first year of a date a person may give.
const YEAR_MIN: i32 = 1900;

/// A form's fields as typed, cleaned: `child_born-day` and its like for dates, `receive_at-choice`
/// for a commune picked among those of the same name.
pub type Typed = BTreeMap<String, String>;

/// What answers are held against.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The civil day.
    pub today: Date,
    /// The communes.
    pub places: &'a Places,
    /// Refuses a commune that cannot receive the case.
    pub receives: &'a (dyn Fn(&AreaCode) -> Result<(), Problem> + Sync),
}

impl std::fmt::Debug for Rules<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rules({})", self.today)
    }
}

/// The answers of one page, and everything that is wrong with them. What a register filled is not
/// read from the form: it is corrected at its source.
#[must_use]
pub fn read_page(
    procedure: &Procedure,
    page: &FormPage,
    draft: &Draft,
    typed: &Typed,
    rules: &Rules<'_>,
) -> (Answers, Vec<Problem>) {
    let mut answers = Answers::new();
    let mut problems = Vec::new();
    for question in page
        .questions
        .iter()
        .filter(|q| !draft.prefilled.contains_key(&q.code))
    {
        match read(question, typed, rules) {
            Ok(Some(answer)) => {
                answers.insert(question.code.clone(), answer);
            }
            Ok(None) if question.required => {
                problems.push(Problem::invalid(&question.code, "answer-missing"));
            }
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(at) = answers.get(&procedure.receiver).and_then(|a| a.parse().ok())
        && let Err(problem) = (rules.receives)(&at)
    {
        problems.push(problem.at(&procedure.receiver));
    }
    let mut after = draft.clone();
    for question in &page.questions {
        after.answers.remove(&question.code);
    }
    after.answers.extend(answers.clone());
    problems.extend(page.questions.iter().filter_map(|q| misfit(q, &after)));
    let values = after.values();
    let asked = Asked::of(procedure, &values, rules.today);
    problems.retain(|p| p.field.as_ref().is_none_or(|field| asked.has(field)));
    problems.extend(broken(procedure, page, &values, rules.today));
    problems.sort_by_key(|p| {
        page.questions
            .iter()
            .position(|q| Some(&q.code) == p.field.as_ref())
    });
    (answers, problems)
}

/// The questions of a page that came up with what was answered on it and have no answer yet: they were not there
/// to be answered.
#[must_use]
pub fn newly_asked<'p>(
    procedure: &Procedure,
    page: &'p FormPage,
    before: &Draft,
    after: &Draft,
    today: Date,
) -> Vec<&'p str> {
    let was = Asked::of(procedure, &before.values(), today);
    let is = Asked::of(procedure, &after.values(), today);
    let new = is
        .on(page)
        .filter(|q| !was.has(&q.code) && after.value(&q.code).is_none());
    new.map(|q| q.code.as_str()).collect()
}

/// Everything that keeps a draft from being filed: required answers, answers that no longer hold.
#[must_use]
pub fn faults(procedure: &Procedure, draft: &Draft, rules: &Rules<'_>) -> Vec<(String, Problem)> {
    let mut faults = Vec::new();
    let values = draft.values();
    let asked = Asked::of(procedure, &values, rules.today);
    for page in asked.pages(procedure) {
        let missing = draft
            .missing(page)
            .filter(|q| asked.has(&q.code))
            .map(|q| Problem::invalid(&q.code, "answer-missing"));
        let misfits = asked.on(page).filter_map(|q| misfit(q, draft));
        let stale = asked.on(page).filter_map(|q| no_longer(q, draft, rules));
        let broken = broken(procedure, page, &values, rules.today);
        faults.extend(
            missing
                .chain(misfits)
                .chain(stale)
                .chain(broken)
                .map(|p| (page.code.clone(), p)),
        );
        if page.questions.iter().any(|q| q.code == procedure.receiver)
            && let Some(at) = draft.value(&procedure.receiver).and_then(|a| a.parse().ok())
            && let Err(problem) = (rules.receives)(&at)
        {
            faults.push((page.code.clone(), problem.at(&procedure.receiver)));
        }
    }
    faults
}

/// One answer: cleaned, or `None` when nothing was typed.
fn read(question: &Question, typed: &Typed, rules: &Rules<'_>) -> Result<Option<String>, Problem> {
    let field = question.code.as_str();
    match question.kind {
        QuestionKind::Date => return Ok(date(field, typed, rules.today)?.map(iso)),
        QuestionKind::Address => return address::read(question, typed, rules),
        _ => {}
    }
    let picked = typed.get(&format!("{field}-choice")).filter(|t| !t.is_empty());
    let Some(text) = picked.or_else(|| typed.get(field)).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let (length, max) = (text.chars().count(), chars_max(question));
    if length > max {
        return Err(Problem::invalid(field, "answer-too-long")
            .with("max", max)
            .with("length", length));
    }
    match question.kind {
        QuestionKind::Text | QuestionKind::Date | QuestionKind::Address => Ok(Some(text.clone())),
        QuestionKind::LongText => Ok(Some(kinds::lines(text)).filter(|text| !text.is_empty())),
        QuestionKind::Money
        | QuestionKind::YesNo
        | QuestionKind::ManyOf
        | QuestionKind::BusinessId
        | QuestionKind::Phone
        | QuestionKind::Email => kinds::read(question, text).map(Some),
        QuestionKind::Name => name(field, text).map(Some),
        QuestionKind::Number => number(question, text).map(Some),
        QuestionKind::Choice if question.choices.iter().any(|c| c.value == *text) => Ok(Some(text.clone())),
        QuestionKind::Choice => Err(Problem::invalid(field, "answer-unknown-choice")),
        QuestionKind::PersonalNumber => {
            let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
            let number: PersonalNumber = digits
                .parse()
                .map_err(|_| Problem::invalid(field, "personal-number"))?;
            Ok(Some(number.as_str().to_owned()))
        }
        QuestionKind::Commune => match &rules.places.find(text, rules.today)[..] {
            [one] => Ok(Some(one.to_string())),
            [] => Err(Problem::invalid(field, "commune-unknown")),
            several => Err(Problem::invalid(field, "commune-several").with("count", several.len())),
        },
    }
}

/// A whole number within the question's bounds; full stops and blanks may part its thousands.
fn number(question: &Question, text: &str) -> Result<String, Problem> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '.')).collect();
    let (least, greatest) = question.bounds();
    let refused = || {
        Problem::invalid(&question.code, "answer-number")
            .with("least", least)
            .with("greatest", greatest)
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    let number: u64 = digits.parse().map_err(|_| refused())?;
    let within = (least..=greatest).contains(&number);
    within.then(|| number.to_string()).ok_or_else(refused)
}

/// A name: letters of any script, blanks, apostrophes, hyphens and full stops.
pub(crate) fn name(field: &str, text: &str) -> Result<String, Problem> {
    let good = |c: char| c.is_alphabetic() || is_mark(c) || matches!(c, ' ' | '\'' | '’' | '-' | '.');
    if text.chars().all(good) && text.chars().any(char::is_alphabetic) {
        Ok(text.to_owned())
    } else {
        Err(Problem::invalid(field, "name-characters"))
    }
}

/// A combining mark that NFC has no composed letter for.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}')
}

/// The day in the three boxes, or in one field as `2026-11-19` or `19/11/2026`.
fn date(field: &str, typed: &Typed, today: Date) -> Result<Option<Date>, Problem> {
    let part = |name: &str| {
        typed
            .get(&format!("{field}-{name}"))
            .map_or("", String::as_str)
            .trim()
    };
    let (day, month, year) = (part("day"), part("month"), part("year"));
    let bad = || Problem::invalid(field, "date-bad");
    let date = match (day, month, year) {
        ("", "", "") => match typed.get(field).map(String::as_str).unwrap_or_default() {
            "" => return Ok(None),
            text => parse_iso(text).or_else(|| slashed(text)).ok_or_else(bad)?,
        },
        (day, month, year) if day.is_empty() || month.is_empty() || year.is_empty() => {
            return Err(Problem::invalid(field, "date-incomplete"));
        }
        (day, month, year) => of_parts(day, month, year).ok_or_else(bad)?,
    };
    if date > today {
        return Err(Problem::invalid(field, "date-future"));
    }
    if date.year() < YEAR_MIN {
        return Err(Problem::invalid(field, "date-too-early").with("year", YEAR_MIN));
    }
    Ok(Some(date))
}

fn slashed(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '/');
    of_parts(parts.next()?, parts.next()?, parts.next()?)
}

fn of_parts(day: &str, month: &str, year: &str) -> Option<Date> {
    civil_date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// A personal number that does not carry the person's year of birth or sex. Told at the part that
/// was typed: a register's answer cannot be mended here.
fn misfit(question: &Question, draft: &Draft) -> Option<Problem> {
    let number: PersonalNumber = draft.value(&question.code)?.parse().ok()?;
    let typed = |field: &str| !draft.prefilled.contains_key(field);
    if let Some(field) = &question.born
        && let Some(born) = draft.value(field).and_then(parse_iso)
        && !number.fits(born)
    {
        let at = [question.code.as_str(), field].into_iter().find(|f| typed(f))?;
        let code = if at == question.code {
            "personal-number-year"
        } else {
            "date-not-of-number"
        };
        return Some(Problem::invalid(at, code).with("year", born.year()));
    }
    if question.sex.is_some_and(|sex| number.sex() != sex) && typed(&question.code) {
        return Some(Problem::invalid(&question.code, "personal-number-sex"));
    }
    None
}

/// An answer that was right when it was typed and is not any more: a commune that was merged away.
fn no_longer(question: &Question, draft: &Draft, rules: &Rules<'_>) -> Option<Problem> {
    let answer = draft
        .answers
        .get(&question.code)
        .filter(|_| !draft.prefilled.contains_key(&question.code))?;
    let typed = Typed::from([(question.code.clone(), answer.clone())]);
    read(question, &typed, rules).err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{birth, draft, nouns};
    use std::sync::Arc;

    /// Page, fields typed, and the problems as `field code`, the rest of the page being right.
    fn check(page: &str, typed: &[(&str, &str)], wanted: &[&str]) {
        let procedure = &*birth();
        let places = Places::new(Arc::clone(&nouns().areas));
        let today = testkit::START.date();
        let receives = |_: &AreaCode| Ok(());
        let rules = Rules {
            today,
            places: &places,
            receives: &receives,
        };
        let draft = draft(procedure);
        let mut all: Typed = draft.answers.clone();
        for (field, value) in typed {
            all.insert((*field).to_owned(), kernel::text::clean(value));
        }
        let (_, page) = procedure.page(page).expect("a page");
        let (answers, problems) = read_page(procedure, page, &draft, &all, &rules);
        let told: Vec<String> = problems
            .iter()
            .map(|p| format!("{} {}", p.field.as_deref().unwrap_or_default(), p.code))
            .collect();
        assert_eq!(told, wanted, "{typed:?} gave {answers:?}");
    }

    #[test]
    fn a_right_page_has_no_problem() {
        for page in ["child", "parents", "declarant"] {
            check(page, &[], &[]);
        }
    }

    #[test]
    fn an_impossible_day_is_refused_at_its_field() {
        let boxes = |d, m, y| {
            [
                ("child_born", ""),
                ("child_born-day", d),
                ("child_born-month", m),
                ("child_born-year", y),
            ]
        };
        check("child", &boxes("31", "2", "2026"), &["child_born date-bad"]);
        check("child", &boxes("x", "2", "2026"), &["child_born date-bad"]);
        check("child", &boxes("1", "", "2026"), &["child_born date-incomplete"]);
        check("child", &boxes("1", "1", "2030"), &["child_born date-future"]);
        check("child", &boxes("1", "1", "26"), &["child_born date-too-early"]);
        check("child", &boxes("", "", ""), &["child_born answer-missing"]);
        check("child", &boxes("19", "11", "2026"), &[]);
        check("child", &[("child_born", "19/11/2026")], &[]);
    }

    #[test]
    fn names_of_people_are_taken_as_people_have_them() {
        for name in [
            "H'Hen Niê",
            "Nguyễn Thị Minh-Châu",
            "Y Blô Niê",
            "Nguye\u{0302}\u{0303}n An",
            "O’Hara",
            "王小明",
            &"A".repeat(200),
        ] {
            check("child", &[("child_name", name)], &[]);
        }
        check(
            "child",
            &[("child_name", &"A".repeat(201))],
            &["child_name answer-too-long"],
        );
        check(
            "child",
            &[("child_name", "<script>alert(1)</script>")],
            &["child_name name-characters"],
        );
        check(
            "child",
            &[("child_name", "Nguyễn 2")],
            &["child_name name-characters"],
        );
        check("child", &[("child_name", "''")], &["child_name name-characters"]);
        check("child", &[("child_name", "   ")], &["child_name answer-missing"]);
    }

    #[test]
    fn a_personal_number_carries_the_year_the_century_and_the_sex() {
        check("parents", &[("mother_number", "038 198 000001")], &[]);
        check(
            "parents",
            &[("mother_number", "038398000001")],
            &["mother_number personal-number-year"],
        );
        check(
            "parents",
            &[("mother_number", "038197000001")],
            &["mother_number personal-number-year"],
        );
        check(
            "parents",
            &[("mother_number", "038098000001")],
            &["mother_number personal-number-sex"],
        );
        check(
            "parents",
            &[("mother_number", "03819800000")],
            &["mother_number personal-number"],
        );
        check("parents", &[("mother_number", "")], &[]);
    }

    #[test]
    fn a_choice_and_a_commune_are_ones_that_exist() {
        check(
            "child",
            &[("child_sex", "other")],
            &["child_sex answer-unknown-choice"],
        );
        check(
            "child",
            &[("child_ethnicity", "99")],
            &["child_ethnicity answer-unknown-choice"],
        );
        check("declarant", &[("receive_at", "Hoằng Hóa, Thanh Hóa")], &[]);
        check("declarant", &[("receive_at", "xa hoang hoa")], &[]);
        check(
            "declarant",
            &[("receive_at", "99999")],
            &["receive_at commune-unknown"],
        );
        check(
            "declarant",
            &[("receive_at", "Atlantis")],
            &["receive_at commune-unknown"],
        );
        check(
            "declarant",
            &[("receive_at", "Bình Minh")],
            &["receive_at commune-several"],
        );
        check(
            "declarant",
            &[("receive_at", "Bình Minh"), ("receive_at-choice", "15865")],
            &[],
        );
    }

    #[test]
    fn every_fault_of_a_page_is_told_at_once_in_its_order() {
        let typed = [
            ("child_name", ""),
            ("child_sex", ""),
            ("child_born", "2026-02-31"),
            ("child_birth_commune", "x"),
        ];
        let wanted = [
            "child_name answer-missing",
            "child_sex answer-missing",
            "child_born date-bad",
            "child_birth_commune commune-unknown",
        ];
        check("child", &typed, &wanted);
    }
}
