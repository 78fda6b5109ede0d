//! The consumer's half: find the agreement, seal the request, send it, check the answer, flush the
//! evidence, hand the answer over. Never reads a register: the provider's half does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use kernel::{Digest, Kind, Problem, Time};
use seal::batch::Parts;
use tracing::Instrument as _;
use web::trace::{self, Trace};

use crate::again::Again;
use crate::envelope::{CONSUMER, EVIDENCE_VERSION, Evidence, Message, Reply, Sent, WIRE_VERSION};
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::ids::{ServiceId, SystemId};
use crate::keeping::{self, Keeping, Loose};
use crate::kept::KeptBodies;
use crate::message::{AnswerHead, HEAD_BYTES_MAX, NO_AGREEMENT, RequestHead, request_hash};
use crate::metadata;
use crate::quota::Per;
use crate::rest::{Headers, Rest};
use crate::service::{Heard, WHOLE_BYTES_MAX};
use crate::spool::Spool;
use crate::to_the_end::ToTheEnd;
use crate::wire;

/// A question to a service somewhere on the exchange.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The asking system, of a tenant of this node.
    pub consumer: SystemId,
    /// The service.
    pub service: ServiceId,
    /// The body; JSON unless the service says otherwise.
    pub body: Bytes,
    /// For whom, by account id; never a name or a personal number.
    pub on_behalf: String,
    /// The case that causes it.
    pub issue: Option<String>,
    /// The key for "this is the same change as before".
    pub idempotency: Option<String>,
}

/// An answer as the information-system face hands it on.
pub(crate) struct Told {
    pub(crate) heard: Heard,
    /// The serialised request, as signed.
    pub(crate) head: Bytes,
    /// The service's end-to-end headers.
    pub(crate) headers: Headers,
    /// Why the provider's gateway answered in the service's place, a problem's key.
    pub(crate) fault: Option<String>,
    /// The body in place of the heard one's when it is on disk.
    pub(crate) spool: Option<Arc<Spool>>,
}

/// Why there is no answer to hand on.
pub(crate) struct NotTold {
    pub(crate) problem: Problem,
    /// The exchange's id when the request had left and its record is kept; nothing left otherwise.
    pub(crate) left: Option<String>,
}

impl From<Problem> for NotTold {
    fn from(problem: Problem) -> Self {
        Self { problem, left: None }
    }
}

impl From<NotTold> for Problem {
    fn from(refused: NotTold) -> Self {
        refused.problem
    }
}

/// A request that may leave.
struct Prepared {
    head: RequestHead,
    message: Message,
    parts: Parts,
    /// Which bodies its agreement has kept.
    keeps: Option<KeptBodies>,
}

impl Exchange {
    /// Asks a service and returns its verified answer; the evidence of both sides is on disk then.
    ///
    /// # Errors
    /// The gateway's refusals, on either side: `agreement-*`, `member-unknown`, `member-elsewhere`, `service-unknown`,
    /// `node-revoked`, `seal-broken`, `replayed`, `clock-skew`, `provider-unreachable`,
    /// `node-circuit-open`, `outcome-unknown`, `body-too-large`. A service's own 4xx or 5xx is an answer, not an error.
    pub async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let told = self.exchange(ask, None, Rest::default()).await?;
        let Some(spool) = &told.spool else {
            return Ok(told.heard);
        };
        Ok(Heard {
            body: spool.whole(WHOLE_BYTES_MAX).await?,
            ..told.heard
        })
    }

    /// As [`Exchange::ask`], by any method, at any path below the service, with headers.
    /// `body` is the body in place of the question's own when it is on disk.
    pub(crate) async fn exchange(
        &self,
        ask: Ask,
        body: Option<Arc<Spool>>,
        rest: Rest,
    ) -> Result<Told, NotTold> {
        let gateway = Arc::clone(&self.0);
        let trace = Trace::of_call(rest.headers.get(trace::HEADER), gateway.store.world());
        let span = tracing::info_span!("exchange", side = "consumer", trace = %trace.trace_id);
        let rest = Rest {
            headers: rest.headers.traced(&trace),
            ..rest
        };
        // A caller that goes away half-way must not leave an exchange with evidence on one side.
        let asked = async move { gateway.ask(ask, body, rest).await }.instrument(span);
        let asked = ToTheEnd::of(AssertUnwindSafe(asked).catch_unwind()).await;
        let result = asked.unwrap_or_else(|_| Err(Problem::internal("the exchange panicked").into()));
        let outcome = match &result {
            Ok(told) if told.heard.status < 400 => "answered",
            Ok(_) => "refused-by-service",
            Err(refused) => refused.problem.code,
        };
        metrics::counter!("sen_exchange_asked_total", "outcome" => outcome).increment(1);
        result
    }
}

