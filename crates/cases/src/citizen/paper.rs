//! `GET/POST /drafts/{id}/papers/{paper}`: attaching a paper. Never takes what only claims to be a
//! PDF, and never keeps a file under the sender's name.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Page, Refusal, Upload};

use crate::citizen::{OpenDraft, OwnDraft, render};
use crate::draft::{Attached, Draft};
use crate::procedure::Paper;
use crate::rules::Asked;
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;
use crate::wallet::attach::{self as wallet, Beside};

/// Length of a file name that is kept, in characters.
const NAME_CHARS_MAX: usize = 120;

#[derive(Template)]
#[template(path = "paper.html")]
struct PaperPage<'a> {
    page: &'a Page,
    draft: &'a Draft,
    title: &'a str,
    code: &'a str,
    /// Which part of the draft this is, and of how many; from one.
    number: usize,
    of: usize,
    attached: Option<&'a Attached>,
    megabytes: String,
    /// The citizen's own documents that can be attached: id and name.
    own: Vec<(String, String)>,
    problems: &'a [Problem],
}

/// The form's file.
#[derive(web::openapi::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct PaperForm {
    /// The PDF.
    #[schema(format = Binary, content_media_type = "application/pdf")]
    file: Option<String>,
    /// Anything: the file is kept among the citizen's own documents too.
    keep: Option<String>,
    /// One of these instead of a file, by its id.
    own: Option<String>,
}

/// Shows where a paper is attached.
#[utoipa::path(get, path = "/drafts/{id}/papers/{paper}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft"), ("paper" = String, Path, description = "the paper")),
    responses((status = 200, description = "the page", content_type = "text/html"), (status = 404)))]
