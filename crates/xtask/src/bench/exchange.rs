//! The exchange beside nginx2: two gateways, signed on both sides and flushed to both logs before the
//! answer leaves. Peer and ours take turns, round by round; each row of the table is one module's.

mod added;
mod crowd;
mod history;
mod log;
mod turns;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use self::turns::{Load, Side};
use super::figure::Figure;
use super::process::{Folder, Process};
use super::{nginx, usage};
use crate::clock::Watch;
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
const LOADS: [Load; 3] = [
    Load::new("1KiB", 1_024, 64),
    Load::new("1KiB", 1_024, 256),
    Load::new("100KiB", 102_400, 64),
];

/// Measures all rows of the table; each is told as soon as it is there.
pub(crate) fn measure(tell: &mut impl FnMut(Figure)) -> Result<()> {
    debian::install(NEEDS)?;
    let sen = programs::build(true)?.join("sen");
    let folder = Folder::new("bench")?;
    let echo_port = free_port()?;
    let (echo, _) =
        Process::ready(shell::program(&sen).args(["bench-node", "echo", &echo_port.to_string()]))?;
    let peer = nginx::start(folder.path(), echo_port)?;
    let few = Nation::prepare(&sen, folder.path().join("few"), echo_port, None)?;
    let (nodes, _) = few.start()?;
    let url = few.url();
    let sides = [Side::new(&peer.url, &peer.hops), Side::new(&url, &nodes)];
    tell(memory("exchange/idle-node/memory", &nodes)?);
    let old = history::begin(&url)?;
    for load in LOADS {
        let names = ["nginx2", "signed-logged"];
        let figures = turns::take([&sides[0], &sides[1]], names, load, folder.path())?;
        figures.into_iter().for_each(&mut *tell);
    }
    let figures = history::after(&old, few.port, &sen, &few.data.join("national"))?;
    figures.into_iter().for_each(&mut *tell);
    let echo_url = format!("http://127.0.0.1:{echo_port}/");
    let figures = added::over(&echo_url, &sides, folder.path())?;
    figures.into_iter().for_each(&mut *tell);
    let figures = crowd::beside(&few, (nodes, &sides[1]), folder.path())?;
    figures.into_iter().for_each(&mut *tell);
    drop(echo);
    tell(log::alone(&sen)?);
    Ok(())
}

/// The memory of the larger one of two nodes, in MB.
fn memory(case: &str, nodes: &[Process; 2]) -> Result<Figure> {
    let [first, second] = nodes;
    Ok(Figure {
        case: case.to_owned(),
        value: usage::megabytes(first.id())?.max(usage::megabytes(second.id())?),
        unit: "MB",
        ratio: None,
        cpu_ratio: None,
        more: Vec::new(),
    })
}

/// Two nodes of a small nation, with an agreement for the echo service.
struct Nation {
    sen: PathBuf,
    data: PathBuf,
    port: u16,
    echo_port: u16,
}

impl Nation {
    /// A data folder, with a crowd of members, services and agreements or without.
    fn prepare(sen: &Path, data: PathBuf, echo_port: u16, crowd: Option<[u32; 3]>) -> Result<Self> {
        let nation = Self {
            sen: sen.to_owned(),
            data,
            port: first_port()?,
            echo_port,
        };
        shell::run(&mut nation.command("prepare"))?;
        if let Some(crowd) = crowd {
            let counts = crowd.map(|count| count.to_string());
            shell::run(nation.command("crowd").args(counts))?;
        }
        Ok(nation)
    }

    /// Starts the consumer's node and the provider's; and how long the provider's took, in seconds.
    fn start(&self) -> Result<([Process; 2], f64)> {
        let echo = format!("http://127.0.0.1:{}/", self.echo_port);
        let node = |place: &str| Process::ready(self.command("run").args([place, &echo]));
        let begun = Watch::start();
        // The provider first: the consumer's first call finds it.
        let (ministry, _) = node("ministry")?;
        let seconds = begun.seconds();
        let (national, _) = node("national")?;
        Ok(([national, ministry], seconds))
    }

    /// Where the echo service is called.
    fn url(&self) -> String {
        format!(
            "http://127.0.0.1:{}/r1/VN/GOV/G01/population/echo",
            self.port + 10
        )
    }

    fn command(&self, part: &str) -> Command {
        let mut command = shell::program(&self.sen);
        // As packaging/sen.service starts a node.
        command.env("MIMALLOC_PURGE_DELAY", "0");
        command.args(["bench-node", part, "--data"]).arg(&self.data);
        command.args(["--port", &self.port.to_string()]);
        command
    }
}

/// A first port such that those that count from it are free.
pub(crate) fn first_port() -> Result<u16> {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let offsets = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 40, 41, 42];
    (20_000..60_000)
        .step_by(61)
        .find(|first| offsets.iter().all(|offset| is_free(first + offset)))
        .context("no free ports between 20000 and 60000")
}
