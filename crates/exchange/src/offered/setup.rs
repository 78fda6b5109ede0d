//! How a registered service is reached and what it has, as an operator writes it; and what is wrong with
//! that. Pure. Never calls anybody: what a document or a certificate says is looked at elsewhere.

use axum::http::Uri;
use kernel::{OrgCode, Problem};
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// Length of an address, in bytes.
const URL_BYTES_MAX: usize = 1_024;
/// Size of the roots of one service, in bytes of PEM.
const ROOTS_BYTES_MAX: usize = 64 << 10;
/// Endpoints of one service, count.
pub(crate) const ENDPOINTS_MAX: usize = 1_000;

/// How a service is reached and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Where it is called; path and query of a call are put behind it.
    pub url: String,
    /// Time for it to answer, in milliseconds.
    pub timeout_ms: u64,
    /// Where its OpenAPI document stands; empty when it has none.
    pub openapi: String,
    /// Its endpoints; empty when nobody listed them.
    pub endpoints: Vec<Endpoint>,
    /// Roots of its TLS certificate, PEM; empty with plain HTTP.
    pub roots: String,
    /// True when it is shown the node's own certificate where it asks for one.
    pub shows_node: bool,
    /// The organisation in whose name it is published, by a delegation; none in its own. Left out of
    /// the text when none, so that services registered before keep their digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishes_for: Option<OrgCode>,
}

impl Setup {
    /// True when it is reached over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// What keeps it from being offered, each at its field; `ms_max` bounds its time.
    #[must_use]
    pub fn faults(&self, ms_max: u64) -> Vec<Problem> {
        let mut faults = Vec::new();
        let base = address(&self.url).filter(|_| !self.url.contains('?'));
        if base.is_none() {
            faults.push(Problem::invalid("url", "service-url").with("max", URL_BYTES_MAX));
        }
        let scheme = |uri: &Uri| uri.scheme_str().map(str::to_owned);
        let described = address(&self.openapi);
        let good = described.as_ref().is_some_and(|uri| {
            // One client reaches both: over TLS it knows the roots named here and no others.
            base.as_ref().is_none_or(|base| scheme(base) == scheme(uri))
        });
        if !self.openapi.is_empty() && !good {
            faults.push(Problem::invalid("openapi", "service-openapi-url"));
        }
        if !(1..=ms_max).contains(&self.timeout_ms) {
            faults.push(Problem::invalid("timeout_ms", "service-timeout").with("max", ms_max));
        }
        if self.endpoints.len() > ENDPOINTS_MAX {
            faults.push(Problem::invalid("endpoints", "service-endpoints").with("max", ENDPOINTS_MAX));
        }
        if self.roots.len() > ROOTS_BYTES_MAX || (base.is_some() && self.roots.is_empty() == self.is_tls()) {
            faults.push(Problem::invalid("roots", "service-roots"));
        }
        if self.shows_node && !self.is_tls() {
            faults.push(Problem::invalid("shows_node", "service-shows-node"));
        }
        faults
    }
}

/// An address that can be called: `http` or `https`, a host, no user, no fragment.
fn address(text: &str) -> Option<Uri> {
    let plain = |b: u8| b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b);
    if text.len() > URL_BYTES_MAX || !text.bytes().all(plain) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority()?;
    // A port that stands there and cannot be one is no port to the parser.
    let port = authority.as_str().rsplit(']').next().unwrap_or_default();
    let ported = !port.contains(':') || authority.port_u16().is_some_and(|port| port > 0);
    (known && ported && !authority.host().is_empty() && !authority.as_str().contains('@')).then_some(uri)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn setup(url: &str) -> Setup {
        Setup {
            url: url.to_owned(),
            timeout_ms: 1_000,
            openapi: String::new(),
            endpoints: Vec::new(),
            roots: String::new(),
            shows_node: false,
            publishes_for: None,
        }
    }

    fn told(setup: &Setup) -> Vec<(String, &'static str)> {
        let faults = setup.faults(12_000).into_iter();
        faults.map(|p| (p.field.unwrap_or_default(), p.code)).collect()
    }

    #[test]
    fn an_address_has_a_scheme_that_is_known_and_nothing_that_would_be_cut_off() {
        for good in [
            "http://127.0.0.1:9000",
            "http://h/api/",
            "http://[::1]:80/x",
            "http://h.example.vn/a%20b",
        ] {
            assert_eq!(told(&setup(good)), [], "{good}");
        }
        for bad in [
            "",
            "h",
            "/api",
            "ftp://h/",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "http://u:p@h/",
            "http://h/?a=1",
            "http://h/#a",
            "http://h/ a",
            "http://h:0/",
            "http://h:99999/",
            "http://é/",
            "javascript:alert(1)",
        ] {
            assert_eq!(told(&setup(bad)), [("url".to_owned(), "service-url")], "{bad}");
        }
        let long = format!("http://h/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(told(&setup(&long))[0].1, "service-url");
    }

    #[test]
    fn every_fault_is_told_at_its_field() {
        let check = |change: fn(&mut Setup), field: &str, code: &'static str| {
            let mut setup = setup("https://h/");
            setup.roots = "PEM".to_owned();
            change(&mut setup);
            assert_eq!(told(&setup), [(field.to_owned(), code)]);
        };
        check(|s| s.timeout_ms = 0, "timeout_ms", "service-timeout");
        check(|s| s.timeout_ms = 12_001, "timeout_ms", "service-timeout");
        check(|s| s.roots.clear(), "roots", "service-roots");
        check(|s| s.url = "http://h/".to_owned(), "roots", "service-roots");
        check(
            |s| s.openapi = "openapi.json".to_owned(),
            "openapi",
            "service-openapi-url",
        );
        check(
            |s| s.openapi = "http://h/o".to_owned(),
            "openapi",
            "service-openapi-url",
        );
        check(
            |s| s.endpoints = vec![Endpoint::post(); ENDPOINTS_MAX + 1],
            "endpoints",
            "service-endpoints",
        );
        let plain = Setup {
            shows_node: true,
            ..setup("http://h/")
        };
        assert_eq!(told(&plain), [("shows_node".to_owned(), "service-shows-node")]);
    }
}
