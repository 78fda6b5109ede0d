//! Reads the pack's life events, `catalogue/life-events.toml`, and holds them against the catalogue. Never
//! says which procedure somebody needs.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use directory::pack::document::{Places, document};
use directory::pack::files::table;
use kernel::fault::Faults;
use kernel::text::fold;
use kernel::time::parse_iso;
use kernel::{Date, ProcedureCode};
use serde::Deserialize;

use super::{CATALOGUE, COLUMNS, named};
use crate::procedure::Text;

const FILE: &str = "catalogue/life-events.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    event: Vec<Event>,
}

/// What happens in a life, and the procedures that then come up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its code.
    pub code: String,
    /// First day on which it is shown.
    pub valid_from: String,
    /// The day from which it is shown no more, where there is one.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// What it is called.
    pub name: Text,
    /// Fields of the catalogue that belong to it with all they hold.
    pub fields: Vec<String>,
    /// Procedures that belong to it.
    pub codes: Vec<ProcedureCode>,
}

impl Event {
    /// True when it is shown on a day.
    #[must_use]
    pub fn is_shown(&self, on: Date) -> bool {
        let begun = parse_iso(&self.valid_from).is_some_and(|from| from <= on);
        let until = self.valid_until.as_deref().and_then(parse_iso);
        begun && until.is_none_or(|until| on < until)
    }
}

/// The events of a pack; none when it has no such file.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Event> {
    if !pack.join(FILE).is_file() {
        return Vec::new();
    }
    let Some((events, places)) = document::<Events>(pack, FILE, faults) else {
        return Vec::new();
    };
    days(&events.event, &places, faults);
    events.event
}

/// Every event has a code of its own and days that are days.
fn days(events: &[Event], places: &Places, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (at, event) in events.iter().enumerate() {
        if !seen.insert(event.code.as_str()) {
            faults.add(places.fault(&format!("/event/{at}/code"), "event-twice", named(&event.code)));
        }
        let until = event.valid_until.iter().map(|day| ("valid_until", day));
        for (field, day) in until.chain([("valid_from", &event.valid_from)]) {
            if parse_iso(day).is_none() {
                faults.add(places.fault(&format!("/event/{at}/{field}"), "event-day", named(day)));
            }
        }
    }
}

/// Checks that an event names what the catalogue has.
pub(super) fn check(pack: &Path, codes: &HashMap<String, u64>, faults: &mut Faults) {
    if !pack.join(FILE).is_file() || codes.is_empty() {
        return;
    }
    let Some((events, places)) = document::<Events>(pack, FILE, faults) else {
        return;
    };
    days(&events.event, &places, faults);
    let mut fields = HashSet::new();
    // The catalogue's own faults are told where it is checked.
    table(pack, CATALOGUE, &COLUMNS, &mut Faults::new(), |row, _| {
        fields.insert(fold(row.get(4)));
    });
    for (at, event) in events.event.iter().enumerate() {
        for (index, field) in event.fields.iter().enumerate() {
            if !fields.contains(&fold(field)) {
                let place = format!("/event/{at}/fields/{index}");
                faults.add(places.fault(&place, "event-field", named(field)));
            }
        }
        for (index, code) in event.codes.iter().enumerate() {
            if !codes.contains_key(code.as_str()) {
                let place = format!("/event/{at}/codes/{index}");
                faults.add(places.fault(&place, "not-in-catalogue", named(code.as_str())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_from_its_first_day_until_its_last() {
        let day = |text: &str| parse_iso(text).expect("a day");
        let mut event = Event {
            code: "birth".to_owned(),
            valid_from: "2025-07-01".to_owned(),
            valid_until: None,
            name: Text {
                vi: "Sinh con".to_owned(),
                en: "Having a child".to_owned(),
            },
            fields: Vec::new(),
            codes: Vec::new(),
        };
        assert!(!event.is_shown(day("2025-06-30")) && event.is_shown(day("2025-07-01")));
        event.valid_until = Some("2027-03-01".to_owned());
        assert!(event.is_shown(day("2027-02-28")) && !event.is_shown(day("2027-03-01")));
    }

    #[test]
    fn an_event_that_names_what_the_catalogue_has_not_is_told_where_it_stands() {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("catalogue")).expect("made");
        let text = "[[event]]\ncode = \"a\"\nvalid_from = \"2025-02-31\"\nname = { vi = \"A\", en = \"A\" }\n\
                    fields = [\"Không có\"]\ncodes = [\"9.999999\"]\n";
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        let codes = HashMap::from([("1.001193".to_owned(), 2)]);
        check(folder.path(), &codes, &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(
            told,
            [(3, "event-day"), (5, "event-field"), (6, "not-in-catalogue")]
        );
    }
}
