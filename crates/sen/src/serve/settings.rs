//! The configuration of `sen serve`: every key with its default. `docs/sen-serve.example.toml` lists
//! the same keys; a test holds the two together. Never a secret: see [`super::secrets`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use exchange::{CodeStyle, Connection};
use kernel::OrgCode;
use kernel::limits::Limits;
use serde::{Deserialize, Serialize};

use crate::config::{Archive, Jobs};

/// Where the package puts the configuration.
pub const FILE: &str = "/etc/sen/sen.toml";

/// What `sen serve` is started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The node's id in the directory.
    pub id: String,
    /// The organisations it hosts; the first holds the node's own rows and accounts.
    pub tenants: Vec<OrgCode>,
    /// What people find here: `portal`, `desk`.
    pub faces: Vec<Face>,
    /// How people reach it, without a slash at the end.
    pub url: String,
    /// Where everything is kept.
    pub data: PathBuf,
    /// The pack of the country.
    pub pack: PathBuf,
    /// `sqlite`, or the URL of a PostgreSQL database.
    pub database: String,
    /// The schema of the node in a PostgreSQL database.
    pub schema: String,
    /// How X-Road's error codes are written at the information-system face.
    pub error_code_style: CodeStyle,
    /// Addresses.
    pub listen: Listen,
    /// TLS of the portal.
    pub tls: Tls,
    /// How information systems connect.
    pub systems: Systems,
    /// Keys and whom to trust.
    pub keys: Keys,
    /// Who takes part.
    pub directory: Hub,
    /// Proof of time.
    pub timestamps: Timestamps,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Where fees are paid.
    pub bank: Bank,
    /// By which server citizens are told by e-mail.
    pub mail: Mail,
    /// By which gateway citizens are told by SMS.
    pub sms: Sms,
    /// What becomes of old evidence.
    pub archive: Archive,
    /// The platform's own jobs.
    pub jobs: Jobs,
    /// Bounds on what comes in and on what waits.
    pub limits: Limits,
}

/// What people find at a node besides what every node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    /// Citizens file and follow; the system `<first tenant>/portal` of the agreements.
    Portal,
    /// Officials decide; the system `<first tenant>/one-stop` of the agreements.
    Desk,
}

/// The addresses of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// The portal.
    pub public: SocketAddr,
    /// Information systems of the tenants; how they connect is in [`Systems`].
    pub systems: SocketAddr,
    /// Other nodes, over mutual TLS.
    pub peer: SocketAddr,
    /// Health, figures, `/info`: for operators.
    pub administration: SocketAddr,
}

/// TLS of the portal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The certificate and its issuers, PEM; empty for plain HTTP on a loopback address.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// How information systems connect to the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Systems {
    /// `http`; `https` with the node's certificate; `mutual`, where each shows a certificate that an
    /// operator registered for it.
    pub connection: Connection,
}

/// Keys and whom to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// The folder of the node's keys; empty for `keys` within `data`.
    pub folder: PathBuf,
    /// Roots of the certificates of nodes and seals, PEM files.
    pub trusted: Vec<PathBuf>,
}

/// Where the directory comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hub {
    /// The hub's node-to-node address, `https://host:port`; `self` at the hub.
    pub hub: String,
    /// The certificate of the hub's seal, PEM.
    pub certificate: PathBuf,
    /// How others reach this node, `host:port`; empty for `listen.peer`.
    pub peer: String,
}

/// A timestamp authority (RFC 3161), published by the hub for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timestamps {
    /// Its address, `http://…`; empty for none.
    pub url: String,
    /// Its certificate, PEM.
    pub certificate: PathBuf,
}

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// The OpenID Connect provider of citizens; empty when they sign in here.
    pub provider: String,
    /// This node's id there.
    pub client_id: String,
    /// The lowest assurance level that may sign in.
    pub level_min: u8,
    /// Roots of the provider's TLS certificate, PEM; empty for `keys.trusted`.
    pub provider_roots: PathBuf,
    /// Nodes whose people sign in here.
    pub clients: Vec<Client>,
}

/// The bank that collects the fees of the portal's cases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bank {
    /// Its address, without a slash at the end; empty for none.
    pub url: String,
    /// This node's name there.
    pub merchant: String,
    /// The file of what this node proves itself with there; the credential `bank.secret` comes before it.
    pub secret: PathBuf,
    /// The key that the bank signs its notices with: a JSON Web Key, or a public key or certificate in PEM.
    pub key: PathBuf,
    /// Roots of the bank's TLS certificate, PEM; empty for `keys.trusted`.
    pub roots: PathBuf,
}

