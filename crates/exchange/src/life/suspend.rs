//! A party stops an agreement for the time being, and takes that back. It holds at once at the
//! party's own node; calls are refused `agreement-suspended`. Never ends an agreement: see
//! [`crate::agreements::Agreements::revoke`].

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem};
use store::Tx;

use super::State;
use super::store as rows;
use super::words::{self, Said, Signed, Word};
use crate::gateway::Exchange;

impl Exchange {
    /// Suspends an agreement by one of its parties here.
    ///
    /// # Errors
    /// 404 when `by` is no party to it; 403 `member-elsewhere` when `by` is hosted elsewhere; 422 without
    /// a reason; conflict `agreement-over`, and `stale` when the party suspends it already.
    pub async fn suspend_agreement(
        &self,
        hash: &Digest,
        by: &OrgCode,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let reason = super::reason(reason)?;
        self.say_standing(hash, by, Some(reason), actor).await
    }

    /// Resumes an agreement by the party that suspended it.
    ///
    /// # Errors
    /// As [`Exchange::suspend_agreement`]; conflict `agreement-not-suspended` when that party does not
    /// suspend it.
    pub async fn resume_agreement(&self, hash: &Digest, by: &OrgCode, actor: &Actor) -> Result<(), Problem> {
        self.say_standing(hash, by, None, actor).await
    }

    async fn say_standing(
        &self,
        hash: &Digest,
        by: &OrgCode,
        reason: Option<&str>,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let standing = self.0.agreements.standing(hash, self.0.now());
        let standing = standing.ok_or_else(Problem::not_found)?;
        let other = super::other_party(by, &standing.agreement).ok_or_else(Problem::not_found)?;
        let seal = self.0.keyring.seals.get(by);
        let key = &seal.ok_or_else(|| self.0.not_here(by))?.key;
        if matches!(standing.state, State::Revoked | State::Expired) {
            return Err(
                Problem::new(Kind::Conflict, "agreement-over").with("agreement", &standing.agreement.id)
            );
        }
        let serial = self
            .0
            .store
            .write(by, actor, |tx| async move {
                let last = rows::last_word(&tx, hash, by).await?;
                let suspends = last.is_some_and(|(_, suspends)| suspends);
                let serial = super::next_serial(tx.now(), last.map(|(serial, _)| serial));
                let agreement = *hash;
                let said = match reason {
                    Some(_) if suspends => return Err(Problem::stale()),
                    None if !suspends => {
                        return Err(Problem::new(Kind::Conflict, "agreement-not-suspended"));
                    }
                    Some(reason) => Said::Suspension {
                        agreement,
                        serial,
                        reason: reason.to_owned(),
                    },
                    None => Said::Resumption { agreement, serial },
                };
                let word = Word {
                    party: by.clone(),
                    at: tx.now(),
                    said,
                };
                let signed = words::sign(word, key);
                note(&tx, hash, &signed).await?;
                super::tell(&tx, other, hash, &signed).await?;
                Ok(serial)
            })
            .await?;
        self.0.agreements.stand(hash, by, serial, reason.is_some());
        Ok(())
    }
}

/// Writes a party's word on suspension, unless a newer one is known or the tenant has no part in it;
/// false when nothing changes.
pub(super) async fn note(tx: &Tx, hash: &Digest, signed: &Signed) -> Result<bool, Problem> {
    if !crate::store::holds(tx, hash).await? {
        return Ok(false);
    }
    let by = &signed.word.party;
    let last = rows::last_word(tx, hash, by).await?;
    if last.is_some_and(|(serial, _)| serial >= signed.word.order()) {
        return Ok(false);
    }
    rows::keep_word(tx, hash, signed).await?;
    let (agreement, by, word) = (*hash, by.clone(), signed.digest);
    let fact = if matches!(signed.word.said, Said::Suspension { .. }) {
        Fact::AgreementSuspended { agreement, by, word }
    } else {
        Fact::AgreementResumed { agreement, by, word }
    };
    tx.fact(&super::subject(hash), fact).await?;
    Ok(true)
}
