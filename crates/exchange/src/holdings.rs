//! What the organisations of a node hold, read from its rows beside a running node: whether a call would be
//! allowed by them. It counts no calls, knows no directory, and of the services within the platform only how
//! they stand.

use std::sync::Arc;

use kernel::{Digest, OrgCode, Problem, Tenant, Time};
use store::Reader;

use crate::agreement::Agreement;
use crate::agreements::read_into;
use crate::delegation::book::Delegations;
use crate::held::Book;
use crate::ids::{ServiceId, SystemId};
use crate::maintenance::Mode;
use crate::offered::{Entry, ServiceNotice, Stands, store as offered, told};
use crate::rest::Rest;

/// A call that is asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The calling system.
    pub consumer: SystemId,
    /// The service.
    pub service: ServiceId,
    /// Method and path behind the service; any of its endpoints when none is named.
    pub rest: Option<Rest>,
    /// In whose name, when not in the caller's own.
    pub represented: Option<OrgCode>,
}

impl Asked {
    /// A call by its method and path: `GET /persons/42`.
    ///
    /// # Errors
    /// `allowed-endpoint`.
    pub fn endpoint(text: &str) -> Result<Rest, Problem> {
        let bad = || Problem::invalid("endpoint", "allowed-endpoint");
        let (method, target) = text.split_once(' ').ok_or_else(bad)?;
        let target = target.trim();
        if !target.starts_with('/') || !crate::rest::is_target(target) {
            return Err(bad());
        }
        Ok(Rest {
            method: method.parse().map_err(|_| bad())?,
            target: target.to_owned(),
            ..Rest::default()
        })
    }
}

/// What the tenants of a node hold.
pub struct Holdings {
    agreements: Book,
    delegations: Delegations,
    /// The services that were registered here.
    services: Vec<Entry>,
    /// How services of the platform stand.
    own: Vec<(ServiceId, Stands)>,
    /// What was heard of services elsewhere.
    told: Vec<ServiceNotice>,
    maintenance: Mode,
    tenants: Vec<Tenant>,
}

impl Holdings {
    /// Reads what the tenants of some readers hold; the first holds the node's own rows.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn read(readers: &[Reader]) -> Result<Self, Problem> {
        let mut held = Self {
            agreements: Book::default(),
            delegations: Delegations::default(),
            services: Vec::new(),
            own: Vec::new(),
            told: Vec::new(),
            maintenance: match readers.first() {
                Some(home) => Mode::read(home).await?,
                None => Mode::default(),
            },
            tenants: readers.iter().map(|reader| reader.tenant().clone()).collect(),
        };
        for reader in readers {
            read_into(&mut held.agreements, reader).await?;
            held.delegations.read(reader).await?;
            held.services.extend(offered::entries(reader).await?);
            held.own.extend(offered::own_stands(reader).await?);
            held.told.extend(told::notices(reader).await?);
        }
        Ok(held)
    }

    /// The agreement under which a call would be allowed at an instant, with its hash.
    ///
    /// # Errors
    /// As a call is refused: `node-maintenance`, `agreement-*`, `path-outside`, `delegation-*`,
    /// `service-disabled`, `service-unknown`.
    pub fn allows(&self, node: &str, asked: &Asked, at: Time) -> Result<(Digest, Arc<Agreement>), Problem> {
        let (who, what) = (&asked.consumer, &asked.service);
        self.maintenance.may_call(node, at)?;
        let (hash, agreement) = self.agreements.find(who, what, at)?;
        if let Some(rest) = &asked.rest {
            agreement.grants(rest)?;
        }
        if let Some(party) = &asked.represented {
            self.delegations.may_represent(party, (who, what), at)?;
        }
        if let Some(registered) = self.services.iter().find(|entry| entry.id == *what) {
            registered.may(&self.delegations, at)?;
        } else {
            let refusal = if self.tenants.iter().any(|tenant| tenant.holds(&what.org)) {
                let own = self.own.iter().find(|(service, _)| service == what);
                own.and_then(|(_, stands)| stands.refusal(what, at))
            } else {
                let heard = self.told.iter().find(|notice| notice.service == *what);
                heard.and_then(|notice| notice.told.refusal(what, at))
            };
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
        }
        Ok((hash, agreement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_asked_about_is_a_method_and_a_path() {
        let rest = Asked::endpoint("GET /persons/42?x=1").expect("one");
        assert_eq!(rest.target, "/persons/42?x=1");
        for bad in ["", "GET", "get /x", "GET x", "GET /a b", "/x"] {
            let refused = Asked::endpoint(bad).expect_err(bad);
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                ("allowed-endpoint", Some("endpoint"))
            );
        }
    }
}