pub(crate) async fn show(
    OpenDraft(own): OpenDraft,
    page: Page,
    Path((_id, code)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let procedure = own.procedure()?;
    let paper = procedure.paper(&code).ok_or_else(Problem::not_found)?;
    Ok(body(&own, &page, paper, &own.papers().await?, &[]).await?)
}

/// Attaches a paper, in the place of an earlier one.
#[utoipa::path(post, path = "/drafts/{id}/papers/{paper}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft"), ("paper" = String, Path, description = "the paper")),
    request_body(content = PaperForm, content_type = "multipart/form-data"),
    responses((status = 303, description = "back to the draft"), (status = 404), (status = 413, description = "too large"),
              (status = 422, description = "no PDF", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-draft-changed", "wallet-used", "wallet-kept"]))))]
pub(crate) async fn attach(
    OpenDraft(own): OpenDraft,
    page: Page,
    Path((_id, code)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let procedure = own.procedure()?;
    let paper = procedure.paper(&code).ok_or_else(Problem::not_found)?;
    let papers = own.papers().await?;
    match put(&own, paper, &papers, &fields).await {
        Ok(()) => Ok(Redirect::to(&format!("/drafts/{}", own.draft.id)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            Ok(body(&own, &page, paper, &papers, &[problem]).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Attaches the uploaded file, or the chosen one of the citizen's own documents.
async fn put(own: &OwnDraft, paper: &Paper, papers: &[Attached], fields: &Fields) -> Result<(), Problem> {
    let (attached, beside) = match fields.text("own").filter(|id| !id.is_empty()) {
        Some(id) => wallet::chosen(own, paper, papers, id).await?,
        None => {
            let attached = check(&own.cases, paper, papers, fields.file("file")).await?;
            let beside = match fields.text("keep") {
                Some(_) => wallet::kept(&own.cases, paper, &attached),
                None => Beside::Nothing,
            };
            (attached, beside)
        }
    };
    keep(own, &attached, &beside).await
}

async fn keep(own: &OwnDraft, attached: &Attached, beside: &Beside) -> Result<(), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let digest = cases.store.digest(&cases.tenant, &attached.digest.hex());
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let newest = rows::draft(&tx, &citizen.who.account, &draft.id)
                .await?
                .ok_or_else(Problem::not_found)?;
            // The papers are part of what is filed: the draft moves on, and a filed one is closed.
            rows::save_draft(&tx, &newest).await?;
            rows::attach(&tx, &Draft::subject(&draft.id), attached).await?;
            wallet::note(&tx, own, beside).await?;
            let fact = Fact::CaseDraftChanged {
                part: format!("paper/{}", attached.code),
                digest,
            };
            tx.fact(&Draft::subject(&draft.id), fact).await?;
            Ok(())
        })
        .await
}

/// The file is a PDF by its content and, with the others, fits into one message to the owner.
pub(crate) async fn check(
    cases: &Cases,
    paper: &Paper,
    others: &[Attached],
    file: Option<&Upload>,
) -> Result<Attached, Problem> {
    let file = file
        .filter(|f| !f.bytes.is_empty())
        .ok_or_else(|| Problem::invalid("file", "paper-missing"))?;
    let bytes = file.bytes.clone();
    let pdf = tokio::task::spawn_blocking(move || seal::pdf::looks_like_pdf(&bytes))
        .await
        .map_err(Problem::internal)?;
    if !pdf {
        return Err(Problem::invalid("file", "paper-not-pdf"));
    }
    let size = file.bytes.len() as u64;
    let all = size
        + others
            .iter()
            .filter(|o| o.code != paper.code)
            .map(|o| o.size)
            .sum::<u64>();
    if all > papers_bytes_max(cases) {
        return Err(Problem::invalid("file", "papers-too-large").with("max", papers_bytes_max(cases) >> 20));
    }
    let digest = cases.store.blobs().put(&file.bytes).await?;
    Ok(Attached {
        code: paper.code.clone(),
        name: file.name.chars().take(NAME_CHARS_MAX).collect(),
        media: "application/pdf".to_owned(),
        size,
        digest,
    })
}

/// Size of all papers of a case, in bytes: base64 makes four of three, and the answers need room.
pub(crate) fn papers_bytes_max(cases: &Cases) -> u64 {
    let body = cases.store.limits().exchange_body_bytes_max as u64;
    body.saturating_sub(1 << 20) / 4 * 3
}

async fn body(
    own: &OwnDraft,
    page: &Page,
    paper: &Paper,
    papers: &[Attached],
    problems: &[Problem],
) -> Result<Response, Problem> {
    let title = say(&paper.name, page.lang);
    let procedure = own.procedure()?;
    let before = procedure
        .papers
        .iter()
        .take_while(|p| p.code != paper.code)
        .count();
    let asked = Asked::of(&procedure, &own.draft.values(), own.cases.today());
    let reader = own.cases.store.read(&own.cases.tenant).await?;
    let body = render(&PaperPage {
        page,
        draft: &own.draft,
        title,
        code: &paper.code,
        number: asked.pages(&procedure).count() + before + 1,
        of: procedure.parts(&asked),
        attached: papers.iter().find(|p| p.code == paper.code),
        megabytes: (own.cases.store.limits().upload_bytes_max >> 20).to_string(),
        own: wallet::offered(&own.cases, &reader, &own.citizen.who.account).await?,
        problems,
    })?;
    Ok(if problems.is_empty() {
        page.html(title, body).into_response()
    } else {
        page.html_status(422, title, body)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{PDF, Portal, lan, mai};

    #[tokio::test]
    async fn a_pdf_is_attached_and_replaced() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let to = format!("{path}/papers/GCS");
        let went = portal
            .upload(&lan(), &to, "../../giấy chứng sinh.pdf", PDF.as_bytes())
            .await;
        assert_eq!((went.status, went.location()), (303, path.clone()));
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["papers"][0]["name"], "giấy chứng sinh.pdf");
        assert_eq!(draft["papers"][0]["size"], PDF.len());
        assert_eq!(draft["revision"], 2);
        let second = format!("{PDF}\n");
        portal.upload(&lan(), &to, "b.pdf", second.as_bytes()).await;
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["papers"].as_array().map(Vec::len), Some(1));
        assert!(portal.get(Some(&lan()), &to).await.body.contains("b.pdf"));
    }

    #[tokio::test]
    async fn what_only_claims_to_be_a_pdf_is_refused_at_the_field() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let to = format!("{path}/papers/GCS");
        for bytes in [&b"<html>"[..], b"%PDF-", b"MZ\x90"] {
            let told = portal.upload(&lan(), &to, "a.pdf", bytes).await;
            assert_eq!(told.status, 422);
            assert!(told.body.contains("href=\"#file\"") && told.body.contains("PDF"));
        }
        assert_eq!(portal.upload(&lan(), &to, "a.pdf", b"").await.status, 422);
        assert_eq!(
            portal
                .upload(&lan(), &format!("{path}/papers/XYZ"), "a.pdf", PDF.as_bytes())
                .await
                .status,
            404
        );
        assert_eq!(
            portal.upload(&mai(), &to, "a.pdf", PDF.as_bytes()).await.status,
            404
        );
        let draft = portal.get(Some(&lan()), &format!("/api/v1{path}")).await.json();
        assert_eq!(draft["papers"], serde_json::json!([]));
    }
}
