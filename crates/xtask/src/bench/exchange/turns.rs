//! As many requests as both sides can answer, in turns: requests a second, processor time a request,
//! waits, and the memory both gateways hold right behind the load.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::bench::figure::{Figure, median};
use crate::bench::process::Process;
use crate::bench::{usage, wrk};

/// Rounds of each side; the median counts.
const ROUNDS: usize = 5;
/// Length of a round, in seconds.
const SECONDS: u32 = 4;

/// One load on both sides.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    size: &'static str,
    bytes: usize,
    connections: u32,
}

impl Load {
    /// Bodies of some bytes, called `size`, from some connections at once.
    pub(crate) const fn new(size: &'static str, bytes: usize, connections: u32) -> Self {
        Self {
            size,
            bytes,
            connections,
        }
    }
}

/// One side of the comparison: where it is called, by whom, and its two gateways.
pub(crate) struct Side {
    pub(crate) url: String,
    callers: Vec<String>,
    gateways: [u32; 2],
}

/// What one round of one side was.
struct Round {
    run: wrk::Run,
    /// Processor time a request, in microseconds.
    cpu_us: f64,
    /// Memory of both gateways, in MB.
    memory_mb: f64,
}

impl Side {
    pub(crate) fn new(url: &str, gateways: &[Process; 2]) -> Self {
        let [first, second] = gateways;
        Self {
            url: url.to_owned(),
            callers: vec![wrk::CALLER.to_owned()],
            gateways: [first.id(), second.id()],
        }
    }

    /// The same side called by others, in turns.
    pub(crate) fn called_by(self, callers: Vec<String>) -> Self {
        Self { callers, ..self }
    }

    fn round(&self, script: &Path, connections: u32) -> Result<Round> {
        let before = self.both(usage::seconds)?;
        let run = wrk::run(&self.url, script, connections, SECONDS)?;
        let used = (self.both(usage::seconds)? - before) / run.requests;
        Ok(Round {
            run,
            cpu_us: used * 1e6,
            memory_mb: self.both(usage::megabytes)?,
        })
    }

    fn both(&self, of: impl Fn(u32) -> Result<f64>) -> Result<f64> {
        let [first, second] = self.gateways;
        Ok(of(first)? + of(second)?)
    }
}

/// Loads a peer and ours in turns: a figure of each, by its name.
pub(crate) fn take(sides: [&Side; 2], names: [&str; 2], load: Load, folder: &Path) -> Result<[Figure; 2]> {
    let scripts: Vec<PathBuf> = sides
        .iter()
        .zip(names)
        .map(|(side, name)| wrk::script(folder, name, load.bytes, &side.callers))
        .collect::<Result<_>>()?;
    for (side, script) in sides.into_iter().zip(&scripts) {
        wrk::run(&side.url, script, load.connections, 1).context("warming up")?;
    }
    let mut rounds: [Vec<Round>; 2] = Default::default();
    for round in 1..=ROUNDS {
        for ((side, script), rounds) in sides.into_iter().zip(&scripts).zip(&mut rounds) {
            eprintln!(
                "{} from {} connections, round {round} of {ROUNDS}: {}",
                load.size, load.connections, side.url
            );
            rounds.push(side.round(script, load.connections)?);
        }
    }
    let [peer, ours] = &rounds;
    Ok([
        figure(names[0], load, peer, None),
        figure(names[1], load, ours, Some(peer)),
    ])
}

fn figure(name: &str, load: Load, rounds: &[Round], peer: Option<&[Round]>) -> Figure {
    let per_second = |round: &Round| round.run.per_second;
    let memory = middle(rounds, |round| round.memory_mb);
    let mut more = vec![
        ("cpu_us", middle(rounds, |round| round.cpu_us)),
        ("p50_ms", middle(rounds, |round| round.run.p50_ms)),
        ("p99_ms", middle(rounds, |round| round.run.p99_ms)),
        ("memory_mb", memory),
    ];
    let beside = |of: fn(&Round) -> f64| peer.map(|peer| middle(rounds, of) / middle(peer, of));
    more.extend(beside(|round| round.memory_mb).map(|ratio| ("memory_ratio", ratio)));
    Figure {
        case: format!("exchange/{name}/{}/c{}", load.size, load.connections),
        value: middle(rounds, per_second),
        unit: "req/s",
        ratio: beside(per_second),
        cpu_ratio: beside(|round| round.cpu_us),
        more,
    }
}

fn middle(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    median(&rounds.iter().map(of).collect::<Vec<_>>())
}
