//! A delegation: by a document that both sign, one organisation lets another call services, or publish
//! one, in its name. Revoked at once by either. Never a right to data: that is in the agreements.
//!
//! | module | holds |
//! |---|---|
//! | this | the noun: the document and its signatures |
//! | `book` | what is in force, as a call asks for it |
//! | `verbs` | offered, accepted, ended |
//! | `hear` | the same words when the other party says them |
//! | `call` | what a call in another's name shows, and what is asked of it |
//! | `store` | the SQL |

pub(crate) mod book;
mod call;
mod hear;
pub(crate) mod store;
mod verbs;

use kernel::{Digest, OrgCode, Problem, Time};
use seal::jws;
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};

pub use store::{KnownDelegation, Stage};

use crate::ids::ServiceId;
use crate::signed::{self, KeysOf};

/// The type in the header of an acceptance.
const ACCEPTANCE: &str = "sen-delegation";
/// The header of a call, and of an answer, that names the delegation it rests on.
pub(crate) const HEADER: &str = "sen-delegation";
/// Services of one delegation, count.
const SERVICES_MAX: usize = 50;
/// Size of one as canonical JSON, in bytes.
const BYTES_MAX: usize = 16 * 1024;

/// What the agent may do in the delegator's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Call services: `X-Road-Represented-Party` names the delegator.
    Consumer,
    /// Publish services: they answer at the agent's node under the agent's code.
    Provider,
}

impl Role {
    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Provider => "provider",
        }
    }

    /// The role with a key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        [Self::Consumer, Self::Provider]
            .into_iter()
            .find(|role| role.as_str() == key)
    }
}

/// The document; immutable, its hash is its name in every call that rests on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The parties' own number for it.
    pub id: String,
    /// In whose name.
    pub delegator: OrgCode,
    /// Who acts.
    pub agent: OrgCode,
    /// What the agent may do.
    pub role: Role,
    /// Which services it may call, or publish.
    pub services: Vec<ServiceId>,
    /// What for.
    pub purpose: String,
    /// The legal basis.
    pub legal_basis: String,
    /// From when.
    pub valid_from: Time,
    /// Until when.
    pub valid_to: Time,
}

/// A delegation with its signatures; the agent's is missing until it accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDelegation {
    /// The document.
    pub delegation: Delegation,
    /// The delegator's acceptance.
    pub delegator_acceptance: String,
    /// The agent's acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_acceptance: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    delegation: Digest,
    party: OrgCode,
    at: Time,
}

impl Delegation {
    /// The hash of its canonical JSON (RFC 8785).
    #[must_use]
    pub fn hash(&self) -> Digest {
        Digest::of(self.json().as_bytes())
    }

    fn json(&self) -> String {
        kernel::digest::canonical_json(self).expect("a delegation is text and times")
    }

    /// True within its term.
    #[must_use]
    pub fn in_term(&self, at: Time) -> bool {
        self.valid_from <= at && at < self.valid_to
    }

    /// What keeps it from being offered, each at its field.
    #[must_use]
    pub fn faults(&self, now: Time) -> Vec<Problem> {
        let items = [
            ("id", &self.id),
            ("purpose", &self.purpose),
            ("legal_basis", &self.legal_basis),
        ];
        let empty = items.into_iter().filter(|(_, text)| text.trim().is_empty());
        let mut faults: Vec<Problem> = empty
            .map(|(field, _)| Problem::invalid(field, "field-missing").with("field", field))
            .collect();
        if self.delegator.top() == self.agent.top() {
            faults.push(Problem::invalid("agent", "delegation-self"));
        }
        let instance = self.delegator.instance();
        let orgs = self.services.iter().map(|service| &service.org);
        if orgs.chain([&self.agent]).any(|org| org.instance() != instance) {
            faults.push(Problem::invalid("agent", "delegation-instances").with("instance", instance));
        }
        let publishes = self.role == Role::Provider;
        let own = |service: &ServiceId| !publishes || service.org == self.agent;
        let some = (1..=SERVICES_MAX).contains(&self.services.len());
        if !some || !self.services.iter().all(own) {
            faults.push(Problem::invalid("services", "delegation-services").with("max", SERVICES_MAX));
        }
        if self.valid_to <= self.valid_from || self.valid_to <= now {
            faults.push(Problem::invalid("valid_to", "agreement-term"));
        }
        if self.json().len() > BYTES_MAX {
            faults.push(Problem::invalid("purpose", "agreement-too-long").with("max", BYTES_MAX));
        }
        faults
    }

    /// A party's acceptance.
    #[must_use]
    pub fn accept(&self, party: &OrgCode, at: Time, key: &SigningKey) -> String {
        let word = Signed {
            delegation: self.hash(),
            party: party.clone(),
            at,
        };
        let payload = kernel::digest::canonical_json(&word).expect("a word is text and a time");
        jws::sign(ACCEPTANCE, party.as_str(), payload.as_bytes(), key)
    }

