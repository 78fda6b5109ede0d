//! Record logs in segment files. Never edits a record: a damaged log opens for nobody.
//!
//! `folder/00000000000000000000.seg`: the header `SENLOG1\n`, then records (see `frame`). A record
//! never spans segments. Appends that wait together share one `fdatasync`. What is archived leaves by `leaving`.

mod end;
mod leaving;

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::limits::Limits;
use kernel::{Digest, Kind, Problem};
use seal::merkle::leaf_hash;

use super::frame::{self, Frame};
use super::queue::{Pending, Queue, placed, tell};
pub use super::report::{LogReport, each, records, segment, verify};
use super::scan::{HEADER, Scanning, Segment, name};
use super::tree::{self, TILE, Tiles, Tree};
use super::{RecordLog, archived, checkpoint};
use crate::StoreError;
use crate::error::disk;
use end::End;

/// An open log.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stream: String,
    dir: PathBuf,
    segment_bytes_max: u64,
    records_max: usize,
    queue: Queue,
    /// What readers see: only flushed records.
    view: Mutex<View>,
    /// The end of the log; its leader alone holds it.
    end: Mutex<End>,
}

#[derive(Debug)]
struct View {
    tree: Tree,
    segments: Vec<Segment>,
    /// The number of the tile that the first of these places is of.
    tiles_from: u64,
    /// Segment's number and offset of the first record of every tile that is there.
    tiles: Vec<(usize, u64)>,
    /// The first record that is there.
    first: u64,
    /// The leaves in front of it in its tile.
    before: Vec<Digest>,
}

impl View {
    /// Where reading for a position begins: the position there, its segment's number and the offset.
    fn place(&self, position: u64) -> (u64, usize, u64) {
        let tile = position / TILE;
        let (segment, offset) = self.tiles[index(tile - self.tiles_from)];
        (self.first.max(tile * TILE), segment, offset)
    }
}

fn index(count: u64) -> usize {
    usize::try_from(count).expect("a count of things in memory")
}

impl Files {
    /// Opens a log, making it when it is not there and cutting a torn tail off.
    pub(crate) fn open(stream: &str, dir: &Path, limits: &Limits) -> Result<Self, StoreError> {
        let bad = |e| StoreError::Folder(dir.to_owned(), e);
        std::fs::create_dir_all(dir).map_err(bad)?;
        let scanning = Scanning::begin(dir).map_err(bad)?;
        let (mut tree, mut tiles) = (scanning.before().tree(), Vec::new());
        let found = scanning.each(|position, segment, offset, payload| {
            if position.is_multiple_of(TILE) || tiles.is_empty() {
                tiles.push((segment, offset));
            }
            tree.push(leaf_hash(payload));
        });
        let found = found.map_err(bad)?;
        let damaged = |position, why| StoreError::DamagedLog {
            stream: stream.to_owned(),
            position,
            why,
        };
        if let Some((position, why)) = found.damage {
            return Err(damaged(position, why));
        }
        if let Some(last) = checkpoint::read(dir)
            .last()
            .filter(|last| last.size > found.records)
        {
            return Err(damaged(
                found.records,
                format!("the checkpoint of {} records has more", last.size),
            ));
        }
        let mut segments = found.segments;
        let end = match segments.last_mut() {
            Some(last) => End::reopen(last, found.torn).map_err(bad)?,
            None => {
                let (end, segment) = End::begin(dir, 0).map_err(bad)?;
                segments.push(segment);
                end
            }
        };
        drop(found.shared);
        let first = found.before.first();
        leaving::sweep(dir, first);
        if found.torn {
            tracing::warn!(
                stream,
                records = found.records,
                "a write cut short by a crash was taken off the log"
            );
        }
        Ok(Self {
            shared: Arc::new(Shared {
                stream: stream.to_owned(),
                dir: dir.to_owned(),
                segment_bytes_max: limits.segment_bytes_max,
                records_max: limits.batch_records_max.max(1),
                queue: Queue::default(),
                view: Mutex::new(View {
                    tree,
                    segments,
                    tiles_from: first / TILE,
                    tiles,
                    first,
                    before: found.before.leaves().to_vec(),
                }),
                end: Mutex::new(end),
            }),
        })
    }
}

impl Shared {
    async fn enqueue(self: &Arc<Self>, at: Option<u64>, records: Vec<Vec<u8>>) -> Result<u64, Problem> {
        super::check_sizes(&records)?;
        let (answer, leads) = self.queue.push(at, records);
        if leads {
            let shared = Arc::clone(self);
            tokio::task::spawn_blocking(move || shared.lead());
        }
        answer
            .await
            .map_err(|_| crate::error::unavailable("the flush was abandoned"))?
    }

    /// Flushes what waits until nothing does.
    fn lead(&self) {
        loop {
            let batch = self.queue.take(self.records_max);
            if batch.is_empty() {
                return;
            }
            let batch = placed(batch, self.view().tree.len());
            let outcome = self.flush(&batch);
            if let Err(problem) = &outcome {
                tracing::error!(stream = self.stream, %problem, "records could not be appended");
            }
            tell(batch, outcome);
        }
    }

