//! Agreements with groups. A provider signs one text for a group and offers it; each member's
//! organisation takes it up for its own system, and that makes an agreement of those two parties, which
//! names the group and ends when the system leaves it. Never one agreement of many consumers.
//!
//! Why this shape: each evidence record names one agreement that both its parties hold and have signed.
//! A literal group as consumer would be signed by whoever is in it today, and every change of the group
//! would change the text, its hash and all its signatures; or it would be signed by the provider alone,
//! which is the unilateral access list that agreements replace. Taking up an offer is a request whose
//! text is the offer's own, so it passes through the life of every agreement ([`crate::life`]): the
//! provider's node offers at once without a second look, the member's accepts at once, and what crosses,
//! repeats or comes late is settled there already.
//!
//! Membership is asked of memory at every call under such an agreement, at the consumer's node (of global
//! groups; local ones only the provider's node knows) and again at the provider's. That refuses a member
//! that left at once; the provider's node then ends the agreement for good, by a signed word. Agreements
//! without a group ask nothing.
//!
//! | module | holds |
//! |---|---|
//! | this | the noun: a group's name, the text for a group, a member's agreement made of it |
//! | `verbs` | offered, taken up, ended; members told, and those that left refused for good |
//! | `hear` | an offer to a group at a member; what a taken-up offer settles by itself |
//! | `store` | the SQL |

mod hear;
pub(crate) mod store;
mod verbs;

use std::fmt;
use std::str::FromStr;

use kernel::codes::NotACode;
use kernel::{Digest, Time};
use serde::{Deserialize, Serialize};

pub use store::KnownGroupOffer;

use crate::agreement::Agreement;
use crate::ids::{self, SystemId};

/// The reason of an ending because the consumer's system left the group.
pub(crate) const LEFT: &str = "group-left";

/// A group of systems: `global/one-stops` of the directory, `local/partners` of the provider's node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName {
    /// True for one of the provider's node.
    pub local: bool,
    /// Its code.
    pub code: String,
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.local { "local" } else { "global" };
        write!(f, "{kind}/{}", self.code)
    }
}

impl FromStr for GroupName {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let (local, code) = match text.split_once('/') {
            Some(("global", code)) => (false, code),
            Some(("local", code)) => (true, code),
            _ => return Err(NotACode("group-name")),
        };
        let code = ids::part(code, "group-name")?;
        Ok(Self { local, code })
    }
}

ids::as_text!(GroupName);

/// The group for which an agreement is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnderGroup {
    /// Its name.
    pub name: GroupName,
    /// The hash of the provider's text for the group of which this agreement was made; none in that
    /// text itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Digest>,
}

impl Agreement {
    /// True for the text that a provider offers to a group: it is for nobody yet. Where a consumer stands
    /// in an agreement, the provider's own system does in it.
    #[must_use]
    pub fn is_for_a_group(&self) -> bool {
        self.group.as_ref().is_some_and(|under| under.offer.is_none())
    }

    /// The agreement that a member of the group makes of such a text for its own system at an instant. A
    /// system that comes back into the group and takes the offer up again makes another one, once the
    /// text's own term has begun: before, it is the very same one, which stays over.
    #[must_use]
    pub fn for_member(&self, system: &SystemId, at: Time) -> Self {
        let name = self.group.as_ref().map(|under| under.name.clone());
        let offer = Some(self.hash());
        Self {
            id: format!("{} ({system})", self.id),
            consumer: system.clone(),
            valid_from: self.valid_from.max(at),
            group: name.map(|name| UnderGroup { name, offer }),
            ..self.clone()
        }
    }

    /// The text for a group of which it was made.
    #[must_use]
    pub fn group_offer(&self) -> Option<Digest> {
        self.group.as_ref()?.offer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    #[test]
    fn a_group_is_named_with_its_kind_and_reads_back() {
        for text in ["global/one-stops", "local/partners-2"] {
            assert_eq!(text.parse::<GroupName>().expect(text).to_string(), text);
        }
        for bad in [
            "one-stops",
            "global/",
            "other/x",
            "G22/portal",
            "global/A",
            "local/a/b",
        ] {
            assert!(bad.parse::<GroupName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_members_agreement_names_the_very_text_it_was_made_of_and_no_other_reads_so() {
        let under = |offer| {
            Some(UnderGroup {
                name: "global/one-stops".parse().expect("a name"),
                offer,
            })
        };
        let text = Agreement {
            consumer: sample().service.provider(),
            group: under(None),
            ..sample()
        };
        assert!(text.is_for_a_group() && !sample().is_for_a_group());
        let system = "H56/one-stop".parse().expect("an id");
        let one = text.for_member(&system, Time(7));
        assert_eq!((one.group_offer(), &one.consumer), (Some(text.hash()), &system));
        assert!(!one.is_for_a_group() && one.valid_from == Time(7));
        assert_ne!(
            one.hash(),
            text.for_member(&system, Time(8)).hash(),
            "taken up again"
        );
        let json = serde_json::to_string(&one).expect("json");
        assert_eq!(serde_json::from_str::<Agreement>(&json).expect("reads"), one);
        assert!(serde_json::from_str::<Agreement>(&json.replace("\"offer\"", "\"offers\"")).is_err());
        let without = kernel::digest::canonical_json(&sample()).expect("json");
        assert!(!without.contains("group"), "as before there were groups");
    }
}