/// The server through which the portal sends e-mail to citizens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Its name, as its certificate has it; empty for none.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// This node's name there; empty where the server asks for none.
    pub user: String,
    /// The file of its secret there; the credential `mail.secret` comes before it.
    pub secret: PathBuf,
    /// The address that messages come from.
    pub from: String,
    /// Roots of the server's certificate, PEM; empty for `keys.trusted`.
    pub roots: PathBuf,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// By TLS from the first byte.
    Wrapped,
    /// By STARTTLS, without which nothing is sent.
    Starttls,
    /// Not at all: a server on this machine.
    None,
}

/// The gateway through which the portal sends SMS to citizens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    /// Its address, without a slash at the end; empty for none.
    pub url: String,
    /// The file of what this node proves itself with there; the credential `sms.key` comes before it.
    pub key: PathBuf,
    /// Roots of the gateway's TLS certificate, PEM; empty for `keys.trusted`.
    pub roots: PathBuf,
}

/// A node whose people sign in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<String>,
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            id: String::new(),
            tenants: Vec::new(),
            faces: Vec::new(),
            url: "http://127.0.0.1:8480".to_owned(),
            data: PathBuf::from("/var/lib/sen"),
            pack: PathBuf::from("/usr/share/sen/packs/vn"),
            database: "sqlite".to_owned(),
            schema: "sen".to_owned(),
            error_code_style: CodeStyle::default(),
            listen: Listen::default(),
            tls: Tls::default(),
            systems: Systems::default(),
            keys: Keys::default(),
            directory: Hub::default(),
            timestamps: Timestamps::default(),
            sign_in: SignIn::default(),
            bank: Bank::default(),
            mail: Mail::default(),
            sms: Sms::default(),
            archive: Archive::default(),
            jobs: Jobs {
                directory_ms: 10_000,
                timestamp_ms: 60_000,
            },
            limits: Limits::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            public: loopback(8480),
            systems: loopback(8481),
            peer: loopback(8482),
            administration: loopback(8483),
        }
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            hub: "self".to_owned(),
            certificate: PathBuf::new(),
            peer: String::new(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: 465,
            tls: MailTls::Wrapped,
            user: String::new(),
            secret: PathBuf::new(),
            from: String::new(),
            roots: PathBuf::new(),
        }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            provider: String::new(),
            client_id: String::new(),
            level_min: 2,
            provider_roots: PathBuf::new(),
            clients: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads a TOML file; keys left out keep their defaults, unknown keys are refused by name.
    ///
    /// # Errors
    /// When the file cannot be read or has a key or value that is not known.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "cannot read {}: name the configuration with --config, and run as the user sen or root",
                file.display()
            )
        })?;
        toml::from_str(&text).with_context(|| {
            format!(
                "{} is not a configuration of a node: every key stands in docs/sen-serve.example.toml",
                file.display()
            )
        })
    }

    /// The folder of the node's keys.
    #[must_use]
    pub fn keys_folder(&self) -> PathBuf {
        if self.keys.folder.as_os_str().is_empty() {
            self.data.join("keys")
        } else {
            self.keys.folder.clone()
        }
    }

    /// True at the node that publishes the directory.
    #[must_use]
    pub fn is_hub(&self) -> bool {
        self.directory.hub == "self"
    }

    /// How other nodes reach this one, `host:port`.
    #[must_use]
    pub fn peer(&self) -> String {
        if self.directory.peer.is_empty() {
            self.listen.peer.to_string()
        } else {
            self.directory.peer.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(value: &toml::Value, before: &str, list: &mut Vec<String>) {
        for (key, value) in value.as_table().expect("a table") {
            match value {
                toml::Value::Table(_) => keys(value, &format!("{before}{key}."), list),
                _ => list.push(format!("{before}{key}")),
            }
        }
        list.sort();
    }

    #[test]
    fn the_example_lists_every_key_with_its_default() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sen-serve.example.toml");
        let text = std::fs::read_to_string(&file).expect("the example");
        let example: Settings = toml::from_str(&text).expect("the example reads");
        assert_eq!(
            example,
            Settings::default(),
            "the example's values are the defaults"
        );
        let (mut written, mut known) = (Vec::new(), Vec::new());
        keys(&toml::from_str(&text).expect("toml"), "", &mut written);
        keys(
            &toml::Value::try_from(Settings::default()).expect("toml"),
            "",
            &mut known,
        );
        // The bounds are the same for every node: docs/sen.example.toml lists them, and is held to the code.
        known.retain(|key| !key.starts_with("limits."));
        assert_eq!(written, known, "every key stands in the example");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let refused = toml::from_str::<Settings>("[listen]\npublik = \"127.0.0.1:1\"").expect_err("refused");
        assert!(refused.to_string().contains("publik"), "{refused}");
    }
}
