//! How far a reader of a log has come.

use kernel::Problem;

use crate::Tx;

impl Tx {
    /// The first position the follower has not read.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn position(&self, name: &str) -> Result<u64, Problem> {
        let _ = name;
        unimplemented!()
    }
    /// Moves the follower.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn set_position(&self, name: &str, position: u64) -> Result<(), Problem> {
        let _ = (name, position);
        unimplemented!()
    }
}
