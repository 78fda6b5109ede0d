//! The licences of everything that is built. A dependency is used under any one of the licences its
//! author offers, and every licence it demands must be on the list.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Tree;
use crate::shell;

/// Licences that an Apache-2.0 program may carry in its binary.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Every package of the resolved tree.
pub(crate) fn check(_: &Tree) -> Result<Vec<String>> {
    let text = shell::output(&mut shell::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let used: HashSet<String> = list(&metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| node["id"].as_str().map(str::to_owned))
        .collect();
    let mut faults = Vec::new();
    for package in list(&metadata["packages"]) {
        let (id, name) = (
            package["id"].as_str().unwrap_or_default(),
            package["name"].as_str().unwrap_or_default(),
        );
        let licence = package["license"].as_str().unwrap_or_default();
        if used.contains(id) && !is_accepted(licence) {
            faults.push(format!(
                "{name}: its licence {licence:?} is not on the list (crates/xtask/src/tidy/licences.rs)"
            ));
        }
    }
    Ok(faults)
}

/// Reads a licence expression: `OR` and the old `/` offer a choice, `AND` demands both, brackets nest.
fn is_accepted(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "~");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    any(&mut rest).unwrap_or(false) && rest.is_empty()
}

/// `None` when it is no expression.
fn any(rest: &mut &[&str]) -> Option<bool> {
    let mut good = all(rest)?;
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        *rest = after;
        good |= all(rest)?;
    }
    Some(good)
}

fn all(rest: &mut &[&str]) -> Option<bool> {
    let mut good = one(rest)?;
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        *rest = after;
        good &= one(rest)?;
    }
    Some(good)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first != "(" {
        return Some(ACCEPTED.contains(&first.replace('~', " WITH ").as_str()));
    }
    let good = any(rest)?;
    *rest = rest.strip_prefix(&[")"])?;
    Some(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_needs_one_good_licence_and_a_demand_needs_all() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "Apache-2.0/MIT",
            "(GPL-2.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Foo-1.0",
            "ISC AND (Apache-2.0 OR ISC)",
        ] {
            assert!(is_accepted(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT)",
            "MIT OR",
            "AGPL-3.0 OR SSPL-1.0",
        ] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }
}
