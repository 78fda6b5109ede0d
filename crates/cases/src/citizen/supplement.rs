//! `POST /cases/{code}/supplement`: the applicant begins to answer what was asked for, on the form's own pages
//! with what was filed in them; sending it is `POST /drafts/{id}/file` of that draft. Never a second case.

use ::store::Tx;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{CaseCode, Fact, Kind, Problem, ProcedureCode};
use web::Refusal;
use web::openapi::utoipa;

use crate::case::Answers;
use crate::citizen::course::supplement;
use crate::citizen::{Citizen, OwnCase, OwnDraft, own_case};
use crate::draft::{Attached, Draft};
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Held, Rows};
use crate::submission::{self, Said, is_said};
use crate::words;

/// Begins the supplement, or goes on with it.
#[utoipa::path(post, path = "/cases/{code}/supplement", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "to the form, filled with what was filed"), (status = 404),
              (status = 409, description = "nothing is asked for, or the time is over")),
    extensions(("x-facts" = json!(["case-drafted"]))))]
pub(crate) async fn begin(own: OwnCase) -> Result<Response, Refusal> {
    let OwnCase { cases, citizen, held } = &own;
    let id = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            wanted(&tx, held).await?;
            let id = Draft::of_supplement(&held.case.code);
            let account = &citizen.who.account;
            if rows::draft(&tx, account, &id).await?.is_none() && !passed(cases, &tx, account, &id).await? {
                let draft = draft(&tx, citizen, held, &id).await?;
                rows::insert_draft(&tx, &draft).await?;
                let procedure: ProcedureCode = held.case.procedure.clone();
                tx.fact(&Draft::subject(&id), Fact::CaseDrafted { procedure })
                    .await?;
            }
            Ok(id)
        })
        .await?;
    Ok(Redirect::to(&format!("/drafts/{id}")).into_response())
}

/// What the other side of a mandate has begun, who may act now goes on with.
async fn passed(cases: &Cases, tx: &Tx, account: &str, id: &str) -> Result<bool, Problem> {
    let passed = rows::pass_draft(tx, id, account).await?;
    if passed {
        let fact = Fact::CaseDraftChanged {
            part: "account".to_owned(),
            digest: cases.store.digest(&cases.tenant, account),
        };
        tx.fact(&Draft::subject(id), fact).await?;
    }
    Ok(passed)
}

/// The form as it was filed; what registers answered stays theirs.
async fn draft(tx: &Tx, citizen: &Citizen, held: &Held, id: &str) -> Result<Draft, Problem> {
    let account = &citizen.who.account;
    let filed = rows::draft_filed_as(tx, held.case.filed_by(), &held.case.code).await?;
    let prefilled = filed.map(|draft| draft.prefilled).unwrap_or_default();
    let mut answers = held.case.answers.clone();
    answers.retain(|field, _| !prefilled.contains_key(field));
    Ok(Draft {
        id: id.to_owned(),
        account: account.clone(),
        procedure: held.case.procedure.clone(),
        version: held.case.version,
        answers,
        prefilled,
        revision: 1,
        filed_as: None,
        mandate: None,
        created_at: tx.now(),
        changed_at: tx.now(),
    })
}

/// Something is asked for now, and nothing was sent yet.
async fn wanted(rows: &impl Rows, held: &Held) -> Result<(), Problem> {
    let code = &held.case.code;
    let now_at = Problem::new(Kind::Conflict, "case-verb-not-now").with("state", held.status);
    let statuses = crate::store::statuses(rows, code).await?;
    if supplement(held, &statuses).is_none() {
        return Err(now_at);
    }
    let sent = crate::store::submissions(rows, code).await?;
    if is_said(&sent, "supplement") || is_said(&sent, "withdrawal") {
        return Err(now_at);
    }
    Ok(())
}

/// What differs from what was filed; what was taken out is empty, and what is not asked any more, too.
fn changed(procedure: &Procedure, filed: &Answers, draft: &Draft, today: kernel::Date) -> Answers {
    let now = crate::citizen::file::filed(procedure, draft, today);
    let fields = now.keys().chain(filed.keys());
    fields
        .filter(|field| procedure.question(field).is_some() && !procedure.is_fixed(field))
        .filter(|field| now.get(*field) != filed.get(*field).filter(|v| !v.is_empty()))
        .map(|field| (field.clone(), now.get(field).cloned().unwrap_or_default()))
        .collect()
}

