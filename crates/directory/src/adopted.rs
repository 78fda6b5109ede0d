//! The directory this node holds: the newest snapshot it adopted, kept on disk, and the questions
//! asked of it on every call. Never goes back to an older one, not even after a restart.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use ::store::{Store, Tx};
use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem, Tenant, Time};
use seal::certificate::{Certificate, Trust};
use seal::key::Identity;
use tokio::io::AsyncWriteExt as _;

use crate::groups::{self, Local};
use crate::instances::Others;
use crate::lists::Asked;
use crate::parts::{Head, Parts, RESIGN_MS};
use crate::snapshot::{self, Further, NodeEntry, Snapshot};

/// How often the file of the directory is given the time at which the hub confirmed it, in milliseconds.
const CONFIRMED_MS: i64 = 60_000;

/// For how long an organisation may go on sealing with its earlier key once the directory says the new one,
/// in milliseconds: a day, within which its node takes the new one up.
const SWITCH_MS_MAX: i64 = 86_400_000;

/// The directory this node holds; cheap to clone.
#[derive(Clone)]
pub struct Directory(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    store: Store,
    tenant: Tenant,
    /// The instance of the exchange whose directory it is.
    pub(crate) instance: String,
    /// The anchor under which it is followed, when it is of another instance than the node's.
    followed: Option<Digest>,
    /// The directories of other instances that this one trusts.
    pub(crate) others: Others,
    hub: Certificate,
    pub(crate) file: PathBuf,
    held: RwLock<Arc<Held>>,
    /// True while some system is stopped or a member disabled: asked on every call, before anything is
    /// looked up.
    any_stopped: AtomicBool,
    /// One adoption at a time, so that serials only grow.
    adopting: tokio::sync::Mutex<Option<(u64, Digest)>>,
    /// When the hub last said that what is held is current, milliseconds.
    confirmed: AtomicI64,
    /// When the file was last given that time, milliseconds; 0 before the first time.
    touched: AtomicI64,
    /// The groups that this node keeps for itself.
    local: Local,
    /// The hub's seal, at the hub.
    signs: OnceLock<Identity>,
    /// The newest head, as it was signed here or taken over.
    head: Mutex<Option<(Head, Arc<str>)>>,
    /// What came of asking authorities for their lists, at the hub.
    pub(crate) asked: Mutex<HashMap<Digest, Asked>>,
}

/// One snapshot, ready for questions.
pub(crate) struct Held {
    snapshot: Arc<Snapshot>,
    token: Arc<str>,
    hash: Digest,
    nodes: BTreeMap<String, NodeEntry>,
    pub(crate) node_of_certificate: HashMap<Digest, String>,
    members: BTreeMap<OrgCode, (String, Certificate, Vec<Certificate>)>,
    /// The further certificates of members' seals.
    further: BTreeMap<OrgCode, Vec<Certificate>>,
    /// When another one took the place of one of them.
    replaced: HashMap<Digest, Time>,
    /// Systems that may neither call nor be called; nearly always none.
    stopped: HashSet<(OrgCode, String)>,
    /// Members that take part in no exchange for a time; nearly always none.
    disabled: HashSet<OrgCode>,
    /// The systems in each global group.
    groups: HashMap<String, HashSet<String>>,
    pub(crate) trust: Arc<Trust>,
    /// The signed form in parts, once somebody asks for them.
    parts: OnceLock<Arc<Parts>>,
}

