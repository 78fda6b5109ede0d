//! Health checks: each address of a service that has a health path is asked now and then. What fails
//! opens the circuit of its address, so that no call goes there; what answers closes it. Never a call of
//! the exchange: no agreement, no evidence.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use kernel::Time;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::service::Registered;
use super::ways::Checked;
use crate::breaker::{Failure, Pass};
use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// How often it is looked whose check is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for one check, in milliseconds.
const CHECK_MS_MAX: u64 = 5_000;
/// Size of an answer to one, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// An address of a service, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaySeen {
    /// Where.
    pub url: String,
    /// How often it is picked, against the others.
    pub weight: u32,
    /// True while nothing is sent there.
    pub rests: bool,
    /// What its last health check found; none without one.
    pub checked: Option<Checked>,
}

impl Exchange {
    /// Checks for as long as the node runs.
    pub async fn follow_health(self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            tokio::select! {
                () = self.check_health() => {}
                _ = shutdown.changed() => break,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = shutdown.changed() => {}
            }
        }
    }

    /// Checks every address whose check is due, all at the same time.
    pub async fn check_health(&self) {
        let now = self.0.now();
        let services = self.0.registered.read();
        let due: Vec<Arc<Registered>> = services.into_iter().filter(|one| one.is_due(now)).collect();
        let mut checks = JoinSet::new();
        for service in due {
            for way in 0..service.ways.len() {
                checks.spawn(check(self.clone(), Arc::clone(&service), way));
            }
        }
        while checks.join_next().await.is_some() {}
    }

    /// The addresses of a registered service, and how each stands.
    #[must_use]
    pub fn ways_of(&self, service: &ServiceId) -> Vec<WaySeen> {
        let now = self.0.now();
        let Some(registered) = self.0.registered.get(service) else {
            return Vec::new();
        };
        let ways = registered.entry.setup.ways().zip(registered.ways.checked());
        ways.map(|((url, weight), checked)| WaySeen {
            url: url.to_owned(),
            weight,
            rests: self.0.service_circuits.rest_ms(url, now) > 0,
            checked,
        })
        .collect()
    }
}

async fn check(exchange: Exchange, service: Arc<Registered>, way: usize) {
    let (setup, behind) = (&service.entry.setup, service.ways.at(way));
    let url = format!("{}{}", behind.url.trim_end_matches('/'), setup.health);
    let Ok(request) = Request::get(url).body(Bytes::new()) else {
        return;
    };
    let ms = setup.timeout_ms.min(CHECK_MS_MAX);
    let sent = behind.client.send(request, ms, ANSWER_BYTES_MAX).await;
    let found = Checked {
        at: exchange.0.now(),
        status: sent.ok().map(|answer| answer.status().as_u16()),
    };
    service.ways.note(way, found);
    let circuits = &exchange.0.service_circuits;
    if found.is_good() {
        circuits.answered(&behind.url);
    } else {
        // A check is there to say so at once; it is the try that an open circuit waits for, too.
        let name = service.entry.id.to_string();
        circuits.failed(&behind.url, &name, Pass::Try, Failure::Silent, found.at);
    }
}

impl Registered {
    /// True when its addresses are to be checked now.
    fn is_due(&self, now: Time) -> bool {
        let setup = &self.entry.setup;
        let every_ms = i64::from(setup.health_every_s) * 1_000;
        let due = |last: Option<Checked>| last.is_none_or(|last| now.ms() - last.at.ms() >= every_ms);
        !setup.health.is_empty() && self.ways.checked().into_iter().any(due)
    }
}
