//! A consumer's organisation asks for an agreement: the twelve items as it would have them, without
//! the provider's signature. Never an offer.

use kernel::{Actor, Digest, Fact, Kind, Problem};
use obligations::Obligation;
use store::Tx;

use super::store as rows;
use super::talk::Talk;
use super::words::{self, Said, Signed, Word};
use crate::agreement::Agreement;
use crate::gateway::Exchange;

/// What an answer that is owed is called.
const OWED: &str = "agreement-answer";

impl Exchange {
    /// Asks the provider for an agreement; gives the request's name. The very same draft that is asked for
    /// already is not asked for again: the request that stands is given.
    ///
    /// # Errors
    /// 422 at the item that is not sound, at a service or an endpoint that the provider does not offer;
    /// 404 `member-unknown` for a provider that takes no part; 403 `member-elsewhere` when the consumer is
    /// hosted elsewhere; conflict `agreement-held` when the text is an agreement already; 429
    /// `agreement-requests`.
    pub async fn request_agreement(&self, draft: Agreement, actor: &Actor) -> Result<Digest, Problem> {
        self.asked_for(draft, actor).await.map(|(request, _)| request)
    }

    /// As [`Exchange::request_agreement`], and whether the request is new.
    pub(crate) async fn asked_for(&self, draft: Agreement, actor: &Actor) -> Result<(Digest, bool), Problem> {
        let (held, now) = (&self.0.agreements, self.0.now());
        if let Some(fault) = draft.faults(now).into_iter().next() {
            return Err(fault);
        }
        self.may_keep(&draft)?;
        self.fields_are_described(&draft).await?;
        let unknown = || Problem::new(Kind::NotFound, "member-unknown").with("member", &draft.provider);
        self.0
            .directory
            .node_of(&draft.provider.top())
            .ok_or_else(unknown)?;
        let (tenant, seal) = self.voice(&draft.consumer.org)?;
        if held.standing(&draft.hash(), now).is_some() {
            return Err(Problem::new(Kind::Conflict, "agreement-held")
                .with("agreement", &draft.id)
                .at("id"));
        }
        self.is_offered(&draft, actor).await?;
        let word = Word {
            party: tenant.clone(),
            at: now,
            said: Said::Request {
                agreement: draft.clone(),
            },
        };
        let signed = words::sign(word, &seal.key);
        let due = held.answer_due(&draft.provider, now);
        let talk = Talk::new(signed.digest, draft, now, due);
        let open_max = self.0.store.limits().agreement_requests_max;
        let (new, word) = (&talk, &signed);
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                if let Some(same) = rows::open_talk(&tx, &new.draft).await? {
                    return Ok((same.request, false));
                }
                if begin(&tx, new, word, open_max).await? {
                    super::tell(&tx, &new.draft.provider, &new.request, word).await?;
                }
                Ok((new.request, true))
            })
            .await
    }
}

/// Writes a new request; false when it is known.
pub(super) async fn begin(tx: &Tx, talk: &Talk, word: &Signed, open_max: u64) -> Result<bool, Problem> {
    if rows::talk(tx, &talk.request).await?.is_some() {
        return Ok(false);
    }
    let (provider, consumer) = (&talk.draft.provider, &talk.draft.consumer.org);
    if rows::unanswered(tx, provider, consumer).await? >= open_max {
        return Err(Problem::new(Kind::TooMany, "agreement-requests").with("max", open_max));
    }
    rows::save_talk(tx, talk).await?;
    rows::keep_word(tx, &talk.request, word).await?;
    if let Some(due) = talk.due.filter(|_| tx.tenant().holds(provider)) {
        let owed = Obligation {
            id: super::obligation(&talk.request),
            kind: OWED.to_owned(),
            debtor: provider.clone(),
            about: talk.request.hex(),
            due,
        };
        obligations::open(tx, &owed).await?;
    }
    let fact = Fact::AgreementRequested {
        request: talk.request,
        provider: provider.clone(),
        consumer: consumer.clone(),
        service: talk.draft.service.to_string(),
        due: talk.due,
    };
    tx.fact(&super::subject(&talk.request), fact).await?;
    Ok(true)
}

/// The answer to a request was given: nothing is owed any more.
pub(super) async fn answered(tx: &Tx, talk: &Talk) -> Result<(), Problem> {
    if talk.due.is_some() {
        obligations::meet(tx, &super::obligation(&talk.request)).await?;
    }
    Ok(())
}
