//! Traffic of many tenants of one node, each with its own seal and agreement, beside that of one.

use std::path::Path;

use anyhow::Result;

use super::turns;
use super::{Nation, USUAL};
use crate::bench::figure::Figure;

/// How many of them.
const TENANTS: usize = 100;

/// Measures one caller and a hundred at the same nodes.
pub(super) fn among(nation: &Nation, folder: &Path) -> Result<[Figure; 2]> {
    let count = TENANTS.to_string();
    nation.add("tenants", std::slice::from_ref(&count))?;
    let nodes = nation.start(&["--tenants", &count])?;
    let one = nation.side(&nodes);
    let codes = ('K'..='T').flat_map(|letter| (0..100).map(move |number| format!("{letter}{number:02}")));
    let callers = codes.take(TENANTS).map(|code| format!("VN/GOV/{code}/system"));
    let many = nation.side(&nodes).called_by(callers.collect());
    turns::take([&one, &many], ["one-tenant", "100-tenants"], USUAL, folder)
}
