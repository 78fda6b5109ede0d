//! When a data folder was checked and backed up last: a small file each, for `sen doctor`. Never proof of
//! anything: whoever can write the folder can write them.

use std::fs;
use std::path::Path;

use kernel::Time;

/// `sen verify` went through the folder.
pub const VERIFIED: &str = "verified-at";
/// `sen backup` took it.
pub const BACKED_UP: &str = "backed-up-at";

/// Notes that it was done now. A folder that cannot be written keeps its old mark.
pub fn set(data: &Path, mark: &str, now: Time) {
    let text = format!("{}\n", now.ms());
    crate::up::prepare::write(&data.join(mark), text.as_bytes(), 0o600).ok();
}

/// When it was done last; `None` when it never was.
#[must_use]
pub fn get(data: &Path, mark: &str) -> Option<Time> {
    let text = fs::read_to_string(data.join(mark)).ok()?;
    text.trim().parse().ok().map(Time)
}
