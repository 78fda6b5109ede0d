//! Reads who speaks the national messages to which portal, `codes/national-messages.toml`, and holds it against its
//! rules. Never tells anybody anything.

use std::path::Path;

use directory::pack::document::document;
use exchange::SystemId;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;

use super::named;
use crate::national::dialect::Speaks;

const FILE: &str = "codes/national-messages.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialects {
    #[serde(default)]
    speaks: Vec<Speaks>,
}

/// The rows of a pack; none when it has no such file.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Speaks> {
    if !pack.join(FILE).is_file() {
        return Vec::new();
    }
    let Some((read, places)) = document::<Dialects>(pack, FILE, faults) else {
        return Vec::new();
    };
    for flaw in flaws(&read.speaks) {
        faults.add(places.flaw(flaw));
    }
    read.speaks
}

fn flaws(speaks: &[Speaks]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, one) in speaks.iter().enumerate() {
        let here = |key: &str| format!("/speaks/{at}/{key}");
        if one.portal.parse::<SystemId>().is_err() {
            flaws.push(Flaw::new(here("portal"), "filing-portal", named(&one.portal)));
        }
        for (key, day) in [("from", Some(&one.from)), ("to", one.to.as_ref())] {
            if let Some(day) = day.filter(|day| parse_iso(day).is_none()) {
                flaws.push(Flaw::new(here(key), "date-bad", named(day)));
            }
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_names_no_system_or_no_day_is_told_where_it_stands() {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        let text = "[[speaks]]\nowner = \"H56\"\nportal = \"G22\"\nfrom = \"2026-02-30\"\nto = \"x\"\nsource = \"x\"\n";
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(told, [(3, "filing-portal"), (4, "date-bad"), (5, "date-bad")]);
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
