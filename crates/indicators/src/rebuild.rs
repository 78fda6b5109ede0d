//! The same figures from zero: every fact folded again in memory, and compared with those in use:
//! counts, the rows behind them, what is open. Equal or not is a fact of its own; the figures in use
//! are not touched.

use std::collections::BTreeMap;

use kernel::{Actor, Fact, Problem, Time};

use crate::follow::{FOLLOWER, STEP};
use crate::open::Open;
use crate::project::project;
use crate::tally::Tally;
use crate::{Indicators, store as rows};

/// What a rebuild found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Rebuilt {
    /// How many facts were folded.
    pub facts: u64,
    /// How many numbers were compared.
    pub numbers: u64,
    /// True when every number came out the same.
    pub equal: bool,
    /// The numbers that differ, the first hundred: `name: in use, rebuilt`.
    pub differences: Vec<String>,
}

/// Differences told, count.
const DIFFERENCES_MAX: usize = 100;

/// Numbers by name.
type Numbers = BTreeMap<String, i64>;

impl Indicators {
    /// Rebuilds in memory and compares at one position.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rebuild(&self, actor: &Actor) -> Result<Rebuilt, Problem> {
        let (store, home) = (&self.0.store, &self.0.home);
        let (position, mut in_use, open) = store
            .write(home, &Actor::Platform, |tx| async move {
                Ok((
                    tx.position(FOLLOWER).await?,
                    rows::all_in(&tx).await?,
                    rows::all_open(&tx).await?,
                ))
            })
            .await?;
        name_open(&mut in_use, &open);
        let fresh = self.counted_anew(position).await?;
        let mut differences = compare(&in_use, &fresh);
        let equal = differences.is_empty();
        differences.truncate(DIFFERENCES_MAX);
        store
            .write(home, actor, |tx| async move {
                tx.fact(
                    "indicators",
                    Fact::IndicatorsRebuilt {
                        facts: position,
                        equal,
                    },
                )
                .await
            })
            .await?;
        Ok(Rebuilt {
            facts: position,
            numbers: fresh.len() as u64,
            equal,
            differences,
        })
    }

    async fn counted_anew(&self, end: u64) -> Result<Numbers, Problem> {
        let (mut tally, mut open, mut newest) = (Tally::default(), Open::default(), Time(0));
        let (mut all, mut position) = (Numbers::new(), 0);
        while position < end {
            let facts = self.0.store.facts_from(position, STEP).await?;
            let Some((last, _)) = facts.last() else {
                return Err(Problem::internal(format!(
                    "the fact log ends at {position}, before {end}"
                )));
            };
            position = last + 1;
            for (at, record) in facts.iter().filter(|(p, _)| *p < end) {
                newest = newest.max(record.at);
                for increment in project(record, &self.0.pack.levels, &mut open) {
                    tally.add(*at, record.at, increment);
                }
            }
            tally.prune(newest);
            name_rows(&mut all, &mut tally)?;
        }
        name_counts(&mut all, &tally)?;
        name_open(&mut all, &open);
        Ok(all)
    }
}

fn name_counts(all: &mut Numbers, tally: &Tally) -> Result<(), Problem> {
    for (k, amount) in &tally.counts {
        all.insert(
            format!("{} {} {} {} {}", k.counter, k.part, k.org, k.grain, k.period),
            i64::try_from(*amount).map_err(Problem::internal)?,
        );
    }
    Ok(())
}

/// The rows of a step, added up and let go: memory does not grow with them.
fn name_rows(all: &mut Numbers, tally: &mut Tally) -> Result<(), Problem> {
    for (counter, org, month, position) in std::mem::take(&mut tally.rows) {
        let position = i64::try_from(position).map_err(Problem::internal)?;
        *all.entry(format!("rows of {counter} {org} {month}")).or_default() += 1;
        *all.entry(format!("positions of {counter} {org} {month}"))
            .or_default() += position + 1;
    }
    Ok(())
}

/// What is open as numbers: its times added up, so that one that differs is seen.
fn name_open(all: &mut Numbers, open: &Open) {
    let ms = |time: Option<Time>| time.map_or(-1, Time::ms);
    for (case, c) in &open.cases {
        let name = |what: &str| format!("{what} of open case {case} at {}", c.org);
        all.insert(name("receipt"), c.received.ms());
        all.insert(name("due date"), ms(c.due));
        all.insert(name("decision"), ms(c.decided));
        all.insert(name("wait"), ms(c.paused));
    }
    for (agreement, (consumer, service)) in &open.agreements {
        all.insert(format!("agreement {agreement} {consumer} {service}"), 1);
    }
}

fn compare(in_use: &Numbers, fresh: &Numbers) -> Vec<String> {
    let mut keys: Vec<_> = in_use.keys().chain(fresh.keys()).collect();
    keys.sort();
    keys.dedup();
    let get = |numbers: &Numbers, key: &str| numbers.get(key).copied().unwrap_or_default();
    keys.into_iter()
        .filter(|key| get(in_use, key) != get(fresh, key))
        .map(|key| format!("{key}: {}, {}", get(in_use, key), get(fresh, key)))
        .collect()
}
