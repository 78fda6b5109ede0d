//! How cases read to programs. Never decides who may read them.

use std::collections::BTreeMap;

use kernel::Time;
use serde::Serialize;
use web::openapi::ToSchema;

use crate::case::Case;
use crate::notice::Notice;
use crate::store::{Held, ResultRow, StatusRow, SubmissionRow};
use crate::submission::Said;

/// A list of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasesJson {
    pub(crate) items: Vec<CaseLine>,
    /// What to ask `after` for the next page.
    pub(crate) next: Option<String>,
}

/// One case of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseLine {
    code: String,
    procedure: String,
    unit: String,
    /// The national status, 1 to 10.
    status: u8,
    /// RFC 3339.
    filed_at: String,
    /// RFC 3339.
    due_at: Option<String>,
}

/// A case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseJson {
    #[serde(flatten)]
    pub(crate) line: CaseLine,
    pub(crate) statuses: Vec<StatusJson>,
    pub(crate) results: Vec<ResultJson>,
    /// The draft of the result that waits for an answer.
    pub(crate) draft: Option<ResultDraftJson>,
    /// Working minutes the agency has used, without those spent waiting for the applicant.
    pub(crate) spent_minutes: i64,
    /// What the applicant sent, and what became of it.
    pub(crate) sent: Vec<SentLine>,
    /// Who filed it for its applicant; null where the applicant did.
    pub(crate) representative: Option<RepresentativeJson>,
}

/// Who filed a case for its applicant, and by what right.
#[derive(Debug, Serialize, ToSchema)]
pub struct RepresentativeJson {
    /// The applicant's name.
    applicant: String,
    /// The representative's name.
    name: String,
    /// `child`, `company` or `person`: who is represented.
    whom: &'static str,
    /// `register`, `word` or `paper`.
    proof: &'static str,
    /// True when a register or the represented person had said so by the time of filing.
    confirmed: bool,
    /// First day of the mandate.
    from: String,
    /// Its last day.
    to: String,
}

impl RepresentativeJson {
    /// What a case says of it.
    pub(crate) fn of(case: &Case) -> Option<Self> {
        let by = case.course.representative.as_ref()?;
        Some(Self {
            applicant: case.applicant.name.clone(),
            name: by.name.clone(),
            whom: by.whom.word(),
            proof: by.proof.word(),
            confirmed: by.confirmed,
            from: by.from.clone(),
            to: by.to.clone(),
        })
    }
}

/// Something the applicant sent about a running case.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentLine {
    seq: u32,
    /// `supplement`, `draft-answer`, `withdrawal`, `payment`, `rating`.
    kind: &'static str,
    /// RFC 3339.
    at: String,
    /// `taken`, or the key of the agency's refusal; null while it waits for an answer.
    outcome: Option<String>,
    /// The points of a rating, by the criteria's numbers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    criteria: BTreeMap<String, u8>,
}

impl SentLine {
    pub(crate) fn new(row: &SubmissionRow) -> Self {
        Self {
            seq: row.seq,
            kind: row.said.kind(),
            at: row.at.rfc3339(),
            outcome: row.outcome.clone(),
            criteria: match &row.said {
                Said::Rating { criteria, .. } => criteria.iter().map(|(n, p)| (n.to_string(), *p)).collect(),
                _ => BTreeMap::new(),
            },
        }
    }
}

/// A draft to look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultDraftJson {
    /// The document's id: where its PDF is.
    pub(crate) document: String,
    /// From then on silence is consent, RFC 3339.
    pub(crate) until: String,
}

/// A change of status.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusJson {
    seq: u32,
    status: u8,
    /// RFC 3339.
    at: String,
    /// RFC 3339.
    due: Option<String>,
    /// What the applicant is told with it.
    #[schema(value_type = Option<Object>)]
    notice: Option<Notice>,
}

/// A result.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultJson {
    document: String,
    name: String,
    number: String,
    digest: String,
    /// `result` or `slip`.
    kind: &'static str,
}

impl CaseLine {
    pub(crate) fn new(held: &Held) -> Self {
        Self {
            code: held.case.code.to_string(),
            procedure: held.case.procedure.to_string(),
            unit: held.case.unit.to_string(),
            status: held.status,
            filed_at: held.case.filed_at.rfc3339(),
            due_at: held.due_at.map(Time::rfc3339),
        }
    }
}

impl StatusJson {
    pub(crate) fn new(row: &StatusRow) -> Self {
        Self {
            seq: row.seq,
            status: row.status,
            at: row.at.rfc3339(),
            due: row.due.map(Time::rfc3339),
            notice: row.notice.clone(),
        }
    }
}

impl From<ResultRow> for ResultJson {
    fn from(row: ResultRow) -> Self {
        Self {
            document: row.document,
            name: row.name,
            number: row.number,
            digest: row.digest.hex(),
            kind: row.kind.text(),
        }
    }
}
