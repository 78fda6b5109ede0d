//! The whole way of a call, tried by the operator of who calls: the system, this node, the agreement, the
//! delegation, the directory, the other node, and what that node says of the way from there to the service.
//! Never an exchange: no message, no evidence, nothing out of the agreement's minute.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri};
use kernel::{Digest, Kind, OrgCode, Problem};
use web::client::{Client, ClientError};
use web::probe::{Broken, probe};

use super::attempt::STEP_MS_MAX;
use super::over_there::{self, TryAsked, TryTold};
use super::peer;
use super::way::{Way, WayFault, WayHop, WayStep};
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};

/// Time for the other node's own try, in milliseconds: its four steps, and some for the way there and back.
const ANSWER_MS_MAX: u64 = 4 * STEP_MS_MAX + 2_000;
/// Size of what it says, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Steps that it says, count.
const STEPS_MAX: usize = 8;

/// A way that is asked about.
#[derive(Clone, Debug)]
pub(crate) struct WholeWay {
    /// To which service.
    pub(crate) service: ServiceId,
    /// From which system; from one of this node's that has an agreement when none is named.
    pub(crate) consumer: Option<SystemId>,
    /// In whose name, when not in the caller's own.
    pub(crate) represented: Option<OrgCode>,
}

/// A way with all that is known of it.
pub(super) struct Known<'w> {
    pub(super) consumer: &'w SystemId,
    pub(super) service: &'w ServiceId,
    pub(super) agreement: Digest,
    pub(super) represented: Option<&'w OrgCode>,
}

impl Exchange {
    /// Tries the whole way to a service, without a message.
    ///
    /// # Errors
    /// For a calling system that is none of this node, or none of the operator's: `member-elsewhere`,
    /// `member-unknown`, `member-not-yours`, each at `consumer`.
    pub(crate) async fn try_whole(&self, asked: &WholeWay) -> Result<Way, Problem> {
        if let Some(consumer) = &asked.consumer {
            self.voice(&consumer.org)
                .map_err(|refused| refused.at("consumer"))?;
        }
        let mut way = Way::default();
        way.status = self.go(asked, &mut way).await;
        Ok(way)
    }

    /// Goes as far as a call would come.
    async fn go(&self, asked: &WholeWay, way: &mut Way) -> Option<u16> {
        let g = &*self.0;
        let now = g.now();
        let consumer = asked.consumer.clone().or_else(|| self.caller_of(&asked.service));
        if let Some(consumer) = &consumer {
            way.on(WayHop::System, self.may_come(consumer))?;
        }
        way.on(WayHop::OwnNode, self.takes_calls())?;
        let missing = || Problem::new(Kind::Forbidden, "agreement-missing").with("service", &asked.service);
        let Some(consumer) = consumer else {
            way.on(WayHop::Agreement, Err(missing().with("consumer", "–")));
            return None;
        };
        let call = (&consumer, &asked.service);
        let held = g.agreements.find_named(call.0, call.1, now);
        let agreement = held.as_ref().ok().map(|(hash, _)| *hash);
        way.on(WayHop::Agreement, held.map(drop))?;
        if let Some(party) = &asked.represented {
            let delegations = &g.agreements.delegations;
            way.on(WayHop::Delegation, delegations.may_represent(party, call, now))?;
        }
        let members = [consumer.org.top(), asked.service.org.top()];
        let known = members.iter().try_for_each(|member| self.takes_part(member));
        way.on(WayHop::Directory, known)?;
        let known = Known {
            consumer: call.0,
            service: call.1,
            agreement: agreement?,
            represented: asked.represented.as_ref(),
        };
        match g.directory.node_of(&asked.service.org.top()) {
            Some(node) if node.id != g.node => self.go_there(&node.peer, &known, way).await,
            _ => self.go_on(&known, way).await,
        }
    }

    /// The system of this node that would call a service: the first with an agreement in force, else the
    /// first with any.
    fn caller_of(&self, service: &ServiceId) -> Option<SystemId> {
        let held = &self.0.agreements;
        let all = held.of_service(service).into_iter();
        let own: Vec<SystemId> = all
            .map(|(_, agreement)| agreement.consumer.clone())
            .filter(|consumer| self.voice(&consumer.org).is_ok())
            .collect();
        let now = self.0.now();
        let may = |consumer: &&SystemId| held.find_named(consumer, service, now).is_ok();
        own.iter().find(may).or_else(|| own.first()).cloned()
    }

    /// Refuses a system that could not come in here at all.
    fn may_come(&self, system: &SystemId) -> Result<(), Problem> {
        let g = &*self.0;
        if g.directory.is_stopped(&system.org, &system.system) {
            return Err(Problem::new(Kind::Forbidden, "system-stopped").with("system", system));
        }
        g.callers.could_connect(system, g.now())
    }

    /// Refuses while this node makes and answers no calls.
    pub(super) fn takes_calls(&self) -> Result<(), Problem> {
        let g = &*self.0;
        g.maintenance.may_call(&g.node, g.now())?;
        if g.is_full() {
            return Err(Problem::new(Kind::Full, "no-room"));
        }
        Ok(())
    }

    /// To the other node, and what it says of the rest.
    async fn go_there(&self, peer: &str, known: &Known<'_>, way: &mut Way) -> Option<u16> {
        let at = |path: &str| format!("https://{peer}{path}").parse::<Uri>();
        let (Ok(clock), Ok(url), Ok(tls)) = (at(peer::PATH), at(over_there::PATH), self.way_to_nodes())
        else {
            way.on(
                WayHop::OtherNode,
                Err(Problem::internal("an address of the directory")),
            );
            return None;
        };
        let client = Client::tls(Arc::clone(&tls));
        let world = self.0.store.world();
        let tried = probe(world, &clock, Some(tls), &client, STEP_MS_MAX).await;
        way.along(WayHop::Node, &tried)?;
        let began = self.0.now();
        let heard = self.ask_there(&url, known).await;
        let ms = self.0.now().ms() - began.ms();
        match heard {
            Ok(told) => {
                let (steps, status) = told.read(known, STEPS_MAX);
                way.steps.extend(steps);
                status
            }
            Err(fault) => {
                way.steps.push(WayStep {
                    hop: WayHop::OtherNode,
                    ms,
                    fault: Some(fault),
                });
                None
            }
        }
    }

    async fn ask_there(&self, url: &Uri, known: &Known<'_>) -> Result<TryTold, WayFault> {
        let body = serde_json::to_vec(&TryAsked::of(known)).unwrap_or_default();
        let request = Request::post(url.clone())
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(|_| WayFault::Broken(Broken::NoAnswer))?;
        let sent = self.0.peers.send(request, ANSWER_MS_MAX, ANSWER_BYTES_MAX).await;
        let answer = sent.map_err(|cause| {
            WayFault::Broken(match cause {
                ClientError::Timeout | ClientError::Silent => Broken::Silent,
                _ => Broken::NoAnswer,
            })
        })?;
        let untold = |status: StatusCode| {
            let problem = Problem::new(Kind::Upstream, "way-not-told").with("status", status.as_u16());
            WayFault::Refused(Box::new(problem))
        };
        if answer.status() != StatusCode::OK {
            return Err(untold(answer.status()));
        }
        let told: Option<TryTold> = serde_json::from_slice(answer.body()).ok();
        told.filter(TryTold::is_known)
            .ok_or_else(|| untold(answer.status()))
    }
}
