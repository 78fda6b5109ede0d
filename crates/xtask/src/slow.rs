//! `cargo xtask slow`: slow clients from one address, honest ones from another, and how long the honest
//! ones wait; then thousands from several addresses (`testbed::slow`), and a neighbour that is slow. Never a rule of the platform: the limits are `kernel/limits.rs`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{debian, programs, shell};

/// What the attack and the measurement call.
const NEEDS: &[debian::Need] = &[("slowhttptest", "slowhttptest"), ("curl", "curl")];
/// Slow connections held at once.
const CONNECTIONS: &str = "1000";
/// How long one attack lasts, in seconds.
const SECONDS: &str = "20";
/// What honest clients may wait, in milliseconds.
const P99_MS_MAX: f64 = 500.0;
/// How much longer others may wait while a neighbour is bad, in percent.
const GROWTH_PERCENT: &str = "20";
/// Requests of the honest client in an attack, and how many a second.
const REQUESTS: usize = 300;
const RATE: &str = "20/s";
/// Where the honest client calls from: another address than the attacker's.
const HONEST: &str = "127.0.0.2";

/// An attack by its name and its flags.
const ATTACKS: &[(&str, &[&str])] = &[
    ("no attack", &[]),
    ("slow headers", &["-H", "-i", "2"]),
    ("slow body", &["-B", "-i", "2", "-s", "8192"]),
    (
        "slow read",
        &["-X", "-n", "2", "-w", "8", "-y", "16", "-z", "4", "-k", "3"],
    ),
];

