//! Taking an act back: the undo of entering it. Marks the act first, then gives the child's number
//! back, then ends the act: a crash between leaves an act that `finish_withdrawals` ends. The act's
//! place in the book is never used again.

use exchange::Call;
use kernel::{Actor, Fact, PersonalNumber, Problem};
use serde_json::{Map, Value};

use crate::check;
use crate::enter::{Acts, Attempt, of_version};
use crate::obtain::refused_for_good;
use crate::record::{Cause, State, Version, replace};
use crate::schema::{Work, put, text_at};
use crate::service::{Registers, actor, need, standing};
use crate::store as rows;

impl Registers {
    /// Answers `{"case": "…", "withdrawn": true}`, however often it is asked; `false` when the case
    /// never had an act, so that an undo never fails for having nothing to undo.
    pub(crate) async fn withdraw(&self, acts: &Acts<'_>, call: &Call) -> Result<Value, Problem> {
        let body = check::object(&call.body)?;
        let case = need(&body, &acts.schema.key)?;
        need(&body, "reason")?;
        let found = self.begin_withdrawal(acts, call, case, None).await?;
        if found {
            self.finish_withdrawal(acts, case, &call.on_behalf).await?;
        }
        let mut answer = Map::new();
        answer.insert(acts.schema.key.clone(), case.into());
        answer.insert("withdrawn".to_owned(), found.into());
        Ok(Value::Object(answer))
    }

