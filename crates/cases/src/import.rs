//! Running cases of another system, taken over by a desk: each read as `DongBoHoSoMC` has it, its status mapped to a state
//! of a named version, its promised date kept as promised. Shown line by line first, then written in chunks, once: a case
//! that is there is left alone. What has ended stays with the other system.
//!
//! | read | for |
//! |---|---|
//! | [`mod@read`] | a file: CSV with the message's fields as columns, or the message as JSON |
//! | [`table`] | how statuses and units of the other system are called here |
//! | [`judge`] | what a line becomes, or the rule that it breaks |
//! | `write` | the rows, facts and first words to the portal, in chunks |

pub mod judge;
pub mod read;
pub mod table;
#[cfg(test)]
mod tests;
mod write;

use kernel::{CaseCode, Problem, Time};

pub use judge::{Ready, Refused, Verdict};
pub use read::{Line, read};
pub use table::Table;

use crate::state::Cases;
use crate::store as rows;

/// What a file of cases would do, line by line.
#[derive(Debug, Default)]
pub struct Plan {
    /// What can be taken over.
    pub ready: Vec<Ready>,
    /// Lines of cases that are here already.
    pub there: Vec<(u64, CaseCode)>,
    /// Lines of cases that have ended: they stay where they are.
    pub ended: Vec<(u64, CaseCode)>,
    /// Lines that break a rule.
    pub refused: Vec<Refused>,
}

/// What was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Cases, count.
    pub taken: u64,
    /// Cases that had come meanwhile, count.
    pub there: u64,
}

impl Cases {
    /// What the lines of another system become here. Changes nothing.
    ///
    /// # Errors
    /// The store's own problems; what is wrong with a line is told with it.
    pub async fn plan_import(&self, lines: &[Line], table: &Table) -> Result<Plan, Problem> {
        let (mut plan, now) = (Plan::default(), self.store.world().now());
        let reader = self.store.read(&self.tenant).await?;
        let mut seen = std::collections::BTreeMap::new();
        for line in lines {
            match self.judge(line, table, now) {
                Err(refused) => plan.refused.push(refused),
                Ok(Verdict::Ended(code)) => plan.ended.push((line.number, code)),
                Ok(Verdict::Ready(ready)) => {
                    let code = ready.case.code.clone();
                    if let Some(first) = seen.insert(code.clone(), line.number) {
                        plan.refused.push(Refused::twice(line.number, first));
                    } else if rows::case(&reader, &code).await?.is_some() {
                        plan.there.push((line.number, code));
                    } else {
                        plan.ready.push(*ready);
                    }
                }
            }
        }
        Ok(plan)
    }

    /// Takes over what a plan found ready, in chunks; says after each how many are done. Cut short, it is run again.
    ///
    /// # Errors
    /// The store's own problems; chunks that were written stay.
    pub async fn import(
        &self,
        plan: &Plan,
        table: &Table,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<Done, Problem> {
        let mut done = Done::default();
        for chunk in plan.ready.chunks(write::CHUNK) {
            let taken = self.import_chunk(chunk, table).await?;
            done.taken += taken;
            done.there += chunk.len() as u64 - taken;
            told(done.taken + done.there);
        }
        Ok(done)
    }
}

/// When a case was received, and by when its result was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// When it was received.
    pub at: Time,
    /// By when its result was promised; `None` before it was accepted.
    pub due: Option<Time>,
}
