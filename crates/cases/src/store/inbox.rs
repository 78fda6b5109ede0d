//! SQL of the inbox. A row is written once, with the step that it tells of; only that it was read follows.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Problem, Time};

use crate::inbox::Step;
use crate::store::{Rows, json};

/// Unread entries that are counted, at most; more read as "more than".
pub(crate) const UNREAD_MAX: u64 = 99;

/// What a citizen was told of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryRow {
    /// The case's code and what tells the step apart: `G22-261121-0001/3`.
    pub(crate) id: String,
    /// The case.
    pub(crate) code: CaseCode,
    /// When the portal heard of it.
    pub(crate) at: Time,
    /// What happened.
    pub(crate) step: Step,
    /// When the citizen marked it as read.
    pub(crate) read_at: Option<Time>,
}

/// Writes an entry; false when it is there.
///
/// # Errors
/// Unavailable.
pub(crate) async fn insert(tx: &Tx, account: &str, entry: &EntryRow) -> Result<bool, Problem> {
    let new = tx
        .exec(
            "insert into cases_inbox (tenant, account, id, code, at, step) values ($1, $2, $3, $4, $5, $6)
             on conflict (tenant, account, id) do nothing",
            params![
                tx.tenant(),
                account,
                &entry.id,
                &entry.code,
                entry.at,
                json(&entry.step)?
            ],
        )
        .await?;
    Ok(new == 1)
}

/// The entries of a citizen before a place, newest first.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn list(
    rows: &impl Rows,
    account: &str,
    (at, id): (Time, &str),
    limit: usize,
) -> Result<Vec<EntryRow>, Problem> {
    let rows = rows
        .all(
            "select id, code, at, step, read_at from cases_inbox
             where tenant = $1 and account = $2 and (at < $3 or (at = $3 and id < $4))
             order by at desc, id desc limit $5",
            params![rows.tenant(), account, at, id, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// One entry of a citizen.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn entry(rows: &impl Rows, account: &str, id: &str) -> Result<Option<EntryRow>, Problem> {
    let row = rows
        .one(
            "select id, code, at, step, read_at from cases_inbox where tenant = $1 and account = $2 and id = $3",
            params![rows.tenant(), account, id],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// How many entries of a citizen are not read, counted to one more than [`UNREAD_MAX`].
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn unread(rows: &impl Rows, account: &str) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as unread from (
               select 1 from cases_inbox where tenant = $1 and account = $2 and read_at is null limit $3
             ) as waiting",
            params![rows.tenant(), account, UNREAD_MAX + 1],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("unread"))
}

/// Marks one entry as read; how many were not.
///
/// # Errors
/// Unavailable.
pub(crate) async fn mark_one(tx: &Tx, account: &str, id: &str) -> Result<u64, Problem> {
    tx.exec(
        "update cases_inbox set read_at = $4 where tenant = $1 and account = $2 and id = $3 and read_at is null",
        params![tx.tenant(), account, id, tx.now()],
    )
    .await
}

/// Marks all entries as read that came until an instant; how many were not.
///
/// # Errors
/// Unavailable.
pub(crate) async fn mark_all(tx: &Tx, account: &str, until: Time) -> Result<u64, Problem> {
    tx.exec(
        "update cases_inbox set read_at = $4 where tenant = $1 and account = $2 and at <= $3 and read_at is null",
        params![tx.tenant(), account, until, tx.now()],
    )
    .await
}

fn read(row: &Row) -> Result<EntryRow, Problem> {
    Ok(EntryRow {
        id: row.text("id")?,
        code: row.parse("code")?,
        at: row.time("at")?,
        step: row.json("step")?,
        read_at: row.opt_int("read_at")?.map(Time),
    })
}
