//! Entries by what they have in common: life event, field, agency, level, audience, channel. The counts beside
//! a value are those of what would be left under the other choices. Never touches a disk.

use directory::collate::key as order;
use kernel::text::fold;
use kernel::{Date, Problem, ProcedureCode};

use super::Catalogue;
use crate::pack::{Entry, Event};
use crate::procedure::Text;

/// What entries are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// What happens in a life.
    Event,
    /// The catalogue's field, such as `Hộ tịch`.
    Field,
    /// Who publishes it.
    Agency,
    /// Where it is done: `bo`, `tinh`, `xa`, `khac`.
    Level,
    /// Who may ask for it.
    Audience,
    /// How it is filed: `online`, `counter`, `post`.
    Channel,
}

impl Facet {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 6] = [
        Self::Event,
        Self::Field,
        Self::Agency,
        Self::Level,
        Self::Audience,
        Self::Channel,
    ];

    /// Its name in an address.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Field => "field",
            Self::Agency => "agency",
            Self::Level => "level",
            Self::Audience => "audience",
            Self::Channel => "channel",
        }
    }
}

/// One value of a facet.
#[derive(Debug)]
pub struct Value {
    /// Of which facet.
    pub facet: Facet,
    /// Its name in an address: `ho-tich`.
    pub key: String,
    /// Its name as the source or the pack has it; empty where pages have words of their own.
    pub name: Text,
}

/// A value with how many entries it would leave.
#[derive(Debug)]
pub struct Counted<'a> {
    /// The value.
    pub value: &'a Value,
    /// Entries it has under the choices made at the other facets, count.
    pub count: usize,
    /// True when it is the one chosen.
    pub is_chosen: bool,
}

/// What somebody looks through.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words, or a code; everything when empty.
    pub q: String,
    /// A value of a facet, by its name in an address.
    pub chosen: Vec<(Facet, String)>,
    /// The last entry of the page before.
    pub after: Option<ProcedureCode>,
    /// Entries on a page, count.
    pub limit: usize,
}

/// A page of what fits.
#[derive(Debug)]
pub struct Browsed<'a> {
    /// The entries: best first where words were given, else by name.
    pub entries: Vec<&'a Entry>,
    /// How many fit in all.
    pub total: usize,
    /// True when another page follows.
    pub more: bool,
    /// The values of all facets that somebody could choose, with their counts.
    pub values: Vec<Counted<'a>>,
}

/// Entries sorted into their values.
#[derive(Debug)]
pub(super) struct Shelves {
    values: Vec<Value>,
    events: Vec<Event>,
    /// The values of each entry, as places in `values`.
    held: Vec<Vec<usize>>,
    /// The entries in the order of their names.
    by_name: Vec<usize>,
}

impl Shelves {
    pub(super) fn new(entries: &[Entry], events: Vec<Event>) -> Self {
        let mut values: Vec<Value> = events
            .iter()
            .map(|event| Value {
                facet: Facet::Event,
                key: event.code.clone(),
                name: event.name.clone(),
            })
            .collect();
        for facet in [
            Facet::Field,
            Facet::Agency,
            Facet::Level,
            Facet::Audience,
            Facet::Channel,
        ] {
            let mut found: Vec<Value> = Vec::new();
            for (key, name) in entries.iter().flat_map(|entry| texts(entry, facet)) {
                if !found.iter().any(|value| value.key == key) {
                    let name = Text {
                        vi: name.clone(),
                        en: name,
                    };
                    found.push(Value { facet, key, name });
                }
            }
            match facet {
                Facet::Level => found.sort_by_key(|value| LEVELS.iter().position(|l| *l == value.key)),
                Facet::Channel => found.sort_by_key(|value| CHANNELS.iter().position(|c| *c == value.key)),
                _ => found.sort_by_cached_key(|value| order(&value.name.vi)),
            }
            values.extend(found);
        }
        let held = entries
            .iter()
            .map(|entry| held(entry, &values, &events))
            .collect();
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by_cached_key(|at| entries.get(*at).map(|e| (order(&e.name), e.code.clone())));
        Self {
            values,
            events,
            held,
            by_name,
        }
    }

