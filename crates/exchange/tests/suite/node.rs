//! One node of the fixture: store, directory, keys, gateway and peer listener, as `sen` puts them
//! together. Never more than one test's.

use std::sync::Arc;

use axum::Router;
use directory::Directory;
use directory::keyring::Keyring;
use exchange::envelope::{self, Evidence};
use exchange::{Exchange, STREAM};
use kernel::limits::Limits;
use kernel::{OrgCode, Time};
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;
use testkit::{START, TempStore};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use web::tls::{self, TlsIdentity};
use web::{AnswerFrames, FrameClient};

/// The tables of the crates a gateway rests on.
const MIGRATIONS: [store::Migrations; 3] = [
    directory::MIGRATIONS,
    obligations::MIGRATIONS,
    exchange::MIGRATIONS,
];

/// A node that runs.
pub(crate) struct Node {
    pub(crate) id: &'static str,
    pub(crate) temp: TempStore,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) directory: Directory,
    pub(crate) exchange: Exchange,
    pub(crate) peer: String,
    pub(crate) stop: watch::Sender<bool>,
    serving: Mutex<JoinHandle<()>>,
}

impl Node {
    pub(crate) async fn open(
        id: &'static str,
        keys: Keyring,
        hub: &Identity,
        limits: Limits,
        ca: &Authority,
    ) -> Self {
        let temp = testkit::store_with(&MIGRATIONS, limits).await;
        let keyring = Arc::new(keys);
        let (directory, exchange) = put_together(id, &temp, &keyring, hub, ca).await;
        let (stop, shutdown) = watch::channel(false);
        let answers = answers(&exchange);
        let (peer, serving) = serve(&temp, &keyring, &directory, answers, ca, shutdown).await;
        Self {
            id,
            temp,
            keyring,
            directory,
            exchange,
            peer,
            stop,
            serving: Mutex::new(serving),
        }
    }

    pub(crate) async fn restart(&mut self, hub: &Identity, ca: &Authority) -> String {
        self.halt().await;
        self.temp.reopen().await.expect("opens again");
        let (directory, exchange) = put_together(self.id, &self.temp, &self.keyring, hub, ca).await;
        let (stop, shutdown) = watch::channel(false);
        let answers = answers(&exchange);
        let (peer, serving) = serve(&self.temp, &self.keyring, &directory, answers, ca, shutdown).await;
        (self.peer, self.serving) = (peer, Mutex::new(serving));
        (self.directory, self.exchange, self.stop) = (directory, exchange, stop);
        self.peer.clone()
    }

    /// The node's listener stops, its connections end, and its store is closed.
    pub(crate) async fn halt(&self) {
        self.stop.send_replace(true);
        // Until the last connection has ended, one that is kept open may still be answered.
        let mut serving = self.serving.lock().await;
        (&mut *serving).await.expect("the listener ended by itself");
        self.temp.store.close().await;
    }

    pub(crate) fn seal(&self, org: &str) -> &Identity {
        &self.keyring.seals[&org.parse::<OrgCode>().expect("a code")]
    }

    /// A client that shows this node's certificate.
    pub(crate) fn peers(&self, ca: &Authority) -> web::Client {
        web::Client::tls(tls_client(&self.temp, &self.keyring.node, &self.directory, ca))
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
    let directory = Directory::open(
        temp.store.clone(),
        tenants[0].clone(),
        hub.certificate.clone(),
        file,
    )
    .await
    .expect("a directory");
    let exchange = Exchange::open(exchange::Parts {
        node: id.to_owned(),
        tenants,
        store: temp.store.clone(),
        directory: directory.clone(),
        keyring: Arc::clone(keyring),
        peers: web::Client::tls(tls_client(temp, &keyring.node, &directory, ca)),
        frames: frames(temp, &keyring.node, &directory, ca),
        plain: web::Client::plain(),
        spool: temp.dir.path().join("spool"),
        grounds: exchange::Grounds::default(),
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
    Arc::new(move |der: &[u8]| directory.node_roots(der))
}

/// What a client needs to show a node's certificate.
fn tls_client(
    temp: &TempStore,
    node: &Identity,
    directory: &Directory,
    ca: &Authority,
) -> Arc<rustls::ClientConfig> {
    let anchors = [ca.certificate().der().to_vec()];
    let config = tls::client_config(
        temp.store.world(),
        &tls_identity(node),
        &anchors,
        accept(directory),
    );
    config.expect("a configuration")
}

/// A client that shows a node's certificate, for a node's own calls and for a tester's.
pub(crate) fn frames(
    temp: &TempStore,
    node: &Identity,
    directory: &Directory,
    ca: &Authority,
) -> FrameClient {
    FrameClient::new(&tls_client(temp, node, directory, ca), 20 << 20)
}

/// What a gateway answers to other nodes.
fn answers(exchange: &Exchange) -> (Router, Arc<dyn AnswerFrames>) {
    (exchange.peer_router(), Arc::new(exchange.clone()))
}

/// A peer listener with a node's certificate.
pub(crate) async fn serve(
    temp: &TempStore,
    keyring: &Keyring,
    directory: &Directory,
    answers: (Router, Arc<dyn AnswerFrames>),
    ca: &Authority,
    shutdown: watch::Receiver<bool>,
) -> (String, JoinHandle<()>) {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let address = listener.local_addr().to_string();
    let anchors = [ca.certificate().der().to_vec()];
    let identity = tls_identity(&keyring.node);
    let tls = tls::server_config(temp.store.world(), &identity, &anchors, accept(directory));
    let (tls, limits) = (tls.expect("a configuration"), temp.store.limits().clone());
    let serving = tokio::spawn(async move {
        web::serve_nodes(listener, tls, answers, &limits, shutdown).await;
    });
    (address, serving)
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
