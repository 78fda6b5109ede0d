//! Due dates counted on one core; and cases filed through the national portal, over HTTP and through its pages, as
//! citizens do. The load client is the testbed's; this starts the nation and asks it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::figure::Figure;
use crate::{programs, shell};

/// Length of the measurement, in seconds.
const SECONDS: u32 = 20;
/// Length of each half of the count of due dates, in seconds.
const CLOCK_SECONDS: u32 = 3;
/// Citizens at work at the same time.
const CLIENTS: [u32; 2] = [1, 8];

/// Measures filing.
pub(crate) fn measure() -> Result<Vec<Figure>> {
    let folder = programs::build(true)?;
    let filed = CLIENTS.iter().map(|clients| filed(&folder, *clients));
    std::iter::once(dated(&folder)).chain(filed).collect()
}

/// Due dates a second on one core, and how many times faster that is than counting line by line.
fn dated(folder: &Path) -> Result<Figure> {
    let mut command = shell::program(folder.join("sen"));
    command
        .args(["bench-node", "clock"])
        .arg(shell::root().join("packs/vn"))
        .arg(CLOCK_SECONDS.to_string());
    let text = shell::output(&mut command)?;
    let report: Value = serde_json::from_str(text.trim()).context("the count is JSON")?;
    let number = |name: &str| {
        report[name]
            .as_f64()
            .with_context(|| format!("the count has {name}"))
    };
    let (fast, slow) = (number("per_second")?, number("slow_per_second")?);
    Ok(Figure {
        ratio: Some(fast / slow.max(1.0)),
        more: vec![("line_by_line_per_second", slow)],
        ..Figure::alone("services/clock/due", fast, "dates/s")
    })
}

fn filed(folder: &Path, clients: u32) -> Result<Figure> {
    let mut command = shell::program(folder.join("testbed"));
    command.arg("file").arg(folder.join("sen"));
    command
        .args([clients.to_string(), SECONDS.to_string()])
        .env("SEN_LOG", "error");
    let text = shell::output(&mut command)?;
    let report: Value = serde_json::from_str(text.trim()).context("the load client reports JSON")?;
    let number = |name: &str| {
        report[name]
            .as_f64()
            .with_context(|| format!("the report has {name}"))
    };
    Ok(Figure {
        case: format!("services/filed/c{clients}"),
        value: number("per_second")?,
        unit: "cases/s",
        ratio: None,
        cpu_ratio: None,
        more: vec![
            ("requests_per_case", number("requests_per_case")?),
            ("p50_ms", number("p50_ms")?),
            ("p99_ms", number("p99_ms")?),
        ],
    })
}
