//! `check-draft`: what the applicant says of the draft of the result before it is entered and signed, and
//! what comes of it. Of a case from the counter the officer writes it down. Never for a refusal. How the
//! draft is made and sent, and what silence means, stands in [`crate::desk::result_draft`].

use ::store::Tx;
use axum::response::Response;
use kernel::fact::{DraftAnswer, Outcome};
use kernel::{Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Refusal};

use crate::case::{Case, SentBack, passed_over};
use crate::citizen::draft_answer::agreed;
use crate::clock::fold::Event;
use crate::desk::act;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView};
use crate::procedure::{APPLICANT, Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::note;

/// What an applicant said at the counter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Looked {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// True when the draft is right.
    agreed: bool,
    /// What is wrong with it; needed when something is.
    #[serde(default)]
    note: String,
}

/// Writes down from the case's page what the applicant said of the draft.
#[utoipa::path(post, path = "/desk/cases/{code}/check-draft", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-result-draft-answered"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let (revision, note) = (view::revision(&fields)?, fields.lines("note").unwrap_or_default());
    let done = at.looked_at_counter(revision, agreed(&fields), &note).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Writes down what the applicant said of the draft at the counter.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/check-draft", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Looked,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-result-draft-answered"]))))]
pub(crate) async fn by_json(at: AtCase, Json(looked): Json<Looked>) -> Result<Json<CaseView>, Refusal> {
    at.looked_at_counter(looked.revision, Ok(looked.agreed), &looked.note)
        .await?;
    at.view().await
}

impl AtCase {
    /// What the officer writes down for an applicant at the counter. Pressed twice, it is written once.
    async fn looked_at_counter(
        &self,
        revision: i64,
        agreed: Result<bool, Problem>,
        note: &str,
    ) -> Result<(), Problem> {
        let (cases, who, agreed) = (&self.cases, &self.who, &agreed);
        cases
            .store
            .write(&cases.tenant, &who.actor, |tx| async move {
                let (case, procedure) = cases.opened(&tx, who, &self.code, Verb::CheckDraft).await?;
                let answer = answer(agreed.clone()?);
                let said = case.course.draft.as_ref().and_then(|draft| draft.answer);
                if said == Some(answer) && revision < case.revision {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::CheckDraft, who, revision)?;
                case.looked_at_counter()?;
                let role = step.role.clone();
                cases.settle(&tx, case, &procedure, &role, (answer, note)).await
            })
            .await
    }
}

impl Cases {
    /// Takes what the applicant says about the draft.
    ///
    /// # Errors
    /// `case-verb-not-now` when no draft waits; 422 for a fault that is not named.
    pub(crate) async fn draft_answered(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        (agreed, draft): (bool, &str),
        words: &str,
    ) -> Result<(), Problem> {
        let waits = case.course.draft.as_ref().map(|waits| waits.document.as_str());
        if !draft.is_empty() && waits != Some(draft) {
            return Err(Problem::new(Kind::Conflict, "case-draft-none"));
        }
        let said = (answer(agreed), words);
        self.settle(tx, case, procedure, APPLICANT, said).await
    }

    /// What came of the draft: on to the register, or back to the officer.
    ///
    /// # Errors
    /// `case-verb-not-now` when no draft waits for this role; 422 for a fault that is not named.
    pub(crate) async fn settle(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        role: &str,
        (answer, words): (DraftAnswer, &str),
    ) -> Result<(), Problem> {
        let step = case
            .transition(procedure, Verb::CheckDraft, &[role.to_owned()])?
            .clone();
        let words = note(words, answer == DraftAnswer::Objected)?;
        let step = match answer {
            // Whoever writes it down, it is the applicant who sends it back.
            DraftAnswer::Objected => case
                .transition(procedure, Verb::SendBack, &[APPLICANT.to_owned()])?
                .clone(),
            DraftAnswer::Agreed | DraftAnswer::Silent => step,
        };
        let mut case = case.moved(&step);
        let dates = |case: &Case| {
            (
                case.accepted.as_ref().map(|accepted| accepted.due),
                case.owed_by(),
            )
        };
        let before = dates(&case);
        let (at, unit) = (tx.now(), case.unit.clone());
        self.tell_clock(&mut case, procedure, Event::Looked { at, unit })?;
        if let Some(draft) = &mut case.course.draft {
            draft.answer = Some(answer);
            draft.answered_at = Some(tx.now());
            draft.note.clone_from(&words);
        }
        if answer == DraftAnswer::Objected
            && let Some(proposal) = &mut case.proposal
        {
            proposal.sent_back = Some(SentBack {
                note: words,
                by: None,
                by_applicant: true,
                at: tx.now(),
            });
        }
        let (due, owed) = dates(&case);
        save(tx, &case, procedure).await?;
        if let Some(owed) = owed.filter(|_| owed != before.1) {
            obligations::lift(tx, &subject(&case.code), "draft-looked-at").await?;
            obligations::reopen(tx, &subject(&case.code), owed).await?;
        }
        let due = due.filter(|_| due != before.0);
        let fact = Fact::CaseResultDraftAnswered {
            case: case.code.clone(),
            answer,
            due,
        };
        tx.fact(&subject(&case.code), fact).await?;
        if answer == DraftAnswer::Objected {
            return Ok(());
        }
        go_on(tx, case, procedure, Outcome::Granted).await
    }
}

