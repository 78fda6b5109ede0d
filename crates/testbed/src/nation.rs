//! A nation inside the test: three nodes on one runtime, each with its own folder, ports and
//! shutdown. Nodes stop and start; the clock can be put forward.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use identity::{Accounts, NewAccount};
use kernel::{Actor, Clock, FactRecord, Time, World};
use sen::config::{Config, Jobs};
use sen::up::accounts::Sample;
use sen::up::nation::{PLACES, Place};
use sen::up::node::{Country, Node};
use sen::up::prepare;
use serde_json::Value;
use store::Store;
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, watch};
use tokio::task::JoinSet;

use crate::ground;
use crate::site::Site;

/// Synthetic people of a test's nation, count.
pub const PEOPLE: usize = 200;
/// Between two looks at the hub's directory, in milliseconds.
const DIRECTORY_MS: u64 = 200;
/// Facts read at once, count.
const FACTS_MAX: usize = 100_000;

/// The pack of Vietnam, read once for all nations of a test program.
static VIETNAM: OnceLock<Country> = OnceLock::new();

/// What a pack says; each of another pack is read anew.
fn country(config: &Config) -> anyhow::Result<Country> {
    if config.pack != Config::default().pack {
        return Country::read(&config.pack);
    }
    if let Some(read) = VIETNAM.get() {
        return Ok(read.clone());
    }
    // Two that begin at once both read it, and one of them is kept.
    let read = Country::read(&config.pack)?;
    Ok(VIETNAM.get_or_init(|| read).clone())
}

/// The machine's clock, put forward.
struct Shifted {
    machine: World,
    ms: AtomicI64,
}

impl Clock for Shifted {
    fn now(&self) -> Time {
        self.machine.now().plus_ms(self.ms.load(Ordering::SeqCst))
    }
}

/// A node that runs.
struct Running {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// A nation of three nodes in this process.
pub struct Nation {
    /// Where it is.
    pub site: Site,
    /// Its clock and chance.
    pub world: World,
    clock: Arc<Shifted>,
    config: Config,
    country: Country,
    running: Mutex<BTreeMap<Place, Running>>,
    stores: Mutex<BTreeMap<Place, Store>>,
    descriptions: Mutex<BTreeMap<Place, Value>>,
    peace: RwLock<()>,
}

impl Nation {
    /// A nation of the pack of Vietnam.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        Self::of(name, Config::default().pack).await
    }

    /// A nation of a pack.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn of(name: &str, pack: PathBuf) -> anyhow::Result<Self> {
        let machine = World::of_this_machine();
        let clock = Arc::new(Shifted {
            machine: machine.clone(),
            ms: AtomicI64::new(0),
        });
        let world = World {
            clock: clock.clone(),
            chance: machine.chance,
        };
        let defaults = Config::default();
        let config = Config {
            data: ground::folder(name, &world)?,
            pack,
            port: sen::story::nation::free_ports(&world)?,
            people: PEOPLE,
            past_cases: 0,
            open_cases: 0,
            database: std::env::var("SEN_TEST_POSTGRES").unwrap_or(defaults.database),
            error_code_style: defaults.error_code_style,
            jobs: Jobs {
                directory_ms: DIRECTORY_MS,
                ..defaults.jobs
            },
            limits: defaults.limits,
        };
        prepare::prepare(&config.data, &config.pack, config.port, &world)?;
        let nation = Self {
            site: Site::of(config.data.clone(), config.port)?,
            country: country(&config)?,
            world,
            clock,
            config,
            running: Mutex::default(),
            stores: Mutex::default(),
            descriptions: Mutex::default(),
            peace: RwLock::default(),
        };
        for place in PLACES {
            nation.start_node(place).await?;
        }
        Ok(nation)
    }

    /// Starts a node that does not run.
    ///
    /// # Errors
    /// When it cannot be opened, or a port is taken.
    pub async fn start_node(&self, place: Place) -> anyhow::Result<()> {
        let node = Node::open(place, &self.config, &self.country, &self.world).await?;
        self.stores.lock().await.insert(place, node.store().clone());
        self.descriptions
            .lock()
            .await
            .insert(place, serde_json::to_value(node.api())?);
        let (stop, shutdown) = watch::channel(false);
        let tasks = node.start(shutdown, &self.world).await?;
        self.running.lock().await.insert(place, Running { stop, tasks });
        Ok(())
    }

    /// Stops a node and waits until it is down.
    pub async fn stop_node(&self, place: Place) {
        let running = self.running.lock().await.remove(&place);
        if let Some(mut node) = running {
            node.stop.send(true).ok();
            while node.tasks.join_next().await.is_some() {}
        }
    }

    /// Puts the clock of all nodes forward by some milliseconds; a negative number puts it back.
    pub fn shift_ms(&self, ms: i64) {
        self.clock.ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Waits until nobody needs the nation for itself; tests that change nothing share it.
    pub async fn shared(&self) -> RwLockReadGuard<'_, ()> {
        self.peace.read().await
    }

    /// The nation for one test alone: for who stops a node or revokes something, and mends it.
    pub async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.peace.write().await
    }

    /// A node's description, as JSON.
    ///
    /// # Errors
    /// When the node was never started.
    pub async fn description(&self, place: Place) -> anyhow::Result<Value> {
        self.descriptions
            .lock()
            .await
            .get(&place)
            .cloned()
            .context("a node that was started")
    }

    /// A node's store.
    ///
    /// # Errors
    /// When the node was never started.
    pub async fn store(&self, place: Place) -> anyhow::Result<Store> {
        self.stores
            .lock()
            .await
            .get(&place)
            .cloned()
            .context("a node that was started")
    }

    /// A node's facts from a position of its log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn facts(&self, place: Place, from: u64) -> anyhow::Result<Vec<(u64, FactRecord)>> {
        let store = self.store(place).await?;
        store.seal_facts_now().await.map_err(|p| anyhow::anyhow!("{p}"))?;
        store
            .facts_from(from, FACTS_MAX)
            .await
            .map_err(|p| anyhow::anyhow!("{p}"))
    }

    /// Opens another sign-in at a place: one more citizen, an official of another unit.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn another(
        &self,
        place: Place,
        user: &str,
        change: impl Fn(&mut NewAccount),
    ) -> anyhow::Result<Sample> {
        let tenant = place.tenants().remove(0);
        let password = hex(&self.world.random::<8>());
        let mut account = NewAccount {
            id: format!("{}-{user}", place.id()),
            user: user.to_owned(),
            password: Some(password.clone()),
            name: format!("{user} (mẫu)"),
            subject: None,
            born: None,
            level: 0,
            roles: Vec::new(),
            unit: tenant.clone(),
        };
        change(&mut account);
        let accounts = Accounts::new(self.store(place).await?, tenant);
        accounts
            .open(&Actor::Platform, &account)
            .await
            .map_err(|p| anyhow::anyhow!("{p}"))?;
        Ok(Sample {
            role: account.roles.first().cloned().unwrap_or_default(),
            node: place.id().to_owned(),
            user: account.user,
            password,
            id: account.id,
            name: account.name,
            household: 0,
            of_province: false,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
