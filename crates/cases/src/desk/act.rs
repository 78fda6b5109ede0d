//! Enters a case's act in its register and takes it back, in the order in which that was decided.
//! The register is asked outside any write and knows a repeated question by its case, so a crash at
//! any point ends in one act. Never changes a register itself.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use exchange::{Ask, Heard, ServiceId};
use kernel::{Actor, CaseCode, Fact, Kind, PersonalNumber, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use web::Principal;

use crate::case::{Case, EnteredAct, SentBack};
use crate::case_of;
use crate::desk::step::save;
use crate::procedure::{Act, PLATFORM, Procedure, Transition, Verb};
use crate::state::Cases;
use crate::store::subject;

/// The outbox topic; its keys are case codes, so that an act is taken back before the next is entered.
pub const TOPIC: &str = "case-act";

/// What is to be done with the act.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Work {
    /// Enter it.
    Enter,
    /// Take it back.
    Undo {
        /// The act's number in the book.
        act_number: String,
        /// Why.
        reason: String,
        /// The chairman's account.
        by: String,
    },
}

/// What the register answers.
#[derive(Deserialize)]
struct Entered {
    act_number: String,
    personal_number: Option<PersonalNumber>,
}

/// Puts the entering of a case's act in line.
pub(crate) async fn enqueue_enter(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    enqueue(tx, code, &Work::Enter).await
}

/// Puts the withdrawal of an act in line.
pub(crate) async fn enqueue_undo(
    tx: &Tx,
    code: &CaseCode,
    act: &EnteredAct,
    who: &Principal,
    reason: &str,
) -> Result<(), Problem> {
    let work = Work::Undo {
        act_number: act.act_number.clone(),
        reason: reason.to_owned(),
        by: who.account.clone(),
    };
    enqueue(tx, code, &work).await
}

async fn enqueue(tx: &Tx, code: &CaseCode, work: &Work) -> Result<(), Problem> {
    let payload = serde_json::to_value(work).map_err(Problem::internal)?;
    tx.outbox(TOPIC, code.as_str(), &payload).await
}

/// Delivers act lines.
#[derive(Debug)]
pub struct Acts(pub(crate) Cases);

#[async_trait]
impl Deliver for Acts {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = case_of(line)?;
        match serde_json::from_value(line.payload.clone()).map_err(Problem::internal)? {
            Work::Enter => self.0.enter_act(&code).await,
            Work::Undo {
                act_number,
                reason,
                by,
            } => self.0.withdraw_act(&code, &act_number, &reason, &by).await,
        }
    }
}

