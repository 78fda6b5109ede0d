//! All the SQL of the exchange. Never a decision: rows in, rows out.

use std::collections::BTreeMap;

use kernel::{Digest, OrgCode, Problem, Time};
use serde_json::json;
use store::{Pair, Reader, Row, Tx, params};

use crate::agreement::SignedAgreement;

/// A held agreement's row.
#[derive(Clone, Debug)]
pub(crate) struct HeldRow {
    pub(crate) signed: SignedAgreement,
    pub(crate) revoked_at: Option<Time>,
}

/// Every agreement a tenant holds, revoked ones included.
pub(crate) async fn agreements(reader: &Reader) -> Result<Vec<HeldRow>, Problem> {
    let rows = reader
        .all(
            "select document, revoked_at from exchange_agreements where tenant = $1 order by hash",
            params![reader.tenant()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(HeldRow {
                signed: row.json("document")?,
                revoked_at: row.opt_int("revoked_at")?.map(Time),
            })
        })
        .collect()
}

/// True when the tenant holds it already.
pub(crate) async fn holds(tx: &Tx, hash: &Digest) -> Result<bool, Problem> {
    let row = tx
        .one(
            "select hash from exchange_agreements where tenant = $1 and hash = $2",
            params![tx.tenant(), hash],
        )
        .await?;
    Ok(row.is_some())
}

pub(crate) async fn insert_agreement(
    tx: &Tx,
    hash: &Digest,
    signed: &SignedAgreement,
) -> Result<(), Problem> {
    let a = &signed.agreement;
    let document = serde_json::to_string(signed).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_agreements \
         (tenant, hash, provider, consumer, service, valid_from, valid_to, document) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tx.tenant(),
            hash,
            &a.provider,
            a.consumer.to_string(),
            a.service.to_string(),
            a.valid_from,
            a.valid_to,
            document
        ],
    )
    .await?;
    Ok(())
}

/// Marks an agreement as revoked; false when there is none that was not.
pub(crate) async fn revoke_agreement(
    tx: &Tx,
    hash: &Digest,
    by: &OrgCode,
    why: &str,
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update exchange_agreements set revoked_at = $3, revoked_by = $4, revoked_why = $5 \
             where tenant = $1 and hash = $2 and revoked_at is null",
            params![tx.tenant(), hash, tx.now(), by, why],
        )
        .await?;
    Ok(changed == 1)
}

/// One exchange as the index knows it; the truth is the log's record.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Indexed {
    /// The exchange's id.
    pub request: String,
    /// `consumer` or `provider`.
    pub side: String,
    /// The evidence stream.
    pub stream: String,
    /// The record's position in it.
    pub position: u64,
    /// Who asked.
    pub consumer: String,
    /// What was asked.
    pub service: String,
    /// Under which agreement.
    pub agreement: String,
    /// The case that caused it.
    pub issue: Option<String>,
    /// The service's status; 0 when a gateway refused.
    pub status: i64,
    /// When this gateway began, in milliseconds since 1970.
    pub began: i64,
    /// When this gateway ended, in milliseconds since 1970.
    pub ended: i64,
    /// The organisation of this node whose record it is.
    pub own: String,
    /// The other party's organisation.
    pub member: String,
    /// `ok`, `refused` or `fault`.
    pub result: String,
    /// Why a gateway refused or answered in its service's place: a problem's key; empty otherwise.
    pub fault: String,
}

pub(crate) fn indexed(row: &Row) -> Result<Indexed, Problem> {
    Ok(Indexed {
        request: row.text("request")?,
        side: row.text("side")?,
        stream: row.text("stream")?,
        position: row.count("log_position")?,
        consumer: row.text("consumer")?,
        service: row.text("service")?,
        agreement: row.text("agreement")?,
        issue: row.opt_text("issue")?,
        status: row.int("status")?,
        began: row.int("began")?,
        ended: row.int("ended")?,
        own: row.text("own")?,
        member: row.text("member")?,
        result: row.text("result")?,
        fault: row.text("fault")?,
    })
}

