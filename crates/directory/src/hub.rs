//! The hub: the one place that signs new snapshots. Never lets a revocation or an approved change
//! vanish: what was said once is said whatever is published afterwards.

use std::sync::Arc;

use ::store::Tx;
use kernel::{Actor, Digest, Fact, Kind, Problem};
use seal::key::Identity;

use crate::adopted::Directory;
use crate::anchor::Anchor;
use crate::lists::{Kept, ReadList};
use crate::registration::change::Change;
use crate::snapshot::{Revoked, Snapshot};

/// Length of a reason for a revocation, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Publishes the directory; cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    directory: Directory,
    seal: Identity,
    /// One publication at a time, so that each builds on the one before.
    publishing: tokio::sync::Mutex<()>,
    /// The authorities' lists of revoked certificates that count; none before the first look.
    lists: tokio::sync::Mutex<Option<Kept>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hub({:?})", self.0.directory)
    }
}

impl Hub {
    /// Opens the hub over its own node's directory, and takes up what it published last.
    ///
    /// # Errors
    /// When the store cannot be read, or the last publication is not this hub's.
    pub async fn open(directory: Directory, seal: Identity) -> Result<Self, Problem> {
        let reader = directory.store().read(directory.tenant()).await?;
        // A newer one may lie in the node's folder: the addresses of a nation on one machine are
        // signed anew before its hub is opened.
        if let Some((serial, token)) = crate::store::newest_published(&reader).await?
            && serial > directory.snapshot().serial
        {
            directory.adopt(&token).await?;
        }
        drop(reader);
        directory.sign_heads(seal.clone());
        Ok(Self(Arc::new(Inner {
            directory,
            seal,
            publishing: tokio::sync::Mutex::new(()),
            lists: tokio::sync::Mutex::new(None),
        })))
    }

    /// The directory of the hub's own node.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// The key of the hub's seal.
    pub(crate) fn key(&self) -> &seal::SigningKey {
        &self.0.seal.key
    }

    /// The anchor of this instance, by which the hub of another one trusts it; `urls` is where its
    /// directory is asked for. Gives it with its signed form.
    ///
    /// # Errors
    /// 503 `directory-empty` before the first publication.
    pub fn anchor(&self, urls: Vec<String>) -> Result<(Anchor, String), Problem> {
        let snapshot = self.0.directory.snapshot();
        if snapshot.serial == 0 {
            return Err(Problem::new(Kind::Unavailable, "directory-empty"));
        }
        let anchor = Anchor::of(&snapshot, &self.0.seal, urls);
        let token = anchor.sign(&self.0.seal)?;
        Ok((anchor, token))
    }

    /// Publishes what `wanted` says under the next serial, and gives the signed form. Serial and
    /// time of `wanted` are not used; when nothing new is said, the last form is given again. What was
    /// changed by the hub's operators since goes before what `wanted` says.
    ///
    /// # Errors
    /// 422 `directory-unsound`; the store's refusals.
    pub async fn publish(&self, wanted: &Snapshot) -> Result<String, Problem> {
        let _turn = self.0.publishing.lock().await;
        let (mut next, directory) = (wanted.clone(), &self.0.directory);
        keep_revoked(&mut next, &directory.snapshot());
        let now = directory.store().world().now();
        let reader = directory.store().read(directory.tenant()).await?;
        for change in crate::registration::store::changes(&reader).await? {
            // One that is said by now, or about what is gone, has nothing left to do.
            let mut changed = next.clone();
            if change.apply(&mut changed, now).is_ok() {
                next = changed;
            }
        }
        drop(reader);
        self.publish_in_turn(&Actor::Platform, next, &Also::Nothing).await
    }

    /// Makes one change and publishes it at once; `with` says what is written in the same breath.
    ///
    /// # Errors
    /// Those of [`Change::apply`]; 422 `directory-unsound`; the store's refusals.
    pub(crate) async fn enact(
        &self,
        actor: &Actor,
        change: &Change,
        with: impl Fn(u64) -> Result<Also, Problem>,
    ) -> Result<u64, Problem> {
        let _turn = self.0.publishing.lock().await;
        let current = self.0.directory.snapshot();
        let mut next = (*current).clone();
        change.apply(&mut next, self.0.directory.store().world().now())?;
        if next.says_the_same(&current) {
            return Err(Problem::new(Kind::Conflict, "directory-there"));
        }
        let serial = current.serial + 1;
        self.publish_in_turn(actor, next, &with(serial)?).await?;
        Ok(serial)
    }

