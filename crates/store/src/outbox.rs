//! Lines to deliver, in order per key, at least once. Never drops a line: one that cannot be
//! delivered waits longer each time, and what stands behind it under the same key waits with it.
//! What waits is seen, and tried again at once, through [`waiting`].

pub mod waiting;

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use kernel::limits::Limits;
use kernel::{Actor, Kind, Problem, Tenant, Time};
use tokio::sync::watch;
use tokio::task::{self, JoinHandle, JoinSet};

use crate::store::node_tenant;
use crate::{Row, Store, fault, params};

/// Keys served at the same time.
const KEYS: usize = 64;
/// Lines of one key served before the others get their turn.
const TURN: usize = 64;
/// Heads of keys looked at in one go: more than can be busy, so that a free one is among them.
const HEADS: usize = 4 * KEYS;
/// Lines shown to whoever asks what waits.
const SHOWN: usize = 10_000;
/// How often the clock is looked at when nothing is committed.
const POLL: Duration = Duration::from_millis(200);
/// How long deliveries under way may take after the shutdown began.
const DRAIN: Duration = Duration::from_secs(5);

/// A line to deliver.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxLine {
    /// The line's id: the idempotency key for the other side.
    pub id: String,
    /// Whose line it is.
    pub tenant: Tenant,
    /// Which handler delivers it.
    pub topic: String,
    /// Lines of one tenant, topic and key are delivered in order.
    pub key: String,
    /// The order within tenant, topic and key, from 1.
    pub seq: u64,
    /// What to deliver.
    pub payload: serde_json::Value,
    /// How often delivery failed.
    pub attempts: u32,
    /// When it was written.
    pub created: Time,
    /// Not before then is it tried: its term, or the wait after a failure.
    pub next_at: Time,
    /// When it was tried last; none when it never was.
    pub tried: Option<Time>,
    /// Why the last try failed: the key of the problem.
    pub why: Option<String>,
}

/// Delivers the lines of a topic.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// The topic, as [`crate::Tx::outbox`] was given it.
    fn topic(&self) -> &'static str;

    /// The longest that one of its lines waits for its next try, in milliseconds.
    fn retry_ms_max(&self, limits: &Limits) -> i64 {
        limits.retry_ms_max
    }

    /// Delivers one line. It may see the same line again after a crash, so the other side must
    /// know it by its id.
    ///
    /// # Errors
    /// Any problem: the line is tried again later.
    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem>;
}

/// One order of lines: tenant, topic, key.
type Lane = (Tenant, String, String);

fn lane_of(line: &OutboxLine) -> Lane {
    (line.tenant.clone(), line.topic.clone(), line.key.clone())
}

impl Store {
    /// Delivers lines until `shutdown` says true: wakes on commits, keeps the order of each key,
    /// serves sixty-four keys at a time. One runner per database.
    pub fn run_outbox(
        &self,
        handlers: Vec<Arc<dyn Deliver>>,
        shutdown: watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        let runner = Runner {
            store: self.clone(),
            handlers,
            is_marked: false,
            ready: HashMap::new(),
            busy: HashMap::new(),
            running: JoinSet::new(),
        };
        tokio::spawn(runner.run(shutdown))
    }

