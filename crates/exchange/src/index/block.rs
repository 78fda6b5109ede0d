//! A block of the index: its exchanges as one compact text, and what it is found by. Written by this and
//! read by every later release.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kernel::Problem;
use minicbor::{Decode, Encode};

use super::{BLOCK, Indexed, keys};
use crate::envelope;
use crate::evidence::Outcome;
use crate::gateway::STREAM;

/// The version of [`Body`] this code writes.
const VERSION: u8 = 1;

/// A block that is whole.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its number: it covers the records from this times [`BLOCK`] on.
    pub(super) number: u64,
    /// When its first call began, in milliseconds since 1970.
    pub(super) began_min: i64,
    /// When its last call began.
    pub(super) began_max: i64,
    /// Its exchanges, as [`read`] reads them.
    pub(super) body: Vec<u8>,
    /// What it holds an exchange of: kind and value.
    pub(super) marks: BTreeSet<(&'static str, String)>,
    /// Its run of keys, by part.
    pub(super) keys: BTreeMap<u64, Vec<u8>>,
}

impl Block {
    /// The block that a number of exchanges make.
    pub(super) fn of(number: u64, rows: &[&Indexed]) -> Self {
        let mut words = Words::default();
        let lines = rows.iter().map(|row| words.line(row)).collect();
        let body = Body {
            version: VERSION,
            words: words.list,
            lines,
        };
        let began = || rows.iter().map(|row| row.began);
        Self {
            number,
            // Of a block without an exchange, all replays, nothing is ever found.
            began_min: began().min().unwrap_or(i64::MAX),
            began_max: began().max().unwrap_or(i64::MIN),
            body: envelope::write(&body),
            marks: rows.iter().flat_map(|row| marks(row)).collect(),
            keys: keys::run_of(rows),
        }
    }
}

/// Kinds of marks.
pub(super) const AGREEMENT: &str = "agreement";
pub(super) const MEMBER: &str = "member";
pub(super) const OWN: &str = "own";
pub(super) const RESULT: &str = "result";
pub(super) const SERVICE: &str = "service";

/// What an exchange is found by besides its time and its keys.
fn marks(row: &Indexed) -> impl Iterator<Item = (&'static str, String)> {
    // What went well is found by time: nearly every block holds some.
    let failed = (row.result != Outcome::Ok.as_str()).then(|| (RESULT, row.result.to_owned()));
    [
        (AGREEMENT, row.agreement.clone()),
        (MEMBER, row.member.clone()),
        (OWN, row.own.clone()),
        (SERVICE, row.service.clone()),
    ]
    .into_iter()
    .chain(failed)
}

/// A block's exchanges: words that come again and again once, then a line each.
#[derive(Encode, Decode)]
struct Body<'b> {
    #[n(0)]
    version: u8,
    #[b(1)]
    words: Vec<&'b str>,
    #[b(2)]
    lines: Vec<Line<'b>>,
}

/// An exchange; words by their number.
#[derive(Encode, Decode)]
struct Line<'b> {
    /// Its place in the block.
    #[n(0)]
    place: u16,
    #[b(1)]
    request: &'b str,
    #[n(2)]
    consumes: bool,
    #[n(3)]
    consumer: u32,
    #[n(4)]
    service: u32,
    #[n(5)]
    agreement: u32,
    #[b(6)]
    message: Option<&'b str>,
    #[b(7)]
    issue: Option<&'b str>,
    #[n(8)]
    status: u16,
    #[n(9)]
    began: i64,
    #[n(10)]
    ended: i64,
    #[n(11)]
    own: u32,
    #[n(12)]
    member: u32,
    #[n(13)]
    result: u32,
    #[n(14)]
    fault: u32,
}

#[derive(Default)]
struct Words<'b> {
    list: Vec<&'b str>,
    numbers: HashMap<&'b str, u32>,
}

impl<'b> Words<'b> {
    fn number(&mut self, word: &'b str) -> u32 {
        *self.numbers.entry(word).or_insert_with(|| {
            self.list.push(word);
            u32::try_from(self.list.len() - 1).expect("a block has some thousand words")
        })
    }

    fn line(&mut self, row: &'b Indexed) -> Line<'b> {
        Line {
            place: u16::try_from(row.position % BLOCK).expect("a block's place"),
            request: &row.request,
            consumes: row.side == CONSUMER,
            consumer: self.number(&row.consumer),
            service: self.number(&row.service),
            agreement: self.number(&row.agreement),
            message: row.message.as_deref(),
            issue: row.issue.as_deref(),
            status: row.status,
            began: row.began,
            ended: row.ended,
            own: self.number(&row.own),
            member: self.number(&row.member),
            result: self.number(row.result),
            fault: self.number(&row.fault),
        }
    }
}

/// The two sides in [`Indexed::side`].
pub(crate) const CONSUMER: &str = "consumer";
/// The other one.
pub(crate) const PROVIDER: &str = "provider";

/// The exchanges of a block, in their order.
///
/// # Errors
/// Internal when the bytes are no block's.
pub(super) fn read(number: u64, body: &[u8]) -> Result<Vec<Indexed>, Problem> {
    let bad = || Problem::internal(format!("block {number} of the evidence's index cannot be read"));
    let body: Body<'_> = envelope::read(body).map_err(|_| bad())?;
    if body.version != VERSION {
        return Err(bad());
    }
    let word = |number: u32| {
        let word = usize::try_from(number).ok().and_then(|at| body.words.get(at));
        word.copied().ok_or_else(bad)
    };
    let of = |line: &Line<'_>| {
        Ok(Indexed {
            request: line.request.to_owned(),
            side: if line.consumes { CONSUMER } else { PROVIDER },
            stream: STREAM,
            position: number * BLOCK + u64::from(line.place),
            consumer: word(line.consumer)?.to_owned(),
            service: word(line.service)?.to_owned(),
            agreement: word(line.agreement)?.to_owned(),
            message: line.message.map(str::to_owned),
            issue: line.issue.map(str::to_owned),
            status: line.status,
            began: line.began,
            ended: line.ended,
            own: word(line.own)?.to_owned(),
            member: word(line.member)?.to_owned(),
            result: Outcome::parse(word(line.result)?).ok_or_else(bad)?.as_str(),
            fault: word(line.fault)?.to_owned(),
        })
    };
    body.lines.iter().map(of).collect()
}
