//! Timestamps off the hot path (RFC 3161): one token covers a span of the evidence log through an
//! X-Road timestamp hash chain whose leaves are the digests of the span's signature files, in the
//! order of their first use, of the log's checkpoint and of the signed directory in force, which says
//! what was revoked. Without an authority the span only grows: amber, then back-filled.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use directory::snapshot::TimestampEntry;
use kernel::{Actor, Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::Certificate;
use seal::hashchain::{self, Chain};
use seal::{jws, timestamp};
use tokio::sync::watch;

use crate::envelope::{self, Evidence, Kept};
use crate::evidence::shelf::Source;
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::message::RequestHead;
use crate::store::{self as rows, Stamp};

/// Records one token covers, count.
const SPAN_MAX: usize = 10_000;
/// The stream of the platform's facts.
const FACTS: &str = "facts";
/// Time for an authority to answer, in milliseconds.
const AUTHORITY_MS_MAX: u64 = 5_000;
/// An authority that failed this shortly ago is asked behind the others, in milliseconds: ten minutes.
const FAILED_MS: i64 = 600_000;
/// Size of an authority's answer, in bytes.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// The first position of the evidence log without a timestamp, as a home tenant's rows say.
///
/// # Errors
/// Unavailable.
pub async fn stamped(reader: &::store::Reader) -> Result<u64, Problem> {
    rows::stamped_to(reader, STREAM).await
}

/// Which authorities failed lately: one that is silent is not waited for first at every beat.
#[derive(Debug, Default)]
pub(crate) struct Stamping(Mutex<HashMap<String, Time>>);

impl Stamping {
    /// The authorities in the directory's order, those that failed lately behind the others.
    fn order<'a>(&self, all: &'a [TimestampEntry], now: Time) -> Vec<&'a str> {
        let failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |url: &str| {
            let at = failed.get(url);
            at.is_some_and(|at| (0..FAILED_MS).contains(&(now.ms() - at.ms())))
        };
        let mut urls: Vec<&str> = all.iter().map(|authority| authority.url.as_str()).collect();
        urls.sort_by_key(|url| rests(url));
        urls
    }

    fn failed(&self, url: &str, now: Time) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.insert(url.to_owned(), now);
    }

    fn answered(&self, url: &str) {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.remove(url);
    }
}

/// A span that could not be stamped yet.
pub(crate) struct Unstamped {
    /// The position behind its last record.
    next: u64,
    /// The checkpoint made for it.
    checkpoint: String,
}

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
        let mut unstamped = g.unstamped.lock().await;
        let first = rows::stamped_to(&g.store.read(&g.home).await?, STREAM).await?;
        let records = g.evidence.read(first, SPAN_MAX).await?;
        if records.is_empty() {
            return Ok(0);
        }
        let (count, next) = (records.len(), first + records.len() as u64);
        let checkpoint = match unstamped.take() {
            Some(waiting) if waiting.next == next => waiting.checkpoint,
            _ => g.checkpoint(STREAM).await?,
        };
        // Kept for the next try: an authority that is down must not make a checkpoint each time.
        let waiting = Unstamped {
            next,
            checkpoint: checkpoint.clone(),
        };
        *unstamped = Some(waiting);
        let mut leaves = signature_files(g, records).await?;
        leaves.push(Digest::of(checkpoint.as_bytes()));
        let directory = g.keep_directory().await?;
        leaves.extend(directory);
        let root = Chain::of_stamp(&leaves).root();
        let imprint = Digest::of(hashchain::ts_hashchainresult_xml(&root).as_bytes());
        let token = g.token(&imprint).await?;
        let stamp = Stamp {
            first,
            next,
            checkpoint,
            root,
            token,
            directory,
        };
        let (stamp, leaves) = (&stamp, &leaves);
        g.store
            .write(&g.home, &Actor::Platform, |tx| async move {
                rows::insert_stamp(&tx, STREAM, stamp, leaves).await
            })
            .await?;
        *unstamped = None;
        // The facts get their signed root at the same beat.
        g.checkpoint(FACTS).await?;
        Ok(count)
    }
}

impl Gateway {
    /// Signs a log's length and root. The token names the node's certificate, which is kept, so that it
    /// is still checked when the node has another one.
    async fn checkpoint(&self, stream: &str) -> Result<String, Problem> {
        let node = &self.keyring.node;
        let name = jws::thumbprint_text(&node.certificate);
        self.store.checkpoint(stream, &node.key, &name).await
    }

