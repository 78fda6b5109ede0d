//! What evidence costs once there is much of it: whether calls slow down, how long its first record takes
//! to prove, and how fast all of it is checked.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::turns::{self, Side};
use super::{Nation, USUAL};
use crate::bench::figure::{Figure, median};
use crate::clock::Watch;
use crate::shell;

/// Times the first record is proved.
const PROOFS: usize = 20;
/// How long the nodes may take to index the log, in seconds.
const INDEX_SECONDS_MAX: &str = "3600";

/// Measures nodes with a long log beside nodes without.
pub(super) fn beside(few: &Side, nation: &Nation, past: usize, folder: &Path) -> Result<Vec<Figure>> {
    eprintln!("writing a past of {past} exchanges");
    let first = nation.add("past", &[past.to_string()])?;
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let records = past as f64;
    let begun = Watch::start();
    let nodes = nation.start(&[])?;
    let mut figures = vec![figure("exchange/history/start", begun.seconds(), "s", records)];
    let proof = nation.systems(&format!("asic/{}", first.trim()));
    // Not found until the index of the evidence has read the whole log.
    let again = [
        "--retry-all-errors",
        "--retry",
        "10000",
        "--retry-delay",
        "1",
        "--retry-max-time",
    ];
    shell::output(curl(&proof).args(again).arg(INDEX_SECONDS_MAX))
        .with_context(|| format!("the first of {past} exchanges is not found"))?;
    let indexed = begun.seconds();
    figures.push(figure("exchange/history/indexed", indexed, "s", records));
    let sides = [few, &nation.side(&nodes)];
    figures.extend(turns::take(sides, ["no-history", "history"], USUAL, folder)?);
    let mut waits = Vec::new();
    for _ in 0..PROOFS {
        let seconds = shell::output(curl(&proof).args(["--write-out", "%{time_total}"]))?;
        let seconds: f64 = seconds.trim().parse().context("curl says how long it took")?;
        waits.push(seconds * 1_000.0);
    }
    figures.push(figure("exchange/history/proof", median(&waits), "ms", records));
    drop(nodes);
    let begun = Watch::start();
    // The development nation's own authority is outside its nodes' folders: whole, but unanchored.
    let mut verify = shell::program(&nation.sen);
    let outcome = verify.arg("verify").arg(nation.consumer()).output()?;
    ensure!(
        matches!(outcome.status.code(), Some(0 | 2)),
        "the node's folder did not pass: {}",
        outcome.status
    );
    let rate = records / begun.seconds();
    figures.push(figure("exchange/history/verify", rate, "records/s", records));
    Ok(figures)
}

fn curl(url: &str) -> Command {
    let mut command = Command::new("curl");
    command.args(["-sS", "--fail", "--output", "/dev/null"]).arg(url);
    command
}

fn figure(case: &str, value: f64, unit: &'static str, records: f64) -> Figure {
    Figure {
        more: vec![("records", records)],
        ..Figure::alone(case, value, unit)
    }
}
