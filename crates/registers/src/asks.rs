//! How a register asks another one: through the exchange and in no other way. A trait, so that
//! tests can let the other side fail at any point.

use async_trait::async_trait;
use exchange::{Ask, Exchange, Heard};
use kernel::Problem;

/// Asks a service on the exchange.
#[async_trait]
pub trait Asks: Send + Sync {
    /// One question and its verified answer; a service's own refusal is an answer.
    ///
    /// # Errors
    /// The gateway's refusals: what became of the question is then unknown.
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem>;
}

#[async_trait]
impl Asks for Exchange {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        Self::ask(self, ask).await
    }
}
