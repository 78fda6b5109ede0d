//! One node, wired: store, directory, keys, exchange, then the domain crates in their order, then
//! the listeners and the jobs. The only place where the crates meet; no rule of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use directory::keyring::Keyring;
use directory::{Areas, Calendars, Directory, DirectoryState, Hub, Organisations};
use exchange::Exchange;
use kernel::World;
use seal::certificate::Certificate;
use store::{Database, Store, StoreConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;
use utoipa_axum::router::OpenApiRouter;
use web::client::Client;
use web::listen::{self, Listener};

use super::accounts::{self, Sample};
use super::nation::{Place, SIMULATORS};
use super::prepare::Layout;
use crate::config::Config;

/// What nodes of one process share: read once from the pack.
#[derive(Clone)]
pub struct Country {
    /// Administrative units.
    pub areas: Arc<Areas>,
    /// Organisations.
    pub organisations: Arc<Organisations>,
    /// Calendars.
    pub calendars: Arc<Calendars>,
    /// Procedures.
    pub catalogue: Arc<cases::Catalogue>,
    /// Document templates.
    pub templates: render::Templates,
    /// All texts of the platform.
    pub texts: Arc<web::i18n::Texts>,
}

impl Country {
    /// Reads a pack.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn read(pack: &Path) -> anyhow::Result<Self> {
        let areas = Arc::new(Areas::load(pack)?);
        let organisations = Arc::new(Organisations::load(pack, &areas)?);
        let texts = web::i18n::Texts::new(&crate::wiring::texts())
            .map_err(|faults| anyhow::anyhow!("texts are incomplete:\n{}", faults.join("\n")))?;
        Ok(Self {
            organisations,
            calendars: Arc::new(Calendars::load(pack)?),
            catalogue: Arc::new(cases::Catalogue::load(pack)?),
            templates: templates(pack)?,
            texts: Arc::new(texts),
            areas,
        })
    }
}

fn templates(pack: &Path) -> anyhow::Result<render::Templates> {
    let folder = pack.join("templates");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "typ") {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((name, std::fs::read(&path)?));
        }
    }
    Ok(render::Templates::new(files)?)
}

/// A node that is being put together, and then runs.
pub struct Node {
    place: Place,
    config: Config,
    store: Store,
    directory: Directory,
    exchange: Exchange,
    keyring: Arc<Keyring>,
    deliverers: Vec<Arc<dyn store::outbox::Deliver>>,
    peers: Client,
    portal: axum::Router,
    api: utoipa::openapi::OpenApi,
    peer_router: axum::Router,
    indicators: indicators::Indicators,
    /// The registers of a node that has some: what was begun to be taken back is ended by a job.
    withdrawals: Option<registers::Registers>,
}

