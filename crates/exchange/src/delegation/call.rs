//! What a call in another organisation's name shows, and what is asked of it at either node. A call in
//! nobody else's name costs one look at a field.

use kernel::{Digest, Kind, OrgCode, Problem, Time};

use super::book::{Acts, Delegations, missing};
use super::{HEADER, Role};
use crate::face::identifier;
use crate::gateway::Gateway;
use crate::ids::{CLASS, ServiceId, SystemId};
use crate::message::RequestHead;
use crate::rest::Rest;

impl Gateway {
    /// The call with the delegation that it rests on, when it is in another organisation's name.
    ///
    /// # Errors
    /// `delegation-missing`, `delegation-over`.
    pub(crate) fn in_whose_name(
        &self,
        mut rest: Rest,
        consumer: &SystemId,
        service: &ServiceId,
        now: Time,
    ) -> Result<Rest, Problem> {
        let Some(delegator) = represented(&rest, consumer) else {
            return Ok(rest);
        };
        within_one_instance(&delegator, consumer, service)?;
        let hash = self
            .agreements
            .delegations
            .find(&acts(&delegator, consumer, service), now)?;
        rest.headers = rest.headers.with(HEADER, &hash.hex());
        Ok(rest)
    }

    /// The delegation that a call names is held here, in force, and for this very call.
    ///
    /// # Errors
    /// As [`Gateway::in_whose_name`].
    pub(crate) fn acts_rightly(&self, head: &RequestHead, now: Time) -> Result<(), Problem> {
        let Some(delegator) = represented(&head.rest, &head.consumer) else {
            return Ok(());
        };
        within_one_instance(&delegator, &head.consumer, &head.service)?;
        self.agreements.are_enabled([&delegator])?;
        let named = head.rest.headers.get(HEADER).and_then(Digest::parse);
        let acts = acts(&delegator, &head.consumer, &head.service);
        self.agreements
            .delegations
            .check(&named.ok_or_else(missing)?, &acts, now)
    }
}

impl Delegations {
    /// Whether a system may call a service in an organisation's name, as far as it needs a delegation.
    ///
    /// # Errors
    /// As [`Gateway::in_whose_name`].
    pub(crate) fn may_represent(
        &self,
        party: &OrgCode,
        (consumer, service): (&SystemId, &ServiceId),
        at: Time,
    ) -> Result<(), Problem> {
        if consumer.org.top() == party.top() {
            return Ok(());
        }
        within_one_instance(party, consumer, service)?;
        self.find(&acts(party, consumer, service), at).map(drop)
    }
}

/// Between instances an organisation speaks for itself alone: the other side cannot see what two
/// organisations of another instance have agreed.
fn within_one_instance(delegator: &OrgCode, consumer: &SystemId, service: &ServiceId) -> Result<(), Problem> {
    let instance = consumer.org.instance();
    if [delegator, &service.org]
        .iter()
        .all(|org| org.instance() == instance)
    {
        return Ok(());
    }
    Err(Problem::new(Kind::Forbidden, "delegation-instances").with("instance", service.org.instance()))
}

const fn acts<'a>(delegator: &'a OrgCode, consumer: &'a SystemId, service: &'a ServiceId) -> Acts<'a> {
    Acts {
        delegator,
        agent: &consumer.org,
        role: Role::Consumer,
        service,
    }
}

/// The organisation of the exchange in whose name a call is made; none for its own, and for parties
/// that are none (a business by its tax number).
fn represented(rest: &Rest, consumer: &SystemId) -> Option<OrgCode> {
    let text = rest.represented.as_deref()?;
    let parts = text
        .split('/')
        .map(identifier)
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    let code = match parts.as_slice() {
        [code] => code,
        [of, code] if of.eq_ignore_ascii_case(CLASS) => code,
        _ => return None,
    };
    let code = code.to_ascii_uppercase();
    // Without an instance it is one of the caller's own.
    let own = OrgCode::of_instance(consumer.org.instance(), &code);
    let org = own.or_else(|_| code.parse::<OrgCode>()).ok()?;
    (consumer.org.top() != org.top()).then_some(org)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_organisation_of_the_exchange_is_acted_for() {
        let consumer: SystemId = "G22/portal".parse().expect("an id");
        let of = |text: Option<&str>| {
            let rest = Rest {
                represented: text.map(str::to_owned),
                ..Rest::default()
            };
            represented(&rest, &consumer).map(|org| org.to_string())
        };
        for (text, org) in [
            ("H56", Some("H56")),
            ("GOV/H56", Some("H56")),
            ("gov/h56", Some("H56")),
            ("GOV/%4856", Some("H56")),
            ("GOV/H56.1", Some("H56.1")),
            ("COM/H56", None),
            ("0101", None),
            ("G22", None),
            ("GOV/G22.1", None),
            ("COM/G22", None),
            ("GOV/LA-H56", Some("LA-H56")),
        ] {
            assert_eq!(of(Some(text)).as_deref(), org, "{text}");
        }
        assert_eq!(of(None), None);
    }
}
