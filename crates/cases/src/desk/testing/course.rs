//! The way of a case through a desk in tests, a step a function: accepted, proposed, looked at, signed,
//! sealed, and what waits delivered. Never in a release build.

use std::sync::Arc;

use ::store::{Deliver, OutboxLine};
use kernel::Problem;
use serde_json::json;

use super::people::person;
use super::{CASE, Desk, code};
use crate::testing::Answer;

impl Desk {
    /// The case's state; both sides of the books: the row must be the fold of its facts.
    pub(crate) async fn state(&self) -> String {
        let held = self.row().await;
        let facts = self
            .temp
            .store
            .facts_of(&self.cases.tenant, &format!("case/{CASE}"))
            .await
            .expect("facts");
        let procedure = self
            .cases
            .version(&held.case.version)
            .expect("the case's version");
        let folded = crate::case::state_after(&procedure, facts.iter().map(|r| &r.fact));
        assert_eq!(
            folded.as_deref(),
            Some(held.case.state.as_str()),
            "the row is the fold of its facts"
        );
        let events = crate::clock::fold::events_of(&facts, &self.cases.tenant);
        assert_eq!(events, held.case.course.clock, "what the facts tell the clock");
        if !events.is_empty() {
            let clock = self.cases.reckon(&held.case, &procedure, &events);
            let clock = clock.expect("a clock");
            assert_eq!(
                held.due_at,
                Some(clock.due),
                "the due date is counted from the facts"
            );
            assert_eq!(held.case.owed_by(), Some(clock.judged_by()));
        }
        held.case.state
    }

    pub(crate) async fn accept(&self) {
        let answer = self.verb("tiep", "accept", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) async fn propose(&self, outcome: &str, note: &str) {
        let answer = self
            .verb("tich", "propose", json!({"outcome": outcome, "note": note}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Somebody decides, and the node crashes before the result is made.
    pub(crate) async fn claim(&self, account: &str) {
        let who = person(account).expect("somebody");
        self.cases
            .decide_and_crash(&who, &code(), self.revision().await)
            .await;
    }

    /// The applicant finds the draft right.
    pub(crate) async fn agree(&self) {
        self.answer_draft(true, "").await;
    }

    /// The applicant says something about the draft.
    pub(crate) async fn answer_draft(&self, agreed: bool, note: &str) {
        let seq = {
            let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
            let said = crate::store::submissions(&reader, &code()).await.expect("read");
            u32::try_from(said.len()).expect("few") + 1
        };
        let said = json!({"kind": "draft-answer", "agreed": agreed, "note": note});
        let taken = self.submit(seq, said, &json!([])).await;
        assert_eq!(taken["taken"], true, "{taken}");
    }

    /// Proposed to be granted, and the draft found right.
    pub(crate) async fn granted(&self, note: &str) {
        self.propose("granted", note).await;
        if self.state().await == "draft" {
            match self.row().await.case.channel {
                kernel::fact::Channel::Online => self.agree().await,
                _ => {
                    let answer = self.verb("tich", "check-draft", json!({"agreed": true})).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                }
            }
        }
    }

    /// Accepted, and the draft of what would be granted sent.
    pub(crate) async fn to_draft(&self) {
        self.accept().await;
        self.propose("granted", "").await;
        assert_eq!(self.state().await, "draft");
    }

    /// Accepted, proposed, looked at, and its act entered.
    pub(crate) async fn to_sign(&self) {
        self.accept().await;
        self.granted("").await;
        self.deliver().await;
        assert_eq!(self.state().await, "to-sign");
    }

    /// Signed by the chairman.
    pub(crate) async fn to_seal(&self) {
        self.to_sign().await;
        let answer = self.verb("chu", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.state().await, "to-seal");
    }

    /// Signed by the chairman and sealed by the clerk; the clerk's answer.
    pub(crate) async fn sign_and_seal(&self) -> Answer {
        let answer = self.verb("chu", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.verb("thu", "seal", json!({})).await
    }

    /// A clerk takes a number, and the node crashes before the seal is added.
    pub(crate) async fn claim_seal(&self, account: &str) {
        let who = person(account).expect("somebody");
        self.cases
            .begin_sealing_and_crash(&who, &code(), self.revision().await)
            .await;
    }

    /// Delivers every line that waits, topic by topic, until one fails; says what failed.
    pub(crate) async fn deliver(&self) -> Vec<Problem> {
        let mut failed = Vec::new();
        for handler in self.cases.deliverers() {
            failed.extend(self.deliver_by(handler.as_ref()).await);
        }
        failed
    }

    /// Delivers the lines of one topic, and takes away those that were.
    pub(crate) async fn deliver_topic(&self, topic: &str) -> Option<Problem> {
        self.deliver_by(self.handler(topic).as_ref()).await
    }

    /// Delivers a line that was delivered before: nothing is left to do, and that is no fault.
    pub(crate) async fn deliver_again(&self, line: &OutboxLine) {
        let again = self.handler(&line.topic).deliver(line).await;
        again.expect("nothing to do");
    }

    fn handler(&self, topic: &str) -> Arc<dyn Deliver> {
        let mut handlers = self.cases.deliverers().into_iter();
        handlers.find(|h| h.topic() == topic).expect("a handler")
    }

    async fn deliver_by(&self, handler: &dyn Deliver) -> Option<Problem> {
        for line in self.lines(handler.topic()).await {
            if let Err(problem) = handler.deliver(&line).await {
                return Some(problem);
            }
            self.temp.store.outbox_done(&line).await.expect("taken away");
        }
        None
    }
}
