//! Who is called outside the exchange: the bank that collects fees, the identity provider, who carries e-mail and SMS
//! to citizens. Never believes a word about money that the bank's key did not sign.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cases::payment::{Bank, HttpBank};
use cases::telling::gateway::Gateway;
use cases::telling::smtp::{Smtp, SmtpServer, SmtpTls};
use cases::telling::{Messenger, Messengers};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use seal::certificate::Certificate;
use seal::jws::PublicKey;
use web::client::Client;

use super::secrets::Secrets;
use super::settings::{MailTls, Settings};
use crate::keys::ring;

/// What stands before the point in a public key on P-256 (RFC 5480): the lengths, the two identifiers.
const ON_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The bank at which fees are paid; `None` where no bank is named.
///
/// # Errors
/// When the secret, the key or the roots cannot be used: the message names the key and the remedy.
pub(super) fn bank(settings: &Settings, secrets: &Secrets) -> anyhow::Result<Option<Arc<dyn Bank>>> {
    let s = &settings.bank;
    if s.url.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(HttpBank::new(
        client(&s.url, "bank.roots", &s.roots, settings)?,
        s.url.clone(),
        s.merchant.clone(),
        secrets.secret("bank.secret", &s.secret)?,
        bank_key(&s.key)?,
    ))))
}

/// Who carries notices to citizens; nobody by a way that is not named.
///
/// # Errors
/// When a secret or the roots cannot be used: the message names the key and the remedy.
pub(super) fn messengers(settings: &Settings, secrets: &Secrets) -> anyhow::Result<Messengers> {
    let mail = match settings.mail.server.is_empty() {
        true => None,
        false => Some(mail(settings, secrets)?),
    };
    let s = &settings.sms;
    let sms = match s.url.is_empty() {
        true => None,
        false => {
            let client = client(&s.url, "sms.roots", &s.roots, settings)?;
            let gateway = Gateway::new(client, s.url.clone(), secrets.secret("sms.key", &s.key)?);
            Some(Arc::new(gateway) as Arc<dyn Messenger>)
        }
    };
    Ok(Messengers::new(mail, sms))
}

fn mail(settings: &Settings, secrets: &Secrets) -> anyhow::Result<Arc<dyn Messenger>> {
    let s = &settings.mail;
    let sign_in = match s.user.is_empty() {
        true => None,
        false => Some((s.user.clone(), secrets.secret("mail.secret", &s.secret)?)),
    };
    let tls = match s.tls {
        MailTls::Wrapped => SmtpTls::Wrapped,
        MailTls::Starttls => SmtpTls::Starttls,
        MailTls::None => SmtpTls::Plain,
    };
    let roots = match tls {
        SmtpTls::Plain => Vec::new(),
        SmtpTls::Wrapped | SmtpTls::Starttls => trusted("mail.roots", &s.roots, settings)?,
    };
    let server = SmtpServer {
        host: s.server.clone(),
        port: s.port,
        tls,
        roots: roots.iter().map(|root| root.der().to_vec()).collect(),
        sign_in,
        from: s.from.clone(),
    };
    let smtp = Smtp::new(&server);
    let smtp = smtp.map_err(|fault| {
        anyhow::anyhow!("mail: {fault}: write server, from and roots as the server has them")
    })?;
    Ok(Arc::new(smtp))
}

/// The roots that a key names, or `keys.trusted` when it names none.
fn trusted(key: &str, roots: &Path, settings: &Settings) -> anyhow::Result<Vec<Certificate>> {
    if roots.as_os_str().is_empty() {
        ring::roots("keys.trusted", &settings.keys.trusted)
    } else {
        ring::roots(key, &[roots.to_owned()])
    }
}

/// The key that the bank signs its notices with.
fn bank_key(file: &Path) -> anyhow::Result<PublicKey> {
    let text = fs::read_to_string(file).with_context(|| {
        format!(
            "bank.key: cannot read {}: name the file of the bank's key",
            file.display()
        )
    })?;
    let key = if text.trim_start().starts_with('{') {
        of_jwk(&text)
    } else if text.contains("BEGIN CERTIFICATE") {
        Certificate::from_pem(&text)
            .and_then(|certificate| PublicKey::from_certificate(&certificate))
            .map_err(anyhow::Error::from)
    } else {
        of_pem(&text)
    };
    key.with_context(|| {
        format!(
            "bank.key: {} holds no key on P-256, which signs by ES256: write the bank's JSON Web Key, or its public key or \
             certificate in PEM",
            file.display()
        )
    })
}

fn of_jwk(text: &str) -> anyhow::Result<PublicKey> {
    let jwk: serde_json::Value = serde_json::from_str(text)?;
    Ok(PublicKey::from_jwk(&jwk)?)
}

fn of_pem(text: &str) -> anyhow::Result<PublicKey> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes())?;
    let point = key.as_ref().strip_prefix(ON_P256.as_slice());
    Ok(PublicKey::from_point(
        point.context("it is a key of another kind")?,
    )?)
}

