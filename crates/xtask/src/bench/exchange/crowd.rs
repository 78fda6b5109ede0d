//! A directory and agreements of the size of a country beside those of three nodes: starting, memory,
//! and whether a call among many costs more than a call among few.

use std::path::Path;

use anyhow::Result;

use super::turns::{self, Side};
use super::{Nation, USUAL, memory};
use crate::bench::figure::Figure;
use crate::clock::Watch;

/// Members, services and agreements.
const CROWD: [u32; 3] = [1_000, 10_000, 100_000];

/// Measures a nation with a crowd beside one without.
pub(super) fn beside(few: &Side, nation: &Nation, folder: &Path) -> Result<Vec<Figure>> {
    eprintln!("adding {CROWD:?} members, services and agreements");
    nation.add("crowd", &CROWD.map(|count| count.to_string()))?;
    let begun = Watch::start();
    let nodes = nation.start(&[])?;
    let mut figures = vec![
        Figure::alone("exchange/crowd/start-both", begun.seconds(), "s"),
        memory("exchange/crowd/memory", &nodes)?,
    ];
    let sides = [few, &nation.side(&nodes)];
    figures.extend(turns::take(sides, ["few", "crowd"], USUAL, folder)?);
    Ok(figures)
}
