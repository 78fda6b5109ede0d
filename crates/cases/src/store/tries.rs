//! SQL of counted tries of the public tracking. Knows nobody: a key is a salted digest. Never keeps a try
//! that no longer counts.

use ::store::{Tx, params};
use kernel::{Digest, Problem, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The tries of somebody.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn tries<T: DeserializeOwned>(tx: &Tx, who: &Digest) -> Result<Option<T>, Problem> {
    tx.one(
        "select tries from cases_tries where tenant = $1 and who = $2",
        params![tx.tenant(), *who],
    )
    .await?
    .map(|row| row.json("tries"))
    .transpose()
}

/// Keeps the tries of somebody.
///
/// # Errors
/// Unavailable.
pub async fn save_tries(tx: &Tx, who: &Digest, tries: &impl Serialize) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_tries (tenant, who, tries, last) values ($1, $2, $3, $4)
         on conflict (tenant, who) do update set tries = excluded.tries, last = excluded.last",
        params![tx.tenant(), *who, crate::store::json(tries)?, tx.now()],
    )
    .await?;
    Ok(())
}

/// Forgets the tries that were made before an instant and count no more.
///
/// # Errors
/// Unavailable.
pub async fn forget_tries(tx: &Tx, before: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from cases_tries where tenant = $1 and last < $2",
        params![tx.tenant(), before],
    )
    .await?;
    Ok(())
}
