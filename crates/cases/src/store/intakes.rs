//! SQL of what was handed in at a desk: which intake became which case.

use ::store::{Tx, params};
use kernel::{CaseCode, Problem};

use crate::store::Rows;

/// The case that an official's intake became.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn intake(rows: &impl Rows, account: &str, id: &str) -> Result<Option<CaseCode>, Problem> {
    let row = rows
        .one(
            "select code from cases_intakes where tenant = $1 and account = $2 and id = $3",
            params![rows.tenant(), account, id],
        )
        .await?;
    row.map(|row| row.parse("code")).transpose()
}

/// Keeps which case an intake became.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_intake(tx: &Tx, account: &str, id: &str, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_intakes (tenant, account, id, code) values ($1, $2, $3, $4)",
        params![tx.tenant(), account, id, code],
    )
    .await?;
    Ok(())
}
