//! Folding the evidence log into an index and into one counting fact a batch, by position and so
//! once. Never on the hot path.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::fact::ExchangeCount;
use kernel::time::{Date, iso, parse_iso};
use kernel::{Actor, Digest, Fact, Problem, Time};
use tokio::sync::watch;

use crate::audit;
use crate::envelope::{self, CONSUMER, Evidence, Kept};
use crate::evidence::Outcome;
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::message::{AnswerHead, RequestHead};
use crate::monitoring::health::Sizes;
use crate::standing::clocks::Clock;
use crate::store::{self as rows, Indexed};
use crate::traffic::{self, Grain};

/// Records folded in one transaction, count.
const STEP: usize = 2_000;
/// How long the follower rests when there is nothing new.
const REST: Duration = Duration::from_millis(200);
const FOLLOWER: &str = "exchange-follow";

impl Exchange {
    /// Folds what is new; gives how many records it folded.
    ///
    /// # Errors
    /// When the log or the store cannot be used; nothing is half done then.
    pub async fn fold_evidence(&self) -> Result<usize, Problem> {
        let g = &*self.0;
        if g.evidence.len().await <= g.folded.load(Ordering::Acquire) {
            return Ok(0); // without a question to the database: this is asked five times a second
        }
        let from = g
            .store
            .write(&g.home, &Actor::Platform, |tx| async move {
                tx.position(FOLLOWER).await
            })
            .await?;
        let records = g.evidence.read(from, STEP).await?;
        if records.is_empty() {
            g.folded.fetch_max(from, Ordering::AcqRel);
            return Ok(0);
        }
        let to = from + records.len() as u64;
        let entries = records
            .iter()
            .map(|(p, bytes)| entry(*p, bytes))
            .collect::<Result<Vec<_>, _>>()?;
        let counts = count(entries.iter().map(|e| &e.indexed))?;
        let quotas: Vec<(String, String, u32)> = self
            .0
            .metered(entries.iter().map(|e| &e.indexed))
            .into_iter()
            .map(|((agreement, day), calls)| (agreement.hex(), iso(day), calls))
            .collect();
        let traffic = traffic::count(entries.iter().map(|e| &e.indexed), &|hash| g.holds(hash));
        let series_max = g.store.limits().traffic_series_max;
        let (now, hour) = (g.now(), Grain::Hour.begin(g.now()).ms());
        let sweeps = g.swept.load(Ordering::Acquire) != hour;
        let (entries, counts, quotas, traffic) = (&entries, &counts, &quotas, &traffic);
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                if tx.position(FOLLOWER).await? != from {
                    return Ok(()); // another process of this node was first
                }
                // The id of a replay is that of the exchange it repeats: it is counted only.
                let whole = || entries.iter().filter(|e| !e.replayed);
                let exchanges: Vec<&Indexed> = whole().map(|e| &e.indexed).collect();
                rows::index(&tx, &exchanges).await?;
                let messages: Vec<(&str, &str)> = whole()
                    .filter_map(|e| Some((e.message.as_deref()?, e.indexed.request.as_str())))
                    .collect();
                rows::index_messages(&tx, &messages).await?;
                for (agreement, day, calls) in quotas {
                    rows::count_quota(&tx, agreement, day, *calls).await?;
                }
                traffic::add(&tx, traffic, series_max).await?;
                if sweeps {
                    traffic::forget(&tx, now).await?;
                    audit::forget_refusals(&tx, now).await?;
                }
                let fact = Fact::ExchangesCounted {
                    stream: STREAM.to_owned(),
                    from,
                    to,
                    counts: counts.clone(),
                };
                tx.fact(&format!("stream/{STREAM}"), fact).await?;
                tx.set_position(FOLLOWER, to).await
            })
            .await?;
        g.folded.fetch_max(to, Ordering::AcqRel);
        g.swept.store(hour, Ordering::Release);
        let calls = entries.iter().map(|e| &e.indexed);
        let calls = calls.map(|e| (Time(e.began), e.own.as_str(), place(&e.result)));
        g.seconds.add(calls, now);
        g.health.add(entries.iter().map(|e| (&e.indexed, e.sizes)), now);
        let clocks = entries.iter();
        g.clocks
            .read(clocks.filter_map(|e| Some((e.indexed.member.as_str(), e.clock?))));
        Ok(records.len())
    }

    /// Folds what is new in both logs; the larger count of the two.
    async fn fold_all(&self) -> Result<usize, Problem> {
        let acts = self.fold_acts().await?;
        self.tell_refusals().await?;
        Ok(self.fold_evidence().await?.max(acts))
    }

    /// Folds for as long as the node runs.
    pub async fn follow_evidence(self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            let rest = match self.fold_all().await {
                Ok(n) if n == STEP => continue,
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
    /// Whether an agreement's hash is one that this node holds.
    fn holds(&self, hash: &str) -> bool {
        Digest::parse(hash).is_some_and(|hash| self.agreements.held(&hash).is_some())
    }

    /// The calls of some exchanges that count against a quota here, by agreement and day.
    fn metered<'a>(&self, exchanges: impl Iterator<Item = &'a Indexed>) -> BTreeMap<(Digest, Date), u32> {
        let mut calls = BTreeMap::new();
        for e in exchanges.filter(|e| e.side == "provider" && e.status != 0) {
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
            let records = self.evidence.read(from, STEP).await?;
            if records.is_empty() {
                return Ok(());
            }
            from += records.len() as u64;
            let entries = records
                .iter()
                .map(|(p, bytes)| entry(*p, bytes))
                .collect::<Result<Vec<_>, _>>()?;
            for ((agreement, day), calls) in self.metered(entries.iter().map(|e| &e.indexed)) {
                self.agreements.recall(&agreement, day, calls);
            }
        }
    }
}