/// The client for an address outside; over TLS the server is known by the roots that `key` names, or
/// by `keys.trusted` when it names none.
///
/// # Errors
/// When the roots cannot be used.
pub(super) fn client(url: &str, key: &str, roots: &Path, settings: &Settings) -> anyhow::Result<Client> {
    if !url.starts_with("https://") {
        return Ok(Client::plain());
    }
    let mut store = rustls::RootCertStore::empty();
    for root in trusted(key, roots, settings)? {
        store.add(CertificateDer::from(root.der().to_vec()))?;
    }
    let config = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Client::tls(Arc::new(config)))
}

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod mail;
#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use cases::payment::{OrderState, Wanted};
    use kernel::World;
    use kernel::limits::Limits;
    use seal::key::SigningKey;
    use tokio::sync::watch;
    use web::listen::{self, Listener};

    use super::*;
    use crate::simulators::bank::{Merchant, router};
    use crate::up::prepare::write;

    const SECRET: &str = "0123456789abcdef";

    /// A bank that runs, and the files that a node is told of it.
    struct House {
        folder: PathBuf,
        settings: Settings,
        key: SigningKey,
        _stop: watch::Sender<bool>,
    }

    impl House {
        async fn new() -> Self {
            let world = World::of_this_machine();
            let folder = std::env::temp_dir().join(format!("sen-bank-{}", world.id()));
            fs::create_dir_all(&folder).expect("a folder");
            let listener = Listener::bind("127.0.0.1:0".parse().expect("an address"))
                .await
                .expect("a port");
            let (url, key) = (
                format!("http://{}", listener.local_addr()),
                SigningKey::generate(),
            );
            let merchant = Merchant {
                name: "G22".to_owned(),
                secret: SECRET.to_owned(),
            };
            let again = SigningKey::from_pkcs8_pem(&key.to_pkcs8_pem()).expect("the same key");
            let router = router(url.clone(), merchant, again, world);
            let (stop, shutdown) = watch::channel(false);
            tokio::spawn(
                async move { listen::serve(listener, None, router, &Limits::default(), shutdown).await },
            );
            let mut settings = Settings::default();
            settings.bank.url = url;
            settings.bank.merchant = "G22".to_owned();
            settings.bank.secret = folder.join("secret");
            settings.bank.key = folder.join("key");
            write(&settings.bank.secret, format!("{SECRET}\n").as_bytes(), 0o600).expect("written");
            let house = Self {
                folder,
                settings,
                key,
                _stop: stop,
            };
            house.tell_key(&PublicKey::of(&house.key).to_jwk("bank").to_string());
            house
        }

        fn tell_key(&self, text: &str) {
            write(&self.settings.bank.key, text.as_bytes(), 0o644).expect("written");
        }

        fn bank(&self) -> anyhow::Result<Arc<dyn Bank>> {
            Ok(bank(&self.settings, &Secrets::default())?.expect("a bank is named"))
        }
    }

    impl Drop for House {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.folder).ok();
        }
    }

    fn fee() -> Wanted {
        Wanted {
            reference: "0123456789abcdef0123456789abcdef".to_owned(),
            dong: 16_000,
            description: "G22-261121-0001".to_owned(),
            return_url: "http://127.0.0.1:1/paid".to_owned(),
            notify_url: "http://127.0.0.1:1/payments/notify".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_fee_is_ordered_and_paid_at_the_bank_of_the_configuration() {
        let house = House::new().await;
        let bank = house.bank().expect("a bank");
        let order = bank.order(&fee()).await.expect("an order");
        let waits = bank.state(&order.order).await.expect("the bank's word");
        assert_eq!(waits.state, OrderState::Waiting);
        let pay = web::http::Request::post(&order.pay_url)
            .body(Bytes::new())
            .expect("a request");
        Client::plain()
            .send(pay, 30_000, 65_536)
            .await
            .expect("the payer pays");
        let paid = bank.state(&order.order).await.expect("the bank's word");
        assert_eq!((paid.state, paid.dong), (OrderState::Paid, 16_000));
    }

    #[tokio::test]
    async fn the_banks_key_is_read_in_each_of_its_forms_and_no_other_key_is_believed() {
        let house = House::new().await;
        let order = house
            .bank()
            .expect("a bank")
            .order(&fee())
            .await
            .expect("an order");
        let mut der = ON_P256.to_vec();
        der.extend_from_slice(house.key.public_point());
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        house.tell_key(&pem);
        let told = house.bank().expect("a bank").state(&order.order).await;
        assert_eq!(told.expect("the bank's word").state, OrderState::Waiting);
        let strange = PublicKey::of(&SigningKey::generate()).to_jwk("bank");
        house.tell_key(&strange.to_string());
        let refused = house.bank().expect("a bank").state(&order.order).await;
        assert_eq!(refused.expect_err("another's word").code, "bank-notice-bad");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_named_with_its_key_and_the_remedy() {
        let house = House::new().await;
        let refused = |words: &[&str]| {
            let told = format!("{:#}", house.bank().map(drop).expect_err("refused"));
            for word in words {
                assert!(told.contains(word) && !told.contains(SECRET), "{word}: {told}");
            }
        };
        for text in [
            "{}",
            "{\"kty\":\"RSA\"}",
            "words",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            house.tell_key(text);
            refused(&["bank.key: ", "JSON Web Key"]);
        }
        fs::remove_file(&house.settings.bank.key).expect("removed");
        refused(&["bank.key: cannot read", "name the file"]);
        write(&house.settings.bank.secret, SECRET.as_bytes(), 0o644).expect("written");
        refused(&["chmod 600"]);
        fs::remove_file(&house.settings.bank.secret).expect("removed");
        refused(&["bank.secret", "missing"]);
    }
}
