//! `propose`: the officer says what the outcome should be. What would be granted goes to the applicant
//! as a draft first, where the procedure says so, and is then entered in its register; nothing is
//! entered for a refusal. Never on a case of one's own.

use axum::response::Response;
use kernel::fact::Outcome;
use kernel::{CaseCode, Digest, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Case, Proposal};
use crate::consult::Why;
use crate::desk::consult::end_open;
use crate::desk::draft_check;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView};
use crate::procedure::{Clock, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::note;

/// What is proposed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposed {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// `granted` or `refused`.
    #[schema(value_type = String, example = "granted")]
    outcome: Outcome,
    /// Why; needed for a refusal.
    #[serde(default)]
    note: String,
}

/// Proposes an outcome from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/propose", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-proposed", "case-result-draft-sent"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let outcome = match fields.text("outcome") {
        Some("granted") => Ok(Outcome::Granted),
        Some("refused") => Ok(Outcome::Refused),
        _ => Err(Problem::invalid("outcome", "case-outcome-missing")),
    };
    let done = match outcome {
        Ok(outcome) => {
            let proposed = Proposed {
                revision: view::revision(&fields)?,
                outcome,
                note: fields.lines("note").unwrap_or_default(),
            };
            at.cases.propose(&at.who, &at.code, &proposed).await
        }
        Err(problem) => Err(problem),
    };
    at.back_or_faults(&page, done, &fields).await
}

/// Proposes an outcome.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/propose", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Proposed,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-proposed", "case-result-draft-sent"]))))]
pub(crate) async fn by_json(at: AtCase, Json(proposed): Json<Proposed>) -> Result<Json<CaseView>, Refusal> {
    at.cases.propose(&at.who, &at.code, &proposed).await?;
    at.view().await
}

impl Cases {
    /// Proposes an outcome. Pressed twice, it is proposed once.
    async fn propose(&self, who: &Principal, code: &CaseCode, proposed: &Proposed) -> Result<(), Problem> {
        let outcome = proposed.outcome;
        let draft = self.draft_first(who, code, proposed).await?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Propose).await?;
                let note = &note(&proposed.note, outcome == Outcome::Refused)?;
                if is_done(&case, who, proposed, note) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Propose, who, proposed.revision)?;
                case.may_propose(&procedure, outcome, tx.now())?;
                let waited = procedure.clock(&case.state) == Clock::Pause;
                let mut case = case.moved(step);
                if waited && let Some(owed) = self.gone_on(&mut case, &procedure, tx.now())? {
                    obligations::reopen(&tx, &subject(code), owed).await?;
                }
                end_open(&tx, &mut case, Why::GoneOn).await?;
                case.proposal = Some(Proposal {
                    outcome,
                    note: note.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    sent_back: None,
                });
                let looks = outcome == Outcome::Granted
                    && procedure.verb_from(Verb::CheckDraft, &case.state).is_some();
                let looked_at = draft.filter(|_| looks);
                if looks && looked_at.is_none() {
                    return Err(Problem::stale());
                }
                if looked_at.is_none() {
                    save(&tx, &case, &procedure).await?;
                }
                let fact = Fact::CaseProposed {
                    case: code.clone(),
                    outcome,
                };
                tx.fact(&subject(code), fact).await?;
                if let Some(digest) = looked_at {
                    return self.send_draft(&tx, case, &procedure, digest).await;
                }
                draft_check::go_on(&tx, case, &procedure, outcome).await
            })
            .await
    }

    /// The draft of what would be granted, when the applicant looks at it first. Drawn before the change
    /// and outside it: who has an old page, or proposes too early or too late, is told so by the change.
    async fn draft_first(
        &self,
        who: &Principal,
        code: &CaseCode,
        proposed: &Proposed,
    ) -> Result<Option<Digest>, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, procedure) = self.opened(&reader, who, code, Verb::Propose).await?;
        drop(reader);
        if may(&case, &procedure, Verb::Propose, who, proposed.revision).is_err() {
            return Ok(None);
        }
        self.make_draft(&case, &procedure, proposed.outcome).await
    }
}

