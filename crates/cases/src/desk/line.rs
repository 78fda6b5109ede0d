//! The line between a desk and the rest of the country: who does not answer, and what waits for them. Work at the desk
//! needs nobody: what others are to be told or asked stands in the outbox and goes by itself. This only looks; it asks
//! nobody and holds nothing up.
//!
//! | read | for |
//! |---|---|
//! | `banner` | what stands above every page of the desk while it is cut off, or catches up |
//! | [`page`] | `/desk/line`: who is away since when, what waits |

mod banner;
pub mod page;
#[cfg(test)]
mod tests;

use exchange::{Away, ServiceId};
use kernel::{Problem, Time};
use web::openapi::{OpenApiRouter, routes};

pub use banner::CutOff;

use crate::desk::{act, checks, follow_up};
use crate::reconcile::mend;
use crate::state::Cases;
use crate::sync;

/// The topics whose lines other nodes are told or asked by, in the order in which pages name them.
const TOPICS: [&str; 5] = [
    sync::TOPIC,
    act::TOPIC,
    follow_up::TOPIC,
    checks::TOPIC,
    mend::TOPIC,
];
/// Why a line failed whose other side was not heard: keys of the gateway's problems and of the outbox's own.
const UNHEARD: [&str; 4] = [
    "provider-unreachable",
    "node-circuit-open",
    "outcome-unknown",
    "delivery-timeout",
];
/// Lines of one topic that are counted; what is above is `10000+`.
const LINES_MAX: usize = 10_000;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page::show))
        .routes(routes!(page::show_json))
}

/// What a desk sees of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The nodes that do not answer.
    away: Vec<Away>,
    /// What waits, by topic; topics of which nothing waits are left out.
    waits: Vec<Waits>,
}

/// What waits under one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    topic: &'static str,
    /// Lines, count.
    lines: u64,
    /// Those that were tried while nobody answered, count.
    unheard: u64,
    /// When the oldest of those was written.
    since: Option<Time>,
}

/// How the line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// As ever.
    Whole,
    /// Somebody does not answer, since then.
    Cut(Time),
    /// Everybody answers again, and what waits since then is on its way.
    Behind(Time),
}

impl Line {
    /// How it stands. What was kept waiting before this process began says since when, too.
    pub(crate) fn stands(&self) -> Stands {
        let waiting = self.waits.iter().filter_map(|waits| waits.since).min();
        let silent = self.away.iter().map(|away| away.since).min();
        match (silent, waiting) {
            (Some(silent), waiting) => Stands::Cut(waiting.map_or(silent, |waiting| waiting.min(silent))),
            (None, Some(waiting)) => Stands::Behind(waiting),
            (None, None) => Stands::Whole,
        }
    }

    /// Lines that wait, count.
    pub(crate) fn lines(&self) -> u64 {
        self.waits.iter().map(|waits| waits.lines).sum()
    }
}

/// A count, as pages write it; of one topic never more than were counted.
fn counted(lines: u64) -> String {
    let most = u64::try_from(LINES_MAX).unwrap_or(u64::MAX);
    match lines >= most {
        true => format!("{most}+"),
        false => lines.to_string(),
    }
}

impl Cases {
    /// What this desk sees of the line.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn line(&self) -> Result<Line, Problem> {
        let mut waits = Vec::new();
        for topic in TOPICS {
            let lag = self.store.outbox_lag(&self.tenant, topic, UNHEARD, LINES_MAX);
            let lag = lag.await?;
            if lag.lines > 0 {
                waits.push(Waits {
                    topic,
                    lines: lag.lines,
                    unheard: lag.unheard,
                    since: lag.since,
                });
            }
        }
        Ok(Line {
            away: self.exchange.away(),
            waits,
        })
    }

    /// Since when the organisation that offers a service does not answer; nothing while it does, and for what is no
    /// service.
    pub(crate) fn away_since(&self, service: &str) -> Option<Time> {
        let service: ServiceId = service.parse().ok()?;
        let org = service.org.top();
        let away = self.exchange.away();
        let node = away.iter().find(|away| away.members.contains(&org));
        node.map(|away| away.since)
    }
}