/// Sends the supplement: in one write it is on its way and its form closed. Sent twice, it goes once.
///
/// # Errors
/// `case-supplement-nothing` (422) when it brings nothing; `case-verb-not-now` when nothing is asked for.
pub(crate) async fn send(
    own: &OwnDraft,
    papers: &[Attached],
    code: &CaseCode,
    note: &str,
) -> Result<(), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = &own_case(&reader, citizen, code).await?;
    drop(reader);
    let procedure = own.procedure()?;
    let note = words::note(note, false)?;
    let answers = changed(&procedure, &held.case.answers, draft, cases.today());
    if answers.is_empty() && papers.is_empty() && note.is_empty() {
        return Err(Problem::invalid("note", "case-supplement-brings-nothing"));
    }
    let said = &Said::Supplement { answers, note };
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let newest = rows::draft(&tx, &citizen.who.account, &draft.id)
                .await?
                .ok_or_else(Problem::not_found)?;
            if newest.filed_as.is_some() {
                return Ok(());
            }
            wanted(&tx, held).await?;
            rows::mark_filed(&tx, draft, code).await?;
            submission::keep(&tx, &held.case, said, papers).await?;
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{PDF, Portal, lan, mai, officer};

    fn asked() -> Value {
        json!({"seq": 2, "status": 5, "notice": {"kind": "supplement", "items": ["Giấy chứng sinh bị mờ"],
            "reason": "Không đọc được", "until": testkit::START.plus_ms(86_400_000).ms()}})
    }

    /// A case whose agency asks for a supplement.
    async fn asked_for() -> (Portal, String) {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        portal.note(&code, asked()).await.expect("noted");
        (portal, code)
    }

    #[tokio::test]
    async fn what_is_asked_for_is_answered_on_the_forms_own_pages_and_sent_once() {
        let (portal, code) = asked_for().await;
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(
            page.contains("Giấy chứng sinh bị mờ") && page.contains(&format!("/cases/{code}/supplement"))
        );
        let begin = format!("/cases/{code}/supplement");
        let path = portal.post(Some(&lan()), &begin, &[]).await.location();
        assert_eq!(path, format!("/drafts/supplement-{code}"));
        assert_eq!(
            portal.post(Some(&lan()), &begin, &[]).await.location(),
            path,
            "begun once"
        );
        let draft = portal.get(Some(&lan()), &path).await.body;
        assert!(draft.contains("Giấy chứng sinh bị mờ") && draft.contains("Giữ nguyên"));
        let empty = portal.file(&lan(), &path).await;
        assert!(empty.status == 422 && empty.body.contains("Bổ sung phải có giấy tờ"));
        portal
            .upload(&lan(), &format!("{path}/papers/GCS"), "moi.pdf", PDF.as_bytes())
            .await;
        let went = portal.file(&lan(), &path).await;
        assert_eq!((went.status, went.location()), (303, format!("/cases/{code}")));
        assert_eq!(
            portal.file(&lan(), &path).await.location(),
            format!("/cases/{code}"),
            "a second click"
        );
        let sent = portal
            .get(Some(&lan()), &format!("/api/v1/cases/{code}"))
            .await
            .json()["sent"]
            .clone();
        assert_eq!(sent.as_array().map(Vec::len), Some(1), "and it goes once: {sent}");
        assert_eq!(
            (&sent[0]["kind"], &sent[0]["outcome"]),
            (&json!("supplement"), &json!(null))
        );
        let lines = portal.waiting().await;
        let line = (crate::submission::TOPIC.to_owned(), code.clone());
        assert_eq!(lines.iter().filter(|l| **l == line).count(), 1);
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(page.contains("Đã gửi, chờ cơ quan nhận") && !page.contains(&begin));
        assert_eq!(portal.post(Some(&lan()), &begin, &[]).await.status, 409);
    }

    #[tokio::test]
    async fn nobody_supplements_what_is_not_asked_for_or_not_theirs() {
        let (portal, code) = asked_for().await;
        let begin = format!("/cases/{code}/supplement");
        assert_eq!(portal.post(Some(&mai()), &begin, &[]).await.status, 404);
        assert_eq!(portal.post(Some(&officer()), &begin, &[]).await.status, 403);
        let other = portal.filed(&lan()).await;
        let none = portal
            .post(Some(&lan()), &format!("/cases/{other}/supplement"), &[])
            .await;
        assert_eq!(none.status, 409);
    }

    #[tokio::test]
    async fn taking_a_case_back_is_asked_once_more_and_goes_once() {
        let (portal, code) = asked_for().await;
        let path = format!("/cases/{code}/withdraw");
        let page = portal.get(Some(&lan()), &path).await;
        assert!(page.status == 200 && page.body.contains("Rút hồ sơ"));
        for _ in 0..2 {
            let went = portal.post(Some(&lan()), &path, &[("reason", "Nộp nhầm")]).await;
            assert_eq!((went.status, went.location()), (303, format!("/cases/{code}")));
        }
        for who in [mai(), officer()] {
            assert!(portal.post(Some(&who), &path, &[]).await.status >= 403);
        }
        let made = portal.facts(&format!("case/{code}")).await;
        assert_eq!(made.iter().filter(|f| *f == "case-submission-made").count(), 1);
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(page.contains("Đã gửi, chờ cơ quan nhận") && !page.contains(&path));
    }

    #[tokio::test]
    async fn an_ended_case_is_rated_once_and_a_running_one_not_at_all() {
        let (portal, code) = asked_for().await;
        let path = format!("/cases/{code}/rating");
        let early = portal.post(Some(&lan()), &path, &[("score", "5")]).await;
        assert_eq!(early.status, 409);
        let declined =
            json!({"seq": 3, "status": 3, "notice": {"kind": "declined", "reason": "Sai nơi nộp"}});
        portal.note(&code, declined).await.expect("noted");
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(page.contains("Sai nơi nộp") && page.contains("name=\"score\""));
        assert_eq!(
            portal.post(Some(&lan()), &path, &[("score", "9")]).await.status,
            422
        );
        for score in ["2", "5"] {
            let went = portal
                .post(Some(&lan()), &path, &[("score", score), ("note", "Chậm")])
                .await;
            assert_eq!(went.status, 303);
        }
        let facts = portal.facts(&format!("case/{code}")).await;
        assert_eq!(facts.iter().filter(|f| *f == "case-rated").count(), 1);
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
        assert!(page.contains("2/5") && !page.contains("name=\"score\""));
    }
}
