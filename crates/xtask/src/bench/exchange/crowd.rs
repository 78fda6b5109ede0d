//! A directory and agreements of the size of a country beside those of three nodes: starting, memory,
//! and whether a call among many costs more than a call among few.

use std::path::Path;

use anyhow::Result;

use super::turns::{self, Load, Side};
use super::{Nation, memory};
use crate::bench::figure::Figure;
use crate::bench::process::Process;

/// Members, services and agreements.
const CROWD: [u32; 3] = [1_000, 10_000, 100_000];
/// What is sent to both.
const LOAD: Load = Load::new("1KiB", 1_024, 64);

/// Measures a nation with a crowd beside one without, whose nodes run.
pub(super) fn beside(
    few: &Nation,
    (nodes, few_side): ([Process; 2], &Side),
    folder: &Path,
) -> Result<Vec<Figure>> {
    eprintln!("adding {CROWD:?} members, services and agreements");
    let many = Nation::prepare(&few.sen, folder.join("many"), few.echo_port, Some(CROWD))?;
    let (crowded, seconds) = many.start()?;
    let mut figures = vec![
        Figure {
            case: "exchange/crowd/start".to_owned(),
            value: seconds,
            unit: "s",
            ratio: None,
            cpu_ratio: None,
            more: Vec::new(),
        },
        memory("exchange/crowd/memory", &crowded)?,
    ];
    let sides = [few_side, &Side::new(&many.url(), &crowded)];
    figures.extend(turns::take(sides, ["few", "crowd"], LOAD, folder)?);
    drop(nodes);
    Ok(figures)
}
