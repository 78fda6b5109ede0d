//! The owner tells the portal each change of a case's national status: once, in order. What is sent
//! is read from the rows when it is sent; the portal knows a repeated one by its number. Never
//! changes a case.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Ask, ServiceId, SystemId};
use kernel::{CaseCode, Problem};
use serde::Deserialize;
use serde_json::json;

use crate::case::Case;
use crate::case_of;
use crate::desk::step::DECIDED;
use crate::portal::note_status::{GivenResult, NotedCase, StatusNote};
use crate::state::Cases;
use crate::store as rows;

/// The outbox topic; its keys are case codes, so that a case's lines keep their order.
pub const TOPIC: &str = "case-status";
/// What the portal's service is called.
const SERVICE: &str = "note-status";

/// Which status row a line is about.
#[derive(Deserialize)]
struct Payload {
    seq: u32,
}

/// Puts a status row in line for the portal.
///
/// # Errors
/// Unavailable.
pub(crate) async fn enqueue(tx: &Tx, code: &CaseCode, seq: u32) -> Result<(), Problem> {
    tx.outbox(TOPIC, code.as_str(), &json!({"seq": seq})).await
}

/// Delivers status lines.
#[derive(Debug)]
pub struct Sync(pub(crate) Cases);

#[async_trait]
impl Deliver for Sync {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let cases = &self.0;
        let code = case_of(line)?;
        let Payload { seq } = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        if cases.tells_nationally(&code, seq).await? {
            return Ok(());
        }
        cases.tell_status(&code, seq).await?;
        let on_its_way_ms = cases.store.world().now().ms() - line.created.ms();
        if on_its_way_ms > cases.store.limits().reconcile_settle_ms {
            cases.draft_was_late(&code, seq).await?;
        }
        Ok(())
    }
}

/// Which status row a line of this topic is about; nothing for what is no such line.
pub(crate) fn seq_of(line: &OutboxLine) -> Option<u32> {
    let payload: Payload = serde_json::from_value(line.payload.clone()).ok()?;
    Some(payload.seq)
}

impl Cases {
    /// Tells the portal of one change of status.
    ///
    /// # Errors
    /// The portal's refusal, as `service-refused`; the gateway's problems.
    pub(crate) async fn tell_status(&self, code: &CaseCode, seq: u32) -> Result<(), Problem> {
        let (note, portal) = self.status_note(code, seq).await?;
        let service = ServiceId {
            org: portal.org,
            system: portal.system,
            service: SERVICE.to_owned(),
        };
        let heard = self
            .exchange
            .ask(Ask {
                consumer: self.system.clone(),
                service,
                body: serde_json::to_vec(&note).map_err(Problem::internal)?.into(),
                on_behalf: format!("system:{}", self.system),
                issue: Some(code.to_string()),
                idempotency: Some(format!("{code}/{seq}")),
            })
            .await?;
        if (200..300).contains(&heard.status) {
            Ok(())
        } else {
            Err(heard.refusal())
        }
    }

    /// What the portal is told about one change of status, and which portal it is.
    async fn status_note(&self, code: &CaseCode, seq: u32) -> Result<(StatusNote, SystemId), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, code).await?.ok_or_else(Problem::not_found)?;
        let statuses = rows::statuses(&reader, code).await?;
        let row = statuses
            .iter()
            .find(|row| row.seq == seq)
            .ok_or_else(|| Problem::internal(format_args!("case {code} has no status {seq}")))?;
        self.slip_of(code, row).await?;
        let mut results = Vec::new();
        for result in rows::results(&reader, code).await? {
            // A document travels once, with the status it was made for.
            if result.with_seq == row.seq {
                let pdf = self.store.blobs().get(&result.digest).await?;
                results.push(GivenResult {
                    document: result.document,
                    name: result.name,
                    number: result.number,
                    digest: result.digest,
                    kind: result.kind,
                    pdf_base64: STANDARD.encode(pdf),
                });
            }
        }
        let portal = self.portal_of(&reader, &held.case).await?;
        let note = StatusNote {
            code: code.clone(),
            seq,
            status: row.status,
            at: row.at,
            due: row.due,
            working_out: row.due.and(held.working_out),
            notice: row.notice.clone(),
            worked: match row.status {
                DECIDED => self.worked(&reader, code).await?,
                _ => None,
            },
            case: first_word(&held.case, row.seq),
            results,
        };
        Ok((note, portal))
    }
}

