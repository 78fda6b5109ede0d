//! One node put together: store, directory, keys, exchange, then the domain crates in their order.
//! The only place where the crates meet; no rule of its own.

use std::sync::Arc;

use anyhow::Context as _;
use directory::{Directory, DirectoryState, Hub, Registrar};
use exchange::Exchange;
use identity::{IdentityState, Sessions};
use kernel::World;
use registers::Registers;
use store::{Store, StoreConfig};
use utoipa_axum::router::OpenApiRouter;
use web::FrameClient;
use web::client::Client;

use super::country::Country;
use super::plan::{Plan, SignIn};

/// A node that is put together and listens nowhere yet.
pub struct Node {
    pub(super) plan: Plan,
    pub(super) store: Store,
    pub(super) directory: Directory,
    pub(super) exchange: Exchange,
    /// True once the agreements in its folder were taken over.
    pub(super) agreed: bool,
    pub(super) registers: Option<Registers>,
    pub(super) hub: Option<Hub>,
    pub(super) deliverers: Vec<Arc<dyn store::outbox::Deliver>>,
    pub(super) portal: axum::Router,
    pub(super) peer_router: axum::Router,
    /// The cases of its places: of a portal, of a desk.
    pub(super) cases: Vec<cases::Cases>,
    pub(super) indicators: indicators::Indicators,
    api: utoipa::openapi::OpenApi,
}

