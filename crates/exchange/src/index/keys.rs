//! From a key (an id, a message, a case) to the places of its records: entries of a hash and a place, in
//! runs. A run of level 0 is a block's, sixteen runs become one of the next level, and a run is cut by
//! hash into parts of some hundred entries, so that a look reads one small part of each run and there are
//! few runs. Two keys of one hash are told apart by whoever reads the records.

use std::collections::BTreeMap;

use kernel::Digest;

use super::{BLOCK, Indexed};

/// Runs that become one, count, as a power of two.
const MERGED_BITS: u32 = 4;
/// Runs that become one, count.
pub(super) const MERGED: u64 = 1 << MERGED_BITS;
/// The highest level, whose runs stay as they are: 256 blocks each.
pub(super) const LEVEL_MAX: u64 = 2;
/// Bytes of an entry: the hash, then the place in the run, little-endian.
const ENTRY: usize = 12;

/// What a record is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The exchange's id.
    Request,
    /// The consumer's id of its message.
    Message,
    /// The case that caused it.
    Case,
}

/// The hash under which a key stands.
pub(super) fn hash(kind: Kind, text: &str) -> u64 {
    let kind: &[u8] = match kind {
        Kind::Request => b"r",
        Kind::Message => b"m",
        Kind::Case => b"c",
    };
    let digest = Digest::of_parts(&[kind, text.as_bytes()]);
    let (head, _) = digest.bytes().split_first_chunk().expect("a digest has 32 bytes");
    u64::from_le_bytes(*head)
}

/// The part of a level's runs that holds a hash: by its first bits, four more at each level.
pub(super) const fn part_of(hash: u64, level: u64) -> u64 {
    hash >> (u64::BITS - MERGED_BITS * (level as u32 + 1))
}

/// The first position that a run covers.
pub(super) const fn first_of(level: u64, run: u64) -> u64 {
    run * BLOCK * MERGED.pow(level as u32)
}

/// The parts of a block's run.
pub(super) fn run_of(rows: &[&Indexed]) -> BTreeMap<u64, Vec<u8>> {
    let mut parts: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for row in rows {
        let place = row.position % BLOCK;
        let keys = [
            Some((Kind::Request, &row.request)),
            row.message.as_ref().map(|text| (Kind::Message, text)),
            row.issue.as_ref().map(|text| (Kind::Case, text)),
        ];
        for (kind, text) in keys.into_iter().flatten() {
            let hash = hash(kind, text);
            push(parts.entry(part_of(hash, 0)).or_default(), hash, place);
        }
    }
    parts
}

/// The parts of the next level's run that one part of sixteen runs becomes; runs in their order.
pub(super) fn merged(level: u64, runs: &[(u64, Vec<u8>)]) -> BTreeMap<u64, Vec<u8>> {
    let mut parts: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (run, entries) in runs {
        let first = first_of(level, *run) - first_of(level + 1, *run / MERGED);
        for (hash, place) in each(entries) {
            push(
                parts.entry(part_of(hash, level + 1)).or_default(),
                hash,
                first + place,
            );
        }
    }
    parts
}

/// The positions of a hash in a part of a run.
pub(super) fn found(level: u64, run: u64, entries: &[u8], hash: u64) -> impl Iterator<Item = u64> {
    let first = first_of(level, run);
    each(entries)
        .filter(move |(one, _)| *one == hash)
        .map(move |(_, place)| first + place)
}

fn push(entries: &mut Vec<u8>, hash: u64, place: u64) {
    let place = u32::try_from(place).expect("a run covers a million records");
    entries.extend_from_slice(&hash.to_le_bytes());
    entries.extend_from_slice(&place.to_le_bytes());
}

fn each(entries: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    entries.as_chunks::<ENTRY>().0.iter().map(|entry| {
        let (hash, place) = entry.split_first_chunk().expect("eight of twelve bytes");
        let place = place.first_chunk().expect("the other four");
        (u64::from_le_bytes(*hash), u64::from(u32::from_le_bytes(*place)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_merged_is_found_at_the_same_places_in_the_part_of_its_hash() {
        let keys: Vec<(u64, u64)> = (0..2 * MERGED * 100)
            .map(|n| (hash(Kind::Request, &n.to_string()), n / 100 * BLOCK + n % 100))
            .collect();
        let mut runs: BTreeMap<(u64, u64), Vec<u8>> = BTreeMap::new();
        for (hash, position) in &keys {
            let entries = runs.entry((part_of(*hash, 0), position / BLOCK)).or_default();
            push(entries, *hash, position % BLOCK);
        }
        let mut next: BTreeMap<(u64, u64), Vec<u8>> = BTreeMap::new();
        for part in 0..16 {
            for group in 0..2 {
                let of_group = |n: u64| Some((n, runs.get(&(part, n))?.clone()));
                let some: Vec<_> = (group * MERGED..(group + 1) * MERGED)
                    .filter_map(of_group)
                    .collect();
                for (part, entries) in merged(0, &some) {
                    assert!(next.insert((part, group), entries).is_none());
                }
            }
        }
        for (hash, position) in keys {
            let group = position / BLOCK / MERGED;
            let entries = &next[&(part_of(hash, 1), group)];
            assert_eq!(found(1, group, entries, hash).collect::<Vec<_>>(), [position]);
        }
    }

    #[test]
    fn the_same_text_is_another_key_as_an_id_and_as_a_case() {
        assert_ne!(hash(Kind::Request, "x"), hash(Kind::Case, "x"));
        assert_eq!(part_of(u64::MAX, 0), 15);
        assert_eq!(part_of(u64::MAX, LEVEL_MAX), 4_095);
    }
}
