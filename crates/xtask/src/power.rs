//! `cargo xtask power`: the disk as power cuts leave it, many times. The loop is `testbed::power`.

use anyhow::{Context as _, Result};

use crate::{openapi, shell};

/// Runs the loop; true when nothing acknowledged was missing.
///
/// # Errors
/// When something cannot be built or run.
pub(crate) fn run(cuts: usize) -> Result<bool> {
    shell::run(&mut shell::cargo(&["build", "--locked", "--workspace", "--bins"]))?;
    let folder = openapi::target()?.join("debug");
    let mut command = shell::program(folder.join("testbed"));
    command.arg("power").arg(folder.join("sen")).arg(cuts.to_string());
    if std::env::var_os("SEN_LOG").is_none() {
        command.env("SEN_LOG", "off");
    }
    Ok(command.status().context("the testbed cannot be run")?.success())
}
