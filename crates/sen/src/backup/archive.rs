//! The files in a backup's stream, one after the other, and the manifest at its end. Never gives a file
//! whose digest is not the one written behind it, nor one that would lie outside its folder.
//!
//! A file: `F`, `u16 LE` length of the path, the path, `u32 LE` mode, `u64 LE` size, its bytes, their
//! SHA-256. The manifest: `M`, `u64 LE` length, JSON; it names every file again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest;
use kernel::{Digest, Time};
use serde::{Deserialize, Serialize};

/// The version of the form.
pub const VERSION: u32 = 1;
/// The longest manifest, in bytes.
const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form.
    pub v: u32,
    /// When it was begun.
    pub made: Time,
    /// The release that made it.
    pub release: String,
    /// Its nodes.
    pub nodes: Vec<NodeIn>,
    /// Its files, in order.
    pub files: Vec<FileIn>,
}

/// A node in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeIn {
    /// Its folder's name; empty when the data folder is the node's own.
    pub name: String,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// Facts sealed in the rows, count: the position at which rows and log were cut.
    pub sealed: u64,
    /// The schema's steps: crate and file.
    pub steps: Vec<(String, String)>,
    /// Its logs that are files.
    pub streams: Vec<StreamIn>,
}

/// A log in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamIn {
    /// Its name.
    pub stream: String,
    /// Records, count.
    pub records: u64,
    /// The Merkle root over them.
    pub root: Digest,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIn {
    /// Its path within the data folder, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// Writes one file of exactly `size` bytes.
///
/// # Errors
/// When it cannot be read or written, or has become shorter.
pub fn put(to: &mut impl Write, path: &str, mode: u32, from: impl Read, size: u64) -> anyhow::Result<FileIn> {
    let length = u16::try_from(path.len()).context("a path is too long")?;
    to.write_all(b"F")?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(path.as_bytes())?;
    to.write_all(&mode.to_le_bytes())?;
    to.write_all(&size.to_le_bytes())?;
    let (copied, sha256) = copy(from.take(size), to).with_context(|| format!("cannot copy {path}"))?;
    ensure!(copied == size, "{path} became shorter while it was read");
    to.write_all(&sha256.0)?;
    Ok(FileIn {
        path: path.to_owned(),
        size,
        sha256,
    })
}

/// Writes the manifest, which ends the stream.
///
/// # Errors
/// When it cannot be written.
pub fn close(to: &mut impl Write, manifest: &Manifest) -> anyhow::Result<()> {
    let bytes = serde_json::to_vec(manifest)?;
    to.write_all(b"M")?;
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    to.write_all(&bytes)?;
    Ok(())
}

/// Writes all files of a stream below a folder and gives the manifest, after comparing the two.
/// `each` hears of every file's size.
///
/// # Errors
/// At the first thing that is not as it was written.
pub fn unpack(from: &mut impl Read, folder: &Path, mut each: impl FnMut(u64)) -> anyhow::Result<Manifest> {
    let mut files = Vec::new();
    loop {
        match &number::<1>(from)? {
            b"F" => {
                let file = one(from, folder)?;
                each(file.size);
                files.push(file);
            }
            b"M" => break,
            _ => bail!("the backup is damaged: neither a file nor the manifest"),
        }
    }
    let length = u64::from_le_bytes(number(from)?);
    ensure!(length <= MANIFEST_BYTES_MAX, "the backup's manifest is too long");
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).context("the backup's manifest does not read")?;
    ensure!(
        manifest.v == VERSION,
        "the backup has version {}: this release reads version {VERSION}",
        manifest.v
    );
    ensure!(
        manifest.files == files,
        "the backup's files are not those of its manifest"
    );
    ensure!(
        from.read(&mut [0])? == 0,
        "the backup has something after its manifest"
    );
    Ok(manifest)
}

fn one(from: &mut impl Read, folder: &Path) -> anyhow::Result<FileIn> {
    let mut path = vec![0; usize::from(u16::from_le_bytes(number(from)?))];
    from.read_exact(&mut path)?;
    let path = String::from_utf8(path).context("a path is no text")?;
    let inside = Path::new(&path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    ensure!(
        inside && !path.is_empty(),
        "the path {path:?} leads out of the folder"
    );
    let (mode, size) = (
        u32::from_le_bytes(number(from)?),
        u64::from_le_bytes(number(from)?),
    );
    let target = folder.join(&path);
    if let Some(parent) = target.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(mode & 0o700)
        .open(&target)
        .with_context(|| format!("cannot write {}", target.display()))?;
    let (copied, sha256) = copy(from.take(size), &mut file)?;
    file.sync_all()?;
    ensure!(copied == size, "the backup ends inside {path}");
    ensure!(
        number::<32>(from)? == sha256.0,
        "{path} is not what was written into the backup"
    );
    Ok(FileIn { path, size, sha256 })
}

fn number<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn copy(mut from: impl Read, to: &mut impl Write) -> io::Result<(u64, Digest)> {
    let (mut context, mut bytes, mut copied) = (digest::Context::new(&digest::SHA256), vec![0; 1 << 18], 0);
    loop {
        let read = from.read(&mut bytes)?;
        if read == 0 {
            break;
        }
        context.update(&bytes[..read]);
        to.write_all(&bytes[..read])?;
        copied += read as u64;
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    Ok((copied, Digest(out)))
}

/// Opens a file for reading, with its mode.
pub(super) fn source(path: &Path) -> anyhow::Result<(File, fs::Metadata)> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let meta = file.metadata()?;
    Ok((file, meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        let name = format!("sen-archive-{}", kernel::World::of_this_machine().id());
        std::env::temp_dir().join(name)
    }

    fn manifest(files: Vec<FileIn>) -> Manifest {
        Manifest {
            v: VERSION,
            made: Time(1),
            release: String::new(),
            nodes: Vec::new(),
            files,
        }
    }

    #[test]
    fn files_come_back_as_they_were_and_for_their_owner_alone() {
        let mut stream = Vec::new();
        let file = put(&mut stream, "node/keys/node.key", 0o644, &b"secret"[..], 6).expect("put");
        close(&mut stream, &manifest(vec![file])).expect("closed");
        let at = folder();
        let read = unpack(&mut stream.as_slice(), &at, |_| ()).expect("unpacked");
        let key = at.join("node/keys/node.key");
        assert_eq!(fs::read(&key).expect("there"), b"secret");
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&key).expect("there").permissions().mode() & 0o077, 0);
        assert_eq!(read.files.len(), 1);
        fs::remove_dir_all(at).expect("gone");
    }

    #[test]
    fn a_path_out_of_the_folder_and_a_manifest_of_other_files_are_refused() {
        for path in ["../evil", "/etc/evil", "a/../../evil", ""] {
            let mut stream = Vec::new();
            let file = put(&mut stream, path, 0o600, &b"x"[..], 1).expect("put");
            close(&mut stream, &manifest(vec![file])).expect("closed");
            let at = folder();
            let refused = unpack(&mut stream.as_slice(), &at, |_| ()).expect_err("refused");
            assert!(refused.to_string().contains("leads out"), "{path}: {refused}");
        }
        let mut stream = Vec::new();
        put(&mut stream, "a", 0o600, &b"x"[..], 1).expect("put");
        close(&mut stream, &manifest(Vec::new())).expect("closed");
        let at = folder();
        let refused = unpack(&mut stream.as_slice(), &at, |_| ()).expect_err("refused");
        assert!(refused.to_string().contains("manifest"), "{refused}");
        fs::remove_dir_all(at).expect("gone");
    }
}
