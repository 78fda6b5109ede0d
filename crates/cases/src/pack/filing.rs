//! Reads which portal files for whom, `codes/filing-modes.toml`, and holds it against its rules. Never picks a portal.

use std::path::Path;

use directory::pack::Known;
use directory::pack::document::document;
use kernel::OrgCode;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;

use super::named;
use crate::filing::{Mode, Whose};

const FILE: &str = "codes/filing-modes.toml";

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Modes {
    mode: Vec<Mode>,
}

/// The modes of a pack.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Mode> {
    modes(pack, faults, |_| true)
}

/// The same, held against the organisations that there are.
pub(crate) fn check(pack: &Path, known: &Known, faults: &mut Faults) {
    modes(pack, faults, |org| known.organisations.has(org));
}

fn modes(pack: &Path, faults: &mut Faults, known: impl Fn(&OrgCode) -> bool) -> Vec<Mode> {
    let Some((read, places)) = document::<Modes>(pack, FILE, faults) else {
        return Vec::new();
    };
    for flaw in flaws(&read.mode, known) {
        faults.add(places.flaw(flaw));
    }
    read.mode
}

fn flaws(modes: &[Mode], known: impl Fn(&OrgCode) -> bool) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, mode) in modes.iter().enumerate() {
        let here = |key: &str| format!("/mode/{at}/{key}");
        if parse_iso(&mode.from).is_none() {
            flaws.push(Flaw::new(here("from"), "date-bad", named(&mode.from)));
        }
        let twice = |other: &Mode| {
            let shared = mode.owners.iter().any(|owner| other.owners.contains(owner));
            other.from == mode.from && (shared || mode.owners.is_empty() && other.owners.is_empty())
        };
        if modes.iter().take(at).any(twice) {
            flaws.push(Flaw::new(here("from"), "rules-overlap", named(&mode.from)));
        }
        // Any agency of the first level stands for those whose portals bear the code.
        let one: Option<OrgCode> = "G22".parse().ok();
        match one.and_then(|one| mode.portal_of(&one)) {
            Some(portal) if mode.mode == Whose::National && !known(&portal.org) => {
                let names = named(portal.org.as_str());
                flaws.push(Flaw::new(here("portal"), "organisation-unknown", names));
            }
            Some(_) => {}
            None => flaws.push(Flaw::new(here("portal"), "filing-portal", named(&mode.portal))),
        }
        for (index, owner) in mode.owners.iter().enumerate() {
            if !known(owner) || *owner != owner.top() {
                let at = here(&format!("owners/{index}"));
                flaws.push(Flaw::new(at, "organisation-unknown", named(owner.as_str())));
            }
        }
        if mode.source.trim().is_empty() {
            flaws.push(Flaw::new(here("source"), "filing-source", named(&mode.from)));
        }
    }
    flaws
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
        modes(folder.path(), &mut faults, |org| org.as_str() == "G22");
        faults.sorted().iter().map(|f| (f.line, f.rule)).collect()
    }

    #[test]
    fn a_fault_of_the_modes_is_told_where_it_stands() {
        let text = "[[mode]]\nfrom = \"2025-02-30\"\nmode = \"national\"\nportal = \"G22\"\nsource = \" \"\n\n\
                    [[mode]]\nfrom = \"2025-07-01\"\nmode = \"national\"\nportal = \"G99/portal\"\nsource = \"x\"\n\n\
                    [[mode]]\nfrom = \"2025-07-01\"\nmode = \"provincial\"\nportal = \"a/b\"\nsource = \"x\"\n\n\
                    [[mode]]\nfrom = \"2025-07-01\"\nmode = \"provincial\"\nportal = \"portal\"\nowners = [\"H99\"]\nsource = \"x\"\n";
        let expected = [
            (2, "date-bad"),
            (4, "filing-portal"),
            (5, "filing-source"),
            (10, "organisation-unknown"),
            (14, "rules-overlap"),
            (16, "filing-portal"),
            (23, "organisation-unknown"),
        ];
        assert_eq!(told(text), expected);
    }

    #[test]
    fn a_pack_says_where_cases_are_filed() {
        assert_eq!(told("mode = []\n"), []);
        let mut faults = Faults::new();
        read(testkit::TempDir::new().path(), &mut faults);
        assert_eq!(
            faults.sorted().iter().map(|f| f.rule).collect::<Vec<_>>(),
            ["file-missing"]
        );
    }
}
