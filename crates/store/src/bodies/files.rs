//! Shelves in files: `bodies/2026-12-31/` with the wrapped key in `key` and segments by their first
//! position. Never edits what was written: a shelf goes as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use kernel::Problem;

use super::cipher::damaged;
use super::media::{Media, Segment};
use crate::error::disk;
use crate::fault;

/// The file of a shelf's wrapped key.
pub(super) const KEY: &str = "key";

/// The folder of the shelves.
#[derive(Clone, Debug)]
pub(crate) struct Files(Arc<PathBuf>);

/// A segment that is being written.
struct FileSegment {
    path: PathBuf,
    file: Arc<File>,
    length: u64,
    is_broken: bool,
}

impl Files {
    pub(crate) fn of(folder: &Path) -> Self {
        Self(Arc::new(folder.to_owned()))
    }

    fn shelf(&self, day: &str) -> PathBuf {
        self.0.join(day)
    }
}

/// A segment's file: its first position with twenty digits.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}.seg")
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a shelf's folder, its name on the disk.
fn made(root: &Path, shelf: &Path) -> io::Result<()> {
    if shelf.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(shelf)?;
    sync(root)?;
    root.parent().map_or(Ok(()), sync)
}

fn present<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The segments of a shelf by their first positions, in order.
fn firsts(shelf: &Path) -> io::Result<Vec<u64>> {
    let Some(entries) = present(fs::read_dir(shelf))? else {
        return Ok(Vec::new());
    };
    let mut firsts = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".seg"));
        firsts.extend(first.and_then(|digits| digits.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Bytes of a shelf from a position.
pub(super) fn read_at(shelf: &Path, at: u64, length: usize) -> Result<Vec<u8>, Problem> {
    let told = |e: io::Error| disk(&e, shelf);
    let firsts = firsts(shelf).map_err(told)?;
    let first = firsts.iter().rev().find(|first| **first <= at);
    let first = *first.ok_or_else(|| damaged().because("no segment"))?;
    let file = File::open(shelf.join(name(first))).map_err(told)?;
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, at - first) {
        Ok(()) => Ok(bytes),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(damaged().because(e)),
        Err(e) => Err(told(e)),
    }
}

/// The wrapped key of a shelf.
pub(super) fn key_of(shelf: &Path) -> Result<Option<Vec<u8>>, Problem> {
    let path = shelf.join(KEY);
    present(fs::read(&path)).map_err(|e| disk(&e, &path))
}

/// The shelves of a folder by their days, in order.
pub(super) fn days(folder: &Path) -> Result<Vec<String>, Problem> {
    let told = |e: io::Error| disk(&e, folder);
    let Some(entries) = present(fs::read_dir(folder)).map_err(told)? else {
        return Ok(Vec::new());
    };
    let mut days = Vec::new();
    for entry in entries {
        let name = entry.map_err(told)?.file_name().to_string_lossy().into_owned();
        days.extend(kernel::time::parse_iso(&name).map(|_| name));
    }
    days.sort_unstable();
    Ok(days)
}

/// Writes a key: all of it is on the disk under its name, or nothing.
fn write_key(shelf: &Path, wrapped: &[u8]) -> io::Result<()> {
    let unfinished = shelf.join("key.new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(wrapped)?;
    file.sync_all()?;
    fs::rename(&unfinished, shelf.join(KEY))?;
    sync(shelf)
}

/// The key goes first: what is left without it is noise, also where the disk keeps old blocks of a file.
fn destroy(root: &Path, shelf: &Path) -> io::Result<()> {
    let key = shelf.join(KEY);
    if let Some(file) = present(OpenOptions::new().write(true).open(&key))? {
        let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
        file.write_all_at(&vec![0; length], 0)?;
        file.sync_all()?;
        fs::remove_file(&key)?;
        sync(shelf)?;
    }
    present(fs::remove_dir_all(shelf))?;
    sync(root)
}

/// Work on the disk, off the threads that others need.
async fn on_disk<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(move || work(&path).map_err(|e| disk(&e, &path)));
    done.await.map_err(Problem::internal)?
}

#[async_trait]
impl Media for Files {
    async fn key(&self, day: &str) -> Result<Option<Vec<u8>>, Problem> {
        key_of(&self.shelf(day))
    }

    async fn keep_key(&self, day: &str, wrapped: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let root = Arc::clone(&self.0);
        on_disk(self.shelf(day), move |shelf| {
            made(&root, shelf)?;
            write_key(shelf, &wrapped)?;
            fs::read(shelf.join(KEY))
        })
        .await
    }

    async fn end(&self, day: &str) -> Result<u64, Problem> {
        on_disk(self.shelf(day), |shelf| match firsts(shelf)?.last() {
            Some(first) => Ok(first + fs::metadata(shelf.join(name(*first)))?.len()),
            None => Ok(0),
        })
        .await
    }

    async fn begin(&self, day: &str, first: u64) -> Result<Box<dyn Segment>, Problem> {
        let segment = on_disk(self.shelf(day), move |shelf| {
            let path = shelf.join(name(first));
            let mut options = OpenOptions::new();
            let file = options
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&path)?;
            // Its name is on the disk before the first body in it counts.
            sync(shelf)?;
            Ok(FileSegment {
                path,
                file: Arc::new(file),
                length: 0,
                is_broken: false,
            })
        });
        Ok(Box::new(segment.await?))
    }

    async fn read(&self, day: &str, at: u64, length: usize) -> Result<Vec<u8>, Problem> {
        let shelf = self.shelf(day);
        let read = tokio::task::spawn_blocking(move || read_at(&shelf, at, length));
        read.await.map_err(Problem::internal)?
    }

    async fn days(&self) -> Result<Vec<String>, Problem> {
        days(&self.0)
    }

    async fn destroy(&self, day: &str) -> Result<(), Problem> {
        let root = Arc::clone(&self.0);
        on_disk(self.shelf(day), move |shelf| destroy(&root, shelf)).await
    }
}

/// Writes parts one after the other, and flushes them when told.
fn write(file: &File, at: u64, parts: &[Vec<u8>], flush: bool) -> io::Result<u64> {
    let mut end = at;
    for part in parts {
        fault::write_all_at(file, part, end, "body-half")?;
        end += part.len() as u64;
    }
    if flush {
        file.sync_data()?;
        fault::at("body-flushed");
    }
    Ok(end)
}

#[async_trait]
impl Segment for FileSegment {
    async fn append(&mut self, parts: Vec<Vec<u8>>, flush: bool) -> Result<(), Problem> {
        let (file, length, path) = (Arc::clone(&self.file), self.length, self.path.clone());
        let work = move || {
            write(&file, length, &parts, flush).map_err(|e| {
                // Room is given back at once, and the next append begins where this one did.
                let is_broken = file.set_len(length).is_err();
                (disk(&e, &path), is_broken)
            })
        };
        match tokio::task::spawn_blocking(work)
            .await
            .map_err(Problem::internal)?
        {
            Ok(end) => {
                self.length = end;
                Ok(())
            }
            Err((problem, is_broken)) => {
                self.is_broken |= is_broken;
                Err(problem)
            }
        }
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }

    async fn undo(self: Box<Self>) {
        let path = self.path.clone();
        drop(self);
        // What cannot be removed goes with its shelf.
        drop(on_disk(path, |path| fs::remove_file(path)).await);
    }
}
