//! Processor time of running processes, from the kernel's own count.

use anyhow::{Context as _, Result};

use crate::shell;

/// Processor time a process and its children have used so far, in seconds.
pub(crate) fn seconds(pid: u32) -> Result<f64> {
    let ticks = ticks_per_second()?;
    let mut sum = 0_u64;
    for entry in std::fs::read_dir("/proc")
        .context("/proc cannot be read")?
        .flatten()
    {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if let Some(used) = parse(&stat).filter(|used| used.pid == pid || used.parent == pid) {
            sum += used.ticks;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "ticks of minutes are far below 2^52")]
    Ok(sum as f64 / ticks)
}

fn ticks_per_second() -> Result<f64> {
    let text = shell::output(shell::program("getconf").arg("CLK_TCK"))?;
    text.trim().parse().context("getconf CLK_TCK gives a number")
}

struct Used {
    pid: u32,
    parent: u32,
    ticks: u64,
}

/// Reads a line of `/proc/<pid>/stat`; the name in brackets may hold anything.
fn parse(stat: &str) -> Option<Used> {
    let (head, tail) = stat.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // Fields after the name: state, parent, … utime (14th of all), stime (15th).
    Some(Used {
        pid,
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a) b) c) S 7 42 42 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 3 0 100 1 1";
        let used = parse(stat).expect("a line");
        assert_eq!((used.pid, used.parent, used.ticks), (42, 7, 200));
    }
}
