//! Bodies kept until the end of a day, encrypted: one shelf a day, whose key is destroyed with it, so that
//! nothing of them can be read afterwards, in no copy of the files alone. Appends that wait together share
//! one flush. Never says what a body is, and never keeps one longer.
//!
//! | module | holds |
//! |---|---|
//! | `cipher` | the form of a body and its keys |
//! | `media` | what a place for shelves can do; `files`, `rows`: the two there are |
//! | `shelf` | what waits for one flush |
//! | `export` | shelves in rows as the files they would be |
//!
//! A shelf's key is wrapped with the node's secret. Every start begins a new segment, so that a write cut
//! short by a crash stands in nobody's way: what nobody refers to goes with its shelf.

mod cipher;
mod export;
mod files;
mod media;
mod rows;
mod shelf;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use kernel::limits::Limits;
use kernel::time::{iso, parse_iso};
use kernel::{Date, Kind, Problem, World};
use tokio::sync::Mutex;

use self::cipher::{BodyKey, HEAD, ShelfKey, Wrap};
use self::media::Media;
use self::shelf::Shelf;
use crate::check::Open;
use crate::engine::Db;
use crate::secret::Secret;
use crate::{Database, Engine, StoreError};

pub use self::export::export;

/// The folder of the shelves within a node's.
pub const FOLDER: &str = "bodies";

/// Kept bodies of a node. Cheap to clone.
#[derive(Clone)]
pub struct Bodies(Arc<Inner>);

struct Inner {
    media: Arc<dyn Media>,
    wrap: Wrap,
    world: Option<World>,
    segment_bytes_max: u64,
    open: Mutex<HashMap<String, Arc<Shelf>>>,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bodies({:?})", self.0.media)
    }
}

/// A kept body, found.
pub struct Body {
    media: Arc<dyn Media>,
    key: BodyKey,
    day: String,
    at: u64,
}

impl Bodies {
    pub(crate) fn open(folder: &Path, secret: &Secret, db: Arc<Db>, world: &World, limits: &Limits) -> Self {
        let media: Arc<dyn Media> = match db.engine() {
            Engine::Sqlite => Arc::new(files::Files::of(&folder.join(FOLDER))),
            Engine::Postgres => Arc::new(rows::Rows::of(db, world.clone())),
        };
        Self(Arc::new(Inner {
            media,
            wrap: Wrap::of(&secret.of_bodies()),
            world: Some(world.clone()),
            segment_bytes_max: limits.segment_bytes_max,
            open: Mutex::default(),
        }))
    }

    /// The bodies of a node that may run, for reading beside it: nothing is made and nothing taken away.
    ///
    /// # Errors
    /// When the node's secret cannot be read, or a server cannot be reached.
    pub async fn beside(database: &Database, folder: &Path) -> Result<Self, StoreError> {
        let secret = Secret::beside(folder)?;
        let media: Arc<dyn Media> = match database {
            Database::Sqlite(_) => Arc::new(files::Files::of(&folder.join(FOLDER))),
            Database::Postgres { .. } => Arc::new(rows::Rows::beside(Open::of(database).await?.reader())),
        };
        Ok(Self(Arc::new(Inner {
            media,
            wrap: Wrap::of(&secret.of_bodies()),
            world: None,
            segment_bytes_max: 0,
            open: Mutex::default(),
        })))
    }

    /// Keeps bodies until the end of a day and gives their positions on that day's shelf, after one flush
    /// that many callers share. An empty body is not kept.
    ///
    /// # Errors
    /// Full `no-room`, Unavailable `store-unavailable`.
    pub async fn append(&self, until: Date, bodies: &[&[u8]]) -> Result<Vec<u64>, Problem> {
        let (shelf, world) = (self.shelf(until).await?, self.world()?);
        let (mut parts, mut offsets, mut bytes) = (Vec::new(), Vec::new(), 0);
        for body in bodies {
            if body.is_empty() {
                return Err(Problem::internal("an empty body is not kept"));
            }
            let closed = shelf.close(body, &world.random())?;
            offsets.push(bytes);
            bytes += closed.len() as u64;
            parts.push(closed);
        }
        let first = shelf.append(parts, bytes).await?;
        Ok(offsets.into_iter().map(|offset| first + offset).collect())
    }

    /// Keeps a body of any size, which comes in parts; memory stays flat. It is flushed when this returns.
    ///
    /// # Errors
    /// Full `no-room`, Unavailable `store-unavailable`; what the parts fail with, or another size.
    pub async fn append_large(
        &self,
        until: Date,
        size: u64,
        parts: impl Stream<Item = Result<Bytes, Problem>> + Send,
    ) -> Result<u64, Problem> {
        let (shelf, salt) = (self.shelf(until).await?, self.world()?.random());
        shelf.append_large(size, &salt, parts.boxed()).await
    }

    /// A kept body by the last day that it is there and its position.
    ///
    /// # Errors
    /// Not found `body-destroyed` when its shelf was destroyed; Internal `body-damaged`.
    pub async fn find(&self, until: Date, at: u64) -> Result<Body, Problem> {
        let (day, media) = (iso(until), Arc::clone(&self.0.media));
        let wrapped = media.key(&day).await?;
        let wrapped = wrapped.ok_or_else(|| Problem::new(Kind::NotFound, "body-destroyed"))?;
        let key = self.unwrap(&day, &wrapped)?;
        let head = media.read(&day, at, HEAD).await?;
        let head: [u8; HEAD] = head.try_into().map_err(|_| cipher::damaged())?;
        Ok(Body {
            key: key.read(head)?,
            media,
            day,
            at,
        })
    }

