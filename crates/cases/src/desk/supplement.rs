//! `supplement`: the applicant gives what was asked for. The term starts anew or goes on, as the law in
//! force on the day of filing says. Never asks a second time.

use ::store::Tx;
use kernel::{Fact, Kind, Problem, Time};

use crate::answers::chars_max;
use crate::case::{Answers, Case};
use crate::clock::fold::Event;
use crate::desk::step::save;
use crate::draft::Attached;
use crate::procedure::{APPLICANT, Procedure, Verb};
use crate::state::Cases;
use crate::store::{self as rows, subject};
use crate::words::note;

/// Whose papers those are that a supplement took the place of.
pub(crate) fn earlier(case: &str) -> String {
    format!("{case}/earlier")
}

impl Cases {
    /// Takes what was asked for; `at` is when the applicant sent it.
    ///
    /// # Errors
    /// `case-verb-not-now` when nothing is asked for, `case-supplement-over` when the time for it is;
    /// 422 for what is no part of the form.
    pub(crate) async fn supplemented(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        (at, answers, words): (Time, &Answers, &str),
        papers: &[Attached],
    ) -> Result<(), Problem> {
        let step = case.transition(procedure, Verb::Supplement, &[APPLICANT.to_owned()])?;
        let asked = case.course.supplement.clone();
        let asked = asked.filter(|s| s.given_at.is_none());
        let mut asked = asked.ok_or(Problem::new(Kind::Conflict, "case-verb-not-now"))?;
        if at > asked.until {
            return Err(Problem::new(Kind::Conflict, "case-supplement-over"));
        }
        check_answers(procedure, answers)?;
        if answers.is_empty() && papers.is_empty() && note(words, false)?.is_empty() {
            return Err(Problem::invalid("papers", "case-supplement-nothing"));
        }
        let mut case = case.moved(step);
        let owed = self.resume(&mut case, procedure, tx.now())?;
        let due = case.accepted.as_ref().map(|accepted| accepted.due);
        asked.given_at = Some(tx.now());
        case.course.supplement = Some(asked);
        for (field, answer) in answers {
            case.answers.insert(field.clone(), answer.clone());
        }
        let holder = subject(&case.code);
        replace(tx, &holder, papers).await?;
        save(tx, &case, procedure).await?;
        if let Some(owed) = owed {
            obligations::reopen(tx, &holder, owed).await?;
        }
        let fact = Fact::CaseSupplemented {
            case: case.code.clone(),
            papers: u32::try_from(papers.len()).map_err(Problem::internal)?,
            due,
        };
        tx.fact(&holder, fact).await?;
        Ok(())
    }

    /// Lets the clock of a paused case go on from an instant; gives the date by which it is judged now.
    ///
    /// # Errors
    /// As [`crate::clock::fold::reckon`].
    pub(crate) fn resume(
        &self,
        case: &mut Case,
        procedure: &Procedure,
        now: Time,
    ) -> Result<Option<Time>, Problem> {
        let unit = case.unit.clone();
        self.tell_clock(case, procedure, Event::Resumed { at: now, unit })?;
        Ok(case.owed_by())
    }
}

/// Only answers of the form, and none of those that stand.
fn check_answers(procedure: &Procedure, answers: &Answers) -> Result<(), Problem> {
    for (field, answer) in answers {
        let question = procedure.question(field).filter(|_| !procedure.is_fixed(field));
        if question.is_none_or(|question| answer.chars().count() > chars_max(question)) {
            return Err(Problem::invalid("answers", "case-answer-unknown"));
        }
    }
    Ok(())
}

