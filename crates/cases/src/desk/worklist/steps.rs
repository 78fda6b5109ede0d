//! The part of the worklist with the cases whose step is late, the longest late first. Never what is owed to the
//! applicant: that has parts of its own.

use ::store::Reader;
use kernel::{OrgCode, Problem, Time};

use super::tabs::Counted;
use super::{List, WorklistItem, text_of};
use crate::desk::store::Place;
use crate::state::Cases;
use crate::store::steps::count_late_steps;

/// The part, as addresses name it.
pub(super) const STEP_LATE: &str = "step-late";

impl Cases {
    /// A page of it.
    pub(super) async fn steps_late(
        &self,
        reader: &Reader,
        unit: &OrgCode,
        (after, now): (Option<Place>, Time),
    ) -> Result<List, Problem> {
        let limit = self.store.limits().page_rows_max;
        let (at, code) = after.map_or((Time(i64::MIN), String::new()), |(at, code)| {
            (at, code.to_string())
        });
        let mut late = self
            .late_steps(reader, unit, ((at, &code), now), limit + 1)
            .await?;
        let more = late.len() > limit;
        late.truncate(limit);
        let last = late.last().filter(|_| more);
        let next = last.map(|(held, due)| text_of(&(*due, held.case.code.clone())));
        let item = |(held, due)| WorklistItem {
            step_due_at: Some(due),
            ..self.item(held, unit, now)
        };
        Ok(List {
            items: late.into_iter().map(item).collect(),
            next,
            counts: Vec::new(),
        })
    }

    /// How many there are, as a tab counts; none where nobody has such a step.
    pub(super) async fn steps_counted(
        &self,
        reader: &Reader,
        unit: &OrgCode,
        (now, most): (Time, usize),
    ) -> Result<Option<Counted>, Problem> {
        let found = count_late_steps(reader, unit, (now, most + 1)).await?;
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        Ok((found > 0).then(|| Counted {
            state: STEP_LATE,
            cases: found.min(limit),
            more: found > limit,
        }))
    }
}