/// Many exchanges at once: a JSON array of `[request, side, stream, position, consumer, service,
/// agreement, issue, status, began, ended, own, member, result, fault]`, none of them twice.
const INDEX: Pair = Pair {
    sqlite: "insert into exchange_requests \
             (tenant, request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
             ended, own, member, result, fault) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
             value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, \
             value ->> 13, value ->> 14 from json_each($2) where true \
             on conflict (tenant, request, side) do update set stream = excluded.stream, \
             log_position = excluded.log_position, agreement = excluded.agreement, issue = excluded.issue, \
             status = excluded.status, began = excluded.began, ended = excluded.ended, \
             result = excluded.result, fault = excluded.fault \
             where exchange_requests.status = 0 and excluded.status <> 0",
    postgres: "insert into exchange_requests \
               (tenant, request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
               ended, own, member, result, fault) \
               select $1, value ->> 0, value ->> 1, value ->> 2, cast(value ->> 3 as bigint), value ->> 4, \
               value ->> 5, value ->> 6, value ->> 7, cast(value ->> 8 as bigint), cast(value ->> 9 as bigint), \
               cast(value ->> 10 as bigint), value ->> 11, value ->> 12, value ->> 13, value ->> 14 \
               from jsonb_array_elements($2::text::jsonb) as t(value) \
               on conflict (tenant, request, side) do update set stream = excluded.stream, \
               log_position = excluded.log_position, agreement = excluded.agreement, issue = excluded.issue, \
               status = excluded.status, began = excluded.began, ended = excluded.ended, \
               result = excluded.result, fault = excluded.fault \
               where exchange_requests.status = 0 and excluded.status <> 0",
};

/// Indexes exchanges. Of two records under one id, the answered one counts, else the first.
pub(crate) async fn index(tx: &Tx, exchanges: &[&Indexed]) -> Result<(), Problem> {
    let mut once: BTreeMap<(&str, &str), &Indexed> = BTreeMap::new();
    for e in exchanges {
        let first = once.entry((&e.request, &e.side)).or_insert(e);
        if first.status == 0 && e.status != 0 {
            *first = e;
        }
    }
    if once.is_empty() {
        return Ok(());
    }
    let row = |e: &&Indexed| {
        json!([
            e.request,
            e.side,
            e.stream,
            e.position,
            e.consumer,
            e.service,
            e.agreement,
            e.issue,
            e.status,
            e.began,
            e.ended,
            e.own,
            e.member,
            e.result,
            e.fault
        ])
    };
    let rows: Vec<_> = once.values().map(row).collect();
    tx.bulk_insert(INDEX, serde_json::Value::from(rows).to_string())
        .await
        .map(drop)
}

/// The sides this node has of one exchange.
pub(crate) async fn find(reader: &Reader, request: &str) -> Result<Vec<Indexed>, Problem> {
    let rows = reader
        .all(
            "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
             ended, own, member, result, fault \
             from exchange_requests where tenant = $1 and request = $2 order by side",
            params![reader.tenant(), request],
        )
        .await?;
    rows.iter().map(indexed).collect()
}

/// The ids that consumers gave their messages: a JSON array of `[message, request]`.
const INDEX_MESSAGES: Pair = Pair {
    sqlite: "insert into exchange_messages (tenant, message, request) \
             select $1, value ->> 0, value ->> 1 from json_each($2) where true on conflict do nothing",
    postgres: "insert into exchange_messages (tenant, message, request) \
               select $1, value ->> 0, value ->> 1 from jsonb_array_elements($2::text::jsonb) as t(value) \
               on conflict do nothing",
};

/// Remembers the ids that consumers gave their messages, each with its exchange.
pub(crate) async fn index_messages(tx: &Tx, messages: &[(&str, &str)]) -> Result<(), Problem> {
    if messages.is_empty() {
        return Ok(());
    }
    tx.bulk_insert(INDEX_MESSAGES, json!(messages).to_string())
        .await
        .map(drop)
}

/// The sides of the exchanges whose message bore an id, oldest first.
pub(crate) async fn by_message(
    reader: &Reader,
    message: &str,
    limit: usize,
) -> Result<Vec<Indexed>, Problem> {
    let rows = reader
        .all(
            "select r.request as request, r.side as side, r.stream as stream, r.log_position as log_position, \
             r.consumer as consumer, r.service as service, r.agreement as agreement, r.issue as issue, \
             r.status as status, r.began as began, r.ended as ended, r.own as own, r.member as member, \
             r.result as result, r.fault as fault from exchange_messages m \
             join exchange_requests r on r.tenant = m.tenant and r.request = m.request \
             where m.tenant = $1 and m.message = $2 order by r.began, r.request, r.side limit $3",
            params![reader.tenant(), message, limit as u64],
        )
        .await?;
    rows.iter().map(indexed).collect()
}