/// The new papers stand in the place of those of the same code, which are kept beside the case.
async fn replace(tx: &Tx, holder: &str, papers: &[Attached]) -> Result<(), Problem> {
    for paper in papers {
        if let Some(before) = rows::paper(tx, holder, &paper.code).await? {
            rows::attach(tx, &earlier(holder), &before).await?;
        }
        rows::attach(tx, holder, paper).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::fact::Channel;
    use serde_json::{Value, json};

    use crate::clock;
    use crate::desk::testing::{CASE, Desk, MONDAY, UNIT, handover, paper};
    use crate::procedure::{APPLICANT, Clock, Verb};
    use crate::testing::{PDF, birth, nouns};

    async fn asked() -> Desk {
        let desk = Desk::new().await;
        desk.accept().await;
        let slip = json!({"items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
        assert_eq!(desk.verb("tich", "ask-supplement", slip).await.status, 200);
        desk
    }

    #[tokio::test]
    async fn what_was_asked_for_brings_the_case_back_and_its_term_starts_anew() {
        let desk = asked().await;
        let later = MONDAY.plus_ms(3 * 86_400_000);
        desk.temp.clock.set(later);
        let second = format!("{PDF}\n");
        let taken = desk.supply(1, &json!([paper("GCS", second.as_bytes())])).await;
        assert_eq!(taken["taken"], true);
        assert_eq!(desk.state().await, "accepted");
        let case = desk.json().await;
        let calendar = nouns().calendars.of(&UNIT.parse().expect("a code"));
        let anew = clock::due(birth().term(Channel::Online), &calendar, later).expect("a term");
        assert_eq!(case["accepted"]["due"], anew.due.rfc3339());
        assert_eq!(case["status"], 2);
        let newest = desk.get("tich", &format!("/desk/cases/{CASE}/papers/GCS")).await;
        assert_eq!(newest.bytes, second.as_bytes());
        let earlier = desk
            .get("tich", &format!("/desk/cases/{CASE}/papers/GCS?earlier=1"))
            .await;
        assert_eq!(earlier.bytes, PDF.as_bytes(), "the earlier one is kept");
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        assert!(page.contains("Nguyễn Văn Nam Mới") && page.contains("?earlier=1"));
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened", "obligation-lifted", "obligation-opened"]
        );
        desk.deliver().await;
        assert_eq!(
            *desk.nation.noted.lock().expect("whole"),
            [(1, 2), (2, 5), (3, 2)]
        );
        desk.receive(&handover())
            .await
            .expect("a repeated handover is still the same case");
        assert_eq!(
            desk.supply(1, &json!([paper("GCS", second.as_bytes())])).await["taken"],
            true
        );
    }

    #[tokio::test]
    async fn a_supplement_that_nobody_asked_for_is_answered_so() {
        let desk = Desk::new().await;
        desk.accept().await;
        let taken = desk.supply(1, &json!([])).await;
        assert_eq!(
            (&taken["taken"], &taken["why"]),
            (&json!(false), &json!("case-verb-not-now"))
        );
        assert_eq!(desk.state().await, "accepted");
    }

    #[tokio::test]
    async fn a_supplement_changes_only_answers_of_the_form_and_never_the_unit() {
        for (field, wanted) in [("receive_at", "14797"), ("nonsense", "x")] {
            let desk = asked().await;
            let said = json!({"kind": "supplement", "answers": {field: wanted}, "note": ""});
            let taken = desk.submit(1, said, &json!([])).await;
            assert_eq!(taken["why"], "case-answer-unknown", "{field}");
            assert_eq!(desk.state().await, "supplement");
        }
    }

    #[test]
    fn every_procedure_of_the_pack_asks_once_for_what_is_missing() {
        for procedure in nouns().catalogue.procedures() {
            let code = &procedure.code;
            assert_eq!(crate::pack::flaws(procedure), [], "{code}");
            assert!(procedure.supplement_rule(MONDAY.date()).is_some(), "{code}");
            for from in ["accepted", "reworking"] {
                let asks = procedure.verb_from(Verb::AskSupplement, from);
                let asks = asks.unwrap_or_else(|| panic!("{code} cannot ask in {from}"));
                let waits = &procedure.states[&asks.to];
                assert_eq!(
                    (waits.status, waits.clock, waits.role.as_str()),
                    (5, Clock::Pause, APPLICANT),
                    "{code}"
                );
                let left = |verb, role: &str| {
                    let step = procedure.verb_from(verb, &asks.to);
                    step.filter(|step| step.role == role).map(|step| step.to.as_str())
                };
                assert_eq!(left(Verb::Supplement, APPLICANT), Some("accepted"), "{code}");
                assert_eq!(left(Verb::Withdraw, APPLICANT), Some("withdrawn"), "{code}");
                assert!(
                    left(Verb::Propose, "officer").is_some(),
                    "{code}: or it waits for ever"
                );
            }
        }
    }

    /// A case of another procedure of the pack, accepted and asked for a supplement.
    async fn asked_of(procedure: &str, answers: &Value, dong: Option<u64>) -> Desk {
        let code = procedure.parse().expect("a code");
        let procedure = nouns()
            .catalogue
            .procedure(&code, MONDAY.date())
            .expect("in force");
        let mut body = handover();
        body["procedure"] = json!(procedure.code);
        body["version"] = json!(procedure.version());
        body["answers"] = answers.clone();
        body["papers"] = json!([]);
        if let Some(dong) = dong {
            body["paid"] =
                json!({"payment": "1".repeat(32), "dong": dong, "at": MONDAY, "bank_reference": "SIM1"});
        }
        let desk = Desk::empty().await;
        desk.receive(&body).await.expect("received");
        desk.accept().await;
        let slip = json!({"items": ["Ghi lại cho đúng"], "reason": "Không khớp"});
        let answer = desk.verb("tich", "ask-supplement", slip).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(desk.state().await, "supplement");
        desk
    }

    #[tokio::test]
    async fn a_confirmation_of_marital_status_goes_on_with_what_was_asked_for() {
        let answers = json!({"born": "1998-02-03", "ethnicity": "01", "nationality": "VN", "residence_commune": "15865",
            "marital_status": "single", "purpose": "Kết hôn", "receive_at": "15865"});
        let desk = asked_of("1.004873", &answers, None).await;
        desk.temp.clock.set(MONDAY.plus_ms(3 * 86_400_000));
        let said = json!({"kind": "supplement", "answers": {"purpose": "Đăng ký kết hôn"}, "note": ""});
        assert_eq!(desk.submit(1, said, &json!([])).await["taken"], true);
        assert_eq!(desk.state().await, "accepted");
        desk.propose("granted", "").await;
        assert_eq!(desk.state().await, "to-sign");
    }

    #[tokio::test]
    async fn a_supplement_of_a_paid_case_never_changes_what_was_paid_for() {
        let answers = json!({"person_name": "Nguyễn Minh Anh", "person_number": "038326000001", "relation": "parent",
            "copies": "2", "receive_at": "15865"});
        let desk = asked_of("2.000635", &answers, Some(16_000)).await;
        let said =
            |field: &str, answer: &str| json!({"kind": "supplement", "answers": {field: answer}, "note": ""});
        let more = desk.submit(1, said("copies", "5"), &json!([])).await;
        assert_eq!(more["why"], "case-answer-unknown");
        assert_eq!(desk.state().await, "supplement");
        let right = desk
            .submit(2, said("person_number", "038326000015"), &json!([]))
            .await;
        assert_eq!(right["taken"], true, "{right}");
        assert_eq!(desk.state().await, "accepted");
    }

    #[tokio::test]
    async fn the_applicant_may_take_a_case_back_until_an_act_is_entered() {
        let withdrawal = || json!({"kind": "withdrawal", "reason": "Nộp nhầm"});
        let desk = asked().await;
        assert_eq!(desk.submit(1, withdrawal(), &json!([])).await["taken"], true);
        assert_eq!(desk.state().await, "withdrawn");
        assert_eq!(desk.json().await["status"], 7);
        let desk = Desk::new().await;
        assert_eq!(
            desk.submit(1, withdrawal(), &json!([])).await["taken"],
            true,
            "before acceptance"
        );
        assert_eq!(desk.state().await, "withdrawn");
        let desk = Desk::new().await;
        desk.to_sign().await;
        // The applicant has looked at the draft before: that was the first thing sent.
        let late = desk.submit(2, withdrawal(), &json!([])).await;
        assert_eq!(
            (&late["taken"], &late["why"]),
            (&json!(false), &json!("case-verb-not-now"))
        );
        assert_eq!(desk.state().await, "to-sign");
    }
}
