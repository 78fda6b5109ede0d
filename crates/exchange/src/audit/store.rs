//! The SQL of the audit. Never a decision: rows in, rows out.

use kernel::{Problem, Time};
use serde::Serialize;
use store::{Reader, Row, Tx, params};
use utoipa::ToSchema;

/// How long refusals are kept, in milliseconds: 400 days. What was done is kept for good.
const REFUSALS_MS_MAX: i64 = 400 * 86_400_000;
/// Refusals that are kept, count.
const REFUSALS_MAX: u64 = 100_000;

/// One thing that was done, or tried and refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Act {
    /// When, milliseconds since 1970.
    pub(crate) at: i64,
    /// Its own id: `f` and the position of its fact in the log, or `r` and a number of chance.
    pub(crate) id: String,
    /// Who: `official:ACCOUNT`; empty for somebody who was not signed in.
    pub(crate) who: String,
    /// For which organisation of this node.
    pub(crate) unit: String,
    /// The fact's kind (`agreement-revoked`), or the operation that was refused; `many` for all that was
    /// beyond a minute's bound.
    pub(crate) act: String,
    /// On what: the fact's subject, or the path.
    pub(crate) object: String,
    /// `done` or `refused`.
    pub(crate) result: String,
    /// The problem's key, or the status; empty for what was done.
    pub(crate) code: String,
    /// How often within that minute.
    pub(crate) times: i64,
}

/// A place in the list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActPlace {
    pub(crate) at: i64,
    pub(crate) id: String,
}

impl ActPlace {
    /// The form in links: `AT.ID`.
    pub(crate) fn to_text(&self) -> String {
        format!("{}.{}", self.at, self.id)
    }

    /// Reads that form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        Some(Self {
            at: at.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

/// What is asked for: every text that is not empty must be met.
#[derive(Clone, Debug)]
pub(crate) struct ActsAsked<'a> {
    pub(crate) from: Time,
    /// Behind this place.
    pub(crate) behind: ActPlace,
    pub(crate) who: &'a str,
    pub(crate) result: &'a str,
    pub(crate) unit: &'a str,
}

pub(super) async fn insert(tx: &Tx, act: &Act) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_acts (tenant, at, id, who, unit, act, object, result, code, times) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (tenant, at, id) do nothing",
        params![
            tx.tenant(),
            act.at,
            &act.id,
            &act.who,
            &act.unit,
            &act.act,
            &act.object,
            &act.result,
            &act.code,
            act.times
        ],
    )
    .await?;
    Ok(())
}

/// Counts more of a kind into its row.
pub(super) async fn count(tx: &Tx, at: Time, id: &str, more: u64) -> Result<(), Problem> {
    tx.exec(
        "update exchange_acts set times = times + $4 where tenant = $1 and at = $2 and id = $3",
        params![tx.tenant(), at, id, more],
    )
    .await?;
    Ok(())
}

/// Forgets refusals that are old, or too many.
pub(crate) async fn forget_refusals(tx: &Tx, now: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from exchange_acts where tenant = $1 and result = 'refused' and (at < $2 or at < coalesce( \
         (select o.at from exchange_acts o where o.tenant = $1 and o.result = 'refused' \
         order by o.at desc limit 1 offset $3), 0))",
        params![tx.tenant(), now.plus_ms(-REFUSALS_MS_MAX), REFUSALS_MAX],
    )
    .await?;
    Ok(())
}

/// Acts behind a place, newest first.
pub(crate) async fn page(reader: &Reader, asked: &ActsAsked<'_>, limit: usize) -> Result<Vec<Act>, Problem> {
    let rows = reader
        .all(
            "select at, id, who, unit, act, object, result, code, times from exchange_acts \
             where tenant = $1 and (at, id) < ($2, $3) and at >= $4 and ($5 = '' or who = $5) \
             and ($6 = '' or result = $6) and ($7 = '' or unit = $7) order by at desc, id desc limit $8",
            params![
                reader.tenant(),
                asked.behind.at,
                &asked.behind.id,
                asked.from,
                asked.who,
                asked.result,
                asked.unit,
                limit
            ],
        )
        .await?;
    rows.iter().map(act).collect()
}

fn act(row: &Row) -> Result<Act, Problem> {
    Ok(Act {
        at: row.int("at")?,
        id: row.text("id")?,
        who: row.text("who")?,
        unit: row.text("unit")?,
        act: row.text("act")?,
        object: row.text("object")?,
        result: row.text("result")?,
        code: row.text("code")?,
        times: row.int("times")?,
    })
}
