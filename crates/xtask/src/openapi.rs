//! `openapi.json`: every operation of all nodes, made from the code and kept beside it, so that a change
//! of the interface is read in review. Never edited by hand.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::{programs, shell};

/// Writes the file.
pub(crate) fn write() -> Result<()> {
    let file = file();
    std::fs::write(&file, describe()?).with_context(|| format!("cannot write {}", file.display()))
}

/// Compares the file with the code.
pub(crate) fn check() -> Result<()> {
    let kept = std::fs::read_to_string(file()).unwrap_or_default();
    let made = describe()?;
    let differs = kept
        .lines()
        .zip(made.lines())
        .position(|(kept, made)| kept != made);
    match differs {
        None if kept == made => Ok(()),
        at => {
            let line = at.unwrap_or_else(|| kept.lines().count().min(made.lines().count())) + 1;
            bail!(
                "openapi.json is not what the code says, first in line {line}: run `cargo xtask openapi` and read the difference"
            )
        }
    }
}

fn file() -> PathBuf {
    shell::root().join("openapi.json")
}

fn describe() -> Result<String> {
    let sen = programs::build(false)?.join("sen");
    shell::output(shell::program(&sen).arg("openapi")).context("`sen openapi` failed")
}
