//! How a registered service is reached and what it has, as an operator writes it; and what is wrong with
//! that. Pure. Never calls anybody: what a document or a certificate says is looked at elsewhere.

use axum::http::Uri;
use kernel::{OrgCode, Problem};
use serde::{Deserialize, Serialize};

use super::wsdl::Operation;
use crate::endpoint::Endpoint;

/// Length of an address, in bytes.
const URL_BYTES_MAX: usize = 1_024;
/// Size of the roots of one service, in bytes of PEM.
const ROOTS_BYTES_MAX: usize = 64 << 10;
/// Endpoints of one service, count.
pub(crate) const ENDPOINTS_MAX: usize = 1_000;

/// Addresses of one service, count.
const WAYS_MAX: usize = 16;
/// The largest weight of an address.
const WEIGHT_MAX: u32 = 100;
/// How often a health check may be made, in seconds.
const HEALTH_EVERY_S: std::ops::RangeInclusive<u32> = 5..=3_600;

/// Another address of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// Where.
    pub url: String,
    /// How often it is picked, against the others.
    pub weight: u32,
}

/// The WSDL document of a SOAP service, as an operator took it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wsdl {
    /// Where it stands; empty when it was uploaded.
    pub url: String,
    /// The document.
    pub document: String,
    /// The operations it describes.
    pub operations: Vec<Operation>,
}

const fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
const fn is_one(weight: &u32) -> bool {
    *weight == 1
}

