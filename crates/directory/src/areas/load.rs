//! Lays the pack's editions one after the other into forms with a first and a last day. Never
//! changes a name: see the pack's README for what was corrected on the way in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use kernel::{AreaCode, Date, OrgCode};
use serde::Deserialize;

use super::{Act, Area, Areas, Change, Crosswalk, How};
use crate::pack::areas::{
    ACT_COLUMNS, AREA_COLUMNS, CROSSWALK, CROSSWALK_COLUMNS, Edition, SUCCESSION_COLUMNS,
};
use crate::pack::{PackFault, PackFile, day, read_table, read_toml};

#[derive(Deserialize)]
struct PackToml {
    area_editions: Vec<Edition>,
    /// The table of legal acts, when the pack has one.
    area_acts: Option<String>,
}

impl Areas {
    /// Reads the editions that `pack.toml` names, and the crosswalk of the provinces.
    ///
    /// # Errors
    /// When a file cannot be read, names a unit twice, or names a parent or a unit of a
    /// succession that its edition does not have.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        crate::pack::sound(pack, &[], crate::pack::areas::check)?;
        let PackToml {
            area_editions: editions,
            area_acts: acts,
        } = read_toml(pack, "pack.toml")?;
        let mut laying = Laying::default();
        for edition in &editions {
            let from = day(&edition.from).map_err(|why| PackFault::of(&pack.join("pack.toml"), why))?;
            laying.lay(pack, edition, from)?;
        }
        let file = read_table(pack, CROSSWALK, &CROSSWALK_COLUMNS, |row| {
            laying.crosswalk.push(Crosswalk {
                area_until_2025: area_code(&row[0])?,
                full_name: row[1].into(),
                organisation: organisation(&row[2])?,
                birth_place: row[3].into(),
                area_from_2025: area_code(&row[4])?,
                organisation_from_2025: organisation(&row[5])?,
            });
            Ok(())
        })?;
        laying.files.push(file);
        if let Some(acts) = acts {
            laying.read_acts(pack, &acts)?;
        }
        Ok(laying.finish())
    }
}

#[derive(Default)]
struct Laying {
    done: Vec<Area>,
    open: HashMap<AreaCode, Area>,
    kinds: HashMap<String, Arc<str>>,
    changes: Vec<Change>,
    editions: Vec<Date>,
    crosswalk: Vec<Crosswalk>,
    acts: Vec<Act>,
    files: Vec<PackFile>,
}

impl Laying {
    fn read_acts(&mut self, pack: &Path, file: &str) -> Result<(), PackFault> {
        let file = read_table(pack, file, &ACT_COLUMNS, |row| {
            if !["province", "district", "commune", "central"].contains(&&row[1]) {
                return Err(format!("{:?} is no level", &row[1]));
            }
            self.acts.push(Act {
                from: day(&row[0])?,
                level: row[1].into(),
                text: row[2].into(),
                seen: &row[3] == "seen",
            });
            Ok(())
        })?;
        self.files.push(file);
        Ok(())
    }

    fn lay(&mut self, pack: &Path, edition: &Edition, from: Date) -> Result<(), PackFault> {
        let fault = |why: String| PackFault::of(&pack.join(&edition.file), why);
        if self.editions.last().is_some_and(|last| *last >= from) {
            return Err(fault("editions must stand in the order of their days".to_owned()));
        }
        let eve = from
            .previous_day()
            .ok_or_else(|| fault("has no eve".to_owned()))?;
        let before: HashSet<AreaCode> = match edition.succession {
            Some(_) => self.open.keys().cloned().collect(),
            None => HashSet::new(),
        };
        let mut seen = HashSet::new();
        let file = read_table(pack, &edition.file, &AREA_COLUMNS, |row| {
            let area = self.area(&row[0], &row[1], &row[2], &row[3], from)?;
            if !seen.insert(area.code.clone()) {
                return Err(format!("{} twice", area.code));
            }
            self.take(area, eve);
            Ok(())
        })?;
        self.files.push(file);
        if !edition.changes {
            let (stay, end): (HashMap<_, _>, HashMap<_, _>) = std::mem::take(&mut self.open)
                .into_iter()
                .partition(|(code, _)| seen.contains(code));
            self.open = stay;
            self.done.extend(end.into_values().map(|area| ended(area, eve)));
        }
        let orphan = self
            .open
            .values()
            .find(|area| area.parent.as_ref().is_some_and(|p| !self.open.contains_key(p)));
        if let Some(area) = orphan {
            return Err(fault(format!("{} has a parent that is not there", area.code)));
        }
        if let Some(file) = &edition.succession {
            self.succeed(pack, file, from, &before)?;
        }
        self.editions.push(from);
        Ok(())
    }

    fn area(
        &mut self,
        code: &str,
        full_name: &str,
        kind: &str,
        parent: &str,
        from: Date,
    ) -> Result<Area, String> {
        let kind = match self.kinds.get(kind) {
            Some(kind) => kind.clone(),
            None => {
                let shared: Arc<str> = kind.into();
                self.kinds.insert(kind.to_owned(), shared.clone());
                shared
            }
        };
        let parent = match parent {
            "" => None,
            text => Some(area_code(text)?),
        };
        Ok(Area {
            code: area_code(code)?,
            full_name: full_name.into(),
            kind,
            parent,
            valid_from: from,
            valid_to: None,
        })
    }

