//! The circuits of the parties that fail just now, by address: other nodes, and systems behind this
//! gateway. A party that answers has none, so a healthy call costs one look at a counter. Never asks
//! anybody: who asks tells how it went.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{Kind, OrgCode, Problem, Time};

use crate::breaker::{Breaker, Failure, Pass, State};
use crate::gateway::Exchange;
use crate::service::Service;

/// A circuit as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitSeen {
    /// What stands there: a node, or a system behind this gateway.
    pub hop: Hop,
    /// The node's id, or the name of the service.
    pub name: String,
    /// Where it is called.
    pub address: String,
    /// Where it stands.
    pub state: State,
    /// Failures since the last answer, count.
    pub failures: u32,
    /// Since when it is open; `None` while it is closed.
    pub since: Option<Time>,
    /// How the last call went wrong.
    pub why: Failure,
}

/// Another node that does not answer, and whom it keeps away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// The node's id in the directory.
    pub node: String,
    /// The organisations that live there.
    pub members: Vec<OrgCode>,
    /// The first call that failed since its last answer.
    pub since: Time,
}

/// What a circuit leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// Another node.
    Node,
    /// A system behind this gateway.
    Service,
}

/// An address of a service, and as what a call passes there.
pub(crate) type Entered<'s> = Option<(&'s str, Pass)>;
/// A place among the addresses of a service, and the address with how a call passes there.
pub(crate) type WayIn<'s> = (usize, Entered<'s>);

/// The circuits of one kind of hop.
#[derive(Debug, Default)]
pub(crate) struct Circuits {
    troubled: Mutex<BTreeMap<String, Troubled>>,
    count: AtomicUsize,
}

#[derive(Debug)]
struct Troubled {
    name: String,
    breaker: Breaker,
    last: Failure,
    /// The first failure since the last answer, and the newest.
    failing: (Time, Time),
}

