//! For tests: keeps every log line of the running thread, so that a test can plant a canary (a
//! name, a personal number, a query) and look for it. Never part of a running node.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// What the log carried while the guard lived.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

/// Keeps every event and span of this thread until the guard is dropped. Tests of async code use
/// it under a current-thread runtime, which is what `#[tokio::test]` gives.
#[must_use = "lines are kept while the guard lives"]
pub fn keep() -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let keeper = Keeper {
        lines: lines.clone(),
        spans: AtomicU64::new(0),
    };
    (lines, tracing::subscriber::set_default(keeper))
}

impl Lines {
    /// Every line so far: level, target, then `field=value`.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lines that carry any of some texts: empty when the canaries stayed out of the log.
    #[must_use]
    pub fn carrying(&self, canaries: &[&str]) -> Vec<String> {
        self.all()
            .into_iter()
            .filter(|line| canaries.iter().any(|canary| line.contains(canary)))
            .collect()
    }

    /// The lines of the access log.
    #[must_use]
    pub fn access(&self) -> Vec<String> {
        self.all()
            .into_iter()
            .filter(|line| line.contains(" access "))
            .collect()
    }

    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

struct Keeper {
    lines: Lines,
    spans: AtomicU64,
}

impl Subscriber for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::of(span.metadata());
        span.record(&mut line);
        self.lines.push(line.0);
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line::default();
        values.record(&mut line);
        self.lines.push(line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::of(event.metadata());
        event.record(&mut line);
        self.lines.push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Line {
    fn of(metadata: &Metadata<'_>) -> Self {
        Self(format!("{} {} ", metadata.level(), metadata.target()))
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap_or_default();
    }
}
