//! What evidence costs once there is much of it: all of it checked from the first record, and one old
//! exchange proved among all others.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::bench::figure::{Figure, median};
use crate::clock::Watch;
use crate::shell;

/// Times an old exchange is proved.
const PROOFS: usize = 20;

/// An exchange from before the load: its id.
pub(super) struct Old(String);

/// Lives one exchange; what there is afterwards is measured with it.
pub(super) fn begin(url: &str) -> Result<Old> {
    let heads = shell::output(
        curl(&["--dump-header", "-", "--header", "Content-Type: application/json"]).args([
            "--header",
            "X-Road-Client: VN/GOV/G22/portal",
            "--data",
            "{}",
            url,
        ]),
    )?;
    let id = heads.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("x-road-request-id")
            .then(|| value.trim().to_owned())
    });
    Ok(Old(id.context("the answer names its exchange")?))
}

/// Proves the old exchange from its consumer's node, and checks all that node's logs.
pub(super) fn after(old: &Old, port: u16, sen: &Path, node: &Path) -> Result<[Figure; 2]> {
    let proof = format!("http://127.0.0.1:{}/asic/{}", port + 10, old.0);
    let mut waits = Vec::new();
    for _ in 0..PROOFS {
        let seconds = shell::output(curl(&["--write-out", "%{time_total}"]).arg(&proof))?;
        let seconds: f64 = seconds.trim().parse().context("curl says how long it took")?;
        waits.push(seconds * 1_000.0);
    }
    let records = records(port)?;
    let begun = Watch::start();
    // The development nation's own authority is outside its nodes' folders: whole, but unanchored.
    let status = shell::program(sen).arg("verify").arg(node).output()?.status;
    ensure!(
        matches!(status.code(), Some(0 | 2)),
        "the node's folder did not pass: {status}"
    );
    Ok([
        figure("exchange/history/proof", median(&waits), "ms", records),
        figure(
            "exchange/history/verify",
            records / begun.seconds(),
            "records/s",
            records,
        ),
    ])
}

/// Exchanges the consumer's node has in evidence, by its own count.
fn records(port: u16) -> Result<f64> {
    let text = shell::output(
        Command::new("curl")
            .args(["-sS", "--fail"])
            .arg(format!("http://127.0.0.1:{}/metrics", port + 40)),
    )?;
    let counts = text
        .lines()
        .filter(|line| line.starts_with("sen_exchange_asked_total"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    Ok(counts.sum())
}

fn curl(more: &[&str]) -> Command {
    let mut command = Command::new("curl");
    command
        .args(["-sS", "--fail", "--output", "/dev/null"])
        .args(more);
    command
}

fn figure(case: &str, value: f64, unit: &'static str, records: f64) -> Figure {
    Figure {
        case: case.to_owned(),
        value,
        unit,
        ratio: None,
        cpu_ratio: None,
        more: vec![("records", records)],
    }
}
