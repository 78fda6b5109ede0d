//! The authorities' own lists of revoked certificates (CRL), read by the hub off every hot path: fetched within
//! bounds, checked, the last good one kept. What follows from them is said by the directory, so every node holds
//! the same at the same serial and no node asks an authority itself. Never takes a revocation back, and never
//! stops anything because an authority is away.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use kernel::{Actor, Digest, Problem, Time};
use seal::certificate::Certificate;
use seal::revocation::{ListFault, Listed, RevocationList};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use web::axum::body::Bytes;
use web::client::ClientError;
use web::{Client, http};

use crate::adopted::Directory;
use crate::authorities::{AuthorityEntry, ListRead, line};
use crate::hub::Hub;
use crate::snapshot::{self, Revoked, Snapshot};

/// Asks the authorities for their lists for as long as the hub runs.
pub fn follow_lists(hub: Hub, mut shutdown: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let every = hub.directory().store().limits().directory_list_every_ms;
        while !*shutdown.borrow() {
            if let Err(problem) = hub.read_lists().await {
                tracing::warn!(%problem, "what authorities have revoked is not in the directory yet; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(every)) => {}
                changed = shutdown.changed() => if changed.is_err() { return },
            }
        }
    })
}

/// What came of asking an authority for its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Time,
    /// Why nothing was taken up; none when it was.
    pub failure: Option<ListFailure>,
}

/// Why what an authority gave is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFailure {
    /// Nobody answered, or the connection broke.
    Unreachable,
    /// No whole answer in time.
    Slow,
    /// More than is read.
    Large,
    /// The answer was another than 200.
    Refused,
    /// What came cannot be used.
    Unfit(ListFault),
    /// What came is older than what counts.
    Older,
}

impl ListFailure {
    /// A short code, as texts and JSON have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Slow => "slow",
            Self::Large => "large",
            Self::Refused => "refused",
            Self::Unfit(fault) => fault.as_str(),
            Self::Older => "older",
        }
    }

    const fn of(cause: ClientError) -> Self {
        match cause {
            ClientError::TooLarge => Self::Large,
            ClientError::Timeout | ClientError::Silent | ClientError::Unsent => Self::Slow,
            ClientError::Connect | ClientError::Broken | ClientError::Nameless => Self::Unreachable,
        }
    }
}

/// How it stands with an authority's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// The directory says no address.
    None,
    /// An address, and nothing was read there yet.
    Unread,
    /// It counts.
    Good,
    /// It counts still, and its authority has promised a newer one by now.
    Overdue,
}

impl AuthorityEntry {
    /// How it stands with its list.
    #[must_use]
    pub fn state(&self, now: Time) -> ListState {
        match (&self.crl, &self.list) {
            (None, _) => ListState::None,
            (Some(_), None) => ListState::Unread,
            (Some(_), Some(list)) if list.next_update < now => ListState::Overdue,
            (Some(_), Some(_)) => ListState::Good,
        }
    }
}

impl Directory {
    /// What came of asking an authority last; none where nobody asks, which is everywhere but at the hub.
    #[must_use]
    pub fn asked(&self, authority: &Digest) -> Option<Asked> {
        let asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(authority).cloned()
    }

    fn note_asked(&self, authority: &AuthorityEntry, asked: Asked) {
        let mut all = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let source = authority.crl.as_deref().unwrap_or_default();
        let before = all.get(&authority.certificate).and_then(|before| before.failure);
        match (before, asked.failure) {
            (before, Some(why)) if before != Some(why) => {
                tracing::warn!(
                    source,
                    why = why.as_str(),
                    "an authority's list of revoked certificates is not taken up; the last good one counts"
                );
            }
            (Some(_), None) => tracing::info!(
                source,
                "an authority's list of revoked certificates is read again"
            ),
            _ => {}
        }
        all.insert(authority.certificate, asked);
    }
}

/// A list that counts, from where it was read.
#[derive(Clone)]
struct Held {
    url: String,
    list: Arc<RevocationList>,
}

/// The lists that count, by their authorities.
pub(crate) struct Kept(HashMap<Digest, Held>);

/// A list that counts, with whose it is.
pub(crate) struct ReadList {
    authority: Certificate,
    url: String,
    list: Arc<RevocationList>,
}