impl Node {
    /// Opens everything a node has; nothing listens yet.
    ///
    /// # Errors
    /// When a file, key or database cannot be used: the message says which and what to do.
    pub async fn open(mut plan: Plan, country: &Country, world: &World) -> anyhow::Result<Self> {
        let home = plan
            .tenants
            .first()
            .cloned()
            .context("a node hosts an organisation")?;
        let store = open_store(&plan, world).await?;
        let directory = open_directory(&plan, &store).await?;
        let exchange = open_exchange(&plan, &store, &directory, world).await?;
        let calendars = Arc::clone(&country.calendars);
        let terms = exchange::Terms::load(&plan.pack, calendars)?;
        exchange.agreements().keep_terms(terms);
        // Before the first directory nobody's signature can be checked: a job takes them over then.
        let agreed = directory.snapshot().serial > 0;
        if agreed {
            adopt_agreements(&exchange, &plan).await?;
        }
        let documents = documents::Documents::new(documents::Parts {
            store: store.clone(),
            templates: country.templates.clone(),
            keyring: Arc::clone(&plan.keyring),
            directory: directory.clone(),
            organisations: Arc::clone(&country.organisations),
            tenants: plan.tenants.clone(),
            base_url: plan.base_url.clone(),
        });
        let hub = if plan.is_hub {
            let seal = plan
                .keyring
                .seals
                .get(&home)
                .with_context(|| format!("the hub needs the seal of {home}"))?;
            Some(Hub::open(directory.clone(), seal.clone()).await?)
        } else {
            None
        };
        let indicators = indicators::Indicators::open(indicators::Parts {
            store: store.clone(),
            home: home.clone(),
            pack: Arc::clone(&country.indicators),
            organisations: Arc::clone(&country.organisations),
        })
        .await?;
        let registrar = open_registrar(&plan, &directory, hub.as_ref(), world)?;
        exchange.declare_by(registrar.clone());
        let mut deliverers: Vec<Arc<dyn store::outbox::Deliver>> = vec![
            Arc::new(exchange::Notices(exchange.clone())),
            Arc::new(registrar.clone()),
        ];
        for files in [
            country.areas.files(),
            country.organisations.files(),
            country.calendars.files(),
        ] {
            directory::pack::record_loaded(&store, &home, files).await?;
        }
        let (identity, sessions) = identity_of(&mut plan, &store);
        let mut portal = OpenApiRouter::new()
            .merge(exchange.audited(directory::router(DirectoryState {
                directory: directory.clone(),
                areas: Arc::clone(&country.areas),
                organisations: Arc::clone(&country.organisations),
                hub: hub.clone(),
                registrar: registrar.clone(),
                base_url: plan.base_url.clone(),
                offers: {
                    let exchange = exchange.clone();
                    Arc::new(move || {
                        let offers = exchange.offers().into_iter();
                        offers.map(|id| (id.org, id.system, id.service)).collect()
                    })
                },
            })))
            .merge(exchange.audited(identity::router(identity)))
            .merge(exchange::router(&exchange))
            .merge(documents::router(documents.clone()))
            .merge(indicators::router(indicators.clone()));
        let registers = open_registers(&plan, country, &store, &exchange)?;
        if let Some(registers) = &registers {
            for service in registers.services() {
                exchange.provide(service);
            }
            portal = portal.merge(registers::router(registers.clone()));
        }
        let mut places = Vec::new();
        for (side, system) in &plan.cases {
            let parts = (&store, &exchange, documents.clone(), plan.base_url.as_str());
            let bank = plan.bank.clone().filter(|_| *side == cases::Place::Portal);
            let cases = crate::wiring::cases(*side, system, country, parts, bank, plan.messengers.clone());
            cases.keep_versions().await?;
            for service in cases.services() {
                exchange.provide(service);
            }
            deliverers.extend(cases.deliverers());
            places.push(cases.clone());
            portal = portal.merge(cases::router(cases));
        }
        let (portal, mut api) = portal.split_for_parts();
        web::openapi::add_session_scheme(&mut api, &format!("sen_{}", plan.id));
        let portals = places
            .iter()
            .filter(|cases| cases.place() == cases::Place::Portal);
        let unread =
            portals.map(|cases| Arc::new(cases::inbox::Unread(cases.clone())) as Arc<dyn web::shared::Mark>);
        let mut face = plan.face.clone();
        face.marks.0.extend(unread);
        let desks = places.iter().filter(|cases| cases.place() == cases::Place::Desk);
        let cut_off = desks.map(|cases| cases::desk::line::CutOff(cases.clone()));
        let cut_off = cut_off.map(|banner| Arc::new(banner) as Arc<dyn web::shared::Banner>);
        face.banners.0.extend(cut_off);
        let shared = web::Shared {
            texts: Arc::clone(&country.texts),
            world: world.clone(),
            limits: Arc::new(plan.limits.clone()),
            node: face,
            authenticate: Arc::new(sessions),
        };
        let portal = web::present(
            portal
                .merge(crate::wiring::home(plan.home))
                .merge(web::openapi::router(api.clone())),
            shared,
        );
        let (peer_pages, _) = directory::peer_router(directory.clone()).split_for_parts();
        let words = directory::word_router(registrar);
        let peer_router = exchange.peer_router().merge(peer_pages).merge(words);
        Ok(Self {
            plan,
            store,
            directory,
            exchange,
            agreed,
            registers,
            hub,
            deliverers,
            portal,
            peer_router,
            cases: places,
            indicators,
            api,
        })
    }

    /// The node's OpenAPI description.
    #[must_use]
    pub fn api(&self) -> &utoipa::openapi::OpenApi {
        &self.api
    }

    /// What it was told.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The cases of its places.
    pub(crate) fn cases(&self) -> &[cases::Cases] {
        &self.cases
    }

    /// Its gateway.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Its view of the directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The hub, where the directory is published.
    #[must_use]
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// The registers its tenants keep; `None` when the pack declares none for them.
    #[must_use]
    pub fn registers(&self) -> Option<&Registers> {
        self.registers.as_ref()
    }
}

async fn open_store(plan: &Plan, world: &World) -> anyhow::Result<Store> {
    let config = StoreConfig {
        database: plan.database.clone(),
        folder: plan.folder.clone(),
        limits: plan.limits.clone(),
        node: plan.id.clone(),
    };
    let opened = Store::open(&config, world.clone(), &crate::wiring::migrations()).await;
    opened.with_context(|| plan.database_remedy.clone())
}

