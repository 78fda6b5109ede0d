//! `sen serve`: on both engines, over HTTPS, with a hub that is another process, with a bank.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use bytes::Bytes;
use cases::payment::{NOTICE_TYPE, Notice, OrderState};
use kernel::World;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use seal::authority::{Authority, Profile, Subject};
use seal::certificate::Certificate;
use seal::jws::{self, PublicKey};
use seal::key::SigningKey;
use sen::story::http::Browser;
use serde_json::Value;
use web::client::Client;
use web::http;
use web::tls::TlsIdentity;

use crate::house::{House, Node, server, until};

const DAY_MS: i64 = 86_400_000;
const PASSWORD: &str = "a password of a test";

#[tokio::test]
async fn an_official_signs_in_at_a_node_of_its_own_on_either_engine() {
    let house = House::new("engine");
    let node = house.node("province-56", "H56", "desk", "");
    node.sen(&["serve", "--check"], "").well();
    let id = node.officer("hotich", PASSWORD).well();
    assert!(id.starts_with('a'), "the account's id, for its keys: {id}");
    let again = node.officer("hotich", PASSWORD);
    assert!(again.code != 0 && again.said.contains("taken"), "{again:?}");
    let mut running = node.start();
    node.ready(&mut running).await;
    let engine = if server().is_some() { "postgres" } else { "sqlite" };
    assert_eq!(node.info().await["engine"], engine);
    let held = node.officer("other", PASSWORD);
    assert!(
        held.said.contains("in use by another process"),
        "one process a folder: {held:?}"
    );

    let mut officer = Browser::default();
    let with = |password| [("user", "hotich"), ("password", password), ("next", "/desk")];
    let wrong = officer.post(&node.url("/sign-in"), &with("not this one")).await;
    assert_eq!(wrong.expect("an answer").status, 401);
    let right = officer.post(&node.url("/sign-in"), &with(PASSWORD)).await;
    let right = right.expect("an answer");
    assert!(right.status == 200 && right.url.ends_with("/desk"), "{right:?}");
    running.stop();

    // What was written is there for the next process.
    let mut running = node.start();
    node.ready(&mut running).await;
    let right = officer.get(&node.url("/desk")).await.expect("an answer");
    assert!(right.status == 200 && right.url.ends_with("/desk"), "{right:?}");
    running.stop();
    node.forget().await;
}

/// The roots of a browser.
fn trusting(root: &str) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(root.as_bytes()).expect("a certificate");
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::tls(Arc::new(config))
}

async fn status(client: &Client, url: &str) -> Option<u16> {
    let request = http::Request::get(url).body(Bytes::new()).expect("a request");
    let answer = client.send(request, 30_000, 1 << 20).await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test]
