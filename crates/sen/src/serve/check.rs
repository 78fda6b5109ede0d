//! What is refused before anything is opened: each fault names the key, the rule and the remedy, and
//! all faults are told at once. Never a look at the network.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::bail;
use directory::Organisations;
use kernel::Time;

use super::settings::{Bank, Face, Mail, MailTls, Settings, Sms};

/// Refuses a configuration that cannot work.
///
/// # Errors
/// Every fault, one a line.
pub fn settings(settings: &Settings) -> anyhow::Result<()> {
    told(&faults(settings))
}

/// Refuses organisations that the pack does not know today.
///
/// # Errors
/// Every fault, one a line.
pub fn tenants(settings: &Settings, organisations: &Organisations, now: Time) -> anyhow::Result<()> {
    let today = now.date();
    let unknown = settings
        .tenants
        .iter()
        .filter(|t| organisations.get(t, today).is_none());
    told(
        &unknown
            .map(|t| {
                format!(
                    "tenants: the pack {} has no organisation {t} on {}: write a code of organisations/*.csv",
                    settings.pack.display(),
                    kernel::time::iso(today)
                )
            })
            .collect::<Vec<_>>(),
    )
}

fn told(faults: &[String]) -> anyhow::Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    bail!("the configuration cannot be used:\n  {}", faults.join("\n  "))
}

fn faults(s: &Settings) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rule = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let named = |path: &Path| !path.as_os_str().is_empty();
    let id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    rule(
        !s.id.is_empty() && s.id.len() <= 40 && s.id.chars().all(id),
        "id: the node's name in the directory has small letters, digits and -, 40 at most: id = \"province-56\"",
    );
    rule(
        !s.tenants.is_empty(),
        "tenants: a node hosts an organisation at least: tenants = [\"H56\"]",
    );
    let once: BTreeSet<_> = s.tenants.iter().collect();
    rule(
        once.len() == s.tenants.len(),
        "tenants: an organisation stands twice: leave one out",
    );
    rule(
        s.faces.len() < 2 || (s.faces.len() == 2 && s.faces[0] != s.faces[1]),
        "faces: each of \"portal\" and \"desk\" stands once at most",
    );
    rule(
        !s.archive.daily || (named(&s.archive.folder) && s.archive.live_days > 0),
        "archive.daily: name the folder of the archives and for how many days records stay in the live log: archive.folder, archive.live_days",
    );
    let https = s.url.starts_with("https://");
    rule(
        (https || s.url.starts_with("http://")) && !s.url.ends_with('/'),
        "url: an address as people type it, without a slash at the end: url = \"https://dichvucong.example.vn\"",
    );
    let tls = named(&s.tls.certificate);
    rule(
        tls == named(&s.tls.key),
        "tls: certificate and key stand together: name both, or neither behind a proxy",
    );
    rule(
        tls || s.listen.public.ip().is_loopback(),
        "listen.public: without TLS only this machine may be listened to: name tls.certificate and tls.key, or a loopback address \
         behind a proxy",
    );
    rule(
        !tls || https,
        "url: with tls.certificate it begins with https://, because sign-in cookies are sent over TLS only",
    );
    let engine = ["postgres://", "postgresql://"]
        .iter()
        .any(|p| s.database.starts_with(p));
    rule(
        s.database == "sqlite" || engine,
        "database: \"sqlite\" or postgres://…; better in SEN_DATABASE or the credential `database`, so that no password stands here",
    );
    let schema = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    rule(
        !s.schema.is_empty() && s.schema.chars().all(schema),
        "schema: small letters, digits and _: schema = \"sen\"",
    );
    rule(
        !s.keys.trusted.is_empty(),
        "keys.trusted: without a root no other node can be known: trusted = [\"/etc/sen/root.pem\"]",
    );
    rule(
        s.is_hub() || s.directory.hub.starts_with("https://"),
        "directory.hub: \"self\" at the hub, elsewhere its node-to-node address: hub = \"https://hub.example.vn:8482\"",
    );
    rule(
        s.is_hub() || named(&s.directory.certificate),
        "directory.certificate: the directory is believed by the hub's seal only: name the file of its certificate",
    );
    rule(
        s.timestamps.url.is_empty()
            || (s.timestamps.url.starts_with("http://") && named(&s.timestamps.certificate)),
        "timestamps: url is an http:// address (a token proves itself), and certificate the authority's: name both, or neither",
    );
    rule(
        s.timestamps.url.is_empty() || s.is_hub(),
        "timestamps: the authority is named at the hub, which tells all nodes: remove the section here",
    );
    rule(
        s.sign_in.provider.is_empty() || !s.sign_in.client_id.is_empty(),
        "sign_in.client_id: the provider knows this node by a name it gave: write it",
    );
    rule(
        (1..=2).contains(&s.sign_in.level_min),
        "sign_in.level_min: an assurance level is 1 or 2 (Decree 69/2024/NĐ-CP)",
    );
    faults.extend(bank(s));
    faults.extend(messages(s));
    faults
}

