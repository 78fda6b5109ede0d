//! All the SQL of registered services. Never a decision: rows in, rows out.

use kernel::Problem;
use store::{Reader, Row, Tx, params};

use super::entry::{Entry, Stands};
use crate::ids::ServiceId;

fn entry_of(row: &Row) -> Result<Entry, Problem> {
    row.json("document")
}

/// Every service that was registered for a tenant.
pub(crate) async fn entries(reader: &Reader) -> Result<Vec<Entry>, Problem> {
    let rows = reader
        .all(
            "select document from exchange_services where tenant = $1 order by service",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(entry_of).collect()
}

/// One of them.
pub(super) async fn read_entry(reader: &Reader, id: &ServiceId) -> Result<Option<Entry>, Problem> {
    let row = reader
        .one(
            "select document from exchange_services where tenant = $1 and service = $2",
            params![reader.tenant(), id.to_string()],
        )
        .await?;
    row.as_ref().map(entry_of).transpose()
}

/// The same, within a change.
pub(super) async fn entry(tx: &Tx, id: &ServiceId) -> Result<Option<Entry>, Problem> {
    let row = tx
        .one(
            "select document from exchange_services where tenant = $1 and service = $2",
            params![tx.tenant(), id.to_string()],
        )
        .await?;
    row.as_ref().map(entry_of).transpose()
}

/// Writes a service as it stands now.
pub(super) async fn save(tx: &Tx, entry: &Entry) -> Result<(), Problem> {
    let document = serde_json::to_string(entry).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_services (tenant, service, document, changed_at) values ($1, $2, $3, $4) \
         on conflict (tenant, service) do update set document = excluded.document, \
         changed_at = excluded.changed_at",
        params![tx.tenant(), entry.id.to_string(), document, tx.now()],
    )
    .await?;
    Ok(())
}

/// Removes a service.
pub(super) async fn remove(tx: &Tx, id: &ServiceId) -> Result<(), Problem> {
    tx.exec(
        "delete from exchange_services where tenant = $1 and service = $2",
        params![tx.tenant(), id.to_string()],
    )
    .await?;
    Ok(())
}

fn own_of(row: &Row) -> Result<(ServiceId, Stands), Problem> {
    Ok((row.parse("service")?, row.json("document")?))
}

/// How the services of the platform stand of which a tenant has said something.
pub(crate) async fn own_stands(reader: &Reader) -> Result<Vec<(ServiceId, Stands)>, Problem> {
    let rows = reader
        .all(
            "select service, document from exchange_platform_services where tenant = $1 order by service",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(own_of).collect()
}

/// How one of them stands; none when nothing was said of it.
pub(super) async fn own_stand(tx: &Tx, id: &ServiceId) -> Result<Option<Stands>, Problem> {
    let row = tx
        .one(
            "select document from exchange_platform_services where tenant = $1 and service = $2",
            params![tx.tenant(), id.to_string()],
        )
        .await?;
    row.map(|row| row.json("document")).transpose()
}

/// Writes how one of them stands now.
pub(super) async fn save_own(tx: &Tx, id: &ServiceId, stands: &Stands) -> Result<(), Problem> {
    let document = serde_json::to_string(stands).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_platform_services (tenant, service, document, changed_at) \
         values ($1, $2, $3, $4) on conflict (tenant, service) do update set document = excluded.document, \
         changed_at = excluded.changed_at",
        params![tx.tenant(), id.to_string(), document, tx.now()],
    )
    .await?;
    Ok(())
}
