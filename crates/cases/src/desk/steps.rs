//! The clocks of steps at the desk: written when a case comes into a state that has one, counted by the calendar of
//! its unit right after, and told on the page and in the list. Never a date that the applicant is promised.

use ::store::{Deliver, OutboxLine, Reader, Tx};
use async_trait::async_trait;
use kernel::{Actor, CaseCode, OrgCode, Problem, Time};
use serde_json::json;

use crate::case::Case;
use crate::case_of;
use crate::clock::step::until;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::steps as rows;
use crate::store::{Held, Rows, case as case_row};

/// The outbox topic; its keys are case codes.
pub const TOPIC: &str = "case-step";

/// Begins the clock of the step into which a case came, or ends that of the one it left; in the write that moves it.
pub(crate) async fn turned(
    tx: &Tx,
    case: &Case,
    procedure: &Procedure,
    before: Option<&str>,
) -> Result<(), Problem> {
    if before == Some(case.state.as_str()) {
        return Ok(());
    }
    let state = procedure.states.get(&case.state);
    if state.is_some_and(|state| state.term.is_some()) {
        rows::begin_step(tx, &case.code, &case.state).await?;
        return tx
            .outbox(TOPIC, case.code.as_str(), &json!({ "state": case.state }))
            .await;
    }
    match procedure.states.values().any(|state| state.term.is_some()) {
        true => rows::end_step(tx, &case.code).await,
        false => Ok(()),
    }
}

/// Counts until when steps should be done.
#[derive(Debug)]
pub struct Steps(pub(crate) Cases);

#[async_trait]
impl Deliver for Steps {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        self.0.count_step(&case_of(line)?).await
    }
}

impl Cases {
    /// Until when the step of a case should be done, as today's calendar counts it.
    fn step_until(&self, held: &Held, step: &rows::Step) -> Result<Option<Time>, Problem> {
        let procedure = self.procedure_of(&held.case)?;
        let calendar = self.calendars.of(&held.case.unit);
        Ok(until(&procedure, &step.state, &calendar, step.since))
    }

