//! One node of the sample nation: what `sen up` tells it, its ports, its sample people. How it is put
//! together is [`crate::node`].

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use directory::keyring::Keyring;
use exchange::{Exchange, Grounds};
use kernel::{OrgCode, World};
use seal::certificate::Certificate;
use store::{Database, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use web::listen::{self, Listener};

use super::accounts::{self, Sample};
use super::nation::{Place, SIMULATORS};
use super::prepare::{self, Layout};
use crate::config::Config;
use crate::node::{Faces, Plan};

pub use crate::node::Country;

/// A node that is being put together, and then runs.
pub struct Node {
    place: Place,
    config: Config,
    inner: crate::node::Node,
}

/// What a measurement puts in the place of what a node of the sample nation has.
#[derive(Default)]
pub struct Measured {
    /// More tenants.
    pub tenants: Vec<OrgCode>,
    /// What the evidence rests on.
    pub grounds: Grounds,
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
        Box::pin(Self::open_with(
            place,
            config,
            country,
            world,
            Measured::default(),
        ))
        .await
    }

    /// As [`Node::open`], for a measurement that puts something else in the place of what a node has.
    ///
    /// # Errors
    /// As [`Node::open`].
    pub async fn open_with(
        place: Place,
        config: &Config,
        country: &Country,
        world: &World,
        measured: Measured,
    ) -> anyhow::Result<Self> {
        let layout = Layout::of(&config.data);
        let mut plan = plan(place, config, &layout)?;
        plan.tenants.extend(measured.tenants);
        plan.grounds = measured.grounds;
        let inner = crate::node::Node::open(plan, country, world).await?;
        super::identity::open_samples(place, config, country, inner.store()).await?;
        if let Some(registers) = inner.registers() {
            super::population::load(config, country, registers).await?;
        }
        Ok(Self {
            place,
            config: config.clone(),
            inner,
        })
    }

    /// The node's OpenAPI description.
    #[must_use]
    pub fn api(&self) -> &utoipa::openapi::OpenApi {
        self.inner.api()
    }

    /// The node's store.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.inner.store()
    }

    /// The cases of its places.
    pub(crate) fn cases(&self) -> &[cases::Cases] {
        self.inner.cases()
    }

    /// The node's gateway.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        self.inner.exchange()
    }

    /// Binds every port, then serves until `shutdown` turns true. Returns once all ports are bound.
    ///
    /// # Errors
    /// When a port is taken: the message names it and the flag that moves them.
    pub async fn start(self, shutdown: watch::Receiver<bool>, world: &World) -> anyhow::Result<JoinSet<()>> {
        let ports = self.place.ports(self.config.port);
        let faces = Faces {
            public: bind(ports.portal).await?,
            public_tls: None,
            systems: bind(ports.face).await?,
            peer: bind(ports.peer).await?,
            administration: bind(ports.health).await?,
        };
        let mut simulators = JoinSet::new();
        if self.place == Place::Ministry {
            // The simulators of outside parties live with the ministry's process.
            let keys = Keyring::read_folder(&Layout::of(&self.config.data).tsa_keys())?;
            let tsa = bind(self.config.port + SIMULATORS).await?;
            let router = crate::simulators::tsa::router(keys.node, world.clone());
            let (limits, stop) = (self.config.limits.clone(), shutdown.clone());
            simulators.spawn(async move { listen::serve(tsa, None, router, &limits, stop).await });
            let bank = bind(super::bank::port(&self.config)).await?;
            let router = super::bank::simulator(&self.config, world)?;
            let (limits, stop) = (self.config.limits.clone(), shutdown.clone());
            simulators.spawn(async move { listen::serve(bank, None, router, &limits, stop).await });
            let kept = crate::simulators::messages::Kept::default();
            let messages = bind(super::messages::port(&self.config)).await?;
            let router = super::messages::simulator(&self.config, kept.clone(), world)?;
            let (limits, stop) = (self.config.limits.clone(), shutdown.clone());
            simulators.spawn(async move { listen::serve(messages, None, router, &limits, stop).await });
            let mail = super::messages::listen(&self.config).await?;
            let server = crate::simulators::smtp::serve(mail, kept, world.clone(), shutdown.clone());
            simulators.spawn(server);
        }
        let mut running = self.inner.start(faces, &shutdown, world)?;
        running.spawn(async move { while simulators.join_next().await.is_some() {} });
        Ok(running)
    }
}

/// What a node of the sample nation is told.
fn plan(place: Place, config: &Config, layout: &Layout) -> anyhow::Result<Plan> {
    let folder = layout.node(place);
    let tenants = place.tenants();
    let database = if config.database == "sqlite" {
        Database::Sqlite(folder.join("sen.db"))
    } else {
        Database::Postgres {
            url: config.database.clone(),
            schema: layout.schema(place)?,
        }
    };
    let hub = prepare::peer_address(Place::National, config.port);
    let cases = match place {
        Place::National => vec![(cases::Place::Portal, "G22/portal")],
        Place::Province => vec![(cases::Place::Desk, "H56/one-stop")],
        Place::Ministry => Vec::new(),
    };
    let cases = cases.into_iter().map(|(side, system)| {
        let system = system.parse().expect("a system of the sample nation");
        (side, system)
    });
    Ok(Plan {
        id: place.id().to_owned(),
        database_remedy: format!(
            "the database of the node {} in {} cannot be opened: restore it from a backup, or begin anew with --fresh",
            place.id(),
            folder.display()
        ),
        keyring: Arc::new(Keyring::read_folder(&folder.join("keys"))?),
        hub_certificate: Certificate::from_pem(&std::fs::read_to_string(layout.hub())?)?,
        is_hub: place == Place::National,
        hub_url: (place != Place::National).then(|| format!("https://{hub}/directory/snapshot")),
        anchors: Vec::new(),
        sign_in: super::identity::sign_in(place, config, layout)?,
        cases: cases.collect(),
        bank: match place {
            Place::National => Some(Arc::new(super::bank::client(config, layout)?)),
            Place::Ministry | Place::Province => None,
        },
        messengers: match place {
            Place::National => super::messages::client(config, layout)?,
            Place::Ministry | Place::Province => cases::telling::Messengers::default(),
        },
        face: super::face::of(place, config.port),
        home: match place {
            Place::National => "/procedures",
            Place::Ministry => "/my/data-usage",
            Place::Province => "/desk",
        },
        base_url: place.url(config.port),
        pack: config.pack.clone(),
        limits: config.limits.clone(),
        jobs: config.jobs.clone(),
        archive: None,
        error_code_style: config.error_code_style,
        systems: exchange::Connection::Http,
        grounds: Grounds::default(),
        tenants,
        folder,
        database,
    })
}

async fn bind(port: u16) -> anyhow::Result<Listener> {
    Listener::bind(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .context("the nation cannot listen")
}

/// The sample sign-ins of a data folder, for the table that `sen up` prints.
///
/// # Errors
/// When the folder was not prepared.
pub fn samples(config: &Config) -> anyhow::Result<Vec<Sample>> {
    accounts::read(&config.data)
}