    /// Keeps the signed directory in force, which says what is revoked now, and the certificate of the hub that
    /// signed it; none before the first one. One that
    /// says the same as the last one kept, signed anew, is not kept again.
    async fn keep_directory(&self) -> Result<Option<Digest>, Problem> {
        let (snapshot, (token, hash)) = (self.directory.snapshot(), self.directory.token());
        if token.is_empty() {
            return Ok(None);
        }
        let mut kept = self.kept_directory.lock().await;
        if let Some((hash, _)) = kept
            .as_ref()
            .filter(|(_, before)| before.says_the_same(&snapshot))
        {
            return Ok(Some(*hash));
        }
        self.store
            .blobs()
            .put(self.directory.hub_certificate().der())
            .await?;
        self.store.blobs().put(token.as_bytes()).await?;
        *kept = Some((hash, snapshot));
        Ok(Some(hash))
    }

    async fn token(&self, imprint: &Digest) -> Result<Vec<u8>, Problem> {
        let mut problem = Problem::new(Kind::Unavailable, "timestamp-unavailable");
        let snapshot = self.directory.snapshot();
        for url in self.stamping.order(&snapshot.timestamp_authorities, self.now()) {
            match self.token_of(url, imprint).await {
                Ok(token) => {
                    self.stamping.answered(url);
                    return Ok(token);
                }
                Err(why) => {
                    tracing::info!(url, why, "a timestamp authority gave no good token");
                    self.stamping.failed(url, self.now());
                    problem = problem.because(why);
                }
            }
        }
        Err(problem)
    }

    /// A token of one authority that holds; otherwise why there is none.
    pub(crate) async fn token_of(&self, url: &str, imprint: &Digest) -> Result<Vec<u8>, String> {
        let nonce = u64::from_be_bytes(self.store.world().random()) >> 1;
        let request = axum::http::Request::post(url)
            .header("content-type", "application/timestamp-query")
            .body(Bytes::from(timestamp::request(imprint, nonce)))
            .map_err(|e| e.to_string())?;
        let answer = self.plain.send(request, AUTHORITY_MS_MAX, TOKEN_BYTES_MAX).await;
        let answer = answer.map_err(|e| e.to_string())?;
        let token = timestamp::token_of_response(answer.body(), imprint, nonce).map_err(|e| e.to_string())?;
        timestamp::verify_token(&token, imprint, &self.directory.trust()).map_err(|e| e.to_string())?;
        Ok(token)
    }
}

/// The digests of the signature files of a span, each once, in the order of their first use.
pub(crate) async fn signature_files(
    source: &dyn Source,
    records: Vec<(u64, Vec<u8>)>,
) -> Result<Vec<Digest>, Problem> {
    let kept = blocking(move || signatures(&records)).await??;
    let mut certificates = HashMap::new();
    for (org, kept) in &kept {
        if let Entry::Vacant(place) = certificates.entry(kept.sealed.certificate) {
            place.insert(source.certificate(org, kept).await?);
        }
    }
    blocking(move || {
        kept.iter()
            .filter_map(|(_, kept)| Some((kept, certificates.get(&kept.sealed.certificate)?)))
            .map(|(kept, certificate)| Digest::of(signature_file(kept, certificate).as_bytes()))
            .collect()
    })
    .await
}

/// The XAdES file of a kept message, as it was the moment it was signed.
pub(crate) fn signature_file(kept: &Kept, certificate: &Certificate) -> String {
    // Without issuers: the file must stay the same bytes whatever the directory says later.
    seal::batch::signatures_xml(&kept.sealed, &kept.parts(), certificate, &[])
}

/// One message for each signature of a span, in the order of their first use. Every seal in the
/// evidence was verified or made here, so that one signature stands for one file.
fn signatures(records: &[(u64, Vec<u8>)]) -> Result<Vec<(OrgCode, Kept)>, Problem> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for (_, bytes) in records {
        let record: Evidence = envelope::read(bytes)?;
        let request_is_new = seen.insert(record.request.sealed.signature);
        let answer = record.answer;
        let answer = answer.filter(|answer| seen.insert(answer.sealed.signature));
        // Most messages share their signature with one before: their heads are not read.
        if !request_is_new && answer.is_none() {
            continue;
        }
        let head = RequestHead::kept(&record.request.head)?;
        if request_is_new {
            all.push((head.consumer.org, record.request));
        }
        all.extend(answer.map(|answer| (head.service.org, answer)));
    }
    Ok(all)
}

/// Ten thousand records are a second's work: not on a thread that others wait for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}
