//! What a log keeps of the records that have left it: the Merkle tree over them, as the hashes of its whole
//! tiles and of the leaves behind the last one, so that roots and proofs of what is there go on. A hash for
//! 256 records. Never a record, and never a decision about what may leave.
//!
//! The form: `SENTREE1`, `u64 LE` first position that is there, the tiles' hashes, the leaves' hashes, the
//! SHA-256 of all this.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use kernel::{Digest, Problem};
use seal::merkle::Frontier;

use super::tree::{TILE, Tree};
use crate::error::disk;
use crate::fault;

/// The file's name in a log's folder.
pub(crate) const FILE: &str = "before.tree";
/// Its first bytes.
const HEADER: &[u8; 8] = b"SENTREE1";
/// Bytes of a digest.
const DIGEST: usize = 32;

/// What stands in front of the first record that is there; of a log that nothing has left, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Before {
    tiles: Vec<Digest>,
    leaves: Vec<Digest>,
}

impl Before {
    /// Of whole tiles, and the fewer leaves than one more would have.
    pub(crate) fn of(tiles: Vec<Digest>, leaves: Vec<Digest>) -> Self {
        Self { tiles, leaves }
    }

    /// The position of the first record that is there.
    pub(crate) fn first(&self) -> u64 {
        self.tiles.len() as u64 * TILE + self.leaves.len() as u64
    }

    /// The leaves in front of that record in its tile.
    pub(crate) fn leaves(&self) -> &[Digest] {
        &self.leaves
    }

    /// The tree over what has left.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        self.tiles.iter().for_each(|tile| tree.push_tile(*tile));
        self.leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }

    /// The same as peaks.
    pub(crate) fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::new();
        let height = TILE.trailing_zeros();
        self.tiles
            .iter()
            .for_each(|tile| frontier.push_subtree(height, *tile));
        self.leaves.iter().for_each(|leaf| frontier.push(*leaf));
        frontier
    }

    /// The form of a file or a row.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        bytes.extend_from_slice(&self.first().to_le_bytes());
        for digest in self.tiles.iter().chain(&self.leaves) {
            bytes.extend_from_slice(&digest.0);
        }
        let sum = Digest::of(&bytes);
        bytes.extend_from_slice(&sum.0);
        bytes
    }

    /// Reads that form; nothing when it is not what was written.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<DIGEST>()?;
        if Digest::of(body) != Digest(*sum) {
            return None;
        }
        let (first, rest) = body.strip_prefix(HEADER)?.split_first_chunk()?;
        let first = u64::from_le_bytes(*first);
        let (digests, rest) = rest.as_chunks::<DIGEST>();
        let tiles = usize::try_from(first / TILE).ok()?;
        let wanted = first / TILE + first % TILE;
        if !rest.is_empty() || digests.len() as u64 != wanted {
            return None;
        }
        let (tiles, leaves) = digests.split_at_checked(tiles)?;
        let of = |some: &[[u8; DIGEST]]| some.iter().map(|digest| Digest(*digest)).collect();
        Some(Self::of(of(tiles), of(leaves)))
    }

    /// What a log's folder has; of a folder without the file, nothing has left. `None` when the file is not
    /// what was written.
    pub(crate) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(dir.join(FILE)) {
            Ok(bytes) => Ok(Self::of_bytes(&bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Some(Self::default())),
            Err(e) => Err(e),
        }
    }

    /// Puts it in a log's folder in the place of what was there, so that either of them is there at any
    /// moment: from here on what is in front of it counts as gone.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Problem> {
        let (path, new) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
        let write = || {
            let mut file = File::create(&new)?;
            fault::write_all(&mut file, &self.to_bytes(), "before-half")?;
            file.sync_all()?;
            fault::at("before-written");
            std::fs::rename(&new, &path)?;
            File::open(dir)?.sync_all()
        };
        let written = write();
        fault::at("before-named");
        written.map_err(|e| disk(&e, &path))
    }
}

/// The first position that a folder's log has, by the head of its file alone; 0 where nothing has left.
pub(crate) fn first_in(dir: &Path) -> u64 {
    let head = || {
        let mut head = [0; 16];
        File::open(dir.join(FILE)).ok()?.read_exact(&mut head).ok()?;
        let (first, _) = head.strip_prefix(HEADER)?.split_first_chunk()?;
        Some(u64::from_le_bytes(*first))
    };
    head().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use seal::merkle;

    use super::*;

    fn of(first: u64) -> (Before, Vec<Digest>) {
        let leaves: Vec<Digest> = (0..first).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect();
        let whole = leaves.chunks_exact(256);
        let rest = whole.remainder().to_vec();
        (Before::of(whole.map(merkle::root).collect(), rest), leaves)
    }

    #[test]
    fn the_tree_over_what_has_left_goes_on_as_the_whole_one() {
        for first in [0, 1, 255, 256, 257, 511, 512, 700, 66_000] {
            let (before, leaves) = of(first);
            assert_eq!(before.first(), first);
            assert_eq!(before.tree().len(), first);
            let mut frontier = before.frontier();
            assert_eq!(frontier.root(), merkle::root(&leaves), "{first}");
            frontier.push(Digest([7; 32]));
            assert_eq!(
                frontier.root(),
                merkle::root(&[leaves, vec![Digest([7; 32])]].concat())
            );
        }
    }

    #[test]
    fn what_is_written_reads_back_and_every_flipped_bit_is_found() {
        let dir = testkit::TempDir::new();
        assert_eq!(
            Before::read(dir.path()).expect("no file"),
            Some(Before::default())
        );
        assert_eq!(first_in(dir.path()), 0);
        let (before, _) = of(300);
        before.write(dir.path()).expect("written");
        assert_eq!(Before::read(dir.path()).expect("a file"), Some(before.clone()));
        assert_eq!(first_in(dir.path()), 300);
        let bytes = before.to_bytes();
        for bit in (0..bytes.len() * 8).step_by(13) {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Before::of_bytes(&other), None, "bit {bit}");
        }
        assert_eq!(Before::of_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Before::of_bytes(&[]), None);
    }
}
