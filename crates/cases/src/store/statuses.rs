//! SQL of a case's statuses and results. Never changes a row that is there: both only grow. The one exception are words
//! that were for everybody and are so no longer: they do not stay.

use ::store::{Tx, params};
use kernel::{CaseCode, Digest, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::notice::Notice;
use crate::store::{Rows, json, number};

/// One change of a case's national status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRow {
    /// 0 for the filing, then the owner's changes from 1.
    pub seq: u32,
    /// 1 to 10.
    pub status: u8,
    /// When it changed.
    pub at: Time,
    /// By when the result was owed then.
    pub due: Option<Time>,
    /// What the applicant is told with it.
    pub notice: Option<Notice>,
}

/// The rows that changed a case's status; the others tell something while it stays.
pub(crate) fn changes(rows: &[StatusRow]) -> Vec<&StatusRow> {
    let mut changes: Vec<&StatusRow> = rows.iter().collect();
    changes.dedup_by_key(|row| row.status);
    changes
}

/// What kind of document was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GivenKind {
    /// What the procedure gives, or its refusal.
    #[default]
    Result,
    /// A slip or letter on the way.
    Slip,
    /// An unsigned draft of the result.
    Draft,
}

impl GivenKind {
    /// The kind's word in rows.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Slip => "slip",
            Self::Draft => "draft",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        [Self::Result, Self::Slip, Self::Draft]
            .into_iter()
            .find(|kind| kind.text() == text)
            .ok_or_else(|| Problem::internal("bad row: cases_results.kind"))
    }
}

/// A document that was given: a result, or a slip or draft on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultRow {
    /// The document's id.
    pub document: String,
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: String,
    /// The file's digest: its name among the blobs.
    pub digest: Digest,
    /// What it is.
    pub kind: GivenKind,
    /// The number of the status it travels with.
    pub with_seq: u32,
}

/// Writes one status of a case.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_status(tx: &Tx, code: &CaseCode, row: &StatusRow) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_statuses (tenant, code, seq, status, at, due_at, notice)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            code,
            row.seq,
            row.status,
            row.at,
            row.due,
            row.notice.as_ref().map(json).transpose()?
        ],
    )
    .await?;
    Ok(())
}

/// Takes away what was told with a status; the status stays.
///
/// # Errors
/// Unavailable.
pub async fn forget_notice(tx: &Tx, code: &CaseCode, seq: u32) -> Result<(), Problem> {
    tx.exec(
        "update cases_statuses set notice = null where tenant = $1 and code = $2 and seq = $3",
        params![tx.tenant(), code, seq],
    )
    .await?;
    Ok(())
}

/// The statuses of a case, in order.
///
/// # Errors
/// As [`super::case`].
pub async fn statuses(rows: &impl Rows, code: &CaseCode) -> Result<Vec<StatusRow>, Problem> {
    let rows = rows
        .all(
            "select seq, status, at, due_at, notice from cases_statuses where tenant = $1 and code = $2 order by seq",
            params![rows.tenant(), code],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(StatusRow {
                seq: number(row, "seq")?,
                status: number(row, "status")?,
                at: row.time("at")?,
                due: row.opt_int("due_at")?.map(Time),
                notice: match row.opt_text("notice")? {
                    Some(_) => Some(row.json("notice")?),
                    None => None,
                },
            })
        })
        .collect()
}

/// The number of the last status of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn last_status(rows: &impl Rows, code: &CaseCode) -> Result<u32, Problem> {
    let row = rows
        .one(
            "select cast(coalesce(max(seq), 0) as bigint) as seq from cases_statuses where tenant = $1 and code = $2",
            params![rows.tenant(), code],
        )
        .await?;
    row.map_or(Ok(0), |row| number(&row, "seq"))
}

/// Writes a result of a case; one that is there stays.
///
/// # Errors
/// As [`super::case`].
pub async fn insert_result(tx: &Tx, code: &CaseCode, row: &ResultRow) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_results (tenant, code, document, name, number, digest, kind, with_seq)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant, code, document) do nothing",
        params![
            tx.tenant(),
            code,
            &row.document,
            &row.name,
            &row.number,
            row.digest,
            row.kind.text(),
            row.with_seq
        ],
    )
    .await?;
    Ok(())
}

/// The results of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn results(rows: &impl Rows, code: &CaseCode) -> Result<Vec<ResultRow>, Problem> {
    let rows = rows
        .all(
            "select document, name, number, digest, kind, with_seq from cases_results
             where tenant = $1 and code = $2 order by with_seq, document",
            params![rows.tenant(), code],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ResultRow {
                document: row.text("document")?,
                name: row.text("name")?,
                number: row.text("number")?,
                digest: row.digest("digest")?,
                kind: GivenKind::parse(&row.text("kind")?)?,
                with_seq: number(row, "with_seq")?,
            })
        })
        .collect()
}
