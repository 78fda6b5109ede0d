//! Maintenance of the whole node: its operator says why and until when, and from then on no call is made
//! and none is answered, over a restart too, until it is taken back or its end has come. Pages, words
//! about agreements and the directory go on. Never what stops a call that has begun.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use kernel::{Actor, Fact, Kind, Problem, Tenant, Time};
use store::{Reader, Tx, params};

use crate::envelope::Told;
use crate::gateway::Exchange;
use crate::offered::entry::notice;

/// After how many seconds a caller may come back when nobody knows the end.
const RETRY_S: i64 = 300;
/// How far ahead the end may be, in milliseconds: a year that may be a leap year.
const AHEAD_MS_MAX: i64 = 366 * 86_400_000;

/// Why the node answers no call, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// What callers are told.
    pub notice: String,
    /// When it began.
    pub since: Time,
    /// The first instant behind it; none until it is taken back.
    pub until: Option<Time>,
}

/// Whether the node is in maintenance, as every call asks: one flag while it is not.
#[derive(Default)]
pub(crate) struct Mode {
    on: AtomicBool,
    held: RwLock<Option<Maintenance>>,
    /// One change at a time, so that row and memory say the same. Calls do not wait for it.
    changing: tokio::sync::Mutex<()>,
}

impl Mode {
    /// What the node was left in.
    pub(crate) async fn read(reader: &Reader) -> Result<Self, Problem> {
        let mode = Self::default();
        mode.hold(row(reader).await?);
        Ok(mode)
    }

    /// Refuses a call while the node is in maintenance.
    ///
    /// # Errors
    /// `node-maintenance`, with the notice.
    pub(crate) fn may_call(&self, node: &str, at: Time) -> Result<(), Problem> {
        if self.on.load(Ordering::Acquire) {
            self.refuse(node, at)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn refuse(&self, node: &str, at: Time) -> Result<(), Problem> {
        let Some(held) = self.at(at) else {
            return Ok(());
        };
        let left_ms = held.until.map(|until| until.ms() - at.ms());
        // Bounded again here: a clock that was set back makes any end a far one.
        let seconds = left_ms.map_or(RETRY_S, |ms| (ms.min(AHEAD_MS_MAX) + 999) / 1_000);
        Err(Problem::new(Kind::Unavailable, "node-maintenance")
            .with("node", node)
            .with("notice", held.notice)
            .with("seconds", seconds))
    }

    /// The maintenance in which the node is at an instant.
    pub(crate) fn at(&self, at: Time) -> Option<Maintenance> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let runs = |held: &&Maintenance| held.until.is_none_or(|until| at < until);
        held.as_ref().filter(runs).cloned()
    }

    fn is_over(&self, at: Time) -> bool {
        self.on.load(Ordering::Acquire) && self.at(at).is_none()
    }

    fn hold(&self, now: Option<Maintenance>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        self.on.store(now.is_some(), Ordering::Release);
        *held = now;
    }
}

impl Told {
    /// What a refusal for maintenance says to the other side; none for any other refusal.
    pub(crate) fn of(problem: &Problem) -> Option<Self> {
        let arg = |name: &str| {
            let found = problem.args.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        (problem.code == "node-maintenance").then(|| Self {
            notice: arg("notice"),
            seconds: arg("seconds").parse().unwrap_or_default(),
        })
    }

    /// Puts what the other side said into its refusal; a text that no operator could have written is
    /// left out.
    pub(crate) fn told(said: Option<&Self>, problem: Problem) -> Problem {
        if problem.code != "node-maintenance" {
            return problem;
        }
        let seconds = said.map_or(0, |told| told.seconds);
        let text = said.and_then(|told| notice("notice", &told.notice).ok());
        problem
            .with("notice", text.unwrap_or("–"))
            .with("seconds", seconds.clamp(1, 86_400))
    }
}

/// The notice of a maintenance that could begin now.
///
/// # Errors
/// As [`Exchange::begin_maintenance`].
pub(crate) fn sound(told: &str, until: Option<Time>, now: Time) -> Result<&str, Problem> {
    let told = notice("notice", told)?;
    if until.is_some_and(|until| until <= now || until > now.plus_ms(AHEAD_MS_MAX)) {
        return Err(Problem::invalid("until", "maintenance-until"));
    }
    Ok(told)
}

/// What the facts of a node's maintenance hang on.
fn subject(node: &str) -> String {
    format!("node/{node}")
}

impl Exchange {
    /// The maintenance in which this node is now.
    #[must_use]
    pub fn maintenance(&self) -> Option<Maintenance> {
        self.0.maintenance.at(self.0.now())
    }

