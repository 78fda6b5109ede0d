//! The agreements a node holds, in memory for the hot path and in rows for ever: adopted when both
//! signatures hold, found by consumer and service, ended by either party. Never drafts: an
//! agreement without both signatures is not one (see [`crate::life`]).

use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use directory::Directory;
use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem, Tenant, Time};
use seal::jws::PublicKey;
use store::{Reader, Store};
use time::Date;

use crate::agreement::{Agreement, SignedAgreement, read_revocation, revocation};
use crate::delegation::book::Delegations;
use crate::held::{Book, Members, Standing};
use crate::ids::{ServiceId, SystemId};
use crate::life;
use crate::quota::QuotaLeft;
use crate::store as rows;
use crate::terms::Terms;

/// The agreements a node holds for all its tenants.
#[derive(Clone)]
pub struct Agreements {
    pub(crate) store: Store,
    directory: Directory,
    pub(crate) tenants: Arc<[Tenant]>,
    held: Arc<RwLock<Book>>,
    /// Who acts for whom.
    pub(crate) delegations: Delegations,
    /// The dated terms of the pack, once they are known.
    terms: Arc<OnceLock<Terms>>,
}

/// The digest of a signed word, as facts name it: the words themselves stand in a row.
fn word_of(token: &str) -> Option<Digest> {
    seal::jws::peek(token).ok().map(|payload| Digest::of(&payload))
}

/// Asks the directory who is in a group. Of a local one only the provider's node knows.
fn members(directory: Directory, tenants: Arc<[Tenant]>) -> Members {
    Arc::new(move |agreement: &Agreement, consumer: &str| {
        let Some(under) = &agreement.group else {
            return true;
        };
        let code = under.name.code.as_str();
        // Nobody of another instance is in a group.
        if agreement.provider.instance() != agreement.consumer.org.instance() {
            return false;
        }
        if !under.name.local {
            return directory.in_global_group(code, consumer);
        }
        let is_here = tenants.iter().any(|tenant| tenant.holds(&agreement.provider));
        !is_here || directory.in_local_group(code, consumer)
    })
}

pub(crate) async fn read_into(held: &mut Book, reader: &Reader) -> Result<(), Problem> {
    for row in rows::agreements(reader).await? {
        let agreement = row.signed.agreement;
        held.insert(agreement.hash(), agreement, row.revoked_at.is_some());
    }
    for word in life::store::standings(reader).await? {
        held.stand(&word.agreement, &word.party, word.serial, word.stop);
    }
    Ok(())
}

