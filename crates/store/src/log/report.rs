//! The check of a log's folder without a database, for whoever was given the files alone. Never
//! repairs anything.

use std::path::Path;

use kernel::Digest;
use seal::merkle::{Frontier, leaf_hash};

use super::checkpoint;
use super::frame::{self, Frame};
use super::scan::{HEADER, Scan, Scanning};

/// What a log's files say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// Good records from the first, those that have left counted.
    pub records: u64,
    /// The position of the first record that is there: 0 until some have left.
    pub first: u64,
    /// The first bad record's position.
    pub first_bad: Option<u64>,
    /// What is wrong with it; empty when nothing is.
    pub why: String,
    /// The Merkle root over the good records.
    pub root: Digest,
    /// True when a write was cut short at the end (a crash): no acknowledged record is missing.
    pub torn_tail: bool,
}

/// Checks a log's folder: every record's checksum, every segment's place, and that the roots of
/// its checkpoints (their signatures are the caller's matter) are those of its records.
#[must_use]
pub fn verify(dir: &Path) -> LogReport {
    let checkpoints = checkpoint::read(dir);
    let scanning = Scanning::begin(dir);
    let before = scanning.as_ref().ok().map(Scanning::before);
    let (first, mut frontier) = before.map_or_else(Default::default, |b| (b.first(), b.frontier()));
    let (mut held, mut broken) = (first, None);
    // Of what has left its archives tell.
    let mut expected = checkpoints
        .iter()
        .filter(|c| c.size > 0 && c.size >= first)
        .peekable();
    let mut agrees = |frontier: &Frontier| {
        while let Some(next) = expected.next_if(|next| next.size <= frontier.len()) {
            if next.size == frontier.len() && next.root == frontier.root() {
                held = next.size;
            } else if broken.is_none() {
                broken = Some((
                    held,
                    format!("the records are not those of the checkpoint of {}", next.size),
                ));
            }
        }
    };
    agrees(&frontier);
    let scanned = scanning.and_then(|scanning| {
        scanning.each(|_, _, _, payload| {
            frontier.push(leaf_hash(payload));
            agrees(&frontier);
        })
    });
    let scanned = scanned.unwrap_or_else(|e| Scan {
        damage: Some((0, format!("{}: {e}", dir.display()))),
        ..Scan::default()
    });
    let (records, damage, torn_tail) = (scanned.records, scanned.damage, scanned.torn);
    let lost = expected.next().map(|next| {
        (
            records,
            format!("the checkpoint of {} records has more", next.size),
        )
    });
    // The first of what was found along the log.
    let bad = [damage, broken, lost]
        .into_iter()
        .flatten()
        .min_by_key(|(position, _)| *position);
    let (first_bad, why) = bad.map_or((None, String::new()), |(position, why)| (Some(position), why));
    LogReport {
        records,
        first,
        first_bad,
        why,
        root: frontier.root(),
        torn_tail,
    }
}

/// The bytes of a segment that holds some records.
#[must_use]
pub fn segment<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    for record in records {
        frame::write(&mut bytes, record);
    }
    bytes
}

/// The records of a segment's bytes, all of them good.
///
/// # Errors
/// The number of the first bad record, from 0, and what is wrong with it.
pub fn records(segment: &[u8]) -> Result<Vec<&[u8]>, (u64, String)> {
    let Some(mut rest) = segment.strip_prefix(HEADER) else {
        return Err((0, "the segment has no header".to_owned()));
    };
    let mut records = Vec::new();
    loop {
        let why = match frame::read(rest) {
            Frame::Record(payload, length) => {
                records.push(payload);
                rest = &rest[length..];
                continue;
            }
            Frame::End => return Ok(records),
            Frame::Torn => "the segment ends inside a record",
            Frame::Bad(why) => why,
        };
        return Err((records.len() as u64, why.to_owned()));
    }
}

/// Walks a log's good records in order, up to the first that `visit` refuses.
///
/// # Errors
/// The refusal; position 0 with the cause when the folder cannot be read.
pub fn each<E>(dir: &Path, mut visit: impl FnMut(u64, &[u8]) -> Result<(), (u64, E)>) -> Result<(), (u64, E)>
where
    E: From<String>,
{
    let mut refused = None;
    let scanned = Scanning::begin(dir).and_then(|scanning| {
        scanning.each(|position, _, _, payload| {
            if refused.is_none() {
                refused = visit(position, payload).err();
            }
        })
    });
    match (refused, scanned) {
        (Some(refused), _) => Err(refused),
        (None, Err(e)) => Err((0, format!("{}: {e}", dir.display()).into())),
        (None, Ok(_)) => Ok(()),
    }
}
