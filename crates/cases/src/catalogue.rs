//! The catalogue of procedures: 2,625 short entries and the full documents that can be filed here,
//! in memory. Never changes while a node runs.

pub mod browse;
pub mod level;
mod search;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use directory::pack::PackFault;
use kernel::time::parse_iso;
use kernel::{Date, Digest, ProcedureCode};

use crate::catalogue::browse::Shelves;
use crate::catalogue::search::Index;
use crate::criteria::Criteria;
pub use crate::pack::{Entry, Event};
use crate::procedure::Procedure;

/// All procedures of a pack.
#[derive(Debug)]
pub struct Catalogue {
    /// By code.
    entries: Vec<Entry>,
    index: Index,
    shelves: Shelves,
    /// The versions of a code, by first day.
    procedures: BTreeMap<ProcedureCode, Vec<(Date, Arc<Procedure>)>>,
    versions: HashMap<Digest, Arc<Procedure>>,
    criteria: Criteria,
}

impl Catalogue {
    /// Reads the pack's catalogue and documents.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        let mut documents = Vec::new();
        for (path, procedure) in crate::pack::procedures(pack)? {
            parse_iso(&procedure.valid_from).ok_or_else(|| PackFault::of(&path, "valid_from is no date"))?;
            documents.push(procedure);
        }
        let events = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::events)?;
        let criteria = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::criteria)?;
        let entries = crate::pack::entries(pack)?;
        let catalogue = Self::of(entries, documents, events).expect("each first day was read");
        Ok(Self {
            criteria: Criteria::of(criteria).expect("each first day was checked"),
            ..catalogue
        })
    }

    /// The catalogue of entries, documents and life events, without criteria of ratings; `None` when a
    /// document's first day is no date.
    #[must_use]
    pub fn of(mut entries: Vec<Entry>, documents: Vec<Procedure>, events: Vec<Event>) -> Option<Self> {
        entries.sort_by(|a, b| a.code.cmp(&b.code));
        let mut procedures: BTreeMap<ProcedureCode, Vec<(Date, Arc<Procedure>)>> = BTreeMap::new();
        let mut versions = HashMap::new();
        for procedure in documents {
            let from = parse_iso(&procedure.valid_from)?;
            let procedure = Arc::new(procedure);
            versions.insert(procedure.version(), Arc::clone(&procedure));
            procedures
                .entry(procedure.code.clone())
                .or_default()
                .push((from, procedure));
        }
        for of_code in procedures.values_mut() {
            of_code.sort_by_key(|(from, _)| *from);
        }
        let index = Index::new(&entries, |code| procedures.contains_key(code));
        Some(Self {
            shelves: Shelves::new(&entries, events),
            entries,
            index,
            procedures,
            versions,
            criteria: Criteria::default(),
        })
    }

    /// The entries that fit a text best, best first: the exact code, then all words, then words with
    /// typing errors. An empty text gives what can be filed here.
    #[must_use]
    pub fn search(&self, text: &str, limit: usize) -> Vec<&Entry> {
        if kernel::text::fold(text).is_empty() {
            return self
                .procedures
                .keys()
                .filter_map(|code| self.entry(code))
                .take(limit)
                .collect();
        }
        let found = self.index.find(text, limit);
        found.into_iter().filter_map(|at| self.entries.get(at)).collect()
    }

    /// The entry of a code.
    #[must_use]
    pub fn entry(&self, code: &ProcedureCode) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|e| e.code.cmp(code)).ok()?;
        self.entries.get(at)
    }

    /// The document of a code for what is filed on a day.
    #[must_use]
    pub fn procedure(&self, code: &ProcedureCode, on: Date) -> Option<Arc<Procedure>> {
        let versions = self.procedures.get(code)?;
        versions
            .iter()
            .rev()
            .find(|(from, _)| *from <= on)
            .map(|(_, p)| Arc::clone(p))
    }

    /// The versions of a code with their first days, oldest first; none when it is not filed here.
    #[must_use]
    pub fn versions_of(&self, code: &ProcedureCode) -> &[(Date, Arc<Procedure>)] {
        self.procedures.get(code).map_or(&[], Vec::as_slice)
    }

    /// The document of a version.
    #[must_use]
    pub fn version(&self, version: &Digest) -> Option<Arc<Procedure>> {
        self.versions.get(version).cloned()
    }

    /// The criteria by which applicants rate.
    #[must_use]
    pub const fn criteria(&self) -> &Criteria {
        &self.criteria
    }

    /// All documents.
    pub fn procedures(&self) -> impl Iterator<Item = &Arc<Procedure>> {
        self.procedures.values().flatten().map(|(_, p)| p)
    }
}
