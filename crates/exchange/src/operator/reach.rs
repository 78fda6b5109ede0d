//! How far an operator sees and acts: one of the node's home organisation looks after the whole node, one of
//! a hosted organisation after that alone. What lies beyond is not there (404), or not theirs to say (403).
//! Never a rule of an agreement.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::{Kind, OrgCode, Problem, Tenant};
use seal::key::Identity;
use web::{Operator, Principal, Refusal};

use crate::agreement::Agreement;
use crate::gateway::Exchange;
use crate::life::other_party;

/// The one hosted organisation that is seen and spoken for; all of the node when there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach(Option<OrgCode>);

impl Reach {
    /// The organisation, when it is one alone.
    pub(crate) const fn organisation(&self) -> Option<&OrgCode> {
        self.0.as_ref()
    }

    /// Refuses to speak for an organisation that somebody else looks after.
    ///
    /// # Errors
    /// 403 `member-not-yours`.
    pub(crate) fn may_act_for(&self, org: &OrgCode) -> Result<(), Problem> {
        if self.holds(org) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "member-not-yours").with("member", org))
    }

    /// True when an agreement concerns whoever is seen.
    pub(crate) fn is_party(&self, agreement: &Agreement) -> bool {
        let own = self.0.as_ref();
        own.is_none_or(|own| other_party(own, agreement).is_some())
    }

    /// True for an organisation that is seen.
    pub(crate) fn holds(&self, org: &OrgCode) -> bool {
        self.0.as_ref().is_none_or(|own| own.holds(org))
    }
}

impl Exchange {
    /// The gateway as far as an operator sees it and acts in it.
    pub(crate) fn as_far_as(&self, who: &Principal) -> Self {
        Self(Arc::clone(&self.0), Reach(self.seen_by(who)))
    }

    /// The whole gateway, for what a rule asks in nobody's name.
    pub(crate) fn whole(&self) -> Self {
        Self(Arc::clone(&self.0), Reach::default())
    }

    /// The organisations of this node that are seen.
    pub(crate) fn own_tenants(&self) -> impl Iterator<Item = &Tenant> {
        let all = self.0.agreements.tenants.iter();
        all.filter(|tenant| self.1.holds(tenant))
    }

    /// The seal of an organisation of this node.
    ///
    /// # Errors
    /// 403 `member-elsewhere`, `member-unknown`, `member-not-yours`.
    pub(crate) fn seal_of(&self, org: &OrgCode) -> Result<&Identity, Problem> {
        let seal = self
            .0
            .keyring
            .seals
            .get(org)
            .ok_or_else(|| self.0.not_here(org))?;
        self.1.may_act_for(org)?;
        Ok(seal)
    }
}

/// A signed-in operator, and the gateway as far as that operator sees it and acts in it.
pub(crate) struct Acting(pub(crate) Exchange, pub(crate) Principal);

impl FromRequestParts<Exchange> for Acting {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, x: &Exchange) -> Result<Self, Refusal> {
        let Operator(who) = Operator::from_request_parts(parts, x).await?;
        Ok(Self(x.as_far_as(&who), who))
    }
}

/// A signed-in operator of the node's home organisation: for what concerns the whole node.
pub(crate) struct Keeper(pub(crate) Exchange, pub(crate) Principal);

impl FromRequestParts<Exchange> for Keeper {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, x: &Exchange) -> Result<Self, Refusal> {
        let Operator(who) = Operator::from_request_parts(parts, x).await?;
        who.require_home(&x.0.home)?;
        Ok(Self(x.clone(), who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    #[test]
    fn an_operator_of_a_hosted_organisation_speaks_for_it_and_its_units_alone() {
        let code = |text: &str| -> OrgCode { text.parse().expect("a code") };
        let all = Reach::default();
        assert!(all.may_act_for(&code("G01")).is_ok() && all.is_party(&sample()));
        let own = Reach(Some(code("G15")));
        assert!(own.may_act_for(&code("G15")).is_ok() && own.holds(&code("G15.02")));
        assert_eq!(
            own.may_act_for(&code("G01")).expect_err("refused").code,
            "member-not-yours"
        );
        assert!(!own.is_party(&sample()), "an agreement of others");
        let party = Reach(Some(sample().provider.top()));
        assert!(party.is_party(&sample()));
    }
}
