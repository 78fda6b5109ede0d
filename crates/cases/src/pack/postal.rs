//! Reads what the post takes for results, `codes/postal-rates.toml`, and holds it against its rules. Never sends anything.

use std::collections::HashSet;
use std::path::Path;

use directory::pack::document::document;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;

use super::named;
use crate::post::rates::{Edition, Zone};

const FILE: &str = "codes/postal-rates.toml";

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

/// Every edition begins on a day of its own, and has each zone once.
fn flaws(editions: &[Edition]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut days = HashSet::new();
    for (at, edition) in editions.iter().enumerate() {
        let day = format!("/edition/{at}/valid_from");
        if parse_iso(&edition.valid_from).is_none() {
            flaws.push(Flaw::new(day.clone(), "date-bad", named(&edition.valid_from)));
        } else if !days.insert(edition.valid_from.as_str()) {
            flaws.push(Flaw::new(
                day.clone(),
                "rules-overlap",
                named(&edition.valid_from),
            ));
        }
        for zone in Zone::ALL {
            let count = edition.rates.iter().filter(|rate| rate.zone == zone).count();
            if count != 1 {
                flaws.push(Flaw::new(day.clone(), "postal-zone", named(zone.word())));
            }
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_without_a_rate_or_with_two_is_told_at_its_edition() {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        let text = "[[edition]]\nvalid_from = \"2026-02-30\"\nsource = \"x\"\nrates = [\n\
                    { zone = \"same-province\", dong = 1, days = 1 },\n{ zone = \"other-province\", dong = 1, days = 1 },\n]\n\n\
                    [[edition]]\nvalid_from = \"2026-01-01\"\nsource = \"x\"\nrates = [\n\
                    { zone = \"same-province\", dong = 1, days = 1 },\n{ zone = \"same-province\", dong = 2, days = 1 },\n]\n";
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(told, [(2, "date-bad"), (10, "postal-zone"), (10, "postal-zone")]);
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
