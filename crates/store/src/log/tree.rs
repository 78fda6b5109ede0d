//! The Merkle tree over a log, kept as one hash for every 256 records, one for every 256 of those, and so
//! on: a hundred million records need twelve megabytes, and no proof looks at more than some hundred
//! hashes of each level. The leaves inside a tile are read again when a proof needs them. Never stores
//! anything: a log's records are its truth.

use async_trait::async_trait;
use kernel::{Digest, Problem};
use seal::merkle;

use super::RecordLog;

/// Records under one kept hash, and hashes under one of the level above; a power of two, so that tiles
/// are subtrees of every larger tree.
pub(crate) const TILE: u64 = 256;

/// Hashes of the complete tiles of each level, and the leaves after them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The first level's tiles are of records, each further one's of tiles of the level before.
    levels: Vec<Vec<Digest>>,
    tail: Vec<Digest>,
}

impl Tree {
    /// Records so far, count.
    pub(crate) fn len(&self) -> u64 {
        self.complete() * TILE + self.tail.len() as u64
    }

    /// Appends a record's leaf.
    pub(crate) fn push(&mut self, leaf: Digest) {
        self.tail.push(leaf);
        if self.tail.len() as u64 != TILE {
            return;
        }
        let tile = merkle::root(&self.tail);
        self.tail.clear();
        self.push_tile(tile);
    }

    /// Appends a complete tile of records by its hash; only where no leaf stands behind the last one.
    pub(crate) fn push_tile(&mut self, tile: Digest) {
        debug_assert!(self.tail.is_empty(), "a tile stands behind whole tiles");
        let mut tile = tile;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let tiles = &mut self.levels[level];
            tiles.push(tile);
            if !(tiles.len() as u64).is_multiple_of(TILE) {
                return;
            }
            tile = merkle::root(&tiles[tiles.len() - index(TILE)..]);
        }
    }

    /// Hashes of complete tiles of a level, at most `count` from the one numbered `from`.
    pub(crate) fn tiles(&self, level: usize, from: u64, count: u64) -> Vec<Digest> {
        let tiles = self.levels.get(level).map(Vec::as_slice).unwrap_or_default();
        let from = index(from).min(tiles.len());
        let to = (from + index(count)).min(tiles.len());
        tiles[from..to].to_vec()
    }

    /// The leaves of a tile's first `count` records, when they are kept.
    pub(crate) fn tail(&self, tile: u64, count: u64) -> Option<Vec<Digest>> {
        if tile == self.complete() {
            self.tail.get(..index(count)).map(<[_]>::to_vec)
        } else {
            None
        }
    }

    /// Complete tiles of records, count.
    fn complete(&self) -> u64 {
        self.levels.first().map_or(0, |tiles| tiles.len() as u64)
    }
}

/// What a log shows of itself so that roots and proofs can be made.
#[async_trait]
pub(crate) trait Tiles: Send + Sync {
    /// Records so far, count.
    fn size(&self) -> u64;
    /// As [`Tree::tiles`].
    fn tiles(&self, level: usize, from: u64, count: u64) -> Vec<Digest>;
    /// The leaves of the first `count` records of a tile.
    async fn leaves(&self, tile: u64, count: u64) -> Result<Vec<Digest>, Problem>;
}

/// The leaves of the first `count` records of a tile: those of it that have left, then those that are there.
pub(crate) async fn leaves_behind(
    log: &dyn RecordLog,
    left: Vec<Digest>,
    tile: u64,
    count: u64,
) -> Result<Vec<Digest>, Problem> {
    let mut leaves = left;
    leaves.truncate(index(count));
    let rest = count - leaves.len() as u64;
    if rest > 0 {
        let from = tile * TILE + leaves.len() as u64;
        let records = log.read(from, index(rest)).await?;
        leaves.extend(records.iter().map(|(_, record)| merkle::leaf_hash(record)));
    }
    Ok(leaves)
}

/// The root over the first `size` records.
pub(crate) async fn root(log: &dyn Tiles, size: u64) -> Result<Digest, Problem> {
    // The leaves of a first tile that is whole may have left.
    if let (TILE, [whole]) = (size, log.tiles(0, 0, 1).as_slice()) {
        return Ok(*whole);
    }
    let rows = Rows::of(log, size).await?;
    Ok(merkle::root(rows.top()))
}

/// The audit path of a record in the tree of `size`.
pub(crate) async fn inclusion(log: &dyn Tiles, position: u64, size: u64) -> Result<Vec<Digest>, Problem> {
    if position >= size {
        return Err(Problem::not_found().because(format_args!("no record {position} among {size}")));
    }
    let rows = Rows::of(log, size).await?;
    let mut path = Vec::new();
    rows.climb(log, 0, position, &mut path).await?;
    Ok(path)
}

/// The proof that the tree of `old` is the beginning of the tree of `new`.
pub(crate) async fn consistency(log: &dyn Tiles, old: u64, new: u64) -> Result<Vec<Digest>, Problem> {
    if old > new {
        return Err(Problem::not_found().because(format_args!("{old} records are more than {new}")));
    }
    has(log, new)?;
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let rows = Rows::of(log, new).await?;
    // The lowest row of which the old tree ends inside a chunk; it is there, since the new tree is larger.
    let (mut row, mut count) = (0, old);
    while count.is_multiple_of(TILE) && row + 1 < rows.0.len() {
        (row, count) = (row + 1, count / TILE);
    }
    let (chunk, inside) = (count / TILE, count % TILE);
    let units = rows.chunk(log, row, chunk).await?;
    let mut proof = Vec::new();
    // RFC 6962's SUBPROOF: a first step is left out only on the way that always went left.
    if chunk > 0 && inside.is_power_of_two() {
        proof.push(merkle::root(&units[..index(inside)]));
    }
    proof.extend(merkle::consistency(&units, inside, units.len() as u64));
    rows.climb(log, row + 1, chunk, &mut proof).await?;
    Ok(proof)
}

