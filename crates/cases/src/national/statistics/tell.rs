//! The owner's job: once a month is over, each portal that is spoken to by the national messages is told what the
//! organisation and its units had in it. Until the next month is over it is counted once a day again, and what is
//! otherwise then is told in the place of what was. Never tells a figure that was not counted from the cases.

use std::collections::BTreeMap;

use exchange::SystemId;
use kernel::digest::canonical_json;
use kernel::time::iso;
use kernel::{Actor, Date, Digest, Fact, OrgCode, Problem};
use seal::merkle;

use super::item::{StatisticsItem, item};
use super::store as kept;
use super::{Counts, Figures, Month};
use crate::national::message::Message;
use crate::national::send::Saying;
use crate::state::Cases;

impl Cases {
    /// Tells the figures of the month that is over where they were not told, or are others now; says how many.
    ///
    /// # Errors
    /// The gateway's refusals; `national-refused` when a portal does not take them: what was told before stays told.
    pub async fn tell_statistics(&self) -> Result<u64, Problem> {
        let today = self.today();
        let month = Month::of(today).before();
        let portals = self.catalogue.dialects().portals(&self.tenant, month.last_day());
        let mut told = 0;
        for portal in portals {
            told += self.tell_month(portal, month, today).await?;
        }
        Ok(told)
    }

    async fn tell_month(&self, portal: &str, month: Month, today: Date) -> Result<u64, Problem> {
        let day = &iso(today);
        let reader = self.store.read(&self.tenant).await?;
        if kept::is_counted(&reader, portal, (month, day)).await? {
            return Ok(0);
        }
        let before: BTreeMap<OrgCode, Counts> =
            kept::told(&reader, portal, month).await?.into_iter().collect();
        let now = self.figures(&reader, month, &before).await?;
        drop(reader);
        let changed: Vec<(OrgCode, Counts)> = now
            .into_iter()
            .filter(|(unit, counts)| before.get(unit) != Some(counts))
            .collect();
        for part in changed.chunks(self.store.limits().national_items_max.max(1)) {
            self.tell_part(portal, month, (part, !before.is_empty())).await?;
        }
        let write = self.store.write(&self.tenant, &Actor::Platform, |tx| async move {
            kept::note_counted(&tx, portal, (month, day)).await
        });
        write.await?;
        Ok(changed.len() as u64)
    }

    /// The figures of the organisation, whole, and of each unit that had anything or was told of before.
    async fn figures(
        &self,
        reader: &::store::Reader,
        month: Month,
        before: &BTreeMap<OrgCode, Counts>,
    ) -> Result<BTreeMap<OrgCode, Counts>, Problem> {
        let mut all = self.month_counts(reader, &self.tenant, month).await?;
        let mut whole = Counts::default();
        for counts in all.values() {
            whole += *counts;
        }
        for unit in before.keys() {
            all.entry(unit.clone()).or_default();
        }
        all.insert(self.tenant.clone(), whole);
        Ok(all)
    }

    async fn tell_part(
        &self,
        portal: &str,
        month: Month,
        (part, again): (&[(OrgCode, Counts)], bool),
    ) -> Result<(), Problem> {
        let system: SystemId = portal.parse().map_err(Problem::internal)?;
        let now = self.store.world().now();
        let items: Vec<StatisticsItem> = part
            .iter()
            .map(|(unit, counts)| item(unit, month, &Figures::of(*counts), now))
            .collect();
        let mut tree = merkle::Frontier::new();
        for one in &items {
            let json = canonical_json(one).map_err(Problem::internal)?;
            tree.push(merkle::leaf_hash(Digest::of(json.as_bytes()).bytes()));
        }
        let root = tree.root();
        let saying = Saying::all(Message::Statistics, &items, if again { "True" } else { "False" })?;
        let key = format!("statistics/{month}/{}", root.hex());
        self.say(&system, None, &key, saying).await?;
        let (to, count) = (&system.org, items.len() as u64);
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                for (unit, counts) in part {
                    kept::note_told(&tx, (portal, month), (unit, counts)).await?;
                }
                let fact = Fact::StatisticsTold {
                    portal: to.clone(),
                    month: month.to_string(),
                    items: count,
                    root,
                };
                tx.fact(&format!("statistics/{portal}"), fact).await?;
                Ok(())
            })
            .await
    }
}
