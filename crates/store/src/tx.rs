//! What a write ([`Tx`]) and a read ([`Reader`]) can do. Both belong to one tenant and say so;
//! neither ever shows a driver's type.

use kernel::{Actor, Fact, Problem, Tenant, Time};

use crate::value::{Row, Value};

/// One statement in the two engines' words, where they cannot share a text. Counted by a test.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// SQLite's text.
    pub sqlite: &'static str,
    /// PostgreSQL's text.
    pub postgres: &'static str,
}

/// A write in progress: see [`Store::write`](crate::Store::write). A cheap handle; it is of no use
/// after the write it was given to.
#[derive(Clone, Debug)]
pub struct Tx {
    _p: (),
}

impl Tx {
    /// The tenant of the write.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        unimplemented!()
    }
    /// Who writes.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        unimplemented!()
    }
    /// The instant of the write: the same all through it.
    #[must_use]
    pub fn now(&self) -> Time {
        unimplemented!()
    }
    /// A new id: see [`kernel::World::id`].
    #[must_use]
    pub fn id(&self) -> String {
        unimplemented!()
    }
    /// Runs a statement; how many rows it changed.
    ///
    /// # Errors
    /// Conflict `already-there` for a key that is there, Full `no-room`, Unavailable `store-unavailable`.
    pub async fn exec(&self, sql: &'static str, params: Vec<Value>) -> Result<u64, Problem> {
        let _ = (sql, params);
        unimplemented!()
    }
    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn one(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, Problem> {
        let _ = (sql, params);
        unimplemented!()
    }
    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn all(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Problem> {
        let _ = (sql, params);
        unimplemented!()
    }
    /// Records a fact about a subject.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn fact(&self, subject: &str, fact: Fact) -> Result<u64, Problem> {
        let _ = (subject, fact);
        unimplemented!()
    }
    /// Leaves a line for delivery.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn outbox(&self, topic: &'static str, key: &str, payload: &serde_json::Value) -> Result<(), Problem> {
        let _ = (topic, key, payload);
        unimplemented!()
    }
    /// The next number of a series.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn next_number(&self, series: &str) -> Result<u64, Problem> {
        let _ = series;
        unimplemented!()
    }
    /// Inserts many rows given as a JSON array.
    ///
    /// # Errors
    /// As [`Tx::exec`].
    pub async fn bulk_insert(&self, sql: Pair, rows: String) -> Result<u64, Problem> {
        let _ = (sql, rows);
        unimplemented!()
    }
}

/// A read outside any write.
#[derive(Clone, Debug)]
pub struct Reader {
    _p: (),
}

impl Reader {
    /// The tenant of the read.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        unimplemented!()
    }
    /// The first row of a query.
    ///
    /// # Errors
    /// Unavailable `store-unavailable`.
    pub async fn one(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, Problem> {
        let _ = (sql, params);
        unimplemented!()
    }
    /// All rows of a query.
    ///
    /// # Errors
    /// As [`Reader::one`].
    pub async fn all(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, Problem> {
        let _ = (sql, params);
        unimplemented!()
    }
}