impl Held {
    fn of(snapshot: Snapshot, token: &str) -> Result<Self, Problem> {
        let mut members = BTreeMap::new();
        for member in &snapshot.members {
            let (seal, issuers) = snapshot::chain(&member.certificate_pem)?;
            members.insert(member.org.clone(), (member.node.clone(), seal, issuers));
        }
        let nodes = snapshot.nodes.iter();
        let mut node_of_certificate: HashMap<_, _> =
            nodes.clone().map(|n| (n.certificate, n.id.clone())).collect();
        let mut further: BTreeMap<OrgCode, Vec<Certificate>> = BTreeMap::new();
        let mut replaced = HashMap::new();
        for one in &snapshot.further {
            match one {
                Further::Node { node, certificate } => {
                    node_of_certificate.insert(*certificate, node.clone());
                }
                Further::Seal {
                    org,
                    certificate_pem,
                    replaced: at,
                } => {
                    let (seal, _) = snapshot::chain(certificate_pem)?;
                    replaced.extend(at.map(|at| (seal.thumbprint(), at)));
                    further.entry(org.clone()).or_default().push(seal);
                }
            }
        }
        let stopped = snapshot.stopped.iter();
        Ok(Self {
            token: token.into(),
            hash: Digest::of(token.as_bytes()),
            nodes: nodes.map(|n| (n.id.clone(), n.clone())).collect(),
            node_of_certificate,
            stopped: stopped.map(|s| (s.org.clone(), s.system.clone())).collect(),
            disabled: snapshot.disabled.iter().map(|d| d.org.clone()).collect(),
            groups: groups::members(&snapshot.groups),
            members,
            further,
            replaced,
            trust: Arc::new(snapshot.trust()?),
            parts: OnceLock::new(),
            snapshot: Arc::new(snapshot),
        })
    }

    fn stops_any(&self) -> bool {
        !self.stopped.is_empty() || !self.disabled.is_empty()
    }

    /// A member's certificate by its thumbprint.
    fn certificate(&self, thumbprint: &Digest) -> Option<Certificate> {
        let firsts = self.members.values().map(|(_, seal, _)| seal);
        let mut all = firsts.chain(self.further.values().flatten());
        all.find(|seal| seal.thumbprint() == *thumbprint).cloned()
    }

    /// The signed form in parts; none of a directory of nobody.
    fn parts(&self) -> Result<Option<Arc<Parts>>, Problem> {
        if self.token.is_empty() {
            return Ok(None);
        }
        if let Some(parts) = self.parts.get() {
            return Ok(Some(Arc::clone(parts)));
        }
        let parts = Arc::new(Parts::of(&self.token)?);
        Ok(Some(Arc::clone(self.parts.get_or_init(|| parts))))
    }
}

impl Inner {
    /// Notes that a snapshot was adopted, with its fact.
    async fn note_adopted(&self, tx: &Tx, serial: u64, hash: Digest) -> Result<(), Problem> {
        let (subject, fact) = match &self.followed {
            None => {
                crate::store::keep_adopted(tx, serial, &hash).await?;
                (
                    format!("directory/{serial}"),
                    Fact::DirectoryAdopted { serial, hash },
                )
            }
            Some(anchor) => {
                crate::store::keep_followed(tx, anchor, serial, &hash).await?;
                let instance = self.instance.clone();
                let fact = Fact::DirectoryFollowed {
                    instance,
                    serial,
                    hash,
                };
                (format!("directory/{}/{serial}", self.instance), fact)
            }
        };
        tx.fact(&subject, fact).await.map(drop)
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory(serial {})", self.held().snapshot.serial)
    }
}

impl Directory {
    /// Opens what the node kept in `file`, checked against the hub's certificate; a directory of
    /// nobody when there is no such file. A file that does not check is not used, and logged.
    ///
    /// # Errors
    /// When the store cannot be read, or the hub's certificate names no organisation.
    pub async fn open(
        store: Store,
        tenant: Tenant,
        hub_anchor: Certificate,
        file: PathBuf,
    ) -> Result<Self, Problem> {
        let directory = Self::open_one(store, tenant, hub_anchor, file, None).await?;
        directory.follow_what_is_trusted().await;
        Ok(directory)
    }

