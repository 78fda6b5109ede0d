//! SQL of the calendar by which a place's due dates were counted last.

use ::store::{Reader, Tx, params};
use kernel::{Digest, Problem};

/// The digest of that calendar; `None` before the first count.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn counted_by(reader: &Reader) -> Result<Option<Digest>, Problem> {
    let row = reader
        .one(
            "select calendar from cases_recounts where tenant = $1",
            params![reader.tenant()],
        )
        .await?;
    row.map(|row| row.digest("calendar")).transpose()
}

/// Notes that all dates are counted by a calendar.
///
/// # Errors
/// Unavailable.
pub async fn note_calendar(tx: &Tx, calendar: Digest) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_recounts (tenant, calendar, at) values ($1, $2, $3)
         on conflict (tenant) do update set calendar = excluded.calendar, at = excluded.at",
        params![tx.tenant(), calendar, tx.now()],
    )
    .await?;
    Ok(())
}
