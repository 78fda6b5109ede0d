//! Facts of a subject, the sealed facts in order, and the sealer that appends committed facts to
//! the log. Never changes a fact, and never gives one a position twice.
//!
//! The database goes first: a transaction gives positions to committed facts, then their records
//! are appended to the log "facts". After a crash between the two the log is shorter, and what
//! it lacks is appended at the next opening; a log that is longer than the database is damage.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Actor, FactRecord, Kind, Problem, Tenant};
use tokio::sync::{Mutex, watch};

use crate::store::node_tenant;
use crate::tx::Scope;
use crate::{RecordLog, Store, StoreError, params};

/// The log that holds the sealed facts.
const STREAM: &str = "facts";
/// Facts sealed at a time.
const BATCH: usize = 1_000;
/// How long the sealer lets facts gather, so that one flush serves many.
const GATHER: Duration = Duration::from_millis(20);
/// How long it waits after a failure (a full disk) before it tries again.
const REST: Duration = Duration::from_secs(1);
// A disk that has room again is written to within five seconds.
const _: () = assert!(REST.as_millis() < 5_000);

/// How often the log may be found longer than it was a moment ago: another node of the same
/// database is about to end or to begin.
const RACES_MAX: u32 = 8;

/// What the sealer keeps between runs.
#[derive(Debug)]
pub(crate) struct Sealer {
    /// One run at a time.
    turn: Mutex<()>,
    sealed: watch::Sender<u64>,
    stopped: watch::Sender<bool>,
}

impl Sealer {
    pub(crate) fn new() -> Self {
        Self {
            turn: Mutex::new(()),
            sealed: watch::Sender::new(0),
            stopped: watch::Sender::new(false),
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }
}

impl Store {
    /// The facts of a subject, in order, checked: each names the digest of the one before it.
    ///
    /// # Errors
    /// Unavailable; Internal `facts-broken` when the chain does not hold.
    pub async fn facts_of(&self, tenant: &Tenant, subject: &str) -> Result<Vec<FactRecord>, Problem> {
        let rows = self
            .reader(tenant)
            .all(
                "select seq, record from store_facts where tenant = $1 and subject = $2 order by seq",
                params![tenant, subject],
            )
            .await?;
        let mut prev = kernel::Digest::default();
        let mut facts = Vec::with_capacity(rows.len());
        for (row, seq) in rows.iter().zip(1..) {
            let fact: FactRecord = row.json("record")?;
            if row.count("seq")? != seq || fact.seq != seq || fact.prev != prev {
                return Err(Problem::new(Kind::Internal, "facts-broken").because(format_args!(
                    "fact {seq} of {subject} does not follow the one before it"
                )));
            }
            prev = FactRecord::digest(&row.text("record")?);
            facts.push(fact);
        }
        Ok(facts)
    }

    /// Sealed facts in log order with their positions, from a position, at most `limit` of them.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn facts_from(&self, position: u64, limit: usize) -> Result<Vec<(u64, FactRecord)>, Problem> {
        let rows = self
            .reader(&node_tenant())
            .all(
                "select position, record from store_facts where position >= $1 and position < $2 order by position limit $3",
                params![position, self.facts_len().await, limit],
            )
            .await?;
        rows.iter()
            .map(|row| Ok((row.count("position")?, row.json("record")?)))
            .collect()
    }

    /// How many facts are sealed.
    pub async fn facts_len(&self) -> u64 {
        *self.inner.sealer.sealed.borrow()
    }

    /// The sealed length, for followers.
    #[must_use]
    pub fn facts_watch(&self) -> watch::Receiver<u64> {
        self.inner.sealer.sealed.subscribe()
    }

    /// Seals everything that is committed now; the sealed length. It also runs in the background.
    ///
    /// # Errors
    /// Unavailable, Full `no-room`.
    pub async fn seal_facts_now(&self) -> Result<u64, Problem> {
        let _turn = self.inner.sealer.turn.lock().await;
        let log = self.log(STREAM).await?;
        loop {
            self.append_sealed(&log).await?;
            if self.give_positions().await? == 0 {
                return Ok(log.len().await);
            }
        }
    }

