//! What may leave a node's live log: its archives read again and checked, and held against the retention
//! classes of the pack. Looks only: a span leaves by the node itself, see [`order`].

pub mod daily;
pub mod order;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use exchange::envelope::{self, Evidence};
use exchange::message::{NO_AGREEMENT, RequestHead};
use exchange::retention::{Kept, Retention};
use exchange::{Leaving, STREAM};
use kernel::{Digest, Time, World};
use seal::certificate::Trust;
use seal::verdict::Indication;
use serde_json::{Value, json};

use super::Shelf;
use super::archive::{Archive, listed, roots};
use crate::backup::site::NodeAt;

/// What a look at the archives of a node found.
#[derive(Debug)]
pub struct Look {
    /// The node's name; empty when the data folder is its own.
    pub node: String,
    /// The position of the first record that the live log has.
    pub live_from: u64,
    /// Archived spans that are in the live log still, in their order.
    pub spans: Vec<Span>,
    /// The first archive that cannot be relied on, and why: nothing of it or behind it leaves.
    pub refused: Option<(String, String)>,
}

/// An archived span.
#[derive(Clone, Debug)]
pub struct Span {
    /// What would leave.
    pub leaving: Leaving,
    /// When its first exchange began.
    pub oldest: Time,
    /// When its last one ended.
    pub newest: Time,
    /// From when on it may leave; none while its class keeps it for good.
    pub from: Option<Time>,
    /// Why it does not leave now; none when it does.
    pub held: Option<Held>,
}

/// Why a span does not leave now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Its class keeps it for good.
    ForGood,
    /// Its class keeps it until a later day.
    ByClass,
    /// It is not in whole blocks of the node's index yet.
    ByIndex,
    /// One in front of it does not leave.
    ByTheOneBefore,
}

impl Look {
    /// The spans that leave now.
    #[must_use]
    pub fn leaving(&self) -> Vec<Leaving> {
        let free = self.spans.iter().take_while(|span| span.held.is_none());
        free.map(|span| span.leaving.clone()).collect()
    }
}

/// Looks at the archives of a node: each one that is in the live log still is read, checked as `sen verify`
/// does, found to go on where the one before it ended and to be of this very log, and held against its class.
///
/// # Errors
/// When the folder or the node's rows cannot be read.
pub async fn look(
    shelf: &Shelf,
    node: &NodeAt,
    folder: &Path,
    (retention, trust): (&Retention, &Trust),
    world: &World,
) -> anyhow::Result<Look> {
    let now = world.now();
    let live_from = shelf.evidence.live_from().await?;
    let signed = roots(&node.folder.join("logs").join(STREAM))?;
    let mut found = Look {
        node: shelf.node.clone(),
        live_from,
        spans: Vec::new(),
        refused: None,
    };
    let (mut next, mut previous) = (live_from, None);
    let mut classes = Classes::of(shelf, retention, now);
    for file in listed(folder)? {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if end_of(&name).is_some_and(|end| end <= live_from) {
            continue;
        }
        let bytes = std::fs::read(&file)?;
        let refused = |why: &str| Some((name.clone(), why.to_owned()));
        let verdict = crate::verify::archive::verify(&bytes, trust, now);
        if verdict.indication == Indication::TotalFailed {
            found.refused = refused(&crate::verify::as_text(&verdict));
            break;
        }
        let Ok(archive) = Archive::read(&bytes) else {
            found.refused = refused("FORMAT_FAILURE");
            break;
        };
        let manifest = &archive.manifest;
        let named = manifest.previous.as_ref().map(|before| before.sha256);
        if manifest.first != next || previous.is_some_and(|digest| named != Some(digest)) {
            found.refused = refused("it does not go on where what has left, or the archive before it, ended");
            break;
        }
        let root = archive.after()?.root();
        if !signed
            .iter()
            .any(|(said, _)| said.size == manifest.next && said.root == root)
        {
            found.refused = refused("it is not of this node's log");
            break;
        }
        let digest = Digest::of(&bytes);
        let mut span = classes.span(&archive, (name, digest, bytes.len() as u64)).await?;
        span.held = held(&span, found.spans.last(), shelf, now);
        (next, previous) = (span.leaving.next, Some(digest));
        found.spans.push(span);
    }
    Ok(found)
}

/// The end that an archive's name says.
fn end_of(name: &str) -> Option<u64> {
    name.strip_suffix(".archive")?.rsplit('-').next()?.parse().ok()
}

fn held(span: &Span, before: Option<&Span>, shelf: &Shelf, now: Time) -> Option<Held> {
    match span.from {
        None => Some(Held::ForGood),
        Some(from) if from > now => Some(Held::ByClass),
        Some(_) if before.is_some_and(|before| before.held.is_some()) => Some(Held::ByTheOneBefore),
        Some(_) if shelf.evidence.indexed_to() < span.leaving.next => Some(Held::ByIndex),
        Some(_) => None,
    }
}

/// Which class records are of; agreements are looked up once.
struct Classes<'a> {
    shelf: &'a Shelf,
    retention: &'a Retention,
    now: Time,
    bases: HashMap<Digest, Option<String>>,
}

