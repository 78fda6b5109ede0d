//! The schema's steps and the check that none was changed afterwards. Never goes back: a schema
//! is only ever extended, and a step once applied keeps its text.

use kernel::{Digest, Time};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _};

use crate::engine::Db;
use crate::tx::statement;
use crate::{Engine, StoreError, params};

/// One crate's migrations, in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The crate.
    pub name: &'static str,
    /// Name (`0001_x`) and SQL text of each, in order; the same text on both engines.
    pub files: &'static [(&'static str, &'static str)],
}

/// This crate's own tables, always first.
pub(crate) const OWN: Migrations = Migrations {
    name: "store",
    files: &[
        ("0001_store", include_str!("../migrations/0001_store.sql")),
        (
            "0002_log_before",
            include_str!("../migrations/0002_log_before.sql"),
        ),
        ("0003_bodies", include_str!("../migrations/0003_bodies.sql")),
        (
            "0004_outbox_cause",
            include_str!("../migrations/0004_outbox_cause.sql"),
        ),
        (
            "0005_outbox_heads",
            include_str!("../migrations/0005_outbox_heads.sql"),
        ),
    ],
};

/// The advisory lock of a schema's migrations on PostgreSQL: two nodes may start at once.
const LOCK: &str = "select pg_advisory_xact_lock(hashtext('sen-migrations ' || current_schema()))";

/// Applies what has not been applied, each step in its own transaction with its own record.
pub(crate) async fn run(db: &Db, crates: &[Migrations], now: Time) -> Result<(), StoreError> {
    apply_those(db, crates, now, |_, _| true).await
}

/// Applies the given steps (crate and file) and no other: for rows that stand on them.
pub(crate) async fn up_to(
    db: &Db,
    crates: &[Migrations],
    steps: &[(String, String)],
    now: Time,
) -> Result<(), StoreError> {
    let known = |name: &str, file: &str| steps.iter().any(|(n, f)| n == name && f == file);
    let all = || std::iter::once(&OWN).chain(crates);
    for (name, file) in steps {
        if !all().any(|m| m.name == name && m.files.iter().any(|(f, _)| f == file)) {
            return Err(StoreError::Config(format!(
                "the rows stand on the step {name}/{file}, which this release does not know: use the release that made them, or a later one"
            )));
        }
    }
    apply_those(db, crates, now, known).await
}

/// How many steps a database lacks, of those this release knows; changes nothing.
pub(crate) async fn pending(
    rows: &DatabaseConnection,
    engine: Engine,
    crates: &[Migrations],
) -> Result<usize, StoreError> {
    let bad = |e: DbErr| StoreError::Database(e.to_string());
    let sql = "select crate, file from store_migrations";
    let rows = rows
        .query_all_raw(statement(engine, sql, params![]))
        .await
        .map_err(bad)?;
    let mut applied = Vec::new();
    for row in &rows {
        let step: (String, String) = (
            row.try_get_by("crate").map_err(bad)?,
            row.try_get_by("file").map_err(bad)?,
        );
        applied.push(step);
    }
    let known = std::iter::once(&OWN)
        .chain(crates)
        .flat_map(|m| m.files.iter().map(|(file, _)| (m.name, *file)));
    Ok(known
        .filter(|(name, file)| !applied.iter().any(|(n, f)| n == name && f == file))
        .count())
}

async fn apply_those(
    db: &Db,
    crates: &[Migrations],
    now: Time,
    wanted: impl Fn(&str, &str) -> bool,
) -> Result<(), StoreError> {
    let bad = |e: DbErr| StoreError::Database(e.to_string());
    let connection = db
        .schema()
        .await
        .map_err(|e| StoreError::Database(e.to_string()))?;
    let place = Place {
        connection,
        engine: db.engine(),
    };
    let create = "create table if not exists store_migrations (
        crate text not null, file text not null, hash text not null, at bigint not null,
        primary key (crate, file))";
    let start = place.begin().await.map_err(bad)?;
    start.execute_unprepared(create).await.map_err(bad)?;
    start.commit().await.map_err(bad)?;
    for migrations in std::iter::once(&OWN).chain(crates) {
        for (file, sql) in migrations.files {
            if wanted(migrations.name, file) {
                apply(&place, migrations.name, file, sql, now).await?;
            }
        }
    }
    Ok(())
}

async fn apply(place: &Place, crate_name: &str, file: &str, sql: &str, now: Time) -> Result<(), StoreError> {
    let failed = |e: DbErr| StoreError::MigrationFailed {
        crate_name: crate_name.to_owned(),
        file: file.to_owned(),
        why: e.to_string(),
    };
    let hash = Digest::of(sql.as_bytes());
    let step = place.begin().await.map_err(failed)?;
    let applied = statement(
        place.engine,
        "select hash from store_migrations where crate = $1 and file = $2",
        params![crate_name, file],
    );
    if let Some(row) = step.query_one_raw(applied).await.map_err(failed)? {
        if row.try_get_by::<String, _>("hash").map_err(failed)? != hash.hex() {
            return Err(StoreError::MigrationChanged {
                crate_name: crate_name.to_owned(),
                file: file.to_owned(),
            });
        }
        return step.rollback().await.map_err(failed);
    }
    step.execute_unprepared(sql).await.map_err(failed)?;
    let record = statement(
        place.engine,
        "insert into store_migrations (crate, file, hash, at) values ($1, $2, $3, $4)",
        params![crate_name, file, hash, now],
    );
    step.execute_raw(record).await.map_err(failed)?;
    step.commit().await.map_err(failed)
}

struct Place {
    connection: DatabaseConnection,
    engine: Engine,
}

impl Place {
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let transaction = self.connection.begin().await?;
        if self.engine == Engine::Postgres {
            transaction.execute_unprepared(LOCK).await?;
        }
        Ok(transaction)
    }
}
