//! The rules of `SOURCES.toml`, and of data that no crate gives a meaning to: every file of data is
//! listed with where it comes from, is the file that is listed, and reads. Never judges a licence.

use std::collections::HashMap;
use std::path::Path;

use kernel::Digest;
use kernel::fault::{Fault, Faults};
use serde::Deserialize;

use super::document::{Places, document};
use super::files::{rows, text};
use super::{OWN_FILES, OWN_FOLDERS, SourceEntry, files_below};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    #[serde(default)]
    file: Vec<SourceEntry>,
}

const SOURCES: &str = "SOURCES.toml";

/// Checks the list against the folder, both ways, and the files that nobody else reads.
pub(crate) fn check(pack: &Path, faults: &mut Faults) {
    let there = match files_below(pack, pack) {
        Ok(there) => there,
        Err(why) => {
            let names = vec![("value", why.to_string())];
            faults.add(Fault::new(SOURCES, 1, "file-unreadable", names));
            return;
        }
    };
    if let Some((sources, places)) = document::<Sources>(pack, SOURCES, faults) {
        for (at, entry) in sources.file.iter().enumerate() {
            check_entry(pack, at, entry, &places, faults);
        }
        for file in there.iter().filter(|file| !own(file)) {
            if !sources.file.iter().any(|entry| entry.path == *file) {
                let names = vec![("value", file.clone())];
                faults.add(Fault::new(SOURCES, 1, "source-missing", names));
            }
        }
    }
    for file in &there {
        if !faults.has_read(file) {
            check_other(pack, file, faults);
        }
    }
}

fn own(file: &str) -> bool {
    let in_folder = |folder: &str| {
        file.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    OWN_FILES.contains(&file) || OWN_FOLDERS.into_iter().any(in_folder)
}

fn check_entry(pack: &Path, at: usize, entry: &SourceEntry, places: &Places, faults: &mut Faults) {
    let mut add = |key: &str, rule, value: String| {
        let names = vec![("value", value), ("file", entry.path.clone())];
        faults.add(places.fault(&format!("/file/{at}/{key}"), rule, names));
    };
    if entry.source.is_empty() || entry.licence.is_empty() {
        add("source", "source-empty", entry.path.clone());
    }
    let Ok(bytes) = std::fs::read(pack.join(&entry.path)) else {
        add("path", "source-gone", entry.path.clone());
        return;
    };
    let rows = bytes.iter().filter(|b| **b == b'\n').count().saturating_sub(1) as u64;
    if entry.rows.is_some_and(|listed| listed != rows) {
        add("rows", "source-rows", rows.to_string());
    }
    let digest = Digest::of(&bytes);
    if digest != entry.sha256 {
        add("sha256", "source-differs", digest.to_string());
    }
}

/// A file that no crate read: its text, its rows, and that a code stands once.
fn check_other(pack: &Path, file: &str, faults: &mut Faults) {
    match file.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => check_table(pack, file, faults),
        Some("json") => {
            let Some(text) = text(pack, file, faults) else {
                return;
            };
            if let Err(wrong) = serde_json::from_str::<serde_json::Value>(&text) {
                let names = vec![("value", wrong.to_string())];
                let line = wrong.line().max(1) as u64;
                faults.add(Fault::new(file, line, "json-syntax", names));
            }
        }
        Some("md" | "toml" | "typ" | "txt") => {
            text(pack, file, faults);
        }
        _ => {}
    }
}

/// A table of any header; where the first column is `code`, a code stands once.
pub(crate) fn check_table(pack: &Path, file: &str, faults: &mut Faults) {
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut twice = Vec::new();
    let header = rows(pack, file, None, faults, |row, _| {
        if let Some(first) = seen.insert(row.get(0).to_owned(), row.line) {
            let names = vec![("value", row.get(0).to_owned()), ("first", first.to_string())];
            twice.push(row.fault_with("code-twice", names));
        }
    });
    if header.is_some_and(|header| header.get(0) == Some("code")) {
        for fault in twice {
            faults.add(fault);
        }
    }
}