    /// Revokes a certificate under a new serial. A certificate that is revoked already stays as it
    /// is.
    ///
    /// # Errors
    /// 422 `reason-missing`; 409 `directory-own-seal` for the hub's own seal.
    pub async fn revoke(
        &self,
        actor: &Actor,
        thumbprint: Digest,
        reason: &str,
    ) -> Result<Arc<Snapshot>, Problem> {
        let reason = kernel::text::clean(reason);
        if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
            return Err(Problem::invalid("reason", "reason-missing").with("max", REASON_CHARS_MAX));
        }
        if thumbprint == self.0.seal.certificate.thumbprint() {
            return Err(Problem::new(Kind::Conflict, "directory-own-seal"));
        }
        let _turn = self.0.publishing.lock().await;
        if !self.0.directory.is_revoked(&thumbprint) {
            let mut next = (*self.0.directory.snapshot()).clone();
            next.revoked.push(Revoked {
                thumbprint,
                at: self.0.directory.store().world().now(),
                reason,
                source: None,
            });
            // Facts carry no free words: why, is in the directory itself.
            let fact = Fact::CertificateRevoked {
                thumbprint,
                reason: String::new(),
            };
            let also = Also::Fact {
                subject: format!("certificate/{thumbprint}"),
                fact: Box::new(fact),
            };
            self.publish_in_turn(actor, next, &also).await?;
        }
        Ok(self.0.directory.snapshot())
    }

    /// Asks every authority for its list, checks what comes and publishes what follows from it: which list
    /// counts, and which certificates of members and nodes stand on one. Gives how many were found. An authority
    /// that is away or gives nothing usable changes nothing: its last good list counts.
    ///
    /// # Errors
    /// The store's refusals; those of a publication.
    pub async fn read_lists(&self) -> Result<usize, Problem> {
        let mut kept = self.0.lists.lock().await;
        let directory = &self.0.directory;
        if kept.is_none() {
            *kept = Some(Kept::open(directory).await?);
        }
        let Some(kept) = kept.as_mut() else {
            return Ok(0);
        };
        kept.ask(directory).await?;
        let _turn = self.0.publishing.lock().await;
        let current = directory.snapshot();
        let mut next = (*current).clone();
        let own = self.0.seal.certificate.thumbprint();
        let now = directory.store().world().now();
        let lists: Vec<ReadList> = kept.lists(&current);
        let (found, is_own) = crate::lists::apply(&mut next, &lists, &own, now);
        if let Some(source) = is_own {
            tracing::error!(
                source,
                "the hub's own seal is revoked by its authority: give the nodes another one"
            );
        }
        if next.says_the_same(&current) {
            return Ok(0);
        }
        let count = found.len();
        self.publish_in_turn(&Actor::Platform, next, &Also::Revoked(found))
            .await?;
        Ok(count)
    }

    async fn publish_in_turn(
        &self,
        actor: &Actor,
        mut next: Snapshot,
        also: &Also,
    ) -> Result<String, Problem> {
        let Inner { directory, seal, .. } = &*self.0;
        let current = directory.snapshot();
        keep_revoked(&mut next, &current);
        keep_since(&mut next, &current);
        next.keep_known(&current);
        if current.serial > 0 && next.says_the_same(&current) {
            return Ok(directory.token().0.to_string());
        }
        next.serial = current.serial + 1;
        next.issued = directory.store().world().now();
        next.check()?;
        let token = next.sign(seal)?;
        let (serial, hash) = (next.serial, Digest::of(token.as_bytes()));
        let text = &token;
        directory
            .store()
            .write(directory.tenant(), actor, |tx| async move {
                crate::store::keep_published(&tx, serial, &hash, text).await?;
                also.write(&tx).await?;
                let fact = Fact::DirectoryPublished { serial, hash };
                tx.fact(&format!("directory/{serial}"), fact).await
            })
            .await?;
        directory.adopt(&token).await?;
        Ok(token)
    }
}

/// What was revoked stays revoked.
fn keep_revoked(next: &mut Snapshot, current: &Snapshot) {
    for revoked in &current.revoked {
        if !next.revoked.iter().any(|r| r.thumbprint == revoked.thumbprint) {
            next.revoked.push(revoked.clone());
        }
    }
    next.revoked.sort_by_key(|r| (r.at, r.thumbprint));
}

/// An instance is trusted since it was, also when what was approved is made again at a start.
fn keep_since(next: &mut Snapshot, current: &Snapshot) {
    for entry in &mut next.instances {
        if let Some(before) = current.instances.iter().find(|e| e.hash == entry.hash) {
            entry.since = before.since;
        }
    }
    for entry in &mut next.disabled {
        if let Some(before) = current.disabled_member(&entry.org) {
            entry.since = before.since;
        }
    }
}

