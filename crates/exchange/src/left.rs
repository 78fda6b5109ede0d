//! What has left the live evidence log: spans of records that stand in archive files, where each of them is,
//! and how it leaves. Whoever calls has read the archive again and found it good; what the node itself still
//! needs never leaves. Never a file: archives are written, checked and kept elsewhere.
//!
//! | module | holds |
//! |---|---|
//! | `page` | the list of what has left, for people and programs |
//! | `store` | the SQL |

pub(crate) mod page;
mod store;

use std::collections::BTreeSet;

use ::store::Reader;
use kernel::{Actor, Digest, Fact, Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::envelope::{self, Evidence};
use crate::gateway::{APPEND_MS_MAX, Exchange, Gateway, STREAM};
use crate::index::{self, BLOCK, Indexed};
use crate::timestamping;

/// A span of evidence that stands in an archive file and is to leave the live log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// The position of its first record.
    pub first: u64,
    /// The position behind its last.
    pub next: u64,
    /// The archive file's name.
    pub file: String,
    /// SHA-256 of the archive file.
    pub sha256: Digest,
    /// Size of the archive file, in bytes.
    pub bytes: u64,
    /// The retention class that holds its records longest.
    pub class: String,
    /// Until when the archive file is to be kept; none for good.
    pub keep_until: Option<Time>,
}

/// An archive file whose records have left the live log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EvidenceArchive {
    /// The position of its first record.
    pub first: u64,
    /// The position behind its last.
    pub next: u64,
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// The retention class that held its records longest.
    pub class: String,
    /// Until when the file is to be kept, milliseconds since 1970; none for good.
    pub keep_until: Option<i64>,
    /// Since when the records are in no live log, milliseconds since 1970.
    pub since: i64,
}

impl EvidenceArchive {
    /// That an exchange is asked for which lives here.
    pub(crate) fn problem(&self, request: &str) -> Problem {
        Problem::new(Kind::NotFound, "evidence-archived")
            .with("request", request)
            .with("file", &self.file)
            .with("since", Time(self.since).rfc3339())
    }
}

/// The archive that holds a record which has left the live log.
///
/// # Errors
/// When the rows cannot be read.
pub(crate) async fn archive_of(reader: &Reader, position: u64) -> Result<Option<EvidenceArchive>, Problem> {
    store::of_position(reader, STREAM, position).await
}

/// The archives that hold some records which have left the live log, each once, the newest first.
///
/// # Errors
/// When the rows cannot be read.
pub(crate) async fn archives_of(
    reader: &Reader,
    first: u64,
    rows: &[Indexed],
) -> Result<Vec<EvidenceArchive>, Problem> {
    let gone = rows.iter().map(|row| row.position).filter(|at| *at < first);
    let mut found: Vec<EvidenceArchive> = Vec::new();
    for position in gone.collect::<BTreeSet<u64>>().into_iter().rev() {
        let is_there = |archive: &EvidenceArchive| (archive.first..archive.next).contains(&position);
        if !found.iter().any(is_there) {
            found.extend(archive_of(reader, position).await?);
        }
    }
    Ok(found)
}

impl Exchange {
    /// Takes archived spans off the live log, each behind the one before: rows and facts first, from then on
    /// they have left, then the log's own. Spans that have left already are passed over. Gives the position of
    /// the first record that is there.
    ///
    /// # Errors
    /// Conflict `archive-order` when a span does not begin where what has left ends; `log-unsigned`,
    /// `evidence-unstamped`, `evidence-unindexed` or `evidence-young` when the node still needs some of it.
    pub async fn leave(&self, spans: &[Leaving]) -> Result<u64, Problem> {
        let g = &*self.0;
        let _turn = g.leaving.lock().await;
        let begins = store::left_to(&g.store.read(&g.home).await?, STREAM).await?;
        let new: Vec<&Leaving> = spans.iter().filter(|span| span.next > begins).collect();
        let mut next = begins;
        for span in &new {
            if span.first != next || span.next <= span.first {
                return Err(Problem::new(Kind::Conflict, "archive-order").with("position", next));
            }
            next = span.next;
        }
        if next == begins {
            return Ok(begins);
        }
        g.may_leave(next).await?;
        let new = &new;
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                for span in new {
                    store::insert(&tx, STREAM, span).await?;
                    tx.fact(&format!("stream/{STREAM}"), fact(span)).await?;
                }
                Ok(())
            })
            .await?;
        g.store.forget(STREAM, next).await?;
        tracing::info!(stream = STREAM, next, "what was archived has left the live log");
        Ok(next)
    }

    /// The position of the first record that the live log has.
    pub async fn live_from(&self) -> u64 {
        self.0.evidence.first().await
    }

    /// Brings to its end what a crash cut short between the rows and the log.
    pub(crate) async fn end_leaving(&self) -> Result<(), Problem> {
        let g = &*self.0;
        let left = store::left_to(&g.store.read(&g.home).await?, STREAM).await?;
        if left > g.evidence.first().await {
            g.store.forget(STREAM, left).await?;
        }
        Ok(())
    }
}

fn fact(span: &Leaving) -> Fact {
    Fact::EvidenceLeft {
        stream: STREAM.to_owned(),
        first: span.first,
        next: span.next,
        file: span.file.clone(),
        sha256: span.sha256,
        class: span.class.clone(),
    }
}

impl Gateway {
    /// Nothing in front of a position is needed here any more: it is under a signed root and a timestamp, it
    /// is counted and in the index, and no message in it could come again.
    async fn may_leave(&self, next: u64) -> Result<(), Problem> {
        let refused = |problem: Problem| Err(problem.with("position", next));
        self.store.signed_at(STREAM, next).await?;
        let reader = self.store.read(&self.home).await?;
        if timestamping::stamped(&reader).await? < next {
            return refused(Problem::new(Kind::Conflict, "evidence-unstamped"));
        }
        if index::blocks(&reader).await? * BLOCK < next {
            return refused(Problem::new(Kind::Conflict, "evidence-unindexed"));
        }
        let window_ms = self.store.limits().clock_skew_ms_max;
        let last = self.evidence.read(next - 1, 1).await?;
        let ended = match last.first() {
            Some((_, bytes)) => envelope::read::<Evidence>(bytes)?.ended,
            None => return Err(Problem::internal("a record in front of a signed root is there")),
        };
        if ended >= self.now().ms() - 2 * window_ms - APPEND_MS_MAX {
            return refused(Problem::new(Kind::Conflict, "evidence-young"));
        }
        Ok(())
    }

    /// The archive of a record that has left the live log; none of one that is there.
    pub(crate) async fn archive_of(&self, position: u64) -> Result<Option<EvidenceArchive>, Problem> {
        if position >= self.evidence.first().await {
            return Ok(None);
        }
        archive_of(&self.store.read(&self.home).await?, position).await
    }
}
