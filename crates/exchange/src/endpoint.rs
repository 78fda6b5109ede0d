//! Endpoints of a service: which methods and paths below it an agreement grants. Pure. Never takes a
//! path at its word: whoever stands behind the gateway may read dots, slashes and escapes in its own
//! way, so a path is granted only when every such reading of it is.

use std::fmt;
use std::str::FromStr;

use kernel::codes::NotACode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::rest::Method;

/// Length of a path template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 512;
/// How often a path is decoded: one that still changes then is granted to nobody.
const DECODINGS_MAX: usize = 4;

/// A method and a path template: `GET /persons/{id}`. `*` for any method; in a path `{name}` is one
/// segment, `*` any characters within a segment, `**` as the last segment everything below.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The method; `None` for any.
    method: Option<Method>,
    /// The template, from `/` on.
    path: String,
}

impl Endpoint {
    /// The method's name; `*` for any.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method.map_or("*", Method::as_str)
    }

    /// The path template.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// POST at the service itself: what a service within the platform takes.
    #[must_use]
    pub fn post() -> Self {
        Self {
            method: Some(Method::Post),
            path: "/".to_owned(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method(), self.path)
    }
}

impl FromStr for Endpoint {
    type Err = NotACode;

    fn from_str(text: &str) -> Result<Self, NotACode> {
        const BAD: NotACode = NotACode("endpoint");
        let (method, path) = text.split_once(' ').ok_or(BAD)?;
        let method = match method {
            "*" => None,
            name => Some(name.parse().map_err(|_| BAD)?),
        };
        let segments: Vec<&str> = path.strip_prefix('/').ok_or(BAD)?.split('/').collect();
        let last = segments.len() - 1;
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_graphic() && !b"?#%\\;".contains(&b));
        let good = path.len() <= TEMPLATE_BYTES_MAX
            && segments.iter().enumerate().all(|(at, segment)| {
                plain(segment)
                    && !matches!(*segment, "." | "..")
                    && (!segment.is_empty() || path == "/")
                    && (!segment.contains("**") || (*segment == "**" && at == last))
            });
        good.then(|| Self {
            method,
            path: path.to_owned(),
        })
        .ok_or(BAD)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// True when a call of a method at a target (path and query behind the service) is granted. No
/// endpoint listed grants the whole service.
#[must_use]
pub fn granted(endpoints: &[Endpoint], method: Method, target: &str) -> bool {
    if endpoints.is_empty() {
        return true;
    }
    let Some(readings) = readings(target) else {
        return false;
    };
    readings.iter().all(|segments| {
        endpoints.iter().any(|endpoint| {
            endpoint.method.is_none_or(|m| m == method) && matches_path(&endpoint.path, segments)
        })
    })
}

/// True when some reading of a target leads out of its service: `/../other`.
#[must_use]
pub fn leads_out(target: &str) -> bool {
    let Some(readings) = decoded_readings(target) else {
        return true;
    };
    readings.iter().any(|path| {
        let mut depth = 0_i32;
        path.split('/').filter(|s| !s.is_empty()).any(|segment| {
            depth += match bare(segment) {
                "." => 0,
                ".." => -1,
                _ => 1,
            };
            depth < 0
        })
    })
}

/// The path of a target in the ways it may be read: as sent, and with its dots resolved and double
/// slashes made one, both with encoded slashes as letters and as slashes.
fn readings(target: &str) -> Option<Vec<Vec<String>>> {
    let mut all = Vec::with_capacity(4);
    for path in decoded_readings(target)? {
        let sent = path.strip_prefix('/').unwrap_or(&path);
        all.push(sent.split('/').map(str::to_owned).collect());
        all.push(resolved(&path));
    }
    all.dedup();
    Some(all)
}

/// The path decoded, once with encoded slashes kept as letters and once with them as slashes; `None`
/// when decoding comes to no end.
fn decoded_readings(target: &str) -> Option<Vec<String>> {
    let path = target.split('?').next().unwrap_or_default();
    // The usual path has nothing to be read in two ways.
    if !path.contains(['%', '\\', ';']) {
        return Some(vec![path.to_owned()]);
    }
    let mut letters = path.to_owned();
    for _ in 0..DECODINGS_MAX {
        let next = decode(&letters);
        if next == letters {
            let slashes = letters.replace(['\u{1}', '\\'], "/");
            return Some(vec![letters, slashes]);
        }
        letters = next;
    }
    None
}

/// Decodes once; an encoded slash or backslash becomes a letter of its own.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(h, l)| h * 16 + l),
            _ => None,
        };
        if let Some(byte) = escape {
            bytes.push(if matches!(byte, b'/' | b'\\') { 1 } else { byte });
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A hexadecimal digit's value.
pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// A segment without what some servers take for parameters: `..;x` is `..` to them.
fn bare(segment: &str) -> &str {
    segment.split(';').next().unwrap_or_default()
}

fn resolved(path: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for segment in path.split('/') {
        match bare(segment) {
            "" | "." => {}
            ".." => drop(out.pop()),
            bare => out.push(bare.to_owned()),
        }
    }
    if out.is_empty() {
        out.push(String::new());
    }
    out
}

fn matches_path(template: &str, segments: &[String]) -> bool {
    let mut segments = segments.iter();
    for part in template.strip_prefix('/').unwrap_or(template).split('/') {
        if part == "**" {
            return true;
        }
        let Some(segment) = segments.next() else {
            return false;
        };
        let named = part.len() > 2 && part.starts_with('{') && part.ends_with('}');
        let good = if named {
            !segment.is_empty()
        } else {
            fits(part.as_bytes(), segment.as_bytes())
        };
        if !good {
            return false;
        }
    }
    segments.next().is_none()
}

/// A segment against a pattern in which `*` stands for any characters. In one pass: whoever calls
/// chooses the segment.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while let Some(byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if wanted == byte => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_granted(endpoints: &[&str], call: &str) -> bool {
        let endpoints: Vec<Endpoint> = endpoints.iter().map(|e| e.parse().expect("one")).collect();
        let (method, target) = call.split_once(' ').expect("a call");
        granted(&endpoints, method.parse().expect("a method"), target)
    }

    #[test]
    fn an_agreement_without_endpoints_grants_the_whole_service() {
        assert!(is_granted(&[], "DELETE /anything/at/all?x=1"));
    }

    #[test]
    fn an_endpoint_grants_its_method_and_path_and_no_other() {
        let list = ["GET /persons/{id}", "POST /", "* /open/**", "GET /acts/19*-x"];
        for call in [
            "GET /persons/1",
            "GET /persons/1?fields=name",
            "GET /persons/%41",
            "POST /",
            "POST ",
            "POST ?x=/../..",
            "PUT /open/a/b",
            "HEAD /open/",
            "GET /acts/1987-x",
            "GET /acts/19-x-x",
            "GET /open/./a",
        ] {
            assert!(is_granted(&list, call), "{call}");
        }
        for call in [
            "POST /persons/1",
            "GET /persons",
            "GET /persons/",
            "GET /persons/1/acts",
            "GET /Persons/1",
            "GET /",
            "GET /openx",
            "GET /acts/20-x",
            "HEAD /persons/1",
        ] {
            assert!(!is_granted(&list, call), "{call}");
        }
    }

    #[test]
    fn no_way_of_writing_a_path_reaches_what_is_not_granted() {
        for call in [
            "GET /public/../secret",
            "GET /public/%2e%2e/secret",
            "GET /public/%2E./secret",
            "GET /public/..%2fsecret",
            "GET /public/..%5Csecret",
            "GET /public/..\\secret",
            "GET /public/%252e%252e/secret",
            "GET /public/%25252e%25252e%25252fsecret",
            "GET /public/..;a=b/secret",
            "GET /public/x/../../secret",
            "GET //secret",
            "GET /secret//public/x",
            "GET /secret/../public/x",
            "GET /secret%2F..%2Fpublic%2Fx",
            "GET /public%2f..%2fsecret",
            "GET /public/%25252525252e%25252525252e/secret",
        ] {
            assert!(!is_granted(&["GET /public/**"], call), "{call}");
        }
        for call in [
            "GET /public/a%20b",
            "GET /public/./x",
            "GET /public/x/../y",
            "GET /public/a%2Fb",
        ] {
            assert!(is_granted(&["GET /public/**"], call), "{call}");
        }
    }

    #[test]
    fn a_path_that_leads_out_of_its_service_is_seen_however_it_is_written() {
        for target in [
            "/..",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "/a/..\\..\\x",
            "/..;/x",
            "/%252e%252e/x",
        ] {
            assert!(leads_out(target), "{target}");
        }
        for target in [
            "",
            "/",
            "/a/../b",
            "?x=/../..",
            "/...",
            "/a/%2e/b",
            "//a",
            "/a?../../..",
        ] {
            assert!(!leads_out(target), "{target}");
        }
    }

    #[test]
    fn an_endpoint_reads_back_what_it_writes_and_takes_no_other_shape() {
        for good in ["GET /", "* /**", "PATCH /a/{id}/b*", "TRACE /a-b_c.d"] {
            assert_eq!(good.parse::<Endpoint>().expect(good).to_string(), good);
        }
        for bad in [
            "",
            "GET",
            "GET x",
            "get /",
            "FETCH /",
            "GET /a//b",
            "GET /a/",
            "GET /../a",
            "GET /**/a",
            "GET /a**",
            "GET /a?b",
            "GET /a%20",
            "GET  /a",
            "GET /a b",
            "GET /é",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
