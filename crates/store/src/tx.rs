//! What a write ([`Tx`]) and a read ([`Reader`]) can do. Both belong to one tenant and say so;
//! neither ever shows a driver's type.

use std::sync::Arc;

use kernel::{Actor, Fact, FactRecord, Problem, Tenant, Time, World};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement};
use tokio::sync::Mutex;

use crate::error::{Fault, fault, problem};
use crate::value::{Row, Value};
use crate::{Engine, params};

/// One statement in the two engines' words, where they cannot share a text. Counted by a test.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// SQLite's text.
    pub sqlite: &'static str,
    /// PostgreSQL's text.
    pub postgres: &'static str,
}

impl Pair {
    /// The text for an engine.
    #[must_use]
    pub const fn for_engine(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

/// A write in progress: see [`Store::write`](crate::Store::write). A cheap handle. A statement that
/// fails ends the write on both engines (PostgreSQL can do nothing else), even when the work goes
/// on as if it had not: say `on conflict do nothing` where a key may be there. A handle kept past
/// its write refuses everything.
#[derive(Clone, Debug)]
pub struct Tx {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    tenant: Tenant,
    actor: Actor,
    now: Time,
    world: World,
    engine: Engine,
    live: Mutex<Live>,
}

#[derive(Debug)]
struct Live {
    /// The transaction this write stands in; taken away when the write ends.
    transaction: Option<Arc<DatabaseTransaction>>,
    /// The first failed statement.
    failed: Option<(Fault, Problem)>,
}

/// How a write ended, as its statements saw it.
pub(crate) struct Ended {
    pub(crate) transaction: Option<Arc<DatabaseTransaction>>,
    pub(crate) failed: Option<(Fault, Problem)>,
}

/// For whom a write is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) actor: &'a Actor,
    pub(crate) world: &'a World,
}

impl Tx {
    pub(crate) fn new(scope: Scope<'_>, engine: Engine, transaction: Arc<DatabaseTransaction>) -> Self {
        Self {
            inner: Arc::new(Inner {
                tenant: scope.tenant.clone(),
                actor: scope.actor.clone(),
                now: scope.world.now(),
                world: scope.world.clone(),
                engine,
                live: Mutex::new(Live {
                    transaction: Some(transaction),
                    failed: None,
                }),
            }),
        }
    }

    /// Ends the write for every clone of the handle, after the statement that is under way.
    pub(crate) async fn end(&self) -> Ended {
        let mut live = self.inner.live.lock().await;
        Ended {
            transaction: live.transaction.take(),
            failed: live.failed.take(),
        }
    }

    /// The tenant of the write.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.inner.tenant
    }

