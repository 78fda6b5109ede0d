//! An offer to a group, as a member hears it; and what follows by itself once a member has taken one up:
//! the provider's node offers that very text, the member's accepts it. A request that is not of an offer
//! waits for the operator, as any. Never signs a text that nobody looked at.

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};

use super::store as rows;
use super::{KnownGroupOffer, verbs};
use crate::agreement::Agreement;
use crate::agreements::Agreements;
use crate::gateway::Exchange;
use crate::ids::SystemId;
use crate::life::hear::{late, says_for};
use crate::life::talk::Stage;
use crate::life::words::{Said, Signed};

/// How long before it is heard a member may have taken an offer up, in milliseconds: a day, for which its
/// node's outbox may have been in vain.
const LATE_MS_MAX: i64 = 86_400_000;

impl Agreements {
    /// An offer to a group, at an organisation with systems in it; one without systems ends it there.
    pub(crate) async fn hear_group_offer(
        &self,
        heard: &Signed,
        (to, text, serial, systems): (&OrgCode, &Agreement, i64, &[SystemId]),
    ) -> Result<(), Problem> {
        says_for(&heard.word.party, &text.provider)?;
        let bad = || late(Problem::invalid("consumer", "group-name"));
        if !text.is_for_a_group() || text.consumer != text.service.provider() {
            return Err(bad());
        }
        if let Some(fault) = text.faults(self.store.world().now()).into_iter().next()
            && !systems.is_empty()
        {
            return Err(late(fault));
        }
        let (hash, open_max) = (text.hash(), self.store.limits().agreement_requests_max);
        let actor = &Actor::System(heard.word.party.to_string());
        if text.provider.top() == to.top() || systems.iter().any(|system| system.org != *to) {
            return Err(bad());
        }
        for tenant in self.tenants.iter().filter(|tenant| tenant.holds(to)) {
            let known = &KnownGroupOffer {
                hash,
                text: text.clone(),
                systems: systems.to_vec(),
                serial,
                ended: systems.is_empty(),
            };
            self.store
                .write(tenant, actor, |tx| async move {
                    let before = rows::one(&tx, &hash).await?;
                    let nothing_new = match &before {
                        Some(before) => before.serial >= serial,
                        None => known.systems.is_empty(),
                    };
                    if nothing_new {
                        return Ok(());
                    }
                    let is_new = before.is_none_or(|before| before.ended);
                    if is_new && rows::open(&tx, &text.provider).await? >= open_max {
                        return Err(Problem::new(Kind::TooMany, "agreement-requests").with("max", open_max));
                    }
                    rows::save(&tx, known).await?;
                    let fact = if known.systems.is_empty() {
                        Fact::GroupOfferEnded {
                            offer: hash,
                            by: heard.word.party.clone(),
                        }
                    } else {
                        verbs::offered(known)
                    };
                    tx.fact(&verbs::subject(&hash), fact).await.map(drop)
                })
                .await?;
        }
        Ok(())
    }
}

impl Exchange {
    /// Takes over a word of another party, and does what it settles by itself.
    ///
    /// # Errors
    /// As [`Agreements::hear`].
    pub async fn hear(&self, notice: &str) -> Result<(), Problem> {
        let Some(heard) = self.0.agreements.hear_word(notice).await? else {
            return Ok(());
        };
        let done = match &heard.word.said {
            Said::Request { agreement } if agreement.group_offer().is_some() => {
                self.offer_as_offered(&heard.digest).await
            }
            Said::Offer {
                request, agreement, ..
            } if agreement.group_offer().is_some() => self.accept_as_taken_up(request).await,
            _ => Ok(()),
        };
        match done {
            // It was answered or accepted meanwhile, or waits for the operator. The word was heard
            // either way: its sender has nothing to mend and nothing to repeat.
            Err(problem) if matches!(problem.kind, Kind::Conflict | Kind::Invalid) => {
                tracing::info!(word = %heard.digest, %problem, "a word on a group settled nothing");
                Ok(())
            }
            done => done,
        }
    }

    /// At the provider: a request that is an offer to a group, taken up by a member, is offered at once.
    async fn offer_as_offered(&self, request: &Digest) -> Result<(), Problem> {
        let Some(talk) = self.talk(request).await? else {
            return Ok(());
        };
        let (draft, open) = (&talk.draft, matches!(talk.stage, Stage::Requested));
        let (Some(offer), Ok((tenant, _))) = (draft.group_offer(), self.voice(&draft.provider)) else {
            return Ok(());
        };
        let known = rows::read(&self.0.store.read(tenant).await?, &offer).await?;
        let is_of_it = known.is_some_and(|known| {
            !known.ended && known.text.for_member(&draft.consumer, draft.valid_from) == *draft
        });
        // The instant is the requester's to choose: it says when it took the offer up, not long ago.
        let is_timely = self.0.now().plus_ms(-LATE_MS_MAX) <= draft.valid_from;
        if !(open && is_of_it && is_timely && self.0.agreements.is_member(draft)) {
            tracing::info!(%request, "a request under a group waits for the operator");
            return Ok(());
        }
        // The text is the offer's own, its fields were looked up with it; and a peer waits for this.
        let offered = self.offer_text(request, draft.clone(), &Actor::Platform);
        offered.await.map(drop)
    }

    /// At the member: what was taken up comes back signed by the provider, unchanged, and is accepted.
    async fn accept_as_taken_up(&self, request: &Digest) -> Result<(), Problem> {
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            let talk = crate::life::store::read_talk(&reader, request).await?;
            drop(reader);
            if let Some(talk) = talk
                && tenant.holds(&talk.draft.consumer.org)
                && let Stage::Offered { offer } = &talk.stage
                && offer.agreement == talk.draft
            {
                let hash = offer.agreement.hash();
                return self.accept_agreement(request, &hash, &Actor::Platform).await;
            }
        }
        Ok(())
    }
}
