//! Whether the rows of sealed facts are those of their log, for `sen verify` and `sen doctor`. Never
//! repairs anything, and never decides which of the two is right.

use kernel::{Digest, FactRecord, Tenant};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use seal::merkle::leaf_hash;

use crate::engine::{Postgres, Sqlite};
use crate::log::frame::{self, Frame};
use crate::tx::{Reader, statement};
use crate::{Database, Engine, Migrations, Row, StoreError, node_tenant, params};

/// Rows read at a time, count.
const STEP: u64 = 2_000;

/// Where rows and log part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// The first position at which they do.
    pub position: u64,
    /// How.
    pub why: String,
}

/// Compares the rows of sealed facts with the records of their log, given as leaf hashes in order;
/// `None` when every record has its row. Rows past the log's end are no fault: a crash may leave them,
/// and the next start appends them.
///
/// # Errors
/// When the database cannot be read.
pub async fn facts(database: &Database, leaves: &[Digest]) -> Result<Option<Parted>, StoreError> {
    let bad = |e: &dyn std::fmt::Display| StoreError::Database(e.to_string());
    let open = Open::of(database).await?;
    let reader = open.reader();
    let mut next = 0;
    while next < leaves.len() as u64 {
        let rows = reader
            .all(
                "select tenant, subject, seq, position, at, actor, record from store_facts
                 where position >= $1 and position < $2 order by position",
                params![next, (next + STEP).min(leaves.len() as u64)],
            )
            .await
            .map_err(|e| bad(&e))?;
        for leaf in leaves
            .iter()
            .skip(usize::try_from(next).unwrap_or(usize::MAX))
            .take(STEP as usize)
        {
            let place = usize::try_from(next % STEP).unwrap_or(usize::MAX);
            let row = rows.get(place);
            if let Err(why) = same(row, next, leaf) {
                open.close().await;
                return Ok(Some(Parted { position: next, why }));
            }
            next += 1;
        }
    }
    open.close().await;
    Ok(None)
}

/// The row is the record's: its text, and every column that repeats a part of it.
fn same(row: Option<&Row>, position: u64, leaf: &Digest) -> Result<(), String> {
    let row = row.ok_or("the rows lack a fact that the log has")?;
    let told = |e: kernel::Problem| e.cause.unwrap_or_else(|| e.code.to_owned());
    if row.count("position").map_err(told)? != position {
        return Err("the rows lack a fact that the log has".to_owned());
    }
    let text = row.text("record").map_err(told)?;
    if leaf_hash(text.as_bytes()) != *leaf {
        return Err("the row is not the record of the log".to_owned());
    }
    let record: FactRecord = row.json("record").map_err(told)?;
    let columns = row.text("tenant").map_err(told)? == record.tenant.as_str()
        && row.text("subject").map_err(told)? == record.subject
        && row.count("seq").map_err(told)? == record.seq
        && row.time("at").map_err(told)? == record.at
        && row.text("actor").map_err(told)? == record.actor.to_string();
    if columns {
        Ok(())
    } else {
        Err("the row's columns are not those of its record".to_owned())
    }
}

/// What the engine itself says of an embedded database's pages; `None` when it finds nothing, and for a
/// server, which looks after its own.
///
/// # Errors
/// When the file cannot be read at all.
pub async fn pages(database: &Database) -> Result<Option<String>, StoreError> {
    let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
    let Database::Sqlite(path) = database else {
        return Ok(None);
    };
    let connection = Sqlite::plain(path).await.map_err(bad)?;
    let sql = "pragma integrity_check(1)";
    let said = connection
        .query_one_raw(statement(Engine::Sqlite, sql, params![]))
        .await;
    drop(connection.close().await);
    let said: String = match said.map_err(bad)? {
        Some(row) => row.try_get_by("integrity_check").map_err(bad)?,
        None => String::new(),
    };
    Ok((said != "ok").then_some(said))
}

/// How a database stands, for whoever looks after a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Steps of the schema that this release knows and the database lacks, count.
    pub pending: usize,
    /// Facts that are sealed, count.
    pub sealed: u64,
    /// The latest time of a fact; 1970 when there is none.
    pub newest: kernel::Time,
    /// Outbox lines that wait, by topic.
    pub waiting: Vec<Waiting>,
}

/// Outbox lines of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The handler.
    pub topic: String,
    /// Lines, count.
    pub lines: u64,
    /// Tries of the one that was tried most often, count.
    pub attempts: u64,
    /// When the first of them should have been delivered, or is tried next.
    pub due: kernel::Time,
}