fn answer(agreed: bool) -> DraftAnswer {
    if agreed {
        DraftAnswer::Agreed
    } else {
        DraftAnswer::Objected
    }
}

/// What follows on a proposal that nobody looks at any more: its act, or what comes after where there is
/// none to enter.
///
/// # Errors
/// As [`save`].
pub(crate) async fn go_on(
    tx: &Tx,
    case: Case,
    procedure: &Procedure,
    outcome: Outcome,
) -> Result<(), Problem> {
    if outcome == Outcome::Granted && procedure.act.is_some() {
        return act::enqueue_enter(tx, &case.code).await;
    }
    let state = passed_over(procedure, case.state.clone(), outcome);
    if state == case.state {
        return Ok(());
    }
    let case = Case {
        state,
        revision: case.revision + 1,
        ..case
    };
    save(tx, &case, procedure).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, handover};

    #[tokio::test]
    async fn what_the_applicant_finds_wrong_goes_back_to_the_officer() {
        let desk = Desk::new().await;
        desk.to_draft().await;
        desk.answer_draft(false, "Sai tên đệm của cháu").await;
        let case = desk.json().await;
        assert_eq!(case["state"], "reworking");
        assert_eq!(case["proposal"]["sent_back"]["note"], "Sai tên đệm của cháu");
        assert_eq!(desk.state().await, "reworking");
        assert_eq!(desk.lines("case-act").await, [], "nothing was entered");
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("Sai tên đệm") && page.body.contains("có chỗ chưa đúng"));
        // A new draft, a new look.
        desk.temp.clock.advance_ms(60_000);
        desk.propose("granted", "Đã sửa").await;
        assert_eq!(desk.state().await, "draft");
        desk.agree().await;
        assert_eq!(desk.state().await, "entering");
    }

    #[tokio::test]
    async fn an_objection_without_a_word_is_refused_and_the_draft_waits_on() {
        let desk = Desk::new().await;
        desk.to_draft().await;
        let said = json!({"kind": "draft-answer", "agreed": false, "note": " "});
        let taken = desk.submit(1, said, &json!([])).await;
        assert_eq!(
            (&taken["taken"], &taken["why"]),
            (&json!(false), &json!("case-note-missing"))
        );
        assert_eq!(desk.state().await, "draft");
    }

    #[tokio::test]
    async fn the_officer_answers_for_the_counter_only() {
        let desk = Desk::new().await;
        desk.to_draft().await;
        let answer = desk.verb("tich", "check-draft", json!({"agreed": true})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "case-draft-online")
        );
        assert_eq!(
            desk.get("tich", crate::desk::testing::API).await.json()["verbs"],
            json!(["apologise"])
        );

        let desk = Desk::empty().await;
        let mut body = handover();
        body["channel"] = json!("counter");
        desk.receive(&body).await.expect("received");
        desk.to_draft().await;
        for who in ["tiep", "chu"] {
            let answer = desk.verb(who, "check-draft", json!({"agreed": true})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("/check-draft\""), "the officer's form");
        let revision = desk.revision().await.to_string();
        let path = format!("/desk/cases/{CASE}/check-draft");
        let none = desk
            .form(
                "tich",
                &path,
                &[("revision", &revision), ("agreed", "no"), ("note", "")],
            )
            .await;
        assert_eq!(none.status, 422, "what is wrong must be said");
        let unsaid = [("revision", revision.as_str()), ("note", "Sai tên")];
        let unsaid = desk.form("tich", &path, &unsaid).await;
        assert!(
            unsaid.status == 422 && unsaid.body.contains("href=\"#agreed\""),
            "nothing chosen is no objection"
        );
        let fields = [("revision", revision.as_str()), ("agreed", "yes"), ("note", "")];
        let (one, two) = tokio::join!(
            desk.form("tich", &path, &fields),
            desk.form("tich", &path, &fields)
        );
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(desk.lines("case-act").await.len(), 1);
        assert_eq!(desk.state().await, "entering");
        // What is done already is no way past the role.
        for who in ["tiep", "chu"] {
            let answer = desk.verb_at(who, "check-draft", 1, json!({"agreed": true})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
    }
}
