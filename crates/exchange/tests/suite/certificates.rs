//! Certificates that a node must not be believed by, each wrong in one way only: refused in the handshake of
//! mutual TLS by whoever is shown it, with the reason.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use kernel::{OrgCode, Time};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use seal::authority::{Authority, Profile, Subject};
use seal::certificate::Certificate;
use seal::key::Identity;
use testkit::START;
use web::tls::{self, Accept, Registered, TlsIdentity};

use crate::nation::Nation;
use crate::timestamps::run;

const DAY_MS: i64 = 86_400_000;

fn issue(ca: &Authority, profile: Profile, from: Time, days: i64) -> Identity {
    let subject = Subject {
        common_name: "nút mẫu".to_owned(),
        organisation: Some("G01".to_owned()),
        position: None,
    };
    ca.issue(profile, &subject, from, days, [7; 16]).expect("issued")
}

fn node(names: &[&str]) -> Profile {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Profile::Node { names }
}

fn shown(identity: &Identity) -> TlsIdentity {
    TlsIdentity {
        chain: vec![identity.certificate.der().to_vec()],
        key_pkcs8: identity.key.to_pkcs8_der(),
    }
}

/// Why each side ended the handshake; none when it did not.
fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> [Option<String>; 2] {
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut client = ClientConnection::new(client, name).expect("a client");
    let mut server = ServerConnection::new(server).expect("a server");
    let mut why = [None, None];
    for _ in 0..4 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).expect("memory");
        }
        let mut read = Cursor::new(bytes);
        while server.read_tls(&mut read).expect("memory") > 0 {}
        why[1] = why[1]
            .take()
            .or(server.process_new_packets().err().map(|e| e.to_string()));
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("memory");
        }
        let mut read = Cursor::new(bytes);
        while client.read_tls(&mut read).expect("memory") > 0 {}
        why[0] = why[0]
            .take()
            .or(client.process_new_packets().err().map(|e| e.to_string()));
    }
    why
}

/// Everybody who is registered, as the directory says.
fn registered(all: &[&Identity]) -> Accept {
    let known: Vec<Vec<u8>> = all.iter().map(|one| one.certificate.der().to_vec()).collect();
    Arc::new(move |der: &[u8]| {
        let is_known = known.iter().any(|one| one == der);
        is_known
            .then_some(Registered::Ours)
            .ok_or_else(|| "node-unknown".to_owned())
    })
}

/// One who is registered, and one whose certificate the directory says is revoked.
fn revoked(good: &Identity, gone: &Identity) -> Accept {
    let (others, gone) = (registered(&[good]), gone.certificate.der().to_vec());
    Arc::new(move |der: &[u8]| {
        if der == gone {
            Err("node-revoked".to_owned())
        } else {
            others(der)
        }
    })
}

