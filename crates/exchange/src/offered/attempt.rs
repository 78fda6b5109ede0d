//! A service tried by its operator: which step of the way to it fails. Never a call of the exchange: no
//! agreement, no evidence, no message of anybody.

use kernel::Problem;
use web::probe::{Tried, probe};

use crate::gateway::Exchange;
use crate::ids::ServiceId;

impl Exchange {
    /// Tries the way to a service by its address; any HTTP status is an answer.
    ///
    /// # Errors
    /// 404 when nobody registered it here.
    pub async fn try_service(&self, id: &ServiceId) -> Result<Tried, Problem> {
        let setup = self.registered_service(id).await?.setup;
        let (tls, client) = self.way_to(&setup)?;
        let url = setup.url.parse().map_err(Problem::internal)?;
        let world = self.0.store.world();
        Ok(probe(world, &url, tls, &client, setup.timeout_ms).await)
    }
}
