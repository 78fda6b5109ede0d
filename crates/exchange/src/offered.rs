//! Services that an operator registers: REST and SOAP services of an organisation of this node, at a URL behind
//! its gateway. Each change is a row and a fact, and holds at once. Never a rule of a service, and never
//! who may call it: that is in the agreements.
//!
//! | module | holds |
//! |---|---|
//! | [`entry`], `setup` | the noun: what is said of a service, and how it stands at an instant |
//! | `openapi`, `yaml`, `schema`, `wsdl` | the endpoints that an OpenAPI document lists; the fields its answers have; the operations of a WSDL |
//! | `service`, `ways`, `health` | how a registered service is called, at which address, and whether that works |
//! | `register`, `stand`, `refresh`, `attempt` | the verbs |
//! | `own` | services of the platform itself, and how they stand |
//! | [`told`] | what the other parties of agreements are told of it |
//! | `store` | the SQL |

mod attempt;
pub mod entry;
mod health;
mod openapi;
mod own;
mod refresh;
mod register;
mod schema;
mod service;
mod setup;
pub(crate) mod stand;
pub(crate) mod store;
pub mod told;
mod ways;
pub(crate) mod wsdl;
mod yaml;

use std::sync::Arc;

use kernel::{Digest, Kind, Problem, Time};
use rustls::ClientConfig;
use serde::Serialize;
use web::client::Client;
use web::tls::TlsIdentity;

use crate::behind::Behind;
use crate::gateway::Exchange;
use crate::ids::ServiceId;
pub use entry::{Entry, Standing, Stands, Stop};
pub use health::WaySeen;
pub(crate) use own::{Own, OwnStands};
pub use refresh::Difference;
pub(crate) use register::is_of_a_field;
use service::Registered;
pub(crate) use service::RegisteredServices;
pub(crate) use setup::health_every_s;
pub use setup::{Setup, Way, Wsdl};
pub use stand::Verb;
pub use told::{ServiceNotice, ServiceTold};
pub use ways::Checked;
use ways::Ways;
pub use wsdl::Operation;

/// What the facts of a service hang on.
pub(crate) fn subject(service: &ServiceId) -> String {
    format!("service/{service}")
}

/// A service of this node, as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: ServiceId,
    /// How it is reached and what it has; none of a service of the platform.
    pub setup: Option<Setup>,
    /// How many endpoints it lists; 0 when nobody listed them.
    pub endpoints: usize,
    /// How it stands.
    pub stands: Stands,
}

impl From<Entry> for Listed {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            endpoints: entry.setup.endpoints.len(),
            setup: Some(entry.setup),
            stands: entry.stands,
        }
    }
}

/// One thing that was done to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// The fact's kind, `service-disabled`.
    pub(crate) kind: String,
    /// By whom.
    pub(crate) actor: String,
    /// When.
    pub(crate) at: Time,
}

