//! The called side of the wire: every message becomes a task of its own, and its answer goes back in
//! whatever order answers are ready. A stop lets what has begun finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::AnswerFrames;
use super::format::{Reason, STREAMS_MAX};
use super::incoming::{Event, Incoming};
use super::link::Link;
use crate::listen::{Peer, stopped};

/// How long a silent connection is kept: longer than any caller of ours keeps its end.
const QUIET: Duration = Duration::from_secs(90);

/// An answer that is being made; whoever waits is told also when that breaks off.
struct Owed {
    link: Arc<Link>,
    stream: u32,
    working: Arc<AtomicUsize>,
    given: bool,
}

impl Drop for Owed {
    fn drop(&mut self) {
        self.working.fetch_sub(1, Ordering::AcqRel);
        if !self.given {
            self.link.give_up(self.stream, Reason::Gone);
        }
    }
}

/// Serves a connection until the other side ends it. After a stop the other side is told, begins
/// nothing new here, and ends the connection once it has its answers.
pub(crate) async fn speak<T>(
    io: T,
    peer: Peer,
    answers: Arc<dyn AnswerFrames>,
    mut stop: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite,
{
    let link = Arc::new(Link::default());
    let peer = Arc::new(peer);
    let working = Arc::new(AtomicUsize::new(0));
    let incoming = Incoming::new(answers.message_bytes_max());
    let on = |event| match event {
        Event::Message(stream, bytes) => {
            if working.fetch_add(1, Ordering::AcqRel) >= STREAMS_MAX {
                working.fetch_sub(1, Ordering::AcqRel);
                link.give_up(stream, Reason::Unread);
                return;
            }
            let (answers, peer) = (Arc::clone(&answers), Arc::clone(&peer));
            let mut owed = Owed {
                link: Arc::clone(&link),
                stream,
                working: Arc::clone(&working),
                given: false,
            };
            tokio::spawn(async move {
                let answer = answers.answer(&peer, bytes).await;
                owed.given = true;
                owed.link.answer(stream, Bytes::from(answer));
            });
        }
        other => link.heard(other),
    };
    let told = async {
        stopped(&mut stop).await;
        link.tell_last();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = link.run(io, incoming, QUIET, || false, on) => {}
        () = told => {}
    }
}