async fn a_system_connects_by_mutual_tls_once_an_operator_registered_its_certificate() {
    let house = House::new("mutual");
    let node = house.node(
        "province-56",
        "H56",
        "desk",
        "[systems]\nconnection = \"mutual\"\n",
    );
    let add = [
        "account", "add", "--role", "operator", "--user", "ops", "--unit", "H56",
    ];
    node.sen(&add, &format!("{PASSWORD}\n")).well();
    let mut running = node.start();
    node.ready(&mut running).await;

    // The calling system's certificate is nobody's but its own: no node knows who issued it.
    let own = Authority::new("A system", house.world.now().plus_ms(-DAY_MS)).expect("a root");
    let names = vec!["records".to_owned()];
    let from = house.world.now().plus_ms(-DAY_MS);
    let own = own.issue(
        Profile::Node { names },
        &Subject::default(),
        from,
        30,
        house.world.random(),
    );
    let own = own.expect("a certificate");
    let shown = TlsIdentity {
        chain: vec![own.certificate.der().to_vec()],
        key_pkcs8: own.key.to_pkcs8_der(),
    };
    let root = std::fs::read_to_string(house.root()).expect("the root");
    let client = web::tls::service_config(&house.world, &root, Some(&shown)).expect("a configuration");
    let (client, nameless) = (Client::tls(client), trusting(&root));
    let call = async |client: &Client| {
        let url = format!(
            "https://127.0.0.1:{}/exchange/v1/call/H56/one-stop/receive-case",
            node.ports[1]
        );
        let request = http::Request::post(url).header("x-road-client", "VN/GOV/H56/records");
        let answer = client
            .send(request.body(Bytes::new()).expect("a request"), 30_000, 1 << 20)
            .await;
        let body: Value = serde_json::from_slice(answer.expect("an answer").body()).expect("json");
        body["code"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(call(&nameless).await, "caller-nameless");
    assert_eq!(call(&client).await, "caller-unknown");
    let mut operator = Browser::default();
    let words = serde_json::json!({"user": "ops", "password": PASSWORD});
    operator
        .post_json(&node.url("/api/v1/sign-in"), &words)
        .await
        .expect("signed in");
    let text = serde_json::json!({"system": "H56/records", "certificate": own.certificate.pem()});
    let registered = operator
        .post_json(&node.url("/api/v1/exchange/clients"), &text)
        .await;
    registered.expect("registered");
    // It is who it says now; that nothing was agreed with it is another matter.
    assert_eq!(call(&client).await, "agreement-missing");
    assert_eq!(call(&nameless).await, "caller-nameless");
    running.stop();
    node.forget().await;
}

#[tokio::test]
async fn the_portal_speaks_https_with_a_certificate_from_outside() {
    let house = House::new("https");
    let node = house.node("province-56", "H56", "desk", "");
    // The authority of browsers is another one than that of nodes.
    let (from, to) = (
        house.world.now().plus_ms(-DAY_MS).utc(),
        house.world.now().plus_ms(90 * DAY_MS).utc(),
    );
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (params.not_before, params.not_after) = (from, to);
    let key = KeyPair::generate().expect("a key");
    let public = CertifiedIssuer::self_signed(params, key).expect("a root");
    let csr = node
        .sen(&["keys", "csr", "public", "--host", "localhost"], "")
        .well();
    let mut asked = CertificateSigningRequestParams::from_pem(&csr).expect("a request");
    (asked.params.not_before, asked.params.not_after) = (from, to);
    let answer = house.folder.join("public.crt");
    std::fs::write(&answer, asked.signed_by(&public).expect("signed").pem()).expect("written");
    let file = answer.display().to_string();
    node.sen(&["keys", "install", &file], "").well();

    let https = format!("https://localhost:{}", node.ports[0]);
    let keys = node.data.join("keys");
    let tls = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\n",
        keys.join("public.pem"),
        keys.join("public.key")
    );
    node.configure("desk", &https, &tls);
    let mut running = node.start();
    node.ready(&mut running).await;
    let page = format!("{https}/sign-in");
    assert_eq!(status(&trusting(&public.pem()), &page).await, Some(200));
    let root = std::fs::read_to_string(house.root()).expect("a root");
    assert_eq!(
        status(&trusting(&root), &page).await,
        None,
        "a stranger's roots do not know it"
    );
    let plain = format!("http://localhost:{}/sign-in", node.ports[0]);
    assert_ne!(
        status(&Client::plain(), &plain).await,
        Some(200),
        "never in clear"
    );
    running.stop();
    node.forget().await;
}

/// Both sides sign one agreement of the pack; each keeps it, also before it has a directory.
fn agree(house: &House, hub: &Node, province: &Node) {
    let at = |name: &str, text: String| {
        let file = house.folder.join(name);
        std::fs::write(&file, text).expect("written");
        file.display().to_string()
    };
    let id = "01/TT-H56-G22";
    let listed = hub.sen(&["agreement", "list"], "").well();
    assert!(
        listed.contains(id) && !listed.contains("signed by both"),
        "{listed}"
    );
    let unknown = hub.sen(&["agreement", "sign", "09/TT"], "");
    assert!(unknown.said.contains("sen agreement list"), "{unknown:?}");
    let strange = hub.sen(&["agreement", "sign", "04/TT-G12-H56"], "");
    assert!(strange.said.contains("both hosted elsewhere"), "{strange:?}");
    let half = hub.sen(&["agreement", "sign", id], "").well();
    let altered = at("altered.json", half.replace("6000", "9000"));
    let refused = province.sen(&["agreement", "sign", &altered], "");
    assert!(refused.said.contains("use one pack"), "{refused:?}");
    let half = at("half.json", half);
    let whole = province.sen(&["agreement", "sign", &half], "").well();
    let whole = at("whole.json", whole);
    hub.sen(&["agreement", "sign", &whole], "").well();
    for node in [hub, province] {
        let listed = node.sen(&["agreement", "list"], "").well();
        assert!(listed.contains("signed by both"), "{listed}");
    }
}

/// The agreements that a node holds, as its operator reads them.
async fn agreements(node: &Node) -> Vec<Value> {
    let mut operator = Browser::default();
    let fields = [("user", "vanhanh"), ("password", PASSWORD), ("next", "/boards")];
    let signed_in = operator.post(&node.url("/sign-in"), &fields).await;
    signed_in.expect("an answer").ok().expect("signed in");
    let path = node.url("/api/v1/exchange/agreements");
    let list = operator.get(&path).await.expect("an answer");
    let list = list.json().expect("JSON");
    list.as_array().expect("a list").clone()
}

/// A system asks what it may be asked: an exchange as any other, sealed and recorded by both parties.
async fn methods(node: &Node) -> Option<u16> {
    let face = node.ports[1];
    let url = format!("http://127.0.0.1:{face}/r1/VN/GOV/H56/one-stop/listMethods");
    let request = http::Request::get(url).header("x-road-client", "VN/GOV/H56/records");
    let request = request.body(Bytes::new()).expect("a request");
    let answer = Client::plain().send(request, 30_000, 1 << 20).await.ok()?;
    Some(answer.status().as_u16())
}

#[tokio::test]
async fn a_node_follows_a_hub_that_is_another_process_and_goes_on_without_it() {
    let house = House::new("hub");
    let hub = house.node("national", "G22", "portal", "");
    let follows = format!(
        "[directory]\nhub = \"https://127.0.0.1:{}\"\ncertificate = {:?}\n",
        hub.ports[2], hub.seal
    );
    let province = house.node("province-56", "H56", "desk", &follows);
    let operator = ["account", "add", "--role", "operator", "--user", "vanhanh"];
    province.sen(&operator, &format!("{PASSWORD}\n")).well();
    let hosted = [&operator[..4], &["--user", "g15", "--organisation", "G15"]].concat();
    let refused = province.sen(&hosted, &format!("{PASSWORD}\n"));
    assert!(
        refused.code != 0 && refused.said.contains("does not host it"),
        "{refused:?}"
    );
    let entry = province.sen(&["entry"], "").well();
    let handed = hub.data.join("directory.d");
    std::fs::create_dir_all(&handed).expect("a folder");
    std::fs::write(handed.join("province-56.json"), entry).expect("the entry");

    agree(&house, &hub, &province);

    let mut there = province.start();
    let waiting = until("the province answers", async || {
        province.asks("/health/ready").await
    })
    .await;
    assert_eq!(waiting.status, 503, "without a directory nobody is known");
    let mut central = hub.start();
    hub.ready(&mut central).await;
    province.ready(&mut there).await;
    let certificate = Certificate::from_pem(&std::fs::read_to_string(&hub.seal).expect("a seal"));
    let token = std::fs::read_to_string(province.data.join("directory.jws")).expect("the directory");
    let known = directory::snapshot::read(token.trim(), &certificate.expect("a certificate"));
    let known = known.expect("signed by the hub");
    assert_eq!(known.nodes.len(), 2);
    let services: Vec<&str> = known.services.iter().map(|s| s.code.as_str()).collect();
    for wanted in ["note-status", "receive-case", "take-submission"] {
        assert!(services.contains(&wanted), "{wanted} of {services:?}");
    }

    // What was signed before there was a directory is taken over when one came.
    until("both services are agreed", async || {
        let lines = agreements(&province).await;
        let in_force = |service: &str| {
            let line = lines.iter().find(|line| line["service"] == service);
            line.is_some_and(|line| line["state"] == "in-force")
        };
        let both = in_force("H56/one-stop/receive-case") && in_force("H56/one-stop/take-submission");
        both.then_some(())
    })
    .await;
    // Read from the rows, beside the running node.
    let allowed = |service| province.sen(&["agreement", "allowed", "G22/portal", service], "");
    let may = allowed("H56/one-stop/receive-case").well();
    assert!(may.contains("allowed under 01/TT-H56-G22-1"), "{may}");
    let refused = allowed("H56/one-stop/other");
    assert!(
        refused.code == 1 && refused.said.contains("agreement-missing"),
        "{refused:?}"
    );

    central.stop();
    assert_eq!(
        methods(&province).await,
        Some(200),
        "a call while the hub is away"
    );
    there.stop();
    let mut there = province.start();
    province.ready(&mut there).await;
    assert_eq!(province.info().await["directory"]["serial"], known.serial);
    assert_eq!(
        methods(&province).await,
        Some(200),
        "a call while the hub is away"
    );
    there.stop();
    for node in [&hub, &province] {
        let data = node.data.display().to_string();
        let root = house.root().display().to_string();
        let verdict = node.sen(&["verify", &data, "--trust", &root], "").well();
        assert!(verdict.starts_with("TOTAL-PASSED"), "{verdict}");
        node.forget().await;
    }
}

/// The bank's word about a fee that nobody asked for.
fn word(world: &World, key: &SigningKey) -> String {
    let notice = Notice {
        reference: world.id(),
        merchant: "G22".to_owned(),
        dong: 16_000,
        state: OrderState::Paid,
        paid_at: Some(world.now()),
        bank_reference: Some("1".to_owned()),
    };
    let payload = serde_json::to_vec(&notice).expect("JSON");
    jws::sign(NOTICE_TYPE, "bank", &payload, key)
}

async fn heard(url: &str, token: String) -> u16 {
    let request = http::Request::post(url)
        .header("content-type", "application/jose")
        .body(Bytes::from(token))
        .expect("a request");
    let answer = Client::plain().send(request, 30_000, 1 << 20).await;
    answer.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_portal_hears_the_bank_of_its_configuration_and_nobody_else() {
    let house = House::new("bank");
    let bank = SigningKey::generate();
    let file = |name: &str| house.folder.join(name);
    std::fs::write(file("key"), PublicKey::of(&bank).to_jwk("bank").to_string()).expect("written");
    std::fs::write(file("secret"), "0123456789abcdef\n").expect("written");
    let section = format!(
        "[bank]\nurl = \"https://bank.invalid\"\nmerchant = \"G22\"\nsecret = {:?}\nkey = {:?}\n",
        file("secret"),
        file("key")
    );
    let portal = house.node("national", "G22", "portal", &section);
    let open = portal.sen(&["serve", "--check"], "");
    assert!(open.code != 0 && open.said.contains("chmod 600"), "{open:?}");
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(file("secret"), own).expect("set");
    portal.sen(&["serve", "--check"], "").well();

    let mut running = portal.start();
    portal.ready(&mut running).await;
    let notify = portal.url("/payments/notify");
    let known = heard(&notify, word(&house.world, &bank)).await;
    assert_eq!(known, 404, "the bank is believed, and there is no such fee");
    let strange = heard(&notify, word(&house.world, &SigningKey::generate())).await;
    assert_eq!(strange, 403);
    running.stop();

    portal.configure("portal", &portal.url(""), "");
    let mut running = portal.start();
    portal.ready(&mut running).await;
    let nobody = heard(&notify, word(&house.world, &bank)).await;
    assert_eq!(nobody, 503, "without a bank there are no fees");
    running.stop();
    portal.forget().await;
}