/// Reads how a database stands; changes nothing.
///
/// # Errors
/// When it cannot be reached.
pub async fn standing(database: &Database, migrations: &[Migrations]) -> Result<Standing, StoreError> {
    let bad = |e: kernel::Problem| StoreError::Database(e.cause.unwrap_or_else(|| e.code.to_owned()));
    let open = Open::of(database).await?;
    let pending = crate::migrate::pending(&open.connection, open.engine, migrations).await?;
    let reader = open.reader();
    let facts =
        "select coalesce(max(position) + 1, 0) as sealed, coalesce(max(at), 0) as newest from store_facts";
    let facts = reader.one(facts, params![]).await.map_err(bad)?;
    let (sealed, newest) = match facts {
        Some(row) => (
            row.count("sealed").map_err(bad)?,
            row.time("newest").map_err(bad)?,
        ),
        None => (0, kernel::Time(0)),
    };
    let waiting = waiting(&reader).await.map_err(bad)?;
    open.close().await;
    Ok(Standing {
        pending,
        sealed,
        newest,
        waiting,
    })
}

/// Outbox lines that wait, by topic.
pub(crate) async fn waiting(reader: &Reader) -> Result<Vec<Waiting>, kernel::Problem> {
    let waiting = "select topic, count(*) as lines, max(attempts) as attempts, min(next_at) as due
         from store_outbox group by topic order by topic";
    let rows = reader.all(waiting, params![]).await?;
    let waiting = rows.iter().map(|row| {
        Ok(Waiting {
            topic: row.text("topic")?,
            lines: row.count("lines")?,
            attempts: row.count("attempts")?,
            due: row.time("due")?,
        })
    });
    waiting.collect()
}

/// What a log that is kept in rows has from a position on: how many records, and the bytes of the first;
/// `None` when there is nothing.
///
/// # Errors
/// When the database cannot be reached, or a row is no row of a log.
pub async fn log_from(
    database: &Database,
    stream: &str,
    from: u64,
) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    let bad = |e: kernel::Problem| StoreError::Database(e.cause.unwrap_or_else(|| e.code.to_owned()));
    let open = Open::of(database).await?;
    let reader = open.reader();
    let size = "select coalesce(max(first + count), 0) as size from store_log where stream = $1";
    let size = reader.one(size, params![stream]).await.map_err(bad)?;
    let row = "select first, records from store_log where stream = $1 and first + count > $2 order by first limit 1";
    let row = reader.one(row, params![stream, from]).await.map_err(bad)?;
    open.close().await;
    let (Some(size), Some(row)) = (size, row) else {
        return Ok(None);
    };
    let (first, bytes) = (
        row.count("first").map_err(bad)?,
        row.bytes("records").map_err(bad)?,
    );
    let (mut rest, mut position) = (&bytes[..], first);
    while let Frame::Record(payload, length) = frame::read(rest) {
        if position >= from {
            let size = size.count("size").map_err(bad)?;
            return Ok(Some((size - position, payload.to_vec())));
        }
        rest = &rest[length..];
        position += 1;
    }
    Err(StoreError::Database(format!(
        "the row of {stream} at {first} is damaged"
    )))
}

/// A read of a tenant's rows beside a node that may run.
///
/// # Errors
/// When the database cannot be reached.
pub async fn reader(database: &Database, tenant: &Tenant) -> Result<Reader, StoreError> {
    let open = Open::of(database).await?;
    Ok(Reader {
        tenant: tenant.clone(),
        ..open.reader()
    })
}

/// A database opened beside its node, for reading: nothing is made where nothing is.
pub(crate) struct Open {
    connection: DatabaseConnection,
    engine: Engine,
}

impl Open {
    pub(crate) async fn of(database: &Database) -> Result<Self, StoreError> {
        let bad = |e: sea_orm::DbErr| StoreError::Database(e.to_string());
        let (connection, engine) = match database {
            Database::Sqlite(path) if !path.is_file() => {
                return Err(StoreError::Database(format!("{} is not there", path.display())));
            }
            Database::Sqlite(path) => (Sqlite::plain(path).await.map_err(bad)?, Engine::Sqlite),
            Database::Postgres { url, schema } => (Postgres::plain(url, schema).await?, Engine::Postgres),
        };
        Ok(Self { connection, engine })
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader {
            tenant: node_tenant(),
            engine: self.engine,
            connection: self.connection.clone(),
        }
    }

    pub(crate) async fn close(&self) {
        drop(self.connection.close_by_ref().await);
    }
}
