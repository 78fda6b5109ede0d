//! The evidence of a node read beside it, whether it runs or not: searched and taken away as containers
//! from its rows, its log and its blobs. Never writes, and asks no other node.

use std::path::Path;

use async_trait::async_trait;
use kernel::{Digest, Kind, OrgCode, Problem, Tenant};
use seal::certificate::Certificate;
use store::log::beside::Beside as Log;
use store::{Blobs, Database, Reader, StoreError};

use super::search::{EvidenceFound, Search};
use super::shelf::{Shelf, Source};
use crate::agreement::SignedAgreement;
use crate::envelope::Kept;
use crate::export::Which;
use crate::gateway::STREAM;
use crate::index::{self, Indexed, Look, Tail};
use crate::left;
use crate::life::store as agreements;
use crate::record;
use crate::traffic;

/// Records of the log read at a time, count.
const STEP: usize = 2_000;

/// Records that may be in no block yet, count: what is written while a follower is behind.
const UNINDEXED_MAX: u64 = 1 << 18;

/// A node's evidence, opened beside it.
pub struct Beside(Place);

struct Place {
    reader: Reader,
    /// The organisations of the node.
    tenants: Vec<Tenant>,
    /// What was in no block when it was opened.
    tail: Tail,
    log: Log,
    blobs: Blobs,
}

/// A timestamp over a span of the evidence log.
#[derive(Clone, Debug)]
pub struct Stamped {
    /// The span's first position.
    pub first: u64,
    /// The position behind its last.
    pub next: u64,
    /// The RFC 3161 token.
    pub token: Vec<u8>,
    /// The checkpoint that it covers too.
    pub checkpoint: String,
    /// The hash of the signed directory that was in force then; none of an earlier release.
    pub directory: Option<Digest>,
    /// What its hash chain is over: the digests of the span's signature files, then of the checkpoint and, since
    /// releases that do so, of the signed directory.
    pub leaves: Vec<Digest>,
}

/// Containers of many exchanges, one after the other: what neighbours share is computed once.
pub struct Containers<'a>(Shelf<'a>);

