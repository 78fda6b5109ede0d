//! The information-system face over mutual TLS, with real sockets: a system is who shows the certificate
//! that is registered for it, and everybody else is told what is wrong.

use bytes::Bytes;
use exchange::{CodeStyle, Connection};
use kernel::Actor;
use kernel::limits::Limits;
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;
use testkit::START;
use tokio::sync::watch;
use web::http::Request;
use web::tls::TlsIdentity;
use web::{Client, ClientError};

use crate::face::Told;
use crate::nation::{LOOKUP, Nation, system};
use crate::node::Node;

const OPERATOR: Actor = Actor::Platform;
const DAY_MS: i64 = 86_400_000;

struct Secure {
    url: String,
    ca_pem: String,
    _stop: watch::Sender<bool>,
}

fn tls_identity(identity: &Identity) -> TlsIdentity {
    TlsIdentity {
        chain: vec![identity.certificate.der().to_vec()],
        key_pkcs8: identity.key.to_pkcs8_der(),
    }
}

/// A node's face over TLS.
async fn secure(nation: &Nation, node: &Node, connection: Connection) -> Secure {
    let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("a port");
    let url = format!("https://{}", listener.local_addr());
    let (stop, shutdown) = watch::channel(false);
    let router = node.exchange.systems_router(CodeStyle::Camel, connection);
    let identity = tls_identity(&node.keyring.node);
    let tls = web::tls::systems_config(node.temp.store.world(), &identity, true).expect("TLS");
    tokio::spawn(async move { web::serve(listener, Some(tls), router, &Limits::default(), shutdown).await });
    Secure {
        url,
        ca_pem: nation.ca.certificate().pem(),
        _stop: stop,
    }
}

impl Secure {
    /// A calling system's client, with a certificate or without.
    fn client(&self, node: &Node, identity: Option<&Identity>) -> Client {
        let identity = identity.map(tls_identity);
        let world = node.temp.store.world();
        let config = web::tls::service_config(world, &self.ca_pem, identity.as_ref());
        Client::tls(config.expect("a configuration"))
    }

    async fn get(&self, client: &Client, path: &str) -> Told {
        self.send(client, path, "GET", "").await
    }