#[test]
fn a_certificate_that_is_wrong_in_one_way_is_refused_by_either_side_with_that_reason() {
    let (world, _) = testkit::world(3);
    let (ca, strangers) = (
        testkit::authority(),
        Authority::new("Sen Test Root", START.plus_ms(-DAY_MS)),
    );
    let strangers = strangers.expect("a root");
    let good = issue(&ca, node(&["127.0.0.1"]), START.plus_ms(-DAY_MS), 30);
    let anchors = [ca.certificate().der().to_vec()];
    let here = node(&["127.0.0.1"]);
    // What is wrong, the certificate, what the client says of a server's, what the server of a client's.
    let table = [
        (
            "nothing",
            issue(&ca, here.clone(), START.plus_ms(-DAY_MS), 9),
            "",
            "",
        ),
        (
            "expired",
            issue(&ca, here.clone(), START.plus_ms(-9 * DAY_MS), 8),
            "expired",
            "expired",
        ),
        (
            "early",
            issue(&ca, here.clone(), START.plus_ms(DAY_MS), 8),
            "not valid yet",
            "not valid yet",
        ),
        (
            "root",
            issue(&strangers, here.clone(), START.plus_ms(-DAY_MS), 9),
            "BadSignature",
            "BadSignature",
        ),
        (
            "revoked",
            issue(&ca, here, START.plus_ms(-DAY_MS), 9),
            "ApplicationVerificationFailure",
            "ApplicationVerificationFailure",
        ),
        (
            "name",
            issue(&ca, node(&["10.9.9.9"]), START.plus_ms(-DAY_MS), 9),
            "not valid for name",
            "",
        ),
        (
            "usage",
            issue(&ca, Profile::TimestampAuthority, START.plus_ms(-DAY_MS), 9),
            "server authentication",
            "client authentication",
        ),
    ];
    for (what, odd, of_server, of_client) in table {
        let all = match what {
            "revoked" => revoked(&good, &odd),
            _ => registered(&[&good, &odd]),
        };
        let client = |identity: &Identity| {
            tls::client_config(&world, &shown(identity), &anchors, all.clone()).expect("a client")
        };
        let server = |identity: &Identity| {
            tls::server_config(&world, &shown(identity), &anchors, all.clone()).expect("a server")
        };
        let [said, _] = handshake(client(&good), server(&odd));
        let [_, heard] = handshake(client(&odd), server(&good));
        assert_eq!(
            said.is_none(),
            what == "nothing",
            "{what} at the client: {said:?}"
        );
        let said = said.unwrap_or_default();
        assert!(said.contains(of_server), "{what} at the client: {said}");
        // A caller may call from anywhere: its certificate's names are not asked for.
        let passes = ["nothing", "name"].contains(&what);
        assert_eq!(heard.is_none(), passes, "{what} at the server: {heard:?}");
        let heard = heard.unwrap_or_default();
        assert!(heard.contains(of_client), "{what} at the server: {heard}");
        // Good in itself, and not in the directory.
        if what == "nothing" {
            let alone = registered(&[&good]);
            let config = tls::server_config(&world, &shown(&good), &anchors, alone).expect("a server");
            let [_, heard] = handshake(client(&odd), config);
            assert!(heard.is_some(), "one that nobody registered");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_key_is_taken_by_no_node_as_its_own_and_from_no_other() {
    let mut nation = Nation::new().await;
    let folder = testkit::TempDir::new();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("ca.pem"), nation.ca.certificate().pem()).expect("written");
    std::fs::write(file("ca.key"), nation.ca.key_pem()).expect("written");
    std::fs::write(
        file("ext"),
        "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1\n",
    )
    .expect("written");
    openssl(
        folder.path(),
        "openssl req -newkey rsa:1024 -nodes -keyout weak.key -out weak.csr -subj /CN=weak/O=G01 &&
         openssl x509 -req -in weak.csr -CA ca.pem -CAkey ca.key -set_serial 77 -days 36500 -extfile ext -out weak.pem &&
         openssl pkcs8 -topk8 -nocrypt -in weak.key -outform DER -out weak.der",
    );
    let pem = std::fs::read_to_string(file("weak.pem")).expect("a certificate");
    let weak = Certificate::from_pem(&pem).expect("it reads");
    let own = TlsIdentity {
        chain: vec![weak.der().to_vec()],
        key_pkcs8: std::fs::read(file("weak.der")).expect("a key"),
    };
    let anyone: Accept = Arc::new(|_: &[u8]| Ok(Registered::Ours));
    let anchors = [nation.ca.certificate().der().to_vec()];
    let world = nation.national.temp.store.world().clone();
    assert!(tls::client_config(&world, &own, &anchors, anyone).is_err());
    // A stranger's tool that takes it calls a node whose directory lists it: for now all of it but its key is good.
    nation
        .publish(|s| s.nodes[0].certificate = weak.thumbprint())
        .await;
    let peer = nation.ministry.peer.clone();
    let called = tokio::task::spawn_blocking(move || {
        let script = format!(
            "printf 'GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n' | timeout 10 openssl s_client -connect {peer} -tls1_3 \
             -cipher DEFAULT@SECLEVEL=0 -cert weak.pem -key weak.key -CAfile ca.pem -ign_eof 2>&1 || true"
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .output();
        String::from_utf8_lossy(&output.expect("openssl runs").stdout).into_owned()
    });
    let said = called.await.expect("it ends");
    assert!(said.contains("alert") && !said.contains("HTTP/1.1"), "{said}");
    // Nor may a hub list a member by it.
    let org: OrgCode = "G01".parse().expect("a code");
    let mut snapshot = nation.snapshot.clone();
    let member = snapshot
        .members
        .iter_mut()
        .find(|m| m.org == org)
        .expect("a member");
    member.certificate_pem = pem;
    assert_eq!(snapshot.check().expect_err("refused").code, "directory-unsound");
}

fn openssl(folder: &Path, script: &str) {
    let done = run(folder, "sh", &["-c", script]);
    assert_eq!(done, Ok(()));
}
