//! Rows of API keys: their SQL. Never the key itself: its digest.

use kernel::{Digest, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use super::account_of;
use crate::keys::Key;

const BY_DIGEST: &str = "select k.id as key_id, k.name as key_name, k.roles as key_roles, k.made, k.expires, k.revoked, \
     k.used, a.id, a.name, a.subject, a.born, a.level, a.roles, a.unit \
     from identity_api_keys k \
     join identity_accounts a on a.tenant = k.tenant and a.id = k.account \
     where k.tenant = $1 and k.digest = $2";

const BY_ID: &str = "select k.id as key_id, k.name as key_name, k.roles as key_roles, k.made, k.expires, k.revoked, \
     k.used, a.id, a.name, a.subject, a.born, a.level, a.roles, a.unit \
     from identity_api_keys k \
     join identity_accounts a on a.tenant = k.tenant and a.id = k.account \
     where k.tenant = $1 and k.id = $2";

const OF_UNIT: &str = "select k.id as key_id, k.name as key_name, k.roles as key_roles, k.made, k.expires, k.revoked, \
     k.used, a.id, a.name, a.subject, a.born, a.level, a.roles, a.unit \
     from identity_api_keys k \
     join identity_accounts a on a.tenant = k.tenant and a.id = k.account \
     where k.tenant = $1 and a.unit = $2 \
     order by k.made desc, k.id limit $3";

/// A new key.
pub(crate) struct NewKey<'a> {
    pub(crate) id: &'a str,
    pub(crate) digest: &'a Digest,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
    pub(crate) roles: &'a [String],
    pub(crate) expires: Time,
}

pub(crate) async fn insert_key(tx: &Tx, new: &NewKey<'_>) -> Result<(), Problem> {
    tx.exec(
        "insert into identity_api_keys (tenant, id, digest, account, name, roles, made, expires) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tx.tenant(),
            new.id,
            new.digest,
            new.account,
            new.name,
            super::roles_text(new.roles)?,
            tx.now(),
            new.expires
        ],
    )
    .await?;
    Ok(())
}

/// How many keys of an account can be used.
pub(crate) async fn live_keys(tx: &Tx, account: &str) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as live from identity_api_keys \
             where tenant = $1 and account = $2 and revoked is null and expires > $3",
            params![tx.tenant(), account, tx.now()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("live"))
}

/// A key by its digest, with the account that made it.
pub(crate) async fn key_by_digest(reader: &Reader, digest: &Digest) -> Result<Option<Key>, Problem> {
    let row = reader.one(BY_DIGEST, params![reader.tenant(), digest]).await?;
    row.as_ref().map(key_of).transpose()
}

/// A key by its id, however old, with the account that made it.
pub(crate) async fn key(reader: &Reader, id: &str) -> Result<Option<Key>, Problem> {
    let row = reader.one(BY_ID, params![reader.tenant(), id]).await?;
    row.as_ref().map(key_of).transpose()
}

/// The newest keys of a unit, whoever of it made them.
pub(crate) async fn keys(reader: &Reader, unit: &OrgCode, limit: u64) -> Result<Vec<Key>, Problem> {
    let values = params![reader.tenant(), unit, limit];
    let rows = reader.all(OF_UNIT, values).await?;
    rows.iter().map(key_of).collect()
}

/// Revokes a key; false when it is revoked already.
pub(crate) async fn revoke_key(tx: &Tx, id: &str) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update identity_api_keys set revoked = $3 where tenant = $1 and id = $2 and revoked is null",
            params![tx.tenant(), id, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// Sweeps keys that had ended until an instant.
pub(crate) async fn sweep_keys(tx: &Tx, until: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_api_keys where tenant = $1 and expires <= $2",
        params![tx.tenant(), until],
    )
    .await?;
    Ok(())
}

/// Notes that a key was used.
pub(crate) async fn touch_key(tx: &Tx, id: &str) -> Result<(), Problem> {
    tx.exec(
        "update identity_api_keys set used = $3 \
         where tenant = $1 and id = $2 and (used is null or used < $3)",
        params![tx.tenant(), id, tx.now()],
    )
    .await?;
    Ok(())
}

fn key_of(row: &Row) -> Result<Key, Problem> {
    Ok(Key {
        id: row.text("key_id")?,
        name: row.text("key_name")?,
        roles: row.json("key_roles")?,
        made: Time(row.int("made")?),
        expires: Time(row.int("expires")?),
        revoked: row.opt_int("revoked")?.map(Time),
        used: row.opt_int("used")?.map(Time),
        maker: account_of(row)?,
    })
}
