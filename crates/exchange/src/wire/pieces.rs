//! A large body between two nodes: pieces that go ahead of a request, or are fetched after a reply, one
//! at a time, so that neither side ever holds more than a few of them. Never a word of a message.

use std::sync::Arc;

use axum::body::Bytes;
use kernel::{Kind, Problem};

use super::Way;
use crate::envelope::{self, Beside, Fault, Piece, Reply, WIRE_VERSION};
use crate::gateway::Gateway;
use crate::provider::refuse;
use crate::spool::Spool;

impl Way<'_> {
    /// Brings a body ahead of its message.
    ///
    /// # Errors
    /// As [`super::carry`].
    pub(super) async fn bring(&self, spool: &Arc<Spool>) -> Result<Beside, Problem> {
        let id = self.g.store.world().id();
        let mut offset = 0;
        while offset < spool.len() {
            let bytes = spool.piece(offset).await?;
            let next = offset + bytes.len() as u64;
            self.piece(&Piece {
                version: WIRE_VERSION,
                id: id.clone(),
                offset,
                bytes: Some(Vec::from(bytes).into()),
                last: next == spool.len(),
            })
            .await?;
            offset = next;
        }
        Ok(Beside {
            id,
            size: spool.len(),
        })
    }

    /// Fetches the body that a reply names.
    ///
    /// # Errors
    /// As [`super::carry`].
    pub(super) async fn fetch(&self, beside: &Beside) -> Result<Arc<Spool>, Problem> {
        let max = self.g.store.limits().exchange_body_bytes_max;
        if beside.size > max as u64 || beside.size == 0 {
            return Err(self.too_large());
        }
        let bad = || Problem::new(Kind::Upstream, "envelope-bad").with("hop", self.member);
        let mut writer = self.g.passing.spools.begin().await?;
        while writer.len() < beside.size {
            let reply = self
                .piece(&Piece {
                    version: WIRE_VERSION,
                    id: beside.id.clone(),
                    offset: writer.len(),
                    bytes: None,
                    last: false,
                })
                .await?;
            let bytes = reply.piece.ok_or_else(bad)?;
            if bytes.is_empty() || writer.len() + bytes.len() as u64 > beside.size {
                return Err(bad());
            }
            writer = writer.write(&bytes).await?;
        }
        Ok(Arc::new(writer.finish().await?))
    }

    /// One piece, and what the node says to it.
    async fn piece(&self, piece: &Piece) -> Result<Reply, Problem> {
        let message = Bytes::from(envelope::write(piece));
        let deadline_ms = self.g.store.limits().exchange_call_ms_max;
        let reply = self
            .once(message, deadline_ms)
            .await
            .map_err(|missed| missed.problem)?;
        match &reply.fault {
            None => Ok(reply),
            // A node of an earlier release does not know pieces: for it, the body is too large.
            Some(Fault { code, .. }) if matches!(code.as_str(), "body-too-large" | "envelope-bad") => {
                Err(self.too_large())
            }
            Some(fault) => Err(super::problem_of(fault).with("hop", self.member)),
        }
    }
}

impl Gateway {
    /// Takes or gives a piece of a large body.
    pub(super) async fn hand(&self, node: &str, piece: Piece) -> Reply {
        let bytes_max = self.store.limits().exchange_body_bytes_max as u64;
        let handed = if piece.bytes.is_some() {
            let put = self.passing.put(node, piece, bytes_max).await;
            put.map(|()| None)
        } else {
            let got = self.passing.get(node, &piece).await;
            got.map(|bytes| Some(Vec::from(bytes).into()))
        };
        match handed {
            Ok(piece) => Reply {
                version: WIRE_VERSION,
                answer: None,
                fault: None,
                beside: None,
                piece,
            },
            Err(problem) => refuse(&problem),
        }
    }

    /// Keeps the large body of an answer for the node that asked, and names it in the reply.
    pub(super) fn beside(&self, node: &str, mut reply: Reply) -> Reply {
        let Some(spool) = reply.answer.as_mut().and_then(|answer| answer.spool.take()) else {
            return reply;
        };
        match self.passing.offer(node, self.store.world().id(), spool) {
            Ok(beside) => Reply {
                beside: Some(beside),
                ..reply
            },
            Err(problem) => refuse(&problem),
        }
    }
}