    /// Puts the node in maintenance, or changes its notice and its end.
    ///
    /// # Errors
    /// 422 `field-missing` or `service-notice` at `notice`, `maintenance-until` at `until` when that is
    /// not ahead, or more than 366 days; conflict `stale` when it is so already.
    pub async fn begin_maintenance(
        &self,
        told: &str,
        until: Option<Time>,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let g = &*self.0;
        let _turn = g.maintenance.changing.lock().await;
        let now = g.now();
        let told = sound(told, until, now)?.to_owned();
        let before = g.maintenance.at(now);
        let since = before.as_ref().map_or(now, |before| before.since);
        let wanted = Maintenance {
            notice: told,
            since,
            until,
        };
        if before.as_ref() == Some(&wanted) {
            return Err(Problem::stale());
        }
        let new = &wanted;
        g.store
            .write(&g.home, actor, |tx| async move {
                save(&tx, new).await?;
                let fact = Fact::NodeMaintenanceBegan {
                    node: g.node.clone(),
                    notice: new.notice.clone(),
                    until: new.until,
                };
                tx.fact(&subject(&g.node), fact).await.map(drop)
            })
            .await?;
        g.maintenance.hold(Some(wanted));
        Ok(())
    }

    /// Ends the maintenance: calls are made and answered again.
    ///
    /// # Errors
    /// Conflict `maintenance-none` when the node is in none.
    pub async fn end_maintenance(&self, actor: &Actor) -> Result<(), Problem> {
        let _turn = self.0.maintenance.changing.lock().await;
        self.end_in_turn(actor).await
    }

    /// As [`Exchange::end_maintenance`], by who has the turn.
    async fn end_in_turn(&self, actor: &Actor) -> Result<(), Problem> {
        let g = &*self.0;
        let done = g
            .store
            .write(&g.home, actor, |tx| async move {
                if !drop_row(&tx, tx.tenant()).await? {
                    return Err(Problem::new(Kind::Conflict, "maintenance-none"));
                }
                let fact = Fact::NodeMaintenanceEnded { node: g.node.clone() };
                tx.fact(&subject(&g.node), fact).await.map(drop)
            })
            .await;
        let failed = done.as_ref().is_err_and(|p| p.code != "maintenance-none");
        // Also when the row was gone: who ended it before may have hung up between row and memory.
        if !failed {
            g.maintenance.hold(None);
        }
        done
    }

    /// Notes that the maintenance has come to its end; calls are answered from that instant on, whether
    /// this has run or not.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn note_maintenance_over(&self) -> Result<(), Problem> {
        let _turn = self.0.maintenance.changing.lock().await;
        // Asked in turn: an operator may just have prolonged it.
        if !self.0.maintenance.is_over(self.0.now()) {
            return Ok(());
        }
        match self.end_in_turn(&Actor::Platform).await {
            Err(ended) if ended.kind == Kind::Conflict => Ok(()),
            done => done,
        }
    }
}

async fn row(reader: &Reader) -> Result<Option<Maintenance>, Problem> {
    let row = reader
        .one(
            "select notice, since, until from exchange_maintenance where tenant = $1",
            params![reader.tenant()],
        )
        .await?;
    row.map(|row| {
        Ok(Maintenance {
            notice: row.text("notice")?,
            since: row.time("since")?,
            until: row.opt_int("until")?.map(Time),
        })
    })
    .transpose()
}

async fn save(tx: &Tx, one: &Maintenance) -> Result<(), Problem> {
    tx.exec(
        "insert into exchange_maintenance (tenant, notice, since, until) values ($1, $2, $3, $4) \
         on conflict (tenant) do update set notice = excluded.notice, since = excluded.since, \
         until = excluded.until",
        params![tx.tenant(), &one.notice, one.since, one.until],
    )
    .await?;
    Ok(())
}

async fn drop_row(tx: &Tx, tenant: &Tenant) -> Result<bool, Problem> {
    let gone = tx
        .exec(
            "delete from exchange_maintenance where tenant = $1",
            params![tenant],
        )
        .await?;
    Ok(gone == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_beyond_all_bounds_still_tells_callers_when_to_come_back() {
        let mode = Mode::default();
        mode.hold(Some(Maintenance {
            notice: "upgrade".to_owned(),
            since: Time(0),
            until: Some(Time(i64::MAX)),
        }));
        let refused = mode.may_call("ministry", Time(0)).expect_err("refused");
        let told = Told::of(&refused).expect("a maintenance");
        assert_eq!(i64::from(told.seconds), AHEAD_MS_MAX / 1_000);
    }
}
