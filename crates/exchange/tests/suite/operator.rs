//! The operator's operations over HTTP: who may, what they give, and that each that changes
//! something is told as a fact.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use exchange::TEXTS;
use kernel::limits::Limits;
use kernel::{Actor, OrgCode, Problem};
use tokio::sync::watch;
use web::http::request::Parts;
use web::openapi::OpenApiRouter;
use web::{Authenticate, NodeFace, Principal, Shared, Texts};

use crate::nation::Nation;
use crate::node::Node;

/// Signs everybody in under the role they name, at the tenant they name or the node's home organisation.
struct Roles(OrgCode);

#[async_trait]
impl Authenticate for Roles {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        let role = parts.headers.get("role").and_then(|v| v.to_str().ok());
        let tenant = parts.headers.get("tenant").and_then(|v| v.to_str().ok());
        let unit: OrgCode = tenant.map_or_else(|| self.0.clone(), |code| code.parse().expect("a code"));
        Ok(role.map(|role| Principal {
            account: "o1".to_owned(),
            tenant: unit.clone(),
            actor: Actor::Official("o1".to_owned()),
            name: "Cán bộ vận hành".to_owned(),
            subject: None,
            level: 3,
            roles: vec![role.to_owned()],
            unit,
            session: "s".to_owned(),
        }))
    }
}

pub(crate) struct Desk {
    pub(crate) address: String,
    _stop: watch::Sender<bool>,
}

async fn desk(nation: &Nation) -> Desk {
    desk_at(&nation.ministry).await
}

/// The portal of a node, with its pages.
pub(crate) async fn desk_at(node: &Node) -> Desk {
    desk_with(node, OpenApiRouter::new()).await
}

/// The portal of a node with routes of others beside the exchange's.
pub(crate) async fn desk_with(node: &Node, others: OpenApiRouter) -> Desk {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let address = listener.local_addr().to_string();
    let (stop, shutdown) = watch::channel(false);
    let router = exchange::router(&node.exchange).merge(node.exchange.audited(others));
    let (router, _) = router.split_for_parts();
    let home = node.keyring.seals.keys().next().expect("an organisation");
    let shared = Shared {
        texts: Arc::new(Texts::new(&[web::TEXTS, TEXTS]).expect("texts")),
        world: node.temp.store.world().clone(),
        limits: Arc::new(Limits::default()),
        node: NodeFace::new(node.id, "problem-refused"),
        authenticate: Arc::new(Roles(home.clone())),
    };
    let router = web::present(router, shared);
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    Desk { address, _stop: stop }
}

impl Desk {
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        role: Option<&str>,
        body: &str,
    ) -> (u16, Bytes) {
        let mut request = web::http::Request::builder()
            .method(method)
            .uri(format!("http://{}/api/v1/exchange/{path}", self.address))
            .header("origin", format!("http://{}", self.address))
            .header("content-type", "application/json");
        if let Some(role) = role {
            request = request.header("role", role);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a request");
        let answer = web::Client::plain()
            .send(request, 30_000, 1 << 20)
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.into_body())
    }

    /// The services that were registered, without those of the platform.
    pub(crate) async fn registered(&self) -> serde_json::Value {
        let all = self.get("services").await;
        let all = all.as_array().expect("a list").iter();
        all.filter(|one| one["of_the_platform"] == false)
            .cloned()
            .collect()
    }

    pub(crate) async fn get(&self, path: &str) -> serde_json::Value {
        let (status, body) = self.send("GET", path, Some("operator"), "").await;
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).expect("json")
    }
}