impl Gateway {
    async fn ask(&self, ask: Ask, body: Option<Arc<Spool>>, rest: Rest) -> Result<Told, NotTold> {
        let began = self.now();
        let Prepared {
            head,
            message,
            parts,
            keeps,
        } = match self.prepare(ask, body, rest, began).await {
            Ok(prepared) => prepared,
            Err(problem) => {
                // Nothing has left: this is no exchange and has no evidence, but it is counted.
                metrics::counter!("sen_exchange_refused_total", "side" => "consumer", "code" => problem.code)
                    .increment(1);
                return Err(problem.into());
            }
        };
        let mut record = Evidence {
            version: EVIDENCE_VERSION,
            side: CONSUMER,
            began: began.ms(),
            ended: began.ms(),
            request: message.keep(&parts),
            answer: None,
            fault: String::new(),
            forwarded: None,
            returned: None,
        };
        self.has_room(&record).await?;
        let keeping = Keeping::of_request(keeps, &message);
        let sent = Sent {
            version: WIRE_VERSION,
            message,
            beside: None,
        };
        let again = Again::of(head.rest.method, head.idempotency.as_deref());
        record.forwarded = Some(self.now().ms());
        let checked = match wire::carry(self, &head.service, sent, again).await {
            Ok(reply) => {
                record.returned = Some(self.now().ms());
                self.check_reply(&head, &parts, reply).await
            }
            Err(problem) => Err(problem),
        };
        record.ended = self.now().ms();
        match checked {
            Ok((answer_head, answer, answer_parts)) => {
                record.answer = Some(answer.keep(&answer_parts));
                let body = Bytes::from(Vec::from(answer.body));
                if let Some(keeping) = &keeping {
                    let answer = Loose {
                        bytes: body.clone(),
                        spool: answer.spool.clone(),
                    };
                    let ended = Time(record.ended);
                    let (of_request, of_answer) = Box::pin(self.keep_bodies(keeping, answer, ended)).await?;
                    keeping::note(&mut record, of_request, of_answer);
                }
                let position = self.keep(&record).await?;
                Ok(Told {
                    heard: Heard {
                        status: answer_head.status,
                        media: answer_head.media,
                        body,
                        request: head.request,
                        position: (STREAM.to_owned(), position),
                    },
                    head: Bytes::from(Vec::from(record.request.head)),
                    headers: answer_head.headers,
                    fault: answer_head.fault,
                    spool: answer.spool,
                })
            }
            Err(problem) => {
                problem.code.clone_into(&mut record.fault);
                self.keep(&record).await?;
                Err(NotTold {
                    problem,
                    left: Some(head.request),
                })
            }
        }
    }

