//! How much room there is where a store's files are. Only looks; never frees anything.

use std::path::Path;
use std::process::Command;

use kernel::{Problem, Time};

use crate::check::{self, Waiting};
use crate::params;
use crate::store::{Database, Store, node_tenant};

/// Room on the disk of a store's files, in bytes; what cannot be known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Free for this process, in bytes.
    pub free: Option<u64>,
    /// The whole disk, in bytes.
    pub total: Option<u64>,
    /// Files of the stream's log, in bytes; none where records stand in rows.
    pub log: Option<u64>,
}

/// Memory of this process and of the machine, in bytes; what cannot be known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What this process holds.
    pub resident: Option<u64>,
    /// What the machine can still give.
    pub available: Option<u64>,
    /// All of the machine.
    pub total: Option<u64>,
}

impl Memory {
    /// As the system tells now.
    pub async fn now() -> Self {
        let looked = tokio::task::spawn_blocking(|| {
            let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
            let (own, all) = (read("/proc/self/status"), read("/proc/meminfo"));
            Self {
                resident: kilobytes(&own, "VmRSS:"),
                available: kilobytes(&all, "MemAvailable:"),
                total: kilobytes(&all, "MemTotal:"),
            }
        });
        looked.await.unwrap_or_default()
    }
}

/// The line of a name in such a text, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let count: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(count << 10)
}

/// How a store's rows stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsStanding {
    /// How long a small read took, in milliseconds.
    pub read_ms: i64,
    /// The database's files, in bytes; none of a server's.
    pub bytes: Option<u64>,
    /// Outbox lines that wait, by topic.
    pub waiting: Vec<Waiting>,
    /// When the first fact was written; none in a new store.
    pub oldest: Option<Time>,
}

impl Store {
    /// How the rows stand, and what waits to be delivered to others.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn rows_standing(&self) -> Result<RowsStanding, Problem> {
        let began = self.world().now();
        let reader = self.reader(&node_tenant());
        let waiting = check::waiting(&reader).await?;
        let first = "select at from store_facts where position = $1";
        let first = reader.one(first, params![0_u64]).await?;
        let read_ms = self.world().now().ms() - began.ms();
        let file = match &self.inner.config.database {
            Database::Sqlite(path) => Some(path.clone()),
            Database::Postgres { .. } => None,
        };
        let sized = tokio::task::spawn_blocking(move || {
            let file = file?;
            let beside = |end: &str| {
                let mut name = file.clone().into_os_string();
                name.push(end);
                std::fs::metadata(name).map_or(0, |found| found.len())
            };
            Some(beside("") + beside("-wal"))
        });
        Ok(RowsStanding {
            read_ms,
            bytes: sized.await.unwrap_or_default(),
            waiting,
            oldest: first.map(|row| row.time("at")).transpose()?,
        })
    }

    /// When something was done last that leaves a mark in a node's data folder (`backed-up-at`, `verified-at`):
    /// in the folder of the store's files, or in that of the sample nation around it.
    pub async fn marked(&self, mark: &'static str) -> Option<Time> {
        let own = self.folder().to_owned();
        let looked = tokio::task::spawn_blocking(move || {
            let around = own.parent().map(Path::to_owned);
            let read = |folder: &Path| {
                let text = std::fs::read_to_string(folder.join(mark)).ok()?;
                text.trim().parse().ok().map(Time)
            };
            read(&own).max(around.as_deref().and_then(read))
        });
        looked.await.ok().flatten()
    }

    /// The room there is, and what a stream's log takes of it.
    pub async fn room(&self, stream: &str) -> Room {
        let folder = self.folder().to_owned();
        let log = folder.join("logs").join(stream);
        // Files and another program are waited for: not on a thread that others need.
        let looked = tokio::task::spawn_blocking(move || {
            let disk = of_disk(&folder);
            Room {
                free: disk.map(|(free, _)| free),
                total: disk.map(|(_, total)| total),
                log: size(&log),
            }
        });
        looked.await.unwrap_or_default()
    }
}

/// Free and all bytes of the disk that holds a folder, as the system's `df` tells.
fn of_disk(folder: &Path) -> Option<(u64, u64)> {
    let said = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    of_df(&String::from_utf8_lossy(&said.stdout))
}

/// The second line's second and fourth words, in KiB.
fn of_df(said: &str) -> Option<(u64, u64)> {
    let mut words = said.lines().nth(1)?.split_whitespace().skip(1);
    let total: u64 = words.next()?.parse().ok()?;
    let free: u64 = words.nth(1)?.parse().ok()?;
    Some((free << 10, total << 10))
}

/// Bytes of the files in a folder; none without a file.
fn size(folder: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(folder).ok()?;
    let sizes = entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
    Some(sizes.sum()).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_by_its_name_and_nothing_is_made_up() {
        let said = "MemTotal:       24000 kB\nMemFree: 1 kB\nMemAvailable:\t12000 kB\n";
        assert_eq!(kilobytes(said, "MemTotal:"), Some(24_576_000));
        assert_eq!(kilobytes(said, "MemAvailable:"), Some(12_288_000));
        assert_eq!(kilobytes(said, "VmRSS:"), None);
        assert_eq!(kilobytes("VmRSS: many", "VmRSS:"), None);
    }

    #[test]
    fn the_words_of_df_are_read_in_bytes_and_nothing_is_made_up() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 100 40 60 40% /\n";
        assert_eq!(of_df(said), Some((61_440, 102_400)));
        assert_eq!(of_df("df: nothing\n"), None);
        assert_eq!(size(Path::new("/nowhere/at/all")), None);
    }
}
