//! Merkle trees and proofs of RFC 6962 section 2.1: what a log shows that it holds a record and
//! has forgotten none. Never stores a tree: leaves are given, or a [`Frontier`] keeps the peaks.

use kernel::Digest;
use serde::{Deserialize, Serialize};

/// The hash of a record: `H(00 || record)`.
#[must_use]
pub fn leaf_hash(record: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], record])
}

/// The hash of two subtrees: `H(01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.bytes(), right.bytes()])
}

/// The root over leaf hashes; the hash of nothing when there are none.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// The audit path of one leaf, from its sibling up to the root; empty when there is no such leaf.
#[must_use]
pub fn inclusion(leaves: &[Digest], index: u64) -> Vec<Digest> {
    let mut path = Vec::new();
    if let Ok(index) = usize::try_from(index)
        && index < leaves.len()
    {
        collect_inclusion(leaves, index, &mut path);
    }
    path
}

fn collect_inclusion(leaves: &[Digest], index: usize, path: &mut Vec<Digest>) {
    if leaves.len() < 2 {
        return;
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    if index < middle {
        collect_inclusion(left, index, path);
        path.push(root(right));
    } else {
        collect_inclusion(right, index - middle, path);
        path.push(root(left));
    }
}

/// Whether `leaf` stands at `index` of the tree of `size` leaves with this root.
#[must_use]
pub fn verify_inclusion(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for step in proof {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(step, &hash);
            // A right-most node without a sibling was promoted: pass over the empty levels.
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The proof that the tree of the first `old` leaves is the beginning of the tree of the first
/// `new`; empty when they are equal, when `old` is 0, or when there are not so many leaves.
#[must_use]
pub fn consistency(leaves: &[Digest], old: u64, new: u64) -> Vec<Digest> {
    let mut proof = Vec::new();
    if let (Ok(old), Ok(new)) = (usize::try_from(old), usize::try_from(new))
        && 0 < old
        && old < new
        && let Some(leaves) = leaves.get(..new)
    {
        collect_consistency(leaves, old, true, &mut proof);
    }
    proof
}

fn collect_consistency(leaves: &[Digest], old: usize, whole: bool, proof: &mut Vec<Digest>) {
    if old == leaves.len() {
        if !whole {
            proof.push(root(leaves));
        }
        return;
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    if old <= middle {
        collect_consistency(left, old, whole, proof);
        proof.push(root(right));
    } else {
        collect_consistency(right, old - middle, false, proof);
        proof.push(root(left));
    }
}

/// Whether the tree of `old` leaves is the beginning of the tree of `new`. A tree of no leaves is
/// the beginning of every tree; its root must still be the right one.
#[must_use]
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Digest,
    new_root: &Digest,
    proof: &[Digest],
) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == root(&[]);
    }
    // An old tree that is a perfect one needs no first step: its root is known.
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        let Some((first, rest)) = proof.split_first() else {
            return false;
        };
        (*first, rest)
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for step in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The largest power of two below `count` (two or more).
fn split(count: usize) -> usize {
    debug_assert!(count > 1, "only a tree of two and more is split");
    1 << (count - 1).ilog2()
}

/// A tree that only grows, kept as the roots of its perfect subtrees: at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frontier {
    size: u64,
    /// Roots of perfect subtrees, the largest first: one for every set bit of `size`.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// A tree of no leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        self.push_subtree(0, leaf);
    }

    /// Appends 2^`height` leaves by the root over them; so many must divide the leaves so far.
    pub fn push_subtree(&mut self, height: u32, root: Digest) {
        debug_assert!(
            self.size.is_multiple_of(1 << height),
            "a perfect subtree begins at a multiple of its size"
        );
        let mut hash = root;
        // As many peaks merge as the size has trailing ones, counted in such subtrees.
        for _ in 0..(self.size >> height).trailing_ones() {
            let left = self.peaks.pop().expect("one peak for every set bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1 << height;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return root(&[]);
        };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// Leaves so far, count.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.size
    }

    /// Whether there are no leaves.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Whether the peaks are as many as the size asks for: to be checked after reading one back.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        usize::try_from(self.size.count_ones()).is_ok_and(|peaks| peaks == self.peaks.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of the certificate-transparency reference vectors.
    const RECORDS: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn known() -> Vec<Digest> {
        RECORDS
            .iter()
            .map(|r| leaf_hash(&hex::decode(r).expect("hex")))
            .collect()
    }

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn digests(texts: &[&str]) -> Vec<Digest> {
        texts
            .iter()
            .map(|t| Digest::parse(t).expect("a digest"))
            .collect()
    }

    #[test]
    fn roots_are_those_of_the_known_answers() {
        assert_eq!(
            root(&[]).hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let (known, mut frontier) = (known(), Frontier::new());
        for (count, expected) in (1..).zip(ROOTS) {
            frontier.push(known[count - 1]);
            assert_eq!(root(&known[..count]).hex(), expected);
            assert_eq!(frontier.root().hex(), expected);
        }
    }

    #[test]
    fn a_tree_grown_by_whole_subtrees_is_the_one_grown_by_their_leaves() {
        let all = leaves(45);
        let (mut by_leaves, mut by_parts) = (Frontier::new(), Frontier::new());
        all.iter().for_each(|leaf| by_leaves.push(*leaf));
        for part in all.chunks_exact(8) {
            by_parts.push_subtree(3, root(part));
        }
        all[40..].iter().for_each(|leaf| by_parts.push(*leaf));
        assert_eq!(by_parts, by_leaves);
        assert_eq!(by_parts.root(), root(&all));
    }

    #[test]
    fn proofs_are_those_of_the_known_answers() {
        let path = digests(&[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]);
        assert_eq!(inclusion(&known(), 5), path);
        let proof = digests(&[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]);
        assert_eq!(consistency(&known(), 6, 8), proof);
    }

    #[test]
    fn every_leaf_of_every_tree_has_a_proof_and_only_its_own() {
        for size in 1..=40_u64 {
            let all = leaves(size);
            let top = root(&all);
            for index in 0..size {
                let leaf = all[usize::try_from(index).expect("small")];
                let proof = inclusion(&all, index);
                assert!(
                    verify_inclusion(&leaf, index, size, &proof, &top),
                    "{index} of {size}"
                );
                assert!(!verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &top));
                assert!(!verify_inclusion(&leaf, size, size, &proof, &top));
                for other in (0..size).filter(|o| *o != index) {
                    assert!(
                        !verify_inclusion(&leaf, other, size, &proof, &top),
                        "{other} for {index}"
                    );
                }
                let mut longer = proof.clone();
                longer.push(top);
                assert!(!verify_inclusion(&leaf, index, size, &longer, &top));
                if !proof.is_empty() {
                    assert!(!verify_inclusion(&leaf, index, size, &proof[1..], &top));
                    assert!(!verify_inclusion(
                        &leaf,
                        index,
                        size,
                        &proof[..proof.len() - 1],
                        &top
                    ));
                }
            }
        }
    }

    #[test]
    fn every_tree_proves_that_it_begins_with_every_smaller_one() {
        let all = leaves(40);
        for new in 0..=40_u64 {
            let new_root = root(&all[..usize::try_from(new).expect("small")]);
            for old in 0..=new {
                let old_root = root(&all[..usize::try_from(old).expect("small")]);
                let proof = consistency(&all, old, new);
                assert!(
                    verify_consistency(old, new, &old_root, &new_root, &proof),
                    "{old} in {new}"
                );
                let wrong = leaf_hash(b"other");
                assert!(
                    !verify_consistency(old, new, &wrong, &new_root, &proof),
                    "{old} in {new}"
                );
                assert!(!verify_consistency(new + 1, new, &old_root, &new_root, &proof));
                if old > 0 {
                    assert!(
                        !verify_consistency(old, new, &old_root, &wrong, &proof),
                        "{old} in {new}"
                    );
                }
                for at in 0..proof.len() {
                    let mut bent = proof.clone();
                    bent[at] = wrong;
                    assert!(!verify_consistency(old, new, &old_root, &new_root, &bent));
                    bent.remove(at);
                    assert!(!verify_consistency(old, new, &old_root, &new_root, &bent));
                }
            }
        }
    }

    #[test]
    fn a_frontier_grows_as_the_tree_and_survives_its_text() {
        let all = leaves(40);
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), root(&[]));
        for (count, leaf) in all.iter().enumerate() {
            frontier.push(*leaf);
            assert_eq!(frontier.root(), root(&all[..=count]));
            let text = serde_json::to_string(&frontier).expect("json");
            frontier = serde_json::from_str(&text).expect("reads back");
            assert!(frontier.is_sound() && !frontier.is_empty());
        }
        assert_eq!(frontier.len(), 40);
    }
}