    /// Marks an act as being taken back, with the number to release if it is known. False when the
    /// case has no act.
    pub(crate) async fn begin_withdrawal(
        &self,
        acts: &Acts<'_>,
        call: &Call,
        case: &str,
        number: Option<&PersonalNumber>,
    ) -> Result<bool, Problem> {
        let s = acts.schema;
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let (believed, last) = rows::believed(&tx, &s.code, case).await?;
                let Some(now) = standing(&believed) else {
                    return Ok(false);
                };
                acts.check_book(&now.body, call)?;
                if matches!(now.state, State::Withdrawing | State::Withdrawn) {
                    return Ok(true);
                }
                let mut body = now.body.clone();
                if let Some(number) = number {
                    put(&mut body, &acts.obtain.field, number.as_str().into());
                }
                let cause = Cause {
                    at: tx.now(),
                    ..of_version(now)
                };
                let to = (State::Withdrawing, now.valid_from);
                if rows::write(&tx, &s.code, &replace(&believed, last, case, to, body, &cause)).await? {
                    Ok(true)
                } else {
                    Err(Problem::stale())
                }
            })
            .await
    }

    /// Gives the number of an act that is being taken back to its register, then ends the act.
    pub(crate) async fn finish_withdrawal(
        &self,
        acts: &Acts<'_>,
        case: &str,
        on_behalf: &str,
    ) -> Result<(), Problem> {
        let Some(attempt) = self.ending(acts, case).await? else {
            return Ok(());
        };
        let known = text_at(&attempt.body, &acts.obtain.field).and_then(|n| n.parse().ok());
        let number = match known {
            Some(number) => Some(number),
            // Nobody knows whether the number was given out: asking again tells, and gives the same one.
            None => match self.obtain(acts, &attempt, on_behalf).await {
                Ok(number) => Some(number),
                Err(refused) if refused_for_good(&refused) => None,
                Err(problem) => return Err(problem),
            },
        };
        if let Some(number) = &number {
            self.release_number(acts, &attempt, number, on_behalf).await?;
        }
        self.end(acts, &attempt).await
    }

    /// Ends every act of this node whose taking back was begun; how many. For the node's start and
    /// a regular job.
    ///
    /// # Errors
    /// The first act that cannot be ended now; a later run takes it up again.
    pub async fn finish_withdrawals(&self) -> Result<u64, Problem> {
        let mut ended = 0;
        for schema in &self.0.schemas {
            for offer in &schema.services {
                let Work::Enter { numbering, obtain } = &offer.work else {
                    continue;
                };
                let acts = Acts {
                    schema,
                    numbering,
                    obtain,
                };
                let cases = self
                    .0
                    .store
                    .write(&schema.tenant, &Actor::Platform, |tx| async move {
                        rows::withdrawing(&tx, &schema.code).await
                    })
                    .await?;
                for case in cases {
                    self.finish_withdrawal(&acts, &case, &format!("system:{}", schema.system_id()))
                        .await?;
                    ended += 1;
                }
            }
        }
        Ok(ended)
    }

    async fn ending(&self, acts: &Acts<'_>, case: &str) -> Result<Option<Attempt>, Problem> {
        let s = acts.schema;
        self.0
            .store
            .write(&s.tenant, &Actor::Platform, |tx| async move {
                let (believed, _) = rows::believed(&tx, &s.code, case).await?;
                let number = rows::withdrawals(&tx, &s.code, case).await? + 1;
                let now = standing(&believed).filter(|v| v.state == State::Withdrawing);
                Ok(now.map(|v| Attempt {
                    case: case.to_owned(),
                    number,
                    body: v.body.clone(),
                }))
            })
            .await
    }

    async fn end(&self, acts: &Acts<'_>, attempt: &Attempt) -> Result<(), Problem> {
        let s = acts.schema;
        self.0
            .store
            .write(&s.tenant, &Actor::Platform, |tx| async move {
                let (believed, last) = rows::believed(&tx, &s.code, &attempt.case).await?;
                let Some(now) = standing(&believed).filter(|v| v.state == State::Withdrawing) else {
                    return Ok(());
                };
                let cause = Cause {
                    at: tx.now(),
                    ..of_version(now)
                };
                let to = (State::Withdrawn, now.valid_from);
                let change = replace(&believed, last, &attempt.case, to, now.body.clone(), &cause);
                if !rows::write(&tx, &s.code, &change).await? {
                    return Err(Problem::stale());
                }
                self.withdrawn(&tx, acts, now, last + 1).await
            })
            .await
    }

    /// One fact, if the act had stood: what was never complete was never written.
    async fn withdrawn(
        &self,
        tx: &store::Tx,
        acts: &Acts<'_>,
        act: &Version,
        version: u32,
    ) -> Result<(), Problem> {
        if text_at(&act.body, &acts.numbering.text).is_none() {
            return Ok(());
        }
        let (subject, hidden) = self.subject(acts.schema, &act.key);
        let (register, basis) = (acts.schema.code.clone(), act.key.clone());
        tx.fact(
            &subject,
            Fact::RecordWithdrawn {
                register,
                subject: hidden,
                version,
                basis,
            },
        )
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Fail, House};
    use serde_json::json;

    const CASE: &str = "H56.14857-261121-0001";

    async fn withdraw(house: &House) -> Result<Value, Problem> {
        house
            .call(
                "withdraw-birth",
                &[],
                None,
                json!({"case": CASE, "reason": "trả lại"}),
            )
            .await
    }

    #[tokio::test]
    async fn withdrawing_undoes_the_act_and_its_number() {
        let house = House::new().await;
        let act = house.enter(CASE).await.expect("an act");
        let answer = withdraw(&house).await.expect("withdrawn");
        assert_eq!(answer, json!({"case": CASE, "withdrawn": true}));
        assert_eq!(withdraw(&house).await.expect("again"), answer);
        assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
        let ask = json!({"personal_number": act["personal_number"]});
        let gone = house
            .call("person-lookup", &["sex"], None, ask)
            .await
            .expect_err("released");
        assert_eq!(gone.code, "record-not-found");
        let facts = house
            .store()
            .facts_of(&house.g15(), &house.birth_subject(CASE))
            .await
            .expect("facts");
        assert!(matches!(
            facts.last().expect("a fact").fact,
            Fact::RecordWithdrawn { .. }
        ));
    }

    #[tokio::test]
    async fn what_was_withdrawn_can_be_entered_again_with_new_numbers() {
        let house = House::new().await;
        let first = house.enter(CASE).await.expect("an act");
        withdraw(&house).await.expect("withdrawn");
        let second = house.enter(CASE).await.expect("a new act");
        assert_eq!(second["act_number"], "2/2026", "a place in the book is used once");
        assert_ne!(first["personal_number"], second["personal_number"]);
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn a_case_without_an_act_has_nothing_to_withdraw() {
        let house = House::new().await;
        assert_eq!(withdraw(&house).await.expect("an answer")["withdrawn"], false);
        assert_eq!(house.other.asked(), 0);
    }

    #[tokio::test]
    async fn a_withdrawal_cut_short_is_ended_by_a_retry_or_by_the_job() {
        for by_job in [true, false] {
            for fail in [Fail::Before, Fail::AnswerLost] {
                let house = House::new().await;
                house.enter(CASE).await.expect("an act");
                house.other.fail_once(fail);
                withdraw(&house).await.expect_err("cut");
                assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawing".to_owned())]);
                if by_job {
                    assert_eq!(house.registers.finish_withdrawals().await.expect("the job"), 1);
                } else {
                    withdraw(&house).await.expect("the retry");
                }
                assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
                assert_eq!(house.living_numbers().await, 0, "{fail:?}");
                assert_eq!(house.registers.finish_withdrawals().await.expect("the job"), 0);
            }
        }
    }

    #[tokio::test]
    async fn a_pending_act_that_is_withdrawn_leaves_no_number_behind() {
        for fail in [Fail::Before, Fail::AnswerLost] {
            let house = House::new().await;
            house.other.fail_once(fail);
            house.enter(CASE).await.expect_err("cut");
            withdraw(&house).await.expect("withdrawn");
            assert_eq!(house.living_numbers().await, 0, "{fail:?}");
            assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
        }
    }

    #[tokio::test]
    async fn entering_over_a_withdrawal_cut_short_ends_it_first() {
        let house = House::new().await;
        house.enter(CASE).await.expect("an act");
        house.other.fail_once(Fail::Before);
        withdraw(&house).await.expect_err("cut");
        assert_eq!(
            house.enter(CASE).await.expect("a new act")["act_number"],
            "2/2026"
        );
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn an_act_withdrawn_while_its_number_was_on_the_way_is_not_completed() {
        let house = House::new().await;
        house.other.withdraw_during_next(CASE);
        let problem = house.enter(CASE).await.expect_err("withdrawn meanwhile");
        assert_eq!(problem.code, "record-act-withdrawn");
        assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
        assert_eq!(house.living_numbers().await, 0);
    }
}
