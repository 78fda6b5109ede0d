//! An operator registers a service, or changes how it is reached and what it has. It is called that way
//! from then on. Never under a name that is taken, or of an organisation hosted elsewhere.

use kernel::{Actor, Fact, Kind, Problem};

use super::entry::Entry;
use super::setup::Setup;
use super::store as rows;
use crate::delegation::book::Acts;
use crate::gateway::Exchange;
use crate::ids::ServiceId;

impl Exchange {
    /// Registers a service of an organisation of this node. Without endpoints, they are read from its
    /// OpenAPI document where it has one.
    ///
    /// # Errors
    /// Every fault at its field: `service-reserved`, `service-elsewhere`, `service-taken`, those of
    /// [`Setup::faults`] and of the document.
    pub async fn register_service(
        &self,
        id: ServiceId,
        setup: Setup,
        actor: &Actor,
    ) -> Result<Entry, Vec<Problem>> {
        let faults = self.service_faults(Some(&id), &setup);
        if !faults.is_empty() {
            return Err(faults);
        }
        let setup = self.complete(setup).await?;
        self.begin(Entry::new(id, setup), actor)
            .await
            .map_err(|problem| vec![problem])
    }

    /// What keeps a new service from being offered, before anybody is asked: all of it at once, each at
    /// its field. Without a name, only what is wrong with the rest.
    pub(crate) fn service_faults(&self, id: Option<&ServiceId>, setup: &Setup) -> Vec<Problem> {
        let mut faults: Vec<Problem> = id.and_then(|id| self.name_fault(id)).into_iter().collect();
        faults.extend(match id {
            Some(id) => self.setup_faults(id, setup),
            None => self.way_faults(setup),
        });
        faults
    }

    /// The same of how a service is reached that has its name already.
    pub(crate) fn setup_faults(&self, id: &ServiceId, setup: &Setup) -> Vec<Problem> {
        let mut faults = self.way_faults(setup);
        faults.extend(self.delegation_fault(id, setup));
        faults
    }

    fn way_faults(&self, setup: &Setup) -> Vec<Problem> {
        let mut faults = setup.faults(self.service_ms_max());
        let of_the_way = |p: &Problem| matches!(p.field.as_deref(), Some("url" | "roots"));
        if !faults.iter().any(of_the_way)
            && let Err(fault) = self.way_to(setup)
        {
            faults.push(fault);
        }
        faults
    }

