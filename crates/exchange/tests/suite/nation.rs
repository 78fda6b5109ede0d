//! The fixture: a hub, a node `national` (G22) and a node `ministry` (G01, G15), each with its own
//! store, clock, keys and peer listener, and a service that counts. Never shared between tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use directory::Directory;
use directory::keyring::Keyring;
use directory::snapshot::{MemberEntry, NodeEntry, Revoked, Snapshot};
use exchange::agreement::{Agreement, SignedAgreement};
use exchange::envelope::{self, Evidence};
use exchange::{Answer, Ask, Call, Exchange, Heard, STREAM, Service, ServiceId, SystemId};
use kernel::limits::Limits;
use kernel::{Kind, OrgCode, Problem, Time};
use seal::authority::{Authority, Profile, Subject};
use seal::certificate::Certificate;
use seal::key::Identity;
use testkit::{START, TempStore};
use tokio::sync::watch;
use web::tls::{self, TlsIdentity};

pub(crate) const LOOKUP: &str = "G01/population/person-lookup";
pub(crate) const PORTAL: &str = "G22/portal";

/// A node that runs.
pub(crate) struct Node {
    pub(crate) id: &'static str,
    pub(crate) tenants: Vec<OrgCode>,
    pub(crate) temp: TempStore,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) directory: Directory,
    pub(crate) exchange: Exchange,
    pub(crate) peer: String,
    stop: watch::Sender<bool>,
}

/// The service of the tests: does what the body's `do` says, and counts its effects.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) effects: AtomicUsize,
    pub(crate) keys: std::sync::Mutex<Vec<Option<String>>>,
}

pub(crate) struct Nation {
    pub(crate) ca: Authority,
    pub(crate) hub: Identity,
    pub(crate) snapshot: Snapshot,
    pub(crate) national: Node,
    pub(crate) ministry: Node,
    pub(crate) service: Arc<Counting>,
}

#[async_trait]
impl Service for Counting {
    fn id(&self) -> ServiceId {
        LOOKUP.parse().expect("an id")
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        self.keys.lock().expect("a lock").push(call.idempotency.clone());
        self.effects.fetch_add(1, Ordering::SeqCst);
        let asked: serde_json::Value = call.json()?;
        let raw = |status: u16, body: Vec<u8>| Answer {
            status,
            media: "application/json".to_owned(),
            body: body.into(),
        };
        match asked["do"].as_str().unwrap_or_default() {
            "hang" => std::future::pending().await,
            "slow" => {
                tokio::time::sleep(Duration::from_millis(150)).await;
                Answer::json(&serde_json::json!({"record": {"full_name": "chậm"}}))
            }
            "panic" => panic!("a service of the tests panics when told to"),
            "refuse" => Err(Problem::new(Kind::NotFound, "record-not-found")),
            "500" => Ok(raw(500, b"{\"code\":\"broken-inside\"}".to_vec())),
            "garbage" => Ok(raw(200, b"<html>\xff".to_vec())),
            "large" => Ok(raw(200, vec![b'1'; 300_000])),
            _ => Answer::json(&serde_json::json!({"record": {
                "full_name": "Lê Thị Mẫu", "residence": "14857", "asked": asked,
            }})),
        }
    }
}

