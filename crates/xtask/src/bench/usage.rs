//! What running processes use, by the kernel's own count: processor time and memory.

use anyhow::{Context as _, Result};

use crate::shell;

/// Processor time a process and its children have used so far, in seconds.
pub(crate) fn seconds(pid: u32) -> Result<f64> {
    let ticks: u64 = family(pid)?.iter().map(|used| used.ticks).sum();
    #[expect(clippy::cast_precision_loss, reason = "ticks of minutes are far below 2^52")]
    Ok(ticks as f64 / ticks_per_second()?)
}

/// Memory a process and its children hold now, in MB. What they share counts once: each is charged its part.
pub(crate) fn megabytes(pid: u32) -> Result<f64> {
    let mut kilobytes = 0.0;
    for member in family(pid)? {
        let file = format!("/proc/{}/smaps_rollup", member.pid);
        let text = std::fs::read_to_string(&file).with_context(|| format!("{file} cannot be read"))?;
        kilobytes += proportional(&text).with_context(|| format!("{file} names its Pss"))?;
    }
    Ok(kilobytes * 1_024.0 / 1e6)
}

/// A process and its children.
fn family(pid: u32) -> Result<Vec<Used>> {
    let processes = std::fs::read_dir("/proc").context("/proc cannot be read")?;
    let used = processes
        .flatten()
        .filter_map(|entry| parse(&std::fs::read_to_string(entry.path().join("stat")).ok()?));
    Ok(used
        .filter(|used| used.pid == pid || used.parent == pid)
        .collect())
}

/// The line `Pss:` of `smaps_rollup`, in kilobytes of 1,024 bytes.
fn proportional(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_whitespace().next()?.parse().ok()
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

    #[test]
    fn memory_is_the_proportional_share_of_the_whole_process() {
        let text = "55d0 ---p 00000000 00:00 0 [rollup]\nRss:  14448 kB\nPss:   7170 kB\nPss_Dirty: 600 kB\n";
        assert_eq!(proportional(text), Some(7_170.0));
        assert_eq!(proportional("Rss: 1 kB"), None);
    }
}
