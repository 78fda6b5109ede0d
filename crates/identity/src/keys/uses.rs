//! How often API keys were used in this minute, and how often unknown ones came from where. Held in memory
//! alone: after a start the minute begins anew.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use kernel::{Kind, Problem, Time};

/// A minute, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// What was counted, shared by all clones of [`Sessions`](crate::Sessions).
pub(crate) type Counted = Arc<Mutex<Uses>>;

/// The counts of one minute.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    minute: i64,
    /// Uses of good keys, by their ids.
    by_key: HashMap<String, u32>,
    /// Unknown keys, by the household they came from.
    by_address: HashMap<Option<IpAddr>, u32>,
}

impl Uses {
    /// Counts one use of a good key; false when there were as many as there may be.
    pub(super) fn of_key(&mut self, key: &str, max: u32, now: Time) -> bool {
        self.begin(now);
        count(&mut self.by_key, key.to_owned(), max)
    }

    /// Counts an unknown key from an address, `None` where the listener does not tell it; false when there
    /// were as many as there may be.
    pub(super) fn unknown_from(&mut self, address: Option<IpAddr>, max: u32, now: Time) -> bool {
        self.begin(now);
        count(&mut self.by_address, address.map(web::listen::household), max)
    }

    /// Begins anew when the minute is another one.
    fn begin(&mut self, now: Time) {
        let minute = now.ms().div_euclid(MINUTE_MS);
        if self.minute != minute {
            self.minute = minute;
            self.by_key.clear();
            self.by_address.clear();
        }
    }
}

fn count<K: Eq + Hash>(counts: &mut HashMap<K, u32>, who: K, max: u32) -> bool {
    let count = counts.entry(who).or_insert(0);
    *count = count.saturating_add(1);
    *count <= max
}

/// The refusal of a call past a bound: until this minute is over.
pub(super) fn too_many(max: u32, now: Time) -> Problem {
    let rest_ms = MINUTE_MS - now.ms().rem_euclid(MINUTE_MS);
    Problem::new(Kind::TooMany, "api-key-calls")
        .with("max", max)
        .with("seconds", (rest_ms + 999) / 1_000)
}
