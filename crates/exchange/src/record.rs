//! What is made of a record of the evidence log: the exchange as the index and the counts have it. Reads no
//! more of the record than that. Never a decision.

use kernel::{Problem, Time};
use minicbor::Decode;

use crate::envelope::{self, CONSUMER};
use crate::evidence::Outcome;
use crate::gateway::STREAM;
use crate::index::{self, Indexed};
use crate::message::{AnswerHead, RequestHead};
use crate::monitoring::health::Sizes;
use crate::standing::clocks::Clock;

/// The fault of a record of a message that came again.
const REPLAYED: &str = "replayed";

/// What is made of a record.
pub(crate) struct Entry {
    /// The exchange.
    pub(crate) indexed: Indexed,
    /// Whether it is of a replay: its id is that of the exchange it repeats, so it is counted only.
    pub(crate) replayed: bool,
    /// What it says of the other side's clock.
    pub(crate) clock: Option<Clock>,
    /// How large its messages are.
    pub(crate) sizes: Sizes,
}

/// Of an [`envelope::Evidence`] what is looked at here; the rest is passed over.
#[derive(Decode)]
struct Record<'b> {
    #[n(1)]
    side: u8,
    #[n(2)]
    began: i64,
    #[n(3)]
    ended: i64,
    #[b(4)]
    request: Kept<'b>,
    #[b(5)]
    answer: Option<Kept<'b>>,
    #[b(6)]
    fault: &'b str,
}

/// Of an [`envelope::Kept`].
#[derive(Decode)]
struct Kept<'b> {
    #[cbor(b(0), with = "minicbor::bytes")]
    head: &'b [u8],
    #[n(2)]
    size: u64,
    #[n(3)]
    sealed: Signed,
}

/// Of a [`seal::batch::Sealed`].
#[derive(Decode)]
struct Signed {
    #[n(1)]
    signing_time: i64,
}

impl Kept<'_> {
    const fn bytes(&self) -> u64 {
        self.head.len() as u64 + self.size
    }
}

/// What is made of records of the log with their positions.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn entries(records: &[(u64, Vec<u8>)]) -> Result<Vec<Entry>, Problem> {
    records
        .iter()
        .map(|(position, bytes)| entry(*position, bytes))
        .collect()
}

/// The exchanges among them, without replays.
pub(crate) fn exchanges(entries: Vec<Entry>) -> impl Iterator<Item = Indexed> {
    let whole = entries.into_iter().filter(|entry| !entry.replayed);
    whole.map(|entry| entry.indexed)
}

fn entry(position: u64, bytes: &[u8]) -> Result<Entry, Problem> {
    let record: Record<'_> = envelope::read(bytes)?;
    let head = RequestHead::kept(record.request.head)?;
    let answer = record.answer.as_ref();
    let signed = answer.map(|kept| Time(kept.sealed.signing_time));
    let (began, ended) = (Time(record.began), Time(record.ended));
    let consumes = record.side == CONSUMER;
    let clock = Clock::of(consumes, (began, ended), head.sent, signed);
    let sizes = Sizes {
        request: record.request.bytes(),
        answer: answer.map(Kept::bytes),
    };
    let answer = answer.map(|kept| AnswerHead::kept(kept.head)).transpose()?;
    let status = answer.as_ref().map(|head| head.status);
    // A gateway's refusal, or what the provider's gateway said in its service's place.
    let fault = answer.and_then(|head| head.fault);
    let fault = fault.unwrap_or_else(|| record.fault.to_owned());
    let (consumer, provider) = (head.consumer.org.top(), head.service.org.top());
    let (side, own, member) = if consumes {
        (index::CONSUMER, consumer, provider)
    } else {
        (index::PROVIDER, provider, consumer)
    };
    let indexed = Indexed {
        request: head.request,
        side,
        stream: STREAM,
        position,
        consumer: head.consumer.to_string(),
        service: head.service.to_string(),
        agreement: head.agreement.hex(),
        message: head.rest.id,
        issue: head.issue,
        status: status.unwrap_or_default(),
        began: record.began,
        ended: record.ended,
        own: own.to_string(),
        member: member.to_string(),
        result: Outcome::of(status, &fault).as_str(),
        fault,
    };
    let replayed = record.fault == REPLAYED;
    Ok(Entry {
        indexed,
        replayed,
        sizes,
        clock: clock.filter(|_| !replayed),
    })
}