    /// Counts the step of a case; one that is over, or counted so already, is left alone.
    async fn count_step(&self, code: &CaseCode) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let (step, held) = (rows::step(&tx, code).await?, case_row(&tx, code).await?);
                let Some((step, held)) = step.zip(held) else {
                    return Ok(());
                };
                let due = self.step_until(&held, &step)?;
                if step.due == due || held.case.state != step.state {
                    return Ok(());
                }
                rows::date_step(&tx, &rows::Step { due, ..step }).await
            })
            .await
    }

    /// Counts all steps again: when holidays or hours are others than before.
    ///
    /// # Errors
    /// The store's own problems; what was counted before stays.
    pub(crate) async fn recount_steps(&self, reader: &Reader) -> Result<(), Problem> {
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = String::new();
        loop {
            let page = rows::steps(reader, &after, limit).await?;
            for step in &page {
                self.count_step(&step.code).await?;
            }
            match page.last() {
                Some(last) if page.len() == limit => after = last.code.to_string(),
                _ => return Ok(()),
            }
        }
    }

    /// The step of a case that has a clock of its own: since when, and until when it should be done.
    pub(crate) async fn step_of(&self, rows: &impl Rows, held: &Held) -> Result<Option<rows::Step>, Problem> {
        let step = rows::step(rows, &held.case.code).await?;
        let Some(step) = step.filter(|step| step.state == held.case.state) else {
            return Ok(None);
        };
        // Shown right away, also while the line that counts it is on its way.
        let due = match step.due {
            Some(due) => Some(due),
            None => self.step_until(held, &step)?,
        };
        Ok(Some(rows::Step { due, ..step }))
    }

    /// A page of the cases whose step is late, and how many there are.
    pub(crate) async fn late_steps(
        &self,
        reader: &Reader,
        unit: &OrgCode,
        place: ((Time, &str), Time),
        limit: usize,
    ) -> Result<Vec<(Held, Time)>, Problem> {
        rows::late_steps(reader, unit, place, limit).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::step::entered;
    use crate::desk::testing::{CASE, Desk, code, handover};
    use crate::procedure::TermRule;
    use crate::testing::birth;

    /// A desk with a case whose officer has four working hours in the state after acceptance.
    async fn desk() -> (Desk, Procedure) {
        let desk = Desk::empty().await;
        let mut procedure = Procedure::clone(&birth());
        procedure.valid_from = "2026-11-01".to_owned();
        let state = procedure.states.get_mut("accepted").expect("a state");
        state.term = Some(TermRule::WorkingHours { hours: 4 });
        let document = crate::versions::written(&procedure).expect("json");
        let mut body = handover();
        body["version"] = json!(procedure.version());
        body["document"] = json!(document);
        desk.receive(&body).await.expect("received");
        (desk, procedure)
    }

    async fn step(desk: &Desk) -> Option<rows::Step> {
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        rows::step(&reader, &code()).await.expect("read")
    }

    #[tokio::test]
    async fn a_step_has_its_own_clock_and_the_due_date_of_the_case_stays() {
        let (desk, procedure) = desk().await;
        assert_eq!(step(&desk).await, None, "nobody has accepted it yet");
        desk.accept().await;
        let owed = desk.row().await.due_at;
        let plain = Desk::new().await;
        plain.accept().await;
        assert_eq!(
            owed,
            plain.row().await.due_at,
            "the same with a clock of the step"
        );
        assert!(desk.deliver_topic(TOPIC).await.is_none());
        let begun = step(&desk).await.expect("a step");
        let facts = desk
            .temp
            .store
            .facts_of(&desk.cases.tenant, &format!("case/{CASE}"))
            .await;
        let (state, since) = entered(&procedure, &facts.expect("facts")).expect("a state");
        assert_eq!(
            (begun.state.as_str(), begun.since),
            (state.as_str(), since),
            "as the facts say"
        );
        let calendar = desk.cases.calendars.of(&desk.row().await.case.unit);
        let due = calendar.count(calendar.opening(since), 240).end;
        assert_eq!(begun.due, Some(due));
        assert_eq!(desk.row().await.due_at, owed);
        assert_eq!(desk.json().await["step_due_at"], due.rfc3339());
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("Bước này"), "{}", page.body);
    }

    #[tokio::test]
    async fn a_late_step_stands_in_a_tab_of_its_own_until_the_case_goes_on() {
        let (desk, _) = desk().await;
        desk.accept().await;
        assert!(desk.deliver_topic(TOPIC).await.is_none());
        let early = desk
            .get("tich", "/api/v1/desk/cases?state=step-late")
            .await
            .json();
        assert_eq!(early["items"], json!([]));
        desk.temp.clock.advance_ms(86_400_000);
        let late = desk
            .get("tich", "/api/v1/desk/cases?state=step-late")
            .await
            .json();
        assert_eq!(late["items"][0]["code"], CASE);
        assert!(late["items"][0]["step_due_at"].is_string(), "{late}");
        let counted = late["counts"].as_array().expect("counts");
        let counted = counted.iter().find(|part| part["state"] == "step-late");
        assert_eq!(counted.map(|part| &part["cases"]), Some(&json!(1)));
        let page = desk.get("tich", "/desk?state=step-late").await;
        assert!(page.status == 200 && page.body.contains(CASE), "{}", page.body);
        let elsewhere = desk.get("ban", "/api/v1/desk/cases?state=step-late").await;
        assert!(
            !elsewhere.body.contains(CASE),
            "another unit's: {}",
            elsewhere.body
        );
        desk.propose("refused", "Không đủ điều kiện").await;
        assert_eq!(step(&desk).await, None);
        let gone = desk
            .get("tich", "/api/v1/desk/cases?state=step-late")
            .await
            .json();
        assert_eq!(gone["items"], json!([]));
    }
}
