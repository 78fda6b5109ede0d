//! A log read beside the node that writes it, in segment files or in rows: some records from a position,
//! each with its checksum checked. Never opens the log for writing, and never cuts a torn tail.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::Problem;

use super::files::damaged;
use super::frame::{self, Frame};
use super::scan::{self, HEADER, name};
use super::{archived, before};
use crate::check::Open;
use crate::error::disk;
use crate::{Database, StoreError, params};

/// Rows read at a time, count; a row is one flush.
const ROWS: u64 = 64;

/// A log that somebody else writes.
pub struct Beside {
    stream: String,
    place: Place,
}

enum Place {
    /// The folder of the segments, and the one that was read last.
    Files(PathBuf, Mutex<Option<Arc<Segment>>>),
    Rows(Open),
}

/// A segment in memory.
struct Segment {
    first: u64,
    bytes: Vec<u8>,
    /// Where each good record's payload stands.
    records: Vec<std::ops::Range<usize>>,
    /// Why there is no further record; nothing at the end, or where a write is under way.
    damage: Option<&'static str>,
}

impl Beside {
    /// A node's log by name; `logs` is the node's folder of logs.
    ///
    /// # Errors
    /// When a server cannot be reached.
    pub async fn open(database: &Database, logs: &Path, stream: &str) -> Result<Self, StoreError> {
        let place = match database {
            Database::Sqlite(_) => Place::Files(logs.join(stream), Mutex::default()),
            Database::Postgres { .. } => Place::Rows(Open::of(database).await?),
        };
        Ok(Self {
            stream: stream.to_owned(),
            place,
        })
    }

    /// The position of the first record that is there: 0 until some have left.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn first(&self) -> Result<u64, Problem> {
        match &self.place {
            Place::Files(dir, _) => Ok(before::first_in(dir)),
            Place::Rows(open) => {
                let first = "select first from store_log_before where stream = $1";
                let row = open.reader().one(first, params![&self.stream]).await?;
                row.map_or(Ok(0), |row| row.count("first"))
            }
        }
    }

    /// Records with their positions from a position, at most `limit`; fewer where the log ends.
    ///
    /// # Errors
    /// Internal `log-damaged` with the position in the cause; not found `log-archived` in front of
    /// [`Beside::first`]; Unavailable.
    pub async fn read(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let read = match &self.place {
            Place::Files(dir, last) => self.of_files(dir, last, from, limit),
            Place::Rows(open) => self.of_rows(open, from, limit).await,
        };
        // Asked afterwards: it may have left while it was read.
        let first = self.first().await?;
        if from < first {
            return Err(archived(&self.stream, first));
        }
        read
    }

    fn of_files(
        &self,
        dir: &Path,
        last: &Mutex<Option<Arc<Segment>>>,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let (mut next, mut out) = (from, Vec::new());
        while out.len() < limit {
            let segment = segment_of(dir, last, next)?;
            let Some(segment) = segment else { break };
            let skip = usize::try_from(next - segment.first).map_err(Problem::internal)?;
            let before = next;
            for place in segment.records.iter().skip(skip).take(limit - out.len()) {
                out.push((next, segment.bytes[place.clone()].to_vec()));
                next += 1;
            }
            if out.len() < limit && segment.damage.is_some() {
                return Err(damaged(&self.stream, next));
            }
            if next == before {
                // Only the last segment ends where a write is under way.
                let all = scan::firsts(dir).map_err(|e| disk(&e, dir))?;
                if all.into_iter().any(|first| first > next) {
                    return Err(damaged(&self.stream, next));
                }
                break;
            }
        }
        Ok(out)
    }

    async fn of_rows(&self, open: &Open, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let reader = open.reader();
        let (mut next, mut out) = (from, Vec::new());
        while out.len() < limit {
            let rows = reader
                .all(
                    "select first, count, records from store_log where stream = $1 and first + count > $2 and first >=
                       (select coalesce(max(first), 0) from store_log where stream = $1 and first <= $2)
                     order by first limit $3",
                    params![&self.stream, next, ROWS],
                )
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (first, bytes) = (row.count("first")?, row.bytes("records")?);
                if first > next {
                    return Err(damaged(&self.stream, next));
                }
                let read = Segment::of(first, bytes, 0);
                let end = first + read.records.len() as u64;
                if read.damage.is_some() || end != first + row.count("count")? {
                    return Err(damaged(&self.stream, end));
                }
                for (position, place) in (first..).zip(&read.records) {
                    if position >= from && out.len() < limit {
                        out.push((position, read.bytes[place.clone()].to_vec()));
                    }
                }
                next = end;
            }
        }
        Ok(out)
    }
}

impl Segment {
    /// Reads the records of some bytes behind their head.
    fn of(first: u64, bytes: Vec<u8>, head: usize) -> Self {
        let (mut at, mut records, mut damage) = (head, Vec::new(), None);
        loop {
            match frame::read(bytes.get(at..).unwrap_or_default()) {
                Frame::Record(payload, length) => {
                    records.push(at + length - payload.len()..at + length);
                    at += length;
                }
                // A node that runs may be writing just now.
                Frame::End | Frame::Torn => break,
                Frame::Bad(why) => {
                    damage = Some(why);
                    break;
                }
            }
        }
        Self {
            first,
            bytes,
            records,
            damage,
        }
    }
}

/// The segment that holds a position, from memory or from the folder; none past the log's end.
fn segment_of(
    dir: &Path,
    last: &Mutex<Option<Arc<Segment>>>,
    position: u64,
) -> Result<Option<Arc<Segment>>, Problem> {
    let holds = |segment: &Segment| {
        let end = segment.first + segment.records.len() as u64;
        (segment.first..end).contains(&position)
    };
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(segment) = last.as_ref().filter(|segment| holds(segment)) {
        return Ok(Some(Arc::clone(segment)));
    }
    let all = scan::firsts(dir).map_err(|e| disk(&e, dir))?;
    let Some(first) = all.into_iter().rfind(|first| *first <= position) else {
        return Ok(None);
    };
    let path = dir.join(name(first));
    let bytes = std::fs::read(&path).map_err(|e| disk(&e, &path))?;
    let read = Arc::new(Segment::of(first, bytes, HEADER.len()));
    if !holds(&read) && read.damage.is_none() {
        return Ok(None);
    }
    *last = Some(Arc::clone(&read));
    Ok(Some(read))
}
