//! Folding the fact log into counters by position: what was counted is never counted again.

use std::time::Duration;

use kernel::{Actor, Fact, FactRecord, Problem, Time};
use store::Tx;
use tokio::sync::watch;

use crate::open::Open;
use crate::project::{case_of, project};
use crate::tally::Tally;
use crate::{Indicators, store as rows};

/// The follower's name among the positions; a new one where all is counted anew.
pub(crate) const FOLLOWER: &str = "indicators-3";
/// The time of the newest fact, in milliseconds, kept as a position.
pub(crate) const NEWEST: &str = "indicators-newest";
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
        let facts = &facts;
        store
            .write(home, &Actor::Platform, |tx| async move {
                if tx.position(FOLLOWER).await? != from {
                    return Ok(()); // another process of this node was first
                }
                self.count(&tx, facts).await?;
                tx.set_position(FOLLOWER, to).await
            })
            .await?;
        self.0.folded.send_replace(to);
        Ok(facts.len())
    }

    async fn count(&self, tx: &Tx, facts: &[(u64, FactRecord)]) -> Result<(), Problem> {
        let mut open = Open::default();
        for (_, record) in facts {
            if let Some(case) = case_of(&record.fact)
                && !open.cases.contains_key(case.as_str())
            {
                rows::load_case(tx, &mut open, case.as_str()).await?;
            }
            if let Fact::AgreementInForce { agreement, .. }
            | Fact::AgreementRevoked { agreement, .. }
            | Fact::AgreementExpired { agreement } = &record.fact
            {
                rows::load_agreement(tx, &mut open, &agreement.hex()).await?;
            }
        }
        let (mut tally, mut newest) = (Tally::default(), tx.position(NEWEST).await?);
        for (position, record) in facts {
            newest = newest.max(u64::try_from(record.at.ms()).unwrap_or_default());
            for increment in project(record, &self.0.pack.levels, &mut open) {
                tally.add(*position, record.at, increment);
            }
        }
        rows::add(tx, &tally).await?;
        rows::save_open(tx, &open).await?;
        tx.set_position(NEWEST, newest).await?;
        rows::prune(tx, Time(i64::try_from(newest).map_err(Problem::internal)?)).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{House, UNIT};
    use kernel::Actor;

    #[tokio::test]
    async fn a_figure_moves_by_itself_soon_after_the_fact() {
        let house = House::new("G22").await;
        let (stop, shutdown) = watch::channel(false);
        let following = tokio::spawn(house.indicators.clone().follow(shutdown));
        house.filed(1).await;
        let moved = async {
            while house.value("cases-received", "H56").await != Some(1.0) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // Within a second where nothing else runs: the sealing wakes the follower, and no clock does.
        tokio::time::timeout(Duration::from_secs(20), moved)
            .await
            .expect("the API shows it");
        assert_eq!(house.value("cases-received", UNIT).await, Some(1.0));
        assert_eq!(house.value("online-full-share", "all").await, Some(100.0));
        stop.send(true).expect("the follower listens");
        following.await.expect("ends");
    }

    #[tokio::test]
    async fn every_number_equals_a_rebuild_from_the_first_fact() {
        let house = House::new("G22").await;
        for number in 1..=30 {
            house.filed(number).await;
            if number % 3 != 0 {
                let due = house.temp.store.world().now();
                house.temp.clock.advance_ms(i64::from(number % 2));
                house.decided(number, due).await;
            }
            house.exchanged(u64::from(number)).await;
            house.temp.clock.advance_ms(3 * 86_400_000);
            if number % 7 == 0 {
                house.fold().await;
            }
        }
        house.fold().await;
        let rebuilt = house.indicators.rebuild(&Actor::Platform).await.expect("rebuilt");
        assert_eq!(rebuilt.differences, Vec::<String>::new());
        assert!(rebuilt.equal && rebuilt.numbers > 200, "{rebuilt:?}");
    }

    #[tokio::test]
    async fn a_number_that_was_tampered_with_is_found_by_a_rebuild() {
        let house = House::new("G22").await;
        house.filed(1).await;
        house.fold().await;
        house
            .temp
            .store
            .write(&house.indicators.0.home, &Actor::Platform, |tx| async move {
                tx.exec(
                    "update indicators_counts set amount = 7 where tenant = $1 and org = 'H56'",
                    ::store::params![tx.tenant()],
                )
                .await
            })
            .await
            .expect("written");
        let rebuilt = house.indicators.rebuild(&Actor::Platform).await.expect("rebuilt");
        assert!(!rebuilt.equal && !rebuilt.differences.is_empty());
    }
}
