//! A body that is too large for memory, on disk: encrypted in pieces under a key of its own that is
//! only ever in memory, in a file that has no name. So it is gone with who holds it, and with the
//! process. Never evidence: that keeps digests.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{Stream, stream};
use kernel::{Digest, Kind, Problem, World};

/// What is encrypted at once, in bytes.
const PIECE: usize = 256 * 1024;

/// Where a node's large bodies are while they pass.
#[derive(Clone, Debug)]
pub struct Spools {
    folder: Arc<PathBuf>,
    world: World,
}

/// A whole body on disk; gone when dropped.
pub struct Spool {
    file: File,
    key: LessSafeKey,
    len: u64,
    digest: Digest,
}

/// A body that is being written.
pub(crate) struct Writer {
    file: File,
    key: LessSafeKey,
    hash: Context,
    waiting: Vec<u8>,
    pieces: u32,
    len: u64,
}

impl Spools {
    /// Takes a folder of its own, and removes what an earlier process may have left in it.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: PathBuf, world: World) -> Result<Self, Problem> {
        let failed = |e: io::Error| Problem::internal(format!("{}: {e}", folder.display()));
        std::fs::create_dir_all(&folder).map_err(failed)?;
        for left in std::fs::read_dir(&folder).map_err(failed)? {
            match std::fs::remove_file(left.map_err(failed)?.path()) {
                // A process that is just ending has removed its own.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(failed)?,
            }
        }
        Ok(Self {
            folder: Arc::new(folder),
            world,
        })
    }

    /// Begins a body.
    ///
    /// # Errors
    /// Full `no-room`; internal when there can be no file.
    pub(crate) async fn begin(&self) -> Result<Writer, Problem> {
        let path = self.folder.join(self.world.id());
        let key = UnboundKey::new(&AES_256_GCM, &self.world.random::<32>()).map_err(Problem::internal)?;
        let made = move || {
            let mut options = File::options();
            let file = options.read(true).write(true).create_new(true).open(&path)?;
            // Without a name it is gone as soon as nobody holds it, also after a crash.
            std::fs::remove_file(&path)?;
            Ok(file)
        };
        Ok(Writer {
            file: on_disk(made).await?,
            key: LessSafeKey::new(key),
            hash: Context::new(&SHA256),
            waiting: Vec::new(),
            pieces: 0,
            len: 0,
        })
    }
}

/// Work that waits for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .map_err(Problem::internal)?;
    done.map_err(|e| match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::new(Kind::Full, "no-room").because(e)
        }
        _ => Problem::internal(e),
    })
}

