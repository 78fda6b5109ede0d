//! Record logs in segment files. Never edits a record: a damaged log opens for nobody.
//!
//! `folder/00000000000000000000.seg`: the header `SENLOG1\n`, then records (see `frame`). A record
//! never spans segments. Appends that wait together share one `fdatasync`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kernel::limits::Limits;
use kernel::{Digest, Kind, Problem};
use seal::merkle::leaf_hash;

use super::frame::{self, Frame};
use super::queue::{Pending, Queue, placed, tell};
pub use super::report::{LogReport, each, records, segment, verify};
use super::scan::{HEADER, Segment, name, scan};
use super::tree::{self, TILE, Tiles, Tree};
use super::{RecordLog, checkpoint};
use crate::error::disk;
use crate::{StoreError, fault};

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
    /// Segment's number and offset of the first record of every tile.
    tiles: Vec<(usize, u64)>,
}

#[derive(Debug)]
struct End {
    file: File,
    length: u64,
    /// Set when a failed write could not be undone: nothing more is written until the next opening.
    broken: bool,
}

impl Files {
    /// Opens a log, making it when it is not there and cutting a torn tail off.
    pub(crate) fn open(stream: &str, dir: &Path, limits: &Limits) -> Result<Self, StoreError> {
        let bad = |e| StoreError::Folder(dir.to_owned(), e);
        std::fs::create_dir_all(dir).map_err(bad)?;
        let (mut tree, mut tiles) = (Tree::default(), Vec::new());
        let found = scan(dir, |position, segment, offset, payload| {
            if position.is_multiple_of(TILE) {
                tiles.push((segment, offset));
            }
            tree.push(leaf_hash(payload));
        })
        .map_err(bad)?;
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
                    tiles,
                }),
                end: Mutex::new(end),
            }),
        })
    }
}

impl End {
    fn begin(dir: &Path, first: u64) -> io::Result<(Self, Segment)> {
        let path = dir.join(name(first));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)?;
        file.write_all(HEADER)?;
        fault::at("segment-begun");
        file.sync_all()?;
        // The file's name is in the folder: it must be on the disk before the first record counts.
        File::open(dir)?.sync_all()?;
        let length = HEADER.len() as u64;
        Ok((
            Self {
                file,
                length,
                broken: false,
            },
            Segment { path, length },
        ))
    }

    fn reopen(last: &mut Segment, torn: bool) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&last.path)?;
        if torn {
            file.set_len(last.length)?;
            if last.length == 0 {
                file.write_all(HEADER)?;
                last.length = HEADER.len() as u64;
            }
            file.sync_all()?;
        }
        Ok(Self {
            file,
            length: last.length,
            broken: false,
        })
    }

    /// Writes bytes at the end and flushes them; on an error the file is as before.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier failed write could not be undone"));
        }
        fault::at("append-before");
        let done = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| fault::write_all(&mut self.file, bytes, "append-half"));
        fault::at("append-unflushed");
        let done = done.and_then(|()| self.file.sync_data());
        fault::at("append-flushed");
        match done {
            Ok(()) => self.length += bytes.len() as u64,
            Err(_) => {
                self.broken = self
                    .file
                    .set_len(self.length)
                    .and_then(|()| self.file.sync_data())
                    .is_err();
            }
        }
        done
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
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for payload in batch.iter().flat_map(|pending| &pending.records) {
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
            if view.tree.len().is_multiple_of(TILE) {
                view.tiles.push((segment, offset));
            }
            view.tree.push(leaf);
        }
        Ok(first)
    }

    /// Reads up to `limit` records from a position.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let (segments, (mut segment, mut offset)) = {
            let view = self.view();
            if from >= view.tree.len() {
                return Ok(Vec::new());
            }
            let tile = usize::try_from(from / TILE).expect("a count of things in memory");
            (view.segments.clone(), view.tiles[tile])
        };
        let (mut position, mut out) = (from / TILE * TILE, Vec::new());
        // One room for all chunks: fresh memory for each costs more than what is read into it.
        let mut bytes = Vec::new();
        while let Some(place) = segments.get(segment) {
            // A segment begun for records that never came (a crash, a full disk) holds none.
            if offset >= place.length {
                (segment, offset) = (segment + 1, HEADER.len() as u64);
                continue;
            }
            chunk(place, offset, &mut bytes).map_err(|e| disk(&e, &place.path))?;
            let mut at = 0;
            // The chunk may end inside a record: the next one begins there.
            while out.len() < limit {
                match frame::read(&bytes[at..]) {
                    Frame::Record(payload, length) => {
                        if position >= from {
                            out.push((position, payload.to_vec()));
                        }
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
            if out.len() == limit {
                break;
            }
            offset += at as u64;
        }
        Ok(out)
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
        let kept = self.shared.view().tree.tail(tile, count);
        match kept {
            Some(leaves) => Ok(leaves),
            None => {
                let limit = usize::try_from(count).expect("a tile's size");
                let records = RecordLog::read(self, tile * TILE, limit).await?;
                Ok(records.iter().map(|(_, record)| leaf_hash(record)).collect())
            }
        }
    }
}
