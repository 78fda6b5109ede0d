//! Where shelves of bodies lie: files where the rows are embedded, rows where they are a server's. Never
//! a key in the clear, and never looks into a body.

use std::fmt::Debug;

use async_trait::async_trait;
use kernel::Problem;

/// Where shelves are. A shelf is all that is kept until the end of one day; positions are bytes within it.
#[async_trait]
pub(crate) trait Media: Send + Sync + Debug {
    /// The wrapped key of a shelf.
    async fn key(&self, day: &str) -> Result<Option<Vec<u8>>, Problem>;

    /// Keeps a wrapped key where there is none, and gives the one that counts; it is on the disk then.
    async fn keep_key(&self, day: &str, wrapped: Vec<u8>) -> Result<Vec<u8>, Problem>;

    /// The position behind all that was ever written on a shelf.
    async fn end(&self, day: &str) -> Result<u64, Problem>;

    /// Begins a segment at a position.
    async fn begin(&self, day: &str, first: u64) -> Result<Box<dyn Segment>, Problem>;

    /// Bytes from a position; `body-damaged` when they are not there.
    async fn read(&self, day: &str, at: u64, length: usize) -> Result<Vec<u8>, Problem>;

    /// The shelves there are, also those without a key.
    async fn days(&self) -> Result<Vec<String>, Problem>;

    /// Destroys a shelf: first its key, then all the rest.
    async fn destroy(&self, day: &str) -> Result<(), Problem>;
}

/// Where bytes are appended.
#[async_trait]
pub(crate) trait Segment: Send {
    /// Appends bytes; on the disk when it returns, if `flush`. After an error nothing of them counts.
    async fn append(&mut self, parts: Vec<Vec<u8>>, flush: bool) -> Result<(), Problem>;

    /// True when a failed append could not be undone: nothing more can be appended.
    fn is_broken(&self) -> bool;

    /// Takes the whole segment away again.
    async fn undo(self: Box<Self>);
}
