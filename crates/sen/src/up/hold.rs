//! One process a node: its folder is held while it runs, so that two never write one database and
//! one log. The machine lets go when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use anyhow::{Context as _, bail};

use super::nation::Place;
use super::prepare::Layout;

/// The file that is locked; its content means nothing.
const FILE: &str = "held";

/// Nodes' folders, held until dropped.
#[derive(Debug)]
pub(crate) struct Hold(Vec<File>);

/// Takes hold of the folders of some nodes; of those that are not there yet there is nothing to hold.
///
/// # Errors
/// When another process holds one: the message says what to do.
pub(super) fn hold(layout: &Layout, places: &[Place]) -> anyhow::Result<Hold> {
    let mut held = Vec::new();
    let remedy = "stop that one, or choose another folder with --data";
    for path in places.iter().map(|p| layout.node(*p)).filter(|f| f.is_dir()) {
        held.extend(folder(&path, remedy)?.0);
    }
    Ok(Hold(held))
}

/// Whether a process holds a node's folder: it runs.
#[must_use]
pub fn is_held(node: &Path) -> bool {
    folder(node, "").is_err()
}

/// Takes hold of one folder.
///
/// # Errors
/// When another process holds it: `remedy` says what to do.
pub(crate) fn folder(folder: &Path, remedy: &str) -> anyhow::Result<Hold> {
    let path = folder.join(FILE);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Hold(vec![file])),
        Err(TryLockError::WouldBlock) => {
            bail!("{} is in use by another process: {remedy}", folder.display())
        }
        Err(TryLockError::Error(cause)) => {
            Err(cause).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_and_let_go() {
        let data = std::env::temp_dir().join(format!("sen-hold-{}", kernel::World::of_this_machine().id()));
        let layout = Layout::of(&data);
        let all = [Place::National, Place::Province];
        hold(&layout, &all).expect("nothing is there yet");
        std::fs::create_dir_all(layout.node(Place::Province)).expect("a folder");
        let first = hold(&layout, &all).expect("nobody holds it");
        let refused = hold(&layout, &all).expect_err("it is held").to_string();
        assert!(
            refused.contains("in use") && refused.contains("--data"),
            "{refused}"
        );
        drop(first);
        hold(&layout, &all).expect("it was let go");
        std::fs::remove_dir_all(&data).expect("the folder goes");
    }
}
