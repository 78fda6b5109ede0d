//! `GET/POST /drafts/{id}/pages/{page}`: a page of the form. Every fault is told at once, at its
//! field, and nothing that was typed is lost.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Page, Refusal};

use crate::answers::{self, Typed};
use crate::citizen::course::is_attached;
use crate::citizen::draft::{current, revision};
use crate::citizen::file::rules;
use crate::citizen::prefill::answered;
use crate::citizen::view::{Field, labelled};
use crate::citizen::{Citizen, OpenDraft, OwnDraft, render};
use crate::draft::Draft;
use crate::procedure::{FormPage, Paper, Procedure};
use crate::rules::Asked;
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;

#[derive(Template)]
#[template(path = "question.html")]
struct QuestionPage<'a> {
    page: &'a Page,
    draft: &'a Draft,
    title: &'a str,
    code: &'a str,
    number: usize,
    of: usize,
    /// What is asked here.
    fields: Vec<Field>,
    /// What registers answered, by source.
    filled: Vec<(String, Vec<Field>)>,
    problems: &'a [Problem],
}

/// The form's own field; the others are the page's questions.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub struct AnswersForm {
    /// The draft's revision the page was shown with.
    revision: i64,
}

/// Shows a page of the form.
#[utoipa::path(get, path = "/drafts/{id}/pages/{page}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft"), ("page" = String, Path, description = "the page")),
    responses((status = 200, description = "the page", content_type = "text/html"), (status = 404)))]
