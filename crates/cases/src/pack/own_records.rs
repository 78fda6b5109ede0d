//! Reads which records of registers a citizen may keep of their own, `codes/own-records.toml`, and holds it against its
//! rules. Never asks a register.

use std::path::Path;

use directory::pack::document::document;
use exchange::ServiceId;
use kernel::fault::{Faults, Flaw};
use serde::Deserialize;

use super::named;
use crate::wallet::records::OwnRecord;

const FILE: &str = "codes/own-records.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    #[serde(default)]
    record: Vec<OwnRecord>,
}

/// The records of a pack; none when it has no such file.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<OwnRecord> {
    if !pack.join(FILE).is_file() {
        return Vec::new();
    }
    let Some((read, places)) = document::<Records>(pack, FILE, faults) else {
        return Vec::new();
    };
    for flaw in flaws(&read.record) {
        faults.add(places.flaw(flaw));
    }
    read.record
}

fn flaws(records: &[OwnRecord]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, one) in records.iter().enumerate() {
        let here = |key: &str| format!("/record/{at}/{key}");
        if one.service.parse::<ServiceId>().is_err() {
            flaws.push(Flaw::new(here("service"), "record-service", named(&one.service)));
        }
        if records.iter().take(at).any(|other| other.code == one.code) {
            flaws.push(Flaw::new(here("code"), "record-twice", named(&one.code)));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_names_no_service_or_is_there_twice_is_told_where_it_stands() {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        let one = |service: &str| {
            format!(
                "[[record]]\ncode = \"x\"\nservice = \"{service}\"\nby = \"y\"\ntitle = {{ vi = \"a\", en = \"a\" }}\nfields = []\n"
            )
        };
        let text = one("G15") + &one("G15/civil-status/birth-lookup");
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(told, [(3, "record-service"), (8, "record-twice")]);
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
