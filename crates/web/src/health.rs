//! What an operator's probe reads: alive, ready, and the counters. Never personal data.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;

/// One thing a ready node needs.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name in the answer: `store`, `directory`.
    fn name(&self) -> &'static str;
    /// Looks now.
    ///
    /// # Errors
    /// A short reason an operator can act on, no personal data.
    async fn check(&self) -> Result<(), String>;
}

/// `/health/live`, `/health/ready` and `/metrics`, for a listener of its own.
pub fn router(_checks: Vec<Arc<dyn Check>>) -> Router {
    Router::new()
}
