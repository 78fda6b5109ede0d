//! The agreements a node holds, in memory for the hot path and in rows for ever: adopted when both
//! signatures hold, found by consumer and service, ended by either party. Never drafts: an
//! agreement without both signatures is not one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use directory::Directory;
use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem, Tenant, Time};
use seal::jws::PublicKey;
use store::Store;

use crate::agreement::{Agreement, SignedAgreement, read_revocation, revocation};
use crate::ids::{ServiceId, SystemId};
use crate::store as rows;

/// The agreements a node holds for all its tenants.
#[derive(Clone)]
pub struct Agreements {
    store: Store,
    directory: Directory,
    tenants: Arc<[Tenant]>,
    held: Arc<RwLock<HashMap<Digest, Held>>>,
}

#[derive(Clone)]
struct Held {
    agreement: Arc<Agreement>,
    revoked: bool,
}

impl Agreements {
    /// Reads what the tenants hold.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(store: Store, directory: Directory, tenants: &[Tenant]) -> Result<Self, Problem> {
        let mut held = HashMap::new();
        for tenant in tenants {
            for row in rows::agreements(&store, tenant).await? {
                let entry = Held {
                    agreement: Arc::new(row.signed.agreement),
                    revoked: row.revoked_at.is_some(),
                };
                held.insert(entry.agreement.hash(), entry);
            }
        }
        Ok(Self {
            store,
            directory,
            tenants: tenants.into(),
            held: Arc::new(RwLock::new(held)),
        })
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
        let hash = signed.check(&|org| self.key_of(org))?;
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
            let held = Held {
                agreement: Arc::new(signed.agreement),
                revoked: false,
            };
            self.locked_mut().insert(hash, held);
        }
        Ok(new)
    }

    /// The agreement under which a system may call a service now.
    ///
    /// # Errors
    /// `agreement-missing`, `agreement-revoked`, `agreement-expired`.
    pub fn find(
        &self,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<Arc<Agreement>, Problem> {
        let held = self.locked();
        let mut best = Problem::new(Kind::Forbidden, "agreement-missing").with("service", service);
        for entry in held
            .values()
            .filter(|h| h.agreement.consumer == *consumer && h.agreement.service == *service)
        {
            match allowed(entry, at) {
                Ok(()) => return Ok(Arc::clone(&entry.agreement)),
                Err(problem) => best = problem,
            }
        }
        Err(best)
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
        let held = self.locked();
        let missing = || Problem::new(Kind::Forbidden, "agreement-missing").with("service", service);
        let entry = held.get(hash).ok_or_else(missing)?;
        if entry.agreement.consumer != *consumer || entry.agreement.service != *service {
            return Err(missing());
        }
        allowed(entry, at)?;
        Ok(Arc::clone(&entry.agreement))
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
        let agreement = self
            .locked()
            .get(&hash)
            .map(|h| Arc::clone(&h.agreement))
            .ok_or_else(Problem::not_found)?;
        let other = if agreement.provider == *by {
            &agreement.consumer.org
        } else {
            &agreement.provider
        };
        if agreement.provider != *by && agreement.consumer.org != *by {
            return Err(Problem::not_found());
        }
        let notice = revocation(hash, by, self.store.world().now(), why, key);
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
                    reason: why.to_owned(),
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
        let (hash, by, why) = read_revocation(notice, &|org| self.key_of(org))?;
        let agreement = self
            .locked()
            .get(&hash)
            .map(|h| Arc::clone(&h.agreement))
            .ok_or_else(Problem::not_found)?;
        if agreement.provider != by && agreement.consumer.org != by {
            return Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", &by));
        }
        let (by, why) = (&by, why.as_str());
        for tenant in self.tenants.iter() {
            self.store
                .write(tenant, &Actor::System(by.to_string()), |tx| async move {
                    if rows::revoke_agreement(&tx, &hash, by, why).await? {
                        let fact = Fact::AgreementRevoked {
                            agreement: hash,
                            by: by.clone(),
                            reason: why.to_owned(),
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
        let mut list: Vec<_> = self
            .locked()
            .iter()
            .map(|(h, e)| (*h, Arc::clone(&e.agreement), e.revoked))
            .collect();
        list.sort_by(|a, b| a.1.id.cmp(&b.1.id));
        list
    }

    fn key_of(&self, org: &OrgCode) -> Option<PublicKey> {
        self.directory
            .seal_certificate(org)
            .and_then(|c| PublicKey::from_certificate(&c).ok())
    }

    fn mark_revoked(&self, hash: &Digest) {
        if let Some(entry) = self.locked_mut().get_mut(hash) {
            entry.revoked = true;
        }
    }

    fn locked(&self) -> std::sync::RwLockReadGuard<'_, HashMap<Digest, Held>> {
        self.held
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn locked_mut(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<Digest, Held>> {
        self.held
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn allowed(entry: &Held, at: Time) -> Result<(), Problem> {
    if entry.revoked {
        return Err(Problem::new(Kind::Forbidden, "agreement-revoked").with("agreement", &entry.agreement.id));
    }
    entry.agreement.in_term(at)
}