    fn flush(&self, batch: &[Pending]) -> Result<u64, Problem> {
        let told = |e: io::Error| disk(&e, &self.dir);
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.view().tree.len();
        if end.length > self.segment_bytes_max {
            let (next, segment) = End::begin(&self.dir, first).map_err(|e| {
                // An empty segment in the way would be taken for the log's end at the next opening,
                // rightly so; but a half-written one has no header.
                drop(std::fs::remove_file(self.dir.join(name(first))));
                told(e)
            })?;
            *end = next;
            self.view().segments.push(segment);
        }
        let records = || batch.iter().flat_map(|pending| &pending.records);
        // All room at once: a buffer that grows is copied, and given back, at each doubling.
        let room = records().map(|payload| frame::HEAD + payload.len()).sum();
        let (mut bytes, mut places) = (Vec::with_capacity(room), Vec::with_capacity(records().count()));
        for payload in records() {
            places.push((end.length + bytes.len() as u64, leaf_hash(payload)));
            frame::write(&mut bytes, payload);
        }
        if places.is_empty() {
            return Ok(first);
        }
        end.write(&bytes).map_err(told)?;
        metrics::counter!("sen_log_flushes_total").increment(1);
        metrics::counter!("sen_log_records_total").increment(places.len() as u64);
        let mut view = self.view();
        let segment = view.segments.len() - 1;
        view.segments[segment].length = end.length;
        for (offset, leaf) in places {
            if view.tree.len().is_multiple_of(TILE) || view.tiles.is_empty() {
                view.tiles.push((segment, offset));
            }
            view.tree.push(leaf);
        }
        Ok(first)
    }

    /// Reads up to `limit` records from a position.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let mut out = Vec::new();
        let walked = self.walk(from, |position, _, payload| {
            if out.len() < limit && position >= from {
                out.push((position, payload.to_vec()));
            }
            out.len() < limit
        });
        match walked {
            // It may have left while it was read.
            Err(problem) if from >= self.view().first => Err(problem),
            Err(_) => Err(archived(&self.stream, self.view().first)),
            Ok(()) => Ok(out),
        }
    }

    /// Walks the records from a position or a little before it, up to the end or until `visit` has enough;
    /// it gets each one's position, its segment's number and offset, and its payload.
    fn walk(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, (usize, u64), &[u8]) -> bool,
    ) -> Result<(), Problem> {
        let (segments, (mut position, mut segment, mut offset)) = {
            let view = self.view();
            if from < view.first {
                return Err(archived(&self.stream, view.first));
            }
            if from >= view.tree.len() {
                return Ok(());
            }
            (view.segments.clone(), view.place(from))
        };
        // One room for all chunks: fresh memory for each costs more than what is read into it.
        let (mut bytes, mut goes_on) = (Vec::new(), true);
        while let (Some(place), true) = (segments.get(segment), goes_on) {
            // A segment begun for records that never came (a crash, a full disk) holds none.
            if offset >= place.length {
                (segment, offset) = (segment + 1, HEADER.len() as u64);
                continue;
            }
            chunk(place, offset, &mut bytes).map_err(|e| disk(&e, &place.path))?;
            let mut at = 0;
            // The chunk may end inside a record: the next one begins there.
            while goes_on {
                match frame::read(&bytes[at..]) {
                    Frame::Record(payload, length) => {
                        goes_on = visit(position, (segment, offset + at as u64), payload);
                        position += 1;
                        at += length;
                    }
                    Frame::End => break,
                    Frame::Torn | Frame::Bad(_) if offset + (bytes.len() as u64) < place.length && at > 0 => {
                        break;
                    }
                    Frame::Torn | Frame::Bad(_) => return Err(damaged(&self.stream, position)),
                }
            }
            offset += at as u64;
        }
        Ok(())
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some bytes of a segment from an offset: at least one whole record.
fn chunk(segment: &Segment, offset: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    const CHUNK: u64 = 1 << 18;
    let mut file = File::open(&segment.path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut head = [0; 4];
    file.read_exact(&mut head)?;
    let whole = u64::from(u32::from_le_bytes(head)) + frame::HEAD as u64;
    let length = whole.max(CHUNK).min(segment.length.saturating_sub(offset));
    file.seek(SeekFrom::Start(offset))?;
    bytes.clear();
    bytes.reserve(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(bytes)?;
    Ok(())
}

/// A record is not what was written.
pub(crate) fn damaged(stream: &str, position: u64) -> Problem {
    Problem::new(Kind::Internal, "log-damaged")
        .because(format_args!("log {stream} is damaged at position {position}"))
}

/// Runs blocking work that must not be lost when its caller goes away.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Problem::internal)?
}

#[async_trait]
impl RecordLog for Files {
    async fn append(&self, records: Vec<Vec<u8>>) -> Result<u64, Problem> {
        self.shared.enqueue(None, records).await
    }

    async fn append_at(&self, at: u64, records: Vec<Vec<u8>>) -> Result<(), Problem> {
        self.shared.enqueue(Some(at), records).await.map(drop)
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.read(from, limit)).await
    }

    async fn len(&self) -> u64 {
        self.size()
    }

    async fn first(&self) -> u64 {
        self.shared.view().first
    }

    async fn forget(&self, to: u64) -> Result<(), Problem> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.forget(to)).await
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
impl Tiles for Files {
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
