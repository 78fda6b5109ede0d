//! How tracked files are written: every source opens with what it holds, nothing names one machine,
//! nothing half done is marked and left.

use anyhow::Result;

use super::{Tree, line_of};

/// Parts of paths that exist on somebody's machine only, and marks of unfinished work.
const LEFTOVERS: &[&str] = &[
    "/home/", "/root/", "/work/", "/Users/", "TODO", "FIXME", "XXX", "HACK", "<<<<<<< ", ">>>>>>> ",
];

/// The list above, and texts of others: the lock file is cargo's, the licence is Apache's, data are data.
const EXEMPT: &[&str] = &["crates/xtask/src/tidy/sources.rs", "Cargo.lock", "LICENSE"];

/// Every Rust source opens with `//!`.
pub(crate) fn openings(tree: &Tree) -> Result<Vec<String>> {
    let opens = |text: &str| text.starts_with("//! ");
    Ok(tree
        .ending(".rs")
        .filter(|(_, text)| !opens(text))
        .map(|(path, _)| format!("{path}: opens without `//!` (what it holds; what it must never do)"))
        .collect())
}

/// No machine's paths, no marks of unfinished work.
pub(crate) fn leftovers(tree: &Tree) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, text) in tree
        .files
        .iter()
        .filter(|(path, _)| !EXEMPT.contains(&path.as_str()) && !path.ends_with(".csv"))
    {
        for mark in LEFTOVERS {
            if let Some(at) = text
                .match_indices(mark)
                .map(|(at, _)| at)
                .find(|at| stands_alone(text, *at, mark))
            {
                faults.push(format!(
                    "{path}:{}: {mark:?} does not belong here",
                    line_of(text, at)
                ));
            }
        }
    }
    Ok(faults)
}

/// A mark within a longer word, or a folder within a longer path, is something else.
fn stands_alone(text: &str, at: usize, mark: &str) -> bool {
    let joined = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '}');
    let before = text.get(..at).and_then(|head| head.chars().next_back());
    let after = text.get(at + mark.len()..).and_then(|tail| tail.chars().next());
    let is_path = mark.starts_with('/');
    !before.is_some_and(joined) && (is_path || !after.is_some_and(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn a_source_says_first_what_it_holds() {
        assert!(
            openings(&tree(&[("a.rs", "//! What it holds.\n")]))
                .expect("read")
                .is_empty()
        );
        assert_eq!(openings(&tree(&[("a.rs", "use x;\n")])).expect("read").len(), 1);
    }

    #[test]
    fn nothing_names_one_machine() {
        let check = |text: &str, count: usize| {
            assert_eq!(
                leftovers(&tree(&[("a.md", text)])).expect("read").len(),
                count,
                "{text}"
            );
        };
        check("see /home/ann/sen", 1);
        check("https://example.org/home/", 0);
        check("crates/work/x", 0);
        check("// TODO later", 1);
        check("TODOS and XXXL", 0);
    }
}
