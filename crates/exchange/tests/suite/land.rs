//! A little nation with a real hub: a node `national` of `G22`, which publishes the directory, and a node
//! `ministry` of `G01` with a service. Two of them, of two instances, have the same codes and the same names
//! of nodes. Never shared between tests.

use std::sync::Arc;

use async_trait::async_trait;
use directory::anchor::Anchor;
use directory::keyring::Keyring;
use directory::registration::change::Change;
use directory::snapshot::{MemberEntry, NodeEntry, Snapshot, SystemEntry};
use directory::{Hub, Registrar, registration};
use exchange::{
    Agreement, Answer, Ask, Call, Exchange, Heard, Service, ServiceId, SignedAgreement, SystemId,
};
use kernel::limits::Limits;
use kernel::{Actor, Digest, OrgCode, Problem};
use seal::authority::{Authority, Profile};
use seal::key::Identity;
use testkit::START;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::nation::Nation;
use crate::node::{Node, issue, node_identity};

/// Answers with what it was asked.
struct Echo(ServiceId);

#[async_trait]
impl Service for Echo {
    fn id(&self) -> ServiceId {
        self.0.clone()
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let asked: serde_json::Value = call.json()?;
        Answer::json(&serde_json::json!({ "record": { "asked": asked } }))
    }
}

pub(crate) struct Land {
    pub(crate) ca: Authority,
    pub(crate) hub: Hub,
    pub(crate) registrar: Registrar,
    pub(crate) national: Node,
    pub(crate) ministry: Node,
    /// Where its directory is asked for by others.
    pub(crate) url: String,
    /// Ends that, and tells when it has ended.
    public: Mutex<(watch::Sender<bool>, JoinHandle<()>)>,
    instance: String,
}

impl Land {
    pub(crate) async fn new(instance: &str) -> Self {
        let ca = testkit::authority();
        let code = |code| OrgCode::of_instance(instance, code).expect("a code");
        let (g22, g01) = (code("G22"), code("G01"));
        let seal = |org: &OrgCode, serial| issue(&ca, Profile::OrganisationSeal, org.as_str(), serial);
        let (hub, member) = (seal(&g22, 1), seal(&g01, 2));
        let keys = |org: &OrgCode, seal: &Identity, serial| Keyring {
            node: node_identity(&ca, serial),
            seals: [(org.clone(), seal.clone())].into(),
            signers: Default::default(),
        };
        let national = Node::open("national", keys(&g22, &hub, 3), &hub, Limits::default(), &ca).await;
        let ministry = Node::open("ministry", keys(&g01, &member, 4), &hub, Limits::default(), &ca).await;
        let mut snapshot = Snapshot::empty(g22.clone());
        snapshot.anchors = vec![ca.certificate().pem()];
        for (node, org, seal) in [(&national, &g22, &hub), (&ministry, &g01, &member)] {
            snapshot.nodes.push(NodeEntry {
                id: node.id.to_owned(),
                peer: node.peer.clone(),
                certificate: node.keyring.node.certificate.thumbprint(),
            });
            snapshot.members.push(MemberEntry {
                org: org.clone(),
                name: org.to_string(),
                node: node.id.to_owned(),
                certificate_pem: seal.chain_pem(),
            });
        }
        for (org, code) in [(&g22, "portal"), (&g01, "population")] {
            snapshot.systems.push(SystemEntry {
                org: org.clone(),
                code: code.to_owned(),
                name: code.to_owned(),
            });
        }
        let publisher = Hub::open(national.directory.clone(), hub.clone())
            .await
            .expect("a hub");
        publisher.publish(&snapshot).await.expect("published");
        let registrar = Registrar::new(registration::Parts {
            directory: national.directory.clone(),
            hub: Some(publisher.clone()),
            keyring: Arc::clone(&national.keyring),
            node: "national".to_owned(),
            to_hub: None,
            peers: web::Client::plain(),
        });
        let (url, public) = public(&national).await;
        let land = Self {
            ca,
            hub: publisher,
            registrar,
            national,
            ministry,
            url,
            public: Mutex::new(public),
            instance: instance.to_owned(),
        };
        land.ministry.exchange.provide(Arc::new(Echo(land.lookup())));
        land.spread().await;
        land
    }

    pub(crate) fn org(&self, code: &str) -> OrgCode {
        OrgCode::of_instance(&self.instance, code).expect("a code")
    }

    /// The ministry's service.
    pub(crate) fn lookup(&self) -> ServiceId {
        let id = format!("{}/population/person-lookup", self.org("G01"));
        id.parse().expect("an id")
    }

    /// The portal's system.
    pub(crate) fn portal(&self) -> SystemId {
        format!("{}/portal", self.org("G22")).parse().expect("an id")
    }

    pub(crate) fn anchor(&self) -> (Anchor, String) {
        self.hub.anchor(vec![self.url.clone()]).expect("an anchor")
    }

    pub(crate) fn nodes(&self) -> [&Node; 2] {
        [&self.national, &self.ministry]
    }