    async fn begin(&self, entry: Entry, actor: &Actor) -> Result<Entry, Problem> {
        let _turn = self.0.offering.lock().await;
        if self.0.service(&entry.id).is_some() {
            return Err(super::taken(&entry.id));
        }
        let (tenant, _) = self.voice(&entry.id.org)?;
        let new = &entry;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if rows::entry(&tx, &new.id).await?.is_some() {
                    return Err(super::taken(&new.id));
                }
                rows::save(&tx, new).await?;
                let fact = Fact::ServiceRegistered {
                    service: new.id.to_string(),
                    entry: super::digest(new),
                };
                tx.fact(&super::subject(&new.id), fact).await?;
                Ok(())
            })
            .await?;
        self.offer(entry.clone())?;
        Ok(entry)
    }

    /// Changes how a service is reached and what it has; nothing when it is said already.
    ///
    /// # Errors
    /// 404 when nobody registered it here; every fault at its field.
    pub async fn change_service(
        &self,
        id: &ServiceId,
        setup: Setup,
        actor: &Actor,
    ) -> Result<Entry, Vec<Problem>> {
        let one = |problem| vec![problem];
        let before = self.registered_service(id).await.map_err(one)?;
        let setup = with_document_of(setup, before.setup);
        let faults = self.setup_faults(id, &setup);
        if !faults.is_empty() {
            return Err(faults);
        }
        let setup = self.complete(setup).await?;
        self.put_setup(id, &setup, actor).await.map_err(one)
    }

    /// Writes a setup that was found good.
    pub(super) async fn put_setup(
        &self,
        id: &ServiceId,
        setup: &Setup,
        actor: &Actor,
    ) -> Result<Entry, Problem> {
        let _turn = self.0.offering.lock().await;
        let (tenant, _) = self.voice(&id.org)?;
        let entry = self
            .0
            .store
            .write(tenant, actor, |tx| async move {
                let before = rows::entry(&tx, id).await?.ok_or_else(Problem::not_found)?;
                if before.setup == *setup {
                    return Ok(before);
                }
                let entry = Entry {
                    setup: setup.clone(),
                    ..before
                };
                rows::save(&tx, &entry).await?;
                let fact = Fact::ServiceChanged {
                    service: id.to_string(),
                    entry: super::digest(&entry),
                };
                tx.fact(&super::subject(id), fact).await?;
                Ok(entry)
            })
            .await?;
        self.offer(entry.clone())?;
        Ok(entry)
    }

    /// What is missing for a service to be published in another organisation's name.
    fn delegation_fault(&self, id: &ServiceId, setup: &Setup) -> Option<Problem> {
        let acts = Acts::publishing(setup.publishes_for.as_ref()?, id);
        let found = self.agreements().delegations.find(&acts, self.0.now());
        let kind = Kind::Invalid;
        found.err().map(|p| Problem { kind, ..p }.at("publishes_for"))
    }

    /// What is wrong with a name for a new service.
    fn name_fault(&self, id: &ServiceId) -> Option<Problem> {
        if id.is_reserved() {
            return Some(Problem::invalid("service", "service-reserved"));
        }
        if self.voice(&id.org).is_err() {
            let ours: Vec<String> = self.own_tenants().map(ToString::to_string).collect();
            return Some(Problem::invalid("service", "service-elsewhere").with("ours", ours.join(", ")));
        }
        self.0.service(id).is_some().then(|| super::taken(id))
    }

    /// A setup without faults as it is offered: with the endpoints of its document where none are listed.
    async fn complete(&self, mut setup: Setup) -> Result<Setup, Vec<Problem>> {
        let one = |problem| vec![problem];
        if setup.endpoints.is_empty() && !setup.openapi.is_empty() {
            setup.endpoints = self.described(&setup).await.map_err(one)?;
        }
        if let Some(wsdl) = setup.wsdl.take() {
            setup.wsdl = Some(self.with_operations(&setup, wsdl).await.map_err(one)?);
            if setup.endpoints.is_empty() {
                // A SOAP service is one address that takes POST.
                setup.endpoints = vec![crate::Endpoint::post()];
            }
        }
        setup.endpoints = once(setup.endpoints);
        Ok(setup)
    }
}

/// A changed setup with the WSDL document that was taken over before, where it names the same address and
/// no document: another one is looked at before it is taken over.
fn with_document_of(mut setup: Setup, before: Setup) -> Setup {
    if let (Some(wsdl), Some(before)) = (&mut setup.wsdl, before.wsdl)
        && wsdl.document.is_empty()
        && wsdl.url == before.url
    {
        *wsdl = before;
    }
    setup
}

/// Each endpoint once, where it stood first.
fn once(endpoints: Vec<crate::Endpoint>) -> Vec<crate::Endpoint> {
    let mut seen = std::collections::HashSet::new();
    endpoints.into_iter().filter(|e| seen.insert(e.clone())).collect()
}

/// True for a refusal that a form shows at a field instead of in place of the page.
pub(crate) fn is_of_a_field(problem: &Problem) -> bool {
    problem.field.is_some() && matches!(problem.kind, Kind::Invalid | Kind::Conflict)
}

#[cfg(test)]
mod tests {
    use super::once;

    #[test]
    fn an_endpoint_that_is_listed_twice_stands_once() {
        let all = ["GET /a", "POST /a", "GET /a"].map(|e| e.parse().expect("an endpoint"));
        let left: Vec<String> = once(all.into()).iter().map(ToString::to_string).collect();
        assert_eq!(left, ["GET /a", "POST /a"]);
    }
}
