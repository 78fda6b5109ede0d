//! Entering an act: begin it, obtain the child's number from the register that gives numbers,
//! complete it with its place in the book. No transaction is held while another register is asked,
//! and a crash between any two steps ends, after a retry, in one act and one number.
//!
//! An act's attempt is numbered: one more than it was taken back before. The attempt's key makes
//! the number the same however often it is asked for; an attempt that has ended cannot be completed.

use exchange::Call;
use kernel::time::parse_iso;
use kernel::{CaseCode, Fact, Kind, OrgCode, PersonalNumber, Problem, Time};
use serde_json::{Map, Value, json};
use store::Tx;

use crate::check;
use crate::claims;
use crate::obtain::refused_for_good;
use crate::record::{Cause, State, Version, replace};
use crate::schema::{Numbering, Obtain, Schema, Work, put, text_at};
use crate::service::{Registers, actor, cause, request_digest, standing};
use crate::store as rows;

/// A register of acts and how they are entered.
#[derive(Clone, Copy)]
pub(crate) struct Acts<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) numbering: &'a Numbering,
    pub(crate) obtain: &'a Obtain,
}

/// An act that waits for its number.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) case: String,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) body: Map<String, Value>,
}

/// Where an act stands when it is entered.
pub(crate) enum Begun {
    /// It was entered before: the answer given then.
    Done(Value),
    /// It waits for its number.
    Open(Attempt),
    /// An attempt before this one is still to be undone.
    Undo,
}

/// What became of completing an attempt.
enum Completed {
    Done(Value),
    /// The attempt was taken back meanwhile.
    Ended,
}

impl<'a> Acts<'a> {
    /// The acts that a service of a register enters.
    pub(crate) fn of(schema: &'a Schema, service: &str) -> Result<Self, Problem> {
        let found = schema
            .services
            .iter()
            .find(|o| o.code == service)
            .map(|o| &o.work);
        match found {
            Some(Work::Enter { numbering, obtain }) => Ok(Self {
                schema,
                numbering,
                obtain,
            }),
            _ => Err(Problem::internal(format_args!(
                "{service} of {} enters nothing",
                schema.code
            ))),
        }
    }

    /// The answer an entered act has for ever.
    pub(crate) fn answer(&self, body: &Map<String, Value>) -> Value {
        let of = |path: &str| crate::schema::at(body, path).cloned().unwrap_or_default();
        json!({
            "act_number": of(&self.numbering.text),
            "number": of(&self.numbering.number),
            "personal_number": of(&self.obtain.field),
        })
    }

    fn since(&self, body: &Map<String, Value>) -> Result<Time, Problem> {
        let day = text_at(body, &self.schema.since).and_then(parse_iso);
        day.map(|d| Time::at(d, 0))
            .ok_or_else(|| Problem::invalid(&self.schema.since, "record-date-bad"))
    }

    /// Only the organisation that holds the book writes in it.
    pub(crate) fn check_book(&self, body: &Map<String, Value>, call: &Call) -> Result<(), Problem> {
        let field = &self.numbering.book;
        let book: OrgCode = text_at(body, field)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::invalid(field, "record-code-unknown"))?;
        if call.consumer.org.holds(&book) {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "record-book-not-yours")
                .at(field)
                .with("book", book))
        }
    }
}

