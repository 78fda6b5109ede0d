//! What a gateway adds to a call that does not have to wait for others: over calling the service
//! itself, one call at a time, and at a fixed rate far below what both sides can answer.

use std::path::Path;

use anyhow::Result;

use super::turns::Side;
use crate::bench::figure::{Figure, median};
use crate::bench::{rate, wrk};

/// Rounds of each; the median counts.
const ROUNDS: usize = 3;
/// Length of a round, in seconds.
const SECONDS: u32 = 4;
/// Size of the body, in bytes.
const BODY: usize = 1_024;
/// Requests a second of the fixed rate.
const RATE: u32 = 500;
/// Length of a round at the fixed rate, in seconds: long enough for timestamps to be taken in it.
const RATE_SECONDS: u32 = 8;

/// Measures the service itself and both sides in front of it, in turns.
pub(crate) fn over(service: &str, [peer, ours]: &[Side; 2], folder: &Path) -> Result<[Figure; 4]> {
    let urls = [service, peer.url.as_str(), ours.url.as_str()];
    let script = wrk::script(folder, "added", BODY, &[wrk::CALLER.to_owned()])?;
    let alone = in_turns(&urls, |url| {
        Ok(wrk::run_threads(url, &script, (1, 1), SECONDS)?.p50_ms)
    })?;
    let body = rate::body(folder, BODY)?;
    let steady = in_turns(&urls, |url| rate::p99_ms(url, &body, RATE, RATE_SECONDS))?;
    let [direct, nginx2, sealed] = alone;
    let [direct_99, nginx2_99, sealed_99] = steady;
    let rate = format!("rate{RATE}");
    Ok([
        figure("nginx2", "c1", "added_p50_ms", (nginx2, direct), None),
        figure(
            "signed-logged",
            "c1",
            "added_p50_ms",
            (sealed, direct),
            Some(nginx2),
        ),
        figure("nginx2", &rate, "added_p99_ms", (nginx2_99, direct_99), None),
        figure(
            "signed-logged",
            &rate,
            "added_p99_ms",
            (sealed_99, direct_99),
            Some(nginx2_99),
        ),
    ])
}

fn in_turns(urls: &[&str; 3], measure: impl Fn(&str) -> Result<f64>) -> Result<[f64; 3]> {
    let mut seen: [Vec<f64>; 3] = Default::default();
    for round in 1..=ROUNDS {
        for (url, seen) in urls.iter().zip(&mut seen) {
            eprintln!("added to a call, round {round} of {ROUNDS}: {url}");
            seen.push(measure(url)?);
        }
    }
    Ok(seen.map(|values| median(&values)))
}

/// `ratio` compares what both sides add.
fn figure(
    name: &str,
    load: &str,
    unit: &'static str,
    (whole, direct): (f64, f64),
    peer: Option<f64>,
) -> Figure {
    Figure {
        case: format!("exchange/{name}/1KiB/{load}"),
        value: whole - direct,
        unit,
        ratio: peer.map(|peer| (whole - direct) / (peer - direct)),
        cpu_ratio: None,
        more: vec![("whole_ms", whole), ("direct_ms", direct)],
    }
}