impl Exchange {
    /// The services that operators registered for the organisations of this node, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn registered_services(&self) -> Result<Vec<Entry>, Problem> {
        let mut all = Vec::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            all.extend(store::entries(&reader).await?);
        }
        all.sort_by(|a: &Entry, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// 404 when nobody registered it here.
    pub async fn registered_service(&self, id: &ServiceId) -> Result<Entry, Problem> {
        let (tenant, _) = self.voice(&id.org).map_err(|_| Problem::not_found())?;
        let reader = self.0.store.read(tenant).await?;
        store::read_entry(&reader, id)
            .await?
            .ok_or_else(Problem::not_found)
    }

    /// The services of this node, those of the platform too, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn listed_services(&self) -> Result<Vec<Listed>, Problem> {
        let registered = self.registered_services().await?;
        let mut all: Vec<Listed> = registered.into_iter().map(Listed::from).collect();
        let seen = |id: &ServiceId| self.own_tenants().any(|tenant| tenant.holds(&id.org));
        let own = self.offers().into_iter().filter(seen);
        all.extend(own.filter_map(|id| self.of_the_platform(&id)));
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// 404 when this node offers none of that name.
    pub async fn listed_service(&self, id: &ServiceId) -> Result<Listed, Problem> {
        match self.registered_service(id).await {
            Ok(entry) => Ok(entry.into()),
            Err(nobody) if nobody.kind == Kind::NotFound && self.voice(&id.org).is_ok() => {
                self.of_the_platform(id).ok_or(nobody)
            }
            Err(problem) => Err(problem),
        }
    }

    /// A service of the platform as it stands now; none when this node has none of that name.
    fn of_the_platform(&self, id: &ServiceId) -> Option<Listed> {
        if self.0.registered.get(id).is_some() {
            return None;
        }
        let service = self.0.service(id)?;
        Some(Listed {
            id: id.clone(),
            setup: None,
            endpoints: service.endpoints().len(),
            stands: self.0.own.of(id),
        })
    }

    /// Why a service of this node would answer no call at an instant; none when it would.
    pub(crate) fn service_refuses(&self, id: &ServiceId, at: Time) -> Option<Problem> {
        match self.0.registered.get(id) {
            Some(registered) => registered.may(at).err(),
            None => self
                .0
                .offered(id)
                .err()
                .or_else(|| self.0.own.of(id).refusal(id, at)),
        }
    }

    /// What was done to a service, the oldest first.
    pub(crate) async fn service_history(&self, id: &ServiceId) -> Result<Vec<Done>, Problem> {
        let (tenant, _) = self.voice(&id.org).map_err(|_| Problem::not_found())?;
        let facts = self.0.store.facts_of(tenant, &subject(id)).await?;
        facts
            .into_iter()
            .map(|record| {
                let fact = serde_json::to_value(&record.fact).map_err(Problem::internal)?;
                Ok(Done {
                    kind: fact["fact"].as_str().unwrap_or_default().to_owned(),
                    actor: record.actor.to_string(),
                    at: record.at,
                })
            })
            .collect()
    }

    /// Offers what operators registered before this start. A service that cannot be offered any more is
    /// left out and logged: the others must not wait for it.
    pub(crate) async fn offer_registered(&self) -> Result<(), Problem> {
        for entry in self.registered_services().await? {
            let id = entry.id.clone();
            if let Err(problem) = self.offer(entry) {
                tracing::error!(service = %id, %problem, "a registered service cannot be offered");
            }
        }
        Ok(())
    }

    /// Takes a service into memory as it stands now.
    fn offer(&self, entry: Entry) -> Result<(), Problem> {
        let (_, client) = self.way_to(&entry.setup)?;
        let setup = &entry.setup;
        let ways = Ways::of(setup, |url| Behind {
            id: entry.id.clone(),
            url: url.to_owned(),
            client: client.clone(),
            call_ms_max: setup.timeout_ms,
            answer_bytes_max: self.0.store.limits().exchange_body_bytes_max,
            endpoints: setup.endpoints.clone(),
            openapi: (!setup.openapi.is_empty()).then(|| setup.openapi.clone()),
        });
        let delegations = self.0.agreements.delegations.clone();
        let registered = Arc::new(Registered {
            entry,
            ways,
            delegations,
        });
        self.0.registered.put(Arc::clone(&registered));
        self.0.take(registered);
        Ok(())
    }

    /// How the gateway goes to a service of this node: none for one that is not to be reached.
    pub(crate) fn way_behind(&self, id: &ServiceId) -> Option<(Option<Arc<ClientConfig>>, Client)> {
        match self.0.registered.get(id) {
            Some(registered) => self.way_to(&registered.entry.setup).ok(),
            None => Some((None, self.0.plain.clone())),
        }
    }

    /// How a service is reached: over TLS by its own roots, or over plain HTTP.
    fn way_to(&self, setup: &Setup) -> Result<(Option<Arc<ClientConfig>>, Client), Problem> {
        if !setup.is_tls() {
            return Ok((None, self.0.plain.clone()));
        }
        let node = setup.shows_node.then(|| self.node_identity());
        let config = web::tls::service_config(self.0.store.world(), &setup.roots, node.as_ref())
            .map_err(|e| Problem::invalid("roots", "service-roots").because(e))?;
        Ok((Some(Arc::clone(&config)), Client::tls(config)))
    }

    /// The node's key and certificates.
    pub(crate) fn node_identity(&self) -> TlsIdentity {
        let node = &self.0.keyring.node;
        let mut chain = vec![node.certificate.der().to_vec()];
        chain.extend(node.chain.iter().map(|c| c.der().to_vec()));
        TlsIdentity {
            chain,
            key_pkcs8: node.key.to_pkcs8_der(),
        }
    }

    /// The longest that a service may take, in milliseconds: what remains is for the two gateways.
    #[must_use]
    pub fn service_ms_max(&self) -> u64 {
        self.0.service_ms_max()
    }
}

/// The digest that a fact names of what is said of a service.
fn digest<T: Serialize>(said: &T) -> Digest {
    let json = kernel::digest::canonical_json(said).expect("what is said is text, times and numbers");
    Digest::of(json.as_bytes())
}

/// A service that is already offered under a name.
pub(crate) fn taken(id: &ServiceId) -> Problem {
    Problem::new(Kind::Conflict, "service-taken")
        .with("service", id)
        .at("service")
}