    /// As [`Directory::open`]; `followed` is the anchor under which that of another instance is kept.
    pub(crate) async fn open_one(
        store: Store,
        tenant: Tenant,
        hub_anchor: Certificate,
        file: PathBuf,
        followed: Option<Digest>,
    ) -> Result<Self, Problem> {
        let organisation = hub_anchor.organisation().unwrap_or_default();
        let hub: OrgCode = organisation
            .parse()
            .map_err(|_| Problem::internal("the hub's certificate names no organisation"))?;
        let reader = store.read(&tenant).await?;
        let (newest, local) = match &followed {
            None => (
                crate::store::newest_adopted(&reader).await?,
                Local::read(&reader).await?,
            ),
            Some(anchor) => (
                crate::store::newest_followed(&reader, anchor).await?,
                Local::none(),
            ),
        };
        drop(reader);
        let kept = match tokio::fs::read_to_string(&file).await {
            Ok(token) => snapshot::read(&token, &hub_anchor)
                .and_then(|snapshot| Held::of(snapshot, &token))
                .map_err(|problem| tracing::error!(%problem, "the kept directory is not used"))
                .ok(),
            Err(_) => None,
        };
        let instance = hub.instance().to_owned();
        let held = match kept {
            Some(held) => held,
            None => Held::of(Snapshot::empty(hub), "")?,
        };
        let confirmed = AtomicI64::new(held.snapshot.issued.ms());
        let any_stopped = AtomicBool::new(held.stops_any());
        Ok(Self(Arc::new(Inner {
            store,
            tenant,
            instance,
            followed,
            others: Others::default(),
            hub: hub_anchor,
            file,
            held: RwLock::new(Arc::new(held)),
            any_stopped,
            adopting: tokio::sync::Mutex::new(newest),
            confirmed,
            touched: AtomicI64::new(0),
            local,
            signs: OnceLock::new(),
            head: Mutex::new(None),
            asked: Mutex::default(),
        })))
    }

    /// Takes over a signed snapshot that the hub itself gives, which makes it current now: true when it
    /// is a new one, false when it is the one held.
    ///
    /// # Errors
    /// `directory-seal-broken`, `directory-unsound`; 409 `directory-older` for a serial below the
    /// newest ever adopted, `directory-forked` for the same serial with other content;
    /// `clock-skew` when it was issued in the future.
    pub async fn adopt(&self, token: &str) -> Result<bool, Problem> {
        self.adopt_as_of(token, self.0.store.world().now()).await
    }

    /// As [`Directory::adopt`], of a snapshot that the hub called current at `said`: whoever hands it on
    /// does not make it fresher.
    ///
    /// # Errors
    /// As [`Directory::adopt`].
    pub(crate) async fn adopt_as_of(&self, token: &str, said: Time) -> Result<bool, Problem> {
        let inner = &*self.0;
        let mut newest = inner.adopting.lock().await;
        let now = inner.store.world().now();
        if *self.held().token == *token && !token.is_empty() {
            self.confirm(said);
            return Ok(false);
        }
        let snapshot = snapshot::read(token, &inner.hub)?;
        if self.is_revoked(&inner.hub.thumbprint()) {
            return Err(Problem::new(Kind::Invalid, "directory-seal-broken").because("the hub is revoked"));
        }
        if snapshot.issued.ms() > now.ms() + inner.store.limits().clock_skew_ms_max {
            return Err(Problem::new(Kind::Invalid, "clock-skew").with("hop", &snapshot.hub));
        }
        let held = Held::of(snapshot, token)?;
        let (serial, hash) = (held.snapshot.serial, held.hash);
        // What was adopted before a restart counts even if its file was lost.
        let known = match *newest {
            Some((last, _)) if serial < last => {
                let older = Problem::new(Kind::Conflict, "directory-older");
                return Err(older.with("serial", serial).with("held", last));
            }
            Some((last, other)) if serial == last && other != hash => {
                return Err(Problem::new(Kind::Conflict, "directory-forked").with("serial", serial));
            }
            Some((last, _)) => serial == last,
            None => false,
        };
        if !known {
            inner
                .store
                .write(&inner.tenant, &Actor::Platform, |tx| async move {
                    inner.note_adopted(&tx, serial, hash).await
                })
                .await?;
            *newest = Some((serial, hash));
        }
        write_beside(&inner.file, token.as_bytes())
            .await
            .map_err(|e| Problem::new(Kind::Full, "no-room").because(e))?;
        let any_stopped = held.stops_any();
        *inner.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        inner.any_stopped.store(any_stopped, Ordering::Release);
        inner.local.say_changed();
        self.confirm(said);
        if inner.followed.is_none() {
            self.follow_what_is_trusted().await;
        }
        Ok(true)
    }

    /// Notes that the hub called what is held current at an instant.
    pub(crate) fn confirm(&self, said: Time) {
        self.0.confirmed.fetch_max(said.ms(), Ordering::Relaxed);
        // By the last time the file was touched, not by the last word of the hub: it speaks more often.
        if said.ms() - self.0.touched.load(Ordering::Relaxed) >= CONFIRMED_MS {
            self.0.touched.store(said.ms(), Ordering::Relaxed);
            // The file's own time says it to whoever looks at the folder; nothing depends on it.
            let touched = std::fs::File::options().append(true).open(&self.0.file);
            touched
                .and_then(|file| file.set_modified(std::time::UNIX_EPOCH + since_1970(said)))
                .ok();
        }
    }