/// What is written together with a publication.
pub(crate) enum Also {
    /// Nothing.
    Nothing,
    /// A fact.
    Fact {
        /// What it is about.
        subject: String,
        /// The fact.
        fact: Box<Fact>,
    },
    /// That certificates were found on their authorities' lists.
    Revoked(Vec<Digest>),
    /// A change of the hub's own operators, or one that they approved.
    Change(Box<crate::registration::Enacted>),
}

impl Also {
    async fn write(&self, tx: &Tx) -> Result<(), Problem> {
        match self {
            Self::Nothing => Ok(()),
            Self::Fact { subject, fact } => tx.fact(subject, (**fact).clone()).await.map(drop),
            Self::Revoked(found) => {
                for thumbprint in found {
                    let fact = Fact::CertificateRevoked {
                        thumbprint: *thumbprint,
                        reason: String::new(),
                    };
                    tx.fact(&format!("certificate/{thumbprint}"), fact).await?;
                }
                Ok(())
            }
            Self::Change(enacted) => enacted.write(tx).await,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    /// A hub over a new store.
    pub(crate) async fn hub(temp: &testkit::TempStore, nation: &Nation) -> Hub {
        let tenant = "G22".parse().expect("a code");
        let file = temp.dir.path().join("hub.jws");
        let anchor = nation.hub.certificate.clone();
        let directory = Directory::open(temp.store.clone(), tenant, anchor, file)
            .await
            .expect("open");
        Hub::open(directory, nation.hub.clone()).await.expect("open")
    }

    #[tokio::test]
    async fn what_is_published_twice_gets_one_serial() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let hub = hub(&temp, &nation).await;
        let first = hub.publish(&nation.snapshot(0)).await.expect("published");
        let again = hub.publish(&nation.snapshot(0)).await.expect("published");
        assert_eq!(first, again);
        let mut moved = nation.snapshot(0);
        moved.nodes[0].peer = "127.0.0.1:1".to_owned();
        hub.publish(&moved).await.expect("published");
        assert_eq!(hub.directory().snapshot().serial, 2);
    }

    #[tokio::test]
    async fn a_revocation_outlives_every_later_publication_and_a_restart() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let thumbprint = nation.node.certificate.thumbprint();
        let first = hub(&temp, &nation).await;
        first.publish(&nation.snapshot(0)).await.expect("published");
        let operator = Actor::Official("operator-1".to_owned());
        let told = first
            .revoke(&operator, thumbprint, "mất khóa")
            .await
            .expect("revoked");
        assert_eq!((told.serial, told.revoked.len()), (2, 1));
        let told = first
            .revoke(&operator, thumbprint, "mất khóa")
            .await
            .expect("revoked");
        assert_eq!(told.serial, 2, "once is enough");
        // The node lost its file: the hub's own row brings it back.
        std::fs::remove_file(temp.dir.path().join("hub.jws")).expect("removed");
        let second = hub(&temp, &nation).await;
        second.publish(&nation.snapshot(0)).await.expect("published");
        assert!(second.directory().is_revoked(&thumbprint));
        assert_eq!(second.directory().snapshot().serial, 2);
        let tenant = "G22".parse().expect("a code");
        let subject = format!("certificate/{thumbprint}");
        let facts = temp.store.facts_of(&tenant, &subject).await.expect("read");
        assert_eq!((facts.len(), &facts[0].actor), (1, &operator));
    }

    #[tokio::test]
    async fn a_revocation_needs_a_reason_and_cannot_end_the_hub() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let hub = hub(&temp, &nation).await;
        hub.publish(&nation.snapshot(0)).await.expect("published");
        let refused =
            |answer: Result<_, Problem>| answer.map(|_: Arc<Snapshot>| ()).expect_err("refused").code;
        let thumbprint = nation.node.certificate.thumbprint();
        assert_eq!(
            refused(hub.revoke(&Actor::Platform, thumbprint, " ").await),
            "reason-missing"
        );
        let own = nation.hub.certificate.thumbprint();
        assert_eq!(
            refused(hub.revoke(&Actor::Platform, own, "x").await),
            "directory-own-seal"
        );
        assert_eq!(hub.directory().snapshot().serial, 1);
    }

    #[tokio::test]
    async fn an_unsound_directory_is_not_published() {
        let (temp, nation) = (testkit::store(&[crate::MIGRATIONS]).await, Nation::new());
        let hub = hub(&temp, &nation).await;
        let mut bad = nation.snapshot(0);
        bad.members[0].node = "nowhere".to_owned();
        let refused = hub.publish(&bad).await.expect_err("refused");
        assert_eq!(refused.code, "directory-unsound");
        assert_eq!(hub.directory().snapshot().serial, 0);
    }
}
