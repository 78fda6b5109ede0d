//! Services of the platform itself, of registers and of procedures: nobody registered them, so they have no
//! setup here and are not taken off the node. How they stand is their operator's to say as of any other, and
//! is there again after a restart. Never a change to what the service itself says.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use kernel::{Problem, Tenant};
use serde::Serialize;
use store::Store;

use super::entry::Stands;
use super::service::with_future;
use super::setup::Wsdl;
use super::store as rows;
use crate::endpoint::Endpoint;
use crate::ids::ServiceId;
use crate::service::{Answer, Call, Large, Service};
use crate::spool::Spool;

/// A service of the platform, and how it stands: what a fact about it names the digest of.
#[derive(Serialize)]
pub(super) struct OwnService<'a> {
    pub(super) id: &'a ServiceId,
    #[serde(flatten)]
    pub(super) stands: &'a Stands,
}

/// How services of the platform stand, by name; one of which nothing was said answers.
#[derive(Clone, Default)]
pub(crate) struct OwnStands(Arc<RwLock<HashMap<ServiceId, Stands>>>);

impl OwnStands {
    /// What was said of them before this start.
    pub(crate) async fn open(store: &Store, tenants: &[Tenant]) -> Result<Self, Problem> {
        let mut all = HashMap::new();
        for tenant in tenants {
            all.extend(rows::own_stands(&store.read(tenant).await?).await?);
        }
        Ok(Self(Arc::new(RwLock::new(all))))
    }

    /// How one of them stands.
    pub(super) fn of(&self, id: &ServiceId) -> Stands {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(id).cloned().unwrap_or_default()
    }

    /// From now on one of them stands so.
    pub(super) fn put(&self, id: ServiceId, stands: Stands) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(id, stands);
    }
}

/// A service of the platform as the gateway calls it: not while it is disabled or stopped, and with what its
/// operator lets callers know of its future.
pub(crate) struct Own {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) stands: OwnStands,
}

impl Own {
    fn may(&self, call: &Call) -> Result<Stands, Problem> {
        let id = self.service.id();
        let stands = self.stands.of(&id);
        match stands.refusal(&id, call.at) {
            Some(refusal) => Err(refusal),
            None => Ok(stands),
        }
    }
}

#[async_trait]
impl Service for Own {
    fn id(&self) -> ServiceId {
        self.service.id()
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let (stands, at) = (self.may(&call)?, call.at);
        Ok(with_future(self.service.call(call).await?, &stands, at))
    }

    async fn call_large(&self, call: &Call, large: &Large) -> Result<(Answer, Option<Arc<Spool>>), Problem> {
        let stands = self.may(call)?;
        let (answer, spool) = self.service.call_large(call, large).await?;
        Ok((with_future(answer, &stands, call.at), spool))
    }

    fn url(&self) -> Option<&str> {
        self.service.url()
    }

    fn ways(&self) -> usize {
        self.service.ways()
    }

    fn way(&self, way: usize) -> Option<&str> {
        self.service.way(way)
    }

    fn pick(&self) -> usize {
        self.service.pick()
    }

    fn is_rest(&self) -> bool {
        self.service.is_rest()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.service.endpoints()
    }

    fn is_described(&self) -> bool {
        self.service.is_described()
    }

    fn wsdl(&self) -> Option<&Wsdl> {
        self.service.wsdl()
    }

    async fn describe(&self) -> Result<Answer, Problem> {
        self.service.describe().await
    }
}
