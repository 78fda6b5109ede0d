//! SQL of what officials keep of the worklist's choices: each their own. Never another's.

use ::store::{Tx, params};
use kernel::Problem;

use crate::store::Rows;

/// A choice that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterRow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The part of the list, as addresses name it.
    pub(crate) part: String,
}

/// What somebody keeps, the oldest first.
pub(crate) async fn of(rows: &impl Rows, account: &str) -> Result<Vec<FilterRow>, Problem> {
    let found = rows
        .all(
            "select id, name, part from cases_filters where tenant = $1 and account = $2 order by at, id",
            params![rows.tenant(), account],
        )
        .await?;
    found
        .iter()
        .map(|row| {
            Ok(FilterRow {
                id: row.text("id")?,
                name: row.text("name")?,
                part: row.text("part")?,
            })
        })
        .collect()
}

/// Keeps a choice.
pub(crate) async fn insert(tx: &Tx, account: &str, row: &FilterRow) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_filters (tenant, account, id, name, part, at) values ($1, $2, $3, $4, $5, $6)",
        params![tx.tenant(), account, &row.id, &row.name, &row.part, tx.now()],
    )
    .await?;
    Ok(())
}

/// Drops a choice; true when there was one.
pub(crate) async fn delete(tx: &Tx, account: &str, id: &str) -> Result<bool, Problem> {
    let gone = tx
        .exec(
            "delete from cases_filters where tenant = $1 and account = $2 and id = $3",
            params![tx.tenant(), account, id],
        )
        .await?;
    Ok(gone > 0)
}
