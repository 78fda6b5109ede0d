//! Folding the fact log into counters by position: what was counted is never counted again.

use std::time::Duration;

use kernel::{Actor, Problem};
use tokio::sync::watch;

use crate::project::project;
use crate::{Indicators, store as rows};

/// The follower's name among the positions.
pub(crate) const FOLLOWER: &str = "indicators";
/// Facts folded in one transaction, count.
pub(crate) const STEP: usize = 500;
/// How long to wait after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

impl Indicators {
    /// Folds what is new; gives how many facts it folded.
    ///
    /// # Errors
    /// When the store cannot be used; nothing is half counted then.
    pub async fn fold(&self) -> Result<usize, Problem> {
        let (store, home) = (&self.0.store, &self.0.home);
        let from = store
            .write(
                home,
                &Actor::Platform,
                |tx| async move { tx.position(FOLLOWER).await },
            )
            .await?;
        let facts = store.facts_from(from, STEP).await?;
        let Some((last, _)) = facts.last() else {
            return Ok(0);
        };
        let to = last + 1;
        let increments: Vec<_> = facts.iter().flat_map(|(_, record)| project(record)).collect();
        let increments = &increments;
        store
            .write(home, &Actor::Platform, |tx| async move {
                if tx.position(FOLLOWER).await? != from {
                    return Ok(()); // another process of this node was first
                }
                for increment in increments {
                    rows::add(&tx, increment).await?;
                }
                tx.set_position(FOLLOWER, to).await
            })
            .await?;
        Ok(facts.len())
    }

    /// Folds for as long as the node runs, woken by every sealed fact.
    pub async fn follow(self, mut shutdown: watch::Receiver<bool>) {
        let mut sealed = self.0.store.facts_watch();
        while !*shutdown.borrow() {
            match self.fold().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(problem) => {
                    tracing::error!(%problem, "folding facts into figures failed; trying again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            }
            tokio::select! {
                changed = sealed.changed() => if changed.is_err() { return },
                _ = shutdown.changed() => return,
            }
        }
    }
}