/// One nonce a piece: a key is one body's, and no piece is written twice.
fn nonce(piece: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&piece.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

impl Writer {
    /// Bytes written so far.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Full `no-room`; internal when the disk fails.
    pub(crate) async fn write(mut self, mut bytes: &[u8]) -> Result<Self, Problem> {
        while !bytes.is_empty() {
            let room = PIECE - self.waiting.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.waiting.extend_from_slice(now);
            self.len += now.len() as u64;
            bytes = rest;
            if self.waiting.len() == PIECE {
                self = self.put().await?;
            }
        }
        Ok(self)
    }

    /// Encrypts what waits and writes it.
    async fn put(mut self) -> Result<Self, Problem> {
        on_disk(move || {
            self.hash.update(&self.waiting);
            let sealed =
                self.key
                    .seal_in_place_append_tag(nonce(self.pieces), Aad::empty(), &mut self.waiting);
            sealed.map_err(io::Error::other)?;
            self.file.write_all(&self.waiting)?;
            self.pieces = self.pieces.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
            self.waiting.clear();
            Ok(self)
        })
        .await
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) async fn finish(self) -> Result<Spool, Problem> {
        let whole = if self.waiting.is_empty() {
            self
        } else {
            self.put().await?
        };
        let mut digest = [0; 32];
        digest.copy_from_slice(whole.hash.finish().as_ref());
        Ok(Spool {
            file: whole.file,
            key: whole.key,
            len: whole.len,
            digest: Digest(digest),
        })
    }
}

impl Spool {
    /// Its size, in bytes; never 0.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// True when nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// SHA-256 of the whole.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The whole in its order, a piece at a time.
    pub(crate) fn pieces(self: Arc<Self>) -> impl Stream<Item = Result<Bytes, Problem>> + Send + 'static {
        stream::try_unfold((self, 0_u64), |(spool, at)| async move {
            if at >= spool.len {
                return Ok(None);
            }
            let piece = spool.piece(at).await?;
            let next = at + piece.len() as u64;
            Ok(Some((piece, (spool, next))))
        })
    }

    /// The piece that begins at an offset, which is where another one ends.
    ///
    /// # Errors
    /// Internal when it cannot be read or is not what was written.
    pub(crate) async fn piece(self: &Arc<Self>, at: u64) -> Result<Bytes, Problem> {
        let spool = Arc::clone(self);
        on_disk(move || {
            let number = at / PIECE as u64;
            let length = (spool.len - at.min(spool.len)).min(PIECE as u64);
            let number = u32::try_from(number).map_err(io::Error::other)?;
            let length = usize::try_from(length).map_err(io::Error::other)?;
            let mut bytes = vec![0; length + MAX_TAG_LEN];
            let place = u64::from(number) * (PIECE + MAX_TAG_LEN) as u64;
            spool.file.read_exact_at(&mut bytes, place)?;
            let opened = spool.key.open_in_place(nonce(number), Aad::empty(), &mut bytes);
            opened.map_err(|_| io::Error::other("a spooled body was changed on disk"))?;
            bytes.truncate(length);
            Ok(bytes.into())
        })
        .await
    }

    /// The whole in memory.
    ///
    /// # Errors
    /// `body-too-large` when it is larger than `bytes_max`.
    pub(crate) async fn whole(self: &Arc<Self>, bytes_max: usize) -> Result<Bytes, Problem> {
        let too_large = || Problem::new(Kind::TooLarge, "body-too-large").with("max", bytes_max);
        let length = usize::try_from(self.len).map_err(|_| too_large())?;
        if length > bytes_max {
            return Err(too_large());
        }
        let mut all = Vec::with_capacity(length);
        while all.len() < length {
            all.extend_from_slice(&self.piece(all.len() as u64).await?);
        }
        Ok(all.into())
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spool({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt as _;

    fn spools() -> (testkit::TempDir, Spools) {
        let dir = testkit::TempDir::new();
        let spools = Spools::open(dir.path().join("spool"), World::of_this_machine()).expect("a folder");
        (dir, spools)
    }

    async fn spooled(spools: &Spools, bytes: &[u8], at_once: usize) -> Arc<Spool> {
        let mut writer = spools.begin().await.expect("begun");
        for part in bytes.chunks(at_once) {
            writer = writer.write(part).await.expect("written");
        }
        Arc::new(writer.finish().await.expect("whole"))
    }

    #[tokio::test]
    async fn what_was_written_comes_back_in_its_order_with_its_size_and_digest() {
        let (_dir, spools) = spools();
        for length in [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let spool = spooled(&spools, &bytes, 100_003).await;
            assert_eq!((spool.len(), spool.digest()), (length as u64, Digest::of(&bytes)));
            let pieces: Vec<Bytes> = Arc::clone(&spool).pieces().try_collect().await.expect("read");
            assert_eq!(pieces.concat(), bytes);
            assert_eq!(spool.whole(length).await.expect("it fits"), bytes);
            let refused = spool.whole(length - 1).await.expect_err("it does not");
            assert_eq!(refused.code, "body-too-large");
        }
    }

    #[tokio::test]
    async fn nothing_of_a_body_is_readable_on_disk_or_found_by_a_name() {
        let (dir, spools) = spools();
        let spool = spooled(&spools, &vec![b'A'; 2 * PIECE], 4_096).await;
        let mut raw = vec![0; 2 * (PIECE + MAX_TAG_LEN)];
        spool.file.read_exact_at(&mut raw, 0).expect("bytes");
        assert!(!raw.windows(8).any(|bytes| bytes == b"AAAAAAAA"));
        let names = std::fs::read_dir(dir.path().join("spool")).expect("the folder");
        assert_eq!(names.count(), 0);
    }

    #[tokio::test]
    async fn a_body_that_was_changed_on_disk_is_not_read() {
        let (_dir, spools) = spools();
        let spool = spooled(&spools, &vec![7; 2 * PIECE], PIECE).await;
        let mut byte = [0];
        spool.file.read_exact_at(&mut byte, 70_000).expect("a byte");
        spool.file.write_all_at(&[byte[0] ^ 1], 70_000).expect("turned");
        assert!(spool.piece(0).await.is_err());
        assert!(spool.piece(PIECE as u64).await.is_ok());
    }

    #[test]
    fn what_an_earlier_process_left_is_removed_at_the_start() {
        let dir = testkit::TempDir::new();
        let folder = dir.path().join("spool");
        std::fs::create_dir_all(&folder).expect("made");
        std::fs::write(folder.join("left"), b"x").expect("written");
        Spools::open(folder.clone(), World::of_this_machine()).expect("opened");
        assert_eq!(std::fs::read_dir(folder).expect("the folder").count(), 0);
    }
}
