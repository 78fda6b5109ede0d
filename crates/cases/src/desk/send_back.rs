//! `send-back`: the chairman gives a proposal back to the officer, with a reason. An act that was
//! entered is taken back: its withdrawal is in line before the officer can propose again.

use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Case, SentBack};
use crate::desk::act;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView};
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;
use crate::words::note;

/// Why it goes back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// The revision of the case the chairman has seen.
    revision: i64,
    /// Why.
    note: String,
}

/// Sends a proposal back from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/send-back", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-sent-back", "case-act-withdrawn"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    let reason = Reason {
        revision: view::revision(&fields)?,
        note: fields.lines("note").unwrap_or_default(),
    };
    let done = at.cases.send_back(&at.who, &at.code, &reason).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Sends a proposal back.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/send-back", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Reason,
    responses((status = 200, description = "the case", body = CaseView), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-sent-back", "case-act-withdrawn"]))))]
pub(crate) async fn by_json(at: AtCase, Json(reason): Json<Reason>) -> Result<Json<CaseView>, Refusal> {
    at.cases.send_back(&at.who, &at.code, &reason).await?;
    at.view().await
}

impl Cases {
    /// Sends a proposal back. Pressed twice, it goes back once.
    async fn send_back(&self, who: &Principal, code: &CaseCode, reason: &Reason) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::SendBack).await?;
                let note = &note(&reason.note, true)?;
                if is_done(&case, who, reason, note) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::SendBack, who, reason.revision)?;
                let mut case = case.moved(step);
                if let Some(proposal) = &mut case.proposal {
                    proposal.sent_back = Some(SentBack {
                        note: note.clone(),
                        by: Some(who.account.clone()),
                        by_applicant: false,
                        at: tx.now(),
                    });
                }
                let entered = case.act.take();
                save(&tx, &case, &procedure).await?;
                tx.fact(&subject(code), Fact::CaseSentBack { case: code.clone() })
                    .await?;
                match entered {
                    Some(entered) => act::enqueue_undo(&tx, code, &entered, who, note).await,
                    None => Ok(()),
                }
            })
            .await
    }
}

/// The second click of the one who has just sent it back with the same words.
fn is_done(case: &Case, who: &Principal, reason: &Reason, note: &str) -> bool {
    let back = case.proposal.as_ref().and_then(|p| p.sent_back.as_ref());
    reason.revision < case.revision
        && back.is_some_and(|b| b.note == note && b.by.as_deref() == Some(who.account.as_str()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::json;

    use crate::desk::testing::{CASE, Desk};

    #[tokio::test]
    async fn sending_back_withdraws_the_act_before_another_is_entered() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let answer = desk
            .verb("chu", "send-back", json!({"note": "Sai nơi sinh"}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let case = desk.json().await;
        assert_eq!(
            (&case["state"], &case["act"]),
            (&json!("reworking"), &json!(null))
        );
        assert_eq!(case["proposal"]["sent_back"]["note"], "Sai nơi sinh");
        // The register is away while the officer proposes again: the order holds.
        desk.nation.away.store(true, Ordering::SeqCst);
        desk.granted("Đã sửa").await;
        assert!(desk.deliver_topic("case-act").await.is_some());
        assert_eq!(desk.nation.acts_standing(), 1, "the first act still stands");
        desk.nation.away.store(false, Ordering::SeqCst);
        assert!(desk.deliver_topic("case-act").await.is_none());
        let case = desk.json().await;
        assert_eq!(
            (&case["state"], &case["act"]["act_number"]),
            (&json!("to-sign"), &json!("2/2026"))
        );
        assert_eq!(desk.nation.acts_standing(), 1);
        assert_eq!(
            desk.facts().await[5..],
            [
                "case-act-entered",
                "case-sent-back",
                "case-proposed",
                "case-result-draft-sent",
                "case-result-draft-answered",
                "case-act-withdrawn",
                "case-act-entered"
            ]
        );
    }

    #[tokio::test]
    async fn only_the_chairman_sends_back_and_says_why() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        for who in ["tich", "tiep"] {
            assert_eq!(
                desk.verb(who, "send-back", json!({"note": "x"})).await.status,
                403
            );
        }
        let path = format!("/desk/cases/{CASE}/send-back");
        let revision = desk.revision().await.to_string();
        let page = desk
            .form("chu", &path, &[("revision", &revision), ("note", " ")])
            .await;
        assert!(
            page.status == 422 && page.body.contains("href=\"#note\""),
            "{}",
            page.body
        );
        let fields = [("revision", revision.as_str()), ("note", "Sai tên")];
        let (one, two) = tokio::join!(desk.form("chu", &path, &fields), desk.form("chu", &path, &fields));
        assert_eq!((one.status, two.status), (303, 303), "a double click");
        assert_eq!(desk.lines("case-act").await.len(), 1);
    }
}
