//! The index of the evidence log: what of it is in blocks of rows, and the tail that is in none yet.
//! A block is a pure function of 4,096 records of the log, so it is written once and never changed, a search
//! reads a few whatever the history, and what was lost is made again. Never on a call's way.
//!
//! | module | holds |
//! |---|---|
//! | `block` | the exchanges of a block, and what it is found by |
//! | `keys` | from an id, a message or a case to places in the log |
//! | `look` | the look at blocks and tail together |
//! | `store` | all the SQL |

mod block;
mod keys;
mod look;
mod store;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use block::{Block, CONSUMER, PROVIDER};
pub(crate) use look::{Asked, By, Look, Place};
pub(crate) use store::{blocks, insert};

/// Records of the log that a block covers, count.
pub(crate) const BLOCK: u64 = 4_096;

/// One exchange as the index knows it; the truth is the log's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Indexed {
    /// The exchange's id.
    pub request: String,
    /// `consumer` or `provider`.
    pub side: &'static str,
    /// The evidence stream.
    pub stream: &'static str,
    /// The record's position in it.
    pub position: u64,
    /// Who asked.
    pub consumer: String,
    /// What was asked.
    pub service: String,
    /// Under which agreement.
    pub agreement: String,
    /// The id that the consumer gave its message (`X-Road-Id`).
    pub message: Option<String>,
    /// The case that caused it.
    pub issue: Option<String>,
    /// The service's status; 0 when a gateway refused.
    pub status: u16,
    /// When this gateway began, in milliseconds since 1970.
    pub began: i64,
    /// When this gateway ended, in milliseconds since 1970.
    pub ended: i64,
    /// The organisation of this node whose record it is.
    pub own: String,
    /// The other party's organisation.
    pub member: String,
    /// `ok`, `refused` or `fault`.
    pub result: &'static str,
    /// Why a gateway refused or answered in its service's place: a problem's key; empty otherwise.
    pub fault: String,
}

/// What of the log is in no block yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail {
    /// The position where it begins: where the last block ends.
    first: u64,
    /// The position behind its last record.
    next: u64,
    /// Its exchanges. A replay is a record of the log, and none of these.
    rows: Vec<Arc<Indexed>>,
}

impl Tail {
    /// A tail behind so many blocks.
    pub(crate) fn behind(blocks: u64) -> Self {
        Self {
            first: blocks * BLOCK,
            next: blocks * BLOCK,
            rows: Vec::new(),
        }
    }

    /// The position where it begins: where the last whole block ends.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// The position of the next record to read.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Takes records up to a position.
    pub(crate) fn take(&mut self, rows: impl Iterator<Item = Indexed>, to: u64) {
        self.rows.extend(rows.map(Arc::new));
        self.next = to;
    }
}

/// The index of a running node's log.
#[derive(Debug)]
pub(crate) struct Index(RwLock<Tail>);

impl Index {
    /// Of a log of which so many blocks are written.
    pub(crate) fn behind(blocks: u64) -> Self {
        Self(RwLock::new(Tail::behind(blocks)))
    }

    /// The tail as it is now.
    pub(crate) fn tail(&self) -> Tail {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The position of the next record to read, and how many it may be.
    pub(crate) fn next(&self) -> (u64, u64) {
        let tail = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (tail.next, tail.first + BLOCK - tail.next)
    }

    /// The block that these records complete; none while there is room for more.
    pub(crate) fn block_with<'a>(&self, rows: impl Iterator<Item = &'a Indexed>, to: u64) -> Option<Block> {
        let tail = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if to != tail.first + BLOCK {
            return None;
        }
        let mut all: Vec<&Indexed> = tail.rows.iter().map(Arc::as_ref).collect();
        all.extend(rows.map(|row| -> &Indexed { row }));
        Some(Block::of(tail.first / BLOCK, &all))
    }

    /// Takes records up to a position; what makes a block whole is in its rows already.
    pub(crate) fn take(&self, rows: impl Iterator<Item = Indexed>, to: u64) {
        let mut tail = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if to == tail.first + BLOCK {
            *tail = Tail::behind(to / BLOCK);
        } else {
            tail.take(rows, to);
        }
    }
}
