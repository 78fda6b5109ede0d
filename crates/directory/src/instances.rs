//! The directories of other instances of the exchange, each followed under the anchor that our own
//! directory names: asked of by the instance in an organisation's code. What one of them says holds for
//! its own members, nodes and certificates and for nobody else's. Never trusts an instance by itself.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::{Digest, OrgCode, Problem, Time};
use seal::certificate::Trust;
use web::Client;

use crate::Directory;
use crate::adopted::Held;
use crate::anchor::Anchor;
use crate::snapshot::{self, InstanceEntry, NodeEntry, Snapshot};

/// Where the directory is asked for below an address.
const PATH: &str = "/directory/snapshot";

/// The directory of another instance as it lies in a node's folder, checked against the anchor by which it
/// is trusted; none when the node has heard of none.
///
/// # Errors
/// `anchor-unreadable`, `directory-seal-broken`, `directory-unsound`.
pub fn kept(folder: &Path, entry: &InstanceEntry) -> Result<Option<Snapshot>, Problem> {
    let Ok(token) = std::fs::read_to_string(folder.join(file_name("directory", entry))) else {
        return Ok(None);
    };
    let hub = Anchor::read(&entry.anchor)?.certificate()?;
    snapshot::read(&token, &hub).map(Some)
}

/// The file in which a node keeps the directory of another instance, beside its own: `directory` and the
/// rest. By the anchor too: under another one nothing of before is believed.
fn file_name(stem: &str, entry: &InstanceEntry) -> String {
    let tag: String = entry.hash.hex().chars().take(16).collect();
    format!("{stem}-{}-{tag}.jws", entry.instance)
}

/// What is followed now, by the instances' names.
#[derive(Default)]
pub(crate) struct Others(RwLock<Arc<Vec<Arc<Followed>>>>);

/// Another instance that is trusted, and what this node holds of its directory.
pub struct Followed {
    /// How our directory names it.
    pub entry: InstanceEntry,
    /// Its anchor.
    pub anchor: Anchor,
    /// Its directory.
    pub directory: Directory,
    /// How an address is reached that begins with `https`, and any other.
    clients: (Client, Client),
}

impl std::fmt::Debug for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Followed({}, {:?})", self.entry.instance, self.directory)
    }
}

impl Followed {
    /// Opens what the node kept of it beside its own directory.
    async fn open(home: &Directory, entry: &InstanceEntry) -> Result<Self, Problem> {
        let anchor = Anchor::read(&entry.anchor)?;
        let own = &home.0.file;
        let stem = own
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("directory");
        let file = own.with_file_name(file_name(stem, entry));
        let (store, tenant) = (home.store().clone(), home.tenant().clone());
        let tls = web::tls::service_config(store.world(), &anchor.roots.concat(), None);
        let tls = Client::tls(tls.map_err(Problem::internal)?);
        let hub = anchor.certificate()?;
        let directory = Directory::open_one(store, tenant, hub, file, Some(entry.hash)).await?;
        Ok(Self {
            entry: entry.clone(),
            anchor,
            directory,
            clients: (tls, Client::plain()),
        })
    }

    /// Asks for its directory, at one address after the other: true when there is a new one.
    pub(crate) async fn ask(&self) -> Result<bool, String> {
        let mut told = String::new();
        for url in &self.anchor.urls {
            let client = if url.starts_with("https:") {
                &self.clients.0
            } else {
                &self.clients.1
            };
            match crate::follow::ask(&self.directory, client, &format!("{url}{PATH}")).await {
                Ok(new) => return Ok(new),
                Err(why) => told = format!("{url}: {why}"),
            }
        }
        Err(told)
    }

    /// True when this node holds what the instance's hub has signed.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.directory.snapshot().serial > 0
    }

    /// How long ago its hub confirmed what is held, in milliseconds; `None` before anything was.
    #[must_use]
    pub fn age(&self, now: Time) -> Option<i64> {
        self.is_known().then(|| self.directory.age(now).max(0))
    }
}

