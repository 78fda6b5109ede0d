//! The registers of a node and their services on the exchange. Never answers by itself: each kind
//! of service has its own file.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use directory::{Areas, Organisations, PackFault};
use exchange::{Answer, Call, Service, ServiceId};
use kernel::{Actor, AreaCode, Date, Digest, Kind, OrgCode, Problem, Tenant};
use serde_json::{Map, Value};
use store::{Store, Tx};

use crate::asks::Asks;
use crate::record::{Cause, Version};
use crate::schema::{Schema, Work};

/// The province of an area on a day; `None` when there is no such area.
pub type ProvinceOf = Arc<dyn Fn(&AreaCode, Date) -> Option<AreaCode> + Send + Sync>;

/// The name of an organisation on a day.
pub type NameOf = Arc<dyn Fn(&OrgCode, Date) -> String + Send + Sync>;

/// What the registers ask of the country they stand in. Cheap to clone.
#[derive(Clone)]
pub struct Land {
    /// The province of an area.
    pub province: ProvinceOf,
    /// The name of an organisation.
    pub name: NameOf,
}

impl Land {
    /// The country of the pack.
    #[must_use]
    pub fn of(areas: Arc<Areas>, organisations: Arc<Organisations>) -> Self {
        Self {
            province: Arc::new(move |code, on| areas.province(code, on).map(|area| area.code.clone())),
            name: Arc::new(move |code, on| organisations.name(code, on)),
        }
    }
}

/// The registers that a node's tenants keep. Cheap to clone.
#[derive(Clone)]
pub struct Registers(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) asks: Arc<dyn Asks>,
    pub(crate) land: Land,
    pub(crate) schemas: Vec<Arc<Schema>>,
}

impl Registers {
    /// Reads the pack's registers and keeps those of the node's tenants.
    ///
    /// # Errors
    /// The first file of the pack that cannot be used.
    pub fn load(
        pack: &Path,
        store: Store,
        asks: Arc<dyn Asks>,
        tenants: &[Tenant],
        land: Land,
    ) -> Result<Self, PackFault> {
        let mut schemas = Schema::load_all(pack)?;
        schemas.retain(|s| tenants.contains(&s.tenant));
        let schemas = schemas.into_iter().map(Arc::new).collect();
        Ok(Self(Arc::new(Inner {
            store,
            asks,
            land,
            schemas,
        })))
    }

    /// What the node's registers offer on the exchange.
    #[must_use]
    pub fn services(&self) -> Vec<Arc<dyn Service>> {
        let mut all: Vec<Arc<dyn Service>> = Vec::new();
        for schema in &self.0.schemas {
            for offer in &schema.services {
                let (registers, schema) = (self.clone(), Arc::clone(schema));
                let (code, work) = (offer.code.clone(), offer.work.clone());
                all.push(Arc::new(Offered {
                    registers,
                    schema,
                    code,
                    work,
                }));
            }
        }
        all
    }

    /// A register of this node by its code.
    #[must_use]
    pub fn schema(&self, code: &str) -> Option<&Arc<Schema>> {
        self.0.schemas.iter().find(|s| s.code == code)
    }

    /// The registers of this node.
    #[must_use]
    pub fn schemas(&self) -> &[Arc<Schema>] {
        &self.0.schemas
    }

    /// The rows' store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The subject of facts about a record: its key is hidden in a salted digest.
    pub(crate) fn subject(&self, schema: &Schema, key: &str) -> (String, Digest) {
        let digest = self.0.store.digest(&schema.tenant, key);
        (format!("{}/{digest}", schema.code), digest)
    }
}

struct Offered {
    registers: Registers,
    schema: Arc<Schema>,
    code: String,
    work: Work,
}

#[async_trait]
impl Service for Offered {
    fn id(&self) -> ServiceId {
        self.schema.service_id(&self.code)
    }

    fn is_described(&self) -> bool {
        true
    }

    async fn describe(&self) -> Result<Answer, Problem> {
        Answer::json(&crate::describe::document(&self.schema, &self.code, &self.work))
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let (r, s) = (&self.registers, &*self.schema);
        let answer = match &self.work {
            Work::Lookup { by, whole_for } => r.lookup(s, by, whole_for.as_ref(), &call).await?,
            Work::Assign { sex, born, defaults } => {
                let fields = crate::assign::First { sex, born, defaults };
                r.assign(s, &self.code, &fields, &call).await?
            }
            Work::Issue { series } => r.issue(s, series, &call).await?,
            Work::Release => r.release(s, &call).await?,
            Work::Change { change } => r.change(s, &self.code, change, &call).await?,
            Work::Restore { undoes } => r.restore(s, undoes, &call).await?,
            Work::Enter { numbering, obtain } => {
                r.enter(
                    &crate::enter::Acts {
                        schema: s,
                        numbering,
                        obtain,
                    },
                    &call,
                )
                .await?
            }
            Work::Withdraw { undoes } => {
                let acts = crate::enter::Acts::of(s, undoes)?;
                r.withdraw(&acts, &call).await?
            }
        };
        Answer::json(&answer)
    }
}

/// Who writes, for rows and facts: the calling system.
pub(crate) fn actor(call: &Call) -> Actor {
    Actor::System(call.consumer.to_string())
}

/// The digest of a call's body as canonical JSON: the same for the same request, however spaced.
pub(crate) fn request_digest(body: &Map<String, Value>) -> Result<Digest, Problem> {
    let text = kernel::digest::canonical_json(body).map_err(Problem::internal)?;
    Ok(Digest::of(text.as_bytes()))
}

/// A text a call's body must have.
pub(crate) fn need<'a>(body: &'a Map<String, Value>, field: &str) -> Result<&'a str, Problem> {
    body.get(field)
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .ok_or_else(|| Problem::invalid(field, "record-field-required"))
}

/// Why a record changes, as told by a call.
pub(crate) fn cause(tx: &Tx, call: &Call, basis: &str, request: &Digest) -> Cause {
    Cause {
        at: tx.now(),
        source: call.consumer.to_string(),
        basis: basis.to_owned(),
        request: request.hex(),
    }
}

/// No record, or none the caller may know of.
pub(crate) const fn no_record() -> Problem {
    Problem::new(Kind::NotFound, "record-not-found")
}

/// The version that stands now; of several with different times, the last.
pub(crate) fn standing(believed: &[Version]) -> Option<&Version> {
    believed.last()
}
