//! Due dates: how many a second one core counts with a compiled calendar, and how many with the working-out
//! that people see. Counts the same acceptances both ways, and refuses to tell a figure when they differ.

use std::path::Path;

use anyhow::{Context as _, ensure};
use cases::clock::{due, due_at};
use cases::procedure::{Starts, Term, TermRule};
use directory::calendars::Calendars;
use kernel::calendar::{Calendar, Compiled};
use kernel::fact::Channel;
use kernel::time::civil_date;
use kernel::{Time, World};

/// The unit by whose calendar is counted.
const UNIT: &str = "H56.15865";
/// Acceptances, count: one each few minutes of the years whose holidays are known.
const ACCEPTANCES: i64 = 100_000;
/// Of those, the ones that are counted with their working-out.
const SLOW_EACH: usize = 100;

/// Counts for some seconds and prints both figures as JSON.
///
/// # Errors
/// When the pack has no calendar, or the two ways differ.
pub fn count(pack: &Path, seconds: u32, world: &World) -> anyhow::Result<()> {
    let calendars = Calendars::load(pack)?;
    let calendar = calendars.of(&UNIT.parse().context("a code")?);
    let (first, last) = calendars.years();
    let first = civil_date(first, 1, 1).context("a first day")?;
    let last = civil_date(last, 12, 31).context("a last day")?;
    let compiled = Compiled::new(&calendar, first, last);
    let (begins, ends) = (Time::at(first, 0), Time::at(last, 0).plus_ms(-90 * 86_400_000));
    let step = (ends.ms() - begins.ms()) / ACCEPTANCES;
    let accepted: Vec<Time> = (0..ACCEPTANCES).map(|at| begins.plus_ms(at * step)).collect();
    let term = Term {
        channel: Channel::Online,
        starts: Starts::Acceptance,
        when: None,
        rule: TermRule::WorkingDays { days: 20 },
    };
    let few: Vec<Time> = accepted.iter().copied().step_by(SLOW_EACH).collect();
    same(&term, &calendar, &compiled, &few)?;
    let fast = rate(world, seconds, &accepted, |at| {
        due_at(&term, &compiled, at).map(Time::ms)
    });
    let slow = rate(world, seconds, &few, |at| {
        due(Some(&term), &calendar, at)
            .ok()
            .map(|counted| counted.due.ms())
    });
    println!(
        "{}",
        serde_json::json!({"per_second": fast, "slow_per_second": slow})
    );
    Ok(())
}

/// Both ways give the same dates.
fn same(term: &Term, calendar: &Calendar, compiled: &Compiled, accepted: &[Time]) -> anyhow::Result<()> {
    for at in accepted {
        let slow = due(Some(term), calendar, *at)?.due;
        let fast = due_at(term, compiled, *at);
        ensure!(
            fast == Some(slow),
            "accepted {}: {slow:?}, not {fast:?}",
            at.rfc3339()
        );
    }
    Ok(())
}

/// How often something is done in a second, over all instants again and again.
fn rate(world: &World, seconds: u32, accepted: &[Time], one: impl Fn(Time) -> Option<i64>) -> i64 {
    let begun = world.now();
    let until = begun.plus_ms(i64::from(seconds) * 1_000);
    let mut done = 0;
    loop {
        for at in accepted {
            std::hint::black_box(one(std::hint::black_box(*at)));
        }
        done += i64::try_from(accepted.len()).unwrap_or_default();
        let now = world.now();
        if now >= until {
            return done * 1_000 / (now.ms() - begun.ms()).max(1);
        }
    }
}