/// What is made of a record.
struct Entry {
    /// The record as the index has it.
    indexed: Indexed,
    /// Its consumer's id of the message.
    message: Option<String>,
    /// Whether it is of a replay.
    replayed: bool,
    /// What it says of the other side's clock.
    clock: Option<Clock>,
    /// How large its messages are.
    sizes: Sizes,
}

fn entry(position: u64, bytes: &[u8]) -> Result<Entry, Problem> {
    let record: Evidence = envelope::read(bytes)?;
    let head = RequestHead::kept(&record.request.head)?;
    let clock = Clock::of(&record, &head);
    let size = |kept: &Kept| kept.head.len() as u64 + kept.size;
    let sizes = Sizes {
        request: size(&record.request),
        answer: record.answer.as_ref().map(size),
    };
    let answer = record.answer.as_ref();
    let answer = answer.map(|a| AnswerHead::kept(&a.head)).transpose()?;
    let status = answer.as_ref().map(|h| h.status);
    // A gateway's refusal, or what the provider's gateway said in its service's place.
    let fault = answer
        .and_then(|h| h.fault)
        .unwrap_or_else(|| record.fault.clone());
    let (consumer, provider) = (head.consumer.org.top(), head.service.org.top());
    let (side, own, member) = if record.side == CONSUMER {
        ("consumer", consumer, provider)
    } else {
        ("provider", provider, consumer)
    };
    let indexed = Indexed {
        request: head.request,
        side: side.to_owned(),
        stream: STREAM.to_owned(),
        position,
        consumer: head.consumer.to_string(),
        service: head.service.to_string(),
        agreement: head.agreement.hex(),
        issue: head.issue,
        status: status.map_or(0, i64::from),
        began: record.began,
        ended: record.ended,
        own: own.to_string(),
        member: member.to_string(),
        result: Outcome::of(status, &fault).as_str().to_owned(),
        fault,
    };
    Ok(Entry {
        indexed,
        message: head.rest.id,
        replayed: record.fault == "replayed",
        sizes,
        clock: clock.filter(|_| record.fault != "replayed"),
    })
}

fn count<'a>(entries: impl Iterator<Item = &'a Indexed>) -> Result<Vec<ExchangeCount>, Problem> {
    let mut counts: BTreeMap<(&str, &str, &str, bool), u64> = BTreeMap::new();
    for e in entries {
        *counts
            .entry((&e.consumer, &e.service, &e.side, (200..300).contains(&e.status)))
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
