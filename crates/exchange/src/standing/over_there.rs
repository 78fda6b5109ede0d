//! The second half of a way, asked for by another node: whether this one takes the call, and how far its
//! service is. Told to the node of the agreement's other party alone, so often a minute. Never the service's
//! address, never a call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::post;
use axum::{Extension, Json, Router};
use kernel::{Digest, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::probe::probe;
use web::{Peer, Refusal};

use super::attempt::STEP_MS_MAX;
use super::way::{Way, WayFault, WayHop, WayStep};
use super::whole::Known;
use crate::envelope::Told;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};
use crate::rate::Bucket;

/// The path on the peer listener.
pub(super) const PATH: &str = "/exchange/v1/service-tries";
/// The version of what is asked and told.
const VERSION: u16 = 1;

/// What another node asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TryAsked {
    /// The form's version; 1.
    v: u16,
    /// The calling system.
    consumer: String,
    /// The service.
    service: String,
    /// The agreement's hash.
    agreement: String,
    /// In whose name, when not in the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    represented: Option<String>,
}

/// What this node says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TryTold {
    /// The form's version; 1.
    v: u16,
    /// The steps up to the first that failed.
    steps: Vec<StepTold>,
    /// The HTTP status of the service, where there is an answer.
    status: Option<u16>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StepTold {
    hop: String,
    ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// What the operator lets callers know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// After how many seconds it may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
}

impl StepTold {
    /// Why it failed, in this node's words.
    fn heard(&self) -> Option<WayFault> {
        let told = self.notice.clone().map(|notice| Told {
            notice,
            seconds: self.seconds.unwrap_or_default(),
        });
        Some(WayFault::heard(self.fault.as_deref()?, told))
    }
}

/// How often the way under each agreement was tried for its other party: a bucket while it is not full.
#[derive(Default)]
pub(crate) struct Tries(Mutex<HashMap<Digest, Bucket>>);

impl Tries {
    fn take(&self, agreement: Digest, per_minute: u32, now: Time) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, bucket| bucket.left(now) < u64::from(per_minute));
        let bucket = all.entry(agreement).or_insert_with(|| Bucket::full(per_minute));
        if bucket.try_take(now) {
            return Ok(());
        }
        Err(Problem::new(Kind::TooMany, "way-too-often"))
    }
}

impl TryAsked {
    pub(super) fn of(known: &Known<'_>) -> Self {
        Self {
            v: VERSION,
            consumer: known.consumer.to_string(),
            service: known.service.to_string(),
            agreement: known.agreement.hex(),
            represented: known.represented.map(OrgCode::to_string),
        }
    }
}

impl TryTold {
    pub(super) const fn is_known(&self) -> bool {
        self.v == VERSION
    }

    /// What the other node says, as far as it is its own to say, in this node's words.
    pub(super) fn read(&self, known: &Known<'_>, steps_max: usize) -> (Vec<WayStep>, Option<u16>) {
        let fault = |step: &StepTold| match step.heard()? {
            WayFault::Refused(problem) => Some(WayFault::Refused(Box::new(known.placed(*problem)))),
            broken @ WayFault::Broken(_) => Some(broken),
        };
        let step = |step: &StepTold| {
            let hop = WayHop::parse(&step.hop).filter(|hop| hop.is_over_there())?;
            Some(WayStep {
                hop,
                ms: step.ms,
                fault: fault(step),
            })
        };
        let steps: Vec<_> = self.steps.iter().take(steps_max).filter_map(step).collect();
        let status = self.status.filter(|status| (100..1_000).contains(status));
        (steps, status)
    }
}

impl Known<'_> {
    /// A refusal of the other node with its places filled from what was asked.
    fn placed(&self, problem: Problem) -> Problem {
        problem
            .with("hop", &self.service.org)
            .with("node", &self.service.org)
            .with("service", self.service)
            .with("consumer", self.consumer)
            .with("member", &self.consumer.org)
            .with("instance", self.consumer.org.instance())
            .with("system", self.service.provider())
            .with("agreement", self.agreement)
    }
}

/// Where other nodes ask.
pub(crate) fn routes() -> Router<Exchange> {
    Router::new()
        .route(PATH, post(tell))
        .layer(axum::extract::DefaultBodyLimit::max(4 * 1024))
}

