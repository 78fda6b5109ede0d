//! Large bodies on their way through this gateway: brought by other nodes ahead of a message, or kept
//! for them to fetch. Each is on disk, bounded in number, and dropped when nobody comes for it. Never
//! looks into a body.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use kernel::{Kind, Problem};

use crate::envelope::{Beside, Piece};
use crate::spool::{Spool, Spools, Writer};

/// Large bodies of one node under way at once, count.
const BODIES_MAX: usize = 16;

/// What is under way.
#[derive(Debug)]
pub(crate) struct Passing {
    pub(crate) spools: Spools,
    /// How long one may lie untouched.
    patience: Duration,
    held: Mutex<HashMap<Name, Held>>,
}

/// The node and its name for the body.
type Name = (String, String);

struct Held {
    what: What,
    /// How often it was touched.
    touched: u64,
}

enum What {
    /// It is being brought; without a writer while one piece is being written.
    Coming(Option<Writer>, u64),
    /// It is there.
    Whole(Arc<Spool>),
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({} touches)", self.touched)
    }
}

impl Passing {
    pub(crate) fn new(spools: Spools, patience_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            spools,
            patience: Duration::from_millis(patience_ms),
            held: Mutex::default(),
        })
    }

    /// Takes a piece that a node brings, in order.
    ///
    /// # Errors
    /// `too-many` bodies at once, `body-too-large`, `envelope-bad` out of order, `no-room`.
    pub(crate) async fn put(
        self: &Arc<Self>,
        node: &str,
        piece: Piece,
        bytes_max: u64,
    ) -> Result<(), Problem> {
        let bytes = piece.bytes.unwrap_or_else(|| Vec::new().into());
        let bad = || Problem::new(Kind::Malformed, "envelope-bad");
        let end = piece.offset.checked_add(bytes.len() as u64).ok_or_else(bad)?;
        if end > bytes_max {
            return Err(Problem::new(Kind::TooLarge, "body-too-large").with("max", bytes_max));
        }
        let name = (node.to_owned(), piece.id);
        let writer = if piece.offset == 0 {
            self.begin(&name)?;
            self.spools.begin().await?
        } else {
            let mut held = self.locked();
            match held.get_mut(&name) {
                Some(Held {
                    what: What::Coming(writer, at),
                    touched,
                }) if *at == piece.offset => {
                    *touched += 1;
                    writer.take().ok_or_else(bad)?
                }
                _ => return Err(bad()),
            }
        };
        let written = async { writer.write(&bytes).await };
        let what = match written.await {
            Ok(writer) if piece.last => match writer.finish().await {
                Ok(spool) => What::Whole(Arc::new(spool)),
                Err(problem) => return Err(self.dropped(&name, problem)),
            },
            Ok(writer) => What::Coming(Some(writer), end),
            Err(problem) => return Err(self.dropped(&name, problem)),
        };
        // It may have been given up while it was written.
        match self.locked().get_mut(&name) {
            Some(held) => held.what = what,
            None => return Err(bad()),
        }
        Ok(())
    }

    /// The body that a node brought for a message; once.
    ///
    /// # Errors
    /// `envelope-bad` when it is not there as the message says.
    pub(crate) fn take(&self, node: &str, beside: &Beside) -> Result<Arc<Spool>, Problem> {
        let held = self.locked().remove(&(node.to_owned(), beside.id.clone()));
        match held.map(|held| held.what) {
            Some(What::Whole(spool)) if spool.len() == beside.size => Ok(spool),
            _ => Err(Problem::new(Kind::Malformed, "envelope-bad").because("its body is not there")),
        }
    }

    /// Keeps a body for a node to fetch.
    ///
    /// # Errors
    /// `too-many` bodies at once.
    pub(crate) fn offer(
        self: &Arc<Self>,
        node: &str,
        id: String,
        spool: Arc<Spool>,
    ) -> Result<Beside, Problem> {
        let name = (node.to_owned(), id);
        self.begin(&name)?;
        let beside = Beside {
            id: name.1.clone(),
            size: spool.len(),
        };
        if let Some(held) = self.locked().get_mut(&name) {
            held.what = What::Whole(spool);
        }
        Ok(beside)
    }

    /// The piece of a kept body from an offset on; the last one is given once.
    ///
    /// # Errors
    /// `envelope-bad` when there is none.
    pub(crate) async fn get(&self, node: &str, piece: &Piece) -> Result<Bytes, Problem> {
        let bad = || Problem::new(Kind::Malformed, "envelope-bad");
        let name = (node.to_owned(), piece.id.clone());
        let spool = match self.locked().get_mut(&name) {
            Some(Held {
                what: What::Whole(spool),
                touched,
            }) if piece.offset < spool.len() => {
                *touched += 1;
                Arc::clone(spool)
            }
            _ => return Err(bad()),
        };
        let bytes = spool.piece(piece.offset).await?;
        if piece.offset + bytes.len() as u64 == spool.len() {
            self.locked().remove(&name);
        }
        Ok(bytes)
    }

    /// A place for a body of a node, until nobody has touched it for a while.
    fn begin(self: &Arc<Self>, name: &Name) -> Result<(), Problem> {
        let mut all = self.locked();
        if all.keys().filter(|(node, _)| *node == name.0).count() >= BODIES_MAX {
            return Err(Problem::new(Kind::TooMany, "too-many"));
        }
        if all.contains_key(name) {
            return Err(Problem::new(Kind::Malformed, "envelope-bad"));
        }
        let coming = Held {
            what: What::Coming(None, 0),
            touched: 0,
        };
        all.insert(name.clone(), coming);
        drop(all);
        let (passing, name) = (Arc::downgrade(self), name.clone());
        let patience = self.patience;
        tokio::spawn(async move {
            let mut seen = 0;
            loop {
                tokio::time::sleep(patience).await;
                let Some(passing) = passing.upgrade() else { return };
                let mut all = passing.locked();
                match all.get(&name) {
                    Some(held) if held.touched != seen => seen = held.touched,
                    _ => {
                        all.remove(&name);
                        return;
                    }
                }
            }
        });
        Ok(())
    }

    fn dropped(&self, name: &Name, problem: Problem) -> Problem {
        self.locked().remove(name);
        problem
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Name, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bodies under way, count.
    #[cfg(test)]
    fn count(&self) -> usize {
        self.locked().len()
    }
}

