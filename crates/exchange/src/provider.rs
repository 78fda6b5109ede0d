//! The provider's half: check node, head and seal; time, agreement, rate and replay; call the
//! service; fit the answer to the agreement; seal it; flush the evidence; only then let it leave.
//! Never a rule of a service.
//!
//! A crash between a service's effect and the flush loses the record and the guard's memory of it:
//! what changes something carries an idempotency key, and the service knows it again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use kernel::{Digest, Kind, Problem, Time};
use minicbor::bytes::ByteVec;
use seal::batch::Parts;
use tracing::Instrument as _;
use web::trace::{self, Trace};

use crate::agreement::Agreement;
use crate::breaker::{Failure, Pass};
use crate::circuits::{seconds, service_rests};
use crate::envelope::{
    self, EVIDENCE_VERSION, Evidence, Fault, Kept, Message, PROVIDER, Reply, Sent, Told, WIRE_VERSION,
};
use crate::fit::{Fitted, fit, fit_large};
use crate::gateway::Gateway;
use crate::ids::ServiceId;
use crate::keeping::{self, Keeping, Loose};
use crate::message::{AnswerHead, RequestHead, request_hash};
use crate::rest::Rest;
use crate::sealer::Sealer;
use crate::service::{Answer, Call, Large, Service, refused_form};
use crate::spool::Spool;

/// When the service was asked and when it had answered; nothing of one that was not asked, or did not.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    at: Option<Time>,
    answered: Option<Time>,
}

/// An answer that may be sealed.
struct Answered<'a> {
    sealer: &'a Sealer,
    head: AnswerHead,
    body: Loose,
    /// What the agreement has kept of the exchange.
    keeping: Option<Keeping>,
}

impl Gateway {
    /// Takes a request from another node (or from this one) and gives the reply that may leave.
    pub(crate) async fn provide(&self, from_node: &str, mut sent: Sent) -> Reply {
        let began = self.now();
        if let Some(beside) = &sent.beside {
            match self.passing.take(from_node, beside) {
                Ok(spool) => sent.message.spool = Some(spool),
                Err(problem) => return refuse(&problem),
            }
        }
        let (head, parts) = match self.admit(from_node, &sent).await {
            Ok(admitted) => admitted,
            // What was never proven to come from a member is counted, and kept out of the evidence.
            Err(problem) => return refuse(&problem),
        };
        let mut record = Evidence {
            version: EVIDENCE_VERSION,
            side: PROVIDER,
            began: began.ms(),
            ended: began.ms(),
            request: sent.message.keep(&parts),
            answer: None,
            fault: String::new(),
            forwarded: None,
            returned: None,
        };
        if let Err(full) = self.has_room(&record).await {
            return refuse(&full);
        }
        let trace = Trace::of_call(head.rest.headers.get(trace::HEADER), self.store.world());
        let (request, traced) = (&head.request, &trace.trace_id);
        let span = tracing::info_span!("exchange", side = "provider", %request, trace = %traced);
        let mut asked = Asked::default();
        let answer = self.answer(&head, &parts, sent.message, (&trace, &mut asked));
        let answered = trace.clone().during(answer).instrument(span.clone()).await;
        record.forwarded = asked.at.map(Time::ms);
        record.returned = asked.answered.map(Time::ms);
        match answered {
            Ok(answered) => self.seal_answer(record, answered).await,
            Err(problem) => {
                record.ended = self.now().ms();
                problem.code.clone_into(&mut record.fault);
                let kept = self.keep(&record).await;
                Err(kept.err().unwrap_or(problem))
            }
        }
        .unwrap_or_else(|problem| span.in_scope(|| refuse(&problem)))
    }

    /// The message is a member's own, from the member's node.
    async fn admit(&self, from_node: &str, sent: &Sent) -> Result<(RequestHead, Parts), Problem> {
        if sent.version != WIRE_VERSION {
            return Err(Problem::new(Kind::Malformed, "envelope-version").with("version", sent.version));
        }
        let head = RequestHead::parse(&sent.message.head)?;
        let member = head.consumer.org.top();
        let unknown = || Problem::new(Kind::Forbidden, "member-unknown").with("member", &member);
        self.trusts(&member)?;
        let node = self.directory.node_of(&member).ok_or_else(unknown)?;
        if node.id != from_node {
            return Err(unknown().because(format!("{member} does not live on node {from_node}")));
        }
        let parts = self.check_seal(&head.consumer.org, &sent.message).await?;
        Ok((head, parts))
    }

