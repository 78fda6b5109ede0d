//! A folder of files by hash.

use kernel::{Digest, Problem};

/// Files by hash.
#[derive(Clone, Debug)]
pub struct Blobs {
    _p: (),
}

impl Blobs {
    /// Keeps some bytes.
    ///
    /// # Errors
    /// Full.
    pub async fn put(&self, bytes: &[u8]) -> Result<Digest, Problem> {
        let _ = bytes;
        unimplemented!()
    }
    /// The bytes of a hash.
    ///
    /// # Errors
    /// Not found, damaged.
    pub async fn get(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        let _ = digest;
        unimplemented!()
    }
    /// True when the bytes of a hash are here.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn has(&self, digest: &Digest) -> Result<bool, Problem> {
        let _ = digest;
        unimplemented!()
    }
}
