//! What a call or an answer carries over HTTP besides its body: method, path and query behind the
//! service's code, media type, end-to-end headers. Pure, and only what may be carried can be written.
//! Never a header that belongs to one connection or to the gateways themselves.

use std::fmt;
use std::str::FromStr;

use axum::http::HeaderMap;
use kernel::{Kind, Problem};
use web::trace::{self, Trace};

/// Headers of one message that are carried, count.
pub(crate) const HEADERS_MAX: usize = 96;

/// The methods of X-Road's REST message protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// DELETE.
    Delete,
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
    /// PATCH.
    Patch,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// TRACE.
    Trace,
}

impl Method {
    const ALL: [Self; 8] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Trace,
    ];

    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Trace => "TRACE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not a method that the exchange carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMethod;

impl FromStr for Method {
    type Err = NotAMethod;

    fn from_str(text: &str) -> Result<Self, NotAMethod> {
        let mut all = Self::ALL.into_iter();
        all.find(|m| m.as_str() == text).ok_or(NotAMethod)
    }
}

/// How a service is called over HTTP. The default is what services within the platform take: POST of
/// JSON at the service itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The method.
    pub method: Method,
    /// Path and query behind the service's code, as the caller sent them; empty for the service itself.
    pub target: String,
    /// The body's media type; empty when none was named.
    pub media: String,
    /// The caller's id of its message (`X-Road-Id`).
    pub id: Option<String>,
    /// On whose behalf the asking organisation acts (`X-Road-Represented-Party`).
    pub represented: Option<String>,
    /// The node that was asked for (`X-Road-Security-Server`).
    pub server: Option<String>,
    /// The end-to-end headers.
    pub headers: Headers,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            method: Method::Post,
            target: String::new(),
            media: "application/json".to_owned(),
            id: None,
            represented: None,
            server: None,
            headers: Headers::default(),
        }
    }
}

impl Rest {
    /// The path behind the service's code, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query's text behind `?`; empty when there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// True for a text that can stand behind a service's code: nothing, or a path or query in one line.
pub(crate) fn is_target(text: &str) -> bool {
    (text.is_empty() || text.starts_with(['/', '?'])) && !text.chars().any(|c| c.is_control() || c == ' ')
}

/// Which way a message goes: what the gateways write themselves differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the service.
    Request,
    /// Back from it.
    Answer,
}

/// Of one connection only, or naming a host: rewritten at each hop and never carried.
const DROPPED: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// What the gateways write in either direction.
const OURS: [&str; 11] = [
    "content-type",
    "sen-agreement",
    "sen-evidence",
    "sen-fault",
    "sen-sent",
    "x-road-client",
    "x-road-error",
    "x-road-id",
    "x-road-request-hash",
    "x-road-request-id",
    "x-road-service",
];

/// What a request's head has a line of its own for.
const OF_REQUEST: [&str; 5] = [
    "idempotency-key",
    "x-road-issue",
    "x-road-represented-party",
    "x-road-security-server",
    "x-road-userid",
];

/// True when a header of this name is carried as it is.
fn carried(name: &str, way: Way) -> bool {
    !DROPPED.contains(&name) && !OURS.contains(&name) && (way == Way::Answer || !OF_REQUEST.contains(&name))
}

/// End-to-end headers in the order in which they came, names in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// What of a message's headers is carried.
    ///
    /// # Errors
    /// `malformed` with the header's name when a value is not text: changed, it would be another one.
    pub(crate) fn of(map: &HeaderMap, way: Way) -> Result<Self, Problem> {
        let named: Vec<String> = map
            .get_all("connection")
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        let mut list = Vec::with_capacity(map.len());
        for (name, value) in map {
            let name = name.as_str();
            if !carried(name, way) || name == crate::delegation::HEADER || named.iter().any(|n| n == name) {
                continue;
            }
            let bad = || Problem::new(Kind::Malformed, "malformed").at(name);
            let value = std::str::from_utf8(value.as_bytes()).map_err(|e| bad().because(e))?;
            if !is_value(value) || list.len() == HEADERS_MAX {
                return Err(bad().because("a control character, or too many headers"));
            }
            list.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(list))
    }

    /// One line of a head that is read back; false when no such line can have been written.
    pub(crate) fn read(&mut self, name: &str, value: &str, way: Way) -> bool {
        let good = is_name(name) && carried(name, way) && is_value(value) && self.0.len() < HEADERS_MAX;
        if good {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        good
    }

    /// Name and value of each, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a name in small letters.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// What the headers take in a head, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.iter()
            .map(|(name, value)| name.len() + value.len() + 3)
            .sum()
    }

    /// Without what names the exact bytes of a body that has been changed since.
    pub(crate) fn of_changed_body(mut self) -> Self {
        const OF_BYTES: [&str; 6] = [
            "accept-ranges",
            "content-digest",
            "content-md5",
            "digest",
            "etag",
            "repr-digest",
        ];
        self.0.retain(|(name, _)| !OF_BYTES.contains(&name.as_str()));
        self
    }

    /// With the place in a trace that the next one is told: in place of the caller's own. What others said of
    /// a trace that does not go on is left out.
    pub(crate) fn traced(mut self, trace: &Trace) -> Self {
        let goes_on = self
            .get(trace::HEADER)
            .is_some_and(|parent| trace.goes_on_from(parent));
        let place = self.0.iter().position(|(name, _)| name == trace::HEADER);
        self.0
            .retain(|(name, _)| name != trace::HEADER && (goes_on || name != trace::STATE));
        if self.0.len() < HEADERS_MAX {
            let at = place.unwrap_or(self.0.len()).min(self.0.len());
            self.0.insert(at, (trace::HEADER.to_owned(), trace.header()));
        }
        self
    }

    /// With one more, which the gateway itself adds to an answer of its own.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A header's name as HTTP allows it, in small letters.
