//! SQL of a case's statuses and results. Never changes a row that is there: both only grow.

use ::store::{Tx, params};
use kernel::{CaseCode, Digest, Problem, Time};

use crate::store::{Rows, number};

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
}

/// A result that was given.
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
}

/// Writes one status of a case.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_status(tx: &Tx, code: &CaseCode, row: &StatusRow) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_statuses (tenant, code, seq, status, at, due_at) values ($1, $2, $3, $4, $5, $6)",
        params![tx.tenant(), code, row.seq, row.status, row.at, row.due],
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
            "select seq, status, at, due_at from cases_statuses where tenant = $1 and code = $2 order by seq",
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
        "insert into cases_results (tenant, code, document, name, number, digest) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant, code, document) do nothing",
        params![tx.tenant(), code, &row.document, &row.name, &row.number, row.digest],
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
            "select document, name, number, digest from cases_results where tenant = $1 and code = $2 order by document",
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
            })
        })
        .collect()
}
