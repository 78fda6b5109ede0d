//! All the SQL of the exchange. Never a decision: rows in, rows out.

use kernel::{Digest, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

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
