//! Record logs in rows of the database, one row a batch, the same record bytes as in files. For
//! PostgreSQL, whose replica keeps them; never for two nodes at once: the second one's append
//! finds its place taken and is refused. What is archived leaves by `leaving`.

mod leaving;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::limits::Limits;
use kernel::{Actor, Digest, Kind, Problem, World};
use seal::merkle::leaf_hash;

use super::files::damaged;
use super::frame::{self, Frame};
use super::queue::{Pending, Queue, placed, tell};
use super::tree::{self, TILE, Tiles, Tree};
use super::{RecordLog, archived};
use crate::engine::Db;
use crate::error::unavailable;
use crate::store::node_tenant;
use crate::tx::{Reader, Scope, Tx};
use crate::{Row, StoreError, params};

/// Rows read at a time when a log is opened.
const ROWS: usize = 64;

/// An open log.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stream: String,
    db: Arc<Db>,
    world: World,
    records_max: usize,
    queue: Queue,
    view: Mutex<View>,
}

#[derive(Debug, Default)]
struct View {
    tree: Tree,
    /// The first record that is there.
    first: u64,
    /// The leaves in front of it in its tile.
    before: Vec<Digest>,
    /// Set when an append failed and it is not known whether it was written.
    unsure: bool,
}

impl Rows {
    /// Opens a log: reads every record once, for the tree.
    pub(crate) async fn open(
        stream: &str,
        db: Arc<Db>,
        world: World,
        limits: &Limits,
    ) -> Result<Self, StoreError> {
        let shared = Shared {
            stream: stream.to_owned(),
            db,
            world,
            records_max: limits.batch_records_max.max(1),
            queue: Queue::default(),
            view: Mutex::default(),
        };
        let opened = match shared.begin().await {
            Ok(()) => shared.catch_up().await,
            refused => refused,
        };
        opened.map_err(|problem| match problem.code {
            "log-damaged" => StoreError::DamagedLog {
                stream: stream.to_owned(),
                position: shared.view().tree.len(),
                why: problem.cause.unwrap_or_default(),
            },
            _ => StoreError::Database(problem.to_string()),
        })?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl Shared {
    fn reader(&self) -> Reader {
        Reader {
            tenant: node_tenant(),
            engine: self.db.engine(),
            connection: self.db.readers().clone(),
        }
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write<F, Fut>(&self, work: F) -> Result<u64, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<u64, Problem>> + Send,
    {
        let scope = Scope {
            tenant: &node_tenant(),
            actor: &Actor::Platform,
            world: &self.world,
        };
        self.db.write(scope, &work).await
    }

    /// Reads the database past the tree's end.
    async fn catch_up(&self) -> Result<(), Problem> {
        loop {
            let len = self.view().tree.len();
            let rows = self
                .reader()
                .all(
                    "select first, count, records from store_log where stream = $1 and first + count > $2 and first >=
                       (select coalesce(max(first), 0) from store_log where stream = $1 and first <= $2)
                     order by first limit $3",
                    params![&self.stream, len, ROWS],
                )
                .await?;
            if rows.is_empty() {
                self.view().unsure = false;
                return Ok(());
            }
            let mut next = len;
            for row in &rows {
                let records = self.records(row)?;
                // Only of the row that holds the first record some may have left.
                let first = row.count("first")?;
                if first > next || (first < next && next != self.view().first) {
                    return Err(damaged(&self.stream, next));
                }
                let mut view = self.view();
                for (position, record) in &records {
                    if *position >= next {
                        view.tree.push(leaf_hash(record));
                    }
                }
                next = first + records.len() as u64;
            }
        }
    }

    /// The records of a row with their positions, checked.
    fn records(&self, row: &Row) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let (first, count, bytes) = (row.count("first")?, row.count("count")?, row.bytes("records")?);
        let (mut at, mut out) = (0, Vec::new());
        loop {
            let position = first + out.len() as u64;
            match frame::read(&bytes[at..]) {
                Frame::Record(payload, length) => {
                    out.push((position, payload.to_vec()));
                    at += length;
                }
                Frame::End if out.len() as u64 == count => return Ok(out),
                Frame::End | Frame::Torn | Frame::Bad(_) => return Err(damaged(&self.stream, position)),
            }
        }
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let (first, len) = {
            let view = self.view();
            (view.first, view.tree.len())
        };
        if from < first {
            return Err(archived(&self.stream, first));
        }
        let (mut next, mut out) = (from, Vec::new());
        while next < len && out.len() < limit {
            // The row that holds `next` and those after it.
            let rows = self
                .reader()
                .all(
                    "select first, count, records from store_log where stream = $1 and first >=
                       (select coalesce(max(first), 0) from store_log where stream = $1 and first <= $2)
                     order by first limit $3",
                    params![&self.stream, next, ROWS.min(limit)],
                )
                .await?;
            let before = next;
            for row in &rows {
                let begins = row.count("first")?;
                let records = self.records(row)?;
                if begins > next {
                    break;
                }
                next = begins + records.len() as u64;
                out.extend(
                    records
                        .into_iter()
                        .filter(|(position, _)| *position >= from && *position < len),
                );
            }
            if next <= before {
                // It may have left while it was read.
                let first = self.view().first;
                return Err(if before < first {
                    archived(&self.stream, first)
                } else {
                    damaged(&self.stream, before)
                });
            }
        }
        out.truncate(limit);
        Ok(out)
    }

    async fn enqueue(self: &Arc<Self>, at: Option<u64>, records: Vec<Vec<u8>>) -> Result<u64, Problem> {
        super::check_sizes(&records)?;
        let (answer, leads) = self.queue.push(at, records);
        if leads {
            let shared = Arc::clone(self);
            tokio::spawn(async move { shared.lead().await });
        }
        answer.await.map_err(|_| unavailable("the flush was abandoned"))?
    }

    /// Writes what waits until nothing does.
    async fn lead(&self) {
        loop {
            let batch = self.queue.take(self.records_max);
            if batch.is_empty() {
                return;
            }
            let sure = self.be_sure().await;
            let batch = placed(batch, self.view().tree.len());
            let outcome = match sure {
                Ok(()) => self.flush(&batch).await,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = &outcome {
                tracing::error!(stream = self.stream, %problem, "records could not be appended");
            }
            tell(batch, outcome);
        }
    }

    /// After an append of unknown outcome: asks the database where the log ends.
    async fn be_sure(&self) -> Result<(), Problem> {
        let unsure = self.view().unsure;
        if unsure { self.catch_up().await } else { Ok(()) }
    }

    async fn flush(&self, batch: &[Pending]) -> Result<u64, Problem> {
        let first = self.view().tree.len();
        let (mut bytes, mut leaves) = (Vec::new(), Vec::new());
        for payload in batch.iter().flat_map(|pending| &pending.records) {
            frame::write(&mut bytes, payload);
            leaves.push(leaf_hash(payload));
        }
        if leaves.is_empty() {
            return Ok(first);
        }
        let (stream, bytes, count) = (&self.stream, &bytes, leaves.len());
        let work = |tx: Tx| async move {
            tx.exec(
                "insert into store_log (stream, first, count, records) values ($1, $2, $3, $4)",
                params![stream, first, count, bytes],
            )
            .await
        };
        let written = self.write(work).await;
        let mut view = self.view();
        if let Err(problem) = written {
            view.unsure = true;
            return Err(match problem.kind {
                Kind::Full => problem,
                // Another node appended: this log must look where it ends now.
                Kind::Conflict => Problem::stale().because(problem),
                _ => unavailable(problem),
            });
        }
        leaves.into_iter().for_each(|leaf| view.tree.push(leaf));
        metrics::counter!("sen_log_flushes_total").increment(1);
        metrics::counter!("sen_log_records_total").increment(count as u64);
        Ok(first)
    }
}

#[async_trait]
impl RecordLog for Rows {
    async fn append(&self, records: Vec<Vec<u8>>) -> Result<u64, Problem> {
        self.shared.enqueue(None, records).await
    }

    async fn append_at(&self, at: u64, records: Vec<Vec<u8>>) -> Result<(), Problem> {
        self.shared.enqueue(Some(at), records).await.map(drop)
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        self.shared.read(from, limit).await
    }

    async fn len(&self) -> u64 {
        // When the database cannot be asked, what is known is the answer; appends will be refused.
        drop(self.shared.be_sure().await);
        self.size()
    }

    async fn first(&self) -> u64 {
        self.shared.view().first
    }

    async fn forget(&self, to: u64) -> Result<(), Problem> {
        self.shared.forget(to).await
    }

    async fn root(&self, size: u64) -> Result<Digest, Problem> {
        tree::root(self, size).await
    }

    async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest>, Problem> {
        tree::inclusion(self, index, size).await
    }

    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Problem> {
        tree::consistency(self, old, new).await
    }
}

#[async_trait]
impl Tiles for Rows {
    fn size(&self) -> u64 {
        self.shared.view().tree.len()
    }

    fn tiles(&self, level: usize, from: u64, count: u64) -> Vec<Digest> {
        self.shared.view().tree.tiles(level, from, count)
    }

    async fn leaves(&self, tile: u64, count: u64) -> Result<Vec<Digest>, Problem> {
        let (kept, before) = {
            let view = self.shared.view();
            let is_first = tile == view.first / TILE;
            let before = if is_first { view.before.clone() } else { Vec::new() };
            (view.tree.tail(tile, count), before)
        };
        match kept {
            Some(leaves) => Ok(leaves),
            None => tree::leaves_behind(self, before, tile, count).await,
        }
    }
}