/// What the portal hears of a case that it did not file itself, with the first status of it.
fn first_word(case: &Case, seq: u32) -> Option<NotedCase> {
    (case.course.intake.is_some() && seq == 1).then(|| NotedCase {
        procedure: case.procedure.clone(),
        version: case.version,
        unit: case.unit.clone(),
        channel: case.channel,
        number: case.applicant.number.clone(),
        name: case.applicant.name.clone(),
        filed_at: case.filed_at,
    })
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use base64::Engine as _;
    use serde_json::{Value, json};

    use crate::desk::testing::{CASE, Desk};

    /// The results that travelled; drafts and slips are others.
    fn results(desk: &Desk) -> Vec<Value> {
        let all = desk.nation.results.lock().expect("whole").clone();
        all.into_iter().filter(|r| r["kind"] == "result").collect()
    }

    #[tokio::test]
    async fn every_status_is_told_once_and_in_order_and_the_result_with_it() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        assert_eq!(desk.sign_and_seal().await.status, 200);
        assert!(desk.deliver().await.is_empty());
        let noted = desk.nation.noted.lock().expect("whole").clone();
        assert_eq!(noted, [(1, 2), (2, 4), (3, 9), (4, 10), (5, 10)]);
        let results = results(&desk);
        assert_eq!(results.len(), 1, "the result travels once");
        let pdf = base64::engine::general_purpose::STANDARD
            .decode(results[0]["pdf_base64"].as_str().expect("text"))
            .expect("base64");
        assert_eq!(json!(kernel::Digest::of(&pdf)), results[0]["digest"]);
        let notes = desk.nation.asked_of("note-status");
        let case = desk.json().await;
        let facts = desk
            .temp
            .store
            .facts_of(&desk.cases.tenant, &format!("case/{CASE}"))
            .await;
        let worked = facts
            .expect("facts")
            .into_iter()
            .find_map(|record| match record.fact {
                kernel::Fact::CaseDecided { worked, .. } => worked,
                _ => None,
            });
        let told: Vec<_> = notes.iter().map(|note| note["worked"].as_u64()).collect();
        assert!(worked.is_some_and(|minutes| minutes < 480), "{worked:?}");
        assert_eq!(
            told,
            [None, None, worked, None, None],
            "the time it took is told once"
        );
        let due = kernel::Time(notes[0]["due"].as_i64().expect("an instant"));
        assert_eq!(due.rfc3339(), case["accepted"]["due"]);
        assert_eq!(
            notes[0]["working_out"]["lines"],
            case["accepted"]["working_out"]["lines"]
        );
    }

    #[tokio::test]
    async fn a_failing_and_restarting_deliverer_loses_and_repeats_no_status() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        assert_eq!(desk.sign_and_seal().await.status, 200);
        // The portal takes it in, and the answer is lost: the line is there again after a restart.
        desk.nation.loses_answers.store(true, Ordering::SeqCst);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let runner = desk.temp.store.run_outbox(desk.cases.deliverers(), stopped);
        wait(|| desk.nation.asked_of("note-status").len() > 1).await;
        stop.send(true).expect("running");
        runner.await.expect("stopped");
        assert!(desk.nation.noted.lock().expect("whole").len() <= 2);
        desk.nation.loses_answers.store(false, Ordering::SeqCst);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let runner = desk.temp.store.run_outbox(desk.cases.deliverers(), stopped);
        let clock = Arc::clone(&desk.temp.clock);
        wait(|| {
            clock.advance_ms(60_000);
            desk.nation.noted.lock().expect("whole").len() == 5
        })
        .await;
        stop.send(true).expect("running");
        runner.await.expect("stopped");
        assert_eq!(
            *desk.nation.noted.lock().expect("whole"),
            [(1, 2), (2, 4), (3, 9), (4, 10), (5, 10)]
        );
        assert_eq!(results(&desk).len(), 1);
    }

    #[tokio::test]
    async fn a_refusing_portal_keeps_the_line() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.nation.noted.lock().expect("whole").clear();
        desk.nation.away.store(true, Ordering::SeqCst);
        assert_eq!(
            desk.deliver_topic("case-status").await.expect("fails").code,
            "provider-unreachable"
        );
        assert_eq!(desk.lines("case-status").await[0].payload, json!({"seq": 1}));
        assert_eq!(desk.lines("case-status").await[0].key, CASE);
        desk.nation.away.store(false, Ordering::SeqCst);
        assert!(desk.deliver_topic("case-status").await.is_none());
        assert_eq!(
            desk.nation.asked_of("note-status")[0].get("results"),
            None::<&Value>
        );
    }

    async fn wait(mut done: impl FnMut() -> bool) {
        for _ in 0..1_000 {
            if done() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("waited in vain");
    }
}
