//! The file by which whoever takes records off a log and whoever reads the files beside it wait for one
//! another. Never a part of the log: a folder without it is as good.

use std::fs::{File, OpenOptions};
use std::path::Path;

use kernel::Problem;

use crate::error::disk;

/// The file's name in a log's folder; its content means nothing.
pub(crate) const FILE: &str = "leaving.lock";

/// While this lives nobody takes records off; nothing where nobody ever has, or the file may not be opened.
pub(crate) fn shared(dir: &Path) -> Option<File> {
    let file = File::open(dir.join(FILE)).ok()?;
    file.lock_shared().ok()?;
    Some(file)
}

/// While this lives nobody reads the files beside the log, and nobody else takes records off.
pub(crate) fn alone(dir: &Path) -> Result<File, Problem> {
    let path = dir.join(FILE);
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = opened.map_err(|e| disk(&e, &path))?;
    file.lock().map_err(|e| disk(&e, &path))?;
    Ok(file)
}
