//! axe-core, the checker of the browser tests, fetched into `target/axe` from npm's usual registry.
//! Never part of a release, and never fetched again when the wanted version is there.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell;

/// The version that the tests were written against: a newer one may know more rules.
const VERSION: &str = "4.14.1";

/// Fetches it when it is missing.
///
/// # Errors
/// When npm cannot: its own words are shown before.
pub(crate) fn fetch() -> Result<()> {
    if there()?.as_deref() == Some(VERSION) {
        return Ok(());
    }
    shell::run(
        Command::new("npm")
            .arg("install")
            .arg("--prefix")
            .arg(folder())
            .args([
                &format!("axe-core@{VERSION}"),
                "--no-save",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ]),
    )?;
    match there()? {
        Some(version) if version == VERSION => Ok(()),
        other => bail!("npm left axe-core {other:?} instead of {VERSION}"),
    }
}

fn folder() -> PathBuf {
    shell::root().join("target/axe")
}

/// The version that lies there.
fn there() -> Result<Option<String>> {
    let package = folder().join("node_modules/axe-core/package.json");
    let Ok(text) = std::fs::read(&package) else {
        return Ok(None);
    };
    let package: Value = serde_json::from_slice(&text).with_context(|| package.display().to_string())?;
    Ok(package["version"].as_str().map(str::to_owned))
}
