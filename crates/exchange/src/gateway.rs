//! What both halves of the gateway share: keys, agreements, services, the replay guard and the
//! evidence log. The halves are [`crate::client`] and [`crate::provider`].

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use directory::keyring::Keyring;
use directory::{Directory, Registrar, Snapshot};
use kernel::{Digest, Kind, OrgCode, Problem, Tenant, Time};
use seal::key::Identity;
use store::Store;
use store::log::RecordLog;
use web::FrameClient;
use web::client::Client;

use crate::agreements::Agreements;
use crate::audit::Refusals;
use crate::callers::Callers;
use crate::certificates::Certificates;
use crate::circuits::Circuits;
use crate::envelope::{self, Evidence};
use crate::grounds::{Grounds, Seals};
use crate::ids::ServiceId;
use crate::index::{self, Index};
use crate::maintenance::Mode;
use crate::message::RequestHead;
use crate::metadata::METADATA_PER_MINUTE;
use crate::monitoring::Health;
use crate::offered::{Own, OwnStands, RegisteredServices};
use crate::passing::Passing;
use crate::rate::Bucket;
use crate::refusals::CallsRefused;
use crate::replay::ReplayGuard;
use crate::sealer::{Desk, Sealer};
use crate::service::{Service, WHOLE_BYTES_MAX};
use crate::spool::Spools;
use crate::standing::{Clocks, Samples, Tries};
use crate::timestamping::{Stamping, Unstamped};
use crate::traffic::Seconds;

/// The evidence stream of a node.
pub const STREAM: &str = "evidence-0";

/// A node's gateway: both halves of the exchange, for all its organisations, or as far as the operator of
/// a hosted one may see and act. Cheap to clone.
#[derive(Clone)]
pub struct Exchange(pub(crate) Arc<Gateway>, pub(crate) crate::operator::Reach);

pub(crate) struct Gateway {
    pub(crate) node: String,
    pub(crate) home: Tenant,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) agreements: Agreements,
    pub(crate) peers: Client,
    pub(crate) frames: FrameClient,
    pub(crate) plain: Client,
    pub(crate) evidence: Arc<dyn RecordLog>,
    pub(crate) sealers: BTreeMap<OrgCode, Sealer>,
    pub(crate) services: RwLock<HashMap<ServiceId, Arc<dyn Service>>>,
    /// One change of a registered service at a time, from its row to memory.
    pub(crate) offering: tokio::sync::Mutex<()>,
    /// The services that operators registered.
    pub(crate) registered: RegisteredServices,
    /// How services of the platform stand.
    pub(crate) own: OwnStands,
    /// With which certificates information systems connect.
    pub(crate) callers: Callers,
    pub(crate) replay: ReplayGuard,
    /// Large bodies on their way.
    pub(crate) passing: Arc<Passing>,
    /// Of other nodes.
    pub(crate) node_circuits: Circuits,
    /// Of systems behind this gateway.
    pub(crate) service_circuits: Circuits,
    /// Calls of the metadata services, which rest on no agreement.
    pub(crate) metadata: Mutex<Bucket>,
    pub(crate) seals: Arc<dyn Seals>,
    pub(crate) certificates: Certificates,
    /// True since a record found no room, until one does again.
    pub(crate) full: AtomicBool,
    /// Where the exchanges of the log are found.
    pub(crate) index: Index,
    /// Up to where the evidence is counted, as this process knows; one folding at a time.
    pub(crate) counted: tokio::sync::Mutex<Option<u64>>,
    /// Whether no call is made or answered for a time.
    pub(crate) maintenance: Mode,
    /// When this process opened the gateway.
    pub(crate) began: Time,
    /// How the services did lately.
    pub(crate) health: Health,
    /// Up to where facts are looked at for acts, as this process knows.
    pub(crate) acts_seen: AtomicU64,
    /// Attempts that were refused in this minute.
    pub(crate) refusals: Refusals,
    /// Calls that were refused and stand in no row yet.
    pub(crate) calls_refused: CallsRefused,
    /// How far the clocks of others are from ours.
    pub(crate) clocks: Clocks,
    /// Timestamps and directory over the last day.
    pub(crate) samples: Samples,
    /// How often ways were tried for other nodes.
    pub(crate) tries: Tries,
    /// The last two minutes by second.
    pub(crate) seconds: Seconds,
    /// The hour in which old counts were forgotten last.
    pub(crate) swept: AtomicI64,
    /// Which timestamp authorities failed lately.
    pub(crate) stamping: Stamping,
    /// The hour in which bodies whose term is over were destroyed last.
    pub(crate) destroyed: AtomicI64,
    /// One at a time takes what is archived off the live log.
    pub(crate) leaving: tokio::sync::Mutex<()>,
    /// The checkpoint that waits for its timestamp; one stamping at a time.
    pub(crate) unstamped: tokio::sync::Mutex<Option<Unstamped>>,
    /// The directory that was kept last for the evidence, by its hash.
    pub(crate) kept_directory: tokio::sync::Mutex<Option<(Digest, Arc<Snapshot>)>>,
    /// How what a file declares of the directory is said, once there is somebody to say it.
    pub(crate) registrar: OnceLock<Registrar>,
}

