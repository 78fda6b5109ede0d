//! This crate's part of the pack: targets, published figures and which of them can be computed from
//! others, the grid of provinces, the levels of online services. Never mixes what was published with
//! what this node counted.

use std::path::Path;

use directory::pack::{PackFault, PackFile, read_table};

use crate::levels::Levels;

/// A target somebody set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The document that sets it.
    pub document: String,
    /// For which year.
    pub year: String,
    /// Of what, in the source's words.
    pub indicator: String,
    /// `>=`, `<=` or `>`.
    pub comparison: String,
    /// The value, in the figure's unit.
    pub value: i64,
    /// `seen` in a public source, or from `memory`.
    pub evidence: String,
    /// The figure it is set for; empty for none here.
    pub figure: String,
}

/// A figure that somebody published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Its id in the pack.
    pub id: String,
    /// Of when.
    pub period: String,
    /// Of what, in English.
    pub indicator: String,
    /// In Vietnamese; empty for those that are not shown.
    pub indicator_vi: String,
    /// The figure it stands beside; empty for none here.
    pub figure: String,
    /// In what.
    pub unit: String,
    /// The value as written.
    pub value: String,
    /// `=`, `>`, `<`, `~`, `~<`, `>=`.
    pub qualifier: String,
    /// Of whom.
    pub scope: String,
    /// Where it was published.
    pub source: String,
}

/// How a published figure follows from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The first in percent of the second.
    Share,
    /// All added up.
    Sum,
    /// The first spread over the minutes of so many days.
    PerMinute,
    /// The first spread over their seconds.
    PerSecond,
    /// The same thing in another source.
    Other,
}

/// A figure that can be computed from published ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recomputed {
    /// Its id.
    pub id: String,
    /// How.
    pub operation: Operation,
    /// From which published figures.
    pub inputs: Vec<String>,
    /// The published figure it stands beside, if there is one.
    pub reported: Option<String>,
    /// Days of the period, for rates.
    pub days: i64,
}

/// A province's place on the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The organisation.
    pub org: String,
    /// The province's short name.
    pub name: String,
    /// From the west, from 0.
    pub column: i32,
    /// From the north, from 0.
    pub row: i32,
}

/// Everything this crate reads of a pack.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// How far procedures can be done online.
    pub levels: Levels,
    /// The targets.
    pub targets: Vec<Target>,
    /// What was published.
    pub reported: Vec<Reported>,
    /// What follows from it.
    pub recomputed: Vec<Recomputed>,
    /// The grid.
    pub tiles: Vec<Tile>,
}

