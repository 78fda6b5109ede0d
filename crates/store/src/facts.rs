//! Facts of a subject, the sealed facts in order, the sealer.

use kernel::{FactRecord, Problem, Tenant};
use tokio::sync::watch;

use crate::Store;

impl Store {
    /// The facts of a subject, in order.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn facts_of(&self, tenant: &Tenant, subject: &str) -> Result<Vec<FactRecord>, Problem> {
        let _ = (tenant, subject);
        unimplemented!()
    }
    /// Sealed facts in log order, from a position.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn facts_from(&self, position: u64, limit: usize) -> Result<Vec<(u64, FactRecord)>, Problem> {
        let _ = (position, limit);
        unimplemented!()
    }
    /// How many facts are sealed.
    pub async fn facts_len(&self) -> u64 {
        unimplemented!()
    }
    /// Runs the sealer once.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn seal_facts_now(&self) -> Result<u64, Problem> {
        unimplemented!()
    }
    /// The sealed length, for followers.
    #[must_use]
    pub fn facts_watch(&self) -> watch::Receiver<u64> {
        unimplemented!()
    }
}