impl Circuits {
    /// Lets a call to an address pass.
    ///
    /// # Errors
    /// How many milliseconds to wait before trying again.
    pub(crate) fn enter(&self, address: &str, now: Time) -> Result<Pass, i64> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Ok(Pass::Usual);
        }
        let mut troubled = self.locked();
        match troubled.get_mut(address) {
            Some(found) => found.breaker.enter(now),
            None => Ok(Pass::Usual),
        }
    }

    /// Lets a call to a service pass: at the address whose turn it is, or at the next one that does not
    /// rest. No address for a service within the platform.
    ///
    /// # Errors
    /// How many milliseconds to wait when all of them rest.
    pub(crate) fn way_to<'s>(&self, service: &'s dyn Service, now: Time) -> Result<WayIn<'s>, i64> {
        let (ways, mut wait_ms) = (service.ways(), i64::MAX);
        let mut tried = 0_u64;
        let mut way = service.pick();
        for _ in 0..ways {
            // By its weight again; where the turn comes back to one that rests, the next one beside it.
            while tried & (1 << way) != 0 {
                way = (way + 1) % ways;
            }
            tried |= 1 << way;
            let Some(url) = service.way(way) else {
                break;
            };
            match self.enter(url, now) {
                Ok(pass) => return Ok((way, Some((url, pass)))),
                Err(rest_ms) => wait_ms = wait_ms.min(rest_ms),
            }
            way = service.pick();
        }
        if ways == 0 { Ok((0, None)) } else { Err(wait_ms) }
    }

    /// Lets a call pass at another address of a service than the one where it failed; none when there is
    /// no other, or all others rest.
    pub(crate) fn way_beside<'s>(
        &self,
        service: &'s dyn Service,
        failed: usize,
        now: Time,
    ) -> Option<WayIn<'s>> {
        let ways = service.ways();
        (1..ways).find_map(|step| {
            let way = (failed + step) % ways;
            let url = service.way(way)?;
            let pass = self.enter(url, now).ok()?;
            Some((way, Some((url, pass))))
        })
    }

    /// How long nothing passes to an address, in milliseconds; 0 when the next call does. Only looks.
    pub(crate) fn rest_ms(&self, address: &str, now: Time) -> i64 {
        let troubled = self.locked();
        troubled
            .get(address)
            .map_or(0, |found| found.breaker.rest_ms(now))
    }

    /// Whether any party fails just now.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) != 0
    }

    /// Notes that there was an answer.
    pub(crate) fn answered(&self, address: &str) {
        if self.any() {
            let mut troubled = self.locked();
            if let Some(healed) = troubled.remove(address) {
                self.count.store(troubled.len(), Ordering::Relaxed);
                if healed.breaker.open_since().is_some() {
                    tracing::info!(address, name = healed.name, "a circuit is closed again");
                }
            }
        }
    }

    /// Notes that a call failed.
    pub(crate) fn failed(&self, address: &str, name: &str, pass: Pass, failure: Failure, now: Time) {
        let mut troubled = self.locked();
        if !troubled.contains_key(address) {
            let new = Troubled {
                name: name.to_owned(),
                breaker: Breaker::default(),
                last: failure,
                failing: (now, now),
            };
            troubled.insert(address.to_owned(), new);
            self.count.store(troubled.len(), Ordering::Relaxed);
        }
        if let Some(found) = troubled.get_mut(address) {
            let closed = found.breaker.open_since().is_none();
            found.breaker.failed(pass, failure, now);
            found.last = failure;
            found.failing.1 = now;
            if closed && found.breaker.open_since().is_some() {
                metrics::counter!("sen_exchange_circuits_opened_total").increment(1);
                tracing::warn!(
                    address,
                    name,
                    "a circuit is open: nothing is sent there for a while"
                );
            }
        }
    }

    fn seen(&self, hop: Hop, now: Time) -> Vec<CircuitSeen> {
        let troubled = self.locked();
        let seen = troubled.iter().map(|(address, t)| CircuitSeen {
            hop,
            name: t.name.clone(),
            address: address.clone(),
            state: t.breaker.state(now),
            failures: t.breaker.failures(),
            since: t.breaker.open_since(),
            why: t.last,
        });
        seen.collect()
    }

    /// Who is not asked just now or tried again, by name, with the first failure: as far as a call failed within a time,
    /// because nobody knows of who was not asked since.
    fn away(&self, now: Time, within_ms: i64) -> Vec<(String, Time)> {
        if !self.any() {
            return Vec::new();
        }
        let troubled = self.locked();
        let open = troubled.values().filter(|t| {
            let (_, newest) = t.failing;
            t.breaker.state(now) != State::Closed && now.ms() - newest.ms() <= within_ms
        });
        open.map(|t| (t.name.clone(), t.failing.0)).collect()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Troubled>> {
        self.troubled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait in whole seconds, as a caller is told it.
pub(crate) fn seconds(wait_ms: i64) -> i64 {
    wait_ms.max(1).saturating_add(999) / 1_000
}

/// Nothing is sent to another node for a while.
pub(crate) fn node_rests(member: impl std::fmt::Display, node: &str, wait_ms: i64) -> Problem {
    Problem::new(Kind::Unavailable, "node-circuit-open")
        .with("hop", member)
        .with("node", node)
        .with("seconds", seconds(wait_ms))
}

/// Nothing is sent to the system behind a service for a while.
pub(crate) fn service_rests(service: impl std::fmt::Display, wait_ms: i64) -> Problem {
    Problem::new(Kind::Unavailable, "service-circuit-open")
        .with("service", service)
        .with("seconds", seconds(wait_ms))
}

impl Exchange {
    /// Every node and every system behind this gateway that fails just now; all others answer.
    #[must_use]
    pub fn circuits(&self) -> Vec<CircuitSeen> {
        let (g, now) = (&*self.0, self.0.now());
        let mut all = g.node_circuits.seen(Hop::Node, now);
        all.extend(g.service_circuits.seen(Hop::Service, now));
        all
    }

    /// The other nodes of this instance that do not answer just now, with whom they keep away, by the node's id. What
    /// waits in the outbox is tried at least once in its longest wait: a node for which nothing failed in twice that
    /// time is not known to be away.
    #[must_use]
    pub fn away(&self) -> Vec<Away> {
        let g = &*self.0;
        let within_ms = g.store.limits().retry_ms_max.saturating_mul(2);
        let silent = g.node_circuits.away(g.now(), within_ms);
        if silent.is_empty() {
            return Vec::new();
        }
        let snapshot = g.directory.snapshot();
        let known = silent
            .into_iter()
            .filter(|(node, _)| snapshot.node(node).is_some());
        let mut away: Vec<Away> = known
            .map(|(node, since)| {
                let members = snapshot.members.iter().filter(|member| member.node == node);
                Away {
                    members: members.map(|member| member.org.clone()).collect(),
                    node,
                    since,
                }
            })
            .collect();
        away.sort_by(|a, b| a.node.cmp(&b.node));
        away
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_fails_has_a_circuit_and_an_answer_ends_it() {
        let circuits = Circuits::default();
        let now = Time(5_000);
        assert_eq!(
            (circuits.enter("a", now), circuits.any()),
            (Ok(Pass::Usual), false)
        );
        circuits.failed("a", "ministry", Pass::Usual, Failure::Silent, now);
        circuits.failed("b", "province", Pass::Usual, Failure::Failed, now);
        assert_eq!(circuits.enter("a", now), Err(1_000));
        assert_eq!(circuits.rest_ms("a", now), 1_000);
        assert_eq!(circuits.enter("b", now), Ok(Pass::Usual), "once is not enough");
        assert_eq!(
            circuits.enter("c", now),
            Ok(Pass::Usual),
            "the others are not slowed"
        );
        let states: Vec<_> = circuits
            .seen(Hop::Node, now)
            .into_iter()
            .map(|c| (c.name, c.state))
            .collect();
        let expected = [("ministry", State::Open), ("province", State::Closed)];
        assert_eq!(states, expected.map(|(name, state)| (name.to_owned(), state)));
        circuits.answered("a");
        circuits.answered("b");
        assert!(circuits.seen(Hop::Node, now).is_empty() && !circuits.any());
    }

    #[test]
    fn who_does_not_answer_is_away_since_the_first_failure_and_as_long_as_somebody_tries() {
        let circuits = Circuits::default();
        let (now, minute) = (Time(5_000), 60_000);
        circuits.failed("a", "ministry", Pass::Usual, Failure::Silent, now);
        circuits.failed("b", "province", Pass::Usual, Failure::Failed, now);
        let away = |at: Time| circuits.away(at, minute);
        assert_eq!(
            away(now),
            [("ministry".to_owned(), now)],
            "one failure is no absence"
        );
        let later = now.plus_ms(minute);
        circuits.failed("a", "ministry", Pass::Try, Failure::Silent, later);
        assert_eq!(away(later.plus_ms(minute)), [("ministry".to_owned(), now)]);
        assert_eq!(away(later.plus_ms(minute + 1)), [], "nobody has tried it since");
        circuits.answered("a");
        assert_eq!(away(later), []);
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        for (ms, told) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (5_000, 5)] {
            assert_eq!(seconds(ms), told, "{ms}");
        }
    }
}
