//! The SQL of changes: what a case changed in a record, and what stood there before. Never decides who may undo one.

use kernel::{Digest, Problem, Time};
use serde_json::{Map, Value};
use store::{Tx, params};

/// A change that was made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Made {
    /// The record's key.
    pub(crate) key: String,
    /// The system that made it.
    pub(crate) consumer: String,
    /// The digest of its request.
    pub(crate) request: Digest,
    /// Its number.
    pub(crate) number: String,
    /// From when it holds.
    pub(crate) from: Time,
    /// What stood in each changed field, `null` for nothing.
    pub(crate) before: Map<String, Value>,
    /// When it was taken back.
    pub(crate) undone_at: Option<Time>,
}

/// The change that a case made by a service.
pub(crate) async fn of(
    tx: &Tx,
    register: &str,
    (service, case): (&str, &str),
) -> Result<Option<Made>, Problem> {
    let row = tx
        .one(
            "select record_key, consumer, request, number, changed_from, before, undone_at from registers_changes \
             where tenant = $1 and register = $2 and service = $3 and case_code = $4",
            params![tx.tenant(), register, service, case],
        )
        .await?;
    row.map(|row| {
        Ok(Made {
            key: row.text("record_key")?,
            consumer: row.text("consumer")?,
            request: row.digest("request")?,
            number: row.text("number")?,
            from: row.time("changed_from")?,
            before: row.json("before")?,
            undone_at: row.opt_int("undone_at")?.map(Time),
        })
    })
    .transpose()
}

/// Keeps a change.
pub(crate) async fn keep(
    tx: &Tx,
    register: &str,
    (service, case): (&str, &str),
    made: &Made,
) -> Result<(), Problem> {
    let before = kernel::digest::canonical_json(&made.before).map_err(Problem::internal)?;
    tx.exec(
        "insert into registers_changes (tenant, register, service, case_code, record_key, consumer, request, number, \
         changed_from, before, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            tx.tenant(),
            register,
            service,
            case,
            &made.key,
            &made.consumer,
            made.request,
            &made.number,
            made.from,
            before,
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// Notes that a change was taken back.
pub(crate) async fn undone(tx: &Tx, register: &str, (service, case): (&str, &str)) -> Result<(), Problem> {
    tx.exec(
        "update registers_changes set undone_at = $5 \
         where tenant = $1 and register = $2 and service = $3 and case_code = $4 and undone_at is null",
        params![tx.tenant(), register, service, case, tx.now()],
    )
    .await?;
    Ok(())
}
