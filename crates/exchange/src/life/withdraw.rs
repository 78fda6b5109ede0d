//! The consumer takes its request back, as long as it has not accepted an offer. Never an agreement:
//! one that both signed is ended, not withdrawn.

use kernel::{Actor, Digest, Fact, Problem};
use obligations::lift;
use store::Tx;

use super::store as rows;
use super::talk::{Stage, Talk};
use super::words::{self, Said, Signed, Word};
use crate::gateway::Exchange;

/// Why the provider owes no answer any more.
const LIFTED: &str = "agreement-withdrawn";

impl Exchange {
    /// Takes a request back; the provider is told and reads why.
    ///
    /// # Errors
    /// 404 for a request that no consumer here has made; 403 `member-unknown` when the consumer is
    /// hosted elsewhere; 422 without a reason; conflict `agreement-answered` after an acceptance, a
    /// refusal or a withdrawal.
    pub async fn withdraw_request(
        &self,
        request: &Digest,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let reason = super::reason(reason)?;
        let talk = self.talk(request).await?.ok_or_else(Problem::not_found)?;
        let (tenant, seal) = self.voice(&talk.draft.consumer.org)?;
        let key = &seal.key;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let before = rows::talk(&tx, request).await?.ok_or_else(Problem::not_found)?;
                let talk = before.clone().withdraw(reason)?;
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::Withdrawal {
                        request: *request,
                        reason: reason.to_owned(),
                    },
                };
                let signed = words::sign(word, key);
                note(&tx, &before, &talk, &signed).await?;
                super::tell(&tx, &talk.draft.provider, request, &signed).await
            })
            .await
    }
}

/// Writes a request that was taken back; the provider owes no answer to it any more.
pub(super) async fn note(tx: &Tx, before: &Talk, talk: &Talk, word: &Signed) -> Result<(), Problem> {
    let request = &talk.request;
    rows::save_talk(tx, talk).await?;
    rows::keep_word(tx, request, word).await?;
    let owes = before.due.is_some() && tx.tenant().holds(&talk.draft.provider);
    if owes && matches!(before.stage, Stage::Requested) {
        lift(tx, &super::obligation(request), LIFTED).await?;
    }
    let fact = Fact::AgreementWithdrawn {
        request: *request,
        by: word.word.party.clone(),
        word: word.digest,
    };
    tx.fact(&super::subject(request), fact).await?;
    Ok(())
}
