//! What the process counts of itself: the log's flushes and the amber light. One for all tests of
//! the process, so that a figure holds what others did meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};

/// The figures that tests look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    flushes: Arc<AtomicU64>,
    amber: Arc<AtomicU64>,
}

/// Counts from the first call on.
pub(crate) fn figures() -> &'static Figures {
    static FIGURES: OnceLock<Figures> = OnceLock::new();
    FIGURES.get_or_init(|| {
        let figures = Figures::default();
        metrics::set_global_recorder(figures.clone()).expect("the only recorder");
        figures
    })
}

impl Figures {
    /// Flushes of all logs so far.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::SeqCst)
    }

    /// Whether the light for timestamps is amber.
    pub(crate) fn amber(&self) -> bool {
        f64::from_bits(self.amber.load(Ordering::SeqCst)) > 0.5
    }
}

impl metrics::Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match key.name() {
            "sen_log_flushes_total" => Counter::from_arc(Arc::clone(&self.flushes)),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match key.name() {
            "sen_timestamp_amber" => Gauge::from_arc(Arc::clone(&self.amber)),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
