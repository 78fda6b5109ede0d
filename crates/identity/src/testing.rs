//! What this crate's tests share: accounts, nodes, and a browser that keeps cookies. Never in a
//! release build.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use kernel::{Actor, Fact, Tenant};
use tower::ServiceExt as _;

use crate::{Accounts, Client, ClientConfig, IdentityState, Mode, NewAccount, Provider, Sessions, Site};

pub(crate) const TENANT: &str = "G01";
pub(crate) const PASSWORD: &str = "hoa sen nở sớm";

pub(crate) fn official(id: &str, user: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        user: user.to_owned(),
        password: Some(PASSWORD.to_owned()),
        name: "Trần Thị Lan".to_owned(),
        subject: None,
        born: None,
        level: 0,
        roles: vec!["officer".to_owned()],
        unit: "G01.12".parse().unwrap(),
    }
}

pub(crate) fn citizen(id: &str, user: &str, level: u8) -> NewAccount {
    NewAccount {
        name: "Lê Thị Mai".to_owned(),
        subject: Some("038192000001".parse().unwrap()),
        born: kernel::time::parse_iso("1992-03-08"),
        level,
        roles: vec!["citizen".to_owned()],
        unit: TENANT.parse().unwrap(),
        ..official(id, user)
    }
}

/// One node in memory.
pub(crate) struct Node {
    pub(crate) temp: Arc<testkit::TempStore>,
    pub(crate) tenant: Tenant,
    pub(crate) state: IdentityState,
    pub(crate) router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .map_or("", |v| v.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

impl Node {
    pub(crate) fn of(
        temp: Arc<testkit::TempStore>,
        tenant: &str,
        node: &str,
        mode: Mode,
        provider: Option<Provider>,
    ) -> Self {
        let tenant: Tenant = tenant.parse().unwrap();
        let sessions = Sessions::new(temp.store.clone(), tenant.clone(), node);
        let state = IdentityState {
            store: temp.store.clone(),
            tenant: tenant.clone(),
            sessions: sessions.clone(),
            mode,
            provider,
        };
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, crate::TEXTS]).unwrap()),
            world: temp.store.world().clone(),
            limits: Arc::new(temp.store.limits().clone()),
            node: web::NodeFace::new(node, "identity-sign-in-title"),
            authenticate: Arc::new(sessions),
        };
        let (router, _) = crate::router(state.clone()).split_for_parts();
        let work = axum::routing::post(|_: web::SignedIn| async { "done" });
        let by_key = axum::routing::post(|web::Operator(who): web::Operator| async move {
            format!("{} {}", who.account, who.roles.join(" "))
        });
        let router = router
            .route("/work", work)
            .route("/api/v1/directory/work", by_key.clone())
            .route("/api/v1/directories/work", by_key.clone())
            .route("/api/v1/exchange/work", by_key);
        Self {
            temp,
            tenant,
            state,
            router: web::present(router, shared),
        }
    }

    /// A node of [`TENANT`] where people sign in with passwords.
    pub(crate) async fn passwords() -> Self {
        let temp = Arc::new(testkit::store(&[crate::MIGRATIONS]).await);
        Self::of(temp, TENANT, "ministry", Mode::Passwords, None)
    }

    pub(crate) fn site(&self) -> Site {
        Site::new(self.state.clone())
    }

    pub(crate) async fn open(&self, account: &NewAccount) {
        let accounts = Accounts::new(self.temp.store.clone(), self.tenant.clone());
        accounts.open(&Actor::Platform, account).await.unwrap();
    }

    pub(crate) async fn facts(&self, subject: &str) -> Vec<Fact> {
        let records = self.temp.store.facts_of(&self.tenant, subject).await.unwrap();
        records.into_iter().map(|r| r.fact).collect()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

/// Keeps cookies by name, as a browser does for one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, node: &Node, path: &str) -> Answer {
        self.send(node, Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&mut self, node: &Node, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(node, request, Body::from(crate::query::write(form)))
            .await
    }

    pub(crate) async fn sign_in(&mut self, node: &Node, user: &str, password: &str) -> Answer {
        self.post(node, "/sign-in", &[("user", user), ("password", password)])
            .await
    }

    pub(crate) async fn send(
        &mut self,
        node: &Node,
        request: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let mut request = request.header(header::HOST, "127.0.0.1");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = node.send(request.body(body).unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// The portal's address in tests; nobody listens there: the tests play the browser.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/sign-in/callback";

/// A ministry that is the identity provider, listening, and a portal that is its client.
pub(crate) struct Pair {
    pub(crate) ministry: Node,
    pub(crate) portal: Node,
    pub(crate) provider: Provider,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Pair {
    pub(crate) async fn new() -> Self {
        Self::with_level(1).await
    }

    pub(crate) async fn with_level(level_min: u8) -> Self {
        let listener = web::Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr());
        let client = |id: &str, uri: &str| Client {
            id: id.to_owned(),
            redirect_uris: vec![uri.to_owned()],
        };
        let provider = Provider {
            issuer: issuer.clone(),
            key: seal::key::SigningKey::generate(),
            clients: vec![
                client("portal", CALLBACK),
                client("other", "https://other.example/back"),
            ],
        };
        let temp = Arc::new(testkit::store(&[crate::MIGRATIONS]).await);
        let ministry = Node::of(temp, TENANT, "ministry", Mode::Passwords, Some(provider.clone()));
        let config = ClientConfig {
            issuer,
            client_id: "portal".to_owned(),
            redirect_uri: CALLBACK.to_owned(),
            level_min,
            http: web::Client::plain(),
        };
        let temp = Arc::new(testkit::store(&[crate::MIGRATIONS]).await);
        let portal = Node::of(temp, "G22", "national", Mode::OpenId(config), None);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (router, limits) = (ministry.router.clone(), kernel::limits::Limits::default());
        tokio::spawn(async move { web::serve(listener, None, router, &limits, stopped).await });
        ministry.open(&citizen("c1", "mai", 2)).await;
        Self {
            ministry,
            portal,
            provider,
            stop,
        }
    }

    /// Moves both nodes' clocks.
    pub(crate) fn advance_ms(&self, ms: i64) {
        self.ministry.temp.clock.advance_ms(ms);
        self.portal.temp.clock.advance_ms(ms);
    }

    /// The path at the ministry that a full address names.
    pub(crate) fn at_ministry<'a>(&self, address: &'a str) -> &'a str {
        address
            .strip_prefix(&self.provider.issuer)
            .unwrap_or_else(|| panic!("not at the provider: {address}"))
    }

    /// Goes from the portal to the provider, signs in there, and comes back with the address of
    /// the callback, not yet followed.
    pub(crate) async fn come_back(&self, browser: &mut Browser, next: &str) -> String {
        let begun = browser
            .get(
                &self.portal,
                &format!("/sign-in?{}", crate::query::write(&[("next", next)])),
            )
            .await;
        assert_eq!(begun.status, 303, "{}", begun.body);
        let asked = self.at_ministry(begun.location()).to_owned();
        let first = browser.get(&self.ministry, &asked).await;
        assert!(first.location().starts_with("/sign-in?next="), "{first:?}");
        let form = [("user", "mai"), ("password", PASSWORD), ("next", asked.as_str())];
        let signed = browser.post(&self.ministry, "/sign-in", &form).await;
        assert_eq!((signed.status, signed.location()), (303, asked.as_str()));
        let back = browser.get(&self.ministry, &asked).await;
        assert!(back.location().starts_with(CALLBACK), "{back:?}");
        back.location()
            .strip_prefix("http://127.0.0.1:9")
            .unwrap()
            .to_owned()
    }
}
