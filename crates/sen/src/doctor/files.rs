//! Rights, room on the disk, and what was not done lately. Never reads what is in a file it looks at.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kernel::Time;
use kernel::time::iso;

use super::{Finding, Round, mark};
use crate::backup::site::{NodeAt, Site};

/// Less than this is low, in bytes.
const ROOM_BYTES_MIN: u64 = 1 << 30;
/// A node that runs has destroyed bodies by then after the end of their last day, in milliseconds.
const OVERDUE_MS: i64 = 2 * 3_600_000;
/// Nobody has checked, or backed up, a folder for this long: in milliseconds.
const LATELY_MS: i64 = 7 * 86_400_000;

/// The folder as a whole.
pub(super) fn of_site(site: &Site, round: &Round) -> Vec<Finding> {
    // The folder of a real node is its data folder: told once, as the node's.
    let own = site.nodes.iter().all(|node| node.folder != site.data);
    let mut found: Vec<Finding> = Vec::new();
    found.extend(own.then(|| open_to_others("", &site.data)).flatten());
    for file in ["ca.key", "accounts.json"] {
        found.extend(open_to_others("", &site.data.join(file)));
    }
    found.extend(low(site));
    found.extend(not_lately(site, round));
    found
}

/// A node's folder, its secret and its keys; kept bodies whose term is over.
pub(super) fn of_node(node: &NodeAt, round: &Round) -> Vec<Finding> {
    let mut private = vec![
        node.folder.clone(),
        node.folder.join("secret"),
        node.folder.join("oidc.pem"),
        node.keys.clone(),
    ];
    for folder in ["", "seals", "signers", "requests"] {
        let entries = fs::read_dir(node.keys.join(folder)).into_iter().flatten();
        private.extend(
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|e| e == "key")),
        );
    }
    let open = private.iter().filter_map(|path| open_to_others(&node.name, path));
    open.chain(overdue(node, round)).collect()
}

/// A node destroys them within an hour of the end of their last day.
fn overdue(node: &NodeAt, round: &Round) -> Option<Finding> {
    let days = store::bodies::days_in(&node.folder).ok()?;
    let late = round.now.plus_ms(-OVERDUE_MS).date();
    let oldest = days.into_iter().find(|day| *day < late)?;
    Some(Finding {
        check: "bodies",
        node: node.name.clone(),
        what: format!("bodies that were to be kept until {} are there", iso(oldest)),
        why: "their parties agreed that they are destroyed by then",
        remedy: "start the node: it destroys them within an hour; if it runs, its log says what keeps it from that"
            .to_owned(),
    })
}

/// What is not there is another check's matter.
fn open_to_others(node: &str, path: &Path) -> Option<Finding> {
    let meta = fs::metadata(path).ok()?;
    let mode = meta.permissions().mode() & 0o777;
    let wanted = if meta.is_dir() { "700" } else { "600" };
    (mode & 0o077 != 0).then(|| Finding {
        check: "permissions",
        node: node.to_owned(),
        what: format!("{} has mode {mode:03o}", path.display()),
        why: "other users of this machine can read or write it, and with a key they can sign in its name",
        remedy: format!("chmod {wanted} {}", path.display()),
    })
}

fn low(site: &Site) -> Option<Finding> {
    let (free, total) = room(&site.data)?;
    (free < ROOM_BYTES_MIN || free < total / 20).then(|| Finding {
        check: "disk",
        node: String::new(),
        what: format!(
            "{} MB of {} MB are free on the disk of {}",
            free >> 20,
            total >> 20,
            site.data.display()
        ),
        why: "when nothing is free, every change is refused until something is; reading goes on",
        remedy: "free or add room; writing goes on by itself, nothing has to be started again".to_owned(),
    })
}

/// Free and all bytes of the disk that holds a folder, as the system's `df` tells.
fn room(path: &Path) -> Option<(u64, u64)> {
    let said = Command::new("df").arg("-Pk").arg(path).output().ok()?;
    of_df(&String::from_utf8_lossy(&said.stdout))
}

/// The second line's second and fourth words, in KiB.
fn of_df(said: &str) -> Option<(u64, u64)> {
    let line = said.lines().nth(1)?;
    let mut words = line.split_whitespace().skip(1);
    let total: u64 = words.next()?.parse().ok()?;
    let free: u64 = words.nth(1)?.parse().ok()?;
    Some((free << 10, total << 10))
}

fn not_lately(site: &Site, round: &Round) -> Vec<Finding> {
    let since = began(site).unwrap_or(round.now);
    let late = |mark: &str| {
        let last = mark::get(&site.data, mark);
        let quiet = round.now.ms() - last.unwrap_or(since).ms() > LATELY_MS;
        quiet.then(|| last.map_or_else(|| "never".to_owned(), |at| format!("last on {}", at.rfc3339())))
    };
    let (folder, trust) = (site.data.display(), site.trust.display());
    let config = site
        .config
        .as_ref()
        .map_or_else(String::new, |file| format!(" --config {}", file.display()));
    let mut found = Vec::new();
    if let Some(when) = late(mark::VERIFIED) {
        found.push(Finding {
            check: "verified",
            node: String::new(),
            what: format!("the logs were not checked in the last 7 days: {when}"),
            why: "a disk that loses bits is found while there is still a backup from before",
            remedy: format!("sen verify {folder}{config} --trust {trust}"),
        });
    }
    if let Some(when) = late(mark::BACKED_UP) {
        found.push(Finding {
            check: "backup",
            node: String::new(),
            what: format!("no backup was taken in the last 7 days: {when}"),
            why: "what is on one disk only is lost with it",
            remedy: format!("sen backup --data {folder}{config} --to DIR --passphrase-file FILE"),
        });
    }
    found
}

/// When the first node's keys were made.
fn began(site: &Site) -> Option<Time> {
    let certificate: PathBuf = site.nodes.first()?.keys.join("node.pem");
    let made = fs::metadata(certificate).ok()?.modified().ok()?;
    let since = made.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_is_read_by_its_columns() {
        let said =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\ntmpfs 2048 1000 1048 49% /mnt\n";
        assert_eq!(of_df(said), Some((1_048 << 10, 2_048 << 10)));
        assert_eq!(of_df("nothing"), None);
    }
}