    async fn send(&self, client: &Client, path: &str, method: &str, as_system: &str) -> Told {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if !as_system.is_empty() {
            request = request.header("x-road-client", format!("VN/GOV/{as_system}"));
        }
        let request = request.header("content-type", "application/json");
        let request = request.body(Bytes::from_static(b"{}")).expect("a request");
        let answer = client.send(request, 30_000, 1 << 20).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        Told {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// A call of the service of the tests: its status and the code of a refusal.
    async fn call(&self, client: &Client, as_system: &str) -> (u16, String) {
        let path = format!("/exchange/v1/call/{LOOKUP}");
        let told = self.send(client, &path, "POST", as_system).await;
        let code = if told.status == 200 {
            String::new()
        } else {
            told.code()
        };
        (told.status, code)
    }
}

/// A certificate of an authority that no node knows.
fn stranger(ca: &Authority, serial: u8) -> Identity {
    let profile = Profile::Node {
        names: vec!["a-system".to_owned()],
    };
    let issued = ca.issue(
        profile,
        &Subject::default(),
        START.plus_ms(-DAY_MS),
        30,
        [serial; 16],
    );
    issued.expect("issued")
}

#[tokio::test]
async fn a_system_calls_with_its_own_registered_certificate_and_with_no_other() {
    let nation = Nation::new().await;
    let node = &nation.national;
    let secure = secure(&nation, node, Connection::Mutual).await;
    let ca = testkit::authority();
    let (mine, others, unknown) = (stranger(&ca, 1), stranger(&ca, 2), stranger(&ca, 3));
    let x = &node.exchange;
    for (of, certificate) in [("G22/portal", &mine), ("G22/other", &others)] {
        let pem = certificate.certificate.pem();
        x.register_certificate(&system(of), &pem, &OPERATOR)
            .await
            .expect("registered");
    }
    let [portal, other, strange] = [&mine, &others, &unknown].map(|id| secure.client(node, Some(id)));
    let nameless = secure.client(node, None);
    let refused = |code: &str| (403, code.to_owned());
    assert_eq!(secure.call(&portal, "G22/portal").await, (200, String::new()));
    assert_eq!(
        secure.call(&strange, "G22/portal").await,
        refused("caller-unknown")
    );
    assert_eq!(
        secure.call(&other, "G22/portal").await,
        refused("caller-unknown"),
        "another system's"
    );
    assert_eq!(
        secure.call(&portal, "G22/other").await,
        refused("caller-unknown"),
        "as another system"
    );
    assert_eq!(
        secure.call(&nameless, "G22/portal").await,
        refused("caller-nameless")
    );
    let told = secure
        .send(&nameless, &format!("/r1/VN/GOV/{LOOKUP}"), "POST", "G22/portal")
        .await;
    assert_eq!(told.status, 500);
    assert_eq!(
        told.headers["x-road-error"],
        "Server.ClientProxy.SslAuthenticationFailed"
    );
    assert_eq!(nation.effects(), 1, "nothing that was refused has left");
    // The certificate is taken away: the next request on the same connection is refused.
    let thumbprint = mine.certificate.thumbprint();
    x.remove_certificate(&system("G22/portal"), &thumbprint, &OPERATOR)
        .await
        .expect("removed");
    assert_eq!(
        secure.call(&portal, "G22/portal").await,
        refused("caller-unknown")
    );
    let again = x
        .remove_certificate(&system("G22/portal"), &thumbprint, &OPERATOR)
        .await;
    assert_eq!(again.expect_err("gone").code, "not-found");
    let facts = node
        .temp
        .store
        .facts_of(&"G22".parse().expect("a code"), "system/G22/portal")
        .await;
    assert_eq!(facts.expect("reads").len(), 2);
}

#[tokio::test]
async fn a_certificate_whose_time_is_over_is_refused_as_such() {
    let nation = Nation::new().await;
    let node = &nation.national;
    let secure = secure(&nation, node, Connection::Mutual).await;
    let mine = stranger(&testkit::authority(), 1);
    let pem = mine.certificate.pem();
    let x = &node.exchange;
    x.register_certificate(&system("G22/portal"), &pem, &OPERATOR)
        .await
        .expect("registered");
    node.temp.clock.advance_ms(31 * DAY_MS);
    let client = secure.client(node, Some(&mine));
    assert_eq!(
        secure.call(&client, "G22/portal").await,
        (403, "caller-expired".to_owned())
    );
    let again = x
        .register_certificate(&system("G22/second"), &pem, &OPERATOR)
        .await;
    assert_eq!(again.expect_err("refused").code, "caller-over");
}

#[tokio::test]
async fn who_takes_part_is_told_to_everybody_and_containers_to_those_who_took_part() {
    let nation = Nation::new().await;
    let node = &nation.national;
    let request = nation.ask("{}").await.expect("an answer").request;
    node.exchange.fold_evidence().await.expect("folded");
    let secure = secure(&nation, node, Connection::Mutual).await;
    let ca = testkit::authority();
    let (mine, others) = (stranger(&ca, 1), stranger(&ca, 2));
    for (of, certificate) in [("G22/portal", &mine), ("G22/other", &others)] {
        let pem = certificate.certificate.pem();
        let done = node
            .exchange
            .register_certificate(&system(of), &pem, &OPERATOR)
            .await;
        done.expect("registered");
    }
    let [portal, other] = [&mine, &others].map(|id| secure.client(node, Some(id)));
    let nameless = secure.client(node, None);
    assert_eq!(secure.get(&nameless, "/listClients").await.status, 200);
    let container = format!("/asic/{request}");
    assert_eq!(secure.get(&portal, &container).await.status, 200);
    assert_eq!(secure.get(&other, &container).await.code(), "caller-unknown");
    assert_eq!(secure.get(&nameless, &container).await.code(), "caller-nameless");
    assert_eq!(secure.get(&portal, "/asic/0").await.code(), "not-found");
    let with_body = format!("{container}?purpose=Thanh%20tra");
    assert_eq!(secure.get(&portal, &with_body).await.code(), "body-not-kept");
    let query = "/asic?queryId=x&xRoadInstance=VN&memberClass=GOV&memberCode=G22&subsystemCode=portal";
    assert_eq!(secure.get(&nameless, query).await.status, 401);
    assert_eq!(
        secure.get(&portal, query).await.status,
        404,
        "no such message, but it may ask"
    );
}

#[tokio::test]
async fn how_a_system_connects_may_be_said_of_it_alone_and_is_asked_at_its_next_request() {
    let mut nation = Nation::new().await;
    nation
        .publish(|s| {
            s.systems.push(directory::snapshot::SystemEntry {
                org: "G22".parse().expect("a code"),
                code: "portal".to_owned(),
                name: "Cổng dịch vụ công".to_owned(),
            });
        })
        .await;
    let node = &nation.national;
    let (x, portal) = (&node.exchange, system("G22/portal"));
    let set = async |connection| x.set_connection(&portal, connection, &OPERATOR).await;
    let mine = stranger(&testkit::authority(), 1);
    let pem = mine.certificate.pem();
    let registered = x.register_certificate(&portal, &pem, &OPERATOR).await;
    registered.expect("registered");
    let plain = crate::face::face(&nation).await;
    let by_http = async || plain.call(&[crate::face::CLIENT], "{}").await;
    let https = secure(&nation, node, Connection::Https).await;
    let (nameless, named) = (https.client(node, None), https.client(node, Some(&mine)));
    let answered = (200, String::new());
    let refused = |code: &str| (403, code.to_owned());
    set(Some(Connection::Https)).await.expect("set");
    assert_eq!(by_http().await.code(), "caller-plain");
    assert_eq!(https.call(&nameless, "G22/portal").await, answered);
    set(Some(Connection::Mutual)).await.expect("set");
    assert_eq!(by_http().await.code(), "caller-plain");
    assert_eq!(
        https.call(&nameless, "G22/portal").await,
        refused("caller-nameless")
    );
    assert_eq!(https.call(&named, "G22/portal").await, answered);
    let again = set(Some(Connection::Mutual)).await.expect_err("it is so");
    assert_eq!(again.code, "caller-connection-so");
    let mutual = secure(&nation, node, Connection::Mutual).await;
    set(Some(Connection::Http)).await.expect("set");
    assert_eq!(mutual.call(&nameless, "G22/portal").await, answered);
    assert_eq!(by_http().await.status, 200);
    set(None).await.expect("taken back");
    assert_eq!(
        mutual.call(&nameless, "G22/portal").await,
        refused("caller-nameless")
    );
    let none = x
        .set_connection(&system("G22/none"), Some(Connection::Http), &OPERATOR)
        .await;
    assert_eq!(none.expect_err("refused").code, "caller-system");
    let elsewhere = x.set_connection(&system("G01/population"), None, &OPERATOR).await;
    assert_eq!(elsewhere.expect_err("refused").code, "service-elsewhere");
    assert_eq!(nation.effects(), 4, "nothing that was refused has left");
}

#[tokio::test]
async fn a_kept_body_goes_to_a_system_that_took_part_and_says_what_for() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = exchange::Agreement {
        bodies: exchange::KeptBodies::new(exchange::KeptOf::Both, 30),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    let node = &nation.national;
    let request = nation.ask("{}").await.expect("an answer").request;
    node.exchange.fold_evidence().await.expect("folded");
    let mutual = secure(&nation, node, Connection::Mutual).await;
    let mine = stranger(&testkit::authority(), 1);
    let pem = mine.certificate.pem();
    let done = node
        .exchange
        .register_certificate(&system("G22/portal"), &pem, &OPERATOR)
        .await;
    done.expect("registered");
    let portal = mutual.client(node, Some(&mine));
    let without = mutual.get(&portal, &format!("/asic/{request}")).await;
    let path = format!("/asic/{request}?purpose=Thanh%20tra");
    let with = mutual.get(&portal, &path).await;
    assert_eq!((without.status, with.status), (200, 200));
    assert!(with.body.len() > without.body.len());
    let unsaid = mutual.get(&portal, &format!("/asic/{request}?purpose=%20")).await;
    assert_eq!(unsaid.code(), "body-purpose");
    let open = secure(&nation, node, Connection::Https).await;
    let nobody = open.get(&open.client(node, None), &path).await;
    assert_eq!(
        (nobody.status, nobody.code().as_str()),
        (403, "body-caller-unknown")
    );
    node.temp.store.seal_facts_now().await.expect("sealed");
    let facts = node.temp.store.facts_from(0, 10_000).await.expect("facts");
    let read = facts
        .iter()
        .filter(|(_, fact)| matches!(fact.fact, kernel::Fact::BodyRead { .. }));
    let who: Vec<String> = read.map(|(_, fact)| fact.actor.to_string()).collect();
    assert_eq!(who, ["system:G22/portal"]);
}

#[tokio::test]
async fn https_without_mutual_tls_needs_no_certificate_and_plain_http_gets_nowhere() {
    let nation = Nation::new().await;
    let node = &nation.national;
    let secure = secure(&nation, node, Connection::Https).await;
    let nameless = secure.client(node, None);
    assert_eq!(secure.call(&nameless, "G22/portal").await, (200, String::new()));
    let plain = Request::get(secure.url.replace("https", "http")).body(Bytes::new());
    let refused = Client::plain()
        .send(plain.expect("a request"), 30_000, 1 << 20)
        .await;
    assert_eq!(refused.expect_err("no answer"), ClientError::Broken);
    // A caller that knows another root than the node's does not speak to it.
    let strange = Secure {
        url: secure.url.clone(),
        ca_pem: testkit::authority().certificate().pem(),
        _stop: watch::channel(false).0,
    };
    let get = Request::get(format!("{}/listClients", secure.url)).body(Bytes::new());
    let refused = strange
        .client(node, None)
        .send(get.expect("a request"), 30_000, 1 << 20)
        .await;
    assert_eq!(refused.expect_err("no answer"), ClientError::Connect);
}

#[tokio::test]
async fn what_was_registered_holds_after_a_restart() {
    let mut nation = Nation::new().await;
    let mine = stranger(&testkit::authority(), 1);
    let registered = nation
        .ministry
        .exchange
        .register_certificate(&system("G01/population"), &mine.certificate.pem(), &OPERATOR)
        .await
        .expect("registered");
    nation.restart_ministry().await;
    let node = &nation.ministry;
    let all = node.exchange.client_certificates().await.expect("reads");
    assert_eq!(all, [registered]);
    let secure = secure(&nation, node, Connection::Mutual).await;
    let client = secure.client(node, Some(&mine));
    // It is who it says; that it has no agreement is another matter.
    assert_eq!(
        secure.call(&client, "G01/population").await,
        (403, "agreement-missing".to_owned())
    );
    let elsewhere = node
        .exchange
        .register_certificate(&system("G22/portal"), &mine.certificate.pem(), &OPERATOR)
        .await;
    assert_eq!(elsewhere.expect_err("hosted elsewhere").code, "service-elsewhere");
}