impl Nation {
    /// The nation with an agreement in force for the portal to ask the population register.
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let nation = Self::without_agreement(limits).await;
        nation.agree(nation.agreement()).await;
        nation
    }

    pub(crate) async fn without_agreement(limits: Limits) -> Self {
        let ca = testkit::authority();
        let hub = issue(&ca, Profile::OrganisationSeal, "G22", 1);
        let keys = |seals: &[(&str, Identity)], serial| Keyring {
            node: node_identity(&ca, serial),
            seals: seals
                .iter()
                .map(|(org, seal)| (org.parse().expect("a code"), seal.clone()))
                .collect(),
            signers: Default::default(),
        };
        let national = keys(&[("G22", hub.clone())], 2);
        let ministry = keys(
            &[
                ("G01", issue(&ca, Profile::OrganisationSeal, "G01", 3)),
                ("G15", issue(&ca, Profile::OrganisationSeal, "G15", 4)),
            ],
            5,
        );
        let mut snapshot = Snapshot::empty("G22".parse().expect("a code"));
        snapshot.anchors = vec![ca.certificate().pem()];
        for (node, keyring) in [("national", &national), ("ministry", &ministry)] {
            for (org, seal) in &keyring.seals {
                snapshot.members.push(MemberEntry {
                    org: org.clone(),
                    name: org.to_string(),
                    node: node.to_owned(),
                    certificate_pem: seal.chain_pem(),
                });
            }
        }
        let (national, ministry) = (
            Node::open("national", national, &hub, limits.clone(), &ca).await,
            Node::open("ministry", ministry, &hub, limits, &ca).await,
        );
        for node in [&national, &ministry] {
            snapshot.nodes.push(NodeEntry {
                id: node.id.to_owned(),
                peer: node.peer.clone(),
                certificate: node.keyring.node.certificate.thumbprint(),
            });
        }
        let service = Arc::new(Counting::default());
        ministry.exchange.provide(service.clone());
        let mut nation = Self {
            ca,
            hub,
            snapshot,
            national,
            ministry,
            service,
        };
        nation.publish(|_| ()).await;
        nation
    }

    /// Signs the next snapshot, and both nodes adopt it.
    pub(crate) async fn publish(&mut self, change: impl FnOnce(&mut Snapshot)) {
        let token = self.sign_next(change);
        for node in [&self.national, &self.ministry] {
            node.directory.adopt(&token).await.expect("adopted");
        }
    }

    pub(crate) fn sign_next(&mut self, change: impl FnOnce(&mut Snapshot)) -> String {
        change(&mut self.snapshot);
        self.snapshot.serial += 1;
        self.snapshot.issued = START;
        self.snapshot.sign(&self.hub).expect("signed")
    }

    /// The agreement of the tests, not signed yet.
    pub(crate) fn agreement(&self) -> Agreement {
        let text = |what: &str| format!("{what} (mẫu thử)");
        Agreement {
            id: "01/2026/TT-CSDL".to_owned(),
            provider: "G01".parse().expect("a code"),
            consumer: PORTAL.parse().expect("an id"),
            service: LOOKUP.parse().expect("an id"),
            fields: vec!["full_name".to_owned(), "asked".to_owned()],
            purpose: text("mục đích"),
            legal_basis: text("căn cứ"),
            place: text("nơi"),
            valid_from: START.plus_ms(-1_000),
            valid_to: START.plus_ms(86_400_000),
            sharing_method: text("phương thức"),
            handling: text("xử lý"),
            conditions: text("điều kiện"),
            rate_per_minute: 1_000_000,
            commitments: text("cam kết"),
            protection: text("bảo vệ"),
            storage: text("lưu trữ"),
            deletion: text("xóa"),
            other: String::new(),
        }
    }

    pub(crate) fn signed(&self, agreement: Agreement) -> SignedAgreement {
        let key = |org: &OrgCode| {
            let seals = self
                .national
                .keyring
                .seals
                .iter()
                .chain(&self.ministry.keyring.seals);
            &seals.clone().find(|(o, _)| *o == org).expect("a member").1.key
        };
        SignedAgreement {
            provider_acceptance: agreement.accept(&agreement.provider, START, key(&agreement.provider)),
            consumer_acceptance: agreement.accept(&agreement.consumer.org, START, key(&agreement.consumer.org)),
            agreement,
        }
    }

    /// Both nodes take the agreement over.
    pub(crate) async fn agree(&self, agreement: Agreement) {
        let signed = self.signed(agreement);
        for node in [&self.national, &self.ministry] {
            node.exchange
                .agreements()
                .adopt(signed.clone())
                .await
                .expect("adopted");
        }
    }

    pub(crate) async fn ask(&self, body: &str) -> Result<Heard, Problem> {
        self.national.exchange.ask(asking(body)).await
    }

    /// The code of a refusal.
    pub(crate) async fn refused(&self, body: &str) -> &'static str {
        self.ask(body).await.expect_err("refused").code
    }

    pub(crate) fn effects(&self) -> usize {
        self.service.effects.load(Ordering::SeqCst)
    }

    pub(crate) fn revoked(certificate: &Certificate) -> Revoked {
        Revoked {
            thumbprint: certificate.thumbprint(),
            at: START,
            reason: "mất khóa".to_owned(),
        }
    }

    /// The ministry's node stops and starts again, at another port.
    pub(crate) async fn restart_ministry(&mut self) {
        let (hub, limits) = (&self.hub, self.ministry.temp.store.limits().clone());
        let peer = self.ministry.restart(hub, &limits, &self.ca).await;
        self.ministry.exchange.provide(self.service.clone());
        self.publish(|s| s.nodes[1].peer = peer).await;
    }
}

pub(crate) fn asking(body: &str) -> Ask {
    Ask {
        consumer: PORTAL.parse().expect("an id"),
        service: LOOKUP.parse().expect("an id"),
        body: Bytes::copy_from_slice(body.as_bytes()),
        on_behalf: "citizen:a1".to_owned(),
        issue: Some("G22-261121-0001".to_owned()),
        idempotency: None,
    }
}

pub(crate) fn system(text: &str) -> SystemId {
    text.parse().expect("a system")
}

impl Node {
    async fn open(id: &'static str, keys: Keyring, hub: &Identity, limits: Limits, ca: &Authority) -> Self {
        let temp = testkit::store_with(&[directory::MIGRATIONS, exchange::MIGRATIONS], limits.clone()).await;
        let tenants: Vec<OrgCode> = keys.seals.keys().cloned().collect();
        let keyring = Arc::new(keys);
        let (directory, exchange) = put_together(id, &temp, &keyring, hub, ca).await;
        let (stop, shutdown) = watch::channel(false);
        let peer = listen(&temp, &keyring, &directory, &exchange, &limits, ca, shutdown).await;
        Self {
            id,
            tenants,
            temp,
            keyring,
            directory,
            exchange,
            peer,
            stop,
        }
    }