    /// What waits for delivery for a tenant, by topic, key and order; the first ten thousand.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_waiting(&self, tenant: &Tenant) -> Result<Vec<OutboxLine>, Problem> {
        let rows = self
            .reader(tenant)
            .all(
                "select tenant, topic, key, seq, id, payload, attempts, created, next_at, last_at, last_problem from store_outbox
                 where tenant = $1 order by topic, key, seq limit $2",
                params![tenant, SHOWN],
            )
            .await?;
        rows.iter().map(line).collect()
    }

    /// The first waiting lines of keys whose time has come. A line that was never tried and has no term
    /// is always due, and no line that failed waits longer than the longest wait: a clock that was
    /// ahead and is set back must not hold them until that time comes again.
    async fn outbox_heads(&self, topic: &str) -> Result<Vec<OutboxLine>, Problem> {
        let now = self.world().now();
        let rows = self
            .reader(&node_tenant())
            .all(
                "select tenant, topic, key, seq, id, payload, attempts, created, next_at, last_at, last_problem from store_outbox as o
                 where o.topic = $1 and o.behind = 0
                   and (o.next_at <= $2 or (o.attempts > 0 and o.next_at > $3) or (o.attempts = 0 and o.next_at = o.created))
                 order by o.next_at limit $4",
                params![topic, now, now.plus_ms(self.limits().retry_ms_max), HEADS],
            )
            .await?;
        rows.iter().map(line).collect()
    }

    /// Takes a delivered line away; gives the next one of its key. The runner does this: for
    /// whoever delivers a line by hand.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_done(&self, done: &OutboxLine) -> Result<Option<OutboxLine>, Problem> {
        let next = self
            .write(&done.tenant, &Actor::Platform, |tx| async move {
                // Whoever adds a line to the key at the same time takes its number from this row: one of the two
                // begins again, and sees what the other did.
                tx.exec(
                    "update store_counters set last = last where tenant = $1 and series = $2",
                    params![&done.tenant, series(&done.topic, &done.key)],
                )
                .await?;
                tx.exec(
                    "delete from store_outbox where tenant = $1 and topic = $2 and key = $3 and seq = $4",
                    params![&done.tenant, &done.topic, &done.key, done.seq],
                )
                .await?;
                tx.one(
                    "update store_outbox set behind = 0 where tenant = $1 and topic = $2 and key = $3 and seq = (
                       select min(p.seq) from store_outbox as p where p.tenant = $1 and p.topic = $2 and p.key = $3)
                     returning tenant, topic, key, seq, id, payload, attempts, created, next_at, last_at, last_problem",
                    params![&done.tenant, &done.topic, &done.key],
                )
                .await
            })
            .await?;
        next.as_ref().map(line).transpose()
    }

    /// Notes a failed delivery and when to try again.
    async fn outbox_failed(&self, failed: &OutboxLine, why: &Problem, ms_max: i64) -> Result<(), Problem> {
        let [chance] = self.world().random::<1>();
        let wait_ms = wait_ms(self.limits().retry_first_ms, ms_max, failed.attempts, chance);
        let next_at = self.world().now().plus_ms(wait_ms);
        self.write(&failed.tenant, &Actor::Platform, |tx| async move {
            tx.exec(
                "update store_outbox set attempts = attempts + 1, next_at = $5, last_problem = $6, last_at = $7
                 where tenant = $1 and topic = $2 and key = $3 and seq = $4",
                params![
                    &failed.tenant,
                    &failed.topic,
                    &failed.key,
                    failed.seq,
                    next_at,
                    why.code,
                    tx.now()
                ],
            )
            .await
        })
        .await?;
        Ok(())
    }
}

impl Store {
    /// Marks anew which lines stand behind another of their key. A process of an earlier release, which ran beside this
    /// one while a node was upgraded, wrote lines and took them away without a mark.
    async fn mark_heads(&self) -> Result<(), Problem> {
        let node = node_tenant();
        let marked = self.write(&node, &Actor::Platform, |tx| async move {
            tx.exec(
                "update store_outbox set behind = 1 - behind where behind = case when exists (
                   select 1 from store_outbox as p
                   where p.tenant = store_outbox.tenant and p.topic = store_outbox.topic and p.key = store_outbox.key
                     and p.seq < store_outbox.seq) then 0 else 1 end",
                params![],
            )
            .await
        });
        marked.await.map(drop)
    }
}

/// The series that numbers the lines of a key.
pub(crate) fn series(topic: &str, key: &str) -> String {
    format!("outbox/{topic}/{key}")
}

/// How long a line waits after its failure: twice as long each time up to the limit, and up to an
/// eighth less by chance, so that lines that failed together do not come back together.
fn wait_ms(first_ms: i64, ms_max: i64, attempts: u32, chance: u8) -> i64 {
    let doubled = first_ms.saturating_mul(1_i64 << attempts.min(32));
    let wait = doubled.min(ms_max);
    wait - wait / 8 * i64::from(chance) / 256
}

fn line(row: &Row) -> Result<OutboxLine, Problem> {
    Ok(OutboxLine {
        id: row.text("id")?,
        tenant: row.parse("tenant")?,
        topic: row.text("topic")?,
        key: row.text("key")?,
        seq: row.count("seq")?,
        payload: row.json("payload")?,
        attempts: u32::try_from(row.count("attempts")?).unwrap_or(u32::MAX),
        created: row.time("created")?,
        next_at: row.time("next_at")?,
        tried: row.opt_int("last_at")?.map(Time),
        why: row.opt_text("last_problem")?,
    })
}

