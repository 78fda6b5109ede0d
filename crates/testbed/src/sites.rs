//! Where a node dies in the crash loop: at a random moment, or at a place of a write. Never who dies by a
//! person's choice: the seed says.

use std::collections::BTreeMap;

use rand::Rng as _;
use rand::rngs::StdRng;
use sen::up::nation::{PLACES, Place};

/// Of ten rounds, how many kill at a place of a write.
const AT_SITES_OF_TEN: usize = 7;

/// Where somebody dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    /// Who.
    pub place: Place,
    /// The site and the time; `None` for a random moment.
    pub site: Option<(&'static str, u64)>,
}

/// Draws the next death.
pub fn next(chance: &mut StdRng) -> Death {
    if chance.random_range(0..10) >= AT_SITES_OF_TEN {
        return Death {
            place: PLACES[chance.random_range(0..PLACES.len())],
            site: None,
        };
    }
    let site = store::fault::SITES[chance.random_range(0..store::fault::SITES.len())];
    let (places, most) = way(site);
    Death {
        place: places[chance.random_range(0..places.len())],
        site: Some((site, chance.random_range(1..=most))),
    }
}

/// Who comes by a site under the load, and up to the how-manieth time it is let pass.
fn way(site: &str) -> (&'static [Place], u64) {
    const ALL: &[Place] = &PLACES;
    const WITH_CASES: &[Place] = &[Place::National, Place::Province];
    match site {
        "commit-before" | "commit-after" => (ALL, 40),
        "segment-begun" => (ALL, 1),
        "checkpoint-half" | "checkpoint-unflushed" => (ALL, 2),
        "blob-half" | "blob-before-rename" | "blob-after-rename" => (WITH_CASES, 2),
        "outbox-before-delivery" | "outbox-after-delivery" | "outbox-after-mark" => (WITH_CASES, 6),
        _ => (ALL, 15),
    }
}

/// How often each site was reached, and how often the load did not come by in time.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<&'static str, (usize, usize)>);

impl Tally {
    /// Counts a round.
    pub fn note(&mut self, site: &'static str, reached: bool) {
        let entry = self.0.entry(site).or_default();
        if reached {
            entry.0 += 1;
        } else {
            entry.1 += 1;
        }
    }

    /// A line a site, in the order of the way of a write.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |site: &&'static str| {
            let (reached, missed) = self.0.get(site).copied().unwrap_or_default();
            format!("{reached:>6} × died at {site} (killed before it came by: {missed})")
        };
        std::iter::once(&RANDOM)
            .chain(store::fault::SITES)
            .map(line)
            .collect()
    }
}

/// The name of a random moment in the tally.
pub const RANDOM: &str = "a random moment";

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_seed_draws_the_same_deaths_and_comes_by_every_site() {
        let draw = |seed| {
            let mut chance = StdRng::seed_from_u64(seed);
            (0..400).map(|_| next(&mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        let deaths = draw(3);
        for site in store::fault::SITES {
            assert!(
                deaths.iter().any(|d| d.site.is_some_and(|(s, _)| s == *site)),
                "{site}"
            );
        }
        assert!(deaths.iter().any(|d| d.site.is_none()));
    }
}
