//! A log as a backup takes it: which bytes of which segments, cut after a record. Never reads past
//! the last whole record.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::Digest;
use seal::merkle::leaf_hash;

use crate::StoreError;
use crate::log::before;
use crate::log::checkpoint;
use crate::log::frame;
use crate::log::scan::{HEADER, Scanning};

/// A log's first records. Nothing leaves the log while this lives.
#[derive(Clone, Debug)]
pub struct Span {
    /// Records, those that have left counted.
    pub records: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// The file with the tree over what has left; none while nothing has.
    pub before: Option<PathBuf>,
    /// The segments and how many bytes of each.
    pub segments: Vec<(PathBuf, u64)>,
    /// The checkpoints of no more records than these: the text of their file.
    pub checkpoints: String,
    _shared: Option<Arc<File>>,
}

/// What a log's folder holds up to its last whole record, or up to `records_max` of them.
///
/// # Errors
/// When the folder cannot be read; the first damaged record by its position.
pub fn span(dir: &Path, records_max: Option<u64>) -> Result<Span, StoreError> {
    let max = records_max.unwrap_or(u64::MAX);
    // Before the records: a checkpoint is written after what it covers.
    let text = std::fs::read_to_string(dir.join(checkpoint::FILE)).unwrap_or_default();
    let bad = |e| StoreError::Folder(dir.to_owned(), e);
    let scanning = Scanning::begin(dir).map_err(bad)?;
    let (first, mut frontier) = (scanning.before().first(), scanning.before().frontier());
    let mut ends = Vec::<u64>::new();
    let found = scanning.each(|position, segment, offset, payload| {
        if position < max {
            frontier.push(leaf_hash(payload));
            ends.resize(segment + 1, HEADER.len() as u64);
            ends[segment] = offset + (frame::HEAD + payload.len()) as u64;
        }
    });
    let found = found.map_err(bad)?;
    if let Some((position, why)) = found.damage.filter(|(position, _)| *position < max) {
        return Err(StoreError::DamagedLog {
            stream: dir.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            position,
            why,
        });
    }
    let records = frontier.len();
    let kept = text.split_inclusive('\n').filter(|line| {
        line.ends_with('\n') && checkpoint::of_line(line.trim_end()).is_some_and(|c| c.size <= records)
    });
    // Of a segment whose records have all left but not its file nothing was read: it is taken whole.
    if let (Some(last), true) = (found.segments.first(), ends.is_empty() && first > 0) {
        ends.push(last.length);
    }
    let paths = found.segments.into_iter().map(|segment| segment.path);
    Ok(Span {
        records,
        before: (first > 0).then(|| dir.join(before::FILE)),
        _shared: found.shared.map(Arc::new),
        root: frontier.root(),
        checkpoints: kept.collect(),
        segments: paths.zip(ends).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_span_ends_after_the_record_that_was_asked_for() {
        let dir = testkit::TempDir::new();
        let mut bytes = HEADER.to_vec();
        for record in [&b"one"[..], b"two", b"three"] {
            frame::write(&mut bytes, record);
        }
        bytes.extend_from_slice(&[9, 0, 0, 0, 1]);
        fs::write(dir.path().join(crate::log::scan::name(0)), &bytes).expect("a segment");
        let whole = span(dir.path(), None).expect("a torn tail is no damage");
        assert_eq!((whole.records, whole.segments[0].1), (3, 8 + 11 + 11 + 13));
        let two = span(dir.path(), Some(2)).expect("a span");
        assert_eq!((two.records, two.segments[0].1), (2, 8 + 11 + 11));
        assert_ne!(two.root, whole.root);
        assert_eq!(span(dir.path(), Some(0)).expect("a span").segments.len(), 0);
    }
}
