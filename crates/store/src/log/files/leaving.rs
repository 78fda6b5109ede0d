//! How what is archived leaves a log of segment files. Never a file that holds a record which is there.

use std::path::Path;

use kernel::Problem;
use seal::merkle::leaf_hash;

use super::{Shared, index};
use crate::fault;
use crate::log::before::Before;
use crate::log::lock;
use crate::log::scan::{self, name};
use crate::log::tree::TILE;

impl Shared {
    /// Takes everything in front of a position off: first the tree over it is on the disk, from then on it
    /// counts as gone; then whole segments go.
    pub(super) fn forget(&self, to: u64) -> Result<(), Problem> {
        let _alone = lock::alone(&self.dir)?;
        let (first, next) = {
            let view = self.view();
            (view.first, view.tree.len())
        };
        if to > next {
            return Err(Problem::not_found().because(format_args!("the log has {next} records, not {to}")));
        }
        if to > first {
            let (before, place) = self.before(to)?;
            before.write(&self.dir)?;
            let mut view = self.view();
            let tile = index(to / TILE - view.tiles_from);
            // At the end of the log the next tile may not have begun.
            if let Some(begins) = view.tiles.get_mut(tile) {
                *begins = place;
            }
            view.first = to;
            view.before = before.leaves().to_vec();
        }
        sweep(&self.dir, to.max(first));
        Ok(())
    }

    /// What stands in front of a position, and where the record there is or will be.
    fn before(&self, to: u64) -> Result<(Before, (usize, u64)), Problem> {
        let (tiles, mut leaves, end) = {
            let view = self.view();
            let is_first = view.first / TILE == to / TILE;
            let kept = if is_first { view.before.clone() } else { Vec::new() };
            let last = view.segments.len() - 1;
            let end = (to == view.tree.len()).then(|| (last, view.segments[last].length));
            (view.tree.tiles(0, 0, to / TILE), kept, end)
        };
        let (from, mut place) = (to / TILE * TILE + leaves.len() as u64, end);
        self.walk(from, |position, at, payload| {
            if position < to {
                leaves.push(leaf_hash(payload));
            } else if end.is_none() {
                place = Some(at);
            }
            position < to
        })?;
        match place {
            Some(place) if leaves.len() as u64 == to % TILE => Ok((Before::of(tiles, leaves), place)),
            _ => Err(Problem::internal(format_args!("no leaves in front of {to}"))),
        }
    }
}

/// Takes away the files of segments whose records have all left. What cannot be taken away now is at the next
/// opening: it counts as gone already.
pub(super) fn sweep(dir: &Path, first: u64) {
    let all = scan::firsts(dir).unwrap_or_default();
    for begins in scan::left(&all, first) {
        if let Err(cause) = std::fs::remove_file(dir.join(name(*begins))) {
            tracing::warn!(%cause, segment = name(*begins), "a segment that has left is still there");
        }
        fault::at("segment-left");
    }
}
