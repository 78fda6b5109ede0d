//! SQL of attached papers: rows point to blobs. A holder is a draft's or a case's subject. Never the
//! content itself.

use ::store::{Row, Tx, params};
use kernel::Problem;

use crate::draft::Attached;
use crate::store::Rows;

/// Attaches a paper, in the place of one of the same code.
///
/// # Errors
/// Unavailable.
pub async fn attach(tx: &Tx, holder: &str, paper: &Attached) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_papers (tenant, holder, code, name, media, size, digest) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant, holder, code)
         do update set name = excluded.name, media = excluded.media, size = excluded.size, digest = excluded.digest",
        params![tx.tenant(), holder, &paper.code, &paper.name, &paper.media, paper.size, paper.digest],
    )
    .await?;
    Ok(())
}

/// Hands all papers of one holder to another.
///
/// # Errors
/// Unavailable.
pub async fn papers_move(tx: &Tx, from: &str, to: &str) -> Result<u64, Problem> {
    tx.exec(
        "update cases_papers set holder = $3 where tenant = $1 and holder = $2",
        params![tx.tenant(), from, to],
    )
    .await
}

/// Takes the rows of a holder's papers away; the blobs stay.
///
/// # Errors
/// Unavailable.
pub async fn papers_forget(tx: &Tx, holder: &str) -> Result<u64, Problem> {
    tx.exec(
        "delete from cases_papers where tenant = $1 and holder = $2",
        params![tx.tenant(), holder],
    )
    .await
}

/// The papers of a holder, by code.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn papers(rows: &impl Rows, holder: &str) -> Result<Vec<Attached>, Problem> {
    let rows = rows
        .all(
            "select code, name, media, size, digest from cases_papers where tenant = $1 and holder = $2 order by code",
            params![rows.tenant(), holder],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// One paper of a holder.
///
/// # Errors
/// As [`papers`].
pub async fn paper(rows: &impl Rows, holder: &str, code: &str) -> Result<Option<Attached>, Problem> {
    rows.one(
        "select code, name, media, size, digest from cases_papers where tenant = $1 and holder = $2 and code = $3",
        params![rows.tenant(), holder, code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

fn read(row: &Row) -> Result<Attached, Problem> {
    Ok(Attached {
        code: row.text("code")?,
        name: row.text("name")?,
        media: row.text("media")?,
        size: row.count("size")?,
        digest: row.digest("digest")?,
    })
}