impl Registers {
    /// Answers `{"act_number": "1/2026", "number": 1, "personal_number": "…"}`, once per case.
    pub(crate) async fn enter(&self, acts: &Acts<'_>, call: &Call) -> Result<Value, Problem> {
        let body = check::whole(acts.schema, &check::object(&call.body)?, call.at.date())?;
        let case = text_at(&body, &acts.schema.key).unwrap_or_default().to_owned();
        case.parse::<CaseCode>()
            .map_err(|_| Problem::invalid(&acts.schema.key, "record-code-unknown"))?;
        acts.check_book(&body, call)?;
        let mut begun = self.begin(acts, call, &body).await?;
        if matches!(begun, Begun::Undo) {
            self.finish_withdrawal(acts, &case, &call.on_behalf).await?;
            begun = self.begin(acts, call, &body).await?;
        }
        let attempt = match begun {
            Begun::Done(answer) => return Ok(answer),
            Begun::Open(attempt) => attempt,
            Begun::Undo => return Err(Problem::stale()),
        };
        let number = match self.obtain(acts, &attempt, &call.on_behalf).await {
            Ok(number) => number,
            Err(problem) => return Err(self.give_up(acts, call, &attempt, None, problem).await),
        };
        match self.complete(acts, call, &attempt, &number).await {
            Ok(Completed::Done(answer)) => Ok(answer),
            Ok(Completed::Ended) => {
                self.release_number(acts, &attempt, &number, &call.on_behalf)
                    .await?;
                Err(Problem::new(Kind::Conflict, "record-act-withdrawn"))
            }
            Err(problem) => Err(self.give_up(acts, call, &attempt, Some(number), problem).await),
        }
    }