/// Runs every attack; true when the honest clients were served in time throughout.
///
/// # Errors
/// When something cannot be installed, built or run.
pub(crate) fn run(port: u16, release: bool) -> Result<bool> {
    debian::install(NEEDS)?;
    let folder = programs::build(release)?;
    let program = folder.join("sen");
    let data = std::env::temp_dir().join(format!("sen-slow-{}", std::process::id()));
    let mut nation = Nation(
        shell::program(&program)
            .args([
                "up",
                "--json",
                "--people",
                "200",
                "--port",
                &port.to_string(),
                "--data",
            ])
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let ready = nation.ready();
    let done = ready.and_then(|()| attacks(port));
    drop(nation);
    std::fs::remove_dir_all(&data).ok();
    let done = done?;
    let many = many(&folder)?;
    let peers = peers(release)?;
    Ok(done && many && peers)
}

/// Thousands at once from several addresses, at a page and at the face of systems.
fn many(folder: &Path) -> Result<bool> {
    // Each end of a connection is a file of its process.
    let mut command = shell::program("sh");
    command
        .args(["-c", r#"ulimit -n "$(ulimit -H -n)"; exec "$@""#, "sh"])
        .arg(folder.join("testbed"))
        .arg("slow")
        .arg(folder.join("sen"))
        .arg(format!("{P99_MS_MAX:.0}"));
    if std::env::var_os("SEN_LOG").is_none() {
        command.env("SEN_LOG", "off");
    }
    Ok(command.status().context("the testbed cannot be run")?.success())
}

/// A neighbour that is silent, speaks garbage or is slow, and how much longer calls of the others take.
fn peers(release: bool) -> Result<bool> {
    let mut command = shell::cargo(&["test", "--locked", "--package", "exchange", "--test", "suite"]);
    if release {
        command.arg("--release");
    }
    command
        .args(["peers::", "--", "--nocapture"])
        .env("SEN_TEST_GROWTH_PERCENT", GROWTH_PERCENT);
    Ok(command.status().context("the suite cannot be run")?.success())
}

/// The nation, ended when dropped.
struct Nation(Child);

impl Nation {
    fn ready(&mut self) -> Result<()> {
        let out = self.0.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        ensure!(
            line.contains("\"ready\":true"),
            "sen up did not become ready: {line}"
        );
        Ok(())
    }
}

impl Drop for Nation {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn attacks(port: u16) -> Result<bool> {
    // The ministry's sign-in: a page for everybody that also reads a body.
    let port = port + 1;
    let url = format!("http://127.0.0.1:{port}/sign-in");
    let mut in_time = true;
    println!("attack          p50 ms    p99 ms    max ms  refused   slow connections held at the end");
    for (name, flags) in ATTACKS {
        let attack = (!flags.is_empty()).then(|| attack(&url, flags)).transpose()?;
        let honest = honest(&url)?;
        let held = held(port)?;
        if let Some(mut attack) = attack {
            attack.wait()?;
        }
        let (p50, p99, max) = (honest.at(50), honest.at(99), honest.at(100));
        println!(
            "{name:<13} {p50:>8.1} {p99:>9.1} {max:>9.1} {:>8}   {held} of {CONNECTIONS}",
            honest.refused
        );
        in_time &= p99 <= P99_MS_MAX && honest.refused == 0;
    }
    println!(
        "{}",
        if in_time {
            "honest clients were served in time throughout"
        } else {
            "honest clients had to wait"
        }
    );
    Ok(in_time)
}

fn attack(url: &str, flags: &[&str]) -> Result<Child> {
    let mut command = Command::new("slowhttptest");
    command
        .args(flags)
        .args([
            "-c",
            CONNECTIONS,
            "-r",
            "500",
            "-l",
            SECONDS,
            "-p",
            "3",
            "-u",
            url,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().context("slowhttptest cannot be run")
}

/// Connections of the attacker that the server holds now, as the system's own table says.
fn held(port: u16) -> Result<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").context("the table of connections")?;
    Ok(of_table(&table, port))
}

/// Lines whose own end is 127.0.0.1 and the port, in state ESTABLISHED (01).
fn of_table(table: &str, port: u16) -> usize {
    let own = format!("0100007F:{port:04X}");
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|words| words.get(1) == Some(&own.as_str()) && words.get(3) == Some(&"01"))
        .count()
}

/// What the honest client measured, in milliseconds.
struct Honest {
    times: Vec<f64>,
    refused: usize,
}

impl Honest {
    /// The time that so many of a hundred requests did not exceed.
    fn at(&self, percent: usize) -> f64 {
        let place = (self.times.len() * percent).div_ceil(100).saturating_sub(1);
        self.times.get(place).copied().unwrap_or(f64::INFINITY)
    }
}

/// A new connection for every request, as new visitors make them.
fn honest(url: &str) -> Result<Honest> {
    let said = Command::new("curl")
        .args([
            "--interface",
            HONEST,
            "--silent",
            "--output",
            "/dev/null",
            "--rate",
            RATE,
        ])
        .args(["--max-time", "10", "--header", "Connection: close"])
        .args(["--write-out", "%{http_code} %{time_total}\\n"])
        .arg(format!("{url}?n=[1-{REQUESTS}]"))
        .output()
        .context("curl cannot be run")?;
    let mut honest = Honest {
        times: Vec::new(),
        refused: 0,
    };
    for line in String::from_utf8_lossy(&said.stdout).lines() {
        match line.split_once(' ') {
            Some(("200", seconds)) => honest.times.push(seconds.parse::<f64>()? * 1_000.0),
            _ => honest.refused += 1,
        }
    }
    honest.times.sort_by(f64::total_cmp);
    ensure!(!honest.times.is_empty(), "nothing answered at {url}");
    Ok(honest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_at_the_servers_end_and_while_they_are_open() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:46A1 0100007F:9C40 01 x\n   1: 0100007F:9C40 0100007F:46A1 01 x\n   2: 0100007F:46A1 0100007F:9C41 06 x\n";
        assert_eq!(of_table(table, 0x46A1), 1);
    }

    #[test]
    fn the_slowest_of_a_hundred_is_its_hundredth() {
        let honest = Honest {
            times: (1..=100).map(f64::from).collect(),
            refused: 0,
        };
        let close = |a: f64, b: f64| (a - b).abs() < 0.001;
        assert!(close(honest.at(50), 50.0) && close(honest.at(99), 99.0) && close(honest.at(100), 100.0));
    }
}
