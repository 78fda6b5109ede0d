//! Lines to deliver, in order per key, at least once.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Problem, Tenant, Time};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Store;

/// A line to deliver.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxLine {
    /// The line's id: the idempotency key for the other side.
    pub id: String,
    /// Whose line it is.
    pub tenant: Tenant,
    /// Which handler delivers it.
    pub topic: String,
    /// Lines of one topic and key are delivered in order.
    pub key: String,
    /// The order within tenant, topic and key, from 1.
    pub seq: u64,
    /// What to deliver.
    pub payload: serde_json::Value,
    /// How often delivery failed.
    pub attempts: u32,
    /// When it was written.
    pub created: Time,
}

/// Delivers the lines of a topic.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// The topic.
    fn topic(&self) -> &'static str;
    /// Delivers one line; may see the same line again.
    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem>;
}

impl Store {
    /// Starts delivering.
    pub fn run_outbox(&self, handlers: Vec<Arc<dyn Deliver>>, shutdown: watch::Receiver<bool>) -> JoinHandle<()> {
        let _ = (handlers, shutdown);
        unimplemented!()
    }
    /// What waits for delivery.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn outbox_waiting(&self, tenant: &Tenant) -> Result<Vec<OutboxLine>, Problem> {
        let _ = tenant;
        unimplemented!()
    }
}