    /// Keeps the open form when nothing changed, ends it otherwise.
    fn take(&mut self, area: Area, eve: Date) {
        if let Some(old) = self.open.get_mut(&area.code) {
            let same = old.full_name == area.full_name && old.kind == area.kind && old.parent == area.parent;
            if !same {
                let old = std::mem::replace(old, area);
                self.done.push(ended(old, eve));
            }
        } else {
            self.open.insert(area.code.clone(), area);
        }
    }

    fn succeed(
        &mut self,
        pack: &Path,
        file: &str,
        from: Date,
        before: &HashSet<AreaCode>,
    ) -> Result<(), PackFault> {
        let mut rows: Vec<Change> = Vec::new();
        let mut upper = Upper::default();
        let file = read_table(pack, file, &SUCCESSION_COLUMNS, |row| {
            let change = Change {
                old: area_code(&row[0])?,
                new: area_code(&row[4])?,
                how: match &row[5] {
                    "whole" => How::Whole,
                    "part" => How::Part,
                    other => return Err(format!("{other:?}: whole or part")),
                },
                default: &row[6] == "1",
                from,
            };
            if !before.contains(&change.old) {
                return Err(format!("{} was not there before", change.old));
            }
            let Some(heir) = self.open.get(&change.new) else {
                return Err(format!("{} is not there after", change.new));
            };
            if !row[2].is_empty() {
                upper.note_district(area_code(&row[2])?, &change);
            }
            if let Some(province) = &heir.parent {
                upper.note_province(area_code(&row[3])?, province);
            }
            rows.push(change);
            Ok(())
        })?;
        // A unit that goes on under its own code has not been succeeded.
        rows.extend(
            upper
                .changes(from)
                .into_iter()
                .filter(|c| !self.open.contains_key(&c.old)),
        );
        self.changes.extend(rows);
        self.files.push(file);
        Ok(())
    }

    fn finish(mut self) -> Areas {
        let mut forms = std::mem::take(&mut self.done);
        forms.extend(self.open.into_values());
        forms.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
        forms.shrink_to_fit();
        let mut below: HashMap<Option<AreaCode>, Vec<u32>> = HashMap::new();
        for (index, area) in (0_u32..).zip(&forms) {
            below.entry(area.parent.clone()).or_default().push(index);
        }
        let mut changes = self.changes;
        changes
            .sort_by(|a, b| (&a.old, a.from, !a.default, &a.new).cmp(&(&b.old, b.from, !b.default, &b.new)));
        let mut into: Vec<u32> = (0_u32..).zip(&changes).map(|(index, _)| index).collect();
        into.sort_by(|a, b| {
            let (a, b) = (&changes[*a as usize], &changes[*b as usize]);
            (&a.new, &a.old).cmp(&(&b.new, &b.old))
        });
        Areas {
            forms,
            below,
            changes,
            into,
            editions: self.editions,
            crosswalk: self.crosswalk,
            acts: self.acts,
            files: self.files,
        }
    }
}

fn ended(mut area: Area, eve: Date) -> Area {
    area.valid_to = Some(eve);
    area
}

fn organisation(text: &str) -> Result<OrgCode, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no organisation code"))
}

fn area_code(text: &str) -> Result<AreaCode, String> {
    text.parse().map_err(|_| format!("{text:?} is no area code"))
}

/// Where districts and provinces went, told by their communes.
#[derive(Default)]
struct Upper {
    /// Old unit → new unit → communes that went there, count, and whether each went wholly.
    units: BTreeMap<AreaCode, BTreeMap<AreaCode, (u32, bool)>>,
}

impl Upper {
    fn note_district(&mut self, district: AreaCode, change: &Change) {
        let heirs = self.units.entry(district).or_default();
        let (count, whole) = heirs.entry(change.new.clone()).or_insert((0, true));
        *count += u32::from(change.default);
        *whole &= change.how == How::Whole;
    }

    fn note_province(&mut self, old: AreaCode, new: &AreaCode) {
        let heirs = self.units.entry(old).or_default();
        heirs.entry(new.clone()).or_insert((0, true)).0 += 1;
    }

    /// The heir that took most communes is the one to take by default.
    fn changes(self, from: Date) -> Vec<Change> {
        let mut changes = Vec::new();
        for (old, heirs) in self.units {
            let chosen = heirs.iter().rev().max_by_key(|(_, (count, _))| *count);
            let chosen = chosen.map(|(new, _)| new.clone());
            for (new, (_, whole)) in &heirs {
                let all = *whole && heirs.len() == 1;
                changes.push(Change {
                    old: old.clone(),
                    new: new.clone(),
                    how: if all { How::Whole } else { How::Part },
                    default: chosen.as_ref() == Some(new),
                    from,
                });
            }
        }
        changes
    }
}
