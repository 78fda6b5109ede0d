//! `cargo xtask sync`: a province tells the portal many changes over a line that fails as lines do, then
//! both are compared. The test itself is `crates/cases/src/sync/faults.rs`.

use anyhow::Result;

use crate::shell;

/// Makes so many changes; true when both sides said the same in the end.
///
/// # Errors
/// When the test cannot be built or run.
pub(crate) fn run(events: u64, release: bool) -> Result<bool> {
    let mut command = shell::cargo(&["test", "--package", "cases", "--lib"]);
    if release {
        command.arg("--release");
    }
    command
        .args(["sync::faults", "--", "--nocapture"])
        .env("SEN_SYNC_EVENTS", events.to_string());
    Ok(command.status()?.success())
}