    /// Signs heads from now on: this is the hub's directory.
    pub(crate) fn sign_heads(&self, seal: Identity) {
        if self.0.signs.set(seal).is_err() {
            tracing::warn!("the hub was opened twice over one directory");
        }
    }

    /// The signed snapshot in parts; none before the first adoption.
    pub(crate) fn parts(&self) -> Result<Option<Arc<Parts>>, Problem> {
        self.held().parts()
    }

    /// The signed head of what is held: the hub's own, not older than a minute; elsewhere the newest
    /// one that was taken over. None when there is none for what is held.
    pub(crate) fn head(&self) -> Result<Option<Arc<str>>, Problem> {
        let mut newest = self.0.head.lock().unwrap_or_else(PoisonError::into_inner);
        // One look at what is held, in turn with other heads: all that is signed is of one snapshot, and
        // a later head is of no earlier one.
        let (held, now) = (self.held(), self.0.store.world().now());
        let Some(seal) = self.0.signs.get() else {
            let of_it = newest.as_ref().filter(|(head, _)| head.snapshot == held.hash);
            return Ok(of_it.map(|(_, token)| Arc::clone(token)));
        };
        if let Some((head, token)) = &*newest
            && head.snapshot == held.hash
            && (0..RESIGN_MS).contains(&(now.ms() - head.at.ms()))
        {
            return Ok(Some(Arc::clone(token)));
        }
        let Some(parts) = held.parts()? else {
            return Ok(None);
        };
        let head = Head {
            hub: held.snapshot.hub.clone(),
            serial: held.snapshot.serial,
            at: now,
            snapshot: held.hash,
            index: parts.index,
        };
        let token: Arc<str> = head.sign(seal)?.into();
        *newest = Some((head, Arc::clone(&token)));
        Ok(Some(token))
    }

    /// Reads a head that was fetched: the hub's, and not older than what is known.
    ///
    /// # Errors
    /// `directory-seal-broken`; 409 `directory-older` for a serial below the newest ever adopted, or
    /// said before the newest head; `clock-skew` when it was signed in the future.
    pub(crate) async fn read_head(&self, token: &str) -> Result<Head, Problem> {
        let inner = &*self.0;
        let head = Head::read(token, &inner.hub)?;
        if self.is_revoked(&inner.hub.thumbprint()) {
            return Err(Problem::new(Kind::Invalid, "directory-seal-broken").because("the hub is revoked"));
        }
        let now = inner.store.world().now();
        if head.at.ms() > now.ms() + inner.store.limits().clock_skew_ms_max {
            return Err(Problem::new(Kind::Invalid, "clock-skew").with("hop", &head.hub));
        }
        let last = inner.adopting.lock().await.map_or(0, |(serial, _)| serial);
        let newest = inner.head.lock().unwrap_or_else(PoisonError::into_inner);
        let said_before = newest.as_ref().is_some_and(|(newest, _)| head.at < newest.at);
        if head.serial < last || said_before {
            let older = Problem::new(Kind::Conflict, "directory-older");
            return Err(older.with("serial", head.serial).with("held", last));
        }
        Ok(head)
    }

    /// Takes a head over that is of what is held: the hub said at its time that this is current.
    pub(crate) fn keep_head(&self, head: Head, token: &str) {
        let now = self.0.store.world().now();
        self.confirm(head.at.min(now));
        let mut newest = self.0.head.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some((head, token.into()));
    }

    /// The digest of the newest head's signed form; none until this process has signed or taken over one.
    pub(crate) fn head_tag(&self) -> Option<Digest> {
        let newest = self.0.head.lock().unwrap_or_else(PoisonError::into_inner);
        newest.as_ref().map(|(_, token)| Digest::of(token.as_bytes()))
    }

