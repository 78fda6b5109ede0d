//! A delegation is offered by who delegates, accepted by who will act, and ended by either; each
//! signed, written here at once and told to the other party. Providers concerned are told what counts.

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};
use store::Tx;

use super::store as rows;
use super::{Delegation, KnownDelegation, SignedDelegation, Stage};
use crate::gateway::Exchange;
use crate::life::words::{self, Said, Signed, Word};

/// What the facts of a delegation hang on.
pub(super) fn subject(hash: &Digest) -> String {
    format!("delegation/{hash}")
}

impl Exchange {
    /// Offers a delegation to who is to act; gives its hash.
    ///
    /// # Errors
    /// 422 at the field that is not sound; 403 `member-unknown` when the delegator is hosted
    /// elsewhere, 404 when the agent takes no part; 429 `agreement-requests`; conflict `stale` when this
    /// very document was offered before.
    pub async fn offer_delegation(&self, delegation: Delegation, actor: &Actor) -> Result<Digest, Problem> {
        if let Some(fault) = delegation.faults(self.0.now()).into_iter().next() {
            return Err(fault);
        }
        let (tenant, seal) = self.voice(&delegation.delegator)?;
        let agent = &delegation.agent;
        let unknown = || Problem::new(Kind::NotFound, "member-unknown").with("member", agent);
        self.0.directory.node_of(&agent.top()).ok_or_else(unknown)?;
        let (hash, key) = (delegation.hash(), &seal.key);
        let open_max = self.0.store.limits().agreement_requests_max;
        let delegation = &delegation;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let signed = SignedDelegation {
                    delegation: delegation.clone(),
                    delegator_acceptance: delegation.accept(&delegation.delegator, tx.now(), key),
                    agent_acceptance: None,
                };
                begin(&tx, &signed, open_max).await?.ok_or_else(Problem::stale)?;
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::DelegationOffer { delegation: signed },
                };
                let to = [delegation.agent.clone()];
                tell(&tx, &to, &hash, &words::sign(word, key)).await
            })
            .await?;
        Ok(hash)
    }

    /// Accepts a delegation by who is to act: it is in force from its first day on.
    ///
    /// # Errors
    /// 404 for one that nobody here was offered; 403 `member-unknown` when the agent is hosted
    /// elsewhere; conflict `delegation-answered`, `delegation-over`.
    pub async fn accept_delegation(&self, hash: &Digest, actor: &Actor) -> Result<(), Problem> {
        let known = self.delegation(hash).await?.ok_or_else(Problem::not_found)?;
        let (tenant, seal) = self.voice(&known.signed.delegation.agent)?;
        let key = &seal.key;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let mut known = rows::one(&tx, hash).await?.ok_or_else(Problem::not_found)?;
                let d = known.signed.delegation.clone();
                if known.stage != Stage::Offered {
                    return Err(Problem::new(Kind::Conflict, "delegation-answered"));
                }
                if d.valid_to <= tx.now() {
                    return Err(Problem::new(Kind::Conflict, "delegation-over"));
                }
                known.signed.agent_acceptance = Some(d.accept(&d.agent, tx.now(), key));
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::DelegationDeal {
                        delegation: known.signed.clone(),
                    },
                };
                agree(&tx, known).await?;
                let (signed, mut to) = (words::sign(word, key), d.providers());
                to.push(d.delegator.clone());
                tell(&tx, &to, hash, &signed).await
            })
            .await?;
        let held = &self.0.agreements.delegations;
        held.hold(*hash, &known.signed.delegation, false);
        Ok(())
    }

    /// Ends a delegation by one of its parties here: also an offer that is taken back or not wanted.
    ///
    /// # Errors
    /// 404 when `by` is no party to it; 403 `member-unknown` when `by` is hosted elsewhere; 422 without
    /// a reason; conflict `stale` when it has ended.
    pub async fn end_delegation(
        &self,
        hash: &Digest,
        by: &OrgCode,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let reason = crate::life::reason(reason)?;
        let known = self.delegation(hash).await?.ok_or_else(Problem::not_found)?;
        let d = &known.signed.delegation;
        let other = if by.holds(&d.delegator) {
            &d.agent
        } else if by.holds(&d.agent) {
            &d.delegator
        } else {
            return Err(Problem::not_found());
        };
        let (tenant, seal) = self.voice(by)?;
        let key = &seal.key;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let known = rows::one(&tx, hash).await?.ok_or_else(Problem::not_found)?;
                let mut to = match known.stage {
                    Stage::Ended => return Err(Problem::stale()),
                    Stage::Offered => Vec::new(),
                    Stage::Agreed => known.signed.delegation.providers(),
                };
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::DelegationEnd {
                        delegation: *hash,
                        reason: reason.to_owned(),
                    },
                };
                let signed = words::sign(word, key);
                end(&tx, known, &signed).await?;
                to.push(other.clone());
                tell(&tx, &to, hash, &signed).await
            })
            .await?;
        self.0.agreements.delegations.end(hash);
        Ok(())
    }

    /// A delegation as an organisation of this node knows it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delegation(&self, hash: &Digest) -> Result<Option<KnownDelegation>, Problem> {
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            if let Some(known) = rows::read(&reader, hash).await? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// Every delegation that organisations of this node know, by the parties' numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delegations(&self) -> Result<Vec<KnownDelegation>, Problem> {
        let mut all: Vec<KnownDelegation> = Vec::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            all.extend(rows::all(&reader).await?);
        }
        let number = |known: &KnownDelegation| (known.signed.delegation.id.clone(), known.hash);
        all.sort_by_cached_key(number);
        all.dedup_by_key(|known| known.hash);
        Ok(all)
    }
}