    /// Reads a party's acceptance: when it was given.
    ///
    /// # Errors
    /// `seal-broken` when it is another party's, or over another document.
    pub(crate) fn check(&self, token: &str, party: &OrgCode, keys_of: &KeysOf<'_>) -> Result<Time, Problem> {
        let broken = || Problem::new(kernel::Kind::Invalid, "seal-broken").with("hop", "delegation");
        // Units sign with the seal of their organisation.
        let keys = |signer: &OrgCode, at: Time| match signer.holds(party) {
            true => keys_of(signer, at),
            false => Vec::new(),
        };
        let (_, payload) = signed::verify(token, ACCEPTANCE, &keys).map_err(|e| broken().because(e))?;
        let word: Signed = serde_json::from_slice(&payload).map_err(|e| broken().because(e))?;
        if word.delegation == self.hash() && word.party.holds(party) {
            Ok(word.at)
        } else {
            Err(broken())
        }
    }

    /// The organisations whose node has to know of it besides the two parties.
    pub(crate) fn providers(&self) -> Vec<OrgCode> {
        let mut orgs: Vec<_> = match self.role {
            Role::Consumer => self.services.iter().map(|service| service.org.clone()).collect(),
            Role::Provider => Vec::new(),
        };
        orgs.sort();
        orgs.dedup();
        orgs
    }
}

impl SignedDelegation {
    /// Checks both signatures; the hash.
    ///
    /// # Errors
    /// `seal-broken` when one is missing or does not hold.
    pub(crate) fn check(&self, keys_of: &KeysOf<'_>) -> Result<Digest, Problem> {
        let d = &self.delegation;
        d.check(&self.delegator_acceptance, &d.delegator, keys_of)?;
        let agent = self.agent_acceptance.as_deref().unwrap_or_default();
        d.check(agent, &d.agent, keys_of)?;
        Ok(d.hash())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use seal::jws::PublicKey;

    pub(crate) fn sample() -> Delegation {
        Delegation {
            id: "01/UQ-TEST".to_owned(),
            delegator: "H56".parse().expect("a code"),
            agent: "G22".parse().expect("a code"),
            role: Role::Consumer,
            services: vec!["G01/population/person-lookup".parse().expect("an id")],
            purpose: "x".to_owned(),
            legal_basis: "x".to_owned(),
            valid_from: Time(0),
            valid_to: Time(1_000),
        }
    }

    fn told(change: impl FnOnce(&mut Delegation)) -> Vec<(String, &'static str)> {
        let mut d = sample();
        change(&mut d);
        let faults = d.faults(Time(1)).into_iter();
        faults.map(|p| (p.field.unwrap_or_default(), p.code)).collect()
    }

    #[test]
    fn every_fault_of_a_delegation_is_told_at_its_field() {
        assert_eq!(told(|_| ()), []);
        let one = |field: &str, code| vec![(field.to_owned(), code)];
        assert_eq!(told(|d| d.id.clear()), one("id", "field-missing"));
        assert_eq!(
            told(|d| d.legal_basis = " ".into()),
            one("legal_basis", "field-missing")
        );
        assert_eq!(
            told(|d| d.agent = d.delegator.clone()),
            one("agent", "delegation-self")
        );
        assert_eq!(
            told(|d| d.services.clear()),
            one("services", "delegation-services")
        );
        assert_eq!(
            told(|d| d.role = Role::Provider),
            one("services", "delegation-services")
        );
        assert_eq!(told(|d| d.valid_to = Time(1)), one("valid_to", "agreement-term"));
        assert_eq!(
            told(|d| d.purpose = "x".repeat(BYTES_MAX)),
            one("purpose", "agreement-too-long")
        );
    }

    #[test]
    fn a_delegation_counts_with_the_signatures_of_both_parties_over_this_very_document() {
        let (delegator, agent) = (SigningKey::generate(), SigningKey::generate());
        let keys_of = |org: &OrgCode, _: Time| match org.as_str() {
            "H56" => vec![PublicKey::of(&delegator)],
            "G22" => vec![PublicKey::of(&agent)],
            _ => Vec::new(),
        };
        let d = sample();
        let good = SignedDelegation {
            delegator_acceptance: d.accept(&d.delegator, Time(1), &delegator),
            agent_acceptance: Some(d.accept(&d.agent, Time(2), &agent)),
            delegation: d.clone(),
        };
        assert_eq!(good.check(&keys_of).expect("both hold"), d.hash());
        let code = |bad: &SignedDelegation| bad.check(&keys_of).expect_err("refused").code;
        let mut bad = good.clone();
        bad.agent_acceptance = None;
        assert_eq!(code(&bad), "seal-broken");
        bad.agent_acceptance = Some(good.delegator_acceptance.clone());
        assert_eq!(code(&bad), "seal-broken", "the delegator's in the agent's place");
        bad.agent_acceptance = Some(d.accept(&d.agent, Time(2), &delegator));
        assert_eq!(code(&bad), "seal-broken", "signed by another");
        bad = good.clone();
        bad.delegation
            .services
            .push("G01/population/other".parse().expect("an id"));
        assert_eq!(code(&bad), "seal-broken", "the document was changed");
        let json = serde_json::to_string(&good).expect("json");
        let more = json.replacen("{\"delegation\"", "{\"more\":1,\"delegation\"", 1);
        assert!(serde_json::from_str::<SignedDelegation>(&json).is_ok());
        assert!(
            serde_json::from_str::<SignedDelegation>(&more).is_err(),
            "an unknown field"
        );
    }
}