    /// Step 1: the act is there, pending, under its case.
    pub(crate) async fn begin(
        &self,
        acts: &Acts<'_>,
        call: &Call,
        body: &Map<String, Value>,
    ) -> Result<Begun, Problem> {
        let digest = request_digest(body)?;
        let (s, digest) = (acts.schema, &digest);
        let since = acts.since(body)?;
        self.obtain_request(acts, body)?;
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let case = text_at(body, &s.key).unwrap_or_default();
                let (believed, last) = rows::believed(&tx, &s.code, case).await?;
                let number = rows::withdrawals(&tx, &s.code, case).await? + 1;
                let open = Attempt {
                    case: case.to_owned(),
                    number,
                    body: body.clone(),
                };
                if let Some(now) = standing(&believed) {
                    match now.state {
                        State::Current => {
                            acts.check_book(&now.body, call)?;
                            return Ok(Begun::Done(acts.answer(&now.body)));
                        }
                        State::Withdrawing => return Ok(Begun::Undo),
                        State::Pending if now.request == digest.hex() => return Ok(Begun::Open(open)),
                        State::Pending => self.same_child(acts, &now.body, body)?,
                        State::Withdrawn => {}
                    }
                }
                claims::take(&tx, acts, case, body).await?;
                let cause = cause(&tx, call, case, digest);
                let change = replace(
                    &believed,
                    last,
                    case,
                    (State::Pending, since),
                    body.clone(),
                    &cause,
                );
                if rows::write(&tx, &s.code, &change).await? {
                    Ok(Begun::Open(open))
                } else {
                    Err(Problem::stale())
                }
            })
            .await
    }

    /// A pending act may be corrected, but not in what its number was asked for with.
    fn same_child(
        &self,
        acts: &Acts<'_>,
        before: &Map<String, Value>,
        now: &Map<String, Value>,
    ) -> Result<(), Problem> {
        if self.obtain_request(acts, before)? == self.obtain_request(acts, now)? {
            Ok(())
        } else {
            Err(Problem::new(Kind::Conflict, "record-key-reused"))
        }
    }

    /// Step 3: the act gets its number, its place in the book, and stands.
    async fn complete(
        &self,
        acts: &Acts<'_>,
        call: &Call,
        attempt: &Attempt,
        number: &PersonalNumber,
    ) -> Result<Completed, Problem> {
        self.fits(acts, &attempt.body, number)?;
        let (s, n) = (acts.schema, acts.numbering);
        self.0
            .store
            .write(&s.tenant, &actor(call), |tx| async move {
                let (believed, last) = rows::believed(&tx, &s.code, &attempt.case).await?;
                let ended = rows::withdrawals(&tx, &s.code, &attempt.case).await? + 1 != attempt.number;
                let pending = match standing(&believed) {
                    Some(now) if now.state == State::Current && !ended => {
                        return Ok(Completed::Done(acts.answer(&now.body)));
                    }
                    Some(now) if now.state == State::Pending && !ended => now,
                    _ => return Ok(Completed::Ended),
                };
                let mut body = pending.body.clone();
                let day = text_at(&body, &n.date).and_then(parse_iso);
                let year = day
                    .ok_or_else(|| Problem::invalid(&n.date, "record-date-bad"))?
                    .year();
                let series = format!(
                    "{}/{}/{year}",
                    n.series,
                    text_at(&body, &n.book).unwrap_or_default()
                );
                let order = tx.next_number(&series).await?;
                put(&mut body, &n.number, order.into());
                put(&mut body, &n.year, year.into());
                put(&mut body, &n.text, format!("{order}/{year}").into());
                put(&mut body, &acts.obtain.field, number.as_str().into());
                let cause = Cause {
                    at: tx.now(),
                    ..of_version(pending)
                };
                let to = (State::Current, acts.since(&body)?);
                let change = replace(&believed, last, &attempt.case, to, body.clone(), &cause);
                self.write_act(&tx, s, &change).await?;
                self.written(&tx, s, &attempt.case, last + 1).await?;
                Ok(Completed::Done(acts.answer(&body)))
            })
            .await
    }

    async fn write_act(&self, tx: &Tx, s: &Schema, change: &crate::record::Change) -> Result<(), Problem> {
        if !rows::write(tx, &s.code, change).await? {
            return Err(Problem::stale());
        }
        for new in &change.written {
            for link in &s.links {
                if let Some(value) = text_at(&new.body, &link.field) {
                    rows::link(tx, &s.code, &link.name, value, &new.key).await?;
                }
            }
        }
        Ok(())
    }

    async fn written(&self, tx: &Tx, s: &Schema, key: &str, version: u32) -> Result<(), Problem> {
        let (subject, hidden) = self.subject(s, key);
        let fact = Fact::RecordWritten {
            register: s.code.clone(),
            subject: hidden,
            version,
            basis: key.to_owned(),
        };
        tx.fact(&subject, fact).await.map(drop)
    }

    /// After a failure: an attempt that cannot succeed is undone; any other waits for a retry.
    async fn give_up(
        &self,
        acts: &Acts<'_>,
        call: &Call,
        attempt: &Attempt,
        number: Option<PersonalNumber>,
        problem: Problem,
    ) -> Problem {
        if !is_final(&problem) {
            return problem;
        }
        let begun = self
            .begin_withdrawal(acts, call, &attempt.case, number.as_ref())
            .await;
        let undone = match begun {
            Ok(_) => self.finish_withdrawal(acts, &attempt.case, &call.on_behalf).await,
            Err(e) => Err(e),
        };
        if let Err(e) = undone {
            // The act stays `withdrawing` or `pending`: the next call or `finish_withdrawals` ends it.
            tracing::warn!(case = %attempt.case, cause = %e, "an act could not be undone yet");
        }
        problem
    }
}

/// True when trying the same again can only fail again. What a gateway refuses is never final: an
/// earlier try may have got its number, which must then be taken back by a later one.
fn is_final(problem: &Problem) -> bool {
    match problem.code {
        "record-number-refused" => true,
        "service-refused" => refused_for_good(problem),
        code => {
            code.starts_with("record-")
                && matches!(
                    problem.kind,
                    Kind::Malformed | Kind::Forbidden | Kind::NotFound | Kind::Invalid
                )
        }
    }
}

