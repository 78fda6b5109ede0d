//! Names of systems and services on the exchange, in X-Road's terms: a member, its subsystem, its
//! service. Never addresses: see `directory`.

use std::fmt;
use std::str::FromStr;

use kernel::OrgCode;
use kernel::codes::NotACode;

/// The instance and member class that lead every X-Road identifier of this exchange.
pub const INSTANCE: &str = "VN/GOV";

/// Service codes of the metadata services, which every provider has: no service of a system can be
/// called like them, and no agreement is about them.
pub const RESERVED: [&str; 4] = ["listMethods", "allowedMethods", "getOpenAPI", "getWsdl"];

/// A system (X-Road: subsystem) of an organisation: `G22/portal`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemId {
    /// The member.
    pub org: OrgCode,
    /// The system's code within the member.
    pub system: String,
}

/// A service of a system: `G01/population/person-lookup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId {
    /// The providing member.
    pub org: OrgCode,
    /// The providing system's code.
    pub system: String,
    /// The service's code.
    pub service: String,
}

impl ServiceId {
    /// The system that provides this service.
    #[must_use]
    pub fn provider(&self) -> SystemId {
        SystemId {
            org: self.org.clone(),
            system: self.system.clone(),
        }
    }

    /// True for a metadata service.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.service.as_str())
    }

    /// Reads a service in front of a path or a query: the service, and what stands behind it.
    pub(crate) fn split(text: &str) -> Option<(Self, &str)> {
        let before = text.split('/').take(2).map(|part| part.len() + 1).sum::<usize>();
        let code = text.get(before..)?;
        let end = before + code.find(['/', '?']).unwrap_or(code.len());
        Some((text.get(..end)?.parse().ok()?, text.get(end..)?))
    }

    /// The path of the REST message protocol: `/r1/VN/GOV/G01/population/person-lookup`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/r1/{INSTANCE}/{self}")
    }
}

impl SystemId {
    /// The identifier in the form of the `X-Road-Client` header: `VN/GOV/G22/portal`.
    #[must_use]
    pub fn header(&self) -> String {
        format!("{INSTANCE}/{self}")
    }

    /// Reads the form of the `X-Road-Client` header.
    ///
    /// # Errors
    /// When instance, class or a part is not as this exchange writes them.
    pub fn from_header(text: &str) -> Result<Self, NotACode> {
        text.strip_prefix(INSTANCE)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or(NotACode("system-id"))?
            .parse()
    }
}

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.org, self.system)
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.org, self.system, self.service)
    }
}

impl FromStr for SystemId {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let (org, system) = text.split_once('/').ok_or(NotACode("system-id"))?;
        Ok(Self {
            org: org.parse()?,
            system: part(system, "system-id")?,
        })
    }
}

impl FromStr for ServiceId {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().ok_or(NotACode("service-id"));
        let (org, system, service) = (next()?, next()?, next()?);
        Ok(Self {
            org: org.parse()?,
            system: part(system, "service-id")?,
            service: if RESERVED.contains(&service) {
                service.to_owned()
            } else {
                part(service, "service-id")?
            },
        })
    }
}

/// A part of an identifier: 1 to 64 characters of `a-z0-9-`.
pub(crate) fn part(text: &str, code: &'static str) -> Result<String, NotACode> {
    let good = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if good {
        Ok(text.to_owned())
    } else {
        Err(NotACode(code))
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?
                    .parse()
                    .map_err(<D::Error as serde::de::Error>::custom)
            }
        }
    };
}
as_text!(SystemId);
as_text!(ServiceId);
pub(crate) use as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_service_begins_with_a_slash_or_a_question_mark() {
        for (text, rest) in [
            ("G01/population/echo", ""),
            ("G01/population/echo/", "/"),
            ("G01/population/echo/a/b?c=/d", "/a/b?c=/d"),
            ("G01/population/echo?a/b", "?a/b"),
        ] {
            let (id, behind) = ServiceId::split(text).expect(text);
            assert_eq!((id.to_string().as_str(), behind), ("G01/population/echo", rest));
        }
        for bad in [
            "",
            "G01",
            "G01/population",
            "G01/population/",
            "G01/population?a/b",
            "G01/a%2Fb/c/d",
            "G01//c/d",
        ] {
            assert!(ServiceId::split(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_service_name_reads_back_what_it_writes_and_takes_no_other_shape() {
        let id: ServiceId = "G01/population/person-lookup".parse().expect("an id");
        assert_eq!(id.to_string(), "G01/population/person-lookup");
        assert_eq!(id.path(), "/r1/VN/GOV/G01/population/person-lookup");
        for bad in [
            "G01",
            "G01/population",
            "G01/../x",
            "G01/a/b/c",
            "g01/a/b",
            "G01/a%2Fb/c",
            "G01//c",
            "G01/a/",
        ] {
            assert!(bad.parse::<ServiceId>().is_err(), "{bad}");
        }
        for code in RESERVED {
            let id: ServiceId = format!("G01/population/{code}")
                .parse()
                .expect("a metadata service");
            assert!(id.is_reserved());
        }
        assert!("G01/population/getWSDL".parse::<ServiceId>().is_err());
        assert!(SystemId::from_header("VN/GOV/G22/portal").is_ok());
        assert!(SystemId::from_header("EE/GOV/G22/portal").is_err());
    }
}
