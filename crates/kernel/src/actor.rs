//! Who acts, and for which tenant. Never how they proved it: see `identity`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::codes::OrgCode;

/// The organisation whose rows, keys and logs a piece of work touches; leads every table's key.
pub type Tenant = OrgCode;

/// Who did something; written into facts as one short text, so it carries ids and no names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A citizen, by account id.
    Citizen(String),
    /// An official in a position, by account id.
    Official(String),
    /// A system of an organisation, `ORG/system`.
    System(String),
    /// The platform's own jobs.
    Platform,
    /// Somebody who did not sign in, where a page is open to all.
    Anonymous,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Citizen(id) => write!(f, "citizen:{id}"),
            Self::Official(id) => write!(f, "official:{id}"),
            Self::System(id) => write!(f, "system:{id}"),
            Self::Platform => f.write_str("platform"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("citizen", id)) => Ok(Self::Citizen(id.to_owned())),
            Some(("official", id)) => Ok(Self::Official(id.to_owned())),
            Some(("system", id)) => Ok(Self::System(id.to_owned())),
            None if text == "platform" => Ok(Self::Platform),
            None if text == "anonymous" => Ok(Self::Anonymous),
            _ => Err("an actor is citizen:ID, official:ID, system:ID, platform or anonymous"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}
