//! A folder of files by hash. Never overwrites one, and never gives bytes that are not the hash's.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Digest, Kind, Problem};

use crate::error::disk;
use crate::{StoreError, fault};

/// Files by hash. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: Arc<PathBuf>,
    /// Numbers temporary files.
    next: Arc<AtomicU64>,
}

impl Blobs {
    /// Opens the folder and removes what half-finished writes left.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let bad = |e| StoreError::Folder(folder.to_owned(), e);
        let unfinished = folder.join("new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(bad)?;
        }
        fs::create_dir_all(&unfinished).map_err(bad)?;
        Ok(Self {
            folder: Arc::new(folder.to_owned()),
            next: Arc::default(),
        })
    }

    /// The folder of a node that may run, for reading beside it: nothing is made and nothing taken away.
    #[must_use]
    pub fn beside(folder: &Path) -> Self {
        Self {
            folder: Arc::new(folder.to_owned()),
            next: Arc::default(),
        }
    }

    /// The bytes of a hash in a node's folder of blobs, checked; none when they are not there or are not the
    /// hash's. For tools beside a node.
    #[must_use]
    pub fn look(folder: &Path, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = fs::read(Self::beside(folder).path(digest)).ok()?;
        (Digest::of(&bytes) == *digest).then_some(bytes)
    }

    /// Keeps some bytes and gives their hash; after it returns they are on the disk. Bytes that
    /// are there already are not written again.
    ///
    /// # Errors
    /// Full `no-room`, Unavailable `store-unavailable`.
    pub async fn put(&self, bytes: &[u8]) -> Result<Digest, Problem> {
        let (digest, bytes) = (Digest::of(bytes), bytes.to_vec());
        let path = self.path(&digest);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join("new").join(number.to_string());
        let folder = Arc::clone(&self.folder);
        blocking(move || {
            let told = |e: io::Error| disk(&e, &path);
            if path.try_exists().map_err(told)? {
                return Ok(digest);
            }
            keep(&folder, &unfinished, &path, &bytes).map_err(|e| {
                // What was written of it is of no use to anybody.
                drop(fs::remove_file(&unfinished));
                told(e)
            })?;
            Ok(digest)
        })
        .await
    }

    /// The bytes of a hash, checked.
    ///
    /// # Errors
    /// Not found; Internal `blob-damaged` when the bytes are not the hash's.
    pub async fn get(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        let (path, digest) = (self.path(digest), *digest);
        blocking(move || match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == digest => Ok(bytes),
            Ok(_) => Err(Problem::new(Kind::Internal, "blob-damaged").because(digest)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Problem::not_found()),
            Err(e) => Err(disk(&e, &path)),
        })
        .await
    }

    /// True when the bytes of a hash are here.
    ///
    /// # Errors
    /// Unavailable `store-unavailable`.
    pub async fn has(&self, digest: &Digest) -> Result<bool, Problem> {
        let path = self.path(digest);
        blocking(move || path.try_exists().map_err(|e| disk(&e, &path))).await
    }

    /// `ab/cdef…`: two digits make 256 folders of even size.
    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let (folder, name) = hex.split_at(2);
        self.folder.join(folder).join(name)
    }
}

fn keep(folder: &Path, unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    fault::write_all(&mut file, bytes, "blob-half")?;
    file.sync_all()?;
    let parent = path.parent().unwrap_or(folder);
    if !parent.exists() {
        fs::create_dir_all(parent)?;
        File::open(folder)?.sync_all()?;
    }
    fault::at("blob-before-rename");
    fs::rename(unfinished, path)?;
    fault::at("blob-after-rename");
    // The new name counts only when its folder is on the disk too.
    File::open(parent)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Problem::internal)?
}