    fn is_shown(&self, value: &Value, on: Date) -> bool {
        let mut events = self.events.iter();
        value.facet != Facet::Event || events.any(|event| event.code == value.key && event.is_shown(on))
    }

    /// The places of the chosen values.
    fn places(&self, chosen: &[(Facet, String)], on: Date) -> Result<Vec<usize>, Problem> {
        let place = |(facet, key): &(Facet, String)| {
            let fits = |value: &Value| value.facet == *facet && value.key == *key && self.is_shown(value, on);
            let unknown = || Problem::invalid(facet.key(), "facet-unknown");
            self.values.iter().position(fits).ok_or_else(unknown)
        };
        chosen.iter().map(place).collect()
    }
}

const LEVELS: [&str; 4] = ["bo", "tinh", "xa", "khac"];
const CHANNELS: [&str; 3] = ["online", "counter", "post"];

fn slug(text: &str) -> String {
    fold(text).replace(' ', "-")
}

/// What an entry says at a facet: names in an address, and names.
fn texts(entry: &Entry, facet: Facet) -> Vec<(String, String)> {
    let own = |text: &String| (slug(text), text.clone());
    match facet {
        Facet::Event => Vec::new(),
        Facet::Field => vec![own(&entry.field)],
        Facet::Agency => {
            let code = entry.agency_code.as_ref().map(ToString::to_string);
            vec![(code.unwrap_or_else(|| slug(&entry.agency)), entry.agency.clone())]
        }
        Facet::Level => entry.levels.iter().map(|l| (l.clone(), String::new())).collect(),
        Facet::Audience => entry.audience.iter().map(own).collect(),
        Facet::Channel => {
            let channel = |offer: &crate::pack::Offer| (offer.channel.to_owned(), String::new());
            entry.channels.iter().map(channel).collect()
        }
    }
}

/// The places of an entry's values.
fn held(entry: &Entry, values: &[Value], events: &[Event]) -> Vec<usize> {
    let field = fold(&entry.field);
    let mut held = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if event.codes.contains(&entry.code) || event.fields.iter().any(|f| fold(f) == field) {
            held.push(at);
        }
    }
    for facet in Facet::ALL {
        for (key, _) in texts(entry, facet) {
            let place = values.iter().position(|v| v.facet == facet && v.key == key);
            held.extend(place.filter(|at| !held.contains(at)));
        }
    }
    held
}