impl Node {
    /// Opens everything a node has; nothing listens yet.
    ///
    /// # Errors
    /// When a file, key or database cannot be used: the message says which and what to do.
    pub async fn open(
        place: Place,
        config: &Config,
        country: &Country,
        world: &World,
    ) -> anyhow::Result<Self> {
        let layout = Layout::of(&config.data);
        let folder = layout.node(place);
        let tenants = place.tenants();
        let home = tenants[0].clone();
        let store = open_store(place, config, &folder, world).await?;
        let hub_certificate = Certificate::from_pem(&std::fs::read_to_string(layout.hub())?)?;
        let directory = Directory::open(
            store.clone(),
            home.clone(),
            hub_certificate,
            folder.join("directory.jws"),
        )
        .await?;
        let token = std::fs::read_to_string(folder.join("directory.jws"))?;
        directory
            .adopt(&token)
            .await
            .context("the directory on disk is refused")?;
        let keyring = Arc::new(Keyring::read_folder(&folder.join("keys"))?);
        let peers = Client::tls(super::tls::client(&keyring, &directory, world)?);
        let exchange = Exchange::open(exchange::Parts {
            node: place.id().to_owned(),
            tenants: tenants.clone(),
            store: store.clone(),
            directory: directory.clone(),
            keyring: Arc::clone(&keyring),
            peers: peers.clone(),
            plain: Client::plain(),
        })
        .await?;
        exchange
            .agreements()
            .adopt_folder(&folder.join("agreements"))
            .await?;
        let base_url = place.url(config.port);
        let documents = documents::Documents::new(documents::Parts {
            store: store.clone(),
            templates: country.templates.clone(),
            keyring: Arc::clone(&keyring),
            directory: directory.clone(),
            tenants: tenants.clone(),
            base_url: base_url.clone(),
        });
        let hub = match place {
            Place::National => Some(Hub::open(directory.clone(), keyring.seals[&home].clone()).await?),
            Place::Ministry | Place::Province => None,
        };
        let indicators = indicators::Indicators::open(store.clone(), home.clone()).await?;
        let mut deliverers: Vec<Arc<dyn store::outbox::Deliver>> =
            vec![Arc::new(exchange::Notices(exchange.clone()))];
        let identity = super::identity::state(place, config, &store, &layout)?;
        let sessions = identity.sessions.clone();
        super::identity::open_samples(place, config, &store, &layout).await?;
        for files in [
            country.areas.files(),
            country.organisations.files(),
            country.calendars.files(),
        ] {
            directory::pack::record_loaded(&store, &home, files).await?;
        }
        let mut withdrawals = None;
        let mut portal = OpenApiRouter::new()
            .merge(directory::router(DirectoryState {
                directory: directory.clone(),
                areas: Arc::clone(&country.areas),
                hub,
            }))
            .merge(identity::router(identity))
            .merge(exchange::router(exchange.clone()))
            .merge(documents::router(documents.clone()))
            .merge(indicators::router(indicators.clone()));
        match place {
            Place::Ministry => {
                let registers = super::population::open(config, country, &store, &exchange, &tenants).await?;
                for service in registers.services() {
                    exchange.provide(service);
                }
                withdrawals = Some(registers.clone());
                portal = portal.merge(registers::router(registers));
            }
            Place::National | Place::Province => {
                let cases = crate::wiring::cases(place, country, &store, &exchange, documents, &base_url);
                for service in cases.services() {
                    exchange.provide(service);
                }
                deliverers.extend(cases.deliverers());
                portal = portal.merge(cases::router(cases));
            }
        }
        let (portal, mut api) = portal.split_for_parts();
        web::openapi::add_session_scheme(&mut api, &format!("sen_{}", place.id()));
        let shared = web::Shared {
            texts: Arc::clone(&country.texts),
            world: world.clone(),
            limits: Arc::new(config.limits.clone()),
            node: super::face::of(place, config.port),
            authenticate: Arc::new(sessions),
        };
        let portal = web::present(
            portal
                .merge(crate::wiring::home(place))
                .merge(web::openapi::router(api.clone())),
            shared,
        );
        let (peer_pages, _) = directory::peer_router(directory.clone()).split_for_parts();
        let peer_router = exchange.peer_router().merge(peer_pages);
        Ok(Self {
            place,
            config: config.clone(),
            store,
            directory,
            exchange,
            keyring,
            deliverers,
            peers,
            portal,
            api,
            peer_router,
            indicators,
            withdrawals,
        })
    }

    /// The node's OpenAPI description.
    #[must_use]
    pub fn api(&self) -> &utoipa::openapi::OpenApi {
        &self.api
    }

