//! A draft: what a citizen has answered, what registers answered for them, what they attached.
//! Pure; a filed draft only points to its case.

use std::collections::BTreeMap;

use kernel::{CaseCode, Digest, ProcedureCode, Time};
use serde::{Deserialize, Serialize};

use crate::case::Answers;
use crate::procedure::{FormPage, Paper, Procedure, Question};

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, 32 hex digits.
    pub id: String,
    /// Whose it is, by account.
    pub account: String,
    /// The procedure.
    pub procedure: ProcedureCode,
    /// The version it was begun under and is filed under.
    pub version: Digest,
    /// What was typed, by field.
    pub answers: Answers,
    /// What registers answered, by field.
    pub prefilled: BTreeMap<String, Filled>,
    /// How often it has changed.
    pub revision: i64,
    /// The case it became.
    pub filed_as: Option<CaseCode>,
    /// The mandate under which it is to be filed for somebody else; none for oneself.
    pub mandate: Option<String>,
    /// When it was begun.
    pub created_at: Time,
    /// When it last changed.
    pub changed_at: Time,
}

/// A register's answer for one field, with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// The value.
    pub value: String,
    /// The source as shown, in both languages.
    pub source: crate::procedure::Text,
    /// The service that answered.
    pub service: String,
    /// The exchange's request id: names the evidence at both nodes.
    pub request: String,
}

/// A paper attached to a draft or a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The paper's code in the procedure.
    pub code: String,
    /// The sender's file name, cleaned.
    pub name: String,
    /// The media type, as checked.
    pub media: String,
    /// Size in bytes.
    pub size: u64,
    /// The content's digest: its name among the blobs.
    pub digest: Digest,
}

impl Draft {
    /// The value of a field: the register's answer before the typed one.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        let filled = self.prefilled.get(field).map(|f| f.value.as_str());
        filled
            .or_else(|| self.answers.get(field).map(String::as_str))
            .filter(|v| !v.is_empty())
    }

    /// All values, as they are filed.
    #[must_use]
    pub fn values(&self) -> Answers {
        let mut all = self.answers.clone();
        all.extend(
            self.prefilled
                .iter()
                .map(|(field, filled)| (field.clone(), filled.value.clone())),
        );
        all.retain(|_, value| !value.is_empty());
        all
    }

    /// The required questions of a page that have no answer.
    pub fn missing<'a>(&'a self, page: &'a FormPage) -> impl Iterator<Item = &'a Question> {
        page.questions
            .iter()
            .filter(|q| q.required && self.value(&q.code).is_none())
    }

    /// The required papers that are not attached.
    pub fn missing_papers<'a>(
        procedure: &'a Procedure,
        attached: &'a [Attached],
    ) -> impl Iterator<Item = &'a Paper> {
        procedure
            .papers
            .iter()
            .filter(|p| p.required && !attached.iter().any(|a| a.code == p.code))
    }

    /// The id of the draft in which a case's supplement is put together: a case is asked once.
    #[must_use]
    pub fn of_supplement(code: &CaseCode) -> String {
        format!("supplement-{code}")
    }

    /// The case that it supplements, when it does not begin a new one.
    #[must_use]
    pub fn supplements(&self) -> Option<CaseCode> {
        self.id.strip_prefix("supplement-")?.parse().ok()
    }

    /// The subject of its facts.
    #[must_use]
    pub fn subject(id: &str) -> String {
        format!("draft/{id}")
    }
}
