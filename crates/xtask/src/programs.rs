//! Building the programs that are measured, broken and packed. Never with another set of features:
//! every command builds the same packages, so that nothing is built a second time.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// Builds all programs; gives the folder they are in.
///
/// # Errors
/// When something does not compile.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let what: &[&str] = if release {
        // As its users build it, and the load client beside it.
        &[
            "build",
            "--locked",
            "--release",
            "--package",
            "sen",
            "--package",
            "testbed",
        ]
    } else {
        // With their tests, which ask some crates for more: built otherwise, the tests would build all of it again.
        &["test", "--locked", "--quiet", "--workspace", "--no-run"]
    };
    shell::run(&mut shell::cargo(what))?;
    Ok(target()?.join(if release { "release" } else { "debug" }))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let folder = workspace()?["target_directory"]
        .as_str()
        .context("cargo names its target folder")?
        .to_owned();
    Ok(PathBuf::from(folder))
}

/// The programs of tests that stand beside the code (`tests/NAME`), each name once.
pub(crate) fn test_targets() -> Result<BTreeSet<String>> {
    let workspace = workspace()?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let targets = list(&workspace, "packages")
        .into_iter()
        .flat_map(|package| list(&package, "targets"));
    let is_test = |target: &Value| list(target, "kind").iter().any(|kind| kind == "test");
    let names = targets.filter(is_test).map(|target| {
        let name = target["name"].as_str().map(str::to_owned);
        name.context("cargo names its targets")
    });
    names.collect()
}

/// What cargo says of the workspace.
fn workspace() -> Result<Value> {
    let text = shell::output(&mut shell::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--locked",
    ]))?;
    Ok(serde_json::from_str(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_of_tests_are_found_by_name() {
        let names = test_targets().expect("cargo says");
        for name in ["browser", "sweep", "suite", "real"] {
            assert!(names.contains(name), "{names:?}");
        }
        assert!(!names.contains("sen") && !names.contains("xtask"), "{names:?}");
    }
}
