//! A mail server over TLS, as a node's configuration names it: believed by the roots that are named and by no other.
//! Only for tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use cases::contact::Way;
use cases::telling::Message;
use kernel::{Kind, World};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use seal::authority::{Authority, Profile, Subject};

use super::{messengers, provider};
use crate::serve::secrets::Secrets;
use crate::serve::settings::{MailTls, Settings};
use crate::up::prepare::write;

/// A server for one sender: its port, and the lines that were said to it.
fn server(config: rustls::ServerConfig) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let talk = move || {
        let (stream, _) = listener.accept().expect("a sender");
        let connection = rustls::ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut tls = BufReader::new(rustls::StreamOwned::new(connection, stream));
        let (mut said, mut answer) = (Vec::new(), "220 here\r\n");
        loop {
            if tls.get_mut().write_all(answer.as_bytes()).is_err() || tls.get_mut().flush().is_err() {
                return said;
            }
            let mut line = String::new();
            if !tls.read_line(&mut line).is_ok_and(|read| read > 0) {
                return said;
            }
            answer = match line.split_whitespace().next().unwrap_or_default() {
                "EHLO" => "250-here\r\n250 AUTH PLAIN\r\n",
                "AUTH" => "235 ok\r\n",
                "MAIL" | "RCPT" | "." => "250 ok\r\n",
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "",
            };
            said.push(line.trim_end().to_owned());
        }
    };
    (port, std::thread::spawn(talk))
}

/// The files that a node is told of, and the certificates of its server.
struct House {
    folder: PathBuf,
    world: World,
    root: Authority,
}

impl House {
    fn new() -> Self {
        let world = World::of_this_machine();
        let folder = std::env::temp_dir().join(format!("sen-mail-{}", world.id()));
        fs::create_dir_all(&folder).expect("a folder");
        let from = world.now().plus_ms(-86_400_000);
        let root = Authority::new("Gốc mẫu", from).expect("a root");
        let other = Authority::new("Gốc khác (mẫu)", from).expect("a root");
        for (name, root) in [("root.pem", &root), ("other.pem", &other)] {
            write(&folder.join(name), root.certificate().pem().as_bytes(), 0o644).expect("written");
        }
        write(&folder.join("secret"), b"0123456789abcdef\n", 0o600).expect("written");
        Self { folder, world, root }
    }

    fn config(&self) -> rustls::ServerConfig {
        let profile = Profile::Node {
            names: vec!["127.0.0.1".to_owned()],
        };
        let subject = Subject {
            common_name: "Máy chủ thư (mẫu)".to_owned(),
            ..Subject::default()
        };
        let from = self.world.now().plus_ms(-3_600_000);
        let issued = self.root.issue(profile, &subject, from, 30, self.world.random());
        let issued = issued.expect("issued");
        let key = issued.key.to_pkcs8_pem();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let chain = vec![CertificateDer::from(issued.certificate.der().to_vec())];
        rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate and its key")
    }

    /// Sends a message through the server, known by the roots of a file.
    async fn send(&self, port: u16, roots: &str) -> Result<(), kernel::Problem> {
        let mut settings = Settings::default();
        settings.mail.server = "127.0.0.1".to_owned();
        settings.mail.port = port;
        settings.mail.tls = MailTls::Wrapped;
        settings.mail.user = "cong".to_owned();
        settings.mail.secret = self.folder.join("secret");
        settings.mail.from = "thong-bao@cong.example".to_owned();
        settings.mail.roots = self.folder.join(roots);
        let messengers = messengers(&settings, &Secrets::default()).expect("a server is named");
        assert!(messengers.of(Way::Sms).is_none(), "no gateway is named");
        let message = Message {
            id: "ab".repeat(32),
            to: "lan@example.vn".to_owned(),
            subject: "Hồ sơ đã được nộp".to_owned(),
            text: "Hồ sơ G22-261121-0001 đã được nộp.".to_owned(),
            at: self.world.now(),
        };
        let gate = messengers.of(Way::Email).expect("a server is named");
        gate.send(&message).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

#[tokio::test]
async fn a_mail_server_is_believed_by_the_roots_that_are_named_and_by_no_other() {
    let house = House::new();
    let (port, talk) = server(house.config());
    house.send(port, "root.pem").await.expect("sent");
    let said = talk.join().expect("a talk");
    assert!(
        said.iter().any(|line| line.starts_with("AUTH PLAIN ")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|line| line.starts_with("RCPT TO:<lan@example.vn>")),
        "{said:?}"
    );
    let (port, talk) = server(house.config());
    let told = house.send(port, "other.pem").await;
    assert_eq!(told.expect_err("a stranger").kind, Kind::Unavailable);
    assert!(talk.join().expect("a talk").is_empty(), "nothing was said to it");
}
