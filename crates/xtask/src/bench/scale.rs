//! What a nation with a long past costs: loading it, its memory and files, and every page of the story
//! at the 95th percentile against its bound. The asking client is the testbed's; this starts it.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::figure::Figure;
use crate::{programs, shell};

/// How large the nation is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Size {
    /// For `scale`: synthetic people
    #[arg(long, default_value_t = 1_000_000)]
    people: usize,
    /// For `scale`: past cases
    #[arg(long, default_value_t = 1_000_000)]
    cases: usize,
    /// For `scale`: cases that the sample commune is at work on
    #[arg(long, default_value_t = 100_000)]
    open: usize,
}

/// Loads, asks and gives the figures, and the bounds that were broken.
pub(crate) fn measure(size: Size) -> Result<(Vec<Figure>, Vec<String>)> {
    let folder = programs::build(true)?;
    let mut command = shell::program(folder.join("testbed"));
    command.arg("scale").arg(folder.join("sen"));
    command.args([
        size.people.to_string(),
        size.cases.to_string(),
        size.open.to_string(),
    ]);
    let text = shell::output(&mut command)?;
    let report: Value = serde_json::from_str(text.trim()).context("the client reports JSON")?;
    figures(&report)
}

fn figures(report: &Value) -> Result<(Vec<Figure>, Vec<String>)> {
    let number = |of: &Value, name: &str| {
        of[name]
            .as_f64()
            .with_context(|| format!("the report has {name}"))
    };
    let mut all = Vec::new();
    for (name, unit, per) in [
        ("load_ms", "s", 1_000.0),
        ("start_again_ms", "s", 1_000.0),
        ("load_peak_bytes", "MB", 1_000_000.0),
        ("serve_peak_bytes", "MB", 1_000_000.0),
    ] {
        let value = number(report, name)? / per;
        let name = name.trim_end_matches("_bytes").trim_end_matches("_ms");
        all.push(figure(&format!("scale/{name}"), value, unit, Vec::new()));
    }
    for (node, bytes) in report["files"].as_object().into_iter().flatten() {
        let value = bytes.as_f64().context("a size")? / 1_000_000.0;
        all.push(figure(&format!("scale/database/{node}"), value, "MB", Vec::new()));
    }
    let mut broken = Vec::new();
    for page in report["pages"].as_array().context("the report has pages")? {
        let what = page["what"].as_str().context("a page has a name")?;
        let more = vec![
            ("p50_ms", number(page, "p50_ms")?),
            ("longest_ms", number(page, "longest_ms")?),
            ("bound_ms", number(page, "bound_ms")?),
            ("count", number(page, "count")?),
        ];
        let p95 = number(page, "p95_ms")?;
        if page["holds"] != true {
            broken.push(format!("{what}: p95 {p95} ms is over {} ms", page["bound_ms"]));
        }
        all.push(figure(&format!("scale/{what}"), p95, "ms p95", more));
    }
    for (what, bounds) in [("reads", [50.0, 150.0, 300.0]), ("writes", [100.0, 300.0, 500.0])] {
        let of = &report["people"][what];
        let took = [
            number(of, "p50_ms")?,
            number(of, "p95_ms")?,
            number(of, "p99_ms")?,
        ];
        if took.iter().zip(bounds).any(|(took, bound)| *took > bound) {
            broken.push(format!(
                "{what} of many people: {took:?} ms is over {bounds:?} ms"
            ));
        }
        let more = vec![
            ("p50_ms", took[0]),
            ("p99_ms", took[2]),
            ("count", number(of, "count")?),
        ];
        all.push(figure(&format!("scale/people/{what}"), took[1], "ms p95", more));
    }
    Ok((all, broken))
}

fn figure(case: &str, value: f64, unit: &'static str, more: Vec<(&'static str, f64)>) -> Figure {
    Figure {
        case: case.to_owned(),
        value,
        unit,
        ratio: None,
        cpu_ratio: None,
        more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_broken_bound_is_named() {
        let page = |what: &str, p95: u32, holds: bool| json!({"what": what, "p50_ms": 1, "p95_ms": p95, "longest_ms": 9, "bound_ms": 5, "count": 200, "holds": holds});
        let of = |p99: u32| json!({"p50_ms": 1, "p95_ms": 2, "p99_ms": p99, "count": 10});
        let report = json!({"people": {"reads": of(301), "writes": of(500)}, "load_ms": 2_000, "start_again_ms": 500, "load_peak_bytes": 1_000_000,
            "serve_peak_bytes": 2_000_000, "files": {"province": 3_000_000},
            "pages": [page("a", 4, true), page("b", 6, false)]});
        let (figures, broken) = figures(&report).expect("a report");
        assert_eq!(figures.len(), 9);
        assert_eq!(
            broken,
            [
                "b: p95 6 ms is over 5 ms",
                "reads of many people: [1.0, 2.0, 301.0] ms is over [50.0, 150.0, 300.0] ms"
            ]
        );
    }
}