impl Agreements {
    /// Reads what the tenants hold.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(store: Store, directory: Directory, tenants: &[Tenant]) -> Result<Self, Problem> {
        let held = Book::asking(members(directory.clone(), tenants.into()));
        let (mut held, delegations) = (held, Delegations::default());
        for tenant in tenants {
            let reader = store.read(tenant).await?;
            read_into(&mut held, &reader).await?;
            delegations.read(&reader).await?;
        }
        Ok(Self {
            store,
            directory,
            tenants: tenants.into(),
            held: Arc::new(RwLock::new(held)),
            delegations,
            terms: Arc::new(OnceLock::new()),
        })
    }

    /// Takes over the pack's dated terms; without them no answer is owed by a day. Once.
    pub fn keep_terms(&self, terms: Terms) {
        // The first are kept: a pack does not change under a running node.
        if self.terms.set(terms).is_err() {
            tracing::warn!("the terms of the exchange were given twice");
        }
    }

    /// The pack's dated terms.
    pub(crate) fn terms(&self) -> Option<&Terms> {
        self.terms.get()
    }

    /// By when a provider that is asked at an instant owes an answer.
    pub(crate) fn answer_due(&self, provider: &OrgCode, asked: Time) -> Option<Time> {
        self.terms()?.answer_due(provider, asked)
    }

    /// Takes over every signed agreement (`*.json`) of a folder that concerns a tenant of this node.
    ///
    /// # Errors
    /// When a file is not an agreement or its signatures do not hold.
    pub async fn adopt_folder(&self, folder: &Path) -> Result<usize, Problem> {
        let unreadable = |e: std::io::Error| Problem::internal(format!("{}: {e}", folder.display()));
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .map_err(unreadable)?
            .filter_map(Result::ok)
            .map(|f| f.path())
            .collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "json"));
        files.sort();
        let mut adopted = 0;
        for file in files {
            let text = std::fs::read(&file).map_err(unreadable)?;
            let signed: SignedAgreement = serde_json::from_slice(&text)
                .map_err(|e| Problem::internal(format!("{} is not an agreement: {e}", file.display())))?;
            adopted += usize::from(self.adopt(signed).await?);
        }
        Ok(adopted)
    }

    /// Takes over one signed agreement; false when it is held already or concerns nobody here.
    ///
    /// # Errors
    /// `seal-broken` when a signature does not hold.
    pub async fn adopt(&self, signed: SignedAgreement) -> Result<bool, Problem> {
        // What is held was checked when it came; its parties may have other keys by now.
        if self.locked().get(&signed.agreement.hash()).is_some() {
            return Ok(false);
        }
        let hash = signed.check(&|org, at| self.keys_of(org, at))?;
        let parties = [
            signed.agreement.provider.clone(),
            signed.agreement.consumer.org.clone(),
        ];
        let mut new = false;
        for tenant in self.tenants.iter().filter(|t| parties.iter().any(|p| t.holds(p))) {
            let signed = &signed;
            new |= self
                .store
                .write(tenant, &Actor::Platform, |tx| async move {
                    if rows::holds(&tx, &hash).await? {
                        return Ok(false);
                    }
                    rows::insert_agreement(&tx, &hash, signed).await?;
                    let a = &signed.agreement;
                    let fact = Fact::AgreementInForce {
                        agreement: hash,
                        provider: a.provider.clone(),
                        consumer: a.consumer.org.clone(),
                        service: a.service.to_string(),
                    };
                    tx.fact(&format!("agreement/{hash}"), fact).await?;
                    Ok(true)
                })
                .await?;
        }
        if new {
            self.locked_mut().insert(hash, signed.agreement, false);
        }
        Ok(new)
    }

    /// The agreement under which a system may call a service now.
    ///
    /// # Errors
    /// `agreement-missing`, `agreement-revoked`, `agreement-expired`, `agreement-suspended`.
    pub fn find(
        &self,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<Arc<Agreement>, Problem> {
        self.find_named(consumer, service, at).map(|(_, held)| held)
    }

    /// As [`Agreements::find`], with the agreement's hash.
    pub(crate) fn find_named(
        &self,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<(Digest, Arc<Agreement>), Problem> {
        self.may_take_part(consumer, service)?;
        self.locked().find(consumer, service, at)
    }

    /// The agreement of a hash that a call names, checked against the call.
    ///
    /// # Errors
    /// As [`Agreements::find`].
    pub fn check(
        &self,
        hash: &Digest,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<Arc<Agreement>, Problem> {
        self.may_take_part(consumer, service)?;
        self.locked().check(hash, consumer, service, at)
    }

    /// Refuses a call for which nothing is left of the agreement's minute; takes nothing out of it.
    pub(crate) fn has_room(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        self.locked().has_room(hash, at)
    }

    /// Takes a call that is about to be made out of the agreement's minute.
    pub(crate) fn spend(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        self.locked().spend(hash, at)
    }

    /// Refuses a member that the directory says is disabled, and a system that it says is disabled or
    /// deleted, on either side.
    fn may_take_part(&self, consumer: &SystemId, service: &ServiceId) -> Result<(), Problem> {
        self.are_enabled([&consumer.org, &service.org])?;
        for (org, system) in [(&consumer.org, &consumer.system), (&service.org, &service.system)] {
            if self.directory.is_stopped(org, system) {
                let stopped = Problem::new(Kind::Forbidden, "system-stopped");
                return Err(stopped.with("system", format!("{org}/{system}")));
            }
        }
        Ok(())
    }

    /// Refuses organisations that the hub has disabled.
    ///
    /// # Errors
    /// 403 `member-disabled`.
    pub(crate) fn are_enabled<const N: usize>(&self, orgs: [&OrgCode; N]) -> Result<(), Problem> {
        match orgs.into_iter().find(|org| self.directory.is_disabled(org)) {
            Some(org) => Err(Problem::new(Kind::Forbidden, "member-disabled").with("member", org.top())),
            None => Ok(()),
        }
    }

    /// The parties' own number of an agreement held.
    pub(crate) fn name_of(&self, hash: &Digest) -> Option<String> {
        self.locked().get(hash).map(|agreement| agreement.id.clone())
    }

    /// Ends an agreement now, by one of its parties here; tells the other party through the outbox.
    ///
    /// # Errors
    /// 404 when `by` is no party to such an agreement.
    pub async fn revoke(
        &self,
        hash: Digest,
        by: &OrgCode,
        why: &str,
        actor: &Actor,
        key: &seal::key::SigningKey,
    ) -> Result<(), Problem> {
        let agreement = self.locked().get(&hash).ok_or_else(Problem::not_found)?;
        let other = if by.holds(&agreement.provider) {
            &agreement.consumer.org
        } else if by.holds(&agreement.consumer.org) {
            &agreement.provider
        } else {
            return Err(Problem::not_found());
        };
        let notice = revocation(hash, by, self.store.world().now(), why, key);
        let word = word_of(&notice);
        let payload = serde_json::json!({ "to": other, "notice": notice });
        let payload = &payload;
        self.store
            .write(by, actor, |tx| async move {
                if !rows::revoke_agreement(&tx, &hash, by, why).await? {
                    return Err(Problem::stale());
                }
                let fact = Fact::AgreementRevoked {
                    agreement: hash,
                    by: by.clone(),
                    reason: String::new(),
                    word,
                };
                tx.fact(&format!("agreement/{hash}"), fact).await?;
                tx.outbox(crate::notice::TOPIC, &hash.hex(), payload).await
            })
            .await?;
        self.mark_revoked(&hash);
        Ok(())
    }

    /// Takes over the other party's word that an agreement has ended; hearing it again changes nothing.
    ///
    /// # Errors
    /// `seal-broken` when the word is not a party's.
    pub async fn hear_revocation(&self, notice: &str) -> Result<(), Problem> {
        let (hash, by, why) = read_revocation(notice, &|org, at| self.keys_of(org, at))?;
        let agreement = self.locked().get(&hash).ok_or_else(Problem::not_found)?;
        if !by.holds(&agreement.provider) && !by.holds(&agreement.consumer.org) {
            return Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", &by));
        }
        let (by, why, word) = (&by, why.as_str(), word_of(notice));
        for tenant in self.tenants.iter() {
            self.store
                .write(tenant, &Actor::System(by.to_string()), |tx| async move {
                    if rows::revoke_agreement(&tx, &hash, by, why).await? {
                        let fact = Fact::AgreementRevoked {
                            agreement: hash,
                            by: by.clone(),
                            reason: String::new(),
                            word,
                        };
                        tx.fact(&format!("agreement/{hash}"), fact).await?;
                    }
                    Ok(())
                })
                .await?;
        }
        self.mark_revoked(&hash);
        Ok(())
    }

    /// What the node holds: hash, agreement and whether it is revoked, by the parties' number.
    #[must_use]
    pub fn list(&self) -> Vec<(Digest, Arc<Agreement>, bool)> {
        self.locked().list()
    }

    /// Where one stands at an instant.
    pub(crate) fn standing(&self, hash: &Digest, at: Time) -> Option<Standing> {
        self.locked().standing(hash, at)
    }

    /// Where some stand at an instant, by the parties' numbers: a page of those in a state, behind
    /// one of them and of one party.
    pub(crate) fn standings(
        &self,
        at: Time,
        wanted: (Option<life::State>, Option<&Digest>, Option<&OrgCode>),
        limit: usize,
    ) -> Vec<Standing> {
        self.locked().standings(at, wanted, limit)
    }

    /// The newest agreement between a system and a service, whatever became of it.
    pub(crate) fn newest(&self, consumer: &SystemId, service: &ServiceId) -> Option<Digest> {
        self.locked().newest(consumer, service)
    }

    /// The organisations that may call a service by an agreement that is not over.
    pub(crate) fn consumers_of(&self, service: &ServiceId, at: Time) -> Vec<OrgCode> {
        self.locked().consumers_of(service, at)
    }

    /// The agreements on a service, whatever became of them, by the parties' numbers.
    pub(crate) fn of_service(&self, service: &ServiceId) -> Vec<(Digest, Arc<Agreement>)> {
        self.locked().of_service(service)
    }

    /// How many calls are left of an agreement's minute.
    pub(crate) fn calls_left(&self, hash: &Digest, at: Time) -> Option<u64> {
        self.locked().calls_left(hash, at)
    }

    /// Takes a call that is about to be made out of the agreement's day and month.
    pub(crate) fn charge(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        self.locked().charge(hash, at)
    }

    /// Counts calls of a day in that the log remembers.
    pub(crate) fn recall(&self, hash: &Digest, day: Date, calls: u32) {
        self.locked().recall(hash, day, calls);
    }

    /// Whether an agreement bounds its calls a day or a month.
    pub(crate) fn has_quota(&self, hash: &Digest) -> bool {
        self.locked().has_quota(hash)
    }

    /// Whether any agreement does.
    pub(crate) fn has_quotas(&self) -> bool {
        self.locked().has_quotas()
    }

    /// The agreement of a hash, whatever became of it.
    pub(crate) fn held(&self, hash: &Digest) -> Option<Arc<Agreement>> {
        self.locked().get(hash)
    }

    /// What is left of an agreement's calls a day and a month at an instant; empty when it bounds
    /// neither. Only the provider's node counts.
    #[must_use]
    pub fn quota_left(&self, hash: &Digest, at: Time) -> Vec<QuotaLeft> {
        self.locked().quota_left(hash, at)
    }

    /// Agreements whose consumer has left their group, each with its provider.
    pub(crate) fn left_groups(&self, at: Time) -> Vec<(Digest, OrgCode)> {
        self.locked().left_groups(at)
    }

    /// True when the consumer of an agreement is in its group, as far as this node knows.
    pub(crate) fn is_member(&self, agreement: &Agreement) -> bool {
        self.locked().is_member(agreement)
    }

    /// Takes an agreement that both signed into memory.
    pub(crate) fn hold(&self, agreement: &Agreement) {
        self.locked_mut()
            .insert(agreement.hash(), agreement.clone(), false);
    }

    /// Takes a party's word on suspension into memory.
    pub(crate) fn stand(&self, hash: &Digest, party: &OrgCode, serial: i64, stop: Option<life::Span>) {
        self.locked_mut().stand(hash, party, serial, stop);
    }

    /// The keys with which an organisation may have signed at an instant, the present one first.
    pub(crate) fn keys_of(&self, org: &OrgCode, at: Time) -> Vec<PublicKey> {
        let seals = self.directory.seals_at(&org.top(), at);
        let keys = seals.iter().map(PublicKey::from_certificate);
        keys.filter_map(Result::ok).collect()
    }

    pub(crate) fn mark_revoked(&self, hash: &Digest) {
        self.locked_mut().revoke(hash);
    }

    fn locked(&self) -> RwLockReadGuard<'_, Book> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_mut(&self) -> RwLockWriteGuard<'_, Book> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}
