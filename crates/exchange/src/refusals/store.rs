//! The SQL of refused calls. Never a decision: rows in, rows out.

use kernel::{Problem, Time};
use store::{Reader, Row, Tx, params};

use super::CallRefused;
use crate::audit::ActPlace;

/// How long refused calls are kept, in milliseconds: 35 days.
const KEPT_MS_MAX: i64 = 35 * 86_400_000;
/// Refused calls that are kept, count.
const KEPT_MAX: u64 = 100_000;

/// What is asked for: every text that is not empty must be met.
#[derive(Clone, Debug)]
pub(crate) struct RefusedAsked<'a> {
    /// Behind this place.
    pub(crate) behind: ActPlace,
    pub(crate) id: &'a str,
    pub(crate) own: &'a str,
    pub(crate) consumer: &'a str,
    pub(crate) service: &'a str,
    pub(crate) code: &'a str,
}

pub(super) async fn insert(tx: &Tx, row: &CallRefused) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_refusals (tenant, at, id, own, consumer, service, code, request, times) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant, at, id) do nothing",
        params![
            tx.tenant(),
            row.at,
            &row.id,
            &row.own,
            &row.consumer,
            &row.service,
            &row.code,
            &row.request,
            row.times
        ],
    )
    .await?;
    Ok(())
}

/// Forgets what is old, or too much.
pub(super) async fn forget(tx: &Tx, now: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from exchange_refusals where tenant = $1 and (at < $2 or at < coalesce( \
         (select o.at from exchange_refusals o where o.tenant = $1 order by o.at desc limit 1 offset $3), 0))",
        params![tx.tenant(), now.plus_ms(-KEPT_MS_MAX), KEPT_MAX],
    )
    .await?;
    Ok(())
}

/// Whether there is one of an id.
pub(crate) async fn has(reader: &Reader, id: &str, own: &str) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select id from exchange_refusals where tenant = $1 and id = $2 and ($3 = '' or own = $3) limit 1",
            params![reader.tenant(), id, own],
        )
        .await?;
    Ok(row.is_some())
}

/// Refused calls behind a place, newest first.
pub(crate) async fn page(
    reader: &Reader,
    asked: &RefusedAsked<'_>,
    limit: usize,
) -> Result<Vec<CallRefused>, Problem> {
    let rows = reader
        .all(
            "select at, id, own, consumer, service, code, request, times from exchange_refusals \
             where tenant = $1 and (at, id) < ($2, $3) and ($4 = '' or id = $4) and ($5 = '' or own = $5) \
             and ($6 = '' or consumer = $6) and ($7 = '' or service = $7) and ($8 = '' or code = $8) \
             order by at desc, id desc limit $9",
            params![
                reader.tenant(),
                asked.behind.at,
                &asked.behind.id,
                asked.id,
                asked.own,
                asked.consumer,
                asked.service,
                asked.code,
                limit
            ],
        )
        .await?;
    rows.iter().map(refused).collect()
}

fn refused(row: &Row) -> Result<CallRefused, Problem> {
    Ok(CallRefused {
        at: row.int("at")?,
        id: row.text("id")?,
        own: row.text("own")?,
        consumer: row.text("consumer")?,
        service: row.text("service")?,
        code: row.text("code")?,
        request: row.text("request")?,
        times: row.int("times")?,
    })
}
