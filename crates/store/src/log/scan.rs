//! Reading a log's segment files from the first record to the last and saying what is wrong.
//! Never changes them: cutting a torn tail is the opener's business.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::before::Before;
use super::lock;
use crate::log::frame::{self, Frame};

/// The first bytes of every segment.
pub(crate) const HEADER: &[u8; 8] = b"SENLOG1\n";

/// One segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// Good bytes, header included.
    pub(crate) length: u64,
}

/// What a log's files hold.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Held for as long as the files are needed.
    pub(crate) shared: Option<File>,
    /// What stands in front of the first record that is there.
    pub(crate) before: Before,
    /// Records up to the last good one, those that have left counted.
    pub(crate) records: u64,
    pub(crate) segments: Vec<Segment>,
    /// The first bad record and what is wrong with it.
    pub(crate) damage: Option<(u64, String)>,
    /// True when the last segment has bytes after its good ones, from a write cut short.
    pub(crate) torn: bool,
}

/// A segment's file name: its first position with twenty digits.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The first positions of a folder's segments, in order.
pub(crate) fn firsts(dir: &Path) -> std::io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some(first) = name
            .strip_suffix(".seg")
            .and_then(|digits| digits.parse::<u64>().ok())
        {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Of some segments those that hold nothing from a position on: they have left, and a crash kept their files.
pub(crate) fn left(firsts: &[u64], first: u64) -> &[u64] {
    let holding = firsts.partition_point(|begins| *begins <= first);
    &firsts[..holding.saturating_sub(1)]
}

/// A look at a log's files that is about to begin. Whoever takes records off waits until it is dropped, and
/// what it gave.
#[derive(Debug)]
pub(crate) struct Scanning {
    dir: PathBuf,
    /// The segments that hold something, by their first positions.
    firsts: Vec<u64>,
    found: Scan,
}

impl Scanning {
    /// Looks at what is there, and reads what stands in front of the first record.
    pub(crate) fn begin(dir: &Path) -> std::io::Result<Self> {
        let shared = lock::shared(dir);
        let mut firsts = firsts(dir)?;
        let mut found = Scan {
            shared,
            ..Scan::default()
        };
        match Before::read(dir)? {
            Some(before) => found.before = before,
            None => found.damage = Some((0, "the tree over what has left cannot be read".to_owned())),
        }
        let first = found.before.first();
        firsts.drain(..left(&firsts, first).len());
        if firsts.is_empty() && first > 0 {
            found.damage = Some((first, "the segment of the first record is missing".to_owned()));
        }
        // A segment that begins behind the first record that should be there lacks some.
        found.records = firsts.first().map_or(first, |begins| first.min(*begins));
        Ok(Self {
            dir: dir.to_owned(),
            firsts,
            found,
        })
    }

    /// What stands in front of the first record that is there.
    pub(crate) const fn before(&self) -> &Before {
        &self.found.before
    }

    /// Reads every record that has not left; `visit` gets position, segment's number, offset in it and
    /// payload.
    pub(crate) fn each(self, mut visit: impl FnMut(u64, usize, u64, &[u8])) -> std::io::Result<Scan> {
        let mut found = self.found;
        let first = found.before.first();
        if found.damage.is_some() {
            return Ok(found);
        }
        for (number, begins) in self.firsts.iter().enumerate() {
            if *begins != found.records {
                let missing = format!("segment {} is missing", name(found.records));
                found.damage = Some((found.records, missing));
                return Ok(found);
            }
            let path = self.dir.join(name(*begins));
            let bytes = std::fs::read(&path)?;
            let last = number + 1 == self.firsts.len();
            let length = segment(&bytes, last, &mut found, |position, offset, payload| {
                if position >= first {
                    visit(position, number, offset, payload);
                }
            });
            found.segments.push(Segment { path, length });
            if found.damage.is_some() {
                return Ok(found);
            }
        }
        if found.records < first {
            found.damage = Some((found.records, format!("the records up to {first} are missing")));
        }
        Ok(found)
    }
}

/// Reads one segment's bytes; how many of them are good.
fn segment(bytes: &[u8], last: bool, found: &mut Scan, mut visit: impl FnMut(u64, u64, &[u8])) -> u64 {
    if !bytes.starts_with(HEADER) {
        // A segment is begun by its header: only a cut-short last one may lack it.
        if last && bytes.len() < HEADER.len() {
            found.torn = true;
        } else {
            found.damage = Some((found.records, "the segment has no header".to_owned()));
        }
        return 0;
    }
    let mut at = HEADER.len();
    loop {
        let why = match frame::read(&bytes[at..]) {
            Frame::Record(payload, length) => {
                visit(found.records, at as u64, payload);
                found.records += 1;
                at += length;
                continue;
            }
            Frame::End => break,
            Frame::Torn if last => {
                found.torn = true;
                break;
            }
            Frame::Torn => "the segment ends inside a record",
            Frame::Bad(why) => why,
        };
        found.damage = Some((found.records, why.to_owned()));
        break;
    }
    at as u64
}
