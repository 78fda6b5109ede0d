//! The load client `wrk`: one run, its figures. A run with wrong answers or broken connections is no
//! measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// What one run measured.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) requests: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Who asks when it does not matter.
pub(crate) const CALLER: &str = "VN/GOV/G22/portal";

/// The request that is sent: a body of some bytes in the name of each caller in turn, each written out
/// before the first is sent.
pub(crate) fn script(folder: &Path, name: &str, bytes: usize, callers: &[String]) -> Result<PathBuf> {
    let file = folder.join(format!("{name}.lua"));
    let body = body(bytes);
    let headers = |caller: &str| {
        format!("{{ [\"Content-Type\"] = \"application/json\", [\"X-Road-Client\"] = {caller} }}")
    };
    let whose = match callers {
        [caller] => format!("wrk.headers = {}\n", headers(&format!("\"{caller}\""))),
        _ => {
            let callers: String = callers.iter().map(|caller| format!("\"{caller}\",")).collect();
            format!(
                "local requests = {{}}\nlocal at = 0\n\
                 function init(args)\n  for i, caller in ipairs({{ {callers} }}) do\n    \
                 requests[i] = wrk.format(nil, nil, {})\n  end\nend\n\
                 function request()\n  at = at % #requests + 1\n  return requests[at]\nend\n",
                headers("caller")
            )
        }
    };
    let text = format!("wrk.method = \"POST\"\nwrk.body = '{body}'\n{whose}");
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// A body of some bytes: JSON with one text.
pub(crate) fn body(bytes: usize) -> String {
    format!("{{\"text\":\"{}\"}}", "a".repeat(bytes.saturating_sub(11)))
}

/// Loads an address for some seconds from two threads.
pub(crate) fn run(url: &str, script: &Path, connections: u32, seconds: u32) -> Result<Run> {
    run_threads(url, script, (2, connections), seconds)
}

/// As [`run`], from some threads and connections.
pub(crate) fn run_threads(
    url: &str,
    script: &Path,
    (threads, connections): (u32, u32),
    seconds: u32,
) -> Result<Run> {
    let mut command = Command::new("wrk");
    command.args(["--latency", "--timeout", "10s"]);
    command
        .arg(format!("-t{threads}"))
        .args([format!("-c{connections}"), format!("-d{seconds}s")])
        .arg("-s")
        .arg(script)
        .arg(url);
    parse(&shell::output(&mut command)?)
}

fn parse(text: &str) -> Result<Run> {
    for bad in ["Non-2xx", "Socket errors"] {
        if let Some(line) = text.lines().find(|line| line.contains(bad)) {
            bail!("wrk saw failures: {}", line.trim());
        }
    }
    let word_after = |mark: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(mark));
        line.and_then(|line| line.trim_start().strip_prefix(mark)?.split_whitespace().next())
    };
    let requests = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .and_then(|line| line.split_whitespace().next());
    let number = |word: Option<&str>| {
        word.and_then(|w| w.parse::<f64>().ok())
            .context("wrk's report is understood")
    };
    Ok(Run {
        per_second: number(word_after("Requests/sec:"))?,
        requests: number(requests)?,
        p50_ms: word_after("50%")
            .and_then(milliseconds)
            .context("wrk names the median")?,
        p99_ms: word_after("99%")
            .and_then(milliseconds)
            .context("wrk names the 99th percentile")?,
    })
}

fn milliseconds(word: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)];
    units
        .iter()
        .find_map(|(unit, factor)| Some(word.strip_suffix(unit)?.parse::<f64>().ok()? * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 2s test @ http://127.0.0.1:1/\n  Latency Distribution\n     50%    1.50ms\n     75%    2ms\n     \
        90%    3ms\n     99%    1.20s\n  35263 requests in 2.10s, 37.92MB read\nRequests/sec:  16791.00\nTransfer/sec:     18.06MB\n";

    #[test]
    fn a_report_is_read_and_one_with_failures_refused() {
        let run = parse(REPORT).expect("a report");
        assert_eq!(
            run,
            Run {
                per_second: 16791.0,
                requests: 35263.0,
                p50_ms: 1.5,
                p99_ms: 1200.0
            }
        );
        assert!(parse(&format!("{REPORT}  Non-2xx or 3xx responses: 5\n")).is_err());
        assert!(parse("").is_err());
    }
}
