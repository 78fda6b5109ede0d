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
    /// What it is owed by.
    pub due: Option<Time>,
    /// Since when it waits for its applicant: for missing papers, for money.
    pub paused: Option<Time>,
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
            due: None,
            paused: None,
            decided: None,
        }
    }

    /// The applicant is asked for something.
    pub fn pause(&mut self, at: Time) {
        self.paused.get_or_insert(at);
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
