//! All the SQL of information systems: their certificates, and how they connect. Never a decision: rows in, rows out.

use kernel::{Digest, Problem};
use store::{Reader, Tx, params};

use super::Registered;
use crate::face::Connection;
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

fn read_connection(text: &str) -> Result<Connection, Problem> {
    Connection::parse(text).ok_or_else(|| Problem::internal(format!("{text} is no kind of connection")))
}

/// How a tenant's systems have to connect, where that is said.
pub(super) async fn connections(reader: &Reader) -> Result<Vec<(SystemId, Connection)>, Problem> {
    let rows = reader
        .all(
            "select consumer, connection from exchange_client_connections where tenant = $1 order by consumer",
            params![reader.tenant()],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.parse("consumer")?, read_connection(&row.text("connection")?)?)))
        .collect()
}

/// How one of them has to.
pub(super) async fn connection(tx: &Tx, system: &SystemId) -> Result<Option<Connection>, Problem> {
    let row = tx
        .one(
            "select connection from exchange_client_connections where tenant = $1 and consumer = $2",
            params![tx.tenant(), system.to_string()],
        )
        .await?;
    row.map(|row| read_connection(&row.text("connection")?))
        .transpose()
}

/// Writes how a system has to connect; none for nothing said.
pub(super) async fn set_connection(
    tx: &Tx,
    system: &SystemId,
    connection: Option<Connection>,
) -> Result<(), Problem> {
    let Some(connection) = connection else {
        tx.exec(
            "delete from exchange_client_connections where tenant = $1 and consumer = $2",
            params![tx.tenant(), system.to_string()],
        )
        .await?;
        return Ok(());
    };
    tx.exec(
        "insert into exchange_client_connections (tenant, consumer, connection, changed_at) \
         values ($1, $2, $3, $4) on conflict (tenant, consumer) do update set \
         connection = excluded.connection, changed_at = excluded.changed_at",
        params![tx.tenant(), system.to_string(), connection.as_str(), tx.now()],
    )
    .await?;
    Ok(())
}
