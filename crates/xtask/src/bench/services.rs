//! Due dates counted on one core; status events taken by a portal; and cases filed through the national portal, over
//! HTTP and through its pages, as citizens do. The load client is the testbed's; this starts the nation and asks it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::figure::Figure;
use super::process::Folder;
use crate::postgres::Server;
use crate::{programs, shell};

/// Length of the measurement, in seconds.
const SECONDS: u32 = 20;
/// Length of each half of the count of due dates, in seconds.
const CLOCK_SECONDS: u32 = 3;
/// Cases of other systems at the portal whose status events are counted.
const TOLD_CASES: u32 = 100_000;
/// Length of that count, in seconds.
const TOLD_SECONDS: u32 = 10;
/// Citizens at work at the same time.
const CLIENTS: [u32; 2] = [1, 8];
/// Citizens who have forms ready, and citizens before a spike.
const READY: u32 = 60;
const BEFORE_SPIKE: u32 = 8;

/// Measures filing.
pub(crate) fn measure() -> Result<Vec<Figure>> {
    let folder = programs::build(true)?;
    let mut all = vec![dated(&folder)?, told(&folder)?];
    for clients in CLIENTS {
        all.push(filed(&folder, clients)?);
    }
    let server = Server::start()?;
    for database in [None, Some(server.url())] {
        all.push(ready(&folder, database.as_deref())?);
        all.extend(spike(&folder, database.as_deref())?);
    }
    Ok(all)
}

/// What the load client says of one load on SQLite or PostgreSQL; the engine's name with it.
fn load(
    folder: &Path,
    (load, citizens): (&str, u32),
    database: Option<&str>,
) -> Result<(&'static str, Value)> {
    let mut command = shell::program(folder.join("testbed"));
    command
        .arg(load)
        .arg(folder.join("sen"))
        .arg(citizens.to_string());
    let engine = database.map_or("sqlite", |_| "postgres");
    command.args(database.iter().flat_map(|url| ["--database", url]));
    let text = shell::output(command.env("SEN_LOG", "error"))?;
    let report = serde_json::from_str(text.trim()).context("the load client reports JSON")?;
    Ok((engine, report))
}

fn of(report: &Value, name: &'static str) -> Result<(&'static str, f64)> {
    let number = report[name].as_f64();
    Ok((name, number.with_context(|| format!("the report has {name}"))?))
}

/// Ready forms filed in a second.
fn ready(folder: &Path, database: Option<&str>) -> Result<Figure> {
    let (engine, report) = load(folder, ("ready", READY), database)?;
    let per_second = of(&report, "per_second")?.1;
    let more = ["filed", "citizens", "p50_ms", "p95_ms", "p99_ms"].map(|name| of(&report, name));
    Ok(Figure {
        more: more.into_iter().collect::<Result<_>>()?,
        ..Figure::alone(&format!("services/ready/{engine}"), per_second, "filings/s")
    })
}

/// Five times as many citizens for a while.
fn spike(folder: &Path, database: Option<&str>) -> Result<Vec<Figure>> {
    let (engine, report) = load(folder, ("spike", BEFORE_SPIKE), database)?;
    let mut all = Vec::new();
    for part in ["before", "spike", "after"] {
        let more = ["turned_away", "p50_ms", "p95_ms", "p99_ms"].map(|name| of(&report[part], name));
        all.push(Figure {
            more: more.into_iter().collect::<Result<_>>()?,
            ..Figure::alone(
                &format!("services/spike/{engine}/{part}"),
                of(&report[part], "per_second")?.1,
                "cases/s",
            )
        });
    }
    all.push(Figure {
        more: vec![of(&report, "last_handed_over_after_ms")?],
        ..Figure::alone(
            &format!("services/spike/{engine}/over"),
            of(&report, "over_after_s")?.1,
            "s after its end",
        )
    });
    Ok(all)
}

/// Status events that a portal takes a second by the national messages, and cases that are told whole.
fn told(programs: &Path) -> Result<Figure> {
    let place = Folder::new("words")?;
    let mut command = shell::program(programs.join("sen"));
    command
        .args(["bench-node", "words"])
        .arg(shell::root().join("packs/vn"))
        .arg(place.path())
        .args([TOLD_CASES.to_string(), TOLD_SECONDS.to_string()]);
    let text = shell::output(&mut command)?;
    let report: Value = serde_json::from_str(text.trim()).context("the count is JSON")?;
    let number = |name: &str| {
        report[name]
            .as_f64()
            .with_context(|| format!("the count has {name}"))
    };
    Ok(Figure {
        more: vec![("cases_per_second", number("cases_per_second")?)],
        ..Figure::alone("services/status-events", number("words_per_second")?, "events/s")
    })
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
