//! The evidence log alone: what is left of the hand-off's rate when every record is flushed. The peer is
//! the same log on a folder in memory, where a flush costs nothing.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::bench::figure::{Figure, median};
use crate::bench::process::Folder;
use crate::shell;

/// Rounds of each; the median counts.
const ROUNDS: usize = 3;
/// Length of a round, in seconds.
const SECONDS: u32 = 4;

/// Measures the log on disk beside the log in memory, in turns.
pub(super) fn alone(sen: &Path) -> Result<Figure> {
    let mut seen: [Vec<f64>; 2] = Default::default();
    for round in 1..=ROUNDS {
        let places = [std::env::temp_dir(), "/dev/shm".into()];
        for (place, seen) in places.iter().zip(&mut seen) {
            eprintln!("the log alone, round {round} of {ROUNDS}: {}", place.display());
            let folder = Folder::within(place, "log")?;
            let mut command = shell::program(sen);
            command.args(["bench-node", "log"]).arg(folder.path());
            let text = shell::output(command.arg(SECONDS.to_string()))?;
            seen.push(text.trim().parse().context("the log's rate is a number")?);
        }
    }
    let [flushed, kept] = seen.map(|rates| median(&rates));
    Ok(Figure {
        case: "exchange/log-alone/2KiB".to_owned(),
        value: flushed,
        unit: "records/s",
        ratio: Some(flushed / kept),
        cpu_ratio: None,
        more: vec![("in_memory", kept)],
    })
}
