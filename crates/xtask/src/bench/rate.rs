//! The load client `h2load` at a fixed rate: how long the slowest hundredth waited. A run with wrong
//! answers, or far from the rate it was to keep, is no measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::shell;

/// Connections that share the rate.
const CONNECTIONS: u32 = 50;

/// What is sent: a file with a body of some bytes.
pub(crate) fn body(folder: &Path, bytes: usize) -> Result<PathBuf> {
    let file = folder.join("post.json");
    std::fs::write(&file, super::wrk::body(bytes))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The 99th percentile in milliseconds, at some requests a second for some seconds.
pub(crate) fn p99_ms(url: &str, body: &Path, per_second: u32, seconds: u32) -> Result<f64> {
    let log = body.with_extension("log");
    // The client appends.
    if log.exists() {
        std::fs::remove_file(&log)?;
    }
    let mut command = Command::new("h2load");
    command
        .args(["--h1", "-t1"])
        .args([format!("-c{CONNECTIONS}"), format!("-D{seconds}")])
        .arg(format!("--rps={}", per_second / CONNECTIONS))
        .args(["-H", "content-type: application/json"])
        .args(["-H", "x-road-client: VN/GOV/G22/portal"])
        .arg("-d")
        .arg(body)
        .arg(format!("--log-file={}", log.display()))
        .arg(url);
    shell::output(&mut command)?;
    let text = std::fs::read_to_string(&log).context("h2load writes its log")?;
    let waits = waits(&text)?;
    let wanted = usize::try_from(per_second * seconds)?;
    ensure!(
        waits.len() * 10 >= wanted * 9,
        "{} of {wanted} requests were answered: the rate was not kept",
        waits.len()
    );
    waits
        .get(waits.len() * 99 / 100)
        .map(|wait| wait / 1_000.0)
        .context("h2load measured something")
}

/// The waits of a log in microseconds, the shortest first. A line: when, the status, the wait.
fn waits(log: &str) -> Result<Vec<f64>> {
    let mut waits = Vec::new();
    for line in log.lines() {
        let mut columns = line.split_whitespace().skip(1);
        let (Some(status), Some(wait)) = (columns.next(), columns.next()) else {
            bail!("h2load's log is not understood: {line}");
        };
        ensure!(status == "200", "a request was answered with {status}");
        waits.push(
            wait.parse::<f64>()
                .with_context(|| format!("h2load's log: {line}"))?,
        );
    }
    waits.sort_by(f64::total_cmp);
    Ok(waits)
}

#[cfg(test)]
mod tests {
    use super::waits;

    #[test]
    fn a_log_with_a_wrong_answer_is_no_measurement() {
        assert_eq!(waits("17\t200\t900\n18\t200\t300\n").unwrap(), [300.0, 900.0]);
        assert!(waits("17\t200\t900\n18\t503\t300\n").is_err());
        assert!(waits("17\t200\n").is_err());
    }
}
