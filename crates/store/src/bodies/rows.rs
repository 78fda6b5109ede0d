//! Shelves in rows of the database: for PostgreSQL, whose replica keeps them. Never a row of more than a
//! mebibyte.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Actor, Kind, Problem, World};

use super::cipher::damaged;
use super::media::{Media, Segment};
use crate::engine::Db;
use crate::error::unavailable;
use crate::params;
use crate::store::node_tenant;
use crate::tx::{Reader, Scope, Tx};

/// Bytes of one row.
const ROW: usize = 1 << 20;
/// Rows read at once.
const ROWS: usize = 4;

/// The shelves of a node's database; without a writer they are read beside it.
#[derive(Clone)]
pub(crate) struct Rows {
    reader: Reader,
    writer: Option<Writer>,
}

#[derive(Clone)]
struct Writer {
    db: Arc<Db>,
    world: World,
}

struct RowSegment {
    day: String,
    first: u64,
    next: u64,
    writer: Writer,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

impl Rows {
    pub(crate) fn of(db: Arc<Db>, world: World) -> Self {
        let reader = Reader {
            tenant: node_tenant(),
            engine: db.engine(),
            connection: db.readers().clone(),
        };
        let writer = Some(Writer { db, world });
        Self { reader, writer }
    }

    pub(crate) const fn beside(reader: Reader) -> Self {
        Self { reader, writer: None }
    }

    fn writer(&self) -> Result<&Writer, Problem> {
        let writer = self.writer.as_ref();
        writer.ok_or_else(|| Problem::internal("bodies are only read beside a node"))
    }
}

impl Writer {
    async fn write<F, Fut>(&self, work: F) -> Result<(), Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<(), Problem>> + Send,
    {
        let scope = Scope {
            tenant: &node_tenant(),
            actor: &Actor::Platform,
            world: &self.world,
        };
        self.db.write(scope, &work).await
    }
}

#[async_trait]
impl Media for Rows {
    async fn key(&self, day: &str) -> Result<Option<Vec<u8>>, Problem> {
        let sql = "select key from store_body_keys where day = $1";
        let row = self.reader.one(sql, params![day]).await?;
        row.map(|row| row.bytes("key")).transpose()
    }

    async fn keep_key(&self, day: &str, wrapped: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let wrapped = &wrapped;
        self.writer()?
            .write(|tx| async move {
                let sql = "insert into store_body_keys (day, key) values ($1, $2) on conflict do nothing";
                tx.exec(sql, params![day, wrapped]).await.map(drop)
            })
            .await?;
        let kept = self.key(day).await?;
        kept.ok_or_else(|| unavailable("the key of a shelf was taken away"))
    }

    async fn end(&self, day: &str) -> Result<u64, Problem> {
        let sql = "select first, size from store_bodies where day = $1 order by first desc limit 1";
        match self.reader.one(sql, params![day]).await? {
            Some(row) => Ok(row.count("first")? + row.count("size")?),
            None => Ok(0),
        }
    }

    async fn begin(&self, day: &str, first: u64) -> Result<Box<dyn Segment>, Problem> {
        Ok(Box::new(RowSegment {
            day: day.to_owned(),
            first,
            next: first,
            writer: self.writer()?.clone(),
        }))
    }

    async fn read(&self, day: &str, at: u64, length: usize) -> Result<Vec<u8>, Problem> {
        let (mut next, end) = (at, at + length as u64);
        let mut out = Vec::with_capacity(length);
        while next < end {
            let sql = "select first, size, bytes from store_bodies where day = $1 and first + size > $2 and first < $3 and first >=
                   (select coalesce(max(first), 0) from store_bodies where day = $1 and first <= $2)
                 order by first limit $4";
            let rows = self.reader.all(sql, params![day, next, end, ROWS]).await?;
            let before = next;
            for row in &rows {
                let (first, bytes) = (row.count("first")?, row.bytes("bytes")?);
                let skip = next.checked_sub(first).ok_or_else(damaged)?;
                let skip = usize::try_from(skip).map_err(Problem::internal)?;
                let part = bytes.get(skip..).ok_or_else(damaged)?;
                let part = &part[..part.len().min(length - out.len())];
                out.extend_from_slice(part);
                next += part.len() as u64;
            }
            if next == before {
                return Err(damaged().because(format_args!("nothing at {before} of {day}")));
            }
        }
        Ok(out)
    }

    async fn days(&self) -> Result<Vec<String>, Problem> {
        let sql = "select day from store_body_keys union select distinct day from store_bodies order by day";
        let rows = self.reader.all(sql, params![]).await?;
        rows.iter().map(|row| row.text("day")).collect()
    }

    async fn destroy(&self, day: &str) -> Result<(), Problem> {
        let writer = self.writer()?;
        writer
            .write(|tx| async move {
                let sql = "delete from store_body_keys where day = $1";
                tx.exec(sql, params![day]).await.map(drop)
            })
            .await?;
        writer
            .write(|tx| async move {
                let sql = "delete from store_bodies where day = $1";
                tx.exec(sql, params![day]).await.map(drop)
            })
            .await
    }
}

#[async_trait]
impl Segment for RowSegment {
    async fn append(&mut self, parts: Vec<Vec<u8>>, _flush: bool) -> Result<(), Problem> {
        let bytes = parts.concat();
        let (day, next, whole) = (&self.day, self.next, &bytes);
        self.writer
            .write(|tx| async move {
                let mut first = next;
                for row in whole.chunks(ROW) {
                    tx.exec(
                        "insert into store_bodies (day, first, size, bytes) values ($1, $2, $3, $4)",
                        params![day, first, row.len(), row.to_vec()],
                    )
                    .await?;
                    first += row.len() as u64;
                }
                Ok(())
            })
            .await
            .map_err(|problem| match problem.kind {
                Kind::Full => problem,
                _ => unavailable(problem),
            })?;
        self.next += bytes.len() as u64;
        Ok(())
    }

    /// An append of unknown outcome may have taken its place: the next one must not meet it there.
    fn is_broken(&self) -> bool {
        true
    }

    async fn undo(self: Box<Self>) {
        let (day, first, next) = (&self.day, self.first, self.next);
        let removed = self.writer.write(|tx| async move {
            let sql = "delete from store_bodies where day = $1 and first >= $2 and first < $3";
            tx.exec(sql, params![day, first, next]).await.map(drop)
        });
        // What cannot be removed goes with its shelf.
        drop(removed.await);
    }
}