/// How often the health of a service is looked at when nobody says otherwise, in seconds.
pub(crate) const fn health_every_s() -> u32 {
    30
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
const fn is_usual(every_s: &u32) -> bool {
    *every_s == health_every_s()
}

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
    /// Its WSDL document, of a SOAP service. Left out of the text when it has none, so that services
    /// registered before keep their digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wsdl: Option<Wsdl>,
    /// Roots of its TLS certificate, PEM; empty with plain HTTP.
    pub roots: String,
    /// True when it is shown the node's own certificate where it asks for one.
    pub shows_node: bool,
    /// How often `url` is picked, against `others`.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Where it is called besides, by the same scheme.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Way>,
    /// The path below each address that tells whether the system works; empty when none does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub health: String,
    /// How often that is asked, in seconds.
    #[serde(default = "health_every_s", skip_serializing_if = "is_usual")]
    pub health_every_s: u32,
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

    /// Every address with its weight.
    pub fn ways(&self) -> impl Iterator<Item = (&str, u32)> {
        let others = self.others.iter().map(|way| (way.url.as_str(), way.weight));
        std::iter::once((self.url.as_str(), self.weight)).chain(others)
    }

    /// What is wrong with its other addresses, the weights and the health check.
    fn way_faults(&self) -> Vec<Problem> {
        let mut faults = Vec::new();
        let scheme = |url: &str| Some(address(url)?.scheme_str()?.to_owned());
        let first = scheme(&self.url);
        let good = |way: &Way| {
            let fits = first.is_none() || scheme(&way.url) == first;
            fits && address(&way.url).is_some() && !way.url.contains('?')
        };
        let mut urls: Vec<&str> = self.ways().map(|(url, _)| url).collect();
        urls.sort_unstable();
        urls.dedup();
        let once = urls.len() == self.others.len() + 1 && urls.len() <= WAYS_MAX;
        if !once || !self.others.iter().all(good) {
            faults.push(Problem::invalid("others", "service-others").with("max", WAYS_MAX));
        }
        for (n, (_, weight)) in self.ways().enumerate() {
            if !(1..=WEIGHT_MAX).contains(&weight) {
                let field = if n == 0 { "weight" } else { "others" };
                faults.push(Problem::invalid(field, "service-weight").with("max", WEIGHT_MAX));
            }
        }
        let is_path = self.health.starts_with('/') && self.health.bytes().all(is_plain);
        if !self.health.is_empty() && (!is_path || self.health.len() > URL_BYTES_MAX) {
            faults.push(Problem::invalid("health", "service-health"));
        }
        if !HEALTH_EVERY_S.contains(&self.health_every_s) {
            let problem = Problem::invalid("health_every_s", "service-health-every");
            let (least, most) = (HEALTH_EVERY_S.start(), HEALTH_EVERY_S.end());
            faults.push(problem.with("min", least).with("max", most));
        }
        faults
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
        if let Some(wsdl) = &self.wsdl {
            let good = address(&wsdl.url)
                .is_some_and(|uri| base.as_ref().is_none_or(|base| scheme(base) == scheme(&uri)));
            if !wsdl.url.is_empty() && !good {
                faults.push(Problem::invalid("wsdl", "service-wsdl-url"));
            }
            if !self.openapi.is_empty() {
                faults.push(Problem::invalid("wsdl", "service-described-twice"));
            }
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
        faults.extend(self.way_faults());
        faults
    }
}

/// An address that can be called: `http` or `https`, a host, no user, no fragment.
fn address(text: &str) -> Option<Uri> {
    if text.len() > URL_BYTES_MAX || !text.bytes().all(is_plain) {
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

/// A character of an address that nothing would cut off or rewrite.
fn is_plain(b: u8) -> bool {
    b.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&b)
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
            wsdl: None,
            roots: String::new(),
            shows_node: false,
            publishes_for: None,
            weight: 1,
            others: Vec::new(),
            health: String::new(),
            health_every_s: health_every_s(),
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
        let wsdl = |url: &str| {
            Some(Wsdl {
                url: url.to_owned(),
                document: String::new(),
                operations: Vec::new(),
            })
        };
        for (url, openapi, code) in [
            ("x.wsdl", "", "service-wsdl-url"),
            ("https://h/x", "", "service-wsdl-url"),
            ("file:///x", "", "service-wsdl-url"),
            ("http://h/x", "http://h/o", "service-described-twice"),
        ] {
            let mut setup = setup("http://h/");
            (setup.wsdl, setup.openapi) = (wsdl(url), openapi.to_owned());
            assert_eq!(told(&setup), [("wsdl".to_owned(), code)], "{url}");
        }
        let uploaded = Setup {
            wsdl: wsdl(""),
            ..setup("http://h/")
        };
        assert_eq!(told(&uploaded), []);
        let other = |url: &str, weight| Way {
            url: url.to_owned(),
            weight,
        };
        for (others, code) in [
            (vec![other("http://h/", 1)], "service-others"),
            (
                vec![other("https://g/", 1), other("https://g/", 1)],
                "service-others",
            ),
            (vec![other("https://g/?a", 1)], "service-others"),
            (vec![other("g", 1)], "service-others"),
            (
                (0..16).map(|n| other(&format!("https://g{n}/"), 1)).collect(),
                "service-others",
            ),
            (vec![other("https://g/", 0)], "service-weight"),
            (vec![other("https://g/", 101)], "service-weight"),
        ] {
            let mut setup = setup("https://h/");
            (setup.roots, setup.others) = ("PEM".to_owned(), others);
            assert_eq!(told(&setup), [("others".to_owned(), code)]);
        }
        check(|s| s.weight = 0, "weight", "service-weight");
        for health in ["health", "/a b", "/#", "/é"] {
            let mut setup = setup("http://h/");
            setup.health = health.to_owned();
            assert_eq!(told(&setup), [("health".to_owned(), "service-health")]);
        }
        check(|s| s.health_every_s = 4, "health_every_s", "service-health-every");
        check(
            |s| s.health_every_s = 3_601,
            "health_every_s",
            "service-health-every",
        );
        let json = serde_json::to_string(&setup("http://h/")).expect("json");
        assert!(
            !json.contains("health") && !json.contains("weight") && !json.contains("wsdl"),
            "as before there were several"
        );
        assert_eq!(
            serde_json::from_str::<Setup>(&json).expect("reads"),
            setup("http://h/")
        );
        let plain = Setup {
            shows_node: true,
            ..setup("http://h/")
        };
        assert_eq!(told(&plain), [("shows_node".to_owned(), "service-shows-node")]);
    }
}
