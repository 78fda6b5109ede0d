//! All SQL of this crate. Never a rule: callers decide what a row means.

use ::store::{Reader, Tx, params};
use kernel::{Digest, Problem};

use crate::groups::LocalGroup;
use crate::pack::PackFile;

/// True when this content of a file was recorded before.
pub(crate) async fn pack_known(tx: &Tx, file: &str, root: &Digest) -> Result<bool, Problem> {
    let sql = "select row_count from directory_packs where tenant = $1 and file = $2 and root = $3";
    let row = tx.one(sql, params![tx.tenant(), file, root]).await?;
    Ok(row.is_some())
}

/// Records a file's content.
pub(crate) async fn keep_pack(tx: &Tx, file: &PackFile) -> Result<(), Problem> {
    let sql = "insert into directory_packs (tenant, file, root, row_count, at) values ($1, $2, $3, $4, $5)";
    let name = file.file.as_str();
    tx.exec(sql, params![tx.tenant(), name, &file.root, file.rows, tx.now()])
        .await?;
    Ok(())
}

/// The newest snapshot ever adopted by this node: its serial and hash.
pub(crate) async fn newest_adopted(reader: &Reader) -> Result<Option<(u64, Digest)>, Problem> {
    let sql = "select serial, hash from directory_adopted where tenant = $1 order by serial desc limit 1";
    match reader.one(sql, params![reader.tenant()]).await? {
        Some(row) => Ok(Some((row.count("serial")?, row.digest("hash")?))),
        None => Ok(None),
    }
}

/// Records that a snapshot was adopted.
pub(crate) async fn keep_adopted(tx: &Tx, serial: u64, hash: &Digest) -> Result<(), Problem> {
    let sql = "insert into directory_adopted (tenant, serial, hash, at) values ($1, $2, $3, $4)";
    tx.exec(sql, params![tx.tenant(), serial, hash, tx.now()]).await?;
    Ok(())
}

/// The newest snapshot of another instance that was adopted under an anchor: its serial and hash.
pub(crate) async fn newest_followed(
    reader: &Reader,
    anchor: &Digest,
) -> Result<Option<(u64, Digest)>, Problem> {
    let sql = "select serial, hash from directory_followed where tenant = $1 and anchor = $2 \
               order by serial desc limit 1";
    match reader.one(sql, params![reader.tenant(), anchor]).await? {
        Some(row) => Ok(Some((row.count("serial")?, row.digest("hash")?))),
        None => Ok(None),
    }
}

/// Records that a snapshot of another instance was adopted.
pub(crate) async fn keep_followed(
    tx: &Tx,
    anchor: &Digest,
    serial: u64,
    hash: &Digest,
) -> Result<(), Problem> {
    let sql = "insert into directory_followed (tenant, anchor, serial, hash, at) values ($1, $2, $3, $4, $5)";
    tx.exec(sql, params![tx.tenant(), anchor, serial, hash, tx.now()])
        .await?;
    Ok(())
}

/// The newest snapshot published by this hub: its serial and signed form.
pub(crate) async fn newest_published(reader: &Reader) -> Result<Option<(u64, String)>, Problem> {
    let sql = "select serial, jws from directory_published where tenant = $1 order by serial desc limit 1";
    match reader.one(sql, params![reader.tenant()]).await? {
        Some(row) => Ok(Some((row.count("serial")?, row.text("jws")?))),
        None => Ok(None),
    }
}

/// Records a published snapshot; a serial is given out once.
pub(crate) async fn keep_published(tx: &Tx, serial: u64, hash: &Digest, jws: &str) -> Result<(), Problem> {
    let sql = "insert into directory_published (tenant, serial, hash, jws, at) values ($1, $2, $3, $4, $5)";
    tx.exec(sql, params![tx.tenant(), serial, hash, jws, tx.now()])
        .await?;
    Ok(())
}

/// The local groups of a node.
pub(crate) async fn local_groups(reader: &Reader) -> Result<Vec<LocalGroup>, Problem> {
    let sql = "select code, name, systems from directory_local_groups where tenant = $1 order by code";
    let rows = reader.all(sql, params![reader.tenant()]).await?;
    let group = |row: &::store::Row| {
        Ok(LocalGroup {
            code: row.text("code")?,
            name: row.text("name")?,
            systems: row.json("systems")?,
        })
    };
    rows.iter().map(group).collect()
}

/// Writes a local group as it is now.
pub(crate) async fn save_local_group(tx: &Tx, group: &LocalGroup) -> Result<(), Problem> {
    let sql = "insert into directory_local_groups (tenant, code, name, systems, changed_at) \
               values ($1, $2, $3, $4, $5) on conflict (tenant, code) do update set \
               name = excluded.name, systems = excluded.systems, changed_at = excluded.changed_at";
    let systems = serde_json::to_string(&group.systems).map_err(Problem::internal)?;
    let (code, name) = (group.code.as_str(), group.name.as_str());
    tx.exec(sql, params![tx.tenant(), code, name, systems, tx.now()])
        .await?;
    Ok(())
}

/// Forgets a local group; its facts stay.
pub(crate) async fn drop_local_group(tx: &Tx, code: &str) -> Result<(), Problem> {
    let sql = "delete from directory_local_groups where tenant = $1 and code = $2";
    tx.exec(sql, params![tx.tenant(), code]).await?;
    Ok(())
}

/// The last good list of revoked certificates of each authority: whose, from where, and which bytes.
pub(crate) async fn lists(reader: &Reader) -> Result<Vec<(Digest, String, Digest)>, Problem> {
    let sql = "select authority, url, hash from directory_lists where tenant = $1 order by authority";
    let rows = reader.all(sql, params![reader.tenant()]).await?;
    let list = |row: &::store::Row| Ok((row.digest("authority")?, row.text("url")?, row.digest("hash")?));
    rows.iter().map(list).collect()
}

/// Keeps which list of an authority counts from now on.
pub(crate) async fn keep_list(tx: &Tx, authority: &Digest, url: &str, hash: &Digest) -> Result<(), Problem> {
    let sql = "insert into directory_lists (tenant, authority, url, hash, at) values ($1, $2, $3, $4, $5) \
               on conflict (tenant, authority) do update set \
               url = excluded.url, hash = excluded.hash, at = excluded.at";
    tx.exec(sql, params![tx.tenant(), authority, url, hash, tx.now()])
        .await?;
    Ok(())
}