impl Directory {
    /// The instance of the exchange that this directory is of.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// The other instances that it trusts, by their names.
    #[must_use]
    pub fn others(&self) -> Arc<Vec<Arc<Followed>>> {
        let others = self.0.others.0.read();
        others.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another instance that it trusts.
    #[must_use]
    pub fn other(&self, instance: &str) -> Option<Arc<Followed>> {
        let others = self.others();
        others.iter().find(|o| o.entry.instance == instance).cloned()
    }

    /// True for our own instance, and for one that is trusted.
    #[must_use]
    pub fn knows(&self, instance: &str) -> bool {
        instance == self.instance() || self.other(instance).is_some()
    }

    /// The snapshot of an instance: our own, or that of one that is trusted and was heard of.
    #[must_use]
    pub fn snapshot_of(&self, instance: &str) -> Option<Arc<Snapshot>> {
        if instance == self.instance() {
            return Some(self.snapshot());
        }
        let other = self.other(instance)?;
        other.is_known().then(|| other.directory.snapshot())
    }

    /// The roots for an organisation's certificates and what is revoked: those of its own instance, beside
    /// what our hub has revoked. Nothing is trusted of an instance that is not.
    #[must_use]
    pub fn trust_of(&self, org: &OrgCode) -> Arc<Trust> {
        if org.instance() == self.instance() {
            return self.trust();
        }
        let Some(other) = self.other(org.instance()) else {
            return Arc::default();
        };
        let mut trust = (*other.directory.trust()).clone();
        trust.revoked.extend(self.trust().revoked.iter().copied());
        Arc::new(trust)
    }

    /// True when a certificate of an organisation or its node is good no more: its own instance says so,
    /// or our hub does. What another instance says of our certificates counts for nothing.
    #[must_use]
    pub fn is_revoked_of(&self, org: &OrgCode, thumbprint: &Digest) -> bool {
        self.is_revoked(thumbprint)
            || self
                .held_of(org)
                .is_some_and(|h| h.trust.revoked.contains(thumbprint))
    }

    /// Whether a TLS certificate (DER) is that of a node in good standing, here or of an instance that is
    /// trusted; for the latter the roots (DER) that it must lead to in the place of ours.
    ///
    /// # Errors
    /// `node-revoked` or `node-unknown`.
    pub fn node_roots(&self, der: &[u8]) -> Result<web::tls::Registered, String> {
        let thumbprint = Digest::of(der);
        if self.is_revoked(&thumbprint) {
            return Err("node-revoked".to_owned());
        }
        if self.held().node_of_certificate.contains_key(&thumbprint) {
            return Ok(web::tls::Registered::Ours);
        }
        self.node_of_another(&thumbprint).map(|(_, roots)| {
            let roots = roots.anchors.iter().map(|root| root.der().to_vec());
            web::tls::Registered::Under(roots.collect())
        })
    }

    /// The directory that speaks for an organisation.
    pub(crate) fn of(&self, org: &OrgCode) -> Option<Self> {
        if org.instance() == self.instance() {
            return Some(self.clone());
        }
        self.other(org.instance()).map(|other| other.directory.clone())
    }

    /// What is held of the instance that an organisation belongs to.
    pub(crate) fn held_of(&self, org: &OrgCode) -> Option<Arc<Held>> {
        if org.instance() == self.instance() {
            return Some(self.held());
        }
        self.other(org.instance()).map(|other| other.directory.held())
    }

    /// A node as this directory calls it: one of another instance carries the instance in front.
    pub(crate) fn called(&self, instance: &str, node: &NodeEntry) -> NodeEntry {
        let mut node = node.clone();
        if instance != self.instance() {
            node.id = format!("{instance}/{}", node.id);
        }
        node
    }

    /// The node of another instance that has a certificate, and the roots of that instance.
    pub(crate) fn node_of_another(&self, thumbprint: &Digest) -> Result<(String, Arc<Trust>), String> {
        for other in self.others().iter() {
            let held = other.directory.held();
            if let Some(node) = held.node_of_certificate.get(thumbprint) {
                if held.trust.revoked.contains(thumbprint) {
                    return Err("node-revoked".to_owned());
                }
                return Ok((
                    format!("{}/{node}", other.entry.instance),
                    Arc::clone(&held.trust),
                ));
            }
        }
        Err("node-unknown".to_owned())
    }

    /// Holds the directories of just those instances that our own names now. One that is named no more is
    /// gone at once; one that cannot be opened is tried again.
    pub(crate) async fn follow_what_is_trusted(&self) {
        let (entries, before) = (self.snapshot().instances.clone(), self.others());
        let same = |entry: &InstanceEntry, f: &Followed| entry.hash == f.entry.hash;
        let mut now: Vec<Arc<Followed>> = Vec::new();
        for entry in &entries {
            now.extend(before.iter().find(|f| same(entry, f)).cloned());
        }
        self.hold_others(now.clone());
        for entry in &entries {
            if now.iter().any(|f| same(entry, f)) {
                continue;
            }
            match Followed::open(self, entry).await {
                Ok(followed) => now.push(Arc::new(followed)),
                Err(problem) => {
                    tracing::error!(instance = entry.instance, %problem, "the instance cannot be followed");
                }
            }
        }
        now.sort_by(|a, b| a.entry.instance.cmp(&b.entry.instance));
        self.hold_others(now);
    }

    fn hold_others(&self, others: Vec<Arc<Followed>>) {
        let held = self.0.others.0.write();
        *held.unwrap_or_else(PoisonError::into_inner) = Arc::new(others);
    }

    /// Asks for the directories of the other instances, once.
    pub async fn ask_others(&self) -> Vec<(Arc<Followed>, Result<bool, String>)> {
        if self.others().len() != self.snapshot().instances.len() {
            self.follow_what_is_trusted().await;
        }
        let mut asked = tokio::task::JoinSet::new();
        for followed in self.others().iter().cloned() {
            asked.spawn(async move {
                let answer = followed.ask().await;
                (followed, answer)
            });
        }
        asked.join_all().await
    }
}
