//! The same figures from zero: every fact folded again in memory, and compared with those in use.
//! Equal or not is a fact of its own; the figures in use are not touched.

use kernel::{Actor, Fact, Problem};

use crate::follow::{FOLLOWER, STEP};
use crate::project::project;
use crate::store::Values;
use crate::{Indicators, store as rows};

/// What a rebuild found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Rebuilt {
    /// How many facts were folded.
    pub facts: u64,
    /// True when every figure came out the same.
    pub equal: bool,
    /// The figures that differ: `counter org month: in use, rebuilt`.
    pub differences: Vec<String>,
}

impl Indicators {
    /// Rebuilds in memory and compares at one position.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rebuild(&self, actor: &Actor) -> Result<Rebuilt, Problem> {
        let (store, home) = (&self.0.store, &self.0.home);
        let (position, in_use) = store
            .write(home, &Actor::Platform, |tx| async move {
                Ok((tx.position(FOLLOWER).await?, rows::all_in(&tx).await?))
            })
            .await?;
        let fresh = self.counted_anew(position).await?;
        let differences = compare(&in_use, &fresh);
        let equal = differences.is_empty();
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
            equal,
            differences,
        })
    }

    async fn counted_anew(&self, end: u64) -> Result<Values, Problem> {
        let (mut values, mut position) = (Values::new(), 0);
        while position < end {
            let facts = self.0.store.facts_from(position, STEP).await?;
            let Some((last, _)) = facts.last() else {
                return Err(Problem::internal(format!(
                    "the fact log ends at {position}, before {end}"
                )));
            };
            position = last + 1;
            for increment in facts
                .iter()
                .filter(|(p, _)| *p < end)
                .flat_map(|(_, record)| project(record))
            {
                let key = (
                    increment.counter.code().to_owned(),
                    increment.org.to_string(),
                    increment.period,
                );
                *values.entry(key).or_default() +=
                    i64::try_from(increment.amount).map_err(Problem::internal)?;
            }
        }
        Ok(values)
    }
}

fn compare(in_use: &Values, fresh: &Values) -> Vec<String> {
    let mut keys: Vec<_> = in_use.keys().chain(fresh.keys()).collect();
    keys.sort();
    keys.dedup();
    let get = |values: &Values, key| values.get(key).copied().unwrap_or_default();
    keys.into_iter()
        .filter(|key| get(in_use, key) != get(fresh, key))
        .map(|key| {
            format!(
                "{} {} {}: {}, {}",
                key.0,
                key.1,
                key.2,
                get(in_use, key),
                get(fresh, key)
            )
        })
        .collect()
}