/// A body that was read.
#[derive(Debug)]
pub(crate) enum Taken {
    /// In memory.
    Whole(Bytes),
    /// On disk.
    Large(Arc<Spool>),
}

/// Reads a body to its end: into memory up to `memory_max`, to disk beyond. `each` sees all of it.
///
/// # Errors
/// `body-too-large` beyond `bytes_max`, `malformed` when it breaks off, `no-room`.
pub(crate) async fn read(
    body: Body,
    bytes_max: usize,
    memory_max: usize,
    spools: &Spools,
    mut each: impl FnMut(&[u8]),
) -> Result<Taken, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, "body-too-large").with("max", bytes_max);
    let size = body.size_hint();
    if size.lower() > bytes_max as u64 {
        return Err(too_large());
    }
    if size.upper().is_some_and(|upper| upper <= memory_max as u64) {
        let whole = web::body::read(body, bytes_max).await?;
        each(&whole);
        return Ok(Taken::Whole(whole));
    }
    let mut stream = body.into_data_stream();
    let (mut held, mut writer, mut length) = (Vec::new(), None::<Writer>, 0_usize);
    let broken = |e| Problem::new(Kind::Malformed, "malformed").because(e);
    while let Some(part) = stream.try_next().await.map_err(broken)? {
        each(&part);
        length += part.len();
        if length > bytes_max {
            return Err(too_large());
        }
        writer = match writer {
            Some(writer) => Some(writer.write(&part).await?),
            None if length <= memory_max => {
                held.extend_from_slice(&part);
                None
            }
            None => {
                let begun = spools.begin().await?.write(&std::mem::take(&mut held)).await?;
                Some(begun.write(&part).await?)
            }
        };
    }
    Ok(match writer {
        Some(writer) => Taken::Large(Arc::new(writer.finish().await?)),
        None => Taken::Whole(held.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing(patience_ms: u64) -> (testkit::TempDir, Arc<Passing>) {
        let dir = testkit::TempDir::new();
        let world = kernel::World::of_this_machine();
        let spools = Spools::open(dir.path().join("spool"), world).expect("a folder");
        (dir, Passing::new(spools, patience_ms))
    }

    fn piece(id: &str, offset: u64, bytes: &[u8], last: bool) -> Piece {
        Piece {
            version: 1,
            id: id.to_owned(),
            offset,
            bytes: Some(bytes.to_vec().into()),
            last,
        }
    }

    fn beside(id: &str, size: u64) -> Beside {
        Beside {
            id: id.to_owned(),
            size,
        }
    }

    #[tokio::test]
    async fn a_body_is_brought_in_order_and_taken_once_by_the_node_that_brought_it() {
        let (_dir, passing) = passing(60_000);
        passing
            .put("a", piece("1", 0, b"abc", false), 10)
            .await
            .expect("first");
        for wrong in [
            piece("1", 4, b"x", true),
            piece("1", 0, b"x", true),
            piece("2", 3, b"x", true),
        ] {
            assert!(passing.put("a", wrong, 10).await.is_err());
        }
        assert!(passing.put("b", piece("1", 3, b"x", true), 10).await.is_err());
        passing
            .put("a", piece("1", 3, b"de", true), 10)
            .await
            .expect("last");
        assert!(passing.take("b", &beside("1", 5)).is_err(), "another node's");
        let spool = passing.take("a", &beside("1", 5)).expect("there");
        assert_eq!(spool.whole(10).await.expect("read"), &b"abcde"[..]);
        assert!(passing.take("a", &beside("1", 5)).is_err(), "once");
        let large = passing.put("a", piece("3", 0, &[0; 11], true), 10).await;
        assert_eq!(large.expect_err("refused").code, "body-too-large");
        assert_eq!(passing.count(), 0);
    }

    #[tokio::test]
    async fn a_node_has_so_many_bodies_under_way_and_no_more() {
        let (_dir, passing) = passing(60_000);
        for id in 0..BODIES_MAX {
            passing
                .put("a", piece(&id.to_string(), 0, b"x", false), 10)
                .await
                .expect("a place");
        }
        let refused = passing.put("a", piece("more", 0, b"x", false), 10).await;
        assert_eq!(refused.expect_err("refused").code, "too-many");
        passing
            .put("b", piece("1", 0, b"x", false), 10)
            .await
            .expect("another node's");
    }

    #[tokio::test]
    async fn a_kept_body_is_fetched_piece_by_piece_and_gone_with_the_last() {
        let (_dir, passing) = passing(60_000);
        let bytes: Vec<u8> = (0..600_000_u32).map(|at| (at % 251) as u8).collect();
        let written = passing.spools.begin().await.expect("begun").write(&bytes).await;
        let spool = Arc::new(written.expect("written").finish().await.expect("whole"));
        let kept = passing.offer("a", "1".to_owned(), spool).expect("kept");
        assert_eq!(kept, beside("1", 600_000));
        let mut got = Vec::new();
        while got.len() < bytes.len() {
            let asked = piece("1", got.len() as u64, b"", false);
            got.extend_from_slice(&passing.get("a", &asked).await.expect("a piece"));
        }
        assert!(got == bytes && passing.count() == 0);
        assert!(passing.get("a", &piece("1", 0, b"", false)).await.is_err());
    }

    #[tokio::test]
    async fn what_nobody_comes_for_is_dropped() {
        let (_dir, passing) = passing(50);
        passing
            .put("a", piece("1", 0, b"x", false), 10)
            .await
            .expect("begun");
        let gone = async {
            while passing.count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone)
            .await
            .expect("dropped");
    }

    #[tokio::test]
    async fn a_small_body_stays_in_memory_and_a_large_one_goes_to_disk_whatever_its_length_says() {
        let (_dir, passing) = passing(60_000);
        let known = |n: usize| Body::from(vec![7; n]);
        let unknown = |n: usize| {
            let parts = vec![
                Ok::<_, std::io::Error>(Bytes::from(vec![7; n / 2])),
                Ok(vec![7; n - n / 2].into()),
            ];
            Body::from_stream(futures_util::stream::iter(parts))
        };
        for (length, large) in [(0, false), (100, false), (101, true), (1_000, true)] {
            for body in [known(length), unknown(length)] {
                let mut seen = 0;
                let taken = read(body, 1_000, 100, &passing.spools, |part| seen += part.len()).await;
                let (size, on_disk) = match taken.expect("read") {
                    Taken::Whole(bytes) => (bytes.len() as u64, false),
                    Taken::Large(spool) => (spool.len(), true),
                };
                assert_eq!((size, on_disk, seen), (length as u64, large, length));
            }
        }
        for body in [known(1_001), unknown(1_001)] {
            let refused = read(body, 1_000, 100, &passing.spools, |_| ()).await;
            assert_eq!(refused.expect_err("refused").code, "body-too-large");
        }
    }
}