impl<'a> Classes<'a> {
    fn of(shelf: &'a Shelf, retention: &'a Retention, now: Time) -> Self {
        Self {
            shelf,
            retention,
            now,
            bases: HashMap::new(),
        }
    }

    /// An archive's span, with the class that holds its records longest.
    async fn span(
        &mut self,
        archive: &Archive,
        (file, sha256, bytes): (String, Digest, u64),
    ) -> anyhow::Result<Span> {
        let records = archive.records();
        let records = records.map_err(|(at, why)| anyhow::anyhow!("record {at}: {why}"))?;
        let (mut kept, mut oldest, mut newest): (Option<Kept>, _, _) = (None, i64::MAX, i64::MIN);
        let mut seen: HashSet<(String, Digest)> = HashSet::new();
        for (_, bytes) in &records {
            let record: Evidence = envelope::read(bytes)?;
            let head = RequestHead::parse(&record.request.head)?;
            (oldest, newest) = (oldest.min(record.began), newest.max(record.ended));
            if seen.insert((head.service.to_string(), head.agreement)) {
                let basis = self.basis(&head.agreement).await?;
                let own = self
                    .retention
                    .of(&head.service, basis.as_deref(), self.now.date());
                kept = Some(match kept {
                    Some(before) => before.longest(own),
                    None => own,
                });
            }
        }
        let kept = kept.unwrap_or(Kept {
            class: String::new(),
            live_days: None,
            archive_days: None,
        });
        let newest = Time(newest);
        Ok(Span {
            from: kept.live_until(newest),
            leaving: Leaving {
                first: archive.manifest.first,
                next: archive.manifest.next,
                file,
                sha256,
                bytes,
                keep_until: kept.archive_until(newest),
                class: kept.class,
            },
            oldest: Time(oldest),
            newest,
            held: None,
        })
    }

    /// An agreement's legal basis; none of an agreement that the node does not hold any more.
    async fn basis(&mut self, agreement: &Digest) -> anyhow::Result<Option<String>> {
        if *agreement == NO_AGREEMENT {
            return Ok(Some(String::new()));
        }
        if let Some(known) = self.bases.get(agreement) {
            return Ok(known.clone());
        }
        let held = self.shelf.evidence.agreement(agreement).await?;
        let basis = held.map(|held| held.agreement.legal_basis);
        self.bases.insert(*agreement, basis.clone());
        Ok(basis)
    }
}

/// What a look found, as a table.
#[must_use]
pub fn as_text(look: &Look) -> String {
    let day = |at: Time| kernel::time::iso(at.date());
    let mut text = format!(
        "{:<66} {:>9} {:>10} {:<10} {:<10} {:<16} LEAVES\n",
        "ARCHIVE", "RECORDS", "KB", "OLDEST", "NEWEST", "CLASS"
    );
    for span in &look.spans {
        let it = &span.leaving;
        let leaves = match (span.held, span.from) {
            (None, _) => "now".to_owned(),
            (Some(Held::ByClass), Some(from)) => format!("from {} on", day(from)),
            (Some(Held::ByIndex), _) => "when its block of the index is whole".to_owned(),
            (Some(Held::ByTheOneBefore), _) => "behind the one before it".to_owned(),
            (Some(_), _) => "never: kept for good".to_owned(),
        };
        text.push_str(&format!(
            "{:<66} {:>9} {:>10} {:<10} {:<10} {:<16} {leaves}\n",
            it.file,
            it.next - it.first,
            it.bytes.div_ceil(1_024),
            day(span.oldest),
            day(span.newest),
            it.class,
        ));
    }
    if let Some((file, why)) = &look.refused {
        text.push_str(&format!(
            "{file} cannot be relied on, and nothing of it or behind it leaves: {}\n",
            why.trim()
        ));
    }
    let leaving = look.leaving();
    let records: u64 = leaving.iter().map(|span| span.next - span.first).sum();
    text.push_str(&format!(
        "The live log begins at {}; {records} records of {} archives may leave it now.\n",
        look.live_from,
        leaving.len()
    ));
    text
}

/// The same as JSON.
#[must_use]
pub fn as_json(look: &Look) -> Value {
    let spans = look.spans.iter().map(|span| {
        json!({
            "archive": span.leaving,
            "oldest": span.oldest.rfc3339(),
            "newest": span.newest.rfc3339(),
            "from": span.from.map(Time::rfc3339),
            "held": span.held.map(|held| match held {
                Held::ForGood => "for-good",
                Held::ByClass => "by-class",
                Held::ByIndex => "by-index",
                Held::ByTheOneBefore => "by-the-one-before",
            }),
        })
    });
    json!({
        "node": look.node,
        "live_from": look.live_from,
        "spans": spans.collect::<Vec<_>>(),
        "refused": look.refused.as_ref().map(|(file, why)| json!({"file": file, "why": why})),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_archive_says_where_it_ends() {
        let name = format!("{STREAM}-{:020}-{:020}.archive", 0, 4_100);
        assert_eq!(end_of(&name), Some(4_100));
        assert_eq!(end_of("evidence-0-x.archive"), None);
        assert_eq!(end_of("other"), None);
    }
}