/// What a gateway is made of.
pub struct Parts {
    /// The node's id in the directory.
    pub node: String,
    /// The node's tenants; the first one holds the node's own rows.
    pub tenants: Vec<Tenant>,
    /// The node's store.
    pub store: Store,
    /// The node's view of the directory.
    pub directory: Directory,
    /// The node's keys.
    pub keyring: Arc<Keyring>,
    /// The client for notices to other nodes: mutual TLS.
    pub peers: Client,
    /// The client for exchanges with other nodes: mutual TLS.
    pub frames: FrameClient,
    /// The client for timestamp authorities and services behind this gateway.
    pub plain: Client,
    /// A folder of its own for large bodies on their way; nothing in it outlives the process.
    pub spool: PathBuf,
    /// What the evidence rests on; [`Grounds::default`] but for measurements.
    pub grounds: Grounds,
}

impl Exchange {
    /// Opens a node's gateway: reads agreements, refills the replay guard from the evidence, offers what
    /// operators registered.
    ///
    /// # Errors
    /// When the store or the log cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, Problem> {
        let world = parts.store.world().clone();
        let home = parts
            .tenants
            .first()
            .cloned()
            .ok_or_else(|| Problem::internal("a node has a tenant"))?;
        let spools = Spools::open(parts.spool, world.clone())?;
        let patience_ms = parts.store.limits().exchange_call_ms_max;
        let evidence = match parts.grounds.log {
            Some(log) => log,
            None => parts.store.log(STREAM).await?,
        };
        let seals = parts.grounds.seals;
        let replay = ReplayGuard::new(parts.store.limits().clock_skew_ms_max);
        refill(
            &replay,
            evidence.as_ref(),
            world.now(),
            parts.store.limits().clock_skew_ms_max,
        )
        .await?;
        let certificates = Certificates::new(parts.store.clone());
        certificates.keep(&parts.keyring.node.certificate).await?;
        for seal in parts.keyring.seals.values() {
            certificates.keep(&seal.certificate).await?;
        }
        let desk = Desk {
            world: world.clone(),
            log: Arc::clone(&evidence),
            seals: Arc::clone(&seals),
            batch_max: parts.store.limits().exchange_seal_batch_max,
        };
        let sealers = parts.keyring.seals.iter();
        let sealers = sealers.map(|(org, identity)| (org.clone(), desk.open(identity.clone())));
        let sealers = sealers.collect();
        let agreements =
            Agreements::open(parts.store.clone(), parts.directory.clone(), &parts.tenants).await?;
        let maintenance = Mode::read(&parts.store.read(&home).await?).await?;
        let callers = Callers::open(&parts.store, &parts.tenants).await?;
        let own = OwnStands::open(&parts.store, &parts.tenants).await?;
        let index = Index::behind(index::blocks(&parts.store.read(&home).await?).await?);
        let gateway = Gateway {
            node: parts.node,
            home,
            store: parts.store,
            directory: parts.directory,
            keyring: parts.keyring,
            agreements,
            peers: parts.peers,
            frames: parts.frames,
            plain: parts.plain,
            evidence,
            sealers,
            services: RwLock::new(HashMap::new()),
            offering: tokio::sync::Mutex::new(()),
            registered: RegisteredServices::default(),
            own,
            callers,
            replay,
            passing: Passing::new(spools, patience_ms),
            node_circuits: Circuits::default(),
            service_circuits: Circuits::default(),
            metadata: Mutex::new(Bucket::full(METADATA_PER_MINUTE)),
            seals,
            certificates,
            full: AtomicBool::new(false),
            index,
            counted: tokio::sync::Mutex::new(None),
            maintenance,
            began: world.now(),
            acts_seen: AtomicU64::new(0),
            refusals: Refusals::default(),
            calls_refused: CallsRefused::default(),
            health: Health::default(),
            clocks: Clocks::default(),
            samples: Samples::default(),
            tries: Tries::default(),
            seconds: Seconds::default(),
            swept: AtomicI64::new(0),
            stamping: Stamping::default(),
            destroyed: AtomicI64::new(0),
            leaving: tokio::sync::Mutex::new(()),
            unstamped: tokio::sync::Mutex::new(None),
            kept_directory: tokio::sync::Mutex::new(None),
            registrar: OnceLock::new(),
        };
        gateway.recall_quotas().await?;
        let exchange = Self(Arc::new(gateway), crate::operator::Reach::default());
        exchange.end_leaving().await?;
        exchange.offer_registered().await?;
        Ok(exchange)
    }

    /// Offers a service of the platform, as its operator last let it stand.
    pub fn provide(&self, service: Arc<dyn Service>) {
        let stands = self.0.own.clone();
        self.0.take(Arc::new(Own { service, stands }));
    }

    /// Offers a service of this node no more.
    pub fn withdraw(&self, service: &ServiceId) {
        let mut services = self.0.services.write().unwrap_or_else(PoisonError::into_inner);
        services.remove(service);
    }

    /// The names of what this node offers now, in order.
    #[must_use]
    pub fn offers(&self) -> Vec<ServiceId> {
        let services = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<ServiceId> = services.keys().cloned().collect();
        names.sort();
        names
    }

    /// From now on what a file declares of the directory is said by this registrar. Once.
    pub fn declare_by(&self, registrar: Registrar) {
        if self.0.registrar.set(registrar).is_err() {
            tracing::warn!("the exchange was given two registrars");
        }
    }

    /// The agreements this node holds.
    #[must_use]
    pub fn agreements(&self) -> &Agreements {
        &self.0.agreements
    }
}