impl Beside {
    /// Opens the evidence of a node by its rows, its folder and the organisations that it hosts.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn open(database: &Database, folder: &Path, tenants: &[Tenant]) -> Result<Self, Problem> {
        let bad = |e: StoreError| Problem::internal(e);
        let mut home = None;
        for tenant in tenants {
            let reader = store::check::reader(database, tenant).await.map_err(bad)?;
            // One of them is the home, which holds the rows of all.
            let has = traffic::any(&reader).await?;
            if has || home.is_none() {
                home = Some(reader);
            }
            if has {
                break;
            }
        }
        let log = Log::open(database, &folder.join("logs"), STREAM)
            .await
            .map_err(bad)?;
        let reader = home.ok_or_else(|| Problem::internal("a node hosts an organisation"))?;
        let mut tail = Tail::behind(index::blocks(&reader).await?);
        let first = tail.next();
        loop {
            let records = log.read(tail.next(), STEP).await?;
            let Some((last, _)) = records.last() else { break };
            let next = last + 1;
            if next - first > UNINDEXED_MAX {
                // A node that runs makes the index of a long log anew in some minutes.
                return Err(Problem::new(Kind::Unavailable, "index-behind")
                    .with("done", first)
                    .with("of", next));
            }
            let entries = record::entries(&records)?;
            tail.take(record::exchanges(entries), next);
        }
        Ok(Self(Place {
            reader,
            tenants: tenants.to_vec(),
            tail,
            log,
            blobs: Blobs::beside(&folder.join("blobs")),
        }))
    }

    /// A page of what a search finds.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn search(&self, search: &Search, rows_max: usize) -> Result<EvidenceFound, Problem> {
        let mut found = search.run(&self.look(), rows_max).await?;
        let first = self.live_from().await?;
        found.archives = left::archives_of(&self.0.reader, first, &found.exchanges).await?;
        Ok(found)
    }

    /// The sides this node has of an exchange.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn find(&self, request: &str) -> Result<Vec<Indexed>, Problem> {
        self.look().request(request).await
    }

    /// The position up to which the records were in whole blocks of the index when this was opened.
    #[must_use]
    pub const fn indexed_to(&self) -> u64 {
        self.0.tail.first()
    }

    /// The position of the first record that the live log has.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn live_from(&self) -> Result<u64, Problem> {
        self.0.log.first().await
    }

    /// That an exchange's record has left the live log, with its archive file; none while it is there.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn archived(&self, exchange: &Indexed) -> Result<Option<Problem>, Problem> {
        if exchange.position >= self.live_from().await? {
            return Ok(None);
        }
        let archive = left::archive_of(&self.0.reader, exchange.position).await?;
        Ok(archive.map(|archive| archive.problem(&exchange.request)))
    }

    /// The agreement of a hash, with both signatures, as one of these organisations holds it.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub async fn agreement(&self, hash: &Digest) -> Result<Option<SignedAgreement>, Problem> {
        for tenant in &self.0.tenants {
            if let Some(held) = agreements::signed(&self.0.reader.of(tenant), hash).await? {
                return Ok(Some(held));
            }
        }
        Ok(None)
    }

    fn look(&self) -> Look<'_> {
        Look::of(&self.0.reader, self.0.tail.clone())
    }

    /// Records of the evidence log with their positions from a position, at most `limit`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn records(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        self.0.log.read(from, limit).await
    }

    /// The stamps whose spans lie within some positions or reach into them, in order.
    ///
    /// # Errors
    /// When rows or log cannot be read.
    pub async fn stamps(&self, from: u64, to: u64) -> Result<Vec<Stamped>, Problem> {
        let shelf = Shelf::of(&self.0);
        let (mut at, mut stamps) = (from, Vec::new());
        while at < to {
            let Some(stamp) = shelf.stamp(at).await? else {
                break;
            };
            let leaves = shelf.leaves_of(&stamp).await?;
            at = stamp.next;
            stamps.push(Stamped {
                first: stamp.first,
                next: stamp.next,
                token: stamp.token,
                checkpoint: stamp.checkpoint,
                directory: stamp.directory,
                leaves,
            });
        }
        Ok(stamps)
    }

    /// The signed directory that was in force when a record was stamped, and its hash: it says which seals
    /// were revoked then. None before the record has its timestamp.
    ///
    /// # Errors
    /// When rows or blobs cannot be read.
    pub async fn directory_of(&self, exchange: &Indexed) -> Result<Option<(Digest, Vec<u8>)>, Problem> {
        let stamp = Shelf::of(&self.0).stamp(exchange.position).await?;
        let Some(hash) = stamp.and_then(|stamp| stamp.directory) else {
            return Ok(None);
        };
        Ok(Some((hash, self.0.blobs.get(&hash).await?)))
    }

    /// A signed directory that a stamp names; none where it was not kept.
    pub async fn signed_directory(&self, hash: &Digest) -> Option<Vec<u8>> {
        self.0.blobs.get(hash).await.ok()
    }

    /// A certificate that the node kept.
    ///
    /// # Errors
    /// Not found; damaged.
    pub async fn certificate(&self, thumbprint: &Digest) -> Result<Certificate, Problem> {
        let der = self.0.blobs.get(thumbprint).await?;
        Certificate::from_der(&der).map_err(Problem::internal)
    }

    /// For the containers of its exchanges.
    #[must_use]
    pub fn containers(&self) -> Containers<'_> {
        Containers(Shelf::of(&self.0))
    }
}

impl Containers<'_> {
    /// The container of one message of a record; none when the record has no such message.
    ///
    /// # Errors
    /// When rows, log or blobs cannot be read, or what they hold does not make a container that would
    /// pass.
    pub async fn of(&self, exchange: &Indexed, which: Which) -> Result<Option<Vec<u8>>, Problem> {
        self.0.container_of(exchange, which).await
    }
}

#[async_trait]
impl Source for Place {
    async fn rows(&self) -> Result<Reader, Problem> {
        Ok(self.reader.clone())
    }

    fn tail(&self) -> Tail {
        self.tail.clone()
    }

    async fn records(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        self.log.read(from, limit).await
    }

    async fn certificate(&self, org: &OrgCode, kept: &Kept) -> Result<Certificate, Problem> {
        let der = self.blobs.get(&Digest(kept.sealed.certificate)).await;
        let der = der.map_err(|cause| Problem::internal(format!("the certificate of {org}: {cause}")))?;
        Certificate::from_der(&der).map_err(Problem::internal)
    }

    async fn blob(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        self.blobs.get(digest).await
    }
}
