//! The published designs in memory: which version of a procedure is in force on a day, beside those of the pack.
//! Swapped whole whenever something is published or withdrawn; what has been handed out stays as it is. Never a
//! version that nobody published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kernel::{Date, Digest, Problem, ProcedureCode};
use tokio::sync::watch;

use crate::catalogue::Entry;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store as rows;

/// The versions of a code with their first days.
type OfCode = Vec<(Date, Arc<Procedure>)>;

/// What is published, all at one moment.
#[derive(Debug, Default)]
pub struct Published(BTreeMap<ProcedureCode, OfCode>);

impl Published {
    /// The version of a code for a day, with its first day.
    #[must_use]
    pub fn on(&self, code: &ProcedureCode, day: Date) -> Option<(Date, Arc<Procedure>)> {
        let begun = self.0.get(code)?.iter().filter(|(from, _)| *from <= day);
        let newest = begun.max_by_key(|(from, _)| *from)?;
        Some((newest.0, Arc::clone(&newest.1)))
    }

    /// All published versions.
    pub fn all(&self) -> impl Iterator<Item = (Date, &Arc<Procedure>)> {
        self.0
            .values()
            .flatten()
            .map(|(from, procedure)| (*from, procedure))
    }
}

/// What is published, behind a watch.
#[derive(Debug)]
pub(crate) struct Editions(watch::Sender<Arc<Published>>);

impl Default for Editions {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Editions {
    /// As it is now.
    pub(crate) fn now(&self) -> Arc<Published> {
        Arc::clone(&self.0.borrow())
    }
}

impl Cases {
    /// What is published here beside the pack.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.editions().now()
    }

    /// Every version of every procedure that is in force or will be: of the pack, and published here.
    #[must_use]
    pub fn all_versions(&self) -> Vec<Arc<Procedure>> {
        let own = self.published();
        let own = own.all().map(|(_, procedure)| Arc::clone(procedure));
        let own: Vec<_> = own.collect();
        self.catalogue.procedures().cloned().chain(own).collect()
    }

    /// The catalogue's entries of what is filed here by publication alone: the pack has no document of it.
    #[must_use]
    pub fn filed_beside(&self) -> Vec<&Entry> {
        let today = self.today();
        let published = self.published();
        let begun = published.all().filter(|(from, _)| *from <= today);
        let codes: BTreeSet<ProcedureCode> = begun.map(|(_, procedure)| procedure.code.clone()).collect();
        codes
            .iter()
            .filter(|code| self.catalogue.versions_of(code).is_empty())
            .filter_map(|code| self.catalogue.entry(code))
            .collect()
    }

    /// Takes up what is published, here or by another process of the node: at each start, after each
    /// publication, and now and then.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn take_up_designs(&self) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let limit = self.store.limits().batch_records_max.max(1);
        let (mut after, mut all) = (String::new(), Vec::new());
        loop {
            let page = rows::published(&reader, &after, limit).await?;
            let (whole, last) = (page.len() < limit, page.last().map(|(id, ..)| id.clone()));
            all.extend(page);
            match last {
                Some(last) if !whole => after = last,
                _ => break,
            }
        }
        drop(reader);
        if all
            .iter()
            .any(|(_, _, version, _)| self.version(version).is_err())
        {
            self.take_up_versions().await?;
        }
        let mut published = Published::default();
        for (id, code, version, from) in all {
            match self.version(&version) {
                Ok(procedure) => published.0.entry(code).or_default().push((from, procedure)),
                Err(problem) => tracing::error!(%problem, design = id, "a published version cannot be read"),
            }
        }
        self.editions().0.send_replace(Arc::new(published));
        Ok(())
    }

    /// The version of a procedure for what is filed on a day: of the pack and of what is published here, the one
    /// that began last.
    #[must_use]
    pub fn procedure_on(&self, code: &ProcedureCode, day: Date) -> Option<Arc<Procedure>> {
        let of_pack = self.catalogue.versions_of(code).iter();
        let of_pack = of_pack.rev().find(|(from, _)| *from <= day);
        match (of_pack, self.published().on(code, day)) {
            (Some((begun, procedure)), Some((from, _))) if *begun > from => Some(Arc::clone(procedure)),
            (_, Some((_, published))) => Some(published),
            (of_pack, None) => of_pack.map(|(_, procedure)| Arc::clone(procedure)),
        }
    }

    /// Refuses to begin a case under a version that was withdrawn; what runs under it goes on.
    ///
    /// # Errors
    /// `version-withdrawn` (409).
    pub(crate) async fn still_files(
        &self,
        rows: &impl crate::store::Rows,
        version: &Digest,
    ) -> Result<(), Problem> {
        match rows::is_withdrawn(rows, version).await? {
            true => Err(Problem::new(kernel::Kind::Conflict, "version-withdrawn")),
            false => Ok(()),
        }
    }
}
