//! Reads the criteria by which cases are rated, `codes/evaluation-criteria.toml`, and holds them against their rules.
//! Never rates anything.

use std::collections::HashSet;
use std::path::Path;

use directory::pack::document::document;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;

use super::named;
use crate::criteria::{Criterion, Edition};
use crate::procedure::Text;

const FILE: &str = "codes/evaluation-criteria.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Editions {
    edition: Vec<Edition>,
}

/// The editions of a pack; none when it has no such file.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Edition> {
    if !pack.join(FILE).is_file() {
        return Vec::new();
    }
    let Some((editions, places)) = document::<Editions>(pack, FILE, faults) else {
        return Vec::new();
    };
    for flaw in flaws(&editions.edition) {
        faults.add(places.flaw(flaw));
    }
    editions.edition
}

/// Every edition begins on a day of its own and says each criterion once.
fn flaws(editions: &[Edition]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut days = HashSet::new();
    for (at, edition) in editions.iter().enumerate() {
        let day = format!("/edition/{at}/valid_from");
        if parse_iso(&edition.valid_from).is_none() {
            flaws.push(Flaw::new(day, "date-bad", named(&edition.valid_from)));
        } else if !days.insert(edition.valid_from.as_str()) {
            flaws.push(Flaw::new(day, "rules-overlap", named(&edition.valid_from)));
        }
        let mut numbers = HashSet::new();
        for (index, criterion) in edition.criteria.iter().enumerate() {
            let here = format!("/edition/{at}/criteria/{index}");
            if !numbers.insert(criterion.number) {
                let names = named(&criterion.number.to_string());
                flaws.push(Flaw::new(format!("{here}/number"), "criterion-twice", names));
            }
            one(&here, criterion, &mut flaws);
        }
    }
    flaws
}

/// A criterion that is asked leaves a choice, and each answer gives other points.
fn one(here: &str, criterion: &Criterion, flaws: &mut Vec<Flaw>) {
    words(&format!("{here}/name"), &criterion.name, flaws);
    if criterion.answers.len() == 1 {
        let names = named(&criterion.number.to_string());
        flaws.push(Flaw::new(format!("{here}/answers"), "criterion-choice", names));
    }
    let mut given = HashSet::new();
    for (index, answer) in criterion.answers.iter().enumerate() {
        let here = format!("{here}/answers/{index}");
        if !given.insert(answer.points) {
            let names = named(&answer.points.to_string());
            flaws.push(Flaw::new(
                format!("{here}/points"),
                "criterion-points-twice",
                names,
            ));
        }
        words(&format!("{here}/text"), &answer.text, flaws);
    }
}

/// A text has both languages.
fn words(here: &str, text: &Text, flaws: &mut Vec<Flaw>) {
    for (language, words) in [("vi", &text.vi), ("en", &text.en)] {
        if words.trim().is_empty() {
            let at = format!("{here}/{language}");
            flaws.push(Flaw::new(at, "language-missing", named(language)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that a file breaks, by line.
    fn told(text: &str) -> Vec<(u64, &'static str)> {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        faults.sorted().iter().map(|f| (f.line, f.rule)).collect()
    }

    #[test]
    fn a_fault_of_the_criteria_is_told_where_it_stands() {
        let text = "[[edition]]\nvalid_from = \"2019-02-30\"\n\n\
                    [[edition.criteria]]\nnumber = 1\nname = { vi = \"A\", en = \" \" }\n\
                    answers = [{ points = 2, text = { vi = \"B\", en = \"B\" } }]\n\n\
                    [[edition.criteria]]\nnumber = 1\nname = { vi = \"A\", en = \"A\" }\n\
                    answers = [\n  { points = 2, text = { vi = \"B\", en = \"B\" } },\n  \
                    { points = 2, text = { vi = \"C\", en = \"C\" } },\n]\n\n\
                    [[edition]]\nvalid_from = \"2026-01-01\"\ncriteria = []\n\n\
                    [[edition]]\nvalid_from = \"2026-01-01\"\ncriteria = []\n";
        let expected = [
            (2, "date-bad"),
            (6, "language-missing"),
            (7, "criterion-choice"),
            (10, "criterion-twice"),
            (14, "criterion-points-twice"),
            (22, "rules-overlap"),
        ];
        assert_eq!(told(text), expected);
    }

    #[test]
    fn points_that_are_no_small_number_are_told_where_they_stand() {
        let text = "[[edition]]\nvalid_from = \"2019-01-08\"\n\n[[edition.criteria]]\nnumber = 300\n\
                    name = { vi = \"A\", en = \"A\" }\nasked = true\n";
        assert_eq!(told(text), [(5, "value-wrong"), (7, "key-unknown")]);
    }

    #[test]
    fn a_pack_without_the_file_asks_nothing() {
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
