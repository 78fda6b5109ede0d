//! What is refused before anything is opened: each fault names the key, the rule and the remedy, and
//! all faults are told at once. Never a look at the network.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;
use directory::Organisations;
use kernel::Time;

use super::settings::Settings;

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
    faults
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
