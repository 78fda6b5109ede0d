//! Names of systems and services on the exchange, in X-Road's terms: a member, its subsystem, its
//! service. Never addresses: see `directory`.

use std::fmt;
use std::str::FromStr;

use kernel::OrgCode;
use kernel::codes::NotACode;

/// The member class that every X-Road identifier of a Sen exchange carries behind its instance.
pub const CLASS: &str = "GOV";

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

    /// Reads system and service of an organisation in front of a path or a query.
    fn split(text: &str, org: OrgCode) -> Option<(Self, &str)> {
        let (system, rest) = text.split_once('/')?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (service, behind) = rest.split_at(end);
        let provider = SystemId {
            org,
            system: part(system, "service-id").ok()?,
        };
        Some((provider.service(service).ok()?, behind))
    }

    /// Its identifier in X-Road's terms: `VN/GOV/G01/population/person-lookup`.
    #[must_use]
    pub fn named(&self) -> String {
        format!("{}/{}/{}", member(&self.org), self.system, self.service)
    }

    /// Reads what [`ServiceId::named`] writes, in front of a path or a query: the service, and what stands
    /// behind it.
    pub(crate) fn named_in(text: &str) -> Option<(Self, &str)> {
        let (instance, rest) = text.split_once('/')?;
        let rest = rest.strip_prefix(CLASS)?.strip_prefix('/')?;
        let (code, _) = rest.split_once('/')?;
        let org = OrgCode::of_instance(instance, code).ok()?;
        let (read, behind) = Self::split(rest.strip_prefix(code)?.strip_prefix('/')?, org)?;
        Some((read, behind))
    }

    /// The path of the REST message protocol: `/r1/VN/GOV/G01/population/person-lookup`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/r1/{}", self.named())
    }
}

impl SystemId {
    /// A service of this system.
    ///
    /// # Errors
    /// When the service's code is not well-formed.
    pub(crate) fn service(self, code: &str) -> Result<ServiceId, NotACode> {
        Ok(ServiceId {
            org: self.org,
            system: self.system,
            service: if RESERVED.contains(&code) {
                code.to_owned()
            } else {
                part(code, "service-id")?
            },
        })
    }

    /// The identifier in the form of the `X-Road-Client` header: `VN/GOV/G22/portal`.
    #[must_use]
    pub fn header(&self) -> String {
        format!("{}/{}", member(&self.org), self.system)
    }

    /// Reads the form of the `X-Road-Client` header.
    ///
    /// # Errors
    /// When instance, class or a part is not as this exchange writes them.
    pub fn from_header(text: &str) -> Result<Self, NotACode> {
        let bad = NotACode("system-id");
        let mut parts = text.splitn(4, '/');
        let mut next = || parts.next().ok_or(bad);
        let (instance, class, code, system) = (next()?, next()?, next()?, next()?);
        Self::of_parts(instance, class, code, system)
    }

    /// A system by the four parts of its identifier.
    ///
    /// # Errors
    /// As [`SystemId::from_header`].
    pub(crate) fn of_parts(instance: &str, class: &str, code: &str, system: &str) -> Result<Self, NotACode> {
        if class != CLASS {
            return Err(NotACode("system-id"));
        }
        Ok(Self {
            org: OrgCode::of_instance(instance, code)?,
            system: part(system, "system-id")?,
        })
    }
}

/// A member in X-Road's terms: `VN/GOV/G01`.
pub(crate) fn member(org: &OrgCode) -> String {
    format!("{}/{CLASS}/{}", org.instance(), org.within())
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
        let provider = SystemId {
            org: org.parse()?,
            system: part(system, "service-id")?,
        };
        provider.service(service)
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
            ("VN/GOV/G01/population/echo", ""),
            ("VN/GOV/G01/population/echo/", "/"),
            ("VN/GOV/G01/population/echo/a/b?c=/d", "/a/b?c=/d"),
            ("VN/GOV/G01/population/echo?a/b", "?a/b"),
        ] {
            let (id, behind) = ServiceId::named_in(text).expect(text);
            assert_eq!((id.to_string().as_str(), behind), ("G01/population/echo", rest));
        }
        for bad in [
            "",
            "VN/GOV",
            "VN/GOV/G01",
            "VN/GOV/G01/population",
            "VN/GOV/G01/population/",
            "VN/GOV/G01/population?a/b",
            "VN/GOV/G01/a%2Fb/c/d",
            "VN/GOV/G01//c/d",
            "VN/GOV/LA-G01/a/b",
            "VN/COM/G01/a/b",
            "la/GOV/G01/a/b",
            "LA-G01/GOV/a/b/c",
        ] {
            assert!(ServiceId::named_in(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_system_of_another_instance_is_another_one_with_the_same_form() {
        let (ours, theirs) = ("VN/GOV/G22/portal", "LA/GOV/G22/portal");
        let read = |text| SystemId::from_header(text).expect("an id");
        assert_ne!(read(ours), read(theirs));
        assert_eq!(read(theirs).to_string(), "LA-G22/portal");
        assert_eq!(read(theirs).header(), theirs);
        let id: ServiceId = "LA-X01/land/echo".parse().expect("an id");
        assert_eq!(id.path(), "/r1/LA/GOV/X01/land/echo");
        assert_eq!(ServiceId::named_in(&id.named()), Some((id.clone(), "")));
        let json = serde_json::to_string(&id).expect("json");
        assert_eq!(
            (json.as_str(), serde_json::from_str(&json).ok()),
            ("\"LA-X01/land/echo\"", Some(id))
        );
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
        assert!(SystemId::from_header("VN/COM/G22/portal").is_err());
        assert!(SystemId::from_header("VN/GOV/EE-G22/portal").is_err());
    }
}
