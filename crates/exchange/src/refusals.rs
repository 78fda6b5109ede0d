//! Calls that an information system was refused, by the id that it was told: what never left has no
//! evidence, and this is all there is of it. In memory until the follower's next round, so that a refusal
//! waits for no disk; bounded, so that a flood leaves a count. Never a path, a header or a body.
//!
//! | module | holds |
//! |---|---|
//! | `store` | the SQL |

pub(crate) mod store;

use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{Actor, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::client::NotTold;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};

/// Rows of a minute, count; what is beyond is counted in one more.
const ROWS_PER_MINUTE: usize = 300;
/// Rows that may wait for the follower, count.
const WAITING_MAX: usize = 3_000;
/// In place of a problem's key: all that was beyond a minute's bound.
pub(crate) const MANY: &str = "many";

/// A call that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CallRefused {
    /// When, milliseconds since 1970.
    pub(crate) at: i64,
    /// What the caller was told: `detail` of X-Road's error, `instance` of ours.
    pub(crate) id: String,
    /// The organisation of this node that asked; empty when that could not be read.
    pub(crate) own: String,
    /// The system that asked; empty when that could not be read.
    pub(crate) consumer: String,
    /// The service; empty when that could not be read.
    pub(crate) service: String,
    /// The problem's key; `many` for all that was beyond a minute's bound.
    pub(crate) code: String,
    /// The exchange's id when the request had left: the evidence says the rest. Empty when it never left.
    pub(crate) request: String,
    /// How often: 1, or as many as were beyond the bound.
    pub(crate) times: i64,
}

/// Who asked for what, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) consumer: Option<SystemId>,
    pub(crate) service: Option<ServiceId>,
}

/// Refusals that no row says yet.
#[derive(Debug, Default)]
pub(crate) struct CallsRefused(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    minute: i64,
    /// Rows of this minute, count.
    count: usize,
    rows: Vec<CallRefused>,
}

impl CallsRefused {
    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, row: CallRefused) {
        let mut now = self.locked();
        let minute = row.at.div_euclid(60_000);
        if now.minute != minute {
            (now.minute, now.count) = (minute, 0);
        }
        now.count += 1;
        if now.count <= ROWS_PER_MINUTE && now.rows.len() < WAITING_MAX {
            now.rows.push(row);
            return;
        }
        match now.rows.last_mut() {
            Some(last) if last.code == MANY => last.times += 1,
            // Whose they are is not told apart: only who looks after the node sees the count.
            _ => now.rows.push(CallRefused {
                own: String::new(),
                consumer: String::new(),
                service: String::new(),
                code: MANY.to_owned(),
                request: String::new(),
                ..row
            }),
        }
    }

    fn drain(&self) -> Vec<CallRefused> {
        std::mem::take(&mut self.locked().rows)
    }
}

impl Exchange {
    /// Notes that a call was refused, and gives the id that the caller is told.
    pub(crate) fn note_call(&self, about: &About, refused: &NotTold) -> String {
        let id = self.0.store.world().uuid();
        let text = |name: Option<String>| name.unwrap_or_default();
        self.0.calls_refused.take(CallRefused {
            at: self.0.now().ms(),
            id: id.clone(),
            own: text(about.consumer.as_ref().map(|system| system.org.top().to_string())),
            consumer: text(about.consumer.as_ref().map(ToString::to_string)),
            service: text(about.service.as_ref().map(ToString::to_string)),
            code: refused.problem.code.to_owned(),
            request: text(refused.left.clone()),
            times: 1,
        });
        id
    }

    /// Writes down what was noted since, and forgets what is old.
    ///
    /// # Errors
    /// When the store cannot be written; what was noted is lost then, and stands in the log of the process.
    pub async fn tell_refused_calls(&self) -> Result<(), Problem> {
        let g = &*self.0;
        let rows = g.calls_refused.drain();
        if rows.is_empty() {
            return Ok(());
        }
        let (rows, now) = (&rows, g.now());
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                for row in rows {
                    store::insert(&tx, row).await?;
                }
                store::forget(&tx, now).await
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: i64, number: usize) -> CallRefused {
        CallRefused {
            at,
            id: format!("{at}-{number}"),
            own: "G22".to_owned(),
            consumer: "G22/portal".to_owned(),
            service: "G01/population/person-lookup".to_owned(),
            code: "agreement-missing".to_owned(),
            request: String::new(),
            times: 1,
        }
    }

    #[test]
    fn a_flood_of_refused_calls_makes_no_more_rows_than_a_minute_may_and_none_is_uncounted() {
        let calls = CallsRefused::default();
        for number in 0..10_000 {
            calls.take(row(0, number));
        }
        let rows = calls.drain();
        assert_eq!(rows.len(), ROWS_PER_MINUTE + 1);
        assert_eq!(rows.iter().map(|row| row.times).sum::<i64>(), 10_000);
        let last = rows.last().expect("one");
        assert_eq!((last.code.as_str(), last.consumer.as_str()), (MANY, ""));
        calls.take(row(1, 10_000));
        assert_eq!(calls.drain().len(), 1, "still that minute");
        calls.take(row(60_000, 0));
        assert_eq!(calls.drain(), [row(60_000, 0)], "the next minute");
    }
}
