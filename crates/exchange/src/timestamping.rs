//! Timestamps off the hot path (RFC 3161): one token covers a span of the evidence log through an
//! X-Road timestamp hash chain whose leaves are the digests of the span's signature files, in the
//! order of their first use, and of the log's checkpoint. Without an authority the span only grows:
//! amber, then back-filled.

use std::collections::HashSet;
use std::time::Duration;

use axum::body::Bytes;
use kernel::{Actor, Digest, Kind, OrgCode, Problem};
use seal::{hashchain, timestamp};
use tokio::sync::watch;

use crate::envelope::{self, Evidence, Kept};
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::message::RequestHead;
use crate::store::{self as rows, Stamp};

/// Records one token covers, count.
const SPAN_MAX: usize = 10_000;

impl Exchange {
    /// Stamps for as long as the node runs, every `every`.
    pub async fn stamp_evidence(self, every: Duration, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            match self.stamp_now().await {
                Ok(n) if n == SPAN_MAX => continue,
                Ok(_) => metrics::gauge!("sen_timestamp_amber").set(0.0),
                Err(problem) => {
                    metrics::gauge!("sen_timestamp_amber").set(1.0);
                    tracing::warn!(%problem, "no timestamp yet; the span will be stamped later");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = shutdown.changed() => {}
            }
        }
    }

    /// Stamps what is not yet; gives how many records the new token covers.
    ///
    /// # Errors
    /// `timestamp-unavailable` when no authority of the directory gave a good token.
    pub async fn stamp_now(&self) -> Result<usize, Problem> {
        let g = &*self.0;
        let first = rows::stamped_to(&g.store.read(&g.home).await?, STREAM).await?;
        let records = g.evidence.read(first, SPAN_MAX).await?;
        if records.is_empty() {
            return Ok(0);
        }
        let checkpoint = g.store.checkpoint(STREAM, &g.keyring.node.key, &g.node).await?;
        let mut leaves = g.signature_files(&records)?;
        leaves.push(Digest::of(checkpoint.as_bytes()));
        let (root, _) = hashchain::ts_chain(&leaves);
        let imprint = Digest::of(hashchain::ts_hashchainresult_xml(&root).as_bytes());
        let token = g.token(&imprint).await?;
        let stamp = Stamp {
            first,
            next: first + records.len() as u64,
            checkpoint,
            root,
            token,
        };
        let stamp = &stamp;
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                rows::insert_stamp(&tx, STREAM, stamp).await
            })
            .await?;
        Ok(records.len())
    }
}

impl Gateway {
    /// The digests of the signature files of a span, each once, in the order of their first use.
    pub(crate) fn signature_files(&self, records: &[(u64, Vec<u8>)]) -> Result<Vec<Digest>, Problem> {
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for (_, bytes) in records {
            let record: Evidence = envelope::read(bytes)?;
            let head = RequestHead::parse(&record.request.head)?;
            let mut take = |org: &OrgCode, kept: &Kept| -> Result<(), Problem> {
                let digest = Digest::of(self.signature_file(org, kept)?.as_bytes());
                if seen.insert(digest) {
                    files.push(digest);
                }
                Ok(())
            };
            take(&head.consumer.org, &record.request)?;
            if let Some(answer) = &record.answer {
                take(&head.service.org, answer)?;
            }
        }
        Ok(files)
    }

    /// The XAdES file of a kept message, as it was the moment it was signed.
    pub(crate) fn signature_file(&self, org: &OrgCode, kept: &Kept) -> Result<String, Problem> {
        let certificate = self.certificate_of(org, kept)?;
        // Without issuers: the file must stay the same bytes whatever the directory says later.
        Ok(seal::batch::signatures_xml(
            &kept.sealed,
            &kept.parts(),
            &certificate,
            &[],
        ))
    }

    /// The certificate a kept message was sealed with: the directory's present one or an earlier one.
    pub(crate) fn certificate_of(
        &self,
        org: &OrgCode,
        kept: &Kept,
    ) -> Result<seal::certificate::Certificate, Problem> {
        self.directory
            .certificate_by_thumbprint(&Digest(kept.sealed.certificate))
            .ok_or_else(|| Problem::new(Kind::NotFound, "member-unknown").with("member", org))
    }

    async fn token(&self, imprint: &Digest) -> Result<Vec<u8>, Problem> {
        let mut problem = Problem::new(Kind::Unavailable, "timestamp-unavailable");
        let nonce = u64::from_be_bytes(self.store.world().random()) >> 1;
        for authority in &self.directory.snapshot().timestamp_authorities {
            let request = axum::http::Request::post(&authority.url)
                .header("content-type", "application/timestamp-query")
                .body(Bytes::from(timestamp::request(imprint, nonce)))
                .map_err(Problem::internal)?;
            let token = match self.plain.send(request, 5_000, 65_536).await {
                Ok(answer) => {
                    timestamp::token_of_response(answer.body(), imprint, nonce).map_err(|e| e.to_string())
                }
                Err(e) => Err(e.to_string()),
            };
            let checked = token.and_then(|token| {
                timestamp::verify_token(&token, imprint, &self.directory.trust())
                    .map_err(|e| e.to_string())?;
                Ok(token)
            });
            match checked {
                Ok(token) => return Ok(token),
                Err(why) => problem = problem.because(why),
            }
        }
        Err(problem)
    }
}
