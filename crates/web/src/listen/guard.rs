//! A connection's bytes with a deadline on every phase of its life. Never reads what they mean:
//! hyper does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kernel::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How long what is still coming in is thrown away after we have answered and closed: without it
/// the sender's unread bytes make the system reset the connection, and the answer is lost.
const LINGER: Duration = Duration::from_secs(2);

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepted; the first header is not complete.
    Fresh,
    /// A request is being read, worked on or answered.
    Busy,
    /// An answer is out; silence so far.
    Idle,
    /// An answer is out; the next header has begun.
    Header,
}

/// Shared between a connection's bytes and its requests: the phase, with a count that tells one
/// idle time from the next, and whether the sender has more than we have read.
#[derive(Debug, Default)]
pub(crate) struct Life {
    turn: AtomicU64,
    unread: AtomicBool,
}

impl Life {
    pub(crate) fn phase(&self) -> Phase {
        phase_of(self.turn.load(Ordering::Acquire))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        let next = |turn: u64| Some(((turn >> 2) + 1) << 2 | phase as u64);
        if self.phase() != phase {
            self.turn
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
                .unwrap_or_default();
        }
    }

    pub(crate) fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Release);
    }
}

const fn phase_of(turn: u64) -> Phase {
    match turn & 3 {
        0 => Phase::Fresh,
        1 => Phase::Busy,
        2 => Phase::Idle,
        _ => Phase::Header,
    }
}

/// How long each phase may last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    header: Duration,
    idle: Duration,
    busy: Duration,
}

impl Deadlines {
    pub(crate) fn of(limits: &Limits) -> Self {
        let ms = Duration::from_millis;
        Self {
            header: ms(limits.header_ms_max),
            idle: ms(limits.idle_ms_max),
            // `present` answers at the limit itself; the rest is for that answer to get out.
            busy: ms(limits.request_ms_max + limits.header_ms_max),
        }
    }

    fn of_phase(self, phase: Phase) -> Duration {
        match phase {
            Phase::Fresh | Phase::Header => self.header,
            Phase::Idle => self.idle,
            Phase::Busy => self.busy,
        }
    }
}

/// A stream that fails with `TimedOut` when a phase lasts too long.
pub(crate) struct Guard<T> {
    inner: T,
    life: Arc<Life>,
    deadlines: Deadlines,
    sleep: Pin<Box<Sleep>>,
    armed_for: u64,
    lingering: bool,
}

impl<T> Guard<T> {
    pub(crate) fn new(inner: T, life: Arc<Life>, deadlines: Deadlines) -> Self {
        let sleep = Box::pin(tokio::time::sleep(deadlines.header));
        Self {
            inner,
            life,
            deadlines,
            sleep,
            armed_for: 0,
            lingering: false,
        }
    }

    /// Called when the other side keeps us waiting.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let turn = self.life.turn.load(Ordering::Acquire);
        if turn != self.armed_for {
            self.arm(turn);
        }
        ready!(self.sleep.as_mut().poll(cx));
        metrics::counter!("sen_connections_timed_out_total").increment(1);
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn arm(&mut self, turn: u64) {
        self.armed_for = turn;
        self.sleep
            .as_mut()
            .set(tokio::time::sleep(self.deadlines.of_phase(phase_of(turn))));
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guard<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, out) {
            Poll::Pending => self.wait(cx).map(Err),
            Poll::Ready(done) => {
                if out.filled().len() > before && self.life.phase() == Phase::Idle {
                    self.life.enter(Phase::Header);
                }
                Poll::Ready(done)
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(cx, bytes) {
            Poll::Pending => self.wait(cx).map(Err),
            Poll::Ready(done) => {
                // The tail of an answer counts as life: idle time starts once it is out.
                let turn = self.life.turn.load(Ordering::Acquire);
                if phase_of(turn) == Phase::Idle && turn == self.armed_for {
                    self.arm(turn);
                }
                Poll::Ready(done)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(cx) {
            Poll::Pending => self.wait(cx).map(Err),
            done => done,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.lingering {
            match Pin::new(&mut self.inner).poll_shutdown(cx) {
                Poll::Pending => return self.wait(cx).map(Err),
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Ready(Ok(())) if !self.life.unread.load(Ordering::Acquire) => {
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(())) => {
                    self.lingering = true;
                    self.sleep.as_mut().set(tokio::time::sleep(LINGER));
                }
            }
        }
        let mut scratch = [0_u8; 8192];
        loop {
            // Checked on every round: a sender that never pauses must not hold us here.
            if self.sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut out = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.inner).poll_read(cx, &mut out) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !out.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
