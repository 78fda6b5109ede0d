//! SQL of the versions of procedures. A version is written once and never changed: its name is the digest of
//! what it says. Never reads what a document means.

use ::store::{Tx, params};
use kernel::time::iso;
use kernel::{Date, Digest, Problem, ProcedureCode};

use crate::store::Rows;

/// Writes a version that is not there yet; false when it is.
///
/// # Errors
/// Unavailable.
pub(crate) async fn insert_version(
    tx: &Tx,
    version: &Digest,
    (code, from): (&ProcedureCode, Date),
    document: &str,
) -> Result<bool, Problem> {
    let written = tx
        .exec(
            "insert into cases_versions (tenant, digest, code, valid_from, document, at) values ($1, $2, $3, $4, $5, $6)
             on conflict (tenant, digest) do nothing",
            params![tx.tenant(), *version, code, iso(from), document, tx.now()],
        )
        .await?;
    Ok(written == 1)
}

/// Versions with their documents, by digest, at most `limit` of those after one.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn versions(
    rows: &impl Rows,
    after: &str,
    limit: u32,
) -> Result<Vec<(Digest, String)>, Problem> {
    let found = rows
        .all(
            "select digest, document from cases_versions where tenant = $1 and digest > $2 order by digest limit $3",
            params![rows.tenant(), after, i64::from(limit)],
        )
        .await?;
    let read = found
        .iter()
        .map(|row| Ok((row.digest("digest")?, row.text("document")?)));
    read.collect()
}
