//! One connection: what waits to go out, who waits for an answer, and the loop that reads and
//! writes. Never knows which side it is on: see `client` and `serve`.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, oneshot};
use tokio::time::MissedTickBehavior;

use super::format::{self, Kind, Reason};
use super::incoming::{Event, Incoming};
use super::outgoing::Outgoing;
use crate::client::ClientError;

/// How often it is looked whether the other side is still heard; silent for so long while it owes us
/// something, it is asked.
const PULSE: Duration = Duration::from_millis(500);
/// How long it may stay silent after that.
const SILENT_MAX: Duration = Duration::from_secs(3);
// A side that says nothing is given up within five seconds: after one beat in which it was heard, one until it
// is asked, and the time that it has then.
const _: () = assert!(2 * PULSE.as_millis() + SILENT_MAX.as_millis() < 5_000);
/// How long the end of a connection may take.
const END_MAX: Duration = Duration::from_secs(5);
/// How long a write may be stuck in a side that does not read.
const WRITE_MAX: Duration = Duration::from_secs(20);
/// What is read at once, in bytes.
const READ_BYTES: usize = 32 * 1024;

/// The answer to a message, or why there is none.
pub(super) type Answered = Result<Vec<u8>, ClientError>;

/// A connection as those who send over it see it.
#[derive(Debug, Default)]
pub(super) struct Link {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    outgoing: Outgoing,
    /// Who waits for the answer to which message.
    waiting: HashMap<u32, oneshot::Sender<Answered>>,
    /// The last stream begun.
    stream: u32,
    /// No new message goes out here: it ends once nobody waits.
    last: bool,
    closed: bool,
    /// Anything at all came from the other side.
    heard: bool,
}

/// A message whose answer is awaited; given up when dropped before.
pub(super) struct Awaited<'a> {
    link: &'a Link,
    stream: u32,
    answer: oneshot::Receiver<Answered>,
}

impl Link {
    /// Whether a new message may go out here.
    pub(super) fn is_open(&self) -> bool {
        let state = self.state();
        !state.last && !state.closed
    }

