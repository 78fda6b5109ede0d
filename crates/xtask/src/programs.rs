//! Building the programs that are measured, broken and packed. Never with another set of features:
//! every command builds the same packages, so that nothing is built a second time.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// Builds all programs; gives the folder they are in.
///
/// # Errors
/// When something does not compile.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    let mut command = shell::cargo(&["build", "--locked"]);
    if release {
        // As its users build it, and the load client beside it.
        command.args(["--release", "--package", "sen", "--package", "testbed"]);
    } else {
        command.args(["--quiet", "--workspace", "--bins"]);
    }
    shell::run(&mut command)?;
    Ok(target()?.join(if release { "release" } else { "debug" }))
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf> {
    let text = shell::output(&mut shell::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("cargo names its target folder")?;
    Ok(PathBuf::from(folder))
}
