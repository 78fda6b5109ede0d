//! The deliverer that has a register asked about a case and keeps what it says. A register that does not answer is asked
//! again until it does, the case is dropped, or a limit is over. What it says is asked for once and kept once, however
//! often the line is delivered.

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use bytes::Bytes;
use exchange::{Ask, Heard, ServiceId};
use kernel::{Actor, CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Check, CheckState, Details, Difference, TOPIC, compare, store};
use crate::case_of;
use crate::desk::act::{is_refusal, refusal};
use crate::state::Cases;
use crate::store::{self as rows, Held, subject};

/// National statuses of a case that was not taken in, taken back or stopped: nobody decides by its answers any more.
const DROPPED: [u8; 3] = [3, 7, 8];

/// Which comparison a line is about.
#[derive(Deserialize)]
struct Payload {
    check: u32,
}

/// What became of a comparison.
struct Became {
    state: CheckState,
    differs: Vec<Difference>,
    request: Option<String>,
    why: Option<String>,
}

impl Became {
    /// A state of which no register has said anything.
    const fn unsaid(state: CheckState) -> Self {
        Self {
            state,
            differs: Vec::new(),
            request: None,
            why: None,
        }
    }

    fn refused(why: String) -> Self {
        Self {
            why: Some(why),
            ..Self::unsaid(CheckState::Refused)
        }
    }
}

/// Delivers comparisons.
#[derive(Debug)]
pub(crate) struct Checks(pub(crate) Cases);

#[async_trait]
impl Deliver for Checks {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = case_of(line)?;
        let Payload { check } = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        self.0.compare_with_register(&code, check).await
    }
}

impl Cases {
    async fn compare_with_register(&self, code: &CaseCode, number: u32) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let check = store::one(&reader, code, number).await?;
        let held = rows::case(&reader, code).await?;
        drop(reader);
        let (Some(check), Some(held)) = (check, held) else {
            return Err(Problem::internal(format_args!(
                "a line names the comparison {number} of {code}, which is not there"
            )));
        };
        if check.state != CheckState::Waits {
            return Ok(());
        }
        let became = self.ask_about(&check, &held).await?;
        self.note_check(&check, &became).await
    }

    /// What becomes of a comparison now.
    ///
    /// # Errors
    /// What asking again may mend: the outbox does.
    async fn ask_about(&self, check: &Check, held: &Held) -> Result<Became, Problem> {
        let (case, details) = (&held.case, &check.details);
        if DROPPED.contains(&held.status) {
            return Ok(Became::unsaid(CheckState::Dropped));
        }
        let waited_ms = self.store.world().now().ms() - details.begun.ms();
        if waited_ms > self.store.limits().desk_check_ms_max {
            return Ok(Became::unsaid(CheckState::Unanswered));
        }
        let Some(body) = compare::body(&details.key, &details.fills, case) else {
            // The answer that it is asked by was taken out by a supplement.
            return Ok(Became::unsaid(CheckState::Dropped));
        };
        let service: ServiceId = details.service.parse().map_err(Problem::internal)?;
        let asked = self.exchange.ask(Ask {
            consumer: self.system.clone(),
            service,
            body: Bytes::from(Value::Object(body).to_string()),
            on_behalf: Actor::Official(details.by.clone()).to_string(),
            issue: Some(case.code.to_string()),
            idempotency: None,
        });
        match asked.await {
            Ok(heard) => became(&heard, details, &held.case.answers),
            Err(problem) if is_for_good(&problem) => Ok(Became::refused(problem.code.to_owned())),
            Err(problem) => Err(problem),
        }
    }

    /// Keeps what became of it, once.
    async fn note_check(&self, check: &Check, became: &Became) -> Result<(), Problem> {
        let (code, number) = (&check.code, check.number);
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let now = store::one(&tx, code, number).await?;
                let Some(now) = now.filter(|now| now.state == CheckState::Waits) else {
                    return Ok(());
                };
                let details = Details {
                    differs: became.differs.clone(),
                    request: became.request.clone(),
                    why: became.why.clone(),
                    ..now.details
                };
                store::save(&tx, code, number, became.state, &details).await?;
                let fact = Fact::CaseChecked {
                    case: code.clone(),
                    check: number,
                    service: details.service.clone(),
                    state: became.state.as_str().to_owned(),
                    fields: u32::try_from(became.differs.len()).unwrap_or(u32::MAX),
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }
}

/// What a register's answer makes of a comparison.
fn became(heard: &Heard, details: &Details, answers: &crate::case::Answers) -> Result<Became, Problem> {
    let request = Some(heard.request.clone());
    if heard.status == 404 {
        return Ok(Became {
            request,
            ..Became::unsaid(CheckState::None)
        });
    }
    if is_refusal(heard) {
        return Ok(Became {
            request,
            ..Became::refused(refusal(heard))
        });
    }
    let told: Value = heard.json()?;
    let bad = || Problem::new(Kind::Upstream, "answer-bad");
    let record: &Map<String, Value> = told.get("record").and_then(Value::as_object).ok_or_else(bad)?;
    let differs = compare::differences(&details.fills, answers, record);
    let state = match differs.is_empty() {
        true => CheckState::Agrees,
        false => CheckState::Differs,
    };
    Ok(Became {
        state,
        differs,
        request,
        why: None,
    })
}

/// The gateway's word that stays the same until somebody does something about it.
fn is_for_good(problem: &Problem) -> bool {
    let passes = ["clock-skew", "seal-broken", "replayed", "node-revoked"];
    matches!(problem.kind, Kind::Forbidden | Kind::NotFound) && !passes.contains(&problem.code)
}