fn is_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(token)
}

fn is_value(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn map(lines: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(
                name.parse::<HeaderName>().expect("a name"),
                HeaderValue::from_bytes(value).expect("a value"),
            );
        }
        map
    }

    fn kept(lines: &[(&str, &[u8])], way: Way) -> Vec<(String, String)> {
        Headers::of(&map(lines), way).expect("carried").0
    }

    #[test]
    fn end_to_end_headers_are_carried_in_order_and_those_of_a_connection_are_not() {
        let lines: Vec<(&str, &[u8])> = DROPPED
            .iter()
            .map(|name| (*name, &b"x-mine"[..]))
            .chain([
                ("X-First", &b"1"[..]),
                ("accept", &b"text/html, */*;q=0.1"[..]),
                ("x-mine", &b"of this connection"[..]),
                ("Authorization", &b"Bearer a b"[..]),
                ("x-tab", &b"a\tb"[..]),
                ("x-first", &b"2"[..]),
                ("cookie", "tên=Lê".as_bytes()),
            ])
            .collect();
        let names: Vec<String> = kept(&lines, Way::Request)
            .into_iter()
            .map(|(n, v)| format!("{n}:{v}"))
            .collect();
        assert_eq!(
            names,
            [
                "x-first:1",
                "x-first:2",
                "accept:text/html, */*;q=0.1",
                "authorization:Bearer a b",
                "x-tab:a\tb",
                "cookie:tên=Lê"
            ]
        );
    }

    #[test]
    fn a_trace_goes_on_with_a_span_of_ours_and_nothing_of_one_that_does_not() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let ours = Trace {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            span_id: "b7ad6b7169203331".to_owned(),
        };
        let told = |lines: &[(&str, &[u8])]| {
            let headers = Headers::of(&map(lines), Way::Request).expect("carried");
            headers.traced(&ours).0
        };
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let header = line("traceparent", &ours.header());
        let (accept, state) = (line("accept", "a/b"), line("tracestate", "x=1"));
        assert_eq!(
            told(&[
                ("traceparent", parent.as_bytes()),
                ("tracestate", b"x=1"),
                ("accept", b"a/b")
            ]),
            [header.clone(), state, accept.clone()]
        );
        assert_eq!(
            told(&[
                ("traceparent", b"00-no"),
                ("tracestate", b"x=1"),
                ("accept", b"a/b")
            ]),
            [header.clone(), accept]
        );
        assert_eq!(told(&[]), [header]);
        let many: Vec<(&str, &[u8])> = (0..HEADERS_MAX).map(|_| ("x-many", &b"1"[..])).collect();
        assert_eq!(told(&many).len(), HEADERS_MAX, "one more could not be read");
    }

    #[test]
    fn nobody_but_a_gateway_writes_what_the_gateways_write() {
        let lines: Vec<(&str, &[u8])> = OURS.iter().chain(&OF_REQUEST).map(|n| (*n, &b"x"[..])).collect();
        assert!(kept(&lines, Way::Request).is_empty());
        let of_answer: Vec<String> = kept(&lines, Way::Answer)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            of_answer, OF_REQUEST,
            "a service may tell the user and the case of the answer"
        );
    }

    #[test]
    fn a_header_that_cannot_be_carried_as_it_is_is_refused_by_name() {
        let refused =
            Headers::of(&map(&[("x-a", b"ok"), ("x-b", b"\xff")]), Way::Request).expect_err("refused");
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            ("malformed", Some("x-b"))
        );
        let many: Vec<(&str, &[u8])> = (0..=HEADERS_MAX).map(|_| ("x-many", &b"1"[..])).collect();
        assert!(Headers::of(&map(&many), Way::Request).is_err());
        let mut headers = Headers::default();
        for (name, value) in [
            ("X-A", "1"),
            ("", "1"),
            ("x a", "1"),
            ("host", "1"),
            ("x-a", "1\r\n"),
            ("x-road-id", "1"),
        ] {
            assert!(!headers.read(name, value, Way::Request), "{name}:{value}");
        }
        assert!(headers.read("x-a", "1", Way::Request));
    }

    #[test]
    fn a_method_is_one_of_eight_in_capitals() {
        for method in Method::ALL {
            assert_eq!(method.as_str().parse(), Ok(method));
        }
        for bad in ["get", "CONNECT", "PROPFIND", "", "GET "] {
            assert_eq!(bad.parse::<Method>(), Err(NotAMethod), "{bad}");
        }
    }
}