    /// Who writes.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.inner.actor
    }

    /// The instant of the write: the same all through it.
    #[must_use]
    pub fn now(&self) -> Time {
        self.inner.now
    }

    /// A new id: see [`kernel::World::id`].
    #[must_use]
    pub fn id(&self) -> String {
        self.inner.world.id()
    }

    /// Runs a statement; how many rows it changed.
    ///
    /// # Errors
    /// Conflict `already-there` for a key that is there, Full `no-room`, Unavailable
    /// `store-unavailable`, Internal for a wrong statement.
    pub async fn exec(&self, sql: &'static str, params: Vec<Value>) -> Result<u64, Problem> {
        let mut live = self.inner.live.lock().await;
        let done = live
            .transaction()?
            .execute_raw(statement(self.inner.engine, sql, params))
            .await;
        live.note(sql, done.map(|changed| changed.rows_affected()))
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn one(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, Problem> {
        let mut live = self.inner.live.lock().await;
        let row = live
            .transaction()?
            .query_one_raw(statement(self.inner.engine, sql, params))
            .await;
        Ok(live.note(sql, row)?.map(|row| Row::new(row, sql)))
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn all(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Problem> {
        let mut live = self.inner.live.lock().await;
        let rows = live
            .transaction()?
            .query_all_raw(statement(self.inner.engine, sql, params))
            .await;
        Ok(live
            .note(sql, rows)?
            .into_iter()
            .map(|row| Row::new(row, sql))
            .collect())
    }

    /// Records a fact about a subject, by the write's actor, for its tenant; the fact's number
    /// within the subject, from 1.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn fact(&self, subject: &str, fact: Fact) -> Result<u64, Problem> {
        let last = self
            .one(
                "select seq, at, record from store_facts where tenant = $1 and subject = $2 order by seq desc limit 1",
                params![self.tenant(), subject],
            )
            .await?;
        let (seq, at, prev) = match last {
            // A clock set back must not turn the order of a subject's facts around.
            Some(row) => {
                let at = row.time("at")?.max(self.now());
                (
                    row.count("seq")? + 1,
                    at,
                    FactRecord::digest(&row.text("record")?),
                )
            }
            None => (1, self.now(), kernel::Digest::default()),
        };
        let record = FactRecord {
            v: FactRecord::VERSION,
            tenant: self.tenant().clone(),
            subject: subject.to_owned(),
            seq,
            at,
            actor: self.actor().clone(),
            fact,
            prev,
        };
        let json = record.to_json().map_err(Problem::internal)?;
        self.exec(
            "insert into store_facts (tenant, subject, seq, position, at, actor, record) values ($1, $2, $3, null, $4, $5, $6)",
            params![self.tenant(), subject, seq, at, self.actor().to_string(), json],
        )
        .await?;
        Ok(seq)
    }

    /// Leaves a line for delivery by the handler of `topic`; lines of one tenant, topic and key
    /// are delivered in order, each at least once.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn outbox(
        &self,
        topic: &'static str,
        key: &str,
        payload: &serde_json::Value,
    ) -> Result<(), Problem> {
        self.outbox_at(topic, key, payload, self.now()).await
    }

    /// Leaves a line that is delivered not before an instant: a term that ends, whether or not the
    /// node runs without a break until then. Later lines of its key wait behind it.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn outbox_at(
        &self,
        topic: &'static str,
        key: &str,
        payload: &serde_json::Value,
        at: Time,
    ) -> Result<(), Problem> {
        let seq = self.next_number(&crate::outbox::series(topic, key)).await?;
        self.exec(
            "insert into store_outbox (tenant, topic, key, seq, id, payload, attempts, next_at, created, behind)
             select $1, $2, $3, $4, $5, $6, 0, $7, $8, case when exists (
               select 1 from store_outbox where tenant = $1 and topic = $2 and key = $3) then 1 else 0 end",
            params![
                self.tenant(),
                topic,
                key,
                seq,
                self.id(),
                payload.to_string(),
                at,
                self.now()
            ],
        )
        .await?;
        Ok(())
    }

    /// The next number of a series of this tenant: 1, 2, 3 … without a gap, because a write that
    /// is refused gives its number back.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn next_number(&self, series: &str) -> Result<u64, Problem> {
        let row = self
            .one(
                "insert into store_counters (tenant, series, last) values ($1, $2, 1)
                 on conflict (tenant, series) do update set last = store_counters.last + 1 returning last",
                params![self.tenant(), series],
            )
            .await?;
        row.ok_or_else(|| Problem::internal("a counter gave no number"))?
            .count("last")
    }

    /// Inserts many rows given as one JSON array of objects: `$1` is the tenant, `$2` the array.
    /// SQLite reads it with `json_each($2)`, PostgreSQL with `jsonb_to_recordset($2::text::jsonb)`.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn bulk_insert(&self, sql: Pair, rows: String) -> Result<u64, Problem> {
        self.exec(sql.for_engine(self.inner.engine), params![self.tenant(), rows])
            .await
    }

    /// Reads what is there for many keys given as one JSON array: `$1` is the tenant, `$2` the array, as for
    /// [`Tx::bulk_insert`].
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn bulk_select(&self, sql: Pair, keys: String) -> Result<Vec<Row>, Problem> {
        self.all(sql.for_engine(self.inner.engine), params![self.tenant(), keys])
            .await
    }
}

impl Live {
    fn transaction(&self) -> Result<&DatabaseTransaction, Problem> {
        match (&self.failed, &self.transaction) {
            (Some((_, problem)), _) => Err(problem.clone()),
            (None, Some(transaction)) => Ok(transaction),
            (None, None) => Err(Problem::internal("a statement after its write had ended")),
        }
    }

    fn note<T>(&mut self, sql: &str, done: Result<T, sea_orm::DbErr>) -> Result<T, Problem> {
        done.map_err(|error| {
            let told = problem(&error, sql);
            self.failed.get_or_insert((fault(&error), told.clone()));
            told
        })
    }
}

/// A read outside any write: sees what is committed, each query at its own instant.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(crate) tenant: Tenant,
    pub(crate) engine: Engine,
    pub(crate) connection: DatabaseConnection,
}

impl Reader {
    /// A read of another tenant's rows.
    #[must_use]
    pub fn of(&self, tenant: &Tenant) -> Self {
        Self {
            tenant: tenant.clone(),
            ..self.clone()
        }
    }

    /// The tenant of the read.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// Unavailable `store-unavailable`, Internal for a wrong statement.
    pub async fn one(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, Problem> {
        let row = self
            .connection
            .query_one_raw(statement(self.engine, sql, params))
            .await;
        Ok(row.map_err(|e| problem(&e, sql))?.map(|row| Row::new(row, sql)))
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Reader::one`].
    pub async fn all(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Problem> {
        let rows = self
            .connection
            .query_all_raw(statement(self.engine, sql, params))
            .await;
        Ok(rows
            .map_err(|e| problem(&e, sql))?
            .into_iter()
            .map(|row| Row::new(row, sql))
            .collect())
    }
}

pub(crate) fn statement(engine: Engine, sql: &'static str, params: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(engine.backend(), sql, params.into_iter().map(Value::into_driver))
}
