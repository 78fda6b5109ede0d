//! One exchange as an auditor takes it away: an ASiC-E container of the request or of the answer,
//! with its hash chain, signature and timestamp, and the log's proof that the record is in it.

use kernel::{Digest, Kind, OrgCode, Problem};
use seal::asice::{ContainerInput, TimestampProof};
use seal::hashchain;
use serde::Serialize;

use crate::envelope::{self, Evidence, Kept};
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::message::RequestHead;
use crate::store::{self as rows, Indexed, Stamp};
use crate::timestamping::signature_file;

/// Which message of an exchange a container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The consumer's request.
    Request,
    /// The provider's answer.
    Answer,
}

/// Proof that a record is in a node's evidence log (RFC 6962, section 2.1.1).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Inclusion {
    /// The record as the node's index names it.
    pub exchange: Indexed,
    /// The log's size when the proof was made, records.
    pub size: u64,
    /// The Merkle root at that size, hex.
    pub root: String,
    /// The record's leaf hash, hex.
    pub leaf: String,
    /// The sibling hashes from leaf to root, hex.
    pub path: Vec<String>,
}

impl Exchange {
    /// The sides this node has of an exchange.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, request: &str) -> Result<Vec<Indexed>, Problem> {
        rows::find(&self.0.store.read(&self.0.home).await?, request).await
    }

    /// The container of one message of an exchange.
    ///
    /// # Errors
    /// 404 when this node has no such exchange or message.
    pub async fn container(&self, request: &str, which: Which) -> Result<Vec<u8>, Problem> {
        let g = &*self.0;
        let (position, org, kept) = self.message(request, which).await?;
        let certificate = g.certificate_of(&org, &kept).await?;
        let reader = g.store.read(&g.home).await?;
        let stamp = rows::stamp_of(&reader, STREAM, position).await?;
        drop(reader);
        let timestamp = match stamp {
            Some(stamp) => Some(
                g.stamp_proof(&stamp, &signature_file(&kept, &certificate))
                    .await?,
            ),
            None => None,
        };
        let input = ContainerInput {
            head: kept.head.to_vec(),
            body: None,
            parts: kept.parts(),
            sealed: kept.sealed.clone(),
            certificate,
            chain: Vec::new(),
            timestamp,
        };
        seal::asice::export(&input).map_err(Problem::internal)
    }

    /// One message of an exchange from whichever side of it has it, and where.
    async fn message(&self, request: &str, which: Which) -> Result<(u64, OrgCode, Kept), Problem> {
        for found in self.find(request).await? {
            let record = self.0.record(found.position).await?;
            let head = RequestHead::parse(&record.request.head)?;
            let message = match which {
                Which::Request => Some((head.consumer.org, record.request)),
                Which::Answer => record.answer.map(|answer| (head.service.org, answer)),
            };
            if let Some((org, kept)) = message {
                return Ok((found.position, org, kept));
            }
        }
        Err(Problem::not_found())
    }

    /// The proof that an exchange's record is in this node's log as it stands now.
    ///
    /// # Errors
    /// 404 when this node has no such exchange.
    pub async fn inclusion(&self, request: &str) -> Result<Inclusion, Problem> {
        let g = &*self.0;
        let exchange = self
            .find(request)
            .await?
            .into_iter()
            .next()
            .ok_or_else(Problem::not_found)?;
        let size = g.evidence.len().await;
        let bytes = g.record_bytes(exchange.position).await?;
        let leaf = seal::merkle::leaf_hash(&bytes);
        let path = g.evidence.inclusion(exchange.position, size).await?;
        let root = g.evidence.root(size).await?;
        // Both sides of the books: what we hand out must hold before it leaves.
        if !seal::merkle::verify_inclusion(&leaf, exchange.position, size, &path, &root) {
            return Err(Problem::internal(format!(
                "the log does not prove record {}",
                exchange.position
            )));
        }
        Ok(Inclusion {
            exchange,
            size,
            root: root.hex(),
            leaf: leaf.hex(),
            path: path.iter().map(Digest::hex).collect(),
        })
    }
}

impl Gateway {
    async fn record_bytes(&self, position: u64) -> Result<Vec<u8>, Problem> {
        let mut records = self.evidence.read(position, 1).await?;
        records
            .pop()
            .map(|(_, bytes)| bytes)
            .ok_or_else(Problem::not_found)
    }

    async fn record(&self, position: u64) -> Result<Evidence, Problem> {
        envelope::read(&self.record_bytes(position).await?)
    }

    /// Recomputes the stamped span's hash chain: it is a function of the log, so it is not stored.
    async fn stamp_proof(&self, stamp: &Stamp, file: &str) -> Result<TimestampProof, Problem> {
        let span = usize::try_from(stamp.next - stamp.first).map_err(Problem::internal)?;
        let mut leaves = self
            .signature_files(self.evidence.read(stamp.first, span).await?)
            .await?;
        leaves.push(Digest::of(stamp.checkpoint.as_bytes()));
        let (root, mut paths) = hashchain::ts_chain(&leaves);
        let own = Digest::of(file.as_bytes());
        let index = leaves.iter().position(|l| *l == own);
        match index {
            Some(i) if root == stamp.root => Ok(TimestampProof {
                token: stamp.token.clone(),
                path: paths.swap_remove(i),
            }),
            _ => {
                Err(Problem::new(Kind::Internal, "internal")
                    .because("the stamped span no longer gives its root"))
            }
        }
    }
}
