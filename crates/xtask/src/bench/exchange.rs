//! The exchange beside nginx2: 1 KiB out and back through two gateways, signed on both sides and
//! flushed to both logs before the answer leaves. Peer and ours take turns, round by round.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::figure::{Figure, median};
use super::process::{Folder, Process};
use super::{cpu, nginx, wrk};
use crate::postgres::free_port;
use crate::{debian, programs, shell};

/// What the measurement calls.
const NEEDS: &[debian::Need] = &[
    ("nginx", "nginx"),
    ("wrk", "wrk"),
    ("openssl", "openssl"),
    ("curl", "curl"),
];
/// Rounds of each side; the median counts.
const ROUNDS: usize = 5;
/// Length of a round, in seconds.
const SECONDS: u32 = 4;
/// Size of the body, in bytes.
const BODY: usize = 1_024;
/// Connections of the load client.
const CONNECTIONS: [u32; 2] = [64, 256];

/// One side of the comparison.
struct Side {
    url: String,
    gateways: [u32; 2],
    runs: Vec<(wrk::Run, f64)>,
}

/// Measures both sides.
pub(crate) fn measure() -> Result<Vec<Figure>> {
    debian::install(NEEDS)?;
    let sen = programs::build(true)?.join("sen");
    let folder = Folder::new("bench")?;
    let echo_port = free_port()?;
    let (echo, _) =
        Process::ready(shell::program(&sen).args(["bench-node", "echo", &echo_port.to_string()]))?;
    let peer = nginx::start(folder.path(), echo_port)?;
    let (nodes, url) = nodes(&sen, &folder.path().join("data"), echo_port)?;
    let script = wrk::script(folder.path(), BODY)?;
    let mut figures = Vec::new();
    for connections in CONNECTIONS {
        let mut sides = [side(&peer.url, &peer.hops), side(&url, &nodes)];
        for side in &sides {
            wrk::run(&side.url, &script, connections, 1).context("warming up")?;
        }
        for round in 1..=ROUNDS {
            for side in &mut sides {
                eprintln!(
                    "{connections} connections, round {round} of {ROUNDS}: {}",
                    side.url
                );
                side.round(&script, connections)?;
            }
        }
        figures.extend(compare(&sides, connections));
    }
    drop(echo);
    Ok(figures)
}

fn side(url: &str, gateways: &[Process; 2]) -> Side {
    let [first, second] = gateways;
    Side {
        url: url.to_owned(),
        gateways: [first.id(), second.id()],
        runs: Vec::new(),
    }
}

impl Side {
    fn round(&mut self, script: &Path, connections: u32) -> Result<()> {
        let before = self.cpu()?;
        let run = wrk::run(&self.url, script, connections, SECONDS)?;
        let used = (self.cpu()? - before) / run.requests;
        self.runs.push((run, used * 1e6));
        Ok(())
    }

    fn cpu(&self) -> Result<f64> {
        let [first, second] = self.gateways;
        Ok(cpu::seconds(first)? + cpu::seconds(second)?)
    }

    fn median(&self, of: impl Fn(&(wrk::Run, f64)) -> f64) -> f64 {
        median(&self.runs.iter().map(of).collect::<Vec<_>>())
    }
}

fn compare([peer, ours]: &[Side; 2], connections: u32) -> [Figure; 2] {
    let figure = |side: &Side, name: &str, is_ours: bool| {
        let (value, cpu) = (
            side.median(|(run, _)| run.per_second),
            side.median(|(_, cpu)| *cpu),
        );
        Figure {
            case: format!("exchange/{name}/1KiB/c{connections}"),
            value,
            unit: "req/s",
            ratio: is_ours.then(|| value / peer.median(|(run, _)| run.per_second)),
            cpu_ratio: is_ours.then(|| cpu / peer.median(|(_, cpu)| *cpu)),
            more: vec![
                ("cpu_us", cpu),
                ("p50_ms", side.median(|(run, _)| run.p50_ms)),
                ("p99_ms", side.median(|(run, _)| run.p99_ms)),
            ],
        }
    };
    [figure(peer, "nginx2", false), figure(ours, "signed-logged", true)]
}

/// The two nodes of a small nation, with an agreement for the echo service; and where it is called.
fn nodes(sen: &Path, data: &Path, echo_port: u16) -> Result<([Process; 2], String)> {
    let port = first_port()?;
    let folder = |command: &mut std::process::Command| {
        command
            .arg("--data")
            .arg(data)
            .args(["--port", &port.to_string()]);
    };
    let mut prepare = shell::program(sen);
    folder(prepare.args(["bench-node", "prepare"]));
    shell::run(&mut prepare)?;
    let node = |place: &str| {
        let mut command = shell::program(sen);
        folder(command.args([
            "bench-node",
            "run",
            place,
            &format!("http://127.0.0.1:{echo_port}/"),
        ]));
        Process::ready(&mut command).map(|(process, _)| process)
    };
    // The provider first: the consumer's first call finds it.
    let (ministry, national) = (node("ministry")?, node("national")?);
    Ok((
        [national, ministry],
        format!("http://127.0.0.1:{}/r1/VN/GOV/G01/population/echo", port + 10),
    ))
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
