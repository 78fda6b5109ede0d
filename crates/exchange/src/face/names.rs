//! The service that a path names: each part of its identifier percent-decoded by itself, and what is
//! behind it left as it is. Pure. Never a guess: a part that is not certain is refused.

use kernel::{Kind, Problem};

use crate::endpoint::hex;
use crate::ids::{CLASS, ServiceId};

/// Length of a part of an identifier, in characters.
const PART_MAX: usize = 254;

/// The service that a path names, and what stands behind it in the path.
pub(super) struct Named {
    pub(super) service: ServiceId,
    pub(super) path: String,
}

/// True for a path of X-Road's REST message protocol, whatever its version.
pub(super) fn is_x_road(path: &str) -> bool {
    version(path).is_some()
}

/// `1` of `/r1/…`, and what stands behind.
fn version(path: &str) -> Option<(&str, &str)> {
    let (number, rest) = path.strip_prefix("/r")?.split_once('/')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((number, rest))
}

/// Reads `/r1/{instance}/GOV/{org}/{system}/{service}[/path]`.
pub(super) fn x_road(path: &str) -> Result<Named, Problem> {
    let (number, rest) = version(path).ok_or_else(Problem::not_found)?;
    if number != "1" {
        return Err(Problem::new(Kind::Malformed, "rest-version").with("version", number));
    }
    let (parts, behind) = parts::<5>(rest)?;
    let [instance, class, org, system, service] = parts;
    let unknown = || {
        let member = format!("{instance}/{class}/{org}");
        Problem::new(Kind::NotFound, "member-unknown").with("member", member)
    };
    if class != CLASS {
        return Err(unknown());
    }
    let org = kernel::OrgCode::of_instance(&instance, &org).map_err(|_| unknown())?;
    named(org.as_str(), &system, &service, behind)
}

/// Reads `{org}/{system}/{service}[/path]`.
pub(super) fn native(rest: &str) -> Result<Named, Problem> {
    let ([org, system, service], behind) = parts::<3>(rest)?;
    named(&org, &system, &service, behind)
}

fn named(org: &str, system: &str, service: &str, behind: &str) -> Result<Named, Problem> {
    let member = || Problem::new(Kind::NotFound, "member-unknown").with("member", org);
    org.parse::<kernel::OrgCode>().map_err(|_| member())?;
    let id = format!("{org}/{system}/{service}");
    let unknown = |_| Problem::new(Kind::NotFound, "service-unknown").with("service", &id);
    let service = id.parse().map_err(unknown)?;
    Ok(Named {
        service,
        path: behind.to_owned(),
    })
}

/// Identifier parts from the front of a path, each decoded by itself, and the rest untouched.
fn parts<const N: usize>(path: &str) -> Result<([String; N], &str), Problem> {
    let mut rest = path;
    let mut parts = std::array::from_fn(|_| String::new());
    for (at, part) in parts.iter_mut().enumerate() {
        let end = rest.find('/').unwrap_or(rest.len());
        let (own, behind) = rest.split_at(end);
        *part = identifier(own)?;
        // Between two parts one slash; what is behind the last one is the service's.
        rest = match behind.strip_prefix('/') {
            Some(next) if at + 1 < N => next,
            _ => behind,
        };
    }
    Ok((parts, rest))
}

/// One part of an identifier: percent-encoded UTF-8 of X-Road's strict character set.
pub(crate) fn identifier(text: &str) -> Result<String, Problem> {
    let bad = || Problem::new(Kind::Malformed, "identifier-bad");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, next) = match (first, tail) {
            (b'%', [high, low, next @ ..]) => {
                let digits = hex(*high).zip(hex(*low)).ok_or_else(bad)?;
                (digits.0 * 16 + digits.1, next)
            }
            (byte, next) => (*byte, next),
        };
        let good = byte.is_ascii_alphanumeric() || b"'()+,-.=?".contains(&byte);
        if !good || bytes.len() == PART_MAX {
            return Err(bad());
        }
        bytes.push(byte);
        rest = next;
    }
    if bytes.is_empty() {
        return Err(bad());
    }
    String::from_utf8(bytes).map_err(|e| bad().because(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_an_identifier_is_decoded_by_itself_and_the_rest_is_left_as_it_is() {
        let named = x_road("/r1/V%4E/GOV/G01/population/%65cho/a%2Fb//c/").expect("a service");
        assert_eq!(named.service.to_string(), "G01/population/echo");
        assert_eq!(named.path, "/a%2Fb//c/");
        let named = native("G01/population/echo").expect("a service");
        assert_eq!(
            (named.service.to_string().as_str(), named.path.as_str()),
            ("G01/population/echo", "")
        );
        assert_eq!(
            x_road("/r1/VN/GOV/G01/population/echo/").expect("a service").path,
            "/"
        );
    }

    #[test]
    fn a_part_of_other_characters_too_long_or_empty_is_refused() {
        let long = "a".repeat(255);
        for bad in [
            "", "a%2Fb", "a%2fb", "t%C3%AAn", "tên", "a%00", "a%", "a%2", "a%zz", "a b", "a;b", "a_b", "a*b",
            &long,
        ] {
            assert_eq!(identifier(bad).expect_err(bad).code, "identifier-bad", "{bad}");
        }
        let most = "a".repeat(254);
        for good in ["a", "A'()+,-.=?9", "%41", &most] {
            assert!(identifier(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_path_of_another_version_instance_or_length_is_refused() {
        let code = |path: &str| x_road(path).map(|_| ()).expect_err(path).code;
        for (path, refused) in [
            ("/r2/VN/GOV/G01/population/echo", "rest-version"),
            ("/r01/VN/GOV/G01/population/echo", "rest-version"),
            ("/r1/ee/GOV/G01/population/echo", "member-unknown"),
            ("/r1/VN/GOV/EE-G01/population/echo", "member-unknown"),
            ("/r1/VN/COM/G01/population/echo", "member-unknown"),
            ("/r1/VN/GOV/g01/population/echo", "member-unknown"),
            ("/r1/VN/GOV/G01/population/Echo", "service-unknown"),
            ("/r1/VN/GOV/G01/population/..", "service-unknown"),
            ("/r1/VN/GOV/G01/population", "identifier-bad"),
            ("/r1/VN/GOV/G01//population/echo", "identifier-bad"),
            ("/r1//VN/GOV/G01/population/echo", "identifier-bad"),
            ("/r1/", "identifier-bad"),
        ] {
            assert_eq!(code(path), refused, "{path}");
        }
        for (path, is) in [
            ("/r1/x", true),
            ("/r22/", true),
            ("/r1", false),
            ("/rx/a", false),
            ("/", false),
            ("/r/", false),
        ] {
            assert_eq!(is_x_road(path), is, "{path}");
        }
    }
}