struct Runner {
    store: Store,
    handlers: Vec<Arc<dyn Deliver>>,
    /// Which lines are heads was looked at once.
    is_marked: bool,
    /// Heads by topic that were found due and had no room yet. No other runner serves them, so they stay heads.
    ready: HashMap<&'static str, VecDeque<OutboxLine>>,
    busy: HashMap<task::Id, Lane>,
    running: JoinSet<()>,
}

impl Runner {
    async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut commits = self.store.inner.db.commits().watch();
        while !*shutdown.borrow() {
            commits.mark_unchanged();
            if let Err(problem) = self.start_due().await {
                tracing::error!(%problem, "the outbox cannot be read");
            }
            tokio::select! {
                changed = shutdown.changed() => if changed.is_err() { break },
                _ = commits.changed(), if self.running.len() < KEYS => {}
                Some(ended) = self.running.join_next_with_id() => self.ended(&ended),
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let drained = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("deliveries under way were broken off; they are made again at the next start");
        }
    }

    fn ended(&mut self, ended: &Result<(task::Id, ()), task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.busy.remove(&id);
    }

    async fn start_due(&mut self) -> Result<(), Problem> {
        if !self.is_marked {
            self.store.mark_heads().await?;
            self.is_marked = true;
        }
        for handler in self.handlers.clone() {
            self.start(&handler);
            if self.running.len() >= KEYS {
                return Ok(());
            }
            // The head of a key that is being served may be gone when there is room.
            let mut heads = self.store.outbox_heads(handler.topic()).await?;
            let busy: HashSet<&Lane> = self.busy.values().collect();
            heads.retain(|head| !busy.contains(&lane_of(head)));
            self.ready.insert(handler.topic(), heads.into());
            self.start(&handler);
        }
        Ok(())
    }

    /// Starts what is ready for a handler, as far as there is room.
    fn start(&mut self, handler: &Arc<dyn Deliver>) {
        while self.running.len() < KEYS {
            let ready = self.ready.get_mut(handler.topic());
            let Some(head) = ready.and_then(VecDeque::pop_front) else {
                return;
            };
            let lane = lane_of(&head);
            let turn = serve(self.store.clone(), Arc::clone(handler), head);
            let id = self.running.spawn(turn).id();
            self.busy.insert(id, lane);
        }
    }
}

/// Delivers the lines of one key until one fails, none is left or the turn is over.
async fn serve(store: Store, handler: Arc<dyn Deliver>, head: OutboxLine) {
    let mut next = Some(head);
    for _ in 0..TURN {
        let Some(line) = next else { return };
        fault::at("outbox-before-delivery");
        let noted = match attempt(&store, handler.as_ref(), &line).await {
            Ok(()) => {
                metrics::counter!("sen_outbox_delivered_total", "topic" => handler.topic()).increment(1);
                fault::at("outbox-after-delivery");
                let next = store.outbox_done(&line).await;
                fault::at("outbox-after-mark");
                next
            }
            Err(problem) => {
                metrics::counter!("sen_outbox_failed_total", "topic" => handler.topic()).increment(1);
                tracing::warn!(topic = line.topic, id = line.id, attempts = line.attempts, %problem, "a delivery failed");
                let ms_max = handler.retry_ms_max(store.limits());
                store.outbox_failed(&line, &problem, ms_max).await.map(|()| None)
            }
        };
        next = noted.unwrap_or_else(|problem| {
            tracing::error!(%problem, id = line.id, "a delivery's outcome could not be noted; it is made again");
            None
        });
    }
}

async fn attempt(store: &Store, handler: &dyn Deliver, line: &OutboxLine) -> Result<(), Problem> {
    let wait = Duration::from_millis(store.limits().request_ms_max);
    // A handler that panics has failed to deliver; the other keys go on.
    let delivery = AssertUnwindSafe(handler.deliver(line)).catch_unwind();
    match tokio::time::timeout(wait, delivery).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(Problem::internal("the handler panicked")),
        Err(_) => Err(Problem::new(Kind::Timeout, "delivery-timeout")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let limits = Limits::default();
        let waits: Vec<i64> = [0, 1, 2, 8, 9, 40, u32::MAX]
            .map(|tries| wait_ms(limits.retry_first_ms, limits.retry_ms_max, tries, 0))
            .to_vec();
        assert_eq!(waits, [200, 400, 800, 51_200, 60_000, 60_000, 60_000]);
        let spread = |chance| wait_ms(limits.retry_first_ms, limits.retry_ms_max, 0, chance);
        assert!((0..=255).all(|chance| (175..=200).contains(&spread(chance))));
    }
}
