//! One process a node: its folder is held while it runs, so that two never write one database and
//! one log. The machine lets go when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};

use anyhow::{Context as _, bail};

use super::nation::Place;
use super::prepare::Layout;

/// The file that is locked; its content means nothing.
const FILE: &str = "held";

/// Nodes' folders, held until dropped.
#[derive(Debug)]
pub(super) struct Hold(#[expect(dead_code, reason = "held, not read")] Vec<File>);

/// Takes hold of the folders of some nodes; of those that are not there yet there is nothing to hold.
///
/// # Errors
/// When another process holds one: the message says what to do.
pub(super) fn hold(layout: &Layout, places: &[Place]) -> anyhow::Result<Hold> {
    let mut held = Vec::new();
    for folder in places.iter().map(|p| layout.node(*p)).filter(|f| f.is_dir()) {
        let path = folder.join(FILE);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => held.push(file),
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use by another process: stop that one, or choose another folder with --data",
                folder.display()
            ),
            Err(TryLockError::Error(cause)) => {
                return Err(cause).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
    Ok(Hold(held))
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