/// The ground of a version, for the next one of the same act.
pub(crate) fn of_version(version: &Version) -> Cause {
    Cause {
        at: version.recorded_at,
        source: version.source.clone(),
        basis: version.basis.clone(),
        request: version.request.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Fail, House, birth_body};

    const CASE: &str = "H56.14857-261121-0001";
    const OTHER: &str = "H56.14857-261121-0002";

    /// Enters the act of a second child of the same parents.
    async fn enter_other(house: &House) -> Result<Value, Problem> {
        let mut body = birth_body(OTHER);
        put(&mut body, "child.full_name", "Lê Thị Mẫu Em".into());
        house.enter_body(body).await
    }

    #[tokio::test]
    async fn an_act_has_its_place_in_the_book_and_a_number_for_the_child() {
        let house = House::new().await;
        let answer = house.enter(CASE).await.expect("an act");
        assert_eq!(
            (answer["act_number"].as_str(), answer["number"].as_u64()),
            (Some("1/2026"), Some(1))
        );
        let number: PersonalNumber =
            serde_json::from_value(answer["personal_number"].clone()).expect("a number");
        assert_eq!((number.place(), number.birth_year()), ("038", 2026));
        assert_eq!(house.acts().await, [(CASE.to_owned(), "current".to_owned())]);
        let subject = house.birth_subject(CASE);
        let facts = house
            .store()
            .facts_of(&house.g15(), &subject)
            .await
            .expect("facts");
        assert!(matches!(&facts[..], [f] if matches!(&f.fact, Fact::RecordWritten { version: 2, .. })));
        assert!(!facts[0].to_json().expect("json").contains(number.as_str()));
    }

    #[tokio::test]
    async fn two_cases_of_a_commune_get_consecutive_numbers() {
        let house = House::new().await;
        let (first, second) = (
            house.enter(CASE).await.expect("one"),
            enter_other(&house).await.expect("two"),
        );
        assert_eq!(
            (&first["act_number"], &second["act_number"]),
            (&"1/2026".into(), &"2/2026".into())
        );
        assert_ne!(first["personal_number"], second["personal_number"]);
        let mut elsewhere = birth_body("H56.14870-261121-0001");
        put(&mut elsewhere, "book", "H56.14870".into());
        put(&mut elsewhere, "child.full_name", "Lê Thị Mẫu Út".into());
        let third = house.enter_body(elsewhere).await.expect("three");
        assert_eq!(third["act_number"], "1/2026", "another commune has its own book");
    }

    #[tokio::test]
    async fn a_repeated_call_returns_the_same_act() {
        let house = House::new().await;
        let first = house.enter(CASE).await.expect("an act");
        assert_eq!(house.enter(CASE).await.expect("again"), first);
        assert_eq!((house.acts().await.len(), house.living_numbers().await), (1, 1));
    }

    #[tokio::test]
    async fn two_calls_at_once_for_one_case_give_one_act() {
        let house = House::new().await;
        let (a, b) = tokio::join!(house.enter(CASE), house.enter(CASE));
        assert_eq!(a.expect("an act"), b.expect("the same act"));
        assert_eq!((house.acts().await.len(), house.living_numbers().await), (1, 1));
        assert_eq!(
            enter_other(&house).await.expect("the next")["number"],
            2,
            "no number was lost"
        );
    }

    /// The crash points: before the question arrives, after the number was given and its answer
    /// lost, and after the answer arrived but before the act was complete.
    #[tokio::test]
    async fn a_crash_at_any_step_ends_after_a_retry_in_one_act_and_one_number() {
        for (fail, given) in [(Fail::Before, 0), (Fail::AnswerLost, 1), (Fail::Hang, 1)] {
            let house = House::new().await;
            house.other.fail_once(fail);
            tokio::select! {
                through = house.enter(CASE) => assert!(through.is_err(), "{fail:?}: did not get through"),
                () = house.other.hangs() => {}
            }
            assert_eq!(
                house.acts().await,
                [(CASE.to_owned(), "pending".to_owned())],
                "{fail:?}"
            );
            assert_eq!(house.living_numbers().await, given, "{fail:?}");
            let answer = house.enter(CASE).await.expect("the retry");
            assert_eq!(answer["act_number"], "1/2026", "{fail:?}");
            assert_eq!(house.enter(CASE).await.expect("and again"), answer, "{fail:?}");
            assert_eq!(
                (house.acts().await.len(), house.living_numbers().await),
                (1, 1),
                "{fail:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_pending_act_can_be_corrected_but_not_given_another_child() {
        let house = House::new().await;
        house.other.fail_once(Fail::AnswerLost);
        house.enter(CASE).await.expect_err("cut");
        let mut named = birth_body(CASE);
        put(&mut named, "child.full_name", "Lê Thị Mẫu Hai".into());
        let mut boy = birth_body(CASE);
        put(&mut boy, "child.sex", "male".into());
        assert_eq!(
            house.enter_body(boy).await.expect_err("another child").code,
            "record-key-reused"
        );
        house.enter_body(named).await.expect("the corrected act");
        let body = house.act_body(CASE).await;
        assert_eq!(text_at(&body, "child.full_name"), Some("Lê Thị Mẫu Hai"));
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn a_number_that_does_not_fit_the_child_is_given_back_and_the_act_withdrawn() {
        let house = House::new().await;
        house.other.fail_once(Fail::WrongCentury);
        let problem = house.enter(CASE).await.expect_err("a number of the 1900s");
        assert_eq!(
            (problem.code, problem.kind),
            ("record-number-refused", Kind::Upstream)
        );
        assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
        assert_eq!(house.other.released(), ["038126000001"]);
        let answer = house.enter(CASE).await.expect("the next try");
        assert_eq!(
            answer["act_number"], "1/2026",
            "the failed act used no number of the book"
        );
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn a_refusal_of_the_other_register_withdraws_the_act() {
        let house = House::new().await;
        house.other.fail_always(Fail::Refuse);
        let problem = house.enter(CASE).await.expect_err("refused");
        assert_eq!(problem.code, "service-refused");
        assert_eq!(house.acts().await, [(CASE.to_owned(), "withdrawn".to_owned())]);
        house.other.work_again();
        house.enter(CASE).await.expect("a new attempt");
        assert_eq!((house.acts().await.len(), house.living_numbers().await), (1, 1));
    }

    #[tokio::test]
    async fn a_book_that_cannot_be_written_now_keeps_the_number_for_the_retry() {
        let house = House::new().await;
        house.other.fail_once(Fail::NoTableAfter);
        house.enter(CASE).await.expect_err("the book takes nothing");
        house
            .sql("alter table registers_records_away rename to registers_records")
            .await;
        assert_eq!((house.acts().await.len(), house.living_numbers().await), (1, 1));
        assert_eq!(house.enter(CASE).await.expect("the retry")["number"], 1);
        assert_eq!(house.living_numbers().await, 1);
    }

    #[tokio::test]
    async fn nobody_writes_in_the_book_of_another_organisation() {
        let house = House::new().await;
        let mut body = birth_body("H26.00004-261121-0001");
        put(&mut body, "book", "H26.00004".into());
        let problem = house.enter_body(body).await.expect_err("not theirs");
        assert_eq!(
            (problem.code, problem.kind),
            ("record-book-not-yours", Kind::Forbidden)
        );
        assert!(house.acts().await.is_empty());
    }

    #[tokio::test]
    async fn an_act_for_no_case_or_with_a_bad_date_is_refused_before_anything_is_asked() {
        let house = House::new().await;
        for (path, value, code) in [
            ("case", "x", "record-code-unknown"),
            ("child.date_of_birth", "2026-02-31", "record-date-bad"),
            ("registered_on", "2026-11-22", "record-date-future"),
        ] {
            let mut body = birth_body(CASE);
            put(&mut body, path, value.into());
            let problem = house.enter_body(body).await.expect_err(path);
            assert_eq!((problem.code, problem.field.as_deref()), (code, Some(path)));
        }
        assert_eq!((house.acts().await.len(), house.other.asked()), (0, 0));
    }
}
