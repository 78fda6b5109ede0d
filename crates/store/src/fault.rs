//! Places at which a test lets the process die, to see that nothing acknowledged is lost there. Inert
//! unless the variable `SEN_CRASH_AT` names one (`site:nth`) when the process starts; then the process
//! aborts the nth time it comes by. Never changes what is written: only whether the process lives on.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that names a site and which time.
pub const VARIABLE: &str = "SEN_CRASH_AT";

/// Every site, in the order of the way of a write.
pub const SITES: &[&str] = &[
    "commit-before",
    "commit-after",
    "positions-after",
    "append-before",
    "append-half",
    "append-unflushed",
    "append-flushed",
    "segment-begun",
    "checkpoint-half",
    "checkpoint-unflushed",
    "body-half",
    "body-flushed",
    "blob-half",
    "blob-before-rename",
    "blob-after-rename",
    "outbox-before-delivery",
    "outbox-after-delivery",
    "outbox-after-mark",
];

/// The sites where records leave a log, in their order: not on a write's way.
pub const LEAVING: &[&str] = &["before-half", "before-written", "before-named", "segment-left"];

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    site: &'static str,
    nth: u64,
}

static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Dies here when this is the place and the time; otherwise one look at a variable in memory.
pub(crate) fn at(site: &'static str) {
    if due(site) {
        die();
    }
}

fn due(site: &'static str) -> bool {
    let plan = PLAN.get_or_init(|| std::env::var(VARIABLE).ok().as_deref().and_then(read));
    match plan {
        None => false,
        Some(plan) => {
            plan.site == site && PASSED.fetch_add(1, Ordering::Relaxed).saturating_add(1) == plan.nth
        }
    }
}

/// Writes all bytes, or half of them and dies, when this is the place and the time.
pub(crate) fn write_all(file: &mut File, bytes: &[u8], site: &'static str) -> io::Result<()> {
    if due(site) {
        file.write_all(&bytes[..bytes.len() / 2])?;
        die();
    }
    file.write_all(bytes)
}

/// As [`write_all`], at a place of the file.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64, site: &'static str) -> io::Result<()> {
    if due(site) {
        file.write_all_at(&bytes[..bytes.len() / 2], at)?;
        die();
    }
    file.write_all_at(bytes, at)
}

/// Ends the process as a kill does: nothing is flushed, closed or undone.
fn die() -> ! {
    std::process::abort()
}

/// `site:nth`, the nth from 1; nothing when it names no site.
fn read(text: &str) -> Option<Plan> {
    let (site, nth) = text.split_once(':')?;
    let site = SITES.iter().chain(LEAVING).find(|known| **known == site)?;
    let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
    Some(Plan { site, nth })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_a_known_site_and_a_time_from_one() {
        let plan = read("append-half:3").expect("a plan");
        assert_eq!((plan.site, plan.nth), ("append-half", 3));
        for wrong in ["append-half", "append-half:0", "nowhere:1", "append-half:x", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn without_the_variable_nothing_dies() {
        assert!(SITES.iter().all(|site| !due(site)));
    }
}