    /// The node's store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The node's gateway.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Binds every port, then serves until `shutdown` turns true. Returns once all ports are bound.
    ///
    /// # Errors
    /// When a port is taken: the message names it and the flag that moves them.
    pub async fn start(self, shutdown: watch::Receiver<bool>, world: &World) -> anyhow::Result<JoinSet<()>> {
        let ports = self.place.ports(self.config.port);
        let mut running = JoinSet::new();
        let portal = bind(ports.portal).await?;
        let face = bind(ports.face).await?;
        let peer = bind(ports.peer).await?;
        let health = bind(ports.health).await?;
        let limits = self.config.limits.clone();
        let tls = super::tls::server(&self.keyring, &self.directory, world)?;
        let checks: Vec<Arc<dyn web::health::Check>> = vec![Arc::new(StoreAnswers(self.store.clone()))];
        serve(&mut running, portal, None, self.portal, &limits, &shutdown);
        serve(
            &mut running,
            face,
            None,
            self.exchange.face_router(),
            &limits,
            &shutdown,
        );
        serve(
            &mut running,
            peer,
            Some(tls),
            self.peer_router,
            &limits,
            &shutdown,
        );
        serve(
            &mut running,
            health,
            None,
            web::health::router(checks),
            &limits,
            &shutdown,
        );
        if self.place == Place::Ministry {
            // The simulators of outside parties live with the ministry's process.
            let keys = Keyring::read_folder(&Layout::of(&self.config.data).tsa_keys())?;
            let tsa = bind(self.config.port + SIMULATORS).await?;
            let router = crate::simulators::tsa::router(keys.node, world.clone());
            serve(&mut running, tsa, None, router, &limits, &shutdown);
        }
        let jobs = &self.config.jobs;
        if self.place != Place::National {
            let hub = self
                .directory
                .node_of(&Place::National.tenants()[0])
                .context("the directory names no hub")?;
            let url = format!("https://{}/directory/snapshot", hub.peer);
            let follow = directory::follow(
                self.directory.clone(),
                self.peers,
                url,
                jobs.directory_ms,
                shutdown.clone(),
            );
            running.spawn(async move { joined(follow.await) });
        }
        let outbox = self.store.run_outbox(self.deliverers, shutdown.clone());
        running.spawn(async move { joined(outbox.await) });
        running.spawn(self.exchange.clone().follow_evidence(shutdown.clone()));
        let every = Duration::from_millis(jobs.timestamp_ms);
        running.spawn(self.exchange.clone().stamp_evidence(every, shutdown.clone()));
        running.spawn(self.indicators.follow(shutdown.clone()));
        if let Some(registers) = self.withdrawals {
            running.spawn(finish_withdrawals(registers, shutdown.clone()));
        }
        let (store, mut stop) = (self.store, shutdown);
        running.spawn(async move {
            while !*stop.borrow() && stop.changed().await.is_ok() {}
            // Requests in flight finish within the drain of the listeners; then the files are closed.
            store.close().await;
        });
        Ok(running)
    }
}

/// How often acts are looked for whose taking back was cut short.
const WITHDRAWALS: Duration = Duration::from_secs(30);

async fn finish_withdrawals(registers: registers::Registers, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        if let Err(problem) = registers.finish_withdrawals().await {
            tracing::warn!(%problem, "an act could not be taken back yet; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(WITHDRAWALS) => {}
            _ = shutdown.changed() => {}
        }
    }
}

fn joined(result: Result<(), tokio::task::JoinError>) {
    if let Err(cause) = result {
        tracing::error!(%cause, "a job ended");
    }
}

async fn open_store(place: Place, config: &Config, folder: &Path, world: &World) -> anyhow::Result<Store> {
    let database = if config.database == "sqlite" {
        Database::Sqlite(folder.join("sen.db"))
    } else {
        Database::Postgres {
            url: config.database.clone(),
            schema: Layout::of(&config.data).schema(place)?,
        }
    };
    let store_config = StoreConfig {
        database,
        folder: folder.to_owned(),
        limits: config.limits.clone(),
        node: place.id().to_owned(),
    };
    Store::open(&store_config, world.clone(), &crate::wiring::migrations()).await.with_context(|| {
        format!(
            "the database of the node {} in {} cannot be opened: restore it from a backup, or begin anew with --fresh",
            place.id(),
            folder.display()
        )
    })
}

async fn bind(port: u16) -> anyhow::Result<Listener> {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .with_context(|| {
            format!("port {port} cannot be used: stop what listens there, or choose others with --port")
        })
}

fn serve(
    running: &mut JoinSet<()>,
    listener: Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: axum::Router,
    limits: &kernel::limits::Limits,
    shutdown: &watch::Receiver<bool>,
) {
    let (limits, shutdown) = (limits.clone(), shutdown.clone());
    running.spawn(async move { listen::serve(listener, tls, router, &limits, shutdown).await });
}

/// Ready means: the store answers.
struct StoreAnswers(Store);

#[async_trait]
impl web::health::Check for StoreAnswers {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn check(&self) -> Result<(), String> {
        self.0
            .read(&store::node_tenant())
            .await
            .map(|_| ())
            .map_err(|p| p.code.to_owned())
    }
}

/// The sample sign-ins of a data folder, for the table that `sen up` prints.
///
/// # Errors
/// When the folder was not prepared.
pub fn samples(config: &Config) -> anyhow::Result<Vec<Sample>> {
    accounts::read(&config.data)
}
