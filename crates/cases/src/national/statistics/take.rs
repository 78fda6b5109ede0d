//! `DongBoThongKeHoSo` at a portal: what owners count of a month, kept by unit and month beside what the portal itself
//! has counted of the same cases. A later count takes the place of an earlier one. Never changes a case, and takes no
//! figure for its own.

use std::collections::BTreeMap;

use kernel::{Actor, Fact, OrgCode, Problem, Time};
use seal::merkle;
use serde::Deserialize as _;
use serde_json::Value;

use super::item::{self, StatisticsItem, Told};
use super::store::{self as kept, HeardRow};
use super::{Counts, Month};
use crate::national::message::{Answer, Envelope, Message, Refused, Why, answer_for, sent};
use crate::state::Cases;
use crate::store::Rows;

/// By which field an item is known.
const UNIT: &str = "MaDonVi";
/// The figures count from now on.
const TAKEN: &str = "taken";
/// They count in the place of others.
const REPLACED: &str = "replaced";

impl Cases {
    /// Takes the figures of a month, each item by itself; all of a message are of one month.
    ///
    /// # Errors
    /// Unavailable.
    pub(in crate::national) async fn take_statistics(
        &self,
        by: &Actor,
        from: &OrgCode,
        envelope: &Envelope,
    ) -> Result<Answer, Problem> {
        let (owner, latest, items) = (&from.top(), self.latest(), &envelope.data);
        let sender = envelope.madonvi.trim().parse().unwrap_or_else(|_| owner.clone());
        let mut month = None;
        let mut read: Vec<Result<Told, Refused>> = Vec::with_capacity(items.len());
        for item in items {
            let told = self.read_figures(item, &sender, latest);
            read.push(
                told.and_then(|told| match *month.get_or_insert(told.month) == told.month {
                    true => Ok(told),
                    false => Err(Refused::at("Thang", Why::Unreadable)),
                }),
            );
        }
        let own = match month {
            Some(month) => self.own_counts(owner, month, &read).await?,
            None => BTreeMap::new(),
        };
        let (read, own) = (&read, &own);
        let write = self.store.write(&self.tenant, by, |tx| async move {
            let mut outcomes = Vec::with_capacity(read.len());
            let (mut count, mut tree) = (0_u64, merkle::Frontier::new());
            for one in read {
                let told = match one {
                    Ok(told) => told,
                    Err(refused) => {
                        outcomes.push(Err(*refused));
                        continue;
                    }
                };
                let row = HeardRow {
                    unit: told.unit.clone(),
                    sender: owner.clone(),
                    told: told.figures,
                    own: own.get(&told.unit).copied().unwrap_or_default(),
                    counted: told.counted.unwrap_or_else(|| tx.now()),
                    heard: tx.now(),
                };
                let held = kept::heard(&tx, told.month, &told.unit).await?;
                let outcome = outcome(held.as_ref(), &row);
                if matches!(outcome, TAKEN | REPLACED) {
                    kept::keep(&tx, told.month, &row).await?;
                    count += 1;
                    tree.push(merkle::leaf_hash(told.digest.bytes()));
                }
                outcomes.push(Ok(outcome));
            }
            if count > 0 {
                let fact = Fact::CasesSynced {
                    owner: owner.clone(),
                    message: Message::Statistics.name().to_owned(),
                    items: count,
                    root: tree.root(),
                };
                tx.fact(&format!("synced/{owner}"), fact).await?;
            }
            Ok(outcomes)
        });
        let outcomes: Vec<Result<&'static str, Refused>> = write.await?;
        let answers = items.iter().zip(outcomes);
        let answers = answers.map(|(item, outcome)| answer_for(UNIT, sent(item, UNIT), outcome));
        Ok(Answer::told(answers.collect()))
    }

    /// An item, of a unit that there is or was.
    fn read_figures(&self, item: &Value, sender: &OrgCode, latest: Time) -> Result<Told, Refused> {
        let item = StatisticsItem::deserialize(item).map_err(|_| Refused::at("data", Why::Unreadable))?;
        let told = item::read(&item, sender, latest)?;
        match self.organisations.forms_of(&told.unit).is_empty() {
            true => Err(Refused::at(UNIT, Why::UnknownUnit)),
            false => Ok(told),
        }
    }

    /// What this portal has counted itself of the units that are told: of each the cases that it handles, and those
    /// below it.
    async fn own_counts(
        &self,
        owner: &OrgCode,
        month: Month,
        read: &[Result<Told, Refused>],
    ) -> Result<BTreeMap<OrgCode, Counts>, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let each = self.month_counts(&reader, owner, month).await?;
        let mut own = BTreeMap::new();
        for told in read.iter().flatten() {
            let mut sum = Counts::default();
            for (unit, counts) in &each {
                if told.unit.holds(unit) {
                    sum += *counts;
                }
            }
            if told.unit == *owner {
                sum += kept::count_synced(&reader, owner, month).await?;
            }
            own.insert(told.unit.clone(), sum);
        }
        Ok(own)
    }

    /// What an organisation and each unit below it had in a month, where it had anything: each case by the unit that
    /// handles it now.
    ///
    /// # Errors
    /// Unavailable.
    pub(super) async fn month_counts(
        &self,
        rows: &impl Rows,
        owner: &OrgCode,
        month: Month,
    ) -> Result<BTreeMap<OrgCode, Counts>, Problem> {
        let mut units = self.organisations.below(owner);
        units.push(owner.clone());
        let mut each = BTreeMap::new();
        for unit in units {
            let counts = kept::count(rows, &unit, month).await?;
            if !counts.is_nothing() {
                each.insert(unit, counts);
            }
        }
        Ok(each)
    }
}

/// What becomes of figures beside those that were heard before.
fn outcome(held: Option<&HeardRow>, row: &HeardRow) -> &'static str {
    match held {
        None => TAKEN,
        Some(held) if held.sender == row.sender && held.told == row.told => "heard-before",
        Some(held) if row.counted.seconds() < held.counted.seconds() => "late",
        Some(_) => REPLACED,
    }
}