async fn tell(
    State(x): State<Exchange>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Result<Json<TryTold>, Refusal> {
    let node = x.node_behind(&peer)?;
    let bad = |field: &'static str| Problem::invalid(field, "malformed");
    let asked: TryAsked = serde_json::from_slice(&body).map_err(|_| bad("body"))?;
    if asked.v != VERSION {
        return Err(Problem::new(Kind::Malformed, "envelope-version")
            .with("version", asked.v)
            .into());
    }
    let consumer: SystemId = asked.consumer.parse().map_err(|_| bad("consumer"))?;
    let service: ServiceId = asked.service.parse().map_err(|_| bad("service"))?;
    let agreement = Digest::parse(&asked.agreement).ok_or_else(|| bad("agreement"))?;
    let represented = asked
        .represented
        .as_deref()
        .map(str::parse::<OrgCode>)
        .transpose();
    let represented = represented.map_err(|_| bad("represented"))?;
    // Of a way that is not its own nobody learns anything, not even whether it is there.
    let host = x.0.directory.node_of(&consumer.org.top());
    if host.is_none_or(|host| host.id != node) || x.0.voice(&service.org).is_none() {
        return Err(Problem::not_found().into());
    }
    let known = Known {
        consumer: &consumer,
        service: &service,
        agreement,
        represented: represented.as_ref(),
    };
    let mut way = Way::default();
    way.status = x.go_on(&known, &mut way).await;
    Ok(Json(told(&way)))
}

fn told(way: &Way) -> TryTold {
    let step = |step: &WayStep| {
        let words = step.fault.as_ref().and_then(WayFault::told);
        StepTold {
            hop: step.hop.as_str().to_owned(),
            ms: step.ms,
            fault: step.fault.as_ref().map(|fault| fault.code().to_owned()),
            seconds: words.as_ref().map(|words| words.seconds),
            notice: words.map(|words| words.notice),
        }
    };
    TryTold {
        v: VERSION,
        steps: way.steps.iter().map(step).collect(),
        status: way.status,
    }
}

impl Exchange {
    /// From the gateway of the service on. Until the agreement is found here, and the minute has a try
    /// left, nothing is told of the service and it is not asked.
    pub(super) async fn go_on(&self, known: &Known<'_>, way: &mut Way) -> Option<u16> {
        let g = &*self.0;
        let now = g.now();
        let call = (known.consumer, known.service);
        let held = g.agreements.check(&known.agreement, call.0, call.1, now);
        let often = held.as_ref().map_or(Ok(()), |_| {
            let per_minute = g.store.limits().exchange_service_tries_max;
            g.tries.take(known.agreement, per_minute, now)
        });
        way.on(WayHop::OtherNode, self.takes_calls().and(often))?;
        let delegated = |party| g.agreements.delegations.may_represent(party, call, now);
        let delegated = known.represented.map_or(Ok(()), delegated);
        way.on(WayHop::OtherAgreement, held.map(drop).and(delegated))?;
        let rests = self.service_refuses(known.service, now);
        way.on(WayHop::Offer, rests.map_or(Ok(()), Err))?;
        let service = g.service(known.service)?;
        let Some(url) = service.way(service.pick()) else {
            way.on(WayHop::Inside, Ok(()))?;
            return None;
        };
        let Some((url, (tls, client))) = url.parse::<Uri>().ok().zip(self.way_behind(known.service)) else {
            way.on(WayHop::Offer, Err(Problem::internal("an address of a service")));
            return None;
        };
        let tried = probe(g.store.world(), &url, tls, &client, STEP_MS_MAX).await;
        way.along(WayHop::Service, &tried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tries_of_a_minute_are_counted_by_agreement_and_forgotten_when_it_is_over() {
        let tries = Tries::default();
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let start = Time(1_000_000);
        for _ in 0..2 {
            tries.take(one, 2, start).expect("within the minute's tries");
        }
        assert_eq!(
            tries.take(one, 2, start).expect_err("the third").code,
            "way-too-often"
        );
        tries.take(other, 2, start).expect("another agreement");
        let later = start.plus_ms(60_000);
        tries.take(other, 2, later).expect("a minute later");
        assert_eq!(tries.0.lock().expect("a lock").len(), 1, "a full bucket is none");
    }
}
