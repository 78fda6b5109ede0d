//! Evidence as it lies in a node's rows and log, read for an auditor: the message of an exchange, its
//! timestamp with the way to it, the container of both. The same in a running node and beside one.
//! Never writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kernel::{Digest, Kind, OrgCode, Problem};
use seal::asice::{ContainerInput, Known, TimestampProof};
use seal::certificate::Certificate;
use seal::hashchain::Chain;
use seal::jws;
use store::Reader;

use crate::envelope::{self, Evidence, Kept};
use crate::export::Which;
use crate::gateway::{Gateway, STREAM};
use crate::index::{Indexed, Look, Tail};
use crate::message::RequestHead;
use crate::store::{self as rows, Stamp};
use crate::timestamping::{signature_file, signature_files};

/// Where evidence is read.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// The rows of the node's home organisation.
    async fn rows(&self) -> Result<Reader, Problem>;

    /// What of the evidence log is in no block of the index yet.
    fn tail(&self) -> Tail;

    /// Records of the evidence log from a position, at most `limit`.
    async fn records(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem>;

    /// The certificate that a kept message of an organisation was sealed with.
    async fn certificate(&self, org: &OrgCode, kept: &Kept) -> Result<Certificate, Problem>;

    /// What was kept by its digest.
    async fn blob(&self, digest: &Digest) -> Result<Vec<u8>, Problem>;
}

#[async_trait]
impl Source for Gateway {
    async fn rows(&self) -> Result<Reader, Problem> {
        self.store.read(&self.home).await
    }

    fn tail(&self) -> Tail {
        self.index.tail()
    }

    async fn records(&self, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        self.evidence.read(from, limit).await
    }

    async fn certificate(&self, org: &OrgCode, kept: &Kept) -> Result<Certificate, Problem> {
        self.certificate_of(org, kept).await
    }

    async fn blob(&self, digest: &Digest) -> Result<Vec<u8>, Problem> {
        let hub = self.directory.hub_certificate();
        // Earlier releases did not keep it.
        if hub.thumbprint() == *digest {
            return Ok(hub.der().to_vec());
        }
        self.store.blobs().get(digest).await
    }
}

/// Reads one source; remembers the last stamped span, for many messages of it come together.
pub(crate) struct Shelf<'a> {
    source: &'a dyn Source,
    last: Mutex<Option<Arc<Span>>>,
}

/// A stamped span: its root, and the way from each signature file to it.
struct Span {
    first: u64,
    place_of: HashMap<Digest, usize>,
    chain: Chain,
    /// What was known then.
    known: Option<Known>,
}

/// A message with its place, its signer and its signer's certificate.
pub(crate) struct Sealed {
    pub(crate) position: u64,
    pub(crate) kept: Kept,
    pub(crate) certificate: Certificate,
}

impl<'a> Shelf<'a> {
    pub(crate) fn of(source: &'a dyn Source) -> Self {
        Self {
            source,
            last: Mutex::default(),
        }
    }

    /// A record by its place.
    pub(crate) async fn record(&self, position: u64) -> Result<Evidence, Problem> {
        let mut records = self.source.records(position, 1).await?;
        let (_, bytes) = records.pop().ok_or_else(Problem::not_found)?;
        envelope::read(&bytes)
    }

    /// The container of one message of an exchange, from whichever side of it has it.
    pub(crate) async fn container(&self, request: &str, which: Which) -> Result<Vec<u8>, Problem> {
        let rows = self.source.rows().await?;
        let mut left = None;
        for found in Look::of(&rows, self.source.tail()).request(request).await? {
            match self.container_of(&found, which).await {
                Ok(Some(zip)) => return Ok(zip),
                Ok(None) => {}
                // The other side's record may be there still.
                Err(problem) if problem.code == "log-archived" => left = Some(problem),
                Err(problem) => return Err(problem),
            }
        }
        Err(left.unwrap_or_else(Problem::not_found))
    }

    /// The container of one message of a record; none when the record has no such message.
    pub(crate) async fn container_of(
        &self,
        found: &Indexed,
        which: Which,
    ) -> Result<Option<Vec<u8>>, Problem> {
        self.container_around(found, which, None).await
    }

    /// The same with the message's body, where somebody has it.
    pub(crate) async fn container_around(
        &self,
        found: &Indexed,
        which: Which,
        body: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let record = self.record(found.position).await?;
        let Some((org, kept)) = message(record, which)? else {
            return Ok(None);
        };
        let sealed = Sealed {
            position: found.position,
            certificate: self.source.certificate(&org, &kept).await?,
            kept,
        };
        let (timestamp, known) = match self.stamp(sealed.position).await? {
            Some(stamp) => (
                Some(self.stamp_proof(&stamp, &sealed).await?),
                self.span(&stamp).await?.known.clone(),
            ),
            None => (None, None),
        };
        let input = ContainerInput {
            head: sealed.kept.head.to_vec(),
            body,
            parts: sealed.kept.parts(),
            sealed: sealed.kept.sealed.clone(),
            certificate: sealed.certificate,
            chain: Vec::new(),
            timestamp,
            known,
        };
        seal::asice::export(&input).map(Some).map_err(Problem::internal)
    }

