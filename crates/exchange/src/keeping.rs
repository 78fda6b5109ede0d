//! Bodies kept by agreement: flushed before the record that names them, read again for who may, destroyed
//! when their term is over. Never a body of a call that was not answered, and none without its record.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use kernel::time::iso;
use kernel::{Actor, Date, Fact, Kind, Problem, Time};
use store::bodies::Body;

use crate::agreement::Agreement;
use crate::envelope::{Evidence, Kept, Message, Stored};
use crate::gateway::{Exchange, Gateway};
use crate::kept::KeptBodies;
use crate::spool::Spool;
use crate::traffic::Grain;

/// A body on its way, in memory or on disk.
#[derive(Clone)]
pub(crate) struct Loose {
    pub(crate) bytes: Bytes,
    pub(crate) spool: Option<Arc<Spool>>,
}

/// What an agreement has kept of one exchange.
pub(crate) struct Keeping {
    pub(crate) rule: KeptBodies,
    /// The request's body, when it is to be kept.
    pub(crate) request: Option<Loose>,
}

impl Keeping {
    /// What is kept of a message that is about to leave; nothing is copied when nothing is kept.
    pub(crate) fn of_request(rule: Option<KeptBodies>, message: &Message) -> Option<Self> {
        let rule = rule?;
        let request = rule.has_request().then(|| Loose {
            bytes: Bytes::copy_from_slice(&message.body),
            spool: message.spool.clone(),
        });
        Some(Self { rule, request })
    }
}

/// The end of a day, from which its bodies are gone.
fn end_of(day: Date) -> Time {
    day.next_day().map_or(Time(i64::MAX), |next| Time::at(next, 0))
}

impl Stored {
    /// The last day on which the body is there.
    #[must_use]
    pub fn day(&self) -> Date {
        Time(self.until).plus_ms(-1).date()
    }
}

impl Gateway {
    /// Keeps the bodies of an answered exchange: they are on the disk when this returns, and the record says
    /// where. One flush for both, which others share.
    ///
    /// # Errors
    /// Full `no-room`; Unavailable.
    pub(crate) async fn keep_bodies(
        &self,
        keeping: &Keeping,
        answer: Loose,
        ended: Time,
    ) -> Result<(Option<Stored>, Option<Stored>), Problem> {
        let day = keeping.rule.until(ended);
        let answer = keeping.rule.has_answer().then_some(&answer);
        let both = [keeping.request.as_ref(), answer];
        let small = |body: &&Loose| body.spool.is_none() && !body.bytes.is_empty();
        let in_memory: Vec<&[u8]> = both
            .iter()
            .flatten()
            .filter(|body| small(body))
            .map(|b| &b.bytes[..])
            .collect();
        let bodies = self.store.bodies();
        let mut places = if in_memory.is_empty() {
            Vec::new()
        } else {
            bodies.append(day, &in_memory).await?
        }
        .into_iter();
        let mut stored = [None, None];
        for (body, stored) in both.into_iter().zip(&mut stored) {
            let at = match body {
                Some(body) if small(&body) => places.next(),
                Some(Loose {
                    spool: Some(spool), ..
                }) => {
                    let parts = Arc::clone(spool).pieces();
                    Some(bodies.append_large(day, spool.len(), parts).await?)
                }
                _ => None,
            };
            *stored = at.map(|at| Stored {
                until: end_of(day).ms(),
                at,
            });
        }
        let [request, answer] = stored;
        metrics::counter!("sen_exchange_bodies_kept_total")
            .increment(u64::from(request.is_some()) + u64::from(answer.is_some()));
        Ok((request, answer))
    }

    /// The kept body of a message.
    ///
    /// # Errors
    /// Not found: `body-not-kept`; `body-destroyed` when its term is over. Internal `body-damaged`.
    pub(crate) async fn body_of(&self, kept: &Kept) -> Result<Body, Problem> {
        let not_kept = || Problem::new(Kind::NotFound, "body-not-kept");
        let stored = kept.stored.as_ref().ok_or_else(not_kept)?;
        let destroyed = |problem: Problem| problem.with("until", kernel::time::day_month_year(stored.day()));
        if self.now().ms() >= stored.until {
            return Err(destroyed(Problem::new(Kind::NotFound, "body-destroyed")));
        }
        let body = self.store.bodies().find(stored.day(), stored.at).await;
        let body = body.map_err(destroyed)?;
        if body.size() == kept.size {
            Ok(body)
        } else {
            Err(Problem::new(Kind::Internal, "body-damaged").because("a body of another size"))
        }
    }
}

/// Writes into a record where its bodies are.
pub(crate) fn note(record: &mut Evidence, request: Option<Stored>, answer: Option<Stored>) {
    if request.is_none() && answer.is_none() {
        return;
    }
    record.version = crate::envelope::EVIDENCE_WITH_BODIES;
    record.request.stored = request;
    if let Some(kept) = &mut record.answer {
        kept.stored = answer;
    }
}

impl Exchange {
    /// Refuses a text that would have this node keep bodies for longer than it may.
    ///
    /// # Errors
    /// 422 `agreement-bodies-days`.
    pub(crate) fn may_keep(&self, text: &Agreement) -> Result<(), Problem> {
        let max = self.0.store.limits().exchange_bodies_days_max;
        match text.kept_bodies() {
            Some(rule) if rule.days() > max => {
                Err(Problem::invalid("keep_bodies_days", "agreement-bodies-days").with("max", max))
            }
            _ => Ok(()),
        }
    }

    /// As [`Exchange::destroy_bodies`], at the first call of an hour.
    /// That it failed is told in the log: what else the node does goes on.
    pub(crate) async fn destroy_bodies_once_an_hour(&self) {
        let hour = Grain::Hour.begin(self.0.now()).ms();
        if self.0.destroyed.swap(hour, Ordering::AcqRel) == hour {
            return;
        }
        if let Err(problem) = self.destroy_bodies().await {
            tracing::error!(%problem, "bodies whose term is over are left for the next hour");
        }
    }

    /// Destroys the bodies whose last day is over, and says so in a fact a day; gives how many days.
    ///
    /// # Errors
    /// When the store cannot be used; what is left is destroyed the next time.
    pub async fn destroy_bodies(&self) -> Result<usize, Problem> {
        let g = &*self.0;
        let (bodies, today) = (g.store.bodies(), g.now().date());
        let mut days = bodies.days().await?;
        days.retain(|day| *day < today);
        for day in &days {
            bodies.destroy(*day).await?;
            let fact = || Fact::BodiesDestroyed { until: iso(*day) };
            let written = g.store.write(&g.home, &Actor::Platform, |tx| async move {
                tx.fact(&format!("bodies/{}", iso(*day)), fact()).await.map(drop)
            });
            written.await?;
        }
        Ok(days.len())
    }
}
