//! How another system's statuses and units are called here: a file that somebody writes and reviews before the import.

use std::collections::BTreeMap;

use kernel::{OrgCode, ProcedureCode};
use serde::Deserialize;

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// A short name of the other system: small letters, digits and hyphens. Stands in facts and on pages.
    pub from: String,
    /// What becomes of the cases of a procedure.
    #[serde(default)]
    pub procedure: Vec<Mapped>,
    /// The other system's units that bear another code here.
    #[serde(default)]
    pub units: BTreeMap<String, OrgCode>,
}

/// What becomes of the cases of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapped {
    /// The procedure.
    pub code: ProcedureCode,
    /// A day on which the version was in force under which they go on: `2026-03-01`.
    pub version_of: String,
    /// Statuses of the other system, by number, and the states in which cases go on here.
    pub states: BTreeMap<String, String>,
}

impl Table {
    /// The line of a procedure.
    #[must_use]
    pub fn of(&self, code: &ProcedureCode) -> Option<&Mapped> {
        self.procedure.iter().find(|mapped| mapped.code == *code)
    }

    /// The unit here of a unit there.
    #[must_use]
    pub fn unit(&self, theirs: &str) -> Option<OrgCode> {
        let mapped = self.units.get(theirs).cloned();
        mapped.or_else(|| theirs.parse().ok())
    }

    /// True for a name that may stand in facts.
    #[must_use]
    pub fn is_named(&self) -> bool {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=40).contains(&self.from.len()) && self.from.chars().all(good)
    }
}