/// The directory that the node kept, if it kept one.
async fn open_directory(plan: &Plan, store: &Store) -> anyhow::Result<Directory> {
    let file = plan.folder.join("directory.jws");
    let home = plan
        .tenants
        .first()
        .cloned()
        .context("a node hosts an organisation")?;
    let directory = Directory::open(store.clone(), home, plan.hub_certificate.clone(), file.clone()).await?;
    // What was kept and reads is held by now. What does not is refused here, with its reason; a file on
    // the disk is never the hub's word that it is still current.
    if let Ok(token) = std::fs::read_to_string(&file)
        && *directory.token().0 != *token
    {
        directory
            .adopt(&token)
            .await
            .with_context(|| format!("{}: the directory on disk is refused", file.display()))?;
    }
    Ok(directory)
}

/// How the node's organisations ask the hub for changes of the directory, and the hub answers.
fn open_registrar(
    plan: &Plan,
    directory: &Directory,
    hub: Option<&Hub>,
    world: &World,
) -> anyhow::Result<Registrar> {
    let to_hub = match &plan.hub_url {
        Some(url) => {
            let hub = url.trim_end_matches("/directory/snapshot").to_owned();
            Some((Client::tls(super::tls::hub_client(plan, directory, world)?), hub))
        }
        None => None,
    };
    Ok(Registrar::new(directory::registration::Parts {
        directory: directory.clone(),
        hub: hub.cloned(),
        keyring: Arc::clone(&plan.keyring),
        node: plan.id.clone(),
        to_hub,
        peers: Client::tls(super::tls::any_node(plan, directory, world)?),
    }))
}

async fn open_exchange(
    plan: &Plan,
    store: &Store,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Exchange> {
    let tls = super::tls::client(plan, directory, world)?;
    let frames = FrameClient::new(&tls, exchange::wire::message_bytes_max(&plan.limits));
    let exchange = Exchange::open(exchange::Parts {
        node: plan.id.clone(),
        tenants: plan.tenants.clone(),
        store: store.clone(),
        directory: directory.clone(),
        keyring: Arc::clone(&plan.keyring),
        peers: Client::tls(tls),
        frames,
        plain: Client::plain(),
        spool: plan.folder.join("spool"),
        grounds: plan.grounds.clone(),
    })
    .await?;
    Ok(exchange)
}

/// Takes over the signed agreements that lie in the node's folder.
pub(super) async fn adopt_agreements(exchange: &Exchange, plan: &Plan) -> anyhow::Result<()> {
    let folder = plan.folder.join("agreements");
    if folder.is_dir() {
        let adopted = exchange.agreements().adopt_folder(&folder).await;
        adopted.with_context(|| format!("an agreement in {} is refused", folder.display()))?;
    }
    Ok(())
}

/// The registers that the pack declares for the node's tenants; `None` when there are none.
fn open_registers(
    plan: &Plan,
    country: &Country,
    store: &Store,
    exchange: &Exchange,
) -> anyhow::Result<Option<Registers>> {
    let land = registers::Land::of(Arc::clone(&country.areas), Arc::clone(&country.organisations));
    let asks = Arc::new(exchange.clone());
    let registers = Registers::load(&plan.pack, store.clone(), asks, &plan.tenants, land)?;
    Ok((!registers.schemas().is_empty()).then_some(registers))
}

fn identity_of(plan: &mut Plan, store: &Store) -> (IdentityState, Sessions) {
    let tenant = plan.tenants[0].clone();
    let sessions = Sessions::new(store.clone(), tenant.clone(), &plan.id).secure(plan.sign_in.secure);
    let SignIn { mode, provider, .. } = plan.sign_in.clone();
    let state = IdentityState {
        store: store.clone(),
        tenant,
        sessions: sessions.clone(),
        mode,
        provider,
    };
    (state, sessions)
}
