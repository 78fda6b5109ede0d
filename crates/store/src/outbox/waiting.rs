//! What waits for delivery, as whoever looks after a node sees it: by topic, and line by line with what came
//! of its last try; and the word to try again at once. Never brings a term forward, never takes a line away.

use kernel::{Problem, Tenant, Time};

use super::{OutboxLine, line};
use crate::{Store, Tx, params};

/// Lines brought forward by one word: the first whose turn would have come.
const AGAIN: usize = 10_000;

/// What waits under one topic of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxTopic {
    /// Which handler delivers it.
    pub topic: String,
    /// Lines that wait, count.
    pub lines: u64,
    /// Those among them that were tried and failed, count.
    pub failed: u64,
    /// Tries of the one that was tried most often, count.
    pub attempts: u64,
    /// When the oldest was written.
    pub oldest: Time,
}

/// How far one topic of a tenant is behind, because the other side is not heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxLag {
    /// Lines that wait, count; no more than were looked at.
    pub lines: u64,
    /// Those among them whose last try failed for one of the reasons asked about, count.
    pub unheard: u64,
    /// When the oldest of those was written; none when there is none.
    pub since: Option<Time>,
}

impl Store {
    /// How far a topic of a tenant is behind: what waits, and what of it failed last for one of four reasons (keys of
    /// problems). Looks at so many lines and no more.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_lag(
        &self,
        tenant: &Tenant,
        topic: &str,
        [first, second, third, fourth]: [&str; 4],
        rows_max: usize,
    ) -> Result<OutboxLag, Problem> {
        let row = self
            .reader(tenant)
            .one(
                "select count(*) as lines,
                   count(case when w.last_problem in ($3, $4, $5, $6) then 1 end) as unheard,
                   coalesce(min(case when w.last_problem in ($3, $4, $5, $6) then w.created end), 0) as since
                 from (select last_problem, created from store_outbox where tenant = $1 and topic = $2 limit $7) as w",
                params![tenant, topic, first, second, third, fourth, rows_max],
            )
            .await?;
        let Some(row) = row else {
            return Ok(OutboxLag::default());
        };
        Ok(OutboxLag {
            lines: row.count("lines")?,
            unheard: row.count("unheard")?,
            since: Some(row.time("since")?).filter(|since| since.ms() > 0),
        })
    }

    /// What waits for a tenant, by topic.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_topics(&self, tenant: &Tenant) -> Result<Vec<OutboxTopic>, Problem> {
        let rows = self
            .reader(tenant)
            .all(
                "select topic, count(*) as lines, count(case when attempts > 0 then 1 end) as failed,
                   max(attempts) as attempts, min(created) as oldest
                 from store_outbox where tenant = $1 group by topic order by topic",
                params![tenant],
            )
            .await?;
        let topics = rows.iter().map(|row| {
            Ok(OutboxTopic {
                topic: row.text("topic")?,
                lines: row.count("lines")?,
                failed: row.count("failed")?,
                attempts: row.count("attempts")?,
                oldest: row.time("oldest")?,
            })
        });
        topics.collect()
    }

    /// Lines of a topic behind one of them (its key and number), by key and order.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_lines(
        &self,
        tenant: &Tenant,
        topic: &str,
        (key, seq): (&str, u64),
        rows_max: usize,
    ) -> Result<Vec<OutboxLine>, Problem> {
        let rows = self
            .reader(tenant)
            .all(
                "select tenant, topic, key, seq, id, payload, attempts, created, next_at, last_at, last_problem
                 from store_outbox where tenant = $1 and topic = $2 and (key, seq) > ($3, $4)
                 order by key, seq limit $5",
                params![tenant, topic, key, seq, rows_max],
            )
            .await?;
        rows.iter().map(line).collect()
    }
}

impl Tx {
    /// Has the lines of a topic that failed tried again at once: all of them, or those of one key; how many had
    /// been waiting for their next try. A line that was never tried keeps its term.
    ///
    /// # Errors
    /// 404 when nothing waits there; as [`Tx::exec`].
    pub async fn outbox_again(&self, topic: &str, key: Option<&str>) -> Result<u64, Problem> {
        let key = key.unwrap_or_default();
        let there = self
            .one(
                "select seq from store_outbox where tenant = $1 and topic = $2 and ($3 = '' or key = $3) limit 1",
                params![self.tenant(), topic, key],
            )
            .await?;
        if there.is_none() {
            return Err(Problem::not_found());
        }
        self.exec(
            "update store_outbox set next_at = $4
             where tenant = $1 and topic = $2 and attempts > 0 and next_at > $4 and key in (
               select key from store_outbox
               where tenant = $1 and topic = $2 and ($3 = '' or key = $3) and attempts > 0 and next_at > $4
               order by next_at limit $5)",
            params![self.tenant(), topic, key, self.now(), AGAIN],
        )
        .await
    }
}