/// Whoever carries messages to citizens is named whole or not at all, and neither a secret nor an address crosses a
/// network in clear.
fn messages(s: &Settings) -> Vec<String> {
    let (mail, sms) = (&s.mail, &s.sms);
    let named = |path: &Path| !path.as_os_str().is_empty();
    let by_mail = *mail != Mail::default();
    let by_sms = *sms != Sms::default();
    let here = ["localhost", "127.0.0.1", "::1"].contains(&mail.server.as_str());
    let if_named = |is_named: bool, holds: bool| !is_named || holds;
    let by_https = sms.url.starts_with("https://") || is_of_this_machine(&sms.url);
    let rules = [
        (
            if_named(by_mail || by_sms, s.faces.contains(&Face::Portal)),
            "mail, sms: citizens are told of their cases where they file: write \"portal\" into faces, or leave the sections out here",
        ),
        (
            if_named(by_mail, !mail.server.is_empty() && mail.port != 0),
            "mail.server: the server that takes e-mail: server = \"smtp.example.vn\"; without one leave the section out",
        ),
        (
            if_named(mail.tls == MailTls::None, here),
            "mail.tls: \"none\" goes to a server on this machine only, because messages and the secret would cross the network in \
             clear: tls = \"wrapped\" or \"starttls\"",
        ),
        (
            if_named(by_mail, mail.from.contains('@')),
            "mail.from: the address that messages come from: from = \"thong-bao@example.vn\"",
        ),
        (
            if_named(!mail.user.is_empty(), named(&mail.secret)),
            "mail.secret: the server knows this node by a secret, which never stands in this file: name a file of mode 0600 that \
             holds it; the credential mail.secret comes before it",
        ),
        (
            if_named(by_sms, by_https && !sms.url.ends_with('/')),
            "sms.url: messages go to https:// without a slash at the end (http:// on a loopback address only): \
             url = \"https://sms.example.vn/api\"; without a gateway leave the section out",
        ),
        (
            if_named(by_sms, named(&sms.key)),
            "sms.key: the gateway knows this node by a key, which never stands in this file: name a file of mode 0600 that holds \
             it; the credential sms.key comes before it",
        ),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, fault)| fault.to_owned()).collect()
}

/// A bank is named whole or not at all, and its secret never crosses a network in clear.
fn bank(s: &Settings) -> Vec<String> {
    let bank = &s.bank;
    if *bank == Bank::default() {
        return Vec::new();
    }
    let named = |path: &Path| !path.as_os_str().is_empty();
    let visible = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let rules = [
        (
            !bank.url.ends_with('/') && (bank.url.starts_with("https://") || is_of_this_machine(&bank.url)),
            "bank.url: orders go to https:// without a slash at the end (http:// on a loopback address only), because the secret goes \
             along: url = \"https://bank.example.vn/api\"; without a bank leave the section out",
        ),
        (
            s.faces.contains(&Face::Portal),
            "bank.url: fees are paid where citizens file: write \"portal\" into faces, or leave the section out here",
        ),
        (
            !bank.merchant.is_empty() && bank.merchant.len() <= 64 && bank.merchant.chars().all(visible),
            "bank.merchant: the name the bank gave this node has letters, digits and - _ . only, 64 at most: merchant = \"G22\"",
        ),
        (
            named(&bank.secret),
            "bank.secret: the bank knows this node by a secret, which never stands in this file: name a file of mode 0600 that \
             holds it; the credential bank.secret comes before it",
        ),
        (
            named(&bank.key),
            "bank.key: whether a fee was paid is believed by the bank's signature only: name the file of its public key (a JSON \
             Web Key, or PEM)",
        ),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, fault)| fault.to_owned()).collect()
}

