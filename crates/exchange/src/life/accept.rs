//! The consumer signs what was offered: both signatures are there, and the agreement is in force from
//! its first day on. Never signs a text other than the one that was looked at.

use kernel::{Actor, Digest, Fact, Kind, Problem};
use store::Tx;

use super::store as rows;
use super::talk::Talk;
use super::words::{self, Said, Signed, Word};
use crate::gateway::Exchange;

impl Exchange {
    /// Accepts the offer of a hash; accepting it again changes nothing.
    ///
    /// # Errors
    /// 404 for a request that no consumer here has made; conflict: `agreement-not-offered`,
    /// `agreement-offer-superseded`, `agreement-answered`, `agreement-expired`; 422 `agreement-bodies-days`.
    pub async fn accept_agreement(
        &self,
        request: &Digest,
        hash: &Digest,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let talk = self.talk(request).await?.ok_or_else(Problem::not_found)?;
        self.may_keep(talk.text())?;
        let (tenant, seal) = self.voice(&talk.draft.consumer.org)?;
        let key = &seal.key;
        let accepted = self
            .0
            .store
            .write(tenant, actor, |tx| async move {
                let talk = rows::talk(&tx, request).await?.ok_or_else(Problem::not_found)?;
                let text = talk.text();
                if tx.now() >= text.valid_to {
                    return Err(Problem::new(Kind::Conflict, "agreement-expired").with("agreement", &text.id));
                }
                let acceptance = text.accept(&text.consumer.org, tx.now(), key);
                let provider = text.provider.clone();
                let Some(talk) = talk.accept(hash, &acceptance)? else {
                    return Ok(None);
                };
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::Acceptance {
                        request: *request,
                        agreement: *hash,
                        acceptance,
                    },
                };
                let signed = words::sign(word, key);
                conclude(&tx, &talk, &signed).await?;
                super::tell(&tx, &provider, request, &signed).await?;
                Ok(Some(talk))
            })
            .await?;
        if let Some(talk) = accepted {
            self.0.agreements.hold(talk.text());
        }
        Ok(())
    }
}

/// Writes an accepted request, and the agreement it has led to.
pub(super) async fn conclude(tx: &Tx, talk: &Talk, word: &Signed) -> Result<(), Problem> {
    let both = talk
        .signed()
        .ok_or_else(|| Problem::internal("what is concluded was accepted"))?;
    let (hash, a) = (both.agreement.hash(), &both.agreement);
    rows::save_talk(tx, talk).await?;
    rows::keep_word(tx, &talk.request, word).await?;
    let accepted = Fact::AgreementAccepted {
        request: talk.request,
        agreement: hash,
        by: word.word.party.clone(),
        word: word.digest,
    };
    tx.fact(&super::subject(&talk.request), accepted).await?;
    if crate::store::holds(tx, &hash).await? {
        return Ok(());
    }
    crate::store::insert_agreement(tx, &hash, &both).await?;
    let in_force = Fact::AgreementInForce {
        agreement: hash,
        provider: a.provider.clone(),
        consumer: a.consumer.org.clone(),
        service: a.service.to_string(),
    };
    tx.fact(&super::subject(&hash), in_force).await?;
    Ok(())
}
