//! One request and one answer as they cross between gateways, and the evidence record both sides
//! keep: CBOR arrays with a version in front, read by every later release. Never a socket.

use std::sync::Arc;

use kernel::{Digest, Kind, Problem};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use seal::batch::{Parts, Sealed};

use crate::spool::Spool;

/// The version of [`Sent`] and [`Reply`] this code writes.
pub const WIRE_VERSION: u16 = 1;
/// The version of [`Evidence`] that names no kept body.
pub const EVIDENCE_VERSION: u16 = 1;
/// The version of [`Evidence`] that says where a body is kept.
pub const EVIDENCE_WITH_BODIES: u16 = 2;

/// A sealed message: head, body, signature.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Message {
    /// The head's bytes ([`crate::message`]).
    #[n(0)]
    pub head: ByteVec,
    /// The body's bytes.
    #[n(1)]
    pub body: ByteVec,
    /// The signature over both, as a member of its batch.
    #[n(2)]
    pub sealed: Sealed,
    /// The body in place of [`Message::body`] when it is too large for memory; never on the wire.
    #[cbor(skip)]
    pub spool: Option<Arc<Spool>>,
}

/// What a consumer's gateway sends.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Sent {
    /// [`WIRE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The request.
    #[n(1)]
    pub message: Message,
    /// The message's body, when it went ahead in pieces.
    #[n(2)]
    pub beside: Option<Beside>,
}

/// A large body that goes beside its message, in pieces; the message itself has none then.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Beside {
    /// What the sender calls it.
    #[n(0)]
    pub id: String,
    /// Its size in bytes.
    #[n(1)]
    pub size: u64,
}

/// A piece of a large body, brought or asked for. Always five elements, by which it is told from
/// [`Sent`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Piece {
    /// [`WIRE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// What the sender of the body calls it.
    #[n(1)]
    pub id: String,
    /// Where it begins, in bytes from the body's first.
    #[n(2)]
    pub offset: u64,
    /// Its bytes; absent when it is asked for.
    #[n(3)]
    pub bytes: Option<ByteVec>,
    /// True when the body ends with it.
    #[n(4)]
    pub last: bool,
}

impl Piece {
    /// Whether the bytes of a message are a piece and not a request.
    #[must_use]
    pub fn is_one(message: &[u8]) -> bool {
        // An array of five.
        message.first() == Some(&0x85)
    }
}

/// What a provider's gateway sends back.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Reply {
    /// [`WIRE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The service's answer; absent when the gateway refused.
    #[n(1)]
    pub answer: Option<Message>,
    /// The gateway's refusal; absent when there is an answer.
    #[n(2)]
    pub fault: Option<Fault>,
    /// The answer's body, when it is to be fetched in pieces.
    #[n(3)]
    pub beside: Option<Beside>,
    /// The piece that was asked for.
    #[n(4)]
    pub piece: Option<ByteVec>,
}

/// A gateway's refusal: the problem's key and status. The words are the reader's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Fault {
    /// The problem's key.
    #[n(0)]
    pub code: String,
    /// Its HTTP status.
    #[n(1)]
    pub status: u16,
    /// What the node's operator lets callers know; only while the node is in maintenance.
    #[n(2)]
    pub told: Option<Told>,
}

/// What the operator of a node in maintenance lets callers know.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// Why, in the operator's words.
    #[n(0)]
    pub notice: String,
    /// After how many seconds it may be tried again.
    #[n(1)]
    pub seconds: u32,
}

/// A record of one exchange at one side: what was signed, by whom, and how it ended.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`], or [`EVIDENCE_WITH_BODIES`].
    #[n(0)]
    pub version: u16,
    /// 0 on the consumer's side, 1 on the provider's.
    #[n(1)]
    pub side: u8,
    /// When this gateway began, in milliseconds since 1970.
    #[n(2)]
    pub began: i64,
    /// When this gateway ended, in milliseconds since 1970.
    #[n(3)]
    pub ended: i64,
    /// The request as signed.
    #[n(4)]
    pub request: Kept,
    /// The answer as signed; absent when a gateway refused.
    #[n(5)]
    pub answer: Option<Kept>,
    /// The refusal's key, empty when there is an answer.
    #[n(6)]
    pub fault: String,
    /// When the request went on from this gateway, to the other node or to the service, in milliseconds since
    /// 1970; absent when it did not, and in a record of an earlier release.
    #[n(20)]
    pub forwarded: Option<i64>,
    /// When the answer to it came in, in milliseconds since 1970; absent when none did.
    #[n(21)]
    pub returned: Option<i64>,
}

/// A message as evidence keeps it: the head whole, the body as its digest and size, and where it is kept
/// when the agreement says so.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Kept {
    /// The head's bytes.
    #[n(0)]
    pub head: ByteVec,
    /// SHA-256 of the body.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub body: [u8; 32],
    /// The body's size in bytes.
    #[n(2)]
    pub size: u64,
    /// The signature.
    #[n(3)]
    pub sealed: Sealed,
    /// Where the body is kept, when the agreement has it kept.
    #[n(4)]
    pub stored: Option<Stored>,
}

/// Where a body is kept, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Stored {
    /// The instant from which it is gone, in milliseconds since 1970: the end of a day.
    #[n(0)]
    pub until: i64,
    /// Its position among the bodies of that day.
    #[n(1)]
    pub at: u64,
}

/// The consumer's side in [`Evidence::side`].
pub const CONSUMER: u8 = 0;
/// The provider's side in [`Evidence::side`].
pub const PROVIDER: u8 = 1;

impl Message {
    /// The two digests the signature covers.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts {
            head: Digest::of(&self.head),
            body: match &self.spool {
                Some(spool) => spool.digest(),
                None => Digest::of(&self.body),
            },
        }
    }

    /// What evidence keeps of it.
    #[must_use]
    pub fn keep(&self, parts: &Parts) -> Kept {
        Kept {
            head: self.head.clone(),
            body: *parts.body.bytes(),
            size: self
                .spool
                .as_ref()
                .map_or(self.body.len() as u64, |spool| spool.len()),
            sealed: self.sealed.clone(),
            stored: None,
        }
    }
}

impl Kept {
    /// The two digests the signature covers.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts {
            head: Digest::of(&self.head),
            body: Digest(self.body),
        }
    }
}

/// Room that is made at once for what is written, in bytes: most records and messages fit.
const USUAL_BYTES: usize = 4 * 1024;

/// Writes a value as CBOR.
///
/// # Panics
/// Never: writing to memory cannot fail.
pub fn write<T: Encode<()>>(value: &T) -> Vec<u8> {
    write_around(value, 0)
}

/// Writes a value as CBOR that carries a body of so many bytes.
///
/// # Panics
/// Never: writing to memory cannot fail.
pub(crate) fn write_around<T: Encode<()>>(value: &T, body_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES + body_bytes);
    minicbor::encode(value, &mut bytes).expect("memory takes every byte");
    bytes
}

/// Reads a value from CBOR, all of it.
///
/// # Errors
/// `envelope-bad` when the bytes are not one, or have something behind it.
pub fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Problem> {
    let bad = || Problem::new(Kind::Malformed, "envelope-bad");
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|e| bad().because(e))?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(bad())
    }
}
