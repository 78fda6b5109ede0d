//! To which portals an owner speaks the national messages in place of this platform's own word (`note-status`), and from
//! when on. Nobody does unless the pack says so (`codes/national-messages.toml`). Pure.

use std::collections::BTreeSet;

use kernel::time::parse_iso;
use kernel::{Date, OrgCode};
use serde::Deserialize;

/// That an owner speaks them to a portal, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speaks {
    /// Whose cases.
    pub owner: OrgCode,
    /// The portal's system: `G22/portal`.
    pub portal: String,
    /// First day of filing.
    pub from: String,
    /// Last day of filing; none while none is known.
    #[serde(default)]
    pub to: Option<String>,
    /// What says so.
    pub source: String,
}

/// One row, read: owner, portal, first day, last day.
type Row = (OrgCode, String, Date, Option<Date>);

/// All of them; nobody speaks so in an empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialects {
    rows: Vec<Row>,
}

impl Dialects {
    /// Those of a pack; `None` when a day is none.
    #[must_use]
    pub fn of(speaks: Vec<Speaks>) -> Option<Self> {
        let row = |one: Speaks| {
            let to = match &one.to {
                Some(to) => Some(parse_iso(to)?),
                None => None,
            };
            Some((one.owner, one.portal, parse_iso(&one.from)?, to))
        };
        let rows = speaks.into_iter().map(row).collect::<Option<_>>()?;
        Some(Self { rows })
    }

    /// True when nobody speaks them to anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// True when an owner speaks them to a portal about cases that were filed on a day: a case is told in one way all its
    /// life.
    #[must_use]
    pub fn speaks(&self, owner: &OrgCode, portal: &str, on: Date) -> bool {
        self.rows.iter().any(|(of, to, first, last)| {
            of.top() == owner.top() && to == portal && *first <= on && last.is_none_or(|last| on <= last)
        })
    }
}

impl Dialects {
    /// The portals to which an owner speaks them of what happened on a day, each once.
    #[must_use]
    pub fn portals(&self, owner: &OrgCode, on: Date) -> BTreeSet<&str> {
        let spoken = self
            .rows
            .iter()
            .filter(|(_, portal, ..)| self.speaks(owner, portal, on));
        spoken.map(|(_, portal, ..)| portal.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_iso(text).expect("a day")
    }

    #[test]
    fn nobody_speaks_them_unless_a_row_of_the_day_says_so() {
        let row = |to: Option<&str>| Speaks {
            owner: "H56".parse().expect("a code"),
            portal: "G22/portal".to_owned(),
            from: "2026-03-01".to_owned(),
            to: to.map(str::to_owned),
            source: "x".to_owned(),
        };
        let unit = "H56.15865".parse().expect("a code");
        let dialects = Dialects::of(vec![row(Some("2026-03-02"))]).expect("days");
        let days = ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"];
        let speaks = days.map(|on| dialects.speaks(&unit, "G22/portal", day(on)));
        assert_eq!(speaks, [false, true, true, false]);
        assert!(!dialects.speaks(&unit, "G01/portal", day("2026-03-01")));
        let other = "H01".parse().expect("a code");
        assert!(!dialects.speaks(&other, "G22/portal", day("2026-03-01")));
        assert!(!Dialects::default().speaks(&unit, "G22/portal", day("2026-03-01")));
        let portals = |on: &str| dialects.portals(&unit, day(on)).into_iter().collect::<Vec<_>>();
        assert_eq!(portals("2026-03-02"), ["G22/portal"]);
        assert_eq!(portals("2026-03-03"), [""; 0]);
        assert!(Dialects::of(vec![row(Some("2026-02-31"))]).is_none());
    }

    #[test]
    fn nobody_in_vietnams_pack_speaks_them_to_the_portal_of_this_platform() {
        let dialects = crate::testing::nouns().catalogue.dialects();
        let unit = "H56.15865".parse().expect("a code");
        assert!(!dialects.speaks(&unit, "G22/portal", testkit::START.date()));
    }
}
