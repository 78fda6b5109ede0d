//! The provider signs a text for a request, as it was asked for or changed, and offers it. Never puts
//! anything in force: the consumer's signature does.

use kernel::{Actor, Digest, Fact, Kind, Problem};

use super::store as rows;
use super::talk::Offer;
use super::words::{self, Said, Word};
use crate::agreement::Agreement;
use crate::gateway::Exchange;

impl Exchange {
    /// Offers a text for a request, at first or anew; gives the text's hash.
    ///
    /// # Errors
    /// 404 for a request that no provider here has heard of; 422 at the item that is not sound, at
    /// `fields` that the service's OpenAPI document does not have, and `agreement-parties-changed`;
    /// conflict `agreement-answered`, and `agreement-held` when the text is an agreement already, or the
    /// system has one of the same offer to a group.
    pub async fn offer_agreement(
        &self,
        request: &Digest,
        text: Agreement,
        actor: &Actor,
    ) -> Result<Digest, Problem> {
        if let Some(fault) = text.faults(self.0.now()).into_iter().next() {
            return Err(fault);
        }
        self.may_keep(&text)?;
        self.fields_are_described(&text).await?;
        self.offer_text(request, text, actor).await
    }

    /// As [`Exchange::offer_agreement`], of a text that was found sound, and its fields described, before:
    /// asks no service.
    ///
    /// # Errors
    /// As there, without those of the text alone.
    pub(crate) async fn offer_text(
        &self,
        request: &Digest,
        mut text: Agreement,
        actor: &Actor,
    ) -> Result<Digest, Problem> {
        let talk = self.talk(request).await?.ok_or_else(Problem::not_found)?;
        // What is written anew for a request under a group stays under it.
        text.group.clone_from(&talk.draft.group);
        let (tenant, seal) = self.voice(&talk.draft.provider)?;
        let (hash, key) = (text.hash(), &seal.key);
        if self.0.agreements.standing(&hash, self.0.now()).is_some() {
            return Err(Problem::new(Kind::Conflict, "agreement-held").with("agreement", &text.id));
        }
        let text = &text;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let talk = rows::talk(&tx, request).await?.ok_or_else(Problem::not_found)?;
                let last = talk.offered().map(|offer| offer.serial);
                let offer = Offer {
                    serial: super::next_serial(tx.now(), last),
                    agreement: text.clone(),
                    acceptance: text.accept(&text.provider, tx.now(), key),
                };
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::Offer {
                        request: *request,
                        serial: offer.serial,
                        agreement: offer.agreement.clone(),
                        acceptance: offer.acceptance.clone(),
                    },
                };
                let talk = talk.offer(offer)?;
                // One of each offer to a group: a second one would have its own rate and quota. It is
                // looked up where it is written, as two requests may come at once.
                if let Some(of_group) = talk.draft.group_offer() {
                    crate::grouped::store::touch(&tx, &of_group).await?;
                    if let Some(given) = rows::given_of_offer(&tx, &talk).await? {
                        let held = Problem::new(Kind::Conflict, "agreement-held");
                        return Err(held.with("agreement", &given.id));
                    }
                }
                let signed = words::sign(word, key);
                rows::save_talk(&tx, &talk).await?;
                rows::keep_word(&tx, request, &signed).await?;
                super::request::answered(&tx, &talk).await?;
                let fact = Fact::AgreementOffered {
                    request: *request,
                    agreement: hash,
                    by: tenant.clone(),
                    word: signed.digest,
                };
                tx.fact(&super::subject(request), fact).await?;
                super::tell(&tx, &talk.draft.consumer.org, request, &signed).await
            })
            .await?;
        Ok(hash)
    }
}