impl Cases {
    async fn enter_act(&self, code: &CaseCode) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, procedure) = self.opened_by_platform(&reader, code).await?;
        drop(reader);
        let (Some(act), Some(proposal), Some(day)) = (&procedure.act, &case.proposal, case.entered_on())
        else {
            return Ok(());
        };
        if waiting(&case, &procedure).is_none() {
            return Ok(());
        }
        // Not the day of the delivery: asked again tomorrow, the body is the same.
        let body = crate::act::body(&procedure, &case, &self.areas, day)
            .ok_or_else(|| Problem::internal("a procedure with an act has a body for it"))?;
        let by = format!("official:{}", proposal.by);
        let heard = self
            .ask_register(&act.service, &body, &by, code, code.to_string())
            .await?;
        if is_refusal(&heard) {
            return self.act_refused(code, &refusal(&heard)).await;
        }
        let answer: Value = heard.json()?;
        let (entered, record) = read(act, answer)?;
        self.act_entered(code, act, &entered, record.as_ref()).await
    }

    async fn act_entered(
        &self,
        code: &CaseCode,
        act: &Act,
        entered: &Entered,
        record: Option<&Value>,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let (case, procedure) = self.opened_by_platform(&tx, code).await?;
                let Some(step) = waiting(&case, &procedure) else {
                    return Ok(());
                };
                let mut case = case.moved(step);
                case.act = Some(EnteredAct {
                    act_number: entered.act_number.clone(),
                    personal_number: entered.personal_number.clone(),
                    at: tx.now(),
                });
                case.course.record = record.cloned();
                save(&tx, &case, &procedure).await?;
                let (register, number) = (register(&act.service)?, entered.act_number.clone());
                let case = code.clone();
                let fact = match record {
                    None => Fact::CaseActEntered {
                        case,
                        register,
                        number,
                    },
                    Some(_) => Fact::CaseActFound {
                        case,
                        register,
                        number,
                    },
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }

    /// The register will not have it: asking again would not help, so the officer is told.
    async fn act_refused(&self, code: &CaseCode, note: &str) -> Result<(), Problem> {
        tracing::warn!(case = %code, note, "the register refused an act");
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let (case, procedure) = self.opened_by_platform(&tx, code).await?;
                if waiting(&case, &procedure).is_none() {
                    return Ok(());
                }
                let step = case.transition(&procedure, Verb::SendBack, &[PLATFORM.to_owned()])?;
                let mut case = case.moved(step);
                if let Some(proposal) = &mut case.proposal {
                    proposal.sent_back = Some(SentBack {
                        note: note.to_owned(),
                        by: None,
                        by_applicant: false,
                        at: tx.now(),
                    });
                }
                save(&tx, &case, &procedure).await?;
                tx.fact(&subject(code), Fact::CaseSentBack { case: code.clone() })
                    .await?;
                Ok(())
            })
            .await
    }

    async fn withdraw_act(
        &self,
        code: &CaseCode,
        number: &str,
        reason: &str,
        by: &str,
    ) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (_, procedure) = self.opened_by_platform(&reader, code).await?;
        drop(reader);
        let Some((act, undo)) = procedure
            .act
            .as_ref()
            .and_then(|act| Some((act, act.undo.as_ref()?)))
        else {
            return Ok(());
        };
        // A number of a book is given once, so a fact with it says that this line was delivered.
        let facts = self.store.facts_of(&self.tenant, &subject(code)).await?;
        let told = |fact: &Fact| matches!(fact, Fact::CaseActWithdrawn { number: of, .. } if of == number);
        if facts.iter().any(|record| told(&record.fact)) {
            return Ok(());
        }
        let body = json!({"case": code, "reason": reason});
        let (by, key) = (format!("official:{by}"), format!("{code}/{number}/undo"));
        let heard = self.ask_register(undo, &body, &by, code, key).await?;
        if !(200..300).contains(&heard.status) {
            // An act that stands must not get a second one beside it: the next line waits for this.
            return Err(heard.refusal());
        }
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let fact = Fact::CaseActWithdrawn {
                    case: code.clone(),
                    register: register(&act.service)?,
                    number: number.to_owned(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }

    async fn ask_register(
        &self,
        service: &str,
        body: &Value,
        on_behalf: &str,
        code: &CaseCode,
        idempotency: String,
    ) -> Result<Heard, Problem> {
        self.exchange
            .ask(Ask {
                consumer: self.system.clone(),
                service: service_id(service)?,
                body: body.to_string().into(),
                on_behalf: on_behalf.to_owned(),
                issue: Some(code.to_string()),
                idempotency: Some(idempotency),
            })
            .await
    }
}

/// What the register answered: an act entered, or the record of one that was looked up.
fn read(act: &Act, answer: Value) -> Result<(Entered, Option<Value>), Problem> {
    if act.undo.is_some() {
        return Ok((serde_json::from_value(answer).map_err(Problem::internal)?, None));
    }
    let record = answer.get("record").cloned().unwrap_or_default();
    let number = record.get("act_number").and_then(Value::as_str);
    let number = number.ok_or_else(|| Problem::internal(format_args!("{} gave no act", act.service)))?;
    let entered = Entered {
        act_number: number.to_owned(),
        personal_number: None,
    };
    Ok((entered, Some(record)))
}

/// The platform's step, when the case waits for its act.
fn waiting<'p>(case: &Case, procedure: &'p Procedure) -> Option<&'p Transition> {
    case.transition(procedure, Verb::EnterAct, &[PLATFORM.to_owned()])
        .ok()
}

/// Why the register refused: its key, and the act that is there already, where it names one.
pub(super) fn refusal(heard: &Heard) -> String {
    let refused = heard.refusal();
    let told = refused.args.iter().find(|(name, _)| *name == "code");
    let mut note = told.map_or("unknown", |(_, code)| code.as_str()).to_owned();
    let body: Value = serde_json::from_slice(&heard.body).unwrap_or_default();
    for name in ["act", "book"] {
        let value = body["args"][name].as_str().unwrap_or_default();
        // Another party's words are shown as far as they are a number or a code.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"./-".contains(&b);
        if (1..=40).contains(&value.len()) && value.bytes().all(plain) {
            note.push(' ');
            note.push_str(value);
        }
    }
    note
}