/// Counts answered calls of agreements with a quota in, by agreement and day.
pub(crate) async fn count_quota(tx: &Tx, agreement: &str, day: &str, calls: u32) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_quota_days (tenant, agreement, day, calls) values ($1, $2, $3, $4) \
         on conflict (tenant, agreement, day) do update set calls = exchange_quota_days.calls + excluded.calls",
        params![tx.tenant(), agreement, day, i64::from(calls)],
    )
    .await?;
    Ok(())
}

/// The answered calls of agreements with a quota from a day on: agreement, day, calls.
pub(crate) async fn quota_days(tx: &Tx, from: &str) -> Result<Vec<(Digest, String, u64)>, Problem> {
    let rows = tx
        .all(
            "select agreement, day, calls from exchange_quota_days where tenant = $1 and day >= $2",
            params![tx.tenant(), from],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.digest("agreement")?, row.text("day")?, row.count("calls")?)))
        .collect()
}

/// A stamped span of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) first: u64,
    pub(crate) next: u64,
    pub(crate) checkpoint: String,
    pub(crate) root: Digest,
    pub(crate) token: Vec<u8>,
    /// The directory in force; none of an earlier release.
    pub(crate) directory: Option<Digest>,
}

fn stamp(row: &Row) -> Result<Stamp, Problem> {
    Ok(Stamp {
        first: row.count("first_position")?,
        next: row.count("next_position")?,
        checkpoint: row.text("checkpoint")?,
        root: row.digest("root")?,
        token: row.bytes("token")?,
        directory: row.opt_text("directory")?.as_deref().and_then(Digest::parse),
    })
}

pub(crate) async fn insert_stamp(tx: &Tx, stream: &str, s: &Stamp, leaves: &[Digest]) -> Result<(), Problem> {
    let leaves: Vec<u8> = leaves.iter().flat_map(|leaf| leaf.0).collect();
    tx.exec(
        "insert into exchange_timestamps \
         (tenant, stream, first_position, next_position, checkpoint, root, token, stamped_at, leaves, directory) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            tx.tenant(),
            stream,
            s.first,
            s.next,
            &s.checkpoint,
            &s.root,
            s.token.clone(),
            tx.now(),
            leaves,
            s.directory.as_ref().map(Digest::hex)
        ],
    )
    .await?;
    Ok(())
}

/// The leaves of the chain that a stamp covers; none when they were not kept with it.
pub(crate) async fn stamped_leaves(
    reader: &Reader,
    stream: &str,
    first: u64,
) -> Result<Option<Vec<Digest>>, Problem> {
    let row = reader
        .one(
            "select leaves from exchange_timestamps where tenant = $1 and stream = $2 and first_position = $3",
            params![reader.tenant(), stream, first],
        )
        .await?;
    let kept = row.map(|row| row.opt_bytes("leaves")).transpose()?.flatten();
    Ok(kept.map(|bytes| {
        bytes
            .as_chunks::<32>()
            .0
            .iter()
            .map(|leaf| Digest(*leaf))
            .collect()
    }))
}

/// The stamp whose span holds a position.
pub(crate) async fn stamp_of(reader: &Reader, stream: &str, position: u64) -> Result<Option<Stamp>, Problem> {
    let row = reader
        .one(
            "select first_position, next_position, checkpoint, root, token, directory from exchange_timestamps \
             where tenant = $1 and stream = $2 and first_position <= $3 and next_position > $3",
            params![reader.tenant(), stream, position],
        )
        .await?;
    row.as_ref().map(stamp).transpose()
}

/// The position up to which a stream is stamped.
pub(crate) async fn stamped_to(reader: &Reader, stream: &str) -> Result<u64, Problem> {
    let row = reader
        .one(
            "select cast(coalesce(max(next_position), 0) as bigint) as next_position from exchange_timestamps \
             where tenant = $1 and stream = $2",
            params![reader.tenant(), stream],
        )
        .await?;
    row.map_or(Ok(0), |r| r.count("next_position"))
}
