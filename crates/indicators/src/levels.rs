//! How far a procedure can be done online, as the pack's table says for a day: wholly (`full`, toàn
//! trình) or in part (`partial`, một phần). Never guesses: what the table does not list is unstated.

use std::collections::BTreeMap;
use std::path::Path;

use directory::pack::{PackFault, read_table};
use kernel::time::parse_iso;
use kernel::{ProcedureCode, Time};

const FILE: &str = "indicators/online-levels.csv";
const COLUMNS: [&str; 5] = ["procedure", "valid_from", "level", "old_level", "evidence"];

/// How far a procedure can be done online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlineLevel {
    /// Every step, from filing to the result (toàn trình).
    Full,
    /// Some steps (một phần).
    Partial,
    /// The table does not say.
    Unstated,
}

impl OnlineLevel {
    /// The level's name in rows and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Unstated => "unstated",
        }
    }
}

/// The table: by procedure, the days from which a level holds.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    by_procedure: BTreeMap<String, Vec<(Time, OnlineLevel)>>,
}

impl Levels {
    /// Reads the pack's table.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        let mut by_procedure: BTreeMap<String, Vec<(Time, OnlineLevel)>> = BTreeMap::new();
        read_table(pack, FILE, &COLUMNS, |row| {
            let text = |at: usize| row.get(at).unwrap_or_default();
            let code: ProcedureCode = text(0).parse().map_err(|e| format!("{e}"))?;
            let from = parse_iso(text(1)).ok_or("valid_from is no date")?;
            let level = match text(2) {
                "full" => OnlineLevel::Full,
                "partial" => OnlineLevel::Partial,
                other => return Err(format!("{other} is no level")),
            };
            by_procedure
                .entry(code.to_string())
                .or_default()
                .push((Time::at(from, 0), level));
            Ok(())
        })?;
        for levels in by_procedure.values_mut() {
            levels.sort_by_key(|(from, _)| *from);
        }
        Ok(Self { by_procedure })
    }

    /// The level of a procedure at a moment: a fact keeps the level of its own day.
    #[must_use]
    pub fn of(&self, procedure: &ProcedureCode, at: Time) -> OnlineLevel {
        let levels = self.by_procedure.get(procedure.as_str());
        levels
            .into_iter()
            .flatten()
            .rev()
            .find(|(from, _)| *from <= at)
            .map_or(OnlineLevel::Unstated, |(_, level)| *level)
    }
}
