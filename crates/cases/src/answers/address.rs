//! An address: a commune of the day's list and a line for house, street or hamlet, kept as `15865 Thôn 3`.
//! Pure: never asks whether the house is there.

use kernel::{AreaCode, Problem};

use super::{Rules, TEXT_CHARS_MAX, Typed};
use crate::procedure::Question;

/// The commune and the line of an address as it is kept; `None` for what is none.
#[must_use]
pub fn parts(answer: &str) -> Option<(AreaCode, &str)> {
    let (code, line) = answer.split_once(' ').unwrap_or((answer, ""));
    let commune = (code.len() == 5).then(|| code.parse().ok()).flatten()?;
    Some((commune, line.trim()))
}

/// An address as it is kept, in words: the line, then the commune by its name.
pub(crate) fn in_words(answer: &str, name: impl Fn(&AreaCode) -> String) -> Option<String> {
    let (commune, line) = parts(answer)?;
    let name = name(&commune);
    Some(match line {
        "" => name,
        line => format!("{line}, {name}"),
    })
}

/// The address in the fields `…-province`, `…-commune` and `…-line`, or in one: as it is kept, or with the
/// commune and its province behind the line.
///
/// # Errors
/// 422 at the question: `answer-address`, `commune-unknown`, `commune-several`, `answer-too-long`.
pub(super) fn read(question: &Question, typed: &Typed, rules: &Rules<'_>) -> Result<Option<String>, Problem> {
    of_fields(&question.code, typed, rules)
}

/// The same of an address that no form of a procedure asks for, by the name of its fields.
///
/// # Errors
/// As [`read`].
pub(crate) fn of_fields(field: &str, typed: &Typed, rules: &Rules<'_>) -> Result<Option<String>, Problem> {
    let text = |name: &str| typed.get(name).map_or("", String::as_str).trim();
    let part = |name: &str| text(&format!("{field}-{name}"));
    let (province, commune, line) = (part("province"), part("commune"), part("line"));
    if [province, commune, line].iter().all(|part| part.is_empty()) {
        return match text(field) {
            "" => Ok(None),
            whole => of_whole(field, whole, rules).map(Some),
        };
    }
    let commune = match part("choice") {
        "" => commune,
        picked => picked,
    };
    joined(field, (province, commune, line), rules).map(Some)
}

/// An address in one text.
fn of_whole(field: &str, whole: &str, rules: &Rules<'_>) -> Result<String, Problem> {
    if let Some((commune, line)) = parts(whole) {
        return joined(field, ("", commune.as_str(), line), rules);
    }
    let mut parts = whole.rsplitn(3, ',').map(str::trim);
    let (last, before, line) = (parts.next(), parts.next(), parts.next());
    match (last, before) {
        (Some(province), Some(commune)) => {
            let commune = format!("{commune}, {province}");
            joined(field, ("", &commune, line.unwrap_or_default()), rules)
        }
        _ if rules.places.find(whole, rules.today).is_empty() => {
            Err(Problem::invalid(field, "answer-address"))
        }
        _ => joined(field, ("", whole, ""), rules),
    }
}

fn joined(
    field: &str,
    (province, commune, line): (&str, &str, &str),
    rules: &Rules<'_>,
) -> Result<String, Problem> {
    if commune.is_empty() {
        return Err(Problem::invalid(field, "answer-address"));
    }
    let length = line.chars().count();
    if length > TEXT_CHARS_MAX {
        return Err(Problem::invalid(field, "answer-too-long")
            .with("max", TEXT_CHARS_MAX)
            .with("length", length));
    }
    let (places, today) = (rules.places, rules.today);
    let within = |code: &AreaCode| {
        places
            .province(code, today)
            .is_some_and(|p| p.as_str() == province)
    };
    let mut found = places.find(commune, today);
    found.retain(|code| province.is_empty() || within(code));
    match &found[..] {
        [one] => Ok(format!("{one} {line}").trim_end().to_owned()),
        [] => Err(Problem::invalid(field, "commune-unknown")),
        several => Err(Problem::invalid(field, "commune-several").with("count", several.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Places;
    use crate::testing::nouns;
    use std::sync::Arc;

    #[test]
    fn a_commune_is_looked_for_in_the_chosen_province() {
        let places = Places::new(Arc::clone(&nouns().areas));
        let receives = |_: &AreaCode| Ok(());
        let rules = Rules {
            today: testkit::START.date(),
            places: &places,
            receives: &receives,
        };
        let question: Question = serde_json::from_value(serde_json::json!({
            "code": "home", "label": {"vi": "Nơi ở", "en": "Home"}, "kind": "address"
        }))
        .expect("a question");
        let read = |parts: [&str; 3]| {
            let names = ["home-province", "home-commune", "home-line"];
            let typed = names.iter().zip(parts);
            let typed = typed.map(|(name, text)| ((*name).to_owned(), text.to_owned()));
            super::read(&question, &typed.collect(), &rules).map_err(|problem| problem.code)
        };
        let kept = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(read(["38", "hoang hoa", "Thôn 3"]), kept("15865 Thôn 3"));
        assert_eq!(read(["37", "Bình Minh", ""]), kept("14623"));
        assert_eq!(read(["", "Bình Minh", ""]), Err("commune-several"));
        assert_eq!(read(["37", "Hoằng Hóa", ""]), Err("commune-unknown"));
        assert_eq!(read(["38", "", "Thôn 3"]), Err("answer-address"));
        assert_eq!(
            read(["38", "Hoằng Hóa", &"a".repeat(201)]),
            Err("answer-too-long")
        );
        assert_eq!(read(["", "", ""]), Ok(None));
    }

    #[test]
    fn an_address_reads_from_the_house_to_the_province() {
        let name = |code: &AreaCode| format!("xã {code}");
        assert_eq!(
            in_words("15865 Thôn 3", name).as_deref(),
            Some("Thôn 3, xã 15865")
        );
        assert_eq!(in_words("15865", name).as_deref(), Some("xã 15865"));
        assert_eq!(in_words("Thôn 3", name), None);
    }
}
