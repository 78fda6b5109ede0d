//! One signature a message, for partners that demand it, beside one a batch.

use std::path::Path;

use anyhow::Result;

use super::turns::{self, Side};
use super::{Nation, USUAL};
use crate::bench::figure::Figure;

/// Measures nodes that sign each message by itself; the ratio is that of batches to them.
pub(super) fn beside(batches: &Side, nation: &Nation, folder: &Path) -> Result<[Figure; 2]> {
    let nodes = nation.start(&["--batch", "1"])?;
    let sides = [&nation.side(&nodes), batches];
    turns::take(
        sides,
        ["one-signature-each", "one-signature-a-batch"],
        USUAL,
        folder,
    )
}