/// Writes one that is offered; `None` when it is known.
pub(super) async fn begin(tx: &Tx, signed: &SignedDelegation, open_max: u64) -> Result<Option<()>, Problem> {
    let d = &signed.delegation;
    let hash = d.hash();
    if rows::one(tx, &hash).await?.is_some() {
        return Ok(None);
    }
    if rows::unanswered(tx, &d.delegator, &d.agent).await? >= open_max {
        return Err(Problem::new(Kind::TooMany, "agreement-requests").with("max", open_max));
    }
    let known = KnownDelegation {
        hash,
        signed: signed.clone(),
        stage: Stage::Offered,
        changed_at: tx.now(),
        ended: None,
    };
    rows::save(tx, &known).await?;
    let fact = Fact::DelegationOffered {
        delegation: hash,
        delegator: d.delegator.clone(),
        agent: d.agent.clone(),
    };
    tx.fact(&subject(&hash), fact).await?;
    Ok(Some(()))
}

/// Writes one that both signed.
pub(super) async fn agree(tx: &Tx, mut known: KnownDelegation) -> Result<(), Problem> {
    known.stage = Stage::Agreed;
    rows::save(tx, &known).await?;
    let d = known.signed.delegation;
    let fact = Fact::DelegationInForce {
        delegation: known.hash,
        delegator: d.delegator,
        agent: d.agent,
        role: d.role.as_str().to_owned(),
    };
    tx.fact(&subject(&known.hash), fact).await?;
    Ok(())
}

/// Writes the end of one.
pub(super) async fn end(tx: &Tx, mut known: KnownDelegation, signed: &Signed) -> Result<(), Problem> {
    let by = signed.word.party.clone();
    known.stage = Stage::Ended;
    known.ended = Some((by.clone(), signed.word.said.reason().to_owned()));
    rows::save(tx, &known).await?;
    let fact = Fact::DelegationEnded {
        delegation: known.hash,
        by,
        word: signed.digest,
    };
    tx.fact(&subject(&known.hash), fact).await?;
    Ok(())
}

/// Lets a word be carried to each that it concerns; those of one receiver in their order.
pub(super) async fn tell(tx: &Tx, to: &[OrgCode], hash: &Digest, signed: &Signed) -> Result<(), Problem> {
    for org in to {
        crate::life::tell_under(tx, org, &format!("{hash} {org}"), signed).await?;
    }
    Ok(())
}