impl Pack {
    /// Reads a pack; a country may do without any of the files.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        let mut all = Self::default();
        let has = |file: &str| pack.join("indicators").join(file).exists();
        if has("online-levels.csv") {
            all.levels = Levels::load(pack)?;
        }
        if has("targets.csv") {
            all.read_targets(pack)?;
        }
        if has("seed-figures.csv") {
            all.read_reported(pack)?;
        }
        if has("recomputed.csv") {
            all.read_recomputed(pack)?;
        }
        if has("tiles.csv") {
            all.read_tiles(pack)?;
        }
        Ok(all)
    }

    fn read_targets(&mut self, pack: &Path) -> Result<PackFile, PackFault> {
        let columns = [
            "document",
            "year",
            "indicator",
            "unit",
            "comparison",
            "value",
            "evidence",
            "figure",
        ];
        read_table(pack, "indicators/targets.csv", &columns, |row| {
            let text = |at: usize| row.get(at).unwrap_or_default().to_owned();
            self.targets.push(Target {
                document: text(0),
                year: text(1),
                indicator: text(2),
                comparison: text(4),
                value: text(5).parse().map_err(|e| format!("value: {e}"))?,
                evidence: text(6),
                figure: text(7),
            });
            Ok(())
        })
    }

    fn read_reported(&mut self, pack: &Path) -> Result<PackFile, PackFault> {
        let columns = [
            "id",
            "period",
            "indicator",
            "indicator_vi",
            "figure",
            "unit",
            "value",
            "qualifier",
            "scope",
            "source",
        ];
        read_table(pack, "indicators/seed-figures.csv", &columns, |row| {
            let text = |at: usize| row.get(at).unwrap_or_default().to_owned();
            self.reported.push(Reported {
                id: text(0),
                period: text(1),
                indicator: text(2),
                indicator_vi: text(3),
                figure: text(4),
                unit: text(5),
                value: text(6),
                qualifier: text(7),
                scope: text(8),
                source: text(9),
            });
            Ok(())
        })
    }

    fn read_recomputed(&mut self, pack: &Path) -> Result<PackFile, PackFault> {
        let columns = ["id", "operation", "inputs", "reported", "days"];
        read_table(pack, "indicators/recomputed.csv", &columns, |row| {
            let text = |at: usize| row.get(at).unwrap_or_default();
            let operation = match text(1) {
                "share" => Operation::Share,
                "sum" => Operation::Sum,
                "per-minute" => Operation::PerMinute,
                "per-second" => Operation::PerSecond,
                "other" => Operation::Other,
                other => return Err(format!("{other} is no operation")),
            };
            let inputs: Vec<String> = text(2).split('|').map(str::to_owned).collect();
            let reported = (!text(3).is_empty()).then(|| text(3).to_owned());
            if let Some(id) = inputs
                .iter()
                .chain(&reported)
                .find(|id| self.number(id).is_none())
            {
                return Err(format!("{id} is no published number"));
            }
            self.recomputed.push(Recomputed {
                id: text(0).to_owned(),
                operation,
                inputs,
                reported,
                days: text(4).parse().unwrap_or(0),
            });
            Ok(())
        })
    }

    fn read_tiles(&mut self, pack: &Path) -> Result<PackFile, PackFault> {
        let columns = ["organisation", "area", "name", "column", "row"];
        read_table(pack, "indicators/tiles.csv", &columns, |row| {
            let text = |at: usize| row.get(at).unwrap_or_default();
            self.tiles.push(Tile {
                org: text(0).to_owned(),
                name: text(2).to_owned(),
                column: text(3).parse().map_err(|e| format!("column: {e}"))?,
                row: text(4).parse().map_err(|e| format!("row: {e}"))?,
            });
            Ok(())
        })
    }

    /// A published figure.
    #[must_use]
    pub fn published(&self, id: &str) -> Option<&Reported> {
        self.reported.iter().find(|r| r.id == id)
    }

    /// Its value.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<f64> {
        self.published(id)?.value.parse().ok()
    }

    /// What a recomputation gives.
    #[must_use]
    pub fn recompute(&self, r: &Recomputed) -> Option<f64> {
        let inputs: Option<Vec<f64>> = r.inputs.iter().map(|id| self.number(id)).collect();
        let inputs = inputs?;
        let first = *inputs.first()?;
        #[expect(clippy::cast_precision_loss, reason = "days of a period")]
        let minutes = r.days as f64 * 1_440.0;
        Some(match r.operation {
            Operation::Share => first / inputs.get(1)? * 100.0,
            Operation::Sum => inputs.iter().sum(),
            Operation::PerMinute => first / minutes,
            Operation::PerSecond => first / minutes / 60.0,
            Operation::Other => first,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The pack of this repository.
    pub(crate) fn vn() -> Pack {
        Pack::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")).expect("the pack")
    }

    #[test]
    fn a_published_share_stands_beside_what_its_own_numbers_give() {
        let pack = vn();
        let of = |id: &str| {
            let r = pack.recomputed.iter().find(|r| r.id == id).expect("listed");
            let value = (pack.recompute(r).expect("a number") * 100.0).round() / 100.0;
            (value, r.reported.as_deref().and_then(|id| pack.number(id)))
        };
        assert_eq!(of("portal-share"), (40.3, Some(39.0)));
        assert_eq!(of("education-portal-share"), (39.39, Some(39.0)));
        assert_eq!(of("dong-thap-sum"), (787.0, Some(787.0)));
        assert_eq!(of("ngsp-per-minute"), (17.08, Some(18.0)));
        assert_eq!(of("ndxp-per-second"), (15.63, None));
    }

    #[test]
    fn every_province_has_one_tile_and_no_two_share_a_place() {
        let tiles = vn().tiles;
        assert_eq!(tiles.len(), 34);
        let places: BTreeSet<_> = tiles.iter().map(|t| (t.column, t.row)).collect();
        let orgs: BTreeSet<_> = tiles.iter().map(|t| &t.org).collect();
        assert_eq!((places.len(), orgs.len()), (34, 34));
    }

    #[test]
    fn every_target_says_whether_it_was_seen() {
        let pack = vn();
        assert!(
            pack.targets
                .iter()
                .all(|t| t.evidence == "seen" || t.evidence == "memory")
        );
        let known = |f: &str| f.is_empty() || crate::define::Definition::find(f).is_some();
        assert!(pack.targets.iter().all(|t| known(&t.figure)));
        assert!(pack.reported.iter().all(|r| known(&r.figure)));
    }
}
