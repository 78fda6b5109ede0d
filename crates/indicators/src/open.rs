//! What the projection remembers between facts: the cases whose result was not given and the agreements
//! in force. Bounded by what is open, never by what has been.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{CaseCode, OrgCode, Time};

/// A case that has not ended, or whose result was not given yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// Who handles it.
    pub org: OrgCode,
    /// When it came.
    pub received: Time,
    /// When its clock started.
    pub accepted: Option<Time>,
    /// What it is owed by.
    pub due: Option<Time>,
    /// Since when it waits for missing papers.
    pub paused: Option<Time>,
    /// How long it waited before, in milliseconds.
    pub paused_ms: i64,
    /// When it was decided.
    pub decided: Option<Time>,
}

impl OpenCase {
    /// A case that just came.
    #[must_use]
    pub const fn new(org: OrgCode, received: Time) -> Self {
        Self {
            org,
            received,
            accepted: None,
            due: None,
            paused: None,
            paused_ms: 0,
            decided: None,
        }
    }

    /// The clock starts, once.
    pub fn accept(&mut self, at: Time) {
        self.accepted.get_or_insert(at);
    }

    /// The applicant is asked for something.
    pub fn pause(&mut self, at: Time) {
        self.paused.get_or_insert(at);
    }

    /// The applicant gave it.
    pub fn resume(&mut self, at: Time) {
        if let Some(since) = self.paused.take() {
            self.paused_ms += (at.ms() - since.ms()).max(0);
        }
    }

    /// Minutes from acceptance to a moment without the waits; none for a case never accepted.
    #[must_use]
    pub fn minutes(&self, at: Time) -> Option<u64> {
        let mut case = self.clone();
        case.resume(at);
        let ms = at.ms() - case.accepted?.ms() - case.paused_ms;
        u64::try_from(ms.max(0) / 60_000).ok()
    }
}

/// What is open. Remembers what was touched, so that it can be written back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// By code.
    pub cases: BTreeMap<String, OpenCase>,
    /// By the agreement's hash: the asking member and the service.
    pub agreements: BTreeMap<String, (OrgCode, String)>,
    pub(crate) touched_cases: BTreeSet<String>,
    pub(crate) touched_agreements: BTreeSet<String>,
}

impl Open {
    /// Opens a case; false when it was open already.
    pub fn begin(&mut self, case: &CaseCode, new: OpenCase) -> bool {
        if self.cases.contains_key(case.as_str()) {
            return false;
        }
        self.touched_cases.insert(case.to_string());
        self.cases.insert(case.to_string(), new);
        true
    }

    /// The open case of a code, to be changed.
    pub fn case(&mut self, case: &CaseCode) -> Option<&mut OpenCase> {
        let found = self.cases.get_mut(case.as_str())?;
        self.touched_cases.insert(case.to_string());
        Some(found)
    }

    /// Ends a case; none when it was not open.
    pub fn end(&mut self, case: &CaseCode) -> Option<OpenCase> {
        let found = self.cases.remove(case.as_str())?;
        self.touched_cases.insert(case.to_string());
        Some(found)
    }

    /// Begins an agreement; false when it was in force already.
    pub fn agree(&mut self, agreement: &str, consumer: &OrgCode, service: &str) -> bool {
        self.touched_agreements.insert(agreement.to_owned());
        self.agreements
            .insert(agreement.to_owned(), (consumer.clone(), service.to_owned()))
            .is_none()
    }

    /// Ends an agreement; none when it was not in force.
    pub fn disagree(&mut self, agreement: &str) -> Option<(OrgCode, String)> {
        self.touched_agreements.insert(agreement.to_owned());
        self.agreements.remove(agreement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_missing_papers_is_not_the_agencys_time() {
        let minute = 60_000;
        let mut case = OpenCase::new("H56".parse().expect("code"), Time(0));
        assert_eq!(case.minutes(Time(10 * minute)), None, "never accepted");
        case.accept(Time(10 * minute));
        case.pause(Time(20 * minute));
        assert_eq!(case.minutes(Time(50 * minute)), Some(10), "still waiting");
        case.resume(Time(50 * minute));
        assert_eq!(case.minutes(Time(65 * minute)), Some(25));
    }
}
