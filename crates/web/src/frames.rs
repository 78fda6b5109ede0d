//! The wire between two nodes: messages as frames, many at once on one connection of mutual TLS, as
//! published in `docs/wire.md`. A large message is cut into frames that take turns with those of
//! others, and goes on only as far as the other side has room. Never reads what a message says.

mod client;
mod format;
mod incoming;
mod link;
mod outgoing;
mod serve;

use async_trait::async_trait;

use crate::listen::Peer;

pub use client::FrameClient;
pub(crate) use serve::speak;

/// The name of this wire in the TLS handshake (ALPN, RFC 7301); the number is its version.
pub const ALPN: &[u8] = b"sen-frames/1";

/// Who answers what comes in as frames.
#[async_trait]
pub trait AnswerFrames: Send + Sync {
    /// The largest message taken, in bytes.
    fn message_bytes_max(&self) -> usize;

    /// Answers one message of a peer. It runs to its end also when the peer has gone away.
    async fn answer(&self, peer: &Peer, message: Vec<u8>) -> Vec<u8>;
}

#[cfg(test)]
mod tests;
