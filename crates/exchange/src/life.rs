//! The life of an agreement: asked for, offered, accepted, in force, suspended, ended; or refused.
//! Never a call: what a call asks of an agreement is in [`crate::agreements`].
//!
//! | module | holds |
//! |---|---|
//! | [`talk`] | the noun: a request and what became of it |
//! | [`words`] | what one party says to the other, signed |
//! | `request`, `withdraw`, `offer`, `refuse`, `accept`, `suspend` | the verbs, one file each |
//! | [`span`] | from when to when a party stops one |
//! | `end` | what is noted when a term is over |
//! | `there` | whether a provider offers what it is asked for |
//! | `hear` | the same words when the other party says them |
//! | `look` | what there is to see of one, and of all |
//! | `store` | the SQL |
//!
//! Until the provider has heard the acceptance, the provider's word counts: an acceptance that crossed
//! a newer offer or a refusal is of no effect, and the consumer learns so from that offer or refusal.

mod accept;
pub(crate) mod end;
pub(crate) mod hear;
mod look;
mod offer;
mod refuse;
mod request;
pub mod span;
pub(crate) mod store;
mod suspend;
pub mod talk;
mod there;
mod withdraw;
pub mod words;

use ::store::Tx;
use kernel::{Digest, OrgCode, Problem, Tenant, Time};
use seal::key::Identity;

use crate::agreement::Agreement;
use crate::gateway::Exchange;
pub use look::Known;
pub use span::Span;
use talk::Talk;
use words::Signed;

/// Where an agreement, or a request for one, stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Asked for; the provider has not answered.
    Requested,
    /// Signed by the provider; the consumer has not accepted.
    Offered,
    /// Signed by both; its term has not begun.
    Accepted,
    /// Signed by both, within its term.
    InForce,
    /// Within its term, and stopped by a party for the time being.
    Suspended,
    /// Ended by a party before its time.
    Revoked,
    /// Its term is over.
    Expired,
    /// The provider refused the request.
    Refused,
    /// The consumer took the request back.
    Withdrawn,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::Requested,
        Self::Offered,
        Self::Accepted,
        Self::InForce,
        Self::Suspended,
        Self::Revoked,
        Self::Expired,
        Self::Refused,
        Self::Withdrawn,
    ];

    /// Its key, `in-force`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::InForce => "in-force",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state with a key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == key)
    }

    /// Of an agreement that both signed.
    #[must_use]
    pub fn of_held(agreement: &Agreement, revoked: bool, suspended: bool, at: Time) -> Self {
        if revoked {
            Self::Revoked
        } else if at >= agreement.valid_to {
            Self::Expired
        } else if suspended {
            Self::Suspended
        } else if at < agreement.valid_from {
            Self::Accepted
        } else {
            Self::InForce
        }
    }
}

/// The reason of an ending by a newer offer or a refusal that crossed the acceptance.
pub(crate) const SUPERSEDED: &str = "superseded";

/// What the facts of an agreement, or of a request for one, hang on.
pub(crate) fn subject(name: &Digest) -> String {
    format!("agreement/{name}")
}

/// The obligation to answer a request.
pub(crate) fn obligation(request: &Digest) -> String {
    format!("agreement-answer/{request}")
}

/// The party at the other end of an agreement from an organisation; `None` when it is no party.
pub(crate) fn other_party<'a>(by: &OrgCode, agreement: &'a Agreement) -> Option<&'a OrgCode> {
    if by.holds(&agreement.provider) {
        Some(&agreement.consumer.org)
    } else if by.holds(&agreement.consumer.org) {
        Some(&agreement.provider)
    } else {
        None
    }
}

/// A number greater than the last one, also after rows were restored from a backup: the moment, in
/// milliseconds, where the clock is ahead of it.
pub(crate) fn next_serial(now: Time, last: Option<i64>) -> i64 {
    now.ms().max(last.unwrap_or(0).saturating_add(1))
}

/// Lets a word be carried to the other party.
async fn tell(tx: &Tx, to: &OrgCode, about: &Digest, signed: &Signed) -> Result<(), Problem> {
    tell_under(tx, to, &about.hex(), signed).await
}

/// The same under another key: words of one key are heard in the order in which they were said.
pub(crate) async fn tell_under(tx: &Tx, to: &OrgCode, key: &str, signed: &Signed) -> Result<(), Problem> {
    let payload = serde_json::json!({ "to": to, "notice": signed.token });
    tx.outbox(crate::notice::TOPIC, key, &payload).await
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::invalid("reason", "field-missing").with("field", "reason"));
    }
    if text.len() > words::REASON_BYTES_MAX {
        return Err(Problem::invalid("reason", "agreement-too-long").with("max", words::REASON_BYTES_MAX));
    }
    Ok(text)
}

impl Exchange {
    /// The organisation of this node that speaks for a party, with its seal.
    ///
    /// # Errors
    /// 403 `member-elsewhere` when the party is hosted elsewhere, `member-unknown` when it takes no part,
    /// `member-not-yours` when another operator of this node looks after it.
    pub(crate) fn voice(&self, party: &OrgCode) -> Result<(&Tenant, &Identity), Problem> {
        let voice = self.0.voice(party).ok_or_else(|| self.0.not_here(party))?;
        self.1.may_act_for(party)?;
        Ok(voice)
    }

    /// A request by its name, as an organisation of this node knows it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn talk(&self, request: &Digest) -> Result<Option<Talk>, Problem> {
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            if let Some(talk) = store::read_talk(&reader, request).await? {
                return Ok(Some(talk));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    #[test]
    fn a_state_is_read_by_the_key_it_is_written_by() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("draft"), None);
    }

    #[test]
    fn an_agreement_comes_into_force_with_its_first_instant_and_ends_with_its_last() {
        let a = Agreement {
            valid_from: Time(10),
            ..sample()
        };
        let state = |at, revoked, suspended| State::of_held(&a, revoked, suspended, Time(at));
        assert_eq!(state(9, false, false), State::Accepted);
        assert_eq!(state(10, false, false), State::InForce);
        assert_eq!(state(10, false, true), State::Suspended);
        assert_eq!(state(1_000, false, true), State::Expired);
        assert_eq!(state(10, true, true), State::Revoked);
    }
}
