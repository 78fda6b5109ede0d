//! All the SQL of what has left the live log. Never a decision: rows in, rows out.

use kernel::Problem;
use store::{Reader, Row, Tx, params};

use super::{EvidenceArchive, Leaving};

fn archive(row: &Row) -> Result<EvidenceArchive, Problem> {
    Ok(EvidenceArchive {
        first: row.count("first_position")?,
        next: row.count("next_position")?,
        file: row.text("file")?,
        sha256: row.text("sha256")?,
        bytes: row.count("bytes")?,
        class: row.text("class")?,
        keep_until: row.opt_int("keep_until")?,
        since: row.int("left_at")?,
    })
}

pub(super) async fn insert(tx: &Tx, stream: &str, span: &Leaving) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_archives \
         (tenant, stream, first_position, next_position, file, sha256, bytes, class, keep_until, left_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            tx.tenant(),
            stream,
            span.first,
            span.next,
            &span.file,
            span.sha256.hex(),
            span.bytes,
            &span.class,
            span.keep_until.map(kernel::Time::ms),
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// The position up to which everything has left.
pub(super) async fn left_to(reader: &Reader, stream: &str) -> Result<u64, Problem> {
    let row = reader
        .one(
            "select cast(coalesce(max(next_position), 0) as bigint) as next_position from exchange_archives \
             where tenant = $1 and stream = $2",
            params![reader.tenant(), stream],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("next_position"))
}

/// The archive that holds a position which has left.
pub(super) async fn of_position(
    reader: &Reader,
    stream: &str,
    position: u64,
) -> Result<Option<EvidenceArchive>, Problem> {
    let row = reader
        .one(
            "select first_position, next_position, file, sha256, bytes, class, keep_until, left_at \
             from exchange_archives where tenant = $1 and stream = $2 and first_position <= $3 \
             and next_position > $3 order by first_position desc limit 1",
            params![reader.tenant(), stream, position],
        )
        .await?;
    row.as_ref().map(archive).transpose()
}

/// The archives in front of a position, the newest first, at most `limit`.
pub(super) async fn page(
    reader: &Reader,
    stream: &str,
    before: u64,
    limit: usize,
) -> Result<Vec<EvidenceArchive>, Problem> {
    let rows = reader
        .all(
            "select first_position, next_position, file, sha256, bytes, class, keep_until, left_at \
             from exchange_archives where tenant = $1 and stream = $2 and first_position < $3 \
             order by first_position desc limit $4",
            params![reader.tenant(), stream, before, limit],
        )
        .await?;
    rows.iter().map(archive).collect()
}
