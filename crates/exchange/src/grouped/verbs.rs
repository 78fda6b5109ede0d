//! A provider offers a text to a group and ends the offer; a member takes it up for its system. Members
//! are told when they come into the group, and lose what was made when they leave it. Never keeps a list
//! of members: that is the directory's.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};

use super::store as rows;
use super::{KnownGroupOffer, LEFT};
use crate::agreement::Agreement;
use crate::gateway::Exchange;
use crate::ids::SystemId;
use crate::life::words::{self, Said, Word};

/// What the facts of an offer to a group hang on.
pub(super) fn subject(hash: &Digest) -> String {
    format!("group-offer/{hash}")
}

impl Exchange {
    /// Offers a text to the members of its group; gives its hash.
    ///
    /// # Errors
    /// 422 at the item that is not sound, also when it would not be in a member's agreement; at a service
    /// or an endpoint that the provider does not offer; `group-unknown` at `consumer`; 403
    /// `member-elsewhere` when the provider is hosted elsewhere; conflict `stale` for a text that was
    /// offered before.
    pub async fn offer_to_group(&self, text: Agreement, actor: &Actor) -> Result<Digest, Problem> {
        let group = text.group.clone().filter(|_| text.is_for_a_group());
        let group = group
            .ok_or_else(|| Problem::invalid("consumer", "group-name"))?
            .name;
        let now = self.0.now();
        let of_a_member = text.for_member(&longest_system(), now);
        let mut faults = text.faults(now).into_iter().chain(of_a_member.faults(now));
        if let Some(fault) = faults.next() {
            return Err(fault);
        }
        self.may_keep(&text)?;
        self.fields_are_described(&text).await?;
        let (tenant, _) = self.voice(&text.provider)?;
        self.is_offered(&text, actor).await?;
        let members = self.0.directory.in_group_now(&group.code, group.local);
        members.ok_or_else(|| Problem::invalid("consumer", "group-unknown"))?;
        let offer = &KnownGroupOffer {
            hash: text.hash(),
            text,
            systems: Vec::new(),
            serial: 0,
            ended: false,
        };
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if rows::one(&tx, &offer.hash).await?.is_some() {
                    return Err(Problem::stale());
                }
                rows::save(&tx, offer).await?;
                tx.fact(&subject(&offer.hash), offered(offer)).await.map(drop)
            })
            .await?;
        self.follow_groups().await?;
        Ok(offer.hash)
    }

    /// Ends an offer to a group: nobody takes it up any more. Agreements that were made of it go on.
    ///
    /// # Errors
    /// 404 for one that no provider here made; conflict `stale` when it has ended.
    pub async fn end_group_offer(&self, hash: &Digest, actor: &Actor) -> Result<(), Problem> {
        let here = self.known_at(hash).await?;
        let own = here.iter().find(|(at, known)| at.holds(&known.text.provider));
        let (_, known) = own.ok_or_else(Problem::not_found)?;
        let (tenant, _) = self.voice(&known.text.provider)?;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let mut known = rows::one(&tx, hash).await?.ok_or_else(Problem::not_found)?;
                if known.ended {
                    return Err(Problem::stale());
                }
                known.ended = true;
                rows::save(&tx, &known).await?;
                let fact = Fact::GroupOfferEnded {
                    offer: *hash,
                    by: tenant.clone(),
                };
                tx.fact(&subject(hash), fact).await.map(drop)
            })
            .await?;
        self.follow_groups().await
    }

    /// Takes an offer to a group up for a system of this node; gives the name of the request by which
    /// it is. The provider's node answers it by itself.
    ///
    /// # Errors
    /// 404 for an offer that no organisation here was told; 422 `group-member` at `system` when the
    /// system may not; conflict `group-offer-ended`, and `agreement-held` when it has done so.
    pub async fn take_up(&self, hash: &Digest, system: &SystemId, actor: &Actor) -> Result<Digest, Problem> {
        let here = self.known_at(hash).await?.into_iter();
        let of_it = here.filter(|(at, known)| !at.holds(&known.text.provider));
        let mut of_it = of_it.peekable();
        of_it.peek().ok_or_else(Problem::not_found)?;
        let not_a_member = || Problem::invalid("system", "group-member").with("system", system);
        let (_, known) = of_it
            .find(|(tenant, _)| tenant.holds(&system.org))
            .ok_or_else(not_a_member)?;
        let now = self.0.now();
        if known.systems.is_empty() || known.text.valid_to <= now {
            return Err(Problem::new(Kind::Conflict, "group-offer-ended"));
        }
        if !known.systems.contains(system) {
            return Err(not_a_member());
        }
        if let Some((held, _)) = self.taken_up(&known).into_iter().find(|(_, by)| by == system) {
            return Err(Problem::new(Kind::Conflict, "agreement-held").with("agreement", held));
        }
        self.request_agreement(known.text.for_member(system, now), actor)
            .await
    }

    /// One offer, as each organisation of this node that made it or was told of it knows it.
    async fn known_at(&self, hash: &Digest) -> Result<Vec<(OrgCode, KnownGroupOffer)>, Problem> {
        let mut known_at = Vec::new();
        for tenant in self.own_tenants() {
            let known = rows::read(&self.0.store.read(tenant).await?, hash).await?;
            known_at.extend(known.map(|known| (tenant.clone(), known)));
        }
        Ok(known_at)
    }

    /// The agreements in force that were made of an offer, each with its system.
    pub(crate) fn taken_up(&self, known: &KnownGroupOffer) -> Vec<(Digest, SystemId)> {
        let (held, now) = (&self.0.agreements, self.0.now());
        let made = held.of_service(&known.text.service).into_iter();
        let made = made.filter(|(_, a)| a.group_offer() == Some(known.hash) && self.1.is_party(a));
        let runs = |hash: &Digest| {
            let state = held.standing(hash, now).map(|standing| standing.state);
            matches!(
                state,
                Some(crate::State::Accepted | crate::State::InForce | crate::State::Suspended)
            )
        };
        made.filter(|(hash, _)| runs(hash))
            .map(|(hash, a)| (hash, a.consumer.clone()))
            .collect()
    }

    /// What organisations of this node offer to groups.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn own_group_offers(&self) -> Result<Vec<KnownGroupOffer>, Problem> {
        let mut own = Vec::new();
        for tenant in self.own_tenants() {
            let all = rows::all(&self.0.store.read(tenant).await?).await?;
            own.extend(all.into_iter().filter(|known| tenant.holds(&known.text.provider)));
        }
        Ok(own)
    }

    /// What organisations of this node were told of offers to groups, each with its organisation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn heard_group_offers(&self) -> Result<Vec<(OrgCode, KnownGroupOffer)>, Problem> {
        let mut heard = Vec::new();
        for tenant in self.own_tenants() {
            let all = rows::all(&self.0.store.read(tenant).await?).await?.into_iter();
            let all = all.filter(|known| !tenant.holds(&known.text.provider));
            heard.extend(all.map(|known| (tenant.clone(), known)));
        }
        Ok(heard)
    }

    /// Ends what was made with systems that left their group, and tells members what is offered to them.
    /// What fails keeps nothing else back. Doing it again changes nothing.
    ///
    /// # Errors
    /// The first failure to read or to write the store.
    pub async fn follow_groups(&self) -> Result<(), Problem> {
        // Without a directory nobody is in a group: that is not known, and ends nothing.
        if self.0.directory.snapshot().serial == 0 {
            return Ok(());
        }
        let (now, mut failed) = (self.0.now(), None);
        for (hash, provider) in self.0.agreements.left_groups(now) {
            let Ok((tenant, seal)) = self.voice(&provider) else {
                continue; // its provider's node ends it
            };
            let ended = self
                .0
                .agreements
                .revoke(hash, tenant, LEFT, &Actor::Platform, &seal.key);
            match ended.await {
                Ok(()) => tracing::info!(%hash, "a system left its group: its agreement is over"),
                // Somebody ended it meanwhile.
                Err(problem) if problem.kind == Kind::Conflict => {}
                Err(problem) => {
                    tracing::warn!(%hash, %problem, "a system left its group; its agreement goes on yet");
                    failed = failed.or(Some(problem));
                }
            }
        }
        for tenant in self.own_tenants() {
            let offers = rows::followed(&self.0.store.read(tenant).await?).await?;
            for known in offers.iter().filter(|known| tenant.holds(&known.text.provider)) {
                if let Err(problem) = self.tell_members(known).await {
                    tracing::warn!(offer = %known.hash, %problem, "members of a group are not told yet");
                    failed = failed.or(Some(problem));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Tells each organisation with systems in an offer's group, and each that had some.
    async fn tell_members(&self, known: &KnownGroupOffer) -> Result<(), Problem> {
        let Some(under) = &known.text.group else {
            return Ok(());
        };
        let (tenant, seal) = self.voice(&known.text.provider)?;
        let told = rows::told(&self.0.store.read(tenant).await?, &known.hash).await?;
        let mut wanted: BTreeMap<OrgCode, Vec<SystemId>> = BTreeMap::new();
        if !known.ended && self.0.now() < known.text.valid_to {
            let members = self.0.directory.in_group_now(&under.name.code, under.name.local);
            let members = members.unwrap_or_default();
            for system in members.iter().filter_map(|text| text.parse::<SystemId>().ok()) {
                // An organisation agrees nothing with itself.
                if !tenant.holds(&system.org) {
                    wanted.entry(system.org.clone()).or_default().push(system);
                }
            }
        }
        let orgs: BTreeSet<&OrgCode> = wanted.keys().chain(told.keys()).collect();
        for org in orgs {
            let systems = wanted.get(org).cloned().unwrap_or_default();
            let last = told.get(org);
            if last.map(|(_, told)| told) == Some(&systems) || self.0.directory.node_of(org).is_none() {
                continue;
            }
            let serial = crate::life::next_serial(self.0.now(), last.map(|(serial, _)| *serial));
            let word = Word {
                party: tenant.clone(),
                at: self.0.now(),
                said: Said::GroupOffer {
                    to: org.clone(),
                    agreement: known.text.clone(),
                    serial,
                    systems: systems.clone(),
                },
            };
            let (signed, systems) = (&words::sign(word, &seal.key), &systems);
            // The other node would never take it, however often it is sent; the others are told.
            if signed.token.len() > words::WORD_BYTES_MAX {
                let systems = systems.len();
                tracing::warn!(offer = %known.hash, %org, systems, "too many systems for one word");
                continue;
            }
            self.0
                .store
                .write(tenant, &Actor::Platform, |tx| async move {
                    rows::save_told(&tx, &known.hash, org, serial, systems).await?;
                    crate::life::tell_under(&tx, org, &format!("{} {org}", known.hash), signed).await
                })
                .await?;
        }
        Ok(())
    }
}

/// A system whose name is as long as one may be: what can be agreed with it can be with each.
fn longest_system() -> SystemId {
    let org = format!("H56.{}", "9".repeat(31));
    SystemId {
        org: org.parse().expect("35 characters are a code"),
        system: "x".repeat(64),
    }
}

/// The fact that something is offered to a group.
pub(super) fn offered(known: &KnownGroupOffer) -> Fact {
    let group = known.text.group.as_ref();
    Fact::GroupOffered {
        offer: known.hash,
        provider: known.text.provider.clone(),
        group: group.map(|under| under.name.to_string()).unwrap_or_default(),
        service: known.text.service.to_string(),
    }
}