    async fn answer(
        &self,
        head: &RequestHead,
        parts: &Parts,
        message: Message,
        (trace, asked): (&Trace, &mut Asked),
    ) -> Result<Answered<'_>, Problem> {
        let now = self.now();
        self.maintenance.may_call(&self.node, now)?;
        // The signing time as well: evidence signed at an impossible time would prove nothing later.
        self.replay.in_time(head.sent, now)?;
        self.replay.in_time(Time(message.sealed.signing_time), now)?;
        let offered = if head.service.is_reserved() {
            self.agreements
                .are_enabled([&head.consumer.org, &head.service.org])?;
            self.spend_metadata(head, now)?;
            None
        } else {
            let (named, book) = (&head.agreement, &self.agreements);
            let agreement = book.check(named, &head.consumer, &head.service, now)?;
            agreement.grants(&head.rest)?;
            self.acts_rightly(head, now)?;
            // A flood beyond the minute's calls is refused before the guard has to remember it.
            book.has_room(named, now)?;
            Some((agreement, self.offered(&head.service)?))
        };
        // Without a key the answer could not leave: then nothing is done either.
        let sealer = self
            .sealers
            .get(&head.service.org.top())
            .ok_or_else(|| Problem::new(Kind::NotFound, "service-unknown").with("service", &head.service))?;
        if self.replay.may_have_forgotten(now) {
            let window_ms = self.store.limits().clock_skew_ms_max;
            crate::gateway::refill(&self.replay, self.evidence.as_ref(), now, window_ms).await?;
            self.replay.refilled(now);
        }
        self.replay.pass(&head.consumer, &head.request, head.sent, now)?;
        // Behind the guard: what is refused above costs no call of the minute and of the quota.
        if let Some((agreement, _)) = &offered {
            self.agreements.spend(&head.agreement, now)?;
            if !agreement.quota.is_none() {
                self.agreements.charge(&head.agreement, now)?;
            }
        }
        let body = Bytes::from(Vec::from(message.body));
        let keeping = offered
            .as_ref()
            .and_then(|(agreement, _)| agreement.kept_bodies());
        let keeping = keeping.map(|rule| Keeping {
            rule,
            request: rule.has_request().then(|| Loose {
                bytes: body.clone(),
                spool: message.spool.clone(),
            }),
        });
        let (answer, spool) = match offered {
            Some((agreement, service)) => {
                let call = Call {
                    consumer: head.consumer.clone(),
                    request: head.request.clone(),
                    agreement: Arc::clone(&agreement),
                    on_behalf: head.on_behalf.clone(),
                    issue: head.issue.clone(),
                    idempotency: head.idempotency.clone(),
                    rest: Rest {
                        headers: head.rest.headers.clone().traced(trace),
                        ..head.rest.clone()
                    },
                    body,
                    at: now,
                };
                self.call(service.as_ref(), (call, message.spool), &agreement, asked)
                    .await
            }
            None => (self.metadata(head, now).await?, None),
        };
        let head = AnswerHead {
            status: answer.status,
            media: answer.media,
            headers: answer.headers,
            fault: answer.fault.map(str::to_owned),
            id: head.rest.id.clone(),
            consumer: head.consumer.clone(),
            service: head.service.clone(),
            request: head.request.clone(),
            request_hash: request_hash(&parts.head, &parts.body),
        };
        Ok(Answered {
            sealer,
            head,
            body: Loose {
                bytes: answer.body,
                spool,
            },
            keeping,
        })
    }

    /// A service of this node.
    pub(crate) fn offered(&self, id: &ServiceId) -> Result<Arc<dyn Service>, Problem> {
        self.service(id)
            .ok_or_else(|| Problem::new(Kind::NotFound, "service-unknown").with("service", id))
    }

    /// The longest that a service may take, in milliseconds. The rest is for the two gateways, so that the
    /// refusal still reaches the consumer in time.
    pub(crate) fn service_ms_max(&self) -> u64 {
        self.store.limits().exchange_call_ms_max / 5 * 4
    }

    /// Calls the service; whatever it does, there is an answer.
    async fn call(
        &self,
        service: &dyn Service,
        (call, body): (Call, Option<Arc<Spool>>),
        agreement: &Agreement,
        asked: &mut Asked,
    ) -> Fitted {
        if let Some(refused) = refused_form(service, &call.rest) {
            return (refused, None);
        }
        let now = self.now();
        let (way, mut entered) = match self.service_circuits.way_to(service, now) {
            Ok(found) => found,
            Err(wait_ms) => return (resting(&agreement.service, wait_ms), None),
        };
        let limits = self.store.limits();
        let deadline = Duration::from_millis(self.service_ms_max());
        let request = call.request.clone();
        let called = async {
            if body.is_none() && service.url().is_none() {
                return Ok((service.call(call).await?, None));
            }
            let large = Large {
                body,
                spools: self.passing.spools.clone(),
                memory_bytes_max: self.memory_bytes_max(),
                way,
            };
            self.call_behind(service, &call, large, &mut entered).await
        };
        let called = AssertUnwindSafe(called).catch_unwind();
        asked.at = Some(self.now());
        let called = tokio::time::timeout(deadline, called).await;
        let said_something = match &called {
            Ok(Ok(Ok(_))) => true,
            // A refusal of its own is an answer, too.
            Ok(Ok(Err(problem))) => problem.kind.status() < 500,
            Ok(Err(_)) | Err(_) => false,
        };
        asked.answered = said_something.then(|| self.now());
        let problem = match called {
            Ok(Ok(Ok((answer, spool)))) => {
                if let Some((url, _)) = entered {
                    self.service_circuits.answered(url);
                }
                let max = limits.exchange_body_bytes_max;
                return match spool {
                    None => (fit(answer, agreement, max), None),
                    Some(spool) => fit_large(answer, spool, agreement, max).await,
                };
            }
            Ok(Ok(Err(problem))) => problem,
            Ok(Err(_)) => Problem::internal("the service panicked"),
            Err(_) => Problem::new(Kind::Timeout, "timeout"),
        };
        if let Some((url, pass)) = entered {
            self.settle(url, &agreement.service, pass, &problem);
        }
        tracing::warn!(service = %agreement.service, request, %problem, "the service refused a call");
        // Its own refusal is its answer; that it gave none is the gateway's to say.
        let answer = if problem.kind.status() >= 500 || problem.code == "body-too-large" {
            Answer::in_its_place(&problem)
        } else {
            Answer::of_problem(&problem)
        };
        (answer, None)
    }

    /// Tells a service's circuit of a call without an answer. What is too large was an answer.
    pub(crate) fn settle(&self, url: &str, service: &ServiceId, pass: Pass, problem: &Problem) {
        let circuits = &self.service_circuits;
        if matches!(problem.kind, Kind::Upstream | Kind::Timeout) {
            circuits.failed(url, &service.to_string(), pass, Failure::Failed, self.now());
        } else {
            circuits.answered(url);
        }
    }

    /// Seals the answer and flushes the record of the exchange; only then there is a reply.
    async fn seal_answer(&self, mut record: Evidence, answered: Answered<'_>) -> Result<Reply, Problem> {
        let Answered {
            sealer,
            head,
            body,
            keeping,
        } = answered;
        let head = ByteVec::from(head.to_bytes());
        record.ended = self.now().ms();
        let mut of_answer = None;
        if let Some(keeping) = keeping {
            let ended = Time(record.ended);
            let kept = Box::pin(self.keep_bodies(&keeping, body.clone(), ended));
            let (of_request, stored) = kept.await?;
            keeping::note(&mut record, of_request, stored);
            of_answer = stored;
        }
        let Loose { bytes: body, spool } = body;
        let parts = Parts {
            head: Digest::of(&head),
            body: spool
                .as_ref()
                .map_or_else(|| Digest::of(&body), |spool| spool.digest()),
        };
        let size = spool.as_ref().map_or(body.len() as u64, |spool| spool.len());
        let kept_head = head.clone();
        let sealed = sealer
            .seal_kept(parts, move |sealed| {
                record.answer = Some(Kept {
                    head: kept_head,
                    body: *parts.body.bytes(),
                    size,
                    sealed: sealed.clone(),
                    stored: of_answer,
                });
                envelope::write(&record)
            })
            .await;
        self.notes_room(&sealed);
        let sealed = sealed?;
        Ok(Reply {
            version: WIRE_VERSION,
            answer: Some(Message {
                head,
                body: Vec::from(body).into(),
                sealed,
                spool,
            }),
            fault: None,
            beside: None,
            piece: None,
        })
    }
}

/// The gateway's own answer while nothing is sent to the system behind a service.
fn resting(service: &ServiceId, wait_ms: i64) -> Answer {
    let answer = Answer::in_its_place(&service_rests(service, wait_ms));
    Answer {
        headers: answer.headers.with("retry-after", &seconds(wait_ms).to_string()),
        ..answer
    }
}

pub(crate) fn refuse(problem: &Problem) -> Reply {
    metrics::counter!("sen_exchange_refused_total", "side" => "provider", "code" => problem.code)
        .increment(1);
    tracing::warn!(
        code = problem.code,
        cause = problem.cause,
        "the gateway refused a request"
    );
    let fault = Fault {
        code: problem.code.to_owned(),
        status: problem.kind.status(),
        told: Told::of(problem),
    };
    Reply {
        version: WIRE_VERSION,
        answer: None,
        fault: Some(fault),
        beside: None,
        piece: None,
    }
}
