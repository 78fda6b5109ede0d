//! Rules of the tree that the compiler does not keep: which crate may name which, what may be drawn
//! in, how sources and SQL are written, where links lead. Reads tracked files only; changes nothing.

mod bans;
mod layers;
mod licences;
mod links;
mod literals;
mod schemas;
mod sources;
mod sql;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::shell;

/// A rule: gives every place that breaks it.
pub(crate) type Check = fn(&Tree) -> Result<Vec<String>>;

/// All rules, by the name they are shown with.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("order of the crates", layers::order),
    ("who may name which library", layers::owners),
    ("banned crates", bans::check),
    ("licences", licences::check),
    ("opening lines of the sources", sources::openings),
    ("paths and leftovers", sources::leftovers),
    ("tables of other crates", sql::tables),
    ("SQL that is built", sql::built),
    ("names of described types", schemas::names),
    ("links between the documents", links::check),
];

/// Runs one rule against the tracked files.
///
/// # Errors
/// When a rule is broken, naming every place.
pub(crate) fn run(check: Check) -> Result<()> {
    let faults = check(&Tree::read()?)?;
    if faults.is_empty() {
        Ok(())
    } else {
        bail!("{}", faults.join("\n"))
    }
}

/// The tracked text files, in order, by their path from the root with `/`.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<(String, String)>,
}

impl Tree {
    /// What git tracks or would track; a file deleted but not yet committed is passed over.
    fn read() -> Result<Self> {
        let root = shell::root();
        let list = shell::output(shell::program("git").args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let mut names: Vec<&str> = list.split('\0').filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        let files = names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::fs::read_to_string(root.join(name)).ok()?)))
            .collect();
        Ok(Self { root, files })
    }

    /// Files whose path ends so.
    pub(crate) fn ending<'t>(&'t self, end: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.files
            .iter()
            .filter(move |(name, _)| name.ends_with(end))
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// The crate in which a file stands.
pub(crate) fn crate_of(name: &str) -> Option<&str> {
    name.strip_prefix("crates/")?.split('/').next()
}

/// The number of the line in which a byte stands.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    Tree {
        root: PathBuf::new(),
        files: files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
    }
}
