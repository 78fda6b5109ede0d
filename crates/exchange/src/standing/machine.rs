//! What a node stands on: its rows, what waits for others, memory, and when it was backed up and checked
//! last, each with its light. Reads only, and asks nobody.

use kernel::{Problem, Time};
use serde::Serialize;
use store::{Engine, Memory};
use utoipa::ToSchema;

use super::seen::Light;
use crate::gateway::Exchange;

/// A small read of the rows takes less than this, in milliseconds.
const READ_MS: [i64; 2] = [1_000, 10_000];
/// A line that is tried so often is stuck, count.
const TRIES_MAX: u64 = 8;
/// A line that should have gone so long ago is stuck, in milliseconds.
const WAITS_MS_MAX: i64 = 3_600_000;
/// Backups and checks are not older than this, in milliseconds: seven days, as `sen doctor` asks.
const LATELY_MS: i64 = 7 * 86_400_000;
/// The mark that `sen backup` leaves.
const BACKED_UP: &str = "backed-up-at";
/// The mark that `sen verify` leaves.
const VERIFIED: &str = "verified-at";

/// The node's rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingDatabase {
    /// `sqlite` or `postgres`.
    pub(crate) engine: &'static str,
    /// Its files, in bytes; none of a server's.
    pub(crate) bytes: Option<u64>,
    /// How long a small read took, in milliseconds.
    pub(crate) read_ms: i64,
    pub(crate) light: Light,
}

/// What waits to be delivered to other nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingOutbox {
    /// Lines, count.
    pub(crate) lines: u64,
    /// Tries of the one that was tried most often, count.
    pub(crate) attempts: u64,
    /// For how long the one that waits longest should have gone, in milliseconds.
    pub(crate) waited_ms: i64,
    pub(crate) light: Light,
}

/// Memory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingMemory {
    /// What this process holds, in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// What the machine can still give, in bytes.
    pub(crate) available_bytes: Option<u64>,
    /// All of the machine, in bytes.
    pub(crate) total_bytes: Option<u64>,
    pub(crate) light: Light,
}

/// When a backup was taken and the logs were checked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingBackup {
    /// `backup` (`sen backup`) or `verified` (`sen verify`).
    pub(crate) what: &'static str,
    /// When it was done last, milliseconds since 1970; none when it never was.
    pub(crate) at: Option<i64>,
    pub(crate) light: Light,
}

/// All of it.
pub(super) struct Machine {
    pub(super) database: StandingDatabase,
    pub(super) outbox: StandingOutbox,
    pub(super) memory: StandingMemory,
    pub(super) backups: Vec<StandingBackup>,
}

impl Exchange {
    /// What the node stands on.
    pub(super) async fn machine_seen(&self, now: Time) -> Result<Machine, Problem> {
        let store = &self.0.store;
        let rows = store.rows_standing().await?;
        let waiting = rows.waiting.iter();
        let attempts = waiting.clone().map(|topic| topic.attempts).max().unwrap_or(0);
        let waited_ms = waiting.clone().map(|topic| now.ms() - topic.due.ms()).max();
        let waited_ms = waited_ms.unwrap_or(0).max(0);
        let stuck = attempts >= TRIES_MAX || waited_ms > WAITS_MS_MAX;
        // A node that is younger than a week has still time for its first.
        let began = rows.oldest.unwrap_or(now);
        let mut backups = Vec::new();
        for (what, mark) in [("backup", BACKED_UP), ("verified", VERIFIED)] {
            let at = store.marked(mark).await;
            backups.push(StandingBackup {
                what,
                at: at.map(Time::ms),
                light: Light::above(now.ms() - at.unwrap_or(began).ms(), [LATELY_MS, i64::MAX]),
            });
        }
        Ok(Machine {
            database: StandingDatabase {
                engine: match store.engine() {
                    Engine::Sqlite => "sqlite",
                    Engine::Postgres => "postgres",
                },
                bytes: rows.bytes,
                read_ms: rows.read_ms,
                light: Light::above(rows.read_ms, READ_MS),
            },
            outbox: StandingOutbox {
                lines: rows.waiting.iter().map(|topic| topic.lines).sum(),
                attempts,
                waited_ms,
                light: if stuck { Light::Amber } else { Light::Good },
            },
            memory: memory(Memory::now().await),
            backups,
        })
    }
}

fn memory(now: Memory) -> StandingMemory {
    let left = now.available.zip(now.total);
    StandingMemory {
        resident_bytes: now.resident,
        available_bytes: now.available,
        total_bytes: now.total,
        light: match left {
            Some((available, total)) if available < total / 32 => Light::Red,
            Some((available, total)) if available < total / 10 => Light::Amber,
            _ => Light::Good,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_turns_its_light_when_little_is_left_and_not_when_nobody_knows() {
        let light = |available, total| {
            let now = Memory {
                resident: None,
                available,
                total,
            };
            memory(now).light
        };
        assert_eq!(light(None, None), Light::Good);
        assert_eq!(light(Some(500), Some(1_000)), Light::Good);
        assert_eq!(light(Some(90), Some(1_000)), Light::Amber);
        assert_eq!(light(Some(30), Some(1_000)), Light::Red);
    }
}
