//! The consumer's half: find the agreement, seal the request, send it, check the answer, flush the
//! evidence, hand the answer over. Never reads a register: the provider's half does.

use bytes::Bytes;
use kernel::{Digest, Kind, Problem};

use crate::agreement::Agreement;
use crate::envelope::{CONSUMER, EVIDENCE_VERSION, Evidence, Message, Reply, Sent, WIRE_VERSION};
use crate::gateway::{Exchange, Gateway, STREAM};
use crate::ids::{ServiceId, SystemId};
use crate::message::{AnswerHead, RequestHead, request_hash};
use crate::service::Heard;
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

impl Exchange {
    /// Asks a service and returns its verified answer; the evidence of both sides is on disk then.
    ///
    /// # Errors
    /// The gateway's refusals, on either side: `agreement-*`, `member-unknown`, `service-unknown`,
    /// `node-revoked`, `seal-broken`, `replayed`, `clock-skew`, `provider-unreachable`,
    /// `body-too-large`. A service's own 4xx or 5xx is an answer, not an error.
    pub async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let g = &*self.0;
        let result = g.ask(ask).await;
        let outcome = match &result {
            Ok(heard) if heard.status < 400 => "answered",
            Ok(_) => "refused-by-service",
            Err(problem) => problem.code,
        };
        metrics::counter!("sen_exchange_asked_total", "outcome" => outcome).increment(1);
        result
    }
}

impl Gateway {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let began = self.now();
        let agreement = self.agreements.find(&ask.consumer, &ask.service, began)?;
        let head = self.request_head(&ask, &agreement)?;
        let message = self.seal_request(&head, ask.body).await?;
        let parts = message.parts();
        let sent = Sent {
            version: WIRE_VERSION,
            message,
        };
        let reply = wire::carry(self, &ask.service, &sent).await;
        let kept = sent.message.keep(&parts);
        let checked = reply.and_then(|reply| self.check_reply(&head, &parts, reply));
        let mut record = Evidence {
            version: EVIDENCE_VERSION,
            side: CONSUMER,
            began: began.ms(),
            ended: self.now().ms(),
            request: kept,
            answer: None,
            fault: String::new(),
        };
        match checked {
            Ok((answer_head, answer)) => {
                record.answer = Some(answer.keep(&answer.parts()));
                let position = self.keep(&record).await?;
                Ok(Heard {
                    status: answer_head.status,
                    media: answer_head.media,
                    body: Bytes::from(Vec::from(answer.body)),
                    request: head.request,
                    position: (STREAM.to_owned(), position),
                })
            }
            Err(problem) => {
                problem.code.clone_into(&mut record.fault);
                self.keep(&record).await?;
                Err(problem)
            }
        }
    }

    fn request_head(&self, ask: &Ask, agreement: &Agreement) -> Result<RequestHead, Problem> {
        let limit = self.store.limits().exchange_body_bytes_max;
        if ask.body.len() > limit {
            return Err(Problem::new(Kind::TooLarge, "body-too-large").with("limit", limit));
        }
        Ok(RequestHead {
            consumer: ask.consumer.clone(),
            service: ask.service.clone(),
            request: self.store.world().id(),
            agreement: agreement.hash(),
            sent: self.now(),
            on_behalf: ask.on_behalf.clone(),
            issue: ask.issue.clone(),
            idempotency: ask.idempotency.clone(),
            media: "application/json".to_owned(),
        })
    }

    async fn seal_request(&self, head: &RequestHead, body: Bytes) -> Result<Message, Problem> {
        let sealer = self.sealers.get(&head.consumer.org.top()).ok_or_else(|| {
            Problem::new(Kind::Forbidden, "member-unknown").with("member", &head.consumer.org)
        })?;
        let head = head.to_bytes();
        let parts = seal::batch::Parts {
            head: Digest::of(&head),
            body: Digest::of(&body),
        };
        let sealed = sealer.seal(parts).await?;
        Ok(Message {
            head: head.into(),
            body: Vec::from(body).into(),
            sealed,
        })
    }

    /// The answer must be to this very request, from the provider the agreement names.
    fn check_reply(
        &self,
        asked: &RequestHead,
        parts: &seal::batch::Parts,
        reply: Reply,
    ) -> Result<(AnswerHead, Message), Problem> {
        let broken = || Problem::new(Kind::Upstream, "seal-broken").with("hop", &asked.service.org);
        if let Some(fault) = reply.fault {
            return Err(wire::problem_of(&fault).with("hop", &asked.service.org));
        }
        let answer = reply.answer.ok_or_else(broken)?;
        let head = AnswerHead::parse(&answer.head).map_err(|_| broken())?;
        let ours = head.consumer == asked.consumer
            && head.service == asked.service
            && head.request == asked.request
            && head.request_hash == request_hash(&parts.head, &parts.body);
        if !ours {
            return Err(broken());
        }
        self.check_seal(&asked.service.org, &answer)
            .map_err(|e| broken().because(e))?;
        Ok((head, answer))
    }

    /// A message must carry the seal of the member it speaks for, by a certificate that is good now.
    pub(crate) fn check_seal(&self, member: &kernel::OrgCode, message: &Message) -> Result<(), Problem> {
        let broken = || Problem::new(Kind::Forbidden, "seal-broken").with("hop", member);
        let certificate = self
            .directory
            .seal_certificate(&member.top())
            .ok_or_else(|| Problem::new(Kind::Forbidden, "member-unknown").with("member", member))?;
        let thumbprint = certificate.thumbprint();
        if *thumbprint.bytes() != message.sealed.certificate {
            return Err(broken().because("sealed with another certificate than the directory's"));
        }
        let now = self.now();
        if self.directory.is_revoked(&thumbprint)
            || now < certificate.not_before()
            || now >= certificate.not_after()
        {
            return Err(broken().because("the member's certificate is revoked or out of its term"));
        }
        seal::batch::verify(&message.parts(), &message.sealed, &certificate, &self.roots)
            .map_err(|e| broken().because(e))
    }
}