impl Catalogue {
    /// A page of the entries that fit, and what could be chosen next.
    ///
    /// # Errors
    /// 422 `facet-unknown` for a value that no entry has; `malformed` for a page behind an entry that does not
    /// fit.
    pub fn browse(&self, wanted: &Wanted, on: Date) -> Result<Browsed<'_>, Problem> {
        let shelves = &self.shelves;
        let chosen = shelves.places(&wanted.chosen, on)?;
        let facet = |at: usize| shelves.values.get(at).map(|value| value.facet);
        let mut counts = vec![0_usize; shelves.values.len()];
        let mut found = Vec::new();
        for at in self.in_order(&wanted.q) {
            let held = shelves.held.get(at).map_or(&[][..], Vec::as_slice);
            let missed: Vec<usize> = chosen.iter().filter(|c| !held.contains(c)).copied().collect();
            // One that misses a single choice would be left by another choice at that facet.
            let counted = |value: usize| match missed.as_slice() {
                [] => true,
                [one] => facet(value) == facet(*one),
                _ => false,
            };
            for value in held.iter().filter(|value| counted(**value)) {
                if let Some(count) = counts.get_mut(*value) {
                    *count += 1;
                }
            }
            if missed.is_empty() {
                found.extend(self.entries.get(at));
            }
        }
        let begin = match &wanted.after {
            None => 0,
            Some(after) => {
                let place = found.iter().position(|entry| entry.code == *after);
                place.ok_or_else(|| Problem::invalid("after", "malformed"))? + 1
            }
        };
        let total = found.len();
        let values = shelves.values.iter().zip(counts).enumerate();
        Ok(Browsed {
            entries: found.into_iter().skip(begin).take(wanted.limit).collect(),
            total,
            more: total > begin.saturating_add(wanted.limit),
            values: values
                .filter(|(_, (value, _))| shelves.is_shown(value, on))
                .map(|(at, (value, count))| Counted {
                    value,
                    count,
                    is_chosen: chosen.contains(&at),
                })
                .collect(),
        })
    }

    /// The entries that words fit, best first; all by name without any.
    fn in_order(&self, q: &str) -> Vec<usize> {
        if fold(q).is_empty() {
            return self.shelves.by_name.clone();
        }
        self.index.find(q, usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use kernel::time::parse_iso;

    use super::*;
    use crate::testing::nouns;

    fn today() -> Date {
        parse_iso("2026-11-21").expect("a day")
    }

    fn browse(chosen: &[(Facet, &str)], limit: usize) -> Browsed<'static> {
        let wanted = Wanted {
            chosen: chosen.iter().map(|(f, key)| (*f, (*key).to_owned())).collect(),
            limit,
            ..Wanted::default()
        };
        nouns().catalogue.browse(&wanted, today()).expect("a page")
    }

    fn counts(browsed: &Browsed<'_>, facet: Facet) -> Vec<(String, usize)> {
        let own = browsed.values.iter().filter(|v| v.value.facet == facet);
        own.map(|v| (v.value.key.clone(), v.count)).collect()
    }

    #[test]
    fn the_fields_and_the_agencies_of_all_entries_add_up_to_the_catalogue() {
        let all = browse(&[], 50);
        assert_eq!((all.total, all.more), (2_626, true));
        for facet in [Facet::Field, Facet::Agency] {
            let sum: usize = counts(&all, facet).iter().map(|(_, count)| count).sum();
            assert_eq!(sum, 2_626, "{facet:?}: an entry has one");
        }
        assert_eq!(counts(&all, Facet::Agency).len(), 7);
        assert_eq!(
            counts(&all, Facet::Channel),
            [
                ("online".to_owned(), 2_086),
                ("counter".to_owned(), 2_479),
                ("post".to_owned(), 2_188)
            ]
        );
    }

    #[test]
    fn a_count_is_what_choosing_that_value_gives_under_the_other_choices() {
        let choices = [(Facet::Agency, "G15"), (Facet::Level, "xa")];
        let both = browse(&choices, 50);
        for facet in Facet::ALL {
            for (key, count) in counts(&both, facet).iter().take(12) {
                let mut other: Vec<(Facet, &str)> =
                    choices.iter().filter(|c| c.0 != facet).copied().collect();
                other.push((facet, key));
                assert_eq!(browse(&other, 1).total, *count, "{facet:?} {key}");
            }
        }
    }

    #[test]
    fn a_life_event_has_its_procedures_and_pages_go_on_by_name() {
        let birth = browse(&[(Facet::Event, "birth")], 50);
        let codes: Vec<&str> = birth.entries.iter().map(|e| e.code.as_str()).collect();
        assert!(
            codes.contains(&"1.001193") && codes.contains(&"2.000986"),
            "{codes:?}"
        );
        assert!(
            birth.entries.is_sorted_by_key(|e| order(&e.name)),
            "in the order of a dictionary"
        );
        let (mut seen, mut after) = (0, None);
        loop {
            let wanted = Wanted {
                chosen: vec![(Facet::Field, "ho-tich".to_owned())],
                after,
                limit: 10,
                ..Wanted::default()
            };
            let page = nouns().catalogue.browse(&wanted, today()).expect("a page");
            seen += page.entries.len();
            after = page.entries.last().map(|e| e.code.clone());
            if !page.more {
                assert_eq!(seen, page.total, "no entry is left out or comes twice");
                break;
            }
        }
        let before = parse_iso("2025-06-30").expect("a day");
        let wanted = Wanted {
            chosen: vec![(Facet::Event, "birth".to_owned())],
            ..Wanted::default()
        };
        let refused = nouns()
            .catalogue
            .browse(&wanted, before)
            .expect_err("not shown yet");
        assert_eq!(refused.code, "facet-unknown");
    }
}