    /// Gives the next positions to committed facts that have none; how many there were.
    async fn give_positions(&self) -> Result<u64, Problem> {
        // Asked outside the write: most runs find nothing and should not begin one.
        let waiting = self
            .reader(&node_tenant())
            .one(
                "select seq from store_facts where position is null limit 1",
                params![],
            )
            .await?;
        if waiting.is_none() {
            return Ok(0);
        }
        let scope = Scope {
            tenant: &node_tenant(),
            actor: &Actor::Platform,
            world: self.world(),
        };
        let work = |tx: crate::Tx| async move {
            tx.exec(
                "update store_facts set position = n.position from (
                   select tenant, subject, seq,
                     (select coalesce(max(position), -1) from store_facts)
                       + row_number() over (order by at, tenant, subject, seq) as position
                   from store_facts where position is null order by at, tenant, subject, seq limit $1
                 ) as n
                 where store_facts.tenant = n.tenant and store_facts.subject = n.subject and store_facts.seq = n.seq",
                params![BATCH],
            )
            .await
        };
        let given = self.inner.db.write(scope, &work).await?;
        crate::fault::at("positions-after");
        Ok(given)
    }

    /// Appends to the log what has a position past its end.
    async fn append_sealed(&self, log: &Arc<dyn RecordLog>) -> Result<(), Problem> {
        let mut races = 0;
        loop {
            let len = log.len().await;
            let rows = self
                .reader(&node_tenant())
                .all(
                    "select position, record from store_facts where position >= $1 order by position limit $2",
                    params![len, BATCH],
                )
                .await?;
            let mut records = Vec::with_capacity(rows.len());
            for (row, position) in rows.iter().zip(len..) {
                if row.count("position")? != position {
                    return Err(Problem::internal(format_args!("no fact has position {position}")));
                }
                records.push(row.text("record")?.into_bytes());
            }
            if records.is_empty() {
                self.inner
                    .sealer
                    .sealed
                    .send_if_modified(|sealed| std::mem::replace(sealed, len) != len);
                return Ok(());
            }
            match log.append_at(len, records).await {
                Err(problem) if problem.kind == Kind::Conflict && races < RACES_MAX => races += 1,
                other => other?,
            }
        }
    }

    /// Opens the log of facts, compares it with the database, brings it up to date and starts the
    /// sealer's task, which ends when the store is dropped or closed.
    pub(crate) async fn open_facts(&self) -> Result<(), StoreError> {
        let bad = |problem: Problem| StoreError::Database(problem.to_string());
        let log = self.open_log(STREAM).await?;
        let row = self
            .reader(&node_tenant())
            .one(
                "select coalesce(max(position) + 1, 0) as sealed from store_facts",
                params![],
            )
            .await
            .map_err(bad)?;
        let sealed = row.map_or(Ok(0), |row| row.count("sealed")).map_err(bad)?;
        if log.len().await > sealed {
            return Err(StoreError::DamagedLog {
                stream: STREAM.to_owned(),
                position: sealed,
                why: format!(
                    "the log has {} records, the database sealed {sealed} facts",
                    log.len().await
                ),
            });
        }
        self.append_sealed(&log).await.map_err(bad)?;
        let mut commits = self.inner.db.commits().watch();
        let mut stopped = self.inner.sealer.stopped.subscribe();
        let store = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            // Once at the start, for what was committed before and not sealed.
            loop {
                let Some(inner) = store.upgrade() else { return };
                let sealed = Self { inner }.seal_facts_now().await;
                let pause = match sealed {
                    Ok(_) => GATHER,
                    Err(problem) => {
                        tracing::error!(%problem, "committed facts could not be sealed");
                        commits.mark_changed();
                        REST
                    }
                };
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                    () = tokio::time::sleep(pause) => {}
                }
                tokio::select! {
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                    changed = commits.changed() => if changed.is_err() { return },
                }
            }
        });
        Ok(())
    }
}
