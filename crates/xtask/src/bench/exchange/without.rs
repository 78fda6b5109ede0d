//! What signatures and the log cost: the same nodes without a log, and without either, beside nginx2.

use std::path::Path;

use anyhow::Result;

use super::turns::{self, Side};
use super::{Nation, USUAL};
use crate::bench::figure::Figure;

/// What is left out.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// What remains.
    pub(super) name: &'static str,
    without: &'static str,
}

/// Checks, digests and counters alone; then signatures too.
pub(super) const PARTS: [Part; 2] = [
    Part {
        name: "checked",
        without: "signatures",
    },
    Part {
        name: "signed",
        without: "log",
    },
];

/// Measures nodes that go without a part.
pub(super) fn beside(nginx2: &Side, nation: &Nation, part: Part, folder: &Path) -> Result<[Figure; 2]> {
    let nodes = nation.start(&["--without", part.without])?;
    let sides = [nginx2, &nation.side(&nodes)];
    turns::take(sides, ["nginx2", part.name], USUAL, folder)
}
