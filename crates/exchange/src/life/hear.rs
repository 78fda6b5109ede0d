//! What the other party said, taken over: checked against its seal, then against what is known here.
//! Hearing a word again, or after a newer one, changes nothing. Never answers by itself.

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};
use store::Tx;

use super::store as rows;
use super::talk::{Offer, Talk};
use super::words::{self, Said, Signed};
use super::{accept, request, suspend, withdraw};
use crate::agreement::{Agreement, read_acceptance};
use crate::agreements::Agreements;
use crate::ids::ServiceId;
use crate::offered::told;

impl Agreements {
    /// Takes over a word of another party.
    ///
    /// # Errors
    /// `seal-broken` when the word is not that party's to say; 422 `agreement-word` when it is
    /// malformed; 404 when it is about nothing that is known here; conflict when it comes too late to
    /// have an effect.
    pub async fn hear(&self, token: &str) -> Result<(), Problem> {
        self.hear_word(token).await.map(drop)
    }

    /// As [`Agreements::hear`]; gives the word, whose signature is checked once. None for a word that an
    /// agreement has ended.
    pub(crate) async fn hear_word(&self, token: &str) -> Result<Option<Signed>, Problem> {
        if !words::is_word(token) {
            self.hear_revocation(token).await?;
            return Ok(None);
        }
        let heard = words::read(token, &|org, at| self.keys_of(org, at))?;
        self.take_over(&heard).await?;
        Ok(Some(heard))
    }

    async fn take_over(&self, heard: &Signed) -> Result<(), Problem> {
        match &heard.word.said {
            Said::Request { agreement } => self.hear_request(heard, agreement).await,
            Said::Offer { request, .. } | Said::Refusal { request, .. } => {
                self.hear_answer(heard, request).await
            }
            Said::Acceptance { request, .. } => self.hear_acceptance(heard, request).await,
            Said::Withdrawal { request, .. } => self.hear_withdrawal(heard, request).await,
            Said::Suspension { agreement, .. } | Said::Resumption { agreement, .. } => {
                self.hear_standing(heard, agreement).await
            }
            Said::Service { service, .. } => self.hear_of_service(heard, service).await,
            Said::GroupOffer {
                to,
                agreement,
                serial,
                systems,
            } => {
                self.hear_group_offer(heard, (to, agreement, *serial, systems))
                    .await
            }
            Said::DelegationOffer { delegation } => self.hear_delegation_offer(heard, delegation).await,
            Said::DelegationDeal { delegation } => self.hear_delegation_deal(heard, delegation).await,
            Said::DelegationEnd { delegation, .. } => self.hear_delegation_end(heard, delegation).await,
        }
    }

    async fn hear_request(&self, heard: &Signed, draft: &Agreement) -> Result<(), Problem> {
        says_for(&heard.word.party, &draft.consumer.org)?;
        let now = self.store.world().now();
        let mut tenants = self.tenants.iter();
        let tenant = tenants
            .find(|t| t.holds(&draft.provider))
            .ok_or_else(Problem::not_found)?;
        if draft.is_for_a_group() {
            return Err(late(Problem::invalid("consumer", "group-name")));
        }
        if let Some(fault) = draft.faults(now).into_iter().next() {
            return Err(late(fault));
        }
        let due = self.answer_due(&draft.provider, now);
        let talk = &Talk::new(heard.digest, draft.clone(), heard.word.at, due);
        let open_max = self.store.limits().agreement_requests_max;
        self.store
            .write(tenant, &actor(heard), |tx| async move {
                request::begin(&tx, talk, heard, open_max).await.map(drop)
            })
            .await
    }