pub(crate) async fn show(
    OpenDraft(own): OpenDraft,
    page: Page,
    Path((_id, code)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let procedure = own.procedure()?;
    Ok(body(
        &own.cases,
        &page,
        &procedure,
        &own.draft,
        &code,
        None,
        &[],
        200,
    )?)
}

/// Takes a page's answers.
#[utoipa::path(post, path = "/drafts/{id}/pages/{page}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft"), ("page" = String, Path, description = "the page")),
    request_body(content = AnswersForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the next page, to a paper that is missing, or to the check"), (status = 404),
              (status = 409, description = "changed in another window", content_type = "text/html"),
              (status = 422, description = "the page with every fault", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-draft-changed"]))))]
pub(crate) async fn answer(
    OpenDraft(own): OpenDraft,
    page: Page,
    Path((_id, code)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = &own;
    let procedure = own.procedure()?;
    let (at, form) = procedure.page(&code).ok_or_else(Problem::not_found)?;
    let typed = answers::typed(&form.questions, &fields);
    let show = |draft: &Draft, problems: &[Problem], status| {
        body(
            cases,
            &page,
            &procedure,
            draft,
            &code,
            Some(&typed),
            problems,
            status,
        )
    };
    if current(draft, revision(&fields)).is_err() {
        // Shown with the newest revision and with what was typed: sending it again overwrites.
        return Ok(show(draft, &[elsewhere()], 409)?);
    }
    let receives = |at: &kernel::AreaCode| cases.receiver(&procedure, at).map(|_| ());
    let (given, mut problems) = answers::read_page(&procedure, form, draft, &typed, &rules(cases, &receives));
    let mut changed = draft.clone();
    for question in &form.questions {
        changed.answers.remove(&question.code);
    }
    changed.answers.extend(given);
    let anew = answered::forget(&procedure, draft, &mut changed);
    let new = answers::newly_asked(&procedure, form, draft, &changed, cases.today());
    let is_new = |p: &Problem| p.field.as_deref().is_some_and(|field| new.contains(&field));
    problems.retain(|p| p.code != "answer-missing" || !is_new(p));
    if !problems.is_empty() {
        return Ok(show(draft, &problems, 422)?);
    }
    match save(cases, citizen, &changed, form).await {
        Ok(()) => {}
        Err(problem) if problem.kind == Kind::Conflict => {
            return Ok(show(&own.newest().await?, &[elsewhere()], 409)?);
        }
        Err(problem) => return Err(problem.into()),
    }
    if let Some(at) = answered::ask_anew(cases, citizen, &procedure, &changed, &anew).await? {
        return Ok(Redirect::to(&at).into_response());
    }
    if !new.is_empty() {
        // What was answered here asks for more: the same page, with it.
        return Ok(Redirect::to(&format!("/drafts/{}/pages/{}", draft.id, form.code)).into_response());
    }
    // A page that the registers have answered whole, or on which nothing is asked, is not on the way; the list
    // and the check show the first.
    let asked = Asked::of(&procedure, &changed.values(), cases.today());
    let asks = |form: &&FormPage| asked.on(form).any(|q| !changed.prefilled.contains_key(&q.code));
    if let Some(next) = procedure.pages.iter().skip(at + 1).find(asks) {
        return Ok(Redirect::to(&format!("/drafts/{}/pages/{}", draft.id, next.code)).into_response());
    }
    let papers = own.papers().await?;
    let missing = |paper: &&Paper| paper.required && !is_attached(&papers, paper);
    Ok(Redirect::to(&match procedure.papers.iter().find(missing) {
        Some(paper) => format!("/drafts/{}/papers/{}", draft.id, paper.code),
        None => format!("/drafts/{}/check", draft.id),
    })
    .into_response())
}

/// 409 in the words of somebody with two windows.
fn elsewhere() -> Problem {
    Problem::new(Kind::Conflict, "draft-changed")
}

async fn save(cases: &Cases, citizen: &Citizen, draft: &Draft, form: &FormPage) -> Result<(), Problem> {
    let content = kernel::digest::canonical_json(&draft.answers).map_err(Problem::internal)?;
    let digest = cases.store.digest(&cases.tenant, &content);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            rows::save_draft(&tx, draft).await?;
            let fact = Fact::CaseDraftChanged {
                part: format!("page/{}", form.code),
                digest,
            };
            tx.fact(&Draft::subject(&draft.id), fact).await?;
            Ok(())
        })
        .await
}

#[expect(
    clippy::too_many_arguments,
    reason = "the page, what it shows and what is wrong with it"
)]
fn body(
    cases: &Cases,
    page: &Page,
    procedure: &Procedure,
    draft: &Draft,
    code: &str,
    typed: Option<&Typed>,
    problems: &[Problem],
    status: u16,
) -> Result<Response, Problem> {
    let (at, form) = procedure.page(code).ok_or_else(Problem::not_found)?;
    let problems: &[Problem] = &problems
        .iter()
        .map(|p| labelled(page, procedure, p))
        .collect::<Vec<_>>();
    let mut fields = Vec::new();
    let mut filled: Vec<(String, Vec<Field>)> = Vec::new();
    let asked = Asked::of(procedure, &draft.values(), cases.today());
    let at_fault = |code: &String| problems.iter().any(|p| p.field.as_ref() == Some(code));
    let shown = form
        .questions
        .iter()
        .filter(|q| asked.has(&q.code) || at_fault(&q.code));
    for question in shown {
        let field = Field::new(cases, page, question, draft, typed, problems);
        if field.form != "filled" {
            fields.push(field);
        } else if let Some((_, group)) = filled.iter_mut().find(|(source, _)| *source == field.source) {
            group.push(field);
        } else {
            filled.push((field.source.clone(), vec![field]));
        }
    }
    let title = say(&form.title, page.lang);
    let before = procedure
        .pages
        .iter()
        .take(at)
        .filter(|form| asked.page(form))
        .count();
    let body = render(&QuestionPage {
        page,
        draft,
        title,
        code,
        number: before + 1,
        of: procedure.parts(&asked),
        filled,
        fields,
        problems,
    })?;
    Ok(if status == 200 {
        page.html(title, body).into_response()
    } else {
        page.html_status(status, title, body)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{CHILD, PDF, Portal, foreign, lan, mai, officer};

    #[tokio::test]
    async fn a_right_page_leads_to_the_next_and_is_kept() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let went = portal.page(&lan(), &path, "child", 1, CHILD).await;
        assert_eq!(
            (went.status, went.location()),
            (303, format!("{path}/pages/parents"))
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["revision"], 2);
        assert_eq!(draft["answers"]["child_born"], "2026-11-19");
        assert_eq!(
            draft["answers"]["child_birth_commune"], "14797",
            "typed by name, kept by code"
        );
        let again = portal
            .get(Some(&lan()), &format!("{path}/pages/child"))
            .await
            .body;
        assert!(again.contains("Phường Hạc Thành, Tỉnh Thanh Hóa") && again.contains(r#"value="19""#));
    }

    #[tokio::test]
    async fn behind_the_last_page_comes_a_paper_that_is_missing_and_else_the_check() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        let declarant = &[
            ("declarant_relation", "mother"),
            ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa"),
        ];
        let last = async || {
            let revision = portal.revision(&lan(), &path).await;
            let went = portal.page(&lan(), &path, "declarant", revision, declarant).await;
            (went.status, went.location())
        };
        assert_eq!(last().await, (303, format!("{path}/papers/GCS")));
        let paper = format!("{path}/papers/GCS");
        portal.upload(&lan(), &paper, "giay.pdf", PDF.as_bytes()).await;
        assert_eq!(last().await, (303, format!("{path}/check")));
    }

    #[tokio::test]
    async fn a_wrong_page_tells_every_fault_and_loses_nothing() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let fields = [
            ("child_name", "D'Artagnan <i>"),
            ("child_born-day", "31"),
            ("child_born-month", "2"),
            ("child_born-year", "2026"),
        ];
        let told = portal.page(&lan(), &path, "child", 1, &fields).await;
        assert_eq!(told.status, 422);
        for link in ["#child_name", "#child_born", "#child_sex", "#child_birth_place"] {
            assert!(told.body.contains(&format!("href=\"{link}\"")), "{link}");
        }
        assert!(told.body.contains("D&#39;Artagnan &#60;i&#62;") && !told.body.contains("<i>"));
        assert!(told.body.contains(r#"value="31""#));
        assert!(
            told.body.contains("Mục “Giới tính” là bắt buộc."),
            "each fault names its question"
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["answers"], serde_json::json!({}));
    }

    #[tokio::test]
    async fn a_page_older_than_the_draft_is_shown_again_with_what_was_typed() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.page(&lan(), &path, "child", 1, CHILD).await;
        let mut other = CHILD.to_vec();
        other[0] = ("child_name", "Nguyễn Minh Châu");
        let stale = portal.page(&lan(), &path, "child", 1, &other).await;
        assert_eq!(stale.status, 409);
        assert!(
            stale.body.contains("Nguyễn Minh Châu") && stale.body.contains(r#"name="revision" value="2""#)
        );
        assert_eq!(portal.page(&lan(), &path, "child", 2, &other).await.status, 303);
    }

    #[tokio::test]
    async fn what_a_register_filled_is_not_taken_from_the_form() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        portal.post(Some(&lan()), &format!("{path}/prefill"), &[]).await;
        let page = portal
            .get(Some(&lan()), &format!("{path}/pages/parents"))
            .await
            .body;
        assert!(page.contains("Cơ sở dữ liệu quốc gia về dân cư") && !page.contains(r#"name="mother_name""#));
        let went = portal
            .page(&lan(), &path, "parents", 2, &[("mother_name", "Người khác")])
            .await;
        assert_eq!(went.status, 303, "{}", went.body);
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["answers"].get("mother_name"), None);
    }

    #[tokio::test]
    async fn a_page_is_for_the_drafts_citizen_alone() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        assert_eq!(portal.page(&mai(), &path, "child", 1, CHILD).await.status, 404);
        assert_eq!(
            portal.page(&foreign(), &path, "child", 1, CHILD).await.status,
            404
        );
        assert_eq!(
            portal.page(&officer(), &path, "child", 1, CHILD).await.status,
            403
        );
        assert_eq!(portal.page(&lan(), &path, "nowhere", 1, CHILD).await.status, 404);
        assert_eq!(portal.get(None, &format!("{path}/pages/child")).await.status, 303);
    }
}