/// The second click of the one who has just proposed the same.
fn is_done(case: &Case, who: &Principal, proposed: &Proposed, note: &str) -> bool {
    case.proposal.as_ref().is_some_and(|p| {
        p.by == who.account
            && p.outcome == proposed.outcome
            && p.note == note
            && p.sent_back.is_none()
            && proposed.revision < case.revision
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk};

    #[tokio::test]
    async fn a_granted_proposal_waits_for_the_applicants_look_and_then_for_its_act() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.propose("granted", "Đủ điều kiện").await;
        let case = desk.json().await;
        assert_eq!((&case["state"], &case["status"]), (&json!("draft"), &json!(4)));
        assert_eq!(desk.lines("case-act").await, [], "nothing is entered before");
        desk.agree().await;
        assert_eq!(desk.state().await, "entering");
        assert_eq!(desk.lines("case-act").await.len(), 1);
        assert_eq!(
            desk.facts().await,
            [
                "case-received",
                "case-accepted",
                "case-proposed",
                "case-result-draft-sent",
                "case-result-draft-answered"
            ]
        );
    }

    #[tokio::test]
    async fn a_refused_proposal_enters_nothing_and_goes_to_be_signed() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.propose("refused", "Trẻ đã được đăng ký khai sinh").await;
        assert_eq!(desk.state().await, "to-sign");
        assert_eq!(desk.lines("case-act").await, []);
    }

    #[tokio::test]
    async fn officer_cannot_decide_own_case() {
        let desk = Desk::new().await;
        desk.accept().await;
        let answer = desk.verb("nam", "propose", json!({"outcome": "granted"})).await;
        assert_eq!((answer.status, answer.problem().as_str()), (403, "case-own"));
        let page = desk.get("nam", &format!("/desk/cases/{CASE}")).await;
        assert!(
            page.body.contains("Hồ sơ") && !page.body.contains("/propose\""),
            "no button for it either"
        );
    }

    #[tokio::test]
    async fn receptionist_and_chairman_cannot_propose() {
        let desk = Desk::new().await;
        desk.accept().await;
        for who in ["tiep", "chu"] {
            let answer = desk.verb(who, "propose", json!({"outcome": "granted"})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
    }

    #[tokio::test]
    async fn a_page_older_than_the_case_is_refused() {
        let desk = Desk::new().await;
        desk.accept().await;
        let answer = desk
            .verb_at("tich", "propose", 1, json!({"outcome": "granted"}))
            .await;
        assert_eq!((answer.status, answer.problem().as_str()), (409, "stale"));
        let again = desk.verb_at("tiep-2", "accept", 2, json!({})).await;
        assert_eq!(
            (again.status, again.problem().as_str()),
            (409, "case-verb-not-now")
        );
    }

    #[tokio::test]
    async fn a_double_click_proposes_once() {
        let desk = Desk::new().await;
        desk.accept().await;
        let path = format!("/desk/cases/{CASE}/propose");
        let fields = [("revision", "2"), ("outcome", "granted"), ("note", "")];
        let (one, two) = tokio::join!(
            desk.form("tich", &path, &fields),
            desk.form("tich", &path, &fields)
        );
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(desk.lines("case-draft").await.len(), 1);
    }

    #[tokio::test]
    async fn a_refusal_needs_its_reason_and_the_page_keeps_what_was_typed() {
        let desk = Desk::new().await;
        desk.accept().await;
        let path = format!("/desk/cases/{CASE}/propose");
        let page = desk
            .form("tich", &path, &[("revision", "2"), ("outcome", "refused")])
            .await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains("href=\"#note\"") && page.body.contains("value=\"refused\" checked"));
        let none = desk
            .form("tich", &path, &[("revision", "2"), ("note", "Vì sao")])
            .await;
        assert!(
            none.status == 422 && none.body.contains("href=\"#outcome\"") && none.body.contains("Vì sao")
        );
        let long = "a".repeat(2_001);
        let answer = desk
            .verb("tich", "propose", json!({"outcome": "refused", "note": long}))
            .await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "case-note-too-long")
        );
        assert_eq!(desk.state().await, "accepted");
    }
}