    /// The days whose shelves are there, in order.
    ///
    /// # Errors
    /// Unavailable `store-unavailable`.
    pub async fn days(&self) -> Result<Vec<Date>, Problem> {
        let days = self.0.media.days().await?;
        Ok(days.iter().filter_map(|day| parse_iso(day)).collect())
    }

    /// Destroys the shelf of a day: its key first. What nobody has referred to on it goes with it.
    ///
    /// # Errors
    /// Unavailable `store-unavailable`; the rest is taken away the next time.
    pub async fn destroy(&self, day: Date) -> Result<(), Problem> {
        self.world()?;
        let day = iso(day);
        self.0.open.lock().await.remove(&day);
        self.0.media.destroy(&day).await
    }

    fn world(&self) -> Result<&World, Problem> {
        let world = self.0.world.as_ref();
        world.ok_or_else(|| Problem::internal("bodies are only read beside a node"))
    }

    fn unwrap(&self, day: &str, wrapped: &[u8]) -> Result<ShelfKey, Problem> {
        let key = self.0.wrap.open(day, wrapped);
        let key = key.ok_or_else(|| cipher::damaged().because(format_args!("the key of {day}")))?;
        Ok(ShelfKey::of(&key))
    }

    async fn shelf(&self, until: Date) -> Result<Arc<Shelf>, Problem> {
        let day = iso(until);
        let mut open = self.0.open.lock().await;
        if let Some(shelf) = open.get(&day) {
            return Ok(Arc::clone(shelf));
        }
        let (media, world) = (Arc::clone(&self.0.media), self.world()?);
        let wrapped = match media.key(&day).await? {
            Some(wrapped) => wrapped,
            None => {
                let wrapped = self.0.wrap.close(&day, &world.random(), world.random());
                media.keep_key(&day, wrapped).await?
            }
        };
        let (key, end) = (self.unwrap(&day, &wrapped)?, media.end(&day).await?);
        let shelf = Shelf::open(media, day.clone(), key, end, self.0.segment_bytes_max);
        let shelf = Arc::new(shelf);
        open.insert(day, Arc::clone(&shelf));
        Ok(shelf)
    }
}

impl Body {
    /// Its size, in bytes; never 0.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.key.size()
    }

    async fn piece(&self, number: u64) -> Result<Bytes, Problem> {
        let (at, length) = self.key.place(number);
        let mut piece = self.media.read(&self.day, self.at + at, length).await?;
        self.key.open(number, &mut piece)?;
        Ok(piece.into())
    }

    /// The whole in its order, a piece at a time.
    pub fn pieces(self) -> impl Stream<Item = Result<Bytes, Problem>> + Send + 'static {
        stream::try_unfold((self, 0), |(body, number)| async move {
            if number == body.key.pieces() {
                return Ok(None);
            }
            let piece = body.piece(number).await?;
            Ok(Some((piece, (body, number + 1))))
        })
    }

    /// The whole in memory.
    ///
    /// # Errors
    /// Too large `body-too-large` when it is larger than `bytes_max`; `body-damaged`.
    pub async fn whole(&self, bytes_max: usize) -> Result<Vec<u8>, Problem> {
        if self.size() > bytes_max as u64 {
            return Err(Problem::new(Kind::TooLarge, "body-too-large").with("max", bytes_max));
        }
        let mut all = Vec::with_capacity(usize::try_from(self.size()).unwrap_or_default());
        for number in 0..self.key.pieces() {
            all.extend_from_slice(&self.piece(number).await?);
        }
        Ok(all)
    }
}

/// A kept body in files beside a node, for who checks a folder without a database: `each` sees it in order.
///
/// # Errors
/// As [`Bodies::find`].
pub fn look(folder: &Path, until: Date, at: u64, mut each: impl FnMut(&[u8])) -> Result<(), Problem> {
    let (day, shelves) = (iso(until), folder.join(FOLDER));
    let shelf = shelves.join(&day);
    let wrapped = files::key_of(&shelf)?;
    let wrapped = wrapped.ok_or_else(|| Problem::new(Kind::NotFound, "body-destroyed"))?;
    let secret = Secret::beside(folder).map_err(Problem::from)?;
    let key = Wrap::of(&secret.of_bodies()).open(&day, &wrapped);
    let key = ShelfKey::of(&key.ok_or_else(cipher::damaged)?);
    let head = files::read_at(&shelf, at, HEAD)?;
    let body = key.read(head.try_into().map_err(|_| cipher::damaged())?)?;
    for number in 0..body.pieces() {
        let (offset, length) = body.place(number);
        let mut piece = files::read_at(&shelf, at + offset, length)?;
        body.open(number, &mut piece)?;
        each(&piece);
    }
    Ok(())
}

/// The days whose shelves are in a node's folder, in order; none where they are a server's rows.
///
/// # Errors
/// Unavailable `store-unavailable`.
pub fn days_in(folder: &Path) -> Result<Vec<Date>, Problem> {
    let days = files::days(&folder.join(FOLDER))?;
    Ok(days.iter().filter_map(|day| parse_iso(day)).collect())
}
