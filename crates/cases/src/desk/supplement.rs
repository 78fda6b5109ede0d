//! `supplement`: the applicant gives what was asked for. The term starts anew or goes on, as the law in
//! force on that day says. Never asks a second time.

use ::store::Tx;
use kernel::{Fact, Kind, Problem, Time};

use crate::answers::TEXT_CHARS_MAX;
use crate::case::{Accepted, Answers, Case};
use crate::clock;
use crate::desk::step::{note, save};
use crate::draft::Attached;
use crate::procedure::{APPLICANT, Procedure, Resumption, Verb};
use crate::state::Cases;
use crate::store::{self as rows, subject};

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
        let due = self.resume(&mut case, procedure, tx.now())?;
        asked.given_at = Some(tx.now());
        case.course.supplement = Some(asked);
        for (field, answer) in answers {
            case.answers.insert(field.clone(), answer.clone());
        }
        let holder = subject(&case.code);
        replace(tx, &holder, papers).await?;
        save(tx, &case, procedure).await?;
        if let Some(due) = due {
            obligations::reopen(tx, &holder, due).await?;
        }
        let fact = Fact::CaseSupplemented {
            case: case.code.clone(),
            papers: u32::try_from(papers.len()).map_err(Problem::internal)?,
            due,
        };
        tx.fact(&holder, fact).await?;
        Ok(())
    }

    /// Lets the clock of a paused case go on from an instant; gives the new due date.
    ///
    /// # Errors
    /// As [`clock::due`].
    pub(crate) fn resume(
        &self,
        case: &mut Case,
        procedure: &Procedure,
        now: Time,
    ) -> Result<Option<Time>, Problem> {
        let (Some(accepted), Some(asked)) = (&case.accepted, &case.course.supplement) else {
            return Ok(None);
        };
        let rule = procedure.supplement_rule(now.date());
        let calendar = self.calendars.of(&case.unit, now.date());
        let working_out = clock::resumed(
            rule.map_or(Resumption::Restart, |r| r.rule),
            procedure.term(case.channel),
            &calendar,
            &accepted.working_out,
            asked.at,
            now,
        )?;
        let due = working_out.due;
        case.accepted = Some(Accepted {
            due,
            working_out,
            ..accepted.clone()
        });
        Ok(Some(due))
    }
}

/// Only answers of the form, and not the one that says which unit has the case.
fn check_answers(procedure: &Procedure, answers: &Answers) -> Result<(), Problem> {
    for (field, answer) in answers {
        let asked = procedure.question(field).is_some() && *field != procedure.receiver;
        if !asked || answer.chars().count() > TEXT_CHARS_MAX {
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
    use serde_json::json;

    use crate::clock;
    use crate::desk::testing::{CASE, Desk, MONDAY, UNIT, paper};
    use crate::testing::{PDF, birth, nouns};
    use kernel::fact::Channel;

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
        let calendar = nouns().calendars.of(&UNIT.parse().expect("a code"), later.date());
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
        desk.receive(&crate::desk::testing::handover())
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
