//! The Merkle tree over a log, kept as one hash for every 256 records, so that a hundred million
//! records need twelve megabytes; the leaves inside a tile are read again when a proof needs them.
//! Never stores anything: a log's records are its truth.

use async_trait::async_trait;
use kernel::{Digest, Problem};
use seal::merkle;

/// Records under one kept hash; a power of two, so that tiles are subtrees of every larger tree.
pub(crate) const TILE: u64 = 256;

/// Hashes of the complete tiles, and the leaves after them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    tiles: Vec<Digest>,
    tail: Vec<Digest>,
}

impl Tree {
    /// Records so far, count.
    pub(crate) fn len(&self) -> u64 {
        self.tiles.len() as u64 * TILE + self.tail.len() as u64
    }

    /// Appends a record's leaf.
    pub(crate) fn push(&mut self, leaf: Digest) {
        self.tail.push(leaf);
        if self.tail.len() as u64 == TILE {
            self.tiles.push(merkle::root(&self.tail));
            self.tail.clear();
        }
    }

    /// The hashes of the first `tiles` tiles.
    pub(crate) fn tiles(&self, tiles: u64) -> Vec<Digest> {
        self.tiles[..index(tiles).min(self.tiles.len())].to_vec()
    }

    /// The leaves of a tile's first `count` records, when they are kept.
    pub(crate) fn tail(&self, tile: u64, count: u64) -> Option<Vec<Digest>> {
        if tile == self.tiles.len() as u64 {
            self.tail.get(..index(count)).map(<[_]>::to_vec)
        } else {
            None
        }
    }
}

/// What a log shows of itself so that roots and proofs can be made.
#[async_trait]
pub(crate) trait Tiles: Send + Sync {
    /// Records so far, count.
    fn size(&self) -> u64;
    /// The hashes of the first tiles.
    fn tiles(&self, tiles: u64) -> Vec<Digest>;
    /// The leaves of the first `count` records of a tile.
    async fn leaves(&self, tile: u64, count: u64) -> Result<Vec<Digest>, Problem>;
}

/// The root over the first `size` records.
pub(crate) async fn root(log: &dyn Tiles, size: u64) -> Result<Digest, Problem> {
    let (_, units) = shape(log, size).await?;
    Ok(merkle::root(&units))
}

/// The audit path of a record in the tree of `size`.
pub(crate) async fn inclusion(log: &dyn Tiles, position: u64, size: u64) -> Result<Vec<Digest>, Problem> {
    if position >= size {
        return Err(Problem::not_found().because(format_args!("no record {position} among {size}")));
    }
    let (rest, units) = shape(log, size).await?;
    let tile = position / TILE;
    let leaves = if tile == size / TILE {
        rest
    } else {
        log.leaves(tile, TILE).await?
    };
    let mut path = merkle::inclusion(&leaves, position % TILE);
    path.extend(merkle::inclusion(&units, tile));
    Ok(path)
}

/// The proof that the tree of `old` is the beginning of the tree of `new`.
pub(crate) async fn consistency(log: &dyn Tiles, old: u64, new: u64) -> Result<Vec<Digest>, Problem> {
    let (rest, units) = shape(log, new).await?;
    if old > new {
        return Err(Problem::not_found().because(format_args!("{old} records are more than {new}")));
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (tile, inside) = (old / TILE, old % TILE);
    if inside == 0 {
        return Ok(merkle::consistency(&units, tile, units.len() as u64));
    }
    let leaves = if tile == new / TILE {
        rest
    } else {
        log.leaves(tile, TILE).await?
    };
    let mut proof = Vec::new();
    // RFC 6962's SUBPROOF: a first step is left out only on the way that always went left.
    if tile > 0 && (inside == leaves.len() as u64 || inside.is_power_of_two()) {
        proof.push(merkle::root(&leaves[..index(inside)]));
    }
    proof.extend(merkle::consistency(&leaves, inside, leaves.len() as u64));
    proof.extend(merkle::inclusion(&units, tile));
    Ok(proof)
}

/// The leaves past the last complete tile of `size`, and the tiles' hashes with theirs.
async fn shape(log: &dyn Tiles, size: u64) -> Result<(Vec<Digest>, Vec<Digest>), Problem> {
    if size > log.size() {
        return Err(
            Problem::not_found().because(format_args!("the log has {} records, not {size}", log.size()))
        );
    }
    let rest = if size.is_multiple_of(TILE) {
        Vec::new()
    } else {
        log.leaves(size / TILE, size % TILE).await?
    };
    let units = units(log.tiles(size / TILE), &rest);
    Ok((rest, units))
}

fn units(mut tiles: Vec<Digest>, rest: &[Digest]) -> Vec<Digest> {
    if !rest.is_empty() {
        tiles.push(merkle::root(rest));
    }
    tiles
}

fn index(count: u64) -> usize {
    usize::try_from(count).expect("a count of things in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct InMemory(Vec<Digest>, Tree);

    #[async_trait]
    impl Tiles for InMemory {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn tiles(&self, tiles: u64) -> Vec<Digest> {
            self.1.tiles(tiles)
        }
        async fn leaves(&self, tile: u64, count: u64) -> Result<Vec<Digest>, Problem> {
            let from = index(tile * TILE);
            Ok(self.0[from..from + index(count)].to_vec())
        }
    }

    #[tokio::test]
    async fn tiles_give_the_same_roots_and_proofs_as_the_whole_tree() {
        let mut log = InMemory(Vec::new(), Tree::default());
        for i in 0..1_100_u32 {
            let leaf = merkle::leaf_hash(&i.to_be_bytes());
            log.0.push(leaf);
            log.1.push(leaf);
        }
        assert_eq!(log.1.len(), 1_100);
        let sizes = [
            1, 2, 3, 128, 255, 256, 257, 300, 384, 511, 512, 513, 640, 767, 768, 1_000, 1_023, 1_024, 1_025,
            1_100,
        ];
        for new in sizes {
            let leaves = &log.0[..index(new)];
            let whole = merkle::root(leaves);
            assert_eq!(root(&log, new).await.unwrap(), whole);
            for old in sizes.into_iter().filter(|old| *old <= new) {
                assert_eq!(
                    consistency(&log, old, new).await.unwrap(),
                    merkle::consistency(leaves, old, new),
                    "{old} {new}"
                );
                let path = inclusion(&log, old - 1, new).await.unwrap();
                assert_eq!(path, merkle::inclusion(leaves, old - 1));
                assert!(merkle::verify_inclusion(
                    &log.0[index(old - 1)],
                    old - 1,
                    new,
                    &path,
                    &whole
                ));
            }
        }
        assert!(root(&log, 1_101).await.is_err(), "no root of what is not there");
    }
}
