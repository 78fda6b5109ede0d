//! One exchange as an auditor takes it away: an ASiC-E container of the request or of the answer,
//! with its hash chain, signature and timestamp, and the log's proof that the record is in it.

use kernel::{Digest, Problem};
use serde::Serialize;

use crate::evidence::shelf::Shelf;
use crate::gateway::{Exchange, Gateway, STREAM};
pub use crate::index::Indexed;
use crate::index::Look;
use crate::store as rows;

/// Which message of an exchange a container holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The consumer's request.
    Request,
    /// The provider's answer.
    Answer,
}

impl Which {
    /// Both, in their order.
    pub const BOTH: [Self; 2] = [Self::Request, Self::Answer];

    /// The one of a word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|which| which.as_str() == word)
    }

    /// `request` or `answer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
        }
    }
}

/// Proof that a record is in a node's evidence log (RFC 6962, section 2.1.1).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Inclusion {
    /// The record as the node's index names it.
    pub exchange: Indexed,
    /// Records in the tree of the proof: those under the checkpoint that was stamped with the record, else
    /// all there were when the proof was made.
    pub size: u64,
    /// The Merkle root at that size, hex.
    pub root: String,
    /// The record's leaf hash, hex.
    pub leaf: String,
    /// The sibling hashes from leaf to root, hex.
    pub path: Vec<String>,
    /// The checkpoint by which this node has signed that root (JWS); none before there is one.
    pub checkpoint: Option<String>,
}

impl Exchange {
    /// The sides this node has of an exchange, also of one that has just been answered.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, request: &str) -> Result<Vec<Indexed>, Problem> {
        let g = &*self.0;
        let reader = g.store.read(&g.home).await?;
        let look = async || Look::of(&reader, g.index.tail()).request(request).await;
        let found = look().await?;
        // What is answered stands in the log at once, and in the index a moment later.
        if !found.is_empty() {
            return Ok(found);
        }
        self.index_up().await?;
        look().await
    }

    /// The container of one message of an exchange.
    ///
    /// # Errors
    /// 404 when this node has no such exchange or message; 404 `evidence-archived` with the file's name when
    /// it has left the live log.
    pub async fn container(&self, request: &str, which: Which) -> Result<Vec<u8>, Problem> {
        let sides = self.find(request).await?;
        let Some(side) = sides.first() else {
            return Err(Problem::not_found());
        };
        let made = Shelf::of(&*self.0).container(request, which).await;
        match self.0.archive_of(side.position).await? {
            Some(archive) if made.is_err() => Err(archive.problem(request)),
            _ => made,
        }
    }

    /// The proof that an exchange's record is in this node's log.
    ///
    /// # Errors
    /// 404 when this node has no such exchange.
    pub async fn inclusion(&self, request: &str) -> Result<Inclusion, Problem> {
        let exchange = self.find(request).await?.into_iter().next();
        self.inclusion_of(exchange.ok_or_else(Problem::not_found)?).await
    }

    /// The proof for one side's record.
    pub(crate) async fn inclusion_of(&self, exchange: Indexed) -> Result<Inclusion, Problem> {
        let g = &*self.0;
        if let Some(archive) = g.archive_of(exchange.position).await? {
            return Err(archive.problem(&exchange.request));
        }
        let bytes = g.record_bytes(exchange.position).await?;
        let stamp = rows::stamp_of(&g.store.read(&g.home).await?, STREAM, exchange.position).await?;
        let place = g.place(&exchange, &bytes, stamp.as_ref()).await?;
        let (leaf, root) = (&place.leaf, &place.root);
        // Both sides of the books: what we hand out must hold before it leaves.
        if !seal::merkle::verify_inclusion(leaf, exchange.position, place.size, &place.path, root) {
            return Err(Problem::internal(format!(
                "the log does not prove record {}",
                exchange.position
            )));
        }
        Ok(Inclusion {
            exchange,
            size: place.size,
            root: root.hex(),
            leaf: leaf.hex(),
            path: place.path.iter().map(Digest::hex).collect(),
            checkpoint: place.token,
        })
    }
}

impl Gateway {
    pub(crate) async fn record_bytes(&self, position: u64) -> Result<Vec<u8>, Problem> {
        let mut records = self.evidence.read(position, 1).await?;
        records
            .pop()
            .map(|(_, bytes)| bytes)
            .ok_or_else(Problem::not_found)
    }
}
