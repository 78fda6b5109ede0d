//! How far a procedure can be done online on a day: wholly (`full`, toàn trình) or in part (`partial`, một
//! phần); computed from the procedures that run here, and for others as a pack's table says, where it has one.
//! Never guesses: what neither knows is unstated.

use std::collections::BTreeMap;
use std::path::Path;

use directory::pack::{PackFault, read_table};
use kernel::time::parse_iso;
use kernel::{Date, ProcedureCode, Time};

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

    /// Says how far a procedure can be done online from a day on; what a table says from that day gives way.
    pub fn set(&mut self, procedure: &ProcedureCode, from: Date, level: OnlineLevel) {
        let levels = self.by_procedure.entry(procedure.to_string()).or_default();
        let from = Time::at(from, 0);
        levels.retain(|(day, _)| *day != from);
        levels.push((from, level));
        levels.sort_by_key(|(day, _)| *day);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_holds_from_its_day_until_the_next_and_an_old_case_keeps_its_own() {
        let code = "1.001193".parse().expect("a code");
        let day = |text: &str| parse_iso(text).expect("a day");
        let at = |text: &str| Time::at(day(text), 600);
        let mut levels = Levels::default();
        levels.set(&code, day("2026-03-01"), OnlineLevel::Full);
        levels.set(&code, day("2025-07-01"), OnlineLevel::Full);
        levels.set(&code, day("2025-07-01"), OnlineLevel::Partial);
        assert_eq!(levels.of(&code, at("2025-06-30")), OnlineLevel::Unstated);
        assert_eq!(levels.of(&code, at("2026-02-28")), OnlineLevel::Partial);
        assert_eq!(levels.of(&code, at("2026-03-01")), OnlineLevel::Full);
    }
}
