//! `POST /cases/{code}/draft-answer`: the applicant has looked at the draft of the result and says that it
//! is right, or what is wrong with it. Never decides whether that is in time: the owner does.

use axum::response::{IntoResponse, Response};
use kernel::{Kind, Problem, Time};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use crate::citizen::OwnCase;
use crate::citizen::mine;
use crate::citizen::shape::CaseJson;
use crate::notice::Notice;
use crate::shown::{say, shown};
use crate::state::Cases;
use crate::store::{self as rows, GivenKind, Held, Rows};
use crate::submission::{self, Said};
use crate::words::note;

/// A draft that waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) document: String,
    pub(crate) until: Time,
}

/// A draft as its applicant looks at it: the paper, and what it says as a list.
pub(crate) struct Look {
    pub(crate) document: String,
    pub(crate) until: String,
    pub(crate) rows: Vec<(String, String)>,
}

/// What is said of a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// True when it is right.
    agreed: bool,
    /// What is wrong with it; needed when something is.
    #[serde(default)]
    note: String,
}

/// Says from the case's page what the applicant finds.
#[utoipa::path(post, path = "/cases/{code}/draft-answer", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made"]))))]
pub(crate) async fn by_form(own: OwnCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let typed = fields.lines("note").unwrap_or_default();
    let done = match agreed(&fields) {
        Ok(agreed) => {
            let note = typed.clone();
            answer(&own, &Answered { agreed, note }).await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => Ok(own.back()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = mine::body(&own, &page, (false, &[problem], &typed)).await?;
            let title = page.tw("cases-case-title", &[("code", own.held.case.code.to_string())]);
            Ok(page.html_status(422, &title, body).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Says what the applicant finds.
#[utoipa::path(post, path = "/api/v1/cases/{code}/draft-answer", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Answered,
    responses((status = 200, description = "the case", body = CaseJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made"]))))]
pub(crate) async fn by_json(own: OwnCase, Json(answered): Json<Answered>) -> Result<Json<CaseJson>, Refusal> {
    answer(&own, &answered).await?;
    Ok(Json(mine::case_json(&own).await?))
}

/// Keeps the answer and sends it on. Pressed twice, it is said once.
async fn answer(own: &OwnCase, answered: &Answered) -> Result<(), Problem> {
    let OwnCase { cases, citizen, held } = own;
    let note = &note(&kernel::text::clean(&answered.note), !answered.agreed)?;
    let code = &held.case.code;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
            let last = rows::submissions(&tx, code).await?.pop();
            let Some(look) = waiting(&tx, &held).await? else {
                // The second click of the one who has just said it.
                return match last.map(|row| row.said) {
                    Some(Said::DraftAnswer { agreed, note: n, .. })
                        if agreed == answered.agreed && n == *note =>
                    {
                        Ok(())
                    }
                    _ => Err(Problem::new(Kind::Conflict, "case-draft-none")),
                };
            };
            let said = Said::DraftAnswer {
                agreed: answered.agreed,
                note: note.clone(),
                draft: look.document,
            };
            submission::keep(&tx, &held.case, &said, &[]).await.map(drop)
        })
        .await
}

/// What was chosen of a form that asks whether the draft is right: at the portal by its applicant, at the
/// counter by the officer for them.
///
/// # Errors
/// 422 `case-draft-unanswered` when nothing was.
pub(crate) fn agreed(fields: &Fields) -> Result<bool, Problem> {
    match fields.text("agreed") {
        Some("yes") => Ok(true),
        Some("no") => Ok(false),
        _ => Err(Problem::invalid("agreed", "case-draft-unanswered")),
    }
}

/// The draft that a case's newest status brought, while nothing was said about it.
///
/// # Errors
/// Unavailable.
pub(crate) async fn waiting(rows: &impl Rows, held: &Held) -> Result<Option<Waiting>, Problem> {
    let code = &held.case.code;
    let newest = rows::statuses(rows, code).await?.pop();
    let Some((newest, until)) = newest.and_then(|row| match row.notice {
        Some(Notice::Draft { until }) => Some((row, until)),
        _ => None,
    }) else {
        return Ok(None);
    };
    let given = rows::results(rows, code).await?.into_iter();
    let mut drafts = given.filter(|row| row.kind == GivenKind::Draft && row.with_seq == newest.seq);
    let Some(look) = drafts.next() else {
        return Ok(None);
    };
    let said = rows::submissions(rows, code).await?;
    let answered = said.iter().any(|row| match &row.said {
        Said::DraftAnswer { draft, .. } => *draft == look.document,
        Said::Withdrawal { .. } => row.outcome.as_deref().is_none_or(|outcome| outcome == "taken"),
        _ => false,
    });
    Ok((!answered).then_some(Waiting {
        document: look.document,
        until,
    }))
}

impl Look {
    /// What the draft says, as a list: on a phone a paper is hard to read.
    pub(crate) fn of(cases: &Cases, page: &Page, held: &Held, waiting: &Waiting) -> Self {
        let case = &held.case;
        let mut rows = Vec::new();
        if let Ok(procedure) = cases.procedure_of(case) {
            for question in procedure.pages.iter().flat_map(|form| &form.questions) {
                let Some(answer) = case.answers.get(&question.code).filter(|a| !a.is_empty()) else {
                    continue;
                };
                let label = say(&question.label, page.lang).to_owned();
                rows.push((label, shown(cases, page, question, answer, case.filed_at.date())));
            }
        }
        Self {
            document: waiting.document.clone(),
            until: page.time(waiting.until),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PDF, Portal, foreign, lan, mai, officer};

    /// A filed case whose owner has sent a draft.
    async fn with_draft(portal: &Portal) -> String {
        let code = portal.filed(&lan()).await;
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        send_draft(portal, &code, 2).await;
        code
    }

    async fn send_draft(portal: &Portal, code: &str, seq: u32) {
        let mut draft = portal.result(&format!("draft-{seq}"), PDF.as_bytes());
        draft["kind"] = json!("draft");
        draft["number"] = json!("");
        let until = testkit::START.plus_ms(86_400_000).ms();
        let notice = json!({"kind": "draft", "until": until});
        portal
            .note(
                code,
                json!({"seq": seq, "status": 4, "notice": notice, "results": [draft]}),
            )
            .await
            .expect("noted");
    }

    #[tokio::test]
    async fn an_applicant_looks_at_the_draft_and_says_that_it_is_right_once() {
        let portal = Portal::new().await;
        let code = with_draft(&portal).await;
        let path = format!("/cases/{code}");
        let page = portal.get(Some(&lan()), &path).await.body;
        for shown in [
            "/results/draft-2",
            "draft-answer",
            "Nguyễn Minh Anh",
            "name=\"agreed\"",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
        let case = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(case["draft"]["document"], "draft-2");
        let fields = [("agreed", "yes"), ("note", "")];
        for _ in 0..2 {
            let done = portal
                .post(Some(&lan()), &format!("{path}/draft-answer"), &fields)
                .await;
            assert_eq!(done.status, 303, "{}", done.body);
        }
        let facts = portal.facts(&format!("case/{code}")).await;
        assert_eq!(facts.iter().filter(|f| *f == "case-submission-made").count(), 1);
        let case = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(case["draft"], json!(null));
        let other = portal
            .post(
                Some(&lan()),
                &format!("{path}/draft-answer"),
                &[("agreed", "no"), ("note", "x")],
            )
            .await;
        assert_eq!(other.status, 409, "nothing waits any more");
    }

    #[tokio::test]
    async fn what_is_wrong_must_be_said_and_a_second_draft_is_asked_about_anew() {
        let portal = Portal::new().await;
        let code = with_draft(&portal).await;
        let path = format!("/cases/{code}/draft-answer");
        for fields in [&[("agreed", "no"), ("note", " ")][..], &[("note", "Sai tên")]] {
            let page = portal.post(Some(&lan()), &path, fields).await;
            assert_eq!(page.status, 422);
            assert!(page.body.contains("draft-answer"), "the form again");
        }
        let wrong = [("agreed", "no"), ("note", "Sai tên đệm của cháu")];
        assert_eq!(portal.post(Some(&lan()), &path, &wrong).await.status, 303);
        send_draft(&portal, &code, 3).await;
        let case = portal
            .get(Some(&lan()), &format!("/api/v1/cases/{code}"))
            .await
            .json();
        assert_eq!(case["draft"]["document"], "draft-3");
    }

    #[tokio::test]
    async fn a_draft_is_answered_by_who_filed_alone() {
        let portal = Portal::new().await;
        let code = with_draft(&portal).await;
        let path = format!("/cases/{code}/draft-answer");
        for (who, status) in [(mai(), 404), (foreign(), 404), (officer(), 403)] {
            let answer = portal.post(Some(&who), &path, &[("agreed", "yes")]).await;
            assert_eq!(answer.status, status);
        }
        let none = portal.filed(&lan()).await;
        let early = portal
            .post(
                Some(&lan()),
                &format!("/cases/{none}/draft-answer"),
                &[("agreed", "yes")],
            )
            .await;
        assert_eq!(early.status, 409, "no draft was sent");
    }
}