/// An answer that stays the same however often the register is asked.
pub(super) fn is_refusal(heard: &Heard) -> bool {
    (400..500).contains(&heard.status) && ![408, 425, 429].contains(&heard.status)
}

fn service_id(text: &str) -> Result<ServiceId, Problem> {
    text.parse()
        .map_err(|_| Problem::new(Kind::Internal, "internal").because(format_args!("{text:?} is no service")))
}

/// The register as facts name it: its system.
fn register(service: &str) -> Result<String, Problem> {
    service_id(service).map(|id| id.provider().to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, MONDAY};

    #[tokio::test]
    async fn an_act_is_entered_once_and_the_case_goes_to_be_signed() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let case = desk.json().await;
        assert_eq!(case["act"]["act_number"], "1/2026");
        assert_eq!(case["act"]["personal_number"], "038326000001");
        let body = &desk.nation.asked_of("enter-birth")[0];
        assert_eq!(
            (&body["case"], &body["book"]),
            (&json!(CASE), &json!("H56.15865"))
        );
        assert_eq!(
            desk.facts().await.last().map(String::as_str),
            Some("case-act-entered")
        );
        assert_eq!(desk.lines("case-act").await, []);
    }

    #[tokio::test]
    async fn a_register_that_is_away_is_asked_again_with_the_same_words() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.granted("").await;
        desk.nation.away.store(true, Ordering::SeqCst);
        assert_eq!(
            desk.deliver_topic("case-act").await.expect("fails").code,
            "provider-unreachable"
        );
        assert_eq!(desk.state().await, "entering");
        desk.nation.away.store(false, Ordering::SeqCst);
        desk.nation.loses_answers.store(true, Ordering::SeqCst);
        assert!(desk.deliver_topic("case-act").await.is_some());
        desk.nation.loses_answers.store(false, Ordering::SeqCst);
        desk.temp.clock.set(MONDAY.plus_ms(86_400_000));
        assert!(desk.deliver_topic("case-act").await.is_none());
        let asked = desk.nation.asked_of("enter-birth");
        assert_eq!(
            (asked.len(), &asked[0]),
            (2, &asked[1]),
            "tomorrow's question is today's"
        );
        assert_eq!(
            (desk.state().await.as_str(), desk.nation.acts_standing()),
            ("to-sign", 1)
        );
    }

    #[tokio::test]
    async fn an_act_the_register_refuses_goes_back_to_the_officer_with_the_reason() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.granted("").await;
        *desk.nation.refuses.lock().expect("whole") = Some("record-date-late");
        assert!(
            desk.deliver_topic("case-act").await.is_none(),
            "the line is not tried for ever"
        );
        let case = desk.json().await;
        assert_eq!(case["state"], "reworking");
        assert_eq!(case["proposal"]["sent_back"]["note"], "record-date-late");
        assert!(
            desk.get("tich", &format!("/desk/cases/{CASE}"))
                .await
                .body
                .contains("record-date-late")
        );
        *desk.nation.refuses.lock().expect("whole") = None;
        desk.granted("Đã kiểm tra lại").await;
        assert!(desk.deliver_topic("case-act").await.is_none());
        assert_eq!(desk.state().await, "to-sign");
    }

    #[tokio::test]
    async fn a_line_delivered_twice_changes_nothing_the_second_time() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.granted("").await;
        let line = desk.lines("case-act").await.remove(0);
        assert!(desk.deliver_topic("case-act").await.is_none());
        let (revision, facts) = (desk.revision().await, desk.facts().await);
        desk.deliver_again(&line).await;
        assert_eq!((desk.revision().await, desk.facts().await), (revision, facts));
        let back = desk.verb("chu", "send-back", json!({"note": "Sai tên"})).await;
        assert_eq!(back.status, 200, "{}", back.body);
        let undo = desk.lines("case-act").await.remove(0);
        assert!(desk.deliver_topic("case-act").await.is_none());
        let facts = desk.facts().await;
        desk.deliver_again(&undo).await;
        assert_eq!(desk.facts().await, facts);
    }
}