    async fn restart(&mut self, hub: &Identity, limits: &Limits, ca: &Authority) -> String {
        self.halt().await;
        self.temp.reopen().await.expect("opens again");
        let (directory, exchange) = put_together(self.id, &self.temp, &self.keyring, hub, ca).await;
        let (stop, shutdown) = watch::channel(false);
        self.peer = listen(&self.temp, &self.keyring, &directory, &exchange, limits, ca, shutdown).await;
        (self.directory, self.exchange, self.stop) = (directory, exchange, stop);
        self.peer.clone()
    }

    /// The node's listener stops, and its store is closed.
    pub(crate) async fn halt(&self) {
        self.stop.send_replace(true);
        let address = self.peer.clone();
        // The port is free once nobody answers there.
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.temp.store.close().await;
    }

    pub(crate) fn seal(&self, org: &str) -> &Identity {
        &self.keyring.seals[&org.parse::<OrgCode>().expect("a code")]
    }

    /// Every evidence record of the node, in order.
    pub(crate) async fn evidence(&self) -> Vec<Evidence> {
        let log = self.temp.store.log(STREAM).await.expect("the log");
        let records = log.read(0, 100_000).await.expect("reads");
        records
            .iter()
            .map(|(_, bytes)| envelope::read(bytes).expect("a record"))
            .collect()
    }

    /// How each exchange ended, `""` for an answer.
    pub(crate) async fn faults(&self) -> Vec<String> {
        self.evidence().await.into_iter().map(|e| e.fault).collect()
    }

    pub(crate) fn now(&self) -> Time {
        self.temp.store.world().now()
    }
}

async fn put_together(
    id: &str,
    temp: &TempStore,
    keyring: &Arc<Keyring>,
    hub: &Identity,
    ca: &Authority,
) -> (Directory, Exchange) {
    let tenants: Vec<OrgCode> = keyring.seals.keys().cloned().collect();
    let file = temp.dir.path().join("directory.jws");
    let directory = Directory::open(temp.store.clone(), tenants[0].clone(), hub.certificate.clone(), file)
        .await
        .expect("a directory");
    let exchange = Exchange::open(exchange::Parts {
        node: id.to_owned(),
        tenants,
        store: temp.store.clone(),
        directory: directory.clone(),
        keyring: Arc::clone(keyring),
        peers: tls_client(temp, &keyring.node, &directory, ca),
        plain: web::Client::plain(),
    })
    .await
    .expect("a gateway");
    (directory, exchange)
}

fn tls_identity(identity: &Identity) -> TlsIdentity {
    TlsIdentity {
        chain: vec![identity.certificate.der().to_vec()],
        key_pkcs8: identity.key.to_pkcs8_der(),
    }
}

fn accept(directory: &Directory) -> tls::Accept {
    let directory = directory.clone();
    Arc::new(move |der: &[u8]| directory.node_certificate_ok(der).map(|_| ()))
}

/// A client that shows a node's certificate, for a node's own calls and for a tester's.
pub(crate) fn tls_client(
    temp: &TempStore,
    node: &Identity,
    directory: &Directory,
    ca: &Authority,
) -> web::Client {
    let anchors = [ca.certificate().der().to_vec()];
    let config = tls::client_config(temp.store.world(), &tls_identity(node), &anchors, accept(directory));
    web::Client::tls(config.expect("a configuration"))
}

async fn listen(
    temp: &TempStore,
    keyring: &Keyring,
    directory: &Directory,
    exchange: &Exchange,
    limits: &Limits,
    ca: &Authority,
    shutdown: watch::Receiver<bool>,
) -> String {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let address = listener.local_addr().to_string();
    let anchors = [ca.certificate().der().to_vec()];
    let identity = tls_identity(&keyring.node);
    let tls = tls::server_config(temp.store.world(), &identity, &anchors, accept(directory));
    let (tls, router, limits) = (
        tls.expect("a configuration"),
        exchange.peer_router(),
        limits.clone(),
    );
    tokio::spawn(async move { web::serve(listener, Some(tls), router, &limits, shutdown).await });
    address
}

pub(crate) fn issue(ca: &Authority, profile: Profile, org: &str, serial: u8) -> Identity {
    let subject = Subject {
        common_name: format!("Cơ quan {org}"),
        organisation: Some(org.to_owned()),
        position: None,
    };
    ca.issue(profile, &subject, START.plus_ms(-3_600_000), 365, [serial; 16])
        .expect("issued")
}

pub(crate) fn node_identity(ca: &Authority, serial: u8) -> Identity {
    let names = vec!["127.0.0.1".to_owned()];
    issue(ca, Profile::Node { names }, "", serial)
}
