//! Reading a log's segment files from the first record to the last and saying what is wrong.
//! Never changes them: cutting a torn tail is the opener's business.

use std::path::{Path, PathBuf};

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

/// Reads every record; `visit` gets position, segment's number, offset in it and payload.
pub(crate) fn scan(dir: &Path, mut visit: impl FnMut(u64, usize, u64, &[u8])) -> std::io::Result<Scan> {
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
    let mut found = Scan::default();
    for (number, first) in firsts.iter().enumerate() {
        if *first != found.records {
            found.damage = Some((
                found.records,
                format!("segment {} is missing", name(found.records)),
            ));
            return Ok(found);
        }
        let path = dir.join(name(*first));
        let bytes = std::fs::read(&path)?;
        let last = number + 1 == firsts.len();
        let length = segment(&bytes, last, &mut found, |position, offset, payload| {
            visit(position, number, offset, payload);
        });
        found.segments.push(Segment { path, length });
        if found.damage.is_some() {
            break;
        }
    }
    Ok(found)
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