    /// The ministry's node takes over what the hub said last.
    pub(crate) async fn spread(&self) {
        let (token, _) = self.hub.directory().token();
        self.ministry.directory.adopt(&token).await.expect("adopted");
    }

    /// Every node asks the other instances for their directories.
    pub(crate) async fn ask_others(&self) -> Vec<Result<bool, String>> {
        let mut answers = Vec::new();
        for node in self.nodes() {
            let asked = node.directory.ask_others().await.into_iter();
            answers.extend(asked.map(|(_, answer)| answer));
        }
        answers
    }

    pub(crate) async fn enact(&self, change: Change) -> Result<u64, Problem> {
        let operator = Actor::Official("operator-1".to_owned());
        let serial = self.registrar.enact(change, &operator).await?;
        self.spread().await;
        Ok(serial)
    }

    /// The hub's operator trusts another instance, by the hash that was compared.
    pub(crate) async fn trust(&self, anchor: &str, hash: Digest) -> Result<u64, Problem> {
        let reason = "Hiệp định mẫu".to_owned();
        let anchor = anchor.to_owned();
        self.enact(Change::TrustInstance { anchor, hash, reason }).await
    }

    /// A timestamp authority of this instance, as its directory lists it.
    pub(crate) async fn stamps(&self) -> crate::timestamps::Authority {
        let identity = issue(&self.ca, Profile::TimestampAuthority, "TSA", 9);
        let (authority, entry) = crate::timestamps::serve(identity).await;
        let mut snapshot = (*self.hub.directory().snapshot()).clone();
        snapshot.timestamp_authorities.push(entry);
        self.hub.publish(&snapshot).await.expect("published");
        self.spread().await;
        authority
    }

    pub(crate) async fn withdraw(&self, instance: &str) {
        let reason = "Hết hiệp định".to_owned();
        let instance = instance.to_owned();
        let change = Change::WithdrawInstance { instance, reason };
        self.enact(change).await.expect("withdrawn");
    }

    /// Nobody is told its directory any more.
    pub(crate) async fn hub_is_gone(&self) {
        let mut public = self.public.lock().await;
        public.0.send_replace(true);
        (&mut public.1).await.expect("the listener ended by itself");
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        for node in self.nodes() {
            node.temp.clock.advance_ms(ms);
        }
    }
}

/// The signed directory of a node, for everybody, as its portal gives it.
async fn public(node: &Node) -> (String, (watch::Sender<bool>, JoinHandle<()>)) {
    let address = "127.0.0.1:0".parse().expect("an address");
    let listener = web::Listener::bind(address).await.expect("a port");
    let url = format!("http://{}", listener.local_addr());
    let (router, _) = directory::peer_router(node.directory.clone()).split_for_parts();
    let (gone, shutdown) = watch::channel(false);
    let limits = Limits::default();
    let serving = tokio::spawn(async move {
        web::serve(listener, None, router, &limits, shutdown).await;
    });
    (url, (gone, serving))
}

/// Two instances that trust each other, and whose nodes have each other's directory.
pub(crate) async fn two() -> (Land, Land) {
    let (ours, theirs) = (Land::new("VN").await, Land::new("LA").await);
    for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
        let (anchor, token) = other.anchor();
        one.trust(&token, anchor.hash().expect("a hash"))
            .await
            .expect("trusted");
    }
    for land in [&ours, &theirs] {
        assert_eq!(land.ask_others().await, [Ok(true), Ok(true)]);
    }
    (ours, theirs)
}

/// The agreement by which the portal of one instance asks the ministry of another, in force at both.
pub(crate) async fn agree(consumer: &Land, provider: &Land, template: Agreement) -> Agreement {
    let agreement = Agreement {
        provider: provider.org("G01"),
        consumer: consumer.portal(),
        service: provider.lookup(),
        fields: vec!["asked".to_owned()],
        valid_to: START.plus_ms(30 * 86_400_000),
        ..template
    };
    let accept = |node: &Node, org: &OrgCode| agreement.accept(org, START, &node.keyring.seals[org].key);
    let signed = SignedAgreement {
        provider_acceptance: accept(&provider.ministry, &agreement.provider),
        consumer_acceptance: accept(&consumer.national, &agreement.consumer.org),
        agreement: agreement.clone(),
    };
    for node in [&consumer.national, &provider.ministry] {
        node.exchange
            .agreements()
            .adopt(signed.clone())
            .await
            .expect("adopted");
    }
    agreement
}

pub(crate) async fn ask(from: &Exchange, consumer: SystemId, service: ServiceId) -> Result<Heard, Problem> {
    let ask = Ask {
        consumer,
        service,
        body: bytes::Bytes::from_static(b"{\"who\":\"x\"}"),
        on_behalf: "citizen:a1".to_owned(),
        issue: None,
        idempotency: None,
    };
    from.ask(ask).await
}

/// The words of an agreement, its parties aside.
pub(crate) async fn words() -> Agreement {
    Nation::without_agreement(Limits::default()).await.agreement()
}
