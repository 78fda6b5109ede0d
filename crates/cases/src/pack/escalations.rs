//! Reads who above is told that a case is late, `codes/escalation.toml`, and holds it against its rules. Never tells
//! anybody.

use std::collections::HashSet;
use std::path::Path;

use directory::pack::document::document;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;
use web::auth::DESK_ROLES;

use super::named;
use crate::escalation::Edition;

const FILE: &str = "codes/escalation.toml";

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

/// Every edition begins on a day of its own; its steps come one after the other and tell somebody who works at a desk.
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
        let mut before = 0;
        for (index, step) in edition.steps.iter().enumerate() {
            let here = format!("/edition/{at}/steps/{index}");
            if step.late_hours < before {
                let names = named(&step.late_hours.to_string());
                flaws.push(Flaw::new(format!("{here}/late_hours"), "escalation-order", names));
            }
            before = step.late_hours;
            if !DESK_ROLES.contains(&step.role.as_str()) {
                let mut names = named(&step.role);
                names.push(("wanted", DESK_ROLES.join(", ")));
                flaws.push(Flaw::new(format!("{here}/role"), "role-unknown", names));
            }
            if step.answer_days == 0 {
                let at = format!("{here}/answer_days");
                flaws.push(Flaw::new(at, "escalation-days", named("0")));
            }
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_who_is_told_is_named_where_it_stands() {
        let text = "[[edition]]\nvalid_from = \"2026-02-30\"\n\n\
                    [[edition.steps]]\nlate_hours = 8\nlevel = \"unit\"\nrole = \"citizen\"\nanswer_days = 0\n\n\
                    [[edition.steps]]\nlate_hours = 4\nlevel = \"organisation\"\nrole = \"supervisor\"\nanswer_days = 1\n";
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        let expected = [
            (2, "date-bad"),
            (7, "role-unknown"),
            (8, "escalation-days"),
            (11, "escalation-order"),
        ];
        assert_eq!(told, expected);
    }
}
