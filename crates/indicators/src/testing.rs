//! What this crate's tests share: a node's figures on a temporary store, and facts to count.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use directory::{Areas, Organisations};
use http_body_util::BodyExt as _;
use kernel::fact::{Channel, ExchangeCount, Outcome};
use kernel::{Actor, Digest, Fact, OrgCode, Problem, Time};
use testkit::TempStore;
use tower::ServiceExt as _;
use web::{NodeFace, Principal, Shared};

use crate::{Indicators, MIGRATIONS, Parts as Made, TEXTS, pack};

/// The unit whose cases the tests count.
pub(crate) const UNIT: &str = "H56.14857";

/// A node's figures.
pub(crate) struct House {
    pub(crate) temp: TempStore,
    pub(crate) indicators: Indicators,
    pub(crate) router: axum::Router,
}

/// Answers with whoever a test put into the request.
struct Put;

#[async_trait::async_trait]
impl web::Authenticate for Put {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        Ok(parts.extensions.get::<Principal>().cloned())
    }
}

/// Somebody with a role at a unit.
pub(crate) fn principal(role: &str, unit: &str) -> Principal {
    let unit: OrgCode = unit.parse().expect("code");
    Principal {
        account: "a1".into(),
        tenant: unit.top(),
        actor: Actor::Official("a1".into()),
        name: "Nguyễn Văn Mẫu".into(),
        subject: None,
        level: 0,
        roles: vec![role.into()],
        unit,
        session: "s1".into(),
    }
}

/// The code of the tests' case of a number.
pub(crate) fn case(number: u32) -> kernel::CaseCode {
    format!("G22-261121-{number:04}").parse().expect("code")
}

impl House {
    pub(crate) async fn new(home: &str) -> Self {
        let temp = testkit::store(&[MIGRATIONS]).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let areas = Areas::load(&folder).expect("the pack");
        // What a node computes from the procedures that it runs.
        let mut pack = pack::tests::vn();
        let birth = "1.001193".parse().expect("code");
        let from = kernel::time::parse_iso("2025-07-01").expect("a day");
        pack.levels.set(&birth, from, crate::levels::OnlineLevel::Full);
        let indicators = Indicators::open(Made {
            store: temp.store.clone(),
            home: home.parse().expect("code"),
            pack: Arc::new(pack),
            organisations: Arc::new(Organisations::load(&folder, &areas).expect("the pack")),
        })
        .await
        .expect("opens");
        let (router, _) = crate::router(indicators.clone()).split_for_parts();
        let shared = Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, TEXTS]).expect("whole texts")),
            world: temp.store.world().clone(),
            limits: Arc::new(temp.store.limits().clone()),
            node: NodeFace::new("national", "web-nav"),
            authenticate: Arc::new(Put),
        };
        Self {
            router: web::present(router, shared),
            temp,
            indicators,
        }
    }

    /// Records a fact of the home tenant about a subject.
    pub(crate) async fn record(&self, subject: &str, fact: Fact) {
        let fact = &fact;
        self.temp
            .store
            .write(&self.indicators.0.home, &Actor::Platform, |tx| async move {
                tx.fact(subject, fact.clone()).await
            })
            .await
            .expect("recorded");
    }

    /// Seals and folds everything.
    pub(crate) async fn fold(&self) {
        self.temp.store.seal_facts_now().await.expect("sealed");
        while self.indicators.fold().await.expect("folded") > 0 {}
    }

    pub(crate) async fn filed(&self, number: u32) {
        let fact = Fact::CaseFiled {
            case: case(number),
            procedure: "1.001193".parse().expect("code"),
            version: Digest::default(),
            channel: Channel::Online,
            to: UNIT.parse().expect("code"),
        };
        self.record(&format!("case/{}", case(number)), fact).await;
    }

    pub(crate) async fn decided(&self, number: u32, due: Time) {
        let fact = Fact::CaseDecided {
            case: case(number),
            outcome: Outcome::Granted,
            due,
            worked: Some(480),
        };
        self.record(&format!("case/{}", case(number)), fact).await;
    }

    pub(crate) async fn exchanged(&self, count: u64) {
        let fact = Fact::ExchangesCounted {
            stream: "evidence-0".into(),
            from: 0,
            to: count,
            counts: vec![ExchangeCount {
                consumer: "G22".parse().expect("code"),
                provider: "G01".parse().expect("code"),
                service: "G01/population/person-lookup".into(),
                side: "consumer".into(),
                ok: true,
                count,
            }],
        };
        self.record("stream/evidence-0", fact).await;
    }

    pub(crate) async fn get(&self, path: &str, who: Option<Principal>) -> (u16, String) {
        let mut request = Request::get(path)
            .header("host", "sen.test")
            .body(Body::empty())
            .expect("a request");
        if let Some(who) = who {
            request.extensions_mut().insert(who);
        }
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    pub(crate) async fn value(&self, figure: &str, org: &str) -> Option<f64> {
        let (status, body) = self.get(&format!("/api/v1/indicators?org={org}"), None).await;
        assert_eq!(status, 200, "{body}");
        let all: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let all = all.as_array().expect("a list");
        all.iter()
            .find(|f| f["figure"] == figure && f["org"] == org)
            .and_then(|f| f["value"].as_f64())
    }
}
