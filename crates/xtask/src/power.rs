//! `cargo xtask power`: the disk as power cuts leave it, many times. The loop is `testbed::power`.

use anyhow::{Context as _, Result};

use crate::{programs, shell};

/// Runs the loop; true when nothing acknowledged was missing.
///
/// # Errors
/// When something cannot be built or run.
pub(crate) fn run(cuts: usize) -> Result<bool> {
    let folder = programs::build(false)?;
    let mut command = shell::program(folder.join("testbed"));
    command.arg("power").arg(folder.join("sen")).arg(cuts.to_string());
    if std::env::var_os("SEN_LOG").is_none() {
        command.env("SEN_LOG", "off");
    }
    Ok(command.status().context("the testbed cannot be run")?.success())
}
