//! Batch roots already verified, remembered across threads: the dear half of checking a message
//! is done once for its batch. Never remembers a refusal, and never more than its bound.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use kernel::Digest;

use super::Sealed;

/// Locks that share the roots, so that workers seldom wait for each other.
const SHARDS: usize = 16;

/// Remembers verified (root, signature, certificate, time). When a half is full it becomes the old
/// half, and the one before is forgotten: no order is kept, no time is read.
pub struct RootCache {
    shards: [Mutex<Shard>; SHARDS],
    /// Roots in half a shard, count.
    half_max: usize,
}

#[derive(Default)]
struct Shard {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
}

impl RootCache {
    /// A cache of at most about `roots` roots: 32 bytes each, and the set's own cost.
    #[must_use]
    pub fn new(roots: usize) -> Self {
        Self {
            shards: Default::default(),
            half_max: (roots / SHARDS / 2).max(1),
        }
    }

    pub(super) fn knows(&self, key: &Digest) -> bool {
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        shard.young.contains(key) || shard.old.contains(key)
    }

    pub(super) fn learn(&self, key: Digest) {
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.young.len() >= self.half_max {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(key);
    }

    /// Roots remembered now, count.
    #[must_use]
    pub fn len(&self) -> usize {
        let count = |m: &Mutex<Shard>| {
            let shard = m.lock().unwrap_or_else(PoisonError::into_inner);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &Digest) -> &Mutex<Shard> {
        &self.shards[usize::from(key.0[0]) % SHARDS]
    }
}

impl Default for RootCache {
    /// 8,192 roots: some seconds of a busy node.
    fn default() -> Self {
        Self::new(8_192)
    }
}

/// Everything that a signature's check depends on, in one digest.
pub(super) fn key(root: &Digest, sealed: &Sealed) -> Digest {
    let (template, time) = (sealed.template.to_be_bytes(), sealed.signing_time.to_be_bytes());
    Digest::of_parts(&[
        &template,
        &time,
        &sealed.certificate,
        root.bytes(),
        &sealed.signature,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_forgets_before_it_grows() {
        let cache = RootCache::new(64);
        assert!(cache.is_empty());
        for n in 0..10_000_u32 {
            let key = Digest::of(&n.to_be_bytes());
            assert!(!cache.knows(&key));
            cache.learn(key);
            assert!(cache.knows(&key));
        }
        assert!(cache.len() <= 64, "{}", cache.len());
    }
}
