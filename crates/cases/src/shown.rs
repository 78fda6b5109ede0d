//! How a procedure's words, a person's answers and a unit read on a page, at the portal and at the desk
//! alike. Never decides what is right.

use directory::unit_href;
use kernel::time::parse_iso;
use kernel::{Date, OrgCode, Time};
use web::{Lang, Page};

use crate::answers;
use crate::criteria::Points;
use crate::procedure::{Question, QuestionKind, Text};
use crate::state::Cases;

/// A text in the reader's language.
pub(crate) fn say(text: &Text, lang: Lang) -> &str {
    match lang {
        Lang::Vi => &text.vi,
        Lang::En => &text.en,
    }
}

/// An answer as a reader sees it; communes by their names on a day.
pub(crate) fn shown(cases: &Cases, page: &Page, question: &Question, answer: &str, on: Date) -> String {
    let words = match question.kind {
        QuestionKind::Date => parse_iso(answer).map(|day| page.date(day)),
        QuestionKind::Choice => {
            let choice = question.choices.iter().find(|c| c.value == answer);
            choice.map(|c| say(&c.label, page.lang).to_owned())
        }
        QuestionKind::Commune => {
            let code = answer.parse().ok();
            let known = code.filter(|code| cases.places().is_commune(code, on));
            known.map(|code| cases.places().full_name(&code, on))
        }
        QuestionKind::ManyOf => {
            let picked = answers::picked(answer).collect::<Vec<_>>();
            let choices = question
                .choices
                .iter()
                .filter(|c| picked.contains(&c.value.as_str()));
            let labels: Vec<&str> = choices.map(|c| say(&c.label, page.lang)).collect();
            Some(labels.join("; "))
        }
        QuestionKind::YesNo => answers::YES_NO
            .contains(&answer)
            .then(|| page.t(&format!("cases-{answer}"))),
        QuestionKind::Money => answer.parse().ok().map(crate::payment::dong),
        QuestionKind::Number => question
            .unit
            .as_ref()
            .map(|unit| format!("{answer} {}", say(unit, page.lang))),
        QuestionKind::Address => {
            let places = cases.places();
            answers::address_in_words(answer, |commune| places.full_name(commune, on))
        }
        QuestionKind::Text
        | QuestionKind::LongText
        | QuestionKind::Name
        | QuestionKind::PersonalNumber
        | QuestionKind::BusinessId
        | QuestionKind::Phone
        | QuestionKind::Email => None,
    };
    words.unwrap_or_else(|| answer.to_owned())
}

/// What a rating says by criterion: its name, and the points of how many with the answer. A criterion that was not asked
/// on the day goes by its number.
pub(crate) fn rated(cases: &Cases, page: &Page, points: &Points, on: Date) -> Vec<(String, String)> {
    let one = |(number, given): (&u8, &u8)| match cases.catalogue.criteria().of_number(*number, on) {
        Some(criterion) => {
            let answer = criterion.answer(*given);
            let answer = answer.map_or("", |answer| say(&answer.text, page.lang));
            let args = [
                ("points", given.to_string()),
                ("max", criterion.points_max().to_string()),
                ("answer", answer.to_owned()),
            ];
            let name = say(&criterion.name, page.lang).to_owned();
            (name, page.tw("cases-criterion-points", &args))
        }
        None => {
            let args = [("number", number.to_string())];
            (page.tw("cases-criterion-number", &args), given.to_string())
        }
    };
    points.iter().map(one).collect()
}

/// A unit as a page shows it: its name, and the address of its own page, both of a day.
#[derive(Debug)]
pub(crate) struct UnitLink {
    pub(crate) name: String,
    pub(crate) href: String,
}

impl UnitLink {
    /// A unit as it is on a day; by the last name it had where it had ended before.
    pub(crate) fn new(cases: &Cases, unit: &OrgCode, on: Date) -> Self {
        Self {
            name: cases.organisations.name(unit, on),
            href: unit_href(unit.as_str(), on),
        }
    }
}

/// The year of a date, while its holidays are not announced.
pub(crate) fn unannounced(cases: &Cases, due: Time) -> Option<String> {
    let day = due.date();
    cases
        .calendars
        .is_unannounced(day)
        .then(|| day.year().to_string())
}

/// How a date was counted, in words; empty for a rule of an owner that this release does not know.
pub(crate) fn counted_by(page: &Page, rule: &str) -> String {
    const KNOWN: [&str; 7] = [
        crate::clock::PROMISED,
        "working-days",
        "working-hours",
        "calendar-days",
        "hours",
        "months",
        "same-day",
    ];
    match KNOWN.contains(&rule) {
        true => page.t(&format!("cases-counted-{rule}")),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::procedure::TermRule;

    #[test]
    fn every_rule_of_a_term_has_its_words_in_both_languages() {
        let texts = web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("both languages have every text");
        let rules = [
            TermRule::WorkingDays { days: 1 },
            TermRule::WorkingHours { hours: 1 },
            TermRule::CalendarDays { days: 1 },
            TermRule::Hours { hours: 1 },
            TermRule::Months { months: 1 },
            TermRule::SameDay { cutoff: 900 },
        ];
        for rule in &rules {
            let (key, next_day) = match rule {
                TermRule::WorkingDays { .. } => ("cases-term-days", true),
                TermRule::WorkingHours { .. } => ("cases-term-working-hours", true),
                TermRule::CalendarDays { .. } => ("cases-term-calendar-days", false),
                TermRule::Hours { .. } => ("cases-term-hours", false),
                TermRule::Months { .. } => ("cases-term-months", false),
                TermRule::SameDay { .. } => ("cases-term-same-day", false),
            };
            assert!(texts.has(key), "{key}");
            assert!(!next_day || texts.has(&format!("{key}-next-day")), "{key}");
            let counted = format!("cases-counted-{}", rule.name());
            assert!(texts.has(&counted), "{counted}");
        }
    }
}