/// The log has so many records.
fn has(log: &dyn Tiles, size: u64) -> Result<(), Problem> {
    let has = log.size();
    if size > has {
        return Err(Problem::not_found().because(format_args!("the log has {has} records, not {size}")));
    }
    Ok(())
}

/// The tree of a size as rows of units: the leaves, the tiles of them, the tiles of those, up to a row that
/// is one chunk of at most 256.
struct Rows(Vec<Row>);

struct Row {
    /// Units, count; the last one may stand for an incomplete tile.
    count: u64,
    /// The units of the last chunk; none of the leaves when they make a complete tile among others.
    last: Vec<Digest>,
}

impl Rows {
    async fn of(log: &dyn Tiles, size: u64) -> Result<Self, Problem> {
        has(log, size)?;
        // Leaves are read again: those of a complete tile only when there is no row above.
        let first = if size <= TILE { 0 } else { size / TILE };
        let mut last = match size - first * TILE {
            0 => Vec::new(),
            rest => log.leaves(first, rest).await?,
        };
        let (mut rows, mut count, mut complete) = (Vec::new(), size, size);
        for level in 0.. {
            if count <= TILE {
                rows.push(Row { count, last });
                break;
            }
            let is_open = count > complete || !complete.is_multiple_of(TILE);
            let open = is_open.then(|| merkle::root(&last));
            rows.push(Row { count, last });
            complete /= TILE;
            count = complete + u64::from(open.is_some());
            let from = (count - 1) / TILE * TILE;
            last = log.tiles(level, from, complete - from);
            last.extend(open);
        }
        Ok(Self(rows))
    }

    fn top(&self) -> &[Digest] {
        self.0.last().map(|row| row.last.as_slice()).unwrap_or_default()
    }

    /// The units of a chunk of a row.
    async fn chunk(&self, log: &dyn Tiles, row: usize, chunk: u64) -> Result<Vec<Digest>, Problem> {
        let Row { count, last } = &self.0[row];
        if chunk == count.saturating_sub(1) / TILE && !last.is_empty() {
            return Ok(last.clone());
        }
        match row {
            0 => log.leaves(chunk, TILE).await,
            row => Ok(log.tiles(row - 1, chunk * TILE, TILE)),
        }
    }

    /// The steps from a unit of a row to the root.
    async fn climb(
        &self,
        log: &dyn Tiles,
        row: usize,
        unit: u64,
        path: &mut Vec<Digest>,
    ) -> Result<(), Problem> {
        let mut unit = unit;
        for row in row..self.0.len() {
            let units = self.chunk(log, row, unit / TILE).await?;
            path.extend(merkle::inclusion(&units, unit % TILE));
            unit /= TILE;
        }
        Ok(())
    }
}

fn index(count: u64) -> usize {
    usize::try_from(count).expect("a count of things in memory")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// The leaves, the tree, and how many hashes were looked at.
    struct InMemory(Vec<Digest>, Tree, AtomicU64);

    impl InMemory {
        fn of(records: u32) -> Self {
            let mut log = Self(Vec::new(), Tree::default(), AtomicU64::new(0));
            for i in 0..records {
                let leaf = merkle::leaf_hash(&i.to_be_bytes());
                log.0.push(leaf);
                log.1.push(leaf);
            }
            log
        }
    }

    #[async_trait]
    impl Tiles for InMemory {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn tiles(&self, level: usize, from: u64, count: u64) -> Vec<Digest> {
            let found = self.1.tiles(level, from, count);
            self.2.fetch_add(found.len() as u64, Ordering::Relaxed);
            found
        }
        async fn leaves(&self, tile: u64, count: u64) -> Result<Vec<Digest>, Problem> {
            self.2.fetch_add(count, Ordering::Relaxed);
            let from = index(tile * TILE);
            Ok(self.0[from..from + index(count)].to_vec())
        }
    }

    #[tokio::test]
    async fn tiles_give_the_same_roots_and_proofs_as_the_whole_tree() {
        let log = InMemory::of(1_100);
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

    #[tokio::test]
    async fn a_proof_in_a_long_history_looks_at_some_hundred_hashes_and_not_at_all_of_it() {
        const RECORDS: u32 = 256 * 256 * 2 + 256 * 3 + 5;
        let log = InMemory::of(RECORDS);
        let size = u64::from(RECORDS);
        let whole = merkle::root(&log.0);
        let sizes = [
            1, 255, 256, 65_535, 65_536, 65_537, 65_792, 131_072, 131_073, 131_328, 131_840,
        ];
        for at in sizes.into_iter().chain([size - 2, size - 1]) {
            log.2.store(0, Ordering::Relaxed);
            assert_eq!(root(&log, size).await.unwrap(), whole);
            let path = inclusion(&log, at, size).await.unwrap();
            assert_eq!(path, merkle::inclusion(&log.0, at));
            let proof = consistency(&log, at, size).await.unwrap();
            assert_eq!(proof, merkle::consistency(&log.0, at, size), "{at}");
            let then = &log.0[..index(at)];
            assert_eq!(root(&log, at).await.unwrap(), merkle::root(then), "{at}");
            let last = inclusion(&log, at - 1, at).await.unwrap();
            assert_eq!(last, merkle::inclusion(then, at - 1), "{at}");
            let looked = log.2.load(Ordering::Relaxed);
            assert!(looked < 5 * 4 * TILE, "{looked} hashes for {at}");
        }
    }
}
