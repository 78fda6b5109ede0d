//! How much room there is where a store's files are. Only looks; never frees anything.

use std::path::Path;
use std::process::Command;

use crate::store::Store;

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

impl Store {
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
    fn the_words_of_df_are_read_in_bytes_and_nothing_is_made_up() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 100 40 60 40% /\n";
        assert_eq!(of_df(said), Some((61_440, 102_400)));
        assert_eq!(of_df("df: nothing\n"), None);
        assert_eq!(size(Path::new("/nowhere/at/all")), None);
    }
}
