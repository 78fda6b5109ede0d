//! SQL of what applicants send about running cases. A row is written once; only its outcome follows.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Problem, Time};

use crate::store::{Rows, json, number};
use crate::submission::Said;

/// A submission as it is kept, at the portal and at the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionRow {
    /// The order within the case, from 1.
    pub seq: u32,
    /// When it was sent.
    pub at: Time,
    /// What is said.
    pub said: Said,
    /// `taken`, or the key of the owner's refusal; nothing before the owner answered.
    pub outcome: Option<String>,
}

/// Writes a submission.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_submission(tx: &Tx, code: &CaseCode, row: &SubmissionRow) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_submissions (tenant, code, seq, at, said, outcome) values ($1, $2, $3, $4, $5, $6)",
        params![tx.tenant(), code, row.seq, row.at, json(&row.said)?, row.outcome.clone()],
    )
    .await?;
    Ok(())
}

/// Notes what the owner said to a submission.
///
/// # Errors
/// Unavailable.
pub async fn note_outcome(tx: &Tx, code: &CaseCode, seq: u32, outcome: &str) -> Result<(), Problem> {
    tx.exec(
        "update cases_submissions set outcome = $4 where tenant = $1 and code = $2 and seq = $3",
        params![tx.tenant(), code, seq, outcome],
    )
    .await?;
    Ok(())
}

/// The submissions of a case, in order.
///
/// # Errors
/// As [`super::case`].
pub async fn submissions(rows: &impl Rows, code: &CaseCode) -> Result<Vec<SubmissionRow>, Problem> {
    let rows = rows
        .all(
            "select seq, at, said, outcome from cases_submissions where tenant = $1 and code = $2 order by seq",
            params![rows.tenant(), code],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The number of the last submission of a case; 0 before the first.
///
/// # Errors
/// As [`super::case`].
pub async fn last_submission(rows: &impl Rows, code: &CaseCode) -> Result<u32, Problem> {
    let row = rows
        .one(
            "select cast(coalesce(max(seq), 0) as bigint) as seq from cases_submissions where tenant = $1 and code = $2",
            params![rows.tenant(), code],
        )
        .await?;
    row.map_or(Ok(0), |row| number(&row, "seq"))
}

/// One submission of a case.
///
/// # Errors
/// As [`super::case`].
pub async fn submission(
    rows: &impl Rows,
    code: &CaseCode,
    seq: u32,
) -> Result<Option<SubmissionRow>, Problem> {
    rows.one(
        "select seq, at, said, outcome from cases_submissions where tenant = $1 and code = $2 and seq = $3",
        params![rows.tenant(), code, seq],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

fn read(row: &Row) -> Result<SubmissionRow, Problem> {
    Ok(SubmissionRow {
        seq: number(row, "seq")?,
        at: row.time("at")?,
        said: row.json("said")?,
        outcome: row.opt_text("outcome")?,
    })
}
