//! The job that tells who is above of what has become late: the steps whose hours have passed, once each, every one in a
//! write of its own. Run twice, it tells nothing the second time.

use ::store::Tx;
use kernel::{Actor, Fact, Problem, Time};
use obligations::Obligation;

use super::obligation;
use super::store::{self as list, New, Overdue};
use crate::escalation::Step;
use crate::state::Cases;
use crate::store::{self as rows, subject};

impl Cases {
    /// Tells who is above of the cases that are late; says how many steps were told.
    ///
    /// # Errors
    /// The store's own problems; what was told before stays told.
    pub async fn escalate(&self) -> Result<u64, Problem> {
        if self.catalogue.escalations().is_empty() {
            return Ok(0);
        }
        let (mut done, now) = (0, self.store.world().now());
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = (Time(i64::MIN), String::new());
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let page = list::overdue(&reader, (after.0, &after.1), (now, limit)).await?;
            drop(reader);
            for overdue in &page {
                done += self.escalate_one(overdue, now).await?;
            }
            match page.last() {
                Some(last) if page.len() == limit => after = (last.due, last.code.to_string()),
                _ => break,
            }
        }
        if done > 0 {
            tracing::info!(told = done, "late cases were told to who is above");
        }
        Ok(done)
    }

    /// The steps of one case that have come and were not told.
    async fn escalate_one(&self, overdue: &Overdue, now: Time) -> Result<u64, Problem> {
        let steps = self.catalogue.escalations().steps(overdue.due.date());
        let late = self.calendars.of(&overdue.unit).between(overdue.due, now);
        let mut done = 0;
        for (number, step) in (1u32..).zip(steps).skip(overdue.told as usize) {
            if late < step.late_minutes() {
                break;
            }
            done += u64::from(self.tell_step(overdue, number, step).await?);
        }
        Ok(done)
    }

    async fn tell_step(&self, overdue: &Overdue, number: u32, step: &Step) -> Result<bool, Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                self.tell(&tx, overdue, number, step).await
            })
            .await
    }

    /// Row, obligation and fact at once, while the case is still as late as it was found.
    async fn tell(&self, tx: &Tx, overdue: &Overdue, number: u32, step: &Step) -> Result<bool, Problem> {
        let Some(held) = rows::case(tx, &overdue.code).await? else {
            return Ok(false);
        };
        if !matches!(held.status, 2 | 4) || held.due_at != Some(overdue.due) {
            return Ok(false);
        }
        let case = held.case;
        let told = step.told(&case.unit, &self.tenant);
        let days = i64::from(step.answer_days);
        let owed = self.calendars.of(told).days_after(tx.now(), days).end;
        let new = New {
            code: &case.code,
            missed: overdue.due,
            step: number,
            told,
            role: &step.role,
            owed,
        };
        if !list::insert(tx, &new).await? {
            return Ok(false);
        }
        let owes = Obligation {
            id: obligation(&case, overdue.due, number),
            kind: "case-escalation".to_owned(),
            debtor: told.clone(),
            about: case.code.to_string(),
            due: owed,
        };
        obligations::open(tx, &owes).await?;
        let fact = Fact::CaseEscalated {
            case: case.code.clone(),
            step: number,
            to: told.clone(),
            role: step.role.clone(),
            owed_by: owed,
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(true)
    }
}