    /// The snapshot held.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.held().snapshot.clone()
    }

    /// The signed form of the snapshot held, and its hash; empty before the first adoption.
    #[must_use]
    pub fn token(&self) -> (Arc<str>, Digest) {
        let held = self.held();
        (held.token.clone(), held.hash)
    }

    /// The certificate of an organisation's seal; none when it is no member or is revoked.
    #[must_use]
    pub fn seal_certificate(&self, org: &OrgCode) -> Option<Certificate> {
        self.seal_chain(org).map(|(seal, _)| seal)
    }

    /// The certificate of an organisation's seal and its issuers.
    #[must_use]
    pub fn seal_chain(&self, org: &OrgCode) -> Option<(Certificate, Vec<Certificate>)> {
        let held = self.held_of(org)?;
        let (_, seal, issuers) = held.members.get(org)?;
        if held.trust.revoked.contains(&seal.thumbprint()) || self.is_revoked(&seal.thumbprint()) {
            return None;
        }
        Some((seal.clone(), issuers.clone()))
    }

    /// The certificate of an organisation's seal that has a thumbprint; the first one when none has it.
    /// None when it is no member, or when that certificate is revoked.
    #[must_use]
    pub fn seal_called(&self, org: &OrgCode, thumbprint: &Digest) -> Option<Certificate> {
        let held = self.held_of(org)?;
        let (_, first, _) = held.members.get(org)?;
        let mut seal = first;
        if first.thumbprint() != *thumbprint
            && let Some(other) = held
                .further
                .get(org)
                .and_then(|all| all.iter().find(|c| c.thumbprint() == *thumbprint))
        {
            seal = other;
        }
        let thumbprint = seal.thumbprint();
        let revoked = held.trust.revoked.contains(&thumbprint) || self.is_revoked(&thumbprint);
        (!revoked).then(|| seal.clone())
    }

    /// The certificates with which an organisation may have sealed at an instant: its first one, then those
    /// that were so before and still were. None that is revoked, and none when it is no member.
    #[must_use]
    pub fn seals_at(&self, org: &OrgCode, at: Time) -> Vec<Certificate> {
        let Some(held) = self.held_of(org) else {
            return Vec::new();
        };
        let Some((_, first, _)) = held.members.get(org) else {
            return Vec::new();
        };
        let was_first = |seal: &&Certificate| {
            let replaced = held.replaced.get(&seal.thumbprint()).copied();
            let replaced = replaced.unwrap_or_else(|| first.not_before());
            let counts = at < replaced.plus_ms(SWITCH_MS_MAX);
            counts && seal.not_before() <= at && at <= seal.not_after()
        };
        let earlier = held.further.get(org).into_iter().flatten().filter(was_first);
        let all = std::iter::once(first).chain(earlier);
        let revoked = |seal: &Digest| held.trust.revoked.contains(seal) || self.is_revoked(seal);
        all.filter(|seal| !revoked(&seal.thumbprint())).cloned().collect()
    }

    /// True when a system is disabled or deleted: it may neither call nor be called.
    #[must_use]
    pub fn is_stopped(&self, org: &OrgCode, system: &str) -> bool {
        self.of(org).is_some_and(|of| {
            of.0.any_stopped.load(Ordering::Acquire)
                && of.held().stopped.contains(&(org.clone(), system.to_owned()))
        })
    }

    /// True when a member is disabled: none of its systems may call or be called.
    #[must_use]
    pub fn is_disabled(&self, member: &OrgCode) -> bool {
        self.of(member).is_some_and(|of| {
            of.0.any_stopped.load(Ordering::Acquire) && of.held().disabled.contains(&member.top())
        })
    }

    /// True when a system (`H56/one-stop`) is in a global group.
    #[must_use]
    pub fn in_global_group(&self, group: &str, system: &str) -> bool {
        let held = self.held();
        held.groups
            .get(group)
            .is_some_and(|systems| systems.contains(system))
    }

    /// A member's certificate by its thumbprint, also when it is revoked: old evidence is checked
    /// with the certificate it names.
    #[must_use]
    pub fn certificate_by_thumbprint(&self, thumbprint: &Digest) -> Option<Certificate> {
        self.held().certificate(thumbprint).or_else(|| {
            self.others()
                .iter()
                .find_map(|o| o.directory.held().certificate(thumbprint))
        })
    }

    /// The node that hosts an organisation, or the one above it that is a member.
    #[must_use]
    pub fn node_of(&self, org: &OrgCode) -> Option<NodeEntry> {
        let held = self.held_of(org)?;
        let mut whose = Some(org.clone());
        while let Some(code) = whose {
            if let Some((node, ..)) = held.members.get(&code) {
                return held.nodes.get(node).map(|node| self.called(org.instance(), node));
            }
            whose = code.parent();
        }
        None
    }

    /// Whether a TLS certificate is that of a node in good standing: gives the node's id.
    ///
    /// # Errors
    /// `node-revoked` or `node-unknown`.
    pub fn node_certificate_ok(&self, der: &[u8]) -> Result<String, String> {
        let (held, thumbprint) = (self.held(), Digest::of(der));
        if held.trust.revoked.contains(&thumbprint) {
            return Err("node-revoked".to_owned());
        }
        match held.node_of_certificate.get(&thumbprint) {
            Some(node) => Ok(node.clone()),
            None => self.node_of_another(&thumbprint).map(|(id, _)| id),
        }
    }

    /// The roots and what is revoked.
    #[must_use]
    pub fn trust(&self) -> Arc<Trust> {
        self.held().trust.clone()
    }

    /// True when a certificate is good no more.
    #[must_use]
    pub fn is_revoked(&self, thumbprint: &Digest) -> bool {
        self.held().trust.revoked.contains(thumbprint)
    }

    /// How long ago the hub last confirmed what is held, in milliseconds; since its issue when
    /// the hub was not reached since the start.
    #[must_use]
    pub fn age(&self, now: Time) -> i64 {
        now.ms() - self.0.confirmed.load(Ordering::Relaxed)
    }

    /// The certificate by which the directory is believed.
    #[must_use]
    pub fn hub_certificate(&self) -> &Certificate {
        &self.0.hub
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn local(&self) -> &Local {
        &self.0.local
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    pub(crate) fn held(&self) -> Arc<Held> {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn since_1970(now: Time) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(now.ms()).unwrap_or_default())
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
async fn write_beside(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let mut out = tokio::fs::File::create(&beside).await?;
    out.write_all(bytes).await?;
    out.sync_all().await?;
    tokio::fs::rename(&beside, file).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Revoked;
    use crate::snapshot::tests::Nation;

    async fn open(temp: &testkit::TempStore, nation: &Nation) -> Directory {
        let tenant = "G01".parse().expect("a code");
        let file = temp.dir.path().join("directory.jws");
        let hub = nation.hub.certificate.clone();
        Directory::open(temp.store.clone(), tenant, hub, file)
            .await
            .expect("open")
    }

    fn code(answer: Result<bool, Problem>) -> &'static str {
        answer.expect_err("refused").code
    }

    #[tokio::test]
    async fn a_node_adopts_what_the_hub_signed_and_keeps_it_over_a_restart() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let member: OrgCode = "G01".parse().expect("a code");
        assert_eq!(directory.snapshot().serial, 0);
        assert_eq!(directory.seal_certificate(&member), None);
        let token = nation.snapshot(1).sign(&nation.hub).expect("signed");
        assert!(directory.adopt(&token).await.expect("adopted"));
        assert!(!directory.adopt(&token).await.expect("held already"));
        let again = open(&temp, &nation).await;
        for held in [&directory, &again] {
            assert_eq!(held.snapshot().serial, 1);
            assert_eq!(
                held.seal_certificate(&member),
                Some(nation.member.certificate.clone())
            );
            let unit = member.unit("05").expect("a unit");
            assert_eq!(held.node_of(&unit).expect("hosted").id, "ministry");
        }
        let facts = temp.store.facts_of(&member, "directory/1").await.expect("read");
        assert_eq!(facts.len(), 1);
    }

    #[tokio::test]
    async fn an_older_snapshot_is_refused_even_after_a_restart_without_the_file() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let token = |serial| nation.snapshot(serial).sign(&nation.hub).expect("signed");
        let second = token(2);
        assert!(directory.adopt(&second).await.expect("adopted"));
        assert_eq!(code(directory.adopt(&token(1)).await), "directory-older");
        std::fs::remove_file(temp.dir.path().join("directory.jws")).expect("removed");
        let again = open(&temp, &nation).await;
        assert_eq!(code(again.adopt(&token(1)).await), "directory-older");
        assert_eq!(again.snapshot().serial, 0);
        assert!(again.adopt(&second).await.expect("the lost one is taken back"));
        let mut other = nation.snapshot(2);
        other.nodes[0].peer = "127.0.0.1:1".to_owned();
        let other = other.sign(&nation.hub).expect("signed");
        assert_eq!(code(again.adopt(&other).await), "directory-forked");
    }

    #[tokio::test]
    async fn a_snapshot_of_another_key_or_altered_changes_nothing() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let foreign = nation.snapshot(5).sign(&nation.member).expect("signed");
        assert_eq!(code(directory.adopt(&foreign).await), "directory-seal-broken");
        let mut altered = nation.snapshot(5).sign(&nation.hub).expect("signed");
        altered.replace_range(100..101, if &altered[100..101] == "A" { "B" } else { "A" });
        assert_eq!(code(directory.adopt(&altered).await), "directory-seal-broken");
        let mut future = nation.snapshot(5);
        future.issued = testkit::START.plus_ms(120_000);
        let future = future.sign(&nation.hub).expect("signed");
        assert_eq!(code(directory.adopt(&future).await), "clock-skew");
        assert_eq!(directory.snapshot().serial, 0);
    }

    #[tokio::test]
    async fn an_altered_file_on_disk_is_not_used() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let token = nation.snapshot(1).sign(&nation.hub).expect("signed");
        directory.adopt(&token).await.expect("adopted");
        let file = temp.dir.path().join("directory.jws");
        std::fs::write(&file, token.replace('.', "!")).expect("written");
        assert_eq!(open(&temp, &nation).await.snapshot().serial, 0);
    }

    #[tokio::test]
    async fn a_revoked_node_or_seal_is_refused() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let first = nation.snapshot(1);
        directory
            .adopt(&first.sign(&nation.hub).expect("signed"))
            .await
            .expect("adopted");
        let node = nation.node.certificate.clone();
        assert_eq!(
            directory.node_certificate_ok(node.der()),
            Ok("ministry".to_owned())
        );
        let stranger = directory.node_certificate_ok(nation.member.certificate.der());
        assert_eq!(stranger, Err("node-unknown".to_owned()));
        let revoked = |certificate: &Certificate| Revoked {
            thumbprint: certificate.thumbprint(),
            at: testkit::START,
            reason: "key lost".to_owned(),
            source: None,
        };
        let second = Snapshot {
            serial: 2,
            revoked: vec![revoked(&node), revoked(&nation.member.certificate)],
            ..first
        };
        directory
            .adopt(&second.sign(&nation.hub).expect("signed"))
            .await
            .expect("adopted");
        assert_eq!(
            directory.node_certificate_ok(node.der()),
            Err("node-revoked".to_owned())
        );
        assert_eq!(directory.seal_certificate(&"G01".parse().expect("a code")), None);
        assert!(directory.is_revoked(&node.thumbprint()));
        assert!(directory.trust().revoked.contains(&node.thumbprint()));
    }

    #[tokio::test]
    async fn age_counts_from_the_last_word_of_the_hub() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let token = nation.snapshot(1).sign(&nation.hub).expect("signed");
        directory.adopt(&token).await.expect("adopted");
        temp.clock.advance_ms(90_000);
        let now = temp.store.world().now();
        assert_eq!(directory.age(now), 90_000);
        let earlier = now.plus_ms(-30_000);
        let handed_on = directory.adopt_as_of(&token, earlier).await;
        assert!(!handed_on.expect("held already"));
        assert_eq!(directory.age(now), 30_000, "the hub said so then");
        directory.adopt(&token).await.expect("held already");
        assert_eq!(directory.age(now), 0);
    }

    #[tokio::test]
    async fn the_files_own_time_follows_a_hub_that_confirms_every_few_seconds() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let directory = open(&temp, &nation).await;
        let token = nation.snapshot(1).sign(&nation.hub).expect("signed");
        directory.adopt(&token).await.expect("adopted");
        for _ in 0..100 {
            temp.clock.advance_ms(2_000);
            directory.confirm(temp.store.world().now());
        }
        let file = std::fs::metadata(temp.dir.path().join("directory.jws")).expect("a file");
        let since = std::time::UNIX_EPOCH + since_1970(temp.store.world().now());
        let behind = since.duration_since(file.modified().expect("a time"));
        assert!(
            behind.expect("not ahead").as_millis() < 60_000,
            "whoever looks at the folder sees that the hub was reached"
        );
    }
}
