//! Small disks for tests: a tmpfs that is soon full, and an ext4 in a file whose last flush can be looked
//! at. Mounting needs the right to do so; who has it not is told, never passed over.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A mounted disk, gone when dropped.
#[derive(Debug)]
pub struct Mounted {
    /// Where it is.
    pub path: PathBuf,
}

impl Mounted {
    /// A disk in memory of some megabytes.
    ///
    /// # Errors
    /// When it cannot be mounted: the message says what is needed.
    pub fn memory(path: PathBuf, megabytes: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&path)?;
        let size = format!("size={megabytes}m,mode=700");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], &path)?;
        Ok(Self { path })
    }

    /// The ext4 of an image file; an unfinished journal is played back first, as after a power cut.
    ///
    /// # Errors
    /// As [`Mounted::memory`].
    pub fn image(image: &Path, path: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&path)?;
        let image = image.to_str().context("a path that is text")?;
        mount(&["-o", "loop", image], &path)?;
        Ok(Self { path })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that is being killed may still hold a file.
        let done = root(&["umount", "-l"]).arg(&self.path).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.path.display());
        }
    }
}

/// A new ext4 in a file of some megabytes.
///
/// # Errors
/// When it cannot be made.
pub fn image(path: &Path, megabytes: u64) -> anyhow::Result<()> {
    std::fs::File::create(path)?.set_len(megabytes << 20)?;
    let mut command = Command::new("/sbin/mkfs.ext4");
    let made = command.arg("-q").arg("-F").arg(path).output();
    let made = made.context("this test makes an ext4: it needs mkfs.ext4 (Debian: e2fsprogs)")?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

fn mount(arguments: &[&str], path: &Path) -> anyhow::Result<()> {
    let done = root(&["mount"]).args(arguments).arg(path).output()?;
    ensure!(
        done.status.success(),
        "this test mounts a small disk of its own: run it as root, or let sudo mount without a password (mount said: {})",
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(())
}

/// A command with the right to mount: as it is for root, through sudo for others.
fn root(words: &[&str]) -> Command {
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut all = if is_root { Vec::new() } else { vec!["sudo", "-n"] };
    all.extend(words);
    let mut command = Command::new(all[0]);
    command.args(&all[1..]);
    command
}