    /// Everything that can be refused before anything leaves, and the seal.
    async fn prepare(
        &self,
        ask: Ask,
        spool: Option<Arc<Spool>>,
        rest: Rest,
        now: Time,
    ) -> Result<Prepared, Problem> {
        self.maintenance.may_call(&self.node, now)?;
        self.trusts(&ask.service.org)?;
        // The metadata services are everybody's: no agreement is about them.
        let (agreement, keeps) = if ask.service.is_reserved() {
            self.agreements
                .are_enabled([&ask.consumer.org, &ask.service.org])?;
            (NO_AGREEMENT, None)
        } else {
            let (hash, held) = self.agreements.find_named(&ask.consumer, &ask.service, now)?;
            held.grants(&rest)?;
            (hash, held.kept_bodies())
        };
        let limit = self.store.limits().exchange_body_bytes_max;
        let size = spool.as_ref().map_or(ask.body.len() as u64, |spool| spool.len());
        if size > limit as u64 {
            return Err(Problem::new(Kind::TooLarge, "body-too-large").with("max", limit));
        }
        wire::may_ask(self, &ask.service, now)?;
        let sealer = self.sealers.get(&ask.consumer.org.top());
        let sealer = sealer.ok_or_else(|| self.not_here(&ask.consumer.org))?;
        let rest = self.in_whose_name(rest, &ask.consumer, &ask.service, now)?;
        let head = RequestHead {
            consumer: ask.consumer,
            service: ask.service,
            request: self.store.world().id(),
            agreement,
            sent: now,
            on_behalf: ask.on_behalf,
            issue: ask.issue,
            idempotency: ask.idempotency,
            rest,
        };
        let bytes = head.to_bytes();
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(Problem::new(Kind::Malformed, "head-bad").because("longer than a head may be"));
        }
        let parts = Parts {
            head: Digest::of(&bytes),
            body: spool
                .as_ref()
                .map_or_else(|| Digest::of(&ask.body), |spool| spool.digest()),
        };
        let message = Message {
            head: bytes.into(),
            body: Vec::from(ask.body).into(),
            sealed: sealer.seal(parts).await?,
            spool,
        };
        Ok(Prepared {
            head,
            message,
            parts,
            keeps,
        })
    }

    /// The answer must be to this very request, from the provider the agreement names.
    async fn check_reply(
        &self,
        asked: &RequestHead,
        parts: &Parts,
        reply: Reply,
    ) -> Result<(AnswerHead, Message, Parts), Problem> {
        let broken = || Problem::new(Kind::Upstream, "seal-broken").with("hop", &asked.service.org);
        if reply.version != WIRE_VERSION {
            return Err(Problem::new(Kind::Upstream, "envelope-version").with("version", reply.version));
        }
        let answer = match (reply.answer, reply.fault) {
            (Some(answer), None) => answer,
            (None, Some(fault)) => return Err(self.told(asked, &fault)),
            (Some(_), Some(_)) | (None, None) => return Err(broken().because("neither answer nor refusal")),
        };
        let head = AnswerHead::parse(&answer.head).map_err(|_| broken())?;
        let ours = head.id == asked.rest.id
            && head.consumer == asked.consumer
            && head.service == asked.service
            && head.request == asked.request
            && head.request_hash == request_hash(&parts.head, &parts.body);
        if !ours {
            return Err(broken()
                .at("x-road-request-hash")
                .because("an answer to another request"));
        }
        let answer_parts = self
            .check_seal(&asked.service.org, &answer)
            .await
            .map_err(|e| broken().because(e))?;
        // Signed long ago or far ahead, it would prove nothing to anybody later.
        self.replay
            .in_time(Time(answer.sealed.signing_time), self.now())
            .map_err(|e| e.with("hop", &asked.service.org))?;
        Ok((head, answer, answer_parts))
    }

    /// The provider's refusal in our words: it travels as a key, the places are filled from what
    /// was asked.
    fn told(&self, asked: &RequestHead, fault: &crate::envelope::Fault) -> Problem {
        let problem = wire::problem_of(fault);
        let held = self.agreements.held(&asked.agreement);
        let service = metadata::asked_about(&asked.service, &asked.rest);
        let problem = match (&held, Per::of_code(problem.code)) {
            (Some(agreement), Some(per)) => per.spent(agreement, self.now()),
            _ => problem,
        };
        problem
            .with("hop", &asked.service.org)
            .with(
                "node",
                self.directory
                    .node_of(&asked.service.org)
                    .map(|n| n.id)
                    .unwrap_or_default(),
            )
            .with("service", &service)
            .with("consumer", &asked.consumer)
            .with("member", &asked.consumer.org)
            .with("instance", asked.consumer.org.instance())
            .with("method", asked.rest.method)
            .with("granted", held.as_ref().map(|a| a.granted()).unwrap_or_default())
            .with("agreement", held.map(|a| a.id.clone()).unwrap_or_default())
    }
}
