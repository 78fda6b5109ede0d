//! For this crate's tests: a world whose clock stands still, a shared face, and ways to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use kernel::limits::Limits;
use kernel::{Actor, Chance, Clock, Problem, Time, World};
use tower::ServiceExt as _;

use crate::auth::{Authenticate, Principal};
use crate::i18n::{Source, Texts};
use crate::shared::{NavItem, NodeFace, Shared};
use crate::tls::{Accept, TlsIdentity};

/// 21/11/2026, 09:30 in Vietnam.
pub(crate) const NOW: &str = "2026-11-21T02:30:00Z";

struct Still(Time);

impl Clock for Still {
    fn now(&self) -> Time {
        self.0
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Chance for Counting {
    fn fill(&self, out: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        for (slot, byte) in out.iter_mut().rev().zip(n.to_le_bytes()) {
            *slot = byte;
        }
    }
}

pub(crate) fn world() -> World {
    let now = Time::parse_rfc3339(NOW).unwrap();
    World {
        clock: Arc::new(Still(now)),
        chance: Arc::new(Counting::default()),
    }
}

pub(crate) fn lan() -> Principal {
    Principal {
        account: "a1".to_owned(),
        tenant: "H56".parse().unwrap(),
        actor: Actor::Citizen("a1".to_owned()),
        name: "Lê <Lan>".to_owned(),
        subject: None,
        level: 2,
        roles: vec!["citizen".to_owned()],
        unit: "H56".parse().unwrap(),
        session: "s1".to_owned(),
    }
}

/// Whoever carries the cookie `session-province=lan` is Lan.
struct Cookies;

#[async_trait]
impl Authenticate for Cookies {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        Ok((crate::cookie::read(&parts.headers, "session-province") == Some("lan")).then(lan))
    }
}

pub(crate) fn shared(limits: Limits) -> Shared {
    let own = Source {
        name: "test",
        vi: "node = Thanh Hóa\n",
        en: "node = Thanh Hoa\n",
    };
    let nav = |href: &str, role: Option<&str>| NavItem::new(href, "web-home", role);
    Shared {
        texts: Arc::new(Texts::new(&[crate::TEXTS, own]).unwrap()),
        world: world(),
        limits: Arc::new(limits),
        node: NodeFace {
            nav: vec![
                nav("/cases", None).with(&["/drafts"]),
                nav("/desk", Some("officer")),
            ],
            form_targets: vec!["http://127.0.0.1:8081".to_owned()],
            ..NodeFace::new("province", "node")
        },
        authenticate: Arc::new(Cookies),
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// Asks a presented router: `line` is `GET /path`.
pub(crate) async fn ask(
    router: &Router,
    line: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router
        .clone()
        .oneshot(request.body(body.into()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// A certificate authority with nodes of its own.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self {
            issuer: rcgen::Issuer::new(params, key),
            der,
        }
    }

    pub(crate) fn node(&self, name: &str) -> TlsIdentity {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![
            rcgen::ExtendedKeyUsagePurpose::ServerAuth,
            rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        TlsIdentity {
            chain: vec![certificate.der().to_vec()],
            key_pkcs8: key.serialize_der(),
        }
    }
}

pub(crate) fn anyone() -> Accept {
    Arc::new(|_| Ok(crate::tls::Registered::Ours))
}

pub(crate) fn all_but(revoked: &TlsIdentity) -> Accept {
    let revoked = revoked.chain[0].clone();
    Arc::new(move |der| {
        if der == revoked {
            Err("revoked".to_owned())
        } else {
            Ok(crate::tls::Registered::Ours)
        }
    })
}
