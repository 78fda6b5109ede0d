//! The configuration made into what a node is told: files read, certificates checked. Never opens the
//! store and never listens.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use identity::{Client, ClientConfig, Mode, Provider};
use kernel::World;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use seal::certificate::{Certificate, Trust};
use seal::key::SigningKey;
use store::Database;
use web::shared::{NavItem, NodeFace};

use super::outside::{self, provider};
use super::secrets::Secrets;
use super::settings::{Face, Settings};
use crate::backup::site::NodeAt;
use crate::keys::holder::Holder;
use crate::keys::ring;
use crate::node::{Plan, SignIn};
use crate::up::prepare::write;

/// Where the rows are kept.
///
/// # Errors
/// When a credential cannot be read, or the address is none.
pub fn database(settings: &Settings, secrets: &Secrets) -> anyhow::Result<Database> {
    let url = secrets.database(&settings.database)?;
    Ok(match url.as_str() {
        "sqlite" => Database::Sqlite(settings.data.join("sen.db")),
        _ => Database::Postgres {
            schema: settings.schema.clone(),
            url,
        },
    })
}

/// What to do when the database cannot be opened; without its address, which may hold a password.
#[must_use]
pub fn remedy(settings: &Settings, database: &Database) -> String {
    match database {
        Database::Sqlite(file) => format!(
            "database: {} cannot be opened: the user that runs sen must own {}; damaged files come back from a backup",
            file.display(),
            settings.data.display()
        ),
        Database::Postgres { schema, .. } => format!(
            "database: the server of schema {schema} cannot be used: see that it runs and that the address in SEN_DATABASE, the \
             credential `database` or the key `database` is right and may create the schema"
        ),
    }
}

/// What the node is told.
///
/// # Errors
/// The first file that cannot be used, and what to do.
pub fn plan(settings: &Settings, secrets: &Secrets, world: &World) -> anyhow::Result<Plan> {
    let anchors = ring::roots("keys.trusted", &settings.keys.trusted)?;
    let trust = Trust::of(anchors.clone());
    let folder = settings.keys_folder();
    let keyring = ring::read(&folder, secrets, &settings.tenants, &trust, world.now())?;
    let home = settings.tenants.first().context("tenants: name one")?;
    let hub_certificate = if settings.is_hub() {
        keyring.seals[home].certificate.clone()
    } else {
        certificate("directory.certificate", &settings.directory.certificate)?
    };
    let database = database(settings, secrets)?;
    let cases = settings.faces.iter().map(|face| {
        let (side, system) = match face {
            Face::Portal => (cases::Place::Portal, "portal"),
            Face::Desk => (cases::Place::Desk, "one-stop"),
        };
        let system = format!("{home}/{system}").parse();
        Ok((side, system.map_err(|e| anyhow::anyhow!("{e}"))?))
    });
    let hub = settings.directory.hub.trim_end_matches('/');
    let archive = settings.archive.daily.then(|| {
        let node = NodeAt {
            name: String::new(),
            folder: settings.data.clone(),
            keys: folder.clone(),
            database: database.clone(),
        };
        (settings.archive.clone(), node)
    });
    Ok(Plan {
        grounds: exchange::Grounds::default(),
        id: settings.id.clone(),
        tenants: settings.tenants.clone(),
        folder: settings.data.clone(),
        database_remedy: remedy(settings, &database),
        database,
        pack: settings.pack.clone(),
        limits: settings.limits.clone(),
        jobs: settings.jobs.clone(),
        archive,
        error_code_style: settings.error_code_style,
        systems: settings.systems.connection,
        base_url: settings.url.clone(),
        keyring: Arc::new(keyring),
        hub_certificate,
        is_hub: settings.is_hub(),
        hub_url: (!settings.is_hub()).then(|| format!("{hub}/directory/snapshot")),
        anchors,
        sign_in: sign_in(settings, &folder)?,
        cases: cases.collect::<anyhow::Result<_>>()?,
        bank: outside::bank(settings, secrets)?,
        messengers: outside::messengers(settings, secrets)?,
        face: face(settings),
        home: match settings.faces.first() {
            Some(Face::Portal) => "/procedures",
            Some(Face::Desk) => "/desk",
            None => "/boards",
        },
    })
}

/// Reads a certificate that a key names.
///
/// # Errors
/// When there is none: the message names the key.
pub fn certificate(key: &str, file: &Path) -> anyhow::Result<Certificate> {
    let text = fs::read_to_string(file).with_context(|| format!("{key}: cannot read {}", file.display()))?;
    Certificate::from_pem(&text)
        .with_context(|| format!("{key}: {} holds no certificate in PEM", file.display()))
}

