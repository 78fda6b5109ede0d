//! The provider's half: check node, head, time, seal, agreement and replay; call the service; cut
//! the answer to the granted fields; seal it; flush the evidence; only then let it leave.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::{Digest, Kind, Problem};

use crate::agreement::Agreement;
use crate::envelope::{
    EVIDENCE_VERSION, Evidence, Fault, Kept, Message, PROVIDER, Reply, Sent, WIRE_VERSION,
};
use crate::gateway::Gateway;
use crate::message::{AnswerHead, RequestHead, request_hash};
use crate::service::{Answer, Call};

impl Gateway {
    /// Takes a request from another node (or from this one) and gives the reply that may leave.
    pub(crate) async fn provide(&self, from_node: &str, sent: Sent) -> Reply {
        let began = self.now();
        let parts = sent.message.parts();
        let mut record = Evidence {
            version: EVIDENCE_VERSION,
            side: PROVIDER,
            began: began.ms(),
            ended: began.ms(),
            request: sent.message.keep(&parts),
            answer: None,
            fault: String::new(),
        };
        let head = match self.admit(from_node, &sent) {
            Ok(head) => head,
            // What was never proven to come from a member is counted, and kept out of the evidence.
            Err(problem) => return refuse(&problem),
        };
        let answered = self.answer(&head, &parts, sent.message).await;
        record.ended = self.now().ms();
        let reply = match answered {
            Ok((message, kept)) => {
                record.answer = Some(kept);
                Reply {
                    version: WIRE_VERSION,
                    answer: Some(message),
                    fault: None,
                }
            }
            Err(problem) => {
                problem.code.clone_into(&mut record.fault);
                refuse(&problem)
            }
        };
        match self.keep(&record).await {
            Ok(_) => reply,
            Err(problem) => refuse(&problem),
        }
    }

    /// The message is a member's own, sent now, from the member's node.
    fn admit(&self, from_node: &str, sent: &Sent) -> Result<RequestHead, Problem> {
        if sent.version != WIRE_VERSION {
            return Err(Problem::new(Kind::Malformed, "envelope-version").with("version", sent.version));
        }
        let head = RequestHead::parse(&sent.message.head)?;
        let member = head.consumer.org.top();
        let unknown = || Problem::new(Kind::Forbidden, "member-unknown").with("member", &member);
        let node = self.directory.node_of(&member).ok_or_else(unknown)?;
        if node.id != from_node {
            return Err(unknown().because(format!("{member} does not live on node {from_node}")));
        }
        self.check_seal(&head.consumer.org, &sent.message)?;
        Ok(head)
    }

    async fn answer(
        &self,
        head: &RequestHead,
        parts: &seal::batch::Parts,
        message: Message,
    ) -> Result<(Message, Kept), Problem> {
        let now = self.now();
        self.replay.pass(&head.consumer, &head.request, head.sent, now)?;
        let agreement = self
            .agreements
            .check(&head.agreement, &head.consumer, &head.service, now)?;
        let service = self
            .service(&head.service)
            .ok_or_else(|| Problem::new(Kind::NotFound, "service-unknown").with("service", &head.service))?;
        let call = Call {
            consumer: head.consumer.clone(),
            request: head.request.clone(),
            agreement: agreement.clone(),
            on_behalf: head.on_behalf.clone(),
            issue: head.issue.clone(),
            idempotency: head.idempotency.clone(),
            body: Vec::from(message.body).into(),
            at: now,
        };
        let deadline = Duration::from_millis(self.store.limits().exchange_call_ms_max);
        let answer = match tokio::time::timeout(deadline, service.call(call)).await {
            Ok(Ok(answer)) => cut(answer, &agreement)?,
            Ok(Err(problem)) => {
                tracing::warn!(service = %head.service, request = head.request, %problem, "the service refused a call");
                Answer::of_problem(&problem)
            }
            Err(_) => Answer::of_problem(&Problem::new(Kind::Timeout, "timeout")),
        };
        let answer_head = AnswerHead {
            status: answer.status,
            media: answer.media,
            consumer: head.consumer.clone(),
            service: head.service.clone(),
            request: head.request.clone(),
            request_hash: request_hash(&parts.head, &parts.body),
        };
        self.seal_answer(&answer_head, answer.body.to_vec()).await
    }

    async fn seal_answer(&self, head: &AnswerHead, body: Vec<u8>) -> Result<(Message, Kept), Problem> {
        let sealer = self
            .sealers
            .get(&head.service.org.top())
            .ok_or_else(|| Problem::new(Kind::NotFound, "service-unknown").with("service", &head.service))?;
        let head = head.to_bytes();
        let parts = seal::batch::Parts {
            head: Digest::of(&head),
            body: Digest::of(&body),
        };
        let sealed = sealer.seal(parts.clone()).await?;
        let message = Message {
            head: head.into(),
            body: body.into(),
            sealed,
        };
        let kept = message.keep(&parts);
        Ok((message, kept))
    }
}

/// Cuts a record in an answer to the fields the agreement grants, whatever the service gave.
fn cut(answer: Answer, agreement: &Agreement) -> Result<Answer, Problem> {
    if agreement.fields.is_empty() || !(200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let mut value: serde_json::Value = serde_json::from_slice(&answer.body).map_err(Problem::internal)?;
    let granted: BTreeSet<&str> = agreement.fields.iter().map(String::as_str).collect();
    if let Some(record) = value.get_mut("record").and_then(|r| r.as_object_mut()) {
        record.retain(|field, _| granted.contains(field.as_str()));
    }
    Ok(Answer {
        body: value.to_string().into(),
        ..answer
    })
}

fn refuse(problem: &Problem) -> Reply {
    metrics::counter!("sen_exchange_refused_total", "code" => problem.code).increment(1);
    tracing::warn!(
        code = problem.code,
        cause = problem.cause,
        "the gateway refused a request"
    );
    let fault = Fault {
        code: problem.code.to_owned(),
        status: problem.kind.status(),
    };
    Reply {
        version: WIRE_VERSION,
        answer: None,
        fault: Some(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_granted_fields_leave_whatever_the_service_gave() {
        let agreement = crate::agreement::tests::sample();
        let answer =
            Answer::json(&serde_json::json!({"record": {"full_name": "A", "residence": "B"}})).expect("json");
        let cut = cut(answer, &agreement).expect("json");
        assert_eq!(cut.body, r#"{"record":{"full_name":"A"}}"#);
    }
}
