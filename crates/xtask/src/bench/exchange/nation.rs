//! Two nodes of a small nation, with an agreement for the echo service.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::turns::Side;
use super::usage;
use crate::bench::figure::Figure;
use crate::bench::process::Process;
use crate::shell;

/// A folder with the nodes' data, and the ports they take.
pub(super) struct Nation {
    pub(super) sen: PathBuf,
    data: PathBuf,
    port: u16,
    echo_port: u16,
}

impl Nation {
    /// Makes the folder.
    pub(super) fn prepare(sen: &Path, data: PathBuf, echo_port: u16) -> Result<Self> {
        let nation = Self {
            sen: sen.to_owned(),
            data,
            port: first_port()?,
            echo_port,
        };
        nation.add("prepare", &[])?;
        Ok(nation)
    }

    /// Puts more into the folder; gives what is said about it.
    pub(super) fn add(&self, part: &str, what: &[String]) -> Result<String> {
        shell::output(self.command(part).args(what))
    }

    /// Starts the consumer's node and the provider's, with some options.
    pub(super) fn start(&self, options: &[&str]) -> Result<[Process; 2]> {
        let echo = format!("http://127.0.0.1:{}/", self.echo_port);
        let node = |place: &str| Process::ready(self.command("run").args([place, &echo]).args(options));
        // The provider first: the consumer's first call finds it.
        let (ministry, _) = node("ministry")?;
        let (national, _) = node("national")?;
        Ok([national, ministry])
    }

    /// Where the echo service is called, and the nodes that carry it.
    pub(super) fn side(&self, nodes: &[Process; 2]) -> Side {
        Side::new(&self.systems("r1/VN/GOV/G01/population/echo"), nodes)
    }

    /// The same service under an agreement that keeps bodies on both sides.
    pub(super) fn side_that_keeps(&self, nodes: &[Process; 2]) -> Side {
        Side::new(&self.systems("r1/VN/GOV/G01/population/echo-kept"), nodes)
    }

    /// An address at the information-system face of the consumer's node.
    pub(super) fn systems(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port + 10)
    }

    /// The consumer's node's folder.
    pub(super) fn consumer(&self) -> PathBuf {
        self.data.join("national")
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

/// The memory of the larger one of two nodes, in MB.
pub(super) fn memory(case: &str, nodes: &[Process; 2]) -> Result<Figure> {
    let [first, second] = nodes;
    let most = usage::megabytes(first.id())?.max(usage::megabytes(second.id())?);
    Ok(Figure::alone(case, most, "MB"))
}

/// A first port such that those that count from it are free.
fn first_port() -> Result<u16> {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let offsets = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 40, 41, 42];
    (20_000..60_000)
        .step_by(61)
        .find(|first| offsets.iter().all(|offset| is_free(first + offset)))
        .context("no free ports between 20000 and 60000")
}