    /// Sends a message of ours; `None` when this connection takes none any more.
    pub(super) fn ask(&self, message: Bytes) -> Option<Awaited<'_>> {
        let (tell, answer) = oneshot::channel();
        let stream = {
            let mut state = self.state();
            if state.last || state.closed {
                return None;
            }
            let stream = state.stream.checked_add(1)?;
            state.stream = stream;
            // The numbers do not begin anew: a fresh connection does.
            state.last = stream == u32::MAX;
            state.waiting.insert(stream, tell);
            state.outgoing.push(stream, message);
            stream
        };
        self.wake.notify_one();
        Some(Awaited {
            link: self,
            stream,
            answer,
        })
    }

    /// Sends the answer to a message of theirs.
    pub(super) fn answer(&self, stream: u32, message: Bytes) {
        self.state().outgoing.push(stream, message);
        self.wake.notify_one();
    }

    /// Gives a message of theirs up.
    pub(super) fn give_up(&self, stream: u32, reason: Reason) {
        format::give_up(self.state().outgoing.now(), stream, reason);
        self.wake.notify_one();
    }

    /// Tells the other side that no new message is read here.
    pub(super) fn tell_last(&self) {
        format::bare(self.state().outgoing.now(), Kind::Last);
        self.wake.notify_one();
    }

    /// Takes the next events that concern what we sent.
    pub(super) fn heard(&self, event: Event) {
        match event {
            Event::Message(stream, bytes) => self.settle(stream, Ok(bytes)),
            Event::GivenUp(stream, reason) => {
                self.state().outgoing.drop_message(stream);
                let error = match reason {
                    Reason::Gone => ClientError::Broken,
                    Reason::TooLarge => ClientError::TooLarge,
                    Reason::Unread => ClientError::Connect,
                };
                self.settle(stream, Err(error));
            }
            Event::Room(stream, bytes) => {
                self.state().outgoing.room(stream, bytes);
                self.wake.notify_one();
            }
            Event::Last => {
                self.state().last = true;
                self.wake.notify_one();
            }
            Event::Ping => {
                format::bare(self.state().outgoing.now(), Kind::Here);
                self.wake.notify_one();
            }
        }
    }

    fn settle(&self, stream: u32, answered: Answered) {
        let (waiting, was_last) = {
            let mut state = self.state();
            (state.waiting.remove(&stream), state.last)
        };
        if let Some(waiting) = waiting {
            // Who has gone away in this very moment needs no answer.
            waiting.send(answered).ok();
        }
        // The writer ends the connection when nobody waits any more; else it has nothing new to do.
        if was_last {
            self.wake.notify_one();
        }
    }

    /// Ends the connection for all who still use it. What was never read may be sent again: with
    /// [`ClientError::Connect`], all of it, else what had not begun to go out.
    fn close(&self, error: ClientError) {
        let mut state = self.state();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        let told: Vec<_> = waiting
            .into_iter()
            .map(|(stream, tell)| (tell, state.outgoing.drop_message(stream)))
            .collect();
        drop(state);
        for (tell, untouched) in told {
            let error = if untouched { ClientError::Connect } else { error };
            tell.send(Err(error)).ok();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and writes until the connection ends. `busy` tells whether the other side owes us
    /// something; `quiet` is how long it may be silent when it does not.
    pub(super) async fn run<T>(
        &self,
        io: T,
        incoming: Incoming,
        quiet: Duration,
        busy: impl Fn() -> bool,
        event: impl FnMut(Event),
    ) where
        T: AsyncRead + AsyncWrite,
    {
        let (mut from, mut to) = tokio::io::split(io);
        let ended = tokio::select! {
            ended = self.read(&mut from, incoming, quiet, busy, event) => ended,
            ended = self.write(&mut to) => ended,
        };
        let mut error = ClientError::Broken;
        if let Err(cause) = ended {
            // With TLS 1.3 a refused certificate shows only here: the alert is the proof that nothing
            // was looked at.
            let refused = matches!(cause.get_ref(), Some(inner) if inner.is::<rustls::Error>());
            if refused && !self.state().heard {
                error = ClientError::Connect;
            } else if cause.kind() == io::ErrorKind::TimedOut {
                error = ClientError::Silent;
            }
            tracing::debug!(%cause, "a connection between nodes ended early");
        }
        self.close(error);
        tokio::time::timeout(END_MAX, to.shutdown()).await.ok();
    }

    /// Whether somebody here waits for an answer.
    pub(super) fn is_awaited(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    async fn read(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        mut incoming: Incoming,
        quiet: Duration,
        busy: impl Fn() -> bool,
        mut event: impl FnMut(Event),
    ) -> io::Result<()> {
        let mut buffer = BytesMut::with_capacity(READ_BYTES);
        let mut pulse = tokio::time::interval(PULSE);
        // A stop of this process is no silence of the other side.
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut asked, mut silent) = (false, None, Duration::ZERO);
        // The first tick is at once.
        pulse.tick().await;
        loop {
            buffer.reserve(READ_BYTES);
            tokio::select! {
                read = from.read_buf(&mut buffer) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    if !std::mem::replace(&mut heard, true) {
                        self.state().heard = true;
                    }
                    let mut back = Vec::new();
                    let taken = incoming
                        .take(&buffer, &mut back, &mut event)
                        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
                    buffer.advance(taken);
                    if !back.is_empty() {
                        self.state().outgoing.now().append(&mut back);
                        self.wake.notify_one();
                    }
                }
                _ = pulse.tick() => {
                    if std::mem::take(&mut heard) {
                        (asked, silent) = (None, Duration::ZERO);
                        continue;
                    }
                    silent += PULSE;
                    match asked {
                        Some(at) if silent >= at + SILENT_MAX => {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                        Some(_) => {}
                        None if busy() => {
                            asked = Some(silent);
                            format::bare(self.state().outgoing.now(), Kind::Ping);
                            self.wake.notify_one();
                        }
                        None if silent >= quiet => return Ok(()),
                        None => {}
                    }
                }
            }
        }
    }

    async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut out = Vec::new();
        loop {
            self.wake.notified().await;
            loop {
                // Who is ready to send as well goes out in the same write.
                tokio::task::yield_now().await;
                self.state().outgoing.fill(&mut out);
                if out.is_empty() {
                    break;
                }
                let written = async {
                    to.write_all(&out).await?;
                    to.flush().await
                };
                tokio::time::timeout(WRITE_MAX, written)
                    .await
                    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                out.clear();
            }
            let state = self.state();
            if state.last && state.waiting.is_empty() && state.outgoing.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Awaited<'_> {
    /// Waits for the answer.
    pub(super) async fn answer(mut self) -> Answered {
        (&mut self.answer).await.unwrap_or(Err(ClientError::Broken))
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let mut state = self.link.state();
        if state.waiting.remove(&self.stream).is_some() {
            let untouched = state.outgoing.drop_message(self.stream);
            if !untouched {
                format::give_up(state.outgoing.now(), self.stream, Reason::Gone);
            }
            drop(state);
            self.link.wake.notify_one();
        }
    }
}
