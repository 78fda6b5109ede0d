//! What other agencies do once the result is there (liên thông): each is asked through the exchange,
//! once, and what it gave is told to the applicant. One that comes after another is asked when that is done. What an
//! agency refuses is told, keeps what comes after it waiting, and is asked once more when an officer says so. Never
//! before the result, never for a refusal.

pub(crate) mod again;
#[cfg(test)]
mod tests;

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use exchange::{Ask, ServiceId};
use kernel::fact::Outcome;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::case::Case;
use crate::case_of;
use crate::course::{FollowFailed, FollowedUp};
use crate::desk::act::{is_refusal, refusal};
use crate::desk::step::save_telling;
use crate::notice::Notice;
use crate::procedure::{FollowUp, Procedure};
use crate::state::Cases;
use crate::store::subject;

/// The outbox topic; its keys are case codes.
pub const TOPIC: &str = "case-follow-up";

/// Puts a granted case's follow-ups in line; in the write that decides it.
pub(crate) async fn enqueue(tx: &Tx, case: &Case, procedure: &Procedure) -> Result<(), Problem> {
    let granted = case
        .decided
        .as_ref()
        .is_some_and(|d| d.outcome == Outcome::Granted);
    if granted {
        enqueue_after(tx, case, procedure, None).await?;
    }
    Ok(())
}

/// Puts what comes after one of them in line; with `None`, what comes first.
async fn enqueue_after(
    tx: &Tx,
    case: &Case,
    procedure: &Procedure,
    done: Option<&str>,
) -> Result<(), Problem> {
    for follow_up in procedure.follow_ups.iter().filter(|f| f.comes_after(done)) {
        enqueue_one(tx, &case.code, &follow_up.code).await?;
    }
    Ok(())
}

async fn enqueue_one(tx: &Tx, code: &CaseCode, follow_up: &str) -> Result<(), Problem> {
    tx.outbox(TOPIC, code.as_str(), &json!({ "follow_up": follow_up }))
        .await
}

/// What the other agency said.
enum Said {
    /// What it gave.
    Number(String),
    /// Why it will not do it: asking again would not help.
    Refused(String),
}

/// Which follow-up a line is about.
#[derive(Deserialize)]
struct Payload {
    follow_up: String,
}

/// Delivers follow-ups.
#[derive(Debug)]
pub struct FollowUps(pub(crate) Cases);

#[async_trait]
impl Deliver for FollowUps {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = case_of(line)?;
        let wanted: Payload = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let cases = &self.0;
        let reader = cases.store.read(&cases.tenant).await?;
        let (case, procedure) = cases.opened_by_platform(&reader, &code).await?;
        drop(reader);
        let follow_up = procedure.follow_ups.iter().find(|f| f.code == wanted.follow_up);
        let follow_up = follow_up
            .ok_or_else(|| Problem::internal(format_args!("no follow-up is called {}", wanted.follow_up)))?;
        if is_over(&case, follow_up) {
            return Ok(());
        }
        match cases.ask_for(&case, &procedure, follow_up).await? {
            Said::Number(number) => cases.followed_up(&code, follow_up, &number, line).await,
            Said::Refused(why) => cases.follow_up_refused(&code, follow_up, &why, line).await,
        }
    }
}

/// Done, or refused and not asked again since: a line that comes a second time has nothing to do.
fn is_over(case: &Case, follow_up: &FollowUp) -> bool {
    let mut refused = case.course.follow_failed.iter();
    is_done(case, follow_up) || refused.any(|one| one.code == follow_up.code)
}

fn is_done(case: &Case, follow_up: &FollowUp) -> bool {
    case.course
        .followed_up
        .iter()
        .any(|done| done.code == follow_up.code)
}

impl Cases {
    /// Asks the agency; what was asked before is answered the same.
    async fn ask_for(
        &self,
        case: &Case,
        procedure: &Procedure,
        follow_up: &FollowUp,
    ) -> Result<Said, Problem> {
        // The day of the decision, not of the delivery: asked again tomorrow, the body is the same.
        let on = case.decided.as_ref().map_or(case.filed_at, |d| d.at).date();
        let body = crate::act::put_together(&follow_up.body, procedure, case, &self.areas, on);
        let service: ServiceId = follow_up.service.parse().map_err(Problem::internal)?;
        let heard = self
            .exchange
            .ask(Ask {
                consumer: self.system.clone(),
                service,
                body: serde_json::to_vec(&body).map_err(Problem::internal)?.into(),
                on_behalf: format!("system:{}", self.system),
                issue: Some(case.code.to_string()),
                idempotency: Some(format!("{}/{}", case.code, follow_up.code)),
            })
            .await?;
        if is_refusal(&heard) {
            return Ok(Said::Refused(refusal(&heard)));
        }
        let answer: Value = heard.json()?;
        let number = answer.get(&follow_up.answer).and_then(Value::as_str);
        number
            .map(|number| Said::Number(number.to_owned()))
            .ok_or_else(|| {
                Problem::internal(format_args!("{} gave no {}", follow_up.service, follow_up.answer))
            })
    }

    /// Tells the applicant and the desk that an agency will not do its part.
    async fn follow_up_refused(
        &self,
        code: &CaseCode,
        follow_up: &FollowUp,
        why: &str,
        line: &OutboxLine,
    ) -> Result<(), Problem> {
        tracing::warn!(case = %code, follow_up = follow_up.code, why, "another agency refused its part");
        self.store
            .write(&line.tenant, &kernel::Actor::Platform, |tx| async move {
                let (mut case, procedure) = self.opened_by_platform(&tx, code).await?;
                if is_over(&case, follow_up) {
                    return Ok(());
                }
                case.revision += 1;
                case.course.follow_failed.push(FollowFailed {
                    code: follow_up.code.clone(),
                    why: why.to_owned(),
                    at: tx.now(),
                });
                let notice = Notice::FollowFailed {
                    name: follow_up.name.clone(),
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                let fact = Fact::CaseFollowUpFailed {
                    case: code.clone(),
                    follow_up: follow_up.code.clone(),
                    service: follow_up.service.clone(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }

    async fn followed_up(
        &self,
        code: &CaseCode,
        follow_up: &FollowUp,
        number: &str,
        line: &OutboxLine,
    ) -> Result<(), Problem> {
        self.store
            .write(&line.tenant, &kernel::Actor::Platform, |tx| async move {
                let (mut case, procedure) = self.opened_by_platform(&tx, code).await?;
                if is_done(&case, follow_up) {
                    return Ok(());
                }
                case.revision += 1;
                case.course.followed_up.push(FollowedUp {
                    code: follow_up.code.clone(),
                    number: number.to_owned(),
                    at: tx.now(),
                });
                let notice = Notice::FollowedUp {
                    name: follow_up.name.clone(),
                    number: number.to_owned(),
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                enqueue_after(&tx, &case, &procedure, Some(follow_up.code.as_str())).await?;
                let fact = Fact::CaseFollowedUp {
                    case: code.clone(),
                    follow_up: follow_up.code.clone(),
                    service: follow_up.service.clone(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }
}