impl Kept {
    /// The lists that were kept before a restart.
    pub(crate) async fn open(directory: &Directory) -> Result<Self, Problem> {
        let (store, snapshot) = (directory.store(), directory.snapshot());
        let reader = store.read(directory.tenant()).await?;
        let mut kept = HashMap::new();
        for (thumbprint, url, hash) in crate::store::lists(&reader).await? {
            let Some(authority) = snapshot.authority_certificate(&thumbprint) else {
                continue;
            };
            // What is lost or damaged is asked for anew; what it revoked stays revoked.
            let bytes = store.blobs().get(&hash).await.unwrap_or_default();
            if let Ok(list) = RevocationList::read(&bytes, &authority) {
                let list = Arc::new(list);
                kept.insert(thumbprint, Held { url, list });
            }
        }
        Ok(Self(kept))
    }

    /// Asks all that have an address, at once; keeps what is good and newer.
    pub(crate) async fn ask(&mut self, directory: &Directory) -> Result<(), Problem> {
        let snapshot = directory.snapshot();
        let roots = snapshot.anchors.concat();
        let (store, mut asking) = (directory.store(), JoinSet::new());
        let limits = store.limits();
        let (ms_max, bytes_max) = (limits.directory_list_ms_max, limits.directory_list_bytes_max);
        for entry in &snapshot.authorities {
            let (Some(url), Some(authority)) = (
                entry.crl.clone(),
                snapshot.authority_certificate(&entry.certificate),
            ) else {
                continue;
            };
            let client = client(&url, &roots, directory)?;
            let (entry, now) = (entry.clone(), store.world().now());
            let skew_ms = limits.clock_skew_ms_max;
            asking.spawn(async move {
                let answer = fetch(&client, &url, ms_max, bytes_max).await;
                let read = answer.and_then(|bytes| {
                    let list = RevocationList::read(&bytes, &authority).map_err(ListFailure::Unfit)?;
                    list.counts_at(now, skew_ms).map_err(ListFailure::Unfit)?;
                    Ok((list, bytes))
                });
                (entry, url, read)
            });
        }
        for (entry, url, read) in asking.join_all().await {
            let read = read.and_then(|(list, bytes)| self.newer(&entry, &url, list).map(|new| (new, bytes)));
            let failure = match read {
                Ok((Some(list), bytes)) => {
                    keep(directory, &entry, &url, &bytes).await?;
                    self.0.insert(
                        entry.certificate,
                        Held {
                            url,
                            list: Arc::new(list),
                        },
                    );
                    None
                }
                Ok((None, _)) => None,
                Err(failure) => Some(failure),
            };
            let at = store.world().now();
            directory.note_asked(&entry, Asked { at, failure });
        }
        Ok(())
    }

    /// A list when it is another than the one that counts; it must not be older.
    fn newer(
        &self,
        entry: &AuthorityEntry,
        url: &str,
        list: RevocationList,
    ) -> Result<Option<RevocationList>, ListFailure> {
        // What the directory says was read holds also where the list itself was lost.
        let known = entry.list.as_ref().map(|list| list.this_update);
        let held = self.0.get(&entry.certificate);
        let newest = held.map(|held| held.list.this_update).max(known);
        if newest.is_some_and(|newest| list.this_update < newest) {
            return Err(ListFailure::Older);
        }
        let same = held.is_some_and(|held| held.url == url && held.list.digest == list.digest);
        Ok((!same).then_some(list))
    }

    /// The lists of the authorities that a directory names an address of.
    pub(crate) fn lists(&self, snapshot: &Snapshot) -> Vec<ReadList> {
        let of = |entry: &AuthorityEntry| {
            let held = self.0.get(&entry.certificate)?;
            (entry.crl.as_ref() == Some(&held.url)).then_some(())?;
            Some(ReadList {
                authority: snapshot.authority_certificate(&entry.certificate)?,
                url: held.url.clone(),
                list: Arc::clone(&held.list),
            })
        };
        snapshot.authorities.iter().filter_map(of).collect()
    }
}

/// How an address is reached: HTTP, because a list vouches for itself, or HTTPS with a certificate of our roots.
fn client(url: &str, roots: &str, directory: &Directory) -> Result<Client, Problem> {
    if !url.starts_with("https:") {
        return Ok(Client::plain());
    }
    let tls = web::tls::service_config(directory.store().world(), roots, None);
    tls.map(Client::tls).map_err(Problem::internal)
}

async fn fetch(client: &Client, url: &str, ms_max: u64, bytes_max: usize) -> Result<Bytes, ListFailure> {
    let request = http::Request::get(url).body(Bytes::new());
    let request = request.map_err(|_| ListFailure::Unreachable)?;
    let answer = client
        .send(request, ms_max, bytes_max)
        .await
        .map_err(ListFailure::of)?;
    if answer.status() == http::StatusCode::OK {
        Ok(answer.into_body())
    } else {
        Err(ListFailure::Refused)
    }
}

