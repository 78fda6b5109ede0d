//! The exchange beside nginx2: two gateways, signed on both sides and flushed to both logs before the
//! answer leaves. Peer and ours take turns, round by round; each part of the table is one module's.

mod added;
mod crowd;
mod history;
mod log;
mod nation;
mod single;
mod tenants;
mod turns;
mod without;

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::nation::{Nation, memory};
use self::turns::{Load, Side};
use super::figure::Figure;
use super::process::{Folder, Process};
use super::{nginx, usage};
use crate::postgres::free_port;
use crate::{debian, programs, shell};

/// What the measurement calls.
const NEEDS: &[debian::Need] = &[
    ("nginx", "nginx"),
    ("wrk", "wrk"),
    ("h2load", "nghttp2-client"),
    ("openssl", "openssl"),
    ("curl", "curl"),
];
/// What is sent and sent back, from how many connections at once.
const LOADS: [Load; 3] = [USUAL, Load::new("1KiB", 1_024, 256), LARGE];
/// Large bodies: their digests are logged, or they are kept themselves.
const LARGE: Load = Load::new("100KiB", 102_400, 64);
/// What every other comparison is made with.
const USUAL: Load = Load::new("1KiB", 1_024, 64);

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Signed, logged and flushed on both sides, beside nginx2
    Loads,
    /// The same with bodies kept by agreement on both sides, beside nginx2
    Kept,
    /// The same without a log, and without signatures
    Without,
    /// One signature a message beside one a batch
    Single,
    /// Traffic of 100 tenants beside that of one
    Tenants,
    /// What a call waits that need not wait for others
    Added,
    /// A long log: rate, proof of its first record, verification
    History,
    /// A directory of 1,000 members and 100,000 agreements
    Crowd,
    /// The log by itself
    Log,
}

/// How the exchange is measured.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// For `exchange`: only these parts of the table; all when left out
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// For `exchange`: exchanges in the long log, about 3 GB a million
    #[arg(long, default_value_t = 1_000_000)]
    past: usize,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// Measures the parts of the table that are wanted; each figure is told as soon as it is there.
pub(crate) fn measure(options: &Options, tell: &mut impl FnMut(Figure)) -> Result<()> {
    debian::install(NEEDS)?;
    let sen = programs::build(true)?.join("sen");
    let folder = Folder::new("bench")?;
    let echo_port = free_port()?;
    let (_echo, _) =
        Process::ready(shell::program(&sen).args(["bench-node", "echo", &echo_port.to_string()]))?;
    let peer = nginx::start(folder.path(), echo_port)?;
    let nation = |name: &str| Nation::prepare(&sen, folder.path().join(name), echo_port);
    let few = nation("few")?;
    let nodes = few.start(&[])?;
    let sides = [Side::new(&peer.url, &peer.hops), few.side(&nodes)];
    let [nginx2, ours] = &sides;
    if options.wants(Part::Loads) {
        tell(memory("exchange/idle-node/memory", &nodes)?);
        for load in LOADS {
            let names = ["nginx2", "signed-logged"];
            let figures = turns::take([nginx2, ours], names, load, folder.path())?;
            figures.into_iter().for_each(&mut *tell);
        }
    }
    if options.wants(Part::Kept) {
        let keeps = few.side_that_keeps(&nodes);
        let names = ["nginx2", "signed-logged-kept"];
        let figures = turns::take([nginx2, &keeps], names, LARGE, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    if options.wants(Part::Without) {
        for part in without::PARTS {
            let figures = without::beside(nginx2, &nation(part.name)?, part, folder.path())?;
            figures.into_iter().for_each(&mut *tell);
        }
    }
    if options.wants(Part::Single) {
        let figures = single::beside(ours, &nation("single")?, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    if options.wants(Part::Tenants) {
        let figures = tenants::among(&nation("tenants")?, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    if options.wants(Part::Added) {
        let echo_url = format!("http://127.0.0.1:{echo_port}/");
        let figures = added::over(&echo_url, &sides, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    if options.wants(Part::History) {
        let figures = history::beside(ours, &nation("past")?, options.past, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    if options.wants(Part::Crowd) {
        let figures = crowd::beside(ours, &nation("many")?, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    drop(nodes);
    if options.wants(Part::Log) {
        tell(log::alone(&sen)?);
    }
    Ok(())
}