#[tokio::test]
async fn the_operator_finds_proves_and_exports_an_exchange() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    nation.ask(r#"{"do":"refuse"}"#).await.expect("an answer");
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let desk = desk(&nation).await;
    let list = desk.get("exchanges").await;
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    let by_case = desk.get("exchanges?issue=G22-261121-0001").await;
    assert_eq!(by_case.as_array().map(Vec::len), Some(2));
    assert_eq!(desk.get("exchanges?issue=other").await, serde_json::json!([]));
    let proof = desk.get(&format!("exchanges/{request}/proof")).await;
    assert_eq!(
        (&proof["size"], &proof["exchange"]["side"]),
        (&2.into(), &"provider".into())
    );
    for part in ["", "?part=answer"] {
        let path = format!("exchanges/{request}/asice{part}");
        let (status, zip) = desk.send("GET", &path, Some("operator"), "").await;
        assert_eq!(status, 200);
        let trust = nation.ministry.directory.trust();
        assert!(seal::asice::verify(&zip, &trust, nation.ministry.now()).is_passed());
    }
    for (path, status) in [
        (format!("exchanges/{request}/asice?part=other"), 422),
        ("exchanges/0/asice".to_owned(), 404),
        ("exchanges/0/proof".to_owned(), 404),
    ] {
        assert_eq!(
            desk.send("GET", &path, Some("operator"), "").await.0,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_operator_ends_an_agreement_with_a_reason_and_it_is_a_fact_of_the_operator() {
    let nation = Nation::new().await;
    let desk = desk(&nation).await;
    let held = desk.get("agreements").await;
    assert_eq!(
        (&held[0]["state"], &held[0]["id"]),
        (&"in-force".into(), &"01/2026/TT-CSDL".into())
    );
    let hash = held[0]["hash"].as_str().expect("a hash").to_owned();
    let path = format!("agreements/{hash}/revoke");
    for (body, status) in [
        (r#"{"by":"G01","reason":"  "}"#, 422),
        (r#"{"by":"zzz","reason":"x"}"#, 422),
        // Not this node's to say, and no party to it.
        (r#"{"by":"G22","reason":"x"}"#, 403),
        (r#"{"by":"G15","reason":"x"}"#, 404),
        (r#"{"by":"G01","reason":"vi phạm cam kết"}"#, 204),
        (r#"{"by":"G01","reason":"lần nữa"}"#, 409),
    ] {
        assert_eq!(
            desk.send("POST", &path, Some("operator"), body).await.0,
            status,
            "{body}"
        );
    }
    assert_eq!(desk.get("agreements").await[0]["state"], "revoked");
    let tenant: OrgCode = "G01".parse().expect("a code");
    let facts = nation
        .ministry
        .temp
        .store
        .facts_of(&tenant, &format!("agreement/{hash}"))
        .await;
    let facts = facts.expect("reads");
    assert_eq!(
        facts.last().map(|f| &f.actor),
        Some(&Actor::Official("o1".to_owned()))
    );
}

#[tokio::test]
async fn nobody_but_an_operator_sees_or_ends_anything() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let desk = desk(&nation).await;
    let hash = nation.agreement().hash();
    for (method, path) in [
        ("GET", "agreements".to_owned()),
        ("GET", "exchanges".to_owned()),
        ("GET", format!("exchanges/{request}/proof")),
        ("GET", format!("exchanges/{request}/asice")),
        ("GET", format!("agreements/{hash}")),
        ("GET", "allowed?consumer=G22/portal&service=G01/a/b".to_owned()),
        ("POST", "agreements".to_owned()),
        ("POST", format!("agreements/{hash}/offer")),
        ("POST", format!("agreements/{hash}/refuse")),
        ("POST", format!("agreements/{hash}/accept")),
        ("POST", format!("agreements/{hash}/suspend")),
        ("POST", format!("agreements/{hash}/resume")),
        ("POST", format!("agreements/{hash}/revoke")),
    ] {
        let body = if method == "POST" {
            r#"{"by":"G01","reason":"x"}"#
        } else {
            ""
        };
        assert_eq!(desk.send(method, &path, None, body).await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(
                desk.send(method, &path, Some(role), body).await.0,
                403,
                "{path} {role}"
            );
        }
    }
    assert!(!nation.ministry.exchange.agreements().list()[0].2);
}
