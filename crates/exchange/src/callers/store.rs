//! All the SQL of the certificates of information systems. Never a decision: rows in, rows out.

use kernel::{Digest, Problem};
use store::{Reader, Tx, params};

use super::Registered;
use crate::ids::SystemId;

/// Every certificate of a tenant's systems.
pub(super) async fn all(reader: &Reader) -> Result<Vec<Registered>, Problem> {
    let rows = reader
        .all(
            "select consumer, thumbprint, name, valid_from, valid_to, registered_at \
             from exchange_client_certificates where tenant = $1 order by consumer, registered_at, thumbprint",
            params![reader.tenant()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Registered {
                system: row.parse("consumer")?,
                thumbprint: row.digest("thumbprint")?,
                name: row.text("name")?,
                valid_from: row.time("valid_from")?,
                valid_to: row.time("valid_to")?,
                registered_at: row.time("registered_at")?,
            })
        })
        .collect()
}

/// How many certificates a system has.
pub(super) async fn count(tx: &Tx, system: &SystemId) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as registered from exchange_client_certificates where tenant = $1 and consumer = $2",
            params![tx.tenant(), system.to_string()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("registered"))
}

/// Writes a certificate of a system.
pub(super) async fn insert(tx: &Tx, one: &Registered) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_client_certificates \
         (tenant, consumer, thumbprint, name, valid_from, valid_to, registered_at) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            one.system.to_string(),
            &one.thumbprint,
            &one.name,
            one.valid_from,
            one.valid_to,
            one.registered_at
        ],
    )
    .await?;
    Ok(())
}

/// Removes a certificate of a system; false when there is none.
pub(super) async fn remove(tx: &Tx, system: &SystemId, thumbprint: &Digest) -> Result<bool, Problem> {
    let removed = tx
        .exec(
            "delete from exchange_client_certificates where tenant = $1 and consumer = $2 and thumbprint = $3",
            params![tx.tenant(), system.to_string(), thumbprint],
        )
        .await?;
    Ok(removed == 1)
}
