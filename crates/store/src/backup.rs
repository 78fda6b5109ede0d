//! What a backup takes of a node while it runs: the rows as they are at one moment, and every log up
//! to the position that those rows know. Never changes the node, and never puts rows into a database
//! that has some.
//!
//! The rows are taken first. A log read after them has at least what the rows say was sealed, so that
//! it can be cut there, and the two belong together.

mod copy;
mod span;

use std::path::{Path, PathBuf};

use kernel::Time;
use kernel::limits::Limits;
use sea_orm::ConnectionTrait as _;

use crate::engine::{Db, Sqlite};
use crate::tx::statement;
use crate::{Database, Engine, Migrations, StoreError, params};

pub use span::{Span, span};

/// The file's name of an embedded database in a node's folder.
const FILE: &str = "sen.db";

/// Rows taken away.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Facts that have a position in the log "facts", count.
    pub sealed: u64,
    /// The schema's steps that the rows stand on: crate and file.
    pub steps: Vec<(String, String)>,
    /// The files they were written to.
    pub files: Vec<PathBuf>,
}

/// Writes all rows of a database as they are at one moment into an empty folder: one `sen.db` of an
/// embedded database, a file a table of a server's schema. The node may go on.
///
/// # Errors
/// When the database cannot be read or the folder cannot be written.
pub async fn rows(database: &Database, into: &Path) -> Result<Rows, StoreError> {
    match database {
        Database::Sqlite(path) => embedded(path, into).await,
        Database::Postgres { url, schema } => copy::out(url, schema, into).await,
    }
}

async fn embedded(path: &Path, into: &Path) -> Result<Rows, StoreError> {
    let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
    if !path.is_file() {
        return Err(StoreError::Database(format!("{} is not there", path.display())));
    }
    let file = into.join(FILE);
    let from = Sqlite::plain(path).await.map_err(bad)?;
    let sql = "vacuum into $1";
    let target = file.display().to_string();
    from.execute_raw(statement(Engine::Sqlite, sql, params![target]))
        .await
        .map_err(bad)?;
    from.close().await.map_err(bad)?;
    // The copy is asked, not the node: it has gone on.
    let copy = Sqlite::plain(&file).await.map_err(bad)?;
    let (sealed, steps) = known(&copy, Engine::Sqlite).await?;
    copy.close().await.map_err(bad)?;
    Ok(Rows {
        sealed,
        steps,
        files: vec![file],
    })
}

/// How many facts are sealed, and the schema's steps.
async fn known(
    rows: &impl sea_orm::ConnectionTrait,
    engine: Engine,
) -> Result<(u64, Vec<(String, String)>), StoreError> {
    let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
    let sealed = "select coalesce(max(position) + 1, 0) as sealed from store_facts";
    let sealed = rows
        .query_one_raw(statement(engine, sealed, params![]))
        .await
        .map_err(bad)?;
    let sealed = sealed.map_or(Ok(0), |row| row.try_get_by::<i64, _>("sealed"));
    let steps = "select crate, file from store_migrations order by crate, file";
    let steps = rows
        .query_all_raw(statement(engine, steps, params![]))
        .await
        .map_err(bad)?;
    let steps = steps
        .iter()
        .map(|row| Ok((row.try_get_by("crate")?, row.try_get_by("file")?)));
    Ok((
        u64::try_from(sealed.map_err(bad)?).unwrap_or_default(),
        steps.collect::<Result<_, sea_orm::DbErr>>().map_err(bad)?,
    ))
}

/// Puts the rows of a server's schema, as [`rows`] wrote them, into a schema that is not there yet:
/// the schema's steps that they stand on are made first; later ones come with the node's start.
///
/// # Errors
/// When the schema is there, a step is not known to this release, or the rows are refused.
pub async fn load(
    database: &Database,
    from: &Path,
    migrations: &[Migrations],
    steps: &[(String, String)],
    now: Time,
) -> Result<(), StoreError> {
    let Database::Postgres { url, schema } = database else {
        return Err(StoreError::Config(
            "an embedded database is restored as its file".to_owned(),
        ));
    };
    copy::refuse_present(url, schema).await?;
    let filled = async {
        let db = Db::open(database, &Limits::default()).await?;
        crate::migrate::up_to(&db, migrations, steps, now).await?;
        db.close().await;
        copy::back(url, schema, from).await
    };
    let filled = filled.await;
    if filled.is_err() {
        // What was begun here is taken away; why it failed is what has to be told.
        drop(copy::clear(url, schema).await);
    }
    filled
}

/// Takes away again what [`load`] put into a schema: it has no tables afterwards, as before. Only for
/// rows that were just restored and belong to nothing.
///
/// # Errors
/// When the server refuses.
pub async fn unload(database: &Database) -> Result<(), StoreError> {
    match database {
        Database::Postgres { url, schema } => copy::clear(url, schema).await,
        // An embedded database goes with its folder.
        Database::Sqlite(_) => Ok(()),
    }
}