/// `http://` at an address that no other machine can listen to.
fn is_of_this_machine(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    // Whole, as an address: what stands before an @ is no host.
    let authority = rest.split('/').next().unwrap_or_default();
    let ip = authority
        .parse::<SocketAddr>()
        .map(|address| address.ip())
        .or_else(|_| authority.parse::<IpAddr>());
    ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn good() -> Settings {
        Settings {
            id: "province-56".to_owned(),
            tenants: vec!["H56".parse().expect("a code")],
            keys: super::super::settings::Keys {
                trusted: vec![PathBuf::from("/root.pem")],
                ..Default::default()
            },
            ..Settings::default()
        }
    }

    fn refused(change: impl FnOnce(&mut Settings), key: &str) {
        let mut changed = good();
        change(&mut changed);
        let told = settings(&changed).expect_err(key).to_string();
        assert!(told.contains(&format!("  {key}: ")), "{key}: {told}");
    }

    #[test]
    fn each_fault_names_its_key() {
        settings(&good()).expect("a configuration that works");
        refused(|s| s.id = "Bộ".to_owned(), "id");
        refused(|s| s.tenants.clear(), "tenants");
        refused(|s| s.url.push('/'), "url");
        refused(|s| s.tls.key = PathBuf::from("/k"), "tls");
        refused(
            |s| s.listen.public = "0.0.0.0:80".parse().expect("an address"),
            "listen.public",
        );
        refused(|s| s.database = "mysql://x".to_owned(), "database");
        refused(|s| s.schema = "a\"b".to_owned(), "schema");
        refused(|s| s.keys.trusted.clear(), "keys.trusted");
        refused(|s| s.directory.hub = "hub".to_owned(), "directory.hub");
        refused(
            |s| s.directory.hub = "https://hub:1".to_owned(),
            "directory.certificate",
        );
        refused(|s| s.timestamps.url = "http://tsa".to_owned(), "timestamps");
        refused(
            |s| s.sign_in.provider = "https://id".to_owned(),
            "sign_in.client_id",
        );
        refused(|s| s.sign_in.level_min = 3, "sign_in.level_min");
    }

    #[test]
    fn a_bank_is_named_whole_and_its_secret_never_crosses_a_network_in_clear() {
        let whole = Bank {
            url: "https://bank.example.vn/api".to_owned(),
            merchant: "G22".to_owned(),
            secret: PathBuf::from("/etc/sen/bank.secret"),
            key: PathBuf::from("/etc/sen/bank.jwk"),
            roots: PathBuf::new(),
        };
        let with = |change: fn(&mut Bank)| {
            let mut bank = whole.clone();
            change(&mut bank);
            move |s: &mut Settings| (s.bank, s.faces) = (bank, vec![Face::Portal])
        };
        let mut portal = good();
        with(|_| ())(&mut portal);
        settings(&portal).expect("a bank that can be asked");
        with(|bank| bank.url = "http://[::1]:8111".to_owned())(&mut portal);
        settings(&portal).expect("a bank's gateway on this machine");
        for url in [
            "http://bank.example.vn",
            "http://127.0.0.1.example.vn",
            "http://127.0.0.1@bank.example.vn",
            "http://127.0.0.1:80@bank.example.vn",
            "https://bank.example.vn/",
            "",
        ] {
            let bank = Bank {
                url: url.to_owned(),
                ..whole.clone()
            };
            refused(|s| (s.bank, s.faces) = (bank, vec![Face::Portal]), "bank.url");
        }
        refused(with(|bank| bank.merchant = "a b".to_owned()), "bank.merchant");
        refused(with(|bank| bank.secret.clear()), "bank.secret");
        refused(with(|bank| bank.key.clear()), "bank.key");
        refused(|s| s.bank = whole.clone(), "bank.url");
    }

    #[test]
    fn who_carries_messages_is_named_whole_and_nothing_crosses_a_network_in_clear() {
        let mail = Mail {
            server: "smtp.example.vn".to_owned(),
            user: "cong".to_owned(),
            secret: PathBuf::from("/etc/sen/mail.secret"),
            from: "thong-bao@example.vn".to_owned(),
            ..Mail::default()
        };
        let sms = Sms {
            url: "https://sms.example.vn/api".to_owned(),
            key: PathBuf::from("/etc/sen/sms.key"),
            roots: PathBuf::new(),
        };
        let mut whole = good();
        (whole.mail, whole.sms, whole.faces) = (mail.clone(), sms.clone(), vec![Face::Portal]);
        settings(&whole).expect("both can be asked");
        whole.faces.clear();
        assert!(settings(&whole).is_err(), "nobody files here");
        let with = |change: fn(&mut Settings)| {
            let (mail, sms) = (mail.clone(), sms.clone());
            move |s: &mut Settings| {
                (s.mail, s.sms, s.faces) = (mail, sms, vec![Face::Portal]);
                change(s);
            }
        };
        refused(with(|s| s.mail.server.clear()), "mail.server");
        refused(with(|s| s.mail.tls = MailTls::None), "mail.tls");
        refused(with(|s| s.mail.from.clear()), "mail.from");
        refused(with(|s| s.mail.secret.clear()), "mail.secret");
        refused(
            with(|s| s.sms.url = "http://sms.example.vn".to_owned()),
            "sms.url",
        );
        refused(with(|s| s.sms.key.clear()), "sms.key");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = settings(&Settings::default())
            .expect_err("nothing is said")
            .to_string();
        assert!(
            told.contains("id: ") && told.contains("tenants: ") && told.contains("keys.trusted: "),
            "{told}"
        );
    }
}
