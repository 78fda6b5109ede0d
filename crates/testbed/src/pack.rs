//! The pack of Vietnam with one file changed, for tests of what the sample nation cannot show. Never
//! changes the pack itself.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use kernel::World;
use sen::config::Config;

use crate::ground;

/// A pack like the sample nation's, but for one file.
///
/// # Errors
/// When the folder cannot be made, or the change changes nothing.
pub fn changed(file: &str, world: &World, change: impl Fn(&str) -> String) -> anyhow::Result<PathBuf> {
    let (folder, name) = file.split_once('/').context("a file in a folder of the pack")?;
    let pack = std::fs::canonicalize(Config::default().pack)?;
    let text = std::fs::read_to_string(pack.join(file))?;
    let new = change(&text);
    ensure!(new != text, "nothing was changed in {file}");
    let copy = ground::folder("pack", world)?;
    std::fs::create_dir(copy.join(folder))?;
    link(&pack, &copy, folder)?;
    link(&pack.join(folder), &copy.join(folder), name)?;
    std::fs::write(copy.join(file), new)?;
    Ok(copy)
}

/// Links everything of a folder but one entry.
fn link(from: &Path, to: &Path, but: &str) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != but {
            symlink(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
