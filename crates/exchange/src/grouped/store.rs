//! All the SQL of offers to groups. Never a decision: rows in, rows out.

use std::collections::BTreeMap;

use kernel::{Digest, OrgCode, Problem};
use store::{Reader, Row, Tx, params};

use crate::agreement::Agreement;
use crate::ids::SystemId;

/// An offer to a group as an organisation of this node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownGroupOffer {
    /// The text's hash.
    pub hash: Digest,
    /// The text.
    pub text: Agreement,
    /// At a member: its systems that may take it up; none when it is not offered to it any more.
    pub systems: Vec<SystemId>,
    /// The provider's number of its last word on it.
    pub serial: i64,
    /// True when the provider ended it.
    pub ended: bool,
}

fn known(row: &Row) -> Result<KnownGroupOffer, Problem> {
    Ok(KnownGroupOffer {
        hash: row.digest("hash")?,
        text: row.json("document")?,
        systems: row.json("systems")?,
        serial: row.int("serial")?,
        ended: row.opt_int("ended_at")?.is_some(),
    })
}

/// Every offer to a group that a tenant knows, by the providers' numbers.
pub(crate) async fn all(reader: &Reader) -> Result<Vec<KnownGroupOffer>, Problem> {
    let rows = reader
        .all(
            "select hash, document, systems, serial, ended_at from exchange_group_offers \
             where tenant = $1 order by number, hash",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(known).collect()
}

/// Those of them of which somebody may have to be told: what is offered now, and what ended while
/// somebody was last told that it is offered to it. Offers stay for ever, and this is read each minute.
pub(super) async fn followed(reader: &Reader) -> Result<Vec<KnownGroupOffer>, Problem> {
    let rows = reader
        .all(
            "select hash, document, systems, serial, ended_at from exchange_group_offers as o \
             where tenant = $1 and (ended_at is null or exists (select 1 from exchange_group_told as t \
             where t.tenant = o.tenant and t.hash = o.hash and t.systems <> '[]')) order by number, hash",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(known).collect()
}

const ONE: &str = "select hash, document, systems, serial, ended_at from exchange_group_offers \
     where tenant = $1 and hash = $2";

/// One of them.
pub(crate) async fn read(reader: &Reader, hash: &Digest) -> Result<Option<KnownGroupOffer>, Problem> {
    let row = reader.one(ONE, params![reader.tenant(), hash]).await?;
    row.as_ref().map(known).transpose()
}

/// The same, within a change.
pub(super) async fn one(tx: &Tx, hash: &Digest) -> Result<Option<KnownGroupOffer>, Problem> {
    let row = tx.one(ONE, params![tx.tenant(), hash]).await?;
    row.as_ref().map(known).transpose()
}

/// What a provider, with all its units, offers to a tenant's systems now, count.
pub(super) async fn open(tx: &Tx, provider: &OrgCode) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as open from exchange_group_offers \
             where tenant = $1 and provider = $2 and ended_at is null",
            params![tx.tenant(), provider.top()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("open"))
}

/// Writes one as it stands now; under the provider's level-1 organisation, whose word it is: which unit
/// a text names is the sender's choice, and would have a bound of its own.
pub(super) async fn save(tx: &Tx, one: &KnownGroupOffer) -> Result<(), Problem> {
    let document = serde_json::to_string(&one.text).map_err(Problem::internal)?;
    let systems = serde_json::to_string(&one.systems).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_group_offers \
         (tenant, hash, provider, number, document, systems, serial, changed_at, ended_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (tenant, hash) do update set systems = excluded.systems, serial = excluded.serial, \
         changed_at = excluded.changed_at, ended_at = excluded.ended_at",
        params![
            tx.tenant(),
            &one.hash,
            one.text.provider.top(),
            &one.text.id,
            document,
            systems,
            one.serial,
            tx.now(),
            one.ended.then(|| tx.now())
        ],
    )
    .await?;
    Ok(())
}

/// Writes the row of an offer as it is: of two changes that decide by what was made of it, the one that
/// comes later waits for the other, or is run again and sees it.
pub(crate) async fn touch(tx: &Tx, hash: &Digest) -> Result<(), Problem> {
    tx.exec(
        "update exchange_group_offers set changed_at = changed_at where tenant = $1 and hash = $2",
        params![tx.tenant(), hash],
    )
    .await?;
    Ok(())
}

/// What each organisation was told last of an offer: the provider's number of it and the systems.
pub(super) async fn told(
    reader: &Reader,
    hash: &Digest,
) -> Result<BTreeMap<OrgCode, (i64, Vec<SystemId>)>, Problem> {
    let rows = reader
        .all(
            "select org, systems, serial from exchange_group_told where tenant = $1 and hash = $2",
            params![reader.tenant(), hash],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.parse("org")?, (row.int("serial")?, row.json("systems")?))))
        .collect()
}

/// Writes what an organisation was told.
pub(super) async fn save_told(
    tx: &Tx,
    hash: &Digest,
    org: &OrgCode,
    serial: i64,
    systems: &[SystemId],
) -> Result<(), Problem> {
    let systems = serde_json::to_string(systems).map_err(Problem::internal)?;
    tx.exec(
        "insert into exchange_group_told (tenant, hash, org, systems, serial) values ($1, $2, $3, $4, $5) \
         on conflict (tenant, hash, org) do update set systems = excluded.systems, serial = excluded.serial",
        params![tx.tenant(), hash, org, systems, serial],
    )
    .await?;
    Ok(())
}