async fn keep(directory: &Directory, entry: &AuthorityEntry, url: &str, bytes: &[u8]) -> Result<(), Problem> {
    let store = directory.store();
    let (authority, hash) = (entry.certificate, store.blobs().put(bytes).await?);
    store
        .write(directory.tenant(), &Actor::Platform, |tx| async move {
            crate::store::keep_list(&tx, &authority, url, &hash).await
        })
        .await
}

/// What lists say of a certificate, or of one of those above it: the list's address, since when and why.
fn find(lists: &[ReadList], issuer: &Digest, serial: &str) -> Option<(String, Listed)> {
    lists.iter().find_map(|read| {
        (read.authority.subject_digest() == *issuer).then_some(())?;
        Some((read.url.clone(), read.list.find(serial)?))
    })
}

/// The first of a line that is revoked: its place, the list's address, since when and why.
fn find_in_line(lists: &[ReadList], line: &[Certificate]) -> Option<(usize, String, Listed)> {
    line.iter().enumerate().find_map(|(place, one)| {
        let (url, listed) = find(lists, &one.issuer_digest(), &one.serial_hex())?;
        Some((place, url, listed))
    })
}

/// Says in a directory which lists count and what stands on them: certificates of seals and nodes, and those
/// whose authority stands on one. Gives what was not revoked before, and where the hub's own seal stands, which
/// the hub cannot revoke: nodes were told of it outside the directory.
pub(crate) fn apply(
    s: &mut Snapshot,
    lists: &[ReadList],
    own: &Digest,
    now: Time,
) -> (Vec<Digest>, Option<String>) {
    for entry in &mut s.authorities {
        let of = |read: &&ReadList| read.authority.thumbprint() == entry.certificate;
        if let Some(read) = lists.iter().find(of) {
            entry.list = Some(ListRead {
                digest: read.list.digest,
                number: read.list.number.clone(),
                this_update: read.list.this_update,
                next_update: read.list.next_update,
                listed: read.list.len(),
            });
        }
    }
    let (mut found, mut is_own) = (Vec::new(), None);
    for (thumbprint, (url, listed, below)) in standing_on(s, lists) {
        if thumbprint == *own {
            is_own = Some(url);
        } else if !s.revoked.iter().any(|r| r.thumbprint == thumbprint) {
            found.push(thumbprint);
            s.revoked.push(Revoked {
                thumbprint,
                at: listed.at.min(now),
                reason: if below {
                    format!("issuer: {}", listed.reason)
                } else {
                    listed.reason.to_owned()
                },
                source: Some(url),
            });
        }
    }
    (found, is_own)
}

/// Where a certificate stands, since when and why, and whether it is its authority that does.
type Place = (String, Listed, bool);

fn standing_on(s: &Snapshot, lists: &[ReadList]) -> Vec<(Digest, Place)> {
    let mut all = Vec::new();
    if lists.is_empty() {
        return all;
    }
    let between = s.between();
    let pems = s.members.iter().map(|m| m.certificate_pem.as_str());
    let further = s.members.iter().flat_map(|m| s.further_of_seal(&m.org));
    for pem in pems.chain(further) {
        let Ok((leaf, mut above)) = snapshot::chain(pem) else {
            continue;
        };
        above.extend(between.iter().cloned());
        let line = line(&leaf, &above);
        if let Some((place, url, listed)) = find_in_line(lists, &line) {
            let bad = line.get(place).map(Certificate::thumbprint);
            all.extend(bad.map(|bad| (bad, (url.clone(), listed, false))));
            if place > 0 {
                all.push((leaf.thumbprint(), (url, listed, true)));
            }
        }
    }
    for one in &between {
        let line = line(one, &between);
        if let Some((place, url, listed)) = find_in_line(lists, &line) {
            all.push((one.thumbprint(), (url, listed, place > 0)));
        }
    }
    for node in &s.node_certificates {
        let direct = node.by.iter().enumerate().find_map(|(place, by)| {
            let (url, listed) = find(lists, &by.issuer, &by.serial)?;
            Some((url, listed, place > 0))
        });
        let above = || {
            let last = node.by.last()?;
            let over = between.iter().find(|one| one.subject_digest() == last.issuer)?;
            let (_, url, listed) = find_in_line(lists, &line(over, &between))?;
            Some((url, listed, true))
        };
        all.extend(direct.or_else(above).map(|place| (node.certificate, place)));
    }
    all
}

#[cfg(test)]
mod tests;
