//! Folding the evidence log into an index and into one counting fact a batch, by position and so
//! once. Never on the hot path.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::fact::ExchangeCount;
use kernel::time::{Date, iso, parse_iso};
use kernel::{Actor, Digest, Fact, Kind, Problem, Time};
use store::Tx;
use tokio::sync::watch;

use crate::audit;
use crate::evidence::Outcome;
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::index::{self, Block, Indexed};
use crate::record::{self, Entry};
use crate::store as rows;
use crate::traffic::{self, Counted, Grain};

/// Records folded in one transaction, count.
const STEP: u64 = 2_048;
/// Steps in which what was counted before is read again for the index, count: more than a block has.
const BEHIND_STEPS_MAX: usize = 4;
/// Foldings for which somebody who looks waits, count.
const UP_STEPS_MAX: usize = 8;
/// Records read at a time for the quotas, count.
const RECALLED: usize = 2_000;
/// How long the follower rests when there is nothing new.
const REST: Duration = Duration::from_millis(200);
const FOLLOWER: &str = "exchange-follow";

/// What one folding did.
#[derive(Clone, Copy, Debug, Default)]
struct Folded {
    /// Records that were counted.
    counted: usize,
    /// Records that were taken into the index.
    indexed: u64,
}

impl Exchange {
    /// Folds what is new: into the index, and once into the counts; gives how many records were counted.
    ///
    /// # Errors
    /// When the log or the store cannot be used; nothing is half done then.
    pub async fn fold_evidence(&self) -> Result<usize, Problem> {
        Ok(self.fold_some().await?.counted)
    }

    /// Brings the index up to where the log ends now; on a full disk it stays where it is, and what is in
    /// it is read on.
    ///
    /// # Errors
    /// `index-behind` while a long log is being indexed anew; as [`Exchange::fold_evidence`].
    pub(crate) async fn index_up(&self) -> Result<(), Problem> {
        let g = &*self.0;
        let end = g.evidence.len().await;
        for _ in 0..UP_STEPS_MAX {
            if g.index.next().0 >= end {
                return Ok(());
            }
            match self.fold_some().await {
                Err(problem) if problem.code == "no-room" => return Ok(()),
                told => told?,
            };
        }
        let done = g.index.next().0;
        if done >= end {
            return Ok(());
        }
        Err(Problem::new(Kind::Unavailable, "index-behind")
            .with("done", done)
            .with("of", end))
    }

    async fn fold_some(&self) -> Result<Folded, Problem> {
        let g = &*self.0;
        if g.evidence.len().await <= g.index.next().0 {
            return Ok(Folded::default()); // without a question to the database: this is asked five times a second
        }
        let mut counted = g.counted.lock().await;
        let to = match *counted {
            Some(to) => to,
            None => *counted.insert(g.counted_to().await?),
        };
        // After a start, what was counted before and is in no block yet is read again for the index.
        let from = g.index.next().0;
        for _ in 0..BEHIND_STEPS_MAX {
            if g.index.next().0 >= to {
                break;
            }
            g.index_more(to).await?;
        }
        let mut folded = Folded::default();
        if g.index.next().0 >= to {
            let count = g.fold(to).await?;
            // When somebody else counted them, where the counting stands is asked for anew.
            *counted = count.map(|count| to + count as u64);
            folded.counted = count.unwrap_or_default();
        }
        folded.indexed = g.index.next().0 - from;
        Ok(folded)
    }

    /// Folds what is new in both logs; whether there was something in either.
    async fn fold_all(&self) -> Result<bool, Problem> {
        let acts = self.fold_acts().await?;
        self.tell_refusals().await?;
        self.tell_refused_calls().await?;
        self.sample_standing().await?;
        self.destroy_bodies_once_an_hour().await;
        Ok(self.fold_some().await?.indexed > 0 || acts > 0)
    }

    /// Whether there is another whole step to fold.
    async fn is_behind(&self) -> bool {
        self.0.evidence.len().await >= self.0.index.next().0 + STEP
    }

