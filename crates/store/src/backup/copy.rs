//! A server's rows as files, one a table, in the server's own copy format: read in one transaction that
//! sees one moment, and put back in one. Never touches a schema that has tables, but to fill the one it
//! was asked to fill, and to empty that one again.

use std::path::Path;

use futures_util::TryStreamExt as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, Row as _};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Rows;
use crate::StoreError;

/// Bytes sent at a time.
const STEP: usize = 1 << 20;
/// The ending of a table's file.
const ENDING: &str = "copy";

fn bad(e: impl std::fmt::Display) -> StoreError {
    StoreError::Database(e.to_string())
}

/// One connection whose names are looked up in a schema.
async fn connect(url: &str, schema: &str) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>, StoreError> {
    plain(schema)?;
    let options: PgConnectOptions = url.parse().map_err(bad)?;
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool
        .connect_with(options.options([("search_path", schema)]))
        .await
        .map_err(bad)?;
    pool.acquire().await.map_err(bad)
}

/// Names go into statements as they are, so they are checked.
fn plain(name: &str) -> Result<(), StoreError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || name.len() > 60 || !name.chars().all(plain) {
        return Err(StoreError::Config(format!(
            "{name:?} is no name of a table or schema"
        )));
    }
    Ok(())
}

pub(super) async fn out(url: &str, schema: &str, into: &Path) -> Result<Rows, StoreError> {
    let mut connection = connect(url, schema).await?;
    // One moment for every table; the node goes on beside it.
    run(&mut connection, "begin isolation level repeatable read read only").await?;
    let sealed = sqlx::query("select coalesce(max(position) + 1, 0) as sealed from store_facts")
        .fetch_one(&mut *connection)
        .await
        .map_err(bad)?;
    let sealed: i64 = sealed.try_get("sealed").map_err(bad)?;
    let steps = sqlx::query("select crate, file from store_migrations order by crate, file")
        .fetch_all(&mut *connection)
        .await
        .map_err(bad)?;
    let mut files = Vec::new();
    for table in tables(&mut connection, schema).await? {
        let path = into.join(format!("{table}.{ENDING}"));
        let failed = |e| StoreError::Folder(path.clone(), e);
        let mut file = File::create(&path).await.map_err(failed)?;
        let mut bytes = connection
            .copy_out_raw(&format!("copy {table} to stdout (format binary)"))
            .await
            .map_err(bad)?;
        while let Some(part) = bytes.try_next().await.map_err(bad)? {
            file.write_all(&part).await.map_err(failed)?;
        }
        drop(bytes);
        file.sync_all().await.map_err(failed)?;
        files.push(path);
    }
    run(&mut connection, "commit").await?;
    let steps = steps
        .iter()
        .map(|row| Ok((row.try_get("crate")?, row.try_get("file")?)));
    Ok(Rows {
        sealed: u64::try_from(sealed).unwrap_or_default(),
        steps: steps.collect::<Result<_, sqlx::Error>>().map_err(bad)?,
        files,
    })
}

/// Refuses a schema that is there.
pub(super) async fn refuse_present(url: &str, schema: &str) -> Result<(), StoreError> {
    let mut connection = connect(url, schema).await?;
    if tables(&mut connection, schema).await?.is_empty() {
        return Ok(());
    }
    Err(StoreError::Config(format!(
        "the schema {schema} has tables: rows are restored into an empty one only"
    )))
}

pub(super) async fn back(url: &str, schema: &str, from: &Path) -> Result<(), StoreError> {
    let mut connection = connect(url, schema).await?;
    run(&mut connection, "begin").await?;
    for table in tables(&mut connection, schema).await? {
        // What the schema's steps themselves wrote stands in the copy too.
        run(&mut connection, &format!("truncate {table}")).await?;
    }
    for table in tables(&mut connection, schema).await? {
        let path = from.join(format!("{table}.{ENDING}"));
        let failed = |e| StoreError::Folder(path.clone(), e);
        let mut file = File::open(&path).await.map_err(failed)?;
        let mut into = connection
            .copy_in_raw(&format!("copy {table} from stdin (format binary)"))
            .await
            .map_err(bad)?;
        let mut part = vec![0; STEP];
        loop {
            let read = file.read(&mut part).await.map_err(failed)?;
            if read == 0 {
                break;
            }
            into.send(&part[..read]).await.map_err(bad)?;
        }
        into.finish().await.map_err(bad)?;
    }
    run(&mut connection, "commit").await
}

/// Removes every table of a schema; the schema itself may have been made by somebody with more rights.
pub(super) async fn clear(url: &str, schema: &str) -> Result<(), StoreError> {
    let mut connection = connect(url, schema).await?;
    run(&mut connection, "begin").await?;
    for table in tables(&mut connection, schema).await? {
        run(&mut connection, &format!("drop table {table}")).await?;
    }
    run(&mut connection, "commit").await
}

async fn tables(connection: &mut PgConnection, schema: &str) -> Result<Vec<String>, StoreError> {
    let sql = "select tablename::text as name from pg_tables where schemaname = $1 order by tablename";
    let rows = sqlx::query(sql)
        .bind(schema)
        .fetch_all(connection)
        .await
        .map_err(bad)?;
    let names = rows.iter().map(|row| row.try_get::<String, _>("name"));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(bad)?;
    names.iter().try_for_each(|name| plain(name))?;
    Ok(names)
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), StoreError> {
    use sqlx::Executor as _;
    connection
        .execute(sqlx::AssertSqlSafe(sql))
        .await
        .map(drop)
        .map_err(bad)
}