/// TLS of the portal; `None` for plain HTTP behind a proxy.
///
/// # Errors
/// When key or certificate cannot be used, or hold no more.
pub fn public_tls(
    settings: &Settings,
    secrets: &Secrets,
    world: &World,
) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    let file = &settings.tls.certificate;
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let pem = fs::read_to_string(file)
        .with_context(|| format!("tls.certificate: cannot read {}", file.display()))?;
    let mut certificates = Certificate::list_from_pem(&pem)
        .with_context(|| format!("tls.certificate: {} holds no certificates in PEM", file.display()))?;
    anyhow::ensure!(
        !certificates.is_empty(),
        "tls.certificate: {} holds no certificate in PEM",
        file.display()
    );
    let chain: Vec<_> = certificates
        .iter()
        .map(|c| CertificateDer::from(c.der().to_vec()))
        .collect();
    let leaf = certificates.remove(0);
    ring::check(
        &Holder::Public,
        &leaf,
        &certificates,
        &Trust::default(),
        world.now(),
    )
    .context("tls.certificate")?;
    let key = secrets.key("public.key", &settings.tls.key).context("tls.key")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).with_context(|| {
        format!(
            "tls.key: {} holds no private key in PEM",
            settings.tls.key.display()
        )
    })?;
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("tls.key is not the key of tls.certificate, or of a kind that is not known")?;
    Ok(Some(Arc::new(config)))
}

fn sign_in(settings: &Settings, folder: &Path) -> anyhow::Result<SignIn> {
    let s = &settings.sign_in;
    let mode = if s.provider.is_empty() {
        Mode::Passwords
    } else {
        Mode::OpenId(ClientConfig {
            issuer: s.provider.trim_end_matches('/').to_owned(),
            client_id: s.client_id.clone(),
            redirect_uri: format!("{}/sign-in/callback", settings.url),
            level_min: s.level_min,
            http: outside::client(&s.provider, "sign_in.provider_roots", &s.provider_roots, settings)?,
        })
    };
    let provider = if s.clients.is_empty() {
        None
    } else {
        let clients = s.clients.iter().map(|c| Client {
            id: c.id.clone(),
            redirect_uris: c.redirect_uris.clone(),
        });
        Some(Provider {
            issuer: settings.url.clone(),
            key: oidc_key(&folder.join("oidc.key"))?,
            clients: clients.collect(),
        })
    };
    Ok(SignIn {
        mode,
        provider,
        secure: settings.url.starts_with("https://"),
    })
}

/// The identity provider's signing key; made at the first start, because nobody certifies it.
fn oidc_key(file: &Path) -> anyhow::Result<SigningKey> {
    if !file.exists() {
        write(file, SigningKey::generate().to_pkcs8_pem().as_bytes(), 0o600)?;
    }
    let pem = Secrets::default().key("oidc.key", file)?;
    SigningKey::from_pkcs8_pem(&pem).with_context(|| format!("{} holds no key", file.display()))
}

fn face(settings: &Settings) -> NodeFace {
    let title = match settings.faces.first() {
        Some(Face::Portal) => "sen-title-portal",
        Some(Face::Desk) => "sen-title-desk",
        None => "sen-title-node",
    };
    let mut face = NodeFace::new(&settings.id, title);
    let mut link = |href: &str, key: &str, role: Option<&str>| {
        face.nav.push(NavItem::new(href, key, role));
    };
    if settings.faces.contains(&Face::Portal) {
        link("/procedures", "sen-nav-procedures", None);
        link("/cases", "sen-nav-cases", Some("citizen"));
        link("/inbox", "sen-nav-inbox", Some("citizen"));
        link("/national/statistics", "sen-nav-statistics", Some("operator"));
    }
    if settings.faces.contains(&Face::Desk) {
        for role in ["receptionist", "officer", "chairman", "deputy-chairman", "clerk"] {
            link("/desk", "sen-nav-desk", Some(role));
        }
        link("/desk?state=overdue", "sen-nav-supervise", Some("supervisor"));
        link("/desk/moves", "sen-nav-moves", Some("supervisor"));
        link("/migrations", "sen-nav-migrations", Some("designer"));
        link("/migrations", "sen-nav-migrations", Some("publisher"));
        link("/desk/reconciliation", "sen-nav-reconcile", Some("supervisor"));
    }
    if settings.faces.contains(&Face::Portal) || settings.faces.contains(&Face::Desk) {
        link("/designs", "sen-nav-designs", Some("designer"));
        link("/designs", "sen-nav-designs", Some("publisher"));
        link("/track", "sen-nav-track", None);
        link("/answers", "sen-nav-answers", None);
    }
    face.nav.extend(crate::nav::of_every_node());
    let s = &settings.sign_in;
    let returns = s
        .clients
        .iter()
        .flat_map(|c| &c.redirect_uris)
        .map(String::as_str);
    for address in returns.chain((!s.provider.is_empty()).then_some(s.provider.as_str())) {
        if let Some(origin) = origin(address) {
            face.form_targets.push(origin);
        }
    }
    face
}

/// `https://host:port` of an address.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(format!("{scheme}://{host}"))
}
