//! The delegations a node knows, in memory, as a call in another's name asks for them. Never a row.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use store::Reader;

use super::{Delegation, Role, Stage, store as rows};
use crate::ids::ServiceId;

/// What a node knows of delegations that both parties signed. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Delegations(Arc<RwLock<HashMap<Digest, Held>>>);

struct Held {
    delegation: Delegation,
    ended: bool,
}

/// Who acts for whom, as what.
pub(crate) struct Acts<'a> {
    pub(crate) delegator: &'a OrgCode,
    pub(crate) agent: &'a OrgCode,
    pub(crate) role: Role,
    pub(crate) service: &'a ServiceId,
}

impl<'a> Acts<'a> {
    /// Publishing a service in another's name.
    pub(crate) const fn publishing(delegator: &'a OrgCode, service: &'a ServiceId) -> Self {
        Self {
            delegator,
            agent: &service.org,
            role: Role::Provider,
            service,
        }
    }
}

impl Delegations {
    /// Takes in what a tenant knows.
    pub(crate) async fn read(&self, reader: &Reader) -> Result<(), Problem> {
        for known in rows::all(reader).await? {
            if known.signed.agent_acceptance.is_some() {
                self.hold(known.hash, &known.signed.delegation, known.stage == Stage::Ended);
            }
        }
        Ok(())
    }

    /// Takes one in; what has ended stays ended.
    pub(crate) fn hold(&self, hash: Digest, delegation: &Delegation, ended: bool) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let one = held.entry(hash).or_insert_with(|| Held {
            delegation: delegation.clone(),
            ended,
        });
        one.ended |= ended;
    }

    /// Ends one.
    pub(crate) fn end(&self, hash: &Digest) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = held.get_mut(hash) {
            one.ended = true;
        }
    }

    /// The delegation by which somebody acts now.
    ///
    /// # Errors
    /// `delegation-missing`, and `delegation-over` when there was one.
    pub(crate) fn find(&self, acts: &Acts<'_>, at: Time) -> Result<Digest, Problem> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut refused = missing();
        for (hash, one) in held.iter().filter(|(_, one)| one.delegation.allows(acts)) {
            if one.holds(at) {
                return Ok(*hash);
            }
            refused = over();
        }
        Err(refused)
    }

    /// Checks the delegation of a hash that a call names.
    ///
    /// # Errors
    /// As [`Delegations::find`].
    pub(crate) fn check(&self, hash: &Digest, acts: &Acts<'_>, at: Time) -> Result<(), Problem> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match held.get(hash).filter(|one| one.delegation.allows(acts)) {
            None => Err(missing()),
            Some(one) if one.holds(at) => Ok(()),
            Some(_) => Err(over()),
        }
    }
}

impl Held {
    fn holds(&self, at: Time) -> bool {
        !self.ended && self.delegation.in_term(at)
    }
}

impl Delegation {
    fn allows(&self, acts: &Acts<'_>) -> bool {
        self.role == acts.role
            && self.delegator.holds(acts.delegator)
            && self.agent.holds(acts.agent)
            && self.services.contains(acts.service)
    }
}

pub(super) fn missing() -> Problem {
    Problem::new(Kind::Forbidden, "delegation-missing")
}

fn over() -> Problem {
    Problem::new(Kind::Forbidden, "delegation-over")
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn org(code: &str) -> OrgCode {
        code.parse().expect("a code")
    }

    #[test]
    fn a_delegation_lets_its_agent_act_for_its_delegator_with_its_services_within_its_term() {
        let book = Delegations::default();
        let (d, other) = (sample(), "G01/population/other".parse().expect("an id"));
        book.hold(d.hash(), &d, false);
        let may = |delegator: &str, agent: &str, role, service: &ServiceId, at| {
            let (delegator, agent) = (org(delegator), org(agent));
            let acts = Acts {
                delegator: &delegator,
                agent: &agent,
                role,
                service,
            };
            let (found, checked) = (book.find(&acts, Time(at)), book.check(&d.hash(), &acts, Time(at)));
            assert_eq!(found.is_ok(), checked.is_ok());
            found.err().map(|p| p.code)
        };
        let lookup = &d.services[0];
        assert_eq!(may("H56", "G22", Role::Consumer, lookup, 1), None);
        assert_eq!(
            may("H56.1", "G22.2", Role::Consumer, lookup, 1),
            None,
            "their units"
        );
        let missing = Some("delegation-missing");
        assert_eq!(may("H57", "G22", Role::Consumer, lookup, 1), missing);
        assert_eq!(may("H56", "G15", Role::Consumer, lookup, 1), missing);
        assert_eq!(
            may("G22", "H56", Role::Consumer, lookup, 1),
            missing,
            "not the other way"
        );
        assert_eq!(may("H56", "G22", Role::Provider, lookup, 1), missing);
        assert_eq!(may("H56", "G22", Role::Consumer, &other, 1), missing);
        let over = Some("delegation-over");
        assert_eq!(may("H56", "G22", Role::Consumer, lookup, 1_000), over);
        book.end(&d.hash());
        book.hold(d.hash(), &d, false);
        assert_eq!(
            may("H56", "G22", Role::Consumer, lookup, 1),
            over,
            "what ended stays so"
        );
    }
}
