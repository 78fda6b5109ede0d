//! What the other party of a delegation said, taken over: checked against its seal, then against what
//! is known here. What has ended stays ended, in whatever order the words come. Never answers.

use kernel::{Actor, Digest, Kind, Problem};

use super::{KnownDelegation, SignedDelegation, Stage, store as rows, verbs};
use crate::agreements::Agreements;
use crate::life::hear::{late, says_for};
use crate::life::words::Signed;

fn actor(heard: &Signed) -> Actor {
    Actor::System(heard.word.party.to_string())
}

impl Agreements {
    /// An offer, at who is to act.
    pub(crate) async fn hear_delegation_offer(
        &self,
        heard: &Signed,
        offered: &SignedDelegation,
    ) -> Result<(), Problem> {
        let d = &offered.delegation;
        says_for(&heard.word.party, &d.delegator)?;
        d.check(&offered.delegator_acceptance, &d.delegator, &|org, at| {
            self.keys_of(org, at)
        })?;
        if let Some(fault) = d.faults(self.store.world().now()).into_iter().next() {
            return Err(late(fault));
        }
        let mut tenants = self.tenants.iter();
        let tenant = tenants
            .find(|tenant| tenant.holds(&d.agent))
            .ok_or_else(Problem::not_found)?;
        let open_max = self.store.limits().agreement_requests_max;
        let offered = &SignedDelegation {
            agent_acceptance: None,
            ..offered.clone()
        };
        self.store
            .write(tenant, &actor(heard), |tx| async move {
                verbs::begin(&tx, offered, open_max).await.map(drop)
            })
            .await
    }

    /// An acceptance, at who delegates and at the providers concerned.
    pub(crate) async fn hear_delegation_deal(
        &self,
        heard: &Signed,
        signed: &SignedDelegation,
    ) -> Result<(), Problem> {
        let d = &signed.delegation;
        says_for(&heard.word.party, &d.agent)?;
        let hash = signed.check(&|org, at| self.keys_of(org, at))?;
        let (providers, kept_max) = (d.providers(), self.store.limits().delegations_max);
        let mut failed = None;
        let concerned = |tenant: &&kernel::Tenant| {
            tenant.holds(&d.delegator) || providers.iter().any(|provider| tenant.holds(provider))
        };
        for tenant in self.tenants.iter().filter(concerned) {
            let agreed = self
                .store
                .write(tenant, &actor(heard), |tx| async move {
                    let before = rows::one(&tx, &hash).await?.map(|known| known.stage);
                    if matches!(before, Some(Stage::Agreed | Stage::Ended)) {
                        return Ok(before == Some(Stage::Agreed));
                    }
                    // Who delegates has offered it. To a provider anybody may bring any number of them.
                    let by_others = !tx.tenant().holds(&d.delegator);
                    if by_others && rows::agreed(&tx, &d.agent.top()).await? >= kept_max {
                        return Err(Problem::new(Kind::TooMany, "delegations-many").with("max", kept_max));
                    }
                    let known = KnownDelegation {
                        hash,
                        signed: signed.clone(),
                        stage: Stage::Agreed,
                        changed_at: tx.now(),
                        ended: None,
                    };
                    verbs::agree(&tx, known).await?;
                    Ok(true)
                })
                .await;
            match agreed {
                Ok(true) => self.delegations.hold(hash, d, false),
                Ok(false) => {}
                // One who keeps no more of them keeps no other from hearing of it.
                Err(problem) => failed = failed.or(Some(problem)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// An end, at the other party and at the providers concerned.
    pub(crate) async fn hear_delegation_end(&self, heard: &Signed, hash: &Digest) -> Result<(), Problem> {
        let mut heard_here = false;
        for tenant in self.tenants.iter() {
            heard_here |= self
                .store
                .write(tenant, &actor(heard), |tx| async move {
                    let Some(known) = rows::one(&tx, hash).await? else {
                        return Ok(false);
                    };
                    let d = known.signed.delegation.clone();
                    let by = &heard.word.party;
                    if !by.holds(&d.delegator) && !by.holds(&d.agent) {
                        return Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", by));
                    }
                    if known.stage == Stage::Ended {
                        return Ok(true);
                    }
                    // The delegator may have ended its offer before it heard the acceptance, which the
                    // providers have: they hear of the end from who told them.
                    let agreed = known.stage == Stage::Agreed && tx.tenant().holds(&d.agent);
                    verbs::end(&tx, known, heard).await?;
                    if agreed {
                        verbs::tell(&tx, &d.providers(), hash, heard).await?;
                    }
                    Ok(true)
                })
                .await?;
        }
        if !heard_here {
            return Err(Problem::not_found());
        }
        self.delegations.end(hash);
        Ok(())
    }
}
