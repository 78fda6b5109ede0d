//! Links between the project's documents: each must lead to a file of the tree, and a `#part` to a
//! heading in it. Addresses elsewhere are not followed.

use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::{Tree, line_of};

/// Every relative link of every tracked Markdown file.
pub(crate) fn check(tree: &Tree) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, text) in tree.ending(".md") {
        for (at, target) in targets(text) {
            if !leads_somewhere(tree, path, target) {
                faults.push(format!(
                    "{path}:{}: the link {target} leads nowhere",
                    line_of(text, at)
                ));
            }
        }
    }
    Ok(faults)
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    let (file, part) = target
        .split_once('#')
        .map_or((target, None), |(file, part)| (file, Some(part)));
    let full = if file.is_empty() {
        PathBuf::from(from)
    } else {
        joined(from, file)
    };
    let name = full.to_string_lossy();
    let is_folder = || {
        tree.files
            .iter()
            .any(|(other, _)| other.starts_with(&format!("{}/", name.trim_end_matches('/'))))
    };
    let text = tree
        .files
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, text)| text.as_str());
    match (text, part) {
        (Some(text), Some(part)) => headings(text).any(|heading| heading == part),
        (Some(_), None) => true,
        (None, part) => part.is_none() && (is_folder() || tree.root.join(&full).is_file()),
    }
}

fn joined(from: &str, file: &str) -> PathBuf {
    let mut path = Path::new(from).parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// `](target)` outside code, without titles; addresses with a scheme are left out.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut in_block) = (0, false);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            for (open, _) in line.match_indices("](") {
                let is_in_code = line
                    .get(..open)
                    .is_some_and(|head| head.matches('`').count() % 2 == 1);
                let target = line
                    .get(open + 2..)
                    .and_then(|tail| tail.split([')', ' ']).next())
                    .unwrap_or_default();
                let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
                if !is_in_code && !is_elsewhere && !target.is_empty() {
                    found.push((at + open, target));
                }
            }
        }
        at += line.len();
    }
    found
}

/// Headings as the forges turn them into anchors.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn broken(text: &str) -> usize {
        let files = [
            ("docs/a.md", text),
            ("README.md", "# Two words, here\n"),
            ("crates/kernel/src/lib.rs", "//! x"),
        ];
        check(&tree(&files)).expect("read").len()
    }

    #[test]
    fn a_link_leads_to_a_file_a_folder_or_a_heading() {
        for good in [
            "[a](../README.md)",
            "[a](../README.md#two-words-here)",
            "[a](../crates/kernel)",
            "[a](https://example.org)",
            "`[a](nowhere)`",
            "```\n[a](nowhere)\n```",
            "# Up\n[a](#up)",
        ] {
            assert_eq!(broken(good), 0, "{good}");
        }
        for bad in [
            "[a](nowhere.md)",
            "[a](../README.md#three)",
            "[a](#up)",
            "![p](p.png)",
        ] {
            assert_eq!(broken(bad), 1, "{bad}");
        }
    }
}