    /// The stamp whose span holds a position.
    pub(crate) async fn stamp(&self, position: u64) -> Result<Option<Stamp>, Problem> {
        rows::stamp_of(&self.source.rows().await?, STREAM, position).await
    }

    /// The way from a message's signature file to the stamped root.
    pub(crate) async fn stamp_proof(
        &self,
        stamp: &Stamp,
        sealed: &Sealed,
    ) -> Result<TimestampProof, Problem> {
        let span = self.span(stamp).await?;
        let own = Digest::of(signature_file(&sealed.kept, &sealed.certificate).as_bytes());
        match span.place_of.get(&own) {
            Some(place) if span.chain.root() == stamp.root => Ok(TimestampProof {
                token: stamp.token.clone(),
                path: span.chain.path(*place),
            }),
            _ => {
                Err(Problem::new(Kind::Internal, "internal")
                    .because("the stamped span no longer gives its root"))
            }
        }
    }

    async fn span(&self, stamp: &Stamp) -> Result<Arc<Span>, Problem> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(span) = last.filter(|span| span.first == stamp.first) {
            return Ok(span);
        }
        let (chain, leaves) = self.chain_of(stamp).await?;
        let places = leaves.into_iter().enumerate();
        let place_of: HashMap<Digest, usize> = places.map(|(i, leaf)| (leaf, i)).collect();
        let span = Arc::new(Span {
            first: stamp.first,
            known: self.known(stamp, &chain, &place_of).await,
            chain,
            place_of,
        });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&span));
        Ok(span)
    }

    /// The signed directory of a stamp's time with its way to the stamped root; none where it was not kept.
    async fn known(&self, stamp: &Stamp, chain: &Chain, place_of: &HashMap<Digest, usize>) -> Option<Known> {
        let hash = stamp.directory?;
        let directory = String::from_utf8(self.source.blob(&hash).await.ok()?).ok()?;
        let hub = self
            .source
            .blob(&jws::certificate_named(&directory)?)
            .await
            .ok()?;
        Some(Known {
            hub: Certificate::from_der(&hub).ok()?,
            // A stamp of an earlier release does not cover it.
            path: place_of.get(&hash).map(|place| chain.path(*place)),
            directory,
        })
    }

    /// What a stamp's chain is over.
    pub(crate) async fn leaves_of(&self, stamp: &Stamp) -> Result<Vec<Digest>, Problem> {
        Ok(self.chain_of(stamp).await?.1)
    }

    async fn chain_of(&self, stamp: &Stamp) -> Result<(Chain, Vec<Digest>), Problem> {
        let kept = rows::stamped_leaves(&self.source.rows().await?, STREAM, stamp.first).await?;
        let kept = kept
            .filter(|leaves| !leaves.is_empty())
            .map(|leaves| (Chain::of_stamp(&leaves), leaves));
        match kept.filter(|(chain, _)| chain.root() == stamp.root) {
            Some(kept) => Ok(kept),
            // A stamp of an earlier release, or a damaged row: the leaves are a function of the log.
            None => {
                let leaves = self.leaves(stamp).await?;
                Ok((Chain::of_stamp(&leaves), leaves))
            }
        }
    }

    async fn leaves(&self, stamp: &Stamp) -> Result<Vec<Digest>, Problem> {
        let count = usize::try_from(stamp.next - stamp.first).map_err(Problem::internal)?;
        let records = self.source.records(stamp.first, count).await?;
        let mut leaves = signature_files(self.source, records).await?;
        leaves.push(Digest::of(stamp.checkpoint.as_bytes()));
        let with: Vec<Digest> = leaves.iter().copied().chain(stamp.directory).collect();
        // A stamp of an earlier release covers no directory.
        let covered = Chain::of_stamp(&with).root() == stamp.root;
        Ok(if covered { with } else { leaves })
    }
}

/// One message of a record and who sealed it; none when there is no answer.
pub(crate) fn message(record: Evidence, which: Which) -> Result<Option<(OrgCode, Kept)>, Problem> {
    let head = RequestHead::parse(&record.request.head)?;
    Ok(match which {
        Which::Request => Some((head.consumer.org, record.request)),
        Which::Answer => record.answer.map(|answer| (head.service.org, answer)),
    })
}
