//! One day's shelf as it is written: what waits together is flushed together, by whoever came first; a
//! large body has a segment of its own, so that it holds nobody up. Never reads one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use kernel::Problem;
use tokio::sync::oneshot;

use super::cipher::{KEY, PIECE, ShelfKey, stored_bytes};
use super::media::{Media, Segment};
use crate::error::unavailable;

/// Bytes that one flush carries, unless the first alone has more.
const FLUSH_BYTES_MAX: u64 = 16 << 20;

/// An open shelf.
pub(crate) struct Shelf {
    media: Arc<dyn Media>,
    day: String,
    key: ShelfKey,
    segment_bytes_max: u64,
    queue: Mutex<Queue>,
    end: tokio::sync::Mutex<End>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    led: bool,
}

/// One caller's bytes, and where to tell their position.
struct Waiting {
    parts: Vec<Vec<u8>>,
    bytes: u64,
    told: oneshot::Sender<Result<u64, Problem>>,
}

struct End {
    /// None before the first append, and after what cannot be appended to.
    segment: Option<Box<dyn Segment>>,
    first: u64,
    at: u64,
}

impl Shelf {
    pub(crate) fn open(
        media: Arc<dyn Media>,
        day: String,
        key: ShelfKey,
        end: u64,
        segment_bytes_max: u64,
    ) -> Self {
        Self {
            media,
            day,
            key,
            segment_bytes_max,
            queue: Mutex::default(),
            end: tokio::sync::Mutex::new(End {
                segment: None,
                first: end,
                at: end,
            }),
        }
    }

    /// A body as it is kept.
    pub(crate) fn close(&self, body: &[u8], salt: &[u8; KEY]) -> Result<Vec<u8>, Problem> {
        let size = body.len() as u64;
        let key = self.key.begin(size, salt);
        let room = usize::try_from(stored_bytes(size)).map_err(Problem::internal)?;
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(key.head());
        for (number, piece) in body.chunks(PIECE).enumerate() {
            let mut piece = piece.to_vec();
            key.close(number as u64, &mut piece)?;
            out.append(&mut piece);
        }
        Ok(out)
    }

    /// Appends what was closed; its position, after the flush.
    pub(crate) async fn append(self: &Arc<Self>, parts: Vec<Vec<u8>>, bytes: u64) -> Result<u64, Problem> {
        let (told, answer) = oneshot::channel();
        let leads = {
            let mut queue = self.queue();
            queue.waiting.push_back(Waiting { parts, bytes, told });
            !std::mem::replace(&mut queue.led, true)
        };
        if leads {
            let shelf = Arc::clone(self);
            tokio::spawn(async move { shelf.lead().await });
        }
        let told = answer.await;
        told.map_err(|_| unavailable("the flush was abandoned"))?
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one flush carries; empty when nothing waits, and then nobody leads any more.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = queue.waiting.front() {
            bytes += next.bytes;
            if bytes > FLUSH_BYTES_MAX && !taken.is_empty() {
                break;
            }
            taken.extend(queue.waiting.pop_front());
        }
        queue.led = !taken.is_empty();
        taken
    }

    async fn lead(&self) {
        loop {
            let batch = self.take();
            if batch.is_empty() {
                return;
            }
            let (mut parts, mut told, mut bytes) = (Vec::new(), Vec::new(), 0);
            for waiting in batch {
                parts.extend(waiting.parts);
                told.push((bytes, waiting.told));
                bytes += waiting.bytes;
            }
            let outcome = self.flush(parts, bytes).await;
            if let Err(problem) = &outcome {
                tracing::error!(day = self.day, %problem, "bodies could not be kept");
            }
            for (offset, told) in told {
                // A caller that went away does not want to know.
                drop(told.send(outcome.clone().map(|first| first + offset)));
            }
        }
    }

    async fn flush(&self, parts: Vec<Vec<u8>>, bytes: u64) -> Result<u64, Problem> {
        let mut end = self.end.lock().await;
        if end.at - end.first > self.segment_bytes_max {
            end.segment = None;
        }
        let first = end.at;
        let mut segment = match end.segment.take() {
            Some(segment) => segment,
            None => {
                end.first = first;
                self.media.begin(&self.day, first).await?
            }
        };
        let done = segment.append(parts, true).await;
        metrics::counter!("sen_body_flushes_total").increment(1);
        match done {
            Ok(()) => {
                end.segment = Some(segment);
                end.at += bytes;
                Ok(first)
            }
            Err(problem) if segment.is_broken() => {
                // What may stand there is passed over.
                end.at += bytes;
                Err(problem)
            }
            Err(problem) => {
                end.segment = Some(segment);
                Err(problem)
            }
        }
    }

    /// Keeps a body that comes in parts in a segment of its own.
    pub(crate) async fn append_large(
        &self,
        size: u64,
        salt: &[u8; KEY],
        parts: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<u64, Problem> {
        if size == 0 {
            return Err(Problem::internal("an empty body is not kept"));
        }
        let first = {
            let mut end = self.end.lock().await;
            let first = end.at;
            end.at += stored_bytes(size);
            // Those who come after it begin behind it.
            end.segment = None;
            first
        };
        let mut segment = self.media.begin(&self.day, first).await?;
        match self.fill(segment.as_mut(), size, salt, parts).await {
            Ok(()) => Ok(first),
            Err(problem) => {
                segment.undo().await;
                Err(problem)
            }
        }
    }

    async fn fill(
        &self,
        segment: &mut dyn Segment,
        size: u64,
        salt: &[u8; KEY],
        mut parts: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<(), Problem> {
        let key = self.key.begin(size, salt);
        segment.append(vec![key.head().to_vec()], false).await?;
        let (mut waiting, mut number) = (Vec::with_capacity(PIECE), 0);
        while let Some(part) = parts.try_next().await? {
            let mut part = &part[..];
            while !part.is_empty() {
                if waiting.len() == PIECE {
                    return Err(Problem::internal("a body is longer than it was said to be"));
                }
                let (now, rest) = part.split_at(part.len().min(PIECE - waiting.len()));
                waiting.extend_from_slice(now);
                part = rest;
                // The last piece waits for the end, which says that it is the last.
                if waiting.len() == PIECE && number + 1 < key.pieces() {
                    let mut piece = std::mem::replace(&mut waiting, Vec::with_capacity(PIECE));
                    key.close(number, &mut piece)?;
                    segment.append(vec![piece], false).await?;
                    number += 1;
                }
            }
        }
        if number + 1 != key.pieces() || number * PIECE as u64 + waiting.len() as u64 != size {
            return Err(Problem::internal("a body is not as long as it was said to be"));
        }
        key.close(number, &mut waiting)?;
        segment.append(vec![waiting], true).await
    }
}
