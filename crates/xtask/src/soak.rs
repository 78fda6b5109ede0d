//! `cargo xtask soak`: a long mixed life of a node's figures, then every number against a rebuild
//! from the first fact. The life itself is `indicators/tests/soak.rs`.

use anyhow::Result;

use crate::shell;

/// Lives through so many actions; true when every number came out the same.
///
/// # Errors
/// When the test cannot be built or run.
pub(crate) fn run(actions: u64, release: bool) -> Result<bool> {
    let mut command = shell::cargo(&["test", "--package", "indicators", "--test", "soak"]);
    if release {
        command.arg("--release");
    }
    command
        .args(["--", "--nocapture"])
        .env("SEN_SOAK_ACTIONS", actions.to_string());
    Ok(command.status()?.success())
}