impl Gateway {
    pub(crate) fn now(&self) -> Time {
        self.store.world().now()
    }

    /// The organisation of this node that speaks for a party, whoever asks.
    pub(crate) fn voice(&self, party: &OrgCode) -> Option<(&Tenant, &Identity)> {
        let mut seals = self.keyring.seals.iter();
        seals.find(|(tenant, _)| tenant.holds(party))
    }

    /// Why an organisation cannot speak here: it lives on another node, or takes no part at all.
    pub(crate) fn not_here(&self, org: &OrgCode) -> Problem {
        let unknown = Problem::new(Kind::Forbidden, "member-unknown").with("member", org);
        match self.directory.node_of(org) {
            Some(node) if node.id != self.node => Problem::new(Kind::Forbidden, "member-elsewhere")
                .with("member", org)
                .with("node", node.id),
            _ => unknown,
        }
    }

    /// Offers a service.
    pub(crate) fn take(&self, service: Arc<dyn Service>) {
        let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
        services.insert(service.id(), service);
    }

    pub(crate) fn service(&self, id: &ServiceId) -> Option<Arc<dyn Service>> {
        self.services
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// Size of a body that stays in memory, in bytes; never more than a message on the wire holds.
    pub(crate) fn memory_bytes_max(&self) -> usize {
        let limits = self.store.limits();
        limits.exchange_memory_body_bytes_max.min(WHOLE_BYTES_MAX)
    }

    /// Flushes one evidence record; nothing may leave before this returns.
    pub(crate) async fn keep(&self, record: &Evidence) -> Result<u64, Problem> {
        let kept = self.evidence.append(vec![envelope::write(record)]).await;
        self.notes_room(&kept);
        kept
    }

    /// Remembers whether a record found room.
    pub(crate) fn notes_room<T>(&self, kept: &Result<T, Problem>) {
        let full = kept.as_ref().is_err_and(|problem| problem.kind == Kind::Full);
        self.full.store(full, Ordering::Relaxed);
    }

    /// Whether the last record found no room.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Before anything is sent or done: once a record found no room, nothing more happens that could not be
    /// recorded. The refusal itself is the record that finds out whether there is room again.
    ///
    /// # Errors
    /// Full `no-room`.
    pub(crate) async fn has_room(&self, record: &Evidence) -> Result<(), Problem> {
        if !self.is_full() {
            return Ok(());
        }
        let refused = Problem::new(Kind::Full, "no-room");
        let refusal = Evidence {
            fault: refused.code.to_owned(),
            ..record.clone()
        };
        Err(self.keep(&refusal).await.err().unwrap_or(refused))
    }
}

/// Between the instant a record says it ended at and its place in the log, in milliseconds.
pub(crate) const APPEND_MS_MAX: i64 = 10_000;

/// Fills the guard with what this node's provider side has seen within the window.
pub(crate) async fn refill(
    guard: &ReplayGuard,
    log: &dyn RecordLog,
    now: Time,
    window_ms: i64,
) -> Result<(), Problem> {
    const STEP: u64 = 512;
    // What ended before this was sent too long ago to pass again. Records stand in the order of
    // their ends, not of their beginnings: a slow call ends behind many quick ones.
    let oldest = now.ms() - 2 * window_ms - APPEND_MS_MAX;
    let (first, mut end) = (log.first().await, log.len().await);
    while end > first {
        let from = end.saturating_sub(STEP).max(first);
        let records = log
            .read(from, usize::try_from(end - from).unwrap_or_default())
            .await?;
        let mut reached_old = false;
        for (_, bytes) in &records {
            let record: Evidence = envelope::read(bytes)?;
            reached_old |= record.ended < oldest;
            if record.side == envelope::PROVIDER
                && let Ok(head) = RequestHead::kept(&record.request.head)
            {
                guard.remember(head.consumer, head.request, head.sent);
            }
        }
        if reached_old {
            break;
        }
        end = from;
    }
    Ok(())
}
