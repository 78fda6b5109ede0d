//! The provider refuses a request, and says why. Never without a reason: the consumer reads it.

use kernel::{Actor, Digest, Fact, Problem};

use super::store as rows;
use super::words::{self, Said, Word};
use crate::gateway::Exchange;

impl Exchange {
    /// Refuses a request.
    ///
    /// # Errors
    /// 404 for a request that no provider here has heard of; 422 without a reason; conflict
    /// `agreement-answered`.
    pub async fn refuse_agreement(
        &self,
        request: &Digest,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let reason = super::reason(reason)?;
        let talk = self.talk(request).await?.ok_or_else(Problem::not_found)?;
        let (tenant, seal) = self.voice(&talk.draft.provider)?;
        let key = &seal.key;
        self.0
            .store
            .write(tenant, actor, |tx| async move {
                let talk = rows::talk(&tx, request).await?.ok_or_else(Problem::not_found)?;
                let talk = talk.refuse(reason)?;
                let word = Word {
                    party: tenant.clone(),
                    at: tx.now(),
                    said: Said::Refusal {
                        request: *request,
                        reason: reason.to_owned(),
                    },
                };
                let signed = words::sign(word, key);
                rows::save_talk(&tx, &talk).await?;
                rows::keep_word(&tx, request, &signed).await?;
                super::request::answered(&tx, &talk).await?;
                let fact = Fact::AgreementRefused {
                    request: *request,
                    by: tenant.clone(),
                    word: signed.digest,
                };
                tx.fact(&super::subject(request), fact).await?;
                super::tell(&tx, &talk.draft.consumer.org, request, &signed).await
            })
            .await
    }
}