    /// Folds for as long as the node runs.
    pub async fn follow_evidence(self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            let rest = match self.fold_all().await {
                Ok(going) if going && self.is_behind().await => continue,
                Ok(_) => REST,
                Err(problem) => {
                    tracing::error!(%problem, "folding the evidence failed; trying again");
                    REST * 10
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
}

/// Where a second counts a result.
fn place(result: &str) -> usize {
    let mut all = Outcome::ALL.iter();
    all.position(|outcome| outcome.as_str() == result)
        .unwrap_or_default()
}

impl Gateway {
    /// Up to where the evidence is counted.
    async fn counted_to(&self) -> Result<u64, Problem> {
        self.store
            .write(&self.home, &Actor::Platform, |tx| async move {
                tx.position(FOLLOWER).await
            })
            .await
    }

    /// What comes next in the log, before a position and within one block.
    async fn unindexed(&self, to: u64) -> Result<Vec<Entry>, Problem> {
        let (from, room) = self.index.next();
        let limit = room.min(to.saturating_sub(from)).min(STEP);
        let records = self
            .evidence
            .read(from, usize::try_from(limit).unwrap_or(usize::MAX));
        record::entries(&records.await?)
    }

    /// Takes into the index what was counted before.
    async fn index_more(&self, to: u64) -> Result<(), Problem> {
        let entries = self.unindexed(to).await?;
        let next = self.index.next().0 + entries.len() as u64;
        if let Some(block) = &self.index.block_with(exchanges(&entries), next) {
            self.store
                .write(&self.home, &Actor::Platform, |tx| async move {
                    index::insert(&tx, block).await
                })
                .await?;
        }
        self.index.take(record::exchanges(entries), next);
        Ok(())
    }

    /// Counts what comes next and takes it into the index; none when another process of this node has
    /// counted it.
    async fn fold(&self, from: u64) -> Result<Option<usize>, Problem> {
        let entries = self.unindexed(u64::MAX).await?;
        if entries.is_empty() {
            return Ok(Some(0));
        }
        let (count, to) = (entries.len(), from + entries.len() as u64);
        let now = self.now();
        let hour = Grain::Hour.begin(now).ms();
        let sums = Sums {
            counts: counts(all(&entries))?,
            quotas: self.metered(all(&entries)),
            traffic: traffic::count(all(&entries), &|hash| self.holds(hash)),
            block: self.index.block_with(exchanges(&entries), to),
            sweeps: self.swept.load(Ordering::Acquire) != hour,
        };
        let (sums, series_max) = (&sums, self.store.limits().traffic_series_max);
        let ours = self
            .store
            .write(&self.home, &Actor::Platform, |tx| async move {
                if tx.position(FOLLOWER).await? != from {
                    return Ok(false);
                }
                sums.write(&tx, (from, to), series_max).await?;
                tx.set_position(FOLLOWER, to).await?;
                Ok(true)
            })
            .await?;
        if !ours {
            return Ok(None);
        }
        self.swept.store(hour, Ordering::Release);
        self.keep_in_mind(&entries, now);
        self.index.take(record::exchanges(entries), to);
        Ok(Some(count))
    }

    /// What is told of the last minutes, from memory.
    fn keep_in_mind(&self, entries: &[Entry], now: Time) {
        let calls = all(entries).map(|e| (Time(e.began), e.own.as_str(), place(e.result)));
        self.seconds.add(calls, now);
        self.health
            .add(entries.iter().map(|e| (&e.indexed, e.sizes)), now);
        let clocks = entries.iter();
        self.clocks
            .read(clocks.filter_map(|e| Some((e.indexed.member.as_str(), e.clock?))));
    }

    /// Whether an agreement's hash is one that this node holds.
    fn holds(&self, hash: &str) -> bool {
        Digest::parse(hash).is_some_and(|hash| self.agreements.held(&hash).is_some())
    }

    /// The calls of some exchanges that count against a quota here, by agreement and day.
    fn metered<'a>(&self, exchanges: impl Iterator<Item = &'a Indexed>) -> BTreeMap<(Digest, Date), u32> {
        let mut calls = BTreeMap::new();
        for e in exchanges.filter(|e| e.side == index::PROVIDER && e.status != 0) {
            if let Some(agreement) = Digest::parse(&e.agreement)
                && self.agreements.has_quota(&agreement)
            {
                *calls.entry((agreement, Time(e.began).date())).or_default() += 1;
            }
        }
        calls
    }

    /// Counts in what was used of this month's quotas before this process began: what is folded is in
    /// rows, the rest is in the log.
    pub(crate) async fn recall_quotas(&self) -> Result<(), Problem> {
        if !self.agreements.has_quotas() {
            return Ok(());
        }
        let month = iso(self.now().date()).get(..7).unwrap_or_default().to_owned();
        let month = &month;
        let (rows, mut from) = self
            .store
            .write(&self.home, &Actor::Platform, |tx| async move {
                Ok((rows::quota_days(&tx, month).await?, tx.position(FOLLOWER).await?))
            })
            .await?;
        for (agreement, day, calls) in rows {
            let calls = u32::try_from(calls).unwrap_or(u32::MAX);
            let day = parse_iso(&day).ok_or_else(|| Problem::internal("a day of a quota is a day"))?;
            self.agreements.recall(&agreement, day, calls);
        }
        loop {
            let records = self.evidence.read(from, RECALLED).await?;
            if records.is_empty() {
                return Ok(());
            }
            from += records.len() as u64;
            let entries = record::entries(&records)?;
            for ((agreement, day), calls) in self.metered(all(&entries)) {
                self.agreements.recall(&agreement, day, calls);
            }
        }
    }
}

/// The exchanges of some records, replays too.
fn all(entries: &[Entry]) -> impl Iterator<Item = &Indexed> {
    entries.iter().map(|entry| &entry.indexed)
}

/// The exchanges of some records, without replays.
fn exchanges(entries: &[Entry]) -> impl Iterator<Item = &Indexed> {
    let whole = entries.iter().filter(|entry| !entry.replayed);
    whole.map(|entry| &entry.indexed)
}

/// What is written of some records.
struct Sums {
    counts: Vec<ExchangeCount>,
    /// Calls that count against a quota, by agreement and day.
    quotas: BTreeMap<(Digest, Date), u32>,
    traffic: Counted,
    /// The block of the index that they complete.
    block: Option<Block>,
    /// Whether old counts are forgotten with them: once an hour.
    sweeps: bool,
}

impl Sums {
    async fn write(&self, tx: &Tx, (from, to): (u64, u64), series_max: u64) -> Result<(), Problem> {
        if let Some(block) = &self.block {
            index::insert(tx, block).await?;
        }
        for ((agreement, day), calls) in &self.quotas {
            rows::count_quota(tx, &agreement.hex(), &iso(*day), *calls).await?;
        }
        traffic::add(tx, &self.traffic, series_max).await?;
        if self.sweeps {
            traffic::forget(tx, tx.now()).await?;
            audit::forget_refusals(tx, tx.now()).await?;
        }
        let fact = Fact::ExchangesCounted {
            stream: STREAM.to_owned(),
            from,
            to,
            counts: self.counts.clone(),
        };
        tx.fact(&format!("stream/{STREAM}"), fact).await?;
        Ok(())
    }
}

fn counts<'a>(entries: impl Iterator<Item = &'a Indexed>) -> Result<Vec<ExchangeCount>, Problem> {
    let mut counts: BTreeMap<(&str, &str, &str, bool), u64> = BTreeMap::new();
    for e in entries {
        *counts
            .entry((&e.consumer, &e.service, e.side, (200..300).contains(&e.status)))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((consumer, service, side, ok), count)| {
            let consumer: crate::ids::SystemId = consumer.parse().map_err(Problem::internal)?;
            let service: crate::ids::ServiceId = service.parse().map_err(Problem::internal)?;
            Ok(ExchangeCount {
                consumer: consumer.org,
                provider: service.org.clone(),
                service: service.to_string(),
                side: side.to_owned(),
                ok,
                count,
            })
        })
        .collect()
}
