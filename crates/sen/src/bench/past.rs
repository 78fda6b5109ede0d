//! A long past: exchanges of the echo service as both nodes would have kept them, written straight into
//! their logs before the nodes start. Signed and linked as any other, so that all of it verifies.

use std::sync::Arc;

use anyhow::Context as _;
use exchange::envelope::{self, CONSUMER, EVIDENCE_VERSION, Evidence, Kept, PROVIDER};
use exchange::message::{AnswerHead, RequestHead, request_hash};
use exchange::{Agreement, Headers, Rest};
use kernel::{Digest, Time, World};
use seal::batch::{self, Parts};
use seal::key::Identity;
use store::Store;
use store::log::RecordLog;

use crate::config::Config;
use crate::up::nation::Place;
use crate::up::node::{Country, Node};
use crate::up::prepare::Layout;

/// Exchanges under one signature and one flush, count.
const BATCH: usize = 500;
/// Size of a body that was carried, in bytes.
const BODY: u64 = 1_024;
/// How long before now the last one ended, in milliseconds: none of them can be replayed.
const AGO_MS: i64 = 3_600_000;

/// Writes so many exchanges, one a millisecond, into the logs of both nodes; prints the first one's id.
///
/// # Errors
/// When the folder is not prepared or a log cannot be written.
pub async fn fill(config: &Config, records: usize, world: &World) -> anyhow::Result<()> {
    let layout = Layout::of(&config.data);
    let country = Country::read(&config.pack)?;
    // Opened as nodes once, for their tables; what stands in their rows follows from the logs later.
    let national = Node::open(Place::National, config, &country, world).await?;
    let agreements = national.exchange().agreements().list();
    let (hash, agreement, _) = agreements
        .into_iter()
        .find(|(_, agreement, _)| agreement.id == super::AGREEMENT)
        .context("the folder is prepared")?;
    let ministry = Node::open(Place::Ministry, config, &country, world).await?;
    let (asked, answered) = (log(national.store()).await?, log(ministry.store()).await?);
    let past = Past {
        consumer: super::seal(&layout, Place::National, &agreement.consumer.org)?,
        provider: super::seal(&layout, Place::Ministry, &agreement.provider)?,
        world: world.clone(),
        hash,
        agreement,
    };
    let count = i64::try_from(records).unwrap_or(i64::MAX);
    let first = world.now().plus_ms(-AGO_MS - count);
    for done in (0..records).step_by(BATCH) {
        let step = BATCH.min(records - done);
        let at = first.plus_ms(i64::try_from(done).unwrap_or(i64::MAX));
        let (first, theirs, ours) = past.live(step, at);
        if done == 0 {
            println!("{first}");
        }
        let both = tokio::join!(asked.append(theirs), answered.append(ours));
        both.0.and(both.1).map_err(|e| anyhow::anyhow!("{e}"))?;
    }
    Ok(())
}

async fn log(store: &Store) -> anyhow::Result<Arc<dyn RecordLog>> {
    let log = store.log(exchange::STREAM).await;
    log.map_err(|e| anyhow::anyhow!("{e}"))
}

/// What all exchanges of the past have in common.
struct Past {
    consumer: Identity,
    provider: Identity,
    world: World,
    hash: Digest,
    agreement: Arc<Agreement>,
}

impl Past {
    /// Some exchanges from a time on: the first one's id, the records of the consumer's node and of the
    /// provider's.
    fn live(&self, count: usize, from: Time) -> (String, Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let requests: Vec<RequestHead> = (0..count).map(|number| self.request(from, number)).collect();
        let request_heads: Vec<Vec<u8>> = requests.iter().map(RequestHead::to_bytes).collect();
        let request_parts: Vec<Parts> = request_heads.iter().map(|head| parts(head)).collect();
        let answer_heads: Vec<Vec<u8>> = requests
            .iter()
            .zip(&request_parts)
            .map(|(request, parts)| answer(request, parts).to_bytes())
            .collect();
        let answer_parts: Vec<Parts> = answer_heads.iter().map(|head| parts(head)).collect();
        let asked = batch::seal_batch(&self.consumer, &request_parts, from);
        let told = batch::seal_batch(&self.provider, &answer_parts, from);
        let first = requests
            .first()
            .map(|request| request.request.clone())
            .unwrap_or_default();
        let (mut theirs, mut ours) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for at in 0..count {
            let mut record = Evidence {
                version: EVIDENCE_VERSION,
                side: CONSUMER,
                began: requests[at].sent.ms(),
                ended: requests[at].sent.ms(),
                request: kept(&request_heads[at], &request_parts[at], &asked[at]),
                answer: Some(kept(&answer_heads[at], &answer_parts[at], &told[at])),
                fault: String::new(),
                forwarded: None,
                returned: None,
            };
            theirs.push(envelope::write(&record));
            record.side = PROVIDER;
            ours.push(envelope::write(&record));
        }
        (first, theirs, ours)
    }

    fn request(&self, from: Time, number: usize) -> RequestHead {
        RequestHead {
            consumer: self.agreement.consumer.clone(),
            service: self.agreement.service.clone(),
            request: self.world.id(),
            agreement: self.hash,
            sent: from.plus_ms(i64::try_from(number).unwrap_or(i64::MAX)),
            on_behalf: format!("system:{}", self.agreement.consumer),
            issue: None,
            idempotency: None,
            rest: Rest::default(),
        }
    }
}

fn answer(request: &RequestHead, parts: &Parts) -> AnswerHead {
    AnswerHead {
        status: 200,
        media: "application/json".to_owned(),
        headers: Headers::default(),
        fault: None,
        id: None,
        consumer: request.consumer.clone(),
        service: request.service.clone(),
        request: request.request.clone(),
        request_hash: request_hash(&parts.head, &parts.body),
    }
}

fn parts(head: &[u8]) -> Parts {
    Parts::of(head, &[b'a'; BODY as usize])
}

fn kept(head: &[u8], parts: &Parts, sealed: &batch::Sealed) -> Kept {
    Kept {
        head: head.to_vec().into(),
        body: *parts.body.bytes(),
        size: BODY,
        sealed: sealed.clone(),
        stored: None,
    }
}