    /// An offer or a refusal, at the consumer.
    async fn hear_answer(&self, heard: &Signed, request: &Digest) -> Result<(), Problem> {
        if let Said::Offer {
            agreement,
            acceptance,
            ..
        } = &heard.word.said
        {
            read_acceptance(acceptance, &agreement.hash(), &agreement.provider, &|org, at| {
                self.keys_of(org, at)
            })?;
            if let Some(fault) = agreement.faults(self.store.world().now()).into_iter().next() {
                return Err(late(fault));
            }
        }
        let mut known = false;
        for tenant in self.tenants.iter() {
            let heard_here = self
                .store
                .write(tenant, &actor(heard), |tx| async move {
                    let Some(talk) = rows::talk(&tx, request).await? else {
                        return Ok(None);
                    };
                    if !tx.tenant().holds(&talk.draft.consumer.org) {
                        return Ok(None);
                    }
                    says_for(&heard.word.party, &talk.draft.provider)?;
                    take_answer(&tx, talk, heard).await.map(Some)
                })
                .await?;
            known |= heard_here.is_some();
            if let Some(Some(ended)) = heard_here {
                self.mark_revoked(&ended);
            }
        }
        if known { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// An acceptance, at the provider.
    async fn hear_acceptance(&self, heard: &Signed, request: &Digest) -> Result<(), Problem> {
        let Said::Acceptance {
            agreement,
            acceptance,
            ..
        } = &heard.word.said
        else {
            return Err(Problem::internal("an acceptance is one"));
        };
        let mut known = false;
        for tenant in self.tenants.iter() {
            let accepted = self
                .store
                .write(tenant, &actor(heard), |tx| async move {
                    let Some(talk) = rows::talk(&tx, request).await? else {
                        return Ok(None);
                    };
                    if !tx.tenant().holds(&talk.draft.provider) {
                        return Ok(None);
                    }
                    let consumer = &talk.draft.consumer.org;
                    says_for(&heard.word.party, consumer)?;
                    read_acceptance(acceptance, agreement, consumer, &|org, at| self.keys_of(org, at))?;
                    let Some(talk) = talk.accept(agreement, acceptance)? else {
                        return Ok(Some(None));
                    };
                    accept::conclude(&tx, &talk, heard).await?;
                    told::tell_newcomer(&tx, &talk.text().service, &talk.text().consumer.org).await?;
                    Ok(Some(Some(talk)))
                })
                .await?;
            known |= accepted.is_some();
            if let Some(Some(talk)) = accepted {
                self.hold(talk.text());
            }
        }
        if known { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// A withdrawal, at the provider.
    async fn hear_withdrawal(&self, heard: &Signed, request: &Digest) -> Result<(), Problem> {
        let mut known = false;
        for tenant in self.tenants.iter() {
            known |= self
                .store
                .write(tenant, &actor(heard), |tx| async move {
                    let Some(before) = rows::talk(&tx, request).await? else {
                        return Ok(false);
                    };
                    if !tx.tenant().holds(&before.draft.provider) {
                        return Ok(false);
                    }
                    says_for(&heard.word.party, &before.draft.consumer.org)?;
                    let reason = heard.word.said.reason();
                    if let Some(talk) = before.clone().hear_withdrawal(reason)? {
                        withdraw::note(&tx, &before, &talk, heard).await?;
                    }
                    Ok(true)
                })
                .await?;
        }
        if known { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// How a service stands, at those who have an agreement on it; nobody else needs to know.
    async fn hear_of_service(&self, heard: &Signed, service: &ServiceId) -> Result<(), Problem> {
        says_for(&heard.word.party, &service.org)?;
        let consumers = self.consumers_of(service, self.store.world().now());
        let concerned = |tenant: &&OrgCode| consumers.iter().any(|org| tenant.holds(org));
        for tenant in self.tenants.iter().filter(concerned) {
            self.store
                .write(tenant, &actor(heard), |tx| async move {
                    told::hear(&tx, service, heard).await
                })
                .await?;
        }
        Ok(())
    }

    /// A suspension or a resumption, at either.
    async fn hear_standing(&self, heard: &Signed, hash: &Digest) -> Result<(), Problem> {
        let now = self.store.world().now();
        let standing = self.standing(hash, now).ok_or_else(Problem::not_found)?;
        let party = &heard.word.party;
        if super::other_party(party, &standing.agreement).is_none() {
            return Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", party));
        }
        for tenant in self.tenants.iter() {
            self.store
                .write(tenant, &actor(heard), |tx| async move {
                    suspend::note(&tx, hash, heard).await
                })
                .await?;
        }
        self.stand(hash, party, heard.word.order(), heard.word.said.span());
        Ok(())
    }
}

/// What an offer or a refusal does; the agreement that ends by it, when it crossed an acceptance.
async fn take_answer(tx: &Tx, talk: Talk, heard: &Signed) -> Result<Option<Digest>, Problem> {
    let (request, by) = (talk.request, heard.word.party.clone());
    let accepted = talk.signed().map(|both| both.agreement.hash());
    let (word, party) = (heard.digest, by.clone());
    let (changed, fact) = match &heard.word.said {
        Said::Offer {
            serial,
            agreement,
            acceptance,
            ..
        } => {
            let offer = Offer {
                serial: *serial,
                agreement: agreement.clone(),
                acceptance: acceptance.clone(),
            };
            let agreement = agreement.hash();
            let fact = Fact::AgreementOffered {
                request,
                agreement,
                by,
                word,
            };
            (talk.hear_offer(offer)?, fact)
        }
        said => {
            let fact = Fact::AgreementRefused { request, by, word };
            (talk.hear_refusal(said.reason()), fact)
        }
    };
    let Some(talk) = changed else {
        return Ok(None);
    };
    rows::save_talk(tx, &talk).await?;
    rows::keep_word(tx, &request, heard).await?;
    tx.fact(&super::subject(&request), fact).await?;
    let Some(ended) = accepted else {
        return Ok(None);
    };
    // The provider had not heard the acceptance when it said this, and will not take it any more.
    if crate::store::revoke_agreement(tx, &ended, &party, super::SUPERSEDED).await? {
        let fact = Fact::AgreementRevoked {
            agreement: ended,
            by: party,
            reason: super::SUPERSEDED.to_owned(),
            word: None,
        };
        tx.fact(&super::subject(&ended), fact).await?;
    }
    Ok(Some(ended))
}

/// Refuses a word of somebody who does not speak for a party.
pub(crate) fn says_for(by: &OrgCode, party: &OrgCode) -> Result<(), Problem> {
    if by.holds(party) {
        Ok(())
    } else {
        Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", by))
    }
}

/// What is not sound here and now will not become so by being said again.
pub(crate) fn late(fault: Problem) -> Problem {
    Problem {
        kind: Kind::Conflict,
        ..fault
    }
}

fn actor(heard: &Signed) -> Actor {
    Actor::System(heard.word.party.to_string())
}
