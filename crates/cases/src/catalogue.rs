//! The catalogue of procedures: short entries, 2,625 of them of the national one, and the full documents that can be
//! filed here, in memory. Never changes while a node runs.

pub mod browse;
pub mod level;
mod search;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use directory::pack::PackFault;
use kernel::time::parse_iso;
use kernel::{Date, Digest, ProcedureCode};

use crate::catalogue::browse::Shelves;
use crate::catalogue::search::Index;
use crate::criteria::Criteria;
use crate::escalation::Escalations;
use crate::filing::Modes;
use crate::mandate::rules::Rules as Mandates;
use crate::national::dialect::Dialects;
pub use crate::pack::{Entry, Event};
use crate::post::rates::Postal;
use crate::procedure::Procedure;
use crate::status::moves::Moves;
use crate::telling::words::Words;
use crate::wallet::records::OwnRecord;

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
    words: Words,
    moves: Moves,
    filing: Modes,
    dialects: Dialects,
    own_records: Vec<OwnRecord>,
    mandates: Mandates,
    escalations: Escalations,
    postal: Postal,
    /// Where it was read from.
    pack: Option<PathBuf>,
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
        let messages = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::messages)?;
        let moves = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::moves)?;
        let filing = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::filing)?;
        let dialects = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::dialects)?;
        let escalations = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::escalations)?;
        let postal = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::postal)?;
        let own_records = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::own_records)?;
        let mandates = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::mandates)?;
        let entries = crate::pack::entries(pack)?;
        let catalogue = Self::of(entries, documents, events).expect("each first day was read");
        Ok(Self {
            criteria: Criteria::of(criteria).expect("each first day was checked"),
            words: Words::of(messages),
            moves,
            filing: Modes::of(filing).expect("each first day was checked"),
            dialects: Dialects::of(dialects).expect("each day was checked"),
            own_records,
            mandates: Mandates::of(mandates).expect("each first day was checked"),
            escalations: Escalations::of(escalations).expect("each first day was checked"),
            postal: Postal::of(postal).expect("each first day was checked"),
            pack: Some(pack.to_owned()),
            ..catalogue
        })
    }

    /// The catalogue of entries, documents and life events, without what else the pack dates: criteria of ratings,
    /// moves of statuses, who files where; `None` when a document's first day is no date.
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
            words: Words::default(),
            moves: Moves::default(),
            filing: Modes::default(),
            dialects: Dialects::default(),
            own_records: Vec::new(),
            mandates: Mandates::default(),
            escalations: Escalations::default(),
            postal: Postal::default(),
            pack: None,
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

    /// How each step of a case is said to its applicant.
    #[must_use]
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// Which national status may follow which.
    #[must_use]
    pub const fn moves(&self) -> &Moves {
        &self.moves
    }

    /// Which portal files for whom.
    #[must_use]
    pub const fn filing(&self) -> &Modes {
        &self.filing
    }

    /// The same procedures with what else another pack dates.
    #[cfg(test)]
    pub(crate) fn dated_as(self, other: &Self) -> Self {
        Self {
            criteria: other.criteria.clone(),
            moves: other.moves.clone(),
            filing: other.filing.clone(),
            escalations: other.escalations.clone(),
            postal: other.postal.clone(),
            own_records: other.own_records.clone(),
            mandates: other.mandates.clone(),
            ..self
        }
    }

    /// What the post takes for results.
    #[must_use]
    pub const fn postal(&self) -> &Postal {
        &self.postal
    }

    /// Who above is told that a case is late.
    #[must_use]
    pub const fn escalations(&self) -> &Escalations {
        &self.escalations
    }

    /// The records that a citizen may keep of their own.
    #[must_use]
    pub(crate) fn own_records(&self) -> &[OwnRecord] {
        &self.own_records
    }

    /// Who acts for whom by the law of a day.
    #[must_use]
    pub(crate) const fn mandates(&self) -> &Mandates {
        &self.mandates
    }

    /// Who speaks the national messages to which portal.
    #[must_use]
    pub const fn dialects(&self) -> &Dialects {
        &self.dialects
    }

    /// The same where other owners speak them: for a country whose pack is not read from a folder.
    #[must_use]
    pub fn with_dialects(self, dialects: Dialects) -> Self {
        Self { dialects, ..self }
    }

    /// The folder that it was read from; none for one that was put together.
    #[must_use]
    pub fn pack(&self) -> Option<&Path> {
        self.pack.as_deref()
    }

    /// All documents.
    pub fn procedures(&self) -> impl Iterator<Item = &Arc<Procedure>> {
        self.procedures.values().flatten().map(|(_, p)| p)
    }
}
